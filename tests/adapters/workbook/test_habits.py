"""Workbooks as people really return them; docs/returned-workbooks.md has a row for each habit and names its test."""

from __future__ import annotations

import base64
import datetime as dt
import email.message
import gzip
import io
import os
import struct
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pytest
import xlsxwriter
from openpyxl.styles.protection import Protection

from tests.adapters.workbook.damage import page, rarred, seven_zipped, tnef, zipped
from workflow.adapters.workbook.compile import compile_form
from workflow.adapters.workbook.read import Known, read_file
from workflow.adapters.workbook.stamp import stamp
from workflow.domain.answers import understand
from workflow.domain.checks import examine
from workflow.domain.form import Field, FieldType, Form, Value
from workflow.domain.submission import LOST, CellError, CopyIdentity, Reading, ReadOutcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.servers.office import Office
    from workflow.adapters.workbook.master import CompiledForm

ROOT = Path(__file__).parents[3]
TOKEN = "HZ-2ABCDEFGHIJKLMNOP"
PRINTED = {
    "单位名称": "示例县第一小学",
    "单位代码": "4101020001",
    "填报期": "2026年第四季度",
    "截止日期": "2026年12月31日",
}


@cache
def compiled(form: str) -> CompiledForm:
    return compile_form((ROOT / "templates" / "forms" / f"{form}.xlsx").read_bytes(), f"{form}.xlsx")


@cache
def forms() -> dict[tuple[str, int], Form]:
    shipped = [compiled(name).form for name in ("school", "vocational", "university", "department")]
    return {(form.id, form.version): form for form in shipped}


def answer(at: int, field: Field) -> Value:
    """An answer that fits the field and no other."""
    made: dict[FieldType, Value] = {
        FieldType.TEXT: f"甲乙{at}", FieldType.INTEGER: 100 + at, FieldType.DECIMAL: 10.5 + at, FieldType.PERCENT: 0.01 * at,
        FieldType.DATE: dt.date(2026, 10, 15), FieldType.YES_NO: at % 2 == 0, FieldType.CHOICE: (field.choices or ("",))[0],
        FieldType.PHONE: f"0371-5555{1000 + at}", FieldType.EMAIL: f"a{at}@county.test",
    }  # fmt: skip
    return made[field.type]


def answers(form: str = "school") -> dict[str, Value]:
    return {field.name: answer(at, field) for at, field in enumerate(compiled(form).form.fields)}


def copy(form: str = "school", token: str = TOKEN) -> bytes:
    """A stamped copy, filled in from first to last."""
    what = compiled(form)
    identity = CopyIdentity("2026Q4", "4101020001", form, what.form.version, 1, token)
    return stamp(what, identity, PRINTED, answers(form))


def read(data: bytes, name: str = "填好.xlsx") -> Reading:
    return read_file(data, name, forms())


def changed(change: Callable[[openpyxl.Workbook], object], data: bytes | None = None) -> bytes:
    """A copy after somebody changed it in an office program."""
    book = openpyxl.load_workbook(io.BytesIO(data or copy()))
    change(book)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def lose_marks(book: openpyxl.Workbook) -> None:
    """The hidden sheet and the document's properties, as a copy into a new workbook loses them."""
    for name in ("_huizhi", "_自查"):
        if name in book.sheetnames:
            del book[name]
    book.custom_doc_props.props.clear()


def rename(book: openpyxl.Workbook) -> None:
    for at, sheet in enumerate(one for one in book if one.sheet_state == "visible"):
        sheet.title = f"Sheet{at + 1}"


def forget_token(book: openpyxl.Workbook) -> None:
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                if isinstance(cell.value, str) and TOKEN in cell.value:
                    cell.value = None


UNTOUCHED = read(copy()).answers


def assert_all_there(reading: Reading) -> None:
    assert reading.outcome is ReadOutcome.ANSWERS, reading.reason
    assert reading.identity is not None
    assert reading.identity.token == TOKEN
    assert dict(reading.answers) == UNTOUCHED


# -- rows, columns, sheets


def test_an_untouched_copy_is_read_by_its_addresses() -> None:
    reading = read(copy())
    assert_all_there(reading)
    assert (dict(reading.moved), reading.by_labels, len(UNTOUCHED)) == ({}, False, len(answers()))


