"""The contact directory 联络人员名录 as a workbook: the columns of 附件2, a line a person, A4 across."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import xlsxwriter

from workflow.adapters.workbook.book_style import (
    BODY_FACE,
    GROUP_FILL,
    HEAD_FACE,
    ROW_HEIGHT,
    Styles,
    put_span,
    put_text,
)

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet

    from workflow.domain.directory import Directory, Listed

_TITLE = "全国教育信息化工作管理信息系统联络人员名录"
_HEADINGS = ("序号", "单位代码", "单位", "类别", "姓名", "处室", "办公电话", "手机号码", "电子邮箱", "备注")
#: In signs of the body's face; together they fill A4 across.
_WIDTHS = (5, 13, 28, 8, 10, 20, 15, 14, 36, 16)
_NOTICE = "本名录含个人信息，仅限本级催报、核查和业务联系使用，不得转发、张贴。"
_OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "default_format_properties": {"font_name": BODY_FACE, "font_size": 10},
}
_HEAD_ROW = 3


def write_directory(directory: Directory) -> bytes:
    """The directory as xlsx."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, _OPTIONS)
    book.set_properties({"title": _TITLE})
    styles = Styles(book)
    sheet = book.add_worksheet("联络人员名录")
    last = len(_HEADINGS) - 1
    for column, width in enumerate(_WIDTHS):
        sheet.set_column(column, column, width)
    sheet.set_row(0, 34)
    put_span(sheet, 0, 0, last, _TITLE, styles.title(18))
    day = directory.day
    line = styles.get(font_size=11)
    put_text(sheet, 1, 0, f"单位：{directory.unit.name}", line)
    right = styles.get(font_size=11, align="right")
    put_text(sheet, 1, last, f"截至{day.year}年{day.month}月{day.day}日", right)
    put_span(sheet, 2, 0, last, _NOTICE, styles.get(font_size=10))
    for column, heading in enumerate(_HEADINGS):
        put_text(sheet, _HEAD_ROW, column, heading, styles.head())
    sheet.set_row(_HEAD_ROW, 24)
    _write_lines(sheet, styles, directory)
    _set_print(sheet)
    book.close()
    return target.getvalue()


def _write_lines(sheet: Worksheet, styles: Styles, directory: Directory) -> None:
    group = styles.cell(font_name=HEAD_FACE, bg_color=GROUP_FILL)
    # Rows are of one height, as offices print them: a long name or address becomes smaller, not cut.
    text, middle = styles.cell(shrink=True), styles.cell(align="center", shrink=True)
    middles = {0, 1, 3, 4}
    row, number = _HEAD_ROW, 0
    for section in directory.sections:
        row += 1
        put_span(sheet, row, 0, len(_HEADINGS) - 1, section.heading, group)
        before = ""
        for line in section.lines:
            row += 1
            sheet.set_row(row, ROW_HEIGHT)
            first = line.unit.code != before
            number, before = number + first, line.unit.code
            for column, words in enumerate(_cells(line, number if first else 0)):
                put_text(sheet, row, column, words, middle if column in middles else text)


def _cells(line: Listed, number: int) -> tuple[str, ...]:
    """The line's cells; a unit's number stands beside its first person only, its code and name at each, so that it can be sorted."""
    unit, person = line.unit, line.person
    head = (str(number) if number else "", unit.code, unit.name)
    if person is None:
        return (*head, "", "", "", "", "", "", line.note)
    known = (person.role.value, person.name, person.office, person.phone, person.mobile, person.email)
    return (*head, *known, line.note)


def _set_print(sheet: Worksheet) -> None:
    sheet.freeze_panes(_HEAD_ROW + 1, 3)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.6)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(_HEAD_ROW)
    sheet.set_footer("&C第 &P 页　共 &N 页")
