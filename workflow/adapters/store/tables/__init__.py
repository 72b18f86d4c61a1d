"""The tables. `events` and `payloads` are the ledger; `cursors` is operational; all others are projected from events.

Instants are kept as text in UTC and of one width, so that they sort as text in both databases.
"""

from __future__ import annotations

from workflow.adapters.store.tables.accounts import account_standings, aliases
from workflow.adapters.store.tables.ledger import events, payloads
from workflow.adapters.store.tables.mail import (
    attachments,
    attempts,
    cursors,
    failures,
    letters,
    messages,
    pauses,
    settlements,
    sightings,
)
from workflow.adapters.store.tables.problems import problems
from workflow.adapters.store.tables.roster import affiliations, contacts, successions, unit_versions
from workflow.adapters.store.tables.schema import NAMES, metadata
from workflow.adapters.store.tables.work import (
    books,
    campaigns,
    cases,
    copies,
    late_returns,
    legacy_data,
    package_rows,
    packages,
    receipt_events,
    receipts,
    staff_queries,
    steps,
    submissions,
)

LEDGER = (payloads, events)
#: In an order in which rows can be inserted; cleared in the reverse order.
PROJECTIONS = tuple(table for table in metadata.sorted_tables if table not in {payloads, events, cursors})

__all__ = [
    "LEDGER",
    "NAMES",
    "PROJECTIONS",
    "account_standings",
    "affiliations",
    "aliases",
    "attachments",
    "attempts",
    "books",
    "campaigns",
    "cases",
    "contacts",
    "copies",
    "cursors",
    "events",
    "failures",
    "late_returns",
    "legacy_data",
    "letters",
    "messages",
    "metadata",
    "package_rows",
    "packages",
    "pauses",
    "payloads",
    "problems",
    "receipt_events",
    "receipts",
    "settlements",
    "sightings",
    "staff_queries",
    "steps",
    "submissions",
    "successions",
    "unit_versions",
]
