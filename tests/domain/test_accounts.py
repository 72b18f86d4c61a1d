"""The ministry's accounts: what is wrong with a list, who may have theirs next, who is told, and what counts as a signature."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from tests.domain.offices import CITY, COUNTY, MINISTRY, POINT, PROVINCE, ROSTER, SCHOOL, at
from workflow.domain.account_checks import AccountRow, checked, names_digest, shared_units
from workflow.domain.accounts import (
    Account,
    AccountLadder,
    AccountRung,
    AccountStanding,
    Progress,
    released,
    signs_for,
)
from workflow.domain.errors import Refused
from workflow.domain.roster import Role
from workflow.domain.workdays import Workdays

SECRET = "Xq7#initial"


def row(number: int, code: str, account: str, password: str = SECRET, **said: object) -> AccountRow:
    known = {"name": "", "role": "", **said}
    return AccountRow(
        f"清单.xlsx 账号 第{number}行", number, code, account=account, password=password, **known
    )  # type: ignore[arg-type]


def test_every_fault_of_a_list_is_told_at_once_with_its_row_and_no_password() -> None:
    rows = [
        row(2, "9999999999", "a1"),
        row(3, "", "a2", name="没有这所学校"),
        row(4, SCHOOL, "", ""),
        row(5, COUNTY, "a3", role="校长"),
        row(6, COUNTY, "a3", role="审核员"),
        row(7, MINISTRY, "a5"),
        row(8, CITY, "a6"),
        row(9, CITY, "a7", role="审核员"),
    ]
    with pytest.raises(Refused) as refused:
        checked(rows, ROSTER)
    told = [str(fault) for fault in refused.value.faults]
    for number, words in (
        (2, "没有代码为9999999999的单位"), (3, "名为“没有这所学校”的单位有0个"), (4, "没有账号和初始密码"),
        (5, "角色“校长”不认识"), (6, "账号a3与第5行重复"), (7, "由教育部科技司组织发放"), (8, "没有写明角色"),
    ):  # fmt: skip
        assert any(f"第{number}行" in line and words in line for line in told), (number, told)
    assert len(told) == 7
    assert not any(SECRET in line for line in told)


def test_accounts_are_handed_on_unchanged_and_what_is_odd_is_told_to_a_person() -> None:
    rows = [
        row(2, COUNTY, "410102A1", " 0 ", role="管理员", former="old-county"),
        row(3, COUNTY, "410102A2", "p2", role="审核员", name="旧名教育局"),
        row(4, SCHOOL, "4101020001A1", "123456", number_typed=True),
        row(5, POINT, "4101020002A1", "123456"),
    ]
    accounts, queries = checked(rows, ROSTER)
    assert accounts[0] == Account(COUNTY, Role.ADMINISTRATOR, "410102A1", " 0 ", "old-county")
    assert [account.role for account in accounts[2:]] == [Role.ADMINISTRATOR, Role.ADMINISTRATOR]
    told = [str(query) for query in queries]
    assert [words for words in ("前后有空格", "清单写“旧名教育局”", "前面的零可能已经丢失", "有2个账号的初始密码相同（第4—5行）")
            if not any(words in line for line in told)] == []  # fmt: skip
    assert not any("123456" in line for line in told)
    assert shared_units(accounts) == {SCHOOL, POINT}


def test_neither_an_account_nor_a_row_shows_its_password_and_its_digest_does_not_hold_it() -> None:
    account = Account(SCHOOL, Role.ADMINISTRATOR, "a1", SECRET)
    assert SECRET not in repr(account)
    assert SECRET not in repr(row(2, SCHOOL, "a1"))
    assert names_digest([account]) == names_digest([replace(account, password="another")])


LISTED = {"count": 1, "shared": False, "names": "d"}


SENT = at(12, 7)


def standing(unit: str, *kinds: str) -> AccountStanding:
    known = AccountStanding(unit)
    data = {
        "listed": LISTED, "sent": {"letter": "l1"}, "confirmed": {"by_unit": unit},
        **{rung.value: {"rung": rung.value} for rung in AccountRung},
    }  # fmt: skip
    for number, kind in enumerate(kinds, 1):
        event = "reminded" if kind in {rung.value for rung in AccountRung} else kind
        known = known.after(f"account.{event}", number, SENT, data[kind])
    return known


def test_a_level_is_sent_its_accounts_when_the_level_above_has_signed_and_nobody_waits_for_the_top() -> None:
    listed = {code: standing(code, "listed", "sent") for code in (PROVINCE, CITY, COUNTY, SCHOOL)}
    assert released(ROSTER, PROVINCE, listed)
    assert released(ROSTER, CITY, listed)
    assert not released(ROSTER, COUNTY, listed)
    assert not released(ROSTER, SCHOOL, listed)
    assert released(ROSTER, COUNTY, listed, at_once=True)
    signed = {**listed, CITY: standing(CITY, "listed", "sent", "confirmed")}
    assert released(ROSTER, COUNTY, signed)
    assert not released(ROSTER, SCHOOL, signed)
    # A level that is on no list is passed over: the next above it counts.
    assert released(ROSTER, SCHOOL, {code: one for code, one in signed.items() if code != COUNTY})


LADDER = AccountLadder(3, 5, 8)
DAYS = Workdays()


@pytest.mark.parametrize(
    ("done", "bounced", "now", "rung"),
    [
        ((), False, at(12, 9, 12), None),
        ((), False, at(12, 10, 9), AccountRung.UNIT),  # Thursday, the third working day after Monday
        (("unit",), False, at(12, 11, 9), None),
        (("unit",), False, at(12, 14, 9), AccountRung.ADMINISTRATOR),
        (("unit", "administrator"), False, at(12, 17, 9), AccountRung.STAFF),
        (("unit", "administrator", "staff"), False, at(12, 30), None),
        ((), True, at(12, 7, 12), AccountRung.ADMINISTRATOR),
        (("administrator",), True, at(12, 14, 9), None),
        ((), False, at(12, 30), AccountRung.STAFF),
        (("confirmed",), True, at(12, 30), None),
    ],
)  # fmt: skip
def test_who_is_told_that_nobody_has_signed(
    done: tuple[str, ...], bounced: bool, now: dt.datetime, rung: AccountRung | None
) -> None:
    known = replace(standing(SCHOOL, "listed", "sent", *done), bounced=bounced)
    assert known.due(now, LADDER, DAYS) is rung


def test_the_progress_of_a_unit() -> None:
    sent = standing(SCHOOL, "listed", "sent")
    assert standing(SCHOOL, "listed").progress(at(12, 30), LADDER, DAYS) is Progress.NOT_SENT
    assert sent.progress(at(12, 9), LADDER, DAYS) is Progress.SENT
    assert sent.progress(at(12, 10, 9), LADDER, DAYS) is Progress.OVERDUE
    assert replace(sent, bounced=True).progress(at(12, 8), LADDER, DAYS) is Progress.BOUNCED
    assert (
        standing(SCHOOL, "listed", "sent", "confirmed").progress(at(12, 30), LADDER, DAYS)
        is Progress.CONFIRMED
    )
    again = standing(SCHOOL, "listed", "sent", "confirmed", "listed")
    assert again.progress(at(12, 30), LADDER, DAYS) is Progress.NOT_SENT


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("已签收", True), ("签收。", True), ("已收到", True), ("账号已收到，已登录并修改初始密码。", True),
        ("老师好，账号表已签收，签收人：张三", True), ("中原区第一小学已签收，核对无误", True), ("收到，没有问题", True),
        ("您好：我校账号已收到，谢谢！", True),
        ("收到了，但是打不开", False), ("没有收到附件", False), ("开启口令是多少？", False), ("已签收，密码不对", False),
        ("尚未收到，请重发", False),
        ("您的来信已收到", None), ("邮件已收到，祝工作愉快", None), ("好的", None), ("", None), ("无变化", None),
        ("您的邮件我已收到，我会尽快回复您", False), ("已签收" + "。" * 200, None),
    ],
)  # fmt: skip
def test_what_counts_as_a_signature(words: str, said: bool | None) -> None:
    assert signs_for(words) is said
