"""The roster 名册: the units, who stands above whom, and whom to write to.

Levels follow the notice: 省 → 省辖市 / 省直管县（市）/ 高校 / 省属中职 → 县（市、区）and schools directly under a city →
schools and teaching points. Contacts are effective-dated: the roster answers who held a role on a day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property


class Level(StrEnum):
    """The level of a package, that is of a unit that reports up; SCHOOL is every unit that only fills."""

    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"
    DIRECT_COUNTY = "direct_county"
    UNIVERSITY = "university"
    MINISTRY_UNIVERSITY = "ministry_university"
    SCHOOL = "school"

    @property
    def word(self) -> str:
        """The level's name as an office writes it."""
        return _LEVEL_WORDS[self]


_LEVEL_WORDS = {
    Level.PROVINCE: "省级",
    Level.CITY: "省辖市",
    Level.COUNTY: "县（市、区）",
    Level.DIRECT_COUNTY: "省直管县（市）",
    Level.UNIVERSITY: "高等学校",
    Level.MINISTRY_UNIVERSITY: "部属高等学校",
    Level.SCHOOL: "学校",
}


class UnitKind(StrEnum):
    """What a unit is, by the words of the roster's 单位类型 column."""

    PROVINCE = "省级教育行政部门"
    CITY = "地市级教育行政部门"
    DIRECT_COUNTY = "省直管县教育行政部门"
    COUNTY = "县级教育行政部门"
    UNIVERSITY = "高等学校"
    MINISTRY_UNIVERSITY = "部属高等学校"
    PROVINCIAL_VOCATIONAL = "省属中等职业学校"
    VOCATIONAL = "中等职业学校"
    SCHOOL = "中小学"
    TEACHING_POINT = "教学点"

    @property
    def level(self) -> Level:
        return _KIND_LEVELS.get(self, Level.SCHOOL)

    @property
    def reports(self) -> bool:
        """Whether the unit has a package of its own, that is, reports up to the level above."""
        return self in _KIND_LEVELS


_KIND_LEVELS = {
    UnitKind.PROVINCE: Level.PROVINCE,
    UnitKind.CITY: Level.CITY,
    UnitKind.DIRECT_COUNTY: Level.DIRECT_COUNTY,
    UnitKind.COUNTY: Level.COUNTY,
    UnitKind.UNIVERSITY: Level.UNIVERSITY,
    UnitKind.MINISTRY_UNIVERSITY: Level.MINISTRY_UNIVERSITY,
}

#: Which kinds may stand directly above each kind (articles 6, 11, 13 of the 管理办法).
SUPERIORS: Mapping[UnitKind, frozenset[UnitKind]] = {
    UnitKind.PROVINCE: frozenset(),
    UnitKind.CITY: frozenset({UnitKind.PROVINCE}),
    UnitKind.DIRECT_COUNTY: frozenset({UnitKind.PROVINCE}),
    UnitKind.UNIVERSITY: frozenset({UnitKind.PROVINCE}),
    UnitKind.MINISTRY_UNIVERSITY: frozenset(),
    UnitKind.PROVINCIAL_VOCATIONAL: frozenset({UnitKind.PROVINCE}),
    UnitKind.COUNTY: frozenset({UnitKind.CITY}),
    UnitKind.VOCATIONAL: frozenset({UnitKind.CITY, UnitKind.COUNTY, UnitKind.DIRECT_COUNTY}),
    UnitKind.SCHOOL: frozenset({UnitKind.CITY, UnitKind.COUNTY, UnitKind.DIRECT_COUNTY}),
    UnitKind.TEACHING_POINT: frozenset(
        {UnitKind.CITY, UnitKind.COUNTY, UnitKind.DIRECT_COUNTY, UnitKind.SCHOOL}
    ),
}


