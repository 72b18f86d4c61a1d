"""What people and their programs do to a workbook on its way back: archives of all kinds, winmail.dat, a table in a mail."""

from __future__ import annotations

import datetime as dt
import importlib
import io
import struct
import zipfile
import zlib

import openpyxl

from tests.servers import running
from workflow.adapters.workbook.containers import libarchive_works


def page(data: bytes, *, foreign: str = "") -> bytes:
    """The sheets as tables of a mail's HTML, as Outlook and the webmails paste them: spans kept, everything text."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    tables = []
    for sheet in book:
        if sheet.sheet_state != "visible":
            continue
        spans = {
            (a.min_row, a.min_col): (a.max_row - a.min_row + 1, a.max_col - a.min_col + 1)
            for a in sheet.merged_cells.ranges
        }
        covered = {(row, column) for a in sheet.merged_cells.ranges for row, column in a.cells} - spans.keys()
        rows = []
        for row in sheet.iter_rows():
            cells = []
            for cell in row:
                if (cell.row, cell.column) in covered:
                    continue
                high, wide = spans.get((cell.row, cell.column), (1, 1))
                value = cell.value.strftime("%Y/%m/%d") if isinstance(cell.value, dt.datetime) else cell.value
                words = "&nbsp;" if value is None else str(value).replace("\n", "<br>\n   ")
                cells.append(f'<td rowspan="{high}" colspan={wide}><font><span>{words}</span></font></td>')
            rows.append(f"<tr>{''.join(cells)}</tr>")
        tables.append(f"<table><tbody>{''.join(rows)}</tbody></table>")
    inner = "<br>".join(tables)
    return f"<html><body><p>各位老师：</p><table><tr><td>{inner}</td></tr></table>{foreign}</body></html>".encode()


def zipped(files: dict[str, bytes], encoding: str = "gbk") -> bytes:
    """An archive as Windows in Chinese writes it: names in GBK, no flag that says so."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for at, content in enumerate(files.values()):
            archive.writestr(f"{at:04}", content)
    data = target.getvalue()
    for at, name in enumerate(files):
        raw = name.encode(encoding)
        # A name of another length moves all behind it: write local header and directory anew.
        data = _renamed(data, f"{at:04}".encode(), raw)
    return data


def _renamed(data: bytes, old: bytes, new: bytes) -> bytes:
    at = data.index(b"PK\3\4", 0)
    while data[at + 30 : at + 34] != old:
        at = data.index(b"PK\3\4", at + 4)
    grown = len(new) - len(old)
    data = data[: at + 26] + struct.pack("<H", len(new)) + data[at + 28 : at + 30] + new + data[at + 34 :]
    end = data.rindex(b"PK\5\6")
    start = struct.unpack_from("<I", data, end + 16)[0] + grown
    entry = start
    while data[entry : entry + 4] == b"PK\1\2":
        length, extra, comment = struct.unpack_from("<HHH", data, entry + 28)
        offset = struct.unpack_from("<I", data, entry + 42)[0]
        if offset > at:
            data = data[: entry + 42] + struct.pack("<I", offset + grown) + data[entry + 46 :]
        if data[entry + 46 : entry + 46 + length] == old:
            data = (
                data[: entry + 28]
                + struct.pack("<H", len(new))
                + data[entry + 30 : entry + 46]
                + new
                + data[entry + 46 + length :]
            )
            length = len(new)
        entry += 46 + length + extra + comment
    size = struct.pack("<I", entry - start)
    return data[: entry + 12] + size + struct.pack("<I", start) + data[entry + 20 :]


def seven_zipped(files: dict[str, bytes]) -> bytes:
    if not libarchive_works():
        running.unavailable("libarchive is not installed (libarchive13)")
    libarchive = importlib.import_module("libarchive")
    blocks: list[bytes] = []
    with libarchive.custom_writer(lambda block: blocks.append(bytes(block)) or len(block), "7zip") as archive:
        for name, content in files.items():
            archive.add_file_from_memory(name, len(content), content)
    return b"".join(blocks)


def vint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def rarred(files: dict[str, bytes]) -> bytes:
    """RAR 5 with everything stored: no free program writes the format."""

    if not libarchive_works():
        running.unavailable("libarchive is not installed (libarchive13)")

    def block(kind: int, flags: int, body: bytes, size: int | None = None) -> bytes:
        inner = vint(kind) + vint(flags) + (vint(size) if size is not None else b"") + body
        inner = vint(len(inner)) + inner
        return struct.pack("<I", zlib.crc32(inner)) + inner

    out = b"Rar!\x1a\x07\x01\x00" + block(1, 0, vint(0))
    for name, content in files.items():
        raw = name.encode()
        body = (
            vint(4)
            + vint(len(content))
            + vint(0o100644)
            + struct.pack("<I", zlib.crc32(content))
            + vint(0)
            + vint(1)
            + vint(len(raw))
            + raw
        )
        out += block(2, 2, body, len(content)) + content
    return out + block(5, 0, vint(0))


def tnef(files: dict[str, bytes]) -> bytes:
    """A winmail.dat: attachments as Outlook packs them in its own format."""

    def attribute(level: int, number: int, body: bytes) -> bytes:
        return struct.pack("<BIL", level, number, len(body)) + body + struct.pack("<H", sum(body) & 0xFFFF)

    out = struct.pack("<IH", 0x223E9F78, 1) + attribute(1, 0x00089006, struct.pack("<I", 0x00010000))
    for name, content in files.items():
        out += attribute(2, 0x00069002, bytes(14)) + attribute(2, 0x00018010, name.encode("gbk") + b"\0")
        out += attribute(2, 0x0006800F, content)
    return out
