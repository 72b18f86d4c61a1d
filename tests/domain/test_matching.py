"""Whose mail it is, and what a person's few words say: what is taken for a confirmation and what never is."""

from __future__ import annotations

import datetime as dt
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.offices import CENTRAL, COUNTY, POINT, ROSTER, SCHOOL, UNITS, WEST
from workflow.domain.authentication import Assurance
from workflow.domain.matching import (
    TOKEN,
    FilesAnswered,
    Sender,
    answers_query,
    asks_withdrawal,
    confirms_decision,
    confirms_no_change,
    files_answered,
    gives_reason,
    key_of,
    make_token,
    only_unit,
    pieces_confirmed,
    sender,
    speaks_for,
    token_in,
    token_of,
    trust_in,
)
from workflow.domain.message import Message
from workflow.domain.roster import Contact, Role, Roster
from workflow.domain.submission import Bucket
from workflow.domain.trust import Trust

DAY = dt.date(2027, 1, 3)
HZ = "HZ-ABCDEFGHIJKLMNOP2"


@given(st.binary(min_size=32, max_size=32), st.text(max_size=20), st.integers(1, 99))
def test_a_token_has_its_shape_and_names_what_it_was_made_from(key: bytes, unit: str, copy: int) -> None:
    token = make_token(key, "B", "2026Q4", unit, "school", copy)
    assert TOKEN.fullmatch(token)
    assert token == make_token(key, "B", "2026Q4", unit, "school", copy)
    assert token != make_token(key, "B", "2026Q4", unit, "school", copy + 1)
    assert token_in(f"回复：【{token}】2026年第四季度") == token


@pytest.mark.parametrize(
    "subject",
    [
        f"Re: 教育信息化数据填报（{HZ}）",
        f"回复：答复: Fw: [{HZ}]教育信息化数据",
        f"转发：{HZ.lower()}",
        "回复：ＨＺ－ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰ２",
        f"{HZ} HZ-BBBBBBBBBBBBBBBBB",
    ],
)
def test_a_token_is_found_in_what_mail_programs_make_of_a_subject(subject: str) -> None:
    assert token_in(subject) == HZ


def test_a_token_is_found_in_the_address_that_an_answer_went_to() -> None:
    plus = Message(to=("someone@office.test", f"huizhi+{HZ.lower()}@office.test"))
    assert token_of(plus) == HZ
    other = HZ.replace("A", "B")
    assert token_of(Message(subject=other, to=plus.to)) == other
    assert token_of(Message(to=("huizhi@office.test",))) == ""


@pytest.mark.parametrize("subject", ["", "回复：教育信息化数据", "HZ-ABC", HZ[:-1], "HZ-0BCDEFGHIJKLMNOP2"])
def test_what_is_no_whole_token_is_none(subject: str) -> None:
    assert token_in(subject) == ""


@pytest.mark.parametrize(
    "words",
    [
        "无变化",
        "无变化。",
        "本季度无变化",
        "本季度数据无变化，请查收。",
        "老师好！我校数据与上季度相比没有变化。谢谢！",
        "您好，\n我单位数据\n无 变 化",
        "经核对，各项数据均无变动。\n示例小学 校管 1990000001",
        "与上季度相比均无变化",
        "确认无变化",
        "没有变动",
    ],
)
def test_a_plain_statement_confirms_no_change(words: str) -> None:
    assert confirms_no_change(words)


@pytest.mark.parametrize(
    "words",
    [
        "",
        "  \n",
        "收到，谢谢",
        "无变化？",
        "请问无变化怎么报?",
        "请问是否无变化",
        "有没有变化我们再核实一下",
        "有无变化尚待核实",
        "无变化吗",
        "无变化的话怎么填",
        "如何确认无变化",
        "如无变化，我们就不报了吧",
        "若数据没有变化再回复",
        "假如没有变化就不用报了",
        "除教师数外无变化",
        "学生数有变化，其他数据无变化",
        "学生数有变动，其余无变动",
        "不是无变化",
        "并非没有变化",
        "不能确认无变化",
        "不确认无变化",
        "尚未确认有没有变化",
        "可能没有变化，待核对后再报",
        "不存在无变化的情况",
        "上次误报无变化，请撤销",
        "无变化" + "，另有说明" * 30,
        # Our own words, in case a mail program quotes them without a mark.
        "各项数据与上季度相比均无变化的，可不附工作簿，直接回复本邮件，正文写明“无变化”。",
        "二、无变化确认。各项数据与上季度相比均无变化的，正文写明“无变化”。",
        "本次报送后，以后各季度数据没有变化的，可以回复“无变化”确认。",
    ],
)
def test_a_question_a_condition_a_denial_or_our_own_words_confirm_nothing(words: str) -> None:
    assert not confirms_no_change(words)


