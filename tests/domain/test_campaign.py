"""The calendar of article 18: the quarter's data are reviewed in the first month after it, to the second."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from tests.domain.offices import CAMPAIGN, CITY, COUNTY, DIRECT, MINISTRY, PROVINCE, UNITS, UNIVERSITY, at
from workflow.domain.campaign import SHANGHAI, Period, Window, midnight
from workflow.domain.errors import Refused


@pytest.mark.parametrize(
    ("unit", "first", "last"),
    [
        (COUNTY, 1, 5),
        (DIRECT, 1, 5),
        (CITY, 6, 10),
        (UNIVERSITY, 6, 10),
        (PROVINCE, 11, 15),
        (MINISTRY, 11, 15),
    ],
)
def test_each_level_has_its_window_and_the_last_day_ends_at_24_00(unit: str, first: int, last: int) -> None:
    window = CAMPAIGN.window(UNITS[unit])
    assert (window.first_day, window.last_day) == (dt.date(2027, 1, first), dt.date(2027, 1, last))
    assert window.opens == at(1, first, 0)
    assert window.closes == at(1, last + 1, 0)
    assert window.holds(window.closes - dt.timedelta(microseconds=1))
    assert not window.holds(window.closes)
    assert window.holds(window.opens)
    assert not window.holds(window.opens - dt.timedelta(microseconds=1))


def test_a_window_is_kept_by_the_clock_of_shanghai_wherever_the_mail_came_from() -> None:
    window = CAMPAIGN.window(UNITS[COUNTY])
    assert window.holds(dt.datetime(2027, 1, 5, 15, 59, 59, tzinfo=dt.UTC))
    assert not window.holds(dt.datetime(2027, 1, 5, 16, 0, tzinfo=dt.UTC))


def test_the_roster_may_give_a_unit_its_own_window() -> None:
    unit = replace(UNITS[UNIVERSITY], window=(2, 4))
    assert CAMPAIGN.window(unit) == Window(at(1, 2, 0), at(1, 5, 0))


@pytest.mark.parametrize(
    ("period", "last_day", "first_review_day", "before", "name"),
    [
        (Period(2026, 1), dt.date(2026, 3, 31), dt.date(2026, 4, 1), Period(2025, 4), "2026年第一季度"),
        (Period(2026, 2), dt.date(2026, 6, 30), dt.date(2026, 7, 1), Period(2026, 1), "2026年第二季度"),
        (Period(2026, 3), dt.date(2026, 9, 30), dt.date(2026, 10, 1), Period(2026, 2), "2026年第三季度"),
        (Period(2026, 4), dt.date(2026, 12, 31), dt.date(2027, 1, 1), Period(2026, 3), "2026年第四季度"),
    ],
)
def test_a_quarter_is_reviewed_in_the_month_after_it_across_the_turn_of_the_year(
    period: Period, last_day: dt.date, first_review_day: dt.date, before: Period, name: str
) -> None:
    assert (period.last_day, period.review_day(1)) == (last_day, first_review_day)
    assert (period.previous, period.name) == (before, name)
    assert Period.parse(period.id) == period


def test_units_are_asked_to_reply_until_the_end_of_the_last_day() -> None:
    assert CAMPAIGN.id == "2026Q4"
    assert CAMPAIGN.reply_due == at(1, 1, 0) == midnight(dt.date(2027, 1, 1))


def test_a_day_begins_at_midnight_in_shanghai() -> None:
    assert midnight(dt.date(2027, 1, 6)).astimezone(dt.UTC) == dt.datetime(2027, 1, 5, 16, tzinfo=dt.UTC)
    assert midnight(dt.date(2027, 1, 6)).tzinfo is SHANGHAI


@pytest.mark.parametrize("text", ["2026q4", " 2026Q4\n"])
def test_a_period_may_be_typed_carelessly(text: str) -> None:
    assert Period.parse(text) == Period(2026, 4)


@pytest.mark.parametrize(
    "text", ["", "2026", "2026Q5", "2026Q0", "26Q4", "2026-Q4", "2026Q44", "第四季度", "0000Q1", "9999Q4"]
)
def test_what_is_no_quarter_is_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(Refused) as refused:
        Period.parse(text)
    (fault,) = refused.value.faults
    assert fault.where == f"填报任务 {text}"
    assert "2026Q4" in fault.remedy