def test_inserted_rows_move_the_answers_below_them_and_each_is_found() -> None:
    def change(book: openpyxl.Workbook) -> None:
        book["基本情况"].insert_rows(14, 2)
        book["三通情况"].insert_rows(3)

    reading = read(changed(change))
    assert_all_there(reading)
    assert reading.by_labels
    assert reading.moved["在校生数"] == "基本情况!D20"
    assert "无变化" not in reading.moved


def test_inserted_columns_before_or_between_labels_and_answers_are_seen() -> None:
    def change(book: openpyxl.Workbook) -> None:
        book["基本情况"].insert_cols(4)
        book["三通情况"].insert_cols(1, 3)
        book["管理信息系统"].insert_cols(3)

    reading = read(changed(change))
    assert_all_there(reading)
    assert reading.moved["在校生数"] == "基本情况!E18"


def test_an_answer_that_is_the_number_of_its_row_is_an_answer() -> None:
    slot = compiled("school").form.slot_of["信息科技教师数"]

    def change(book: openpyxl.Workbook) -> None:
        sheet = book[slot.sheet]
        assert sheet.cell(slot.row, 1).value == "12"
        sheet.cell(slot.row, slot.column).value = 12
        sheet.insert_rows(14, 2)

    assert read(changed(change)).answers["信息科技教师数"] == 12


def test_a_deleted_row_is_asked_about_and_the_rest_is_read() -> None:
    reading = read(changed(lambda book: book["基本情况"].delete_rows(17)))
    assert {k: v for k, v in reading.answers.items() if v != UNTOUCHED[k]} == {"班级数": CellError(LOST)}
    form = compiled("school").form
    [finding] = [
        f for f in examine(form, reading.answers, None, reading.moved).findings if f.code == "not-found"
    ]
    assert (finding.field, finding.cell) == ("班级数", "基本情况!D17")


def test_a_deleted_unit_column_costs_nothing_but_what_cannot_be_told() -> None:
    reading = read(changed(lambda book: book["三通情况"].delete_cols(3)))
    assert_all_there(reading)


def test_a_deleted_sheet_is_asked_about_cell_by_cell() -> None:
    def change(book: openpyxl.Workbook) -> None:
        del book["保障与安全"]

    reading = read(changed(change))
    lost = {name for name, value in reading.answers.items() if value == CellError(LOST)}
    assert lost == {slot.field for slot in compiled("school").form.slots if slot.sheet == "保障与安全"}


def test_renamed_sheets_are_told_by_their_labels() -> None:
    reading = read(changed(rename))
    assert_all_there(reading)
    assert reading.moved["在校生数"] == "Sheet1!D18"


def test_sheets_in_another_order_are_nothing_special() -> None:
    reading = read(changed(lambda book: book.move_sheet("管理信息系统", -3)))
    assert_all_there(reading)
    assert not reading.by_labels


def test_rows_that_were_sorted_are_found_each_by_its_own_label() -> None:
    def change(book: openpyxl.Workbook) -> None:
        sheet = book["三通情况"]
        for area in list(sheet.merged_cells.ranges):
            sheet.unmerge_cells(str(area))
        rows = [[cell.value for cell in sheet[row]] for row in range(16, 24)]
        for row, values in zip(range(16, 24), reversed(rows), strict=True):
            for column, value in enumerate(values, start=1):
                sheet.cell(row, column).value = value

    assert_all_there(read(changed(change)))


def test_all_sheets_copied_under_each_other_into_one_are_read() -> None:
    def change(book: openpyxl.Workbook) -> None:
        sheets, target = [one for one in book if one.sheet_state == "visible"], book.create_sheet("汇总")
        for sheet in sheets:
            below = target.max_row + 2
            for row in sheet.iter_rows():
                for cell in row:
                    if cell.value is not None:
                        target.cell(below + cell.row, cell.column, cell.value)
            book.remove(sheet)
        lose_marks(book)

    assert_all_there(read(changed(change)))


def test_edited_labels_do_not_lose_their_answers() -> None:
    def change(book: openpyxl.Workbook) -> None:
        sheet = book["基本情况"]
        sheet["B17"], sheet["B18"], sheet["B20"], sheet["B23"] = (
            "班级总数（个）",
            "在校学生数",
            "教职员工",
            None,
        )
        sheet.insert_rows(10)

    assert_all_there(read(changed(change)))


def test_a_copy_pasted_as_values_into_a_new_workbook_keeps_its_printed_token() -> None:
    def change(book: openpyxl.Workbook) -> None:
        rename(book)
        lose_marks(book)

    reading = read(changed(change))
    assert_all_there(reading)
    assert reading.identity == CopyIdentity("", "", "school", compiled("school").form.version, 0, TOKEN)
    assert reading.by_labels


