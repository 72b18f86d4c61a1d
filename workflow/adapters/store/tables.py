"""The tables. `events` and `payloads` are the ledger; `cursors` is operational; all others are projected from events.

Instants are kept as text in UTC and of one width, so that they sort as text in both databases.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Dialect,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

from workflow.domain.campaign import SHANGHAI


class Instant(TypeDecorator[dt.datetime]):
    """A moment: stored as UTC text such as `2026-12-31T16:00:00.000000Z`, answered in Asia/Shanghai."""

    impl = String(27)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        if value is None:
            return None
        return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")

    def process_result_value(self, value: Any, dialect: Dialect) -> dt.datetime | None:  # noqa: ARG002
        return None if value is None else dt.datetime.fromisoformat(value).astimezone(SHANGHAI)


class Words(TypeDecorator[str]):
    """Text that people wrote, without NUL, which mail may hold and PostgreSQL does not store."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return value.replace("\x00", "�") if value and "\x00" in value else value


NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMES)


def _key(name: str, kind: Any = Text) -> Column[Any]:
    return Column(name, kind, primary_key=True, autoincrement=False)


def _word(name: str) -> Column[str]:
    return Column(name, Words, nullable=False, server_default="")


def _count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default="0")


def _place(name: str) -> Column[int]:
    """A place in the ledger."""
    return Column(name, BigInteger, nullable=False, server_default="0")


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False, server_default=text("false"))


