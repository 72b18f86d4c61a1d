"""A repeating table from the form to the province: filled in Excel as people do, added up at every level, traced back.

The expected figures are added up by openpyxl from the filled copies, without a line of the product.
"""

from __future__ import annotations

import io
import json
import re
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
from openpyxl.comments import Comment

from tests.adapters.workbook.equipment import form_bytes
from tests.adapters.workbook.test_explanations import GOOD
from tests.journeys.test_command_line import Office
from tests.journeys.world import (
    CITY,
    CITY_SCHOOL,
    COUNTY,
    FIRST,
    PROVINCE,
    SECOND,
    attachments,
    cell_value,
    person,
)
from workflow.domain.roster import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openpyxl.workbook import Workbook

Rows = list[tuple[Any, ...]]

FEW: Rows = [
    ("笔记本", 30, 28),
    ("", None, None),
    ("平板", 12, 12),
    ("大屏", 6, 5),
    ("（以下空白）", None, None),
]
MANY: Rows = [(f"终端{n}", n, n // 2) for n in range(1, 10)]  # goes on in the 续表
FULL_WIDTH: Rows = [("投影仪", "１，２００台", 1000)]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A province whose schools fill in the form with the table; three of them have."""
    nowhere: Any = SimpleNamespace(imap_port=1, smtp_port=1)
    settings = {"imap.password_env": '""', "reader.workers": "1"}
    office = Office(tmp_path_factory.mktemp("tables") / "workspace", nowhere, {}, settings=settings)
    (office.folder / "templates" / "forms" / "school.xlsx").write_bytes(form_bytes())
    office.import_roster()
    assert office.huizhi("open", "2026Q4").code == 0
    raws = [
        office.reply(unit, filled(office, unit, rows))
        for unit, rows in ((FIRST, FEW), (SECOND, MANY), (CITY_SCHOOL, FULL_WIDTH))
    ]
    told = office.ingest(*raws)
    outcomes = [part["outcome"] for line in told.lines for part in json.loads(line)["attachments"]]
    assert (told.code, outcomes) == (0, ["accepted"] * 3), told.out
    yield office
    office.close()


def filled(office: Office, unit: str, rows: Rows) -> bytes:
    """A unit's copy with rows typed into the table from its first line down, and on into the 续表."""
    book = openpyxl.load_workbook(io.BytesIO(office.newest(unit, "notice").workbook))
    form = office.form_of(unit)
    for name, value in GOOD.items():
        slot = form.slot_of[name]
        book[slot.sheet].cell(slot.row, slot.column).value = value
    lines = lines_of(book)
    for (sheet, row), values in zip(lines, rows, strict=False):
        for column, value in enumerate(values, start=2):
            book[sheet].cell(row, column).value = value or None
    book["设备"]["C9"] = sum(number_of(values[1]) for values in rows)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def lines_of(book: Workbook) -> list[tuple[str, int]]:
    """Where the lines of the table stand: five drawn, the others numbered on the 续表."""
    more = [
        cell.row for cell in book["续表"]["A"]
        if str(cell.value).isdecimal() and int(str(cell.value)) > 5
    ]  # fmt: skip
    return [("设备", row) for row in range(4, 9)] + [("续表", row) for row in more]


def number_of(typed: Any) -> int:
    return int(str(typed or 0).translate(str.maketrans("１２０", "120", "，台")))


def openpyxl_sum(*copies: bytes) -> int:
    total = 0
    for copy in copies:
        book = openpyxl.load_workbook(io.BytesIO(copy))
        total += sum(number_of(book[sheet].cell(row, 3).value) for sheet, row in lines_of(book))
    return total


def copies(office: Office) -> dict[str, bytes]:
    """Each unit's workbook as it lies in the archive."""
    found = {}
    for version in office.app.store.submissions("2026Q4"):
        raw = office.app.files.mail(version.message)
        found[version.unit] = attachments(raw)[version.attachment]
    return found


def book_of(office: Office, unit: str) -> Workbook:
    office.huizhi("consolidate")
    path = max((office.folder / "outbox").rglob(f"{unit}_*.xlsx"), key=lambda one: one.stat().st_mtime_ns)
    return openpyxl.load_workbook(path)


def total_in(book: Workbook, heading: str) -> Any:
    sheet = book["汇总·示例季报表"]
    [column] = [cell.column for cell in sheet[4] if str(cell.value).startswith(heading)]
    return sheet.cell(6, column).value


def test_each_levels_total_is_what_openpyxl_adds_up_from_the_copies(office: Office) -> None:
    sent = copies(office)
    below = {COUNTY: (FIRST, SECOND), CITY: tuple(sent), PROVINCE: tuple(sent)}
    for level, units in below.items():
        book = book_of(office, level)
        expected = openpyxl_sum(*(sent[unit] for unit in units))
        assert total_in(book, "设备 数量") == expected
        listed = [row[5] for row in book["示例季报表-设备"].iter_rows(min_row=4, values_only=True)]
        assert sum(listed) == expected
        assert len(listed) == sum({FIRST: 3, SECOND: 9, CITY_SCHOOL: 1}[unit] for unit in units)


def test_the_acknowledgement_tells_what_was_no_row_and_takes_a_blank_row_for_no_change_of_layout(
    office: Office,
) -> None:
    letter = office.newest(FIRST, "acknowledgement").text
    assert "设备：“设备”页第8行“以下空白”不是明细，没有作为一行收取" in letter
    assert "版式" not in letter


def test_a_column_is_traced_to_the_cell_of_every_row(office: Office) -> None:
    said = office.huizhi("trace", SECOND, "设备.数量")
    assert said.code == 0
    assert "设备.数量 各行合计 = 45（9行） 第1次报送" in said.lines[0]
    sha = re.search(r"附件 \S+ ([0-9a-f]{64})", said.out)
    original = re.search(r"原件 (\S+\.eml)", said.out)
    assert sha
    assert original
    copy = attachments((office.folder / original[1]).read_bytes())[sha[1]]
    rows = re.findall(r"设备\.(\d+)\.数量 = (\d+) 单元格 (\S+)", said.out)
    assert [int(row) for row, _, _ in rows] == list(range(1, 10))
    assert [str(cell_value(copy, cell)) for _, _, cell in rows] == [figure for _, figure, _ in rows]
    assert rows[-1][2].startswith("续表!")


def test_a_blank_line_between_others_is_no_row(office: Office) -> None:
    said = office.huizhi("trace", FIRST, "设备.名称")
    assert "设备.名称（3行） 第1次报送" in said.lines[0]
    rows = re.findall(r"设备\.(\d)\.名称 = (\S+) 单元格 (\S+)", said.out)
    assert rows == [("1", "笔记本", "设备!B4"), ("2", "平板", "设备!B6"), ("3", "大屏", "设备!B7")]


def test_one_cell_is_traced_and_a_column_that_is_none_is_refused(office: Office) -> None:
    said = office.huizhi("trace", SECOND, "设备.2.名称")
    assert said.lines[0].endswith(" 设备.2.名称 = 终端2 第1次报送")
    assert "单元格 设备!B5" in said.out
    refused = office.huizhi("trace", FIRST, "设备.没有")
    assert (refused.code, "整列写作 表.列" in refused.err) == (2, True)


def test_rebuilt_from_the_ledger_the_tables_are_the_same(office: Office) -> None:
    before = [office.huizhi("trace", unit, "设备.数量").out for unit in (FIRST, SECOND, CITY_SCHOOL)]
    assert office.huizhi("rebuild").code == 0
    assert [office.huizhi("trace", unit, "设备.数量").out for unit in (FIRST, SECOND, CITY_SCHOOL)] == before


def test_sorted_and_sent_again_a_table_is_no_change_and_one_row_more_is_told(office: Office) -> None:
    book_of(office, COUNTY)
    again = filled(office, FIRST, [FEW[3], FEW[0], FEW[2]])
    office.ingest(office.reply(FIRST, again, text="再报一次。"), received="2026-12-13T10:00:00+08:00")
    assert changes(book_of(office, COUNTY)) == [
        ("报送次数", "已报送未审核，第1次", "已报送未审核，第2次", "更正")
    ]
    more = filled(office, FIRST, [FEW[3], FEW[0], FEW[2], ("投影仪", 2, 2)])
    office.ingest(office.reply(FIRST, more, text="增加一行。"), received="2026-12-14T10:00:00+08:00")
    assert changes(book_of(office, COUNTY)) == [
        ("终端总数", "48", "50", "更正"),
        ("设备 增加第4行", "（空）", "投影仪，2，2", "更正"),
    ]


def test_a_reviewers_comment_on_a_row_goes_back_in_the_units_own_cell(office: Office) -> None:
    book = book_of(office, COUNTY)
    sheet = book["示例季报表-设备"]
    [line] = [row for row in sheet.iter_rows(min_row=4) if (row[0].value, row[3].value) == (SECOND, 7)]
    line[5].comment = Comment("王审:\n与资产台账不符", "王审")
    sheet = book["示例季报表"]
    head = {str(cell.value): cell.column for cell in sheet[4]}
    [at] = [row[1].row for row in sheet.iter_rows(min_row=5) if row[1].value == SECOND]
    sheet.cell(at, head["审核结论"]).value = "退回"
    path = office.folder.parent / "审核.xlsx"
    book.save(path)
    office.at("01-02 10:00")
    assert office.huizhi("review", "apply", path, "--by", person(COUNTY, Role.REVIEWER)).code == 0
    letter = office.newest(SECOND, "returned")
    assert "续表!C7 设备第7行数量" in letter.text
    returned = openpyxl.load_workbook(io.BytesIO(letter.workbook))
    cell = returned["续表"]["C7"]
    assert cell.value == 7
    assert "与资产台账不符" in cell.comment.text


def changes(book: Workbook) -> list[tuple[Any, ...]]:
    rows = book["变更"].iter_rows(min_row=3, values_only=True)
    return [row[4:] for row in rows if isinstance(row[0], int)]
