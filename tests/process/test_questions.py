"""请予确认: one question to an address on a day, the rest gathered on the next, each piece confirmed by its number."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.domain.offices import CITY, COUNTY, REMOTE, ROSTER, SCHOOL, at
from tests.process.calendar_office import Office, on
from tests.process.situations import (
    GOOD,
    STRANGER,
    after,
    answered,
    decision,
    ends,
    fold,
    form_for,
    key,
    kinds,
    letters,
    mail,
    on_package,
    opened,
    review,
    with_letter,
    workbook,
)
from workflow.adapters.store.records import LetterRow, LetterState
from workflow.domain.events import Event
from workflow.domain.lifecycle import CaseState
from workflow.domain.matching import confirms_decision, pieces_confirmed
from workflow.domain.roster import Role, Roster
from workflow.domain.submission import AttachmentOutcome, Bucket, Reading, ReadOutcome
from workflow.process.decide import decide
from workflow.process.questions import Piece, gathered, waiting
from workflow.process.situation import Held, Outcome, Situation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REVIEWER, PRIVATE = "review@county.test", "xiansheng@home.test"
NOW = at(1, 3)
ASKED = "<asked@office.test>"


def submitted(*units: str) -> Situation:
    situation = after(
        opened(), *(mail(f"u{n}@home.test", workbook(unit)) for n, unit in enumerate(units or (SCHOOL,)))
    )
    return replace(situation, answers={kept[-1].id: GOOD for kept in situation.submissions.values()})


def books(count: int) -> list[Any]:
    """As many workbooks as a stranger likes to send, all different."""
    return [
        mail(f"x{n}@home.test", review(decision(SCHOOL, "退回", f"第{n}次")), moment=at(1, 3, 9, n))
        for n in range(count)
    ]


def asked_for(outcomes: list[Outcome]) -> list[str]:
    return [letter.to.email for outcome in outcomes for letter in outcome.letters]


class TestOneADay:
    def test_however_many_decisions_are_held_on_a_day_one_letter_asks_about_the_first(self) -> None:
        _, outcomes = fold(submitted(), *books(30))
        assert asked_for(outcomes) == [REVIEWER]
        steps = [
            event.stream for outcome in outcomes for event in outcome.events if event.kind == "step.done"
        ]
        assert sum("/waiting/" in step for step in steps) == 29
        assert not any(outcome.cases for outcome in outcomes)

    def test_on_the_next_day_the_address_may_be_asked_again(self) -> None:
        situation = after(submitted(), *books(3))
        outcome = decide(mail(PRIVATE, review(decision(SCHOOL, "通过")), moment=at(1, 4)), situation)
        assert letters(outcome) == [("decision_confirm", REVIEWER)]

    def test_what_nobody_of_the_level_sent_is_refused_in_one_letter_a_day(self) -> None:
        """With a workbook that has expired a stranger would else have an answer to each mail sent to the 审核员."""
        over = replace(opened(), books={t: replace(b, made_at=at(1, 1)) for t, b in opened().books.items()})
        situation = over
        sent = [
            mail(f"x{n}@home.test", review(decision(SCHOOL, "退回", f"{n}")), moment=at(1, 6, 9, n))
            for n in range(20)
        ]
        _, outcomes = fold(situation, *sent)
        ids = {letter.id for outcome in outcomes for letter in outcome.letters}
        assert len(ids) == 1

    def test_a_reply_that_confirms_nothing_is_answered_once_however_often_it_is_replayed(self) -> None:
        situation = submitted()
        situation = situation_asked(situation, Held("a" * 64, 2))
        replayed = [
            mail(REVIEWER, words="确认", moment=at(1, 4, 9, n), in_reply_to=(ASKED,)) for n in range(20)
        ]
        _, outcomes = fold(situation, *replayed)
        assert len({letter.id for outcome in outcomes for letter in outcome.letters}) == 1


def situation_asked(situation: Situation, held: Held) -> Situation:
    row = LetterRow(
        "letter-9", "decision_confirm", "2026Q4", COUNTY, form_for(COUNTY), 2, "d" * 64, ASKED, REVIEWER, "", "",
        LetterState.SENT, 1, NOW, None, "", 3,
    )  # fmt: skip
    return replace(situation, letters={ASKED: row}, held={"letter-9": held})


class TestGathered:
    def pieces(self, *words: tuple[str, str]) -> Held:
        held = [
            Held(str(n) * 64, 1, "", (review(decision(unit, verdict, "请核实")).review,))  # type: ignore[arg-type]
            for n, (unit, verdict) in enumerate(words)
        ]
        return replace(held[0], others=tuple(held[1:]))

    def reply(self, words: str) -> Outcome:
        situation = situation_asked(
            submitted(SCHOOL, REMOTE), self.pieces((SCHOOL, "通过"), (REMOTE, "退回"), (SCHOOL, "退回"))
        )
        return decide(mail(REVIEWER, words=words, moment=at(1, 4), in_reply_to=(ASKED,)), situation)

    def test_the_pieces_that_the_reply_names_are_applied_and_no_other(self) -> None:
        outcome = self.reply("确认1、2")
        assert [event.kind for event in outcome.events[1:]] == [
            "review.confirmed", "case.approved", "case.returned",
        ]  # fmt: skip
        assert outcome.events[1].data["messages"] == ["0" * 64, "1" * 64]
        assert outcome.cases[0].state is CaseState.APPROVED

    def test_a_plain_word_to_several_pieces_confirms_none_and_says_how(self) -> None:
        outcome = self.reply("确认")
        assert kinds(outcome) == ["message.taken"]
        told: Any = answered(outcome, "review_result")
        assert "请写明确认哪几件" in told["refused"][0]["reason"]

    def test_a_piece_that_is_not_there_confirms_none(self) -> None:
        assert kinds(self.reply("确认1、4")) == ["message.taken"]

    def test_all_of_them_are_applied_one_after_the_other(self) -> None:
        outcome = self.reply("全部确认。")
        assert [event.kind for event in outcome.events if event.kind.startswith("case.")] == [
            "case.approved", "case.returned", "case.returned",
        ]  # fmt: skip

    def test_a_denial_lays_all_before_staff(self) -> None:
        outcome = self.reply("非本人审核")
        assert (outcome.bucket, outcome.cases) == (Bucket.PROBLEM, ())
        assert len(outcome.events[1].data["messages"]) == 3

    def test_one_letter_lists_what_waits_and_nobody_is_asked_twice_on_a_day(self) -> None:
        campaign = opened().campaign
        assert campaign is not None
        keys = {
            f"waiting/{COUNTY}/{'a' * 64}",
            f"waiting/{COUNTY}/{'b' * 64}",
            f"question/{COUNTY}/{'b' * 64}",
        }
        assert waiting(keys) == {COUNTY: ["a" * 64]}
        held = {COUNTY: [Piece("a" * 64, at(1, 3), PRIVATE), Piece("c" * 64, at(1, 3, 11), PRIVATE)]}

        def ask(day: int, hour: int, steps: set[str]) -> list[list[Event]]:
            moment = at(1, day, hour)
            return [events for _, events in gathered(held, moment, campaign, ROSTER, steps, lambda unit: "")]

        assert ask(4, 8, set()) == []
        (events,) = ask(4, 9, set())
        assert [event.kind for event in events] == ["review.held", "step.done", "step.done", "step.done"]
        assert events[0].data["messages"] == ["a" * 64, "c" * 64]
        assert ask(4, 9, {f"asked/{COUNTY}/2027-01-04"}) == []


@pytest.mark.parametrize(
    ("words", "count", "pieces"),
    [
        ("确认", 1, {1}),
        ("确认", 2, set()),
        ("全部确认", 3, {1, 2, 3}),
        ("确认全部", 2, {1, 2}),
        ("确认1、3", 3, {1, 3}),
        ("确认 1，3", 3, {1, 3}),
        ("确认第1件", 3, {1}),
        ("仅确认第2件和第3件", 3, {2, 3}),
        ("确认4", 3, set()),
        ("请确认一下", 1, None),
        ("不确认", 1, None),
    ],
)
def test_the_words_that_confirm(words: str, count: int, pieces: set[int] | None) -> None:
    assert confirms_decision(words) is (True if pieces is not None else None)
    if pieces is not None:
        assert pieces_confirmed(words, count) == pieces


class TestStrangersWorkbooks:
    """A token routes and proves nothing: whoever has one can't have a unit written to as often as they like."""

    def sent(self, count: int) -> list[Any]:
        return [
            mail(STRANGER, workbook(SCHOOL, {**GOOD, "学生": 400 + n}), moment=at(12, 29, 9, n))
            for n in range(count)
        ]

    def test_a_units_address_gets_few_letters_however_many_workbooks_come_in_its_name(self) -> None:
        situation, outcomes = fold(opened(), *self.sent(40))
        ids = {(letter.kind.value, letter.id) for outcome in outcomes for letter in outcome.letters}
        counted = sorted(kind for kind, _ in ids)
        assert counted == ["acknowledgement"] * 3 + ["problem_file", "unknown_sender_confirm"]
        assert situation.cases[key(SCHOOL)].number == 3
        assert ends(outcomes[-1]) == [AttachmentOutcome.FOREIGN]
        assert outcomes[-1].bucket is Bucket.QUARANTINED

    def test_on_the_next_day_they_are_taken_again(self) -> None:
        situation = after(opened(), *self.sent(4))
        outcome = decide(mail(STRANGER, workbook(SCHOOL), moment=at(12, 30)), situation)
        assert ends(outcome) == [AttachmentOutcome.ACCEPTED]

    def test_files_that_cannot_be_read_are_told_once_a_day(self) -> None:
        situation = with_letter(opened())
        spoiled = [
            mail(STRANGER, Reading(ReadOutcome.UNREADABLE, reason=str(n)), in_reply_to=("<letter@office.test>",), moment=at(12, 29, 9, n))
            for n in range(20)
        ]  # fmt: skip
        _, outcomes = fold(situation, *spoiled)
        told = [letter for outcome in outcomes for letter in outcome.letters]
        assert {letter.kind.value for letter in told} == {"problem_file"}
        assert len({letter.id for letter in told}) == 1


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    made.open(on(12, 1))
    yield made
    made.close()


