"""The form's table on a picture: found by its ruling lines however it lies, then followed line by line.

All lines of the table hang together, so it is one large connected piece of ink. Its hull gives four corners, the known
proportions of rows and columns say whether it is our table and which way up, and at every crossing the lines themselves are
looked for again, so that a bent sheet or a lens does not shift the cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from workflow.adapters.scan.geometry import ACROSS, HEIGHT, UPRIGHT, WIDTH, Place, Point
from workflow.adapters.scan.pictures import Pixels

#: Any array of numbers; its shape is said where it matters.
Numbers = NDArray[Any]

#: The longest side, in pixels, that lines are looked for on.
_LOOKED_AT = 2000
#: Pixels a mm of the straightened table.
_SCALE = 5.0
#: How far from its place a line is looked for, in mm: first on the four corners alone, then after each fitting.
_REACH = (3.0, 1.5, 1.0)
#: The share of the lines' length that must be inked; a form lies between 0.8 and 1, other tables below 0.5.
_LEAST_SCORE = 0.62
_CANDIDATES = 6
#: Pixels: rows of a lower table are too small to read.
_LEAST_HEIGHT = 60


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A form's table: `matrix` takes mm from its upper left corner to pixels; `crossings` are its lines' crossings in
    pixels, by row and column; `score` is the share of the lines that was seen.
    """

    matrix: Numbers
    crossings: Numbers
    score: float

    def corners(self, place: Place) -> Numbers:
        """A cell's corners in pixels, from the upper left clockwise."""
        row, column = place.row, place.column
        at = self.crossings
        return np.array(
            [at[row, column], at[row, column + 1], at[row + 1, column + 1], at[row + 1, column]], np.float32
        )

    def pixel(self, point: Point) -> Point:
        """Where a place on the paper, in mm from the table's corner, is in pixels."""
        x, y, w = self.matrix @ np.array([*point, 1.0])
        return float(x / w), float(y / w)

    @property
    def pixels_a_mm(self) -> float:
        """The mean resolution over the table."""
        corners = self.crossings[[0, 0, -1, -1], [0, -1, -1, 0]]
        return float(np.sqrt(cv2.contourArea(corners) / (WIDTH * HEIGHT)))


