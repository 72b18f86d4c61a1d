"""Reading what waits for a person: messages tied to no unit, files not opened; and what staff decided on them."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import or_, select

from workflow.adapters.store import tables as t
from workflow.adapters.store.database import Database, chunks
from workflow.adapters.store.records import MessageRow, Settlement
from workflow.adapters.store.rows import message_of
from workflow.domain.submission import WAITING_BUCKETS, WAITING_OUTCOMES


class QuarantineQueries(Database):
    """What staff ask about messages in quarantine."""

    def waiting(self) -> list[MessageRow]:
        """Every message that has something for a person to look at, settled or not, the oldest first."""
        of_file = select(t.attachments.c.message).where(
            t.attachments.c.outcome.in_([outcome.value for outcome in WAITING_OUTCOMES])
        )
        columns = t.messages.c
        waits = or_(
            columns.bucket.in_([bucket.value for bucket in WAITING_BUCKETS]),
            columns.sha.in_(of_file),
            columns.sha.in_(select(t.settlements.c.message)),
        )
        with self.reading() as connection:
            rows = connection.execute(
                t.messages.select().where(waits).order_by(columns.received_at, columns.seq)
            )
            return [message_of(row) for row in rows]

    def settlements(self, messages: Collection[str]) -> dict[str, list[Settlement]]:
        """What was decided on each of these messages, in order; those without a decision are left out."""
        found: dict[str, list[Settlement]] = {}
        columns = t.settlements.c
        with self.reading() as connection:
            for piece in chunks(messages):
                query = t.settlements.select().where(columns.message.in_(piece))
                for row in connection.execute(query.order_by(columns.message, columns.number)):
                    found.setdefault(row.message, []).append(Settlement(*row))
        return found

    def deleted(self, messages: Collection[str]) -> set[str]:
        """Those whose bytes staff had removed."""
        found: set[str] = set()
        columns = t.settlements.c
        with self.reading() as connection:
            for piece in chunks(messages):
                query = select(columns.message).where(columns.message.in_(piece), columns.act == "deleted")
                found.update(connection.execute(query).scalars())
        return found
