"""The server's meaning of a formula against a real spreadsheet program that recalculates the same formulas.

LibreOffice stands for Excel where the two agree. The random formulas leave out what LibreOffice does otherwise, so
that `tests/domain/test_rules.py` alone speaks for it:

* TRUE is the number 1 there: `TRUE>5` is FALSE, `TRUE&""` is `1`.
* `0^0` is 1 and `0^-1` is #NUM! (Excel: #NUM! and #DIV/0!).
* Texts such as `1,234`, `85%` or `2026/12/31` are no numbers, and `"TRUE"` is no logical value.
* INT and MOD first lift a number that is nearly whole (`INT(2.9999999999999996)` is 3).
* Texts are sorted by language (Excel too, by its own tables; we sort by code point).
* Which of two errors in one formula wins is another matter in each program; a rule says nothing in either case.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import openpyxl
import pytest

from tests.domain.authors import ANSWERS, PREVIOUS, Author
from workflow.domain.rules import ExcelError, evaluate, parse, to_excel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from workflow.domain.form import Value

SEED, COUNT = 534, 400


def cell_text(value: Value) -> object:
    """What a person's cell holds for an answer."""
    return ("是" if value else "否") if isinstance(value, bool) else value


def written(path: Path, formulas: list[str]) -> None:
    """One workbook: the answers, last period's beside them, and the formulas over their cells."""
    book = openpyxl.Workbook()
    answers, sheet = book.worksheets[0], book.create_sheet("公式")
    answers.title = "答案"
    rows = {name: row for row, name in enumerate(ANSWERS, 1)}
    for name, row in rows.items():
        answers.cell(row, 2).value = cell_text(ANSWERS[name])
        answers.cell(row, 3).value = cell_text(PREVIOUS.get(name))
    for row, formula in enumerate(formulas, 1):
        excel = to_excel(
            parse(formula), lambda name: f"答案!$B${rows[name]}", lambda name: f"答案!$C${rows[name]}"
        )
        sheet.cell(row, 1).value = "=" + excel
    book.save(path)


def same(ours: object, theirs: object) -> bool:
    if isinstance(ours, ExcelError):
        return theirs == ours.value
    if isinstance(ours, bool) or isinstance(theirs, bool):
        return ours is theirs
    if isinstance(theirs, dt.datetime):  # LibreOffice gives the sum of a date the look of a date
        theirs = (theirs - dt.datetime(1899, 12, 30)) / dt.timedelta(days=1)  # noqa: DTZ001 - a cell knows no zone
    if isinstance(ours, float) and isinstance(theirs, int | float):
        return ours == pytest.approx(theirs, rel=1e-12, abs=1e-12)
    return ours == ("" if theirs is None else theirs)


def test_random_formulas_come_out_as_libreoffice_recalculates_them(
    soffice: Callable[[Path, str, Path], Path], tmp_path: Path
) -> None:
    author = Author(SEED)
    formulas = [author.formula() for _ in range(COUNT)]
    source = tmp_path / "rules.xlsx"
    written(source, formulas)
    book = openpyxl.load_workbook(soffice(source, "xlsx", tmp_path / "recalculated"), data_only=True)
    values = [row[0] for row in book["公式"].iter_rows(min_row=1, max_row=COUNT, max_col=1, values_only=True)]
    differing = [
        f"{formula}: ours {ours!r}, theirs {theirs!r}"
        for formula, theirs in zip(formulas, values, strict=True)
        if not same(ours := evaluate(parse(formula), ANSWERS, PREVIOUS), theirs)
    ]
    assert not differing, "\n".join(differing)
    # The formulas must not all be errors, or the agreement would say nothing.
    assert sum(not isinstance(value, str) or not value.startswith("#") for value in values) > COUNT / 2
