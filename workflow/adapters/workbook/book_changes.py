"""The 变更 sheet of a consolidated workbook: what differs from the version before, line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.adapters.workbook.book_cover import area, book_title, finish_table, table_head
from workflow.adapters.workbook.book_style import Styles, put_span, put_text, row_height
from workflow.adapters.workbook.review import UNIT_CODE

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet

    from workflow.domain.merge import ConsolidatedBook

_COLUMNS = (
    ("序号", 6),
    (UNIT_CODE, 14),
    ("单位名称", 30),
    ("表单", 30),
    ("项目", 28),
    ("变更前", 22),
    ("变更后", 22),
    ("原因", 13),
)
_CENTRED = frozenset({0, 6})


def write_changes(sheet: Worksheet, styles: Styles, book: ConsolidatedBook) -> None:
    """Unit, what, before, after and why; the last line says how many found no room."""
    cover = book.cover
    title = f"第{cover.version}版与第{cover.replaces}版比较变更清单（{area(cover.unit)}）"
    head = table_head(sheet, styles, title, _COLUMNS)
    left, middle = styles.cell(text_wrap=True), styles.cell(align="center")
    for at, change in enumerate(book.changes, start=1):
        row, unit = head + at, change.unit
        words = (
            unit.code, unit.name, change.form_title, change.field, change.before, change.after, change.why,
        )  # fmt: skip
        widths = (width for _, width in _COLUMNS[1:])
        sheet.set_row(row, row_height(*zip(words, widths, strict=True)))
        sheet.write_number(row, 0, at, middle)
        for column, text in enumerate(words):
            put_text(sheet, row, column + 1, text, middle if column in _CENTRED else left)
    last = head + len(book.changes)
    if book.unlisted or not book.changes:
        words_left = f"其余{book.unlisted}项变更从略" if book.changes else "各单位数据没有变更"
        put_span(sheet, last + 1, 0, len(_COLUMNS) - 1, words_left, middle)
    finish_table(sheet, head, len(book.changes), len(_COLUMNS), book_title(cover), f"第{cover.version}版")
    sheet.freeze_panes(head + 1, 3)
