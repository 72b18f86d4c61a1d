"""Copies stamped: what stands in their cells, how they are recognised, and what other programs make of them."""

from __future__ import annotations

import datetime as dt
import io
import time
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pytest
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from python_calamine import load_workbook

from tests.adapters.workbook.forms import IDENTITY, PRINTED, by_openpyxl, by_xlsxwriter, load, parts
from workflow.adapters.workbook.compile import compile_form
from workflow.adapters.workbook.read import read_file
from workflow.adapters.workbook.stamp import stamp
from workflow.domain.form import FieldType, Form, Value
from workflow.domain.submission import ReadOutcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.servers.office import Office

SHIPPED = sorted((Path(__file__).parents[3] / "templates" / "forms").glob("*.xlsx"))
ANSWERS: Mapping[str, Value] = {
    "学校名称": "=示例县“第一”小学 <一> & 二",
    "在校生数": 1080,
    "教师数": 0,
    "带宽": 12.5,
    "比例": 0.85,
    "接入方式": "光纤",
    "建网日期": dt.date(2019, 11, 1),
    "无变化": False,
    "联系电话": "0371-55550123",
}
SAMPLES: Mapping[FieldType, Value] = {
    FieldType.TEXT: "示例",
    FieldType.INTEGER: 12,
    FieldType.DECIMAL: 12.5,
    FieldType.PERCENT: 0.85,
    FieldType.DATE: dt.date(2026, 12, 28),
    FieldType.YES_NO: True,
    FieldType.PHONE: "0371-55550123",
    FieldType.EMAIL: "name@example.org",
}


def sample_answers(form: Form) -> dict[str, Value]:
    return {one.name: one.choices[0] if one.choices else SAMPLES[one.type] for one in form.fields}


def as_read(answers: Mapping[str, Value]) -> dict[str, Value]:
    """Answers as a reader finds them before they are understood: a yes or no is a word."""
    return {
        name: ("是" if value else "否") if isinstance(value, bool) else value
        for name, value in answers.items()
    }


@pytest.mark.parametrize("author", [by_openpyxl, by_xlsxwriter])
def test_each_answer_stands_in_its_cell_as_what_it_is(author: Callable[[], bytes]) -> None:
    compiled = compile_form(author(), "school")
    copy = stamp(compiled, IDENTITY, PRINTED, ANSWERS)
    page = load(copy)["基本情况"]
    values = {name: page.cell(slot.row, slot.column) for name, slot in compiled.form.slot_of.items()}
    assert values["学校名称"].value == "=示例县“第一”小学 <一> & 二"
    assert values["学校名称"].data_type == "s"
    assert [values[name].value for name in ("在校生数", "教师数", "带宽", "比例")] == [1080, 0, 12.5, 0.85]
    assert values["建网日期"].value.date() == dt.date(2019, 11, 1)
    assert [values[name].value for name in ("无变化", "接入方式", "邮箱")] == ["否", "光纤", None]
    cells = load_workbook(io.BytesIO(copy)).get_sheet_by_name("基本情况").to_python(skip_empty_area=False)
    assert [row[1] for row in cells[4:11]] == [
        *("=示例县“第一”小学 <一> & 二", 1080, 0, 12.5, 0.85, "光纤", dt.date(2019, 11, 1)),
    ]


def test_a_copy_is_recognised_and_read_again() -> None:
    compiled = compile_form(by_openpyxl(), "school")
    copy = stamp(compiled, IDENTITY, PRINTED, ANSWERS)
    reading = read_file(copy, "回复.xlsx", {("school", 2): compiled.form})
    assert (reading.outcome, reading.identity) == (ReadOutcome.ANSWERS, IDENTITY)
    assert reading.answers == as_read(ANSWERS)
    assert reading.moved == {}


def test_the_identity_stands_in_three_places() -> None:
    copy = stamp(compile_form(by_openpyxl(), "school"), IDENTITY, PRINTED, {})
    book = load(copy)
    assert {row[0].value: row[1].value for row in book["_huizhi"]["A1:B7"]} == {
        "kind": "answers",
        "campaign": "2026Q4",
        "unit": "4101020001",
        "form": "school",
        "version": "2",
        "copy": "3",
        "token": IDENTITY.token,
    }
    assert {one.name: one.value for one in book.custom_doc_props.props} == {
        "huizhi.campaign": "2026Q4",
        "huizhi.unit": "4101020001",
        "huizhi.form": "school",
        "huizhi.version": "2",
        "huizhi.copy": "3",
        "huizhi.token": IDENTITY.token,
    }
    assert book["基本情况"]["A20"].value == f"副本 3 任务 2026Q4 令牌 {IDENTITY.token}"


