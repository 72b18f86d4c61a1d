"""The answer to a part of a 回执表: that it came, what is still missing or wrong, and from when its people are registered."""

from __future__ import annotations

import datetime as dt

from workflow.domain.letters import LetterKind, LetterOrder
from workflow.domain.matching import Sender
from workflow.domain.privacy import mask_address
from workflow.domain.receipt_standing import PARTS, ReceiptStanding, doubts, lacking
from workflow.domain.roster import Recipient, Role
from workflow.domain.submission import AttachmentFate
from workflow.process.replaced import moved
from workflow.process.situation import Situation
from workflow.process.strangers import once_a_day


def acknowledged(
    message: str, at: dt.datetime, fate: AttachmentFate, who: Sender, standing: ReceiptStanding, situation: Situation
) -> tuple[LetterOrder, ...]:  # fmt: skip
    """One letter for a message about a unit, however many of its parts came in it: to a registered sender, else to the unit's
    registered address, once a day.
    """
    unit, campaign = fate.unit, situation.campaign
    assert campaign is not None
    case = situation.case_of(unit)
    if who.registered:
        contact = next((one for one in who.contacts if one.unit == unit), who.contacts[0])
        to: Recipient | None = Recipient(who.address, contact.name, contact.unit, contact.role)
    else:
        to = situation.roster.recipient(unit, Role.ADMINISTRATOR, at.date())
    if to is None:
        return ()
    came = [PARTS[part] for part in PARTS if (one := standing.newest(part)) and one.message == message]
    order = LetterOrder(
        LetterKind.ACKNOWLEDGEMENT, campaign.id, unit, case.form if case else "", to, at, f"{message}#receipt",
        {
            "received_at": at, "form_title": "", "version_no": 1, "queries": [],
            "file_name": fate.name if len(came) == 1 else "", "kind_word": f"回执表{'和'.join(came)}",
            "also": _also(who, standing, situation, at), "replaced": moved(who, unit, situation.roster, at.date()),
        },
        token=case.token if case else "",
    )  # fmt: skip
    return (order if who.registered else once_a_day(order),)


def _also(who: Sender, standing: ReceiptStanding, situation: Situation, at: dt.datetime) -> list[str]:
    said = []
    if not who.registered:
        said.append(f"该件由未登记的地址 {mask_address(who.address)} 发来，不是你单位报送的，请回复说明")
    if missing := lacking(standing):
        due = situation.campaign.receipt_due if situation.campaign else None
        until = f"，请于{due.year}年{due.month}月{due.day}日前补报" if due else "，请补报"
        said.append(f"尚缺回执表{'和'.join(missing)}{until}")
    if standing.accepted:
        said.append(
            f"扫描件与电子版核对一致，自{at.year}年{at.month}月{at.day}日起，信函和审核权限以表上所列人员为准"
        )
    return [f"{line}。" for line in (*said, *doubts(standing))]
