"""A rule's tree as expressions over columns, node by node; `domain.rules` says what each node means.

Each function makes a node's column from its operands' columns. An operand is written down before it is used, so that
nothing is worked out twice, however often a value is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import polars as pl

from workflow.adapters.frames import scalar
from workflow.adapters.frames.cells import COUNTED, FIRST_ERROR, NO_NUMBER, NO_TEXT, Cells, Kind, code, constant
from workflow.adapters.frames.coercion import (
    as_logical,
    as_number,
    as_text,
    errors_of,
    first,
    logicals,
    numbers,
)
from workflow.domain import excel

#: An operand and whether it is a cell, whose text and blank an aggregate leaves out.
Argument = tuple[Cells, bool]


def unary(operator: str, operand: Cells) -> Cells:
    """A sign before or a % behind; + leaves a text as it is."""
    if operator == "+":
        blank = operand.kind == Kind.BLANK
        kind = pl.when(blank).then(code(Kind.NUMBER)).otherwise(operand.kind)
        number = pl.when(blank).then(0.0).otherwise(operand.number)
        return Cells(kind, number, operand.text, operand.may - {Kind.BLANK} | {Kind.NUMBER})
    value, error = as_number(operand)
    return numbers(value / 100 if operator == "%" else -value, error, may=errors_of(operand))


def binary(operator: str, left: Cells, right: Cells) -> Cells:
    """Two operands around an operator."""
    if operator in _ACCEPTED:
        truth = _compared(left, right)
        accepted = pl.any_horizontal([truth == sign for sign in _ACCEPTED[operator]])
        return logicals(accepted, first([left.error, right.error]), errors_of(left, right, reading=False))
    if operator == "&":
        return _joined(left, right)
    return _ARITHMETIC[operator](left, right)


_ACCEPTED: Mapping[str, tuple[int, ...]] = {
    "=": (0,), "<>": (-1, 1), "<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (0, 1),
}  # fmt: skip


def _compared(left: Cells, right: Cells) -> pl.Expr:
    """-1, 0 or 1: number < text < logical; a blank is of the other's kind."""
    ours, theirs = _as_compared(left, right), _as_compared(right, left)
    signs = {
        Kind.NUMBER: lambda: scalar.order(left.number.fill_null(0.0), right.number.fill_null(0.0)),
        Kind.TEXT: lambda: scalar.sign(
            scalar.folded(left.text.fill_null("")), scalar.folded(right.text.fill_null(""))
        ),
        Kind.LOGICAL: lambda: scalar.sign(left.number.fill_null(0.0), right.number.fill_null(0.0)),
    }
    kinds = _kinds_compared(left, right) & _kinds_compared(right, left)
    if kinds == _kinds_compared(left, right) == _kinds_compared(right, left) and len(kinds) == 1:
        return signs[next(iter(kinds))]()
    found = pl.when(ours != theirs).then(scalar.sign(ours.cast(pl.Int16), theirs.cast(pl.Int16)))
    for kind in sorted(kinds):
        found = found.when(ours == kind).then(signs[kind]())
    return found.otherwise(NO_NUMBER)


def _as_compared(cells: Cells, other: Cells) -> pl.Expr:
    if Kind.BLANK not in cells.may:
        return cells.kind
    both = pl.when(other.kind == Kind.BLANK).then(code(Kind.NUMBER)).otherwise(other.kind)
    return pl.when(cells.kind == Kind.BLANK).then(both).otherwise(cells.kind)


def _kinds_compared(cells: Cells, other: Cells) -> frozenset[Kind]:
    found = cells.plain
    if Kind.BLANK in found:
        theirs = other.plain
        found = found | theirs | ({Kind.NUMBER} if Kind.BLANK in theirs else frozenset())
    return found - {Kind.BLANK}


def _joined(left: Cells, right: Cells) -> Cells:
    (before, one), (after, other) = as_text(left), as_text(right)
    error = first([one, other])
    kind = code(Kind.TEXT) if error is None else pl.coalesce(error, code(Kind.TEXT))
    text = pl.when(kind == Kind.TEXT).then(pl.concat_str([before, after]))
    return Cells(kind, NO_NUMBER, text, errors_of(left, right, reading=False) | {Kind.TEXT})


def _operands(left: Cells, right: Cells) -> tuple[pl.Expr, pl.Expr, pl.Expr | None]:
    (one, fault), (other, second) = as_number(left), as_number(right)
    return one, other, first([fault, second])


def _sum(left: pl.Expr, right: pl.Expr) -> pl.Expr:
    """The sum; what is left of a cancellation below 15 digits is 0."""
    total = left + right
    return pl.when(total.abs() < excel.DUST * left.abs()).then(0.0).otherwise(total)


