"""The 回执表 from the notice to its acceptance: scan and electronic copy by mail, and whatever else comes as one."""

from __future__ import annotations

import datetime as dt
import io
import json
import random
import zipfile
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
from PIL import Image

from tests.adapters.scan.test_bad_input import image_of, jpeg, pdf_of, png_of
from tests.journeys.test_command_line import Office
from tests.journeys.world import CITY, DIRECT, UNITS, Ran, administrator
from tests.scans import ageing, sheets
from workflow.adapters.workbook.identity import HIDDEN_SHEET
from workflow.adapters.workbook.receipt_copy import copy_of_book
from workflow.domain.receipt import Column, Entry, ReceiptAnswers
from workflow.domain.receipt_copy import ReceiptCopy
from workflow.domain.roster import Role, UnitKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.office import Office as LibreOffice

NAMES = {unit.code: unit for unit in UNITS}


@pytest.fixture(scope="module")
def blank_form(soffice: LibreOffice, tmp_path_factory: pytest.TempPathFactory) -> Image.Image:
    return sheets.blank(UnitKind.CITY, soffice, tmp_path_factory.mktemp("blank"))


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    nowhere: Any = SimpleNamespace(imap_port=1, smtp_port=1)
    office = Office(
        tmp_path / "workspace", nowhere, {}, settings={"imap.password_env": '""', "reader.workers": "1"}
    )
    office.import_roster()
    office.open(receipt_due=dt.date(2026, 12, 20))
    yield office
    office.close()


def form(office: Office, unit: str) -> bytes:
    """附件2 as the notice brought it."""
    return next(data for name, data in office.newest(unit, "notice").files.items() if "回执表" in name)


