"""Names 名称 of cells: how a formula in a workbook speaks of a field."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from workflow.domain.form import Form, Slot, column_letters

#: Excel takes these for cells: A1, R1C1 and their shorter kin.
_LIKE_A_CELL = re.compile(r"[A-Za-z]{1,3}[0-9]+|[Rr][0-9]*(?:[Cc][0-9]*)?|[Cc][0-9]*")
_LONGEST = 250


def address(slot: Slot) -> str:
    """A field's cell as a formula writes it: `'基本情况'!$E$12`."""
    return f"{quoted(slot.sheet)}!${column_letters(slot.column)}${slot.row}"


def quoted(sheet: str) -> str:
    """A sheet's name as a formula writes it; quotes are always allowed."""
    return "'" + sheet.replace("'", "''") + "'"


def field_names(form: Form, taken: Iterable[str]) -> dict[str, str]:
    """Each field's name in the workbook, by field. Excel tells no capitals apart, and `taken` are the form's own names;
    what it would refuse, or has already, gets `_` or a number behind it.
    """
    used = {name.casefold() for name in taken}
    names: dict[str, str] = {}
    for slot in form.slots:
        legal = "".join(sign if _may_stand(sign) else "_" for sign in slot.field)[:_LONGEST]
        if _LIKE_A_CELL.fullmatch(legal):
            legal += "_"
        name = next(one for one in _spellings(legal) if one.casefold() not in used)
        used.add(name.casefold())
        names[slot.field] = name
    return names


def _may_stand(sign: str) -> bool:
    return sign == "_" or unicodedata.category(sign)[0] == "L" or (sign.isascii() and sign.isdigit())


def _spellings(name: str) -> Iterable[str]:
    yield name
    for number in range(2, 100_000):
        yield f"{name}_{number}"
