"""What the events of letters and relays make of their rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from workflow.adapters.store import tables as t
from workflow.adapters.store.batch import Batch
from workflow.adapters.store.copy import Entry
from workflow.adapters.store.records import LetterState

#: What each event makes of a letter. One in doubt stays attempted: the relay may or may not have taken it.
_STATES: Mapping[str, LetterState] = {
    "letter.attempted": LetterState.ATTEMPTED,
    "letter.doubted": LetterState.ATTEMPTED,
    "letter.put_back": LetterState.QUEUED,
    "letter.sent": LetterState.SENT,
    "letter.deferred": LetterState.DEFERRED,
    "letter.failed": LetterState.FAILED,
}
_TRIES: Mapping[str, int] = {"letter.attempted": 1, "letter.put_back": -1}


def on_letter(batch: Batch, entry: Entry) -> None:
    """A letter is queued, tried, and taken or not. One put back was not refused itself: the try is not its own, and counts
    in the limits only where the relay heard of it.
    """
    event = entry.event
    letter = event.stream.removeprefix("letter:")
    if event.kind == "letter.queued":
        personal = event.personal or {}
        batch.inserts[t.letters].append(
            {
                "id": letter,
                "seq": entry.seq,
                "kind": event.data["kind"],
                **{key: event.data.get(key) or "" for key in ("campaign", "unit", "form", "sha")},
                "priority": event.data.get("priority", 0),
                "message_id": event.data["message_id"],
                **{key: personal.get(key, "") for key in ("to", "name", "subject")},
                "state": LetterState.QUEUED.value,
                "queued_at": event.at,
                "events": event.number,
            }
        )
        return
    if event.kind == "letter.attempted":
        batch.inserts[t.attempts].append({"letter": letter, "number": event.number, "at": event.at})
    elif event.kind == "letter.put_back" and not event.data.get("tried"):
        batch.untried.append({"_letter": letter, "_number": event.number - 1})
    until = event.data.get("until")
    batch.letters.append(
        {
            "_id": letter,
            "_state": _STATES[event.kind].value,
            "_tries": _TRIES.get(event.kind, 0),
            "_until": dt.datetime.fromisoformat(until) if until else None,
            "_reply": event.data.get("reply", ""),
            "_events": event.number,
            "_blame": event.data.get("blame", ""),
        }
    )


def on_relay(batch: Batch, entry: Entry) -> None:
    """A relay refuses whoever sends, or has taken a letter again since."""
    event = entry.event
    resumed = event.kind == "relay.resumed"
    batch.pauses.append(
        {
            "relay": event.stream.removeprefix("relay:"),
            "at": event.at,
            "until": event.at if resumed else dt.datetime.fromisoformat(event.data["until"]),
            "reply": event.data.get("reply", ""),
            "times": 0 if resumed else event.data["times"],
            "events": event.number,
        }
    )
