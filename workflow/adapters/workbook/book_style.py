"""The look of a consolidated workbook: formats, colours, print set-up, and the one way in which text is written.

Nothing that a unit typed becomes a formula or a link: text goes through `put_text`, whole rows through `book_line`.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

from workflow.domain.campaign import SHANGHAI
from workflow.domain.form import Aggregate, FieldType
from workflow.domain.merge import Origin

if TYPE_CHECKING:
    from collections.abc import Iterable

    import xlsxwriter
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

TITLE_FACE, HEAD_FACE, BODY_FACE = "方正小标宋简体", "黑体", "宋体"
HEAD_FILL, GROUP_FILL, LOCKED_FILL, ASK_FILL = "#DCE6F1", "#EEF3F9", "#F2F2F2", "#FFF9E5"
#: A figure that differs from what was last approved.
CHANGED_FILL = "#FFEFC6"
EDGE, GREY = "#A6A6A6", "#7F7F7F"

#: Subtle: the words carry the meaning, the colour only finds the row.
ORIGIN_COLOURS: dict[Origin, tuple[str, str]] = {
    Origin.APPROVED: ("#E8F3E8", "#1E5B2A"),
    Origin.NOT_REVIEWED: ("#EAF1FA", "#1F4E79"),
    Origin.NO_CHANGE: ("#F1F5EC", "#4F6228"),
    Origin.WITH_ERRORS: ("#FBE9E7", "#9C1C10"),
    Origin.RETURNED_UNCORRECTED: ("#FDEFE0", "#9C5700"),
    Origin.CARRIED_OVER: ("#F5F0E1", "#7F6000"),
    Origin.LEGACY: ("#F5F0E1", "#7F6000"),
    Origin.MISSING: ("#F3E3E3", "#7B1F1F"),
}

NUMBER_FORMATS: dict[FieldType, str] = {
    FieldType.INTEGER: "#,##0",
    FieldType.DECIMAL: "#,##0.00",
    FieldType.PERCENT: "0.0%",
    FieldType.DATE: "yyyy-mm-dd",
}

ROW_HEIGHT = 19.0
_MOST_TEXT = 32_767
_FORBIDDEN = re.compile("[\ud800-\udfff\ufffe\uffff]")
_FORBIDDEN_IN_NAME = re.compile(r"[\[\]:*?/\\]")


class Styles:
    """The formats of one workbook, each made once."""

    def __init__(self, book: xlsxwriter.Workbook) -> None:
        self._book = book
        self._made: dict[tuple[tuple[str, Any], ...], Format] = {}

    def get(self, **properties: Any) -> Format:
        """A format with the body's face and these XlsxWriter properties."""
        key = tuple(sorted(properties.items()))
        if key not in self._made:
            base = {"font_name": BODY_FACE, "font_size": 10, "valign": "vcenter"}
            self._made[key] = self._book.add_format({**base, **properties})
        return self._made[key]

    def cell(self, **properties: Any) -> Format:
        """A bordered cell of a table."""
        return self.get(border=1, border_color=EDGE, **properties)

    def head(self, **properties: Any) -> Format:
        """A heading of a table."""
        face = {"font_name": HEAD_FACE, "align": "center", "text_wrap": True, "bg_color": HEAD_FILL}
        return self.cell(**{**face, **properties})

    def title(self, size: int) -> Format:
        return self.get(font_name=TITLE_FACE, font_size=size, align="center")

    def line(self, **properties: Any) -> Format:
        """Running text outside of tables."""
        return self.get(**{"text_wrap": True, "align": "left", **properties})


def put_text(sheet: Worksheet, row: int, column: int, text: str, style: Format) -> None:
    """Write text that is only ever text; a blank keeps its border."""
    if text:
        sheet.write_string(row, column, _FORBIDDEN.sub("\ufffd", text)[:_MOST_TEXT], style)
    else:
        sheet.write_blank(row, column, None, style)


def put_span(sheet: Worksheet, row: int, first: int, last: int, text: str, style: Format) -> None:
    """Write text across the columns of one row; rows are never merged, since they are flushed as they come."""
    if last > first:
        sheet.merge_range(row, first, row, last, "", style)
    put_text(sheet, row, first, text, style)


