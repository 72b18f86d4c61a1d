"""A consolidated workbook goes out, a reviewer works in it as people do, and the decisions come back."""

from __future__ import annotations

import datetime as dt
import io
import struct
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import openpyxl
import pytest

from workflow.adapters.workbook.consolidate import short_title, write_book
from workflow.adapters.workbook.read import read_file
from workflow.domain.campaign import Window, midnight
from workflow.domain.consultation import Talk
from workflow.domain.form import Aggregate, Field, FieldType, Form, Rule, Severity, Slot
from workflow.domain.lifecycle import Package, PackageState
from workflow.domain.merge import (
    BookRow,
    BookSheet,
    ChildRow,
    ConsolidatedBook,
    Cover,
    MissingRow,
    Origin,
    TotalRow,
    TotalSheet,
    total,
)
from workflow.domain.roster import Level, Unit, UnitKind
from workflow.domain.submission import Decision, ReadOutcome, ReviewReading
from workflow.domain.tallies import RuleTally, TallySheet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from openpyxl.workbook import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

    from tests.servers.office import Office
    from workflow.domain.form import Value

CITY = Unit("410100", "郑州市教育局", UnitKind.CITY, "410000")
COUNTY = Unit("410102", "郑州市中原区教育局", UnitKind.COUNTY, "410100")
TOKEN = "HZ-ABCDEFGHIJKLMNOPQ"
FORM = Form(
    "school",
    "教育信息化季报表（中小学）",
    1,
    ("中小学",),
    "豫1表",
    "河南省教育厅",
    (
        Field("名称", "学校名称", FieldType.TEXT),
        Field("人数", "在校生数", FieldType.INTEGER, unit="人", aggregate=Aggregate.SUM),
        Field("比例", "多媒体教室占比", FieldType.PERCENT, aggregate=Aggregate.MEAN),
        Field("日期", "建成日期", FieldType.DATE),
        Field("联网", "是否联网", FieldType.YES_NO, aggregate=Aggregate.COUNT_YES),
        Field("无变化", "本季度数据无变化", FieldType.YES_NO),
        Field("填表人", "填表人", FieldType.TEXT),
    ),
    (),
    (Slot("名称", "基本情况", 5, 3), Slot("人数", "基本情况", 6, 3), Slot("比例", "三通", 4, 3)),
)
DANGEROUS = [
    '=HYPERLINK("http://example.org","点我")',
    "+cmd|' /C calc'!A0",
    "-1+1",
    "@SUM(A1)",
    "http://example.org/",
    "mailto:a@b.test",
    "{=1+1}",
    "\x01\x0b控制符",
    "_x0041_",
    "很长" * 20_000,
    "\ud800半个",
]


def row(number: int, origin: Origin, text: str = "示例小学", *, decidable: bool = True) -> BookRow:
    answers: dict[str, Value] = {
        "名称": text,
        "人数": 100 + number,
        "比例": 0.5,
        "日期": dt.date(2020, 9, 1),
        "联网": number % 2 == 0,
        "填表人": "张示例",
    }
    missing = origin is Origin.MISSING
    return BookRow(
        Unit(f"410102{number:04d}", f"第{number}示例小学", UnitKind.SCHOOL, "410102"),
        "郑州市中原区教育局",
        "已报送待审核",
        origin,
        0 if missing else number,
        None if missing else midnight(dt.date(2026, 12, 30)),
        {} if missing else answers,
        decidable,
        "" if decidable else "尚未报送",
        "说明：新建校区" if number == 2 else "",
    )


ROWS = (
    row(1, Origin.NOT_REVIEWED),
    row(2, Origin.WITH_ERRORS),
    row(3, Origin.MISSING, decidable=False),
    row(4, Origin.NO_CHANGE),
    row(5, Origin.NOT_REVIEWED),
)


