"""What happens to a printed form: the seal pressed on it, the flatbed scanner, the telephone's camera."""

from __future__ import annotations

import io
import math
import random
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tests.scans.sheets import DPI, MM, ORIGIN

_SEAL_FACE = Path("/usr/share/fonts/opentype/noto/NotoSerifCJK-Bold.ttc")


def sealed(page: Image.Image, chance: random.Random, name: str) -> Image.Image:
    """The page with a round red seal, pressed unevenly, somewhere between its title and the first person."""
    radius = chance.uniform(19.0, 22.0) * MM
    seal = _seal(round(radius), name).rotate(chance.uniform(-25, 25), resample=Image.Resampling.BICUBIC)
    x = (ORIGIN[0] + chance.uniform(50, 150)) * MM
    y = (ORIGIN[1] + chance.uniform(-18, 8)) * MM
    ink = np.zeros((page.height, page.width), np.float32)
    stamp = np.asarray(seal, np.float32) / 255
    left, top = round(x - seal.width / 2), round(y - seal.height / 2)
    ink[top : top + seal.height, left : left + seal.width] = stamp
    noise = np.random.default_rng(chance.randrange(2**32))
    patches = cv2.resize(
        noise.random((12, 16), np.float32), (page.width, page.height), interpolation=cv2.INTER_CUBIC
    )
    ink *= np.clip(chance.uniform(0.55, 0.95) + 0.5 * (patches - 0.5), 0.1, 1.0)
    colour = (
        np.array([chance.uniform(190, 230), chance.uniform(20, 70), chance.uniform(30, 70)], np.float32) / 255
    )
    pixels = np.asarray(page, np.float32) * (1 - ink[..., None] * (1 - colour))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _seal(radius: int, name: str) -> Image.Image:
    """The seal's ink, 0–255: ring, five-pointed star, the name around the upper half."""
    size = 2 * radius + 20
    image = Image.new("L", (size, size), 0)
    draw = ImageDraw.Draw(image)
    middle = size / 2
    draw.ellipse((10, 10, size - 10, size - 10), outline=255, width=round(1.2 * MM))
    star = [
        (
            middle + (0.3 if point % 2 == 0 else 0.115) * radius * math.sin(point * math.pi / 5),
            middle - (0.3 if point % 2 == 0 else 0.115) * radius * math.cos(point * math.pi / 5),
        )
        for point in range(10)
    ]
    draw.polygon(star, fill=255)
    font = ImageFont.truetype(str(_SEAL_FACE), round(4.5 * MM), index=2)
    for number, sign in enumerate(name):
        turn = math.radians(240) * ((number + 0.5) / len(name) - 0.5)
        cell = Image.new("L", (round(6 * MM), round(6 * MM)), 0)
        ImageDraw.Draw(cell).text((cell.width / 2, cell.height / 2), sign, font=font, fill=255, anchor="mm")
        cell = cell.rotate(-math.degrees(turn), resample=Image.Resampling.BICUBIC)
        at = 0.72 * radius
        place = (
            round(middle + at * math.sin(turn) - cell.width / 2),
            round(middle - at * math.cos(turn) - cell.height / 2),
        )
        image.paste(cell, place, cell)
    return image


def scanned(page: Image.Image, chance: random.Random, dpi: int, *, quarter: int | None = None) -> bytes:
    """The page from a flatbed scanner as JPEG: skewed, noisy, unevenly lit, lying any way round."""
    noise = np.random.default_rng(chance.randrange(2**32))
    skewed = page.rotate(chance.uniform(-3, 3), resample=Image.Resampling.BICUBIC, fillcolor=(252, 252, 250))
    size = round(page.width * dpi / DPI), round(page.height * dpi / DPI)
    pixels = np.asarray(skewed.resize(size, Image.Resampling.LANCZOS), np.float32)
    if chance.random() < 0.5:
        pixels = cv2.GaussianBlur(pixels, (0, 0), chance.uniform(0.3, 0.6))
    pixels = pixels * np.array([1.0, chance.uniform(0.975, 0.995), chance.uniform(0.95, 0.985)], np.float32)
    light = np.linspace(chance.uniform(0.9, 1), chance.uniform(0.9, 1), size[0], dtype=np.float32)[
        None, :, None
    ]
    pixels = pixels * light + noise.normal(0, chance.uniform(2, 9), pixels.shape)
    specks = noise.random(pixels.shape[:2]) < chance.uniform(0, 0.0002)
    pixels[specks] = noise.uniform(0, 120)
    turned = np.rot90(pixels, chance.randrange(4) if quarter is None else quarter)
    return jpeg(turned, chance.randrange(60, 90), dpi)


