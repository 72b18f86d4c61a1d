"""Comments 批注 on cells: the comments part and the VML drawing that Excel wants beside it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lxml import etree

from workflow.adapters.workbook.master import SheetPlan
from workflow.adapters.workbook.package import MAIN, serialise, tag
from workflow.adapters.workbook.stamp import xml_text

AUTHOR = "回执系统"
COMMENTS_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.comments+xml"
DRAWING_TYPE = "application/vnd.openxmlformats-officedocument.vmlDrawing"

_VML, _OFFICE, _EXCEL = (
    f"urn:schemas-microsoft-com:{name}" for name in ("vml", "office:office", "office:excel")
)
#: Pixels of a comment's box and of its nine-point words.
_WIDTH, _MARGIN, _LINE, _SIGN = 260, 14, 17, 6
_FAR_COLUMN = 64
_FONT = '<sz val="9"/><color indexed="81"/><rFont val="宋体"/><charset val="134"/>'


@dataclass(frozen=True, slots=True)
class Note:
    """A comment on the cell at a row and column, both counted from 1. `columns` is the width of the cell's area;
    `paragraphs` are (heading, words), the heading in bold.
    """

    ref: str
    row: int
    column: int
    columns: int
    paragraphs: tuple[tuple[str, str], ...]


def display_width(text: str) -> int:
    """How many half-width signs a text takes in one line."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WFA" else 1 for sign in text)


def wrapped_lines(text: str, per_line: int) -> int:
    """How many lines a text takes at so many half-width signs a line."""
    return sum(max(1, -(-display_width(line) // per_line)) for line in text.split("\n"))


def comments_part(notes: Sequence[Note], existing: bytes) -> bytes:
    """The comments part with our notes; another's comment on the same cell gives way."""
    root = (
        etree.fromstring(existing)
        if existing
        else etree.fromstring(f'<comments xmlns="{MAIN}"><authors/><commentList/></comments>')
    )
    authors, listed = root.find(tag("authors")), root.find(tag("commentList"))
    assert authors is not None
    assert listed is not None
    ours = {note.ref for note in notes}
    for comment in list(listed):
        if comment.get("ref") in ours:
            listed.remove(comment)
    author = len(authors)
    etree.SubElement(authors, tag("author")).text = AUTHOR
    for note in notes:
        runs = "".join(
            f'<r><rPr><b/>{_FONT}</rPr><t xml:space="preserve">{xml_text(heading)}\n</t></r>'
            f'<r><rPr>{_FONT}</rPr><t xml:space="preserve">{xml_text(words)}{end}</t></r>'
            for (heading, words), end in zip(note.paragraphs, _ends(len(note.paragraphs)), strict=True)
        )
        listed.append(
            etree.fromstring(
                f'<comment xmlns="{MAIN}" ref="{note.ref}" authorId="{author}" shapeId="0"><text>{runs}</text></comment>'
            )
        )
    return serialise(root)


def _ends(count: int) -> list[str]:
    """A line break behind every paragraph but the last."""
    return ["\n"] * (count - 1) + [""]


def drawing_part(notes: Sequence[Note], plan: SheetPlan, number: int, existing: bytes) -> bytes:
    """The VML drawing with a box for each note; `number` (from 1) keeps the shape ids of the sheets apart."""
    root = (
        etree.fromstring(existing, etree.XMLParser(recover=True, resolve_entities=False))
        if existing
        else etree.fromstring(
            f'<xml xmlns:v="{_VML}" xmlns:o="{_OFFICE}" xmlns:x="{_EXCEL}">'
            f'<o:shapelayout v:ext="edit"><o:idmap v:ext="edit" data="{number}"/></o:shapelayout>'
            '<v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe">'
            '<v:stroke joinstyle="miter"/><v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype></xml>'
        )
    )
    places = {(note.row - 1, note.column - 1) for note in notes}
    for shape in root.findall(f"{{{_VML}}}shape"):
        row, column = shape.findtext(f".//{{{_EXCEL}}}Row"), shape.findtext(f".//{{{_EXCEL}}}Column")
        if row is not None and column is not None and (int(row), int(column)) in places:
            root.remove(shape)
    taken = [int(found) for found in re.findall(rb"_x0000_s(\d+)", existing)]
    first = max(taken, default=number * 1024) + 1
    for offset, note in enumerate(notes):
        root.append(etree.fromstring(_shape(note, plan, first + offset)))
    return etree.tostring(root, encoding="UTF-8")


def _shape(note: Note, plan: SheetPlan, number: int) -> str:
    text = "\n".join(f"{heading}\n{words}" for heading, words in note.paragraphs)
    height = wrapped_lines(text, (_WIDTH - _MARGIN) // _SIGN) * _LINE + _MARGIN
    rows = dict(plan.row_pixels)

    def column_size(column: int) -> int:
        return plan.column_pixels[column] if column < len(plan.column_pixels) else _FAR_COLUMN

    def row_size(row: int) -> int:
        return rows.get(row + 1, plan.default_row_pixels)

    left, top = note.column - 1 + note.columns, max(note.row - 2, 0)
    right, right_rest = _walk(left, 12 + _WIDTH, column_size)
    bottom, bottom_rest = _walk(top, 8 + height, row_size)
    x = sum(column_size(column) for column in range(left)) + 12
    y = sum(row_size(row) for row in range(top)) + 8
    return (
        f'<v:shape xmlns:v="{_VML}" xmlns:o="{_OFFICE}" xmlns:x="{_EXCEL}" id="_x0000_s{number}" type="#_x0000_t202" '
        f'style="position:absolute;margin-left:{x * 0.75:g}pt;margin-top:{y * 0.75:g}pt;width:{_WIDTH * 0.75:g}pt;'
        f'height:{height * 0.75:g}pt;z-index:1;visibility:hidden" fillcolor="#ffffe1" o:insetmode="auto">'
        '<v:fill color2="#ffffe1"/><v:shadow on="t" color="black" obscured="t"/><v:path o:connecttype="none"/>'
        '<v:textbox style="mso-direction-alt:auto"><div style="text-align:left"/></v:textbox>'
        '<x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/>'
        f"<x:Anchor>{left}, 12, {top}, 8, {right}, {right_rest}, {bottom}, {bottom_rest}</x:Anchor>"
        f"<x:AutoFill>False</x:AutoFill><x:Row>{note.row - 1}</x:Row><x:Column>{note.column - 1}</x:Column>"
        "</x:ClientData></v:shape>"
    )


def _walk(start: int, distance: int, size: Callable[[int], int]) -> tuple[int, int]:
    """The column or row that lies so many pixels behind the beginning of `start`, and the pixels into it."""
    place = start
    while distance >= size(place):
        distance -= size(place)
        place += 1
    return place, distance