def book(rows: tuple[BookRow, ...] = ROWS, *, reportable: bool = True) -> ConsolidatedBook:
    counts = {origin: sum(one.origin is origin for one in rows) for origin in Origin}
    window = Window(midnight(dt.date(2027, 1, 6)), midnight(dt.date(2027, 1, 11)))
    made = midnight(dt.date(2027, 1, 6))
    cover = Cover(
        CITY,
        "2026Q4",
        "2026年第四季度",
        2,
        TOKEN,
        made,
        made,
        window,
        "未上报",
        counts,
        len(rows),
        reportable,
    )
    reported = Package(
        "2026Q4", "410102", Level.COUNTY, PackageState.REPORTED, auto=True, version=1, reported_at=made
    )
    children = (ChildRow(COUNTY, reported, counts, decidable=True),)
    figures = total(FORM, [one.answers for one in rows])
    totals = (TotalRow(CITY, 0, 5, 4, figures), TotalRow(COUNTY, 1, 5, 4, figures))
    missing = (
        MissingRow(ROWS[2].unit, "郑州市中原区教育局", FORM.title, "缺报", "李示例", "0371-55550001", 2),
    )
    return ConsolidatedBook(cover, children, (BookSheet(FORM, rows),), (TotalSheet(FORM, totals),), missing)


def written(what: ConsolidatedBook) -> bytes:
    target = io.BytesIO()
    write_book(what, target)
    return target.getvalue()


def opened(data: bytes) -> Workbook:
    return openpyxl.load_workbook(io.BytesIO(data))


def saved(workbook: Workbook) -> bytes:
    target = io.BytesIO()
    workbook.save(target)
    return target.getvalue()


def headings(sheet: Worksheet, at: int) -> dict[str, int]:
    return {str(cell.value): cell.column for cell in sheet[at] if cell.value is not None}


def decide(data: bytes) -> bytes:
    """What a reviewer does: two decisions on schools, one on a county, and the report."""
    workbook = opened(data)
    sheet = workbook["中小学"]
    columns = headings(sheet, 4)
    sheet.cell(5, columns["审核结论"], "通过")
    sheet.cell(6, columns["审核结论"], " 退回 ")
    sheet.cell(6, columns["审核意见"], "在校生数与上期相差过大，请核实\n")
    sheet.cell(8, columns["审核意见"], "只写了意见")
    children = workbook["下级上报"]
    columns = headings(children, 2)
    children.cell(3, columns["审核结论"], "退回")
    children.cell(3, columns["沟通对象"], "李示例")
    children.cell(3, columns["沟通时间"], 46395.4375)  # 2027-01-08 10:30
    children.cell(3, columns["限期"], dt.date(2027, 1, 10))
    cover = workbook["封面"]
    [label] = [cell for line in cover.iter_rows() for cell in line if cell.value == "上报意见"]
    cover.cell(label.row, label.column + 1, "同意上报")
    return saved(workbook)


DECISIONS = (
    Decision(
        "下级上报",
        3,
        "410102",
        "",
        1,
        "退回",
        "",
        talk=Talk("李示例", "2027-01-08 10:30:00", "", "2027-01-10"),
    ),
    Decision("中小学", 5, "4101020001", "school", 1, "通过", ""),
    Decision("中小学", 6, "4101020002", "school", 2, "退回", "在校生数与上期相差过大，请核实"),
    Decision("中小学", 8, "4101020004", "school", 4, "", "只写了意见"),
)


def review_of(data: bytes) -> ReviewReading:
    reading = read_file(data, "汇总表.xlsx", {})
    assert reading.outcome is ReadOutcome.REVIEW
    assert reading.review is not None
    return reading.review


def test_the_sheets_stand_in_the_order_in_which_they_are_read() -> None:
    workbook = opened(written(book()))
    assert workbook.sheetnames == ["封面", "下级上报", "中小学", "汇总·中小学", "缺报与逾期", "_huizhi"]
    assert workbook["_huizhi"].sheet_state == "veryHidden"
    words = {cell.value for line in workbook["封面"].iter_rows() for cell in line}
    assert {"2026年第四季度教育信息化数据汇总表（郑州市）", "2027年1月5日24:00", "（第2版）", TOKEN} <= words