class Role(StrEnum):
    """The three roles of articles 6–8."""

    INSPECTOR = "视察员"
    REVIEWER = "审核员"
    ADMINISTRATOR = "管理员"


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of the roster. `superior` is the code of the unit above, empty for a root. `window` overrides the
    review window as (first day, last day) of the month after the period.
    """

    code: str
    name: str
    kind: UnitKind
    superior: str
    suspended: bool = False
    window: tuple[int, int] | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Contact:
    """A person who holds a role of a unit from `since` until before `until` (None: open). `source` is what the contact was set
    by: '' for the roster's file, else a word of `contacts.ContactSource`.
    """

    unit: str
    role: Role
    name: str
    office: str = ""
    phone: str = ""
    mobile: str = ""
    email: str = ""
    since: dt.date = dt.date.min
    until: dt.date | None = None
    source: str = ""

    def holds_on(self, day: dt.date) -> bool:
        return self.since <= day and (self.until is None or day < self.until)


@dataclass(frozen=True, slots=True)
class Recipient:
    """Where a letter goes: an address, the person, and whose contact it is. `relay_for` is the code of the unit
    meant when the letter goes through its superior's 管理员 (请转交 / 请转呈), else empty.
    """

    email: str
    name: str
    unit: str
    role: Role
    relay_for: str = ""


@dataclass(frozen=True)
class Roster:
    """The units and contacts of one baseline. Built from rows that `faults` found nothing wrong with. `bad` are addresses,
    in small letters, to which the last letter failed for good: nobody is written to there.
    """

    units: Mapping[str, Unit]
    contacts: tuple[Contact, ...]
    bad: frozenset[str] = frozenset()

    @cached_property
    def _children(self) -> Mapping[str, tuple[Unit, ...]]:
        children: dict[str, list[Unit]] = {}
        for unit in self.units.values():
            children.setdefault(unit.superior, []).append(unit)
        return {code: tuple(below) for code, below in children.items()}

    @cached_property
    def _contacts(self) -> Mapping[str, tuple[Contact, ...]]:
        contacts: dict[str, list[Contact]] = {}
        for contact in self.contacts:
            contacts.setdefault(contact.unit, []).append(contact)
        return {code: tuple(people) for code, people in contacts.items()}

    @cached_property
    def _by_email(self) -> Mapping[str, tuple[Contact, ...]]:
        found: dict[str, list[Contact]] = {}
        for contact in self.contacts:
            if contact.email:
                found.setdefault(contact.email.lower(), []).append(contact)
        return {email: tuple(contacts) for email, contacts in found.items()}

    def children(self, code: str) -> tuple[Unit, ...]:
        """The units directly below `code`, in the roster's order."""
        return self._children.get(code, ())

    def below(self, code: str) -> Iterator[Unit]:
        """The unit itself and every unit under it, depth first."""
        yield self.units[code]
        for child in self.children(code):
            yield from self.below(child.code)

    def above(self, code: str) -> Iterator[Unit]:
        """The units above `code`, nearest first."""
        superior = self.units[code].superior
        while superior:
            yield self.units[superior]
            superior = self.units[superior].superior

    def package_of(self, code: str) -> Unit:
        """The unit whose package carries the case of `code`: itself when it reports up, else the nearest that does."""
        unit = self.units[code]
        if unit.kind.reports:
            return unit
        return next(above for above in self.above(code) if above.kind.reports)

    def members(self, package: str) -> tuple[Unit, ...]:
        """The units whose cases stand directly in a package: its own unit, and all below that do not report up."""
        members = [self.units[package]]
        for child in self.children(package):
            if not child.kind.reports:
                members.extend(self.below(child.code))
        return tuple(members)

    def packages_below(self, package: str) -> tuple[Unit, ...]:
        """The units whose packages are reported into this one, directly."""
        return tuple(child for child in self.children(package) if child.kind.reports)

    def people(self, code: str, role: Role, day: dt.date) -> tuple[Contact, ...]:
        """Who holds a role of a unit on a day."""
        people = self._contacts.get(code, ())
        return tuple([person for person in people if person.role is role and person.holds_on(day)])

    def known_address(self, email: str, day: dt.date) -> tuple[Contact, ...]:
        """Every contact on that day whose address this is; one address may serve several units and roles."""
        return tuple(c for c in self._by_email.get(email.lower(), ()) if c.holds_on(day))

    def replaced_address(self, email: str, day: dt.date, grace: int) -> tuple[Contact, ...]:
        """Every contact whose address this was until at most `grace` days before the day, and whose role another address has
        now; empty where the address is registered on that day or nothing follows it.
        """
        if self.known_address(email, day):
            return ()
        first = day - dt.timedelta(days=grace)
        return tuple(
            c
            for c in self._by_email.get(email.lower(), ())
            if c.until is not None and first <= c.until <= day and self.people(c.unit, c.role, day)
        )

    def units_of(self, email: str, day: dt.date, grace: int) -> tuple[str, ...]:
        """The codes of the units that an address serves on that day, or served before another took its place."""
        people = self.known_address(email, day) or self.replaced_address(email, day, grace)
        return tuple(dict.fromkeys(contact.unit for contact in people))

    def with_people(self, unit: str, people: tuple[Contact, ...]) -> Roster:
        """The roster with another list of people for one unit."""
        others = tuple(contact for contact in self.contacts if contact.unit != unit)
        after = Roster(self.units, (*others, *people), self.bad)
        # Of tens of thousands of units one changes: what was indexed for the others is taken over.
        told = {**self._contacts, unit: people}
        emails = dict(self._by_email)
        for email in {c.email.lower() for c in (*self._contacts.get(unit, ()), *people) if c.email}:
            rest = tuple(c for c in emails.get(email, ()) if c.unit != unit)
            emails[email] = (*rest, *(c for c in people if c.email.lower() == email))
        after.__dict__.update(_children=self._children, _contacts=told, _by_email=emails)
        return after

    def contacts_of(self, code: str) -> tuple[Contact, ...]:
        """Everybody who holds, held or will hold a role of a unit."""
        return self._contacts.get(code, ())

    def is_reviewer(self, email: str, code: str, day: dt.date) -> bool:
        """Whether the address is that of a registered 审核员 of the unit on that day (article 8)."""
        return any(c.unit == code and c.role is Role.REVIEWER for c in self.known_address(email, day))

    def both_roles(self, code: str, day: dt.date) -> frozenset[str]:
        """The names that stand both as 审核员 and as 管理员 of a unit: it is registered with one person for its roles."""
        names = [
            {person.name for person in self.people(code, role, day)}
            for role in (Role.REVIEWER, Role.ADMINISTRATOR)
        ]
        return frozenset(names[0] & names[1])

    def recipient(self, code: str, role: Role, day: dt.date) -> Recipient | None:
        """Whom a letter to a role of a unit reaches: the person's own address; for a unit without one that works, the
        管理员 of the unit, then of the nearest superior that has one. None when nobody above has one either.
        """
        for contact in self.people(code, role, day):
            if self._works(contact):
                return Recipient(contact.email, contact.name, code, role)
        for unit in (self.units[code], *self.above(code)):
            for contact in self.people(unit.code, Role.ADMINISTRATOR, day):
                if self._works(contact):
                    relay = code if (unit.code != code or role is not Role.ADMINISTRATOR) else ""
                    return Recipient(contact.email, contact.name, unit.code, Role.ADMINISTRATOR, relay)
        return None

    def _works(self, contact: Contact) -> bool:
        """Whether letters to the contact's own address arrive, as far as is known."""
        return bool(contact.email) and contact.email.lower() not in self.bad
