"""What is printed or written in a cell: rapidocr's models, which are inside its package, run here without any network."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import cv2
import numpy as np
from rapidocr import RapidOCR
from rapidocr.ch_ppocr_rec import TextRecInput

from workflow.adapters.scan.grid import Numbers
from workflow.adapters.scan.pictures import Pixels
from workflow.domain.receipt import Entry

#: Pixels a mm of a straightened cell: characters of 10 pt are then as high as the model wants them.
SCALE = 12.0
#: What is cut off a cell's edges, in mm: half a ruling line with its blur; text of a full cell begins just behind it.
_EDGE = 0.35
#: A line's ink within this of the edge, over most of the cell, is the ruling line.
_RULED = 1.0
#: Smaller ink is a sign only within `_BESIDE` of larger, in mm.
_LEAST_SIGN = 1.0
_BESIDE = 0.9
#: A line of text with the paper around it, in mm.
_LEAST_LINE = 2.2
#: How far a sign's ink reaches from its middle, as a share of the line's height, and how much may lie farther off.
_FAR_CHINESE, _FAR_LATIN, _OVERLOOKED = 0.75, 0.5, 0.08
#: The depth of ink of a line, as a share of the deepest, below which it may be noise; and how surely noise is not read.
_FAINT, _SURE = 0.6, 0.8
_LEAST_GAP = 0.35
_LONGEST = 1600


@cache
def _engine() -> Any:
    """The models, loaded once a process; one core."""
    quiet = {
        "Global.log_level": "error",
        "EngineConfig.onnxruntime.intra_op_num_threads": 1,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    }
    engine = RapidOCR(params=quiet)
    # The recogniser is there after its first line.
    engine(np.full((48, 160, 3), 255, np.uint8), use_det=False, use_cls=False)
    return engine


def read_cells(cells: Sequence[Pixels]) -> list[Entry]:
    """What stands in each straightened cell (grey, `SCALE` pixels a mm), line by line; '' surely where there is no ink."""
    parts = [lines_of(cell) for cell in cells]
    flat = [line for lines in parts for line in lines]
    read = iter(_read_lines(flat))
    entries = []
    for lines in parts:
        told = _without_dust([next(read) for _ in lines], lines)
        entries.append(
            Entry(
                "\n".join(one.text for one in told if one.text),
                round(min((one.confidence for one in told), default=1.0), 4),
                round(min((one.digits for one in told), default=1.0), 4),
            )
        )
    return entries


def read_page(grey: Pixels) -> str:
    """All words on a page that is not known to be ours, from its smaller copy: enough to find a unit's name."""
    scale = min(1.0, _LONGEST / max(grey.shape))
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else grey
    result = _engine()(cv2.cvtColor(small, cv2.COLOR_GRAY2BGR), use_det=True, use_cls=True, use_rec=True)
    return "\n".join(getattr(result, "txts", None) or ())


