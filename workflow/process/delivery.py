"""What the relay's answer to a letter makes of it: pure, from the letter, the answer and the time to an event."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

from workflow.adapters.mail.smtp import Delivery, DeliveryState
from workflow.adapters.store import LetterRow, Pause
from workflow.domain.events import Event
from workflow.domain.refusals import Stage, Verdict, verdict
from workflow.domain.sending import pause_until, retry_at
from workflow.process.situation import SYSTEM

#: How long nobody asks for a letter in doubt: its copy, or a notice of non-delivery, may still be on its way.
DOUBT_WAIT = dt.timedelta(minutes=10)
#: Refusals for now after which a letter has failed, over about two days; refusals that nobody can tell apart.
_PATIENCE, _UNCLEAR_PATIENCE = 12, 3
#: So many refusals in a row of letters that have nothing in common but us are about us.
_SUSPICIOUS = 5
_ADDRESS = re.compile(r"[^\s<>：]+@[^\s<>]+")
_BEFORE_LETTERS = frozenset({Stage.GREETING, Stage.HELLO, Stage.LOGIN})


@dataclass(frozen=True, slots=True)
class Heard:
    """What an answer makes of a letter. `meaning` is None for a letter that was taken or is in doubt; `odd` counts refusals
    in a row that may be about whoever sends.
    """

    event: Event
    meaning: Verdict | None
    odd: int

    @property
    def account(self) -> Verdict | None:
        """Why nothing more may be sent for now."""
        if self.meaning is not None and self.meaning.of_account:
            return self.meaning
        return Verdict.BUSY if self.odd >= _SUSPICIOUS else None


def heard(letter: LetterRow, delivery: Delivery, now: dt.datetime, odd: int) -> Heard:
    """What the relay's answer makes of a letter that was marked as attempted; `odd` as it stood before."""
    if delivery.state is DeliveryState.SENT:
        return Heard(_answered(letter, "letter.sent", now, delivery), None, 0)
    if delivery.state is DeliveryState.UNKNOWN:
        until = {"until": (now + DOUBT_WAIT).isoformat()}
        return Heard(_answered(letter, "letter.doubted", now, delivery, **until), None, odd)
    meaning = verdict(delivery.stage, delivery.reply)
    if meaning.of_account:
        tried = delivery.stage not in _BEFORE_LETTERS
        return Heard(_answered(letter, "letter.put_back", now, delivery, tried=tried), meaning, odd)
    ours = meaning in {Verdict.UNCLEAR, Verdict.LETTER} or delivery.stage in {Stage.DATA, Stage.END}
    if meaning is Verdict.ADDRESS:
        ours = False
    odd = odd + 1 if ours else odd
    if blame := _blame(meaning, delivery.stage, letter.attempts + 1):
        return Heard(_answered(letter, "letter.failed", now, delivery, blame=blame), meaning, odd)
    until = {"until": retry_at(letter.id, letter.attempts + 1, now).isoformat()}
    return Heard(_answered(letter, "letter.deferred", now, delivery, **until), meaning, odd)


def _blame(meaning: Verdict, stage: Stage, attempts: int) -> str:
    """Whose fault it is that a letter has failed for good; '' while it has not."""
    match meaning:
        case Verdict.ADDRESS:
            return "recipient"
        case Verdict.LETTER:
            return "letter"
        case Verdict.UNCLEAR if attempts >= _UNCLEAR_PATIENCE:
            return "recipient" if stage is Stage.RECIPIENT else "letter"
        case _ if attempts >= _PATIENCE:
            return "patience"
    return ""


def marked(letter: LetterRow, now: dt.datetime) -> Event:
    """A letter is about to be handed over; when nothing more is heard of it, it is in doubt and waits."""
    until = {"until": (now + DOUBT_WAIT).isoformat()}
    return Event(f"letter:{letter.id}", letter.events + 1, "letter.attempted", now, SYSTEM, "", until)


def untried(letter: LetterRow, now: dt.datetime, why: str) -> Event:
    """A letter that was marked and not handed over after all."""
    return _event(letter, "letter.put_back", now, {"reply": why, "tried": False})


def broken_off(letter: LetterRow, now: dt.datetime, why: str) -> Event:
    """A letter at which the relay hung up twice before its data: it waits, so that those behind it are tried too."""
    data = {"reply": why, "until": retry_at(letter.id, letter.attempts + 1, now).isoformat()}
    return _event(letter, "letter.deferred", now, data)


def rested(relay: str, before: Pause | None, meaning: Verdict, reply: str, now: dt.datetime) -> Event:
    """The relay refuses whoever sends: nothing goes out for a while, longer each time."""
    times = before.times + 1 if before else 1
    until = pause_until(meaning, times, now)
    data = {"reply": _masked(reply), "until": until.isoformat(), "times": times}
    return Event(f"relay:{relay}", before.events + 1 if before else 1, "relay.paused", now, SYSTEM, "", data)


def resumed(relay: str, before: Pause, now: dt.datetime) -> Event:
    """The relay takes letters again."""
    return Event(f"relay:{relay}", before.events + 1, "relay.resumed", now, SYSTEM, "", {})


def found_filed(letter: LetterRow, now: dt.datetime) -> Event:
    """A letter in doubt has a copy where the provider files what it sent."""
    data = {"reply": "已发送文件夹中有副本"}
    return Event(f"letter:{letter.id}", letter.events + 1, "letter.sent", now, SYSTEM, "", data)


def _answered(letter: LetterRow, kind: str, now: dt.datetime, delivery: Delivery, **data: Any) -> Event:
    return _event(letter, kind, now, {"reply": _masked(delivery.reply), **data})


def _event(letter: LetterRow, kind: str, now: dt.datetime, data: dict[str, Any]) -> Event:
    """What follows the mark of a letter."""
    return Event(f"letter:{letter.id}", letter.events + 2, kind, now, SYSTEM, "", data)


def _masked(reply: str) -> str:
    """A relay repeats the address, which is personal and stands with the letter."""
    return _ADDRESS.sub("…", reply)
