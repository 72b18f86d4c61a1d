"""Decisions that are forged, replayed or confused: each ends in one clear answer and changes nothing that it must not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.domain.offices import CITY, COUNTY, SCHOOL, WEST, at
from tests.process.situations import (
    GOOD,
    after,
    answered,
    book_token,
    decision,
    ends,
    form_for,
    key,
    kinds,
    letters,
    mail,
    on_package,
    opened,
    review,
    token,
    with_earlier,
    workbook,
)
from workflow.adapters.store.records import LetterRow, LetterState
from workflow.domain.consultation import Talk
from workflow.domain.lifecycle import CaseState, PackageAct, PackageState, act_on_package
from workflow.domain.matching import gives_reason
from workflow.domain.privacy import mask_address
from workflow.domain.roster import Contact, Role
from workflow.domain.submission import AttachmentOutcome, Bucket
from workflow.process.decide import decide
from workflow.process.level_report import report_level
from workflow.process.packages import Review
from workflow.process.situation import Held, Outcome, Situation

REVIEWER, CITY_REVIEWER = "review@county.test", "review@city.test"
NOW, LATER = at(1, 3), at(1, 7)
TALK = Talk("县审", "1月6日", "电话")


def submitted() -> Situation:
    situation = after(opened(), mail("school@county.test", workbook(SCHOOL)))
    return replace(situation, answers={situation.submissions[key(SCHOOL)][-1].id: GOOD})


def reported(*acts: PackageAct, unit: str = COUNTY, due: Any = None) -> Situation:
    situation = opened()
    package = situation.packages["2026Q4", unit]
    for act in (PackageAct.REPORT, *acts):
        changes = {"reported_at": at(1, 5)} if act is PackageAct.REPORT else {"due": due}
        package = act_on_package(package, act, **changes)
    return replace(situation, packages={**situation.packages, ("2026Q4", unit): package})


def reasons(outcome: Outcome) -> list[str]:
    told: Any = answered(outcome, "review_result")
    return [row["reason"] for row in told["refused"]]


class TestObjections:
    def sent(self, *rows: Any, moment: Any = LATER, situation: Situation | None = None) -> Outcome:
        return decide(mail(CITY_REVIEWER, review(*rows, level=CITY), moment=moment), situation or reported())

    @pytest.mark.parametrize(
        ("note", "talk", "reason"),
        [
            ("", TALK, "退回须在审核意见栏写明问题和修改要求"),
            (
                "有误",
                Talk(),
                "退回下级上报数据须先与下级沟通确认（管理办法第二十条），请填写沟通对象、沟通时间",
            ),
            ("有误", Talk("县审"), "退回下级上报数据须先与下级沟通确认（管理办法第二十条），请填写沟通时间"),
            (
                "有误",
                replace(TALK, when="1月8日"),
                "沟通时间2027年1月8日在退回之后，请核对后填写实际沟通的时间",
            ),
            (
                "有误",
                replace(TALK, due="1月12日"),
                "限期2027年1月12日晚于本级上报截止日2027年1月10日，请定在截止日或者之前",
            ),
        ],
    )
    def test_a_return_of_a_package_without_its_talk_is_refused_with_one_reason(
        self, note: str, talk: Talk, reason: str
    ) -> None:
        outcome = self.sent(on_package(COUNTY, "退回", note, talk))
        assert (outcome.packages, reasons(outcome)) == ((), [reason])

    def test_what_stands_against_the_row_anyway_comes_before_a_missing_talk(self) -> None:
        outcome = self.sent(on_package(COUNTY, "退回", "有误"), situation=reported(PackageAct.RETURN))
        assert reasons(outcome) == ["该单位上报数据已经退回，尚未重新上报"]

    def test_a_talk_without_a_verdict_is_told_and_the_other_rows_are_applied(self) -> None:
        both = reported()
        west = act_on_package(both.packages["2026Q4", WEST], PackageAct.REPORT, reported_at=at(1, 5))
        both = replace(both, packages={**both.packages, ("2026Q4", WEST): west})
        rows = (on_package(COUNTY, "", "", TALK), replace(on_package(WEST, "退回", "有误", TALK), row=6))
        outcome = self.sent(*rows, situation=both)
        assert [package.unit for package in outcome.packages] == [WEST]
        assert reasons(outcome) == ["审核结论为空白，应选“通过”或“退回”"]

    def test_two_rows_on_one_package_that_differ_in_the_talk_only_are_both_refused(self) -> None:
        other = replace(on_package(COUNTY, "退回", "有误", replace(TALK, whom="县管")), row=6)
        outcome = self.sent(on_package(COUNTY, "退回", "有误", TALK), other)
        assert outcome.packages == ()
        assert len(reasons(outcome)) == 2

    def test_a_row_whose_times_reported_were_wiped_decides_nothing(self) -> None:
        outcome = self.sent(on_package(COUNTY, "通过", version=0))
        assert (outcome.packages, reasons(outcome)) == (
            (), ["该单位此后已经上报（第1次），请在新的汇总表中审核"],
        )  # fmt: skip


class TestReplays:
    def test_a_workbook_answered_twice_is_applied_once_and_the_second_answer_says_so(self) -> None:
        book = review(decision(SCHOOL, "通过"))
        once = after(submitted(), mail(REVIEWER, book, moment=NOW))
        again = decide(mail(REVIEWER, book, words="再发一次", moment=at(1, 3, 15)), once)
        assert (again.cases, reasons(again)) == ((), ["该单位数据已审核通过，无需重复审核"])

    def test_two_reviewers_workbooks_that_cross_are_applied_in_the_order_of_their_arrival(self) -> None:
        other = "second@county.test"
        situation = submitted()
        second = Contact(COUNTY, Role.REVIEWER, "县审二", email=other)
        roster = replace(situation.roster, contacts=(*situation.roster.contacts, second))
        situation = replace(situation, roster=roster)
        first = decide(mail(REVIEWER, review(decision(SCHOOL, "通过")), moment=NOW), situation)
        crossed = decide(
            mail(other, review(decision(SCHOOL, "退回", "请核实")), moment=at(1, 3, 11)),
            situation.after(first),
        )
        assert [case.state for case in crossed.cases] == [CaseState.RETURNED]
        assert crossed.events[-1].actor == "东区教育局审核员县审二"
        late = decide(
            mail(REVIEWER, review(decision(SCHOOL, "通过")), words="又", moment=at(1, 3, 12)),
            situation.after(first).after(crossed),
        )
        assert reasons(late) == ["该单位数据已退回修改，须重新报送后才能审核通过"]

    def test_the_token_of_another_level_gives_its_reviewer_no_hold_on_this_one(self) -> None:
        book = review(decision(SCHOOL, "通过"), level=CITY, hz=book_token(CITY))
        outcome = decide(mail(CITY_REVIEWER, book, moment=NOW), submitted())
        assert (outcome.cases, reasons(outcome)) == ((), ["该单位由东区教育局审核"])
        swapped = review(decision(SCHOOL, "通过"), level=CITY, hz=book_token(COUNTY))
        assert kinds(decide(mail(CITY_REVIEWER, swapped, moment=NOW), submitted())) == ["message.taken"]

    def test_an_old_quarters_workbook_in_a_strangers_hands_gets_one_answer_a_day(self) -> None:
        situation = submitted()
        old = replace(situation.books[book_token(COUNTY)], campaign="2026Q3")
        situation = replace(situation, books={book_token(COUNTY): old})
        ids = set()
        for n in range(10):
            sent = mail(f"x{n}@home.test", review(decision(SCHOOL, "通过", str(n))), moment=at(1, 3, 9, n))
            ids |= {letter.id for letter in decide(sent, situation).letters}
        assert len(ids) == 1


class TestApplications:
    def two_levels(self) -> Situation:
        """The county's 审核员 is the 审核员 of 西区 as well; both have reported."""
        situation = reported()
        west = act_on_package(situation.packages["2026Q4", WEST], PackageAct.REPORT, reported_at=at(1, 5))
        both = Contact(WEST, Role.REVIEWER, "县审", email=REVIEWER)
        roster = replace(situation.roster, contacts=(*situation.roster.contacts, both))
        return replace(situation, roster=roster, packages={**situation.packages, ("2026Q4", WEST): west})

    def test_who_reviews_for_two_levels_says_which_by_the_letter_that_is_answered(self) -> None:
        situation = self.two_levels()
        row = LetterRow(
            "letter-3", "report_confirmation", "2026Q4", WEST, form_for(WEST), 2, "d" * 64, "<w@office.test>", REVIEWER,
            "", "", LetterState.SENT, 1, NOW, None, "", 3,
        )  # fmt: skip
        situation = replace(situation, letters={row.message_id: row})
        words = "申请撤报：教师数有误"
        outcome = decide(mail(REVIEWER, words=words, moment=LATER, in_reply_to=(row.message_id,)), situation)
        assert [package.unit for package in outcome.packages] == [WEST]

    def test_and_without_one_nothing_is_withdrawn_by_guessing(self) -> None:
        outcome = decide(mail(REVIEWER, words="申请撤报：教师数有误", moment=LATER), self.two_levels())
        assert outcome.packages == ()
        assert "以明确撤回哪一级的数据" in reasons(outcome)[0]

    @pytest.mark.parametrize("words", ["申请撤报", "您好，现提出撤报申请，请批准，谢谢！", "撤报申请。"])
    def test_an_application_without_a_reason_is_asked_for_one(self, words: str) -> None:
        outcome = decide(mail(REVIEWER, words=words, moment=LATER), reported())
        assert (outcome.packages, letters(outcome)) == ((), [("review_result", REVIEWER)])
        assert reasons(outcome) == ["撤报申请没有写明理由，请在邮件正文写明须修改的单位和内容后重新提出"]

    @pytest.mark.parametrize(
        "words", ["申请撤报：有误", "撤报申请：东区教育局数据中东区第一小学逾期报送，申请撤回本级数据"]
    )
    def test_one_with_a_reason_goes_up(self, words: str) -> None:
        assert gives_reason(words)
        outcome = decide(mail(REVIEWER, words=words, moment=LATER), reported())
        assert [package.state for package in outcome.packages] == [PackageState.WITHDRAWAL_REQUESTED]

    @pytest.mark.parametrize("words", ["申请撤报，理由详见附件。", "撤报申请见附件扫描件，请批准"])
    def test_a_reason_that_stands_in_the_attachment_is_asked_for_in_the_mail(self, words: str) -> None:
        outcome = decide(mail(REVIEWER, "撤报申请.pdf", words=words, moment=LATER), reported())
        assert outcome.packages == ()
        assert "请在邮件正文写明" in reasons(outcome)[0]

    @pytest.mark.parametrize(
        "files",
        [
            ("撤报申请（盖章）.pdf",),
            ("撤报申请.docx", "-logo.png"),
            (review(),),
            (workbook(COUNTY),),
            (review(), "撤报申请.pdf"),
        ],
        ids=["scan", "document", "own workbook", "late return", "workbook and scan"],
    )
    def test_papers_beside_an_application_do_not_keep_it_from_going_up(self, files: tuple[Any, ...]) -> None:
        outcome = decide(mail(REVIEWER, *files, words="申请撤报：教师数有误", moment=LATER), reported())
        assert [package.state for package in outcome.packages] == [PackageState.WITHDRAWAL_REQUESTED]
        told = [letter for letter in outcome.letters if letter.context.get("applied")]
        assert [letter.context["applied"][0]["decision"] for letter in told] == ["撤报申请已登记，待上级审核"]
        assert "随附文件不转送上级" in told[0].context["applied"][0]["note"]
        assert len({letter.id for letter in outcome.letters}) == len(outcome.letters)

    def test_a_stamped_picture_beside_a_plain_no_change_is_only_a_picture(self) -> None:
        situation = with_earlier(opened())
        outcome = decide(
            mail("school@county.test", "盖章.jpg", words="无变化", subject=token(SCHOOL)), situation
        )
        assert letters(outcome) == [("acknowledgement", "school@county.test")]
        assert (outcome.bucket, ends(outcome)) == (
            Bucket.CONFIRMATION, [AttachmentOutcome.UNSUPPORTED],
        )  # fmt: skip

    def test_words_above_a_workbook_that_was_taken_confirm_nothing_besides(self) -> None:
        situation = with_earlier(opened())
        outcome = decide(mail("school@county.test", workbook(SCHOOL), words="无变化"), situation)
        assert [case.number for case in outcome.cases] == [1]
        assert not outcome.submissions[0].no_change


