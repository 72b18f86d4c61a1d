"""A reviewer's workbook row by row, 同意上报, 撤报申请, and everything that is refused with its one reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.domain.offices import CITY, CITY_SCHOOL, COUNTY, PROVINCE, REMOTE, SCHOOL, UNIVERSITY, WEST, at
from tests.process.situations import (
    GOOD,
    STRANGER,
    WRONG,
    after,
    answered,
    decision,
    ends,
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
from workflow.domain.consultation import Talk
from workflow.domain.lifecycle import CaseState, NotAllowed, PackageAct, PackageState, act_on_package
from workflow.domain.merge import Origin
from workflow.domain.submission import AttachmentOutcome, Bucket, Decision
from workflow.process.decide import decide
from workflow.process.reviews import Review, decide_on_case, package_due
from workflow.process.situation import Outcome, Policy, Situation

REVIEWER, CITY_REVIEWER = "review@county.test", "review@city.test"
NOW = at(1, 3)


def submitted(*units: str) -> Situation:
    """These units have sent their workbooks in."""
    return after(opened(), *(mail(STRANGER, workbook(unit)) for unit in units or (SCHOOL,)))


def with_package(situation: Situation, unit: str, *acts: PackageAct) -> Situation:
    package = situation.packages["2026Q4", unit]
    for act in acts:
        package = act_on_package(package, act, due=at(1, 8, 0) if act is PackageAct.RETURN else None)
    return replace(situation, packages={**situation.packages, ("2026Q4", unit): package})


def result(outcome: Outcome) -> dict[str, Any]:
    return answered(outcome, "review_result")


def reason(situation: Situation, row: Decision, sender: str = REVIEWER, level: str = COUNTY) -> str:
    """Why a lone row is refused; nothing may have happened but a note that the reviewer needs a new workbook."""
    outcome = decide(mail(sender, review(row, level=level), moment=at(1, 3, 11)), situation)
    written = [event.kind for event in outcome.events if "/wants-book/" not in event.stream]
    assert (outcome.bucket, outcome.cases, outcome.packages, written) == (
        Bucket.REVIEW, (), (), ["message.taken"],
    )  # fmt: skip
    (refused,) = result(outcome)["refused"]
    assert refused["row"] == row.row
    return str(refused["reason"])


class TestRows:
    def test_the_registered_reviewer_decides_row_by_row(self) -> None:
        book = review(
            decision(SCHOOL, "通过"), decision(REMOTE, "退回", "教师数请核实"), decision(COUNTY, "通过")
        )
        situation = submitted(SCHOOL, REMOTE)
        outcome = decide(mail(REVIEWER, book, moment=NOW), situation)
        assert (outcome.bucket, ends(outcome)) == (Bucket.REVIEW, [AttachmentOutcome.REVIEW])
        assert kinds(outcome) == ["message.taken", "case.approved", "case.returned"]
        told = result(outcome)
        assert [(row["unit_name"], row["decision"]) for row in told["applied"]] == [
            ("东区第一小学", "通过"), ("东区山村小学", "退回"),
        ]  # fmt: skip
        assert [row["unit_name"] for row in told["refused"]] == ["东区教育局"]
        assert (told["reported"], told["remaining"]) == (False, 0)
        assert outcome.events[1].actor == "东区教育局审核员县审"

    def test_a_return_takes_the_unit_its_own_workbook_back(self) -> None:
        situation = submitted(REMOTE)
        version = situation.submissions[key(REMOTE)][0]
        situation = replace(situation, answers={version.id: GOOD})
        outcome = decide(mail(REVIEWER, review(decision(REMOTE, "退回", "请核实")), moment=NOW), situation)
        assert letters(outcome) == [("returned", "admin@county.test"), ("review_result", REVIEWER)]
        (copy,) = outcome.letters[0].enclosures
        assert (copy.answers, copy.note, copy.due) == (GOOD, "请核实", at(1, 6, 0))  # type: ignore[union-attr]
        assert outcome.letters[0].to.relay_for == REMOTE
        assert [v.returned for v in outcome.submissions] == [True]

    def test_the_answer_counts_what_still_waits_for_a_decision(self) -> None:
        situation = submitted(SCHOOL, REMOTE, COUNTY, WEST)
        told = result(decide(mail(REVIEWER, review(decision(SCHOOL, "通过")), moment=NOW), situation))
        assert told["remaining"] == 2

    def test_an_approval_is_marked_on_the_version(self) -> None:
        outcome = decide(mail(REVIEWER, review(decision(SCHOOL, "通过")), moment=NOW), submitted())
        assert [(v.number, v.approved) for v in outcome.submissions] == [(1, True)]
        assert outcome.rests_on == {f"package:2026Q4/{COUNTY}"}

    @pytest.mark.parametrize(
        ("row", "words"),
        [
            (decision(SCHOOL, ""), "审核结论为空白，应选“通过”或“退回”"),
            (decision(SCHOOL, "同意"), "审核结论为“同意”，应选“通过”或“退回”"),
            (decision(SCHOOL, "退回"), "退回须在审核意见栏写明问题和修改要求"),
            (replace(decision(SCHOOL, "通过"), unit="419999"), "名册中没有代码为 419999 的单位"),
            (replace(decision(SCHOOL, "通过"), form="office"), "该单位不填报此表"),
            (decision(SCHOOL, "通过", version=0), "该单位此后又报送了新数据（第1次），请在新的汇总表中审核"),
            (
                decision(SCHOOL, "通过", version=2),
                "该单位实际报送1次，与表中的报送次数不符，请在原汇总表中审核",
            ),
            (decision(WEST, "通过", version=0), "该单位由西区教育局审核"),
            (decision(CITY_SCHOOL, "通过", version=0), "该单位由甲市教育局审核"),
            (decision(REMOTE, "通过", version=0), "该单位尚未报送，没有可审核的数据"),
            (decision(REMOTE, "退回", "请报", version=0), "该单位尚未报送，没有可审核的数据"),
            (on_package(WEST, "通过"), "该单位不是本级的下一级上报单位"),
            (on_package(SCHOOL, "通过"), "该单位不是本级的下一级上报单位"),
        ],
    )
    def test_a_row_that_cannot_be_applied_is_refused_with_its_one_reason(
        self, row: Decision, words: str
    ) -> None:
        assert reason(submitted(), row) == words

    def test_what_was_decided_is_not_decided_again(self) -> None:
        approved = after(submitted(), mail(REVIEWER, review(decision(SCHOOL, "通过")), moment=NOW))
        assert reason(approved, decision(SCHOOL, "通过")) == "该单位数据已审核通过，无需重复审核"
        returned = after(approved, mail(REVIEWER, review(decision(SCHOOL, "退回", "请核实")), moment=NOW))
        assert returned.cases[key(SCHOOL)].state is CaseState.RETURNED
        assert reason(returned, decision(SCHOOL, "退回", "再核")) == "该单位数据已经退回，尚未重新报送"
        assert reason(returned, decision(SCHOOL, "通过")) == "该单位数据已退回修改，须重新报送后才能审核通过"

    def test_data_with_errors_cannot_be_approved(self) -> None:
        wrong = after(opened(), mail(STRANGER, workbook(answers=WRONG)))
        assert reason(wrong, decision(SCHOOL, "通过")) == "该单位数据已退回修改，须重新报送后才能审核通过"
        same = after(
            with_earlier(opened(), origin=Origin.WITH_ERRORS),
            mail("school@county.test", words="无变化", subject=token(SCHOOL)),
        )
        assert reason(same, decision(SCHOOL, "通过")) == "该单位数据还有逻辑校验错误，须改正后才能审核通过"

    def test_a_reported_level_is_locked(self) -> None:
        locked = with_package(submitted(), COUNTY, PackageAct.REPORT)
        assert reason(locked, decision(SCHOOL, "通过")) == "本级数据已上报并锁定，如需修改请提出撤报申请"

    def test_a_unit_with_both_verdicts_is_refused_in_both_rows(self) -> None:
        book = review(decision(SCHOOL, "通过", row=7), decision(SCHOOL, "退回", "请核实", row=8))
        outcome = decide(mail(REVIEWER, book, moment=NOW), submitted())
        assert outcome.cases == ()
        assert [(row["row"], "只保留一个" in row["reason"]) for row in result(outcome)["refused"]] == [
            (7, True), (8, True),
        ]  # fmt: skip

    def test_the_same_verdict_twice_is_applied_once(self) -> None:
        book = review(decision(SCHOOL, "通过", row=7), decision(SCHOOL, "通过", row=8))
        outcome = decide(mail(REVIEWER, book, moment=NOW), submitted())
        assert kinds(outcome) == ["message.taken", "case.approved"]
        assert len(result(outcome)["applied"]) == 1


class TestWhoDecides:
    @pytest.mark.parametrize("sender", ["school@county.test", "admin@county.test", CITY_REVIEWER])
    def test_from_anybody_else_nothing_is_applied_and_the_registered_reviewer_is_told(
        self, sender: str
    ) -> None:
        book = review(decision(SCHOOL, "通过"), report="同意上报")
        outcome = decide(mail(sender, book, moment=NOW), submitted())
        assert (outcome.bucket, ends(outcome), kinds(outcome)) == (
            Bucket.REVIEW, [AttachmentOutcome.REVIEW], ["message.taken"],
        )  # fmt: skip
        assert letters(outcome) == [("review_result", REVIEWER)]
        assert "不是名册登记的审核员邮箱" in result(outcome)["refused"][0]["reason"]
        assert "不是名册登记的审核员邮箱" in outcome.fates[0].reason

    def test_a_sender_whom_the_server_does_not_vouch_for_decides_nothing(self) -> None:
        situation = replace(submitted(), policy=Policy("own@office.test", trusted_authserv="mx.office.test"))
        book = review(decision(SCHOOL, "通过"))
        forged = decide(mail(REVIEWER, book, moment=NOW), situation)
        assert (forged.cases, "发件人验证" in forged.fates[0].reason) == ((), True)
        assert letters(forged) == [("decision_confirm", REVIEWER)]
        passed = ("mx.office.test; dmarc=pass header.from=county.test",)
        assert decide(mail(REVIEWER, book, moment=NOW, auth_results=passed), situation).cases

    def test_a_workbook_that_is_none_of_this_campaigns_is_foreign(self) -> None:
        for book in (
            review(decision(SCHOOL, "通过"), hz="HZ-AAAAAAAAAAAAAAAAAA"),
            review(level=PROVINCE, hz=""),
        ):
            reading = book.review
            assert reading is not None
            swapped = replace(book, review=replace(reading, level_unit=WEST))
            outcome = decide(mail(REVIEWER, swapped, moment=NOW), submitted())
            assert (ends(outcome), outcome.cases) == ([AttachmentOutcome.FOREIGN], ())

    def test_where_nobody_can_be_told_nobody_is(self) -> None:
        deaf = replace(submitted(), roster=replace(opened().roster, contacts=()))
        assert decide(mail(STRANGER, review(decision(SCHOOL, "通过")), moment=NOW), deaf).letters == ()

    def test_each_decision_stands_for_itself(self) -> None:
        level = opened().roster.units[COUNTY]
        with pytest.raises(NotAllowed, match="甲市教育局审核"):
            decide_on_case(
                Review(level, "县审", NOW, "cli"), opened().cases[key(CITY_SCHOOL)], "通过", "", opened()
            )


class TestReporting:
    def test_the_cover_reports_the_level_inside_its_window_after_its_rows(self) -> None:
        book = review(decision(SCHOOL, "通过"), report="同意上报")
        outcome = decide(mail(REVIEWER, book, moment=NOW), submitted())
        assert kinds(outcome) == ["message.taken", "case.approved", "package.reported"]
        assert outcome.events[-1].data["rows"][1] == [
            SCHOOL,
            "school",
            "approved",
            f"2026Q4/{SCHOOL}/school/1",
            1,
        ]
        assert result(outcome)["reported"] is True
        assert {kind for kind, _ in letters(outcome)} == {
            "report_confirmation",
            "report_received",
            "review_result",
        }

    def test_the_answer_to_a_level_that_has_reported_says_so(self) -> None:
        locked = with_package(submitted(), COUNTY, PackageAct.REPORT)
        outcome = decide(
            mail(REVIEWER, review(decision(SCHOOL, "通过"), report="同意上报"), moment=NOW), locked
        )
        assert result(outcome)["reported"] is True
        assert result(outcome)["applied"] == []
        assert outcome.cases == ()

    def test_before_its_window_the_rows_count_and_the_report_does_not(self) -> None:
        book = review(decision(SCHOOL, "通过"), report="同意上报")
        outcome = decide(mail(REVIEWER, book, moment=at(12, 31, 23, 59)), submitted())
        assert (len(outcome.cases), outcome.packages) == (1, ())
        assert result(outcome)["refused"][-1]["reason"] == "上报时间为2027年1月1日至1月5日"

    def test_after_the_cut_off_nothing_is_decided_even_before_the_report_is_written(self) -> None:
        book = review(decision(SCHOOL, "通过"), report="同意上报")
        outcome = decide(mail(REVIEWER, book, moment=at(1, 6, 0)), submitted())
        assert (outcome.cases, outcome.packages) == ((), ())
        assert [row["reason"] for row in result(outcome)["refused"]] == [
            "该汇总表的识别码已失效：已过本级上报截止时间，数据按截止时的情况上报"
        ]

    def test_a_returned_package_may_go_up_again_outside_the_window(self) -> None:
        situation = with_package(opened(), COUNTY, PackageAct.REPORT, PackageAct.RETURN)
        outcome = decide(mail(REVIEWER, review(report="同意上报"), moment=at(1, 7)), situation)
        assert outcome.packages[-1].state is PackageState.REPORTED
        assert outcome.packages[-1].version == 2

    def test_twice_is_refused(self) -> None:
        situation = with_package(opened(), COUNTY, PackageAct.REPORT)
        outcome = decide(mail(REVIEWER, review(report="同意上报"), moment=NOW), situation)
        assert result(outcome)["refused"][0]["reason"] == "本级数据已经上报，不能重复上报"

    @pytest.mark.parametrize(
        "row",
        [
            decision(REMOTE, "通过"),  # has not replied
            decision(REMOTE, "退回"),  # says nothing of what is wrong
            decision(REMOTE, "", "请核实"),  # no verdict
            decision(CITY_SCHOOL, "通过"),  # another level's
        ],
    )
    def test_a_level_does_not_go_up_over_a_row_that_was_refused(self, row: Decision) -> None:
        book = review(decision(SCHOOL, "通过"), row, report="同意上报")
        outcome = decide(mail(REVIEWER, book, moment=NOW), submitted())
        assert kinds(outcome) == ["message.taken", "case.approved"]
        told = result(outcome)
        assert (told["reported"], len(told["refused"])) == (False, 2)
        assert told["refused"][-1]["reason"] == (
            "有1行的审核结论未予采用，“同意上报”暂不执行，本级尚未上报；"
            "请更正这些行，或者删去其审核结论和审核意见，再选“同意上报”回复"
        )

    def test_a_row_on_data_that_were_replaced_since_holds_the_report_too(self) -> None:
        situation = after(submitted(), mail(STRANGER, workbook(SCHOOL, answers={**GOOD, "学生": 481})))
        book = review(decision(SCHOOL, "通过", version=1), report="同意上报")
        outcome = decide(mail(REVIEWER, book, moment=NOW), situation)
        assert (outcome.packages, result(outcome)["reported"]) == ((), False)

    def test_a_row_that_is_already_as_it_asks_holds_nothing(self) -> None:
        first = mail(REVIEWER, review(decision(SCHOOL, "通过")), moment=NOW)
        situation = after(submitted(SCHOOL, REMOTE), first)
        book = review(decision(SCHOOL, "通过"), decision(REMOTE, "通过"), report="同意上报")
        outcome = decide(mail(REVIEWER, book, moment=at(1, 4)), situation)
        assert kinds(outcome) == ["message.taken", "case.approved", "package.reported"]
        told = result(outcome)
        assert (told["reported"], [row["reason"] for row in told["refused"]]) == (
            True, ["该单位数据已审核通过，无需重复审核"],
        )  # fmt: skip

    def test_a_package_that_was_accepted_before_holds_nothing(self) -> None:
        situation = with_package(opened(), COUNTY, PackageAct.REPORT, PackageAct.ACCEPT)
        book = review(on_package(COUNTY, "通过"), level=CITY, report="同意上报")
        outcome = decide(mail(CITY_REVIEWER, book, moment=at(1, 7)), situation)
        assert result(outcome)["reported"] is True

    def test_any_other_word_on_the_cover_reports_nothing(self) -> None:
        assert decide(mail(REVIEWER, review(report="暂不上报"), moment=NOW), opened()).packages == ()


class TestPackagesOfTheLevelBelow:
    def test_one_is_accepted(self) -> None:
        situation = with_package(opened(), COUNTY, PackageAct.REPORT)
        outcome = decide(
            mail(CITY_REVIEWER, review(on_package(COUNTY, "通过"), level=CITY), moment=at(1, 7)), situation
        )
        assert [package.state for package in outcome.packages] == [PackageState.ACCEPTED]

    def test_one_is_sent_back_with_its_date_and_its_reviewer_told(self) -> None:
        situation = with_package(opened(), COUNTY, PackageAct.REPORT)
        talk = Talk("县审", "1月8日15:30", "电话")
        book = review(on_package(COUNTY, "退回", "教师数有误", talk), level=CITY)
        outcome = decide(mail(CITY_REVIEWER, book, moment=at(1, 9)), situation)
        (package,) = outcome.packages
        assert (package.state, package.due) == (PackageState.RETURNED, at(1, 11, 0))
        assert letters(outcome) == [("package_returned", REVIEWER), ("review_result", CITY_REVIEWER)]

    @pytest.mark.parametrize(
        ("acts", "own", "words"),
        [
            ((), (), "该单位尚未上报"),
            ((PackageAct.REPORT, PackageAct.ACCEPT), (), "该单位上报数据已经接收"),
            ((PackageAct.REPORT, PackageAct.RETURN), (), "该单位上报数据已经退回，尚未重新上报"),
            ((PackageAct.REPORT,), (PackageAct.REPORT,), "本级数据已上报并锁定，如需修改请提出撤报申请"),
        ],
    )
    def test_or_refused_with_its_one_reason(
        self, acts: tuple[PackageAct, ...], own: tuple[PackageAct, ...], words: str
    ) -> None:
        situation = with_package(with_package(opened(), COUNTY, *acts), CITY, *own)
        assert reason(situation, on_package(COUNTY, "通过"), CITY_REVIEWER, CITY) == words

    def test_nothing_is_decided_on_them_after_the_levels_own_cut_off(self) -> None:
        situation = with_package(opened(), COUNTY, PackageAct.REPORT)
        book = mail(CITY_REVIEWER, review(on_package(COUNTY, "通过"), level=CITY), moment=at(1, 11, 0))
        outcome = decide(book, situation)
        assert outcome.packages == ()
        assert "已过本级上报截止时间" in result(outcome)["refused"][0]["reason"]

    def test_only_the_level_directly_above_decides(self) -> None:
        situation = with_package(opened(), COUNTY, PackageAct.REPORT)
        words = reason(situation, on_package(COUNTY, "通过"), "review@province.test", PROVINCE)
        assert words == "该单位不是本级的下一级上报单位"

    def test_a_return_after_the_levels_own_cut_off_still_gives_days(self) -> None:
        situation = opened()
        level = situation.roster.units[CITY]
        assert situation.campaign is not None
        due = package_due(Review(level, "市审", at(1, 20), "cli"), situation.campaign, situation.policy)
        assert due == at(1, 24, 0)


class TestWithdrawal:
    def test_a_reported_levels_reviewer_asks_and_the_level_above_will_decide(self) -> None:
        situation = with_package(opened(), COUNTY, PackageAct.REPORT)
        outcome = decide(mail(REVIEWER, words="现提出撤报申请，教师数有误。", moment=at(1, 7)), situation)
        assert (outcome.bucket, kinds(outcome)) == (
            Bucket.WITHDRAWAL, ["message.taken", "package.withdrawal_requested"],
        )  # fmt: skip
        (package,) = outcome.packages
        assert (package.state, package.note) == (
            PackageState.WITHDRAWAL_REQUESTED,
            "现提出撤报申请，教师数有误。",
        )
        assert result(outcome)["applied"][0]["decision"] == "撤报申请已登记，待上级审核"

    def test_before_the_report_there_is_nothing_to_withdraw(self) -> None:
        outcome = decide(mail(REVIEWER, words="撤报申请", moment=NOW), opened())
        assert (outcome.bucket, outcome.packages) == (Bucket.WITHDRAWAL, ())
        assert result(outcome)["refused"][0]["reason"] == "该单位尚未上报"

    def test_nobody_but_a_reviewer_can_ask(self) -> None:
        situation = with_package(opened(), COUNTY, PackageAct.REPORT)
        outcome = decide(mail("school@county.test", words="撤报申请", moment=NOW), situation)
        assert (outcome.bucket, outcome.packages) == (Bucket.WITHDRAWAL, ())
        assert letters(outcome) == [("empty_reply", "school@county.test")]

    def test_where_the_levels_administrator_asks_its_reviewer_is_told_who_must(self) -> None:
        situation = with_package(opened(), COUNTY, PackageAct.REPORT)
        outcome = decide(mail("admin@county.test", words="撤报申请：教师数有误", moment=NOW), situation)
        assert (outcome.bucket, outcome.packages) == (Bucket.WITHDRAWAL, ())
        assert letters(outcome) == [("review_result", REVIEWER)]
        assert "管理员不作审核决定，请由审核员回复" in result(outcome)["refused"][0]["reason"]

    def test_an_unvouched_sender_is_asked_to_confirm(self) -> None:
        situation = with_package(opened(), UNIVERSITY, PackageAct.REPORT)
        situation = replace(situation, policy=Policy("own@office.test", trusted_authserv="mx.office.test"))
        outcome = decide(mail("review@university.test", words="撤报申请", moment=at(1, 7)), situation)
        assert (outcome.bucket, outcome.packages) == (Bucket.WITHDRAWAL, ())
        assert letters(outcome) == [("decision_confirm", "review@university.test")]
