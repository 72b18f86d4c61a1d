"""Where the rows of a repeating table stand in a form: the row of its tags and the blank rows drawn below."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from workflow.adapters.workbook.tags import TaggedCell
from workflow.domain.form import Field, Table, cell_name

if TYPE_CHECKING:
    from workflow.adapters.workbook.definition import Definition
    from workflow.adapters.workbook.styles import Styles
    from workflow.adapters.workbook.worksheet import Worksheet

#: A table has room for three times its drawn rows, and for twenty more than these at least, unless 设置 says otherwise.
_TIMES, _AT_LEAST, _MOST = 2, 20, 200
_ROOM = re.compile(r"行数\s*[:：]\s*(\S+)")


def room_of(key: str) -> str:
    """The table whose room a key of the 设置 sheet sets, `行数：设备`; '' for another key."""
    match = _ROOM.fullmatch(key)
    return match[1] if match else ""


@dataclass(frozen=True, slots=True)
class Block:
    """A table as it is drawn: the cells of its columns in the first row, and how many rows there are."""

    table: Table
    sheet: Worksheet
    tags: tuple[TaggedCell, ...]
    rows: int

    def cells(self) -> list[TaggedCell]:
        """The cells of the drawn rows."""
        return [
            replace(tag, row=tag.row + step, field=cell_name(tag.field, step + 1))
            for step in range(self.rows)
            for tag in self.tags
        ]


def lay_out(
    found: Definition, sheets: Sequence[Worksheet], cells: Sequence[TaggedCell], styles: Styles
) -> list[Block]:
    """The tables of a form; what is wrong with their tags goes to the definition's faults."""
    blocks = []
    by_name = {sheet.entry.name: sheet for sheet in sheets}
    for name, columns in found.tables().items():
        own = {cell.field: cell for cell in cells}
        tags = [own[column.name] for column in columns if column.name in own]
        if len(tags) < len(columns):
            continue  # a column without a tag is a fault already
        first = tags[0]
        astray = [tag for tag in tags if (tag.sheet, tag.row) != (first.sheet, first.row)]
        for tag in astray:
            what = f"“{{{{{tag.field}}}}}”与“{{{{{first.field}}}}}”（{first.cell}）不在同一行"
            found.fault(tag.cell, what, "一个表格各列的标记写在同一张工作表的同一行，即表格的第一行")
        sheet = by_name[first.sheet]
        tall = [tag for tag in tags if sheet.area((tag.row, tag.column)).bottom > tag.row]
        for tag in tall:
            found.fault(tag.cell, "表格的一格由上下几行合并而成", "表格一行占工作表的一行，请取消上下合并")
        if not astray and not tall:
            drawn = _drawn_rows(sheet, tags, styles)
            blocks.append(Block(_table(found, name, columns, drawn), sheet, tuple(tags), drawn))
    return blocks


def _table(found: Definition, name: str, columns: Sequence[Field], drawn: int) -> Table:
    room = drawn + max(_TIMES * drawn, _AT_LEAST)
    for key, words in found.settings.items():
        if room_of(key) == name:
            wanted = int(words) if words.isascii() and words.isdecimal() else 0
            if drawn <= wanted <= _MOST:
                room = wanted
            else:
                what = f"“{key}”写的是“{words}”"
                found.fault("设置", what, f"请写整数：不少于画出的 {drawn} 行，不超过 {_MOST} 行")
    if drawn > _MOST:
        found.fault("设置", f"“{name}”表画出了 {drawn} 行", f"最多 {_MOST} 行，请删去一些")
    return Table(name, tuple(columns), room)


def _drawn_rows(sheet: Worksheet, tags: Sequence[TaggedCell], styles: Styles) -> int:
    """How many rows: below that of the tags each whose cells are blank and drawn alike, up to the next printed text. A
    text that the first row has too (台, 合并的行首) and a serial number are no end.
    """
    words: dict[int, dict[int, str]] = {}
    for row, column, text in sheet.texts():
        words.setdefault(row, {})[column] = text.strip()
    first = tags[0].row
    rows = 1
    while rows <= _MOST and all(_alike(sheet, tag, rows, styles) for tag in tags):
        there = words.get(first + rows, {})
        if any(not text.isdecimal() and text != words[first].get(at) for at, text in there.items()):
            break
        rows += 1
    return rows


def _alike(sheet: Worksheet, tag: TaggedCell, step: int, styles: Styles) -> bool:
    style = sheet.blank_style((tag.row + step, tag.column))
    if style is None:
        return False
    own, there = sheet.area((tag.row, tag.column)), sheet.area((tag.row + step, tag.column))
    if (own.right, there.bottom) != (there.right, tag.row + step):
        return False
    drawn = styles.drawn(sheet.style((tag.row, tag.column)))
    return styles.drawn(style) == drawn and drawn != ("0", False)
