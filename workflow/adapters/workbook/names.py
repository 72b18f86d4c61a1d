"""Names 名称 of cells: how a formula in a workbook speaks of a field."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from workflow.domain.form import Form, Slot, column_letters, split_cell

#: Excel takes these for cells: A1, R1C1 and their shorter kin.
_LIKE_A_CELL = re.compile(r"[A-Za-z]{1,3}[0-9]+|[Rr][0-9]*(?:[Cc][0-9]*)?|[Cc][0-9]*")
_LONGEST = 250


def address(slot: Slot) -> str:
    """A field's cell as a formula writes it: `'基本情况'!$E$12`."""
    return f"{quoted(slot.sheet)}!${column_letters(slot.column)}${slot.row}"


def address_of(form: Form, name: str) -> str:
    """Where a field stands; for a column of a table all its cells, as ranges with commas between."""
    if name not in form.columns:
        return address(form.slot_of[name])
    ranges: list[str] = []
    slots = [form.slot_of[cell] for cell in form.cells_in[name]]
    while slots:
        first = slots[0]
        below = sum(
            (slot.sheet, slot.column, slot.row) == (first.sheet, first.column, first.row + step)
            for step, slot in enumerate(slots)
        )
        last = slots[below - 1]
        ranges.append(address(first) + (f":${column_letters(last.column)}${last.row}" if below > 1 else ""))
        slots = slots[below:]
    return ",".join(ranges)


def quoted(sheet: str) -> str:
    """A sheet's name as a formula writes it; quotes are always allowed."""
    return "'" + sheet.replace("'", "''") + "'"


def field_names(form: Form, taken: Iterable[str]) -> dict[str, str]:
    """Each field's name in the workbook, by field, and by column of a table. Excel tells no capitals apart, and `taken` are the form's own names;
    what it would refuse, or has already, gets `_` or a number behind it.
    """
    used = {name.casefold() for name in taken}
    names: dict[str, str] = {}
    for asked in (*(slot.field for slot in form.slots if split_cell(slot.field) is None), *form.columns):
        dots = "." if asked in form.columns else ""
        legal = "".join(sign if sign == dots or _may_stand(sign) else "_" for sign in asked)[:_LONGEST]
        if _LIKE_A_CELL.fullmatch(legal):
            legal += "_"
        name = next(one for one in _spellings(legal) if one.casefold() not in used)
        used.add(name.casefold())
        names[asked] = name
    return names


def _may_stand(sign: str) -> bool:
    return sign == "_" or unicodedata.category(sign)[0] == "L" or (sign.isascii() and sign.isdigit())


def _spellings(name: str) -> Iterable[str]:
    yield name
    for number in range(2, 100_000):
        yield f"{name}_{number}"
