"""沟通确认 (article 20) as people type it: days and times, what is missing, what cannot be, and until when."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.domain.offices import at
from workflow.domain.consultation import Consultation, Talk, consulted, due_typed, kept, moment_typed
from workflow.domain.lifecycle import NotAllowed

NOW, REPORTED = at(1, 9, 16), at(1, 6, 0)
TODAY = dt.date(2027, 1, 9)


@pytest.mark.parametrize(
    ("typed", "day", "time"),
    [
        ("2027-01-08", (2027, 1, 8), None),
        ("2027-01-08 10:30", (2027, 1, 8), (10, 30)),
        ("2027-01-08 00:00:00", (2027, 1, 8), None),
        ("2027年1月8日10时30分", (2027, 1, 8), (10, 30)),
        ("２０２７年１月８日　１０：３０", (2027, 1, 8), (10, 30)),
        ("1月8日下午3点半", (2027, 1, 8), (15, 30)),
        ("12月30号", (2026, 12, 30), None),
        ("二〇二七年一月八日", (2027, 1, 8), None),
        ("2027.1.8", (2027, 1, 8), None),
        ("20270108", (2027, 1, 8), None),
        ("46395", (2027, 1, 8), None),
    ],
)
def test_a_day_is_read_however_an_office_writes_it(
    typed: str, day: tuple[int, int, int], time: tuple[int, int] | None
) -> None:
    assert moment_typed(typed, TODAY, "沟通时间") == (dt.date(*day), dt.time(*time) if time else None)


@pytest.mark.parametrize(
    "typed",
    [
        "昨天",
        "1月8日电话",
        "2月30日",
        "2027-01-08 25:00",
        "2027-01-08T10:30+00:00",
        "8",
        "1月8日～9日",
        "99999",
    ],
)
def test_what_is_no_day_is_not_guessed_at(typed: str) -> None:
    with pytest.raises(NotAllowed, match="沟通时间"):
        moment_typed(typed, TODAY, "沟通时间")


@pytest.mark.parametrize(
    ("talk", "reason"),
    [
        (Talk(), "请填写沟通对象、沟通时间"),
        (Talk("县审"), "请填写沟通时间"),
        (Talk("  ", "1月8日"), "请填写沟通对象"),
        (Talk("县审", "下周"), "沟通时间“下周”无法识别，请写成“2027年1月9日”的样子"),
        (Talk("县审", "2027-01-10"), "沟通时间2027年1月10日在退回之后"),
        (Talk("县审", "1月9日16:01"), "沟通时间2027年1月9日在退回之后"),
        (Talk("县审", "1月4日"), "沟通时间2027年1月4日早于该单位上报时间"),
    ],
)
def test_a_return_without_a_talk_that_can_have_been_is_refused_with_one_reason(
    talk: Talk, reason: str
) -> None:
    with pytest.raises(NotAllowed, match=reason):
        consulted(talk, NOW, REPORTED)


def test_a_talk_is_kept_without_the_name_and_read_back_with_it() -> None:
    talked = consulted(Talk(" 县审 ", "1月8日15:30", "电话"), NOW, REPORTED)
    assert talked == Consultation("县审", dt.date(2027, 1, 8), dt.time(15, 30), "电话")
    assert talked.words == "2027年1月8日15:30与县审（电话）沟通确认"
    assert "县审" not in str(talked.as_data())
    assert kept(talked.as_data(), "县审") == talked
    assert "姓名已清除" in kept(talked.as_data(), "").words  # type: ignore[union-attr]
    assert kept(None, "") is None


def test_a_talk_on_the_last_evening_belongs_to_what_went_up_at_midnight() -> None:
    assert consulted(Talk("县审", "1月5日"), NOW, REPORTED).day == dt.date(2027, 1, 5)


@pytest.mark.parametrize(
    ("typed", "due"),
    [
        ("", None),
        ("2027-01-10", at(1, 11, 0)),
        ("1月9日", at(1, 10, 0)),
        ("2027-01-10 00:00:00", at(1, 11, 0)),
    ],
)
def test_a_due_date_ends_with_its_day(typed: str, due: dt.datetime | None) -> None:
    assert due_typed(Talk(due=typed), NOW, at(1, 11, 0)) == due


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("2027-01-08", "限期2027年1月8日已过"),
        ("2027-01-11", "限期2027年1月11日晚于本级上报截止日2027年1月10日"),
        ("尽快", "限期“尽快”无法识别"),
    ],
)
def test_a_due_date_that_cannot_be_is_refused(typed: str, reason: str) -> None:
    with pytest.raises(NotAllowed, match=reason):
        due_typed(Talk(due=typed), NOW, at(1, 11, 0))


def test_where_no_level_stands_above_a_slip_of_the_year_is_still_seen() -> None:
    assert due_typed(Talk(due="2027-02-01"), NOW, None) == at(1, 31, 0) + dt.timedelta(days=2)
    with pytest.raises(NotAllowed, match="请核对年份"):
        due_typed(Talk(due="2028-01-10"), NOW, None)