def test_the_printed_area_alone_without_any_mark_is_recognised_and_left_to_the_caller() -> None:
    def change(book: openpyxl.Workbook) -> None:
        rename(book)
        lose_marks(book)
        forget_token(book)

    reading = read(changed(change))
    assert reading.outcome is ReadOutcome.ANSWERS
    assert reading.identity == CopyIdentity("", "", "school", compiled("school").form.version, 0, "")
    assert (reading.by_labels, dict(reading.answers)) == (True, UNTOUCHED)


def test_labels_of_another_form_are_not_taken_for_this_one() -> None:
    data = changed(lambda book: (rename(book), lose_marks(book)), copy("vocational"))
    reading = read(data)
    assert reading.identity is not None
    assert (reading.identity.form, reading.outcome) == ("vocational", ReadOutcome.ANSWERS)


def test_an_ambiguous_form_is_read_again_with_the_form_that_the_token_names() -> None:
    def change(book: openpyxl.Workbook) -> None:
        del book["自查"]
        rename(book)
        lose_marks(book)
        for sheet in book:  # neither title nor 表号 tells
            sheet["A1"], sheet["A2"] = None, None

    data = changed(change)
    first = read(data)
    assert (first.outcome, first.identity) == (ReadOutcome.FOREIGN, CopyIdentity("", "", "", 0, 0, TOKEN))
    assert_all_there(read_file(data, "x", forms(), Known({TOKEN: ("school", 0)})))


def test_a_workbook_with_a_few_of_our_words_stays_foreign() -> None:
    book = openpyxl.Workbook()
    book.active["A1"], book.active["B2"] = compiled("school").form.title, "在校生数"
    target = io.BytesIO()
    book.save(target)
    assert read(target.getvalue()).outcome is ReadOutcome.FOREIGN


# -- values


def set_cell(
    field: str, value: object, number_format: str = "General"
) -> Callable[[openpyxl.Workbook], None]:
    slot = compiled("school").form.slot_of[field]

    def change(book: openpyxl.Workbook) -> None:
        cell = book[slot.sheet].cell(slot.row, slot.column)
        cell.value, cell.number_format = value, number_format

    return change


def test_a_1904_workbook_gives_the_days_that_it_shows() -> None:
    serial = (dt.date(2026, 10, 15) - dt.date(1904, 1, 1)).days
    what, field = compiled("school").form, "最近演练日期"

    def change(book: openpyxl.Workbook) -> None:
        set_cell(field, serial)(book)
        book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904

    reading = read(changed(change))
    assert reading.answers[field] == dt.date(2026, 10, 15)
    assert "1904" in reading.notes[field]
    seen = examine(what, reading.answers, None, notes=reading.notes)
    assert (seen.answers[field], "1904" in seen.notes[field]) == (dt.date(2026, 10, 15), True)


def test_a_formatted_day_of_a_1904_workbook_needs_no_note() -> None:
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True, "date_1904": True})
    sheet = book.add_worksheet("基本情况")
    sheet.write_datetime("A1", dt.datetime(2026, 10, 15), book.add_format({"num_format": "yyyy-mm-dd"}))  # noqa: DTZ001
    book.close()
    from python_calamine import load_workbook

    [[value]] = load_workbook(io.BytesIO(target.getvalue())).get_sheet_by_index(0).to_python()
    assert value == dt.date(2026, 10, 15)


# -- other programs' files


def with_errors() -> bytes:
    def change(book: openpyxl.Workbook) -> None:
        set_cell("班级数", "=1/0")(book)
        set_cell("在校生数", "=1+1")(book)

    return changed(change)


@pytest.mark.parametrize("kind", ["xls", "ods", "xlsx"])
def test_a_damaged_copy_saved_by_another_office_program_reads_the_same(
    kind: str, soffice: Office, tmp_path: Path
) -> None:
    def change(book: openpyxl.Workbook) -> None:
        book["基本情况"].insert_rows(14, 2)
        rename(book)

    source = tmp_path / "copy.xlsx"
    source.write_bytes(changed(change))
    assert_all_there(read(soffice(source, kind, tmp_path / "saved").read_bytes(), f"copy.{kind}"))


