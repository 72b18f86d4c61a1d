"""What our questions were about 所询来件, read again from the kept mail when their answers come."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from workflow.adapters.store import AttachmentRow, Store
from workflow.adapters.store.records import LetterRow
from workflow.domain.errors import OutsideFailed
from workflow.domain.events import Event
from workflow.domain.letters import LetterKind
from workflow.domain.submission import AttachmentOutcome
from workflow.process.arrival import Arrival, Asked, AskedFile, Released
from workflow.process.release import fate_of
from workflow.process.situation import Held
from workflow.process.strangers import WITHHELD

#: Why a workbook that waits for its unit's word can't be taken any more.
SETTLED = "该来件已由工作人员处置，不再办理"
LOST = "原邮件已不在存档中（已删除或者已过保存期限），请用登记的邮箱重新发送该工作簿"


@dataclass(frozen=True)
class Recall:
    """`read` gives a kept message by its sha and time as if it arrived; it raises OutsideFailed where it is lost."""

    store: Store
    read: Callable[[str, dt.datetime], Arrival]

    def decisions(self, letters: Iterable[LetterRow]) -> dict[str, Held]:
        """The held decisions that these letters asked about, by the letter's id; what still waits is read again."""
        held: dict[str, Held] = {}
        for letter, events in self._streams("review", letters, LetterKind.DECISION_CONFIRM).items():
            first, last = events[0], events[-1]
            shas = first.data.get("messages") or [first.data["message"]]
            one, *others = (self._piece(sha, first.at, last.number) for sha in shas)
            held[letter] = replace(one, others=tuple(others))
        return held

    def files(self, letters: Iterable[LetterRow]) -> dict[str, Asked]:
        """The workbooks that these letters asked about, by the letter's id; what still waits is read again."""
        found: dict[str, Asked] = {}
        for letter, events in self._streams("sender", letters, LetterKind.UNKNOWN_SENDER).items():
            listed = events[0].data["files"]
            asked = Asked(1, tuple(_unread(said) for said in listed))
            for answer in events[1:]:
                asked = asked.after(answer)
            rows = self.store.attachments_of({one.message for one in asked.files})
            files = tuple(one if one.answered else self._file(one, rows[one.message]) for one in asked.files)
            found[letter] = replace(asked, files=files)
        return found

    def _streams(
        self, what: str, letters: Iterable[LetterRow], kind: LetterKind
    ) -> Mapping[str, list[Event]]:
        """What is on record about each letter of a kind, by its id."""
        asking = [f"{what}:{row.id}" for row in letters if row.kind == kind]
        found = self.store.histories(asking) if asking else {}
        return {stream.partition(":")[2]: [event for _, event in events] for stream, events in found.items()}

    def _piece(self, sha: str, at: dt.datetime, number: int) -> Held:
        """A held message; what stood in it is read again while it waits for its answer."""
        if number == 1:
            with contextlib.suppress(OutsideFailed):  # lost or damaged: the answer asks for it again
                arrival = self.read(sha, at)
                reviews = [reading.review for reading in arrival.readings.values() if reading.review]
                return Held(sha, 1, arrival.words, tuple(reviews))
        return Held(sha, number)

    def _file(self, one: AskedFile, rows: Collection[AttachmentRow]) -> AskedFile:
        """A workbook that waits for its unit's word, with its message where that can still be taken."""
        own = [row for row in rows if row.unit == one.unit]
        if not one.held:
            unused = [row.reason for row in own if row.outcome not in _VERSIONS]
            return replace(one, ended=next(iter(unused), "")) if len(unused) == len(own) else one
        if not any(row.reason in WITHHELD for row in own) or self.store.deleted([one.message]):
            return replace(one, gone=SETTLED)
        kept = tuple(fate_of(row) for row in rows if row.unit != one.unit or row.reason not in WITHHELD)
        stream = f"message:{one.message}"
        try:
            arrival = self.read(one.message, one.received_at)
        except OutsideFailed:
            return replace(one, gone=LOST)
        number = self.store.next_numbers([stream])[stream] + 1
        return replace(one, arrival=replace(arrival, number=number, released=Released(one.unit, kept)))


_VERSIONS = frozenset({AttachmentOutcome.ACCEPTED, AttachmentOutcome.RETURNED})


def _unread(said: Mapping[str, str | bool]) -> AskedFile:
    """A workbook as the question noted it."""
    moment = dt.datetime.fromisoformat(str(said["received_at"]))
    return AskedFile(
        str(said["message"]), str(said["unit"]), str(said["form"]), moment, held=bool(said["held"])
    )
