"""附件2, the 负责人回执表: whose each part is, held against who sent it, and the two parts held against each other.

The notice asks 省辖市, 省直管县, 高校 and 省属中职 for it, as a stamped scan and as an electronic copy, in one mail or several.
A code with the unit's own token routes a page, then the unit's name, then the sender; none of them lets a stranger's page count
by itself. What the two parts make of each other stands in `domain/receipt_standing.py`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from workflow.domain.contacts import contradictions, people_named, unusable
from workflow.domain.events import Event
from workflow.domain.matching import Sender, trust_in
from workflow.domain.receipt import FoundBy, PageKind, ScannedPage, ScanReading
from workflow.domain.receipt_standing import (
    ELECTRONIC,
    SCAN,
    ReceiptStanding,
    beyond_doubt,
    decode_answers,
    encode_answers,
    held_together,
)
from workflow.domain.roster import UnitKind
from workflow.domain.submission import AttachmentFate, AttachmentOutcome, Bucket, Reading
from workflow.domain.trust import Act, Effect, Trust, may
from workflow.process.appoint import Decided, from_receipt
from workflow.process.receipt_letters import acknowledged
from workflow.process.situation import SYSTEM, Outcome, Situation

#: Section 五（四） of the notice; counties' people come through their city, a school's through its workbook.
ASKED = frozenset(
    {
        UnitKind.CITY,
        UnitKind.DIRECT_COUNTY,
        UnitKind.UNIVERSITY,
        UnitKind.MINISTRY_UNIVERSITY,
        UnitKind.PROVINCIAL_VOCATIONAL,
    }
)

_SCANS = (".pdf", ".jpg", ".jpeg", ".png", ".tif", ".tiff", ".heic", ".bmp")
_DOCUMENTS = (".doc", ".docx", ".wps")

NOT_ASKED = "本次任务不要求该单位报送回执表"
NOT_THEIRS = "回执表是另一个单位的，而发件地址不是该单位登记的，未予采用"
ANOTHER_TERM = "表上的二维码属于{campaign}，不是本次任务的回执表"
BLANK = "页面是空白的"
NOT_A_FORM = "图片或文件中没有负责人回执表"
OPEN = "看不出是哪个单位的回执表"
_RESCAN = "请把加盖公章的回执表按200 dpi左右重新扫描成PDF，或者平放拍照，四角和二维码要完整清晰，作为附件发送"
_USE_OURS = "请用本次任务通知所附的回执表填写、打印、盖章后再次发送"
_FROM_OWN = "请由该单位登记的邮箱发送"
_TYPE_IT = "请在通知所附的回执表（.xlsx）中填写后再次发送"


@dataclass(frozen=True, slots=True)
class Came:
    """How a file came: its message, its place, who sent it, and the unit of the thread that the message answers."""

    message: str
    at: dt.datetime
    fate: AttachmentFate
    who: Sender
    thread: str = ""
    meant: str = ""


def owes(situation: Situation, unit: str) -> bool:
    """Whether the campaign asks this unit for a receipt."""
    campaign = situation.campaign
    known = situation.roster.units.get(unit)
    return (
        campaign is not None
        and campaign.receipt_due is not None
        and known is not None
        and known.kind in ASKED
    )


def receipt_stream(campaign: str, unit: str) -> str:
    """The name of a receipt's events in the ledger."""
    return f"receipt:{campaign}/{unit}"


def take_copy(came: Came, reading: Reading, situation: Situation) -> Outcome:
    """The electronic copy, in whatever program it was written."""
    identity, copy = reading.identity, reading.copy
    unit, token = came.meant, ""
    if identity is not None:
        campaign = situation.campaign
        if identity.campaign and campaign is not None and identity.campaign != campaign.id:
            return _useless(came, ANOTHER_TERM.format(campaign=identity.campaign), _TYPE_IT)
        unit, token = identity.unit or came.meant, identity.token
    genuine = _genuine(situation, unit, token) if token else None
    answers = copy.answers if copy is not None else None
    data = {"part": ELECTRONIC, "token": token, "genuine": genuine}
    return _take(came, unit, data, encode_answers(answers), situation, tied=genuine is True)


