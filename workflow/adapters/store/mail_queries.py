"""Reading the mail: what was taken in, what was written, and how far the mailbox was polled."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from sqlalchemy import Column, Table, func, select

from workflow.adapters.store import tables as t
from workflow.adapters.store.database import Database, chunks, insert
from workflow.adapters.store.records import (
    AttachmentRow,
    Cursor,
    LetterRow,
    LetterState,
    MailCounts,
    MessageRow,
)
from workflow.adapters.store.rows import attachment_of, letter_of, message_of
from workflow.domain.letters import ANSWERS
from workflow.domain.submission import Bucket

_WAITING = (LetterState.QUEUED.value, LetterState.ATTEMPTED.value)


class MailQueries(Database):
    """What intake and staff ask about mail."""

    def taken(self, shas: Collection[str]) -> set[str]:
        """Those messages that have their outcome; one in the bucket `failed` has it not yet."""
        found: set[str] = set()
        columns = t.messages.c
        with self.reading() as connection:
            for piece in chunks(shas):
                query = select(columns.sha).where(
                    columns.sha.in_(piece), columns.bucket != Bucket.FAILED.value
                )
                found.update(connection.execute(query).scalars())
        return found

    def digests(self, digests: Collection[str]) -> dict[str, str]:
        """The message that was taken first with each digest; one that failed and will be tried again is none."""
        found: dict[str, str] = {}
        columns = t.messages.c
        with self.reading() as connection:
            for piece in chunks(digests):
                query = select(columns.digest, columns.sha).where(
                    columns.digest.in_(piece), columns.bucket != Bucket.FAILED.value
                )
                for digest, sha in connection.execute(query.order_by(columns.seq)):
                    found.setdefault(digest, sha)
        return found

    def seen(self, account: str, folder: str, uidvalidity: int, uids: Collection[int]) -> dict[int, str]:
        """The messages that were seen at these places, by uid."""
        found: dict[int, str] = {}
        columns = t.sightings.c
        with self.reading() as connection:
            for piece in chunks(uids):
                query = select(columns.uid, columns.message).where(
                    columns.account == account,
                    columns.folder == folder,
                    columns.uidvalidity == uidvalidity,
                    columns.uid.in_(piece),
                )
                found.update((uid, sha) for uid, sha in connection.execute(query))
        return found

    def message(self, sha: str) -> MessageRow | None:
        with self.reading() as connection:
            row = connection.execute(t.messages.select().where(t.messages.c.sha == sha)).first()
        return message_of(row) if row else None

    def senders(self, shas: Collection[str]) -> dict[str, str]:
        """Who sent each message, by its sha; '' where that has been erased."""
        found: dict[str, str] = {}
        with self.reading() as connection:
            for piece in chunks(shas):
                query = t.messages.select().where(t.messages.c.sha.in_(piece))
                rows = [message_of(row) for row in connection.execute(query)]
                found.update((row.sha, row.sender) for row in rows)
        return found

    def messages(self, bucket: Bucket | None = None, limit: int | None = None) -> list[MessageRow]:
        """Messages, those taken last first."""
        query = t.messages.select().order_by(t.messages.c.seq.desc()).limit(limit)
        if bucket is not None:
            query = query.where(t.messages.c.bucket == bucket.value)
        with self.reading() as connection:
            return [message_of(row) for row in connection.execute(query)]

    def attachments_of(self, messages: Collection[str]) -> dict[str, list[AttachmentRow]]:
        """The attachments of each message in their order; a message without any has an empty list."""
        found: dict[str, list[AttachmentRow]] = {sha: [] for sha in messages}
        columns = t.attachments.c
        with self.reading() as connection:
            for piece in chunks(messages):
                query = t.attachments.select().where(columns.message.in_(piece)).order_by(columns.place)
                for row in connection.execute(query):
                    found[row.message].append(attachment_of(row))
        return found

    def mail_counts(self) -> MailCounts:
        buckets = self._counted(t.messages, t.messages.c.bucket)
        letters = self._counted(t.letters, t.letters.c.state)
        return MailCounts(
            received=sum(buckets.values()),
            buckets=buckets,
            attachments=self._counted(t.attachments, t.attachments.c.outcome),
            queued=sum(letters.get(state, 0) for state in (*_WAITING, LetterState.DEFERRED.value)),
            sent=letters.get(LetterState.SENT.value, 0),
            failed=letters.get(LetterState.FAILED.value, 0),
        )

    def letters_by_message_id(self, ids: Collection[str]) -> dict[str, LetterRow]:
        """Our own letters that replies and bounces refer to."""
        found: dict[str, LetterRow] = {}
        with self.reading() as connection:
            for piece in chunks(ids):
                query = t.letters.select().where(t.letters.c.message_id.in_(piece))
                found.update((row.message_id, letter_of(row)) for row in connection.execute(query))
        return found

    def answers_queued(
        self, units: Collection[str], since: dt.datetime
    ) -> list[tuple[str, str, dt.datetime]]:
        """The answers 答复 about these units since a moment: to which address, about which unit, when."""
        found: list[tuple[str, str, dt.datetime]] = []
        columns = t.letters.c
        with self.reading() as connection:
            for piece in chunks(units):
                query = select(columns.to, columns.unit, columns.queued_at).where(
                    columns.unit.in_(piece), columns.queued_at >= since, columns.kind.in_(sorted(ANSWERS))
                )
                found.extend((row.to, row.unit, row.queued_at) for row in connection.execute(query))
        return found

    def letter_exists(self, ids: Collection[str]) -> set[str]:
        """Those letters that were queued at some time."""
        found: set[str] = set()
        with self.reading() as connection:
            for piece in chunks(ids):
                query = select(t.letters.c.id).where(t.letters.c.id.in_(piece))
                found.update(connection.execute(query).scalars())
        return found

    def letters(self, campaign: str, unit: str | None = None) -> list[LetterRow]:
        """A campaign's letters, or those to one unit, in the order of queueing."""
        query = t.letters.select().where(t.letters.c.campaign == campaign).order_by(t.letters.c.seq)
        if unit is not None:
            query = query.where(t.letters.c.unit == unit)
        with self.reading() as connection:
            return [letter_of(row) for row in connection.execute(query)]

    def cursor(self, account: str, folder: str) -> Cursor | None:
        columns = t.cursors.c
        query = t.cursors.select().where(columns.account == account, columns.folder == folder)
        with self.reading() as connection:
            row = connection.execute(query).first()
        return Cursor(row.uidvalidity, row.last_uid, row.polled_from) if row else None

    def save_cursor(self, account: str, folder: str, cursor: Cursor) -> None:
        """Remember how far a folder was polled. Not an event: it is what the server can be asked again."""
        columns = t.cursors.c
        state: dict[str, Any] = {
            "uidvalidity": cursor.uidvalidity,
            "last_uid": cursor.last_uid,
            "polled_from": cursor.polled_from,
        }
        with self.writing() as connection:
            changed = connection.execute(
                t.cursors.update().where(columns.account == account, columns.folder == folder).values(state)
            )
            if changed.rowcount == 0:
                connection.execute(t.cursors.insert().values(account=account, folder=folder, **state))

    def watch(self, places: Collection[tuple[str, str]]) -> None:
        """From now on these (account, folder) are polled: one that is new has not been polled yet, and one that is polled no
        longer keeps no deadline waiting.
        """
        with self.reading() as connection:
            known = {(row.account, row.folder) for row in connection.execute(t.cursors.select())}
        gone, fresh = known - set(places), [place for place in places if place not in known]
        if not gone and not fresh:
            return
        columns = t.cursors.c
        with self.writing() as connection:
            for account, folder in gone:
                connection.execute(
                    t.cursors.delete().where(columns.account == account, columns.folder == folder)
                )
            for account, folder in fresh:
                row = {"account": account, "folder": folder, "uidvalidity": 0, "last_uid": 0}
                connection.execute(insert(connection, t.cursors).values(row).on_conflict_do_nothing())

    def last_poll(self) -> dt.datetime | None:
        """The oldest begin of a last successful poll over all folders; None while one was never polled."""
        with self.reading() as connection:
            begun = list(connection.execute(select(t.cursors.c.polled_from)).scalars())
        return min(begun) if begun and all(begun) else None

    def _counted(self, table: Table, column: Column[str]) -> dict[str, int]:
        query = select(column, func.count()).select_from(table).group_by(column).order_by(column)
        with self.reading() as connection:
            return dict(connection.execute(query).all())
