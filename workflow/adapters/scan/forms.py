"""The forms on one page: codes and tables brought together, each table's cells read, the rest of the sheet searched for a seal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from workflow.adapters.scan import recognise, seal
from workflow.adapters.scan.codes import Code
from workflow.adapters.scan.geometry import ACROSS, CODE, NAME_LINE, PAGE, PLACES, UPRIGHT
from workflow.adapters.scan.grid import Numbers, Table, tables, without_red
from workflow.adapters.scan.pictures import Pixels, png
from workflow.domain.receipt import (
    Cell,
    Column,
    Entry,
    FoundBy,
    PageKind,
    ReceiptAnswers,
    ScannedPage,
    Seal,
    unit_named,
)

NO_TABLE = "页面上有回执表的二维码，但未找到完整的表格（可能被遮挡、裁切或折叠），请人工核对"
NO_CODE = "未识别出二维码，按单位名称归入"
NOT_OURS = "页面上没有回执表"
UNKNOWN_UNIT = "有回执表的表格，但未识别出二维码和单位名称"

# As the recogniser does: the worker is meant for one core.
cv2.setNumThreads(1)

#: How far a code may lie from where its table says, as a share of the table's width: programs print columns 15 % narrower.
_NEAR = 0.25
#: Pixels a mm of the pictures of cells that staff see.
_SHOWN = 6.0


@dataclass(frozen=True, slots=True)
class _Form:
    code: Code | None
    table: Table | None


def read_forms(
    picture: Pixels, found: Sequence[Code], number: int, names: Mapping[str, str]
) -> list[ScannedPage]:
    """Every form on a page (RGB), in the order of the codes, then of tables without one."""
    grey = without_red(picture)
    forms = _joined(found, tables(grey))
    if not forms:
        return [_stranger(grey, number, names)]
    return [_read(form, picture, grey, number, part, names) for part, form in enumerate(forms, 1)]


def _joined(found: Sequence[Code], seen: Sequence[Table]) -> list[_Form]:
    """Each code with the table that lies where a form has it."""
    left = list(seen)
    forms = []
    for code in found:
        near = min(left, key=lambda table: _distance(table, code), default=None)
        if near is None or _distance(near, code) > _NEAR:
            forms.append(_Form(code, None))
            continue
        left.remove(near)
        forms.append(_Form(code, near))
    return [*forms, *(_Form(None, table) for table in left)]


def _distance(table: Table, code: Code) -> float:
    """How far a code lies from its place under a table, as a share of the table's width."""
    expected = np.mean([table.pixel(corner) for corner in CODE], axis=0)
    there = np.mean(code.corners, axis=0)
    across = np.linalg.norm(table.crossings[0, -1] - table.crossings[0, 0])
    return float(np.linalg.norm(expected - there) / across)


def _read(
    form: _Form, picture: Pixels, grey: Pixels, number: int, part: int, names: Mapping[str, str]
) -> ScannedPage:
    mark = form.code.mark if form.code else None
    unit, found_by = (mark.unit, FoundBy.CODE) if mark else ("", FoundBy.UNKNOWN)
    if form.table is None:
        return ScannedPage(
            number, part, PageKind.FORM, mark, unit, found_by, seal=_seal(picture, None), trouble=NO_TABLE
        )
    entries, shown = _cells(form.table, picture, grey)
    trouble = ""
    if mark is None:
        own = "\n".join(entry.text for (_, column), entry in entries.items() if column is Column.UNIT)
        unit = unit_named(_name_line(form.table, grey), names) or unit_named(own, names)
        found_by = FoundBy.NAME if unit else FoundBy.UNKNOWN
        trouble = NO_CODE if unit else UNKNOWN_UNIT
    return ScannedPage(
        number,
        part,
        PageKind.FORM,
        mark,
        unit,
        found_by,
        ReceiptAnswers(entries),
        shown,
        _seal(picture, form.table),
        trouble,
    )


def _stranger(grey: Pixels, number: int, names: Mapping[str, str]) -> ScannedPage:
    """A page with neither code nor table: perhaps a form badly cut, whose unit's name still stands on it."""
    unit = unit_named(recognise.read_page(grey), names) if names else ""
    found_by = FoundBy.NAME if unit else FoundBy.UNKNOWN
    return ScannedPage(number, 1, PageKind.OTHER, unit=unit, found_by=found_by, trouble=NOT_OURS)


def _cells(table: Table, picture: Pixels, grey: Pixels) -> tuple[Mapping[Cell, Entry], Mapping[Cell, bytes]]:
    flat, shown = [], {}
    for cell, place in PLACES.items():
        width = UPRIGHT[place.column + 1] - UPRIGHT[place.column]
        height = ACROSS[place.row + 1] - ACROSS[place.row]
        corners = table.corners(place)
        flat.append(recognise.straightened(grey, corners, width, height))
        shown[cell] = png(_flat(picture, corners, width, height, _SHOWN))
    return dict(zip(PLACES, recognise.read_cells(flat), strict=True)), shown


def _name_line(table: Table, grey: Pixels) -> str:
    """What stands in the line 教育行政部门/高校（盖章）above the table."""
    left, top, right, bottom = NAME_LINE
    corners = [table.pixel(corner) for corner in ((left, top), (right, top), (right, bottom), (left, bottom))]
    flat = recognise.straightened(grey, np.array(corners, np.float32), right - left, bottom - top)
    return recognise.read_cells([flat])[0].text


def _seal(picture: Pixels, table: Table | None) -> Seal:
    """Looked for on the sheet around a table; where there is none, on the whole picture, taken for a sheet of A4."""
    look = seal.look_for_seal if seal.is_coloured(picture) else seal.look_for_grey_seal
    if table is None:
        scale = 297 * seal.SCALE / max(picture.shape)
        return look(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    left, top, right, bottom = PAGE
    corners = [table.pixel(corner) for corner in ((left, top), (right, top), (right, bottom), (left, bottom))]
    return look(_flat(picture, np.array(corners, np.float32), right - left, bottom - top, seal.SCALE))


def _flat(picture: Pixels, corners: Numbers, width: float, height: float, scale: float) -> Pixels:
    wide, high = round(width * scale), round(height * scale)
    target = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), target)
    return np.asarray(
        cv2.warpPerspective(
            picture, matrix, (wide, high), flags=cv2.INTER_LINEAR, borderValue=(255, 255, 255)
        ),
        np.uint8,
    )