def take_paper(came: Came, scanned: ScanReading | None, situation: Situation) -> Outcome | None:
    """A picture, PDF or text document: the receipt's scan or electronic copy where it shows a form or the unit owes one; None
    for anything else.
    """
    asked = bool(came.meant) and owes(situation, came.meant)
    if scanned is not None and (scanned.shows_form or asked):
        return take_scan(came, scanned, situation)
    name = came.fate.name.lower()
    part = SCAN if name.endswith(_SCANS) else ELECTRONIC if name.endswith(_DOCUMENTS) else ""
    return take_unread(came, part, situation) if part and asked else None


def take_unread(came: Came, part: str, situation: Situation) -> Outcome:
    """A file that nothing here reads: by its thread or sender, for staff to look at."""
    return _take(came, came.meant, {"part": part}, None, situation, tied=False)


def take_scan(came: Came, reading: ScanReading, situation: Situation) -> Outcome:
    """The forms in a file of scans, page by page, each to its unit. Blank pages beside forms count for nothing; what a file
    without any form is told says what to do. Where nothing reads cells here, a page without a code is its sender's.
    """
    wanted = [page for page in reading.pages if _may_be_form(page, reading)]
    if not wanted:
        return _nothing_in(came, reading)
    outcome, rests = Outcome(), list[AttachmentFate]()
    for page in wanted:
        part = _take_page(came, page, situation)
        situation = situation.after(part)
        outcome += replace(part, fates=())
        rests.append(part.fates[0])
    taken = [fate for fate in rests if fate.outcome is AttachmentOutcome.MATCHED]
    fate = (taken or rests)[0]
    others = [rest.reason for rest in rests if rest.reason and rest not in taken]
    units = sorted({rest.unit for rest in taken})
    if len(units) > 1:
        others.insert(0, f"内有{len(units)}个单位的回执表：{'、'.join(units)}")
    if taken:
        outcome = replace(outcome, bucket=None)
        fate = replace(fate, reason="；".join(dict.fromkeys([*others, *filter(None, [reading.trouble])])))
    return outcome + Outcome(fates=(fate,))


def _may_be_form(page: ScannedPage, reading: ScanReading) -> bool:
    return (
        page.kind is PageKind.FORM
        or page.found_by is FoundBy.NAME
        or (page.kind is PageKind.OTHER and not reading.cells)
    )


def _nothing_in(came: Came, reading: ScanReading) -> Outcome:
    """A file without any form: the first trouble, then that it shows something else, then that it is blank."""
    broken = [page for page in reading.pages if page.kind is PageKind.UNREADABLE]
    if broken or not reading.pages:
        said, _, remedy = (broken[0].trouble if broken else reading.trouble).partition("；")
        return _useless(came, said, remedy or _RESCAN, AttachmentOutcome.UNREADABLE)
    blank = all(page.kind is PageKind.BLANK for page in reading.pages)
    return _useless(came, BLANK if blank else NOT_A_FORM, _RESCAN)


def _take_page(came: Came, page: ScannedPage, situation: Situation) -> Outcome:
    mark, campaign = page.mark, situation.campaign
    unit, found_by, genuine = page.unit, page.found_by.value, None
    if mark is not None:
        if campaign is not None and mark.campaign != campaign.id.upper():
            return _useless(came, ANOTHER_TERM.format(campaign=mark.campaign), _USE_OURS)
        genuine = _genuine(situation, mark.unit, mark.token)
    if not unit:
        unit, found_by = came.meant, "sender"
    data = {
        "part": SCAN,
        "page": page.number,
        "form": page.part,
        "token": mark.token if mark else "",
        "genuine": genuine,
        "seal": page.seal.value,
        "found_by": found_by,
        "trouble": page.trouble,
    }
    return _take(came, unit, data, encode_answers(page.answers), situation, tied=genuine is True)


def _genuine(situation: Situation, unit: str, token: str) -> bool:
    """Whether a token is one that the unit's own form bears."""
    return token in situation.receipt_tokens.get(unit, frozenset())


