"""Scans and photographs of sealed forms: whose they are, and each text in its own cell."""

from __future__ import annotations

import io
import random
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from tests.scans import ageing, sheets
from workflow.adapters.workbook.receipt import stamp_receipt
from workflow.domain.receipt import (
    CLOSED,
    Column,
    FoundBy,
    PageKind,
    ReceiptAnswers,
    ScannedPage,
    Seal,
    Verdict,
    compare,
)
from workflow.domain.roster import Role, UnitKind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.scans.sheets import Sheet
    from tests.servers.office import Office
    from workflow.adapters.scan.worker import ScanReader


def sheet(number: int) -> Sheet:
    return sheets.invent(random.Random(number))


def paper(blank_form: Image.Image, number: int, *, seal: bool = True) -> Image.Image:
    """The sheet of this number, filled in and sealed."""
    filled = sheets.filled(blank_form, sheet(number), number)
    return ageing.sealed(filled, random.Random(number), sheet(number).unit.name) if seal else filled


def scan(blank_form: Image.Image, number: int, dpi: int = 150, quarter: int = 0) -> bytes:
    return ageing.scanned(paper(blank_form, number), random.Random(number), dpi, quarter=quarter)


@pytest.fixture(scope="module")
def plain_scan(blank_form: Image.Image) -> bytes:
    """Sheet 1, sealed, from a flatbed scanner."""
    return scan(blank_form, 1)


@pytest.fixture(scope="module")
def plain_page(reader: ScanReader, plain_scan: bytes) -> ScannedPage:
    """What is read from it."""
    return only(reader.read_scan(plain_scan).pages)


def pdf(images: Sequence[Image.Image], dpi: int = 150) -> bytes:
    target = io.BytesIO()
    images[0].save(target, "PDF", save_all=True, append_images=images[1:], resolution=dpi)
    return target.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


def only(pages: Sequence[ScannedPage]) -> ScannedPage:
    assert len(pages) == 1, pages
    return pages[0]


def agrees(page: ScannedPage, truth: Sheet) -> bool:
    """Whether the page is the sheet's, and its cells say what was written into them."""
    assert page.answers is not None, page.trouble
    assert page.mark is not None
    assert (page.unit, page.mark.token, page.found_by) == (truth.unit.code, truth.token, FoundBy.CODE)
    told = compare(truth.answers, page.answers, truth.unit.kind)
    assert [one for one in told.fields if one.verdict is Verdict.DIFFERS] == []
    return len(told.to_look_at) <= 1


@pytest.mark.parametrize("quarter", range(1, 4))
def test_a_skewed_scan_is_read_whichever_way_it_lies(
    reader: ScanReader, blank_form: Image.Image, quarter: int
) -> None:
    page = only(reader.read_scan(scan(blank_form, 1, quarter=quarter)).pages)
    assert agrees(page, sheet(1))
    assert page.seal is Seal.SEEN


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_telephones_photograph_in_perspective_and_shadow_is_read(
    reader: ScanReader, blank_form: Image.Image, orientation: int
) -> None:
    photo = ageing.photographed(paper(blank_form, 2), random.Random(2), 150, orientation=orientation)
    assert agrees(only(reader.read_scan(photo).pages), sheet(2))


def test_what_libreoffice_prints_from_the_real_workbook_is_read(
    reader: ScanReader, soffice: Office, tmp_path: Path
) -> None:
    truth = sheet(3)
    workbook = stamp_receipt(truth.unit, sheets.CAMPAIGN, truth.token, sheets.contacts(truth))
    printed = sheets.printed(workbook, soffice, tmp_path)
    page = only(reader.read_scan(ageing.scanned(printed, random.Random(3), 150)).pages)
    assert page.answers is not None
    asked = {cell: e for cell, e in truth.answers.cells.items() if cell[1] is not Column.CHANGED}
    told = compare(ReceiptAnswers(asked), page.answers, truth.unit.kind)
    assert told.verdict is Verdict.CONSISTENT
    assert all(page.answers.text((role, Column.CHANGED)) == "" for role in Role)  # left for the unit to say
    assert page.seal is Seal.NOT_SEEN


