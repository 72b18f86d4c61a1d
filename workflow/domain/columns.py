"""The columns of a repeating table 重复表格 in formulas: `=SUM(设备.数量)=终端总数`.

The answer to a table is a tuple of rows, each a mapping from column to value; a row may lack columns. `表.列` stands for the
column's cells of every row, as a range does in Excel, and so only where a function takes any number of cells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from workflow.domain.excel import NO_PREVIOUS, Result, from_answer
from workflow.domain.form import Value
from workflow.domain.formulas import Call, Expr, Name, Previous, children

Rows = tuple[Mapping[str, Value], ...]
Answers = Mapping[str, Value | Rows]

#: The functions that take a whole column.
SPREADING = frozenset({"SUM", "AVERAGE", "MAX", "MIN", "COUNT", "COUNTA"})


def is_column(expr: Expr) -> bool:
    """Whether a node is a table's column, of this period or the last."""
    return isinstance(expr, Name | Previous) and "." in expr.name


def cells(column: Expr, answers: Answers, previous: Answers | None) -> list[Result]:
    """What stands in a column's cells, row by row; nothing where the table has no rows. Where no last reported value
    stands in any of them, the one error that says so.
    """
    if isinstance(column, Previous):
        found = _standing(column.name, previous or {})
        return found if any(cell is not None for cell in found) else [NO_PREVIOUS]
    return _standing(column.name, answers) if isinstance(column, Name) else []


def _standing(name: str, answers: Answers) -> list[Result]:
    table, _, column = name.partition(".")
    rows = answers.get(table)
    return [from_answer(row.get(column)) for row in rows] if isinstance(rows, tuple) else []


def misplaced(expr: Expr, *, spread: bool = False) -> Iterator[str]:
    """The columns of a formula that stand where one value is wanted: `设备.数量>3`."""
    if is_column(expr) and not spread:
        assert isinstance(expr, Name | Previous)
        yield expr.name
    inside = isinstance(expr, Call) and expr.function in SPREADING
    for child in children(expr):
        yield from misplaced(child, spread=inside)
