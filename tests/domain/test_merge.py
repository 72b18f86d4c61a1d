"""Data as they stand, row by row, and totals that are the same whichever way they climb the tree."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.offices import SCHOOL, at, form_of, number
from workflow.domain.form import Aggregate, Field, FieldType, Table
from workflow.domain.lifecycle import Case, CaseState
from workflow.domain.merge import (
    Origin,
    Standing,
    Total,
    merge_totals,
    shown_origins,
    stand,
    total,
    totalled_fields,
)
from workflow.domain.submission import Submission

CARRIED = Standing(SCHOOL, "school", Origin.APPROVED, "2026Q3/school/2", 2)


def version(of: int, *, errors: int = 0, returned: bool = False, no_change: bool = False) -> Submission:
    name = f"2026Q4/{SCHOOL}/school/{of}"
    moment = at(12, 20 + of)
    return Submission(
        name,
        "2026Q4",
        SCHOOL,
        "school",
        2,
        of,
        moment,
        "m",
        "a",
        "",
        errors,
        0,
        returned=returned,
        no_change=no_change,
    )


GOOD, GOOD_TOO = version(1), version(2)
WRONG = version(2, errors=1, returned=True)
SENT_BACK = version(1, returned=True)
SENT_BACK_TOO = version(2, returned=True)
SAME = version(1, no_change=True)


@pytest.mark.parametrize(
    ("state", "versions", "carried", "origin", "number"),
    [
        ("approved", [GOOD], None, Origin.APPROVED, 1),
        ("approved", [SENT_BACK, GOOD_TOO], None, Origin.APPROVED, 2),
        ("submitted", [GOOD], None, Origin.NOT_REVIEWED, 1),
        ("submitted", [GOOD, GOOD_TOO], None, Origin.NOT_REVIEWED, 2),
        # The newest without errors counts before a newer one that has some.
        ("returned", [GOOD, WRONG], CARRIED, Origin.NOT_REVIEWED, 1),
        ("returned", [version(1, errors=2, returned=True)], CARRIED, Origin.WITH_ERRORS, 1),
        ("returned", [SENT_BACK, WRONG], CARRIED, Origin.WITH_ERRORS, 2),
        ("returned", [SENT_BACK], CARRIED, Origin.RETURNED_UNCORRECTED, 1),
        ("returned", [WRONG, SENT_BACK_TOO], None, Origin.RETURNED_UNCORRECTED, 2),
        ("submitted", [SAME], CARRIED, Origin.NO_CHANGE, 1),
        ("approved", [SAME], CARRIED, Origin.NO_CHANGE, 1),
        ("submitted", [version(1, errors=1, no_change=True)], CARRIED, Origin.WITH_ERRORS, 1),
        ("issued", [], CARRIED, Origin.CARRIED_OVER, 2),
        ("planned", [], CARRIED, Origin.CARRIED_OVER, 2),
        ("issued", [], None, Origin.MISSING, 0),
        ("issued", [], Standing(SCHOOL, "school", Origin.MISSING), Origin.MISSING, 0),
    ],
)
def test_how_a_units_data_stand(
    state: str, versions: list[Submission], carried: Standing | None, origin: Origin, number: int
) -> None:
    case = Case("2026Q4", SCHOOL, "school", CaseState(state), number=len(versions))
    row = stand(case, versions, carried)
    assert (row.unit, row.form, row.origin, row.number) == (SCHOOL, "school", origin, number)
    assert bool(row.submission) is (origin is not Origin.MISSING)
    if origin is Origin.CARRIED_OVER:
        assert row.submission == CARRIED.submission


def test_a_rare_origin_has_a_column_where_there_is_one_of_it() -> None:
    usual = shown_origins({Origin.APPROVED: 3}, {Origin.LEGACY: 0})
    assert (Origin.LEGACY in usual, Origin.APPROVED in usual, Origin.MISSING in usual) == (False, True, True)
    assert set(shown_origins({}, {Origin.LEGACY: 1})) == set(Origin)


def test_every_origin_has_its_word() -> None:
    assert len({origin.word for origin in Origin}) == len(Origin)


FORM = form_of(
    number("学生", aggregate=Aggregate.SUM),
    number("面积", FieldType.DECIMAL, aggregate=Aggregate.MEAN),
    number("最大", aggregate=Aggregate.MAX),
    number("最小", aggregate=Aggregate.MIN),
    Field("上网", "上网", FieldType.YES_NO, aggregate=Aggregate.COUNT_YES),
    number("编号"),
)
ROWS = (
    {"学生": 480, "面积": 0.1, "最大": 3, "最小": 3, "上网": True, "编号": 7},
    {"学生": 20, "面积": 0.2, "最大": 9, "最小": 9, "上网": False},
    {"学生": None, "上网": True},
    {},
)


def test_a_figure_follows_its_fields_rule() -> None:
    totals = total(FORM, ROWS)
    figures = {field.name: totals[field.name].figure(field.aggregate) for field in totalled_fields(FORM)}
    assert figures == {"学生": 500, "面积": 0.15, "最大": 9, "最小": 3, "上网": 2}
    assert type(figures["学生"]) is int
    assert "编号" not in totals
    assert totals["上网"].figure(Aggregate.NONE) is None


@pytest.mark.parametrize("aggregate", list(Aggregate))
def test_where_nothing_was_reported_there_is_no_figure(aggregate: Aggregate) -> None:
    assert Total().figure(aggregate) is None
    assert Total().add("光纤").add(dt.date(2026, 1, 1)) == Total()


def test_answers_added_one_by_one_keep_count_sum_and_extremes() -> None:
    assert Total().add(3).add(9).add(-1) == Total(3, 11, -1, 9)
    assert Total().add(3).add(True).add(False).add(True) == Total(4, 3, 3, 3, 2)
    assert Total().add(True).add(5) == Total(2, 5, 5, 5, 1)


def test_a_whole_number_stays_one_however_large_and_a_float_keeps_six_places() -> None:
    figure = Total().add(10**17 + 1).figure(Aggregate.SUM)
    assert (figure, type(figure)) == (10**17 + 1, int)
    assert Total().add(0.12345678).figure(Aggregate.SUM) == 0.123457
    assert Total().add(1).figure(Aggregate.NONE) is None


def test_floats_are_rounded_past_their_noise() -> None:
    assert Total().add(0.1).add(0.2).figure(Aggregate.SUM) == 0.3


LISTS = Table(
    "设备",
    (
        Field("设备.名称", "名称", FieldType.TEXT),
        number("设备.数量", aggregate=Aggregate.SUM),
        number("设备.年限", aggregate=Aggregate.MEAN),
        number("设备.单价", FieldType.DECIMAL, aggregate=Aggregate.MAX),
        Field("设备.在用", "在用", FieldType.YES_NO, aggregate=Aggregate.COUNT_YES),
    ),
    3,
)


def test_a_tables_column_is_totalled_over_every_row_of_every_unit() -> None:
    form = form_of(number("学生", aggregate=Aggregate.SUM), tables=(LISTS,))
    units = (
        # Sorted, with a blank row in the middle and a row for which a copy has no room.
        {
            "学生": 480,
            "设备.1.名称": "平板", "设备.1.数量": 12, "设备.1.年限": 3, "设备.1.单价": 0.2, "设备.1.在用": True,
            "设备.3.名称": "笔记本", "设备.3.数量": 30, "设备.3.年限": None, "设备.3.在用": False,
            "设备.4.名称": "大屏", "设备.4.数量": 6, "设备.4.年限": 6, "设备.4.单价": 1.5, "设备.4.在用": True,
        },
        {"学生": 20, "设备.1.名称": "大屏", "设备.1.数量": 2, "设备.1.年限": 6, "设备.1.在用": True},
        {"学生": 10},
    )  # fmt: skip
    totals = total(form, units)
    fields = totalled_fields(form)
    assert [field.name for field in fields] == ["学生", "设备.数量", "设备.年限", "设备.单价", "设备.在用"]
    figures = {field.name: totals[field.name].figure(field.aggregate) for field in fields}
    # The mean is one of rows and not of units: (3 + 6 + 6) / 3.
    assert figures == {"学生": 510, "设备.数量": 50, "设备.年限": 5, "设备.单价": 1.5, "设备.在用": 3}
    assert totals.keys() == {field.name for field in fields}
    parts = [total(form, units[:1]), total(form, units[1:])]
    assert merge_totals(parts) == totals


ROW = st.fixed_dictionaries(
    {},
    optional={
        "学生": st.integers(0, 10**6),
        "面积": st.floats(0, 1e6),
        "最大": st.integers(-100, 100),
        "最小": st.integers(-100, 100),
        "上网": st.booleans(),
    },
)


@given(st.lists(st.lists(ROW, max_size=6), max_size=6))
def test_totals_of_the_parts_merge_into_the_totals_of_all(
    parts: list[list[dict[str, int | float | bool]]],
) -> None:
    whole = total(FORM, [row for part in parts for row in part])
    merged = merge_totals([total(FORM, []), *(total(FORM, part) for part in parts)])
    assert merged.keys() == whole.keys()
    for field in totalled_fields(FORM):
        one, other = merged[field.name], whole[field.name]
        assert replace(one, sum=0) == replace(other, sum=0)
        assert math.isclose(one.sum, other.sum, rel_tol=1e-12, abs_tol=1e-9)


@given(st.lists(st.integers() | st.booleans()), st.lists(st.integers() | st.booleans()))
def test_merging_does_not_care_about_the_order(left: list[int], right: list[int]) -> None:
    one, other = Total(), Total()
    for value in left:
        one = one.add(value)
    for value in right:
        other = other.add(value)
    assert one.merge(other) == other.merge(one)
    assert one.merge(Total()) == one
