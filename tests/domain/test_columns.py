"""Formulas over the columns of repeating tables."""

from __future__ import annotations

import pytest

from workflow.domain.columns import Answers, misplaced, of_row
from workflow.domain.excel import NO_PREVIOUS
from workflow.domain.rules import evaluate, holds, parse, to_excel


def table(*rows: tuple[object, object]) -> dict[str, object]:
    """The cells of a table 设备 with the columns 名称 and 数量."""
    cells: dict[str, object] = {}
    for number, (name, count) in enumerate(rows, start=1):
        cells |= {f"设备.{number}.名称": name, f"设备.{number}.数量": count}
    return cells


#: A row without its count, a text where a number should be.
ROWS: Answers = {
    **table(("笔记本", 3), ("平板", None), ("台式机", 12), ("其他", "若干")),
    "设备总数": 99,
    "终端总数": 15,
}  # type: ignore[dict-item]


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
        ("设备.3.数量*2", 24.0),
        ("SUM(设备.数量,设备.数量)", 30.0),
        ("SUM(设备.数量,上期(终端总数))", 25.0),
    ],
)
def test_a_column_stands_for_its_cells_as_a_range_does(formula: str, value: float) -> None:
    assert evaluate(parse(formula), ROWS, {"终端总数": 10}) == value


def test_a_rule_over_a_column_holds_whatever_the_order_of_the_rows() -> None:
    rule = parse("=SUM(设备.数量)=终端总数")
    assert holds(rule, ROWS) is True
    assert holds(rule, dict(reversed(ROWS.items()))) is True
    assert holds(rule, {name: value for name, value in ROWS.items() if name != "设备.1.数量"}) is False


def test_a_column_of_last_quarter_says_nothing_where_there_was_none() -> None:
    rule = parse("=SUM(设备.数量)>=SUM(上期(设备.数量))")
    assert holds(rule, ROWS, None) is None
    assert evaluate(parse("SUM(上期(设备.数量))"), ROWS, {"设备.1.名称": "笔记本"}) is NO_PREVIOUS
    assert holds(rule, ROWS, {"设备.1.数量": 20}) is False


def test_a_column_where_one_value_is_wanted_is_named() -> None:
    assert list(misplaced(parse("=AND(SUM(设备.数量)>3,设备.数量>3,ABS(上期(设备.数量))>1)"))) == [
        "设备.数量",
        "设备.数量",
    ]
    assert list(misplaced(parse("=COUNTA(设备.名称)=COUNT(设备.数量)"))) == []


def test_in_a_tables_own_formula_a_column_is_the_cell_of_the_same_row() -> None:
    expr = parse("=AND(设备.在用<=设备.数量,设备.数量<=SUM(教室.数量),设备.数量<终端总数)")
    assert list(misplaced(expr, "设备")) == []
    assert (
        of_row(expr, "设备", 3)
        == "=AND(设备.3.在用<=设备.3.数量,设备.3.数量<=SUM(教室.数量),设备.3.数量<终端总数)"
    )
    assert list(misplaced(parse("=设备.数量<=教室.数量"), "设备")) == ["教室.数量"]


def test_for_excel_a_column_is_the_range_of_its_cells() -> None:
    written = to_excel(
        parse("=SUM(设备.数量)=终端总数"), {"设备.数量": "表!$C$5:$C$14", "终端总数": "表!$C$20"}.__getitem__
    )
    assert written == "SUM(表!$C$5:$C$14)=表!$C$20"
