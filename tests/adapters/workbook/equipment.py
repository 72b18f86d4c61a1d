"""A form with a repeating table for tests: its page, its definition, and copies filled as people fill them."""

from __future__ import annotations

import io
from functools import cache
from typing import TYPE_CHECKING

import openpyxl
from openpyxl.styles import Border, PatternFill, Side

from tests.adapters.workbook.forms import (
    FIELDS,
    IDENTITY,
    PAGE,
    PRINTED,
    RULES,
    SETTINGS,
    by_openpyxl,
    field,
    tables,
)
from workflow.adapters.workbook.compile import compile_form
from workflow.adapters.workbook.stamp import stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from workflow.adapters.workbook.master import CompiledForm
    from workflow.domain.form import Value

SHEET = "设备"
COLUMNS = (
    field("设备.名称", "文本", 标签="设备名称", 预填="上期"),
    field("设备.数量", "整数", 标签="数量", 最小值=0, 最大值=5000, 计量单位="台", 汇总="合计", 预填="上期"),
    field(
        "设备.在用",
        "整数",
        标签="在用数量",
        必填="否",
        约束="=设备.在用<=设备.数量",
        约束提示="在用数量不应大于数量。",
        预填="上期",
    ),
    field("设备.购置日期", "日期", 标签="购置日期", 必填="否", 预填="上期"),
)
TOTAL = field("终端总数", "整数", 计量单位="台", 汇总="合计", 必填="否")
MORE_RULES = (
    ("L2", "逻辑校验", "=SUM(设备.数量)=终端总数", "设备数量之和应等于终端总数。"),
    ("J2", "经验校验", "=SUM(设备.数量)>=SUM(上期(设备.数量))", "设备数量之和比上期减少，请核对。"),
)
#: Rows 4 to 8 are the table, below it the total.
DRAWN = {
    "A1": "信息化设备明细",
    "A3": "序号", "B3": "设备名称", "C3": "数量（台）", "D3": "在用数量（台）", "E3": "购置日期",
    **{f"A{row}": str(row - 3) for row in range(4, 9)},
    "B4": "{{设备.名称}}", "C4": "{{设备.数量}}", "D4": "{{设备.在用}}", "E4": "{{设备.购置日期}}",
    "A9": "终端总数（合计）", "C9": "{{终端总数}}",
    "A11": "填表说明：一种设备一行。",
}  # fmt: skip
_EDGE = Side(style="thin")


def boxed(book: openpyxl.Workbook) -> None:
    """The cells of the table drawn with borders and a light fill, as a form's are."""
    for row in book[SHEET]["B4:E8"]:
        for cell in row:
            cell.border = Border(left=_EDGE, right=_EDGE, top=_EDGE, bottom=_EDGE)
            cell.fill = PatternFill("solid", fgColor="FFFFFBE6")


def form_bytes(
    drawn: Mapping[str, object] = DRAWN,
    columns: Sequence[Mapping[str, object]] = COLUMNS,
    rules: Sequence[Sequence[object]] = MORE_RULES,
    settings: Mapping[str, object] | None = None,
    change: Callable[[openpyxl.Workbook], object] = boxed,
) -> bytes:
    definitions = tables(
        (*FIELDS, *columns, TOTAL), rules=(*RULES, *rules), settings={**SETTINGS, **(settings or {})}
    )
    return by_openpyxl({"基本情况": PAGE, SHEET: drawn}, definitions, change)


@cache
def equipment() -> CompiledForm:
    return compile_form(form_bytes(), "school.xlsx")


def cells(*rows: tuple[Value, ...]) -> dict[str, Value]:
    """The table's cells by field, from the first row down."""
    names = [str(column["字段"]).partition(".")[2] for column in COLUMNS]
    return {
        f"设备.{at}.{name}": value
        for at, row in enumerate(rows, start=1)
        for name, value in zip(names, row, strict=False)
    }


def stamped(answers: Mapping[str, Value], previous: Mapping[str, Value] | None = None) -> bytes:
    return stamp(equipment(), IDENTITY, PRINTED, answers, previous)


def edited(data: bytes, change: Callable[[openpyxl.Workbook], object]) -> bytes:
    """A copy opened, changed and saved."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    change(book)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()
