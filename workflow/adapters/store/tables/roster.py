"""The roster 名册: units through the years, contacts, and requests to change an affiliation 隶属关系."""

from __future__ import annotations

from sqlalchemy import Column, Date, Integer, Table, Text

from workflow.adapters.store.columns import Instant, flag, key, word
from workflow.adapters.store.tables.schema import metadata

#: A unit as it was from `since` until before `until` (the last day there is: still so). A tree is the rows that hold on
#: one day; the versions of one unit never overlap.
unit_versions = Table(
    "unit_versions",
    metadata,
    key("code"),
    key("since", Date),
    Column("until", Date, nullable=False),
    Column("position", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    word("superior"),
    flag("suspended"),
    Column("window_first", Integer),
    Column("window_last", Integer),
    word("note"),
)

#: Under which former code a unit's history stands (换码), and which units went into it (合并) or came out of one (拆分).
successions = Table(
    "successions",
    metadata,
    key("old"),
    key("new"),
    Column("since", Date, nullable=False),
    Column("kind", Text, nullable=False),
)

#: Requests to change a unit's superior (article 11) with what the common superior decided; `state` is requested,
#: agreed or refused.
affiliations = Table(
    "affiliations",
    metadata,
    key("number", Integer),
    Column("unit", Text, nullable=False, index=True),
    Column("old", Text, nullable=False),
    Column("new", Text, nullable=False),
    Column("state", Text, nullable=False),
    word("asked_by"),
    Column("asked_at", Instant, nullable=False),
    word("note"),
    word("decided_by"),
    Column("decided_at", Instant),
    word("answer"),
    Column("since", Date),
)

#: Who holds or held a role of a unit; `source` is '' for the roster's file, else the paper that said so.
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
    word("source"),
)
