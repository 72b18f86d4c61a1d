"""A reviewer's comments on cells come back with the row's decision, whichever program wrote them."""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING

import openpyxl
import pytest
from openpyxl.comments import Comment

from tests.adapters.workbook.test_consolidate import ROWS, book, headings, review_of, saved, written
from workflow.adapters.workbook.remarks import read_remarks, remarks_of

if TYPE_CHECKING:
    from pathlib import Path

    from openpyxl.worksheet.worksheet import Worksheet

    from tests.servers.office import Office
    from workflow.domain.submission import Decision

WORDS = "与资产台账不符\n请核实"
LEGACY = "[线程批注]\n\n你的Excel版本可读取此线程批注。\n\n注释:\n    与资产台账不符"


def remarked(author: str = "王审", words: str = WORDS) -> bytes:
    """Two rows sent back: one with comments on two indicators and on the unit's name, one with a note."""
    workbook = openpyxl.load_workbook(io.BytesIO(written(book())))
    sheet = workbook["中小学"]
    columns = headings(sheet, 4)
    sheet.cell(5, columns["审核结论"], "退回")
    for heading, row in (("在校生数\n（人）", 5), ("是否联网", 5), ("单位名称", 5)):
        sheet.cell(row, columns[heading]).comment = Comment(
            f"{author}:\n{words}" if author else words, author
        )
    sheet.cell(6, columns["审核结论"], "退回")
    sheet.cell(6, columns["审核意见"], "请核实")
    return saved(workbook)


EXPECTED = {"人数": WORDS, "联网": WORDS, "单位名称": WORDS}


def rows(data: bytes) -> list[Decision]:
    return [row for row in review_of(data).decisions if row.form]


@pytest.mark.parametrize("author", ["王审", "Author", ""])
def test_comments_stand_by_the_field_of_their_column_without_their_authors_name(author: str) -> None:
    first, second = rows(remarked(author))
    assert (first.verdict, first.note, dict(first.remarks)) == ("退回", "", EXPECTED)
    assert (second.verdict, second.note, dict(second.remarks)) == ("退回", "请核实", {})


def test_they_follow_their_row_and_column_when_these_are_moved() -> None:
    workbook = openpyxl.load_workbook(io.BytesIO(remarked()))
    sheet = workbook["中小学"]
    sheet.delete_cols(1)  # the comments of openpyxl move with their cells
    assert _remarks_of(saved(workbook)) == EXPECTED


def _remarks_of(data: bytes) -> dict[str, str]:
    return dict(rows(data)[0].remarks)


def test_without_the_marks_above_the_headings_the_heading_names_the_column() -> None:
    workbook = openpyxl.load_workbook(io.BytesIO(remarked()))
    sheet = workbook["中小学"]
    for cell in sheet[2][13:]:
        cell.value = None
    assert _remarks_of(saved(workbook)) == {"在校生数": WORDS, "是否联网": WORDS, "单位名称": WORDS}


def test_a_comment_alone_is_not_lost() -> None:
    workbook = openpyxl.load_workbook(io.BytesIO(remarked()))
    sheet = workbook["中小学"]
    sheet.cell(5, headings(sheet, 4)["审核结论"]).value = None
    first = rows(saved(workbook))[0]
    assert (first.row, first.verdict, dict(first.remarks)) == (5, "", EXPECTED)


def test_comments_on_other_sheets_and_above_the_rows_decide_nothing() -> None:
    workbook = openpyxl.load_workbook(io.BytesIO(written(book())))
    for name, place in (("封面", "B2"), ("中小学", "B4"), ("汇总·中小学", "C7")):
        sheet: Worksheet = workbook[name]
        sheet[place].comment = Comment("看过", "王审")
    assert review_of(saved(workbook)).decisions == ()


