"""Formulas over many units at once: fields become columns, and every distinct part of a formula some more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

import polars as pl

from workflow.adapters.frames import formulas
from workflow.adapters.frames.cells import ERRORS, NO_NUMBER, NO_TEXT, Cells, Kind, code, constant, read
from workflow.adapters.frames.sheet import Sheet
from workflow.domain.columns import SPREADING, Answers, is_column
from workflow.domain.excel import Result
from workflow.domain.form import Value, split_cell
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
        self._answers = _Answers(frozenset().union(*map(names, formulas)), [now for now, _ in units])
        asked = frozenset().union(*map(previous_names, formulas))
        self._previous = _Answers(asked, [last or {} for _, last in units])
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
                return read(self.sheet, self._answers.of[name])
            case Previous(name):
                return read(self.sheet, self._previous.of[name], Kind.NO_PREVIOUS)
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
            assert isinstance(argument, Name | Previous)
            for held in self._column(argument):
                yield held, True
        else:
            yield self.add(argument), isinstance(argument, Name | Previous)

    def _column(self, column: Name | Previous) -> Iterator[Cells]:
        """The cells of a table's column; those of last period with the one error that stands where all are blank."""
        kept = self._previous if isinstance(column, Previous) else self._answers
        found = [read(self.sheet, kept.of[name]) for name in kept.cells.get(column.name, ())]
        yield from found
        if isinstance(column, Previous):
            blank = pl.all_horizontal([pl.lit(value=True), *(cells.kind == Kind.BLANK for cells in found)])
            none = pl.when(blank).then(code(Kind.NO_PREVIOUS)).otherwise(code(Kind.BLANK))
            yield Cells(self.sheet.hold(none), NO_NUMBER, NO_TEXT, frozenset({Kind.NO_PREVIOUS, Kind.BLANK}))
        elif not found:
            yield constant(None)


class _Answers:
    """The answers of all units by field, and the cells of each column that is asked for."""

    def __init__(self, fields: Iterable[str], units: Sequence[Answers]) -> None:
        asked = dict.fromkeys(sorted(fields))
        there = dict.fromkeys(chain.from_iterable(units)) if any("." in name for name in asked) else {}
        self.cells: dict[str, list[str]] = {}
        for name in there:
            if (cell := split_cell(name)) and cell[0] in asked:
                self.cells.setdefault(cell[0], []).append(name)
        wanted = [*asked, *chain.from_iterable(self.cells.values())]
        rows = zip(*(tuple(map(answers.get, wanted)) for answers in units), strict=True)
        self.of: dict[str, Sequence[Value]] = dict(zip(wanted, rows, strict=True)) if wanted and units else {}


def results(expr: Expr, units: Sequence[Pair]) -> list[Result]:
    """The value of one formula for each unit, as `domain.rules.evaluate` gives it."""
    if not units:
        return []
    program = Program([expr], units)
    made = program.add(expr)
    found: list[Result] = []
    for block in program.sheet.blocks():
        shown = block.select("unit", kind=made.kind, number=made.number, text=made.text)
        found += [_result(*row) for _, *row in shown.iter_rows()]
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
