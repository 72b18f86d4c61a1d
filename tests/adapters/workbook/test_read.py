"""The reader against workbooks as units send them back: any format, any damage, anything else entirely."""

from __future__ import annotations

import datetime as dt
import io
import struct
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import openpyxl
import pytest
import xlsxwriter

from workflow.adapters.workbook.read import read_file
from workflow.domain.form import Field, FieldType, Form, Slot
from workflow.domain.submission import CellError, CopyIdentity, ReadOutcome

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.office import Office

TOKEN = "HZ-1ABCDEFGHIJKLMNOP"
IDENTITY = CopyIdentity("2026Q4", "4101020001", "school", 2, 3, TOKEN)
FIELDS = ("学校名称", "在校生数", "带宽", "建校日期", "比例", "说明", "联网")
FORM = Form(
    "school",
    "季报表（中小学）",
    2,
    ("中小学",),
    "豫1表",
    "河南省教育厅",
    tuple(Field(name, name, FieldType.TEXT) for name in FIELDS),
    (),
    tuple(
        Slot(name, "基本情况" if at < 5 else "三通 情况", 4 + at, 3 if at < 5 else 5)
        for at, name in enumerate(FIELDS)
    ),
)
FORMS = {("school", 2): FORM}
ANSWERS = {
    "学校名称": "郑州市示例小学",
    "在校生数": 812,
    "带宽": 100.5,
    "建校日期": dt.date(1998, 9, 1),
    "比例": 0.85,
    "说明": " 已接入\n教育网 ",
}


def workbook(
    answers: dict[str, object] | None = None,
    *,
    hidden: bool = True,
    properties: bool = True,
    printed: bool = True,
    identity: CopyIdentity = IDENTITY,
    kind: str = "answers",
    number: str = "",
) -> bytes:
    """A copy as `stamp` makes it, by the plain way of a library."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    sheets = {name: book.add_worksheet(name) for name in ("基本情况", "三通 情况")}
    values = ANSWERS if answers is None else answers
    for slot in FORM.slots:
        value, sheet = values.get(slot.field), sheets[slot.sheet]
        if isinstance(value, dt.date):
            sheet.write_datetime(slot.row - 1, slot.column - 1, value, day)
        elif value is not None:
            sheet.write(slot.row - 1, slot.column - 1, value)
        else:
            sheet.write_blank(slot.row - 1, slot.column - 1, None, day)
    sheets["基本情况"].write_string("A2", number)
    if printed:
        sheets["三通 情况"].write_string("B30", f"识别码：{identity.token}（请勿改动）")
    marks = {key: getattr(identity, key) for key in ("campaign", "unit", "form", "version", "copy", "token")}
    if hidden:
        sheet = book.add_worksheet("_huizhi")
        for row, (key, value) in enumerate({**marks, "kind": kind}.items()):
            sheet.write_row(row, 0, [key, str(value)])
        sheet.very_hidden()
    if properties:
        for key, value in marks.items():
            book.set_custom_property(f"huizhi.{key}", str(value))
    book.close()
    return target.getvalue()


def repacked(data: bytes, changes: dict[str, bytes]) -> bytes:
    """The same archive with members replaced or added."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, changes.get(name, old.read(name)))
        for name in changes.keys() - set(old.namelist()):
            new.writestr(name, changes[name])
    return target.getvalue()


def test_a_copy_gives_its_identity_and_its_answers_as_typed() -> None:
    reading = read_file(workbook(), "填好.xlsx", FORMS)
    assert reading.outcome is ReadOutcome.ANSWERS
    assert reading.identity == IDENTITY
    assert reading.answers == ANSWERS
    assert isinstance(reading.answers["在校生数"], int)
    assert reading.reason == ""


def test_blanks_and_white_space_are_left_out() -> None:
    reading = read_file(workbook({"学校名称": " \u3000", "在校生数": 0}), "x.xlsx", FORMS)
    assert reading.answers == {"在校生数": 0}


def test_a_yes_typed_as_a_logical_value_stays_one() -> None:
    assert read_file(workbook({"联网": True}), "x.xlsx", FORMS).answers == {"联网": True}


@pytest.mark.parametrize(("hidden", "properties"), [(True, False), (False, True)])
def test_either_hidden_mark_is_enough(hidden: bool, properties: bool) -> None:
    reading = read_file(workbook(hidden=hidden, properties=properties, printed=False), "x.xlsx", FORMS)
    assert (reading.outcome, reading.identity) == (ReadOutcome.ANSWERS, IDENTITY)