def test_system_tags_may_stand_inside_longer_and_coloured_texts() -> None:
    def change(book: openpyxl.Workbook) -> None:
        bold = TextBlock(InlineFont(b=True), "{{@单位名称}}")
        book["基本情况"]["A2"] = CellRichText(["填报单位：", bold, "（{{@单位代码}}）"])
        split = [TextBlock(InlineFont(b=True), "截止{{@截止"), "日期}}前"]
        book["基本情况"]["A3"] = CellRichText(split)

    copy = stamp(compile_form(by_openpyxl(change=change), "school"), IDENTITY, PRINTED, {})
    page = openpyxl.load_workbook(io.BytesIO(copy), rich_text=True)["基本情况"]
    assert str(page["A2"].value) == "填报单位：示例县<第一>小学 & 附属（4101020001）"
    assert isinstance(page["A2"].value, CellRichText)
    assert str(page["A3"].value) == "截止2026年12月31日前"


def test_signs_that_no_workbook_may_hold_are_left_out() -> None:
    compiled = compile_form(by_openpyxl(), "school")
    copy = stamp(compiled, IDENTITY, {"单位名称": "示例\x00小学\ud800"}, {"学校名称": " 一\x0b二\ufffe\n三 "})
    page = load(copy)["基本情况"]
    assert page["B5"].value == " 一二\n三 "
    assert page["A2"].value == "填报单位：示例小学（4101020001）"


@pytest.mark.parametrize(
    "text", ["_x0041_", "一\n二", "\u3000缩进", "😀", "2026-01-01", "1e5", "TRUE", "#N.A.", "'0012", "+1"]
)
def test_a_text_that_looks_like_something_else_stays_that_text(text: str) -> None:
    compiled = compile_form(by_openpyxl(), "school")
    copy = stamp(compiled, IDENTITY, PRINTED, {"学校名称": text})
    assert read_file(copy, "x.xlsx", {("school", 2): compiled.form}).answers == {"学校名称": text}


def test_the_same_answers_give_the_same_bytes_and_a_sound_archive() -> None:
    form = by_openpyxl()  # openpyxl writes the second into it
    first, second = (
        stamp(compile_form(form, "school"), IDENTITY, PRINTED, ANSWERS, ANSWERS),
        stamp(compile_form(form, "school"), IDENTITY, PRINTED, ANSWERS, ANSWERS),
    )
    assert first == second
    assert next(iter(parts(first))) == "[Content_Types].xml"


def test_a_day_that_excel_counts_wrongly_is_written_as_text() -> None:
    compiled = compile_form(by_openpyxl(), "school")
    copy = stamp(
        compiled, IDENTITY, PRINTED, {"建网日期": dt.date(1899, 5, 4), "学校名称": dt.date(2026, 1, 2)}
    )
    page = load(copy)["基本情况"]
    assert (page["B11"].value, page["B5"].value) == ("1899-05-04", "2026-01-02")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_copy_of_every_shipped_form_reads_back_as_it_was_stamped(path: Path) -> None:
    compiled = compile_form(path.read_bytes(), path.name)
    answers = sample_answers(compiled.form)
    copy = stamp(compiled, IDENTITY, PRINTED, answers)
    key = (IDENTITY.form, IDENTITY.version)
    assert read_file(copy, path.name, {key: compiled.form}).answers == as_read(answers)


def test_libreoffice_saves_a_copy_again_with_answers_identity_and_checks(
    soffice: Office, tmp_path: Path
) -> None:
    compiled = compile_form(by_xlsxwriter(), "school")
    path = tmp_path / "copy.xlsx"
    path.write_bytes(stamp(compiled, IDENTITY, PRINTED, ANSWERS))
    forms = {("school", 2): compiled.form}
    saved = soffice(path, "xlsx", tmp_path / "saved")
    reading = read_file(saved.read_bytes(), saved.name, forms)
    assert (reading.identity, reading.answers) == (IDENTITY, as_read(ANSWERS))
    book = openpyxl.load_workbook(saved)
    page = book["基本情况"]
    assert book["_huizhi"].sheet_state != "visible"
    assert page.protection.sheet
    assert not page["B6"].protection.locked
    assert page["A1"].protection.locked
    found = {str(one.sqref): one for one in page.data_validations.dataValidation}
    assert found["B6"].type == "whole"
    assert found["B10"].formula1 == '"光纤,无线,其他"'
    assert found["B13"].formula1 == '"是,否"'
    ods = soffice(path, "ods", tmp_path / "saved")
    assert read_file(ods.read_bytes(), ods.name, forms).answers == as_read(ANSWERS)


def test_stamping_is_many_times_faster_than_loading_and_saving() -> None:
    data = SHIPPED[0].read_bytes()
    compiled = compile_form(data, SHIPPED[0].name)
    answers = sample_answers(compiled.form)
    begun = time.perf_counter()
    for _ in range(100):
        stamp(compiled, IDENTITY, PRINTED, answers)
    ours = (time.perf_counter() - begun) / 100
    begun = time.perf_counter()
    book = openpyxl.load_workbook(io.BytesIO(data))
    for name, slot in compiled.form.slot_of.items():
        if slot.sheet in book.sheetnames:  # 续表 is in copies only
            book[slot.sheet].cell(slot.row, slot.column).value = as_read(answers)[name]
    book.save(io.BytesIO())
    theirs = time.perf_counter() - begun
    assert theirs / ours > 30
