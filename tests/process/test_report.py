"""上报: data as they stand, from below upward, and who is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.domain.offices import (
    CENTRAL,
    CITY,
    CITY_SCHOOL,
    COUNTY,
    POINT,
    PROVINCE,
    REMOTE,
    ROSTER,
    SCHOOL,
    WEST,
    at,
)
from tests.process.situations import (
    STRANGER,
    WRONG,
    after,
    answered,
    decision,
    kinds,
    letters,
    mail,
    opened,
    review,
    with_earlier,
    workbook,
)
from workflow.domain.lifecycle import NotAllowed, PackageState
from workflow.domain.merge import Origin, Standing
from workflow.process.report import counts_in_words, report, standings
from workflow.process.situation import SYSTEM, Outcome, Situation

DEADLINE = at(1, 6, 0)


def auto(situation: Situation, unit: str = COUNTY) -> Outcome:
    package = situation.packages["2026Q4", unit]
    return report(situation, package, DEADLINE, SYSTEM, auto=True, cause=f"auto-report/{unit}/1")


def answered_so_far() -> Situation:
    """小学 approved, 中心校 wrong, 教学点 as last quarter, 山村小学 sent in, the county itself silent."""
    return after(
        with_earlier(opened(), POINT),
        mail(STRANGER, workbook()),
        mail(STRANGER, workbook(CENTRAL, WRONG)),
        mail(STRANGER, workbook(REMOTE)),
        mail("review@county.test", review(decision(SCHOOL, "通过"))),
    )


def test_a_package_goes_up_with_its_own_members_data_as_they_stand() -> None:
    outcome = auto(answered_so_far())
    (event,) = outcome.events
    assert (event.kind, event.number, event.at, event.data["as_of"]) == (
        "package.auto_reported", 2, DEADLINE, DEADLINE.isoformat(),
    )  # fmt: skip
    assert [(row[0], row[2], row[4]) for row in event.data["rows"]] == [
        (COUNTY, "missing", 0),
        (SCHOOL, "approved", 1),
        (CENTRAL, "with_errors", 1),
        (POINT, "carried_over", 1),
        (REMOTE, "not_reviewed", 1),
    ]
    (package,) = outcome.packages
    assert (package.state, package.auto, package.version, package.reported_at) == (
        PackageState.REPORTED, True, 1, DEADLINE,
    )  # fmt: skip


def test_a_report_rests_on_every_case_in_it() -> None:
    outcome = auto(opened(), WEST)
    assert outcome.rests_on == {f"case:2026Q4/{WEST}/office"}
    assert len(auto(opened()).rests_on) == 5


def test_a_unit_that_is_asked_nothing_has_no_row() -> None:
    bare = replace(opened(), cases={})
    assert standings(bare, ROSTER.units[COUNTY]) == ()
    assert auto(bare).events[0].data["rows"] == []


def test_open_packages_below_go_up_first_and_reported_ones_stay_as_they_are() -> None:
    outcome = auto(opened(), CITY)
    assert [event.stream for event in outcome.events] == [
        f"package:2026Q4/{unit}" for unit in (COUNTY, WEST, CITY)
    ]
    assert [row[0] for row in outcome.events[-1].data["rows"]] == [CITY, CITY_SCHOOL]
    later = opened().after(auto(opened()))
    assert [event.stream for event in auto(later, CITY).events] == [
        f"package:2026Q4/{unit}" for unit in (WEST, CITY)
    ]


def test_a_level_reported_by_its_reviewer_still_takes_open_ones_up_by_the_calendar() -> None:
    situation = opened()
    package = situation.packages["2026Q4", CITY]
    outcome = report(situation, package, at(1, 7), "甲市教育局审核员市审", auto=False, cause="sha")
    assert kinds(outcome) == ["package.auto_reported", "package.auto_reported", "package.reported"]
    assert [event.actor for event in outcome.events] == [SYSTEM, SYSTEM, "甲市教育局审核员市审"]
    assert [package.auto for package in outcome.packages] == [True, True, False]


def test_what_has_gone_up_does_not_go_up_twice() -> None:
    situation = opened().after(auto(opened()))
    with pytest.raises(NotAllowed, match="不能重复上报"):
        auto(situation)


def test_the_whole_tree_goes_up_in_one_go() -> None:
    outcome = auto(opened(), PROVINCE)
    reported = [event.stream.rpartition("/")[2] for event in outcome.events]
    assert reported.index(COUNTY) < reported.index(CITY) < reported.index(PROVINCE)
    assert len(reported) == len(set(reported)) == 6
    assert ("report_received", "review@province.test") in letters(outcome)


class TestWhoIsTold:
    def test_of_an_automatic_report_the_level_its_inspector_and_the_level_above(self) -> None:
        outcome = auto(answered_so_far())
        assert letters(outcome) == [
            ("auto_report", "admin@county.test"),
            ("auto_report", "review@county.test"),
            ("escalation", "admin@county.test"),
            ("report_received", "review@city.test"),
        ]
        told = answered(outcome, "report_received")
        assert (told["from_name"], told["auto"]) == ("东区教育局", True)
        assert told["counts"] == [
            ("审核通过", 1),
            ("已报送未审核", 1),
            ("有错误", 1),
            ("沿用上期", 1),
            ("缺报", 1),
        ]

    def test_an_inspector_without_an_address_is_reached_through_the_administrator_with_name_and_phone(
        self,
    ) -> None:
        told = answered(auto(answered_so_far()), "escalation")
        assert (told["inspector_name"], told["inspector_phone"], told["via_admin"]) == (
            "县视",
            "0371-55550001",
            True,
        )
        assert (told["unreviewed"], told["missing"]) == (1, ["东区教育局", "东区教学点"])

    def test_an_inspector_with_an_address_is_written_to(self) -> None:
        outcome = auto(opened(), CITY)
        city = [
            letter for letter in outcome.letters if letter.kind.value == "escalation" and letter.unit == CITY
        ]
        assert [(letter.to.email, letter.context["via_admin"]) for letter in city] == [
            ("inspect@city.test", False)
        ]

    def test_where_there_is_neither_reviewer_nor_inspector_the_administrator_alone(self) -> None:
        assert letters(auto(opened(), WEST)) == [
            ("auto_report", "admin@west.test"),
            ("report_received", "review@city.test"),
        ]

    def test_of_a_reviewers_report_the_reviewer_and_the_level_above(self) -> None:
        situation = opened()
        package = situation.packages["2026Q4", COUNTY]
        outcome = report(situation, package, at(1, 4), "县审", auto=False, cause="sha")
        assert letters(outcome) == [
            ("report_confirmation", "review@county.test"),
            ("report_received", "review@city.test"),
        ]
        assert answered(outcome, "report_confirmation")["superior_name"] == "甲市教育局"

    def test_above_the_province_is_the_ministry_which_gets_no_letter(self) -> None:
        situation = opened()
        situation = situation.after(auto(situation, CITY))
        package = situation.packages["2026Q4", PROVINCE]
        outcome = report(situation, package, at(1, 12), "省审", auto=False, cause="sha")
        (told,) = [letter for letter in outcome.letters if letter.unit == PROVINCE]
        assert (told.kind.value, told.context["superior_name"]) == ("report_confirmation", "教育部")

    def test_one_person_in_two_roles_gets_one_letter_of_a_kind(self) -> None:
        contacts = tuple(
            replace(contact, email="one@county.test") if contact.unit == COUNTY and contact.email else contact
            for contact in ROSTER.contacts
        )
        situation = replace(opened(), roster=replace(ROSTER, contacts=contacts))
        assert letters(auto(situation)).count(("auto_report", "one@county.test")) == 1

    def test_a_second_report_is_told_anew(self) -> None:
        first = auto(opened())
        package = replace(first.packages[-1], state=PackageState.RETURNED)
        again = report(opened().after(first), package, at(1, 9), SYSTEM, auto=True, cause="auto-report/2")
        assert {letter.id for letter in first.letters}.isdisjoint({letter.id for letter in again.letters})


def test_counts_are_in_the_origins_order_without_noughts() -> None:
    rows = [
        Standing("a", "f", Origin.MISSING),
        Standing("b", "f", Origin.APPROVED),
        Standing("c", "f", Origin.MISSING),
    ]
    assert counts_in_words(rows) == [("审核通过", 1), ("缺报", 2)]
