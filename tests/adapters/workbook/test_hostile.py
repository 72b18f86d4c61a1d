"""Workbooks made to do harm: attack, and how the file ends. docs/faults.md names the tests."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from typing import TYPE_CHECKING

import openpyxl
import pytest

from tests.adapters.workbook.damage import zipped
from tests.adapters.workbook.forms import parts, with_parts
from tests.adapters.workbook.test_habits import PRINTED, UNTOUCHED, compiled, copy, forms, read
from workflow.adapters.workbook.annotate import annotate
from workflow.adapters.workbook.biff import sheet_starts, workbook_stream
from workflow.adapters.workbook.pool import ReaderPool
from workflow.adapters.workbook.problems import ReturnSummary
from workflow.domain.campaign import SHANGHAI
from workflow.domain.form import Severity
from workflow.domain.submission import Finding, ReadOutcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.servers.office import Office

SHEET, STRINGS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
SECRET = "内部文件的内容"
WHEN = dt.datetime(2027, 1, 4, tzinfo=SHANGHAI)


def patched(part: str, change: Callable[[bytes], bytes], data: bytes | None = None) -> bytes:
    data = data or copy()
    return with_parts(data, {part: change(parts(data)[part])})


def doctype(entities: bytes, use: bytes) -> Callable[[bytes], bytes]:
    """A part with a document type, and the first text of it made of an entity."""

    def change(part: bytes) -> bytes:
        head, end, body = part.partition(b"?>")
        body = re.sub(rb"(<t[^>]*>)[^<]*", rb"\1" + use, body, count=1)
        return head + end + b"<!DOCTYPE sst [" + entities + b"]>" + body

    return change


def laughs() -> bytes:
    """A billion laughs: ten times ten, nine levels deep."""
    first = b'<!ENTITY l0 "' + b"ha" * 50 + b'">'
    return first + b"".join(
        b'<!ENTITY l%d "' % level + b"&l%d;" % (level - 1) * 10 + b'">' for level in range(1, 10)
    )


def overlapping() -> bytes:
    """Two entries of the directory over the same bytes, after David Fifield (2019)."""
    data = copy()
    source = zipfile.ZipFile(io.BytesIO(data))
    offsets = {one.filename: one.header_offset for one in source.infolist()}
    start = data.rindex(b"PK\x05\x06")
    directory = int.from_bytes(data[start + 16 : start + 20], "little")
    at, changed = directory, bytearray(data)
    while changed[at : at + 4] == b"PK\x01\x02":
        length, extra, comment = (
            int.from_bytes(changed[at + n : at + n + 2], "little") for n in (28, 30, 32)
        )
        if changed[at + 46 : at + 46 + length] == STRINGS.encode():
            changed[at + 42 : at + 46] = (offsets[SHEET] + 1).to_bytes(4, "little")
        at += 46 + length + extra + comment
    return bytes(changed)


def twice() -> bytes:
    """Two members of one name: one program reads the first and another the second."""
    data = with_parts(copy(), {"xl/worksheets/sheetX.xml": parts(copy())[SHEET]})
    return data.replace(b"xl/worksheets/sheetX.xml", b"xl/worksheets/sheet1.xml")


def swollen() -> bytes:
    """A sheet of blanks that unpacks to two hundred times its size and more."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts(copy()).items():
            archive.writestr(name, b" " * 100_000_000 if name == SHEET else part)
    return target.getvalue()


def crowded() -> bytes:
    return with_parts(copy(), {f"xl/media/{at}.png": b"" for at in range(2001)})


def nested() -> bytes:
    """An archive of archives of archives."""
    data = copy()
    for _ in range(6):
        data = zipped({"里面.zip": data})
    return data


