"""A rule's tree as expressions over columns, node by node; `domain.rules` says what each node means.

Each function makes a node's column from its operands' columns. An operand is written down before it is used, so that
nothing is worked out twice, however often a value is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

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
    constant,
)
from workflow.adapters.frames.coercion import (
    as_logical,
    as_number,
    as_text,
    errors_of,
    first,
    logicals,
    numbers,
)
from workflow.adapters.frames.sheet import Sheet
from workflow.domain import excel

#: An operand and whether it is a cell, whose text and blank an aggregate leaves out.
Argument = tuple[Cells, bool]


def unary(sheet: Sheet, operator: str, operand: Cells) -> Cells:
    """A sign before or a % behind; + leaves a text as it is."""
    if operator == "+":
        return _chosen(sheet, operand.kind == Kind.BLANK, constant(0.0), operand, operand.may - {Kind.BLANK})
    value, error = as_number(sheet, operand)
    return numbers(
        sheet,
        scalar.quotient(sheet, value, pl.lit(100.0)) if operator == "%" else -value,
        error,
        may=errors_of(operand),
    )


def binary(sheet: Sheet, operator: str, left: Cells, right: Cells) -> Cells:
    """Two operands around an operator."""
    if operator in _ACCEPTED:
        accepted = _ACCEPTED[operator](_compared(sheet, left, right))
        return logicals(
            sheet, accepted, first([left.error, right.error]), errors_of(left, right, reading=False)
        )
    if operator == "&":
        return _joined(sheet, left, right)
    return _ARITHMETIC[operator](sheet, left, right)


_ACCEPTED: Mapping[str, Callable[[pl.Expr], pl.Expr]] = {
    "=": lambda sign: sign == 0,
    "<>": lambda sign: sign != 0,
    "<": lambda sign: sign < 0,
    "<=": lambda sign: sign <= 0,
    ">": lambda sign: sign > 0,
    ">=": lambda sign: sign >= 0,
}


def _compared(sheet: Sheet, left: Cells, right: Cells) -> pl.Expr:
    """-1, 0 or 1: number < text < logical; a blank is of the other's kind."""
    signs = {Kind.NUMBER: _order, Kind.TEXT: _order_of_texts, Kind.LOGICAL: _order}
    ours, theirs = _kinds_compared(left, right), _kinds_compared(right, left)
    if ours == theirs and len(ours) == 1:
        return signs[next(iter(ours))](sheet, left, right)
    one, other = sheet.hold(_as_compared(left, right)), sheet.hold(_as_compared(right, left))
    same = [pl.when(one == kind).then(signs[kind](sheet, left, right)) for kind in sorted(ours & theirs)]
    return pl.when(one != other).then(scalar.sign(one, other)).otherwise(pl.coalesce([*same, NO_NUMBER]))


def _order(sheet: Sheet, left: Cells, right: Cells) -> pl.Expr:
    """Of numbers, and of logical values; a blank is 0 or FALSE."""
    one, other = (
        sheet.hold(cells.number.fill_null(0.0)) if Kind.BLANK in cells.may else cells.number
        for cells in (left, right)
    )
    return scalar.order(sheet, one, other)


def _order_of_texts(sheet: Sheet, left: Cells, right: Cells) -> pl.Expr:
    """Without case; a blank is the empty text."""
    one, other = (scalar.folded(sheet, cells.text).fill_null("") for cells in (left, right))
    return scalar.sign(one, other)


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


def _joined(sheet: Sheet, left: Cells, right: Cells) -> Cells:
    (before, one), (after, other) = as_text(sheet, left), as_text(sheet, right)
    error = first([one, other])
    text = sheet.hold(pl.concat_str([before, after]))
    if error is None:
        return Cells(code(Kind.TEXT), NO_NUMBER, text, frozenset({Kind.TEXT}))
    kind = sheet.hold(pl.coalesce(error, code(Kind.TEXT)))
    return Cells(kind, NO_NUMBER, text, errors_of(left, right, reading=False) | {Kind.TEXT})


def _operands(sheet: Sheet, left: Cells, right: Cells) -> tuple[pl.Expr, pl.Expr, pl.Expr | None]:
    (one, fault), (other, second) = as_number(sheet, left), as_number(sheet, right)
    return one, other, first([fault, second])


def _sum(left: pl.Expr, right: pl.Expr) -> pl.Expr:
    """The sum; what is left of a cancellation below 15 digits is 0."""
    total = left + right
    return pl.when(total.abs() < excel.DUST * left.abs()).then(0.0).otherwise(total)


def _add(sheet: Sheet, left: Cells, right: Cells) -> Cells:
    one, other, error = _operands(sheet, left, right)
    return numbers(sheet, _sum(one, other), error, may=errors_of(left, right))


def _subtract(sheet: Sheet, left: Cells, right: Cells) -> Cells:
    one, other, error = _operands(sheet, left, right)
    return numbers(sheet, _sum(one, -other), error, may=errors_of(left, right))