@pytest.mark.parametrize("kind", ["xls", "ods", "xlsx"])
def test_errors_are_no_blanks_whatever_program_saved_the_file(
    kind: str, soffice: Office, tmp_path: Path
) -> None:
    source = tmp_path / "copy.xlsx"
    source.write_bytes(with_errors())
    reading = read(soffice(source, kind, tmp_path / "saved").read_bytes(), f"copy.{kind}")
    assert (reading.answers["班级数"], reading.answers["在校生数"]) == (CellError("#DIV/0!"), 2)


def test_a_days_serial_in_an_xls_that_counts_from_1904(soffice: Office, tmp_path: Path) -> None:
    serial = (dt.date(2026, 10, 15) - dt.date(1904, 1, 1)).days

    def change(book: openpyxl.Workbook) -> None:
        set_cell("最近演练日期", f"{serial}")(book)
        book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904

    source = tmp_path / "copy.xlsx"
    source.write_bytes(changed(change))
    reading = read(soffice(source, "xls", tmp_path / "saved").read_bytes(), "copy.et")
    assert reading.answers["最近演练日期"] == dt.date(2026, 10, 15)


@pytest.mark.parametrize("name", ["填好.et", "填好.xls", "填好.pdf", "填好", "填好.xlsx.txt", "没有后缀."])
def test_a_wrong_or_missing_extension_does_not_matter(name: str) -> None:
    assert_all_there(read(copy(), name))


def test_a_workbook_saved_as_a_web_page_under_the_name_xls_is_read(soffice: Office, tmp_path: Path) -> None:
    source = tmp_path / "copy.xlsx"
    source.write_bytes(copy())
    page = soffice(source, "html", tmp_path / "saved").read_bytes()
    assert_read_from_text(read(page, "copy.xls"))


# -- pasted into the mail


def assert_read_from_text(reading: Reading) -> None:
    """All answers mean the same, though everything came as text."""
    assert reading.outcome is ReadOutcome.ANSWERS, reading.reason
    assert reading.identity is not None
    assert (reading.identity.token, reading.by_labels) == (TOKEN, True)
    form = compiled("school").form
    for name, value in UNTOUCHED.items():
        assert (
            understand(form.by_name[name], reading.answers[name]).value
            == understand(form.by_name[name], value).value
        ), name  # type: ignore[union-attr]


def test_a_form_pasted_into_the_mail_is_read_from_its_table() -> None:
    reading = read(page(copy()), "邮件正文")
    assert_read_from_text(reading)
    assert reading.moved["在校生数"] == "表格1!D18"


def test_a_web_page_without_a_form_is_refused_as_before() -> None:
    reading = read(b"<html><table><tr><td>1</table></html>")
    assert (reading.outcome, "网页" in reading.reason) == (ReadOutcome.UNSUPPORTED, True)


# -- archives


PACKERS: dict[str, Callable[[dict[str, bytes]], bytes]] = {"zip": zipped, "7z": seven_zipped, "rar": rarred}


@pytest.mark.parametrize("kind", PACKERS)
def test_an_archive_with_one_workbook_reads_as_that_workbook(kind: str) -> None:
    data = PACKERS[kind]({"季报/示例小学 季报表（定稿）.xlsx": copy(), "季报/说明.txt": "见表".encode("gbk")})
    assert_all_there(read(data, f"季报.{kind}"))


@pytest.mark.parametrize("kind", PACKERS)
def test_an_archive_for_several_units_has_each_workbook_with_its_own_name(kind: str) -> None:
    other = "HZ-2QRSTUVWXYZ234567"
    reading = read(
        PACKERS[kind](
            {"甲 小学.xlsx": copy(), "乙 小学.xlsx": copy(token=other), "照片.jpg": b"\xff\xd8\xff\xe0x"}
        ),
        "x",
    )
    assert [one.name for one in reading.inside] == ["甲 小学.xlsx", "乙 小学.xlsx", "照片.jpg"]
    assert [one.reading.identity.token for one in reading.inside if one.reading.identity] == [TOKEN, other]
    assert len({one.sha for one in reading.inside}) == 3


@pytest.mark.parametrize("name", ["一.xlsx", "一小.xlsx", "季报表（定稿）.xlsx", "2026 q4.xlsx"])
@pytest.mark.parametrize("encoding", ["gbk", "utf-8"])
def test_a_name_in_a_zip_is_read_whichever_way_it_was_written(name: str, encoding: str) -> None:
    reading = read(zipped({name: copy(), "乙.xlsx": copy()}, encoding), "x.zip")
    assert [one.name for one in reading.inside] == [name, "乙.xlsx"]