@pytest.mark.parametrize(
    ("make", "outcome", "said"),
    [
        (overlapping, ReadOutcome.HOSTILE, "压缩结构异常"),
        (twice, ReadOutcome.HOSTILE, "压缩结构异常"),
        (swollen, ReadOutcome.HOSTILE, "压缩结构异常"),
        (crowded, ReadOutcome.HOSTILE, "压缩结构异常"),
        (lambda: with_parts(copy(), {"xl/vbaProject.bin": b"x"}), ReadOutcome.MACRO, "含有宏"),
        (lambda: with_parts(copy(), {"xl/macrosheets/sheet1.xml": b"<x/>"}), ReadOutcome.MACRO, "含有宏"),
        (lambda: with_parts(copy(), {"XL/VBAPROJECT.BIN": b"x"}), ReadOutcome.MACRO, "含有宏"),
    ],
    ids=["overlap", "two-of-a-name", "bomb", "too-many", "vba", "excel-4-macros", "vba-in-capitals"],
)
def test_what_could_do_harm_is_not_opened(make: Callable[[], bytes], outcome: ReadOutcome, said: str) -> None:
    reading = read(make())
    assert reading.outcome is outcome
    assert said in reading.reason
    assert not reading.answers


def test_a_sheet_of_excel_4_macros_in_an_xls_is_not_opened(soffice: Office, tmp_path: Path) -> None:
    source = tmp_path / "copy.xlsx"
    source.write_bytes(copy())
    data = soffice(source, "xls", tmp_path / "saved").read_bytes()
    assert read(data).outcome is ReadOutcome.ANSWERS
    start, _ = sheet_starts(workbook_stream(data))[1]
    record = data.index(start.to_bytes(4, "little"), data.index(b"\x09\x08\x10\x00")) + 4
    macro = data[:record] + b"\x02\x01" + data[record + 2 :]  # very hidden, and of macros
    assert read(macro).outcome is ReadOutcome.MACRO


@pytest.fixture(scope="module")
def pool() -> Iterator[ReaderPool]:
    pool = ReaderPool(forms(), 1, 20, 1000)
    yield pool
    pool.close()


@pytest.mark.parametrize("part", [SHEET, STRINGS, "xl/workbook.xml", "[Content_Types].xml"])
@pytest.mark.parametrize("attack", ["laughs", "file", "network", "parameter"])
def test_no_entity_is_opened_or_expanded(pool: ReaderPool, part: str, attack: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET, encoding="utf-8")
    entities, use = {
        "laughs": (laughs(), b"&l9;"),
        "file": (f'<!ENTITY e SYSTEM "{secret.as_uri()}">'.encode(), b"&e;"),
        "network": (b'<!ENTITY e SYSTEM "http://127.0.0.1:9/x">', b"&e;"),
        "parameter": (f'<!ENTITY % e SYSTEM "{secret.as_uri()}"> %e;'.encode(), b"x"),
    }[attack]
    data = patched(part, doctype(entities, use))
    [reading, honest] = pool.read_many([("恶.xlsx", data), ("好.xlsx", copy())])
    assert SECRET not in repr(reading)
    assert "haha" not in repr(reading)
    assert honest.answers == UNTOUCHED


@pytest.mark.parametrize(
    "claim",
    [
        (SHEET, rb'<dimension ref="[^"]*"/>', b'<dimension ref="A1:XFD1048576"/>'),
        (STRINGS, rb"<sst ", b'<sst x="1" '),
        (STRINGS, rb'count="\d+"', b'count="4000000000"'),
        (SHEET, rb'r="A\d+"', b'r="XFD1048576"'),
    ],
    ids=["dimension", "attribute", "count", "far-cell"],
)
def test_what_a_file_claims_of_its_size_costs_nobody_else(
    pool: ReaderPool, claim: tuple[str, bytes, bytes]
) -> None:
    part, old, new = claim
    data = patched(part, lambda content: re.sub(old, new, content, count=1))
    [_, honest] = pool.read_many([("恶.xlsx", data), ("好.xlsx", copy())])
    assert honest.answers == UNTOUCHED