def test_columns_that_another_program_prints_narrower_are_found_all_the_same(
    reader: ScanReader, blank_form: Image.Image
) -> None:
    page = paper(blank_form, 4)
    table = page.crop((0, 0, page.width, 1500))
    code = page.crop((2700, 1700, 3400, 2300))
    narrow = Image.new("RGB", page.size, "white")
    narrow.paste(table.resize((round(page.width * 0.87), 1500)), (228, 0))
    narrow.paste(code, (2500, 1700))
    found = only(reader.read_scan(ageing.scanned(narrow, random.Random(4), 200)).pages)
    assert agrees(found, sheet(4))


def test_several_units_pages_in_one_pdf_go_each_to_its_own(
    reader: ScanReader, blank_form: Image.Image, plain_scan: bytes
) -> None:
    empty = Image.new("RGB", (1754, 1240), (250, 250, 248))
    pages = [opened(plain_scan), opened(scan(blank_form, 6, quarter=2))]
    reading = reader.read_scan(pdf([pages[0], empty, pages[1]]))
    assert reading.trouble == ""
    assert [page.kind for page in reading.pages] == [PageKind.FORM, PageKind.BLANK, PageKind.FORM]
    assert [page.number for page in reading.pages] == [1, 2, 3]
    assert agrees(reading.pages[0], sheet(1))
    assert agrees(reading.pages[2], sheet(6))


def test_a_pdf_that_was_printed_and_not_scanned_is_drawn(
    reader: ScanReader, soffice: Office, tmp_path: Path
) -> None:
    truth = sheet(7)
    source = tmp_path / "receipt.xlsx"
    source.write_bytes(stamp_receipt(truth.unit, sheets.CAMPAIGN, truth.token, sheets.contacts(truth)))
    page = only(reader.read_scan(soffice(source, "pdf", tmp_path / "pdf").read_bytes()).pages)
    assert page.unit == truth.unit.code
    assert page.answers is not None
    assert page.answers.text((Role.INSPECTOR, Column.MOBILE)) == truth.answers.text(
        (Role.INSPECTOR, Column.MOBILE)
    )
    assert page.seal is Seal.NOT_SEEN


def test_a_seal_is_seen_on_paper_that_the_scanner_made_white(
    reader: ScanReader, blank_form: Image.Image
) -> None:
    page = only(reader.read_scan(saved(paper(blank_form, 5).resize((1754, 1240)), "PNG")).pages)
    assert (page.seal, agrees(page, sheet(5))) == (Seal.SEEN, True)


@pytest.mark.parametrize(
    ("number", "seal", "expected"), [(5, True, Seal.DOUBTFUL), (5, False, Seal.NOT_SEEN)]
)
def test_a_ring_in_black_and_white_is_doubtful_and_does_not_hide_the_table(
    reader: ScanReader, blank_form: Image.Image, number: int, seal: bool, expected: Seal
) -> None:
    grey = paper(blank_form, number, seal=seal).convert("L").resize((1754, 1240))
    page = only(reader.read_scan(saved(grey, "PNG")).pages)
    assert page.seal is expected
    assert page.unit == sheet(number).unit.code
    assert page.answers is not None


def test_two_forms_on_one_page_are_two_forms(reader: ScanReader, blank_form: Image.Image) -> None:
    both = Image.new("RGB", (blank_form.width, blank_form.height * 2), "white")
    for place, number in enumerate((8, 9)):
        both.paste(paper(blank_form, number), (0, place * blank_form.height))
    reading = reader.read_scan(ageing.scanned(both, random.Random(8), 200, quarter=1))
    assert [(page.number, page.part) for page in reading.pages] == [(1, 1), (1, 2)]
    by_unit = {page.unit: page for page in reading.pages}
    assert agrees(by_unit[sheet(8).unit.code], sheet(8))
    assert agrees(by_unit[sheet(9).unit.code], sheet(9))


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "HEIF", "BMP", "WEBP"])
def test_pictures_of_every_kind_are_opened(reader: ScanReader, plain_scan: bytes, kind: str) -> None:
    pillow_heif.register_heif_opener()
    page = only(reader.read_scan(saved(opened(plain_scan), kind)).pages)
    assert agrees(page, sheet(1))


