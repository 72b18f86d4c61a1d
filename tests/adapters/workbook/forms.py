"""Small form workbooks for tests, written from small tables."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

import openpyxl
import xlsxwriter

from workflow.domain.submission import CopyIdentity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

HEADINGS = (
    *(
        "字段",
        "标签",
        "类型",
        "必填",
        "最小值",
        "最大值",
        "格式",
        "约束",
        "约束提示",
        "相关条件",
        "选项",
        "计量单位",
    ),
    *("汇总", "预填"),
)
ENGLISH = (
    *("name", "label", "type", "required", "min", "max", "pattern", "constraint", "constraint_message"),
    *("relevant", "choices", "unit", "aggregate", "prefill"),
)
SETTINGS = {
    "表单标识": "school",
    "表单名称": "示例季报表",
    "版本": 2,
    "适用单位类型": "中小学、教学点",
    "表号": "豫教信例1表",
    "制表机关": "示例省教育厅",
}
CHOICES = (("接入方式", "光纤"), ("接入方式", "无线"), ("接入方式", "其他"))
IDENTITY = CopyIdentity("2026Q4", "4101020001", "school", 2, 3, "HZ-2ABCDEFGHIJKLMNOP")
PRINTED = {
    "单位名称": "示例县<第一>小学 & 附属",
    "单位代码": "4101020001",
    "填报期": "2026年第四季度",
    "任务": "2026Q4",
    "截止日期": "2026年12月31日",
}


def field(name: str, kind: str, **columns: object) -> dict[str, object]:
    """A row of the 字段 sheet by Chinese heading."""
    return {"字段": name, "标签": columns.pop("标签", name), "类型": kind, "必填": "是", **columns}


FIELDS = (
    field("学校名称", "文本", 预填="名册.名称"),
    field("在校生数", "整数", 最小值=0, 最大值=20000, 计量单位="人", 汇总="合计", 预填="上期"),
    field("教师数", "整数", 最小值=0, 约束="=教师数<=在校生数", 约束提示="教师数不应大于在校生数。"),
    field("带宽", "小数", 最小值=0, 计量单位="Mbps", 汇总="平均"),
    field("比例", "百分比", 最小值=0, 最大值=1),
    field("接入方式", "单选", 选项="接入方式", 相关条件="=在校生数>0"),
    field("建网日期", "日期", 最小值="2000-01-01", 必填="否"),
    field("邮箱", "邮箱", 必填="否"),
    field("无变化", "是否", 必填="否"),
    field("单位负责人", "文本"),
    field("填表人", "文本"),
    field("联系电话", "电话"),
    field("填表日期", "日期"),
)
RULES = (
    ("L1", "逻辑校验", "=在校生数>=教师数", "在校生数不应小于教师数。"),
    ("J1", "经验校验", "=OR(上期(带宽)=0,带宽>=上期(带宽))", "带宽比上期减少，请核对。"),
)
PAGE = {
    "A1": "示例季报表",
    "A2": "填报单位：{{@单位名称}}（{{@单位代码}}）",
    "A3": "填报期：{{@填报期}}",
    **{f"A{row}": str(one["标签"]) for row, one in enumerate(FIELDS, start=5)},
    **{f"B{row}": f"{{{{{one['字段']}}}}}" for row, one in enumerate(FIELDS, start=5)},
    "A20": "副本 {{@副本}} 任务 {{@任务}} 令牌 {{@令牌}}",
}


def tables(
    fields: Sequence[Mapping[str, object]] = FIELDS,
    choices: Sequence[tuple[str, str]] = CHOICES,
    rules: Sequence[Sequence[object]] = RULES,
    settings: Mapping[str, object] = SETTINGS,
    headings: Sequence[str] = HEADINGS,
) -> dict[str, list[list[Any]]]:
    """The rows of the four definition sheets."""
    return {
        "设置": [["项目", "值"], *([key, value] for key, value in settings.items())],
        "字段": [list(headings), *([one.get(heading) for heading in HEADINGS] for one in fields)],
        "选项": [["选项组", "选项"], *map(list, choices)],
        "规则": [["编号", "类别", "公式", "提示"], *map(list, rules)],
    }


def by_openpyxl(
    pages: Mapping[str, Mapping[str, object]] | None = None,
    definitions: Mapping[str, list[list[Any]]] | None = None,
    change: Callable[[openpyxl.Workbook], object] | None = None,
) -> bytes:
    """A form as openpyxl writes it: every text inside its cell."""
    book = openpyxl.Workbook()
    book.remove(book["Sheet"])
    for name, cells in (pages or {"基本情况": PAGE}).items():
        sheet = book.create_sheet(name)
        for ref, value in cells.items():
            sheet[ref] = value
    for name, rows in (tables() if definitions is None else definitions).items():
        sheet = book.create_sheet(name)
        for row, values in enumerate(rows, start=1):
            for column, value in enumerate(values, start=1):
                cell = sheet.cell(row, column, value)
                if isinstance(value, str):
                    cell.data_type = "s"
    if change is not None:
        change(book)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def by_xlsxwriter(change: Callable[[xlsxwriter.Workbook, Any], object] | None = None) -> bytes:
    """The same form as Excel would write it: shared strings, and whatever `change` adds to the visible sheet."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True, "strings_to_formulas": False})
    page = book.add_worksheet("基本情况")
    for ref, value in PAGE.items():
        page.write_string(ref, value)
    for name, rows in tables().items():
        sheet = book.add_worksheet(name)
        for row, values in enumerate(rows):
            sheet.write_row(row, 0, values)
    if change is not None:
        change(book, page)
    book.close()
    return target.getvalue()


def parts(data: bytes) -> dict[str, bytes]:
    """The parts of a workbook; a broken archive fails."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def with_parts(data: bytes, changed: Mapping[str, bytes]) -> bytes:
    """The workbook with some parts replaced or added."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**parts(data), **changed}.items():
            archive.writestr(name, content)
    return target.getvalue()


def load(data: bytes) -> openpyxl.Workbook:
    """The workbook as openpyxl sees it."""
    return openpyxl.load_workbook(io.BytesIO(data))