events = Table(
    "events",
    metadata,
    # SQLite's row id itself, so that there is no second index.
    _key("seq", BigInteger().with_variant(Integer, "sqlite")),
    Column("stream", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    _word("cause"),
    Column("data", Text, nullable=False),
    _word("payload"),
    Column("hash", String(64), nullable=False),
    # What refuses a replay and a lost update.
    UniqueConstraint("stream", "number"),
)

#: The personal payload of an event; `body` is null once it has been erased.
payloads = Table(
    "payloads",
    metadata,
    _key("digest", String(64)),
    Column("salt", Text, nullable=False),
    Column("body", Text),
)

units = Table(
    "units",
    metadata,
    _key("code"),
    Column("position", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    _word("superior"),
    _flag("suspended"),
    Column("window_first", Integer),
    Column("window_last", Integer),
    _word("note"),
)

contacts = Table(
    "contacts",
    metadata,
    _key("position", Integer),
    Column("unit", Text, nullable=False, index=True),
    Column("role", Text, nullable=False),
    _word("name"),
    _word("office"),
    _word("phone"),
    _word("mobile"),
    _word("email"),
    Column("since", Date, nullable=False),
    Column("until", Date),
)

campaigns = Table(
    "campaigns",
    metadata,
    _key("id"),
    Column("seq", BigInteger, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("forms", Text, nullable=False),
    Column("windows", Text, nullable=False),
    Column("receipt_due", Date),
)

cases = Table(
    "cases",
    metadata,
    _key("campaign"),
    _key("unit"),
    _key("form"),
    Column("state", Text, nullable=False),
    _count("copy"),
    _word("token"),
    _count("number"),
    _count("returns"),
    Column("due", Instant),
    _word("note"),
    _count("events"),
    # The last event of the case, so that what differs between two workbooks is found without looking at all.
    _place("changed"),
    sqlite_with_rowid=False,
)

#: Every token ever issued, and which copy of which case it names.
copies = Table(
    "copies",
    metadata,
    _key("token"),
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
    _key("id"),
    Column("seq", BigInteger, nullable=False),
    Column("campaign", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("form", Text, nullable=False),
    Column("form_version", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("received_at", Instant, nullable=False),
    _word("message"),
    _word("attachment"),
    _word("answers"),
    _count("errors"),
    _count("queries"),
    _flag("returned"),
    _flag("approved"),
    _flag("no_change"),
    ForeignKeyConstraint(["campaign", "unit", "form"], ["cases.campaign", "cases.unit", "cases.form"]),
    UniqueConstraint("campaign", "unit", "form", "number"),
)

packages = Table(
    "packages",
    metadata,
    _key("campaign"),
    _key("unit"),
    Column("level", Text, nullable=False),
    Column("state", Text, nullable=False),
    _flag("auto"),
    _count("version"),
    Column("reported_at", Instant),
    _word("by"),
    Column("before", Text),
    Column("due", Instant),
    _word("note"),
    _count("events"),
    # The last event of anything in the package or below it: a workbook made later than that is up to date.
    _place("changed"),
    sqlite_with_rowid=False,
)

#: What each report of a package froze, row by row.
package_rows = Table(
    "package_rows",
    metadata,
    _key("campaign"),
    _key("package"),
    _key("version", Integer),
    _key("unit"),
    _key("form"),
    Column("seq", BigInteger, nullable=False),
    Column("origin", Text, nullable=False),
    _word("submission"),
    _count("number"),
    ForeignKeyConstraint(["campaign", "package"], ["packages.campaign", "packages.unit"]),
    Index("ix_package_rows_unit", "unit"),
    sqlite_with_rowid=False,
)

#: What came after its level's data had been reported; `answers` is the payload's digest.
late_returns = Table(
    "late_returns",
    metadata,
    _key("campaign"),
    _key("unit"),
    _key("form"),
    _key("seq", BigInteger),
    Column("received_at", Instant, nullable=False),
    _word("message"),
    _word("attachment"),
    _count("form_version"),
    _count("errors"),
    _flag("registered"),
    _word("answers"),
    sqlite_with_rowid=False,
)

messages = Table(
    "messages",
    metadata,
    _key("sha", String(64)),
    Column("seq", BigInteger, nullable=False),
    _word("digest"),
    Column("bucket", Text, nullable=False, index=True),
    Column("received_at", Instant, nullable=False),
    _word("campaign"),
    _word("unit"),
    _word("sender"),
    _word("subject"),
    _word("message_id"),
)
#: Buckets of messages that may stand there twice with one digest; of all others a second copy is a duplicate.
_REPEATABLE = "digest <> '' AND bucket NOT IN ('own', 'bounce', 'auto_reply', 'duplicate', 'failed')"
Index(
    "uq_messages_digest",
    messages.c.digest,
    unique=True,
    sqlite_where=text(_REPEATABLE),
    postgresql_where=text(_REPEATABLE),
)
Index("ix_messages_digest", messages.c.digest)

attachments = Table(
    "attachments",
    metadata,
    _key("message", String(64)),
    _key("place", Integer),
    Column("sha", String(64), nullable=False, index=True),
    _word("name"),
    Column("outcome", Text, nullable=False),
    _word("campaign"),
    _word("unit"),
    _word("form"),
    Column("findings", Text, nullable=False),
    _word("reason"),
    ForeignKeyConstraint(["message"], ["messages.sha"]),
    sqlite_with_rowid=False,
)

#: Where on a mail server a message was seen.
sightings = Table(
    "sightings",
    metadata,
    _key("account"),
    _key("folder"),
    _key("uidvalidity", BigInteger),
    _key("uid", BigInteger),
    _key("message", String(64)),
    sqlite_with_rowid=False,
)

letters = Table(
    "letters",
    metadata,
    _key("id"),
    Column("seq", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    _word("campaign"),
    _word("unit"),
    _word("form"),
    Column("priority", Integer, nullable=False),
    _word("sha"),
    Column("message_id", Text, nullable=False, unique=True),
    _word("to"),
    _word("name"),
    _word("subject"),
    Column("state", Text, nullable=False),
    _count("attempts"),
    Column("queued_at", Instant, nullable=False),
    Column("not_before", Instant),
    _word("reply"),
    _count("events"),
    Index("ix_letters_waiting", "state", "priority", "queued_at"),
    Index("ix_letters_unit", "unit"),
)

steps = Table(
    "steps",
    metadata,
    _key("campaign"),
    _key("key"),
    Column("done_at", Instant, nullable=False),
    Column("detail", Text, nullable=False),
    sqlite_with_rowid=False,
)

receipts = Table(
    "receipts",
    metadata,
    _key("campaign"),
    _key("unit"),
    _key("number", Integer),
    Column("part", Text, nullable=False),
    Column("sha", String(64), nullable=False),
    _word("message"),
    Column("arrived_at", Instant, nullable=False),
    _word("accepted_by"),
    Column("accepted_at", Instant),
    _word("note"),
)

books = Table(
    "books",
    metadata,
    _key("campaign"),
    _key("unit"),
    _key("version", Integer),
    Column("token", Text, nullable=False, unique=True),
    _word("sha"),
    _word("path"),
    Column("cut_off", Instant),
    Column("made_at", Instant, nullable=False),
    _place("seq"),
)

staff_queries = Table(
    "staff_queries",
    metadata,
    _key("number", Integer),
    Column("at", Instant, nullable=False),
    Column("data", Text, nullable=False),
    Column("personal", Text, nullable=False),
)

#: Operational, not projected: how far each folder was polled.
cursors = Table(
    "cursors",
    metadata,
    _key("account"),
    _key("folder"),
    Column("uidvalidity", BigInteger, nullable=False),
    Column("last_uid", BigInteger, nullable=False),
    Column("polled_from", Instant),
)

LEDGER = (payloads, events)
#: In an order in which rows can be inserted; cleared in the reverse order.
PROJECTIONS = tuple(table for table in metadata.sorted_tables if table not in {payloads, events, cursors})
