"""Write a consolidated workbook 汇总表: cover, the level below, a sheet a form and a repeating table, totals, who is missing.

Rows are flushed as they are written (XlsxWriter's constant_memory), so a province's workbook needs little
memory; the price is that cells come strictly row by row.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, BinaryIO

import xlsxwriter

from workflow.adapters.workbook.book_changes import write_changes
from workflow.adapters.workbook.book_cover import book_title, write_children, write_cover, write_missing
from workflow.adapters.workbook.book_line import LineSheet
from workflow.adapters.workbook.book_rows import write_form, write_totals
from workflow.adapters.workbook.book_style import Styles, put_text, sheet_name
from workflow.adapters.workbook.book_tables import write_table
from workflow.adapters.workbook.book_tallies import write_tallies
from workflow.adapters.workbook.identity import HIDDEN_SHEET
from workflow.adapters.workbook.review import COVER_SHEET
from workflow.domain.campaign import SHANGHAI

if TYPE_CHECKING:
    from workflow.domain.form import Form
    from workflow.domain.merge import ConsolidatedBook

CHILDREN_SHEET, MISSING_SHEET, CHANGES_SHEET, TALLIES_SHEET = "下级上报", "缺报与逾期", "变更", "校验情况"

_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "nan_inf_to_errors": False,
}
#: Rows of units up to which a workbook is small: its parts are some ten megabytes.
_SMALL = 2000


def write_book(book: ConsolidatedBook, target: BinaryIO) -> None:
    """Write the workbook to `target`; `read_file` knows it again by its hidden sheet and takes the decisions."""
    cover = book.cover
    workbook = xlsxwriter.Workbook(target, _OPTIONS)
    try:
        styles = Styles(workbook)
        made = cover.made_at.astimezone(SHANGHAI).replace(tzinfo=None)
        workbook.set_properties({"title": book_title(cover), "author": "", "created": made})
        write_cover(workbook.add_worksheet(COVER_SHEET), styles, cover, children=bool(book.children))
        taken = [COVER_SHEET, CHILDREN_SHEET, MISSING_SHEET, CHANGES_SHEET, TALLIES_SHEET, HIDDEN_SHEET]
        if book.children:
            write_children(workbook.add_worksheet(CHILDREN_SHEET), styles, cover, book.children)
        form_of: dict[str, str] = {}
        tables: dict[str, str] = {}
        for content in book.sheets:
            name = sheet_name(short_title(content.form), taken)
            taken.append(name)
            form_of[name] = content.form.id
            write_form(workbook, workbook.add_worksheet(name, LineSheet), styles, cover, content)
            for table in content.form.tables:
                lists = write_table(workbook, styles, cover, content, table, taken, f"{name}-{table.name}")
                tables |= dict.fromkeys(lists, content.form.id)
        for totals in book.totals:
            name = sheet_name(f"汇总·{short_title(totals.form)}", taken)
            taken.append(name)
            write_totals(workbook.add_worksheet(name, LineSheet), styles, cover, totals)
        if book.tallies:
            write_tallies(workbook.add_worksheet(TALLIES_SHEET), styles, book)
        write_missing(workbook, workbook.add_worksheet(MISSING_SHEET), styles, cover, book.missing)
        if cover.replaces:
            write_changes(workbook.add_worksheet(CHANGES_SHEET), styles, book)
        _write_marks(workbook, styles, book, form_of, tables)
    finally:
        # The parts of a small workbook are joined in memory: a file for each, made and removed, takes longer than writing it.
        workbook.in_memory = sum(len(content.rows) for content in book.sheets) <= _SMALL
        workbook.close()


def short_title(form: Form) -> str:
    """What stands in the last brackets of the title, 中小学 of 季报表（中小学）; else the title."""
    match = re.search(r"[（(]([^（）()]+)[）)]\s*$", form.title)
    return match[1] if match else form.title


def _write_marks(
    workbook: xlsxwriter.Workbook, styles: Styles, book: ConsolidatedBook, form_of: dict[str, str],
    tables: dict[str, str],
) -> None:  # fmt: skip
    cover = book.cover
    marks = {
        "campaign": cover.campaign,
        "unit": cover.unit.code,
        "version": str(cover.version),
        "token": cover.token,
        "kind": "review",
    }
    sheet = workbook.add_worksheet(HIDDEN_SHEET)
    forms = {f"sheet:{name}": form for name, form in form_of.items()}
    lists = {f"table:{name}": form for name, form in tables.items()}
    for row, (key, value) in enumerate({**marks, **forms, **lists}.items()):
        put_text(sheet, row, 0, key, styles.get())
        put_text(sheet, row, 1, value, styles.get())
    sheet.very_hidden()
    for key, value in marks.items():
        workbook.set_custom_property(f"huizhi.{key}", value, "text")
