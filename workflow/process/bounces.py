"""What a notice 退信 that a letter was not delivered makes of the letter and its address."""

from __future__ import annotations

import datetime as dt

from workflow.adapters.store.records import LetterState
from workflow.domain.events import Event
from workflow.domain.message import Message
from workflow.domain.refusals import address_is_bad
from workflow.process.situation import SYSTEM, Outcome, Situation

#: A letter that nobody has tried to deliver cannot have bounced.
_ON_ITS_WAY = frozenset({LetterState.SENT, LetterState.ATTEMPTED})


def decide(sha: str, message: Message, received_at: dt.datetime, situation: Situation) -> Outcome:
    """A permanent bounce marks the letter as failed and asks staff to see to the address, or to the letter where the notice
    blames its contents or how much we send.
    """
    bounce = message.bounce
    letter = situation.letters.get(bounce.original_message_id) if bounce else None
    if bounce is None or letter is None or not bounce.permanent or letter.state not in _ON_ITS_WAY:
        return Outcome()
    failed = Event(
        f"letter:{letter.id}", letter.events + 1, "letter.failed", received_at, SYSTEM, sha,
        {"reply": bounce.text[:200], "blame": "recipient" if address_is_bad(bounce.text) else "letter"},
    )  # fmt: skip
    return Outcome(events=(failed,))
