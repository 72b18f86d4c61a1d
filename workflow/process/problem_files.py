"""The one letter about files that could not be used: each with why not, and what to do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from workflow.domain.letters import LetterKind, LetterOrder
from workflow.domain.matching import Sender
from workflow.domain.roster import Recipient, Role
from workflow.domain.submission import AttachmentFate, AttachmentOutcome
from workflow.process.situation import Outcome, Situation
from workflow.process.strangers import once_a_day

LINK = "邮件中只有文件的下载链接，没有附件本身，系统不从网上下载文件；填报工作簿只有几十KB，作为普通附件即可"

_REASONS = {
    AttachmentOutcome.UNREADABLE: "文件已损坏或无法打开",
    AttachmentOutcome.ENCRYPTED: "文件设置了打开密码",
    AttachmentOutcome.MACRO: "文件中含有宏",
    AttachmentOutcome.HOSTILE: "文件结构异常，为安全起见未予打开",
    AttachmentOutcome.FOREIGN: "不是本次下发的填报工作簿",
    AttachmentOutcome.UNSUPPORTED: "文件类型不能用于填报",
}
_REMEDIES = {
    AttachmentOutcome.UNREADABLE: "请重新打开原工作簿，另存后再次发送",
    AttachmentOutcome.ENCRYPTED: "请取消打开密码后再次发送；确需加密的，请先电话告知打开密码（不要写在邮件里），登记后再发送",
    AttachmentOutcome.MACRO: "请另存为不含宏的 .xlsx 文件后再次发送",
    AttachmentOutcome.HOSTILE: "请在下发的工作簿中填写后再次发送",
    AttachmentOutcome.FOREIGN: "请在下发给本单位的工作簿中填写后再次发送",
    AttachmentOutcome.UNSUPPORTED: "请发送填写好的 Excel 工作簿",
}


def letter_about(
    problems: Sequence[AttachmentFate], unit: str, who: Sender, situation: Situation,
    message: str, message_id: str, received_at: dt.datetime,
) -> Outcome:  # fmt: skip
    """To the sender where registered, else to the unit that the message is about."""
    campaign = situation.campaign
    assert campaign is not None
    to: Recipient | None
    if who.registered:
        to = Recipient(who.address, who.contacts[0].name, who.units[0], who.contacts[0].role)
    else:
        to = situation.roster.recipient(unit, Role.ADMINISTRATOR, received_at.date())
    if to is None:
        return Outcome()
    items = [
        {
            "name": fate.name,
            "reason": fate.reason or _REASONS[fate.outcome],
            "remedy": fate.remedy or _REMEDIES[fate.outcome],
        }
        for fate in problems
    ]
    case = situation.case_of(unit)
    letter = LetterOrder(
        LetterKind.PROBLEM_FILE, campaign.id, unit, case.form if case else "", to, received_at, message,
        context={"items": items}, token=case.token if case else "", reply_to=message_id,
    )  # fmt: skip
    return Outcome(letters=(letter if who.registered else once_a_day(letter),))