def _multiply(sheet: Sheet, left: Cells, right: Cells) -> Cells:
    one, other, error = _operands(sheet, left, right)
    return numbers(sheet, one * other, error, may=errors_of(left, right))


def _divide(sheet: Sheet, left: Cells, right: Cells) -> Cells:
    one, other, error = _operands(sheet, left, right)
    return numbers(
        sheet, scalar.quotient(sheet, one, other), error, (other == 0, Kind.DIV0), may=errors_of(left, right)
    )


def _power(sheet: Sheet, left: Cells, right: Cells) -> Cells:
    one, other, error = _operands(sheet, left, right)
    own = (one == 0) & (other < 0), Kind.DIV0
    return numbers(sheet, scalar.power(sheet, one, other), error, own, may=errors_of(left, right))


def _round(sheet: Sheet, value: Cells, places: Cells) -> Cells:
    one, other, error = _operands(sheet, value, places)
    return numbers(sheet, scalar.rounded(sheet, one, other), error, may=errors_of(value, places))


def _modulo(sheet: Sheet, value: Cells, divisor: Cells) -> Cells:
    one, other, error = _operands(sheet, value, divisor)
    quotient = scalar.quotient(sheet, one, other)
    made = _sum(one, -(other * quotient.floor()))
    own = (other == 0, Kind.DIV0), (~quotient.is_finite(), Kind.NUM)
    return numbers(sheet, made, error, *own, may=errors_of(value, divisor))


_ARITHMETIC: Mapping[str, Callable[[Sheet, Cells, Cells], Cells]] = {
    "+": _add, "-": _subtract, "*": _multiply, "/": _divide, "^": _power,
}  # fmt: skip


def call(sheet: Sheet, function: str, arguments: Sequence[Argument]) -> Cells:
    """A function of its arguments, which have been counted by the parser."""
    if function in _MANY:
        return _MANY[function](sheet, arguments)
    return _FEW[function](sheet, *(cells for cells, _ in arguments))


def _chosen(
    sheet: Sheet, condition: pl.Expr, then: Cells, otherwise: Cells, left: Kinds | None = None
) -> Cells:
    """Of two columns the one or the other, row by row; `left` are the kinds that are left of the other."""
    condition = sheet.hold(condition)

    def pick(one: pl.Expr, other: pl.Expr) -> pl.Expr:
        return sheet.hold(pl.when(condition).then(one).otherwise(other))

    may = then.may | (otherwise.may if left is None else left)
    return Cells(
        code(next(iter(may))) if len(may) == 1 else pick(then.kind, otherwise.kind),
        pick(then.number, otherwise.number) if may & COUNTED else NO_NUMBER,
        pick(then.text, otherwise.text) if Kind.TEXT in may else NO_TEXT,
        may,
    )


def _if(sheet: Sheet, condition: Cells, then: Cells, otherwise: Cells | None = None) -> Cells:
    truth, error = as_logical(sheet, condition)
    made = _chosen(sheet, truth, then, otherwise or constant(False))  # noqa: FBT003 - the value FALSE
    if error is None:
        return made
    failed = Cells(error, NO_NUMBER, NO_TEXT, errors_of(condition))
    return _chosen(sheet, error.is_not_null(), failed, made)


def _if_error(sheet: Sheet, value: Cells, instead: Cells) -> Cells:
    caught = (value.kind >= FIRST_ERROR) & (value.kind != Kind.NO_PREVIOUS)
    return _chosen(sheet, caught, instead, value, value.plain | (value.may & {Kind.NO_PREVIOUS}))


def _not(sheet: Sheet, operand: Cells) -> Cells:
    truth, error = as_logical(sheet, operand)
    return logicals(sheet, ~truth, error, errors_of(operand))


def _no_previous(*operands: Cells) -> pl.Expr | None:
    """The one error that no function catches or counts."""
    may = [cells for cells in operands if Kind.NO_PREVIOUS in cells.may]
    return first([pl.when(cells.kind == Kind.NO_PREVIOUS).then(code(Kind.NO_PREVIOUS)) for cells in may])


def _is_blank(sheet: Sheet, operand: Cells) -> Cells:
    kept = operand.may & {Kind.NO_PREVIOUS}
    return logicals(sheet, operand.kind == Kind.BLANK, _no_previous(operand), kept)


def _length(sheet: Sheet, operand: Cells) -> Cells:
    text, error = as_text(sheet, operand)
    return numbers(sheet, text.str.len_chars().cast(pl.Float64), error, may=errors_of(operand, reading=False))


def _value(sheet: Sheet, operand: Cells) -> Cells:
    value, error = as_number(sheet, operand)
    if Kind.LOGICAL not in operand.may:
        return numbers(sheet, value, error, may=errors_of(operand))
    return numbers(sheet, value, error, (operand.kind == Kind.LOGICAL, Kind.VALUE), may=errors_of(operand))


def _absolute(sheet: Sheet, operand: Cells) -> Cells:
    value, error = as_number(sheet, operand)
    return numbers(sheet, value.abs(), error, may=errors_of(operand))


