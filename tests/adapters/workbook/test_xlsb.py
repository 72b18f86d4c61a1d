"""Binary workbooks .xlsb, which some offices save to have small files: they read as the .xlsx that they were."""

from __future__ import annotations

import datetime as dt
import io
import zipfile

import pytest

from tests.adapters.workbook.forms import parts, with_parts
from tests.adapters.workbook.test_habits import (
    UNTOUCHED,
    assert_all_there,
    changed,
    compiled,
    copy,
    forms,
    lose_marks,
    read,
    rename,
)
from tests.adapters.workbook.xlsb import Error, Formula, as_xlsb
from workflow.adapters.workbook.biff12 import find_biff12_errors
from workflow.adapters.workbook.pool import ReaderPool
from workflow.domain.submission import CellError, RawValue


def cell(field: str) -> str:
    return compiled("school").form.cell_of(field)


def test_a_binary_workbook_reads_as_the_one_that_it_was() -> None:
    reading = read(as_xlsb(copy()), "表.xlsb")
    assert_all_there(reading)
    assert not reading.by_labels


def test_a_damaged_binary_workbook_is_read_by_its_labels() -> None:
    def change(book: object) -> None:
        rename(book)  # type: ignore[arg-type]
        lose_marks(book)  # type: ignore[arg-type]
        book["Sheet1"].insert_rows(14, 2)  # type: ignore[index]

    reading = read(as_xlsb(changed(change), {"Sheet1!D20": Error("#N/A")}), "表.xlsb")
    assert (reading.by_labels, reading.answers["在校生数"]) == (True, CellError("#N/A"))


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (Error("#DIV/0!"), CellError("#DIV/0!")),
        (Error("#REF!", formula=True), CellError("#REF!")),
        (Formula(worked_out=False), CellError("#无值")),
        (Formula("", worked_out=True), None),
        (Formula("12"), "12"),
        (None, 118),
    ],
)
def test_errors_and_formulas_without_a_value_are_no_blanks(
    value: object, found: RawValue | CellError
) -> None:
    data = as_xlsb(copy(), {cell("在校生数"): value} if value is not None else None)
    expected = UNTOUCHED["在校生数"] if value is None else found
    assert read(data, "表.xlsb").answers.get("在校生数") == expected


def test_a_binary_workbook_that_counts_from_1904_has_its_serial_numbers_read_so() -> None:
    serial = (dt.date(2026, 10, 15) - dt.date(1904, 1, 1)).days
    reading = read(as_xlsb(copy(), {cell("最近演练日期"): serial}, since_1904=True))
    assert reading.answers["最近演练日期"] == dt.date(2026, 10, 15)
    assert "1904" in reading.notes["最近演练日期"]


def test_a_cut_or_spoiled_binary_workbook_never_raises() -> None:
    """calamine takes a length on trust and may take its whole process down: hence the workers."""
    data = as_xlsb(copy(), {cell("班级数"): Error("#NUM!")})
    files = [("切断.xlsb", data[: len(data) // 2])]
    for name in ("xl/workbook.bin", "xl/worksheets/sheet1.bin"):
        part = parts(data)[name]
        places = range(3, len(part), len(part) // 4)
        spoiled = [part[:at] + b"\xff\xff\xff\x7f" + part[at + 4 :] for at in places]
        files += [(name, with_parts(data, {name: one})) for one in spoiled]
    with ReaderPool(forms(), workers=1, seconds=20, memory_mb=1000) as readers:
        for reading in readers.read_many(files):
            assert reading.reason or reading.answers
            assert "代号" not in reading.reason


def test_our_own_search_stops_where_the_records_do() -> None:
    data = as_xlsb(copy(), {cell("班级数"): Error("#NUM!")})
    place = ("基本情况", 17, 4)
    for name in ("xl/workbook.bin", "xl/worksheets/sheet1.bin"):
        part = parts(data)[name]
        for at in range(0, len(part), max(1, len(part) // 97)):
            for spoiled in (part[:at], part[:at] + b"\xff\x80\xff" + part[at + 3 :]):
                changed_data = with_parts(data, {name: spoiled})
                archive = zipfile.ZipFile(io.BytesIO(changed_data))
                assert set(find_biff12_errors(changed_data, archive, [place])) <= {
                    (place, CellError("#NUM!"))
                }
