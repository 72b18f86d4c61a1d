"""Reading the roster: the tree of any day, with the people who are known now."""

from __future__ import annotations

import datetime as dt
import json

from sqlalchemy import Connection, func, select

from workflow.adapters.store import tables as t
from workflow.adapters.store.database import Database
from workflow.adapters.store.rows import contact_of, unit_of
from workflow.domain.affiliation import AffiliationRequest, RequestState
from workflow.domain.roster import Contact, Roster

#: Trees that are kept ready: that of the running period, of the one before and of the one after, and one to compare.
_KEPT = 4


class RosterQueries(Database):
    """What is asked about the units through the years."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._trees: dict[tuple[int, dt.date], tuple[int, Roster]] = {}
        self._days: tuple[int, list[dt.date]] = (0, [])

    def roster(self, day: dt.date | None = None) -> Roster | None:
        """The tree as it is on a day, without one as the last change leaves it; None before the first baseline. Built once
        for each baseline and change.
        """
        with self.reading() as connection:
            events = t.events.c
            last_of = select(events.stream, func.max(events.number)).where(
                events.stream.in_(("roster", "contacts"))
            )
            numbers = {row[0]: row[1] for row in connection.execute(last_of.group_by(events.stream))}
            number, people = numbers.get("roster"), numbers.get("contacts", 0)
            if number is None:
                return None
            columns = t.unit_versions.c
            if self._days[0] != number:
                since = set(connection.execute(select(columns.since).distinct()).scalars())
                since |= set(connection.execute(select(columns.until).distinct()).scalars())
                self._days = (number, sorted(since - {dt.date.max}))
            days = [known for known in self._days[1] if day is None or known <= day]
            last = days[-1] if days else dt.date.min
            if (number, last) not in self._trees:
                query = t.unit_versions.select().where(columns.since <= last, columns.until > last)
                units = {
                    unit.code: unit
                    for unit in map(unit_of, connection.execute(query.order_by(columns.position)))
                }
                known = map(
                    contact_of, connection.execute(t.contacts.select().order_by(t.contacts.c.position))
                )
                tree = Roster(units, tuple(person for person in known if person.unit in units))
                kept = [item for item in self._trees.items() if item[0][0] == number][1 - _KEPT :]
                self._trees = {**dict(kept), (number, last): (people, tree)}
            had, tree = self._trees[number, last]
            if had != people:
                tree = _with_changes(connection, tree, had)
                self._trees[number, last] = (people, tree)
            return tree

    def all_contacts(self) -> list[Contact]:
        """Everybody registered, of units that have ended too."""
        with self.reading() as connection:
            return [
                contact_of(row)
                for row in connection.execute(t.contacts.select().order_by(t.contacts.c.position))
            ]

    def last_change(self) -> dt.date | None:
        """The day from which the last change of the tree holds; None before the first baseline."""
        with self.reading() as connection:
            since = connection.execute(select(func.max(t.unit_versions.c.since))).scalar()
            ended = select(func.max(t.unit_versions.c.until)).where(t.unit_versions.c.until < dt.date.max)
            until = connection.execute(ended).scalar()
        return max(since, until) if since and until else since

    def affiliations(self) -> list[AffiliationRequest]:
        """Every request to change an affiliation, in the order in which they were made."""
        query = t.affiliations.select().order_by(t.affiliations.c.number)
        with self.reading() as connection:
            return [
                AffiliationRequest(**{**row, "state": RequestState(row["state"])})
                for row in connection.execute(query).mappings()
            ]

    def former_codes(self) -> dict[str, tuple[str, dt.date]]:
        """By each unit that was re-coded its code before, and the day of the change."""
        columns = t.successions.c
        query = t.successions.select().where(columns.kind == "换码").order_by(columns.since)
        with self.reading() as connection:
            return {row.new: (row.old, row.since) for row in connection.execute(query)}


def _with_changes(connection: Connection, tree: Roster, since: int) -> Roster:
    """A tree with the people of the units whose lists were set anew after an event of that number."""
    events, columns = t.events.c, t.contacts.c
    query = select(events.data).where(events.stream == "contacts", events.number > since)
    for unit in dict.fromkeys(json.loads(data)["unit"] for data in connection.execute(query).scalars()):
        if unit in tree.units:
            rows = connection.execute(
                t.contacts.select().where(columns.unit == unit).order_by(columns.position)
            )
            tree = tree.with_people(unit, tuple(map(contact_of, rows)))
    return tree
