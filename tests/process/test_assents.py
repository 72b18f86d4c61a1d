"""确认 and 非本单位报送: what a unit's answer does with workbooks that strangers sent in its name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.domain.offices import CENTRAL, COUNTY, POINT, ROSTER, SCHOOL, at
from tests.process.situations import (
    GOOD,
    STRANGER,
    WRONG,
    answered,
    decision,
    ends,
    fold,
    form_for,
    key,
    kinds,
    letters,
    mail,
    opened,
    review,
    token,
    workbook,
)
from workflow.adapters.store.records import LetterRow, LetterState
from workflow.domain.lifecycle import CaseState, PackageAct, act_on_package
from workflow.domain.registry import Registry
from workflow.domain.submission import AttachmentOutcome as Ends
from workflow.domain.submission import Bucket
from workflow.process.arrival import Asked, AskedFile, Released
from workflow.process.decide import decide
from workflow.process.situation import Policy
from workflow.process.strangers import DENIED, FORGED, HELD

if TYPE_CHECKING:
    import datetime as dt

    from workflow.process.arrival import Arrival
    from workflow.process.situation import Outcome, Situation

OWN, ASKED = "school@county.test", "<asked@office.test>"
OTHER = {**GOOD, "学生": 777}
MORNING, NOON, LATER = at(1, 3, 9), at(1, 3, 12), at(1, 4, 9)
REFUTED = ("mx.office.test; dmarc=fail header.from=county.test",)
PASSED = ("mx.office.test; dmarc=pass header.from=county.test",)


def guarded(situation: Situation) -> Situation:
    return replace(situation, policy=Policy("own@office.test", trusted_authserv="mx.office.test"))


def in_its_name(
    answers: Any = None, *, moment: dt.datetime = MORNING, sender: str = STRANGER, **more: Any
) -> Arrival:
    return mail(sender, workbook(SCHOOL, answers or OTHER), moment=moment, **more)


def asking(situation: Situation, *came: Arrival, units: tuple[str, ...] = (SCHOOL,)) -> Situation:
    """The letter that asks about these messages has gone out, and they are read again from the kept mail."""
    files = []
    for arrival, unit in zip(came, units * len(came), strict=False):
        situation, (outcome,) = fold(situation, arrival)
        held = Ends.FOREIGN in ends(outcome)
        again = replace(arrival, number=2, released=Released(unit)) if held else None
        files.append(AskedFile(arrival.sha, unit, form_for(unit), arrival.received_at, held, again))
    row = LetterRow(
        "q", "unknown_sender_confirm", "2026Q4", units[0], form_for(units[0]), 3, "d" * 64, ASKED, OWN, "", "",
        LetterState.SENT, 1, MORNING, None, "", 3,
    )  # fmt: skip
    return replace(situation, letters={ASKED: row}, asked={"q": Asked(1, tuple(files))})


def says(
    words: str, situation: Situation, *, sender: str = OWN, moment: dt.datetime = LATER, **more: Any
) -> Outcome:
    return decide(mail(sender, words=words, moment=moment, in_reply_to=(ASKED,), **more), situation)


def results(outcome: Outcome) -> list[str]:
    told: Any = answered(outcome, "sender_answered")
    return [row["words"] for row in told["items"]]


def versions(situation: Situation, unit: str = SCHOOL) -> list[tuple[int, bool, bool]]:
    found = situation.submissions.get(key(unit), ())
    return [(one.number, one.unregistered, one.confirmed_at is not None) for one in found]


class TestConfirmed:
    def test_a_strangers_version_is_the_units_own_from_then_on(self) -> None:
        situation = asking(opened(), in_its_name())
        outcome = says("确认", situation)
        assert (outcome.bucket, kinds(outcome)) == (
            Bucket.REQUEST, ["message.taken", "case.confirmed", "sender.answered"],
        )  # fmt: skip
        assert letters(outcome) == [("sender_answered", OWN)]
        after = situation.after(outcome)
        assert versions(after) == [(1, False, True)]
        assert after.cases[key(SCHOOL)].state is CaseState.SUBMITTED
        # So that what strangers send after it displaces nothing any more.
        assert ends(decide(in_its_name(GOOD, moment=at(1, 4, 10)), after)) == [Ends.FOREIGN]

    def test_a_workbook_that_was_not_taken_is_taken_over_as_if_the_registered_address_had_sent_it(
        self,
    ) -> None:
        situation, _ = fold(opened(), mail(OWN, workbook(SCHOOL), moment=at(1, 2)))
        situation = asking(situation, in_its_name())
        assert versions(situation) == [(1, False, False)]
        outcome = says("确认", situation)
        after = situation.after(outcome)
        assert versions(after) == [(1, False, False), (2, False, True)]
        assert letters(outcome) == [("sender_answered", OWN)]
        assert results(outcome) == ["已经采用，作为你单位第2次报送"]
        taken = [event for event in outcome.events if event.kind == "message.taken"]
        assert [(event.number, event.data["bucket"]) for event in taken] == [
            (1, "request"),
            (2, "submission"),
        ]
        assert taken[1].data["attachments"][0]["outcome"] == "accepted"

    def test_one_with_errors_is_taken_over_and_goes_back_to_the_registered_address(self) -> None:
        situation, _ = fold(opened(), mail(OWN, workbook(SCHOOL), moment=at(1, 2)))
        situation = asking(situation, in_its_name(WRONG))
        outcome = says("确认", situation)
        assert letters(outcome) == [("returned", OWN), ("sender_answered", OWN)]
        assert situation.after(outcome).cases[key(SCHOOL)].state is CaseState.RETURNED

    def test_a_second_confirmation_does_nothing_more_and_says_so_once(self) -> None:
        situation = asking(opened(), in_its_name())
        situation = situation.after(says("确认", situation))
        again = says("确认", situation, moment=at(1, 4, 10))
        assert (kinds(again), again.cases, again.submissions) == (["message.taken"], (), ())
        assert results(again) == ["此件已经答复过，不重复办理"]
        third = says("确认", situation, moment=at(1, 4, 11))
        assert third.letters[0].id == again.letters[0].id

    @pytest.mark.parametrize(
        "words", ["我校本学年暂停招生。", "撤报申请：数据有误", "本校校名有误，应为东区实验小学"]
    )
    def test_what_a_stranger_wrote_above_the_workbook_is_not_the_units_word(self, words: str) -> None:
        situation, _ = fold(opened(), mail(OWN, workbook(SCHOOL), moment=at(1, 2)))
        situation = replace(
            asking(situation, in_its_name(words=words, subject=f"答复：{token(SCHOOL)}")),
            registry=Registry(ROSTER, 1, None, at(12, 31).date()),
        )
        outcome = says("确认", situation)
        assert kinds(outcome).count("message.taken") == 2
        assert set(kinds(outcome)) == {
            "message.taken", "case.submitted", "case.confirmed", "sender.answered",
        }  # fmt: skip
        assert letters(outcome) == [("sender_answered", OWN)]

    def test_all_units_that_the_letter_lists_are_settled_or_those_numbered(self) -> None:
        came = [mail(STRANGER, workbook(unit, OTHER), moment=MORNING) for unit in (CENTRAL, POINT)]
        situation = asking(opened(), *came, units=(CENTRAL, POINT))
        owner = "central@county.test"
        both = situation.after(says("全部确认", situation, sender=owner))
        assert (versions(both, CENTRAL), versions(both, POINT)) == ([(1, False, True)], [(1, False, True)])
        one = situation.after(says("确认2", situation, sender=owner))
        assert (versions(one, CENTRAL), versions(one, POINT)) == ([(1, True, False)], [(1, False, True)])
        rest = one.after(says("非本单位报送1", one, sender=owner, moment=at(1, 4, 10)))
        assert (versions(rest, CENTRAL), versions(rest, POINT)) == ([], [(1, False, True)])


class TestWhatCanNoLongerBe:
    def test_after_the_report_nothing_changes_and_the_one_reason_is_told(self) -> None:
        situation, _ = fold(opened(), mail(OWN, workbook(SCHOOL), moment=at(1, 2)))
        for before in (asking(opened(), in_its_name()), asking(situation, in_its_name())):
            package = act_on_package(before.packages["2026Q4", COUNTY], PackageAct.REPORT, reported_at=NOON)
            locked = replace(before, packages={**before.packages, ("2026Q4", COUNTY): package})
            for words in ("确认", "非本单位报送"):
                outcome = says(words, locked)
                assert (outcome.cases, outcome.submissions) == ((), ())
                if words == "确认":
                    assert "已经上报，不能再变动" in results(outcome)[0]

    def test_what_the_unit_sent_since_is_not_replaced_by_something_older(self) -> None:
        situation, _ = fold(opened(), mail(OWN, workbook(SCHOOL), moment=at(1, 2)))
        situation = asking(situation, in_its_name())
        newer = mail(OWN, workbook(SCHOOL, {**GOOD, "学生": 500}), moment=NOON)
        situation, _ = fold(situation, newer)
        outcome = says("确认", situation)
        assert outcome.submissions == ()
        assert results(outcome) == ["其后你单位已经报送第2次，旧的不能顶替新的；需要更正的，请重新报送"]

    def test_what_is_no_longer_kept_is_asked_for_again(self) -> None:
        situation, _ = fold(opened(), mail(OWN, workbook(SCHOOL), moment=at(1, 2)))
        situation = asking(situation, in_its_name())
        (file,) = situation.asked["q"].files
        lost = replace(file, arrival=None, gone="原邮件已不在存档中")
        situation = replace(situation, asked={"q": Asked(1, (lost,))})
        assert results(says("确认", situation)) == ["原邮件已不在存档中"]


class TestDenied:
    def test_the_version_is_none_the_unit_owes_its_data_again_and_staff_look_into_it(self) -> None:
        situation = asking(opened(), in_its_name())
        outcome = says("非本单位报送", situation)
        assert (outcome.bucket, kinds(outcome)) == (
            Bucket.PROBLEM, ["message.taken", "case.disowned", "staff.query", "sender.answered"],
        )  # fmt: skip
        after = situation.after(outcome)
        case = after.cases[key(SCHOOL)]
        assert (versions(after), case.state, case.number, case.newest) == ([], CaseState.ISSUED, 1, 0)

    def test_the_one_before_it_stands_again_and_its_approval_with_it(self) -> None:
        situation, _ = fold(opened(), in_its_name(GOOD, moment=at(1, 2)))
        approving = mail("review@county.test", review(decision(SCHOOL, "通过")), moment=at(1, 2, 15))
        situation, _ = fold(situation, approving)
        situation = asking(situation, in_its_name(OTHER))
        assert situation.cases[key(SCHOOL)].state is CaseState.SUBMITTED
        after = situation.after(says("非本单位报送", situation))
        case = after.cases[key(SCHOOL)]
        assert (versions(after), case.state, case.newest) == ([(1, True, False)], CaseState.APPROVED, 1)

    def test_what_strangers_sent_after_it_goes_with_it_and_what_the_unit_sent_stays(self) -> None:
        situation = asking(opened(), in_its_name(GOOD))
        situation, _ = fold(situation, in_its_name(OTHER, moment=NOON))
        assert versions(situation.after(says("非本单位报送", situation))) == []
        own, _ = fold(situation, mail(OWN, workbook(SCHOOL, {**GOOD, "学生": 500}), moment=at(1, 3, 15)))
        after = own.after(says("非本单位报送", own))
        assert (versions(after), after.cases[key(SCHOOL)].state) == ([(3, False, False)], CaseState.SUBMITTED)

    def test_a_decision_on_it_is_refused_as_outdated(self) -> None:
        situation = asking(opened(), in_its_name(GOOD, moment=at(1, 2)))
        situation = situation.after(says("非本单位报送", situation, moment=at(1, 2, 15)))
        outcome = decide(
            mail("review@county.test", review(decision(SCHOOL, "通过")), moment=MORNING), situation
        )
        told: Any = answered(outcome, "review_result")
        assert outcome.cases == ()
        assert "非本单位报送，不再计入" in told["refused"][0]["reason"]

    def test_from_then_on_a_strangers_workbook_waits_for_the_units_word(self) -> None:
        situation = asking(opened(), in_its_name())
        situation = situation.after(says("非本单位报送", situation))
        outcome = decide(in_its_name(GOOD, moment=at(1, 5)), situation)
        assert [(fate.outcome, fate.reason) for fate in outcome.fates] == [(Ends.FOREIGN, DENIED)]

    def test_one_that_was_not_taken_stays_so(self) -> None:
        situation, _ = fold(opened(), mail(OWN, workbook(SCHOOL), moment=at(1, 2)))
        situation = asking(situation, in_its_name())
        outcome = says("非本单位报送", situation)
        assert (outcome.cases, outcome.bucket) == ((), Bucket.PROBLEM)
        assert "staff.query" in kinds(outcome)


class TestWhoMayAnswer:
    @pytest.mark.parametrize("sender", [STRANGER, "admin@west.test"])
    def test_nobody_but_the_units_own_people_and_those_above_them(self, sender: str) -> None:
        outcome = says("确认", asking(opened(), in_its_name()), sender=sender)
        assert (outcome.cases, "sender.answered" in kinds(outcome)) == ((), False)

    def test_not_where_the_server_does_not_vouch_for_the_answer(self) -> None:
        situation = guarded(asking(opened(), in_its_name()))
        assert says("确认", situation).cases == ()
        assert says("确认", situation, auth_results=REFUTED).letters == ()
        assert says("确认", situation, auth_results=PASSED).cases != ()

    def test_not_without_the_thread_of_our_letter(self) -> None:
        situation = asking(opened(), in_its_name())
        assert decide(mail(OWN, words="确认", moment=LATER), situation).cases == ()


class TestForged:
    """The receiving server says that the mail is not from the address that it bears."""

    def test_data_wait_and_the_registered_address_and_staff_are_told(self) -> None:
        for situation in (opened(), fold(opened(), mail(OWN, workbook(SCHOOL), moment=at(1, 2)))[0]):
            outcome = decide(in_its_name(sender=OWN, auth_results=REFUTED), guarded(situation))
            assert (outcome.bucket, outcome.cases) == (Bucket.QUARANTINED, ())
            assert [fate.reason for fate in outcome.fates] == [FORGED]
            assert letters(outcome) == [("unknown_sender_confirm", OWN)]
            assert answered(outcome, "unknown_sender_confirm")["forged"] is True
            assert "staff.query" in kinds(outcome)

    def test_confirmed_by_a_message_that_passes_they_are_taken_over(self) -> None:
        situation = asking(guarded(opened()), in_its_name(sender=OWN, auth_results=REFUTED))
        assert says("确认", situation, auth_results=REFUTED).cases == ()
        after = situation.after(says("确认", situation, auth_results=PASSED))
        assert versions(after) == [(1, False, True)]

    def test_silence_is_another_matter(self) -> None:
        outcome = decide(in_its_name(sender=OWN), guarded(opened()))
        assert ends(outcome) == [Ends.ACCEPTED]

    def test_however_many_come_they_are_answered_once_a_day(self) -> None:
        books = [workbook(SCHOOL, {**GOOD, "学生": 400 + n}) for n in range(5)]
        came = [mail(OWN, book, moment=MORNING, auth_results=REFUTED) for book in books]
        words = [mail(OWN, words=f"你好{n}", moment=NOON, auth_results=REFUTED) for n in range(3)]
        _, outcomes = fold(guarded(opened()), *came, *words)
        assert len({letter.id for outcome in outcomes for letter in outcome.letters}) == 1

    def test_its_words_count_for_nothing(self) -> None:
        for words in ("本季度无变化", "撤报申请：数据有误"):
            outcome = decide(mail(OWN, words=words, moment=NOON, auth_results=REFUTED), guarded(opened()))
            assert (outcome.bucket, outcome.cases, outcome.letters) == (Bucket.UNMATCHED, (), ())


def test_the_very_file_of_a_stranger_sent_again_from_the_registered_address_is_the_units_own() -> None:
    situation, _ = fold(opened(), in_its_name())
    outcome = decide(in_its_name(sender=OWN, moment=NOON), situation)
    assert (ends(outcome), outcome.submissions[0].unregistered) == ([Ends.ACCEPTED], False)
    assert HELD not in [fate.reason for fate in outcome.fates]