def without_red(picture: Pixels) -> Pixels:
    """The page in grey as if no red ink were on it: a seal is as light as the paper, black under it stays black."""
    if picture.ndim == 2:
        return picture
    red, green, blue = (picture[..., part].astype(np.int16) for part in range(3))
    excess = np.maximum(red - (green + blue) // 2, 0)
    return np.asarray(np.clip(red + excess, 0, 255), np.uint8)


def tables(grey: Pixels) -> list[Table]:
    """The forms' tables on a page, largest first."""
    scale = min(1.0, _LOOKED_AT / max(grey.shape))
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else grey
    ink = _ink(small)
    # What touches the table, as a seal does on a black-and-white copy, is left out in a second try.
    found = _among(ink, _hulls(ink)) or _among(ink, _hulls(_straight(ink)))
    grow = np.diag([1 / scale, 1 / scale, 1.0])
    return [
        Table(grow @ table.matrix, (table.crossings / scale).astype(np.float32), table.score)
        for table in found
    ]


def _among(ink: Pixels, hulls: list[Numbers]) -> list[Table]:
    found: list[Table] = []
    for hull in hulls:
        table = _fitted(ink, hull)
        if table is not None and not any(_overlap(table, other) for other in found):
            found.append(table)
    return found


def _straight(ink: Pixels) -> Pixels:
    """Only what is drawn out along the picture's sides, up to some 4° off."""
    long = max(25, max(ink.shape) // 45)
    thick = cv2.dilate(ink, np.ones((3, 3), np.uint8))
    across = cv2.morphologyEx(thick, cv2.MORPH_OPEN, np.ones((1, long), np.uint8))
    upright = cv2.morphologyEx(thick, cv2.MORPH_OPEN, np.ones((long, 1), np.uint8))
    return np.asarray(cv2.bitwise_or(across, upright), np.uint8)


def _ink(grey: Pixels) -> Pixels:
    """255 where a pixel is darker than its surroundings, whatever the light."""
    soft = cv2.GaussianBlur(grey, (3, 3), 0)
    block = max(15, max(grey.shape) // 50) | 1
    ink = cv2.adaptiveThreshold(soft, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, block, 9)
    return np.asarray(ink, np.uint8)


def _hulls(ink: Pixels) -> list[Numbers]:
    """The hulls of the pieces of ink that reach far enough to be a table, the farthest first."""
    joined = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    least = 0.25 * max(ink.shape)
    reach = np.hypot(stats[1:, cv2.CC_STAT_WIDTH], stats[1:, cv2.CC_STAT_HEIGHT])
    hulls = []
    for label in (np.argsort(-reach) + 1)[:_CANDIDATES]:
        if reach[label - 1] < least or label >= count:
            break
        x, y, width, height = stats[label, :4]
        piece = (labels[y : y + height, x : x + width] == label).astype(np.uint8)
        outline, _ = cv2.findContours(
            piece, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE, offset=(int(x), int(y))
        )
        hulls.append(cv2.convexHull(np.vstack(outline)))
    return hulls


def _fitted(ink: Pixels, hull: Numbers) -> Table | None:
    """The table whose outer lines a hull is, the way up in which its inner lines fit; None for other things."""
    best: Table | None = None
    for quad in _quads(hull):
        for turn in range(4):
            corners = np.roll(quad, -turn, axis=0)
            if not _like_a_table(corners):
                continue
            matrix = _homography(_OUTER, corners)
            seen = _follow(ink, matrix, _REACH[0])
            if best is None or seen.score > best.score:
                best = seen
    if best is None or best.score < _LEAST_SCORE / 2:
        return None
    for reach in _REACH[1:]:
        best = _follow(ink, best.matrix, reach)
    outer = best.crossings[[0, 0, -1, -1], [0, -1, -1, 0]]
    return best if best.score >= _LEAST_SCORE and _like_a_table(outer) else None


def _like_a_table(corners: Numbers) -> bool:
    """Whether a quadrangle, from its upper left corner, has about the table's proportions and is large enough to be read."""
    wide, high = np.linalg.norm(corners[1] - corners[0]), np.linalg.norm(corners[3] - corners[0])
    return bool(high >= _LEAST_HEIGHT and 0.6 < wide / high * HEIGHT / WIDTH < 1.7)


def _quads(hull: Numbers) -> list[Numbers]:
    """Four corners of a hull, clockwise: by its outline, and by the smallest rectangle around it."""
    quads = [cv2.boxPoints(cv2.minAreaRect(hull))]
    around = cv2.arcLength(hull, closed=True)
    for step in range(1, 12):
        outline = cv2.approxPolyDP(hull, 0.005 * step * around, closed=True)
        if len(outline) == 4:
            quads.append(outline.reshape(4, 2).astype(np.float32))
            break
    return [
        quad if cv2.contourArea(quad.astype(np.float32), oriented=True) > 0 else quad[::-1] for quad in quads
    ]


_OUTER = np.array([[0, 0], [WIDTH, 0], [WIDTH, HEIGHT], [0, HEIGHT]], np.float32)
_GRID = np.array([[(x, y) for x in UPRIGHT] for y in ACROSS], np.float32)


def _homography(source: Numbers, target: Numbers) -> Numbers:
    matrix = cv2.getPerspectiveTransform(
        np.ascontiguousarray(source), np.ascontiguousarray(target, np.float32)
    )
    return np.asarray(matrix, np.float64)


def _follow(ink: Pixels, matrix: Numbers, reach: float) -> Table:
    """Straighten the table by a first guess, look for each line piece between two crossings within `reach` mm of its place,
    and fit anew.
    """
    margin = 6.0
    shift = np.array([[_SCALE, 0, margin * _SCALE], [0, _SCALE, margin * _SCALE], [0, 0, 1.0]])
    size = round((WIDTH + 2 * margin) * _SCALE), round((HEIGHT + 2 * margin) * _SCALE)
    flat = cv2.warpPerspective(ink, shift @ np.linalg.inv(matrix), size, flags=cv2.INTER_LINEAR)
    far = round(reach * _SCALE)
    across = [(margin + y) * _SCALE for y in ACROSS]
    upright = [(margin + x) * _SCALE for x in UPRIGHT]
    offsets_y, seen_y = _pieces(flat, across, upright, far)
    offsets_x, seen_x = _pieces(flat.T, upright, across, far)
    inside = flat[round(across[0]) : round(across[-1]), round(upright[0]) : round(upright[-1])]
    # A table is mostly paper; the shadow of an edge is ink throughout.
    score = float(min(seen_y.mean(), seen_x.mean()) - (inside > 127).mean())
    points = _GRID.astype(np.float64).copy()
    points[..., 1] += _at_crossings(offsets_y, seen_y) / _SCALE
    points[..., 0] += _at_crossings(offsets_x, seen_x).T / _SCALE
    pixels = cv2.perspectiveTransform(points.reshape(-1, 1, 2), matrix).reshape(points.shape)
    fitted, _ = cv2.findHomography(
        _GRID.reshape(-1, 2), pixels.reshape(-1, 2), cv2.RANSAC, 0.8 * _pixels_a_mm(pixels)
    )
    if np.shape(fitted) != (3, 3):
        return Table(matrix, pixels.astype(np.float32), 0.0)
    return Table(fitted, _settled(fitted, pixels), score)


def _pieces(flat: Pixels, lines: list[float], crossed: list[float], far: int) -> tuple[Numbers, Numbers]:
    """For each line across and each piece of it between two that it crosses: how far off it lies in pixels, and the share of
    its length that is inked there.
    """
    offsets = np.zeros((len(lines), len(crossed) - 1))
    seen = np.zeros_like(offsets)
    for number, line in enumerate(lines):
        middle = round(line)
        for piece, (start, end) in enumerate(pairwise(crossed)):
            inset = 0.08 * (end - start)
            strip = flat[middle - far - 1 : middle + far + 2, round(start + inset) : round(end - inset)]
            # A line may lean within its piece: a pixel counts that is inked here or beside.
            shares = (cv2.dilate(strip, np.ones((3, 1), np.uint8)) > 127).mean(axis=1)
            weights = (strip > 127).mean(axis=1) * (shares > 0.9 * shares.max())
            if weights.sum() > 0:
                offsets[number, piece] = np.average(np.arange(len(weights)), weights=weights) - far - 1
            seen[number, piece] = shares.max()
    return offsets, seen


def _at_crossings(offsets: Numbers, seen: Numbers) -> Numbers:
    """The offset of each line at each crossing, from the pieces on both sides of it that were seen; else its line's median."""
    lines, pieces = offsets.shape
    result = np.zeros((lines, pieces + 1))
    for line in range(lines):
        sure = seen[line] > 0.6
        common = float(np.median(offsets[line][sure])) if sure.any() else 0.0
        told = np.where(sure & (np.abs(offsets[line] - common) < 1.0 * _SCALE), offsets[line], common)
        result[line] = np.concatenate([told[:1], (told[:-1] + told[1:]) / 2, told[-1:]])
    return result


def _settled(matrix: Numbers, pixels: Numbers) -> Numbers:
    """The crossings as seen where they are near what the whole table says, else where it says."""
    ideal = cv2.perspectiveTransform(_GRID.reshape(-1, 1, 2).astype(np.float64), matrix).reshape(pixels.shape)
    near = np.linalg.norm(ideal - pixels, axis=2) < 1.2 * _pixels_a_mm(pixels)
    return np.where(near[..., np.newaxis], pixels, ideal).astype(np.float32)


def _pixels_a_mm(crossings: Numbers) -> float:
    return float(np.linalg.norm(crossings[0, -1] - crossings[0, 0]) / WIDTH)


def _overlap(one: Table, other: Table) -> bool:
    centre = one.crossings.reshape(-1, 2).mean(axis=0)
    outline = other.crossings[[0, 0, -1, -1], [0, -1, -1, 0]]
    return cv2.pointPolygonTest(outline, (float(centre[0]), float(centre[1])), measureDist=False) >= 0