def test_the_printed_token_alone_gives_the_form_and_leaves_the_unit_to_the_caller() -> None:
    reading = read_file(workbook(hidden=False, properties=False), "x.xlsx", FORMS)
    assert reading.outcome is ReadOutcome.ANSWERS
    assert reading.identity == CopyIdentity("", "", "school", 2, 0, TOKEN)
    assert reading.answers == ANSWERS


def test_the_printed_token_with_two_fitting_forms_goes_by_the_form_number_on_the_sheet() -> None:
    data = workbook(hidden=False, properties=False, number="表    号：豫1表")
    other = replace(FORM, id="college", number="豫2表", slots=FORM.slots[::-1])
    reading = read_file(data, "x.xlsx", {("college", 2): other, **FORMS})
    assert reading.identity == CopyIdentity("", "", "school", 2, 0, TOKEN)
    assert reading.answers == ANSWERS


def test_the_printed_token_takes_the_newest_version_where_the_cells_are_the_same() -> None:
    data = workbook(hidden=False, properties=False)
    reading = read_file(data, "x.xlsx", {**FORMS, ("school", 1): replace(FORM, version=1)})
    assert reading.identity == CopyIdentity("", "", "school", 2, 0, TOKEN)


def test_the_printed_token_with_two_fitting_forms_is_left_to_the_caller() -> None:
    data = workbook(hidden=False, properties=False)
    reading = read_file(data, "x.xlsx", {**FORMS, ("school", 1): replace(FORM, slots=FORM.slots[:3])})
    assert (reading.outcome, reading.answers) == (ReadOutcome.FOREIGN, {})
    assert reading.identity == CopyIdentity("", "", "", 0, 0, TOKEN)
    assert read_file(data, "x.xlsx", FORMS).answers == ANSWERS


def test_a_workbook_of_somebody_else_is_foreign() -> None:
    reading = read_file(workbook(hidden=False, properties=False, printed=False), "课程表.xlsx", FORMS)
    assert (reading.outcome, reading.identity) == (ReadOutcome.FOREIGN, None)
    assert "请在系统下发的工作簿中填报" in reading.reason


def test_an_old_version_of_the_form_is_foreign_and_says_so() -> None:
    old = CopyIdentity("2026Q4", "4101020001", "school", 1, 1, TOKEN)
    reading = read_file(workbook(identity=old), "x.xlsx", FORMS)
    assert (reading.outcome, reading.identity) == (ReadOutcome.FOREIGN, old)
    assert reading.reason.startswith("旧版表单")


def test_a_lost_sheet_is_named() -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook()))
    del book["三通 情况"]
    target = io.BytesIO()
    book.save(target)
    reading = read_file(target.getvalue(), "x.xlsx", FORMS)
    assert (reading.outcome, reading.identity) == (ReadOutcome.UNREADABLE, IDENTITY)
    assert "“三通 情况”" in reading.reason


def test_a_receipt_is_told_by_its_kind() -> None:
    reading = read_file(workbook(kind="receipt"), "x.xlsx", FORMS)
    assert (reading.outcome, reading.identity) == (ReadOutcome.RECEIPT, IDENTITY)


def test_errors_and_formulas_without_a_value_are_not_blanks() -> None:
    data = workbook({"学校名称": "甲"})
    sheet = zipfile.ZipFile(io.BytesIO(data)).read("xl/worksheets/sheet1.xml").decode()
    for old, new in {
        '<c r="C5" s="1"/>': '<c r="C5" s="1" t="e"><f>1/0</f><v>#DIV/0!</v></c>',
        '<c r="C6" s="1"/>': '<c r="C6" s="1"><f>SUM(A1:A2)</f></c>',
        '<c r="C7" s="1"/>': '<c r="C7" s="1" t="str"><f>""</f><v></v></c>',
        '<c r="C8" s="1"/>': '<c r="C8" s="1"><f>40+2</f><v>42</v></c>',
    }.items():
        assert old in sheet
        sheet = sheet.replace(old, new)
    reading = read_file(repacked(data, {"xl/worksheets/sheet1.xml": sheet.encode()}), "x.xlsx", FORMS)
    assert reading.answers == {
        "学校名称": "甲",
        "在校生数": CellError("#DIV/0!"),
        "带宽": CellError("#无值"),
        "比例": dt.date(1900, 2, 11),  # the cell is formatted as a day; what stands there is what Excel shows
    }


def test_addresses_are_absolute_where_the_first_rows_and_columns_are_empty() -> None:
    assert read_file(workbook({"说明": "只此一格"}, printed=False), "x.xlsx", FORMS).answers == {
        "说明": "只此一格"
    }


OLE_HEAD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 504