@pytest.mark.parametrize(
    "words", ["撤报申请", "现提出撤销上报申请，因学生数有误。", "我局申请撤报，请批准", "申 请\n撤 销 上 报"]
)
def test_a_withdrawal_is_asked_for_in_these_words(words: str) -> None:
    assert asks_withdrawal(words)


@pytest.mark.parametrize(
    "words",
    [
        "",
        "请撤回邮件",
        "同意上报",
        "如何提出撤报申请？",
        "请问怎样申请撤报",
        "我局不申请撤报",
        "无需撤报申请",
        "如需修改请提出撤报申请",
    ],
)
def test_a_question_or_denial_asks_for_no_withdrawal(words: str) -> None:
    assert not asks_withdrawal(words)


@pytest.mark.parametrize(
    ("words", "bucket"),
    [
        ("确认", Bucket.REQUEST),
        ("已确认。", Bucket.REQUEST),
        ("确认，是本单位报送！", Bucket.REQUEST),
        ("确认无误", Bucket.REQUEST),
        ("非本单位报送", Bucket.PROBLEM),
        ("该文件不是本单位报送，请核实", Bucket.PROBLEM),
        ("确认收到", None),
        ("不确认", None),
        ("", None),
    ],
)
def test_the_answer_to_our_question_about_an_unregistered_address(words: str, bucket: Bucket | None) -> None:
    assert answers_query(words) is bucket


def test_a_sender_without_an_address_is_nobody() -> None:
    assert sender(ROSTER, "", DAY) == Sender("", ())
    assert not sender(ROSTER, "", DAY).registered


@pytest.mark.parametrize(
    "address",
    ["school@\u0441ounty.test", "school@county.te\u017ft", "ｓchool@county.test", "schoo\u217c@county.test"],
)
def test_an_address_that_only_looks_like_a_registered_one_is_nobody_s(address: str) -> None:
    assert not sender(ROSTER, address, DAY).registered


@pytest.mark.parametrize(
    ("address", "unit", "may"),
    [
        ("school@county.test", SCHOOL, True),
        ("school@county.test", CENTRAL, False),
        ("central@county.test", POINT, True),
        ("admin@county.test", POINT, True),
        ("admin@west.test", SCHOOL, False),
        ("school@county.test", COUNTY, False),
        ("stranger@home.test", SCHOOL, False),
    ],
)
def test_a_workbook_may_be_brought_by_the_unit_or_by_one_above_it(address: str, unit: str, may: bool) -> None:
    assert speaks_for(ROSTER, sender(ROSTER, address, DAY), unit) is may


def test_without_a_token_only_a_sender_of_one_unit_can_be_told() -> None:
    central = sender(ROSTER, "central@county.test", DAY)
    assert central.units == (CENTRAL, POINT)
    assert only_unit(ROSTER, central) is None
    assert only_unit(ROSTER, central, {POINT, WEST}) == ROSTER.units[POINT]
    assert only_unit(ROSTER, sender(ROSTER, "school@county.test", DAY)) == ROSTER.units[SCHOOL]
    assert only_unit(ROSTER, sender(ROSTER, "stranger@home.test", DAY)) is None


@pytest.mark.parametrize(
    "words",
    [
        "教师无变化，学生多了3个",
        "无变化，但多媒体教室新增2间",
        "无变化，新购电脑30台",
        "无变化（不确定）",
        "基本无变化",
        "暂无变化",
        "没有变化不大",
    ],
)
def test_a_sentence_that_reports_a_change_or_a_doubt_confirms_nothing(words: str) -> None:
    assert not confirms_no_change(words)


@pytest.mark.parametrize(
    "words", ["無變化", "我校数据无变化\n张三\n0371-55550001", "本校2026年第四季度数据无变化，谢谢！"]
)
def test_a_plain_sentence_about_all_the_data_confirms(words: str) -> None:
    assert confirms_no_change(words)


@pytest.mark.parametrize(
    "words",
    [
        "我们不打算申请撤报",
        "关于撤报申请的规定请发我一份",
        "撤报申请表在哪里",
        "领导要求撤报申请先不报",
        "同意撤报申请",
    ],
)
def test_words_about_withdrawals_ask_for_none(words: str) -> None:
    assert not asks_withdrawal(words)


def test_a_token_names_the_key_that_made_it() -> None:
    assert key_of(HZ) == "A"
    assert key_of(HZ.replace("HZ-A", "HZ-C")) == "C"
    assert [key_of(words) for words in ("", HZ[:-1], f"{HZ}A", HZ.lower())] == ["", "", "", ""]


