"""The 校验情况 sheet of a consolidated workbook: each rule over all units beneath, and how many do not keep it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.adapters.workbook.book_cover import area, book_title, finish_table, table_head
from workflow.adapters.workbook.book_style import GREY, Styles, moment, put_span, put_text, row_height

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet

    from workflow.domain.merge import ConsolidatedBook

_COLUMNS = (
    ("序号", 6),
    ("表单", 28),
    ("编号", 8),
    ("类别", 11),
    ("校验内容", 40),
    ("公式", 40),
    ("适用单位数", 11),
    ("不符合单位数", 12),
    ("不符合比例", 11),
    ("其中已说明", 11),
)
_WORDS, _FIGURES = range(1, 6), 6
_CENTRED = frozenset({2, 3})
_NOTE = "注：对本期已报送工作簿的单位进行校验，缺报、沿用上期和无变化确认的不计；缺少上期数据或者填报内容无法计算的，不计入该项的适用单位数。"


def write_tallies(sheet: Worksheet, styles: Styles, book: ConsolidatedBook) -> None:
    """A line a rule, in the order of the forms."""
    cover = book.cover
    title = f"{cover.period_name}数据校验情况（{area(cover.unit)}）"
    head = table_head(sheet, styles, title, _COLUMNS)
    left, middle = styles.cell(text_wrap=True), styles.cell(align="center")
    figure, share = (styles.cell(align="center", num_format=shown) for shown in ("#,##0", "0.0%"))
    lines = [(content, line) for content in book.tallies for line in content.rules]
    for at, (content, line) in enumerate(lines, start=1):
        row, rule = head + at, line.rule
        formula = rule.formula if rule.formula.startswith("=") else f"={rule.formula}"
        words = content.form.title, rule.id, rule.severity.value, rule.message, formula
        widths = (_COLUMNS[column][1] for column in _WORDS)
        sheet.set_row(row, row_height(*zip(words, widths, strict=True)))
        sheet.write_number(row, 0, at, middle)
        for column, text in zip(_WORDS, words, strict=True):
            put_text(sheet, row, column, text, middle if column in _CENTRED else left)
        sheet.write_number(row, _FIGURES, line.applies, figure)
        sheet.write_number(row, _FIGURES + 1, line.broken, figure)
        if line.applies:
            sheet.write_number(row, _FIGURES + 2, line.broken / line.applies, share)
        else:
            put_text(sheet, row, _FIGURES + 2, "—", middle)
        sheet.write_number(row, _FIGURES + 3, line.explained, figure)
    last = head + len(lines) + 1
    sheet.set_row(last, 24)
    put_span(sheet, last, 0, len(_COLUMNS) - 1, _NOTE, styles.line(font_color=GREY, font_size=9))
    foot = f"截止时点：{moment(cover.cut_off)}"
    finish_table(sheet, head, len(lines), len(_COLUMNS), book_title(cover), foot)
    sheet.freeze_panes(head + 1, 3)
