"""Comments 批注 in an .xls (and .et), which calamine leaves out.

A Note names its cell and an object, the object's text stands in the records behind the object. Formats: [MS-XLS] 2.4.179
(Note), 2.4.181 (Obj), 2.5.143 (FtCmo), 2.4.329 (TxO), 2.4.58 (Continue).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from workflow.adapters.workbook.biff import records, sheet_starts, workbook_stream
from workflow.domain.sheet_match import Place

_NOTE, _OBJECT, _TEXT, _CONTINUE = 0x1C, 0x5D, 0x1B6, 0x3C
#: A consolidated workbook has many cells, and its comments come behind them; the file's size is bounded before.
_MOST_RECORDS = 20_000_000


def find_biff_notes(data: bytes) -> Iterator[tuple[Place, str, str]]:
    """The comments with their places: sheet, row and column from 1; then author and words."""
    stream = workbook_stream(data)
    for start, sheet in sheet_starts(stream):
        words: dict[int, str] = {}
        notes: list[tuple[int, int, int, str]] = []
        shape, left = 0, 0  # the object whose text comes, and how many of its signs are still to come
        for kind, body in records(stream, start, _MOST_RECORDS):
            if kind == _OBJECT and len(body) >= 8:
                shape = int.from_bytes(body[6:8], "little")
            elif kind == _TEXT and len(body) >= 12:
                left = int.from_bytes(body[10:12], "little")
                words[shape] = ""
            elif kind == _CONTINUE and left and body:
                piece = body[1 : 1 + 2 * left] if body[0] & 1 else body[1 : 1 + left]
                said = piece.decode("utf-16-le" if body[0] & 1 else "latin-1", "replace")
                words[shape] += said
                left -= len(piece) // 2 if body[0] & 1 else len(piece)
            elif kind == _NOTE and len(body) >= 8:
                row, column, _, about = struct.unpack_from("<4H", body)
                notes.append((row + 1, column + 1, about, _author(body[8:])))
        for row, column, about, author in notes:
            yield (sheet, row, column), author, words.get(about, "")


def _author(body: bytes) -> str:
    """An XLUnicodeString: count, width, signs."""
    if len(body) < 3:
        return ""
    count = int.from_bytes(body[:2], "little")
    if body[2] & 1:
        return body[3 : 3 + 2 * count].decode("utf-16-le", "replace").strip()
    return body[3 : 3 + count].decode("latin-1", "replace").strip()
