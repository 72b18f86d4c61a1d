"""The rows of repeating tables in a consolidated workbook: a sheet of their own, beside the review and never in its way."""

from __future__ import annotations

import io
import struct
from dataclasses import replace
from typing import TYPE_CHECKING

import openpyxl
import pytest
import xlsxwriter
from openpyxl.comments import Comment

from tests.adapters.workbook.test_consolidate import (
    CITY,
    DECISIONS,
    FORM,
    ROWS,
    book,
    decide,
    headings,
    opened,
    review_of,
    saved,
    written,
)
from tests.domain.offices import cells_of
from workflow.adapters.workbook.book_style import Styles
from workflow.adapters.workbook.book_tables import write_table
from workflow.domain.form import Aggregate, Field, FieldType, Slot, Table, cell_name
from workflow.domain.merge import BookSheet, ConsolidatedBook, TotalRow, TotalSheet, total

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from openpyxl.worksheet.worksheet import Worksheet

    from tests.servers.office import Office
    from workflow.domain.form import Value

DEVICES = Table(
    "设备",
    (
        Field("设备.名称", "设备名称", FieldType.TEXT),
        Field("设备.数量", "数量", FieldType.INTEGER, unit="台", aggregate=Aggregate.SUM),
        Field("设备.单价", "单价", FieldType.DECIMAL, unit="万元", aggregate=Aggregate.MEAN),
        Field("设备.购置", "购置日期", FieldType.DATE),
        Field("设备.在用", "是否在用", FieldType.YES_NO, aggregate=Aggregate.COUNT_YES),
    ),
    4,
)
CELLS = tuple(cells_of(DEVICES))
LISTING = replace(
    FORM,
    fields=(*FORM.fields, *CELLS),
    slots=(
        *FORM.slots,
        *(Slot(cell.name, "设备明细", 4 + cell.row, 2 + at % 5) for at, cell in enumerate(CELLS)),
    ),
    tables=(DEVICES,),
)
FIRST, FIFTH = ROWS[0].unit.code, ROWS[4].unit.code


def listed(*rows: tuple[Value, ...]) -> dict[str, Value]:
    return {
        cell_name(column.name, at): value
        for at, row in enumerate(rows, start=1)
        for column, value in zip(DEVICES.columns, row, strict=True)
    }


#: By unit; the third has reported nothing, the second and the fourth have no devices.
LISTS = {
    0: listed(("笔记本", 30, 0.45, None, True), ("平板", 12, 0.2, None, True), ("大屏", 6, 1.5, None, False)),
    4: listed(("电子班牌，安装于一号教学楼各教室门外及走廊", 18, 0.15, None, True)),
}


def listing(*, changed: frozenset[str] = frozenset()) -> ConsolidatedBook:
    rows = tuple(
        replace(
            one, answers={**one.answers, **LISTS.get(at, {})}, changed=changed if at == 0 else frozenset()
        )
        for at, one in enumerate(ROWS)
    )
    figures = TotalRow(CITY, 0, 5, 4, total(LISTING, [one.answers for one in rows]))
    return replace(book(), sheets=(BookSheet(LISTING, rows),), totals=(TotalSheet(LISTING, (figures,)),))


def lines(sheet: Worksheet) -> list[tuple[object, ...]]:
    return list(sheet.iter_rows(min_row=4, values_only=True))


def test_a_table_has_a_sheet_with_a_line_for_each_unit_and_row() -> None:
    workbook = opened(written(listing()))
    assert workbook.sheetnames[:5] == ["封面", "下级上报", "中小学", "中小学-设备", "汇总·中小学"]
    sheet = workbook["中小学-设备"]
    assert [cell.value for cell in sheet[3]] == [
        "单位代码", "单位名称", "所属", "行次", "设备名称", "数量\n（台）", "单价\n（万元）", "购置日期", "是否在用",
    ]  # fmt: skip
    county = "郑州市中原区教育局"
    assert lines(sheet) == [
        (FIRST, "第1示例小学", county, 1, "笔记本", 30, 0.45, None, "是"),
        (FIRST, "第1示例小学", county, 2, "平板", 12, 0.2, None, "是"),
        (FIRST, "第1示例小学", county, 3, "大屏", 6, 1.5, None, "否"),
        (FIFTH, "第5示例小学", county, 1, "电子班牌，安装于一号教学楼各教室门外及走廊", 18, 0.15, None, "是"),
    ]
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("C4", "A3:I7")
    assert [sheet.cell(4, column).number_format for column in (6, 7, 8)] == [
        "#,##0",
        "#,##0.00",
        "yyyy-mm-dd",
    ]


def test_the_main_sheet_shows_no_cells_of_tables() -> None:
    plain, with_table = opened(written(book()))["中小学"], opened(written(listing()))["中小学"]
    assert [cell.value for cell in with_table[4]] == [cell.value for cell in plain[4]]


def test_columns_are_totalled_beside_the_forms_own_figures() -> None:
    sheet = opened(written(listing()))["汇总·中小学"]
    assert [cell.value for cell in sheet[4]][-3:] == [
        "设备 数量\n（台）",
        "设备 单价\n（万元）",
        "设备 是否在用",
    ]
    assert [cell.value for cell in sheet[5]][-3:] == ["各行合计", "各行平均", "各行计是"]
    assert [cell.value for cell in sheet[6]][-3:] == [66, 0.575, 3]
    assert [cell.number_format for cell in sheet[6]][-3:] == ["#,##0", "#,##0.00", "#,##0"]
    assert "设备明细" in [cell.value for cell in sheet[3]]


