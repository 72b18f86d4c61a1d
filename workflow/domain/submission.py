"""A submission 填报件: what came back, how it was read, and where every message and attachment ends.

The buckets and outcomes are those of the flow of a mail: each message and each attachment ends in exactly one,
so that the totals add up (conservation).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from workflow.domain.consultation import NO_TALK, Talk
from workflow.domain.form import Severity, Value
from workflow.domain.receipt_copy import ReceiptCopy

#: What stands in a cell before it is understood. An error cell is `CellError`; a blank is None.
RawValue = bool | int | float | str | dt.date | dt.datetime | dt.time | None


class Bucket(StrEnum):
    """Where a message ends: the first that applies."""

    OWN = "own"
    BOUNCE = "bounce"
    AUTO_REPLY = "auto_reply"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"
    REVIEW = "review"
    WITHDRAWAL = "withdrawal"
    SUBMISSION = "submission"
    RECEIPT = "receipt"
    CONFIRMATION = "confirmation"
    REQUEST = "request"
    PROBLEM = "problem"
    UNMATCHED = "unmatched"
    EMPTY = "empty"
    FAILED = "failed"


class AttachmentOutcome(StrEnum):
    """Where an attachment ends."""

    ACCEPTED = "accepted"
    RETURNED = "returned"
    MATCHED = "matched"
    REVIEW = "review"
    STALE = "stale"
    LATE = "late"
    UNREADABLE = "unreadable"
    ENCRYPTED = "encrypted"
    MACRO = "macro"
    HOSTILE = "hostile"
    FOREIGN = "foreign"
    UNSUPPORTED = "unsupported"
    IGNORED = "ignored"
    DUPLICATE = "duplicate"


#: What a person looks at: messages that could not be tied to a unit, and files that were not opened or are none of ours.
WAITING_BUCKETS = frozenset({Bucket.QUARANTINED, Bucket.UNMATCHED})
WAITING_OUTCOMES = frozenset({AttachmentOutcome.HOSTILE, AttachmentOutcome.MACRO, AttachmentOutcome.FOREIGN})
#: What has been used: such a file stays as it ended, and its message is not deleted.
TAKEN_OUTCOMES = frozenset(
    {
        AttachmentOutcome.ACCEPTED,
        AttachmentOutcome.RETURNED,
        AttachmentOutcome.MATCHED,
        AttachmentOutcome.REVIEW,
        AttachmentOutcome.STALE,
        AttachmentOutcome.LATE,
    }
)


class ReadOutcome(StrEnum):
    """What the reader of a file found; all but the first three are outcomes of the attachment as they stand."""

    ANSWERS = "answers"
    REVIEW = "review"
    RECEIPT = "receipt"
    UNREADABLE = "unreadable"
    ENCRYPTED = "encrypted"
    MACRO = "macro"
    HOSTILE = "hostile"
    FOREIGN = "foreign"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class CopyIdentity:
    """Which copy a workbook is: printed, hidden and in the document's properties. It routes and proves nothing."""

    campaign: str
    unit: str
    form: str
    version: int
    copy: int
    token: str


@dataclass(frozen=True, slots=True)
class CellError:
    """A cell that holds an Excel error (`#DIV/0!`) or a formula without a cached value (`#无值`): not a blank. `LOST` is an
    answer whose place could not be found in a damaged workbook.
    """

    code: str


LOST = "#未找到"


@dataclass(frozen=True, slots=True)
class Decision:
    """One row of a reviewer's workbook that carries a decision. `version_no` is the submission that was reviewed; `form` is
    empty for a row of the 下级上报 sheet, which decides on the unit's whole package, in the report `version_no`.
    `remarks` are the comments on the row's indicator cells, by field; where the field can't be told, by its heading. `talk` is
    what stands in the fields of 沟通确认, in the 下级上报 sheet only.
    """

    sheet: str
    row: int
    unit: str
    form: str
    version_no: int
    verdict: str
    note: str
    remarks: Mapping[str, str] = field(default_factory=dict)
    talk: Talk = NO_TALK


@dataclass(frozen=True, slots=True)
class ReviewReading:
    """A consolidated workbook that came back: whose level, which version of it, and the decisions in it.
    `report` is what stands in the cover's 上报意见 cell, blank when nothing was chosen.
    """

    campaign: str
    level_unit: str
    book_version: int
    token: str
    decisions: tuple[Decision, ...]
    report: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the reader makes of one file.

    `identity` is set when the copy could be told; `answers` maps each field that has a cell to what stands there
    (blanks left out); `moved` gives the address of an answer that was not found in its own cell; `reason` is
    Chinese and says why a file could not be read. `notes` say what the reader itself changed, by field or table.
    `by_labels` is true where the answers were found by the words around them and not by their addresses; `inside` holds the
    files of an archive that has several; `unlocked` is true where a registered password opened it; `copy` is what an
    electronic copy of 附件2 says.
    """

    outcome: ReadOutcome
    identity: CopyIdentity | None = None
    answers: Mapping[str, RawValue | CellError] = field(default_factory=dict)
    moved: Mapping[str, str] = field(default_factory=dict)
    review: ReviewReading | None = None
    reason: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)
    by_labels: bool = False
    inside: tuple[Enclosed, ...] = ()
    unlocked: bool = False
    copy: ReceiptCopy | None = None


@dataclass(frozen=True, slots=True)
class Enclosed:
    """A file inside an archive: its name there, its sha256, its size in bytes and what was read. `data` are its bytes where
    it may be part of a 回执表, which is kept by itself.
    """

    name: str
    sha: str
    size: int
    reading: Reading
    data: bytes = field(default=b"", repr=False)


#: The endings of files that may be a 回执表's scan or electronic copy and are no workbook.
RECEIPT_PARTS = (".pdf", ".jpg", ".jpeg", ".png", ".tif", ".tiff", ".heic", ".bmp", ".doc", ".docx", ".wps")


@dataclass(frozen=True, slots=True)
class Finding:
    """A 问题 in an answer: which check, how grave, where, what was found and what is wanted (Chinese).
    `code` names an entry of the catalogue in `domain.checks`.
    """

    code: str
    severity: Severity
    field: str
    label: str
    cell: str
    found: str
    message: str


@dataclass(frozen=True, slots=True)
class Submission:
    """One version of a unit's data for one case, as the projections keep it (the answers lie apart, by `answers`).

    `number` counts the versions of the case from 1; `errors` and `queries` count its findings; `returned` is true
    once a reviewer or the check sent it back; `no_change` marks a 无变化确认, whose answers are last period's; `unregistered`
    a version from an address that is not the unit's own, until the unit confirms it (`confirmed_at`); one that the unit
    `disowned` is no version of its data any more.
    """

    id: str
    campaign: str
    unit: str
    form: str
    form_version: int
    number: int
    received_at: dt.datetime
    message: str
    attachment: str
    answers: str
    errors: int
    queries: int
    returned: bool = False
    approved: bool = False
    no_change: bool = False
    unregistered: bool = False
    confirmed_at: dt.datetime | None = None
    disowned: bool = False


Answers = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class AttachmentFate:
    """Where one attachment ended; a row of the conservation table."""

    index: int
    name: str
    sha: str
    outcome: AttachmentOutcome
    unit: str = ""
    form: str = ""
    campaign: str = ""
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    remedy: str = ""  # for the letter, where the outcome's own does not fit
