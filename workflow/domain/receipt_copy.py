"""The electronic copy of 附件2: what was typed into its table, in whatever program, found by the table's own words.

The copy may be our own form, the notice's page typed anew, or a table in a text document: headings and roles are what all have.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workflow.domain.receipt import NOT_ASKED, Cell, Column, Entry, ReceiptAnswers
from workflow.domain.roster import Role

#: No other table of ours or of the notice has this heading.
_OWN = Column.CHANGED
_LEAST_HEADINGS = 5
#: The label of the line above the table, its unit's name behind it.
_NAME_LABEL = re.compile(r"教育行政部门/高校\(盖章\):?(.*)")
_DATE_LABEL = re.compile(r"填表日期.*$")


@dataclass(frozen=True, slots=True)
class ReceiptCopy:
    """What an electronic copy says: its cells, and the name in the line 教育行政部门/高校（盖章）, '' if none stands there."""

    answers: ReceiptAnswers
    name: str = ""


def copy_in(rows: Sequence[Sequence[object]]) -> ReceiptCopy | None:
    """The copy in the rows of a sheet or of a document's tables and paragraphs; None where the table of 附件2 is not there.

    A cell marked `--` counts as blank. A row is told by its role, a column by its heading, wherever they stand.
    """
    texts = [[_text(value) for value in row] for row in rows]
    for place, row in enumerate(texts):
        columns = _headings(row)
        if _OWN in columns.values() and len(columns) >= _LEAST_HEADINGS:
            cells = _cells(texts[place + 1 :], columns)
            return ReceiptCopy(ReceiptAnswers(cells), _name(texts[:place])) if cells is not None else None
    return None


def _headings(row: Sequence[str]) -> dict[int, Column]:
    named = {column.value: column for column in Column}
    found: dict[int, Column] = {}
    for place, text in enumerate(row):
        column = named.get(re.sub(r"\s", "", text))
        if column is not None and column not in found.values():
            found[place] = column
    return found


def _cells(rows: Sequence[Sequence[str]], columns: Mapping[int, Column]) -> dict[Cell, Entry] | None:
    roles = {role.value: role for role in Role}
    cells: dict[Cell, Entry] = {}
    seen: set[Role] = set()
    for row in rows:
        role = next((roles[label] for text in row if (label := re.sub(r"\s", "", text)) in roles), None)
        if role is None or role in seen:
            continue
        seen.add(role)
        for place, column in columns.items():
            text = row[place] if place < len(row) else ""
            if text and not re.fullmatch(r"[-—–－]+", text) and text != NOT_ASKED:
                cells[role, column] = Entry(text)
    return cells if seen else None


def _name(rows: Sequence[Sequence[str]]) -> str:
    for row in rows:
        for place, text in enumerate(row):
            label = _NAME_LABEL.match(re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)))
            if label:
                name = _DATE_LABEL.sub("", label[1])
                beside = row[place + 1] if place + 1 < len(row) else ""
                return name or ("" if beside.startswith("填表日期") else beside)
    return ""


def _text(value: object) -> str:
    """A cell as it is read: a telephone number that became a number has no `.0`."""
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
