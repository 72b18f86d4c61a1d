"""One workbook with several units: a 中心校 that copied the sheets of its teaching points beside its own."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import openpyxl

from tests.adapters.workbook.damage import zipped
from tests.adapters.workbook.test_habits import (
    TOKEN,
    UNTOUCHED,
    changed,
    compiled,
    copy,
    lose_marks,
    read,
)
from workflow.domain.submission import ReadOutcome

if TYPE_CHECKING:
    from collections.abc import Callable

POINT = "HZ-2QRSTUVWXYZ234567"


def beside(
    name: Callable[[str], str], other: Callable[[openpyxl.Workbook], object] = lambda book: None
) -> bytes:
    """Our copy with the visible sheets of the teaching point's copied in under other names."""
    source = openpyxl.load_workbook(io.BytesIO(changed(other, copy(token=POINT))))

    def change(book: openpyxl.Workbook) -> None:
        for sheet in source:
            if sheet.sheet_state == "visible":
                target = book.create_sheet(name(sheet.title))
                for row in sheet.iter_rows():
                    for cell in row:
                        if cell.value is not None:
                            target.cell(cell.row, cell.column, cell.value).number_format = cell.number_format

    return changed(change)


def put(field: str, value: object) -> Callable[[openpyxl.Workbook], None]:
    slot = compiled("school").form.slot_of[field]

    def change(book: openpyxl.Workbook) -> None:
        book[slot.sheet].cell(slot.row, slot.column).value = value

    return change


def test_each_units_sheets_are_read_as_that_units() -> None:
    reading = read(beside(lambda name: f"{name} (2)", put("在校生数", 7)), "中心校.xlsx")
    assert [one.name for one in reading.inside] == ["基本情况", "基本情况 (2)"]
    own, point = (one.reading for one in reading.inside)
    assert [one.identity.token for one in (own, point) if one.identity] == [TOKEN, POINT]
    assert (dict(own.answers), own.by_labels) == (UNTOUCHED, False)
    assert (dict(point.answers), point.by_labels) == ({**UNTOUCHED, "在校生数": 7}, True)
    assert point.moved["在校生数"].startswith("基本情况 (2)!")


def test_without_the_hidden_sheet_too() -> None:
    data = changed(lose_marks, beside(lambda name: f"{name}（2）"))
    assert [one.reading.outcome for one in read(data).inside] == [ReadOutcome.ANSWERS, ReadOutcome.ANSWERS]


def test_sheets_of_which_it_cannot_be_told_are_asked_about_and_the_rest_is_read() -> None:
    reading = read(beside(lambda name: f"柳沟{name}"))
    assert [one.reading.outcome for one in reading.inside] == [ReadOutcome.ANSWERS, ReadOutcome.FOREIGN]
    assert dict(reading.inside[0].reading.answers) == UNTOUCHED
    assert "“柳沟管理信息系统”" in reading.inside[1].reading.reason
    assert "每个单位单独用一个工作簿" in reading.inside[1].reading.reason


def test_a_unit_that_keeps_a_sheet_of_its_own_beside_is_no_other_unit() -> None:
    reading = read(beside(lambda name: f"{name} (2)", forget_points_token))
    assert (reading.inside, dict(reading.answers)) == ((), UNTOUCHED)
    assert read(changed(lambda book: book.create_sheet("算式"))).answers == UNTOUCHED


def forget_points_token(book: openpyxl.Workbook) -> None:
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                if isinstance(cell.value, str) and POINT in cell.value:
                    cell.value = None


def test_in_an_archive_each_unit_is_there_by_itself() -> None:
    reading = read(zipped({"中心校.xlsx": beside(lambda name: f"{name} (2)"), "乙.xlsx": copy()}), "x.zip")
    assert [(one.name, one.reading.outcome.value) for one in reading.inside] == [
        ("基本情况", "answers"),
        ("基本情况 (2)", "answers"),
        ("乙.xlsx", "answers"),
    ]
