"""What people do to a reviewer's workbook: comments on cells, rows twice, free words, another quarter, 撤报."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.domain.offices import CITY, COUNTY, SCHOOL, WEST, at, cell
from tests.process.situations import (
    FORMS,
    GOOD,
    STRANGER,
    after,
    answered,
    book_token,
    decision,
    ends,
    key,
    kinds,
    letters,
    mail,
    on_package,
    opened,
    review,
    workbook,
)
from workflow.domain.letters import AnnotatedCopy
from workflow.domain.lifecycle import CaseState, PackageAct, PackageState, act_on_package
from workflow.domain.submission import AttachmentOutcome, Bucket
from workflow.process.decide import decide
from workflow.process.situation import Outcome, Situation

REVIEWER, CITY_REVIEWER = "review@county.test", "review@city.test"
NOW = at(1, 3)
LATER = at(1, 7)


def submitted() -> Situation:
    situation = after(opened(), mail(STRANGER, workbook(SCHOOL)))
    version = situation.submissions[key(SCHOOL)][-1]
    return replace(situation, answers={version.id: GOOD})


def result(outcome: Outcome) -> dict[str, Any]:
    return answered(outcome, "review_result")


def reasons(outcome: Outcome) -> list[str]:
    return [row["reason"] for row in result(outcome)["refused"]]


def reported(*acts: PackageAct, above: PackageAct | None = None) -> Situation:
    """The county has reported, and more; the city may have reported too."""
    situation = opened()
    packages = dict(situation.packages)
    for act in (PackageAct.REPORT, *acts):
        packages[("2026Q4", COUNTY)] = act_on_package(packages[("2026Q4", COUNTY)], act)
    if above:
        packages[("2026Q4", CITY)] = act_on_package(packages[("2026Q4", CITY)], above)
    return replace(situation, packages=packages)


class TestAComment:
    def test_on_an_indicator_of_a_returned_row_marks_that_cell_in_the_units_workbook(self) -> None:
        row = replace(decision(SCHOOL, "退回"), remarks={"学生": "与学籍系统不符"})
        outcome = decide(mail(REVIEWER, review(row), moment=NOW), submitted())
        assert outcome.cases[-1].state is CaseState.RETURNED
        (letter,) = [letter for letter in outcome.letters if letter.kind == "returned"]
        (copy,) = letter.enclosures
        assert isinstance(copy, AnnotatedCopy)
        (finding,) = copy.findings
        assert (finding.code, finding.field, finding.cell) == (
            "reviewer",
            "学生",
            cell(FORMS["school"], "学生"),
        )
        assert (finding.found, finding.message) == ("480", "与学籍系统不符")
        assert letter.context["findings"][0]["severity"] == "审核意见"
        (event,) = [event for event in outcome.events if event.kind == "case.returned"]
        assert event.data["findings"][0]["message"] == "与学籍系统不符"

    def test_on_a_column_known_by_its_heading_alone_does_the_same(self) -> None:
        row = replace(decision(SCHOOL, "退回", "请改"), remarks={"学生": "不符", "单位名称": "名称有误"})
        outcome = decide(mail(REVIEWER, review(row), moment=NOW), submitted())
        (letter,) = [letter for letter in outcome.letters if letter.kind == "returned"]
        assert letter.context["note"] == "请改；单位名称：名称有误"

    def test_on_a_row_that_passes_stays_on_record_as_a_note(self) -> None:
        row = replace(decision(SCHOOL, "通过"), remarks={"学生": "下季度请核对"})
        outcome = decide(mail(REVIEWER, review(row), moment=NOW), submitted())
        (event,) = [event for event in outcome.events if event.kind == "case.approved"]
        assert event.data["note"] == "学生：下季度请核对"

    def test_without_a_verdict_decides_nothing_and_its_writer_is_told(self) -> None:
        row = replace(decision(SCHOOL, ""), remarks={"学生": "不符"})
        outcome = decide(mail(REVIEWER, review(row), moment=NOW), submitted())
        assert reasons(outcome) == ["审核结论为空白，应选“通过”或“退回”"]
        assert outcome.cases == ()


class TestRows:
    @pytest.mark.parametrize("typed", ["同意", "不同意", "√", "合格", "通过。", "1"])
    def test_nothing_but_the_words_of_the_list_is_taken_for_a_verdict(self, typed: str) -> None:
        outcome = decide(mail(REVIEWER, review(decision(SCHOOL, typed)), moment=NOW), submitted())
        assert reasons(outcome) == [f"审核结论为“{typed}”，应选“通过”或“退回”"]
        assert outcome.cases == ()

    def test_a_row_that_stands_twice_alike_counts_once(self) -> None:
        rows = (decision(SCHOOL, "通过", row=7), decision(SCHOOL, "通过", row=12))
        outcome = decide(mail(REVIEWER, review(*rows), moment=NOW), submitted())
        assert (len(result(outcome)["applied"]), reasons(outcome)) == (1, [])

    def test_both_verdicts_on_one_unit_decide_nothing(self) -> None:
        rows = (decision(SCHOOL, "通过", row=7), decision(SCHOOL, "退回", "请改", row=12))
        outcome = decide(mail(REVIEWER, review(*rows), moment=NOW), submitted())
        assert reasons(outcome) == ["同一单位既填“通过”又填“退回”，请只保留一个审核结论"] * 2
        assert outcome.cases == ()

    def test_twice_with_different_words_decides_nothing(self) -> None:
        rows = (decision(SCHOOL, "退回", "甲", row=7), decision(SCHOOL, "退回", "乙", row=12))
        outcome = decide(mail(REVIEWER, review(*rows), moment=NOW), submitted())
        assert reasons(outcome) == ["同一单位出现在第7、12行，所填内容不一致，请只保留一行"] * 2

    def test_an_added_row_is_refused_with_its_reason_and_the_others_count(self) -> None:
        known = decision(SCHOOL, "通过")
        rows = (replace(known, unit="", row=11), replace(known, unit="4199999999"), known)
        outcome = decide(mail(REVIEWER, review(*rows), moment=NOW), submitted())
        assert reasons(outcome) == [
            "该行没有单位代码，无法办理，请在原汇总表中审核", "名册中没有代码为 4199999999 的单位",
        ]  # fmt: skip
        assert outcome.cases[-1].state is CaseState.APPROVED

    def test_a_word_of_ones_own_in_the_report_cell_is_not_guessed_at(self) -> None:
        outcome = decide(mail(REVIEWER, review(report="同意"), moment=NOW), submitted())
        assert reasons(outcome) == ["上报意见为“同意”，应选“同意上报”或“暂不上报”"]
        assert outcome.packages == ()

    def test_a_package_that_was_reported_again_meanwhile_is_not_decided_on(self) -> None:
        row = replace(on_package(COUNTY, "通过"), version_no=1)
        situation = reported(PackageAct.RETURN, PackageAct.REPORT)
        outcome = decide(mail(CITY_REVIEWER, review(row, level=CITY), moment=LATER), situation)
        assert reasons(outcome) == ["该单位此后又重新上报（第2次），请在新的汇总表中审核"]

    def test_a_workbook_known_by_its_printed_token_alone_counts(self) -> None:
        reading = review(decision(SCHOOL, "通过"))
        assert reading.review
        reading = replace(reading, review=replace(reading.review, campaign="", level_unit=""))
        outcome = decide(mail(REVIEWER, reading, moment=NOW), submitted())
        assert outcome.cases[-1].state is CaseState.APPROVED


def test_a_workbook_of_the_last_quarter_is_answered_with_which_one_counts() -> None:
    situation = submitted()
    old = replace(situation.books[book_token(COUNTY)], campaign="2026Q3")
    situation = replace(situation, books={book_token(COUNTY): old})
    outcome = decide(mail(REVIEWER, review(decision(SCHOOL, "通过")), moment=NOW), situation)
    assert (outcome.bucket, ends(outcome)) == (Bucket.REVIEW, [AttachmentOutcome.FOREIGN])
    assert letters(outcome) == [("review_result", REVIEWER)]
    assert reasons(outcome) == [
        "这是2026年第三季度的审核汇总表，未作任何办理；本期为2026年第四季度，请在本期的审核汇总表中审核"
    ]
    assert kinds(outcome) == ["message.taken"]


class TestWithdrawal:
    def decided(self, verdict: str, note: str = "", situation: Situation | None = None) -> Outcome:
        asked = situation or reported(PackageAct.REQUEST_WITHDRAWAL)
        row = on_package(COUNTY, verdict, note)
        return decide(mail(CITY_REVIEWER, review(row, level=CITY), moment=LATER), asked)

    def test_granted_it_opens_the_package_and_who_asked_is_told_until_when(self) -> None:
        outcome = self.decided("同意撤报")
        assert outcome.packages[-1].state is PackageState.RETURNED
        told = answered(outcome, "withdrawal_result")
        assert (told["granted"], told["due"]) == (True, at(1, 11, 0))
        assert ("withdrawal_result", REVIEWER) in letters(outcome)

    def test_refused_with_a_reason_everything_stays_and_who_asked_is_told_why(self) -> None:
        outcome = self.decided("不同意撤报", "不影响汇总")
        assert outcome.packages[-1].state is PackageState.REPORTED
        assert answered(outcome, "withdrawal_result")["note"] == "不影响汇总"

    def test_a_refusal_without_a_reason_is_refused_itself(self) -> None:
        assert reasons(self.decided("不同意撤报")) == ["不同意撤报须写明理由"]

    @pytest.mark.parametrize("verdict", ["通过", "退回"])
    def test_the_ordinary_verdicts_do_not_answer_a_request(self, verdict: str) -> None:
        outcome = self.decided(verdict, "说明")
        assert reasons(outcome) == ["该单位已申请撤报，审核结论应选“同意撤报”或“不同意撤报”"]

    def test_without_a_request_there_is_nothing_to_grant(self) -> None:
        assert reasons(self.decided("同意撤报", situation=reported())) == ["该单位没有待办理的撤报申请"]

    def test_a_level_that_has_reported_itself_must_first_be_returned(self) -> None:
        situation = reported(PackageAct.REQUEST_WITHDRAWAL, above=PackageAct.REPORT)
        assert reasons(self.decided("同意撤报", situation=situation)) == [
            "甲市教育局自身已上报，须先由其上一级退回"
        ]
        refused = self.decided("不同意撤报", "不影响汇总", situation)
        assert refused.packages[-1].state is PackageState.REPORTED

    def test_another_levels_request_is_not_this_reviewers(self) -> None:
        row = on_package(WEST, "同意撤报")
        outcome = decide(mail(REVIEWER, review(row), moment=NOW), opened())
        assert reasons(outcome) == ["该单位不是本级的下一级上报单位"]

    @pytest.mark.parametrize(
        ("verdict", "act", "settled"),
        [
            ("同意撤报", PackageAct.GRANT_WITHDRAWAL, True),
            ("不同意撤报", PackageAct.REFUSE_WITHDRAWAL, True),
            ("同意撤报", PackageAct.REFUSE_WITHDRAWAL, False),
        ],
    )
    def test_a_verdict_that_was_carried_out_before_does_not_hold_the_levels_report(
        self, verdict: str, act: PackageAct, settled: bool
    ) -> None:
        """The same workbook goes back once more, now with 同意上报."""
        situation = reported(PackageAct.REQUEST_WITHDRAWAL, act)
        row = on_package(COUNTY, verdict, "不影响汇总")
        outcome = decide(
            mail(CITY_REVIEWER, review(row, level=CITY, report="同意上报"), moment=LATER), situation
        )
        assert (reasons(outcome)[0], len(reasons(outcome))) == (
            "该单位没有待办理的撤报申请",
            1 if settled else 2,
        )
        assert ("package.reported" in kinds(outcome)) is settled
