"""The ledger 台账: events, and their personal payload apart."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text, UniqueConstraint

from workflow.adapters.store.columns import key, word
from workflow.adapters.store.tables.schema import metadata

events = Table(
    "events",
    metadata,
    # SQLite's row id itself, so that there is no second index.
    key("seq", BigInteger().with_variant(Integer, "sqlite")),
    Column("stream", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    word("cause"),
    Column("data", Text, nullable=False),
    word("payload"),
    Column("hash", String(64), nullable=False),
    # What refuses a replay and a lost update.
    UniqueConstraint("stream", "number"),
)

#: The personal payload of an event; `body` is null once it has been erased.
payloads = Table(
    "payloads",
    metadata,
    key("digest", String(64)),
    Column("salt", Text, nullable=False),
    Column("body", Text),
)
