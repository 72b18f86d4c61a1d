"""What an address is told on a day: its own matters and the lists for it as somebody above, as a letter says them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from workflow.adapters.store import MadeBook
from workflow.domain.campaign import Campaign
from workflow.domain.deadlines import chased_until, gathered_key
from workflow.domain.events import Event
from workflow.domain.ladder import Rung
from workflow.domain.letters import LetterKind
from workflow.domain.lifecycle import Case, Package
from workflow.domain.problems import Problem
from workflow.domain.roster import Recipient, Role, Roster, Unit
from workflow.process.situation import SYSTEM


@dataclass(frozen=True, slots=True)
class Row:
    """One matter that is still owed: whose, what, until when, and whom to ring up (in lists for those above)."""

    unit: Unit
    matter: str
    due: dt.datetime
    contact: str = ""
    phone: str = ""

    def as_context(self) -> dict[str, object]:
        return {
            "unit_name": self.unit.name, "unit_code": self.unit.code, "matter": self.matter, "due": self.due,
            "contact": self.contact, "phone": self.phone,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReceiptOwed:
    """What a unit owes of its 回执表: parts that have not come, and what is wrong with those that have."""

    parts: tuple[str, ...]
    doubts: tuple[str, ...] = ()


@dataclass
class Sheet:
    """What one address is told on a day: its own matters, the lists for it as somebody above by (rung, level), and the
    workbooks to review. `cases` are those of its own matters; `problems` with the roster by (rung, level that answers).
    """

    to: Recipient
    own: dict[tuple[str, str], Row] = field(default_factory=dict)
    cases: list[Case] = field(default_factory=list)
    receipts: dict[str, ReceiptOwed] = field(default_factory=dict)
    lists: dict[tuple[Rung, str], dict[tuple[str, str], Row]] = field(default_factory=dict)
    books: list[MadeBook] = field(default_factory=list)
    problems: dict[tuple[Rung, str], list[Problem]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Picture:
    """What the calendar knows of a campaign when it chases: the cases that still owe something, by their package, and the
    packages that have not gone up by unit code.
    """

    campaign: Campaign
    roster: Roster
    now: dt.datetime
    packages: Mapping[str, Package]
    owing: Mapping[str, Sequence[Case]]

    @property
    def cases(self) -> Iterator[Case]:
        for cases in self.owing.values():
            yield from cases

    def closes(self, package: str) -> dt.datetime:
        above = [
            self.packages[unit.code] for unit in self.roster.above(package) if unit.code in self.packages
        ]
        return chased_until(self.campaign, self.roster, self.packages[package], above)

    @property
    def day(self) -> dt.date:
        return self.now.date()


def words(sheet: Sheet, picture: Picture, title: str) -> tuple[LetterKind, dict[str, object]]:
    """The kind of a letter and what it says. A single receipt has a letter of its own, with how to make it."""
    alone = len(sheet.own) == 1 and not sheet.lists and not sheet.problems
    relay = sheet.to.relay_for if alone else ""
    names = picture.roster.units
    context: dict[str, object] = {"relay_for": names[relay].name if relay in names else ""}
    if alone and sheet.receipts:
        (owed,) = sheet.receipts.values()
        due = picture.campaign.receipt_due
        context |= {"missing_parts": list(owed.parts), "doubts": list(owed.doubts), "receipt_due": due}
        return LetterKind.RECEIPT_REMINDER, context
    lists = [
        {**_addressed(sheet, picture, rung, code), "rows": [row.as_context() for row in rows.values()]}
        for (rung, code), rows in sorted(sheet.lists.items(), key=_by_rung)
    ]
    problems = [
        {**_addressed(sheet, picture, rung, code), "rows": [_problem_row(one, picture) for one in found]}
        for (rung, code), found in sorted(sheet.problems.items(), key=_by_rung)
    ]
    own = [row.as_context() for row in sheet.own.values()]
    said = {"rows": own, "form_title": title, "lists": lists, "roster_problems": problems}
    return LetterKind.REMINDER, context | said


def _by_rung(item: tuple[tuple[Rung, str], object]) -> int:
    return list(Rung).index(item[0][0])


def _addressed(sheet: Sheet, picture: Picture, rung: Rung, code: str) -> dict[str, object]:
    """For whom of a level a list is, and whether whoever gets the letter is to pass it on."""
    person = picture.roster.people(code, rung.role, picture.day)[0]
    return {
        "role": rung.role.value, "level_name": picture.roster.units[code].name,
        "relayed": person.email.lower() != sheet.to.email.lower(), "person_name": person.name,
        "person_phone": person.mobile or person.phone,
    }  # fmt: skip


def _problem_row(one: Problem, picture: Picture) -> dict[str, object]:
    known = picture.roster.units.get(one.unit)
    about = known.name if known else one.name or one.code or "未写明单位"
    return {
        "number": one.number, "kind": one.kind.value, "about": about, "due": one.due,
        "overdue": one.overdue(picture.now),
    }  # fmt: skip


def calls(picture: Picture, sheets: Iterable[Sheet]) -> Iterator[Event]:
    """Staff's call list: a 视察员 whom no letter reaches directly (附件2 gives no address) is told by telephone."""
    for sheet in sheets:
        for (rung, code), rows in sheet.lists.items():
            if rung is not Rung.INSPECTOR or (sheet.to.unit == code and sheet.to.role is Role.INSPECTOR):
                continue
            for person in picture.roster.people(code, Role.INSPECTOR, picture.day):
                name = picture.roster.units[code].name
                matter = (
                    f"请电话告知{name}视察员{person.name}（{person.mobile or person.phone or '无电话'}）："
                    f"{len(rows)}项数据报送、上报事项尚未办结"
                )
                data = {"unit": code, "call": Role.INSPECTOR.value}
                cause = gathered_key(picture.day)
                yield Event("staff", 0, "staff.query", picture.now, SYSTEM, cause, data, {"matter": matter})
