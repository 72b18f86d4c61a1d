"""The sheets of a form's repeating tables in a consolidated workbook: a line a unit and row of its table."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from workflow.adapters.workbook.book_cover import area, book_title
from workflow.adapters.workbook.book_line import Line, LineSheet
from workflow.adapters.workbook.book_rows import field_look, field_width, heading
from workflow.adapters.workbook.book_style import (
    CHANGED_FILL,
    GREY,
    ROW_HEIGHT,
    TITLE_FACE,
    Styles,
    moment,
    put_span,
    put_text,
    row_height,
    set_page,
    sheet_name,
)
from workflow.adapters.workbook.review import FIELD_MARK, TABLE_ROW, UNIT_CODE
from workflow.domain.form import FieldType, cell_name
from workflow.domain.tables import Rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    import xlsxwriter
    from xlsxwriter.format import Format

    from workflow.domain.form import Field, Table, Value
    from workflow.domain.merge import BookSheet, Cover

_NAME_WIDTH, _PACKAGE_WIDTH = 25, 20
_LEAD = ((UNIT_CODE, 13), ("单位名称", _NAME_WIDTH), ("所属", _PACKAGE_WIDTH), (TABLE_ROW, 7))
_ROW, _HEAD_ROW = 3, 2
#: The rows that a sheet has in Excel 2007 and later.
SHEET_ROWS = 1_048_576


class _Line(NamedTuple):
    values: tuple[Value, ...]
    changed: frozenset[str]  # the columns that differ from what was last approved


def write_table(
    book: xlsxwriter.Workbook, styles: Styles, cover: Cover, content: BookSheet, table: Table,
    taken: list[str], name: str, room: int = SHEET_ROWS,
) -> list[str]:  # fmt: skip
    """A table's rows in the roster's order, in a sheet of this name and, where that has no more rows (`room`), in others
    behind it. The sheets' names, which are added to those `taken`.
    """
    lines = _lines(content, table)
    names: list[str] = []
    line = next(lines, None)
    while line is not None or not names:
        title = sheet_name(name if not names else f"{name[:26]}（{len(names) + 1}）", taken)
        taken.append(title)
        names.append(title)
        sheet = book.add_worksheet(title, LineSheet)
        _head(sheet, styles, cover, content, table)
        looks = _Looks(styles, table)
        last = _HEAD_ROW
        while line is not None and last + 1 < room:
            last += 1
            looks.write(sheet, last, line)
            line = next(lines, None)
        _finish(sheet, styles, cover, content, table, last)
    return names


def _lines(content: BookSheet, table: Table) -> Iterator[_Line]:
    """Each unit's rows, with whom they are from."""
    reader = Rows(table)
    nothing: frozenset[str] = frozenset()
    for unit in content.rows:
        lead = (unit.unit.code, unit.unit.name, unit.package)
        for row in reader.of(unit.answers):
            changed = nothing
            if unit.changed:
                names = (column.name for column in table.columns)
                changed = frozenset(one for one in names if cell_name(one, row.number) in unit.changed)
            yield _Line((*lead, row.number, *row.values), changed)


class _Looks:
    """The formats of a table's lines, each kind made once."""

    def __init__(self, styles: Styles, table: Table) -> None:
        self._styles, self._columns = styles, table.columns
        self._made: dict[frozenset[str], Line] = {}
        texts: list[tuple[int, float]] = [(1, _NAME_WIDTH), (2, _PACKAGE_WIDTH)]
        for place, column in enumerate(table.columns, start=len(_LEAD)):
            if column.type is FieldType.TEXT:
                texts.append((place, field_width(column)))
        self._texts = texts

    def write(self, sheet: LineSheet, at: int, line: _Line) -> None:
        """Write a line, higher than the others only where a text needs it: a million rows keep no height of their own."""
        cells = ((line.values[place], width) for place, width in self._texts)
        long = [(text, width) for text, width in cells if isinstance(text, str) and 2 * len(text) > width]
        if long and (height := row_height(*long)) > ROW_HEIGHT:
            sheet.set_row(at, height)
        sheet.write_line(at, self._line(line.changed), line.values)

    def _line(self, changed: frozenset[str]) -> Line:
        if changed not in self._made:
            styles = self._styles
            left, middle = styles.cell(text_wrap=True), styles.cell(align="center")
            figures = (self._look(column, marked=column.name in changed) for column in self._columns)
            self._made[changed] = Line([middle, left, left, middle, *figures])
        return self._made[changed]

    def _look(self, column: Field, *, marked: bool) -> Format:
        look = {"bg_color": CHANGED_FILL} if marked else {}
        if column.type is FieldType.TEXT:
            return self._styles.cell(text_wrap=True, **look)
        return field_look(self._styles, column, look)


def _title(table: Table) -> str:
    return table.name if table.name.endswith(("明细", "清单", "表")) else f"{table.name}明细"


def _head(sheet: LineSheet, styles: Styles, cover: Cover, content: BookSheet, table: Table) -> None:
    """Title, facts and headings; above each heading, unseen, which column it is, above the rows' number which form."""
    form, last_lead = content.form, len(_LEAD) - 1
    sheet.hide_gridlines(2)
    sheet.set_default_row(ROW_HEIGHT)
    for column, (_, width) in enumerate(_LEAD):
        sheet.set_column(column, column, width)
    for at, field in enumerate(table.columns, start=len(_LEAD)):
        sheet.set_column(at, at, field_width(field))
    sheet.set_row(0, 34)
    title = f"{cover.period_name}{form.title}　{_title(table)}（{area(cover.unit)}）"
    put_text(sheet, 0, 0, title, styles.get(font_name=TITLE_FACE, font_size=16, indent=1))
    sheet.set_row(1, 18)
    facts = f"表号：{form.number}　　截止时点：{moment(cover.cut_off)}　　第{cover.version}版"
    put_span(sheet, 1, 0, _ROW - 1, facts, styles.line(indent=1, font_color=GREY, text_wrap=False))
    unseen = styles.get(num_format=";;;", font_size=8)
    put_text(sheet, 1, _ROW, FIELD_MARK + form.id, unseen)
    for at, field in enumerate(table.columns, start=len(_LEAD)):
        put_text(sheet, 1, at, FIELD_MARK + field.name, unseen)
    sheet.set_row(_HEAD_ROW, 40)
    head = styles.head()
    for column, (words, _) in enumerate(_LEAD):
        put_text(sheet, _HEAD_ROW, column, words, head)
    for at, field in enumerate(table.columns, start=last_lead + 1):
        put_text(sheet, _HEAD_ROW, at, heading(field), head)


def _finish(
    sheet: LineSheet, styles: Styles, cover: Cover, content: BookSheet, table: Table, last: int
) -> None:
    """Filter, panes and print set-up; `last` is the last row written."""
    last_column = len(_LEAD) + len(table.columns) - 1
    if last > _HEAD_ROW:
        sheet.autofilter(_HEAD_ROW, 0, last, last_column)
    else:
        put_span(sheet, last + 1, 0, last_column, "各单位均未填报本表格", styles.cell(align="center"))
    sheet.freeze_panes(_HEAD_ROW + 1, 2)
    sheet.repeat_rows(_HEAD_ROW)
    sheet.fit_to_pages(1, 0)
    title = f"{book_title(cover)}　{content.form.title}　{_title(table)}"
    set_page(sheet, title, f"第{cover.version}版　{moment(cover.cut_off)}")
