"""Old fields carried into a form 映射: by name where nothing is said, else by rows of a mapping, each with a factor or words for choices.

Used for phase-one data, whose columns are headed otherwise, and for a form whose fields were renamed since the last period.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from workflow.domain.answers import Unclear, Understood, understand
from workflow.domain.form import Field, FieldMapping, FieldType, Form, Prefill, Value, split_cell
from workflow.domain.submission import CellError, RawValue


@dataclass(frozen=True, slots=True)
class Target:
    """Where an old field goes: a field of the form, and the row of the mapping that says so (None: by its name)."""

    field: Field
    row: FieldMapping | None = None

    def read(self, raw: RawValue | CellError) -> Understood | Unclear:
        """What stood under the old field as a value of the new one."""
        row = self.row
        if row is None or isinstance(raw, CellError):
            return understand(self.field, raw)
        if row.choices and (word := row.choices.get(words_of(raw))):
            return understand(self.field, word)
        if row.factor is None:
            return understand(self.field, raw)
        seen = understand(_figure(self.field), raw)
        if isinstance(seen, Unclear) or not isinstance(seen.value, int | float):
            return seen
        return Understood(_times(self.field, seen.value, row.factor), seen.note)


@dataclass(frozen=True)
class Mapper:
    """How old fields go into one form: by the form's own sheet 映射 and by further rows, which come first. Names and labels are
    compared without blanks and width.
    """

    form: Form
    rows: tuple[FieldMapping, ...] = ()

    @cached_property
    def _rows(self) -> Mapping[str, FieldMapping]:
        own = sorted(
            (row for row in self.rows if row.form in {"", self.form.id}), key=lambda row: bool(row.form)
        )
        return {plain(row.old): row for row in (*self.form.mapping, *own)}

    @cached_property
    def _fields(self) -> Mapping[str, Field]:
        found: dict[str, Field] = {}
        for one in self.form.fields:
            found.setdefault(plain(one.label), one)
        return found | {plain(one.name): one for one in self.form.fields}

    def target(self, old: str) -> Target | None:
        """Where an old field goes; None where nobody says."""
        row = self._rows.get(plain(old))
        found = self._fields.get(plain(row.new if row else old))
        if found is None or found.prefill in {Prefill.UNIT_NAME, Prefill.UNIT_CODE}:
            return None
        return Target(found, row)

    def left_out(self, old: str) -> bool:
        """Whether an old field is left out because the mapping says so."""
        row = self._rows.get(plain(old))
        return row is not None and not row.new

    def has(self, name: str) -> bool:
        """Whether the form has a field of this name or label."""
        return plain(name) in self._fields

    def translated(self, answers: Mapping[str, Value]) -> dict[str, Value]:
        """Answers to an earlier version of the form under the names and in the units of this one. A field that a row renames
        goes nowhere else; what no row speaks of keeps its name.
        """
        found: dict[str, Value] = {}
        by_row: dict[str, Value] = {}
        for name, value in answers.items():
            row, cell = self._rows.get(plain(name)), split_cell(name)
            if row is None and cell and (of_column := self._rows.get(plain(cell[0]))):
                table, _, column = of_column.new.partition(".")
                row = replace(of_column, new=f"{table}.{cell[1]}.{column}") if column else of_column
            if row is None:
                found[name] = value
            elif (new := self._fields.get(plain(row.new))) is not None:
                seen = Target(new, row).read(value)
                if isinstance(seen, Understood):
                    by_row[new.name] = seen.value
        return found | by_row


def plain(words: str) -> str:
    """A name as it is compared."""
    return "".join(unicodedata.normalize("NFKC", words).split()).rstrip("*").lower()


def words_of(raw: RawValue) -> str:
    """What stood in a cell, as the left side of a row's choices writes it."""
    if isinstance(raw, bool):
        return "是" if raw else "否"
    if isinstance(raw, float) and raw.is_integer():
        return str(int(raw))
    return str(raw).strip() if raw is not None else ""


def _figure(of: Field) -> Field:
    """The field as one that takes any number, since the old figure is in another unit."""
    return replace(
        of, type=FieldType.DECIMAL if of.type is FieldType.INTEGER else of.type, minimum=None, maximum=None
    )


def _times(of: Field, value: int | float, factor: int | float) -> int | float:
    product = round(value * factor, 9)
    if of.type is FieldType.INTEGER:
        return round(product)
    return int(product) if float(product).is_integer() and of.type is not FieldType.PERCENT else product