def threaded(data: bytes) -> bytes:
    """The same workbook as Excel writes threaded comments: an explaining twin, the thread with a reply beside it."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        sheet = _commented(old)
        place = _first_place(old, sheet)
        for name in old.namelist():
            content = old.read(name)
            if name == f"xl/worksheets/_rels/{sheet}.rels":
                relation = (
                    '<Relationship Id="rIdT" Type="http://schemas.microsoft.com/office/2017/10/relationships/'
                    'threadedComment" Target="../threadedComments/threadedComment1.xml"/></Relationships>'
                )
                content = content.replace(b"</Relationships>", relation.encode())
            new.writestr(name, content)
        new.writestr(
            "xl/threadedComments/threadedComment1.xml",
            '<ThreadedComments xmlns="http://schemas.microsoft.com/office/spreadsheetml/2018/threadedcomments">'
            f'<threadedComment ref="{place}" dT="2027-01-03T01:00:00.00" personId="{{1}}" id="{{A}}">'
            "<text>与资产台账不符</text></threadedComment>"
            f'<threadedComment ref="{place}" dT="2027-01-03T02:00:00.00" personId="{{1}}" id="{{B}}" parentId="{{A}}">'
            "<text>请附说明</text></threadedComment></ThreadedComments>",
        )
    return target.getvalue()


def _commented(archive: zipfile.ZipFile) -> str:
    """The sheet part that has comments."""
    for name in archive.namelist():
        if name.startswith("xl/worksheets/_rels/") and b"/comments" in archive.read(name):
            return name.rpartition("/")[2].removesuffix(".rels")
    raise AssertionError("no comments")


def _first_place(archive: zipfile.ZipFile, sheet: str) -> str:
    relations = archive.read(f"xl/worksheets/_rels/{sheet}.rels").decode()
    part = re.search(r'Target="/?(?:\.\./)?((?:xl/)?comments/?[^"]*\.xml)"', relations)
    assert part
    name = part[1] if part[1].startswith("xl/") else f"xl/{part[1]}"
    return re.search(r'ref="([A-Z]+5)"', archive.read(name).decode())[1]  # type: ignore[index]


def test_a_thread_counts_and_its_explaining_twin_does_not() -> None:
    remarks = _remarks_of(threaded(remarked("王审", LEGACY)))
    assert "与资产台账不符\n请附说明" in remarks.values()
    assert sum(words == "与资产台账不符\n请附说明" for words in remarks.values()) == 1


def test_a_broken_comments_part_costs_the_comments_and_not_the_decisions() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(remarked())) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            broken = "comment" in name and name.endswith(".xml")
            new.writestr(name, b"<comments><broken" if broken else old.read(name))
    with zipfile.ZipFile(target) as archive:
        assert read_remarks(archive) == {}


def test_they_survive_libreoffice(soffice: Office, tmp_path: Path) -> None:
    source = tmp_path / "book.xlsx"
    source.write_bytes(remarked())
    again = soffice(source, "xlsx", tmp_path / "saved").read_bytes()
    first, second = rows(again)
    assert (first.unit, first.verdict, dict(first.remarks)) == (ROWS[0].unit.code, "退回", EXPECTED)
    assert (second.verdict, second.note) == ("退回", "请核实")


KINDS_OF_WORDS = {"人数": "plain", "联网": "长" * 1_800 + "尾", "单位名称": "第一行\n第二行 <b>&amp;"}


@pytest.fixture(scope="module", params=["xls", "ods"])
def elsewhere(
    request: pytest.FixtureRequest, soffice: Office, tmp_path_factory: pytest.TempPathFactory
) -> bytes:
    """A workbook with comments of all kinds, as LibreOffice saves it in another format."""
    workbook = openpyxl.load_workbook(io.BytesIO(remarked("", WORDS)))
    sheet = workbook["中小学"]
    columns = headings(sheet, 4)
    for heading, words in zip(
        ("在校生数\n（人）", "是否联网", "单位名称"), KINDS_OF_WORDS.values(), strict=True
    ):
        sheet.cell(5, columns[heading]).comment = Comment(words, "")
    folder = tmp_path_factory.mktemp(request.param)
    source = folder / "book.xlsx"
    source.write_bytes(saved(workbook))
    return soffice(source, request.param, folder / "saved").read_bytes()


def test_words_of_any_length_come_back_whole_from_other_formats(elsewhere: bytes) -> None:
    first, second = rows(elsewhere)
    assert (first.verdict, dict(first.remarks)) == ("退回", KINDS_OF_WORDS)
    assert (second.verdict, second.note, dict(second.remarks)) == ("退回", "请核实", {})


def test_a_file_cut_short_gives_the_comments_that_are_left_or_none(elsewhere: bytes) -> None:
    if elsewhere.startswith(b"PK"):
        target = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(elsewhere)) as old, zipfile.ZipFile(target, "w") as new:
            content = old.read("content.xml")
            new.writestr("content.xml", content[: len(content) * 3 // 4])
        with zipfile.ZipFile(target) as archive:
            found = remarks_of(target.getvalue(), archive)
    else:
        found = remarks_of(elsewhere[: len(elsewhere) // 2], None)
    told = {words for notes in found.values() for words in notes.values()}
    assert told <= set(KINDS_OF_WORDS.values())


def test_sorted_filtered_shortened_and_lengthened_it_survives_libreoffice(
    soffice: Office, tmp_path: Path
) -> None:
    workbook = openpyxl.load_workbook(io.BytesIO(written(book())))
    sheet = workbook["中小学"]
    columns = headings(sheet, 4)
    lines = [[cell.value for cell in line] for line in sheet.iter_rows(min_row=5, max_row=9)]
    lines = [lines[4], lines[1], lines[3], lines[1]]  # sorted, two deleted, one twice
    for at in range(5, 11):
        for column in range(1, sheet.max_column + 1):
            sheet.cell(at, column).value = lines[at - 5][column - 1] if at - 5 < len(lines) else None
    for at, verdict in ((5, "通过"), (6, "通过"), (7, "√"), (8, "退回"), (9, "通过"), (10, "退回")):
        sheet.cell(at, columns["审核结论"], verdict)
    sheet.cell(8, columns["审核意见"], "请核实")
    sheet.cell(9, columns["单位代码"], "4109990001")  # a row of somebody's own
    sheet.row_dimensions[5].hidden = True
    source = tmp_path / "book.xlsx"
    source.write_bytes(saved(workbook))
    found = rows(soffice(source, "xlsx", tmp_path / "saved").read_bytes())
    assert [(row.row, row.unit[-4:], row.version_no, row.verdict) for row in found] == [
        (5, "0005", 5, "通过"),
        (6, "0002", 2, "通过"),
        (7, "0004", 4, "√"),
        (8, "0002", 2, "退回"),
        (9, "0001", 0, "通过"),
        (10, "", 0, "退回"),
    ]
