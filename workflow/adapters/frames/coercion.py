"""Values as numbers, as logical values and as texts: what `domain.excel.to_number` and its kin do, over columns."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from workflow.adapters.frames import scalar
from workflow.adapters.frames.cells import (
    COUNTED,
    FIRST_ERROR,
    NO_NUMBER,
    NO_TEXT,
    Cells,
    Kind,
    Kinds,
    code,
)
from workflow.adapters.frames.sheet import Sheet

#: A column of values that are there, and of the kinds of the errors that stand there instead (None: no errors).
Read = tuple[pl.Expr, pl.Expr | None]
_NOTHING = pl.lit(None, dtype=pl.Boolean)


def first(errors: Sequence[pl.Expr | None]) -> pl.Expr | None:
    """The first error of each row; None where there can be none."""
    there = [error for error in errors if error is not None]
    return (pl.coalesce(there) if len(there) > 1 else there[0]) if there else None


def as_number(sheet: Sheet, cells: Cells) -> Read:
    """Each value where a number is needed: a blank is 0, TRUE 1; a text is read, or is #VALUE!."""
    parts, errors = [], [cells.error]
    if cells.may & COUNTED:
        parts.append(cells.number)
    if Kind.TEXT in cells.may:
        read = scalar.number_in(sheet, cells.text)
        parts.append(read)
        errors.append(pl.when((cells.kind == Kind.TEXT) & read.is_null()).then(code(Kind.VALUE)))
    if Kind.BLANK in cells.may:
        parts.append(pl.when(cells.kind == Kind.BLANK).then(0.0))
    return _one(sheet, parts, NO_NUMBER), first(errors)


def as_logical(sheet: Sheet, cells: Cells) -> Read:
    """Each value where TRUE or FALSE is needed; of the texts only `TRUE` and `FALSE` are."""
    parts, errors = [], [cells.error]
    if cells.may & COUNTED:
        parts.append(cells.number != 0)
    if Kind.TEXT in cells.may:
        read = scalar.logical_in(sheet, cells.text)
        parts.append(read)
        errors.append(pl.when((cells.kind == Kind.TEXT) & read.is_null()).then(code(Kind.VALUE)))
    if Kind.BLANK in cells.may:
        parts.append(pl.when(cells.kind == Kind.BLANK).then(pl.lit(value=False)))
    return _one(sheet, parts, _NOTHING), first(errors)


def as_text(sheet: Sheet, cells: Cells) -> Read:
    """Each value where a text is needed."""
    parts = []
    if Kind.TEXT in cells.may:
        parts.append(cells.text)
    if Kind.NUMBER in cells.may:
        parts.append(pl.when(cells.kind == Kind.NUMBER).then(scalar.shown(sheet, cells.number)))
    if Kind.LOGICAL in cells.may:
        word = pl.when(cells.number != 0).then(pl.lit("TRUE")).otherwise(pl.lit("FALSE"))
        parts.append(pl.when(cells.kind == Kind.LOGICAL).then(word))
    if Kind.BLANK in cells.may:
        parts.append(pl.when(cells.kind == Kind.BLANK).then(pl.lit("")))
    return _one(sheet, parts, NO_TEXT), cells.error


def _one(sheet: Sheet, parts: Sequence[pl.Expr], nothing: pl.Expr) -> pl.Expr:
    """Of the ways to read a value the one that applies."""
    if not parts:
        return nothing
    return sheet.hold(pl.coalesce(parts)) if len(parts) > 1 else parts[0]


def numbers(
    sheet: Sheet, value: pl.Expr, error: pl.Expr | None, *more: tuple[pl.Expr, Kind], may: Kinds
) -> Cells:
    """A column of numbers with the errors of its operands, then those of its own: each where a condition holds; what is
    infinite is #NUM!. `may` are the errors that can come from the operands.
    """
    value = sheet.hold(value)
    made = [pl.when(condition).then(code(kind)) for condition, kind in more]
    kinds = first([error, *made, pl.when(~value.is_finite()).then(code(Kind.NUM))])
    assert kinds is not None
    kind = sheet.hold(pl.coalesce(kinds, code(Kind.NUMBER)))
    number = sheet.hold(pl.when(kind == Kind.NUMBER).then(value))
    own = {kind for _, kind in more} | {Kind.NUMBER, Kind.NUM}
    return Cells(kind, number, NO_TEXT, frozenset(own) | may)


def logicals(sheet: Sheet, truth: pl.Expr, error: pl.Expr | None, may: Kinds) -> Cells:
    """A column of logical values with the errors of its operands."""
    number = truth.cast(pl.Float64)
    if error is None:
        return Cells(code(Kind.LOGICAL), sheet.hold(number), NO_TEXT, frozenset({Kind.LOGICAL}))
    kind = sheet.hold(pl.coalesce(error, code(Kind.LOGICAL)))
    number = sheet.hold(pl.when(kind == Kind.LOGICAL).then(number))
    return Cells(kind, number, NO_TEXT, may | {Kind.LOGICAL})


def errors_of(*operands: Cells, reading: bool = True) -> Kinds:
    """The errors that can come from operands; `reading` a text as a number or a logical value may make one of its own."""
    found = {kind for cells in operands for kind in cells.may if kind >= FIRST_ERROR}
    if reading and any(Kind.TEXT in cells.may for cells in operands):
        found.add(Kind.VALUE)
    return frozenset(found)
