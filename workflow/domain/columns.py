"""The columns of a repeating table 重复表格 in formulas: `=SUM(设备.数量)=终端总数`.

`表.列` stands for the column's cells of every row, as a range does in Excel, and so only where a function takes any number of
cells. In a constraint or a condition of the table itself it is the cell of the same row (`of_row`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from workflow.domain.excel import NO_PREVIOUS, Result, from_answer
from workflow.domain.form import Field, Table, Value, cell_name, split_cell
from workflow.domain.formulas import Call, Expr, Name, Previous, children, parse, renamed

Answers = Mapping[str, Value]

#: The functions that take a whole column.
SPREADING = frozenset({"SUM", "AVERAGE", "MAX", "MIN", "COUNT", "COUNTA"})


def is_column(expr: Expr) -> bool:
    """Whether a node is a table's column, of this period or the last."""
    return isinstance(expr, Name | Previous) and expr.name.count(".") == 1


def cells(column: Expr, answers: Answers, previous: Answers | None) -> list[Result]:
    """What stands in a column's cells; nothing where the table has no rows. Where no last reported value stands in any of
    them, the one error that says so.
    """
    if isinstance(column, Previous):
        return _standing(column.name, previous or {}) or [NO_PREVIOUS]
    return _standing(column.name, answers) if isinstance(column, Name) else []


def _standing(name: str, answers: Answers) -> list[Result]:
    table, dot, own = name.partition(".")
    before, behind = table + dot, dot + own
    found = (
        from_answer(answers[cell])
        for cell in answers
        if cell.startswith(before) and cell.endswith(behind) and split_cell(cell)
    )
    return [value for value in found if value is not None]


def misplaced(expr: Expr, own: str = "", *, spread: bool = False) -> Iterator[str]:
    """The columns of a formula that stand where one value is wanted: `设备.数量>3`. Those of the table `own`, whose formula
    it is, mean the cell of the same row and are right anywhere.
    """
    if is_column(expr) and not spread:
        assert isinstance(expr, Name | Previous)
        if not (own and expr.name.startswith(f"{own}.")):
            yield expr.name
    inside = isinstance(expr, Call) and expr.function in SPREADING
    for child in children(expr):
        yield from misplaced(child, own, spread=inside)


def of_row(expr: Expr, table: str, row: int) -> str:
    """A table's own formula for one of its rows: the names of its columns become those of their cells."""
    return renamed(expr, lambda name: cell_name(name, row) if name.startswith(f"{table}.") else name)


def cells_of(table: Table) -> Iterator[Field]:
    """The fields of a table's cells, row by row: each is its column in that row, with the column's formulas for the row."""
    parsed = {text: parse(text) for one in table.columns for text in (one.constraint, one.relevant) if text}
    for row in range(1, table.rows + 1):
        for column in table.columns:
            constraint, relevant = (
                of_row(parsed[text], table.name, row) if text else ""
                for text in (column.constraint, column.relevant)
            )
            # The form's own words of the constraint: those of a single cell would name the row in each name.
            told = column.constraint_message or (column.constraint and f"不符合约束条件 {column.constraint}")
            yield replace(
                column, name=cell_name(column.name, row), label=f"{table.name}第{row}行{column.label}", row=row,
                constraint=constraint, constraint_message=told, relevant=relevant,
            )  # fmt: skip
