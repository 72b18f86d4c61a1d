"""The 自查 sheet of a copy, the names of its fields and what Excel checks on input; what it says is held to the server's
own checks by `tests/journeys/test_selfcheck_against_libreoffice.py`.
"""

from __future__ import annotations

import datetime as dt
import zipfile
from io import BytesIO
from typing import TYPE_CHECKING

import openpyxl
import pytest

from tests.adapters.workbook.forms import (
    FIELDS,
    IDENTITY,
    PAGE,
    PRINTED,
    RULES,
    by_openpyxl,
    by_xlsxwriter,
    field,
    load,
    parts,
    tables,
)
from workflow.adapters.workbook.annotate import annotate
from workflow.adapters.workbook.compile import compile_form
from workflow.adapters.workbook.names import address, field_names
from workflow.adapters.workbook.problems import ReturnSummary
from workflow.adapters.workbook.read import read_file
from workflow.adapters.workbook.selfcheck import RECKONING, SHEET, guarded
from workflow.adapters.workbook.selfcheck_list import checks_of
from workflow.adapters.workbook.selfcheck_sheet import PART
from workflow.adapters.workbook.stamp import stamp
from workflow.domain.campaign import midnight
from workflow.domain.errors import Refused
from workflow.domain.form import Form, Severity, Slot
from workflow.domain.formulas import to_excel
from workflow.domain.rules import parse
from workflow.domain.submission import ReadOutcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from openpyxl.worksheet.worksheet import Worksheet

    from tests.servers.office import Office

SUMMARY = ReturnSummary("示例县第一小学", "2026年第四季度", midnight(dt.date(2027, 1, 4)), "", 1)
GOOD = {
    "学校名称": "示例小学",
    "在校生数": 480,
    "教师数": 36,
    "带宽": 200,
    "比例": 0.8,
    "接入方式": "光纤",
    "无变化": False,
    "单位负责人": "甲",
    "填表人": "乙",
    "联系电话": "0371-55550000",
    "填表日期": dt.date(2026, 12, 28),
}
LAST = {**GOOD, "带宽": 100}


def own_rule(formula: str, kind: str = "逻辑校验") -> bytes:
    return by_openpyxl(definitions=tables(rules=[("L1", kind, formula, "请核对。")]))


def faults(data: bytes) -> str:
    with pytest.raises(Refused) as refused:
        compile_form(data, "school.xlsx")
    return "\n".join(map(str, refused.value.faults))


def rows_of(sheet: Worksheet) -> dict[str, tuple[str, str]]:
    """The result and the place of each check by its words."""
    found = (row for row in sheet.iter_rows(min_row=7, values_only=True) if row[4])
    return {str(row[2]): (str(row[4]), str(row[3])) for row in found}


@pytest.mark.parametrize("author", [by_openpyxl, by_xlsxwriter])
def test_every_copy_ends_with_a_protected_sheet_that_prints_on_a4(author: Callable[[], bytes]) -> None:
    book = load(stamp(compile_form(author(), "school"), IDENTITY, PRINTED, GOOD, LAST))
    assert [sheet.title for sheet in book if sheet.sheet_state == "visible"][-1] == SHEET
    sheet = book[SHEET]
    assert sheet.protection.sheet
    assert not any(not cell.protection.locked for row in sheet.iter_rows() for cell in row)
    assert (sheet.page_setup.paperSize, sheet.page_setup.fitToWidth) == (9, 1)
    assert sheet.print_title_rows == "$6:$6"
    assert sheet.freeze_panes == "A7"
    assert book[RECKONING].sheet_state == "veryHidden"
    assert sheet["A2"].value == f"单位：{PRINTED['单位名称']}"


def test_each_check_has_a_row_with_its_kind_its_words_its_place_and_three_colours() -> None:
    form = compile_form(by_openpyxl(), "school").form
    sheet = load(stamp(compile_form(by_openpyxl(), "school"), IDENTITY, PRINTED, {}))[SHEET]
    rows = [row for row in sheet.iter_rows(min_row=7) if isinstance(row[0].value, int)]
    checks = checks_of(form)
    assert [row[0].value for row in rows] == list(range(1, len(checks) + 1))
    assert [row[1].value for row in rows] == [check.category for check in checks]
    assert {check.category for check in checks} == {"必填", *map(str, Severity)}
    words = {row[2].value: row for row in rows}
    rule = words["在校生数不应小于教师数。"]
    assert rule[3].value == "基本情况!B6、B7"
    assert rule[3].hyperlink.location == "'基本情况'!B6"
    colours = {
        (one.formula[0], one.dxf.fill.bgColor.rgb)
        for area in sheet.conditional_formatting
        for one in area.rules
        if one.type == "cellIs" and one.dxf.fill
    }
    assert colours == {
        ('"通过"', "FFC6EFCE"),
        ('"请改正"', "FFFFC7CE"),
        ('"请核实"', "FFFFDD80"),
        ('"已说明"', "FFDDEBF7"),
    }


