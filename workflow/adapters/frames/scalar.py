"""Where columns cannot say exactly what Excel says, the scalar meaning is asked: once for each distinct value, or only in
the rows that need it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from workflow.domain import excel
from workflow.domain.excel import ExcelError


def each(value: pl.Expr, kind: pl.DataType | type[pl.DataType], meaning: Callable[[Any], Any]) -> pl.Expr:
    """A function of one value, asked once for each distinct one; null where it gives None, or an error."""

    def work(held: pl.Series) -> pl.Series:
        known = held.drop_nulls().unique()
        if known.is_empty():
            return pl.repeat(None, len(held), dtype=kind, eager=True)
        given = [None if isinstance(made := meaning(one), ExcelError) else made for one in known.to_list()]
        return held.replace_strict(known, pl.Series(given, dtype=kind), default=None, return_dtype=kind)

    return value.map_batches(work, return_dtype=kind)


def where(needed: pl.Expr, fast: pl.Expr, meaning: Callable[..., float | ExcelError], *values: pl.Expr) -> pl.Expr:
    """`fast`, but in the rows where it is `needed` what `meaning` gives for the row's values; infinite for an error."""

    def work(held: Sequence[pl.Series]) -> pl.Series:
        length = max(map(len, held))
        wanted, made, *rest = (one.new_from_index(0, length) if len(one) < length else one for one in held)
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
        return made.scatter(places, pl.Series(given, dtype=pl.Float64))

    return pl.map_batches([needed, fast, *values], work, return_dtype=pl.Float64)


def numbers_in(text: pl.Expr) -> pl.Expr:
    """The number that each text spells, or null."""
    return each(text, pl.Float64, excel.numeric)


def logical_in(text: pl.Expr) -> pl.Expr:
    """TRUE or FALSE as texts spell them, or null."""
    return each(text, pl.Boolean, excel.to_logical)


def text_of(number: pl.Expr) -> pl.Expr:
    """Numbers as they show."""
    return each(number, pl.String, excel.to_text)


def folded(text: pl.Expr) -> pl.Expr:
    """Texts as they are compared."""
    return each(text, pl.String, str.casefold)


def order(left: pl.Expr, right: pl.Expr) -> pl.Expr:
    """-1.0, 0.0 or 1.0; only numbers that are nearly equal are rounded to 15 digits."""
    near = (left != right) & ((left - right).abs() <= 2e-14 * pl.max_horizontal(left.abs(), right.abs()))
    return where(near, sign(left, right), excel.order, left, right)


def sign(left: pl.Expr, right: pl.Expr) -> pl.Expr:
    """-1.0, 0.0 or 1.0 by the columns' own order."""
    return (left > right).cast(pl.Float64) - (left < right).cast(pl.Float64)


def total(numbers: Sequence[pl.Expr]) -> pl.Expr:
    """The sum of the numbers that are there, infinite where it leaves the doubles. Whole numbers add up exactly as they
    are; for others the scalar sum, exact before it is rounded once, is asked.
    """
    sums = pl.sum_horizontal(numbers)
    sizes = pl.sum_horizontal([number.abs() for number in numbers])
    most = pl.max_horizontal([number.abs() for number in numbers])
    whole = pl.all_horizontal([(number == number.floor()).fill_null(value=True) for number in numbers])
    few = pl.sum_horizontal([number.is_not_null().cast(pl.UInt32) for number in numbers]) < 3
    exact = (few & sums.is_finite()) | (whole & (sizes < 2.0**53))
    dusted = pl.when(sums.abs() < excel.DUST * most).then(0.0).otherwise(sums)
    return where(~exact, dusted, lambda *held: excel.total([one for one in held if one is not None]), *numbers)
