"""The parts of a 回执表 that are no workbooks: scans read in a process of their own, older text documents made into .docx.

Reading a page takes seconds, so only what may be a receipt is read: where the campaign asks for receipts, from people of a unit
that owes one or above it, or from an address that nobody has registered.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from workflow.adapters.conversion import Converter
from workflow.adapters.files import Files
from workflow.adapters.scan.worker import ScanReader
from workflow.adapters.store import Store
from workflow.adapters.workbook.pool import ReaderPool
from workflow.domain.campaign import SHANGHAI, Campaign
from workflow.domain.matching import Sender, sender
from workflow.domain.message import Attachment
from workflow.domain.receipt import ScannedPage, ScanReading
from workflow.domain.roster import Roster
from workflow.domain.submission import Reading, ReadOutcome
from workflow.process.gather import running
from workflow.process.parts import Opened
from workflow.process.receipts import ASKED

if TYPE_CHECKING:
    from workflow.process.arrival import Arrival
    from workflow.process.situation import Outcome

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
_TEXTS = (".doc", ".wps", ".dot")
#: A page that was pasted into the letter's text is larger than a signature's picture.
_LEAST_INLINE = 30_000
#: Of one message; its other files are for staff to look at.
_MOST_FILES = 12

NO_OFFICE = "附件是Word文档，系统不能打开这种格式"
#: By the address of a unit's form: every token that it may bear, made with the keys that are in force.
Tokens = Callable[[str, str], frozenset[str]]


@dataclass(frozen=True)
class Papers:
    """What reads them. `tokens` gives those of a unit's form in a campaign."""

    scans: ScanReader
    converter: Converter
    tokens: Tokens

    def read_all(
        self, opened: Mapping[str, Opened], came: Mapping[str, dt.datetime], store: Store,
        roster: Roster | None, readers: ReaderPool, grace: int = 0,
    ) -> dict[str, Opened]:  # fmt: skip
        """The messages by their keys, with what is read of those that may bring a receipt; `came` says of those that may be
        read when they arrived, `grace` how many days an address is known after another took its place.
        """
        known = running(store)
        asking = next((one for one in reversed(known) if one.receipt_due), None)
        found, campaign = dict(opened), asking
        for key, at in came.items():
            parts = opened[key]
            if roster is not None and parts.message.attachments:
                day = at.astimezone(SHANGHAI).date()
                who = sender(roster, parts.message.sender, day, grace=grace)
                if wanted(campaign, who, roster):
                    found[key] = self.read(parts, who, roster, readers)
        return found

    def genuine(self, campaign: Campaign, units: Collection[str]) -> dict[str, frozenset[str]]:
        """The tokens that the units' forms bear."""
        return {unit: self.tokens(campaign.id, unit) for unit in units}

    def read(self, opened: Opened, who: Sender, roster: Roster, readers: ReaderPool) -> Opened:
        """A message with the scans among its attachments and its older documents read."""
        names = {unit.code: unit.name for unit in roster.units.values() if unit.kind in ASKED}
        readings = dict(opened.readings)
        scans: dict[int, ScanReading] = {}
        for part in _candidates(opened, inline=_serves_one(who, roster))[:_MOST_FILES]:
            reading = readings.get(part.index)
            if part.data.startswith(_OLE):
                readings[part.index] = self._document(part, readers)
            elif reading is None or reading.outcome is ReadOutcome.UNSUPPORTED:
                scans[part.index] = self.scans.read_scan(part.data, names)
        return replace(opened, readings=readings, scans=scans)

    def _document(self, part: Attachment, readers: ReaderPool) -> Reading:
        """A .doc or .wps by way of a .docx."""
        made = self.converter.to_docx(part.data, part.name)
        if made is None:
            return Reading(ReadOutcome.UNSUPPORTED, reason=NO_OFFICE)
        return readers.read_many([(f"{part.name}.docx", made)])[0]


def wanted(campaign: Campaign | None, who: Sender, roster: Roster) -> bool:
    """Whether a message may bring a receipt: a school's pictures are not read."""
    asks = campaign is not None and campaign.receipt_due is not None
    return asks and (not who.registered or _serves_one(who, roster))


def _serves_one(who: Sender, roster: Roster) -> bool:
    units = [roster.units[code] for code in who.units if code in roster.units]
    return any(unit.kind in ASKED or not unit.superior for unit in units)


def _candidates(opened: Opened, *, inline: bool) -> list[Attachment]:
    """Attached files first; pictures within the text only where nothing attached can be the scan."""
    parts = [part for part in opened.message.attachments if _may_be(part, opened.readings.get(part.index))]
    attached = [part for part in parts if not part.inline]
    if attached or not inline:
        return attached
    return [part for part in parts if len(part.data) >= _LEAST_INLINE]


def _may_be(part: Attachment, reading: Reading | None) -> bool:
    if reading is not None and (reading.outcome is not ReadOutcome.UNSUPPORTED or reading.inside):
        return False
    data = part.data
    if data.startswith(_OLE):
        return part.name.lower().endswith(_TEXTS)
    return (
        b"%PDF-" in data[:1024]
        or data.startswith((b"\xff\xd8\xff", b"\x89PNG", b"II*\x00", b"MM\x00*", b"BM", b"GIF8"))
        or (data.startswith(b"RIFF") and data[8:12] == b"WEBP")
        or (data[4:8] == b"ftyp" and data[8:12] in {b"heic", b"heix", b"mif1", b"msf1", b"hevc"})
        or (data.startswith(_ZIP) and part.name.lower().endswith(".docx"))
    )


def units_on(arrival: Arrival) -> set[str]:
    """The units that a message's scans and electronic copies name."""
    pages = [page for scan in arrival.scans.values() for page in scan.pages]
    marked = {page.mark.unit for page in pages if page.mark} | {page.unit for page in pages}
    for reading in arrival.readings.values():
        if reading.outcome is ReadOutcome.RECEIPT and reading.identity:
            marked.add(reading.identity.unit)
    return marked - {""}


def lay_side_by_side(files: Files, arrival: Arrival, outcome: Outcome) -> None:
    """The parts of a 回执表 stand in `receipts/` beside each other, where staff compare them by eye, and the cells of a scan as
    pictures. Of a file with several units' pages each unit gets its own.
    """
    arrived = [event for event in outcome.events if event.kind == "receipt.arrived"]
    streams: dict[int, set[str]] = {}
    for event in arrived:
        streams.setdefault(event.data["index"], set()).add(event.stream)
    for event in arrived:
        campaign, _, unit = event.stream.removeprefix("receipt:").partition("/")
        attachment = arrival.message.attachments[event.data["index"]]
        suffix, content = PurePath(attachment.name).suffix, attachment.data
        page = _page(arrival, event.data)
        if page is not None and page.whole and len(streams[attachment.index]) > 1:
            suffix, content = ".jpg", page.whole
        files.keep_receipt(campaign, unit, event.data["part"], suffix, content)
        if page is not None and page.pictures:
            named = {f"{role.value}{column.value}": png for (role, column), png in page.pictures.items()}
            files.keep_cells(campaign, unit, event.number, named)


def _page(arrival: Arrival, data: Mapping[str, Any]) -> ScannedPage | None:
    scan = arrival.scans.get(data["index"])
    pages = scan.pages if scan is not None and data.get("page") else ()
    return next((one for one in pages if (one.number, one.part) == (data["page"], data["form"])), None)
