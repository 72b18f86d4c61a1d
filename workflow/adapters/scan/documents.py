"""Pages out of documents: PDF, whose embedded scans are taken as they are, and the pictures in a .docx."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

import numpy as np
import pypdfium2 as pdfium
from pypdfium2 import raw

from workflow.adapters.scan.limits import Limits
from workflow.adapters.scan.pictures import (
    UNKNOWN,
    Pixels,
    Trouble,
    declared_too_large,
    frames,
    looks_like_picture,
    too_large,
)

DRAWN_DPI = 200
#: The share of the page that one embedded picture covers where the page is a scan and nothing else.
WHOLE_PAGE = 0.8
_MOST_PARTS = 200
_PICTURES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".gif", ".heic", ".webp")

DAMAGED_PDF = "PDF 文件已损坏，无法打开；请重新生成后报送"
LOCKED_PDF = "PDF 文件设有密码，无法打开；请去除密码后报送"
DAMAGED_DOCUMENT = "文档已损坏，无法打开；请重新保存后报送"
NO_PICTURE = "文档中没有扫描件或照片"
TOO_MANY = "文件超过 {most} 页，其余各页未识读；请分成几个文件报送"
PAGE_FAILED = "该页内容已损坏，无法显示"


def pages(data: bytes, limits: Limits) -> Iterator[Pixels | Trouble]:
    """Every page of the file, or what is wrong with it, in order; nothing is raised and no more than `limits.pages` come."""
    source = _source(data, limits)
    for number, page in enumerate(source, 1):
        if number > limits.pages:
            yield Trouble(TOO_MANY.format(most=limits.pages))
            return
        yield page


def _source(data: bytes, limits: Limits) -> Iterator[Pixels | Trouble]:
    if b"%PDF-" in data[:1024]:
        return _pdf(data, limits)
    if data.startswith(b"PK\x03\x04"):
        return _docx(data, limits)
    return frames(data, limits)


def _docx(data: bytes, limits: Limits) -> Iterator[Pixels | Trouble]:
    """The pictures of a Word document in the order of their names, which is that of their being put in."""
    found = False
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = [info for info in archive.infolist()[:_MOST_PARTS] if _is_picture(info.filename)]
            if not any(name.startswith("word/") for name in archive.namelist()):
                yield Trouble(UNKNOWN)
                return
            for info in sorted(parts, key=_order):
                found = True
                if info.file_size > limits.part_bytes:
                    yield too_large(limits)
                    continue
                with archive.open(info) as part:
                    # What the directory declares may be a lie.
                    content = part.read(limits.part_bytes + 1)
                yield from frames(content, limits)
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, ValueError, EOFError):
        yield Trouble(DAMAGED_DOCUMENT)
        return
    except Exception:  # noqa: BLE001 — zlib and lzma have errors of their own
        yield Trouble(DAMAGED_DOCUMENT)
        return
    if not found:
        yield Trouble(NO_PICTURE)


def _is_picture(name: str) -> bool:
    return name.startswith("word/media/") and name.lower().endswith(_PICTURES)


def _order(info: zipfile.ZipInfo) -> tuple[int, str]:
    digits = "".join(filter(str.isdigit, info.filename))
    return int(digits[:9] or 0), info.filename


def _pdf(data: bytes, limits: Limits) -> Iterator[Pixels | Trouble]:
    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as why:
        locked = getattr(why, "err_code", None) == raw.FPDF_ERR_PASSWORD
        yield Trouble(LOCKED_PDF if locked else DAMAGED_PDF)
        return
    try:
        count = len(document)
        if not count:
            yield Trouble(DAMAGED_PDF)
        for number in range(min(count, limits.pages + 1)):
            yield from _pdf_page(document, number, limits)
    finally:
        document.close()


def _pdf_page(document: pdfium.PdfDocument, number: int, limits: Limits) -> Iterator[Pixels | Trouble]:
    try:
        page = document[number]
        try:
            images = list(page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=4))
            if any(declared_too_large(image.get_px_size(), limits) for image in images):
                yield too_large(limits)
                return
            scanned = _embedded(page, images)
            if scanned is None:
                yield _drawn(page, limits)
            else:
                yield from frames(scanned, limits)
        finally:
            page.close()
    except pdfium.PdfiumError:
        yield Trouble(PAGE_FAILED)


def _embedded(page: pdfium.PdfPage, images: list[pdfium.PdfImage]) -> bytes | None:
    """The one JPEG that the page consists of, as it came from the scanner; None for any other page."""
    if len(images) != 1 or len(list(page.get_objects(max_depth=1))) != 1:
        return None
    image = images[0]
    left, bottom, right, top = image.get_bounds()
    width, height = page.get_size()
    if (right - left) * (top - bottom) < WHOLE_PAGE * width * height:
        return None
    matrix = image.get_matrix()
    if matrix.a * matrix.d - matrix.b * matrix.c <= 0 or image.get_filters() != ["DCTDecode"]:
        return None  # mirrored, or not a JPEG
    content = bytes(image.get_data(decode_simple=False))
    return content if looks_like_picture(content) else None


def _drawn(page: pdfium.PdfPage, limits: Limits) -> Pixels:
    scale = min(DRAWN_DPI / 72, limits.longest / max(*page.get_size(), 1.0))
    bitmap = page.render(scale=scale, rev_byteorder=True)
    picture = np.array(bitmap.to_numpy())
    bitmap.close()
    if picture.ndim == 2:
        picture = picture[..., np.newaxis]
    if picture.shape[2] == 1:
        picture = np.repeat(picture, 3, axis=2)
    return np.ascontiguousarray(picture[..., :3])
