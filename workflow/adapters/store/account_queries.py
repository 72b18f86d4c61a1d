"""Reading where accounts stand, and by which names units were known."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from workflow.adapters.store import tables as t
from workflow.adapters.store.database import Database, chunks
from workflow.adapters.store.rows import account_of
from workflow.domain.accounts import AccountStanding, Aliases


class AccountQueries(Database):
    """What is asked about accounts."""

    def account_standings(
        self, units: Collection[str] | None = None, *, signed: bool | None = None
    ) -> dict[str, AccountStanding]:
        """By unit, of all that are on a list or of those given, of all or of those that have signed or not; with how the letter
        fared that carries them.
        """
        columns = t.account_standings.c
        query = select(
            t.account_standings, t.letters.c.state.label("_state"), t.letters.c.to.label("_to")
        ).outerjoin(t.letters, t.letters.c.id == columns.letter)
        if signed is not None:
            query = query.where(
                columns.confirmed_at.is_not(None) if signed else columns.confirmed_at.is_(None)
            )
        found: dict[str, AccountStanding] = {}
        with self.reading() as connection:
            for piece in [None] if units is None else chunks(sorted(set(units))):
                asked = query if piece is None else query.where(columns.unit.in_(piece))
                for row in connection.execute(asked.order_by(columns.unit)).mappings():
                    found[row["unit"]] = account_of(row, row["_state"] or "", row["_to"] or "")
        return found

    def aliases(self) -> Aliases:
        """The names of accounts in the old system, each with the codes of the units that had it."""
        found: dict[str, tuple[str, ...]] = {}
        query = t.aliases.select().order_by(t.aliases.c.alias, t.aliases.c.unit)
        with self.reading() as connection:
            for row in connection.execute(query):
                found[row.alias] = (*found.get(row.alias, ()), row.unit)
        return found
