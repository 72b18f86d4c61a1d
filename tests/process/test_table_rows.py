"""Repeating tables after they were read: own sheets and totals at every level, and changes told by rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.domain.offices import COUNTY, POINT, PROVINCE, REMOTE, SCHOOL, form_of, number
from tests.process.calendar_office import FORMS
from tests.process.test_reconsolidate import Levels, lines
from workflow.domain.form import Aggregate, Field, FieldType, Table, cell_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from openpyxl.workbook import Workbook

DEVICES = Table(
    "设备",
    (
        Field("设备.名称", "名称", FieldType.TEXT),
        number("设备.数量", label="数量", aggregate=Aggregate.SUM),
        number("设备.年限", label="年限", aggregate=Aggregate.MEAN),
        Field("设备.在用", "在用", FieldType.YES_NO, aggregate=Aggregate.COUNT_YES),
    ),
    20,
)
FORM = form_of(number("学生", aggregate=Aggregate.SUM), tables=(DEVICES,))

LAPTOPS, TABLETS, SCREENS = ("笔记本", 30, 2, True), ("平板", 12, 3, True), ("大屏", 6, 6, False)


@pytest.fixture
def levels(tmp_path: Path) -> Iterator[Levels]:
    made = Levels(tmp_path, {**FORMS, "school": FORM})
    yield made
    made.office.close()


def listed(*rows: tuple[Any, ...]) -> dict[str, Any]:
    return {
        cell_name(column.name, at): value
        for at, row in enumerate(rows, start=1)
        for column, value in zip(DEVICES.columns, row, strict=True)
    }


def cells(book: Workbook) -> list[tuple[Any, ...]]:
    return [row[1:] for row in book["示例季报表-设备"].iter_rows(min_row=4, values_only=True)]


def in_county(book: Workbook, unit: str, heading: str) -> Any:
    sheet = book["示例季报表"]
    head = {str(cell.value): cell.column for cell in sheet[4]}
    (row,) = [at for at in range(5, sheet.max_row + 1) if sheet.cell(at, 2).value == unit]
    return sheet.cell(row, head[heading]).value


def test_every_level_lists_the_rows_of_its_units_in_the_rosters_order(levels: Levels) -> None:
    levels.submit(REMOTE, 1, 90, more=listed(SCREENS))
    levels.submit(SCHOOL, 1, 480, more=listed(LAPTOPS, TABLETS))
    levels.submit(POINT, 1, 12)
    for book in (levels.shown(levels.make()[level]) for level in (COUNTY, PROVINCE)):
        assert cells(book) == [
            ("东区第一小学", "东区教育局", 1, "笔记本", 30, 2, "是"),
            ("东区第一小学", "东区教育局", 2, "平板", 12, 3, "是"),
            ("东区山村小学", "东区教育局", 1, "大屏", 6, 6, "否"),
        ]
        totals = book["汇总·示例季报表"]
        assert [cell.value for cell in totals[4]][6:] == ["学生", "设备 数量", "设备 年限", "设备 在用"]
        assert [cell.value for cell in totals[6]][6:] == [582, 48, 3.666667, 2]


def test_a_table_that_comes_back_sorted_is_no_change(levels: Levels) -> None:
    levels.submit(SCHOOL, 1, 480, more=listed(LAPTOPS, TABLETS, SCREENS))
    levels.approve(SCHOOL, 1)
    levels.make()
    levels.submit(SCHOOL, 2, 480, more=listed(SCREENS, LAPTOPS, TABLETS))
    county = levels.shown(levels.make()[COUNTY])
    assert [line[2:] for line in lines(county)] == [
        ("报送次数", "审核通过，第1次", "已报送未审核，第2次", "更正")
    ]
    assert in_county(county, SCHOOL, "备注") == "第2次报送，较上次审核通过变化0项"


def test_few_changes_of_rows_are_listed_row_by_row(levels: Levels) -> None:
    levels.submit(SCHOOL, 1, 480, more=listed(LAPTOPS, TABLETS))
    levels.approve(SCHOOL, 1)
    levels.make()
    levels.submit(SCHOOL, 2, 481, more=listed(SCREENS, ("笔记本", 31, 2, True)))
    county = levels.shown(levels.make()[COUNTY])
    assert [line[2:] for line in lines(county)] == [
        ("学生", "480", "481", "更正"),
        ("设备 删去第2行", "平板，12，3，是", "（空）", "更正"),
        ("设备第2行数量", "30", "31", "更正"),
        ("设备 增加第1行", "（空）", "大屏，6，6，否", "更正"),
    ]
    words = "第2次报送，较上次审核通过变化2项（学生：480→481；设备：增加1行、减少1行、修改1行）"
    assert in_county(county, SCHOOL, "备注") == words
    sheet = county["示例季报表-设备"]
    marked = {c.coordinate for row in sheet.iter_rows(min_row=4) for c in row if c.fill.fill_type == "solid"}
    assert marked == {"E4", "F4", "G4", "H4", "F5"}


def test_many_changes_of_rows_are_counted_in_one_line(levels: Levels) -> None:
    many = [(f"设备{at}", at, 1, True) for at in range(1, 9)]
    levels.submit(SCHOOL, 1, 480, more=listed(*many))
    levels.make()
    levels.submit(SCHOOL, 2, 480, more=listed(*((name, count + 1, 1, True) for name, count, *_ in many)))
    assert [line[2:] for line in lines(levels.shown(levels.make()[COUNTY]))] == [
        ("设备", "共8行", "共8行：修改8行", "更正")
    ]
