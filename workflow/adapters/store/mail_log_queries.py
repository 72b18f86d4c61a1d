"""The ledger of mail as staff read it: what came, how it ended, what was answered, where it was seen, what waits to be
tried again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from sqlalchemy import ColumnElement, func, select

from workflow.adapters.store import tables as t
from workflow.adapters.store.database import Database, chunks
from workflow.adapters.store.records import Failure, LetterRow, MessageRow, Seen
from workflow.adapters.store.rows import letter_of, message_of
from workflow.domain.submission import Bucket


class MailLogQueries(Database):
    """What staff ask about single messages."""

    def mail_log(
        self, campaign: str = "", buckets: Collection[Bucket] = (), since: dt.datetime | None = None,
        limit: int | None = None,
    ) -> list[MessageRow]:  # fmt: skip
        """Messages that came since a moment, those that came last first."""
        columns = t.messages.c
        query = t.messages.select().order_by(columns.received_at.desc(), columns.seq.desc()).limit(limit)
        with self.reading() as connection:
            rows = connection.execute(query.where(*_asked(campaign, buckets, since)))
            return [message_of(row) for row in rows]

    def mail_log_count(
        self, campaign: str = "", buckets: Collection[Bucket] = (), since: dt.datetime | None = None
    ) -> int:
        query = select(func.count()).select_from(t.messages).where(*_asked(campaign, buckets, since))
        with self.reading() as connection:
            return connection.execute(query).scalar_one()

    def messages_named(self, start: str, most: int = 2) -> list[MessageRow]:
        """Messages whose sha256 begins so: digits and small letters."""
        columns = t.messages.c
        query = t.messages.select().where(columns.sha.startswith(start, autoescape=True)).limit(most)
        with self.reading() as connection:
            return [message_of(row) for row in connection.execute(query)]

    def failures(self, messages: Collection[str] | None = None) -> dict[str, Failure]:
        """The messages that wait to be tried again, all or those of these, the one tried first first."""
        columns = t.failures.c
        query = t.failures.select().order_by(columns.tried_at, columns.message)
        with self.reading() as connection:
            if messages is None:
                return {row.message: Failure(*row) for row in connection.execute(query)}
            found: dict[str, Failure] = {}
            for piece in chunks(messages):
                rows = connection.execute(query.where(columns.message.in_(piece)))
                found.update((row.message, Failure(*row)) for row in rows)
            return found

    def answers_to(self, messages: Collection[str]) -> dict[str, list[LetterRow]]:
        """The letters that each message brought about, in the order of queueing; without any, an empty list."""
        found: dict[str, list[LetterRow]] = {sha: [] for sha in messages}
        events, letters = t.events.c, t.letters.c
        with self.reading() as connection:
            for piece in chunks(messages):
                caused = (
                    select(events.cause, t.letters)
                    .join(t.letters, events.stream == "letter:" + letters.id)
                    .where(events.kind == "letter.queued", events.cause.in_(piece))
                )
                for row in connection.execute(caused.order_by(letters.seq)):
                    found[row.cause].append(letter_of(row))
        return found

    def sightings_of(self, messages: Collection[str]) -> dict[str, list[Seen]]:
        """Every place where each message was seen."""
        found: dict[str, list[Seen]] = {sha: [] for sha in messages}
        columns = t.sightings.c
        with self.reading() as connection:
            for piece in chunks(messages):
                query = t.sightings.select().where(columns.message.in_(piece))
                places = (columns.account, columns.folder, columns.uidvalidity, columns.uid)
                for row in connection.execute(query.order_by(*places)):
                    found[row.message].append(Seen(row.account, row.folder, row.uidvalidity, row.uid))
        return found


def _asked(
    campaign: str, buckets: Collection[Bucket], since: dt.datetime | None
) -> list[ColumnElement[bool]]:
    columns = t.messages.c
    asked = [columns.campaign == campaign] if campaign else []
    if buckets:
        asked.append(columns.bucket.in_([bucket.value for bucket in buckets]))
    if since is not None:
        asked.append(columns.received_at >= since)
    return asked
