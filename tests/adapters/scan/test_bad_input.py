"""Whatever comes as a scan has its outcome, within limits; nothing crashes and the next file is read all the same."""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from tests.scans import ageing, sheets
from workflow.adapters.scan.limits import Limits
from workflow.adapters.scan.read import read_pages
from workflow.adapters.scan.worker import ScanReader
from workflow.domain.receipt import FoundBy, PageKind, ScannedPage, ScanReading, Seal

if TYPE_CHECKING:
    from collections.abc import Callable

PIXELS = "图片尺寸过大"


def jpeg(size: tuple[int, int] = (600, 400)) -> bytes:
    noise = np.random.default_rng(1).integers(0, 255, (size[1], size[0], 3), np.uint8)
    return ageing.jpeg(noise, 80, 150)


def only(reading: ScanReading) -> ScannedPage:
    assert len(reading.pages) == 1, reading
    return reading.pages[0]


def png_of(width: int, height: int) -> bytes:
    """A tiny file that declares a huge picture."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def pdf_of(body: str, *, box: str = "0 0 595 842", pages: int = 1, extra: str = "") -> bytes:
    """A PDF written by hand; pdfium finds its objects without a table of them."""
    kids = " ".join(f"{10 + number} 0 R" for number in range(pages))
    parts = [
        "%PDF-1.4",
        "1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj",
        f"2 0 obj<</Type/Pages/Kids[{kids}]/Count {pages}>>endobj",
        *(
            f"{10 + number} 0 obj<</Type/Page/Parent 2 0 R/MediaBox[{box}]/Contents 3 0 R"
            f"/Resources<</XObject<</I 4 0 R>>>>>>endobj"
            for number in range(pages)
        ),
        f"3 0 obj<</Length {len(body)}>>stream\n{body}\nendstream endobj",
        extra,
        "trailer<</Root 1 0 R>>",
        "%%EOF",
    ]
    return "\n".join(parts).encode("latin-1")


def image_of(width: int, height: int) -> str:
    data = zlib.compress(b"\0" * 1000).decode("latin-1")
    return (
        f"4 0 obj<</Type/XObject/Subtype/Image/Width {width}/Height {height}/ColorSpace/DeviceGray/BitsPerComponent 8"
        f"/Filter/FlateDecode/Length {len(data)}>>stream\n{data}\nendstream endobj"
    )


def test_an_image_of_30000_by_30000_pixels_is_refused_by_what_it_declares(reader: ScanReader) -> None:
    page = only(reader.read_scan(png_of(30_000, 30_000)))
    assert page.kind is PageKind.UNREADABLE
    assert PIXELS in page.trouble


def test_such_an_image_inside_a_pdf_is_refused_too(reader: ScanReader) -> None:
    bomb = pdf_of("q 595 0 0 842 0 0 cm /I Do Q", extra=image_of(30_000, 30_000))
    assert PIXELS in only(reader.read_scan(bomb)).trouble


def test_such_an_image_inside_a_word_file_is_refused_too(reader: ScanReader) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", "<w:document/>")
        archive.writestr("word/media/image1.png", png_of(30_000, 30_000))
        archive.writestr("word/media/image2.bmp", b"BM" + b"\0" * 70_000_000)
    pages = reader.read_scan(target.getvalue()).pages
    assert [PIXELS in page.trouble for page in pages] == [True, True]


def test_a_pdf_page_of_a_square_kilometre_is_drawn_small(reader: ScanReader) -> None:
    page = only(reader.read_scan(pdf_of("0 0 100 100 re f", box="0 0 2800000 2800000")))
    assert page.kind in {PageKind.BLANK, PageKind.OTHER, PageKind.UNREADABLE}


def test_of_a_file_with_very_many_pages_the_first_are_read_and_the_rest_is_told() -> None:
    with ScanReader(Limits(pages=5)) as few:
        pages = few.read_scan(pdf_of("", pages=5000)).pages
    assert [page.kind for page in pages] == [PageKind.BLANK] * 5 + [PageKind.UNREADABLE]
    assert "超过 5 页" in pages[-1].trouble


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda data: data[: len(data) // 3], "已损坏"),
        (lambda data: data[:200] + bytes(200) + data[400:2000], "已损坏"),
        (lambda _: b"", "不是可以识读的"),
        (lambda _: b"hello", "不是可以识读的"),
        (lambda _: b"%PDF-1.7\nrubbish", "PDF 文件已损坏"),
        (lambda _: b"PK\x03\x04rubbish", "文档已损坏"),
        (lambda _: b"\x00\x00\x00\x18ftypheic" + bytes(200), "已损坏"),
        (lambda _: b"II*\x00" + bytes(200), "已损坏"),
    ],
)
def test_damaged_files_are_told_as_such(
    reader: ScanReader, damage: Callable[[bytes], bytes], words: str
) -> None:
    page = only(reader.read_scan(damage(jpeg())))
    assert page.kind is PageKind.UNREADABLE
    assert words in page.trouble


def test_a_document_without_pictures_says_so(reader: ScanReader) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("word/document.xml", "<w:document/>")
    assert only(reader.read_scan(target.getvalue())).trouble == "文档中没有扫描件或照片"


def test_a_photo_of_something_else_is_nobodys(reader: ScanReader) -> None:
    page = only(reader.read_scan(jpeg(), {"1": "示例市教育局"}))
    assert (page.kind, page.unit, page.found_by) == (PageKind.OTHER, "", FoundBy.UNKNOWN)


def test_a_blank_page_is_blank(reader: ScanReader) -> None:
    paper = ageing.scanned(Image.new("RGB", (3508, 2481), "white"), random.Random(1), 100)
    assert only(reader.read_scan(paper)).kind is PageKind.BLANK


def test_a_page_that_takes_too_long_costs_itself_alone(blank_form: Image.Image) -> None:
    scan = ageing.scanned(sheets.filled(blank_form, sheets.invent(random.Random(1))), random.Random(1), 150)
    with ScanReader(Limits(seconds=0.01)) as hasty:
        reading = hasty.read_scan(scan)
        assert "第 1 页无法在规定的时间和内存内识读" in reading.trouble
        assert only(reading).kind is PageKind.UNREADABLE
        assert hasty.process is None  # ended; the next file gets another


def test_a_file_that_takes_too_long_keeps_the_pages_that_were_read() -> None:
    with ScanReader(Limits(pages=3000, file_seconds=1.5)) as patient:
        reading = patient.read_scan(pdf_of("", pages=3000))
        assert 0 < len(reading.pages) < 3000
        assert [page.kind for page in reading.pages[:-1]] == [PageKind.BLANK] * (len(reading.pages) - 1)
        assert f"第 {len(reading.pages)} 页" in reading.trouble


def test_a_worker_that_runs_out_of_memory_is_replaced(blank_form: Image.Image) -> None:
    scan = ageing.scanned(sheets.filled(blank_form, sheets.invent(random.Random(1))), random.Random(1), 150)
    with ScanReader(Limits(memory_mb=450)) as small:
        reading = small.read_scan(scan)
        assert only(reading).kind is PageKind.UNREADABLE
        assert small.read_scan(b"hello").pages[0].kind is PageKind.UNREADABLE


def test_without_the_extra_pages_are_told_by_their_code(blank_form: Image.Image) -> None:
    truth = sheets.invent(random.Random(2))
    scan = ageing.scanned(sheets.filled(blank_form, truth), random.Random(2), 150)
    [[page]] = read_pages(scan, Limits(), {}, cells=False)
    assert (page.unit, page.found_by, page.answers) == (truth.unit.code, FoundBy.CODE, None)
    assert page.seal is Seal.UNCHECKED
    [[page]] = read_pages(jpeg(), Limits(), {}, cells=False)
    assert (page.kind, page.found_by) == (PageKind.OTHER, FoundBy.UNKNOWN)