def test_an_untouched_book_carries_no_decisions() -> None:
    assert review_of(written(book())) == ReviewReading("2026Q4", "410100", 2, TOKEN, ())


def test_decisions_come_back_row_by_row() -> None:
    review = review_of(decide(written(book())))
    assert review == ReviewReading("2026Q4", "410100", 2, TOKEN, DECISIONS, "同意上报")


def test_the_packages_below_are_printed_on_two_pages_across_with_a_title_on_each() -> None:
    """What was reported, and what is decided on it: on one page the words were too small to read."""
    sheet = opened(written(book()))["下级上报"]
    verdict = headings(sheet, 2)["审核结论"]
    assert [at.id for at in sheet.col_breaks.brk] == [verdict - 1]
    assert sheet.print_title_cols == "$A:$C"
    assert sheet.page_setup.scale >= 60
    titles = {cell.column: str(cell.value) for cell in sheet[1] if cell.value}
    assert titles == {
        4: "2026年第四季度下级单位上报情况（郑州市）", verdict: "下级单位上报数据的审核与沟通确认",
    }  # fmt: skip


def test_the_report_cell_is_there_only_where_the_level_reports() -> None:
    words = {
        cell.value for line in opened(written(book(reportable=False)))["封面"].iter_rows() for cell in line
    }
    assert "上报意见" not in words


def test_sorting_deleting_and_moving_columns_keep_each_decision_with_its_row() -> None:
    workbook = opened(decide(written(book())))
    sheet = workbook["中小学"]
    lines = [[cell.value for cell in line] for line in sheet.iter_rows(min_row=5, max_row=9)]
    lines.sort(key=lambda line: str(line[2]), reverse=True)
    del lines[0]
    for at in range(5):
        for column in range(1, sheet.max_column + 1):
            sheet.cell(5 + at, column).value = lines[at][column - 1] if at < len(lines) else None
    sheet.delete_cols(4, 2)
    decisions = [one for one in review_of(saved(workbook)).decisions if one.form]
    expected = [(one.unit, one.form, one.version_no, one.verdict, one.note) for one in DECISIONS[:0:-1]]
    assert [(one.unit, one.form, one.version_no, one.verdict, one.note) for one in decisions] == expected
    assert [one.row for one in decisions] == [5, 7, 8]


def test_a_renamed_sheet_without_the_hidden_marks_still_gives_its_form() -> None:
    workbook = opened(decide(written(book())))
    workbook["中小学"].title = "我的审核"
    del workbook["_huizhi"]
    review = review_of(saved(workbook))
    assert (review.campaign, review.level_unit, review.book_version) == ("2026Q4", "410100", 2)
    assert [one.form for one in review.decisions] == ["", "school", "school", "school"]


def test_the_printed_token_alone_still_tells_a_review() -> None:
    workbook = opened(decide(written(book())))
    del workbook["_huizhi"]
    for name in list(workbook.custom_doc_props.names):
        del workbook.custom_doc_props[name]
    review = review_of(saved(workbook))
    assert (review.campaign, review.level_unit, review.token) == ("", "", TOKEN)
    assert len(review.decisions) == len(DECISIONS)


def test_the_dropdown_stands_on_the_decidable_rows_only() -> None:
    sheet = opened(written(book()))["中小学"]
    column = sheet.cell(5, headings(sheet, 4)["审核结论"]).column_letter
    [validation] = sheet.data_validations.dataValidation
    assert validation.formula1 == '"通过,退回"'
    assert {str(part) for part in validation.sqref.ranges} == {f"{column}5:{column}6", f"{column}8:{column}9"}


