"""People change 人员变动 (article 14): who holds a unit's roles once a 负责人回执表 or a 人员信息 sheet counts.

What such a paper says is held against who is registered; what it comes to is the unit's whole list of people, those who held
a role before included, each from one day until another.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from workflow.domain import form
from workflow.domain.receipt import Column, ReceiptAnswers, asked_roles
from workflow.domain.roster import Contact, Role, Unit, UnitKind
from workflow.domain.submission import Answers


class ContactSource(StrEnum):
    """What a contact was set by; the roster's own file says nothing."""

    ROSTER = ""
    RECEIPT = "回执表"
    FORM = "人员信息"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as a paper names them; '' for what it leaves out. `changed` is its 原负责人是否变动, None where it says neither."""

    role: Role
    name: str
    office: str = ""
    phone: str = ""
    mobile: str = ""
    email: str = ""
    changed: bool | None = None


#: What of a person is held against the roster, by the words of 附件2.
_TOLD: Mapping[str, str] = {"phone": "办公电话", "mobile": "手机号码", "email": "电子邮箱"}
_YES = frozenset({"是", "有", "变动", "有变动", "已变动"})
_NO = frozenset({"否", "无", "没有", "未变动", "无变动", "不变"})
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


def said_changed(text: str) -> bool | None:
    """What a cell 原负责人是否变动 says; None for a blank or other words."""
    plain = _plain(text)
    return True if plain in _YES else False if plain in _NO else None


def people_named(answers: ReceiptAnswers, kind: UnitKind) -> tuple[Person, ...]:
    """The people whom a 回执表 names, in the order of its rows; a row without a name names nobody."""
    found = []
    for role in Role:
        text = {column: answers.text((role, column)).replace("\n", "") for column in Column}
        if role in asked_roles(kind) and _plain(text[Column.NAME]):
            found.append(
                Person(
                    role, _plain(text[Column.NAME]), text[Column.OFFICE].strip(), _plain(text[Column.PHONE]),
                    _plain(text[Column.MOBILE]), _plain(text[Column.EMAIL]), said_changed(text[Column.CHANGED]),
                )
            )  # fmt: skip
    return tuple(found)


def person_in_form(answers: Answers) -> Person | None:
    """The 管理员 whom the sheet 人员信息 of a workbook names; None where it names nobody."""
    name, phone, mobile, email = (
        _plain(str(answers.get(key) or ""))
        for key in (form.PERSON_NAME, form.PERSON_PHONE, form.PERSON_MOBILE, form.PERSON_EMAIL)
    )
    changed = answers.get(form.PERSON_CHANGED)
    said = changed if isinstance(changed, bool) else None
    return Person(Role.ADMINISTRATOR, name, "", phone, mobile, email, said) if name else None


def without_person(answers: Answers) -> dict[str, form.Value]:
    """Answers without those of 人员信息: who it was last quarter is nothing to go on with."""
    return {name: value for name, value in answers.items() if name not in form.PERSON}


def roster_facts(unit: Unit, people: Sequence[Contact]) -> dict[form.Prefill, form.Value]:
    """What the roster says of a unit, as a copy is pre-filled with it; `people` are its 管理员, of whom the first is shown."""
    facts: dict[form.Prefill, form.Value] = {
        form.Prefill.UNIT_NAME: unit.name, form.Prefill.UNIT_CODE: unit.code
    }  # fmt: skip
    if people:
        one = people[0]
        known = {
            form.Prefill.PERSON_NAME: one.name, form.Prefill.PERSON_PHONE: one.phone,
            form.Prefill.PERSON_MOBILE: one.mobile, form.Prefill.PERSON_EMAIL: one.email,
        }  # fmt: skip
        facts |= {key: text for key, text in known.items() if text}
    return facts


def contradictions(known: Sequence[Contact], named: Iterable[Person], day: dt.date) -> tuple[str, ...]:
    """Where 原负责人是否变动 does not agree with who is registered on a day, a sentence for each role. A role that nobody is
    registered for, or a number that nobody had given, contradicts nothing.
    """
    said = []
    for person in named:
        holders = _holders(known, person.role, day)
        if not holders or person.changed is None:
            continue
        same = next((one for one in holders if _plain(one.name) == _plain(person.name)), None)
        if person.changed:
            if same is not None:
                said.append(f"{person.role}“原负责人是否变动”填“是”，姓名却与名册登记的相同，请核对")
            continue
        if same is None:
            names = "、".join(one.name for one in holders)
            said.append(f"{person.role}“原负责人是否变动”填“否”，姓名却与名册登记的（{names}）不同，请核对")
        elif other := [
            word for key, word in _TOLD.items() if getattr(same, key) and _differs(same, person, key)
        ]:
            said.append(
                f"{person.role}“原负责人是否变动”填“否”，{'、'.join(other)}却与名册登记的不同，请核对"
            )
    return tuple(said)


def unusable(named: Iterable[Person], own_address: str = "") -> tuple[str, ...]:
    """Why people can't be registered as they are named, a sentence for each: nobody is written to at a broken address."""
    said = []
    for person in named:
        if person.email and not _ADDRESS.fullmatch(person.email):
            said.append(f"{person.role}电子邮箱“{person.email}”不是完整的邮箱地址")
        elif person.email and person.email.lower() == own_address.lower():
            said.append(f"{person.role}电子邮箱是本系统自己的收件邮箱")
    return tuple(said)