def hold(office: Office, *shas: str) -> None:
    """Decisions held for the county, which wait for their question."""
    for n, sha in enumerate(shas):
        data = {
            "sha": sha, "digest": sha, "bucket": "review", "received_at": on(1, 3, 9, n).isoformat(), "campaign": "2026Q4",
            "unit": COUNTY, "attachments": [], "sighting": None,
        }  # fmt: skip
        personal = {"sender": PRIVATE, "subject": "", "message_id": "", "names": []}
        office.store.append(
            [
                Event(f"message:{sha}", 1, "message.taken", on(1, 3, 9, n), "系统", sha, data, personal),
                Event(
                    f"step:2026Q4/waiting/{COUNTY}/{sha}",
                    1,
                    "step.done",
                    on(1, 3, 9, n),
                    "系统",
                    "",
                    {"detail": ""},
                ),
            ]
        )


def test_the_calendar_asks_on_the_next_morning_once(office: Office) -> None:
    hold(office, "a" * 64, "b" * 64)
    office.store.append(
        [
            Event(
                f"step:2026Q4/asked/{COUNTY}/2027-01-03", 1, "step.done", on(1, 3), "系统", "", {"detail": ""}
            )
        ]
    )
    for moment in (on(1, 3, 18), on(1, 4, 8), on(1, 4, 9), on(1, 4, 10), on(1, 5, 10)):
        office.tick(moment)
    (letter,) = office.letters("decision_confirm")
    assert (letter.to, letter.at) == (REVIEWER, on(1, 4, 9))
    assert "2件" in letter.text
    assert "1．邮箱x***@home.test于2027年1月3日9时" in letter.text


