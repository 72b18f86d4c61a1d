"""Formulas over the columns of repeating tables."""

from __future__ import annotations

import pytest

from workflow.domain.columns import Answers, misplaced
from workflow.domain.excel import NO_PREVIOUS
from workflow.domain.rules import evaluate, holds, parse, to_excel

#: A blank row in the middle, a row without its count, a text where a number should be.
ROWS: Answers = {
    "设备": (
        {"名称": "笔记本", "数量": 3},
        {},
        {"名称": "平板", "数量": None},
        {"名称": "台式机", "数量": 12},
        {"名称": "其他", "数量": "若干"},
    ),
    "终端总数": 15,
}


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("SUM(设备.数量)", 15.0),
        ("SUM(设备.数量,终端总数,1)", 31.0),
        ("AVERAGE(设备.数量)", 7.5),
        ("MAX(设备.数量)", 12.0),
        ("MIN(设备.数量)", 3.0),
        ("COUNT(设备.数量)", 2.0),
        ("COUNTA(设备.名称)", 4.0),
        ("COUNTA(设备.没有)", 0.0),
        ("SUM(没有.数量)", 0.0),
    ],
)
def test_a_column_stands_for_its_cells_as_a_range_does(formula: str, value: float) -> None:
    assert evaluate(parse(formula), ROWS) == value


def test_a_rule_over_a_column_holds_whatever_the_order_of_the_rows() -> None:
    rule = parse("=SUM(设备.数量)=终端总数")
    rows = ROWS["设备"]
    assert isinstance(rows, tuple)
    assert holds(rule, ROWS) is True
    assert holds(rule, {**ROWS, "设备": rows[::-1]}) is True
    assert holds(rule, {**ROWS, "设备": rows[1:]}) is False


def test_a_column_of_last_quarter_says_nothing_where_there_was_none() -> None:
    rule = parse("=SUM(设备.数量)>=SUM(上期(设备.数量))")
    assert holds(rule, ROWS, None) is None
    assert evaluate(parse("SUM(上期(设备.数量))"), ROWS, {"设备": ({},)}) is NO_PREVIOUS
    assert holds(rule, ROWS, {"设备": ({"数量": 20},)}) is False


def test_a_column_where_one_value_is_wanted_is_named() -> None:
    assert list(misplaced(parse("=AND(SUM(设备.数量)>3,设备.数量>3,ABS(上期(设备.数量))>1)"))) == [
        "设备.数量",
        "设备.数量",
    ]
    assert list(misplaced(parse("=COUNTA(设备.名称)=COUNT(设备.数量)"))) == []


def test_for_excel_a_column_is_the_range_of_its_cells() -> None:
    written = to_excel(
        parse("=SUM(设备.数量)=终端总数"), {"设备.数量": "表!$C$5:$C$14", "终端总数": "表!$C$20"}.__getitem__
    )
    assert written == "SUM(表!$C$5:$C$14)=表!$C$20"
