"""The rows of a definition sheet, read from its own part and the shared strings.

Nothing else of the workbook is looked at: a library that reads the whole of it refuses a form for a font or a fill of some
office program that no definition speaks of.
"""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from workflow.adapters.workbook.package import measure, tag, whole
from workflow.adapters.workbook.shared_strings import Strings, text_of
from workflow.adapters.workbook.worksheet import place_of

_C, _ROW, _V, _F, _IS = (tag(name) for name in ("c", "row", "v", "f", "is"))


def definition_rows(root: etree._Element, strings: Strings) -> list[tuple[object, ...]]:
    """Each row from the first to the last filled one, as far as it is filled: texts, numbers, logical values, and of a
    formula its text behind `=`. A day is its serial number. Raises NotAWorkbook.
    """
    rows: list[tuple[object, ...]] = []
    shared: dict[str, str] = {}
    for number, row in _numbered(root):
        values: list[object] = []
        for column, cell in _cells(row):
            value = _value(cell, strings, shared)
            if value is not None:
                values += [None] * (column - len(values))
                values[column - 1] = value
        if values:
            rows += [()] * (number - len(rows))
            rows[number - 1] = tuple(values)
    return rows


def _numbered(root: etree._Element) -> Iterator[tuple[int, etree._Element]]:
    number = 0
    for row in root.iterfind(f"{tag('sheetData')}/{_ROW}"):
        number = max(1, whole(row.get("r"), number + 1))
        yield number, row


def _cells(row: etree._Element) -> Iterator[tuple[int, etree._Element]]:
    column = 0
    for cell in row.iterfind(_C):
        place = place_of(cell.get("r", ""))
        column = place[1] if place else column + 1
        yield column, cell


def _value(cell: etree._Element, strings: Strings, shared: dict[str, str]) -> object:
    formula = cell.find(_F)
    if formula is not None:
        # Formulas over names read the same in every cell that shares one.
        key = formula.get("si", "")
        text = formula.text or shared.get(key, "")
        if key and text:
            shared[key] = text
        return f"={text}" if text else None
    kind, value = cell.get("t", "n"), (cell.findtext(_V) or "").strip()
    if kind == "inlineStr":
        inline = cell.find(_IS)
        return text_of(inline) if inline is not None else None
    if not value:
        return None
    if kind == "s":
        return strings.text(whole(value))
    if kind == "b":
        return value == "1"
    if kind == "n":
        number = measure(value, 0)
        return int(number) if number.is_integer() else number
    return cell.findtext(_V)