def test_an_archive_in_an_archive_is_opened_once_and_no_deeper() -> None:
    inner = zipped({"表.xlsx": copy()})
    assert_all_there(read(zipped({"内.zip": inner}), "x.zip"))
    assert read(zipped({"外.zip": zipped({"内.zip": inner})}), "x.zip").outcome is ReadOutcome.HOSTILE


def test_an_archive_that_grows_without_measure_is_hostile() -> None:
    bomb = gzip.compress(bytes(30_000_000))
    assert (
        read(zipped({f"{n}.bin": bytes(40_000_000) for n in range(2)}), "x.zip").outcome
        is ReadOutcome.HOSTILE
    )
    assert read(seven_zipped({"x.xlsx": bytes(70_000_000)}), "x.7z").outcome is ReadOutcome.HOSTILE
    assert read(bomb, "x.gz").outcome is ReadOutcome.UNSUPPORTED


def test_an_archive_with_a_password_asks_for_one_without() -> None:
    data = bytearray(zipped({"表.xlsx": copy()}))
    for magic, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        struct.pack_into("<H", data, data.index(magic) + offset, 1)
    reading = read(bytes(data), "x.zip")
    assert (reading.outcome, "取消密码" in reading.reason) == (ReadOutcome.ENCRYPTED, True)


@pytest.mark.parametrize("kind", PACKERS)
def test_a_cut_archive_is_unreadable_and_nothing_raises(kind: str) -> None:
    data = PACKERS[kind]({"表.xlsx": copy()})
    for length in range(10, len(data) * 9 // 10, len(data) // 23):
        assert read(data[:length], "x").outcome in {ReadOutcome.UNREADABLE, ReadOutcome.UNSUPPORTED}


def test_without_libarchive_a_rar_is_answered_with_what_to_send_instead() -> None:
    program = (
        "from workflow.adapters.workbook.read import Known, read_file\n"
        "reading = read_file(b'Rar!\\x1a\\x07\\x01\\x00' + bytes(64), 'x.rar', {})\n"
        "print(reading.outcome.value, reading.reason)"
    )
    environment = {**os.environ, "LIBARCHIVE": "/nonexistent/libarchive.so", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("unsupported ")
    assert "zip" in done.stdout


def test_a_winmail_dat_gives_the_workbook_inside() -> None:
    assert_all_there(read(tnef({"jibao.xlsx": copy()}), "winmail.dat"))
    cut = read(tnef({"jibao.xlsx": copy()})[:5000], "winmail.dat")
    assert cut.outcome in {ReadOutcome.UNREADABLE, ReadOutcome.UNSUPPORTED}


def test_a_message_saved_as_a_file_gives_the_workbook_inside() -> None:
    message = email.message.EmailMessage()
    message["Subject"], message["From"] = "转发", "a@county.test"
    message.set_content("见附件")
    message.add_attachment(copy(), maintype="application", subtype="octet-stream", filename="表.xlsx")
    assert_all_there(read(message.as_bytes(), "转发.eml"))


def test_a_workbook_saved_as_a_web_page_in_one_file_is_read() -> None:
    """Excel's and WPS's 单个文件网页, which they name .mht and people .xls."""
    message = email.message.EmailMessage()
    message["MIME-Version"], message["X-Document-Type"] = "1.0", "Workbook"
    message.set_content(page(copy()).decode(), subtype="html")
    message.make_related()
    message.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="a.png")
    del message["MIME-Version"]
    assert_read_from_text(read(b"MIME-Version: 1.0\n" + message.as_bytes(), "表.xls"))


def test_a_message_and_an_archive_with_nothing_inside_are_said_to_have_nothing() -> None:
    assert "转发的邮件里没有文件" in read(b"From: a@county.test\nMIME-Version: 1.0\n\nhello", "a.eml").reason
    assert "压缩包里没有文件" in read(b"PK\x05\x06" + bytes(18), "x.zip").reason


def test_a_protected_sheet_and_a_comment_change_nothing() -> None:
    def change(book: openpyxl.Workbook) -> None:
        sheet = book["基本情况"]
        sheet["D18"].comment = openpyxl.comments.Comment("核对过", "填表人")
        sheet["D18"].protection = Protection(locked=True)

    assert_all_there(read(changed(change)))


def test_base64_of_a_workbook_is_no_workbook() -> None:
    assert read(base64.b64encode(copy()), "表.xlsx").outcome is ReadOutcome.UNSUPPORTED
