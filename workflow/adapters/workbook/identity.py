"""Which copy a workbook is: from the hidden sheet, else the document's properties, else the printed token.

Office programs and phones lose one or the other; what is found routes the file and proves nothing.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from html import unescape
from typing import TYPE_CHECKING

from workflow.domain.submission import CopyIdentity

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Iterable, Mapping

    from python_calamine import CalamineWorkbook

HIDDEN_SHEET = "_huizhi"
KEYS = ("campaign", "unit", "form", "version", "copy", "token")
_PREFIX = "huizhi."

TOKEN = re.compile(r"(?<![A-Z0-9])HZ-[A-Z0-9][A-Z2-7]{16}(?![A-Z0-9])")
_XLSX_PROPERTY = re.compile(
    r"""<(?:\w+:)?property\b[^>]*?\sname=["']huizhi\.(\w+)["'][^>]*>\s*<(?:\w+:)?\w+\b[^>]*>([^<]*)</""",
)
_ODS_PROPERTY = re.compile(
    r"""<meta:user-defined\b[^>]*?meta:name=["']huizhi\.(\w+)["'][^>]*>([^<]*)</""",
)


@dataclass(frozen=True, slots=True)
class Marks:
    """What a workbook says of itself.

    `kind` is answers, review or receipt, '' for a workbook known by its printed token alone; `sheets` maps the
    sheets of a consolidated workbook to the ids of their forms, `tables` names those that list the rows of repeating tables.
    """

    identity: CopyIdentity
    kind: str
    sheets: Mapping[str, str]
    tables: frozenset[str] = frozenset()


def read_marks(book: CalamineWorkbook, archive: zipfile.ZipFile | None) -> Marks | None:
    """The marks of a workbook of ours, None for a foreign one."""
    if HIDDEN_SHEET in book.sheet_names:
        marks = _marks(_hidden_values(book))
        if marks is not None:
            return marks
    marks = _marks(_properties(archive)) if archive is not None else None
    if marks is not None:
        return marks
    token = printed_token(book)
    return Marks(CopyIdentity("", "", "", 0, 0, token), "", {}) if token else None


def _hidden_values(book: CalamineWorkbook) -> dict[str, str]:
    values: dict[str, str] = {}
    for row in book.get_sheet_by_name(HIDDEN_SHEET).to_python(skip_empty_area=False):
        if len(row) >= 2:
            values[_text(row[0])] = _text(row[1])
    return values


def _text(value: object) -> str:
    """Text of a mark; an office program may have turned 410101 into 410101.0."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def _properties(archive: zipfile.ZipFile) -> dict[str, str]:
    for part, pattern in (("docProps/custom.xml", _XLSX_PROPERTY), ("meta.xml", _ODS_PROPERTY)):
        try:
            xml = archive.read(part).decode("utf-8", "replace")
        except KeyError:
            continue
        return {key: unescape(value).strip() for key, value in pattern.findall(xml)}
    return {}


def _marks(values: Mapping[str, str]) -> Marks | None:
    if not (values.get("campaign") and values.get("unit")):
        return None
    identity = CopyIdentity(
        values["campaign"],
        values["unit"],
        values.get("form", ""),
        _number(values.get("version", "")),
        _number(values.get("copy", "")),
        values.get("token", ""),
    )
    sheets = {key.removeprefix("sheet:"): form for key, form in values.items() if key.startswith("sheet:")}
    tables = frozenset(key.removeprefix("table:") for key in values if key.startswith("table:"))
    return Marks(identity, values.get("kind") or "answers", sheets, tables)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def printed_token(book: CalamineWorkbook) -> str:
    """The token that is printed in a cell of any sheet, '' where there is none."""
    for name in book.sheet_names:
        token = token_among(value for row in book.get_sheet_by_name(name).iter_rows() for value in row)
        if token:
            return token
    return ""


def token_among(values: Iterable[object]) -> str:
    """The first token in the texts of some cells, full-width or in small letters too."""
    for value in values:
        if isinstance(value, str) and len(value) > 15:
            text = value.upper()
            if "HZ" not in text:
                text = unicodedata.normalize("NFKC", text)
            match = TOKEN.search(text) or (
                TOKEN.search(unicodedata.normalize("NFKC", text)) if "HZ" in text else None
            )
            if match is not None:
                return match[0]
    return ""
