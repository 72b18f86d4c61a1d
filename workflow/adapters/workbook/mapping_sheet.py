"""The sheet 映射: where the fields of an earlier form, or of the old system, go. One row a field."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from workflow.adapters.workbook.definition import Definition, cell_words, table_rows
from workflow.domain.form import FieldMapping, column_letters
from workflow.domain.mapping import plain

MAPPING = "映射"
_HEADINGS: Mapping[str, str] = {
    "原字段": "old", "新字段": "new", "系数": "factor", "选项对应": "choices", "表单": "form",
}  # fmt: skip


def read_mapping(found: Definition, rows: list[tuple[Any, ...]]) -> tuple[FieldMapping, ...]:
    """The rows of the sheet; what is wrong with them is among the faults of `found`."""
    return tuple(_rows(found, rows)) if rows else ()


def _rows(found: Definition, rows: list[tuple[Any, ...]]) -> Iterator[FieldMapping]:
    seen: dict[tuple[str, str], int] = {}
    for number, columns, row in table_rows(found, MAPPING, rows, _HEADINGS):
        place = {name: f"{MAPPING}!{column_letters(column)}{number}" for name, column in columns.items()}
        old, new, form = (cell_words(row.get(name)) for name in ("old", "new", "form"))
        if not old:
            found.fault(place["old"], "没有填写原字段", "请填写，或者删去这一行")
            continue
        if (plain(old), form) in seen:
            what = f"原字段“{old}”重复，第 {seen[plain(old), form]} 行已有"
            found.fault(place["old"], what, "请删去一行")
        seen.setdefault((plain(old), form), number)
        factor = _factor(found, place.get("factor", ""), cell_words(row.get("factor")))
        choices = _choices(found, place.get("choices", ""), cell_words(row.get("choices")))
        yield FieldMapping(old, new, form, factor, choices)


def _factor(found: Definition, place: str, words: str) -> int | float | None:
    """What a figure is multiplied by: `0.001`, `1/1024`."""
    if not words:
        return None
    if fraction := re.fullmatch(r"(\d+(?:\.\d+)?)\s*[/÷]\s*(\d+(?:\.\d+)?)", words):
        over, under = float(fraction[1]), float(fraction[2])
    elif re.fullmatch(r"\d+(?:\.\d+)?(?:[eE]-?\d+)?", words):
        over, under = float(words), 1.0
    else:
        over = under = 0.0
    if not under or not over:
        found.fault(place, f"系数“{words}”不是大于零的数", "请写成 0.001 或 1/1024 的样子")
        return None
    value = over / under
    return int(value) if value.is_integer() else value


def _choices(found: Definition, place: str, words: str) -> dict[str, str]:
    """`有=是；无=否`."""
    pairs: dict[str, str] = {}
    for part in re.split(r"[；;，,\n]+", words):
        if not part.strip():
            continue
        old, sign, new = (side.strip() for side in re.sub(r"[＝→]", "=", part).partition("="))
        if not sign or not old or not new:
            found.fault(place, f"“{part.strip()}”看不懂", "请写成 有=是；无=否 的样子，等号左边为原有选项")
            continue
        pairs[old] = new
    return pairs
