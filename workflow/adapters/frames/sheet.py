"""A block of units at work: one column for each answer that formulas ask for and for each step on the way to a result."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl

from workflow.domain.excel import ExcelError

#: Units worked out together, so that memory depends on the rules and not on the units.
BLOCK = 16_384


class Sheet:
    """Columns and the steps that make more of them. What is held is worked out once, however often it is used; all columns
    that rest on the same ones before them are worked out together.
    """

    def __init__(self, units: int) -> None:
        self._held = [pl.Series("unit", range(units), dtype=pl.UInt32)]
        self._after = {"unit": 0}
        self._steps: list[list[pl.Expr]] = []
        self._asked: dict[tuple[str, Callable[..., Any]], pl.Expr] = {}

    def put(self, values: pl.Series) -> pl.Expr:
        """A column that is there from the start."""
        name = f"field{len(self._held)}"
        self._held.append(values.alias(name))
        self._after[name] = 0
        return pl.col(name)

    def hold(self, value: pl.Expr) -> pl.Expr:
        """A column worked out from others."""
        if value.meta.is_column():
            return value
        step = max((self._after[root] for root in value.meta.root_names()), default=0)
        name = f"part{len(self._after)}"
        if step == len(self._steps):
            self._steps.append([])
        self._steps[step].append(value.alias(name))
        self._after[name] = step + 1
        return pl.col(name)

    def each(self, value: pl.Expr, kind: type[pl.DataType], meaning: Callable[[Any], object]) -> pl.Expr:
        """A function of one value, asked once for each distinct one; null where it gives None or an error."""
        value = self.hold(value)
        key = value.meta.output_name(), meaning
        if key not in self._asked:
            self._asked[key] = self.hold(_each(value, kind, meaning))
        return self._asked[key]

    def where(
        self, needed: pl.Expr, fast: pl.Expr, meaning: Callable[..., float | ExcelError], *values: pl.Expr
    ) -> pl.Expr:
        """`fast`, but in the rows where it is `needed` what `meaning` gives for the row's values; infinite for an error."""
        return self.hold(_where(needed, fast, meaning, values))

    def together(self, operation: Callable[..., Any], *values: pl.Expr) -> pl.Expr:
        """An operation of numpy on numbers, row by row; where one of them is null, the result is no finite number."""
        return self.hold(_together(operation, values))

    def blocks(self) -> Iterator[pl.DataFrame]:
        """All columns, some thousand units at a time."""
        for block in pl.DataFrame(self._held).iter_slices(BLOCK):
            for step in self._steps:
                block = block.with_columns(step)
            yield block


#: A column that is as long as the block, whatever polars makes of a value that is the same everywhere.
_UNIT = pl.col("unit")


def _each(value: pl.Expr, kind: type[pl.DataType], meaning: Callable[[Any], object]) -> pl.Expr:
    def work(columns: Sequence[pl.Series]) -> pl.Series:
        held = _as_long(columns[1], columns[0])
        known = held.drop_nulls().unique()
        if known.is_empty():
            return pl.repeat(None, len(held), dtype=kind, eager=True)
        given = [None if isinstance(made := meaning(one), ExcelError) else made for one in known.to_list()]
        return held.replace_strict(known, pl.Series(given, dtype=kind), default=None, return_dtype=kind)

    return pl.map_batches([_UNIT, value], work, return_dtype=kind)


def _where(
    needed: pl.Expr, fast: pl.Expr, meaning: Callable[..., float | ExcelError], values: Sequence[pl.Expr]
) -> pl.Expr:
    def work(columns: Sequence[pl.Series]) -> pl.Series:
        wanted, made, *rest = (_as_long(one, columns[0]) for one in columns[1:])
        places = wanted.fill_null(value=False).arg_true()
        if places.is_empty():
            return made
        known: dict[tuple[float | None, ...], float] = {}
        given = []
        for row in zip(*(one.gather(places).to_list() for one in rest), strict=True):
            if row not in known:
                found = meaning(*row)
                known[row] = float("inf") if isinstance(found, ExcelError) else float(found)
            given.append(known[row])
        return made.clone().scatter(places, pl.Series(given, dtype=pl.Float64))

    return pl.map_batches([_UNIT, needed, fast, *values], work, return_dtype=pl.Float64)


def _together(operation: Callable[..., Any], values: Sequence[pl.Expr]) -> pl.Expr:
    def work(columns: Sequence[pl.Series]) -> pl.Series:
        with np.errstate(all="ignore"):
            made = operation(*(_as_long(one, columns[0]).to_numpy() for one in columns[1:]))
        return pl.Series(made, dtype=pl.Float64)

    return pl.map_batches(
        [_UNIT, *(value.cast(pl.Float64) for value in values)], work, return_dtype=pl.Float64
    )


def _as_long(values: pl.Series, units: pl.Series) -> pl.Series:
    return values.new_from_index(0, len(units)) if len(values) != len(units) else values
