"""The records of an .xls (and .et) that calamine does not tell of: cells that hold an error, and the date system.

Formats: [MS-XLS] 2.1.4 (records), 2.4.28 (BoundSheet8), 2.4.24 (BoolErr), 2.4.127 (Formula), 2.4.76 (Date1904).
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Mapping

import olefile  # type: ignore[import-untyped]

from workflow.domain.submission import CellError

_BOUND_SHEET, _BOOL_ERR, _FORMULA, _DATE_1904 = 0x85, 0x205, 0x06, 0x22
_BOF, _EOF = 0x809, 0x0A
#: The kinds of BoundSheet8 that run: Excel 4.0 macros, Visual Basic.
_MACRO_SHEETS = frozenset({b"\1", b"\6"})
#: The codes of errors in .xls and .xlsb alike.
ERRORS = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A"}
#: No workbook of ours has as many records; a damaged one may seem to.
_MOST_RECORDS = 500_000


def find_biff_errors(data: bytes) -> Mapping[tuple[str, int, int], CellError]:
    """The cells that hold an error, by sheet name, row and column from 1; empty where the stream can't be read."""
    stream = workbook_stream(data)
    found: dict[tuple[str, int, int], CellError] = {}
    for start, name in sheet_starts(stream):
        for kind, body in records(stream, start):
            code = _error_code(kind, body)
            if code is not None:
                row, column = struct.unpack_from("<HH", body)
                found[name, row + 1, column + 1] = CellError(ERRORS.get(code, "#ERROR!"))
    return found


def sheet_starts(stream: bytes) -> list[tuple[int, str]]:
    """Where each sheet's records begin, and its name."""
    sheets: list[tuple[int, str]] = []
    for kind, body in records(stream, 0):
        if kind == _BOUND_SHEET and len(body) >= 8:
            length, wide = body[6], body[7] & 1
            raw = body[8 : 8 + length * (2 if wide else 1)]
            name = raw.decode("utf-16-le" if wide else "latin-1", "replace")
            sheets.append((int.from_bytes(body[:4], "little"), name))
    return sheets


def has_macro_sheet(data: bytes) -> bool:
    """Whether an .xls has a sheet of Excel 4.0 macros or a Visual Basic module of Excel 5, hidden or not."""
    return any(
        kind == _BOUND_SHEET and body[5:6] in _MACRO_SHEETS
        for kind, body in records(workbook_stream(data), 0)
    )


def biff_counts_from_1904(data: bytes) -> bool:
    """Whether the workbook's day 0 is 1904-01-01."""
    return any(kind == _DATE_1904 and body[:1] == b"\1" for kind, body in records(workbook_stream(data), 0))


def _error_code(kind: int, body: bytes) -> int | None:
    if kind == _BOOL_ERR and len(body) >= 8 and body[7] == 1:
        return body[6]
    # A formula's cached value is an error where its last two bytes are FFFF and its first is 2.
    if kind == _FORMULA and len(body) >= 14 and body[12:14] == b"\xff\xff" and body[6] == 2:
        return body[8]
    return None


def workbook_stream(data: bytes) -> bytes:
    """The stream that holds the records; empty where it can't be read."""
    try:
        with olefile.OleFileIO(io.BytesIO(data)) as compound:
            for name in ("Workbook", "Book"):
                if compound.exists(name):
                    content: bytes = compound.openstream(name).read()
                    return content
    except (OSError, ValueError, IndexError, struct.error):
        pass  # calamine has read the file; what only this looks for is then not found
    return b""


def records(stream: bytes, at: int, most: int = _MOST_RECORDS) -> Iterator[tuple[int, bytes]]:
    """The records of one substream: to its end, which its own nested ones (charts) do not count as."""
    depth = 0
    for _ in range(most):
        if at + 4 > len(stream):
            return
        kind, length = struct.unpack_from("<HH", stream, at)
        yield kind, stream[at + 4 : at + 4 + length]
        depth += (kind == _BOF) - (kind == _EOF)
        if depth <= 0:
            return
        at += 4 + length