def straightened(grey: Pixels, corners: Numbers, width: float, height: float) -> Pixels:
    """A quadrangle of the page as an upright picture; corners from its upper left clockwise, size in mm."""
    wide, high = round(width * SCALE), round(height * SCALE)
    target = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), target)
    flat = cv2.warpPerspective(
        grey, matrix, (wide, high), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(flat, np.uint8)


def lines_of(cell: Pixels) -> list[Pixels]:
    """The lines of text in a cell, each cut out with a little paper around it."""
    edge = round(_EDGE * SCALE)
    inner = cell[edge:-edge, edge:-edge]
    paper = _evened(inner)
    soft = cv2.GaussianBlur(paper, (0, 0), 0.1 * SCALE)
    ink = _unspecked(_unruled((soft < _threshold(soft)).astype(np.uint8)))
    rows = ink.sum(axis=1) > 0
    bands = _bands(rows, round(_LEAST_GAP * SCALE))
    lines = []
    for top, bottom in bands:
        columns = np.flatnonzero(ink[top:bottom].sum(axis=0))
        pad = max(4, round(0.16 * (bottom - top)))
        side = pad + 4
        cut = paper[max(0, top - pad) : bottom + pad, max(0, columns[0] - side) : columns[-1] + side]
        lines.append(
            cv2.copyMakeBorder(np.ascontiguousarray(cut), 0, 0, 6, 6, cv2.BORDER_CONSTANT, value=255)
        )
    return lines


def _evened(grey: Pixels) -> Pixels:
    """The paper white and the ink dark, whatever the light over the cell was."""
    wide = cv2.GaussianBlur(cv2.dilate(grey, np.ones((31, 31), np.uint8)), (0, 0), 15)
    even = grey.astype(np.float32) / np.maximum(wide.astype(np.float32), 1.0)
    return np.clip((even - 0.12) / 0.80 * 255, 0, 255).astype(np.uint8)


def _threshold(paper: Pixels) -> float:
    """Where ink begins: nearer to the paper than to the darkest sign, as the stroke of a 一 is thin; 0 where there is no ink."""
    darkest = float(np.percentile(paper, 0.2))
    return min(200.0, max(120.0, 0.35 * darkest + 0.65 * 255)) if darkest < 200 else 0.0


def _unruled(ink: Numbers) -> Numbers:
    """Ink without what is left of the ruling lines, and without specks."""
    result = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    near = round(_RULED * SCALE)
    for view in (result, result[::-1], result.T, result.T[::-1]):
        along = view[:near].mean(axis=1) > 0.5
        if along.any():
            view[: int(np.flatnonzero(along)[-1]) + 2] = 0
    return np.asarray(result, np.uint8)


def _unspecked(ink: Numbers) -> Numbers:
    """Ink without small pieces that lie apart: dust. The dot of an i, a full stop and a dash stand near other signs."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    high = stats[:, cv2.CC_STAT_HEIGHT]
    wide = stats[:, cv2.CC_STAT_WIDTH]
    large = (np.maximum(high, wide) >= _LEAST_SIGN * SCALE) & (np.arange(count) > 0)
    signs = large[labels].astype(np.uint8)
    reach = 2 * round(_BESIDE * SCALE) + 1
    near = cv2.dilate(signs, np.ones((reach, reach), np.uint8))
    kept = large.copy()
    kept[np.unique(labels[(near > 0) & (ink > 0)])] = True
    kept[0] = False
    return np.asarray(kept[labels], np.uint8)


def _bands(rows: Numbers, gap: int) -> list[tuple[int, int]]:
    """Runs of rows with ink, those that are nearer than `gap` joined, as [first, after the last)."""
    marked = np.flatnonzero(rows)
    if not len(marked):
        return []
    cuts = np.flatnonzero(np.diff(marked) > gap)
    starts = [marked[0], *marked[cuts + 1]]
    ends = [*marked[cuts], marked[-1]]
    return [(int(start), int(end) + 1) for start, end in zip(starts, ends, strict=True)]


def _read_lines(lines: Sequence[Pixels]) -> list[Entry]:
    """Each line's text with the probabilities of its least sure sign and digit."""
    if not lines:
        return []
    coloured = [cv2.cvtColor(line, cv2.COLOR_GRAY2BGR) for line in lines]
    result = _engine().text_rec(TextRecInput(img=coloured, return_word_box=True))
    read = zip(result.txts, result.word_results, lines, strict=True)
    return [_told(text, words, line) for text, words, line in read]


def _overlooked(words: Any, line: Pixels) -> bool:
    """Whether ink lies so far from every sign that was read that a sign was left out, as the model does with a last 一."""
    high, wide = line.shape
    steps = wide / words.line_txt_len
    signs = [
        ((column + 0.5) * steps, _FAR_CHINESE if sign > "\u2e80" else _FAR_LATIN)
        for part, columns in zip(words.words, words.word_cols, strict=True)
        for sign, column in zip(part, columns, strict=True)
    ]
    inked = np.flatnonzero((line < 165).sum(axis=0) >= 2)
    near = np.zeros(wide, bool)
    for at, reach in signs:
        near[max(0, round(at - reach * high)) : round(at + reach * high) + 1] = True
    return bool((~near[inked]).sum() > _OVERLOOKED * high)


def _without_dust(read: Sequence[Entry], lines: Sequence[Pixels]) -> list[Entry]:
    """The lines that say something. What is much fainter than the cell's other lines and was read unsurely is no text, but the
    cell is then not surely read either.
    """
    depths = [255.0 - float(np.percentile(line, 2)) for line in lines]
    kept = []
    for one, line, depth in zip(read, lines, depths, strict=True):
        if _is_dust(one, line):
            continue
        faint = depth < _FAINT * max(depths) and one.confidence < _SURE
        kept.append(Entry("", one.confidence, one.digits) if faint else one)
    return kept


def _is_dust(read: Entry, line: Pixels) -> bool:
    """Whether a line is too low for any sign but a dot or a dash, and was not read as more."""
    return line.shape[0] < _LEAST_LINE * SCALE and not any(sign.isalnum() for sign in read.text)


def _told(text: str, words: Any, line: Pixels) -> Entry:
    """A line's text; unsure throughout where some of its ink was read as nothing."""
    sure = words.confs
    if not text or len(sure) != len(text) or _overlooked(words, line):
        return Entry(text, 0.0, 0.0)
    digits = [one for sign, one in zip(text, sure, strict=True) if sign.isdecimal()]
    return Entry(text, min(sure), min(digits, default=1.0))
