"""Sending what is queued: bytes and Message-ID were fixed then, here they are only carried.

`attempted` is committed before a letter's DATA. A letter that a crash left in doubt goes again with the same Message-ID: at
least once, and a mail program that knows the Message-ID shows it once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from workflow.adapters.files import Files
from workflow.adapters.mail.smtp import Delivery, DeliveryState
from workflow.adapters.store import LetterRow, Store
from workflow.domain.events import Event
from workflow.process.situation import SYSTEM

#: Letters that a crash can leave in doubt at once.
DOUBT = 20
_FIRST_WAIT = dt.timedelta(minutes=5)
_LONGEST_WAIT = dt.timedelta(hours=6)
_GIVE_UP_AFTER = 12


class Carrier(Protocol):
    """What takes letters to their recipients: the relay, or in a rehearsal a hand."""

    def send(self, envelope_from: str, to: str, letter: bytes, /) -> Delivery:
        """Hand on one letter; raises OutsideFailed when nothing can be handed on."""


@dataclass(frozen=True, slots=True)
class Sent:
    """How a pass over the outbox went."""

    sent: int = 0
    deferred: int = 0
    failed: int = 0


def dispatch(
    store: Store,
    files: Files,
    relay: Carrier,
    envelope_from: str,
    now: dt.datetime,
    limit: int,
    progress: Callable[[int], None] = lambda done: None,
) -> Sent:
    """Send at most `limit` letters, the most urgent first; raises OutsideFailed when the relay is out of reach, with
    everything not yet sent still queued.
    """
    total = Sent()
    while (done := total.sent + total.deferred + total.failed) < limit:
        letters = store.letters_to_send(now, min(DOUBT, limit - done))
        if not letters:
            break
        store.append([_event(letter, 1, "letter.attempted", now, {}) for letter in letters])
        deliveries: list[Delivery] = []
        try:
            for letter in letters:
                delivery = relay.send(envelope_from, letter.to, files.letter(letter.sha))
                deliveries.append(delivery)  # counts also when the next one fails
        finally:  # also when the relay is out of reach: what it took is noted before the failure goes on
            tried = zip(letters, deliveries, strict=False)
            store.append([_result(letter, delivery, now) for letter, delivery in tried])
        total = _counted(total, deliveries)
        progress(done + len(letters))
    return total


def _result(letter: LetterRow, delivery: Delivery, now: dt.datetime) -> Event:
    """What the relay's answer makes of a letter. An unknown end is in doubt and tried again, as a refusal for now is."""
    if delivery.state is DeliveryState.SENT:
        return _event(letter, 2, "letter.sent", now, {"reply": delivery.reply})
    if delivery.state is DeliveryState.FAILED or letter.attempts + 1 >= _GIVE_UP_AFTER:
        return _event(letter, 2, "letter.failed", now, {"reply": delivery.reply})
    wait = min(_FIRST_WAIT * 2**letter.attempts, _LONGEST_WAIT)
    return _event(
        letter, 2, "letter.deferred", now, {"reply": delivery.reply, "until": (now + wait).isoformat()}
    )


def _event(letter: LetterRow, step: int, kind: str, now: dt.datetime, data: dict[str, str]) -> Event:
    return Event(f"letter:{letter.id}", letter.events + step, kind, now, SYSTEM, "", data)


def _counted(total: Sent, deliveries: Sequence[Delivery]) -> Sent:
    sent = sum(delivery.state is DeliveryState.SENT for delivery in deliveries)
    failed = sum(delivery.state is DeliveryState.FAILED for delivery in deliveries)
    return Sent(total.sent + sent, total.deferred + len(deliveries) - sent - failed, total.failed + failed)