class TestSeveralWorkbooks:
    """One mail may bring two versions of a level's workbook, or those of two levels."""

    def test_each_is_answered_on_its_own(self) -> None:
        books = review(decision(SCHOOL, "可以")), review(decision(SCHOOL, "退回", "请核实"))
        outcome = decide(mail(REVIEWER, *books, moment=NOW), submitted())
        told = {
            letter.id: letter.context for letter in outcome.letters if letter.kind.value == "review_result"
        }
        assert [(len(one["applied"]), len(one["refused"])) for one in told.values()] == [(0, 1), (1, 0)]

    def test_held_they_are_one_piece_to_ask_about(self) -> None:
        books = review(decision(SCHOOL, "通过")), review(decision(SCHOOL, "退回", "请核实"))
        first = decide(mail("a@home.test", *books, moment=NOW), submitted())
        assert kinds(first) == ["message.taken", "review.held", "step.done"]
        second = decide(mail("b@home.test", *books, moment=NOW), submitted().after(first))
        assert kinds(second) == ["message.taken", "step.done"]
        streams = [(event.stream, event.number) for event in second.events]
        assert len(set(streams)) == len(streams)

    def test_confirmed_each_has_its_answer(self) -> None:
        books = review(decision(SCHOOL, "可以")), review(decision(SCHOOL, "退回", "请核实"))
        row = LetterRow(
            "letter-9", "decision_confirm", "2026Q4", COUNTY, form_for(COUNTY), 2, "d" * 64, "<q@office.test>", REVIEWER,
            "", "", LetterState.SENT, 1, NOW, None, "", 3,
        )  # fmt: skip
        held = Held("a" * 64, 1, "", tuple(book.review for book in books if book.review))
        situation = replace(submitted(), letters={row.message_id: row}, held={row.id: held})
        reply = mail(REVIEWER, words="确认", moment=at(1, 4), in_reply_to=(row.message_id,))
        told = {
            letter.id for letter in decide(reply, situation).letters if letter.kind.value == "review_result"
        }
        assert len(told) == 2