def test_a_token_depends_on_where_one_part_ends_and_the_next_begins() -> None:
    key = b"k" * 32
    assert make_token(key, "A", "12", "3") != make_token(key, "A", "1", "23")
    # as it was made when the first letters went out: a token that lies in somebody's mailbox must still be ours
    assert make_token(key, "A", "2026Q4", SCHOOL, "school", 1) == "HZ-ANLYFR4SKCPN5ENFE"


@pytest.mark.parametrize(
    ("words", "confirmed"),
    [
        ("确认", True),
        ("已确认。", True),
        ("确认无误！\n东区教育局 县审", True),
        ("是本人审核", True),
        ("确认为本人发出", True),
        ("全部确认", True),
        ("确认所有件", True),
        ("确认1、3", True),
        ("确认 第1件，第3件", True),
        ("仅确认2", True),
        ("非本人审核", False),
        ("这不是本人办理的，请核实", False),
        ("收到", None),
        ("确认不了", None),
        ("谢谢\n确认", None),  # the first line speaks
        ("", None),
        ("  \n ", None),
    ],
)
def test_the_answer_to_our_question_about_held_decisions(words: str, confirmed: bool | None) -> None:
    assert confirms_decision(words) is confirmed


@pytest.mark.parametrize(
    ("words", "count", "pieces"),
    [
        ("确认", 1, {1}),
        ("确认", 3, set()),  # which one?
        ("全部确认", 3, {1, 2, 3}),
        ("确认1、3", 3, {1, 3}),
        ("确认1，3", 3, {1, 3}),
        ("确认 第2件", 3, {2}),
        ("确认１和３", 3, {1, 3}),
        ("确认1、2、3", 3, {1, 2, 3}),
        ("确认1、4", 3, set()),  # there is no fourth
        ("确认2", 1, set()),
    ],
)
def test_which_pieces_of_a_question_are_confirmed(words: str, count: int, pieces: set[int]) -> None:
    assert pieces_confirmed(words, count) == pieces


@pytest.mark.parametrize(
    ("words", "given"),
    [
        ("申请撤报，因学生数有误", True),
        ("撤报申请：数据有误。", True),
        ("现提出撤报申请，请予批准。谢谢领导", False),
        ("申请撤报，理由详见附件", False),
        ("申请撤报", False),
        ("申请撤销上报，具体情况说明如下：漏报一校", True),
        ("申请撤报，原因：错", False),
        ("您好，申请撤报", False),
        ("申请撤报，说明如下", False),
    ],
)
def test_a_withdrawal_gives_a_reason_of_its_own_or_none(words: str, given: bool) -> None:
    assert gives_reason(words) is given


def test_no_change_is_read_up_to_a_certain_length_and_across_lines() -> None:
    rest = "谢" * (120 - len("无变化，"))
    assert confirms_no_change(f"无变化，{rest}")
    assert not confirms_no_change(f"无变化，{rest}谢")
    assert not confirms_no_change("数据有\n变化，其他无变化")


def test_what_the_server_says_of_a_sender_goes_with_it() -> None:
    said = sender(ROSTER, "school@county.test", DAY, Assurance.PASSED)
    assert (said.said, said.registered, said.units) == (Assurance.PASSED, True, (SCHOOL,))
    nobody = Roster(UNITS, (Contact(SCHOOL, Role.ADMINISTRATOR, "校管"),))
    assert not sender(nobody, "", DAY).registered


@pytest.mark.parametrize(
    ("address", "said", "tied", "trust"),
    [
        ("school@county.test", Assurance.PASSED, False, Trust.VOUCHED),
        ("school@county.test", Assurance.SILENT, True, Trust.TIED),
        ("school@county.test", Assurance.SILENT, False, Trust.NAMED),
        ("admin@west.test", Assurance.PASSED, False, Trust.STRANGER),
        ("", Assurance.SILENT, True, Trust.UNKNOWN),
    ],
)
def test_how_far_a_sender_is_trusted_to_speak_for_a_unit(
    address: str, said: Assurance, tied: bool, trust: Trust
) -> None:
    assert trust_in(ROSTER, sender(ROSTER, address, DAY, said), SCHOOL, tied=tied) is trust


@pytest.mark.parametrize(
    "sign",
    ["1", "第1", "1、", "件", "确认", "非", "本校", "老师", "学校", "全部", "2011", "无变化", "撤报申请"],
)
def test_words_however_they_go_on_cost_a_moment(sign: str) -> None:
    """A stranger writes them, and a search that tries each way of parting a row of digits never ends."""
    before = time.process_time()
    for words in (
        f"确认{sign * 2000}x",
        f"{sign * 2000}x",
        f"{sign * 50}x",
        f"确认{sign * 50}x",
        f"{sign * 2000}确认x",
    ):
        confirms_decision(words)
        pieces_confirmed(words, 20)
        files_answered(words, ["某小学", "某中学"])
        confirms_no_change(words)
        asks_withdrawal(words)
        answers_query(words)
    assert time.process_time() - before < 5


