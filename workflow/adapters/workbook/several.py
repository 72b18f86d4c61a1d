"""Several units in one workbook: a 中心校 copies the sheets of its teaching points' copies beside its own.

Excel and WPS number the copies of sheets, 基本情况 (2), and each copy has its token printed. Where the numbers don't tell which
sheet is whose, nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from python_calamine import CalamineWorkbook

from workflow.adapters.workbook.by_labels import OWN_SHEETS
from workflow.adapters.workbook.identity import token_among
from workflow.domain.sheet_match import MOST_SHEETS

_NUMBERED = re.compile(r"(.+?)\s*[(（](\d{1,3})[)）]")


@dataclass(frozen=True, slots=True)
class Share:
    """The sheets of one unit in a workbook, by the name that each has in the form; `token` is printed in one of them."""

    token: str
    sheets: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Shares:
    """Whose sheets a workbook has; `unclear` are those with another token of which it can't be told."""

    of_units: tuple[Share, ...]
    unclear: tuple[str, ...] = ()


def shares(book: CalamineWorkbook, usual: Collection[str], token: str) -> Shares | None:
    """The units whose sheets stand in a workbook, in their order; None where it is one unit's, the `token`'s. `usual` are the
    names of sheets that the forms have: only other sheets need a search.
    """
    names = [name for name in book.sheet_names if name not in OWN_SHEETS][:MOST_SHEETS]
    tokens = {name: _token(book, name) for name in names if name not in usual}
    if not set(tokens.values()) - {"", token}:
        return None
    tokens |= {name: _token(book, name) for name in names if name in usual}
    numbered: dict[int, dict[str, str]] = {}
    for name in names:
        match = _NUMBERED.fullmatch(name)
        base, number = (match[1], int(match[2])) if match and match[1] in usual else (name, 1)
        numbered.setdefault(number, {})[base] = name
    found: list[Share] = []
    unclear: list[str] = []
    for _, sheets in sorted(numbered.items()):
        printed = {tokens[name] for name in sheets.values()} - {""}
        stray = [name for base, name in sheets.items() if base not in usual and tokens[name]]
        own = {base: name for base, name in sheets.items() if base in usual}
        here = {tokens[name] for name in own.values()} - {""}
        if len(here) == 1 and here.isdisjoint({share.token for share in found}):
            found.append(Share(here.pop(), own))
            unclear += stray
        elif printed:
            unclear += sheets.values()
    return Shares(tuple(found), tuple(unclear))


def _token(book: CalamineWorkbook, name: str) -> str:
    return token_among(value for row in book.get_sheet_by_name(name).iter_rows() for value in row)
