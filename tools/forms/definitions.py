"""The definition sheets 设置 字段 选项 规则, as `docs/forms.md` specifies them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openpyxl.styles import Alignment, Border
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties

from .layout import HEI, MAKER, SONG, THIN, face, shade
from .model import PART, PERSON, RESERVED, Field, Form

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from openpyxl.workbook import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

FIELD_HEADERS = (
    ("字段", 18),
    ("标签", 30),
    ("类型", 8),
    ("必填", 7),
    ("最小值", 12),
    ("最大值", 12),
    ("格式", 28),
    ("约束", 34),
    ("约束提示", 52),
    ("相关条件", 26),
    ("选项", 12),
    ("计量单位", 10),
    ("汇总", 8),
    ("预填", 11),
)
CENTRED_HEADERS = (
    "类型",
    "必填",
    "最小值",
    "最大值",
    "选项",
    "计量单位",
    "汇总",
    "预填",
    "编号",
    "类别",
    "项目",
)
TAB_COLOUR = "FFA6A6A6"


def define(book: Workbook, form: Form) -> None:
    """Adds the four definition sheets behind the visible ones."""
    table(
        book.create_sheet("设置"),
        (("项目", 18), ("值", 70)),
        (
            ("表单标识", form.id),
            ("表单名称", form.name),
            ("版本", form.version),
            ("适用单位类型", "、".join(form.kinds)),
            ("表号", form.number),
            ("制表机关", MAKER),
        ),
    )
    table(
        book.create_sheet("字段"),
        FIELD_HEADERS,
        (row(item) for item in (*form.fields(), *form.columns(), *RESERVED, *PERSON)),
    )
    table(
        book.create_sheet("选项"),
        (("选项组", 18), ("选项", 30)),
        ((name, value) for name, values in form.choices.items() for value in values),
    )
    table(
        book.create_sheet("规则"),
        (("编号", 8), ("类别", 12), ("公式", 84), ("提示", 72)),
        ((rule.id, rule.kind, rule.formula, rule.message) for rule in form.rules),
    )


def row(item: Field) -> Sequence[object]:
    """A field as its row of the 字段 sheet."""
    unit = "" if item.unit == "%" else item.unit
    return (
        item.name,
        item.label.removeprefix(PART),
        item.kind,
        "是" if item.required else "否",
        item.minimum,
        item.maximum,
        item.pattern,
        item.constraint,
        item.message,
        item.relevant,
        item.choices,
        unit,
        item.aggregate,
        item.prefill,
    )


def table(sheet: Worksheet, headers: Sequence[tuple[str, float]], rows: Iterable[Sequence[object]]) -> None:
    """Writes a definition sheet: frozen header, filter, and texts that stay texts though they open with =."""
    sheet.append([name for name, _ in headers])
    edge = Border(left=THIN, right=THIN, top=THIN, bottom=THIN)
    for place, (_name, width) in enumerate(headers, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = width
        cell = sheet.cell(1, place)
        cell.font, cell.fill, cell.border = face(HEI), shade("FFE1E9F3"), edge
        cell.alignment = Alignment(horizontal="center", vertical="center")
    sheet.row_dimensions[1].height = 24
    last = 1
    for last, values in enumerate(rows, start=2):
        lines = 1
        for place, value in enumerate(values, start=1):
            cell = sheet.cell(last, place)
            if isinstance(value, str):
                if value:
                    cell.value, cell.data_type, cell.number_format = value, "s", "@"
                    cell.quotePrefix = value.startswith("=")
                lines = max(lines, -(-display_width(value) // int(headers[place - 1][1] * 1.1)))
            else:
                cell.value = value  # type: ignore[assignment]
            cell.font, cell.border = face(size=10), edge
            across = "center" if headers[place - 1][0] in CENTRED_HEADERS else "left"
            cell.alignment = Alignment(
                horizontal=across, vertical="center", wrap_text=True, indent=1 if across == "left" else 0
            )
        sheet.row_dimensions[last].height = max(21.0, 14.0 * lines + 7)
    sheet.freeze_panes = "A2" if len(headers) < 5 else "C2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(headers))}{last}"
    sheet.sheet_properties.tabColor = TAB_COLOUR
    print_set_up(sheet)


def display_width(words: str) -> int:
    """Columns that a text takes: a Chinese character takes two."""
    return sum(2 if ord(sign) > 0x2E7F or sign in "“”‘’…—" else 1 for sign in words)


def print_set_up(sheet: Worksheet) -> None:
    """A4 landscape, one page wide, the header on every page."""
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.orientation = "landscape"
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.print_options.horizontalCentered = True
    margins = sheet.page_margins
    margins.left, margins.right, margins.top, margins.bottom = 0.4, 0.4, 0.5, 0.6
    margins.footer = 0.3
    sheet.print_title_rows = "1:1"
    footer = sheet.oddFooter
    assert footer is not None
    footer.center.text = f"{sheet.title}  第 &P 页"
    footer.center.font, footer.center.size = f"{SONG},常规", 9
