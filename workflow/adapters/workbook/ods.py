"""What an .ods holds and calamine leaves out: error cells, which LibreOffice and WPS mark with `calcext:value-type="error"` and
calamine gives as blanks, and comments 批注 (`office:annotation`).
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Collection, Iterator

from lxml import etree

from workflow.adapters.workbook.cell_errors import member
from workflow.domain.sheet_match import Place
from workflow.domain.submission import CellError

_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_NAME, _TABLE_TAG, _ROW_TAG, _CELL_TAG, _COVERED = (
    f"{_TABLE}{name}" for name in ("name", "table", "table-row", "table-cell", "covered-table-cell")
)
_ROWS, _COLUMNS = f"{_TABLE}number-rows-repeated", f"{_TABLE}number-columns-repeated"
_KIND = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}value-type"
_NOTE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}annotation"
_PARAGRAPH = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}p"
_AUTHOR = "{http://purl.org/dc/elements/1.1/}creator"


def find_ods_errors(
    data: bytes, archive: zipfile.ZipFile, wanted: Collection[Place]
) -> Iterator[tuple[Place, CellError]]:
    """Which of the wanted places hold an error."""
    for place, cell in _cells(data, archive, b'value-type="error"'):
        if cell.get(_KIND) == "error" and place in wanted:
            yield place, CellError("".join(map(str, cell.itertext())).strip() or "#ERROR!")


def find_ods_notes(data: bytes, archive: zipfile.ZipFile) -> Iterator[tuple[Place, str, str]]:
    """The comments with their places: sheet, row and column from 1; then author and words."""
    for place, cell in _cells(data, archive, b"office:annotation"):
        if (note := cell.find(_NOTE)) is not None:
            lines = ("".join(map(str, line.itertext())) for line in note.iter(_PARAGRAPH))
            yield place, (note.findtext(_AUTHOR) or "").strip(), "\n".join(lines)


def _cells(data: bytes, archive: zipfile.ZipFile, mark: bytes) -> Iterator[tuple[Place, etree._Element]]:
    """Every cell with its place; none where the workbook does not hold the mark anywhere."""
    xml = member(data, archive, "content.xml")
    if mark not in xml:
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
            yield (sheet, row, column + 1), element
            column += _count(element.get(_COLUMNS))


def _count(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 8 else 1
