"""A batch folds: each message is decided on what the one before it left; whatever comes, nothing is lost or doubled."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.domain.offices import CENTRAL, CITY, COUNTY, POINT, ROSTER, SCHOOL, UNIVERSITY, at
from tests.process.situations import (
    DUE,
    OWN,
    STRANGER,
    WRONG,
    bounce,
    decision,
    ends,
    fold,
    key,
    mail,
    on_package,
    opened,
    receipt,
    review,
    token,
    useless,
    with_earlier,
    with_letter,
    workbook,
)
from workflow.domain.lifecycle import Case, CaseState, PackageState
from workflow.domain.replay import case_after, package_after
from workflow.domain.submission import AttachmentOutcome, Bucket, ReadOutcome
from workflow.process.decide import decide
from workflow.process.report import report
from workflow.process.situation import SYSTEM, Outcome

if TYPE_CHECKING:
    from workflow.domain.events import Event

ME = "school@county.test"


def test_the_second_message_of_a_batch_sees_the_first_ones_version() -> None:
    situation, (first, second) = fold(
        opened(), mail(ME, workbook()), mail(ME, workbook(answers={"学生": 481}))
    )
    assert [outcome.events[1].number for outcome in (first, second)] == [3, 4]
    assert [version.number for version in situation.submissions[key(SCHOOL)]] == [1, 2]
    assert situation.cases[key(SCHOOL)].number == 2


def test_a_version_that_is_decided_on_replaces_itself() -> None:
    situation, _ = fold(opened(), mail(ME, workbook(answers=WRONG)), mail(ME, workbook()))
    assert [(v.number, v.returned) for v in situation.submissions[key(SCHOOL)]] == [(1, True), (2, False)]


def test_a_review_in_the_same_batch_as_a_new_version_does_not_approve_it_unseen() -> None:
    situation, (_, _, seen) = fold(
        opened(), mail(ME, workbook()), mail(ME, workbook(answers={"学生": 481})),
        mail("review@county.test", review(decision(SCHOOL, "通过", version=1))),
    )  # fmt: skip
    assert (seen.cases, situation.cases[key(SCHOOL)].state) == ((), CaseState.SUBMITTED)


def test_receipts_of_a_batch_are_numbered_on() -> None:
    outcomes = fold(opened(), mail("admin@city.test", "a.pdf"), mail("admin@city.test", receipt(CITY)))[1]
    assert [outcome.events[1].number for outcome in outcomes] == [1, 2]


def test_a_level_above_that_has_gone_up_sets_no_date_any_more() -> None:
    situation = opened()
    city, county = situation.packages["2026Q4", CITY], situation.packages["2026Q4", COUNTY]
    changed = {
        ("2026Q4", CITY): replace(city, state=PackageState.REPORTED),
        ("2026Q4", COUNTY): replace(county, state=PackageState.RETURNED, due=at(1, 14, 0)),
    }
    assert replace(situation, packages={**situation.packages, **changed}).closes(SCHOOL) == at(1, 14, 0)
    del changed["2026Q4", CITY]
    assert replace(situation, packages={**situation.packages, **changed}).closes(SCHOOL) == at(1, 11, 0)


def test_nothing_decided_changes_nothing() -> None:
    situation = opened()
    assert situation.after(Outcome()) is situation


def test_what_a_decision_rests_on_is_numbered_as_it_was_gathered() -> None:
    gathered = opened()
    _, outcomes = fold(gathered, mail(ME, workbook()), mail(ME, workbook(answers={"学生": 481})))
    assert gathered.seen(sum(outcomes, Outcome())) == {f"package:2026Q4/{COUNTY}": 1}


def test_outside_a_campaign_there_is_no_case_and_no_package() -> None:
    bare = replace(opened(), campaign=None)
    assert (bare.case_of(SCHOOL), bare.package_above(SCHOOL)) == (None, None)
    assert opened().case_of("419999") is None
    assert replace(opened(), forms={}).case_of(SCHOOL) is None
    assert replace(opened(), packages={}).closes(SCHOOL) == at(1, 6, 0)


# Anything that a mailbox may hold, in one line each.
ALPHABET = (
    mail(ME, workbook()),
    mail(ME, workbook(answers=WRONG)),
    mail(ME, workbook(answers={"学生": 481}), "-logo.png"),
    mail(ME, workbook(answers={"无变化": "是"})),
    mail(STRANGER, workbook(), useless(ReadOutcome.MACRO)),
    mail(STRANGER, useless(ReadOutcome.FOREIGN)),
    mail("central@county.test", workbook(CENTRAL), workbook(POINT), workbook(CENTRAL)),
    mail("central@county.test", words="无变化", subject=token(POINT)),
    mail("admin@west.test", workbook(), subject=token(SCHOOL)),
    mail("admin@west.test", words="无变化", subject=token(SCHOOL)),
    mail(ME, words="无变化"),
    mail(ME, words="收到"),
    mail(ME, words="确认"),
    mail(ME, workbook(hz="HZ-AAAAAAAAAAAAAAAAAA")),
    mail(ME, auto="auto_reply"),
    mail(OWN, letter="letter-1"),
    bounce(),
    mail("admin@university.test", receipt(UNIVERSITY), "回执.pdf"),
    mail("admin@city.test", workbook(CITY), "a.docx"),
    mail("review@county.test", review(decision(SCHOOL, "通过"), decision(CENTRAL, "退回", "请核实"))),
    mail("review@county.test", review(decision(SCHOOL, "通过", version=2), report="同意上报")),
    mail("review@county.test", words="撤报申请"),
    mail("review@city.test", review(on_package(COUNTY, "退回", "请核实"), level=CITY)),
    mail("review@city.test", review(on_package(COUNTY, "通过"), level=CITY, report="同意上报")),
    mail(STRANGER, review(decision(SCHOOL, "通过"))),
    mail("", "x.exe"),
)
REGISTERED = {contact.email for contact in ROSTER.contacts}
STEPS = st.lists(st.tuples(st.integers(0, len(ALPHABET) - 1), st.integers(0, 40)), max_size=14)


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_whatever_comes_every_message_has_one_bucket_every_file_one_outcome_and_every_event_its_number(
    steps: list[tuple[int, int]],
) -> None:
    gathered = situation = with_letter(with_earlier(opened()))
    events: list[Event] = []
    moment = DUE
    buckets: Counter[Bucket] = Counter()
    for place, (letter, hours) in enumerate(steps):
        moment += dt.timedelta(hours=hours)
        arrival = replace(ALPHABET[letter], sha=f"{place:064}", received_at=moment)
        county = situation.packages["2026Q4", COUNTY]
        if moment >= situation.closes(SCHOOL) and not county.locked:
            outcome = report(situation, county, situation.closes(SCHOOL), SYSTEM, auto=True, cause="calendar")
            situation, events = situation.after(outcome), [*events, *outcome.events]
        outcome = decide(arrival, situation)
        assert outcome.bucket is not None
        buckets[outcome.bucket] += 1
        assert outcome.events[0].kind == "message.taken"
        assert [fate.index for fate in outcome.fates] == [part.index for part in arrival.message.attachments]
        assert outcome.bucket is not Bucket.DUPLICATE or {*ends(outcome)} <= {AttachmentOutcome.DUPLICATE}
        assert {order.to.email for order in outcome.letters} <= REGISTERED
        before, situation = situation, situation.after(outcome)
        locked = before.packages["2026Q4", COUNTY].locked and situation.packages["2026Q4", COUNTY].locked
        assert not locked or _county(before.cases) == _county(situation.cases)
        events.extend(outcome.events)
    assert sum(buckets.values()) == len(steps)
    placed = [event for event in events if event.stream != "staff"]  # staff's list is numbered at the commit
    assert len({(event.stream, event.number) for event in placed}) == len(placed)
    cases, packages = dict(gathered.cases), dict(gathered.packages)
    for event in events:
        if event.kind.startswith("case."):
            case = next(known for known in cases.values() if known.stream == event.stream)
            cases[key(case.unit)] = case_after(case, event)
        elif event.kind.startswith("package."):
            package = packages["2026Q4", event.stream.rpartition("/")[2]]
            packages["2026Q4", package.unit] = package_after(package, event)
    assert (cases, packages) == (situation.cases, situation.packages)


def _county(cases: object) -> list[Case]:
    assert isinstance(cases, dict)
    return [case for case in cases.values() if ROSTER.package_of(case.unit).code == COUNTY]
