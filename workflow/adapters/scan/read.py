"""A file of scans, read page by page: whose each page is, what stands in its cells, and whether a seal is on it.

Without the extra `scan` pages are still told by their code; their cells and the seal are a person's to look at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
from PIL import Image

from workflow.adapters.scan.codes import Code, codes
from workflow.adapters.scan.documents import pages
from workflow.adapters.scan.limits import Limits
from workflow.adapters.scan.pictures import Pixels, Trouble, jpeg
from workflow.domain.receipt import FoundBy, PageKind, ScannedPage

#: The share of a page's pixels that differ from paper below which nothing is on it.
_BLANK = 0.0008

#: What may be a form is kept page by page.
_KEPT = frozenset({PageKind.FORM, PageKind.OTHER})

NO_CODE = "未识别出二维码"
PAGE_FAILED = "该页识读时出错（{why}），请人工核对"


def available() -> bool:
    """Whether the extra `scan` is installed, so that cells can be read."""
    return all(find_spec(name) is not None for name in ("cv2", "onnxruntime", "rapidocr"))


def read_pages(
    data: bytes, limits: Limits, names: Mapping[str, str], *, cells: bool
) -> Iterator[list[ScannedPage]]:
    """The forms on each page of the file, page by page; a page that could not be had comes with its `trouble`.

    `names` are the units that a page without a code may be of, code → name. Without `cells` only codes are read, for which
    the extra `scan` is not needed.
    """
    for number, page in enumerate(pages(data, limits), 1):
        if isinstance(page, Trouble):
            yield [ScannedPage(number, 1, PageKind.UNREADABLE, trouble=page.words)]
            continue
        try:
            found = _read_page(page, number, names, cells=cells)
            whole = jpeg(page) if any(one.kind in _KEPT for one in found) else b""
            yield [replace(one, whole=whole) for one in found]
        except Exception as why:  # noqa: BLE001 — one page must not cost the others; what went wrong is told
            words = PAGE_FAILED.format(why=type(why).__name__)
            yield [ScannedPage(number, 1, PageKind.UNREADABLE, trouble=words)]


def _read_page(picture: Pixels, number: int, names: Mapping[str, str], *, cells: bool) -> list[ScannedPage]:
    coloured = picture if picture.ndim == 3 else np.repeat(picture[..., np.newaxis], 3, axis=2)
    if _is_blank(coloured):
        return [ScannedPage(number, 1, PageKind.BLANK)]
    found = codes(coloured)
    if not cells:
        return _told_by_code(found, number)
    # Only here: without the extra these can't be imported, and with it they take half a second.
    from workflow.adapters.scan.forms import read_forms  # noqa: PLC0415

    return read_forms(coloured, found, number, names)


def _told_by_code(found: list[Code], number: int) -> list[ScannedPage]:
    if not found:
        return [ScannedPage(number, 1, PageKind.OTHER, trouble=NO_CODE)]
    return [
        ScannedPage(number, part, PageKind.FORM, code.mark, code.mark.unit, FoundBy.CODE)
        for part, code in enumerate(found, 1)
    ]


def _is_blank(picture: Pixels) -> bool:
    """Whether there is nothing on the paper, by a small copy in which specks have gone; its edges may lie in shadow."""
    image = Image.fromarray(picture).convert("L")
    image.thumbnail((400, 400), Image.Resampling.BOX)
    grey = np.asarray(image).astype(np.int16)
    high, wide = grey.shape
    inner = grey[high // 20 : high - high // 20, wide // 20 : wide - wide // 20]
    soft = np.asarray(
        Image.fromarray(inner.astype(np.uint8))
        .resize((max(1, wide // 20), max(1, high // 20)))
        .resize((inner.shape[1], inner.shape[0]), Image.Resampling.BICUBIC)
    ).astype(np.int16)
    return bool((soft - inner > 14).mean() < _BLANK)
