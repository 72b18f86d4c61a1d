"""What a notice 退信 that a letter was not delivered makes of the letter and its address."""

from __future__ import annotations

import datetime as dt

from workflow.adapters.store.records import LetterRow, LetterState
from workflow.domain.events import Event
from workflow.domain.message import Bounce, Message
from workflow.domain.refusals import address_is_bad
from workflow.process.situation import SYSTEM, Outcome, Situation

#: A letter that nobody has tried to deliver cannot have bounced.
_ON_ITS_WAY = frozenset({LetterState.SENT, LetterState.ATTEMPTED})
#: A full mailbox is tried again on the next day, so often.
_FULL_TRIES = 3
_FULL_WAIT = dt.timedelta(days=1)


def returned_ids(bounce: Bounce, own_address: str) -> tuple[str, ...]:
    """The Message-IDs that the letter which came back may have: the one quoted, and the one that its X-Huizhi-Letter makes."""
    domain = own_address.rpartition("@")[2]
    made = f"<{bounce.letter}@{domain}>" if bounce.letter else ""
    return tuple(known for known in (bounce.original_message_id, made) if known)


def decide(sha: str, message: Message, received_at: dt.datetime, situation: Situation) -> Outcome:
    """A permanent bounce marks the letter as failed and asks staff to see to the address, or to the letter where the notice
    blames its contents or how much we send. A full mailbox is a good address: the letter goes again on the next day. A delay is
    nothing yet.
    """
    bounce = message.bounce
    if bounce is None or not bounce.permanent:
        return Outcome()
    known = returned_ids(bounce, situation.policy.own_address)
    letter = next((situation.letters[one] for one in known if one in situation.letters), None)
    if letter is None or letter.state not in _ON_ITS_WAY:
        return Outcome()
    stream, number, said = f"letter:{letter.id}", letter.events + 1, bounce.text[:200]
    if bounce.full and letter.attempts < _FULL_TRIES:
        until = (received_at + _FULL_WAIT).isoformat()
        again = Event(
            stream, number, "letter.deferred", received_at, SYSTEM, sha, {"reply": said, "until": until}
        )
        first = letter.attempts <= 1
        return Outcome(events=(again, *([_told(sha, letter, received_at, situation)] if first else ())))
    if bounce.full:
        blame = "letter"
    else:
        blame = "recipient" if address_is_bad(bounce.text) else "letter"
    failed = Event(stream, number, "letter.failed", received_at, SYSTEM, sha, {"reply": said, "blame": blame})
    return Outcome(events=(failed,))


def _told(sha: str, letter: LetterRow, at: dt.datetime, situation: Situation) -> Event:
    """The contact finding 邮箱已满, for staff."""
    unit = situation.roster.units.get(letter.unit)
    name = unit.name if unit else letter.unit
    matter = f"邮箱已满：{name}的{letter.to}收不下《{letter.subject}》，次日重发；请电话告知其清理邮箱"
    data = {"unit": letter.unit, "address": "full"}  # intake numbers staff's list, over its whole batch
    return Event("staff", 0, "staff.query", at, SYSTEM, sha, data, {"matter": matter})
