"""Mail: messages taken in and their attachments, letters sent, and how far each folder was polled."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Index, Integer, String, Table, Text, text

from workflow.adapters.store.columns import Instant, count, key, word
from workflow.adapters.store.tables.schema import metadata

messages = Table(
    "messages",
    metadata,
    key("sha", String(64)),
    Column("seq", BigInteger, nullable=False),
    word("digest"),
    Column("bucket", Text, nullable=False, index=True),
    Column("received_at", Instant, nullable=False),
    word("campaign"),
    word("unit"),
    word("sender"),
    word("subject"),
    word("message_id"),
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
    key("message", String(64)),
    key("place", Integer),
    Column("sha", String(64), nullable=False, index=True),
    word("name"),
    Column("outcome", Text, nullable=False),
    word("campaign"),
    word("unit"),
    word("form"),
    Column("findings", Text, nullable=False),
    word("reason"),
    ForeignKeyConstraint(["message"], ["messages.sha"]),
    sqlite_with_rowid=False,
)

#: What staff decided on a message in quarantine.
settlements = Table(
    "settlements",
    metadata,
    key("message", String(64)),
    key("number", Integer),
    Column("act", Text, nullable=False),
    word("unit"),
    word("by"),
    Column("at", Instant, nullable=False),
    word("note"),
    sqlite_with_rowid=False,
)

#: Messages on which the program broke, while they wait to be tried again; `fault` is what it said.
failures = Table(
    "failures",
    metadata,
    key("message", String(64)),
    Column("tries", Integer, nullable=False),
    Column("tried_at", Instant, nullable=False),
    Column("not_before", Instant),
    word("fault"),
    sqlite_with_rowid=False,
)

#: Where on a mail server a message was seen.
sightings = Table(
    "sightings",
    metadata,
    key("account"),
    key("folder"),
    key("uidvalidity", BigInteger),
    key("uid", BigInteger),
    key("message", String(64)),
    sqlite_with_rowid=False,
)

letters = Table(
    "letters",
    metadata,
    key("id"),
    Column("seq", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    word("campaign"),
    word("unit"),
    word("form"),
    Column("priority", Integer, nullable=False),
    word("sha"),
    Column("message_id", Text, nullable=False, unique=True),
    word("to"),
    word("name"),
    word("subject"),
    Column("state", Text, nullable=False),
    count("attempts"),
    Column("queued_at", Instant, nullable=False),
    Column("not_before", Instant),
    word("reply"),
    count("events"),
    # Whose fault a failure is: '' and `recipient` the address, `patience` too many refusals for now, `letter` its own.
    word("blame"),
    Index("ix_letters_waiting", "state", "priority", "queued_at"),
    Index("ix_letters_unit", "unit"),
)

#: Every time that a letter was tried, which is what the relay's limits count.
attempts = Table(
    "attempts",
    metadata,
    key("letter"),
    key("number", Integer),
    Column("at", Instant, nullable=False, index=True),
    sqlite_with_rowid=False,
)

#: The last time that a relay refused whoever sends; `times` counts refusals with no letter taken in between.
pauses = Table(
    "pauses",
    metadata,
    key("relay"),
    Column("at", Instant, nullable=False),
    Column("until", Instant, nullable=False),
    word("reply"),
    count("times"),
    count("events"),
    sqlite_with_rowid=False,
)

#: Operational, not projected: how far each folder was polled.
cursors = Table(
    "cursors",
    metadata,
    key("account"),
    key("folder"),
    Column("uidvalidity", BigInteger, nullable=False),
    Column("last_uid", BigInteger, nullable=False),
    Column("polled_from", Instant),
)
