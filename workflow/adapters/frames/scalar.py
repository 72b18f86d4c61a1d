"""What columns cannot say exactly as Excel says it: the scalar meaning is asked, once for each distinct value, or only in
the rows that need it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from workflow.adapters.frames.sheet import Sheet
from workflow.domain import excel


def number_in(sheet: Sheet, text: pl.Expr) -> pl.Expr:
    """The number that each text spells, or null."""
    return sheet.each(text, pl.Float64, excel.numeric)


def logical_in(sheet: Sheet, text: pl.Expr) -> pl.Expr:
    """TRUE or FALSE as texts spell them, or null."""
    return sheet.each(text, pl.Boolean, excel.to_logical)


def shown(sheet: Sheet, number: pl.Expr) -> pl.Expr:
    """Numbers as they show in a cell."""
    return sheet.each(number, pl.String, excel.to_text)


def folded(sheet: Sheet, text: pl.Expr) -> pl.Expr:
    """Texts as they are compared."""
    return sheet.each(text, pl.String, str.casefold)


def order(sheet: Sheet, left: pl.Expr, right: pl.Expr) -> pl.Expr:
    """-1.0, 0.0 or 1.0; only numbers that are nearly equal are rounded to 15 digits."""
    near = (left != right) & ((left - right).abs() <= 2e-14 * pl.max_horizontal(left.abs(), right.abs()))
    return sheet.where(near, sign(left, right), excel.order, left, right)


def sign(left: pl.Expr, right: pl.Expr) -> pl.Expr:
    """-1.0, 0.0 or 1.0 by the columns' own order."""
    return (left > right).cast(pl.Float64) - (left < right).cast(pl.Float64)


def quotient(sheet: Sheet, left: pl.Expr, right: pl.Expr) -> pl.Expr:
    """Left divided by right, to the last digit: polars itself multiplies by the reciprocal of a divisor that is the same in
    all rows, which is not the same.
    """
    return sheet.together(np.divide, left, right)


def power(sheet: Sheet, left: pl.Expr, right: pl.Expr) -> pl.Expr:
    """The power, as the C library has it; infinite where there is none."""
    return sheet.where(left.is_not_null() & right.is_not_null(), left * 0.0, excel.power, left, right)


def total(sheet: Sheet, numbers: Sequence[pl.Expr]) -> pl.Expr:
    """The sum of the numbers that are there, infinite where it leaves the doubles. Two numbers, and whole numbers, add up
    exactly as they are; for others the scalar sum is asked, which is exact before it is rounded once.
    """
    plain = sheet.hold(pl.sum_horizontal(numbers))
    sizes = [number.abs() for number in numbers]
    size, most = sheet.hold(pl.sum_horizontal(sizes)), sheet.hold(pl.max_horizontal(sizes))
    exact = pl.all_horizontal([(number == number.floor()).fill_null(value=True) for number in numbers]) & (
        size < 2.0**53
    )
    if len(numbers) < 3:
        exact |= plain.is_finite()
    dusted = pl.when(plain.abs() < excel.DUST * most).then(0.0).otherwise(plain)
    return sheet.where(
        ~exact, dusted, lambda *held: excel.total([one for one in held if one is not None]), *numbers
    )


def rounded(sheet: Sheet, value: pl.Expr, places: pl.Expr) -> pl.Expr:
    """ROUND. A number that is safely on one side of the half, and not itself a number of so many places but for the dust
    behind its fifteenth digit, is a whole number divided by a power of ten that doubles hold exactly, hence the nearest
    double; the others are asked about.
    """
    powers = pl.lit(10.0).pow(places)
    scaled = sheet.hold(value * powers)
    whole = (scaled + 0.5).floor()
    near = quotient(sheet, whole, powers)
    held = (places >= 0) & (places <= 22) & (places == places.floor()) & (scaled.abs() < 2.0**50)
    decided = ((scaled - scaled.floor() - 0.5).abs() > 1e-12 * scaled.abs()) & (
        (value - near).abs() > 1e-12 * value.abs()
    )
    easy = held & (decided | (value == near))
    there = value.is_not_null() & places.is_not_null()
    return sheet.where(there & ~easy, near, excel.rounded, value, places)