def without_address(roster: Roster) -> Roster:
    """The county's 审核员 is registered with a telephone alone."""
    people = [
        replace(one, email="", mobile="13800000000")
        if one.unit == COUNTY and one.role is Role.REVIEWER else one
        for one in roster.contacts
    ]  # fmt: skip
    return Roster(roster.units, tuple(people))


class TestNobodyToAsk:
    def test_a_decision_in_the_name_of_a_reviewer_without_an_address_waits(self) -> None:
        situation = replace(submitted(), roster=without_address(ROSTER))
        outcome = decide(mail(PRIVATE, review(decision(SCHOOL, "通过")), moment=NOW), situation)
        assert (outcome.letters, outcome.cases) == ((), ())
        assert [e.stream for e in outcome.events if "/waiting/" in e.stream] != []

    def test_staff_are_asked_to_telephone_once_a_day_and_only_about_what_is_new(self, tmp_path: Path) -> None:
        office = Office(tmp_path, roster=without_address(ROSTER))
        office.open(on(12, 1))
        hold(office, "a" * 64, "b" * 64)
        for moment in (on(1, 3, 18), on(1, 3, 19), on(1, 4, 10), on(1, 5, 10)):
            office.tick(moment)
        calls = [matter for matter in office.staff() if "请电话核实" in matter]
        office.close()
        assert office.letters("decision_confirm") == []
        assert len(calls) == 1
        assert "东区教育局审核员县审（13800000000）没有可用的邮箱，2件" in calls[0]


def test_a_decision_on_a_package_of_another_level_is_not_confirmed_by_this_one() -> None:
    """The county's 审核员 confirms a workbook of the city: nothing of it is applied."""
    held = Held("a" * 64, 1, "", (review(on_package(COUNTY, "通过"), level=CITY).review,))  # type: ignore[arg-type]
    outcome = decide(
        mail(REVIEWER, words="确认", moment=at(1, 7), in_reply_to=(ASKED,)), situation_asked(opened(), held)
    )
    assert (outcome.cases, outcome.packages) == ((), ())
