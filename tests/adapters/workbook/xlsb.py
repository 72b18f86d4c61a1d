"""A small writer of .xlsb, which no program at hand writes: [MS-XLSB] with texts in their cells and one style for days."""

from __future__ import annotations

import datetime as dt
import io
import struct
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import openpyxl

if TYPE_CHECKING:
    from collections.abc import Mapping

EPOCH = dt.datetime(1899, 12, 30)  # noqa: DTZ001 - a cell has no zone
_CODES = {"#NULL!": 0, "#DIV/0!": 7, "#VALUE!": 15, "#REF!": 23, "#NAME?": 29, "#NUM!": 36, "#N/A": 42}
_TYPES = "application/vnd.ms-excel.sheet.binary.macroEnabled.main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


@dataclass(frozen=True)
class Error:
    """A cell with an error, typed or a formula's result."""

    code: str
    formula: bool = False


@dataclass(frozen=True)
class Formula:
    """A formula whose result is a text; `worked_out` is false where no program has reckoned it yet."""

    text: str = ""
    worked_out: bool = True


def as_xlsb(data: bytes, cells: Mapping[str, object] | None = None, *, since_1904: bool = False) -> bytes:
    """An .xlsx written as .xlsb, with other values in some cells (`sheet!A1`); its own properties come along."""
    book = openpyxl.load_workbook(io.BytesIO(data), data_only=True)
    target = io.BytesIO()
    with (
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive,
        zipfile.ZipFile(io.BytesIO(data)) as old,
    ):
        archive.writestr("[Content_Types].xml", _content_types(len(book.sheetnames)))
        archive.writestr("_rels/.rels", _relations({"r1": ("officeDocument", "xl/workbook.bin")}))
        sheets = {
            f"rId{n}": ("worksheet", f"worksheets/sheet{n}.bin") for n in range(1, len(book.sheetnames) + 1)
        }
        archive.writestr(
            "xl/_rels/workbook.bin.rels", _relations({**sheets, "rIdS": ("styles", "styles.bin")})
        )
        archive.writestr("xl/workbook.bin", _book(book.sheetnames, since_1904=since_1904))
        archive.writestr("xl/styles.bin", _styles())
        if "docProps/custom.xml" in old.namelist():
            archive.writestr("docProps/custom.xml", old.read("docProps/custom.xml"))
        for at, sheet in enumerate(book, start=1):
            values = {
                (c.row, c.column): c.value for row in sheet.iter_rows() for c in row if c.value is not None
            }
            for place, value in (cells or {}).items():
                name, _, ref = place.partition("!")
                if name == sheet.title:
                    values[sheet[ref].row, sheet[ref].column] = value
            archive.writestr(f"xl/worksheets/sheet{at}.bin", _sheet(values))
    return target.getvalue()


def _record(kind: int, body: bytes = b"") -> bytes:
    out = bytearray([kind] if kind < 0x80 else [kind & 0x7F | 0x80, kind >> 7])
    length = len(body)
    while length > 0x7F:
        out.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes([*out, length]) + body


def _text(text: str) -> bytes:
    raw = text.encode("utf-16-le")
    return struct.pack("<I", len(raw) // 2) + raw


def _book(names: list[str], *, since_1904: bool) -> bytes:
    sheets = b"".join(
        _record(156, struct.pack("<II", 0, at) + _text(f"rId{at}") + _text(name))
        for at, name in enumerate(names, start=1)
    )
    properties = _record(153, struct.pack("<II", int(since_1904), 0) + _text(""))
    return _record(131) + properties + _record(143) + sheets + _record(144) + _record(132)


def _styles() -> bytes:
    styles = b"".join(
        _record(47, struct.pack("<HHHHHBBHH", 0xFFFF, fmt, 0, 0, 0, 0, 0, 0, 0)) for fmt in (0, 14)
    )
    return _record(278) + _record(617, struct.pack("<I", 2)) + styles + _record(618) + _record(279)


def _sheet(values: Mapping[tuple[int, int], object]) -> bytes:
    rows: dict[int, list[tuple[int, object]]] = {}
    for (row, column), value in sorted(values.items()):
        rows.setdefault(row, []).append((column, value))
    body = b""
    for row, cells in rows.items():
        body += _record(0, struct.pack("<IIHBBB", row - 1, 0, 300, 0, 0, 0) + struct.pack("<I", 0))
        body += b"".join(_cell(column - 1, value) for column, value in cells)
    last = max((column for _, column in values), default=1)
    size = _record(148, struct.pack("<IIII", 0, max(rows, default=1) - 1, 0, last - 1))
    return _record(129) + size + _record(145) + body + _record(146) + _record(130)


def _cell(column: int, value: object) -> bytes:
    head = struct.pack("<II", column, int(isinstance(value, dt.date)))
    formula = struct.pack("<II", 0, 0)
    match value:
        case Error(code, True):
            return _record(11, head + bytes([_CODES[code]]) + struct.pack("<H", 0) + formula)
        case Error(code):
            return _record(3, head + bytes([_CODES[code]]))
        case Formula(text, worked_out):
            return _record(8, head + _text(text) + struct.pack("<H", 0 if worked_out else 2) + formula)
        case bool():
            return _record(4, head + bytes([value]))
        case int() | float():
            return _record(5, head + struct.pack("<d", value))
        case dt.datetime():
            return _record(5, head + struct.pack("<d", (value - EPOCH) / dt.timedelta(days=1)))
        case _:
            return _record(6, head + _text(str(value)))


def _relations(targets: Mapping[str, tuple[str, str]]) -> str:
    inner = "".join(
        f'<Relationship Id="{known}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for known, (kind, target) in targets.items()
    )
    space = "http://schemas.openxmlformats.org/package/2006/relationships"
    return f'<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="{space}">{inner}</Relationships>'


def _content_types(sheets: int) -> str:
    space = "http://schemas.openxmlformats.org/package/2006/content-types"
    parts = {"xl/workbook.bin": _TYPES, "xl/styles.bin": "application/vnd.ms-excel.styles"}
    parts |= {
        f"xl/worksheets/sheet{n}.bin": "application/vnd.ms-excel.worksheet" for n in range(1, sheets + 1)
    }
    inner = "".join(f'<Override PartName="/{part}" ContentType="{kind}"/>' for part, kind in parts.items())
    rels = (
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    )
    return f'<?xml version="1.0" encoding="UTF-8"?><Types xmlns="{space}">{rels}{inner}</Types>'
