"""Error cells of an .ods, which calamine gives as blanks: LibreOffice and WPS mark them with `calcext:value-type="error"`."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Collection, Iterator

from lxml import etree

from workflow.adapters.workbook.cell_errors import member
from workflow.domain.labels import Place
from workflow.domain.submission import CellError

_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_NAME, _TABLE_TAG, _ROW_TAG, _CELL_TAG, _COVERED = (
    f"{_TABLE}{name}" for name in ("name", "table", "table-row", "table-cell", "covered-table-cell")
)
_ROWS, _COLUMNS = f"{_TABLE}number-rows-repeated", f"{_TABLE}number-columns-repeated"
_KIND = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}value-type"
_MARK = b'value-type="error"'


def find_ods_errors(
    data: bytes, archive: zipfile.ZipFile, wanted: Collection[Place]
) -> Iterator[tuple[Place, CellError]]:
    """Which of the wanted places hold an error."""
    xml = member(data, archive, "content.xml")
    if _MARK not in xml:
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
            if element.get(_KIND) == "error" and (place := (sheet, row, column + 1)) in wanted:
                yield place, CellError("".join(element.itertext()).strip() or "#ERROR!")
            column += _count(element.get(_COLUMNS))


def _count(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 8 else 1
