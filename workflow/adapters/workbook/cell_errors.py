"""Cells that only look blank: Excel errors and formulas without a cached value, told from the raw sheet XML.

calamine gives '' for both. This looks at .xlsx (`biff`, `biff12` and `ods` at the others), and a sheet is searched only where it holds such cells.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from functools import lru_cache
from html import unescape
from typing import TYPE_CHECKING

from workflow.domain.submission import CellError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

NO_VALUE = "#无值"

_SHEET = re.compile(r"<(?:\w+:)?sheet\b[^>]*>")
_RELATION = re.compile(r"<(?:\w+:)?Relationship\b[^>]*>")
_CACHED = re.compile(rb"<(?:\w+:)?v\b[^>]*>([^<]*)<")
_FORMULA = re.compile(rb"<(?:\w+:)?f\b")


def find_cell_errors(
    data: bytes, archive: zipfile.ZipFile, wanted: Collection[tuple[str, str]]
) -> Iterator[tuple[tuple[str, str], CellError]]:
    """Which of the wanted (sheet, address such as E12) hold an error or a formula without a value.

    `archive` is the directory of the zip in `data`.
    """
    parts = sheet_parts(data, archive)
    addresses: dict[str, list[str]] = {}
    for sheet, address in wanted:
        addresses.setdefault(sheet, []).append(address)
    for sheet, of_sheet in addresses.items():
        if sheet not in parts:
            continue
        xml = member(data, archive, parts[sheet])
        xml = xml[: xml.find(b"</sheetData>")]  # what follows holds the formulas of data validations
        if b't="e"' not in xml and b"<f>" not in xml and b"<f " not in xml and b":f" not in xml:
            continue
        for address in of_sheet:
            error = _error_at(xml, address)
            if error is not None:
                yield (sheet, address), error


def _error_at(xml: bytes, address: str) -> CellError | None:
    at = xml.find(f'r="{address}"'.encode())
    if at < 0:
        return None
    begin, end = xml.rfind(b"<", 0, at), xml.find(b">", at)
    attributes = xml[begin:end]
    if attributes.endswith(b"/"):
        return None
    tag = attributes[1:].split(None, 1)[0]  # `c`, or with a namespace prefix `x:c`
    close = xml.find(b"</" + tag + b">", end)
    return _error_in(attributes, xml[end + 1 : close])


def _error_in(attributes: bytes, body: bytes) -> CellError | None:
    cached = _CACHED.search(body)
    if b't="e"' in attributes:
        return CellError(cached[1].decode("utf-8", "replace") if cached else "#ERROR!")
    if _FORMULA.search(body) is None:
        return None
    # A formula whose result is the empty text has a cached value too: an empty one, of type str.
    if cached is None or (not cached[1] and b't="str"' not in attributes):
        return CellError(NO_VALUE)
    return None


def sheet_parts(data: bytes, archive: zipfile.ZipFile) -> Mapping[str, str]:
    """The name of the part that holds each sheet of an .xlsx; empty for other archives."""
    try:
        book = member(data, archive, "xl/workbook.xml")
        relations = member(data, archive, "xl/_rels/workbook.xml.rels")
    except KeyError:
        return {}
    names = archive.NameToInfo
    return {sheet: part for sheet, part in _parts(book, relations).items() if part in names}


def member(data: bytes, archive: zipfile.ZipFile, name: str) -> bytes:
    """A member's bytes; our own inflating, since ZipFile.read costs more than the small parts themselves."""
    info = archive.NameToInfo[name]
    if info.compress_type != zipfile.ZIP_DEFLATED:
        return archive.read(name)
    at = info.header_offset
    start = at + 30 + int.from_bytes(data[at + 26 : at + 28], "little")
    start += int.from_bytes(data[at + 28 : at + 30], "little")
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    return inflate.decompress(data[start : start + info.compress_size], max(1, info.file_size))


@lru_cache(maxsize=64)  # the copies of a form share these two parts
def _parts(book_xml: bytes, relations_xml: bytes) -> Mapping[str, str]:
    book, relations = book_xml.decode("utf-8", "replace"), relations_xml.decode("utf-8", "replace")
    targets = relation_targets(relations)
    parts: dict[str, str] = {}
    for match in _SHEET.finditer(book):
        relation = _attribute(match[0], r"\w+:id")
        if relation in targets:
            parts[unescape(_attribute(match[0], "name"))] = targets[relation]
    return parts


def relation_targets(relations: str) -> dict[str, str]:
    """The parts that a workbook's relations lead to, by their ids."""
    targets: dict[str, str] = {}
    for match in _RELATION.finditer(relations):
        target = unescape(_attribute(match[0], "Target"))
        targets[_attribute(match[0], "Id")] = target[1:] if target.startswith("/") else f"xl/{target}"
    return targets


def _attribute(tag: str, name: str) -> str:
    match = re.search(rf"""\s{name}=(?:"([^"]*)"|'([^']*)')""", tag)
    if match is None:
        return ""
    return match[1] if match[1] is not None else match[2]