def _take(
    came: Came, unit: str, data: Mapping[str, object], answers: Sequence[Sequence[Any]] | None,
    situation: Situation, *, tied: bool,
) -> Outcome:  # fmt: skip
    """Note that a part has arrived, and hold it against the other where that is there; a newer one stands beside an older.
    Whom it counts from stands in the table of `domain/trust.py`; who is not sure to be the unit's own is marked.
    """
    campaign = situation.campaign
    if unit and (campaign is None or not owes(situation, unit)):
        return _useless(came, NOT_ASKED, "", AttachmentOutcome.UNSUPPORTED)
    if not unit or campaign is None:
        return _useless(came, OPEN, _USE_OURS)
    trust = trust_in(situation.roster, came.who, unit, tied=tied or came.thread == unit)
    effect = may(trust, Act.RECEIPT)
    elsewhere = trust is Trust.ROUTED and came.who.registered  # somebody of another unit has its form
    if elsewhere or effect is Effect.STAFF:
        return _held(came, unit, situation)
    registered = effect is Effect.COUNTS
    stream = receipt_stream(campaign.id, unit)
    standing = situation.receipts.get(stream, ReceiptStanding())
    arrived = {
        "sha": came.fate.sha, "message": came.message, "index": came.fate.index, "registered": registered, **data,
    }  # fmt: skip
    known = situation.roster.units[unit]
    personal: dict[str, Any] = {"name": came.fate.name, "answers": answers}
    if data["part"] == ELECTRONIC and (typed := decode_answers(answers)) is not None:
        named = people_named(typed, known.kind)
        people = situation.roster.contacts_of(unit)
        against = contradictions(people, named, came.at.date())
        personal["against"] = [*against, *unusable(named, situation.policy.own_address)]
    events = [
        Event(
            stream, standing.number + 1, "receipt.arrived", came.at, SYSTEM, came.message, arrived, personal
        )
    ]
    standing = standing.after("receipt.arrived", standing.number + 1, came.at, arrived, personal)
    compared = held_together(standing, known.kind)
    if compared is not None:
        number = standing.number + 1
        events.append(Event(stream, number, "receipt.compared", came.at, SYSTEM, came.message, compared))
        standing = standing.after("receipt.compared", number, came.at, compared, {})
        if situation.policy.accept_receipts and beyond_doubt(standing):
            said = {"by": SYSTEM, "note": "扫描件与电子版一致，按设置自动办结"}
            events.append(Event(stream, number + 1, "receipt.accepted", came.at, SYSTEM, came.message, said))
            standing = standing.after("receipt.accepted", number + 1, came.at, said, {})
            decided = Decided(SYSTEM, came.at, came.message)
            day = came.at.date()
            if changed := from_receipt(situation.roster, situation.contacts, unit, standing, day, decided):
                events.append(changed)
    matched = replace(
        came.fate, outcome=AttachmentOutcome.MATCHED, unit=unit, campaign=campaign.id, reason=""
    )
    letters = acknowledged(came.message, came.at, matched, came.who, standing, situation)
    return Outcome(events=tuple(events), letters=letters, fates=(matched,))


def _held(came: Came, unit: str, situation: Situation) -> Outcome:
    """A page of another unit than the sender's: staff are told, nothing counts."""
    known = situation.roster.units[unit]
    matter = f"{known.name}（{known.code}）的回执表来自不是该单位登记的地址，未予采用，请核实"
    query = Event(
        "staff", 0, "staff.query", came.at, SYSTEM, came.message, {"unit": unit}, {"matter": matter}
    )
    fate = replace(came.fate, outcome=AttachmentOutcome.FOREIGN, reason=NOT_THEIRS, remedy=_FROM_OWN)
    return Outcome(events=(query,), fates=(fate,), bucket=Bucket.QUARANTINED)


def _useless(
    came: Came, reason: str, remedy: str, outcome: AttachmentOutcome = AttachmentOutcome.UNSUPPORTED
) -> Outcome:
    return Outcome(fates=(replace(came.fate, outcome=outcome, reason=reason, remedy=remedy),))
