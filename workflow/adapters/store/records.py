"""What the store answers with, beside the domain's own records. Every instant comes back in Asia/Shanghai."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from workflow.domain.form import Value
from workflow.domain.submission import AttachmentOutcome, Bucket


@dataclass(frozen=True, slots=True)
class LedgerCheck:
    """What verifying the chain found: how many events hold, the hash of the last of them, and the first fault in
    Chinese words (None: the whole chain holds). `erased` counts the events whose personal payload a purge has erased, `lost`
    those where it is gone and no purge says so.
    """

    count: int
    head: str
    fault: str | None = None
    erased: int = 0
    lost: int = 0


@dataclass(frozen=True, slots=True)
class StoredAnswers:
    """A submission's answers by field, the unit's notes by field, and the cells of answers that had moved; the version of the
    form that they answer.
    """

    answers: Mapping[str, Value]
    notes: Mapping[str, str]
    moved: Mapping[str, str]
    form_version: int = 0


class LetterState(StrEnum):
    """Where a letter is: `attempted` is in doubt, the relay may or may not have taken it."""

    QUEUED = "queued"
    ATTEMPTED = "attempted"
    SENT = "sent"
    DEFERRED = "deferred"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class LetterRow:
    """A letter of the outbox. `events` is the last number in its stream `letter:ID`; `blame` says whose fault a failure
    is: '' or `recipient` the address, `patience` too many refusals for now, `letter` the letter itself.
    """

    id: str
    kind: str
    campaign: str
    unit: str
    form: str
    priority: int
    sha: str
    message_id: str
    to: str
    name: str
    subject: str
    state: LetterState
    attempts: int
    queued_at: dt.datetime
    not_before: dt.datetime | None
    reply: str
    events: int
    blame: str = ""


@dataclass(frozen=True, slots=True)
class Pause:
    """When and with which words a relay last refused whoever sends, and until when the account rests. `times` counts such
    refusals with no letter taken in between; `events` is the last number in its stream `relay:NAME`.
    """

    at: dt.datetime
    until: dt.datetime
    reply: str
    times: int
    events: int


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A message that was taken in, and the one bucket that it ended in."""

    sha: str
    digest: str
    bucket: Bucket
    received_at: dt.datetime
    campaign: str
    unit: str
    sender: str
    subject: str
    message_id: str


@dataclass(frozen=True, slots=True)
class Failure:
    """A message on which the program broke `tries` times, the last time at `tried_at`, and what it said then. `not_before`
    is when it is tried again (None: at the next poll).
    """

    message: str
    tries: int
    tried_at: dt.datetime
    not_before: dt.datetime | None
    fault: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A place where a message was seen."""

    account: str
    folder: str
    uidvalidity: int
    uid: int


@dataclass(frozen=True, slots=True)
class AttachmentRow:
    """An attachment of a message, counted from 0, and its one outcome; `findings` is as the event gave it."""

    message: str
    index: int
    sha: str
    name: str
    outcome: AttachmentOutcome
    campaign: str
    unit: str
    form: str
    findings: Any
    reason: str


@dataclass(frozen=True, slots=True)
class Settlement:
    """What staff decided on a message in quarantine: `act` is `released`, as if `unit` had sent it, or `deleted`."""

    message: str
    number: int
    act: str
    unit: str
    by: str
    at: dt.datetime
    note: str


@dataclass(frozen=True, slots=True)
class LateReturn:
    """A workbook that came after its level's data had been reported; `seq` is its event's place in the ledger,
    `registered` says whether it came from the unit's own people.
    """

    campaign: str
    unit: str
    form: str
    seq: int
    received_at: dt.datetime
    message: str
    attachment: str
    form_version: int
    errors: int
    registered: bool


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """One part of a 回执表 that arrived; `number` is its event's in the stream `receipt:CAMPAIGN/UNIT`."""

    campaign: str
    unit: str
    number: int
    part: str
    sha: str
    message: str
    arrived_at: dt.datetime
    accepted_by: str
    accepted_at: dt.datetime | None
    note: str


@dataclass(frozen=True, slots=True)
class MadeBook:
    """A consolidated workbook that was made; `version` counts those of its unit in the campaign, `seq` is the last event
    of the ledger that its content takes account of.
    """

    campaign: str
    unit: str
    version: int
    token: str
    sha: str
    path: str
    cut_off: dt.datetime | None
    made_at: dt.datetime
    seq: int = 0


@dataclass(frozen=True, slots=True)
class StaffQuery:
    """An item on staff's list, as its event gave it."""

    number: int
    at: dt.datetime
    data: Mapping[str, Any]
    personal: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class MailCounts:
    """The conservation totals: `received` is the sum of `buckets`; `attachments` counts them by outcome."""

    received: int
    buckets: Mapping[str, int] = field(default_factory=dict)
    attachments: Mapping[str, int] = field(default_factory=dict)
    queued: int = 0
    sent: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class TraceRow:
    """One version in which a unit answered a field: the answer, and the message and attachment that brought it. `field` is
    the cell's name where a table's column was asked for; `cell` is set where the answer was not in the form's own cell.
    """

    field: str
    submission: str
    form: str
    form_version: int
    number: int
    received_at: dt.datetime
    value: Value
    note: str
    cell: str
    message: str
    sender: str
    subject: str
    attachment: str
    attachment_name: str
    returned: bool
    approved: bool
    disowned: bool = False


@dataclass(frozen=True, slots=True)
class LegacyTrace:
    """A value that was taken over from the old system: the id under which it stands, when and by whom, the file with its sha256,
    the cell, the value.
    """

    submission: str
    taken_at: dt.datetime
    by: str
    file: str
    sha: str
    cell: str
    value: Value


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a folder was polled. `polled_from` is when the last successful poll began (None: never)."""

    uidvalidity: int
    last_uid: int
    polled_from: dt.datetime | None = None