def test_the_results_are_those_of_a_person_who_looks(soffice: Office, tmp_path: Path) -> None:
    compiled = compile_form(by_openpyxl(), "school")
    wrong = {**GOOD, "教师数": 600, "比例": 1.5, "填表人": None, "联系电话": None}
    copies = {
        "good": stamp(compiled, IDENTITY, PRINTED, GOOD, LAST),
        "slower": stamp(compiled, IDENTITY, PRINTED, {**GOOD, "带宽": 50}, LAST),
        "wrong": stamp(compiled, IDENTITY, PRINTED, wrong),
        "same": stamp(compiled, IDENTITY, PRINTED, {**LAST, "无变化": True}, LAST),
        "returned": annotate(compiled, IDENTITY, PRINTED, {**GOOD, "带宽": 50}, (), SUMMARY, LAST),
    }
    for name, data in copies.items():
        (tmp_path / f"{name}.xlsx").write_bytes(data)
    done = soffice.many([tmp_path / f"{name}.xlsx" for name in copies], "xlsx", tmp_path / "out")
    sheets = {
        path.stem: openpyxl.load_workbook(path, data_only=True)[SHEET] for path in done
    }  # in the order of `copies`
    assert {name: sheet["A4"].value for name, sheet in sheets.items()} == {
        "good": "全部通过，可以报送",
        "slower": "没有须改正的问题，还有 1 处须核实",
        "wrong": "还有 5 处须改正",
        "same": "已确认本季度数据无变化，可以报送",
        "returned": "没有须改正的问题，还有 1 处须核实",
    }
    rows = rows_of(sheets["wrong"])
    assert rows["“基本情况”页必填项（10 项）：还缺 2 项——填表人、联系电话"] == ("请改正", "基本情况!B15")
    assert rows["“基本情况”页数据类型和数值范围（10 项）：1 项不合要求——比例"] == ("请改正", "基本情况!B9")
    assert rows["教师数不应大于在校生数。"][0] == rows["在校生数不应小于教师数。"][0] == "请改正"
    assert rows["带宽比上期减少，请核对。"][0] == "—"
    assert rows_of(sheets["slower"])["带宽比上期减少，请核对。"][0] == "请核实"


def test_last_quarters_values_stand_in_the_hidden_sheet_and_do_not_disturb_the_identity() -> None:
    compiled = compile_form(by_openpyxl(), "school")
    data = stamp(compiled, IDENTITY, PRINTED, {}, LAST)
    hidden = load(data)["_huizhi"]
    assert [row[0].value for row in hidden["C1:C4"]] == ["示例小学", 480, 36, 100]
    assert hidden["B8"].value == "有"
    reading = read_file(data, "x.xlsx", {("school", 2): compiled.form})
    assert (reading.outcome, reading.identity, dict(reading.answers)) == (ReadOutcome.ANSWERS, IDENTITY, {})
    without = load(stamp(compiled, IDENTITY, PRINTED, {}))["_huizhi"]
    assert [without["B8"].value, without["C1"].value] == ["", None]


def test_reading_a_return_never_opens_the_selfcheck() -> None:
    compiled = compile_form(by_openpyxl(), "school")
    data = stamp(compiled, IDENTITY, PRINTED, {"在校生数": 12}, LAST)
    target = BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in parts(data).items():
            archive.writestr(
                name, b"<broken" if name in {PART, "xl/worksheets/huizhi-reckoning.xml"} else content
            )
    reading = read_file(target.getvalue(), "x.xlsx", {("school", 2): compiled.form})
    assert reading.answers == {"在校生数": 12}


def test_every_field_has_a_name_that_stands_for_its_cell() -> None:
    book = load(stamp(compile_form(by_openpyxl(), "school"), IDENTITY, PRINTED, {}))
    assert {name: one.attr_text for name, one in book.defined_names.items()} == {
        str(one["字段"]): f"'基本情况'!$B${row}" for row, one in enumerate(FIELDS, start=5)
    }


@pytest.mark.parametrize(
    ("fields", "taken", "names"),
    [
        (("R", "c", "R1C1", "AB12"), (), ("R_", "c_", "R1C1_", "AB12_")),
        (("Abc", "ABC", "abc"), (), ("Abc", "ABC_2", "abc_3")),
        (("教师数",), ("教师数",), ("教师数_2",)),
        (("人数²", "甲１"), (), ("人数_", "甲_")),
    ],
)
def test_a_name_that_excel_refuses_or_has_gets_a_suffix(
    fields: Sequence[str], taken: Sequence[str], names: Sequence[str]
) -> None:
    slots = tuple(Slot(name, "表", row, 1) for row, name in enumerate(fields, start=1))
    form = Form("a", "a", 1, (), "", "", (), (), slots)
    assert tuple(field_names(form, taken).values()) == tuple(names)


def test_an_address_is_quoted_as_excel_wants_it() -> None:
    assert address(Slot("a", "基本 '情况", 5, 28)) == "'基本 ''情况'!$AB$5"


