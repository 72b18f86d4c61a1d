"""Whose decisions count: roles, a workbook's expiring token, what is held until confirmed, and who has filled in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.domain.offices import CITY, COUNTY, SCHOOL, at
from tests.process.situations import (
    GOOD,
    after,
    answered,
    book_token,
    decision,
    form_for,
    key,
    kinds,
    letters,
    mail,
    on_package,
    opened,
    review,
    workbook,
)
from workflow.adapters.store.records import LetterRow, LetterState
from workflow.domain.lifecycle import CaseState, PackageAct, PackageState, act_on_package
from workflow.domain.matching import confirms_decision
from workflow.domain.roster import Contact, Role
from workflow.domain.submission import Bucket
from workflow.process.decide import decide
from workflow.process.situation import Held, Outcome, Policy, Situation

REVIEWER, ADMINISTRATOR, INSPECTOR = "review@county.test", "admin@county.test", "inspect@city.test"
PRIVATE = "xiansheng@home.test"
NOW, LATER = at(1, 3), at(1, 3, 15)
VOUCHED = ("mx.office.test; dmarc=pass header.from=county.test",)
BOOK = review(decision(SCHOOL, "通过"))
ASKED = "<asked@office.test>"


def submitted(sender: str = "school@county.test", unit: str = SCHOOL) -> Situation:
    situation = after(opened(), mail(sender, workbook(unit)))
    return replace(situation, answers={situation.submissions[key(unit)][-1].id: GOOD})


def guarded(situation: Situation) -> Situation:
    return replace(situation, policy=Policy("own@office.test", trusted_authserv="mx.office.test"))


def reasons(outcome: Outcome) -> list[str]:
    told: dict[str, Any] = answered(outcome, "review_result")
    return [row["reason"] for row in told["refused"]]


def asked(situation: Situation, held: Outcome, *, words: str = "") -> Situation:
    """The letter that asks has gone out; the held workbook or words are read again from the kept mail."""
    (letter,) = [letter for letter in held.letters if letter.kind == "decision_confirm"]
    row = LetterRow(
        letter.id, "decision_confirm", "2026Q4", letter.unit, form_for(letter.unit), 2, "d" * 64, ASKED, letter.to.email,
        "", "", LetterState.SENT, 1, NOW, None, "", 3,
    )  # fmt: skip
    reviews = () if words else (BOOK.review,)
    assert None not in reviews
    kept = Held(letter.cause, 1, words, reviews)  # type: ignore[arg-type]
    return replace(situation.after(held), letters={ASKED: row}, held={letter.id: kept})


def confirmed(situation: Situation, sender: str = REVIEWER, words: str = "确认", **more: Any) -> Outcome:
    return decide(mail(sender, words=words, moment=LATER, in_reply_to=(ASKED,), **more), situation)


class TestHeld:
    def test_from_an_address_nobody_registered_a_review_waits_and_the_registered_address_is_asked(
        self,
    ) -> None:
        outcome = decide(mail(PRIVATE, BOOK, moment=NOW), submitted())
        assert (outcome.bucket, kinds(outcome)) == (
            Bucket.REVIEW, ["message.taken", "review.held", "step.done"],
        )  # fmt: skip
        assert letters(outcome) == [("decision_confirm", REVIEWER)]
        assert outcome.letters[0].to.relay_for == ""
        (item,) = outcome.letters[0].context["items"]
        assert (item["from_address"], item["registered"]) == ("x***@home.test", False)
        assert "待审核员确认" in outcome.fates[0].reason

    def test_confirmed_from_the_registered_address_it_counts_as_of_the_confirmation(self) -> None:
        situation = submitted()
        held = decide(mail(PRIVATE, BOOK, moment=NOW), situation)
        outcome = confirmed(asked(situation, held))
        assert kinds(outcome) == ["message.taken", "review.confirmed", "case.approved"]
        assert (outcome.bucket, outcome.events[-1].at) == (Bucket.REVIEW, LATER)
        assert outcome.events[1].data["message"] == held.letters[0].cause
        assert outcome.cases[-1].state is CaseState.APPROVED
        assert letters(outcome) == [("review_result", REVIEWER)]

    def test_a_second_confirmation_changes_nothing_and_says_so(self) -> None:
        situation = submitted()
        waiting = asked(situation, decide(mail(PRIVATE, BOOK, moment=NOW), situation))
        again = confirmed(after(waiting, mail(REVIEWER, words="确认", moment=NOW, in_reply_to=(ASKED,))))
        assert again.cases == ()
        assert reasons(again) == ["该审核意见已经答复过，不重复办理"]

    @pytest.mark.parametrize("sender", [PRIVATE, ADMINISTRATOR, "review@city.test"])
    def test_nobody_else_can_confirm(self, sender: str) -> None:
        situation = submitted()
        outcome = confirmed(asked(situation, decide(mail(PRIVATE, BOOK, moment=NOW), situation)), sender)
        assert (outcome.cases, "review.confirmed" in kinds(outcome)) == ((), False)

    def test_where_the_server_vouches_for_senders_the_confirmation_must_be_vouched_for_too(self) -> None:
        situation = guarded(submitted())
        waiting = asked(situation, decide(mail(REVIEWER, BOOK, moment=NOW), situation))
        forged = confirmed(waiting)
        assert (forged.cases, "发件人验证" in reasons(forged)[0]) == ((), True)
        assert confirmed(waiting, auth_results=VOUCHED).cases[-1].state is CaseState.APPROVED

    def test_denied_it_goes_to_staff_and_cannot_be_confirmed_any_more(self) -> None:
        situation = submitted()
        waiting = asked(situation, decide(mail(PRIVATE, BOOK, moment=NOW), situation))
        outcome = confirmed(waiting, words="非本人审核")
        assert (outcome.bucket, kinds(outcome)) == (Bucket.PROBLEM, ["message.taken", "review.denied"])
        assert confirmed(waiting.after(outcome)).cases == ()

    def test_what_changed_before_the_confirmation_is_not_decided_on(self) -> None:
        situation = submitted()
        waiting = asked(situation, decide(mail(PRIVATE, BOOK, moment=NOW), situation))
        other = mail("school@county.test", workbook(answers={**GOOD, "学生": 481}), moment=at(1, 3, 12))
        outcome = confirmed(after(waiting, other))
        assert outcome.cases == ()
        assert "此后又报送了新数据" in reasons(outcome)[0]

    def test_what_can_no_longer_be_read_is_asked_for_again(self) -> None:
        situation = submitted()
        waiting = asked(situation, decide(mail(PRIVATE, BOOK, moment=NOW), situation))
        lost = {known: replace(one, reviews=()) for known, one in waiting.held.items()}
        outcome = confirmed(replace(waiting, held=lost))
        assert kinds(outcome) == ["message.taken"]
        assert reasons(outcome) == ["留存的原邮件已无法读取，请重新发送审核意见"]

    def test_a_confirmation_is_of_its_own_levels_workbook_alone(self) -> None:
        situation = submitted()
        waiting = asked(situation, decide(mail(PRIVATE, BOOK, moment=NOW), situation))
        other = review(on_package(COUNTY, "通过"), level=CITY).review
        assert other is not None
        both = {known: replace(one, reviews=(*one.reviews, other)) for known, one in waiting.held.items()}
        outcome = confirmed(replace(waiting, held=both))
        assert kinds(outcome) == ["message.taken", "review.confirmed", "case.approved"]

    def test_a_request_to_withdraw_waits_in_the_same_way(self) -> None:
        situation = guarded(opened())
        package = act_on_package(situation.packages["2026Q4", COUNTY], PackageAct.REPORT)
        situation = replace(situation, packages={**situation.packages, ("2026Q4", COUNTY): package})
        held = decide(mail(REVIEWER, words="撤报申请：教师数有误。", moment=NOW), situation)
        assert (held.bucket, held.packages, letters(held)) == (
            Bucket.WITHDRAWAL, (), [("decision_confirm", REVIEWER)],
        )  # fmt: skip
        outcome = confirmed(asked(situation, held, words="撤报申请：教师数有误。"), auth_results=VOUCHED)
        assert outcome.packages[-1].state is PackageState.WITHDRAWAL_REQUESTED

    @pytest.mark.parametrize(
        ("words", "meant"),
        [
            ("确认", True), ("确认。\n县审", True), ("是本人审核", True), ("非本人审核", False), ("不是本人发的", False),
            ("请问怎么确认", None), ("", None), ("撤报申请", None),
        ],
    )  # fmt: skip
    def test_only_a_plain_word_answers(self, words: str, meant: bool | None) -> None:
        assert confirms_decision(words) is meant


class TestRoles:
    @pytest.mark.parametrize(
        ("sender", "level", "role"), [(ADMINISTRATOR, COUNTY, "管理员"), (INSPECTOR, CITY, "视察员")]
    )
    def test_an_administrator_and_an_inspector_decide_nothing_and_are_not_asked_to_confirm(
        self, sender: str, level: str, role: str
    ) -> None:
        book = review(on_package(COUNTY, "通过"), level=level, report="同意上报")
        outcome = decide(mail(sender, book, moment=NOW), submitted())
        assert kinds(outcome) == ["message.taken"]
        assert [kind for kind, _ in letters(outcome)] == ["review_result"]
        assert reasons(outcome) == [f"来信地址不是名册登记的审核员邮箱，{role}不作审核决定，请由审核员回复"]

    def test_where_there_is_no_reviewer_nobody_decides_instead(self) -> None:
        situation = submitted()
        people = tuple(c for c in situation.roster.contacts if (c.unit, c.role) != (COUNTY, Role.REVIEWER))
        situation = replace(situation, roster=replace(situation.roster, contacts=people))
        for sender in (ADMINISTRATOR, PRIVATE):
            outcome = decide(mail(sender, BOOK, moment=NOW), situation)
            assert (outcome.cases, kinds(outcome)) == ((), ["message.taken"])
            assert "没有登记审核员" in outcome.fates[0].reason


class TestToken:
    def reported(self, *acts: PackageAct) -> Situation:
        situation = submitted()
        package = situation.packages["2026Q4", COUNTY]
        for act in (PackageAct.REPORT, *acts):
            when = {"reported_at": at(1, 2)} if act is PackageAct.REPORT else {"due": at(1, 8, 0)}
            package = act_on_package(package, act, **when)
        return replace(situation, packages={**situation.packages, ("2026Q4", COUNTY): package})

    @pytest.mark.parametrize("acts", [(), (PackageAct.RETURN,)])
    @pytest.mark.parametrize("sender", [REVIEWER, PRIVATE])
    def test_once_its_level_has_reported_a_workbook_decides_nothing_any_more(
        self, acts: tuple[PackageAct, ...], sender: str
    ) -> None:
        outcome = decide(mail(sender, BOOK, moment=NOW), self.reported(*acts))
        assert (outcome.cases, kinds(outcome)) == ((), ["message.taken"])
        (reason,) = reasons(outcome)
        assert reason.startswith("该汇总表的识别码已失效：发出后本级已经上报")

    def test_a_workbook_made_after_the_return_is_in_force_until_its_date(self) -> None:
        situation = self.reported(PackageAct.RETURN)
        fresh = replace(situation.books[book_token(COUNTY)], made_at=at(1, 2, 12))
        situation = replace(situation, books={book_token(COUNTY): fresh})
        assert decide(mail(REVIEWER, BOOK, moment=at(1, 7)), situation).cases
        over = decide(mail(REVIEWER, BOOK, moment=at(1, 8, 0)), situation)
        assert (over.cases, reasons(over)) == (
            (), ["该汇总表的识别码已失效：已过本级上报截止时间，数据按截止时的情况上报"],
        )  # fmt: skip


class TestWhoFilled:
    REASON = "该数据由审核员本人填报，填报人不能审核自己填报的数据，请由其他审核员审核"

    def alone(self, situation: Situation) -> Situation:
        """The county's 审核员 is its 管理员 as well."""
        both = Contact(COUNTY, Role.ADMINISTRATOR, "县审", email=REVIEWER)
        contacts = (*situation.roster.contacts, both)
        return replace(situation, roster=replace(situation.roster, contacts=contacts))

    def test_what_came_from_the_reviewers_own_address_is_not_approved_by_that_reviewer(self) -> None:
        outcome = decide(mail(REVIEWER, BOOK, moment=NOW), submitted(REVIEWER))
        assert (outcome.cases, reasons(outcome)) == ((), [self.REASON])

    def test_nor_the_departments_own_form_that_names_the_reviewer_as_who_filled_it_in(self) -> None:
        situation = submitted(ADMINISTRATOR, COUNTY)
        version = situation.submissions[key(COUNTY)][-1]
        situation = replace(situation, answers={version.id: {**GOOD, "填表人": "县审"}})
        book = review(decision(COUNTY, "通过"))
        outcome = decide(mail(REVIEWER, book, moment=NOW), situation)
        assert (outcome.cases, reasons(outcome)) == ((), [self.REASON])
        other = replace(situation, answers={version.id: {**GOOD, "填表人": "县管"}})
        assert decide(mail(REVIEWER, book, moment=NOW), other).cases

    def test_but_a_return_is_open_to_who_filled_in(self) -> None:
        book = review(decision(SCHOOL, "退回", "请核实"))
        assert decide(mail(REVIEWER, book, moment=NOW), submitted(REVIEWER)).cases

    def test_where_one_person_is_registered_for_the_levels_roles_it_counts(self) -> None:
        outcome = decide(mail(REVIEWER, BOOK, moment=NOW), self.alone(submitted(REVIEWER)))
        assert outcome.cases[-1].state is CaseState.APPROVED