def test_archives_within_archives_come_to_an_end(pool: ReaderPool) -> None:
    [reading, honest] = pool.read_many([("套.zip", nested()), ("好.xlsx", copy())])
    assert reading.outcome is not ReadOutcome.ANSWERS
    assert honest.answers == UNTOUCHED


EXTRAS = {
    "xl/externalLinks/externalLink1.xml": b"<externalLink/>",
    "xl/connections.xml": b"<connections/>",
    "xl/embeddings/oleObject1.bin": b"MZ",
    "xl/activeX/activeX1.bin": b"MZ",
    "xl/queryTables/queryTable1.xml": b"<queryTable/>",
    "customUI/customUI.xml": b"<customUI/>",
    "xl/worksheets/_rels/sheet9.xml.rels": b'<Relationships><Relationship Target="http://127.0.0.1:9/"/></Relationships>',
}


def returned(data: bytes) -> bytes:
    """What goes back to a unit whose workbook has one error."""
    reading = read(data)
    assert reading.outcome is ReadOutcome.ANSWERS, reading.reason
    assert reading.identity is not None
    finding = Finding("rule", Severity.ERROR, "", "全表", "", "=1", "请核对。")
    summary = ReturnSummary("示例县第一小学", "2026年第四季度", WHEN, "", 1)
    return annotate(compiled("school"), reading.identity, PRINTED, reading.answers, [finding], summary)


def test_links_connections_and_objects_are_not_followed_and_do_not_come_back() -> None:
    data = with_parts(copy(), EXTRAS)
    assert dict(read(data).answers) == UNTOUCHED
    ours = set(parts(returned(copy())))
    assert set(parts(returned(data))) == ours
    assert not [
        name for name in ours if re.search(r"external|connection|embed|activex|query|custom(?:ui)", name)
    ]


ORDERS = [
    "=1+1",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    '=HYPERLINK("http://example.org","点我")',
    "http://example.org/a",
    "file:///etc/passwd",
    "{{7*7}}{% raw %}",
    "<b>粗</b>",
    '=DDE("cmd";"/C calc";"x")',
]


@pytest.mark.parametrize("typed", ORDERS)
def test_what_a_unit_typed_comes_back_as_text_and_nothing_else(typed: str) -> None:
    field = next(one.name for one in compiled("school").form.fields if one.type.value == "文本")
    reading = read(copy())
    assert reading.identity is not None
    finding = Finding("constraint", Severity.ERROR, field, typed, "", typed, typed)
    summary = ReturnSummary(typed, "2026年第四季度", WHEN, typed, 1)
    back = annotate(
        compiled("school"), reading.identity, {**PRINTED, "单位名称": typed}, {**reading.answers, field: typed},
        [finding], summary,
    )  # fmt: skip
    ours = {(sheet.title, cell.coordinate) for sheet, cell in _formulas(returned(copy()))}
    theirs = {(sheet.title, cell.coordinate): cell.value for sheet, cell in _formulas(back)}
    # Links and formulas are those of the form and of our own pages alone, and none has the unit's words in it.
    assert set(theirs) <= ours
    assert not [value for value in theirs.values() if typed.strip() in str(value)]
    assert read(back).answers[field] in {typed, typed.replace("\r", "\n"), typed.strip()}


def _formulas(data: bytes) -> Iterator[tuple[object, object]]:
    for sheet in openpyxl.load_workbook(io.BytesIO(data)):
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f" or (cell.hyperlink and cell.hyperlink.target):
                    yield sheet, cell


@pytest.mark.parametrize(
    "name",
    [
        "../../季报.xlsx",
        "..\\..\\季报.xlsx",
        "/etc/季报.xlsx",
        "C:\\季报.xlsx",
        "\u202e季报.xlsx",
        "季\x00报.xlsx",
    ],
)
def test_the_names_in_an_archive_are_bare(name: str) -> None:
    reading = read(zipped({name: copy(), "b.xlsx": copy()}, encoding="utf-8"), "包.zip")
    for one in reading.inside:
        assert "/" not in one.name
        assert "\\" not in one.name
