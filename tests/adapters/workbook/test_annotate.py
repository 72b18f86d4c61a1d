"""Returns annotated: everything that was filled in is kept, and every finding is seen, explained and listed."""

from __future__ import annotations

import datetime as dt
import zipfile
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
from openpyxl.comments import Comment

from tests.adapters.workbook.forms import (
    IDENTITY,
    PAGE,
    PRINTED,
    by_openpyxl,
    by_xlsxwriter,
    load,
    parts,
)
from workflow.adapters.workbook.annotate import annotate
from workflow.adapters.workbook.compile import compile_form
from workflow.adapters.workbook.problems import ReturnSummary, due_words
from workflow.adapters.workbook.read import read_file
from workflow.domain.campaign import SHANGHAI, midnight
from workflow.domain.form import Severity
from workflow.domain.submission import CellError, Finding, RawValue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.servers.office import Office

SUMMARY = ReturnSummary("示例县第一小学", "2026年第四季度", midnight(dt.date(2027, 1, 4)), "请核对带宽。", 2)
FILLED: Mapping[str, RawValue | CellError] = {
    "学校名称": "=不是公式",
    "在校生数": "约1000人",
    "教师数": CellError("#DIV/0!"),
    "带宽": dt.datetime(2026, 5, 1, 12, 30),  # noqa: DTZ001 — a cell has no zone
    "比例": True,
    "接入方式": dt.date(2026, 5, 1),
    "建网日期": 45000,
    "邮箱": dt.time(8, 15),
    "无变化": "否",
    "联系电话": 37155550123,
}
FINDINGS = (
    Finding("rule", Severity.QUERY, "带宽", "带宽", "基本情况!B8", "带宽=8", "带宽比上期减少，请核对。"),
    Finding(
        "not-a-number",
        Severity.ERROR,
        "在校生数",
        "在校生数",
        "基本情况!B6",
        "约1000人",
        "请填写数字，不要带文字",
    ),
    Finding(
        "constraint",
        Severity.QUERY,
        "在校生数",
        "在校生数",
        "基本情况!B6",
        "约1000人",
        "与上期相差较大，请核对",
    ),
    Finding("rule", Severity.ERROR, "", "教师数、在校生数", "", "教师数=9", "教师数不应大于在校生数。"),
    Finding("required", Severity.ERROR, "填表人", "填表人", "基本情况!B15", "", "此项为必填项，请填写"),
)


def returned(data: bytes, filled: Mapping[str, RawValue | CellError] = FILLED) -> bytes:
    return annotate(compile_form(data, "school"), IDENTITY, PRINTED, filled, FINDINGS, SUMMARY)


@pytest.mark.parametrize("author", [by_openpyxl, by_xlsxwriter])
def test_what_was_filled_in_is_kept_as_it_was_typed(author: Callable[[], bytes]) -> None:
    compiled = compile_form(author(), "school")
    back = annotate(compiled, IDENTITY, PRINTED, FILLED, FINDINGS, SUMMARY)
    reading = read_file(back, "x.xlsx", {("school", 2): compiled.form})
    assert reading.identity == IDENTITY
    assert reading.answers == FILLED
    assert {name: type(value) for name, value in reading.answers.items()} == {
        name: type(value) for name, value in FILLED.items()
    }


def test_a_formula_that_had_no_value_leaves_its_cell_blank_and_a_new_error_stays_legible() -> None:
    page = load(returned(by_openpyxl(), {"在校生数": CellError("#无值"), "教师数": CellError("#SPILL!")}))[
        "基本情况"
    ]
    assert page["B6"].value is None
    assert (page["B7"].value, page["B7"].data_type) == ("#SPILL!", "s")


def test_wrong_cells_are_red_queried_cells_amber_and_the_others_as_they_were() -> None:
    page = load(returned(by_openpyxl()))["基本情况"]
    colours = {ref: page[ref].fill.fgColor.rgb for ref in ("B6", "B15", "B8")}
    assert colours == {"B6": "FFFFC7CE", "B15": "FFFFC7CE", "B8": "FFFFDD80"}
    assert page["B5"].fill.fill_type is None
    assert not any(page[ref].protection.locked for ref in ("B6", "B8", "B15"))


def test_each_finding_in_a_cell_has_a_comment_with_reason_and_remedy() -> None:
    page = load(returned(by_openpyxl()))["基本情况"]
    comments = {cell.coordinate: cell.comment for row in page for cell in row if cell.comment}
    assert set(comments) == {"B6", "B8", "B15"}
    assert comments["B6"].text == (
        "逻辑校验（必须改正）\n请填写数字，不要带文字\n填报内容：约1000人\n"
        "经验校验（改正，或核实后说明原因）\n与上期相差较大，请核对\n填报内容：约1000人"
    )
    assert comments["B6"].author == "回执系统"
    assert "填报内容：（空白）" in comments["B15"].text


