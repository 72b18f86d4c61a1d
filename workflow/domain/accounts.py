"""Accounts 账号 on their way down the tree: what is handed on, where each unit's stand, who is told when nobody signs for them.

The ministry makes and manages every account (article 13); a province hands them on level by level, unchanged. Nothing here holds
a password: those of a unit lie in the workspace's private file until the unit has signed for them.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from workflow.domain.campaign import midnight
from workflow.domain.roster import Role, Roster
from workflow.domain.workdays import Workdays


@dataclass(frozen=True, slots=True)
class Account:
    """An account as the ministry's list has it, `former` being the name of the account in the old system 一期系统. The initial
    password is never shown, not even in a traceback.
    """

    unit: str
    role: Role
    name: str
    password: str = field(repr=False)
    former: str = ""


class Progress(StrEnum):
    """Where a unit's accounts stand, in the words of a table."""

    NOT_SENT = "未发放"
    SENT = "已发放"
    OVERDUE = "逾期未签收"
    BOUNCED = "退信"
    CONFIRMED = "已签收"


class AccountRung(StrEnum):
    """Who is told that accounts were not signed for, one after the other."""

    UNIT = "unit"
    ADMINISTRATOR = "administrator"
    STAFF = "staff"


_RUNGS = tuple(AccountRung)


@dataclass(frozen=True, slots=True)
class AccountLadder:
    """After how many working days from the sending each of them is told; and whether every level is sent at once, or only when
    the level above it has signed.
    """

    reminder_days: int = 3
    administrator_days: int = 5
    staff_days: int = 8
    at_once: bool = False

    def moment(self, rung: AccountRung, sent_at: dt.datetime, workdays: Workdays) -> dt.datetime:
        days = {
            AccountRung.UNIT: self.reminder_days,
            AccountRung.ADMINISTRATOR: self.administrator_days,
            AccountRung.STAFF: self.staff_days,
        }[rung]
        return workdays.moment(midnight(sent_at.date() + dt.timedelta(days=1)), -days)


@dataclass(frozen=True, slots=True)
class AccountStanding:
    """Where a unit's accounts stand: how many are listed, whether an initial password is shared with others, a digest of their
    names; `letter` that carries them and when it was queued; who signed; the last rung that was told. `events` is the last number
    in the stream. `bounced` and `address` are those of the letter.
    """

    unit: str
    count: int = 0
    shared: bool = False
    names: str = ""
    listed_at: dt.datetime | None = None
    letter: str = ""
    sent_at: dt.datetime | None = None
    confirmed_at: dt.datetime | None = None
    confirmed_by: str = ""
    rung: str = ""
    events: int = 0
    bounced: bool = False
    address: str = ""

    @property
    def stream(self) -> str:
        return f"account:{self.unit}"

    @property
    def outstanding(self) -> bool:
        """Whether the accounts are under way and nobody has signed for them."""
        return self.sent_at is not None and self.confirmed_at is None

    def after(self, kind: str, number: int, at: dt.datetime, data: Mapping[str, Any]) -> AccountStanding:
        """The standing once an event has happened. A new list begins anew."""
        match kind:
            case "account.listed":
                said = {key: data[key] for key in ("count", "shared", "names")}
                return AccountStanding(self.unit, **said, listed_at=at, events=number)
            case "account.sent":
                return replace(
                    self, letter=data["letter"], sent_at=at, rung="", events=number, bounced=False, address=""
                )
            case "account.reminded":
                return replace(self, rung=data["rung"], events=number)
            case "account.confirmed":
                return replace(self, confirmed_at=at, confirmed_by=data["by_unit"], events=number)
        raise ValueError(f"unknown kind of event: {kind}")

    def progress(self, now: dt.datetime, ladder: AccountLadder, workdays: Workdays) -> Progress:
        """In the order of what matters: signed for, bounced, overdue, under way."""
        if self.confirmed_at is not None:
            return Progress.CONFIRMED
        if self.sent_at is None:
            return Progress.NOT_SENT
        if self.bounced:
            return Progress.BOUNCED
        late = now >= ladder.moment(AccountRung.UNIT, self.sent_at, workdays)
        return Progress.OVERDUE if late else Progress.SENT

    def due(self, now: dt.datetime, ladder: AccountLadder, workdays: Workdays) -> AccountRung | None:
        """Who is to be told now: of the rungs whose day has come the last, unless it has been told. A letter that came back
        goes to the 管理员 above without waiting, since the unit does not know of it.
        """
        if self.sent_at is None or self.confirmed_at is not None:
            return None
        come = [rung for rung in _RUNGS if now >= ladder.moment(rung, self.sent_at, workdays)]
        reached = max(len(come), 2 if self.bounced else 0)
        told = _RUNGS.index(AccountRung(self.rung)) + 1 if self.rung else 0
        return _RUNGS[reached - 1] if reached > told else None


def released(
    roster: Roster, code: str, standings: Mapping[str, AccountStanding], *, at_once: bool = False
) -> bool:
    """Whether a unit's accounts may go: the nearest unit above that has some itself has signed for them. The top of the tree
    hands on what it holds, so nobody waits for it.
    """
    if at_once:
        return True
    for above in roster.above(code):
        if above.code in standings:
            return not above.superior or standings[above.code].confirmed_at is not None
    return True


_MOST_WORDS = 120
_NO_TROUBLE = re.compile(r"没有?(?:任何|什么)?问题|无误|无异议")
_TROUBLE = re.compile(
    r"[?]|吗|怎么|怎样|如何|请问|没|未|无法|不能|不了|打不开|不对|不符|不是|不行|错|误|缺|少了|遗漏|忘|是多少|请告|告知密码|重发|再发"
    r"|补发|非本|如果|若|待|稍后|尽快|不知|异常"
)
_SIGNED = re.compile(r"签收")
#: One clause that says 收到 and nothing that narrows it down; an answering machine says 来信 or 邮件.
_RECEIVED = re.compile(
    r"(?:您好|你好|老师|领导|[账帐][号户]|密码|口令|登录|修改|更改|初始|工作簿|附件|表格?|文件|内容|本级|下级|所属|各|全部|均|都|已|经|并|确认"
    r"|核对|核实|打开|查看|妥善保管|我|本|单位|学校|校|局|厅|学院|大学|中心|教学点|的|了|由|收到|收悉|收讫|谢谢|特此|回复|报告|此复|[、:])*"
)
_CLAUSES = re.compile(r"[,.。;!\n()（）~…—]+")


def signs_for(words: str) -> bool | None:
    """What a unit says of its accounts above the quotation of our letter: True where it signs (已签收, 已收到), False where
    something is wrong or asked, None for anything else. Long mail signs nothing: our own letter may stand in it.
    """
    text = re.sub(r"[^\S\n]+", "", unicodedata.normalize("NFKC", words))
    plain = _NO_TROUBLE.sub("", text)
    if not plain or len(plain) > _MOST_WORDS:
        return None
    if _TROUBLE.search(plain):
        return False
    clauses = [clause for clause in _CLAUSES.split(plain) if clause]
    if any(_SIGNED.search(clause) for clause in clauses):
        return True
    received = [clause for clause in clauses if "收到" in clause or "收悉" in clause or "收讫" in clause]
    return True if received and all(_RECEIVED.fullmatch(clause) for clause in received) else None


#: Under which names a unit's data may stand in the old system: by alias the codes of its units.
Aliases = Mapping[str, tuple[str, ...]]
