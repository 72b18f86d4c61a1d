"""Reading the late returns: what came after its level's data had been reported."""

from __future__ import annotations

import json

from sqlalchemy import exists, select

from workflow.adapters.store import tables as t
from workflow.adapters.store.database import Database
from workflow.adapters.store.records import LateReturn
from workflow.domain.events import decode_value
from workflow.domain.submission import Answers


class LateQueries(Database):
    """What the calendar and the opening of a campaign ask about late returns."""

    def late_returns(self, campaign: str) -> list[LateReturn]:
        """A campaign's late returns in the order of the ledger."""
        columns = t.late_returns.c
        query = t.late_returns.select().where(columns.campaign == campaign).order_by(columns.seq)
        with self.reading() as connection:
            return [LateReturn(*row[:-1]) for row in connection.execute(query)]

    def late_answers(self, campaign: str) -> dict[tuple[str, str], Answers]:
        """The answers of each unit's newest late return by (unit, form): from the unit's own people, not erased since, and
        with nothing that was counted after it.
        """
        late, kept = t.late_returns.c, t.submissions.c
        later = exists().where(
            kept.campaign == late.campaign, kept.unit == late.unit, kept.form == late.form,
            kept.received_at > late.received_at,
        )  # fmt: skip
        query = (
            select(late.unit, late.form, t.payloads.c.body)
            .join(t.payloads, t.payloads.c.digest == late.answers)
            .where(late.campaign == campaign, late.registered, t.payloads.c.body.is_not(None), ~later)
            .order_by(late.seq)
        )
        with self.reading() as connection:
            return {
                (row.unit, row.form): {
                    field: decode_value(value)
                    for field, value in json.loads(row.body).get("answers", {}).items()
                }
                for row in connection.execute(query)
            }
