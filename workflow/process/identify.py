"""Which case a workbook answers: its token, its labels, the thread and the sender, held against each other.

A copy that is whole is routed by its token alone. One whose answers had to be looked for by their labels is taken only where
token, form and sender agree; where they don't, or where no token is left at all and the thread does not give one, a person
decides: the message is `quarantined`, the file kept, and the sender told how to report without waiting.
"""

from __future__ import annotations

from dataclasses import dataclass

from workflow.domain.lifecycle import Case
from workflow.domain.matching import Sender, speaks_for
from workflow.domain.submission import Reading
from workflow.process.situation import CaseKey, Situation


@dataclass(frozen=True, slots=True)
class Identified:
    """The case and the number of the copy."""

    case: Case
    copy: int


@dataclass(frozen=True, slots=True)
class Unidentified:
    """Why the case can't be told; `doubtful` where a person could."""

    reason: str
    doubtful: bool = False


_ASK = "已留存并转工作人员核对；为免延误，请在下发给本单位的工作簿中填写，直接回复下发通知的邮件"


def identify(
    reading: Reading, situation: Situation, who: Sender, thread: CaseKey | None
) -> Identified | Unidentified:
    """Hold what is known of a workbook against each other."""
    identity = reading.identity
    if identity is None:
        return Unidentified("工作簿中的编号不在本系统发出的范围内")
    found = situation.tokens.get(identity.token)
    if not identity.token and reading.by_labels:
        return _by_thread(reading, situation, who, thread)
    if found is None:
        return Unidentified("工作簿中的编号不在本系统发出的范围内")
    key, copy = found
    case = situation.cases.get(key)
    if case is None or (identity.unit and identity.unit != case.unit):
        return Unidentified("工作簿中的编号与单位代码不一致")
    if case.unit not in situation.roster.units:
        return Unidentified("工作簿所属单位已不在名册中")
    if reading.by_labels:
        if identity.form != case.form:
            return Unidentified(f"工作簿版式有改动，所印编号与表的种类不一致，{_ASK}", doubtful=True)
        if not speaks_for(situation.roster, who, case.unit):
            return Unidentified(f"工作簿版式有改动，发件地址又未登记为该单位，{_ASK}", doubtful=True)
    return Identified(case, copy)


def _by_thread(
    reading: Reading, situation: Situation, who: Sender, thread: CaseKey | None
) -> Identified | Unidentified:
    """A form without any token: the letter that it answers gives one, if form and sender agree with it."""
    case = situation.cases.get(thread) if thread else None
    identity = reading.identity
    if case is None or identity is None or case.unit not in situation.roster.units:
        return Unidentified(f"工作簿上没有令牌，无法确定是哪个单位的，{_ASK}", doubtful=True)
    if identity.form != case.form or not speaks_for(situation.roster, who, case.unit):
        return Unidentified(
            f"工作簿上没有令牌，表的种类或发件地址与所回复的通知不一致，{_ASK}", doubtful=True
        )
    return Identified(case, case.copy)