def test_every_frame_of_a_tiff_is_a_page(
    reader: ScanReader, blank_form: Image.Image, plain_scan: bytes
) -> None:
    first, second = opened(plain_scan), opened(scan(blank_form, 12))
    tiff = saved(first, "TIFF", save_all=True, append_images=[second], compression="tiff_lzw")
    reading = reader.read_scan(tiff)
    assert [page.unit for page in reading.pages] == [sheet(1).unit.code, sheet(12).unit.code]


def test_pictures_pasted_into_a_word_file_are_read(reader: ScanReader, plain_scan: bytes) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("word/document.xml", "<w:document/>")
        archive.writestr("word/media/image1.jpeg", plain_scan)
    assert agrees(only(reader.read_scan(target.getvalue()).pages), sheet(1))


def without_code(page: Image.Image) -> Image.Image:
    """The page with its code covered, as by a thumb."""
    covered = page.copy()
    covered.paste((205, 170, 150), (2700, 1700, 3400, 2300))
    return covered


def test_a_form_whose_code_is_covered_is_known_by_the_units_name(
    reader: ScanReader, blank_form: Image.Image
) -> None:
    truth = sheet(14)
    names = {truth.unit.code: truth.unit.name, "410999": "另例市教育局"}
    picture = ageing.scanned(without_code(paper(blank_form, 14)), random.Random(14), 150)
    page = only(reader.read_scan(picture, names).pages)
    assert (page.mark, page.unit, page.found_by) == (None, truth.unit.code, FoundBy.NAME)
    assert page.answers is not None
    assert compare(truth.answers, page.answers, truth.unit.kind).verdict is not Verdict.DIFFERS
    page = only(reader.read_scan(picture, {"410999": "另例市教育局"}).pages)
    assert (page.unit, page.found_by) == ("", FoundBy.UNKNOWN)
    assert "单位名称" in page.trouble


def test_a_form_whose_table_is_covered_still_says_whose_it_is(
    reader: ScanReader, blank_form: Image.Image
) -> None:
    torn = paper(blank_form, 15)
    torn.paste((250, 250, 250), (0, 0, 3508, 1450))
    page = only(reader.read_scan(ageing.scanned(torn, random.Random(15), 150)).pages)
    assert (page.kind, page.unit, page.answers) == (PageKind.FORM, sheet(15).unit.code, None)
    assert "未找到完整的表格" in page.trouble


def test_the_cells_that_the_form_closes_stay_so(plain_page: ScannedPage) -> None:
    assert plain_page.answers is not None
    assert all(plain_page.answers.text(cell).strip("-一") == "" for cell in CLOSED)


def test_each_cell_comes_with_its_picture(plain_page: ScannedPage) -> None:
    shown = Image.open(io.BytesIO(plain_page.pictures[Role.REVIEWER, Column.EMAIL]))
    assert shown.size == pytest.approx((52 * 6, 16 * 6), abs=3)
    assert np.asarray(shown.convert("L")).min() < 120  # something is written in it


def test_a_digit_altered_after_signing_is_told_with_its_cell(plain_page: ScannedPage) -> None:
    cell, altered = sheets.with_altered_digit(sheet(1), random.Random(18))
    assert plain_page.answers is not None
    told = compare(altered, plain_page.answers, sheet(1).unit.kind)
    assert cell in {one.cell for one in told.to_look_at}
    assert told.verdict is Verdict.DIFFERS


def test_a_vocational_schools_form_has_its_one_row(
    reader: ScanReader, soffice: Office, tmp_path: Path
) -> None:
    kind = UnitKind.PROVINCIAL_VOCATIONAL
    truth = sheets.invent(random.Random(19), kind)
    printed = sheets.filled(sheets.blank(kind, soffice, tmp_path), truth)
    page = only(reader.read_scan(ageing.scanned(printed, random.Random(19), 150)).pages)
    assert agrees(page, truth)
