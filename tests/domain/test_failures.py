"""When a message on which the program broke is tried again."""

from __future__ import annotations

import datetime as dt

from workflow.domain.failures import is_due, next_try

NOON = dt.datetime(2027, 1, 4, 12, tzinfo=dt.UTC)


def test_the_intervals_grow_to_a_day_and_no_further() -> None:
    waits = [(next_try(tries, NOON) - NOON).total_seconds() / 60 for tries in range(1, 10)]
    assert waits == [5, 5, 15, 60, 240, 720, 1440, 1440, 1440]


def test_a_first_failure_is_tried_at_the_next_poll_whatever_the_hour() -> None:
    assert is_due(NOON, NOON + dt.timedelta(days=400), None)


def test_a_message_waits_until_its_time() -> None:
    until = next_try(2, NOON)
    assert not is_due(until - dt.timedelta(seconds=1), NOON, until)
    assert is_due(until, NOON, until)


def test_a_clock_that_was_set_back_keeps_nothing_waiting_for_years() -> None:
    ahead = NOON + dt.timedelta(days=3650)
    assert is_due(NOON, ahead, next_try(5, ahead))