def typed(data: bytes, **changed: str) -> bytes:
    """The electronic copy: nobody changed, and other values in some cells (`E7="…"`)."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    sheet = book.worksheets[0]
    for row in (5, 6, 7):
        if sheet.cell(row, 3).value != "--":
            sheet.cell(row, 3).value = "否"
    for place, value in changed.items():
        sheet[place] = value
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def copy_of(data: bytes) -> ReceiptCopy:
    from python_calamine import load_workbook

    with load_workbook(io.BytesIO(data)) as book:
        found = copy_of_book(book)
    assert found
    return found


def signed(
    blank: Image.Image, unit: str, data: bytes, *, token: str = "",
    seal: bool = True, seed: int = 1,
) -> Image.Image:  # fmt: skip
    """The same page printed, filled in and sealed; `token` for a forged one."""
    marks = openpyxl.load_workbook(io.BytesIO(data))[HIDDEN_SHEET]
    said = {str(key): str(value) for key, value in marks.iter_rows(max_col=2, values_only=True)}
    sheet = sheets.Sheet(NAMES[unit], token or said["token"], copy_of(data).answers)
    page = sheets.filled(blank, sheet)
    return ageing.sealed(page, random.Random(seed), NAMES[unit].name) if seal else page


def scan(page: Image.Image, seed: int = 1) -> bytes:
    return ageing.scanned(page, random.Random(seed), 150)


def together(*pages: Image.Image) -> bytes:
    """Several pages in one PDF, at 150 dpi."""
    first, *rest = (page.resize((page.width // 2, page.height // 2)) for page in pages)
    target = io.BytesIO()
    first.save(target, "PDF", save_all=True, append_images=rest, resolution=150)
    return target.getvalue()


def ends(ran: Ran) -> list[tuple[str, str, str]]:
    assert ran.code in (0, 1), ran.err
    rows = [one for line in ran.lines for one in json.loads(line)["attachments"]]
    return [(one["name"], one["outcome"], one["unit"]) for one in rows]


def shown(office: Office, unit: str) -> str:
    return office.huizhi("receipt", "show", unit).out


def test_scan_and_electronic_copy_agree_cell_by_cell_and_staff_accept(
    office: Office, blank_form: Image.Image
) -> None:
    copy = typed(form(office, CITY))
    page = scan(signed(blank_form, CITY, copy))
    mail = office.reply(CITY, ("回执表.xlsx", copy), ("盖章扫描.jpg", page), text="回执表")
    assert ends(office.ingest(mail)) == [("回执表.xlsx", "matched", CITY), ("盖章扫描.jpg", "matched", CITY)]
    first = shown(office, CITY).splitlines()[0]
    assert first.startswith(f"{CITY} 郑州市教育局 一致") or "无法识读" in first, first
    assert "不一致" not in first
    cells = office.folder / "receipts" / "2026Q4" / CITY / "cells"
    assert len(list(cells.glob("*/*.png"))) > 15
    assert office.huizhi("receipt", "accept", CITY, "--by", "值班员").code == 0
    assert "已办结" in shown(office, CITY)


def test_a_changed_number_is_put_before_staff_with_its_picture_and_a_third_mail_corrects_it(
    office: Office, blank_form: Image.Image
) -> None:
    copy = typed(form(office, CITY))
    page = scan(signed(blank_form, CITY, copy))
    wrong = typed(form(office, CITY), G7="19900009999")
    office.ingest(office.reply(CITY, ("回执.jpg", page), text="扫描件"))
    assert "缺电子版" in shown(office, CITY)
    office.ingest(office.reply(CITY, ("回执.xlsx", wrong), text="电子版"))
    assert "扫描件与电子版不一致：管理员手机号码" in shown(office, CITY)
    listed = office.huizhi("receipt", "show")
    assert "核对单：receipts/核对-2026Q4.xlsx" in listed.out
    book = openpyxl.load_workbook(office.folder / "receipts" / "核对-2026Q4.xlsx")
    rows = [[cell.value for cell in row] for row in book.worksheets[0].iter_rows(min_row=4)]
    assert any(row[2] == "管理员手机号码" and row[3] == "19900009999" for row in rows)
    assert book.worksheets[0]._images  # type: ignore[attr-defined]  # the pictures of the cells
    office.ingest(office.reply(CITY, ("回执.xlsx", copy), text="更正后的电子版"))
    assert "盖章后电子版又有改动：管理员手机号码" in shown(office, CITY)
    assert office.huizhi("rebuild").code == 0
    assert "盖章后电子版又有改动：管理员手机号码" in shown(office, CITY)


def test_pages_of_several_units_in_one_file_each_go_to_their_unit(
    office: Office, blank_form: Image.Image
) -> None:
    pages = [signed(blank_form, unit, typed(form(office, unit))) for unit in (CITY, DIRECT)]
    mail = office.reply(CITY, ("合并.pdf", together(*pages)), text="两家", sender=administrator("410000"))
    assert ends(office.ingest(mail)) == [("合并.pdf", "matched", CITY)]
    for unit in (CITY, DIRECT):
        (kept,) = office.app.files.receipt_files("2026Q4", unit)
        assert kept.suffix == ".jpg"  # each unit's page alone


def test_a_table_in_a_word_file_is_the_electronic_copy(office: Office) -> None:
    heads = ["类别", *(column.value for column in Column)]
    rows = [
        heads,
        *(
            [role.value, "张示例", "否", "郑州市教育局", "处", "0371-5555", "139", "a@example.org"]
            for role in Role
        ),
    ]
    w = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    table = "".join(
        "<w:tr>"
        + "".join(f"<w:tc><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:tc>" for text in row)
        + "</w:tr>"
        for row in rows
    )
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(
            "word/document.xml",
            f'<w:document xmlns:w="{w}"><w:body><w:tbl>{table}</w:tbl></w:body></w:document>',
        )
    assert ends(office.ingest(office.reply(CITY, ("回执表.docx", target.getvalue())))) == [
        ("回执表.docx", "matched", CITY)
    ]
    (part,) = office.app.store.receipt_standings("2026Q4")[CITY].parts
    assert part.answers is not None
    assert part.answers.text((Role.ADMINISTRATOR, Column.NAME)) == "张示例"
    assert Entry("--") not in ReceiptAnswers(part.answers.cells).cells.values()


def test_whatever_else_comes_as_a_scan_has_its_end_and_is_answered(
    office: Office, blank_form: Image.Image
) -> None:
    copy = typed(form(office, CITY))
    forged = scan(signed(blank_form, DIRECT, typed(form(office, DIRECT)), token="HZ-A" + "Q" * 16))
    blank = scan(Image.new("RGB", blank_form.size, "white"))
    good = scan(signed(blank_form, CITY, copy))
    odd = {
        "空白.jpg": (blank, "unsupported"),
        "风景.jpg": (jpeg((900, 700)), "unsupported"),
        "损坏.jpg": (good[: len(good) // 3], "unreadable"),
        "巨图.png": (png_of(30_000, 30_000), "unreadable"),
        "炸弹.pdf": (pdf_of("q 595 0 0 842 0 0 cm /I Do Q", extra=image_of(30_000, 30_000)), "unreadable"),
        "伪造.jpg": (forged, "foreign"),
        "别家.jpg": (scan(signed(blank_form, DIRECT, typed(form(office, DIRECT)))), "foreign"),
    }
    mail = office.reply(CITY, *((name, data) for name, (data, _) in odd.items()), text="扫描件")
    got = ends(office.ingest(mail))
    assert [(name, end) for name, end, _ in got] == [(name, end) for name, (_, end) in odd.items()]
    assert office.app.store.receipts("2026Q4") == []
    letter = office.newest(CITY, "problem_file").text
    for name in ("空白.jpg", "损坏.jpg", "巨图.png", "炸弹.pdf"):
        assert name in letter, letter
    assert sum(office.status()["mail"]["buckets"].values()) == 1
