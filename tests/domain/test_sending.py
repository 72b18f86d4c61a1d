"""Limits over what was tried, whose turn it is, and how long one waits."""

from __future__ import annotations

import datetime as dt
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.domain.campaign import SHANGHAI
from workflow.domain.refusals import Verdict
from workflow.domain.sending import (
    Allowance,
    Hold,
    Limits,
    Quota,
    domain_of,
    in_turn,
    pause_until,
    retry_at,
)

NOON = dt.datetime(2026, 12, 21, 12, tzinfo=SHANGHAI)
SECOND, MINUTE, HOUR, DAY = (
    dt.timedelta(seconds=1), dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1),
)  # fmt: skip


def test_as_many_go_in_a_minute_an_hour_and_a_day_as_the_limits_allow() -> None:
    quota = Quota(Allowance(Limits(minute=2, hour=3, day=4)), [])
    taken = [at for n in range(24 * 60) if quota.admit("school.test", at := NOON + n * MINUTE / 2)]
    assert [at - NOON for at in taken[:3]] == [0 * MINUTE, MINUTE / 2, MINUTE]
    assert taken[3] - NOON == HOUR  # three in an hour; the fourth is the day's last
    assert len(taken) == 4
    assert quota.hold(NOON + 2 * HOUR) == Hold("", "每日至多4封", NOON + DAY)
    assert quota.admit("school.test", NOON + DAY)


def test_one_domain_may_be_full_while_others_go_on() -> None:
    quota = Quota(Allowance(Limits(), {"163.com": Limits(minute=1)}), [])
    assert quota.admit("163.com", NOON)
    assert not quota.admit("163.com", NOON + SECOND)
    assert quota.admit("qq.com", NOON + SECOND)
    assert quota.holds(NOON + SECOND) == [Hold("163.com", "每分钟至多1封", NOON + MINUTE)]
    assert quota.holds(NOON + MINUTE) == []


def test_what_was_tried_before_counts_and_what_is_long_ago_does_not() -> None:
    tried = [(NOON - n * HOUR, "163.com") for n in range(1, 40)]
    quota = Quota(Allowance(Limits(day=24), {"163.com": Limits(day=100)}), tried)
    assert quota.used(NOON) == quota.used(NOON, "163.com") == (0, 0, 23)
    assert quota.admit("163.com", NOON)
    assert not quota.admit("163.com", NOON)


def test_without_limits_everything_goes_and_nothing_needs_to_be_counted() -> None:
    quota = Quota(Allowance(), [])
    assert all(quota.admit("163.com", NOON) for _ in range(1000))
    assert Allowance().longest == dt.timedelta()
    assert Allowance(Limits(hour=1), {"x.test": Limits(day=1)}).longest == DAY


@given(
    st.lists(st.integers(0, 7200), max_size=120),
    st.builds(Limits, st.integers(0, 5), st.integers(0, 20), st.integers(0, 40)),
)
def test_no_window_ever_holds_more_than_its_limit(seconds: list[int], limits: Limits) -> None:
    quota = Quota(Allowance(limits), [])
    taken = [at for s in sorted(seconds) if quota.admit("x.test", at := NOON + s * SECOND)]
    for span, most, _ in limits.spans:
        for end in taken:
            assert sum(end - span < at <= end for at in taken) <= most


@given(st.integers(0, 400), st.builds(Limits, st.integers(1, 5), st.integers(0, 20), st.integers(0, 40)))
def test_a_hold_ends_exactly_when_it_says(step: int, limits: Limits) -> None:
    quota = Quota(Allowance(limits), [])
    now = NOON
    for _ in range(30):
        quota.admit("x.test", now)
        if hold := quota.hold(now):
            assert hold.until > now
            assert quota.hold(hold.until - SECOND / 1000) is not None
            assert quota.hold(hold.until) is None
        now += step * SECOND


def test_every_fifth_letter_is_the_one_that_has_waited_longest() -> None:
    urgent = [f"return{n}" for n in range(20)]
    oldest = ["reminder1", "reminder2", "return0"]
    order = list(in_turn(urgent, oldest, 0))
    assert order[:11] == [
        "return0", "return1", "return2", "return3", "reminder1",
        "return4", "return5", "return6", "return7", "reminder2", "return8",
    ]  # fmt: skip
    assert sorted(order) == sorted({*urgent, *oldest})


def test_passes_of_one_letter_come_to_the_same_turn() -> None:
    urgent, oldest = [f"u{n}" for n in range(9)], ["o1", "o2"]
    one_by_one = []
    for tried in range(9):
        letter = next(
            in_turn(
                [u for u in urgent if u not in one_by_one], [o for o in oldest if o not in one_by_one], tried
            )
        )
        one_by_one.append(letter)
    assert one_by_one == list(islice(in_turn(urgent, oldest, 0), 9))


def test_retries_wait_twice_as_long_each_time_never_together_and_always_the_same() -> None:
    waits = [retry_at("a", n, NOON) - NOON for n in range(1, 13)]
    for n, wait in enumerate(waits):
        middle = min(5 * MINUTE * 2**n, 6 * HOUR)
        assert middle * 0.8 <= wait <= middle * 1.2
    assert waits == [retry_at("a", n, NOON) - NOON for n in range(1, 13)]
    assert len({retry_at(str(n), 1, NOON) for n in range(100)}) == 100


@pytest.mark.parametrize(
    ("meaning", "times", "wait"),
    [
        (Verdict.BUSY, 1, 5 * MINUTE), (Verdict.BUSY, 2, 10 * MINUTE), (Verdict.BUSY, 40, 2 * HOUR),
        (Verdict.ACCESS, 1, 15 * MINUTE), (Verdict.ACCESS, 9, 6 * HOUR), (Verdict.TODAY, 1, 12 * HOUR + 10 * MINUTE),
    ],
)  # fmt: skip
def test_the_account_rests_longer_each_time_it_is_refused(
    meaning: Verdict, times: int, wait: dt.timedelta
) -> None:
    assert pause_until(meaning, times, NOON) - NOON == wait


def test_the_domain_of_an_address_is_in_small_letters() -> None:
    assert domain_of("Li@163.COM") == "163.com"