def appointed(
    known: Sequence[Contact], unit: str, named: Iterable[Person], day: dt.date, source: ContactSource
) -> tuple[Contact, ...]:
    """The unit's whole list of people once those named hold their roles from `day` on; `known` itself where nothing changes.

    Who is named and registered keeps the role, with what is new from that day; who is named and not registered follows all
    who held it. What a paper leaves out stays as it was registered.
    """
    people = list(known)
    for person in named:
        holders = _holders(people, person.role, day)
        same = next((one for one in holders if _plain(one.name) == _plain(person.name)), None)
        if same is None:
            people = [replace(one, until=day) if one in holders else one for one in people]
            people.append(
                Contact(
                    unit, person.role, person.name, person.office, person.phone, person.mobile, person.email,
                    day, None, source,
                )
            )  # fmt: skip
        elif (new := _corrected(same, person)) != same:
            people = [replace(one, until=day) if one is same else one for one in people]
            people.append(replace(new, since=day, source=source))
    return tuple(people) if people != list(known) else tuple(known)


@dataclass(frozen=True, slots=True)
class Succession:
    """Somebody who holds a role since a day and did not before; `before` are those who held it until then, none after a vacancy."""

    after: Contact
    since: dt.date
    before: tuple[Contact, ...]


def successions(people: Sequence[Contact], day: dt.date) -> tuple[Succession, ...]:
    """Who of those in office on a day followed somebody else, or was named by a paper for a vacant role. Another number or
    address of the same person is no change of people.
    """
    found = []
    for one in people:
        if not one.holds_on(day):
            continue
        first, rest = one, [p for p in people if p.role is one.role and p is not one]
        while same := next((p for p in rest if p.until == first.since and _same_name(p, one)), None):
            first = same
            rest.remove(same)
        before = tuple(p for p in rest if p.until == first.since and not _same_name(p, one))
        if before or first.source:
            found.append(Succession(one, first.since, before))
    return tuple(found)


def kept_by_import(known: Sequence[Contact], told: Sequence[Contact]) -> tuple[list[Contact], list[Contact]]:
    """The people of one unit once the roster's file is read again: whom it tells, but for the roles whose holder was set by a
    回执表 or 人员信息 sheet since. There the file counts only where a row of it begins on that day or later, as a change that
    staff typed afterwards. The second list are the file's rows that were passed over and say otherwise.
    """
    people: list[Contact] = []
    passed: list[Contact] = []
    for role in Role:
        held = [one for one in known if one.role is role]
        rows = [one for one in told if one.role is role]
        set_on = max((one.since for one in held if one.source), default=None)
        if set_on is None or any(row.since >= set_on for row in rows):
            people += rows
            continue
        people += held
        names = {(_plain(one.name), one.email.lower()) for one in held}
        passed += [row for row in rows if (_plain(row.name), row.email.lower()) not in names]
    return people, passed


def told_by_file(known: Iterable[Contact], told: Iterable[Contact]) -> tuple[list[Contact], list[Contact]]:
    """`kept_by_import` for all units of a file; `known` are the people of these units."""
    held: dict[str, list[Contact]] = {}
    for one in known:
        held.setdefault(one.unit, []).append(one)
    rows: dict[str, list[Contact]] = {
        unit: [] for unit, people in held.items() if any(p.source for p in people)
    }
    for one in told:
        rows.setdefault(one.unit, []).append(one)
    people: list[Contact] = []
    passed: list[Contact] = []
    for unit, of_unit in rows.items():
        kept, over = kept_by_import(held.get(unit, ()), of_unit)
        people += kept
        passed += over
    return people, passed


def without_former(known: Sequence[Contact], before: dt.date) -> tuple[Contact, ...]:
    """The people without those whose time was over by a day."""
    return tuple(one for one in known if one.until is None or one.until > before)


def encode_contact(contact: Contact) -> dict[str, Any]:
    """A contact as an event's personal payload keeps it."""
    return {
        "unit": contact.unit, "role": contact.role.value, "name": contact.name, "office": contact.office,
        "phone": contact.phone, "mobile": contact.mobile, "email": contact.email,
        "since": contact.since.isoformat(), "until": contact.until.isoformat() if contact.until else None,
        **({"source": str(contact.source)} if contact.source else {}),
    }  # fmt: skip


def decode_contact(data: Mapping[str, Any]) -> Contact:
    """A contact from an event."""
    since, until = data.get("since"), data.get("until")
    name, office, phone, mobile, email, source = (
        str(data.get(key) or "") for key in ("name", "office", "phone", "mobile", "email", "source")
    )
    return Contact(
        data["unit"], Role(data["role"]), name, office, phone, mobile, email,
        dt.date.fromisoformat(since) if since else dt.date.min,
        dt.date.fromisoformat(until) if until else None, source,
    )  # fmt: skip


def _holders(people: Iterable[Contact], role: Role, day: dt.date) -> list[Contact]:
    return [one for one in people if one.role is role and one.holds_on(day)]


def _same_name(one: Contact, other: Contact) -> bool:
    return _plain(one.name) == _plain(other.name)


def _corrected(contact: Contact, person: Person) -> Contact:
    """Somebody registered with what a paper says otherwise."""
    for key in ("office", *_TOLD):
        if _differs(contact, person, key):
            contact = replace(contact, **{key: getattr(person, key)})
    return contact


def _differs(contact: Contact, person: Person, key: str) -> bool:
    """Whether a paper says something else of a person; what it leaves out, and how a number is parted, is nothing else."""
    ours, theirs = _plain(getattr(contact, key)), _plain(getattr(person, key))
    if key in ("phone", "mobile"):
        ours, theirs = (re.sub(r"[-()—–+]", "", text) for text in (ours, theirs))
    return bool(theirs) and ours.lower() != theirs.lower()


def _plain(text: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))