def _add(left: Cells, right: Cells) -> Cells:
    one, other, error = _operands(left, right)
    return numbers(_sum(one, other), error, may=errors_of(left, right))


def _subtract(left: Cells, right: Cells) -> Cells:
    one, other, error = _operands(left, right)
    return numbers(_sum(one, -other), error, may=errors_of(left, right))


def _multiply(left: Cells, right: Cells) -> Cells:
    one, other, error = _operands(left, right)
    return numbers(one * other, error, may=errors_of(left, right))


def _divide(left: Cells, right: Cells) -> Cells:
    one, other, error = _operands(left, right)
    return numbers(one / other, error, (other == 0, Kind.DIV0), may=errors_of(left, right))


def _power(left: Cells, right: Cells) -> Cells:
    one, other, error = _operands(left, right)
    there = one.is_not_null() & other.is_not_null()
    value = scalar.where(there, one * 0.0, excel.power, one, other)
    return numbers(value, error, ((one == 0) & (other < 0), Kind.DIV0), may=errors_of(left, right))


def _round(value: Cells, digits: Cells) -> Cells:
    """Whole numbers are themselves to any digits behind the point; the others are asked about one by one."""
    one, places, error = _operands(value, digits)
    plain = (one == one.floor()) & (one.abs() < 1e15) & (places >= 0)
    there = one.is_not_null() & places.is_not_null()
    made = scalar.where(there & ~plain, one, excel.rounded, one, places)
    return numbers(made, error, may=errors_of(value, digits))


def _modulo(value: Cells, divisor: Cells) -> Cells:
    one, other, error = _operands(value, divisor)
    quotient = one / other
    made = _sum(one, -(other * quotient.floor()))
    own = (other == 0, Kind.DIV0), (~quotient.is_finite(), Kind.NUM)
    return numbers(made, error, *own, may=errors_of(value, divisor))


_ARITHMETIC: Mapping[str, Callable[[Cells, Cells], Cells]] = {
    "+": _add, "-": _subtract, "*": _multiply, "/": _divide, "^": _power,
}  # fmt: skip


def call(function: str, arguments: Sequence[Argument]) -> Cells:
    """A function of its arguments, which have been counted by the parser."""
    if function in _MANY:
        return _MANY[function](arguments)
    return _FEW[function](*(cells for cells, _ in arguments))


def _chosen(condition: pl.Expr, then: Cells, otherwise: Cells) -> Cells:
    """Of two columns the one or the other, row by row."""

    def pick(one: pl.Expr, other: pl.Expr) -> pl.Expr:
        return pl.when(condition).then(one).otherwise(other)

    return Cells(
        pick(then.kind, otherwise.kind),
        pick(then.number, otherwise.number),
        pick(then.text, otherwise.text),
        then.may | otherwise.may,
    )


def _if(condition: Cells, then: Cells, otherwise: Cells | None = None) -> Cells:
    truth, error = as_logical(condition)
    made = _chosen(truth, then, otherwise or constant(False))  # noqa: FBT003 - the value FALSE
    if error is None:
        return made
    right = error.is_null()
    return Cells(
        pl.coalesce(error, made.kind),
        pl.when(right).then(made.number),
        pl.when(right).then(made.text),
        made.may | errors_of(condition),
    )


def _if_error(value: Cells, instead: Cells) -> Cells:
    caught = (value.kind >= FIRST_ERROR) & (value.kind != Kind.NO_PREVIOUS)
    made = _chosen(caught, instead, value)
    own = value.plain | (value.may & {Kind.NO_PREVIOUS})
    return Cells(made.kind, made.number, made.text, own | instead.may)


def _not(operand: Cells) -> Cells:
    truth, error = as_logical(operand)
    return logicals(~truth, error, errors_of(operand))


def _no_previous(*operands: Cells) -> pl.Expr | None:
    """The one error that no function catches or counts."""
    may = [cells for cells in operands if Kind.NO_PREVIOUS in cells.may]
    return first([pl.when(cells.kind == Kind.NO_PREVIOUS).then(code(Kind.NO_PREVIOUS)) for cells in may])


def _is_blank(operand: Cells) -> Cells:
    kept = operand.may & {Kind.NO_PREVIOUS}
    return logicals(operand.kind == Kind.BLANK, _no_previous(operand), kept)


def _length(operand: Cells) -> Cells:
    text, error = as_text(operand)
    return numbers(text.str.len_chars().cast(pl.Float64), error, may=errors_of(operand, reading=False))


def _value(operand: Cells) -> Cells:
    value, error = as_number(operand)
    if Kind.LOGICAL not in operand.may:
        return numbers(value, error, may=errors_of(operand))
    return numbers(value, error, (operand.kind == Kind.LOGICAL, Kind.VALUE), may=errors_of(operand))


