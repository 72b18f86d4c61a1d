"""What the calendar owes at a moment, in which order, and never twice."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.offices import CAMPAIGN, CITY, COUNTY, PROVINCE, ROSTER, UNITS, WEST, at
from workflow.domain.deadlines import (
    Due,
    Owed,
    Schedule,
    gathered_key,
    guessed_days,
    may_report,
    owed,
    upcoming,
)
from workflow.domain.ladder import Rung
from workflow.domain.lifecycle import Package, PackageState
from workflow.domain.roster import Roster

if TYPE_CHECKING:
    from collections.abc import Collection

SCHEDULE = Schedule()


def package(unit: str, state: PackageState = PackageState.OPEN, **more: object) -> Package:
    return Package("2026Q4", unit, UNITS[unit].kind.level, state, **more)  # type: ignore[arg-type]


OPEN = tuple(package(unit) for unit in (PROVINCE, CITY, COUNTY, WEST))


def due(
    now: dt.datetime,
    packages: tuple[Package, ...] = OPEN,
    done: Collection[str] = (),
    roster: Roster = ROSTER,
) -> list[Due]:
    return owed(now, CAMPAIGN, roster, packages, done, SCHEDULE)


def told(items: list[Due]) -> list[tuple[str, dt.datetime]]:
    return [(item.key, item.at) for item in items if not item.skipped]


def everything() -> list[Due]:
    return due(at(2, 1))


@pytest.mark.parametrize(
    ("key", "moment"),
    [
        ("receipt/3", at(12, 16, 9)),  # the 20th is a Sunday
        ("receipt/-1", at(12, 21, 9)),
        ("reminder/7", at(12, 23, 9)),
        ("reminder/2", at(12, 30, 9)),
        ("phone-list/1", at(12, 31, 9)),
        (f"review/{COUNTY}", at(1, 1, 0)),
        (f"review-reminder/{COUNTY}/2", at(1, 4, 9)),
        (f"escalation/{COUNTY}/administrator/2", at(1, 4, 9)),
        (f"review-reminder/{COUNTY}/1", at(1, 5, 9)),
        (f"escalation/{COUNTY}/reviewer/1", at(1, 5, 9)),
        (f"escalation/{COUNTY}/inspector/1", at(1, 5, 9)),
        (f"auto-report/{COUNTY}/1", at(1, 6, 0)),
        (f"review/{CITY}", at(1, 6, 0)),
        (f"auto-report/{CITY}/1", at(1, 11, 0)),
        (f"review/{PROVINCE}", at(1, 11, 0)),
        (f"auto-report/{PROVINCE}/1", at(1, 16, 0)),
    ],
)
def test_each_thing_is_owed_from_its_moment_on_and_not_before(key: str, moment: dt.datetime) -> None:
    before = {item.key for item in due(moment - dt.timedelta(seconds=1))}
    (item,) = [item for item in due(moment) if item.key == key]
    assert key not in before
    assert item.at == moment


def test_nothing_is_owed_before_the_campaign_has_come_near_its_dates() -> None:
    assert due(at(12, 2)) == []


def test_what_is_owed_comes_in_the_order_of_its_times_and_at_one_time_lower_levels_report_first() -> None:
    items = everything()
    assert [item.at for item in items] == sorted(item.at for item in items)
    at_midnight = [item.key for item in items if item.at == at(1, 6, 0)]
    assert at_midnight == [f"auto-report/{COUNTY}/1", f"auto-report/{WEST}/1", f"review/{CITY}"]


def test_at_one_deadline_a_county_goes_up_before_its_city() -> None:
    early = Roster({**UNITS, CITY: replace(UNITS[CITY], window=(1, 5))}, ROSTER.contacts)
    keys = [item.key for item in due(at(1, 6, 0), roster=early) if item.owed is Owed.AUTO_REPORT]
    assert keys == [f"auto-report/{COUNTY}/1", f"auto-report/{WEST}/1", f"auto-report/{CITY}/1"]


@given(st.lists(st.datetimes(dt.datetime(2026, 12, 1), dt.datetime(2027, 2, 1)), min_size=1, max_size=8))  # noqa: DTZ001
def test_whenever_the_clock_is_looked_at_each_thing_is_owed_once(moments: list[dt.datetime]) -> None:
    done: list[str] = []
    for moment in sorted(moments):
        done += [item.key for item in due(moment.replace(tzinfo=at(1, 1).tzinfo), done=done)]
    assert len(done) == len(set(done))
    done += [item.key for item in due(at(2, 2), done=done)]
    assert sorted(done) == sorted(item.key for item in everything())


def test_after_downtime_only_the_newest_letter_of_a_kind_goes_out() -> None:
    items = {item.key: item.skipped for item in due(at(12, 31), done=["receipt/3"])}
    assert items == {
        "receipt/-1": False, "reminder/7": True, "reminder/2": False, "phone-list/1": False,
    }  # fmt: skip


def test_once_a_report_is_owed_its_review_is_asked_for_no_more() -> None:
    skipped = {item.key for item in everything() if item.skipped}
    assert {f"review/{COUNTY}", f"review-reminder/{COUNTY}/1"} <= skipped
    assert not any(item.skipped for item in everything() if item.owed is Owed.AUTO_REPORT)


def test_when_every_package_goes_up_nobody_is_reminded_any_more() -> None:
    assert all(item.skipped for item in everything() if item.owed is Owed.REMINDER)
    assert [item.key for item in due(at(1, 7)) if item.owed is Owed.REMINDER and not item.skipped] == [
        "reminder/2"
    ]


def test_a_campaign_without_receipts_reminds_of_none() -> None:
    bare = replace(CAMPAIGN, receipt_due=None)
    assert not [
        i for i in owed(at(2, 1), bare, ROSTER, OPEN, (), SCHEDULE) if i.owed is Owed.RECEIPT_REMINDER
    ]


def test_a_campaign_opened_late_owes_no_reminder_from_before() -> None:
    late = replace(CAMPAIGN, opened_at=at(12, 29))
    keys = [item.key for item in owed(at(12, 31), late, ROSTER, OPEN, (), SCHEDULE)]
    assert keys == ["reminder/2", "phone-list/1"]


@pytest.mark.parametrize(
    "state", [PackageState.REPORTED, PackageState.ACCEPTED, PackageState.WITHDRAWAL_REQUESTED]
)
def test_a_package_that_has_gone_up_owes_nothing(state: PackageState) -> None:
    assert not [item for item in due(at(2, 1), (package(COUNTY, state, version=1),)) if item.package]


@pytest.mark.parametrize(
    ("returned_due", "moment"),
    [
        (at(1, 9, 0), at(1, 9, 0)),  # its own date
        (at(1, 14, 0), at(1, 11, 0)),  # the city's cut-off is earlier
        (None, at(1, 6, 0)),
    ],
)
def test_a_returned_package_goes_up_again_at_its_date_or_the_superiors_cut_off(
    returned_due: dt.datetime | None, moment: dt.datetime
) -> None:
    returned = package(COUNTY, PackageState.RETURNED, version=1, due=returned_due)
    items = due(at(2, 1), (package(PROVINCE), package(CITY), returned), done=[f"auto-report/{COUNTY}/1"])
    assert [(i.key, i.at) for i in items if i.package == COUNTY] == [(f"auto-report/{COUNTY}/2", moment)]


def test_the_steps_of_a_returned_package_are_its_own_and_none_falls_on_the_day_of_the_return() -> None:
    # returned on Friday the 8th, late in the evening of UTC: in Shanghai it is Saturday the 9th already
    late = dt.datetime(2027, 1, 8, 17, 30, tzinfo=dt.UTC)
    returned = package(COUNTY, PackageState.RETURNED, version=1, due=at(1, 16, 0), returned_at=late)
    items = due(at(2, 1), (returned,), done=[f"auto-report/{COUNTY}/1"])
    steps = [(i.key, i.at, i.owed, i.package, i.rung) for i in items if i.owed is not Owed.AUTO_REPORT]
    about = f"{COUNTY}/1"
    assert [step for step in steps if step[3]] == [
        (f"returned-reminder/{about}/2", at(1, 14, 9), Owed.REVIEW_REMINDER, COUNTY, None),
        (
            f"returned-escalation/{about}/administrator/2",
            at(1, 14, 9),
            Owed.ESCALATION,
            COUNTY,
            Rung.ADMINISTRATOR,
        ),
        (f"returned-reminder/{about}/1", at(1, 15, 9), Owed.REVIEW_REMINDER, COUNTY, None),
        (f"returned-escalation/{about}/reviewer/1", at(1, 15, 9), Owed.ESCALATION, COUNTY, Rung.REVIEWER),
        (f"returned-escalation/{about}/inspector/1", at(1, 15, 9), Owed.ESCALATION, COUNTY, Rung.INSPECTOR),
    ]


def test_the_day_of_a_return_is_shanghai_s_and_the_superior_s_cut_off_bounds_its_steps() -> None:
    evening = dt.datetime(2027, 1, 5, 17, 30, tzinfo=dt.UTC)  # half past one on Wednesday the 6th
    returned = package(COUNTY, PackageState.RETURNED, version=1, due=at(1, 29, 0), returned_at=evening)
    items = due(at(2, 1), (package(CITY), returned), done=[f"auto-report/{COUNTY}/1"])
    steps = {i.at for i in items if i.package == COUNTY and i.owed in {Owed.REVIEW_REMINDER, Owed.ESCALATION}}
    assert steps == {at(1, 7, 9), at(1, 8, 9)}  # the city goes up at the end of the 10th, a Sunday
    short = replace(returned, due=at(1, 7, 12))
    again = due(at(2, 1), (package(CITY), short), done=[f"auto-report/{COUNTY}/1"])
    assert {i.at for i in again if i.package == COUNTY and i.owed is Owed.REVIEW_REMINDER} <= {at(1, 7, 9)}


def test_a_receipt_is_reminded_of_by_the_end_of_its_own_day() -> None:
    wednesday = replace(CAMPAIGN, receipt_due=dt.date(2026, 12, 16))
    times = {i.key: i.at for i in owed(at(2, 1), wednesday, ROSTER, OPEN, (), SCHEDULE)}
    assert (times["receipt/3"], times["receipt/-1"]) == (at(12, 14, 9), at(12, 17, 9))


def test_a_return_that_leaves_a_single_day_has_all_its_steps_on_it() -> None:
    returned = package(COUNTY, PackageState.RETURNED, version=1, due=at(1, 14, 0), returned_at=at(1, 12, 15))
    items = due(at(2, 1), (returned,), done=[f"auto-report/{COUNTY}/1"])
    assert {i.at for i in items if i.owed in {Owed.REVIEW_REMINDER, Owed.ESCALATION}} == {at(1, 13, 9)}


@pytest.mark.parametrize("until", [at(1, 13, 0), at(1, 12, 18)])
def test_a_return_that_leaves_no_whole_day_has_no_steps(until: dt.datetime) -> None:
    returned = package(COUNTY, PackageState.RETURNED, version=1, due=until, returned_at=at(1, 12, 15))
    items = due(at(2, 1), (returned, package(WEST)))
    assert {i.owed for i in items if i.package == COUNTY} == {Owed.AUTO_REPORT}
    assert {i.owed for i in items if i.package == WEST} > {Owed.AUTO_REPORT}  # others keep theirs


def test_a_returned_package_does_not_keep_the_next_one_from_being_asked_for() -> None:
    returned = package(COUNTY, PackageState.RETURNED, version=1, due=at(1, 9, 0), returned_at=at(1, 7))
    assert f"review/{WEST}" in {i.key for i in due(at(1, 2), (returned, package(WEST)))}


def test_each_item_says_for_which_rung_it_is() -> None:
    rungs = {item.key: (item.owed, item.rung) for item in everything()}
    assert rungs["phone-list/1"] == (Owed.PHONE_LIST, Rung.ADMINISTRATOR)
    assert rungs["reminder/7"] == (Owed.REMINDER, None)
    assert rungs["receipt/3"] == (Owed.RECEIPT_REMINDER, None)
    assert rungs[f"escalation/{COUNTY}/inspector/1"] == (Owed.ESCALATION, Rung.INSPECTOR)
    assert rungs[f"review/{COUNTY}"] == (Owed.REVIEW_REQUEST, None)


def test_at_one_moment_reports_go_before_letters() -> None:
    # the city's window opens as the county's closes: the county goes up first, and the city is asked about it
    moment = [item.key for item in due(at(1, 6, 0)) if item.at == at(1, 6, 0)]
    assert moment == [f"auto-report/{COUNTY}/1", f"auto-report/{WEST}/1", f"review/{CITY}"]


def test_a_campaign_opened_at_the_moment_of_a_letter_does_not_owe_it() -> None:
    at_once = replace(CAMPAIGN, opened_at=at(12, 23, 9))
    assert "reminder/7" not in {i.key for i in owed(at(2, 1), at_once, ROSTER, OPEN, (), SCHEDULE)}
    at_once = replace(CAMPAIGN, opened_at=at(12, 16, 9))
    assert "receipt/3" not in {i.key for i in owed(at(2, 1), at_once, ROSTER, OPEN, (), SCHEDULE)}


def test_the_day_is_that_of_shanghai_wherever_the_machine_stands() -> None:
    evening = at(12, 24, 1).astimezone(dt.UTC)  # the 23rd, 17 o'clock in Greenwich
    assert gathered_key(dt.date(2026, 12, 24)) == "gathered/2026-12-24"
    assert "reminder/7" not in {i.key for i in due(evening)}  # offices sleep
    gone = due(at(12, 23, 10), done=[gathered_key(dt.date(2026, 12, 23))])
    assert "reminder/7" not in {i.key for i in gone}


def test_days_in_years_without_known_holidays_are_named_the_receipts_too() -> None:
    unknown = Schedule()  # a calendar that knows no year
    assert CAMPAIGN.receipt_due in guessed_days(CAMPAIGN, ROSTER, unknown)
    assert guessed_days(replace(CAMPAIGN, receipt_due=None), ROSTER, unknown)[0] == CAMPAIGN.period.last_day


def test_a_returned_superior_gives_its_own_date_to_those_below() -> None:
    city = package(CITY, PackageState.RETURNED, version=1, due=at(1, 20, 0))
    county = package(COUNTY, PackageState.RETURNED, version=1, due=at(1, 22, 0))
    items = due(at(2, 1), (city, county, package(PROVINCE, PackageState.REPORTED, version=1)))
    assert {i.package: i.at for i in items if i.package} == {CITY: at(1, 20, 0), COUNTY: at(1, 20, 0)}


def test_the_roster_may_move_a_units_window() -> None:
    moved = Roster({**UNITS, COUNTY: replace(UNITS[COUNTY], window=(2, 4))}, ROSTER.contacts)
    keys = {item.key: item.at for item in due(at(2, 1), roster=moved)}
    assert (keys[f"review/{COUNTY}"], keys[f"auto-report/{COUNTY}/1"]) == (at(1, 2, 0), at(1, 5, 0))


def test_a_window_beyond_the_superiors_ends_with_it() -> None:
    moved = Roster({**UNITS, COUNTY: replace(UNITS[COUNTY], window=(1, 12))}, ROSTER.contacts)
    keys = [item.key for item in due(at(1, 11, 0), roster=moved) if item.at == at(1, 11, 0)]
    assert keys == [f"auto-report/{COUNTY}/1", f"auto-report/{CITY}/1", f"review/{PROVINCE}"]


@pytest.mark.parametrize(
    ("now", "polled_from", "may"),
    [
        (at(1, 6, 0, 5), None, False),
        (at(1, 6, 0, 5), at(1, 5, 23, 59), False),  # a reply in time may still lie unread
        (at(1, 6, 0, 5), at(1, 6, 0), True),
        (at(1, 6, 11, 59), at(1, 5, 23), False),
        (at(1, 6, 12), None, True),  # the grace is over
    ],
)
def test_a_report_waits_for_a_poll_that_began_after_the_deadline_or_for_the_grace(
    now: dt.datetime, polled_from: dt.datetime | None, may: bool
) -> None:
    assert may_report(at(1, 6, 0), now, polled_from, SCHEDULE) is may


def test_the_next_reports_are_told_soonest_first() -> None:
    coming = upcoming(
        at(1, 6, 1), CAMPAIGN, ROSTER, (*OPEN[:2], package(COUNTY, PackageState.REPORTED, version=1))
    )
    assert [(item.package, item.at) for item in coming] == [(CITY, at(1, 11, 0)), (PROVINCE, at(1, 16, 0))]
    assert [item.package for item in upcoming(at(1, 11, 0), CAMPAIGN, ROSTER, OPEN)] == [PROVINCE]
