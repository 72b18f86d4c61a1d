"""Comments 批注 in an .ods, which calamine leaves out: `office:annotation` in the cell that they are on."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

from lxml import etree

from workflow.adapters.workbook.cell_errors import member
from workflow.domain.labels import Place

_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_NAME, _TABLE_TAG, _ROW_TAG, _CELL_TAG, _COVERED = (
    f"{_TABLE}{name}" for name in ("name", "table", "table-row", "table-cell", "covered-table-cell")
)
_ROWS, _COLUMNS = f"{_TABLE}number-rows-repeated", f"{_TABLE}number-columns-repeated"
_NOTE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}annotation"
_PARAGRAPH = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}p"
_AUTHOR = "{http://purl.org/dc/elements/1.1/}creator"


def find_ods_notes(data: bytes, archive: zipfile.ZipFile) -> Iterator[tuple[Place, str, str]]:
    """The comments with their places: sheet, row and column from 1; then author and words."""
    xml = member(data, archive, "content.xml")
    if b"office:annotation" not in xml:
        return
    sheet, row, column, high = "", 0, 0, 1
    reading = etree.iterparse(
        io.BytesIO(xml),
        events=("start", "end"),
        tag=(_TABLE_TAG, _ROW_TAG, _CELL_TAG, _COVERED),
        resolve_entities=False,
    )
    for event, element in reading:
        if element.tag == _TABLE_TAG:
            sheet, row, high = (element.get(_NAME) or "", 0, 1) if event == "start" else ("", row, high)
        elif element.tag == _ROW_TAG:
            if event == "start":
                row, column, high = row + 1, 0, _count(element.get(_ROWS))
            else:
                row += high - 1
                element.clear()
        elif event == "end":
            if (note := element.find(_NOTE)) is not None:
                lines = ("".join(line.itertext()) for line in note.iter(_PARAGRAPH))
                author = (note.findtext(_AUTHOR) or "").strip()
                yield (sheet, row, column + 1), author, "\n".join(lines)
            column += _count(element.get(_COLUMNS))


def _count(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 8 else 1
