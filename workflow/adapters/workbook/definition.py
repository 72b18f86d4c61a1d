"""A form's definition while its sheets are read: what was found so far, every fault of it, and tables by heading."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from workflow.domain.errors import Fault
from workflow.domain.form import Field, FieldMapping, Rule, column_letters

DEFINITION_SHEETS = ("设置", "字段", "选项", "规则", "映射")

_MUST_HAVE = {
    "字段": ("name", "label", "type", "required"),
    "选项": ("list_name", "value"),
    "规则": ("id", "kind", "formula", "message"),
    "映射": ("old", "new"),
}
_REMARKS = frozenset({"备注", "note"})

Row = Mapping[str, Any]


@dataclass
class Definition:
    """What the definition sheets say; `faults` is empty when it can be used. `rows` is the row of each field; `formulas`
    are the readable ones with their places; `queries` are doubts that hinder nothing; `explanations` are the 说明 cells;
    `mapping` says where fields of earlier versions went.
    """

    file: str
    settings: dict[str, str] = field(default_factory=dict)
    version: int = 0
    kinds: tuple[str, ...] = ()
    fields: list[Field] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    queries: list[Fault] = field(default_factory=list)
    formulas: list[tuple[str, str]] = field(default_factory=list)
    explanations: list[Field] = field(default_factory=list)
    mapping: tuple[FieldMapping, ...] = ()

    def fault(self, place: str, what: str, remedy: str) -> None:
        """Note a fault at `字段!A7` or at a sheet."""
        self.faults.append(Fault(f"{self.file} {place}", what, remedy))

    def tables(self) -> dict[str, list[Field]]:
        """The columns of the repeating tables, in the order of the 字段 sheet, by table."""
        tables: dict[str, list[Field]] = {}
        for item in self.fields:
            table, dot, _ = item.name.partition(".")
            if dot:
                tables.setdefault(table, []).append(item)
        return tables

    def query(self, place: str, what: str, remedy: str) -> None:
        """Note a doubt at a place."""
        self.queries.append(Fault(f"{self.file} {place}", what, remedy))


def cell_words(value: object) -> str:
    """What stands in a cell, as text: a whole number without a point, a yes or no in Chinese."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(getattr(value, "text", value)).strip()


def table_rows(
    found: Definition, sheet: str, rows: list[tuple[Any, ...]], headings: Mapping[str, str]
) -> Iterator[tuple[int, dict[str, int], Row]]:
    """Each filled row: its number, the columns by English heading, and its values. Faults of the headings first."""
    columns: dict[str, int] = {}
    first = rows[0] if rows else ()
    for place, value in enumerate(first, start=1):
        word = cell_words(value)
        english = headings.get(word) or (word if word in headings.values() else "")
        if word and not english and word not in _REMARKS:
            cell = f"{sheet}!{column_letters(place)}1"
            found.fault(cell, f"不认识的列标题“{word}”", "请改为说明中的列标题，或者写“备注”")
        elif english in columns:
            found.fault(f"{sheet}!{column_letters(place)}1", f"列标题“{word}”重复", "请删去一列")
        elif english:
            columns[english] = place
    chinese = {english: word for word, english in headings.items()}
    missing = [chinese[name] for name in _MUST_HAVE[sheet] if name not in columns]
    if missing:
        found.fault(f"{sheet}!A1", f"缺少列标题“{'、'.join(missing)}”", "请在第一行补上列标题")
        return
    for number, values in enumerate(rows[1:], start=2):
        row = {name: values[place - 1] for name, place in columns.items() if place <= len(values)}
        if any(cell_words(value) for value in row.values()):
            yield number, columns, row
