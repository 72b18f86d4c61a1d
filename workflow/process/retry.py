"""Retrying: messages on which the program broke are tried again, at growing intervals, until they have their outcome."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from workflow.adapters.store import MessageRow, Store
from workflow.domain.errors import Conflict, Fault, OutsideFailed, Refused
from workflow.domain.events import Event
from workflow.domain.failures import is_due, next_try
from workflow.domain.submission import Bucket
from workflow.process.intake import Intake
from workflow.process.situation import SYSTEM, Outcome

#: How many failed messages one pass tries again.
_MOST = 100


@dataclass(frozen=True)
class Retry:
    """Failed messages, tried again one by one."""

    store: Store
    intake: Intake

    def due(self, now: dt.datetime) -> list[Outcome]:
        """Those whose turn it is; what came of those that have their outcome now."""
        waiting = [one for one in self.store.failures().values() if is_due(now, one.tried_at, one.not_before)]
        done = (self._tried(one.message, now) for one in waiting[:_MOST])
        return [outcome for outcome in done if outcome.bucket not in {None, Bucket.FAILED}]

    def one(self, message: MessageRow, now: dt.datetime) -> Outcome:
        """This one at once. Raises Refused when it has not failed."""
        if message.bucket is not Bucket.FAILED:
            raise Refused(Fault(f"邮件 {message.sha[:12]}", "不是处理失败的邮件，已经办理完毕", ""))
        return self._tried(message.sha, now)

    def _tried(self, sha: str, now: dt.datetime) -> Outcome:
        message = self.store.message(sha)
        if message is None or message.bucket is not Bucket.FAILED:
            return Outcome()
        try:
            outcome = self.intake.again(message)
        except Conflict:
            return Outcome()  # another process has just taken it
        except OutsideFailed as lost:
            outcome = Outcome(bucket=Bucket.FAILED)
            self._note(sha, str(lost), now)
            return outcome
        if outcome.bucket is Bucket.FAILED:
            personal = outcome.events[0].personal or {}
            self._note(sha, str(personal.get("fault", "")), now)
        return outcome

    def _note(self, sha: str, fault: str, now: dt.datetime) -> None:
        """It failed once more: when, why, and when it is tried again."""
        tries = self.store.failures([sha])[sha].tries + 1
        stream = f"message:{sha}"
        number = self.store.next_numbers([stream])[stream] + 1
        data = {"tries": tries, "not_before": next_try(tries, now).isoformat()}
        self.store.append([Event(stream, number, "message.failed", now, SYSTEM, sha, data, {"fault": fault})])
