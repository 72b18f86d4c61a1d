"""The QR codes on a page, wherever and however they lie."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import zxingcpp
from PIL import Image

from workflow.adapters.scan.geometry import Point
from workflow.adapters.scan.pictures import Pixels
from workflow.domain.receipt import ReceiptMark, read_code

#: Below this a page is tried enlarged: a module of the code is then about 3 pixels.
_SMALL = 1700
_QR = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)


@dataclass(frozen=True, slots=True)
class Code:
    """A form's code: what it says, and its corners in pixels from its own upper left one clockwise."""

    mark: ReceiptMark
    corners: tuple[Point, Point, Point, Point]


def codes(picture: Pixels) -> list[Code]:
    """The codes of our forms on a page; codes of other things are left out."""
    found: list[Code] = []
    for grey, scale in _attempts(picture):
        for barcode in zxingcpp.read_barcodes(grey, formats=_QR):
            mark = read_code(barcode.text)
            if mark is None:
                continue
            at = barcode.position
            corners = tuple(
                (point.x / scale, point.y / scale)
                for point in (at.top_left, at.top_right, at.bottom_right, at.bottom_left)
            )
            code = Code(mark, (corners[0], corners[1], corners[2], corners[3]))
            if not any(_same_place(code, other) for other in found):
                found.append(code)
        if found:
            break
    return found


def _same_place(one: Code, other: Code) -> bool:
    return (
        max(
            abs(a - b)
            for p, q in zip(one.corners, other.corners, strict=True)
            for a, b in zip(p, q, strict=True)
        )
        < 20
    )


def _attempts(picture: Pixels) -> Iterator[tuple[Pixels, float]]:
    """The page in the ways in which a code is most likely read, the cheapest first: without red ink, larger, smoothed."""
    red = np.ascontiguousarray(picture[..., 0])
    yield red, 1.0
    image = Image.fromarray(red)
    longest = max(image.size)
    if longest < _SMALL:
        yield _resized(image, 2.0), 2.0
    else:
        yield _resized(image, 0.5), 0.5
    yield _resized(image, 1.4), 1.4
    if longest >= _SMALL:
        yield _resized(image, 0.7), 0.7
    yield np.ascontiguousarray(picture.min(axis=2)), 1.0


def _resized(image: Image.Image, factor: float) -> Pixels:
    size = max(1, round(image.width * factor)), max(1, round(image.height * factor))
    return np.asarray(image.resize(size, Image.Resampling.BICUBIC))
