"""Tables of units as people keep them: headings in any order, over one row or two, and codes that Excel made numbers of."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

_HEAD_ROWS = 10
_WHOLE = re.compile(r"\d+\.0+")


def headings(lines: Sequence[Sequence[object]], wanted: Mapping[str, str]) -> tuple[int, dict[str, int]]:
    """The last row of the headings and the column of each by its attribute: of the first ten rows the one that has most of
    them, or two together where merged cells spread the headings over both.
    """
    found = [_columns(line, wanted) for line in lines[:_HEAD_ROWS]]
    best: tuple[int, dict[str, int]] = (0, {})
    for number, columns in enumerate(found):
        if len(columns) > len(best[1]):
            best = (number, columns)
    for number in range(1, len(found)):
        if found[number - 1] and found[number]:
            both = {**found[number], **found[number - 1]}
            if len(both) > len(best[1]):
                best = (number, both)
    return best


def _columns(line: Sequence[object], wanted: Mapping[str, str]) -> dict[str, int]:
    columns: dict[str, int] = {}
    for at, value in enumerate(line):
        words = heading(value)
        if words in wanted:
            columns.setdefault(wanted[words], at)
    return columns


def heading(value: object) -> str:
    """A heading without blanks, line breaks and the star of a required column."""
    return "".join(str(value).split()).rstrip("*＊")


def cell(value: object, attribute: str, days: Collection[str] = ()) -> object:
    """A cell as text, a code that Excel made a number of as it was typed; a date where the attribute is one of `days`."""
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        value = value.date()
    if isinstance(value, dt.date):
        return value if attribute in days else value.isoformat()
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    text = str(value).strip()
    return text.partition(".")[0] if _WHOLE.fullmatch(text) else text
