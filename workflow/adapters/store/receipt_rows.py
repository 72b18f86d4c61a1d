"""The events of a 负责人回执表 become rows: one of each part, and one of each event with what was read."""

from __future__ import annotations

from workflow.adapters.store import tables as t
from workflow.adapters.store.batch import Batch
from workflow.adapters.store.copy import Entry
from workflow.domain.events import canonical


def on_receipt(batch: Batch, entry: Entry) -> None:
    """A part that arrived, a comparison, or an acceptance of what is there."""
    event = entry.event
    campaign, _, unit = event.stream.removeprefix("receipt:").partition("/")
    of_unit = {"campaign": campaign, "unit": unit, "number": event.number}
    said = {"data": canonical(event.data), "personal": canonical(event.personal or {})}
    batch.inserts[t.receipt_events].append({**of_unit, "kind": event.kind, "at": event.at, **said})
    match event.kind:
        case "receipt.arrived":
            part = {key: event.data.get(key, "") for key in ("part", "sha", "message")}
            batch.inserts[t.receipts].append({**of_unit, **part, "arrived_at": event.at})
        case "receipt.accepted":
            batch.accepted.append(
                {
                    "_campaign": campaign,
                    "_unit": unit,
                    "_number": event.number,
                    "_by": event.data["by"],
                    "_at": event.at,
                    "_note": event.data.get("note", ""),
                }
            )