def _whole(sheet: Sheet, operand: Cells) -> Cells:
    value, error = as_number(sheet, operand)
    return numbers(sheet, value.floor(), error, may=errors_of(operand))


def _taken(argument: Argument) -> Cells:
    """An argument without what an aggregate leaves out: blanks, and the texts of cells."""
    cells, is_cell = argument
    if not is_cell or Kind.TEXT not in cells.may:
        return cells
    kind = pl.when(cells.kind == Kind.TEXT).then(code(Kind.BLANK)).otherwise(cells.kind)
    return Cells(kind, cells.number, NO_TEXT, cells.may - {Kind.TEXT} | {Kind.BLANK})


def _there(sheet: Sheet, cells: Cells, value: pl.Expr) -> pl.Expr:
    """A value, or null where it stands for a blank."""
    return sheet.hold(pl.when(cells.kind != Kind.BLANK).then(value) if Kind.BLANK in cells.may else value)


def _junction(sheet: Sheet, arguments: Sequence[Argument], *, every: bool) -> Cells:
    """AND and OR: an error anywhere is the result, and nothing at all is #VALUE!."""
    taken = [_taken(argument) for argument in arguments]
    read = [as_logical(sheet, cells) for cells in taken]
    truths = [_there(sheet, cells, truth) for cells, (truth, _) in zip(taken, read, strict=True)]
    nothing = pl.all_horizontal([truth.is_null() for truth in truths])
    error = first([*(fault for _, fault in read), pl.when(nothing).then(code(Kind.VALUE))])
    join = pl.all_horizontal if every else pl.any_horizontal
    decided = join([truth.fill_null(value=every) for truth in truths])
    return logicals(sheet, decided, error, errors_of(*taken) | {Kind.VALUE})


def _figures(
    sheet: Sheet, arguments: Sequence[Argument]
) -> tuple[list[pl.Expr], pl.Expr | None, frozenset[Kind]]:
    """The numbers that an aggregate takes, null where it takes none, and the first error among them."""
    taken = [_taken(argument) for argument in arguments]
    read = [as_number(sheet, cells) for cells in taken]
    figures = [_there(sheet, cells, value) for cells, (value, _) in zip(taken, read, strict=True)]
    return figures, first([fault for _, fault in read]), errors_of(*taken)


def _total(sheet: Sheet, arguments: Sequence[Argument]) -> Cells:
    figures, error, may = _figures(sheet, arguments)
    return numbers(sheet, scalar.total(sheet, figures), error, may=may)


def _average(sheet: Sheet, arguments: Sequence[Argument]) -> Cells:
    figures, error, may = _figures(sheet, arguments)
    count = pl.sum_horizontal([figure.is_not_null().cast(pl.Float64) for figure in figures])
    whole = sheet.hold(scalar.total(sheet, figures))
    own = (~whole.is_finite(), Kind.NUM), (count == 0, Kind.DIV0)
    return numbers(sheet, scalar.quotient(sheet, whole, count), error, *own, may=may)


def _extreme(sheet: Sheet, arguments: Sequence[Argument], choose: Callable[..., pl.Expr]) -> Cells:
    figures, error, may = _figures(sheet, arguments)
    return numbers(sheet, choose(figures).fill_null(0.0), error, may=may)


def _count(
    sheet: Sheet, arguments: Sequence[Argument], counts: Callable[[Sheet, Argument], pl.Expr]
) -> Cells:
    counted = pl.sum_horizontal([counts(sheet, argument).cast(pl.Float64) for argument in arguments])
    error = _no_previous(*(cells for cells, _ in arguments))
    may = frozenset({Kind.NO_PREVIOUS}) if error is not None else frozenset()
    return numbers(sheet, counted, error, may=may)


def _filled(_sheet: Sheet, argument: Argument) -> pl.Expr:
    return argument[0].kind != Kind.BLANK


def _countable(sheet: Sheet, argument: Argument) -> pl.Expr:
    """A number; of what is no cell also what can be read as one."""
    cells, is_cell = argument
    if is_cell:
        return cells.kind == Kind.NUMBER
    value, _ = as_number(sheet, cells)
    return (cells.kind != Kind.BLANK) & (cells.kind < FIRST_ERROR) & value.is_not_null()


_MANY: Mapping[str, Callable[[Sheet, Sequence[Argument]], Cells]] = {
    "AND": lambda sheet, arguments: _junction(sheet, arguments, every=True),
    "OR": lambda sheet, arguments: _junction(sheet, arguments, every=False),
    "SUM": _total,
    "AVERAGE": _average,
    "MAX": lambda sheet, arguments: _extreme(sheet, arguments, pl.max_horizontal),
    "MIN": lambda sheet, arguments: _extreme(sheet, arguments, pl.min_horizontal),
    "COUNT": lambda sheet, arguments: _count(sheet, arguments, _countable),
    "COUNTA": lambda sheet, arguments: _count(sheet, arguments, _filled),
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
