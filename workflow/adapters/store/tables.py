"""The tables. `events` and `payloads` are the ledger; `cursors` is operational; all others are projected from events.

Instants are kept as text in UTC and of one width, so that they sort as text in both databases.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from workflow.adapters.store.columns import Instant, count, flag, key, place, word

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMES)


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

campaigns = Table(
    "campaigns",
    metadata,
    key("id"),
    Column("seq", BigInteger, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("forms", Text, nullable=False),
    Column("windows", Text, nullable=False),
    Column("receipt_due", Date),
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

LEDGER = (payloads, events)
#: In an order in which rows can be inserted; cleared in the reverse order.
PROJECTIONS = tuple(table for table in metadata.sorted_tables if table not in {payloads, events, cursors})
