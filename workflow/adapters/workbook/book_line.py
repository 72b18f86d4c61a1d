"""Whole rows of a consolidated workbook at once: the large sheets are nearly all of what is written.

XlsxWriter checks, stores and formats each cell by itself, which takes five times as long. A `Line` knows the column
and the format of every cell of a kind of row beforehand and joins the row's XML around the values; XlsxWriter writes it
where it would have written the cells. `LineSheet` relies on four things inside XlsxWriter: `table`, `dim_colmax`,
`_write_cell` and `fh`; the tests of consolidating hold them.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from workflow.domain.form import Value, column_letters

MOST_TEXT = 32_767
_MOST_EXACT = 2**53
_FORBIDDEN = re.compile("[\ud800-\udfff\ufffe\uffff]")
_LOOKS_ESCAPED = re.compile("_(?=x[0-9a-fA-F]{4}_)")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f]")
_EPOCH = dt.date(1899, 12, 30).toordinal()
_FIRST_SURE_DAY = dt.date(1900, 3, 1)


class _Cells(NamedTuple):
    """A row's cells, ready as XML."""

    xml: str


class LineSheet(Worksheet):  # type: ignore[misc]  # XlsxWriter has no annotations
    """A worksheet that takes whole lines beside single cells, top to bottom as constant_memory demands."""

    def write_line(self, row: int, line: Line, values: Sequence[Value]) -> None:
        """Write the values of a line from the first column on; everything that is not a number or day is text."""
        known = self.dim_colmax is not None and self.dim_colmax >= line.ends[1][0]
        for column, style in line.ends[: 1 if known else 2]:
            # Moves XlsxWriter to the row, and tells it once how wide the sheet is.
            self.write_blank(row, column, None, style)
        self.table[row] = {0: _Cells(line.xml(row, values))}

    def _write_cell(self, row: int, col: int, cell: Any) -> None:
        if type(cell) is _Cells:
            self.fh.write(cell.xml)
        else:
            super()._write_cell(row, col, cell)


class Line:
    """The formats of a row's cells, from the first column on."""

    def __init__(self, formats: Iterable[Format]) -> None:
        looks = tuple(formats)
        self.ends = ((0, looks[0]), (len(looks) - 1, looks[-1]))
        self._cells = [
            (f'<c r="{column_letters(number)}', f'" s="{look._get_xf_index()}"')  # noqa: SLF001
            for number, look in enumerate(looks, 1)
        ]

    def xml(self, row: int, values: Sequence[Value]) -> str:
        """The cells of a row, counted from 0."""
        number = row + 1
        return "".join(
            [
                f"{head}{number}{look}{_content(value)}"
                for (head, look), value in zip(self._cells, values, strict=True)
            ]
        )


def _content(value: Value) -> str:
    """What stands in a cell's element behind its address and format, up to its end."""
    if value is None or value == "":
        return "/>"
    if isinstance(value, str):
        return _text(value) if len(value) < 32 else _text.__wrapped__(value)
    if isinstance(value, bool):
        return _text("是" if value else "否")
    if isinstance(value, int | float) and math.isfinite(value) and abs(value) <= _MOST_EXACT:
        return f"><v>{value:.16G}</v></c>"
    if isinstance(value, dt.date) and value >= _FIRST_SURE_DAY:
        return f"><v>{value.toordinal() - _EPOCH}</v></c>"
    return _text.__wrapped__(str(value))


@lru_cache(maxsize=4096)
def _text(text: str) -> str:
    """A text as an inline string, with Excel's own way of writing signs that XML can't hold. Short ones come again
    and again.
    """
    words = _LOOKS_ESCAPED.sub("_x005F_", _FORBIDDEN.sub("\ufffd", text)[:MOST_TEXT])
    words = escape(_CONTROLS.sub(lambda found: f"_x{ord(found[0]):04X}_", words))
    space = ' xml:space="preserve"' if words != words.strip() else ""
    return f' t="inlineStr"><is><t{space}>{words}</t></is></c>'
