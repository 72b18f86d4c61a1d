"""The work: campaigns, cases, copies, submissions, packages and what they reported, receipts, steps, workbooks."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from workflow.adapters.store.columns import Instant, count, flag, key, place, word
from workflow.adapters.store.tables.schema import metadata

campaigns = Table(
    "campaigns",
    metadata,
    key("id"),
    Column("seq", BigInteger, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("forms", Text, nullable=False),
    Column("windows", Text, nullable=False),
    Column("receipt_due", Date),
    word("calendar"),
)

cases = Table(
    "cases",
    metadata,
    key("campaign"),
    key("unit"),
    key("form"),
    Column("state", Text, nullable=False),
    count("copy"),
    word("token"),
    count("number"),
    count("returns"),
    Column("due", Instant),
    word("note"),
    count("events"),
    count("disowned"),
    # The last event of the case, so that what differs between two workbooks is found without looking at all.
    place("changed"),
    sqlite_with_rowid=False,
)

#: Every token ever issued, and which copy of which case it names.
copies = Table(
    "copies",
    metadata,
    key("token"),
    Column("campaign", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("form", Text, nullable=False),
    Column("copy", Integer, nullable=False),
    ForeignKeyConstraint(["campaign", "unit", "form"], ["cases.campaign", "cases.unit", "cases.form"]),
    UniqueConstraint("campaign", "unit", "form", "copy"),
    sqlite_with_rowid=False,
)

submissions = Table(
    "submissions",
    metadata,
    key("id"),
    Column("seq", BigInteger, nullable=False),
    Column("campaign", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("form", Text, nullable=False),
    Column("form_version", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("received_at", Instant, nullable=False),
    word("message"),
    word("attachment"),
    word("answers"),
    count("errors"),
    count("queries"),
    flag("returned"),
    flag("approved"),
    flag("no_change"),
    flag("unregistered"),
    Column("confirmed_at", Instant),
    flag("disowned"),
    ForeignKeyConstraint(["campaign", "unit", "form"], ["cases.campaign", "cases.unit", "cases.form"]),
    UniqueConstraint("campaign", "unit", "form", "number"),
)

packages = Table(
    "packages",
    metadata,
    key("campaign"),
    key("unit"),
    Column("level", Text, nullable=False),
    Column("state", Text, nullable=False),
    flag("auto"),
    count("version"),
    Column("reported_at", Instant),
    word("by"),
    Column("before", Text),
    Column("due", Instant),
    word("note"),
    count("events"),
    Column("returned_at", Instant),
    # The last event of anything in the package or below it: a workbook made later than that is up to date.
    place("changed"),
    sqlite_with_rowid=False,
)

#: What each report of a package froze, row by row.
package_rows = Table(
    "package_rows",
    metadata,
    key("campaign"),
    key("package"),
    key("version", Integer),
    key("unit"),
    key("form"),
    Column("seq", BigInteger, nullable=False),
    Column("origin", Text, nullable=False),
    word("submission"),
    count("number"),
    ForeignKeyConstraint(["campaign", "package"], ["packages.campaign", "packages.unit"]),
    Index("ix_package_rows_unit", "unit"),
    sqlite_with_rowid=False,
)

#: What was taken over from the old system for a unit and form, once or again; `answers` is the payload's digest.
legacy_data = Table(
    "legacy_data",
    metadata,
    key("unit"),
    key("form"),
    key("number", Integer),
    Column("seq", BigInteger, nullable=False),
    Column("id", Text, nullable=False, unique=True),
    Column("form_version", Integer, nullable=False),
    Column("taken_at", Instant, nullable=False),
    word("file"),
    word("sha"),
    word("answers"),
    sqlite_with_rowid=False,
)

#: What came after its level's data had been reported; `answers` is the payload's digest.
late_returns = Table(
    "late_returns",
    metadata,
    key("campaign"),
    key("unit"),
    key("form"),
    key("seq", BigInteger),
    Column("received_at", Instant, nullable=False),
    word("message"),
    word("attachment"),
    count("form_version"),
    count("errors"),
    flag("registered"),
    word("answers"),
    sqlite_with_rowid=False,
)

steps = Table(
    "steps",
    metadata,
    key("campaign"),
    key("key"),
    Column("done_at", Instant, nullable=False),
    Column("detail", Text, nullable=False),
    sqlite_with_rowid=False,
)

receipts = Table(
    "receipts",
    metadata,
    key("campaign"),
    key("unit"),
    key("number", Integer),
    Column("part", Text, nullable=False),
    Column("sha", String(64), nullable=False),
    word("message"),
    Column("arrived_at", Instant, nullable=False),
    word("accepted_by"),
    Column("accepted_at", Instant),
    word("note"),
)

#: The same with what was read of each part, and what holding the parts against each other gave.
receipt_events = Table(
    "receipt_events",
    metadata,
    key("campaign"),
    key("unit"),
    key("number", Integer),
    Column("kind", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("data", Text, nullable=False),
    Column("personal", Text, nullable=False),
    sqlite_with_rowid=False,
)

books = Table(
    "books",
    metadata,
    key("campaign"),
    key("unit"),
    key("version", Integer),
    Column("token", Text, nullable=False, unique=True),
    word("sha"),
    word("path"),
    Column("cut_off", Instant),
    Column("made_at", Instant, nullable=False),
    place("seq"),
)

staff_queries = Table(
    "staff_queries",
    metadata,
    key("number", Integer),
    Column("at", Instant, nullable=False),
    Column("data", Text, nullable=False),
    Column("personal", Text, nullable=False),
)
