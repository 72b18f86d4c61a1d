"""Reading the roster: the tree of any day, with the people who are known now."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import func, select

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
        self._trees: dict[tuple[int, dt.date], Roster] = {}
        self._days: tuple[int, list[dt.date]] = (0, [])

    def roster(self, day: dt.date | None = None) -> Roster | None:
        """The tree as it is on a day, without one as the last change leaves it; None before the first baseline. Built once
        for each baseline and change.
        """
        with self.reading() as connection:
            number = connection.execute(
                select(func.max(t.events.c.number)).where(t.events.c.stream == "roster")
            ).scalar()
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
                people = map(
                    contact_of, connection.execute(t.contacts.select().order_by(t.contacts.c.position))
                )
                tree = Roster(units, tuple(person for person in people if person.unit in units))
                kept = [item for item in self._trees.items() if item[0][0] == number][1 - _KEPT :]
                self._trees = {**dict(kept), (number, last): tree}
            return self._trees[number, last]

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
