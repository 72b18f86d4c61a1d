"""The roster 名册: units and contacts."""

from __future__ import annotations

from sqlalchemy import Column, Date, Integer, Table, Text

from workflow.adapters.store.columns import flag, key, word
from workflow.adapters.store.tables.schema import metadata

units = Table(
    "units",
    metadata,
    key("code"),
    Column("position", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    word("superior"),
    flag("suspended"),
    Column("window_first", Integer),
    Column("window_last", Integer),
    word("note"),
)

contacts = Table(
    "contacts",
    metadata,
    key("position", Integer),
    Column("unit", Text, nullable=False, index=True),
    Column("role", Text, nullable=False),
    word("name"),
    word("office"),
    word("phone"),
    word("mobile"),
    word("email"),
    Column("since", Date, nullable=False),
    Column("until", Date),
)
