"""A workspace of an older version goes on: its rows are brought up to today's tables, and are what its ledger makes of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, select

from tests.adapters.store import story
from workflow.adapters.store import Store, tables
from workflow.adapters.store.database import _alembic

if TYPE_CHECKING:
    from pathlib import Path

    from workflow.domain.events import Event

HEADS = sorted(script.revision for script in ScriptDirectory.from_config(_alembic()).walk_revisions())
#: The version of the tables from which on events are written; those that are not named here always were.
SINCE = {
    "late.kept": "0003", "quarantine.deleted": "0006", "relay.paused": "0007", "message.failed": "0008",
    "roster.applied": "0009", "affiliation.requested": "0009", "affiliation.agreed": "0009", "receipt.compared": "0010",
    "legacy.taken": "0012", "problem.reported": "0014", "problem.closed": "0014",
}  # fmt: skip
Rows = dict[str, list[dict[str, Any]]]


def written(event: Event, head: str) -> bool:
    """Whether a program of that version wrote such an event."""
    word = event.kind.partition(".")[0]
    since = {"account": "0011", "contacts": "0013", "sender": "0015"}.get(word, "0001")
    return SINCE.get(event.kind, since) <= head


def as_then(event: Event, head: str) -> Event:
    """The event as that version wrote it: until 0008 it did not say on what it broke."""
    if head >= "0008" or not event.personal or "fault" not in event.personal:
        return event
    return replace(event, personal={key: said for key, said in event.personal.items() if key != "fault"})


def as_they_lie(store: Store) -> Rows:
    """Every row of every table as the database has it."""
    found = MetaData()
    with store.engine.connect() as connection:
        found.reflect(connection)
        return {
            table.name: [dict(row) for row in connection.execute(select(table)).mappings()]
            for table in found.sorted_tables
        }


def clear(store: Store) -> None:
    """Take away every table."""
    found = MetaData()
    with store.engine.begin() as connection:
        found.reflect(connection)
        found.drop_all(connection)


def upgrade(store: Store, head: str) -> None:
    with store.writing() as connection:
        config = _alembic()
        config.attributes["connection"] = connection
        command.upgrade(config, head)


def fill(store: Store, rows: Rows) -> None:
    """The tables of an older version with the rows that it had: what it did not have yet is left out."""
    found = MetaData()
    with store.engine.begin() as connection:
        found.reflect(connection)
        for table in found.sorted_tables:
            # Until 0009 there was one tree of units, which stood for ever.
            had = rows.get("unit_versions" if table.name == "units" else table.name, [])
            columns = set(table.columns.keys())
            if had and table.name != "alembic_version":
                connection.execute(
                    table.insert(), [{k: v for k, v in row.items() if k in columns} for row in had]
                )


def without_places(rows: dict[str, list[tuple[Any, ...]]]) -> dict[str, list[tuple[Any, ...]]]:
    """The rows without the place of the last event in each, which 0002 did not know of what lay behind it."""
    marked = {"cases": "changed", "packages": "changed", "books": "seq"}
    kept = {}
    for name, found in rows.items():
        names = list(tables.metadata.tables[name].columns.keys())
        at = names.index(marked[name]) if name in marked else -1
        kept[name] = [tuple(value for place, value in enumerate(row) if place != at) for row in found]
    return kept


@pytest.mark.parametrize("head", HEADS)
def test_rows_of_an_older_version_become_those_that_its_ledger_makes(
    store: Store, folder: Path, head: str
) -> None:
    for batch in story.whole():
        store.append([as_then(event, head) for event in batch if written(event, head)])
    expected, lying = story.rows(store), as_they_lie(store)
    clear(store)
    upgrade(store, head)
    fill(store, lying)

    store.migrate()

    assert store.verify_ledger().fault is None
    found = story.rows(store)
    if head == "0001":
        assert without_places(found) == without_places(expected)
    else:
        assert found == expected
    store.rebuild(folder)
    assert story.rows(store) == expected