@pytest.mark.parametrize("text", DANGEROUS)
def test_nothing_that_a_unit_typed_becomes_a_formula_or_a_link(text: str) -> None:
    data = written(book((row(1, Origin.NOT_REVIEWED, text),)))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            if name.startswith("xl/worksheets/"):
                xml = archive.read(name)
                assert b"<f>" not in xml
                assert b"<f " not in xml
                assert b"hyperlink" not in xml
    cell = next(line[13] for line in opened(data)["中小学"].iter_rows(min_row=5, max_row=5))
    assert cell.data_type == "s"
    if text.isprintable() and len(text) < 100 and "_x" not in text:
        assert cell.value == text


def test_answers_keep_their_types_and_formats() -> None:
    sheet = opened(written(book()))["中小学"]
    cells = list(sheet[6])[13:]
    assert [cell.value for cell in cells] == ["示例小学", 102, 0.5, dt.datetime(2020, 9, 1), "是", "张示例"]  # noqa: DTZ001
    assert [cell.number_format for cell in cells[1:4]] == ["#,##0", "0.0%", "yyyy-mm-dd"]
    assert sheet.freeze_panes == "D5"
    assert sheet.auto_filter.ref == "A4:S9"


def test_totals_follow_the_rules_and_the_tree() -> None:
    sheet = opened(written(book()))["汇总·中小学"]
    assert [cell.value for cell in sheet[6]][:9] == [
        "郑州市教育局",
        "410100",
        "省辖市",
        5,
        4,
        0.8,
        412,
        0.5,
        2,
    ]
    assert [sheet.row_dimensions[at].outlineLevel for at in (6, 7)] == [0, 1]


def test_each_rule_is_told_with_the_units_that_do_not_keep_it() -> None:
    rules = (
        Rule("J01", Severity.ERROR, "人数>0", "在校生数应大于0"),
        Rule("J02", Severity.QUERY, "=比例<=1", "比例一般不超过100%，请核实"),
    )
    counted = (RuleTally(rules[0], 1200, 30, 0), RuleTally(rules[1], 0, 0, 0))
    what = replace(book(), tallies=(TallySheet(replace(FORM, rules=rules), 1300, counted),))
    sheet = opened(written(what))["校验情况"]
    assert sheet["A1"].value == "2026年第四季度数据校验情况（郑州市）"
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2, max_row=4)]
    assert rows == [
        [
            "序号",
            "表单",
            "编号",
            "类别",
            "校验内容",
            "公式",
            "适用单位数",
            "不符合单位数",
            "不符合比例",
            "其中已说明",
        ],
        [1, FORM.title, "J01", "逻辑校验", "在校生数应大于0", "=人数>0", 1200, 30, 0.025, 0],
        [2, FORM.title, "J02", "经验校验", "比例一般不超过100%，请核实", "=比例<=1", 0, 0, "—", 0],
    ]
    assert (sheet["F3"].data_type, sheet.freeze_panes, sheet.auto_filter.ref) == ("s", "D3", "A2:J4")
    assert review_of(written(what)) == review_of(written(book()))


def test_the_short_title_is_what_the_brackets_hold() -> None:
    assert short_title(FORM) == "中小学"


@pytest.mark.parametrize("kind", ["xlsx", "xls", "ods"])
def test_decisions_survive_another_office_program(kind: str, soffice: Office, tmp_path: Path) -> None:
    source = tmp_path / "book.xlsx"
    source.write_bytes(decide(written(book())))
    again = soffice(source, kind, tmp_path / "saved").read_bytes()
    assert review_of(again) == ReviewReading("2026Q4", "410100", 2, TOKEN, DECISIONS, "同意上报")


def test_it_prints_on_landscape_pages(
    soffice: Office, pictures: Callable[..., list[Path]], tmp_path: Path
) -> None:
    source = tmp_path / "book.xlsx"
    source.write_bytes(written(book()))
    pages = pictures(soffice(source, "pdf", tmp_path / "printed"))
    # Cover, level below, units with their decisions, indicators, totals, who is missing.
    assert 6 <= len(pages) <= 8
    for page in pages:
        width, height = struct.unpack(">II", page.read_bytes()[16:24])
        assert width > height
