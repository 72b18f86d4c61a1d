"""Formulas over many units at once: fields become columns, and every distinct part of a formula some more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import polars as pl

from workflow.adapters.frames import formulas
from workflow.adapters.frames.cells import ERRORS, Cells, Held, Kind, constant, read
from workflow.adapters.frames.sheet import Sheet
from workflow.domain.columns import SPREADING, Answers, cells, is_column
from workflow.domain.excel import Result
from workflow.domain.formulas import (
    Binary,
    Boolean,
    Call,
    Expr,
    Name,
    Number,
    Previous,
    Text,
    Unary,
    names,
    previous_names,
)
from workflow.domain.rules import compiled

Pair = tuple[Answers, Answers | None]


class Program:
    """Formulas over units, each part of them a column of a sheet."""

    def __init__(self, formulas: Sequence[Expr], units: Sequence[Pair]) -> None:
        """The formulas are those that will be asked for, so that each unit's answers are gone through once."""
        self._now = [answers for answers, _ in units]
        self._last = [previous or {} for _, previous in units]
        asked = sorted(frozenset().union(*map(names, formulas)))
        before = sorted(frozenset().union(*map(previous_names, formulas)))
        self._answers = _columns(asked, self._now)
        self._previous = _columns(before, self._last)
        self._known: dict[Expr, Cells] = {}
        self.sheet = Sheet(len(units))

    def add(self, expr: Expr) -> Cells:
        """The column of a formula; parts that several formulas share are worked out once."""
        if expr not in self._known:
            self._known[expr] = self._made(expr)
        return self._known[expr]

    def _made(self, expr: Expr) -> Cells:
        if not names(expr):
            return self._constant(compiled(expr)({}, None))
        match expr:
            case Name(name):
                return read(self.sheet, self._answers[name])
            case Previous(name):
                return read(self.sheet, self._previous[name], Kind.NO_PREVIOUS)
            case Unary(operator, operand):
                return formulas.unary(self.sheet, operator, self.add(operand))
            case Binary(operator, left, right):
                return formulas.binary(self.sheet, operator, self.add(left), self.add(right))
            case Call(function, arguments):
                parts = [part for argument in arguments for part in self._arguments(function, argument)]
                return formulas.call(self.sheet, function, parts)
            case Number() | Text() | Boolean():
                raise AssertionError(expr)

    def _constant(self, value: Result) -> Cells:
        """The same value everywhere; a text is held, since it is read once and then used as any other."""
        made = constant(value)
        return replace(made, text=self.sheet.hold(made.text)) if isinstance(value, str) else made

    def _arguments(self, function: str, argument: Expr) -> Iterator[formulas.Argument]:
        """What a function takes for an argument: its value and whether that is a cell, or the cells of a column."""
        if function in SPREADING and is_column(argument):
            for row in self._column(argument):
                yield row, True
        else:
            yield self.add(argument), isinstance(argument, Name | Previous)

    def _column(self, column: Expr) -> Iterator[Cells]:
        """The cells of a table's column, a column for each row of the longest table."""
        standing = [cells(column, now, last) for now, last in zip(self._now, self._last, strict=True)]
        longest = max(map(len, standing), default=0)
        for place in range(longest):
            yield read(self.sheet, [row[place] if place < len(row) else None for row in standing])
        if not longest:
            yield constant(None)


def _columns(fields: Sequence[str], units: Sequence[Answers]) -> dict[str, Sequence[Held]]:
    """The answers of all units by field."""
    rows = zip(*(tuple(map(answers.get, fields)) for answers in units), strict=True)
    return dict(zip(fields, rows, strict=True)) if units else dict.fromkeys(fields, ())


def results(expr: Expr, units: Sequence[Pair]) -> list[Result]:
    """The value of one formula for each unit, as `domain.rules.evaluate` gives it."""
    program = Program([expr], units)
    made = program.add(expr)
    found: list[Result] = []
    for block in program.sheet.blocks():
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