def photographed(
    page: Image.Image, chance: random.Random, dpi: int, *, orientation: int | None = None
) -> bytes:
    """The page on a desk from a telephone as JPEG: in perspective, in a shadow, its turn told by EXIF."""
    noise = np.random.default_rng(chance.randrange(2**32))
    scale = dpi / DPI
    wide, high = round(page.width * scale), round(page.height * scale)
    desk = np.empty((round(high * 1.15), round(wide * 1.12), 3), np.float32)
    desk[:] = np.array(
        [chance.uniform(60, 150), chance.uniform(50, 130), chance.uniform(40, 110)], np.float32
    )
    jitter = 0.04 * wide
    left, top = 0.06 * wide, 0.075 * high
    corners = [(left, top), (left + wide, top), (left + wide, top + high), (left, top + high)]
    target = np.array(
        [
            (x + chance.uniform(-jitter, jitter) * 0.9, y + chance.uniform(-jitter, jitter) * 0.9)
            for x, y in corners
        ],
        np.float32,
    )
    source = np.array([[0, 0], [page.width, 0], [page.width, page.height], [0, page.height]], np.float32)
    matrix = cv2.getPerspectiveTransform(source, target)
    small = cv2.GaussianBlur(np.asarray(page, np.float32), (0, 0), max(0.1, 0.42 / scale - 0.2))
    pixels = cv2.warpPerspective(
        small,
        matrix,
        (desk.shape[1], desk.shape[0]),
        dst=desk,
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_TRANSPARENT,
    )
    pixels = pixels * _shadow(desk.shape[0], desk.shape[1], chance)[..., None]
    pixels = cv2.GaussianBlur(pixels, (0, 0), chance.uniform(0.3, 0.6))
    pixels = pixels * chance.uniform(0.8, 1.0) + noise.normal(0, chance.uniform(2, 6), pixels.shape)
    turn = chance.choice((1, 3, 6, 8)) if orientation is None else orientation
    turned = np.rot90(pixels, {1: 0, 3: 2, 6: 1, 8: 3}[turn])
    return jpeg(turned, chance.randrange(75, 92), 72, turn)


def _shadow(high: int, wide: int, chance: random.Random) -> np.ndarray:
    """A soft-edged shadow over part of the picture, and light that falls off to one side."""
    rows, columns = np.mgrid[0:high, 0:wide].astype(np.float32)
    turn = chance.uniform(0, 2 * math.pi)
    along = (columns / wide - 0.5) * math.cos(turn) + (rows / high - 0.5) * math.sin(turn)
    edge = chance.uniform(-0.3, 0.3)
    shade = 1 - chance.uniform(0.1, 0.4) / (1 + np.exp(-(along - edge) / chance.uniform(0.01, 0.08)))
    return np.asarray(shade * (1 - 0.15 * along), np.float32)


def jpeg(pixels: np.ndarray, quality: int, dpi: int, orientation: int = 1) -> bytes:
    """Pixels as a JPEG that says how it is to be turned."""
    image = Image.fromarray(np.ascontiguousarray(np.clip(pixels, 0, 255).astype(np.uint8)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    target = io.BytesIO()
    image.save(target, "JPEG", quality=quality, dpi=(dpi, dpi), exif=exif)
    return target.getvalue()