@pytest.mark.parametrize(
    ("words", "confirmed", "denied"),
    [
        ("确认", {1, 2}, set()),
        ("您好！\n确认。\n东区中心校 张老师 0371-5550001", {1, 2}, set()),
        ("确认是本单位报送", {1, 2}, set()),
        ("均为本校报送", {1, 2}, set()),
        ("确认1", {1}, set()),
        ("确认第2件", {2}, set()),
        ("1、2确认", {1, 2}, set()),
        ("确认1，2", {1, 2}, set()),
        ("非本单位报送：东区教学点", set(), {2}),
        ("非本单位报送 2", set(), {2}),
        ("全部非本单位报送", set(), {1, 2}),
        ("确认1；非本单位报送2", {1}, {2}),
        ("确认\n东区教学点的不是本单位报送", {1}, {2}),
        ("非本单位报送", set(), set()),
        ("确认3", set(), set()),
    ],
)
def test_what_an_answer_says_about_two_workbooks(words: str, confirmed: set[int], denied: set[int]) -> None:
    said = files_answered(words, ["东区中心校", "东区教学点"])
    unnamed = not (confirmed or denied)
    assert said == FilesAnswered(frozenset(confirmed), frozenset(denied), unnamed)


@pytest.mark.parametrize(
    "words", ["", "不确认", "确认收到", "请问确认什么", "谢谢", "本季度无变化", "确认一下再说"]
)
def test_what_is_no_answer(words: str) -> None:
    assert files_answered(words, ["东区中心校"]) is None


def test_of_a_single_workbook_a_denial_needs_no_number() -> None:
    assert files_answered("非本单位报送", ["东区2号中心校"]) == FilesAnswered(frozenset(), frozenset({1}))


def test_an_answer_about_several_workbooks_names_each_by_its_unit_or_number() -> None:
    names = ["东区小学", "东区小学 西校区", "东区第三小学"]
    told = files_answered("非本单位报送：东区小学 西校区、3", names)
    assert told == FilesAnswered(frozenset(), frozenset({2, 3}))  # the first is not named
    twice = files_answered("非本单位报送：东区小学", ["东区小学", "东区小学", "西区小学"])
    assert twice == FilesAnswered(frozenset(), frozenset({1, 2}))
    assert files_answered("确认2件；非本单位报送：第3件", names) == FilesAnswered(
        frozenset({2}), frozenset({3})
    )
    assert files_answered("确认1、3\n非本单位报送3", names) == FilesAnswered(frozenset({1}), frozenset({3}))
    assert files_answered("确认1、9", names) == FilesAnswered(frozenset({1}), frozenset())
    assert files_answered("非本单位报送 9", names) == FilesAnswered(frozenset(), frozenset(), unnamed=True)
    assert files_answered("非本单位报送 123", names) == FilesAnswered(frozenset(), frozenset(), unnamed=True)
    assert files_answered("各位老师好\n\n　确认　\n以下为签名\n非本单位报送", names) == FilesAnswered(
        frozenset({1, 2, 3}), frozenset()
    )
    assert files_answered("确认\n您好", names) == FilesAnswered(frozenset({1, 2, 3}), frozenset())
    assert files_answered("您好\n您好", names) is None


def test_an_address_is_told_for_a_while_after_another_took_its_place() -> None:
    changed = Roster(
        UNITS,
        (
            Contact(SCHOOL, Role.ADMINISTRATOR, "旧管", email="old@county.test", until=dt.date(2027, 1, 1)),
            Contact(SCHOOL, Role.ADMINISTRATOR, "新管", email="new@county.test", since=dt.date(2027, 1, 1)),
        ),
    )
    former = sender(changed, "old@county.test", DAY, grace=10)
    assert (former.units, former.replaced, former.said) == ((SCHOOL,), True, Assurance.SILENT)
    assert not sender(changed, "old@county.test", DAY, grace=1).registered
    assert not sender(changed, "old@county.test", DAY).replaced
    refuted = sender(changed, "old@county.test", DAY, Assurance.FAILED, grace=10)
    assert (refuted.registered, refuted.replaced, refuted.said) == (False, False, Assurance.FAILED)
    new = sender(changed, "new@county.test", DAY, Assurance.PASSED, grace=10)
    assert (new.units, new.replaced, new.said) == ((SCHOOL,), False, Assurance.PASSED)
    assert trust_in(changed, new, SCHOOL, tied=False) is Trust.VOUCHED
