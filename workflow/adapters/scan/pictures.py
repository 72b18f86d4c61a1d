"""A picture's bytes as pixels: JPEG, PNG, TIFF (every frame), HEIC, BMP, WebP; upright as its EXIF says, never larger than limits."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from workflow.adapters.scan.limits import Limits

#: 8 bits a sample: (height, width) in grey or (height, width, 3) in red, green and blue.
Pixels = NDArray[Any]

#: What is opened; the other formats of the library are odd enough that their readers are not tried on strangers' bytes.
FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "WEBP", "GIF", "HEIF")

TOO_LARGE = "图片尺寸过大（超过 {most} 万像素），未予打开；请以 200 dpi 左右重新扫描"
DAMAGED = "图片文件已损坏，无法打开；请重新扫描或拍照后报送"
UNKNOWN = "不是可以识读的图片或 PDF 文件"

pillow_heif.register_heif_opener()


@dataclass(frozen=True, slots=True)
class Trouble:
    """A page that could not be had, in an office's words."""

    words: str


def frames(data: bytes, limits: Limits) -> Iterator[Pixels | Trouble]:
    """Each picture in the bytes as an RGB array (height, width, 3), or why not; nothing is raised."""
    number = 0
    while number <= limits.pages:
        frame, more = _frame(data, number, limits)
        yield frame
        if not more:
            return
        number += 1


def _frame(data: bytes, number: int, limits: Limits) -> tuple[Pixels | Trouble, bool]:
    """One frame, and whether there are more behind it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
                count = getattr(picture, "n_frames", 1) if picture.format == "TIFF" else 1
                picture.seek(number)
                if declared_too_large(picture.size, limits):
                    return too_large(limits), number + 1 < count
                return _pixels(picture, limits), number + 1 < count
    except Image.DecompressionBombError:
        return too_large(limits), False
    except UnidentifiedImageError:
        return Trouble(DAMAGED if looks_like_picture(data) else UNKNOWN), False
    except Exception:  # noqa: BLE001 — a damaged file raises whatever its decoder stumbles over
        return Trouble(DAMAGED), False


def _pixels(picture: Image.Image, limits: Limits) -> Pixels:
    # A JPEG is decoded at a half, a quarter or an eighth where that is still large enough.
    picture.draft("RGB", _fitting(picture.size, limits))
    upright = ImageOps.exif_transpose(picture)
    if upright.mode not in {"L", "RGB"}:
        upright = _on_white(upright)
    upright.thumbnail((limits.longest, limits.longest), Image.Resampling.BOX, reducing_gap=2.0)
    return np.asarray(upright.convert("RGB"))


def _on_white(picture: Image.Image) -> Image.Image:
    """A picture of any mode in colours, on white paper where it is transparent; of 16 bits the upper 8."""
    if picture.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    paper = Image.new("RGB", picture.size, "white")
    seen = picture.convert("RGBA")
    paper.paste(seen, mask=seen.getchannel("A"))
    return paper


def _fitting(size: tuple[int, int], limits: Limits) -> tuple[int, int]:
    scale = min(1.0, limits.longest / max(size))
    return max(1, int(size[0] * scale)), max(1, int(size[1] * scale))


def declared_too_large(size: tuple[int, int], limits: Limits) -> bool:
    """Whether a picture of this declared size, in pixels, is refused."""
    return size[0] * size[1] > limits.pixels


def too_large(limits: Limits) -> Trouble:
    """What is said of a picture that is refused for its size."""
    return Trouble(TOO_LARGE.format(most=limits.pixels // 10_000))


def png(picture: Pixels) -> bytes:
    """A picture as the bytes of a PNG."""
    target = io.BytesIO()
    Image.fromarray(picture).save(target, "PNG")
    return target.getvalue()


def jpeg(picture: Pixels) -> bytes:
    """A page as a person looks at it, its longer side at most 2,000 pixels."""
    image = Image.fromarray(picture).convert("RGB")
    image.thumbnail((2000, 2000))
    target = io.BytesIO()
    image.save(target, "JPEG", quality=80)
    return target.getvalue()


def looks_like_picture(data: bytes) -> bool:
    """Whether the first bytes are those of a picture, however damaged the rest is."""
    heads = (b"\xff\xd8\xff", b"\x89PNG", b"II*\0", b"MM\0*", b"BM", b"GIF8")
    return data.startswith(heads) or data[4:8] == b"ftyp" or data[8:12] == b"WEBP"
