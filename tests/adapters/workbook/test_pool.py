"""Worker processes: fast for honest files, and a hostile file costs nobody but itself."""

from __future__ import annotations

import io
import random
import sys
import time
import zipfile
from typing import TYPE_CHECKING

import pytest
import xlsxwriter

from workflow.adapters.workbook.pool import ReaderPool
from workflow.domain.errors import OutsideFailed
from workflow.domain.form import Field, FieldType, Form, Slot
from workflow.domain.submission import ReadOutcome

if TYPE_CHECKING:
    from collections.abc import Mapping

FORM = Form(
    "school",
    "季报表",
    1,
    ("中小学",),
    "",
    "",
    (Field("人数", "人数", FieldType.INTEGER),),
    (),
    (Slot("人数", "表", 2, 2),),
)
FORMS: Mapping[tuple[str, int], Form] = {("school", 1): FORM}


def workbook(number: int, *, rows: int = 0) -> bytes:
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    sheet = book.add_worksheet("表")
    sheet.write_number("B2", number)
    for row in range(2, rows):
        sheet.write_row(row, 0, range(20))
    marks = book.add_worksheet("_huizhi")
    for row, pair in enumerate(
        [("campaign", "2026Q4"), ("unit", str(number)), ("form", "school"), ("version", "1"), ("token", "")]
    ):
        marks.write_row(row, 0, pair)
    book.close()
    return target.getvalue()


def eater_of_memory() -> bytes:
    """Two cells at opposite corners: a reader that lays out the area between them needs 400 GB."""
    data, target = workbook(1), io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            xml = old.read(name)
            if name == "xl/worksheets/sheet1.xml":
                far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
                xml = xml.replace(b"</sheetData>", far)
            new.writestr(name, xml)
    return target.getvalue()


@pytest.fixture(scope="module")
def pool():
    with ReaderPool(FORMS, workers=2, seconds=20, memory_mb=700) as readers:
        yield readers


def test_readings_come_in_the_order_of_the_files(pool: ReaderPool) -> None:
    readings = pool.read_many([(f"{number}.xlsx", workbook(number)) for number in range(150)])
    assert [reading.answers["人数"] for reading in readings] == list(range(150))
    assert pool.read_many([]) == []


def test_a_file_that_eats_the_memory_is_the_only_one_lost(pool: ReaderPool) -> None:
    files = [("好.xlsx", workbook(number)) for number in range(8)]
    files[3] = ("坏.xlsx", eater_of_memory())
    readings = pool.read_many(files)
    assert [
        number for number, reading in enumerate(readings) if reading.outcome is ReadOutcome.UNREADABLE
    ] == [3]
    assert "内存" in readings[3].reason or "损坏" in readings[3].reason
    assert [reading.answers["人数"] for reading in readings if reading.answers] == [0, 1, 2, 4, 5, 6, 7]


def test_an_empty_file_that_comes_first_is_unreadable_and_stops_no_other(pool: ReaderPool) -> None:
    empty, other = pool.read_many([("空.xlsx", b""), ("坏.xlsx", b"PK")])
    assert (empty.outcome, other.outcome) == (ReadOutcome.UNREADABLE, ReadOutcome.UNSUPPORTED)


def test_a_file_alone_is_read_in_a_worker_too(pool: ReaderPool) -> None:
    readings = pool.read_many([("坏.xlsx", eater_of_memory())])
    assert [reading.outcome for reading in readings] == [ReadOutcome.UNREADABLE]
    assert pool.read_many([("好.xlsx", workbook(7))])[0].answers == {"人数": 7}


def test_a_file_that_takes_too_long_is_the_only_one_lost() -> None:
    slow = workbook(1, rows=40_000)
    with ReaderPool(FORMS, workers=1, seconds=0.25) as readers:
        started = time.monotonic()
        readings = readers.read_many([("好", workbook(1)), ("慢", slow), ("好", workbook(2))])
        assert time.monotonic() - started < 5
    assert [reading.outcome for reading in readings] == [
        ReadOutcome.ANSWERS,
        ReadOutcome.UNREADABLE,
        ReadOutcome.ANSWERS,
    ]
    assert "时间" in readings[1].reason


def test_a_worker_that_cannot_start_is_an_outside_failure_and_no_reading(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "path", [])  # an installation that lost its packages
    with (
        ReaderPool(FORMS, workers=1) as readers,
        pytest.raises(OutsideFailed, match="无法启动"),
    ):
        readers.read_many([("好.xlsx", workbook(1))])


def test_workers_start_with_the_first_files_and_end_with_the_pool() -> None:
    readers = ReaderPool(FORMS, workers=1)
    assert readers.processes() == []
    readers.read_many([("好.xlsx", workbook(1))])
    [process] = readers.processes()
    assert process.poll() is None
    readers.close()
    readers.close()
    assert process.poll() is not None


def test_no_damage_to_a_file_gets_out_of_its_worker(pool: ReaderPool) -> None:
    dice = random.Random(7)
    files = []
    for number in range(120):
        data = bytearray(workbook(number))
        for _ in range(dice.randrange(1, 25)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        files.append((f"{number}.xlsx", bytes(data)))
    readings = pool.read_many(files)
    assert len(readings) == len(files)
    assert all(reading.outcome is ReadOutcome.ANSWERS or reading.reason for reading in readings)
    assert not [reading.reason for reading in readings if "代号" in reading.reason]
