"""The contact directory 联络人员名录 of a level: its own people and those of the next level, and nobody else's.

Above and below that nobody needs them (article 8: who urges and reviews is the level directly above).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from workflow.domain.roster import Contact, Role, Roster, Unit, UnitKind

NO_ADMINISTRATOR = "没有登记管理员"
NO_ADDRESS = "没有登记电子邮箱"
SUSPENDED = "暂停招生"


@dataclass(frozen=True, slots=True)
class Listed:
    """A line: a unit and somebody of it, None where nobody is registered."""

    unit: Unit
    person: Contact | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """The lines of one kind of units under their heading."""

    heading: str
    lines: tuple[Listed, ...]


@dataclass(frozen=True, slots=True)
class Directory:
    """The directory of a unit as of a day."""

    unit: Unit
    day: dt.date
    sections: tuple[Section, ...]

    @property
    def units(self) -> int:
        return len({line.unit.code for section in self.sections for line in section.lines})

    @property
    def people(self) -> int:
        return sum(line.person is not None for section in self.sections for line in section.lines)

    @property
    def vacant(self) -> int:
        """How many units have no 管理员."""
        lines = (line for section in self.sections for line in section.lines)
        return sum(NO_ADMINISTRATOR in line.note for line in lines)


def directory(roster: Roster, code: str, day: dt.date) -> Directory:
    """The directory of a unit that reports up."""
    unit = roster.units[code]
    offices = roster.packages_below(code)
    schools = roster.members(code)[1:]
    universities = any(one.kind is UnitKind.UNIVERSITY for one in offices)
    below = "下一级教育行政部门" + ("和高等学校" if universities else "")
    parts = (("本级", (unit,)), (below, offices), ("所属学校、教学点", schools))
    found: list[Section] = []
    for words, of_kind in parts:
        if of_kind:
            number = "一二三"[len(found)]
            lines = tuple(line for one in of_kind for line in _lines(roster, one, day))
            found.append(Section(f"{number}、{words}", lines))
    return Directory(unit, day, tuple(found))


def _lines(roster: Roster, unit: Unit, day: dt.date) -> list[Listed]:
    roles = tuple(Role) if unit.kind.reports else (Role.ADMINISTRATOR,)
    people = [person for role in roles for person in roster.people(unit.code, role, day)]
    lines = [Listed(unit, person, _note(person)) for person in people]
    if not any(person.role is Role.ADMINISTRATOR for person in people):
        lines.append(Listed(unit, None, NO_ADMINISTRATOR))
    if unit.suspended:
        first = lines[0]
        lines[0] = Listed(unit, first.person, "，".join(filter(None, (first.note, SUSPENDED))))
    return lines


def _note(person: Contact) -> str:
    return NO_ADDRESS if not person.email and person.role is not Role.INSPECTOR else ""
