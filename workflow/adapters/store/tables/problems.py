"""Problems with the roster that units reported 名册问题, with what became of each."""

from __future__ import annotations

from sqlalchemy import Column, Integer, Table, Text

from workflow.adapters.store.columns import Instant, flag, key, word
from workflow.adapters.store.tables.schema import metadata

#: `unit` is whom it is about, `reporter` whose people wrote, `owner` the level that answers; `name`, `code` and `superior` are
#: what the report asks for, `was_name` and `was_superior` how the unit stood then. Open while `closed_at` is null.
problems = Table(
    "problems",
    metadata,
    key("number", Integer),
    Column("kind", Text, nullable=False),
    word("unit"),
    word("reporter"),
    word("owner"),
    Column("reported_at", Instant, nullable=False),
    Column("due", Instant, nullable=False),
    word("name"),
    word("code"),
    word("superior"),
    word("was_name"),
    word("was_superior"),
    word("message"),
    word("sender"),
    word("words"),
    Column("closed_at", Instant),
    word("closed_by"),
    word("answer"),
    flag("by_roster"),
)
