"""The quarter's baseline as offices hand it on: any encoding, headings over two rows, codes that Excel spoiled; every fault at once."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

import openpyxl
import pytest

from workflow.adapters.workbook.baseline import Mapped, read_baseline
from workflow.domain.errors import Refused
from workflow.domain.roster import UnitKind

if TYPE_CHECKING:
    from collections.abc import Sequence

HEAD = ("学校（机构）标识码", "学校（机构）名称", "办学类型", "隶属机构标识码")
MAPPED = Mapped(dict(zip(("code", "name", "kind", "superior"), HEAD, strict=True)), {"小学": UnitKind.SCHOOL})
ROWS = (
    ("410000", "示例省教育厅", "省级教育行政部门", ""),
    ("410100", "甲市教育局", "地市级教育行政部门", "410000"),
    ("410102", "甲市东区教育局", "县级教育行政部门", "410100"),
    ("4101020001", "东区第一小学", "小学", "410102"),
    ("4101020002", "东区第二小学", "小学", "410102"),
)
CODES = [row[0] for row in ROWS]


def text(*rows: Sequence[str], encoding: str = "utf-8", between: str = ",") -> bytes:
    target = io.StringIO()
    csv.writer(target, delimiter=between).writerows([HEAD, *rows])
    return target.getvalue().encode(encoding)


def book(*rows: Sequence[object], merged: bool = False) -> bytes:
    """The table as a workbook; `merged`: a title, and headings that lie over two rows, two of them under a common one."""
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = "机构"
    if merged:
        sheet.append(["全省教育机构基准数据（2026年第4季度）"])
        sheet.merge_cells("A1:D1")
        sheet.append([HEAD[0], HEAD[1], "属性", None])
        sheet.append([None, None, HEAD[2], HEAD[3]])
        for cells in ("A2:A3", "B2:B3", "C2:D2"):
            sheet.merge_cells(cells)
    else:
        sheet.append(HEAD)
    for row in rows:
        sheet.append(list(row))
    target = io.BytesIO()
    workbook.save(target)
    return target.getvalue()


def faults(data: bytes, name: str) -> list[str]:
    with pytest.raises(Refused) as refused:
        read_baseline(data, name, MAPPED)
    assert all(fault.remedy for fault in refused.value.faults)
    return [str(fault) for fault in refused.value.faults]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("between", [",", "\t", ";"])
def test_a_text_file_reads_the_same_in_every_encoding(encoding: str, between: str) -> None:
    roster, queries = read_baseline(text(*ROWS, encoding=encoding, between=between), "基准.csv", MAPPED)
    assert (list(roster.units), queries) == (CODES, ())
    assert roster.units["4101020001"].name == "东区第一小学"


def test_what_is_in_no_encoding_that_is_known_is_refused_with_its_line() -> None:
    spoiled = text(*ROWS).replace("东区第二小学".encode(), b"\x80\xff\xff")
    (fault,) = faults(spoiled, "基准.csv")
    assert re.search(r"基准\.csv 第\d+行附近：文字编码不认识", fault)
    assert "CSV UTF-8" in fault


def test_headings_in_merged_cells_over_two_rows_are_found() -> None:
    roster, _ = read_baseline(book(*ROWS, merged=True), "基准.xlsx", MAPPED)
    assert list(roster.units) == CODES
    assert roster.units["4101020002"].superior == "410102"


def test_a_missing_heading_is_named_with_where_it_is_told() -> None:
    (fault,) = faults(text(*ROWS).replace("办学类型".encode(), "类别".encode()), "基准.csv")
    assert "表头缺少办学类型" in fault
    assert "[baseline.columns]" in fault


def test_codes_that_excel_made_numbers_of_are_read_as_they_were_typed() -> None:
    numbers = [(float(code), name, kind, float(above) if above else None) for code, name, kind, above in ROWS]
    numbers[2] = (410102000000.0, *numbers[2][1:])  # a division of twelve digits
    roster, _ = read_baseline(book(*numbers), "基准.xlsx", MAPPED)
    assert list(roster.units) == CODES


def test_scientific_notation_cannot_be_repaired_and_is_refused_in_each_row() -> None:
    rows = [*ROWS[:3], ("4.10102E+09", *ROWS[3][1:]), ("4.10102e9", *ROWS[4][1:])]
    found = faults(book(*rows), "基准.xlsx")
    assert [line for line in found if "科学计数法" in line and "机构!第5行" in line]
    assert [line for line in found if "科学计数法" in line and "机构!第6行" in line]
    assert all("科学计数法" in line for line in found)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (("4101020009", "东区第九小学", "小学", "410109"), "第7行.*上级单位代码410109在名册中没有"),
        (("4101020001", "东区第一小学", "小学", "410102"), "第7行.*重复"),
        (("41010200", "东区第九小学", "小学", "410102"), "第7行.*不是学校（机构）标识码"),
        (("4101020009", "", "小学", "410102"), "第7行.*名称"),
        (("4101020009", "东区第九小学", "职高", "410102"), "第7行.*职高"),
        (("4101020009", "东区第九小学", "小学", "410000"), "第7行.*不能是"),
    ],
    ids=["orphan", "twice", "another form of code", "no name", "unknown kind", "a superior of another kind"],
)
def test_a_bad_row_is_named(row: tuple[str, ...], expected: str) -> None:
    assert any(re.search(expected, fault) for fault in faults(text(*ROWS, row), "基准.csv"))


def test_all_that_is_wrong_is_told_at_once() -> None:
    circle = [
        ("4101020003", "东区甲教学点", "教学点", "4101020004"),
        ("4101020004", "东区乙教学点", "教学点", "4101020003"),
    ]
    orphan = ("4101020005", "东区第五小学", "小学", "410199")
    again = ("4101020002", "东区第二小学", "小学", "410102")
    short = ("41010200", "东区第六小学", "小学", "410102")
    found = faults(text(*ROWS, *circle, orphan, again, short), "基准.csv")
    for words in ("第7行", "第8行", "第9行.*410199", "第10行.*重复", "第11行.*标识码"):
        assert any(re.search(words, fault) for fault in found), (words, found)


def test_one_bad_row_of_fifty_thousand_is_found_and_named() -> None:
    many = [(f"41010{20010 + at:05d}", f"东区第{at}小学", "小学", "410102") for at in range(50_000)]
    many[31_415] = (many[31_415][0], many[31_415][1], "小学", "410999")
    found = faults(text(*ROWS, *many), "基准.csv")
    assert len(found) == 1
    assert f"第{31_415 + len(ROWS) + 2}行" in found[0]
    assert "410999" in found[0]