def test_a_cell_that_differs_from_the_last_approval_is_marked() -> None:
    sheet = opened(written(listing(changed=frozenset({"设备.2.数量"}))))["中小学-设备"]
    marked = {
        cell.coordinate
        for line in sheet.iter_rows(min_row=4)
        for cell in line
        if cell.fill.fill_type == "solid"
    }
    assert marked == {"F5"}


def test_a_table_that_nobody_filled_in_says_so() -> None:
    empty = replace(listing(), sheets=(BookSheet(LISTING, ROWS),))
    assert lines(opened(written(empty))["中小学-设备"])[0][0] == "各单位均未填报本表格"


def test_rows_for_which_a_sheet_has_no_room_go_on_in_the_next() -> None:
    target = io.BytesIO()
    workbook = xlsxwriter.Workbook(target, {"constant_memory": True})
    content, taken = listing().sheets[0], ["中小学"]
    names = write_table(
        workbook, Styles(workbook), listing().cover, content, DEVICES, taken, "中小学-设备", room=5
    )
    workbook.close()
    assert names == ["中小学-设备", "中小学-设备（2）"]
    assert taken == ["中小学", *names]
    again = opened(target.getvalue())
    assert [[line[:4:3] for line in lines(again[name])] for name in names] == [
        [(FIRST, 1), (FIRST, 2)],
        [(FIRST, 3), (FIFTH, 1)],
    ]
    assert [again[name].cell(3, 6).value for name in names] == ["数量\n（台）"] * 2


def test_decisions_are_read_as_if_there_were_no_tables() -> None:
    review = review_of(decide(written(listing())))
    assert (review.decisions, review.report) == (DECISIONS, "同意上报")


@pytest.mark.parametrize("renamed", [False, True])
def test_a_comment_on_a_row_goes_with_the_units_decision_under_the_cells_name(renamed: bool) -> None:
    workbook = openpyxl.load_workbook(io.BytesIO(decide(written(listing()))))
    sheet = workbook["中小学-设备"]
    sheet.cell(5, 6).comment = Comment("王审:\n与台账不符", "王审")
    sheet.cell(6, 2).comment = Comment("王审:\n已报废", "王审")
    if renamed:
        sheet.title = "设备"
    first = next(one for one in review_of(saved(workbook)).decisions if one.unit == FIRST)
    assert (first.sheet, first.row, first.verdict) == ("中小学", 5, "通过")
    assert dict(first.remarks) == {"设备.2.数量": "与台账不符", "设备第3行单位名称": "已报废"}


def test_comments_on_the_rows_of_a_unit_without_a_verdict_are_one_row_to_be_answered() -> None:
    workbook = openpyxl.load_workbook(io.BytesIO(decide(written(listing()))))
    sheet = workbook["中小学-设备"]
    sheet.cell(7, 5).comment = Comment("王审:\n名称过长", "王审")
    sheet.cell(7, 6).comment = Comment("王审:\n数量有误", "王审")
    *decided, last = review_of(saved(workbook)).decisions
    assert tuple(decided) == DECISIONS
    assert (last.sheet, last.row, last.unit, last.form, last.verdict) == (
        "中小学-设备",
        7,
        FIFTH,
        "school",
        "",
    )
    assert dict(last.remarks) == {"设备.1.名称": "名称过长", "设备.1.数量": "数量有误"}


def test_comments_follow_their_rows_when_these_are_sorted() -> None:
    workbook = openpyxl.load_workbook(io.BytesIO(decide(written(listing()))))
    sheet = workbook["中小学-设备"]
    kept = [[cell.value for cell in line] for line in sheet.iter_rows(min_row=4, max_row=6)]
    for at, line in enumerate(reversed(kept), start=4):
        for column, value in enumerate(line, start=1):
            sheet.cell(at, column).value = value
    sheet.cell(4, headings(sheet, 3)["数量\n（台）"]).comment = Comment("王审:\n请核实", "王审")
    first = next(one for one in review_of(saved(workbook)).decisions if one.unit == FIRST)
    assert dict(first.remarks) == {"设备.3.数量": "请核实"}


@pytest.mark.parametrize("kind", ["xls", "ods"])
def test_the_sheets_and_the_comments_on_them_survive_another_office_program(
    kind: str, soffice: Office, tmp_path: Path
) -> None:
    workbook = openpyxl.load_workbook(io.BytesIO(decide(written(listing()))))
    workbook["中小学-设备"].cell(5, 6).comment = Comment("王审:\n与台账不符", "王审")
    source = tmp_path / "book.xlsx"
    source.write_bytes(saved(workbook))
    found = review_of(soffice(source, kind, tmp_path / "saved").read_bytes()).decisions
    assert [replace(one, remarks={}) for one in found] == list(DECISIONS)
    assert [dict(one.remarks) for one in found if one.unit == FIRST] == [{"设备.2.数量": "与台账不符"}]


def test_a_table_prints_on_one_landscape_page_across(
    soffice: Office, pictures: Callable[..., list[Path]], tmp_path: Path
) -> None:
    source = tmp_path / "book.xlsx"
    source.write_bytes(written(listing()))
    pages = pictures(soffice(source, "pdf", tmp_path / "printed"))
    assert 7 <= len(pages) <= 9
    for page in pages:
        width, height = struct.unpack(">II", page.read_bytes()[16:24])
        assert width > height