def _absolute(operand: Cells) -> Cells:
    value, error = as_number(operand)
    return numbers(value.abs(), error, may=errors_of(operand))


def _whole(operand: Cells) -> Cells:
    value, error = as_number(operand)
    return numbers(value.floor(), error, may=errors_of(operand))


def _taken(argument: Argument) -> Cells:
    """An argument without what an aggregate leaves out: blanks, and the texts of cells."""
    cells, is_cell = argument
    if not is_cell or Kind.TEXT not in cells.may:
        return cells
    kind = pl.when(cells.kind == Kind.TEXT).then(code(Kind.BLANK)).otherwise(cells.kind)
    return Cells(kind, cells.number, NO_TEXT, cells.may - {Kind.TEXT} | {Kind.BLANK})


def _there(cells: Cells, value: pl.Expr) -> pl.Expr:
    """A value, or null where it stands for a blank."""
    return pl.when(cells.kind != Kind.BLANK).then(value) if Kind.BLANK in cells.may else value


def _junction(arguments: Sequence[Argument], *, every: bool) -> Cells:
    """AND and OR: an error anywhere is the result, and nothing at all is #VALUE!."""
    taken = [_taken(argument) for argument in arguments]
    read = [as_logical(cells) for cells in taken]
    truths = [_there(cells, truth) for cells, (truth, _) in zip(taken, read, strict=True)]
    nothing = pl.all_horizontal([truth.is_null() for truth in truths])
    error = first([*(fault for _, fault in read), pl.when(nothing).then(code(Kind.VALUE))])
    join = pl.all_horizontal if every else pl.any_horizontal
    decided = join([truth.fill_null(value=every) for truth in truths])
    return logicals(decided, error, errors_of(*taken) | {Kind.VALUE})


def _figures(arguments: Sequence[Argument]) -> tuple[list[pl.Expr], pl.Expr | None, frozenset[Kind]]:
    """The numbers that an aggregate takes, null where it takes none, and the first error among them."""
    taken = [_taken(argument) for argument in arguments]
    read = [as_number(cells) for cells in taken]
    figures = [_there(cells, value) for cells, (value, _) in zip(taken, read, strict=True)]
    return figures, first([fault for _, fault in read]), errors_of(*taken)


def _total(arguments: Sequence[Argument]) -> Cells:
    figures, error, may = _figures(arguments)
    return numbers(scalar.total(figures), error, may=may)


def _average(arguments: Sequence[Argument]) -> Cells:
    figures, error, may = _figures(arguments)
    count = pl.sum_horizontal([figure.is_not_null().cast(pl.Float64) for figure in figures])
    whole = scalar.total(figures)
    own = (~whole.is_finite(), Kind.NUM), (count == 0, Kind.DIV0)
    return numbers(whole / count, error, *own, may=may)


def _extreme(arguments: Sequence[Argument], choose: Callable[..., pl.Expr]) -> Cells:
    figures, error, may = _figures(arguments)
    return numbers(choose(figures).fill_null(0.0), error, may=may)


def _count(arguments: Sequence[Argument], counts: Callable[[Argument], pl.Expr]) -> Cells:
    counted = pl.sum_horizontal([counts(argument).cast(pl.Float64) for argument in arguments])
    error = _no_previous(*(cells for cells, _ in arguments))
    may = frozenset({Kind.NO_PREVIOUS}) if error is not None else frozenset()
    return numbers(counted, error, may=may)


def _filled(argument: Argument) -> pl.Expr:
    return argument[0].kind != Kind.BLANK


def _countable(argument: Argument) -> pl.Expr:
    """A number; of what is no cell also what can be read as one."""
    cells, is_cell = argument
    if is_cell:
        return cells.kind == Kind.NUMBER
    value, _ = as_number(cells)
    return (cells.kind != Kind.BLANK) & (cells.kind < FIRST_ERROR) & value.is_not_null()


_MANY: Mapping[str, Callable[[Sequence[Argument]], Cells]] = {
    "AND": lambda arguments: _junction(arguments, every=True),
    "OR": lambda arguments: _junction(arguments, every=False),
    "SUM": _total,
    "AVERAGE": _average,
    "MAX": lambda arguments: _extreme(arguments, pl.max_horizontal),
    "MIN": lambda arguments: _extreme(arguments, pl.min_horizontal),
    "COUNT": lambda arguments: _count(arguments, _countable),
    "COUNTA": lambda arguments: _count(arguments, _filled),
}
_FEW: Mapping[str, Callable[..., Cells]] = {
    "IF": _if,
    "IFERROR": _if_error,
    "NOT": _not,
    "ISBLANK": _is_blank,
    "LEN": _length,
    "VALUE": _value,
    "ABS": _absolute,
    "INT": _whole,
    "ROUND": _round,
    "MOD": _modulo,
}
