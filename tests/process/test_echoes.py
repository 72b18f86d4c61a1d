"""A robot that sends back what it gets is answered a number of times on a day, then no more."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from tests.domain.offices import COUNTY, SCHOOL, at
from tests.process.situations import WRONG, decision, kinds, letters, mail, opened, review, workbook
from workflow.domain.submission import Bucket
from workflow.process.decide import decide
from workflow.process.echoes import About, Spoken, within
from workflow.process.situation import Outcome

SCHOOLS = "school@county.test"
NOON = at(12, 20, 12)


def taken(count: int, most: int, already: Counter[About] | None = None, **more: str) -> list[Outcome]:
    """A robot's copies of what we sent back, each a message of its own."""
    situation, batch = opened(), []
    for number in range(count):
        arrival = mail(more.get("sender", SCHOOLS), workbook(answers=WRONG), words=str(number), moment=NOON)
        outcome = decide(replace(arrival, digest=f"digest {number}"), situation)
        situation = situation.after(replace(outcome, submissions=()))
        batch.append(Spoken(arrival.sha, arrival.message.sender, outcome))
    return within(batch, already or Counter(), most, situation)


def test_an_address_is_answered_so_often_and_its_mail_is_taken_in_all_the_same() -> None:
    outcomes = taken(5, 3)
    assert [len(outcome.letters) for outcome in outcomes] == [1, 1, 1, 0, 0]
    assert all(outcome.bucket is Bucket.SUBMISSION for outcome in outcomes)
    assert all("case.submitted" in kinds(outcome) for outcome in outcomes)


def test_the_last_answer_puts_one_line_on_staffs_list() -> None:
    told = [event for outcome in taken(6, 3) for event in outcome.events if event.kind == "staff.query"]
    assert len(told) == 1
    assert told[0].personal is not None
    assert "当日已答复 s***@county.test 3 次" in told[0].personal["matter"]


def test_what_was_answered_before_this_batch_counts_on_its_own_day_alone() -> None:
    today, before = NOON.date(), at(12, 19, 12).date()
    assert [len(o.letters) for o in taken(2, 3, Counter({(SCHOOLS, SCHOOL, today): 2}))] == [1, 0]
    assert [len(o.letters) for o in taken(2, 3, Counter({(SCHOOLS, SCHOOL, before): 9}))] == [1, 1]
    assert [len(o.letters) for o in taken(2, 3, Counter({(SCHOOLS, COUNTY, today): 9}))] == [1, 1]


@pytest.mark.parametrize("sender", ["School@county.test", "SCHOOL@county.test"])
def test_the_spelling_of_an_address_begins_no_new_count(sender: str) -> None:
    assert [
        len(o.letters) for o in taken(1, 3, Counter({(SCHOOLS, SCHOOL, NOON.date()): 3}), sender=sender)
    ] == [0]


def test_what_a_reviewer_sends_back_to_others_is_no_answer_and_always_goes() -> None:
    situation = opened()
    situation = situation.after(decide(mail(SCHOOLS, workbook(), moment=NOON), situation))
    arrival = mail("review@county.test", review(decision(SCHOOL, "退回", "请核对")), moment=at(12, 21, 9))
    outcome = decide(arrival, situation)
    spent = Counter(
        {(SCHOOLS, SCHOOL, at(12, 21).date()): 9, ("review@county.test", COUNTY, at(12, 21).date()): 9}
    )
    assert {kind for kind, _ in letters(outcome)} == {"returned", "review_result"}
    (left,) = within([Spoken(arrival.sha, arrival.message.sender, outcome)], spent, 3, situation)
    assert [kind for kind, _ in letters(left)] == ["returned"]
