"""Reading the receipts 负责人回执表: which parts arrived, and where each unit's stands."""

from __future__ import annotations

import json
from collections.abc import Collection

from workflow.adapters.store import tables as t
from workflow.adapters.store.database import Database, chunks
from workflow.adapters.store.records import ReceiptRow
from workflow.adapters.store.rows import receipt_of
from workflow.domain.receipt_standing import ReceiptStanding


class ReceiptQueries(Database):
    """What is asked about receipts."""

    def receipts(self, campaign: str) -> list[ReceiptRow]:
        """Every part of a 回执表 that arrived, by unit in the order of arrival."""
        columns = t.receipts.c
        query = t.receipts.select().where(columns.campaign == campaign).order_by(columns.unit, columns.number)
        with self.reading() as connection:
            return [receipt_of(row) for row in connection.execute(query)]

    def receipt_standings(
        self, campaign: str, units: Collection[str] | None = None
    ) -> dict[str, ReceiptStanding]:
        """Where the receipt of each unit stands of which anything arrived; of all units, or of those given."""
        columns = t.receipt_events.c
        query = t.receipt_events.select().where(columns.campaign == campaign).order_by(columns.number)
        found: dict[str, ReceiptStanding] = {}
        with self.reading() as connection:
            for piece in [None] if units is None else chunks(sorted(set(units))):
                asked = query if piece is None else query.where(columns.unit.in_(piece))
                for row in connection.execute(asked):
                    before = found.get(row.unit, ReceiptStanding())
                    data, personal = json.loads(row.data), json.loads(row.personal)
                    found[row.unit] = before.after(row.kind, row.number, row.at, data, personal)
        return found