BOF = b"\x09\x08\x10\x00\x00\x06\x05\x00" + b"\x00" * 12


def ole(*entries: str) -> bytes:
    """The bare directory of a compound file."""
    return OLE_HEAD + b"".join(entry.encode("utf-16-le").ljust(128, b"\x00") for entry in entries)


def archive(*names: str, **contents: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in names:
            new.writestr(name, contents.get(name, b"x"))
    return target.getvalue()


@pytest.mark.parametrize(
    ("data", "outcome", "words"),
    [
        (b"", ReadOutcome.UNREADABLE, "空文件"),
        (b"\xff\xd8\xff\xe0" + b"\x00" * 99, ReadOutcome.UNSUPPORTED, "图片"),
        (b"%PDF-1.7\n...", ReadOutcome.UNSUPPORTED, "PDF"),
        (b"Rar!\x1a\x07\x00", ReadOutcome.UNREADABLE, "压缩包"),
        ("单位,人数\n甲,3\n".encode("gbk"), ReadOutcome.UNSUPPORTED, "文本文件"),
        (b"<html><table></table></html>", ReadOutcome.UNSUPPORTED, "网页"),
        (archive("word/document.xml"), ReadOutcome.UNSUPPORTED, "Word"),
        (archive("表.xlsx"), ReadOutcome.UNSUPPORTED, "压缩包"),
        (ole("Root Entry", "WordDocument"), ReadOutcome.UNSUPPORTED, "Word"),
        (ole("Root Entry", "EncryptionInfo", "EncryptedPackage"), ReadOutcome.ENCRYPTED, "密码"),
        (ole("Root Entry", "Workbook", "_VBA_PROJECT_CUR"), ReadOutcome.MACRO, "宏"),
        (ole("Root Entry", "Workbook"), ReadOutcome.UNREADABLE, "损坏"),
        (ole("Root Entry", "Workbook") + BOF + b"\x2f\x00\x36\x00", ReadOutcome.ENCRYPTED, "密码"),
        (b"\x00\x01\x02garbage", ReadOutcome.UNREADABLE, "无法识别"),
        (archive("xl/workbook.xml", "xl/vbaProject.bin"), ReadOutcome.MACRO, "宏"),
        (archive("xl/workbook.xml", "xl/macrosheets/sheet1.xml"), ReadOutcome.MACRO, "宏"),
        (archive("xl/workbook.xml"), ReadOutcome.UNREADABLE, "损坏"),
        (b"PK\x03\x04" + b"\x00" * 50, ReadOutcome.UNREADABLE, "损坏"),
        (archive("xl/workbook.xml", *(f"xl/a{n}" for n in range(2100))), ReadOutcome.HOSTILE, "异常"),
    ],
)
def test_what_is_no_workbook_gets_its_outcome_and_a_remedy(
    data: bytes, outcome: ReadOutcome, words: str
) -> None:
    reading = read_file(data, "附件", FORMS)
    assert reading.outcome is outcome
    assert words in reading.reason
    assert "请" in reading.reason


def test_a_zip_bomb_is_hostile() -> None:
    bomb = archive(
        "xl/workbook.xml", "xl/worksheets/sheet1.xml", **{"xl/worksheets/sheet1.xml": bytes(60_000_000)}
    )
    assert read_file(bomb, "x.xlsx", FORMS).outcome is ReadOutcome.HOSTILE


def test_an_encrypted_member_is_encrypted() -> None:
    data = bytearray(archive("xl/workbook.xml"))
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        struct.pack_into("<H", data, data.index(magic) + offset, 1)
    assert read_file(bytes(data), "x.xlsx", FORMS).outcome is ReadOutcome.ENCRYPTED


def test_every_cut_of_a_copy_is_unreadable_and_nothing_raises() -> None:
    data = workbook()
    for length in range(5, len(data) - 1, 301):
        outcome = read_file(data[:length], "x.xlsx", FORMS).outcome
        assert outcome in {ReadOutcome.UNREADABLE, ReadOutcome.UNSUPPORTED}


@pytest.mark.parametrize("kind", ["xlsx", "xls", "ods"])
def test_a_copy_saved_by_another_office_program_reads_the_same(
    kind: str, soffice: Office, tmp_path: Path
) -> None:
    source = tmp_path / "copy.xlsx"
    source.write_bytes(workbook())
    saved = soffice(source, kind, tmp_path / "saved").read_bytes()
    reading = read_file(saved, f"copy.{kind}", FORMS)
    assert (reading.outcome, reading.identity, reading.answers) == (ReadOutcome.ANSWERS, IDENTITY, ANSWERS)
