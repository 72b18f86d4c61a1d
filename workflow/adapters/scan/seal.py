"""The 公章: a round red stamp of 38 to 45 mm, told by its ring. A hint for staff: no seal, or a doubtful one, rejects nothing."""

from __future__ import annotations

import cv2
import numpy as np

from workflow.adapters.scan.grid import Numbers
from workflow.adapters.scan.pictures import Pixels
from workflow.domain.receipt import Seal

#: Pixels a mm of the picture that is looked at.
SCALE = 3.0
#: Radii of rings that are looked for, in mm.
_RADII = np.arange(15.0, 27.0, 0.5)
_ANGLES = np.linspace(0, 2 * np.pi, 120, endpoint=False)
_SEEN, _DOUBTFUL = 0.72, 0.45
#: Red ink of less than this, in mm², is no stamp; of more, without a ring, a person looks.
_LEAST_RED, _MUCH_RED = 25.0, 90.0
#: A picture is coloured where this share of its pixels is this far from grey: paper in colour is never quite grey, and on
#: paper that the scanner made white the stamp is left.
_TINTED, _OFF_GREY = 0.01, 2
_COLOURED, _OFF_BLACK = 0.0002, 40


def is_coloured(picture: Pixels) -> bool:
    """Whether a picture was taken in colour."""
    small = picture[::2, ::2]
    off = small.max(axis=2) - small.min(axis=2)
    return bool((off > _OFF_GREY).mean() > _TINTED or (off > _OFF_BLACK).mean() > _COLOURED)


def look_for_grey_seal(page: Pixels) -> Seal:
    """Whether a ring is on a page in black and white (RGB, `SCALE` pixels a mm): what it is can't be told, so at most doubtful."""
    grey = page.min(axis=2)
    circles = cv2.HoughCircles(
        cv2.GaussianBlur(grey, (3, 3), 0),
        cv2.HOUGH_GRADIENT,
        dp=1.5,
        minDist=5 * SCALE,
        param1=80,
        param2=40,
        minRadius=round(_RADII[0] * SCALE),
        maxRadius=round(_RADII[-1] * SCALE),
    )
    ink = cv2.dilate((grey < 215).astype(np.uint8), np.ones((3, 3), np.uint8))
    found = np.reshape(circles, (-1, 3))[:20] if np.size(circles) > 1 else np.empty((0, 3))
    shares = [
        _share(ink, x + dx, y + dy, radius + dr)
        for x, y, radius in found
        for dx in (-2, 0, 2)
        for dy in (-2, 0, 2)
        for dr in (-2, 0, 2)
    ]
    return Seal.DOUBTFUL if max(shares, default=0.0) >= _SEEN else Seal.NOT_SEEN


def look_for_seal(page: Pixels) -> Seal:
    """Whether a seal is on a page taken in colour (RGB, `SCALE` pixels a mm)."""
    hsv = cv2.cvtColor(cv2.GaussianBlur(page, (3, 3), 0), cv2.COLOR_RGB2HSV)
    hue, saturation, value = (hsv[..., part] for part in range(3))
    red = _inside(((hue < 12) | (hue > 160)) & (saturation > 55) & (value > 70))
    area = float(red.sum()) / SCALE**2
    if area < _LEAST_RED:
        return Seal.NOT_SEEN
    coverage = max((_ring(piece) for piece in _pieces(red)), default=0.0)
    if coverage >= _SEEN:
        return Seal.SEEN
    return Seal.DOUBTFUL if coverage >= _DOUBTFUL or area >= _MUCH_RED else Seal.NOT_SEEN


def _inside(red: Numbers) -> Numbers:
    """Red that does not reach the picture's edge: a brown desk around the sheet does."""
    _, labels = cv2.connectedComponents(red.astype(np.uint8), connectivity=8)
    edges = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    return red & ~np.isin(labels, np.unique(edges))


def _pieces(red: Numbers) -> list[Numbers]:
    """Red ink in pieces that hang together when gaps of 3 mm are closed, the largest three."""
    ink = red.astype(np.uint8)
    gap = round(3 * SCALE) | 1
    joined = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (gap, gap)))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    order = np.argsort(-stats[1:, cv2.CC_STAT_AREA])[:3] + 1
    return [(ink * (labels == label)).astype(np.uint8) for label in order if label < count]


def _ring(piece: Numbers) -> float:
    """The share of a circle's circumference that is inked, for the best circle around the piece's middle."""
    if int(piece.sum()) < 50:
        return 0.0
    points = cv2.findNonZero(piece)
    (x, y), radius = cv2.minEnclosingCircle(points)
    if not _RADII[0] * 0.8 * SCALE < radius < _RADII[-1] * 1.25 * SCALE:
        return 0.0
    near = cv2.dilate(piece, np.ones((3, 3), np.uint8))
    best = 0.0
    for dx in np.arange(-2.0, 2.1, 1.0) * SCALE:
        for dy in np.arange(-2.0, 2.1, 1.0) * SCALE:
            for ring in _RADII[np.abs(_RADII * SCALE - radius) < 5 * SCALE] * SCALE:
                best = max(best, _share(near, x + dx, y + dy, ring))
    return best


def _share(ink: Numbers, x: float, y: float, radius: float) -> float:
    """The share of a circle that is inked."""
    columns = np.round(x + radius * np.cos(_ANGLES)).astype(int)
    rows = np.round(y + radius * np.sin(_ANGLES)).astype(int)
    inside = (rows >= 0) & (rows < ink.shape[0]) & (columns >= 0) & (columns < ink.shape[1])
    return float(ink[rows[inside], columns[inside]].sum() / len(_ANGLES))
