"""What stands in the answer cells: values as calamine gives them, errors that it hides, days of the 1904 date system."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from workflow.adapters.workbook.biff import biff_counts_from_1904, find_biff_errors
from workflow.adapters.workbook.biff12 import BOOK, biff12_counts_from_1904, find_biff12_errors
from workflow.adapters.workbook.cell_errors import find_cell_errors, member
from workflow.adapters.workbook.ods import find_ods_errors
from workflow.domain.days import day_of_serial
from workflow.domain.form import FieldType, Form, column_letters, split_cell
from workflow.domain.sheet_match import Place, Rows
from workflow.domain.submission import CellError, RawValue
from workflow.domain.tables import close_gaps, rows_of_no_item

if TYPE_CHECKING:
    from workflow.adapters.workbook.sniff import Sniffed

Raw = dict[str, RawValue | CellError]

_SERIAL = re.compile(r"\s*\d{5}\s*")
_ERROR_TEXT = re.compile(r"#(?:DIV/0!|N/A|NAME\?|NULL!|NUM!|REF!|VALUE!)|Err:\d{3}")


def pick(rows_of: Mapping[str, Rows], places: Iterable[tuple[str, Place]]) -> tuple[Raw, dict[str, Place]]:
    """The answers at their places, and the places that look blank, both by field."""
    answers: Raw = {}
    blank: dict[str, Place] = {}
    for field, place in places:
        sheet, row_number, column = place
        rows = rows_of[sheet]
        row = rows[row_number - 1] if row_number <= len(rows) else ()
        value = raw_value(row[column - 1]) if column <= len(row) else None
        if value is None:
            blank[field] = place
        else:
            answers[field] = value
    return answers, blank


def without_gaps(
    form: Form, answers: Raw, places: Mapping[str, Place]
) -> tuple[Raw, dict[str, Place], dict[str, str]]:
    """The answers with the rows of tables counted without the blank ones, and the places by the names that they have then;
    a blank cell of a table has none. Rows of no item (合计, 以下空白) are left out with a note by table.
    """
    if not form.tables:
        return answers, dict(places), {}
    notes: dict[str, str] = {}
    idle = rows_of_no_item(form, answers)
    if idle:
        of = {name: (name.partition(".")[0], cell[1]) for name in answers if (cell := split_cell(name))}
        notes = _notes_on_rows(idle, {row: places[name] for name, row in reversed(of.items()) if row in idle})
        answers = {name: value for name, value in answers.items() if of.get(name) not in idle}
    new = close_gaps(answers)
    kept = {field: place for field, place in places.items() if field in answers or split_cell(field) is None}
    return (
        {new.get(field, field): value for field, value in answers.items()},
        {new.get(field, field): place for field, place in kept.items()},
        notes,
    )


def _notes_on_rows(
    idle: Mapping[tuple[str, int], str], first: Mapping[tuple[str, int], Place]
) -> dict[str, str]:
    rows: dict[str, list[str]] = {}
    for (table, row), word in sorted(idle.items()):
        sheet, number, _ = first[table, row]
        rows.setdefault(table, []).append(f"“{sheet}”页第{number}行“{word}”")
    return {
        table: f"{'、'.join(said[:3])}{f'等{len(said)}行' if len(said) > 3 else ''}不是明细，没有作为一行收取"
        for table, said in rows.items()
    }


def moved_cells(form: Form, places: Mapping[str, Place]) -> dict[str, str]:
    """The addresses of the answers that do not stand in their own cells."""
    moved = {}
    for field, (sheet, row, column) in places.items():
        cell = f"{sheet}!{column_letters(column)}{row}"
        if cell != form.cell_of(field):
            moved[field] = cell
    return moved


def hidden_errors(blank: Mapping[str, Place], sniffed: Sniffed) -> Iterable[tuple[str, CellError]]:
    """Which of the blank cells hold an error or a formula without a value."""
    if not blank:
        return
    if sniffed.archive is None:
        if sniffed.data:
            errors = find_biff_errors(sniffed.data)
            for field, (sheet, row, column) in blank.items():
                if (error := errors.get((sheet, row, column))) is not None:
                    yield field, error
    elif "xl/workbook.xml" in sniffed.names:
        wanted = {
            (sheet, f"{column_letters(column)}{row}"): field for field, (sheet, row, column) in blank.items()
        }
        for at, error in find_cell_errors(sniffed.data, sniffed.archive, wanted):
            yield wanted[at], error
    elif BOOK in sniffed.names:
        fields = {place: field for field, place in blank.items()}
        for place, error in find_biff12_errors(sniffed.data, sniffed.archive, fields):
            yield fields[place], error
    elif "content.xml" in sniffed.names:
        fields = {place: field for field, place in blank.items()}
        for place, error in find_ods_errors(sniffed.data, sniffed.archive, fields):
            yield fields[place], error


def error_texts(answers: Raw) -> None:
    """Errors that came as their text, as .ods gives them, become errors."""
    for field, value in answers.items():
        if isinstance(value, str) and value[:1] in "#E" and _ERROR_TEXT.fullmatch(value.strip()):
            answers[field] = CellError(value.strip())


def days_since_1904(form: Form, answers: Raw, sniffed: Sniffed) -> dict[str, str]:
    """Bare serial numbers of days in a workbook that counts from 1904 become days; the notes that say so, by field."""
    serials: dict[str, int] = {}
    for field, value in answers.items():
        asked = form.by_name.get(field)  # none for a row beyond the room of its table
        if asked is None or asked.type is not FieldType.DATE or isinstance(value, bool):
            continue
        if isinstance(value, int) or (isinstance(value, str) and _SERIAL.fullmatch(value)):
            serials[field] = int(value)
    if not serials or not _counts_from_1904(sniffed):
        return {}
    notes = {}
    for field, serial in serials.items():
        if (day := day_of_serial(serial, since_1904=True)) is not None:
            answers[field] = day
            notes[field] = f"日期序号 {serial}（1904年日期系统）按 {day.isoformat()} 读取"
    return notes


def _counts_from_1904(sniffed: Sniffed) -> bool:
    if sniffed.archive is None:
        return bool(sniffed.data) and biff_counts_from_1904(sniffed.data)
    if BOOK in sniffed.names:
        return biff12_counts_from_1904(sniffed.data, sniffed.archive)
    if "xl/workbook.xml" not in sniffed.names:
        return False
    book = member(sniffed.data, sniffed.archive, "xl/workbook.xml")
    return re.search(rb"""date1904=["'](?:1|true)["']""", book) is not None


def raw_value(value: object) -> RawValue:
    """A cell as it stands: white space alone is a blank, a whole float an int, a duration its days."""
    if isinstance(value, str):
        return value if value and not value.isspace() else None
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 1e15 else value
    if isinstance(value, dt.timedelta):
        return value / dt.timedelta(days=1)
    if value is None or isinstance(value, bool | int | dt.date | dt.time):
        return value
    raise TypeError(f"calamine gave a {type(value).__name__}")
