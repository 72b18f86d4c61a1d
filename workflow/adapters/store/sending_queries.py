"""Reading the outbox: what waits to be sent, what was tried, what failed."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection
from typing import Any

from sqlalchemy import and_, func, not_, or_, select

from workflow.adapters.store import tables as t
from workflow.adapters.store.database import Database, chunks
from workflow.adapters.store.records import LetterRow, LetterState, Pause
from workflow.adapters.store.rows import letter_of


class SendingQueries(Database):
    """What dispatch and staff ask about letters on their way."""

    def letters_to_send(
        self, now: dt.datetime, limit: int, closed: Collection[str] = (), *, oldest: bool = False
    ) -> list[LetterRow]:
        """What is due: queued, or in doubt or deferred until now or before; by priority, then by age, or by age alone.
        Letters to the domains `closed`, in small letters, are left out.
        """
        columns = t.letters.c
        query = t.letters.select().where(_due(now))
        for domain in closed:
            query = query.where(not_(func.lower(columns.to).endswith(f"@{domain}", autoescape=True)))
        order = (columns.queued_at, columns.seq)
        query = query.order_by(*(order if oldest else (columns.priority, *order))).limit(limit)
        with self.reading() as connection:
            return [letter_of(row) for row in connection.execute(query)]

    def letters_in_doubt(self, now: dt.datetime) -> list[LetterRow]:
        """Letters of which nobody knows whether the relay took them, and whose wait is over, by age."""
        columns = t.letters.c
        query = t.letters.select().where(_due(now), columns.state == LetterState.ATTEMPTED.value)
        with self.reading() as connection:
            return [letter_of(row) for row in connection.execute(query.order_by(columns.seq))]

    def letters_due(self, now: dt.datetime) -> Counter[str]:
        """How many letters are due, by the domain that they go to, in small letters."""
        with self.reading() as connection:
            found = connection.execute(select(t.letters.c.to).where(_due(now))).scalars()
            return Counter(address.rpartition("@")[2].lower() for address in found)

    def letters_tried(self, since: dt.datetime) -> list[tuple[dt.datetime, str]]:
        """When letters were tried after a moment, and the domain, in small letters, that each went to."""
        query = (
            select(t.attempts.c.at, t.letters.c.to)
            .join(t.letters, t.letters.c.id == t.attempts.c.letter)
            .where(t.attempts.c.at > since)
        )
        with self.reading() as connection:
            return [(at, to.rpartition("@")[2].lower()) for at, to in connection.execute(query)]

    def tries(self) -> int:
        """How often letters were tried in all."""
        with self.reading() as connection:
            return connection.execute(select(func.count()).select_from(t.attempts)).scalar_one()

    def relay_pause(self, relay: str) -> Pause | None:
        """The last time that a relay refused whoever sends, past or not."""
        with self.reading() as connection:
            row = connection.execute(t.pauses.select().where(t.pauses.c.relay == relay)).first()
        return Pause(row.at, row.until, row.reply, row.times, row.events) if row else None

    def failed_letters(self, campaign: str) -> list[LetterRow]:
        """A campaign's letters that failed for good, by age; not those that blame an address at which something queued
        later has arrived.
        """
        columns = t.letters.c
        address = func.lower(columns.to)
        query = t.letters.select().where(
            columns.campaign == campaign, columns.state == LetterState.FAILED.value
        )
        with self.reading() as connection:
            failed = connection.execute(query.order_by(columns.seq)).all()
            arrived: dict[str, int] = {}
            for piece in chunks({row.to.lower() for row in failed}):
                sent = select(address, func.max(columns.seq)).where(
                    columns.state == LetterState.SENT.value, address.in_(piece)
                )
                arrived.update((to, seq) for to, seq in connection.execute(sent.group_by(address)))
        return [
            letter_of(row)
            for row in failed
            if row.blame == "letter" or row.seq > arrived.get(row.to.lower(), 0)
        ]


def _due(now: dt.datetime) -> Any:
    columns = t.letters.c
    waiting = (LetterState.ATTEMPTED.value, LetterState.DEFERRED.value)
    return or_(
        columns.state == LetterState.QUEUED.value,
        and_(
            columns.state.in_(waiting),
            # A letter that was in doubt before waits were written down has none.
            or_(columns.not_before <= now, columns.not_before.is_(None)),
        ),
    )
