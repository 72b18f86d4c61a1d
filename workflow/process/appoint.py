"""People change 人员变动: an accepted 回执表 or approved 人员信息 sheet sets whom a unit's letters go to and whose decisions count.

The event holds the unit's whole list of people, those before included, so that nothing older is needed to know who is in force.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from workflow.domain.checks import Examination
from workflow.domain.contacts import (
    ContactSource,
    Person,
    appointed,
    encode_contact,
    people_named,
    person_in_form,
    unusable,
    without_person,
)
from workflow.domain.events import Event
from workflow.domain.matching import Sender, trust_in
from workflow.domain.receipt_standing import ELECTRONIC, ReceiptStanding
from workflow.domain.roster import Contact, Role, Roster
from workflow.domain.submission import Answers
from workflow.domain.trust import Act, Effect, may
from workflow.process.situation import Situation
from workflow.process.trust import UNPROVEN

STREAM = "contacts"


@dataclass(frozen=True, slots=True)
class Decided:
    """Who decided that people change, when, because of what."""

    by: str
    at: dt.datetime
    cause: str


def appoint(
    roster: Roster, number: int, unit: str, named: Sequence[Person], day: dt.date, source: ContactSource,
    decided: Decided,
) -> Event | None:  # fmt: skip
    """The event by which those named hold their roles from a day on; None where they do already. `number` is the last of the
    stream.
    """
    known = roster.contacts_of(unit)
    people = appointed(known, unit, named, day, source)
    if people == known:
        return None
    return people_set(number, unit, people, day, source, decided)


def from_receipt(
    roster: Roster, number: int, unit: str, standing: ReceiptStanding, day: dt.date, decided: Decided
) -> Event | None:
    """The event of an accepted 回执表: the people whom its electronic copy names. None where they are registered so already,
    or where the copy could not be read.
    """
    typed = standing.newest(ELECTRONIC)
    if typed is None or typed.answers is None:
        return None
    named = people_named(typed.answers, roster.units[unit].kind)
    return appoint(roster, number, unit, named, day, ContactSource.RECEIPT, decided)


def from_form(
    roster: Roster, number: int, unit: str, answers: Answers, day: dt.date, decided: Decided, own_address: str = ""
) -> Event | None:  # fmt: skip
    """The event of approved data whose sheet 人员信息 names the unit's 管理员. Another one than is registered has to be said to
    have changed: an older copy is pre-filled with whoever it was then.
    """
    person = person_in_form(answers)
    if person is None or _unsaid(roster, unit, person, day) or unusable([person], own_address):
        return None
    return appoint(roster, number, unit, [person], day, ContactSource.FORM, decided)


def person_told(
    seen: Examination, who: Sender, unit: str, day: dt.date, situation: Situation
) -> tuple[Examination, str]:
    """What counts of a workbook as it comes from this sender, and what the approval of its sheet 人员信息 will change ('' where
    nothing). Figures may come from an address that nobody vouches for or that another took the place of; whom the unit's
    letters go to is another matter, as with a 回执表.
    """
    if not who.registered:
        return seen, ""
    said = form_remark(situation.roster, unit, seen.answers, day, situation.policy.own_address)
    trust = trust_in(situation.roster, who, unit, tied=True)
    if may(trust, Act.RECEIPT) is Effect.COUNTS:
        return seen, said
    doubt = f"管理员信息未予采用，名册不作变更：{UNPROVEN[trust]}" if said else ""
    return replace(seen, answers=without_person(seen.answers)), doubt


def form_remark(roster: Roster, unit: str, answers: Answers, day: dt.date, own_address: str = "") -> str:
    """What the approval of data with a sheet 人员信息 will change, for the unit and for whoever approves; '' where nothing."""
    person = person_in_form(answers)
    if person is None:
        return ""
    names = "、".join(one.name for one in roster.people(unit, Role.ADMINISTRATOR, day))
    if _unsaid(roster, unit, person, day):
        return f"管理员姓名填{person.name}，与名册登记的（{names}）不同，而“原负责人是否变动”未选“是”，名册不作变更"
    if appointed(roster.contacts_of(unit), unit, [person], day, ContactSource.FORM) == roster.contacts_of(
        unit
    ):
        return ""
    if wrong := unusable([person], own_address):
        return f"{'；'.join(wrong)}，名册不作变更"
    return f"管理员信息与名册登记的（{names or '空缺'}）不同，审核通过后按{person.name}登记"


def _unsaid(roster: Roster, unit: str, person: Person, day: dt.date) -> bool:
    """Whether somebody else is named than is registered, without a word that the 管理员 has changed."""
    holders = roster.people(unit, Role.ADMINISTRATOR, day)
    same = any("".join(one.name.split()) == person.name for one in holders)
    return bool(holders) and not same and person.changed is not True


def people_set(
    number: int, unit: str, people: Sequence[Contact], day: dt.date, source: ContactSource, decided: Decided
) -> Event:
    """The event of a unit's whole list of people."""
    data = {"unit": unit, "from": day.isoformat(), "source": source.value}
    personal = {"contacts": [encode_contact(person) for person in people]}
    return Event(
        STREAM, number + 1, "contacts.set", decided.at, decided.by, decided.cause, data, personal
    )  # fmt: skip