@pytest.mark.parametrize(
    "address",
    ["a@请点击 http://evil.test/login", "a@evil.test\n请转账", f"a@{'x' * 300}.test", "<b>@home.test", "a"],
)
def test_what_a_stranger_writes_as_an_address_is_not_shown_to_a_unit(address: str) -> None:
    assert mask_address(address) == "（发件地址不明）"
    assert mask_address("somebody@home.test") == "s***@home.test"


class TestOutdated:
    def test_a_row_that_was_replaced_since_asks_for_a_new_workbook_once_a_mail(self) -> None:
        rows = decision(SCHOOL, "通过", version=0), on_package(COUNTY, "通过")
        outcome = decide(mail(REVIEWER, review(*rows), moment=NOW), submitted())
        (step,) = [event.stream for event in outcome.events if event.kind == "step.done"]
        assert step.startswith(f"step:2026Q4/wants-book/{COUNTY}/")

    @pytest.mark.parametrize("row", [decision(SCHOOL, "可以"), decision(SCHOOL, "通过", version=9)])
    def test_any_other_refusal_asks_for_none(self, row: Any) -> None:
        assert kinds(decide(mail(REVIEWER, review(row), moment=NOW), submitted())) == ["message.taken"]


class TestTheDueDate:
    def test_after_it_a_returned_level_is_not_reported_by_hand_before_the_calendar_has_acted(self) -> None:
        situation = reported(PackageAct.RETURN, due=at(1, 9, 0))
        level = situation.roster.units[COUNTY]
        assert report_level(Review(level, "县审", at(1, 8, 23), "cli"), situation)[0].packages
        outcome, reason = report_level(Review(level, "县审", at(1, 9, 0), "cli"), situation)
        assert (outcome.packages, reason) == ((), "已过重新上报的限期，由系统按限期时的数据自动上报")


class TestOfAUnitThatReportsNoPackage:
    """撤报 is a level's (article 19); a school corrects its data with a workbook (article 16)."""

    def asked(self, situation: Situation, minute: int = 0) -> Outcome:
        return decide(mail(words="申请撤报：学生数有误", moment=at(1, 7, 9, minute)), situation)

    def test_who_asks_is_told_who_may_and_how_data_are_corrected(self) -> None:
        outcome = self.asked(opened())
        assert (outcome.bucket, letters(outcome)) == (
            Bucket.WITHDRAWAL,
            [("empty_reply", "school@county.test")],
        )
        (letter,) = outcome.letters
        assert letter.context["asked_back"] == "东区教育局"
        assert letter.context["reported"] is False
        assert (outcome.cases, outcome.packages) == ((), ())

    def test_once_a_day(self) -> None:
        assert self.asked(opened()).letters[0].id == self.asked(opened(), 1).letters[0].id
