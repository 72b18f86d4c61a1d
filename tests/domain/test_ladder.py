"""The escalation ladder: letters on working days, every step once, and who is above whom."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.offices import (
    CAMPAIGN,
    CITY,
    COUNTY,
    PROVINCE,
    REMOTE,
    ROSTER,
    SCHOOL,
    UNITS,
    WEST,
    at,
)  # fmt: skip
from workflow.adapters.workdays import known_years, says, workdays
from workflow.domain.campaign import SHANGHAI, Campaign, Period
from workflow.domain.deadlines import GATHERED, Due, Owed, Schedule, gathered_key, guessed_days, owed
from workflow.domain.ladder import Ladder, Rung, level_above
from workflow.domain.lifecycle import Package, PackageState
from workflow.domain.roster import Roster
from workflow.domain.workdays import Workdays

CHINA = Schedule(workdays=workdays())
AUTUMN = replace(
    CAMPAIGN, period=Period(2026, 3), opened_at=dt.datetime(2026, 9, 1, tzinfo=SHANGHAI), receipt_due=None
)


def packages(campaign: Campaign, *units: str) -> list[Package]:
    return [Package(campaign.id, unit, UNITS[unit].kind.level) for unit in units]


def autumn(now: dt.datetime, done: set[str] = frozenset(), *units: str) -> list[Due]:  # type: ignore[assignment]
    chosen = units or (PROVINCE, CITY, COUNTY, WEST)
    return owed(now, AUTUMN, ROSTER, packages(AUTUMN, *chosen), done, CHINA)


def day(month: int, number: int) -> dt.date:
    return dt.date(2026, month, number)


# --- working days ---------------------------------------------------------------------------------------------------


def test_holidays_and_make_up_workdays_are_those_of_the_state_council() -> None:
    known = workdays()
    assert not any(known.working(day(10, number)) for number in range(1, 8))
    assert known.working(day(9, 20))  # a Sunday made up for
    assert known.working(day(10, 10))  # a Saturday made up for
    assert not known.working(day(9, 25))  # a Friday: 中秋


def test_beyond_the_years_that_are_known_weekends_count_and_it_can_be_told() -> None:
    first, last = known_years()
    assert first <= 2004
    assert last >= 2026
    beyond = dt.date(last + 1, 3, 1)
    assert says(beyond) is None
    known = workdays()
    week = [beyond + dt.timedelta(days=n) for n in range(7)]
    assert not any(known.known(one) for one in week)
    assert [known.working(one) for one in week] == [one.weekday() < 5 for one in week]


def test_a_count_of_working_days_is_never_nothing() -> None:
    with pytest.raises(ValueError, match="never 0"):
        Workdays().moment(at(12, 20, 0), 0)


@given(st.dates(dt.date(2020, 1, 1), dt.date(2028, 12, 31)), st.integers(1, 30))
def test_a_letter_is_planned_on_a_working_day_before_its_deadline(deadline: dt.date, count: int) -> None:
    known = workdays()
    end = dt.datetime.combine(deadline, dt.time(), SHANGHAI)
    moment = known.moment(end, count)
    between = [deadline - dt.timedelta(days=n) for n in range(1, (deadline - moment.date()).days + 1)]
    assert moment < end
    assert sum(known.working(one) for one in between) == count
    after = known.moment(end, -count)
    assert after >= end
    assert known.working(after.date())


# --- the plan -------------------------------------------------------------------------------------------------------


def test_before_the_october_holidays_letters_go_out_on_the_last_working_days_of_september() -> None:
    told = {item.key: item.at for item in autumn(dt.datetime(2026, 9, 30, 20, tzinfo=SHANGHAI))}
    planned = {
        "reminder/7": (9, 21),
        f"review/{COUNTY}": (9, 29),
        f"escalation/{COUNTY}/administrator/2": (9, 29),
        "reminder/2": (9, 29),
        "phone-list/1": (9, 30),
        f"review-reminder/{COUNTY}/1": (9, 30),
        f"escalation/{COUNTY}/reviewer/1": (9, 30),
        f"escalation/{COUNTY}/inspector/1": (9, 30),
    }
    assert {key: (told[key].month, told[key].day) for key in planned} == planned
    assert f"review-reminder/{COUNTY}/2" not in told  # the request itself goes out on that day


def test_the_windows_never_move_for_a_holiday() -> None:
    quiet = {item.key for item in autumn(dt.datetime(2026, 9, 30, 20, tzinfo=SHANGHAI))}
    holidays = [
        item for item in autumn(dt.datetime(2026, 10, 7, 20, tzinfo=SHANGHAI), quiet) if COUNTY in item.key
    ]
    assert [(item.key, item.at) for item in holidays] == [
        (f"auto-report/{COUNTY}/1", dt.datetime(2026, 10, 6, tzinfo=SHANGHAI))
    ]


def test_inside_a_window_a_make_up_workday_counts() -> None:
    items = {item.key: item.at.date() for item in autumn(dt.datetime(2026, 10, 10, 12, tzinfo=SHANGHAI))}
    assert items[f"review/{CITY}"] == day(10, 6)
    assert items[f"escalation/{CITY}/administrator/2"] == day(10, 9)
    assert items[f"escalation/{CITY}/reviewer/1"] == day(10, 10)


def test_no_step_comes_before_the_first_working_day_of_its_window() -> None:
    early = replace(CHINA, review_days=(9, 1), ladder=Ladder(administrator_days=(9,)))
    items = owed(at(1, 5, 20), CAMPAIGN, ROSTER, packages(CAMPAIGN, COUNTY), (), early)
    (step,) = [item for item in items if item.rung is Rung.ADMINISTRATOR and item.package]
    assert step.at == at(1, 1, 9)
    assert f"review-reminder/{COUNTY}/9" not in {item.key for item in items}  # the day of the request


def test_the_rungs_are_taken_from_below_upwards() -> None:
    order = [Owed.REVIEW_REQUEST, Rung.ADMINISTRATOR, Rung.REVIEWER, Rung.INSPECTOR]
    items = owed(at(1, 5, 20), CAMPAIGN, ROSTER, packages(CAMPAIGN, COUNTY), (), CHINA)
    when = {item.rung or item.owed: item.at for item in items if item.package}
    assert [when[step] for step in order] == sorted(when[step] for step in order)


def test_the_level_that_chases_is_the_one_whose_package_carries_the_case_or_the_one_above_a_package() -> None:
    above = {code: level_above(ROSTER, code) for code in (SCHOOL, REMOTE, COUNTY, CITY, PROVINCE)}
    assert {code: unit.code if unit else "" for code, unit in above.items()} == {
        SCHOOL: COUNTY, REMOTE: COUNTY, COUNTY: CITY, CITY: PROVINCE, PROVINCE: "",
    }  # fmt: skip


def test_a_step_left_out_in_the_settings_is_not_taken() -> None:
    bare = Schedule(ladder=Ladder((), (), (), ()))
    items = owed(at(1, 5, 20), CAMPAIGN, ROSTER, packages(CAMPAIGN, COUNTY), (), bare)
    assert not [item for item in items if item.rung]


# --- once, and never before its time --------------------------------------------------------------------------------


def test_reminders_wait_until_offices_open_and_until_tomorrow_when_todays_have_gone_out() -> None:
    chosen = packages(CAMPAIGN, PROVINCE, CITY, COUNTY)

    def gathered(now: dt.datetime, done: set[str]) -> list[str]:
        return [
            i.key for i in owed(now, CAMPAIGN, ROSTER, chosen, done, CHINA)
            if i.owed in GATHERED and not i.skipped
        ]  # fmt: skip

    assert gathered(at(12, 31, 8, 59), set()) == []
    assert "phone-list/1" in gathered(at(12, 31, 9), set())
    assert gathered(at(12, 31, 20), {gathered_key(dt.date(2026, 12, 31))}) == []
    assert "phone-list/1" in gathered(at(1, 1, 9), {gathered_key(dt.date(2026, 12, 31))})


@given(
    st.lists(
        st.datetimes(dt.datetime(2026, 12, 1), dt.datetime(2027, 1, 20)),  # noqa: DTZ001
        min_size=1, max_size=10,
    )
)  # fmt: skip
def test_whatever_the_clock_does_each_step_is_taken_once_and_never_before_its_time(
    moments: list[dt.datetime],
) -> None:
    chosen = packages(CAMPAIGN, PROVINCE, CITY, COUNTY)
    done: set[str] = set()
    for moment in moments:  # backwards too
        now = moment.replace(tzinfo=SHANGHAI)
        for item in owed(now, CAMPAIGN, ROSTER, chosen, done, CHINA):
            assert item.at <= now
            assert item.key not in done
            done.add(item.key)


def test_after_downtime_each_rung_is_told_once_by_its_newest_step() -> None:
    often = replace(CHINA, ladder=Ladder(administrator_days=(3, 2, 1)))
    items = owed(at(1, 5, 20), CAMPAIGN, ROSTER, packages(CAMPAIGN, COUNTY), (), often)
    rung = {i.key: i.skipped for i in items if i.rung is Rung.ADMINISTRATOR and i.package}
    assert rung == {
        f"escalation/{COUNTY}/administrator/3": True,
        f"escalation/{COUNTY}/administrator/2": True,
        f"escalation/{COUNTY}/administrator/1": False,
    }


def test_nobody_is_told_of_a_package_that_goes_up_in_the_same_breath_or_has_gone_up() -> None:
    items = owed(at(1, 7, 10), CAMPAIGN, ROSTER, packages(CAMPAIGN, COUNTY), (), CHINA)
    assert all(item.skipped for item in items if item.package and item.owed is not Owed.AUTO_REPORT)
    assert not owed(
        at(1, 7, 10),
        replace(CAMPAIGN, receipt_due=None),
        ROSTER,
        [],
        (),
        Schedule(reply_days=(), ladder=Ladder(())),
    )


def test_a_campaign_in_years_that_are_not_known_says_which_of_its_days_are_guessed() -> None:
    beyond = Campaign(Period(known_years()[1], 4), at(12, 1), {}, CAMPAIGN.windows, None)
    assert {one.year for one in guessed_days(beyond, ROSTER, CHINA)} == {known_years()[1] + 1}
    assert guessed_days(AUTUMN, ROSTER, CHINA) == []
    empty = Roster({}, ())
    assert guessed_days(AUTUMN, empty, CHINA) == []


# --- a package that was returned ------------------------------------------------------------------------------------


LATER = at(1, 31)


def again(returned_at: dt.datetime, due: dt.datetime, now: dt.datetime = LATER) -> dict[str, dt.datetime]:
    """The steps of the county's package, returned after its first report, by what is left of their keys."""
    county = Package(
        CAMPAIGN.id, COUNTY, UNITS[COUNTY].kind.level, PackageState.RETURNED, version=1, due=due, returned_at=returned_at
    )  # fmt: skip
    items = owed(now, CAMPAIGN, ROSTER, [county], set(), Schedule())
    return {
        item.key.replace(f"{COUNTY}/1/", ""): item.at for item in items if item.key.startswith("returned-")
    }


def test_a_returned_package_is_chased_step_by_step_before_its_own_date() -> None:
    # Returned on Monday 4 January, due by the end of Friday 8.
    assert again(at(1, 4), at(1, 9, 0)) == {
        "returned-reminder/2": at(1, 7, 9),
        "returned-reminder/1": at(1, 8, 9),
        "returned-escalation/administrator/2": at(1, 7, 9),
        "returned-escalation/reviewer/1": at(1, 8, 9),
        "returned-escalation/inspector/1": at(1, 8, 9),
    }


def test_none_of_its_steps_is_on_the_day_of_the_return_itself() -> None:
    # Returned on Thursday 7, due by the end of Friday 8: everything on the one working day that is left.
    assert set(again(at(1, 7), at(1, 9, 0)).values()) == {at(1, 8, 9)}
    # Returned on Friday 8, due by the end of Sunday 10: no working day is left.
    assert again(at(1, 8), at(1, 11, 0)) == {}
    assert again(at(1, 8), at(1, 9, 0)) == {}


def test_nobody_is_told_of_it_before_its_time() -> None:
    assert again(at(1, 4), at(1, 9, 0), now=at(1, 7, 8)) == {}
