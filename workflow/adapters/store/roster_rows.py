"""The roster's events become rows: the first baseline stands from the beginning, whatever comes later ends one version of a
unit and begins the next on its day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, select, update

from workflow.adapters.store import tables as t
from workflow.adapters.store.campaign_rows import opened_campaigns
from workflow.adapters.store.copy import Entry
from workflow.adapters.store.database import chunks, upsert

Row = dict[str, Any]


@dataclass
class RosterChange:
    """What one event changes in the roster. `since` is None for a baseline that replaces all that was known; `contacts`
    is None where the people stay as they are.
    """

    seq: int
    since: dt.date | None
    units: list[Row] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    contacts: list[Row] | None = None
    links: list[Row] = field(default_factory=list)

    def write(self, connection: Connection) -> None:
        """End and begin versions, and mark the packages whose books the change may touch."""
        if self.since is None:
            connection.execute(delete(t.successions))
            connection.execute(delete(t.unit_versions))
            rows = [
                {**unit, "position": place, "since": dt.date.min, "until": dt.date.max}
                for place, unit in enumerate(self.units)
            ]
            if rows:
                connection.execute(t.unit_versions.insert(), rows)
        else:
            self._write_versions(connection, self.since)
        if self.contacts is not None:
            connection.execute(delete(t.contacts))
            if self.contacts:
                connection.execute(t.contacts.insert(), self.contacts)
        _mark_packages(connection, self.since or dt.date.min, self.seq)

    def _write_versions(self, connection: Connection, since: dt.date) -> None:
        columns = t.unit_versions.c
        codes = [*(unit["code"] for unit in self.units), *self.closed]
        places: dict[str, int] = {}
        for piece in chunks(codes):
            query = select(columns.code, columns.position).where(columns.code.in_(piece))
            places.update({row.code: row.position for row in connection.execute(query)})
        # Two changes on one day: the later one stands.
        replaced = delete(t.unit_versions).where(
            columns.code == bindparam("_code"), columns.since == bindparam("_since")
        )
        ended = (
            update(t.unit_versions)
            .where(columns.code == bindparam("_code"), columns.until > bindparam("_since"))
            .values(until=bindparam("_since"))
        )
        if codes:
            which = [{"_code": code, "_since": since} for code in codes]
            connection.execute(replaced, which)
            connection.execute(ended, which)
        last = connection.execute(
            select(columns.position).order_by(columns.position.desc()).limit(1)
        ).scalar()
        free = 0 if last is None else last + 1
        rows = []
        for unit in self.units:
            place = places.get(unit["code"])
            if place is None:
                place, free = free, free + 1
            rows.append({**unit, "position": place, "since": since, "until": dt.date.max})
        if rows:
            connection.execute(t.unit_versions.insert(), rows)
        upsert(connection, t.successions, self.links)


@dataclass
class PeopleChange:
    """One unit's whole list of people, in place of the one before, from a day on."""

    seq: int
    unit: str
    since: dt.date
    contacts: list[Row]

    def write(self, connection: Connection) -> None:
        """Write the list, and mark the unit's own package: its workbook names who reviews."""
        columns = t.contacts.c
        connection.execute(delete(t.contacts).where(columns.unit == self.unit))
        last = connection.execute(select(func.max(columns.position))).scalar()
        first = 0 if last is None else last + 1
        if self.contacts:
            rows = [{**row, "position": first + place} for place, row in enumerate(self.contacts)]
            connection.execute(t.contacts.insert(), rows)
        _mark_packages(connection, self.since, self.seq, self.unit)


def _mark_packages(connection: Connection, since: dt.date, seq: int, unit: str = "") -> None:
    """The books of periods that were over before the change say what they said."""
    columns = t.packages.c
    touched = [one.id for one in opened_campaigns(connection) if one.over >= since]
    if touched:
        marked = update(t.packages).where(columns.campaign.in_(touched)).values(changed=seq)
        connection.execute(marked.where(columns.unit == unit) if unit else marked)


def people_change(entry: Entry) -> PeopleChange:
    """What an event `contacts.set` changes."""
    data, personal = entry.event.data, entry.event.personal or {}
    people = [_contact_row(place, person) for place, person in enumerate(personal.get("contacts", ()))]
    return PeopleChange(entry.seq, data["unit"], dt.date.fromisoformat(data["from"]), people)


def roster_change(entry: Entry) -> RosterChange:
    """What a `roster.*` event changes."""
    data, personal = entry.event.data, entry.event.personal or {}
    day = data.get("from")
    since = dt.date.fromisoformat(day) if day else None
    contacts = None
    if since is None or data.get("people"):
        contacts = [_contact_row(place, person) for place, person in enumerate(personal.get("contacts", ()))]
    links = [
        {"old": old, "new": new, "kind": kind, "since": since} for old, new, kind in data.get("links", ())
    ]
    units = [_unit_row(unit) for unit in data.get("units", ())]
    return RosterChange(entry.seq, since, units, list(data.get("closed", ())), contacts, links)


def _unit_row(unit: Mapping[str, Any]) -> Row:
    window: Sequence[int] | None = unit.get("window")
    return {
        "code": unit["code"],
        "name": unit["name"],
        "kind": unit["kind"],
        "superior": unit.get("superior", ""),
        "suspended": unit.get("suspended", False),
        "window_first": window[0] if window else None,
        "window_last": window[1] if window else None,
        "note": unit.get("note", ""),
    }


def _contact_row(place: int, contact: Mapping[str, Any]) -> Row:
    return {
        "position": place,
        "unit": contact["unit"],
        "role": contact["role"],
        **{key: contact.get(key) or "" for key in ("name", "office", "phone", "mobile", "email", "source")},
        "since": dt.date.fromisoformat(contact["since"]) if contact.get("since") else dt.date.min,
        "until": dt.date.fromisoformat(contact["until"]) if contact.get("until") else None,
    }