def test_the_list_of_problems_opens_the_workbook_and_leads_to_each_cell() -> None:
    book = load(returned(by_openpyxl()))
    assert book.sheetnames == ["问题清单", "基本情况", "自查", "_自查", "_huizhi"]
    assert book.active.title == "问题清单"
    assert not book["基本情况"].sheet_view.tabSelected
    sheet = book["问题清单"]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    text = "\n".join(str(value) for row in rows for value in row if value)
    assert "单位：示例县第一小学" in text
    assert "填报期：2026年第四季度" in text
    assert "第 2 次退回" in text
    assert "限于2027年1月3日24时前" in text
    assert "审核意见：请核对带宽。" in text
    assert "逻辑校验问题 3 项" in text
    assert "经验校验问题 2 项" in text
    start = next(row for row, values in enumerate(rows, start=1) if values[0] == "序号")
    assert rows[start - 1] == ["序号", "位置", "指标名称", "填报内容", "类别", "处理要求"]
    assert [row[1] for row in rows[start:]] == [
        *("基本情况!B6", "基本情况!B15", "—", "基本情况!B6", "基本情况!B8"),
    ]
    assert rows[start] == ["1", "基本情况!B6", "在校生数", "约1000人", "逻辑校验", "请填写数字，不要带文字"]
    assert rows[start + 2][2] == "教师数、在校生数"
    links = {cell.coordinate: cell.hyperlink.location for row in sheet for cell in row if cell.hyperlink}
    assert links[f"B{start + 1}"] == "'基本情况'!B6"
    assert len(links) == 4
    assert sheet.page_setup.orientation == "landscape"
    assert sheet.print_title_rows == f"${start}:${start}"
    assert sheet.protection.sheet


def test_a_return_for_the_reviewers_opinion_alone_says_so() -> None:
    back = annotate(compile_form(by_openpyxl(), "school"), IDENTITY, PRINTED, {}, (), SUMMARY)
    book = load(back)
    text = "\n".join(str(cell.value) for row in book["问题清单"] for cell in row if cell.value)
    assert "请按审核意见修改" in text
    assert not any("comments" in name for name in parts(back))


def test_a_due_date_is_said_as_an_office_says_it() -> None:
    assert due_words(midnight(dt.date(2027, 1, 1))) == "2026年12月31日24时"
    assert due_words(dt.datetime(2027, 1, 3, 17, 30, tzinfo=SHANGHAI)) == "2027年1月3日17时30分"
    assert due_words(dt.datetime(2027, 1, 3, 1, 0, tzinfo=dt.UTC)) == "2027年1月3日9时"


def test_comments_that_staff_made_stay_beside_ours() -> None:
    def change(book: openpyxl.Workbook) -> None:
        book["基本情况"]["A6"].comment = Comment("学籍系统中的人数", "基础教育处")
        book["基本情况"]["B6"].comment = Comment("按学籍填", "基础教育处")

    page = load(returned(by_openpyxl(change=change)))["基本情况"]
    assert page["A6"].comment.text == "学籍系统中的人数"
    assert page["A6"].comment.author == "基础教育处"
    assert page["B6"].comment.text.startswith("逻辑校验")
    assert page["B8"].comment.author == "回执系统"


def test_sheet_names_of_the_form_keep_their_print_set_up_behind_the_new_sheet() -> None:
    def change(book: openpyxl.Workbook) -> None:
        book["基本情况"].print_area = "A1:B20"

    book = load(returned(by_openpyxl({"说明": {"A1": "填表说明"}, "基本情况": PAGE}, change=change)))
    assert book["基本情况"].print_area == "'基本情况'!$A$1:$B$20"
    assert not book["说明"].sheet_view.tabSelected
    assert book.active.title == "问题清单"


def test_a_return_that_is_sent_back_filled_again_is_still_recognised(soffice: Office, tmp_path: Path) -> None:
    compiled = compile_form(by_openpyxl(), "school")
    book = load(annotate(compiled, IDENTITY, PRINTED, FILLED, FINDINGS, SUMMARY))
    book["基本情况"]["B6"].value = 1000
    path = tmp_path / "back.xlsx"
    book.save(path)
    saved = soffice(path, "xlsx", tmp_path / "saved")
    for again in (path, saved):
        reading = read_file(again.read_bytes(), again.name, {("school", 2): compiled.form})
        assert reading.identity == IDENTITY
        assert reading.answers["在校生数"] == 1000
        assert reading.answers["学校名称"] == "=不是公式"


def test_libreoffice_shows_comments_links_and_colours(soffice: Office, tmp_path: Path) -> None:
    path = tmp_path / "returned.xlsx"
    path.write_bytes(returned(by_xlsxwriter()))
    saved = soffice(path, "ods", tmp_path)
    with zipfile.ZipFile(saved) as archive:
        content = archive.read("content.xml").decode()
    assert content.count("<office:annotation ") == 3
    assert 'office:display="true"' not in content
    assert "请填写数字，不要带文字" in content
    assert "#&apos;基本情况&apos;.B6" in content or "#基本情况.B6" in content
    book = openpyxl.load_workbook(soffice(path, "xlsx", tmp_path / "again"))
    assert book["基本情况"]["B6"].fill.fgColor.rgb == "FFFFC7CE"
    assert len(book["基本情况"].data_validations.dataValidation) == 13


def test_pictures_and_shapes_of_the_form_are_still_there() -> None:
    def change(_book: Any, page: Any) -> None:
        page.insert_textbox("D5", "填表前请阅读说明", {"width": 160, "height": 60})

    source = by_xlsxwriter(change)
    back = parts(returned(source))
    assert back["xl/drawings/drawing1.xml"] == parts(source)["xl/drawings/drawing1.xml"]
    page = back["xl/worksheets/sheet1.xml"]
    assert page.index(b"<drawing ") < page.index(b"<legacyDrawing ")
