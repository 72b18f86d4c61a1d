"""The letters: which kinds there are, which goes first, and what one is asked to say.

The words stand in `templates/letters/`; `adapters.letters` renders them, `process.correspondence` addresses and queues them.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from workflow.domain.form import Value
from workflow.domain.roster import Recipient
from workflow.domain.submission import CellError, Finding, RawValue


class LetterKind(StrEnum):
    """The kinds of letter; the value names its templates."""

    NOTICE = "notice"
    ACKNOWLEDGEMENT = "acknowledgement"
    RETURNED = "returned"
    PACKAGE_RETURNED = "package_returned"
    REMINDER = "reminder"
    REVIEW_REQUEST = "review_request"
    REVIEW_RESULT = "review_result"
    REPORT_CONFIRMATION = "report_confirmation"
    REPORT_RECEIVED = "report_received"
    AUTO_REPORT = "auto_report"
    ESCALATION = "escalation"
    WITHDRAWAL_REQUEST = "withdrawal_request"
    WITHDRAWAL_RESULT = "withdrawal_result"
    LATE = "late"
    LATE_OFFER = "late_offer"
    STALE = "stale"
    PROBLEM_FILE = "problem_file"
    EMPTY_REPLY = "empty_reply"
    UNKNOWN_SENDER = "unknown_sender_confirm"
    SENDER_ANSWERED = "sender_answered"
    DECISION_CONFIRM = "decision_confirm"
    NO_CHANGE_REFUSED = "no_change_refused"
    RECEIPT_REMINDER = "receipt_reminder"
    AFFILIATION_REQUEST = "affiliation_request"
    AFFILIATION_RESULT = "affiliation_result"
    SUSPENSION = "suspension"
    PROBLEM_REPORT = "problem_report"
    PROBLEM_RESULT = "problem_result"
    ACCOUNTS = "accounts"
    ACCOUNT_REMINDER = "account_reminder"
    ACCOUNT_ESCALATION = "account_escalation"
    FILING = "filing"
    CONTACTS = "contacts"
    DIGEST = "digest"


#: Lower goes out first: an answer to somebody who waits, then what has a deadline, then the rest.
PRIORITY: Mapping[LetterKind, int] = {
    LetterKind.RETURNED: 1,
    LetterKind.PACKAGE_RETURNED: 1,
    LetterKind.ESCALATION: 1,
    LetterKind.AUTO_REPORT: 2,
    LetterKind.REPORT_CONFIRMATION: 2,
    LetterKind.REPORT_RECEIVED: 2,
    LetterKind.REVIEW_REQUEST: 2,
    LetterKind.REVIEW_RESULT: 2,
    LetterKind.DECISION_CONFIRM: 2,
    LetterKind.WITHDRAWAL_REQUEST: 2,
    LetterKind.WITHDRAWAL_RESULT: 2,
    LetterKind.AFFILIATION_REQUEST: 3,
    LetterKind.AFFILIATION_RESULT: 3,
    LetterKind.SUSPENSION: 3,
    LetterKind.PROBLEM_REPORT: 3,
    LetterKind.PROBLEM_RESULT: 3,
    LetterKind.LATE: 3,
    LetterKind.LATE_OFFER: 3,
    LetterKind.STALE: 3,
    LetterKind.PROBLEM_FILE: 3,
    LetterKind.EMPTY_REPLY: 3,
    LetterKind.UNKNOWN_SENDER: 3,
    LetterKind.SENDER_ANSWERED: 3,
    LetterKind.NO_CHANGE_REFUSED: 3,
    LetterKind.ACKNOWLEDGEMENT: 4,
    LetterKind.NOTICE: 5,
    LetterKind.ACCOUNTS: 5,
    LetterKind.REMINDER: 6,
    LetterKind.RECEIPT_REMINDER: 6,
    LetterKind.ACCOUNT_REMINDER: 6,
    LetterKind.ACCOUNT_ESCALATION: 6,
    LetterKind.FILING: 5,
    LetterKind.CONTACTS: 7,
    LetterKind.DIGEST: 7,
}


#: What a message brings about for whoever wrote it; a robot at the other end would have one for each of its own.
ANSWERS = frozenset(
    {
        LetterKind.ACKNOWLEDGEMENT,
        LetterKind.RETURNED,
        LetterKind.STALE,
        LetterKind.LATE,
        LetterKind.PROBLEM_FILE,
        LetterKind.EMPTY_REPLY,
        LetterKind.NO_CHANGE_REFUSED,
        LetterKind.SENDER_ANSWERED,
        LetterKind.REVIEW_RESULT,
        LetterKind.AFFILIATION_RESULT,
        LetterKind.SUSPENSION,
        LetterKind.PROBLEM_RESULT,
    }
)


@dataclass(frozen=True, slots=True)
class FreshCopy:
    """Enclose the unit's stamped copy, pre-filled with `answers`. `previous` are its last reported answers, which the
    copy's 自查 sheet compares with.
    """

    unit: str
    form: str
    copy: int
    token: str
    answers: Mapping[str, Value]
    previous: Mapping[str, Value] | None = None


@dataclass(frozen=True, slots=True)
class AnnotatedCopy:
    """Enclose the unit's own answers again with the findings marked; `previous` as in a fresh copy."""

    unit: str
    form: str
    copy: int
    token: str
    answers: Mapping[str, RawValue | CellError]
    findings: tuple[Finding, ...]
    due: dt.datetime
    note: str
    times: int
    previous: Mapping[str, Value] | None = None


@dataclass(frozen=True, slots=True)
class ReceiptForm:
    """Enclose 附件2 for the unit."""

    unit: str
    token: str


@dataclass(frozen=True, slots=True)
class KeptFile:
    """Enclose a file that has been made already, such as a consolidated workbook; `path` is below outbox/."""

    name: str
    path: str


@dataclass(frozen=True, slots=True)
class SealedBook:
    """Enclose a workbook that only its password opens, made for this letter."""

    name: str
    data: bytes = field(repr=False)


Enclosure = FreshCopy | AnnotatedCopy | ReceiptForm | KeptFile | SealedBook


@dataclass(frozen=True, slots=True)
class LetterOrder:
    """A letter to be written. `unit` is the unit that it is about; `cause` the message, step or decision behind it, which
    with kind, unit and recipient makes the letter's id, so that the same order twice is one letter; `key`, where it is
    given, makes the id alone. `reply_to` is the Message-ID that it answers.
    """

    kind: LetterKind
    campaign: str
    unit: str
    form: str
    to: Recipient
    at: dt.datetime
    cause: str
    context: Mapping[str, Any] = field(default_factory=dict)
    enclosures: tuple[Enclosure, ...] = ()
    token: str = ""
    reply_to: str = ""
    key: str = ""

    @property
    def id(self) -> str:
        about = (
            self.key
            or f"{self.kind}\n{self.campaign}\n{self.unit}\n{self.form}\n{self.to.email}\n{self.cause}"
        )
        return hashlib.sha256(about.encode()).hexdigest()[:24]
