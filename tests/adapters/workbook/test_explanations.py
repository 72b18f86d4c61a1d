"""The explanation cells 说明 of a form: written as tags, filled by the unit, found again whatever came back."""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from tests.adapters.workbook.forms import IDENTITY, PAGE, PRINTED, by_openpyxl, load
from workflow.adapters.workbook.annotate import annotate
from workflow.adapters.workbook.compile import CompiledForm, compile_form
from workflow.adapters.workbook.problems import ReturnSummary
from workflow.adapters.workbook.read import read_file
from workflow.adapters.workbook.selfcheck_list import checks_of
from workflow.adapters.workbook.stamp import stamp
from workflow.demo.filling import explain
from workflow.domain.campaign import midnight
from workflow.domain.checks import examine
from workflow.domain.errors import Refused
from workflow.domain.form import FieldType
from workflow.domain.submission import Reading, ReadOutcome

SHIPPED = Path(__file__).parents[3] / "templates" / "forms"
SUMMARY = ReturnSummary("示例县第一小学", "2026年第四季度", midnight(dt.date(2027, 1, 4)), "", 1)
LAST = {"带宽": 1000}
GOOD = {
    "学校名称": "示例小学",
    "在校生数": 480,
    "教师数": 30,
    "带宽": 100,
    "比例": 0.5,
    "接入方式": "光纤",
    "单位负责人": "张某某",
    "填表人": "李某某",
    "联系电话": "0371-55550123",
    "填表日期": dt.date(2026, 12, 20),
}


def compiled(**cells: str) -> CompiledForm:
    page = {**PAGE, "A22": "带宽减少的说明", "B22": "{{说明:J1}}", **cells}
    return compile_form(by_openpyxl({"基本情况": page}), "school")


def read(data: bytes, form: CompiledForm) -> Reading:
    return read_file(data, "表.xlsx", {(form.form.id, form.form.version): form.form})


def test_an_explanation_cell_is_an_unlocked_text_and_no_indicator() -> None:
    form = compiled()
    item = form.form.by_name["说明:J1"]
    assert (item.type, item.required, item.explains) == (FieldType.TEXT, False, "J1")
    assert item not in form.form.indicators
    sheet = load(stamp(form, IDENTITY, PRINTED, {}))["基本情况"]
    assert (sheet["B22"].value, sheet["B22"].protection.locked) == (None, False)


def test_a_field_may_have_one_too_with_either_colon() -> None:
    form = compiled(C8="{{说明：带宽}}").form
    assert form.by_name["说明:带宽"].label == "带宽说明"
    (check,) = (one for one in checks_of(form) if one.subject == "J1")
    assert check.explanations == ("说明:J1", "说明:带宽")


@pytest.mark.parametrize("tag", ["{{说明:没有}}", "{{说明:L1}}", "{{说明:}}"])
def test_an_explanation_of_nothing_that_asks_is_refused_at_its_cell(tag: str) -> None:
    with pytest.raises(Refused, match="基本情况!C9"):
        compiled(C9=tag)


def test_a_query_goes_back_with_the_cell_named_and_comes_again_explained() -> None:
    form = compiled()
    first = read(stamp(form, IDENTITY, PRINTED, GOOD, LAST), form)
    seen = examine(form.form, first.answers, LAST)
    assert (seen.errors, seen.unexplained) == (0, 1)
    returned = annotate(form, IDENTITY, PRINTED, first.answers, seen.findings, SUMMARY, LAST)
    book = openpyxl.load_workbook(io.BytesIO(returned))
    told = explain(book, form.form)
    assert told.keys() == {"说明:J1"}
    book["基本情况"]["B22"] = "更换运营商"
    target = io.BytesIO()
    book.save(target)
    again = examine(form.form, read(target.getvalue(), form).answers, LAST)
    assert (again.findings, again.goes_back) == ((), False)
    assert again.notes["说明:J1"] == "带宽比上期减少，请核对——更换运营商"


def test_the_cell_in_which_to_explain_is_marked_as_well_and_says_what_to_explain() -> None:
    form = compiled(A23="其他说明", B23="{{说明:在校生数}}")
    seen = examine(form.form, GOOD, LAST)
    page = load(annotate(form, IDENTITY, PRINTED, GOOD, seen.findings, SUMMARY, LAST))["基本情况"]
    assert [page[ref].fill.fgColor.rgb for ref in ("B8", "B22")] == ["FFFFDD80", "FFFFDD80"]
    assert page["B22"].comment.text == ("数据核实无误的，请在此填写说明\n带宽=100：带宽比上期减少，请核对。")
    assert page["B22"].value is None
    assert not page["B22"].protection.locked
    assert (page["B23"].fill.fill_type, page["B23"].comment) == (None, None)


def test_what_was_explained_stands_again_in_a_workbook_that_goes_back_for_something_else() -> None:
    form = compiled()
    answers = {**GOOD, "教师数": 900, "说明:J1": "更换运营商"}
    seen = examine(form.form, answers, LAST)
    assert {one.code for one in seen.findings} == {"constraint", "rule"}
    returned = load(annotate(form, IDENTITY, PRINTED, answers, seen.findings, SUMMARY, LAST))
    assert returned["基本情况"]["B22"].value == "更换运营商"


def test_a_page_of_explanations_that_was_deleted_costs_no_error() -> None:
    form = compile_form((SHIPPED / "school.xlsx").read_bytes(), "school")
    identity = replace(IDENTITY, version=form.form.version)
    book = load(stamp(form, identity, PRINTED, {"班级数": 12}))
    book.security.lockStructure = False
    book.remove(book["经验校验说明"])
    target = io.BytesIO()
    book.save(target)
    reading = read(target.getvalue(), form)
    assert (reading.outcome, reading.answers) == (ReadOutcome.ANSWERS, {"班级数": 12})


@pytest.mark.parametrize("name", ["school", "vocational", "university", "department"])
def test_every_query_of_a_shipped_form_can_be_explained(name: str) -> None:
    form = compile_form((SHIPPED / f"{name}.xlsx").read_bytes(), name).form
    asking = [check for check in checks_of(form) if check.is_query]
    assert asking
    assert all(check.explanations for check in asking)
