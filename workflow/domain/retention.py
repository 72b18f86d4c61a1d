"""How long personal data are kept 保存期限, by kind, and what is never erased while it is needed.

The measure 管理办法 names no period; the office that runs the collection sets one by its archive schedule. Until it does,
nothing is erased.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from enum import StrEnum
from itertools import pairwise

from workflow.domain.campaign import Campaign


class Kind(StrEnum):
    """A kind of personal data. The word is as staff read it."""

    MAIL = "mail"
    ANSWERS = "answers"
    CONTACTS = "contacts"
    MATTERS = "matters"
    RECEIPTS = "receipts"
    BOOKS = "books"
    ACCOUNTS = "accounts"

    @property
    def word(self) -> str:
        return _WORDS[self]


_WORDS: Mapping[Kind, str] = {
    Kind.MAIL: "来信和发信（原件、地址、主题、附件名）",
    Kind.ANSWERS: "报送数据",
    Kind.CONTACTS: "已被替换的名册人员",
    Kind.MATTERS: "待办和沟通记录中的人员",
    Kind.RECEIPTS: "回执表扫描件和电子表",
    Kind.BOOKS: "汇总表",
    Kind.ACCOUNTS: "未签收的账号和初始密码",
}
#: By the first word of an event's kind. Events of no kind here have no payload that a purge erases.
KIND_OF_EVENT: Mapping[str, Kind] = {
    "message": Kind.MAIL,
    "letter": Kind.MAIL,
    "case": Kind.ANSWERS,
    "late": Kind.ANSWERS,
    "legacy": Kind.ANSWERS,
    "roster": Kind.CONTACTS,
    "contacts": Kind.CONTACTS,
    "receipt": Kind.RECEIPTS,
    "staff": Kind.MATTERS,
    "problem": Kind.MATTERS,
    "package": Kind.MATTERS,
    "review": Kind.MATTERS,
}
#: The campaign at work and the one before it, whose data fill in the copies and are compared with.
_AT_WORK = 2


def at_work(campaigns: Sequence[Campaign]) -> Sequence[Campaign]:
    """The campaigns, given in the order of their opening, whose data are needed: the last two, and of each form in them the last two
    that asked for it, which need not be the same where a one-off runs beside a quarter.
    """
    needed = {campaign.id for campaign in campaigns[-_AT_WORK:]}
    for form in {form for campaign in campaigns[-_AT_WORK:] for form in campaign.forms}:
        needed |= {campaign.id for campaign in [one for one in campaigns if form in one.forms][-_AT_WORK:]}
    return [campaign for campaign in campaigns if campaign.id in needed]


def cut_offs(
    days: Mapping[Kind, int], before: dt.datetime | None, campaigns: Sequence[Campaign], now: dt.datetime
) -> dict[Kind, dt.datetime]:
    """Before which moment what is of each kind may be erased. `days` is how long it is kept (0: for good), `before` a moment that
    staff named for all kinds instead. Nothing is ever erased from after the opening of the campaign before the one at work but accounts,
    on which no campaign stands.
    """
    bound = at_work(campaigns)[0].opened_at if campaigns else now
    if before is not None:
        asked = dict.fromkeys(Kind, min(before, now))
    else:
        asked = {kind: now - dt.timedelta(days=count) for kind, count in days.items() if count > 0}
    return {kind: at if kind is Kind.ACCOUNTS else min(at, bound) for kind, at in asked.items()}


def closed(campaigns: Sequence[Campaign], before: dt.datetime) -> list[Campaign]:
    """The campaigns that were over at a moment, as the next one had been opened by then."""
    needed = {campaign.id for campaign in at_work(campaigns)}
    return [
        campaign for campaign, following in pairwise(campaigns)
        if campaign.id not in needed and following.opened_at <= before
    ]  # fmt: skip
