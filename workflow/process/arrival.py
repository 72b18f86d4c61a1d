"""A message that has arrived 来件 with what was read of it, and the files that a question of ours was about."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from workflow.domain.events import Event
from workflow.domain.message import Message, Sighting
from workflow.domain.receipt import ScanReading
from workflow.domain.submission import AttachmentFate, Reading


@dataclass(frozen=True, slots=True)
class Released:
    """A person's word on a message in quarantine: it is `unit`'s. `kept` are the ends of those files in it that have been used
    already and are not looked at again.
    """

    unit: str
    kept: tuple[AttachmentFate, ...] = ()


@dataclass(frozen=True, slots=True)
class Arrival:
    """One kept message with what the readers made of its attachments, by attachment index. `words` are what the person
    wrote above the quotation of our letter; `number` is that of its event, more than 1 for one that failed before or was
    released.
    """

    sha: str
    digest: str
    received_at: dt.datetime
    message: Message
    words: str
    readings: Mapping[int, Reading]
    attachment_shas: Mapping[int, str]
    sighting: Sighting | None = None
    number: int = 1
    released: Released | None = None
    scans: Mapping[int, ScanReading] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AskedFile:
    """A workbook that came in a unit's name and that we asked the unit about. `held` says that it was not taken; then `arrival`
    is its message read again, released as the unit's, and `gone` why that can't be (Chinese). `ended` says of one that made no
    version why; `answered` that the unit has answered already.
    """

    message: str
    unit: str
    form: str
    received_at: dt.datetime
    held: bool = False
    arrival: Arrival | None = None
    gone: str = ""
    ended: str = ""
    answered: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What one letter asked about, in the order in which it lists it, and the last number of its stream."""

    number: int
    files: tuple[AskedFile, ...]

    def after(self, event: Event) -> Asked:
        """The same once an answer is on record."""
        done = {(said["message"], said["unit"]) for said in event.data["files"]}
        files = tuple(
            replace(one, answered=one.answered or (one.message, one.unit) in done) for one in self.files
        )
        return Asked(event.number, files)
