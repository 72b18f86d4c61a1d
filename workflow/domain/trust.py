"""Who is speaking 来信人身份: how far a message is trusted, and what may happen at each level.

The registered address, the token, the thread and the receiving server's word are combined into one level. None of them
proves anything alone: an address can be written by anybody, a token is forwarded between people. The table stands in
docs/trust.md, which the tests hold to this one.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from workflow.domain.authentication import Assurance


class Trust(StrEnum):
    """How far a sender is trusted to speak for a unit, from the least."""

    FORGED = "发件人验证失败"  # the server says that the mail is not from that address
    UNKNOWN = "发件人不明"  # no From that can be read in one way only
    STRANGER = "地址未登记"
    ROUTED = "地址未登记、有编号"
    REPLACED = "原登记地址、已变更"  # of whoever held the role until a short while ago
    DOUBTED = "登记地址、未通过验证"
    NAMED = "仅有登记地址"
    TIED = "登记地址、有编号"
    VOUCHED = "登记地址、已通过验证"


class Act(StrEnum):
    """What a message may want done."""

    DATA = "报送数据"
    RECEIPT = "报送回执表"
    NO_CHANGE = "无变化确认"
    DECISION = "审核上报"
    WITHDRAWAL = "撤报申请"
    ASSENT = "确认他人来件"
    ANSWER = "答复来信地址"
    SIGNATURE = "签收账号"


class Effect(StrEnum):
    """What comes of it."""

    COUNTS = "采用"
    NOTED = "采用并注明"
    FIRST = "首次采用并注明，其后待确认"
    HELD = "待登记地址确认"
    STAFF = "转工作人员"
    NOTHING = "不采用"


_ACTS = tuple(Act)


def _row(*effects: Effect) -> Mapping[Act, Effect]:
    return dict(zip(_ACTS, effects, strict=True))


_C, _N, _F, _H, _S, _X = Effect
#: What may happen at each level, in the order of the acts.
MAY: Mapping[Trust, Mapping[Act, Effect]] = {
    Trust.FORGED: _row(_H, _S, _X, _H, _X, _X, _X, _X),
    Trust.UNKNOWN: _row(_F, _S, _X, _H, _X, _X, _X, _X),
    Trust.STRANGER: _row(_S, _S, _X, _H, _X, _X, _X, _X),
    Trust.ROUTED: _row(_F, _N, _X, _H, _X, _X, _X, _X),
    Trust.REPLACED: _row(_C, _N, _C, _X, _X, _X, _C, _X),
    Trust.DOUBTED: _row(_N, _N, _X, _H, _H, _X, _C, _X),
    Trust.NAMED: _row(_S, _C, _X, _H, _C, _X, _C, _X),
    Trust.TIED: _row(_C, _C, _C, _C, _C, _C, _C, _C),
    Trust.VOUCHED: _row(_C, _C, _C, _C, _C, _C, _C, _C),
}


def level(address: str, said: Assurance, *, registered: bool, tied: bool, replaced: bool = False) -> Trust:
    """The level of a sender: the address ('' where it can't be told), what the receiving server says of it, whether it is
    `registered` for what it speaks of, or was until it was `replaced`, and whether a token or the thread of one of our
    letters ties the message to it.
    """
    if said is Assurance.REFUTED:
        return Trust.FORGED
    if not address:
        return Trust.UNKNOWN
    if not registered:
        return Trust.ROUTED if tied else Trust.STRANGER
    if replaced:
        return Trust.REPLACED
    if said is Assurance.PASSED:
        return Trust.VOUCHED
    if said is Assurance.FAILED:
        return Trust.DOUBTED
    return Trust.TIED if tied else Trust.NAMED


def may(trust: Trust, act: Act) -> Effect:
    """What comes of an act at a level."""
    return MAY[trust][act]