def test_a_constraint_on_its_own_text_is_checked_on_input_and_others_leave_the_type_check() -> None:
    constrained = {
        "学校名称": {"约束": "=LEN(学校名称)>=4", "约束提示": "名称请写全称。"},
        "带宽": {"约束": "=MOD(带宽,1)=0"},
        "单位负责人": {"约束": "=单位负责人<>填表人"},
    }
    fields = [{**one, **constrained.get(str(one["字段"]), {})} for one in FIELDS]
    book = load(stamp(compile_form(by_openpyxl(definitions=tables(fields)), "school"), IDENTITY, PRINTED, {}))
    found = {str(one.sqref): one for one in book["基本情况"].data_validations.dataValidation}
    assert (found["B5"].type, found["B5"].formula1) == (
        "custom",
        "AND(LEN(B5)<=500,IFERROR(LEN(B5)>=4,TRUE))",
    )
    assert "名称请写全称。" in found["B5"].error
    assert [found[ref].type for ref in ("B7", "B8", "B14")] == ["whole", "decimal", "textLength"]


def test_a_form_may_not_have_the_sheets_of_the_selfcheck() -> None:
    pages = {"基本情况": PAGE, "自查": {"A1": "自查"}, "_自查": {"A1": "自查"}}
    said = faults(by_openpyxl(pages))
    assert "school.xlsx 自查：“自查”是系统保留的工作表名" in said
    assert "school.xlsx _自查：“_自查”是系统保留的工作表名" in said


def test_a_rule_with_an_unsupported_function_or_an_unknown_field_is_refused_at_its_cell() -> None:
    assert "规则!C2：公式有误：第2个字符处：不支持函数“VLOOKUP”，可用的函数有IF、" in faults(
        own_rule("=VLOOKUP(1,2)")
    )
    assert "规则!C2：公式中的“学生数”不是本表的字段；请改正公式" in faults(own_rule("=学生数>教师数"))


def test_a_formula_too_long_for_excel_is_refused() -> None:
    formula = "=AND(" + ",".join(["教师数+教师数<=在校生数"] * 240) + ")"
    assert "规则!C2：公式换成单元格地址后太长" in faults(own_rule(formula))
    assert "规则!C2：公式中的一段文字超过 255 个字" in faults(own_rule(f'=填表人<>"{"长" * 256}"'))


@pytest.mark.parametrize(
    "formula",
    [
        "=无变化",
        "=IF(无变化,教师数>0,TRUE)",
        "=AND(教师数>0,无变化)",
        "=NOT(无变化)",
        "=无变化=TRUE",
        "=OR(上期(无变化))",
    ],
)
def test_a_yes_or_no_field_used_bare_as_a_condition_is_asked_about(formula: str) -> None:
    (query,) = compile_form(own_rule(formula), "school").queries
    assert query.where == "school.xlsx 规则!C2"
    assert query.remedy == '请写成 无变化="是"'


@pytest.mark.parametrize(
    "formula", ['=IF(无变化="是",教师数>0,TRUE)', "=IF(教师数,TRUE,FALSE)", "=ISBLANK(无变化)"]
)
def test_a_condition_written_out_is_not_asked_about(formula: str) -> None:
    assert compile_form(own_rule(formula), "school").queries == ()


@pytest.mark.parametrize(
    ("formula", "asked"),
    [
        ('=IF(教师数<=在校生数,"对","错")', True),
        ('=学校名称&"小学"', True),
        ('=IFERROR(带宽>0,"")', True),
        ('=IF(接入方式="光纤",带宽>0,TRUE)', False),
        ('=学校名称="小学"', False),
    ],
)
def test_a_rule_that_comes_out_as_a_text_is_asked_about(formula: str, asked: bool) -> None:
    definitions = tables(rules=[("L1", "逻辑校验", formula, "提示。")])
    queries = compile_form(by_openpyxl(definitions=definitions), "school.xlsx").queries
    assert [query.where for query in queries if "结果是文字" in query.what] == ["school.xlsx 规则!C2"] * asked


def test_a_missing_value_of_last_quarter_is_not_taken_for_an_error_by_the_rule() -> None:
    written = to_excel(guarded(parse("=IFERROR(上期(a)/b,1)>COUNT(上期(a))")), lambda _: "B1", lambda _: "H1")
    assert written == "IF(OR(ISNA(H1)),NA(),IFERROR(H1/B1,1))>IF(OR(ISNA(H1)),NA(),COUNT(H1))"


def test_a_form_without_rules_still_has_its_selfcheck() -> None:
    data = by_openpyxl(
        definitions=tables(
            [field(str(o["字段"]), str(o["类型"]), 选项=o.get("选项")) for o in FIELDS], rules=()
        )
    )
    checks = checks_of(compile_form(data, "school").form)
    assert [check.kind for check in checks] == ["said", "missing", "claim", "content"]
    assert len(RULES) == 2
