"""The records of an .xlsb that calamine does not tell of: cells that hold an error or a formula without a value, the date system.

Formats: [MS-XLSB] 2.1.4 (records), 2.4.303 (BrtBundleSh), 2.4.822 (BrtWbProp), 2.4.324 (BrtCellError), 2.4.674 (BrtFmlaError),
2.4.677 (BrtFmlaString).
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Collection, Iterator, Mapping

from workflow.adapters.workbook.biff import ERRORS
from workflow.adapters.workbook.cell_errors import NO_VALUE, member, relation_targets
from workflow.domain.sheet_match import Place
from workflow.domain.submission import CellError

BOOK = "xl/workbook.bin"
_RELATIONS = "xl/_rels/workbook.bin.rels"

_ROW, _CELL_ERROR, _FORMULA_STRING, _FORMULA_ERROR = 0, 3, 8, 11
_END_OF_CELLS, _BOOK_PROPERTIES, _SHEET = 146, 153, 156
#: The formula is to be worked out when the file is opened: nothing has worked it out yet.
_ALWAYS_CALC = 2


def find_biff12_errors(
    data: bytes, archive: zipfile.ZipFile, wanted: Collection[Place]
) -> Iterator[tuple[Place, CellError]]:
    """Which of the wanted places hold an error or a formula without a value."""
    parts = _sheet_parts(data, archive)
    for sheet in dict.fromkeys(place[0] for place in wanted):
        if sheet not in parts:
            continue
        row = 0
        for kind, body in _records(member(data, archive, parts[sheet])):
            if kind == _ROW and len(body) >= 4:
                row = int.from_bytes(body[:4], "little") + 1
            elif kind == _END_OF_CELLS:
                break
            elif (code := _error(kind, body)) is not None:
                place = (sheet, row, int.from_bytes(body[:4], "little") + 1)
                if place in wanted:
                    yield place, CellError(code)


def biff12_counts_from_1904(data: bytes, archive: zipfile.ZipFile) -> bool:
    """Whether the workbook's day 0 is 1904-01-01."""
    records = _records(member(data, archive, BOOK))
    return any(kind == _BOOK_PROPERTIES and body[:1] and body[0] & 1 for kind, body in records)


def _error(kind: int, body: bytes) -> str | None:
    """The error of a cell: its record begins with column and style, eight bytes, then comes the value."""
    if kind in {_CELL_ERROR, _FORMULA_ERROR} and len(body) >= 9:
        return ERRORS.get(body[8], "#ERROR!")
    # An empty text may be a formula's honest result.
    if kind == _FORMULA_STRING and len(body) >= 14 and body[8:12] == bytes(4) and body[12] & _ALWAYS_CALC:
        return NO_VALUE
    return None


def _sheet_parts(data: bytes, archive: zipfile.ZipFile) -> Mapping[str, str]:
    """The name of the part that holds each sheet."""
    try:
        book, relations = member(data, archive, BOOK), member(data, archive, _RELATIONS)
    except KeyError:
        return {}
    targets = relation_targets(relations.decode("utf-8", "replace"))
    parts: dict[str, str] = {}
    for kind, body in _records(book):
        if kind != _SHEET:
            continue
        try:
            relation, after = _text(body, 8)
            name, _ = _text(body, after)
        except struct.error:
            continue
        if targets.get(relation) in archive.NameToInfo:
            parts[name] = targets[relation]
    return parts


def _text(body: bytes, at: int) -> tuple[str, int]:
    """An XLWideString, and where it ends."""
    (length,) = struct.unpack_from("<I", body, at)
    end = at + 4 + 2 * length
    return body[at + 4 : end].decode("utf-16-le", "replace"), end


def _records(part: bytes) -> Iterator[tuple[int, bytes]]:
    """The records of a part: kind and length, seven bits a byte, then the body."""
    at = 0
    while at < len(part):
        kind, at = part[at], at + 1
        if kind & 0x80 and at < len(part):
            kind, at = kind & 0x7F | (part[at] & 0x7F) << 7, at + 1
        length, shift = 0, 0
        while at < len(part) and shift < 28:
            byte, at = part[at], at + 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
        yield kind, part[at : at + length]
        at += length