def row_height(*cells: tuple[str, float]) -> float:
    """Points for a row whose wrapped cells are these (text, column width); no program fits rows by itself reliably."""
    lines = 1
    for text, width in cells:
        wanted = sum(-(-_columns(line) // max(1, int(width * 1.1))) or 1 for line in text.splitlines())
        lines = max(lines, wanted)
    return ROW_HEIGHT if lines == 1 else min(409.0, 6 + 13.5 * lines)


def _columns(text: str) -> int:
    """The width of text in half-width characters."""
    return sum(2 if ord(sign) > 0x2E7F else 1 for sign in text)


def figure_format(kind: FieldType, aggregate: Aggregate) -> str:
    """The number format of a total."""
    if aggregate is Aggregate.COUNT_YES:
        return "#,##0"
    if aggregate is Aggregate.MEAN and kind is not FieldType.PERCENT:
        return "#,##0.00"
    return NUMBER_FORMATS.get(kind, "General")


def moment(at: dt.datetime) -> str:
    """A time as an office writes it; midnight is 24:00 of the day before."""
    local = at.astimezone(SHANGHAI)
    if (local.hour, local.minute) == (0, 0):
        return f"{day(local.date() - dt.timedelta(days=1))}24:00"
    return f"{day(local.date())}{local:%H:%M}"


def day(date: dt.date) -> str:
    """`2027年1月5日`."""
    return f"{date.year}年{date.month}月{date.day}日"


def short_moment(at: dt.datetime | None) -> str:
    """`2027-01-05 09:30` in Shanghai; empty for never."""
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}" if at else ""


def sheet_name(wanted: str, taken: Iterable[str]) -> str:
    """A name that Excel allows (31 characters, no brackets) and that no other sheet has."""
    used = {name.casefold() for name in taken}
    name = base = _FORBIDDEN_IN_NAME.sub("", wanted).strip("' ")[:31] or "表"
    number = 2
    while name.casefold() in used:
        name, number = f"{base[:28]}·{number}", number + 1
    return name


def set_page(sheet: Worksheet, title: str, foot: str, *, portrait: bool = False) -> None:
    """A4, centred, with the title above and the page's number below."""
    sheet.set_paper(9)
    if portrait:
        sheet.set_portrait()
    else:
        sheet.set_landscape()
    sheet.set_margins(left=0.47, right=0.47, top=0.75, bottom=0.67)
    sheet.center_horizontally()
    head = title.replace("&", "&&")[:120]
    foot = foot.replace("&", "&&")[:80]
    # The size stands before the face: digits of the text that follow it would be read as part of the size.
    face = f'&9&"{BODY_FACE},Regular"'
    sheet.set_header(f"&C{face}{head}")
    sheet.set_footer(f"&L{face}{foot}&C{face}第 &P 页　共 &N 页")


def colour_origins(book: xlsxwriter.Workbook, sheet: Worksheet, first: int, last: int, column: int) -> None:
    """Colour a column by the words of the origins in it; it follows the row when the sheet is sorted."""
    if last < first:
        return
    for origin, (fill, ink) in ORIGIN_COLOURS.items():
        style = book.add_format({"bg_color": fill, "font_color": ink})
        rule = {"type": "cell", "criteria": "==", "value": f'"{origin.word}"', "format": style}
        sheet.conditional_format(first, column, last, column, rule)


def offer_choices(
    sheet: Worksheet, rows: Iterable[int], column: int, choices: list[str], *, title: str, hint: str
) -> None:
    """A dropdown on these rows (ascending) of a column, as few validations as their runs allow."""
    runs: list[list[int]] = []
    for row in rows:
        if runs and row == runs[-1][1] + 1:
            runs[-1][1] = row
        else:
            runs.append([row, row])
    for at in range(0, len(runs), 200):
        some = [[first, column, last, column] for first, last in runs[at : at + 200]]
        options = {
            "validate": "list",
            "source": choices,
            "input_title": title,
            "input_message": hint,
            "error_title": title,
            "error_message": f"请从下拉列表中选择：{'、'.join(choices)}",
            "other_cells": some,
        }
        sheet.data_validation(*some[0], options)
