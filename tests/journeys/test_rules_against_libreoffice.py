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
import random
from typing import TYPE_CHECKING

import openpyxl
import pytest

from tests.domain.authors import ANSWERS, PREVIOUS, Author
from workflow.domain.columns import SPREADING
from workflow.domain.form import cell_name, column_letters
from workflow.domain.rules import ExcelError, evaluate, parse, to_excel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from workflow.domain.form import Value

SEED, COUNT = 534, 400
#: A repeating table of this period and of the last: its columns down their rows, a blank cell where None stands.
COLUMNS: Mapping[str, tuple[Value, ...]] = {
    "设备.数量": (3, None, 12, 0.5, -4),
    "设备.名称": ("大屏", "平板", None, "3", ""),
    "设备.购置": (dt.date(2019, 11, 1), None, None, dt.date(2024, 2, 29), None),
    "设备.在用": (True, False, None, True, None),
    "设备.备注": (None, None, None, None, None),
}
BEFORE: Mapping[str, tuple[Value, ...]] = {"设备.数量": (7, 7, None, 100.25), "设备.名称": ("a", None, "b")}


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


def cells_of(columns: Mapping[str, tuple[Value, ...]]) -> dict[str, Value]:
    return {
        cell_name(column, row): value
        for column, values in columns.items()
        for row, value in enumerate(values, 1)
        if value is not None
    }


def column_formula(chance: random.Random) -> str:
    """A formula over whole columns: in every function that takes them, beside cells, literals and one another."""

    def totalled() -> str:
        arguments = [
            chance.choice(
                [*COLUMNS, *COLUMNS, *(f"上期({name})" for name in BEFORE), "学生数", "名称", "2.5"]
            )
            for _ in range(chance.randint(1, 3))
        ]
        return f"{chance.choice(sorted(SPREADING))}({','.join(arguments)})"

    one, other = totalled(), chance.choice([totalled(), "学生数", "3", "上期(教师数)"])
    return chance.choice(
        [
            one,
            f"{one}{chance.choice(['=', '<>', '<', '<=', '>', '>='])}{other}",
            f"ABS({one}-{other})<={other}*0.5",
            f"IFERROR({one}/{other},{chance.choice(['0', 'FALSE'])})",
            f"IF({one}>{other},{one}+1,ROUND({other},0))",
            f"AND({one}>0,NOT({other}={one}))",
        ]
    )


def test_random_formulas_over_columns_come_out_as_libreoffice_recalculates_them(
    soffice: Callable[[Path, str, Path], Path], tmp_path: Path
) -> None:
    chance = random.Random(SEED)
    formulas = [column_formula(chance) for _ in range(COUNT)]
    book = openpyxl.Workbook()
    answers, sheet = book.worksheets[0], book.create_sheet("公式")
    answers.title = "答案"
    at: dict[tuple[bool, str], str] = {}
    for earlier, columns in enumerate(
        ({n: (v,) for n, v in ANSWERS.items()} | COLUMNS, {n: (v,) for n, v in PREVIOUS.items()} | BEFORE)
    ):
        for name, values in columns.items():
            letters, deep = column_letters(len(at) + 1), max(len(values), len(COLUMNS.get(name, ())))
            at[bool(earlier), name] = f"答案!${letters}$1" + (f":${letters}${deep}" if deep > 1 else "")
            for row, value in enumerate(values, 1):
                answers[f"{letters}{row}"] = cell_text(value) or (None if value != 0 else value)
    for row, formula in enumerate(formulas, 1):
        excel = to_excel(parse(formula), lambda name: at[False, name], lambda name: at[True, name])
        sheet.cell(row, 1).value = "=" + excel
    source = tmp_path / "columns.xlsx"
    book.save(source)
    done = openpyxl.load_workbook(soffice(source, "xlsx", tmp_path / "recalculated"), data_only=True)
    values = [row[0] for row in done["公式"].iter_rows(min_row=1, max_row=COUNT, max_col=1, values_only=True)]
    now, before = {**ANSWERS, **cells_of(COLUMNS)}, {**PREVIOUS, **cells_of(BEFORE)}
    differing = [
        f"{formula}: ours {ours!r}, theirs {theirs!r}"
        for formula, theirs in zip(formulas, values, strict=True)
        if not same(ours := evaluate(parse(formula), now, before), theirs)
    ]
    assert not differing, "\n".join(differing)
    assert sum(not isinstance(value, str) or not value.startswith("#") for value in values) > COUNT / 2


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
