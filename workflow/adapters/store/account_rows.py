"""What the events of accounts make of their rows: one standing for each unit, and its names in the old system."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from workflow.adapters.store import tables as t
from workflow.adapters.store.batch import Batch
from workflow.adapters.store.copy import Entry
from workflow.adapters.store.database import chunks
from workflow.adapters.store.rows import account_of
from workflow.domain.accounts import AccountStanding


def standings_in(connection: Connection, units: Collection[str]) -> dict[str, AccountStanding]:
    """The rows of these units as they are, for a batch to fold."""
    found: dict[str, AccountStanding] = {}
    for piece in chunks(sorted(units)):
        query = t.account_standings.select().where(t.account_standings.c.unit.in_(piece))
        found |= {row["unit"]: account_of(row) for row in connection.execute(query).mappings()}
    return found


def on_account(batch: Batch, entry: Entry) -> None:
    """A unit's accounts are listed, sent, reminded of, signed for."""
    event = entry.event
    unit = event.stream.removeprefix("account:")
    before = batch.accounts.get(unit, AccountStanding(unit))
    batch.accounts[unit] = before.after(event.kind, event.number, event.at, event.data)
    batch.touched_accounts.add(unit)
    for alias in event.data.get("former", ()):
        batch.aliases[alias, unit] = {"alias": alias, "unit": unit}
