"""Formulas over many units at once: fields become columns, every distinct part of a formula one more, level by level.

Parts that several rules share are worked out once. Units go through in blocks, so that memory depends on the rules alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from workflow.adapters.frames import formulas
from workflow.adapters.frames.cells import ERRORS, Cells, Kind, columns, constant
from workflow.domain.columns import SPREADING, Answers, Rows, cells, is_column
from workflow.domain.excel import ExcelError, Result
from workflow.domain.form import Value
from workflow.domain.formulas import Binary, Boolean, Call, Expr, Name, Number, Previous, Text, Unary, names
from workflow.domain.rules import compiled

#: Units worked out together.
BLOCK = 8192
Pair = tuple[Answers, Answers | None]


class Program:
    """The parts of some formulas, in the order in which they are worked out."""

    def __init__(self, units: Sequence[Pair]) -> None:
        self._units = units
        self._held: list[pl.Series] = [pl.Series("unit", range(len(units)), dtype=pl.UInt32)]
        self._steps: list[list[pl.Expr]] = []
        self._known: dict[Expr, tuple[Cells, int]] = {}

    def add(self, expr: Expr) -> Cells:
        """The column of a formula."""
        return self._placed(expr)[0]

    def blocks(self) -> Iterator[pl.DataFrame]:
        """All columns worked out, some thousand units at a time."""
        frame = pl.DataFrame(self._held)
        for block in frame.iter_slices(BLOCK):
            for step in self._steps:
                block = block.with_columns(step)  # noqa: PLW2901 - each step adds to the last
            yield block

    def _placed(self, expr: Expr) -> tuple[Cells, int]:
        """A part's column and the number of steps after which it is there."""
        if expr not in self._known:
            if isinstance(expr, Name | Previous):
                self._known[expr] = self._field(expr), 0
            elif not names(expr):
                self._known[expr] = constant(compiled(expr)({}, None)), 0
            else:
                self._known[expr] = self._worked_out(expr)
        return self._known[expr]

    def _worked_out(self, expr: Expr) -> tuple[Cells, int]:
        match expr:
            case Unary(operator, operand):
                one, step = self._placed(operand)
                made = formulas.unary(operator, one)
            case Binary(operator, left, right):
                (one, before), (other, after) = self._placed(left), self._placed(right)
                made, step = formulas.binary(operator, one, other), max(before, after)
            case Call(function, arguments):
                taken = [part for argument in arguments for part in self._arguments(function, argument)]
                step = max((at for _, _, at in taken), default=0)
                made = formulas.call(function, [(part, is_cell) for part, is_cell, _ in taken])
            case Number() | Text() | Boolean() | Name() | Previous():
                raise AssertionError(expr)
        written, read = made.stored(f"part{len(self._known)}")
        if len(self._steps) == step:
            self._steps.append([])
        self._steps[step] += written
        return read, step + 1

    def _arguments(self, function: str, argument: Expr) -> Iterator[tuple[Cells, bool, int]]:
        """What a function takes for an argument: its value and whether that is a cell, or a column's cells."""
        if function in SPREADING and is_column(argument):
            assert isinstance(argument, Name | Previous)
            for held in self._column(argument):
                yield held, True, 0
        else:
            one, step = self._placed(argument)
            yield one, isinstance(argument, Name | Previous), step

    def _field(self, field: Name | Previous) -> Cells:
        name = field.name
        if isinstance(field, Previous):
            return self._keep([(last or {}).get(name) for _, last in self._units], blank=Kind.NO_PREVIOUS)
        return self._keep([now.get(name) for now, _ in self._units])

    def _column(self, column: Name | Previous) -> Iterator[Cells]:
        """The cells of a table's column, a column for each row of the longest table."""
        standing = [cells(column, now, last) for now, last in self._units]
        longest = max(map(len, standing), default=0)
        for place in range(longest):
            yield self._keep([row[place] if place < len(row) else None for row in standing])
        if not longest:
            yield constant(None)

    def _keep(self, values: Sequence[Value | Rows | ExcelError], blank: Kind = Kind.BLANK) -> Cells:
        held, read = columns(f"field{len(self._held)}", values, blank)
        self._held += held
        return read


def results(expr: Expr, units: Sequence[Pair]) -> list[Result]:
    """The value of one formula for each unit, as `domain.rules.evaluate` gives it."""
    program = Program(units)
    made = program.add(expr)
    found: list[Result] = []
    for block in program.blocks():
        shown = block.select(kind=made.kind, number=made.number, text=made.text)
        found += [_result(*row) for row in shown.iter_rows()]
    return found


def _result(kind: int, number: float, text: str) -> Result:
    match Kind(kind):
        case Kind.BLANK:
            return 0.0
        case Kind.NUMBER:
            return number
        case Kind.TEXT:
            return text
        case Kind.LOGICAL:
            return number != 0
        case error:
            return ERRORS[error]


def truth(cells: Cells) -> pl.Expr:
    """TRUE, FALSE or null where a rule says nothing, as `domain.rules.holds` has it."""
    said = pl.when(cells.kind == Kind.BLANK).then(pl.lit(value=False))
    return said.when((cells.kind == Kind.NUMBER) | (cells.kind == Kind.LOGICAL)).then(cells.number != 0)
