"""The values of a formula for many units at once: columns of kinds, numbers and texts.

A value is one of four kinds or one of four errors (`Kind`); which of them can occur is known before anything is worked
out, so that a formula over plain numbers costs what adding up columns costs. The number is null wherever the value is
neither number nor logical, the text wherever it is no text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import cast

import polars as pl

from workflow.adapters.frames.sheet import Sheet
from workflow.domain import excel
from workflow.domain.excel import ExcelError, Result
from workflow.domain.form import Value


class Kind(IntEnum):
    """What stands in a cell. The first three values that can be compared are in Excel's order; from DIV0 on, errors."""

    BLANK = 0
    NUMBER = 1
    TEXT = 2
    LOGICAL = 3
    DIV0 = 4
    VALUE = 5
    NUM = 6
    NO_PREVIOUS = 7


ERRORS = {kind: ExcelError[kind.name] for kind in Kind if kind >= Kind.DIV0}
_KIND_OF = {error: kind for kind, error in ERRORS.items()}
FIRST_ERROR = Kind.DIV0
Kinds = frozenset[Kind]
COUNTED = frozenset({Kind.NUMBER, Kind.LOGICAL})


@dataclass(frozen=True, slots=True)
class Cells:
    """A column of values: `may` are the kinds that can occur in it. A logical value's number is 1 or 0."""

    kind: pl.Expr
    number: pl.Expr
    text: pl.Expr
    may: Kinds

    @property
    def error(self) -> pl.Expr | None:
        """The kind where it is an error, else null; None where none can occur."""
        if not any(kind >= FIRST_ERROR for kind in self.may):
            return None
        return pl.when(self.kind >= FIRST_ERROR).then(self.kind)

    @property
    def plain(self) -> Kinds:
        """The kinds that can occur and are no errors."""
        return frozenset(kind for kind in self.may if kind < FIRST_ERROR)


NO_NUMBER = pl.lit(None, dtype=pl.Float64)
NO_TEXT = pl.lit(None, dtype=pl.String)


def code(kind: Kind) -> pl.Expr:
    """A kind as a column."""
    return pl.lit(int(kind), dtype=pl.UInt8)


def constant(value: Result) -> Cells:
    """The same value everywhere."""
    kind = kind_of(value)
    number = pl.lit(float(value)) if isinstance(value, bool | float) else NO_NUMBER
    return Cells(code(kind), number, pl.lit(value) if isinstance(value, str) else NO_TEXT, frozenset({kind}))


def kind_of(value: Result) -> Kind:
    """The kind of one value."""
    if value is None:
        return Kind.BLANK
    if isinstance(value, ExcelError):
        return _KIND_OF[value]
    if isinstance(value, bool):
        return Kind.LOGICAL
    return Kind.TEXT if isinstance(value, str) else Kind.NUMBER


def read(sheet: Sheet, values: Sequence[Value], blank: Kind = Kind.BLANK) -> Cells:
    """A field's answers as columns of a sheet; `blank` is what stands where there is no answer."""
    number, text, error = _split(values)
    kinds = pl.select(
        pl.when(error.is_not_null())
        .then(error)
        .when(number.is_not_null())
        .then(code(Kind.NUMBER))
        .when(text.is_not_null())
        .then(code(Kind.TEXT))
        .otherwise(code(blank))
    ).to_series()
    may = frozenset(map(Kind, kinds.unique()))
    return Cells(
        code(next(iter(may))) if len(may) == 1 else sheet.put(kinds),
        sheet.put(number) if may & COUNTED else NO_NUMBER,
        sheet.put(text) if Kind.TEXT in may else NO_TEXT,
        may,
    )


def _split(values: Sequence[Value]) -> tuple[pl.Series, pl.Series, pl.Series]:
    """Answers as numbers, texts and errors, null where they are something else; a column of one type all at once."""
    nothing = pl.repeat(None, len(values), dtype=pl.UInt8, eager=True)
    types = set(map(type, values)) - {type(None)}
    if types <= {int, float}:
        try:
            floats = [
                None if value is None else float(value) for value in cast("Sequence[float | None]", values)
            ]
        except OverflowError:
            return _one_by_one(values)
        numbers = pl.Series(floats, dtype=pl.Float64)
        if numbers.is_finite().all():
            return numbers, nothing.cast(pl.String), nothing
    elif types in ({str}, {bool}):
        words: dict[object, str | None] = {True: excel.YES, False: excel.NO, "": None}
        texts = pl.Series([words.get(value, value) for value in values], dtype=pl.String)
        return nothing.cast(pl.Float64), texts, nothing
    return _one_by_one(values)


def _one_by_one(values: Sequence[Value]) -> tuple[pl.Series, pl.Series, pl.Series]:
    results = list(map(excel.from_answer, values))
    errors = [_KIND_OF[value] if isinstance(value, ExcelError) else None for value in results]
    return (
        pl.Series([value if isinstance(value, float) else None for value in results], dtype=pl.Float64),
        pl.Series([value if isinstance(value, str) else None for value in results], dtype=pl.String),
        pl.Series(errors, dtype=pl.UInt8),
    )
