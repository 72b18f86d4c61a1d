"""The cell formats of a form: answer cells get unlocked, wrong and queried clones of the format that staff gave them."""

from __future__ import annotations

import copy
import re

from lxml import etree

from workflow.adapters.workbook.master import Mark, Shape
from workflow.adapters.workbook.package import MAIN, insert_in_order, tag
from workflow.domain.form import FieldType

_ORDER = (
    *("numFmts", "fonts", "fills", "borders", "cellStyleXfs", "cellXfs", "cellStyles", "dxfs", "tableStyles"),
    *("colors", "extLst"),
)
_XF_ORDER = ("alignment", "protection", "extLst")
FILLS = {Mark.WRONG: "FFFFC7CE", Mark.QUERY: "FFFFDD80"}
_GENERAL, _TEXT = 0, 49
#: Number formats that come with every workbook and show a day or a time of day.
_BUILT_IN_DATES = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
#: What an answer is shown as where staff left its format at General.
_DEFAULTS = {
    FieldType.TEXT: "@",
    FieldType.PHONE: "@",
    FieldType.EMAIL: "@",
    FieldType.PERCENT: "0.00%",
    FieldType.DATE: "yyyy-mm-dd",
}
_SHAPES = {Shape.DAY: "yyyy-mm-dd", Shape.MOMENT: "yyyy-mm-dd hh:mm:ss", Shape.TIME: "hh:mm:ss"}


class Styles:
    """The styles part under change; hands out indexes of cell formats (`s` of a cell)."""

    def __init__(self, root: etree._Element) -> None:
        self._root = root
        self._formats = self._section("cellXfs", "xf")
        self._made: dict[bytes, int] = {}
        self._answers: dict[tuple[int, FieldType], tuple[tuple[int, ...], ...]] = {}

    def _section(self, name: str, first: str) -> etree._Element:
        found = self._root.find(tag(name))
        if found is None:
            found = etree.Element(tag(name))
            insert_in_order(self._root, found, _ORDER)
        if first == "xf" and len(found) == 0:
            etree.SubElement(found, tag("xf"), numFmtId="0", fontId="0", fillId="0", borderId="0")
        return found

    def _append(self, section: str, element: etree._Element) -> int:
        """The index of an element in its section, added where nothing equal was added before."""
        parent = self._formats if section == "cellXfs" else self._section(section, "")
        key = section.encode() + etree.tostring(element, method="c14n")
        if key not in self._made:
            self._made[key] = len(parent)
            parent.append(element)
            parent.set("count", str(len(parent)))
        return self._made[key]

    def drawn(self, style: int) -> tuple[str, bool]:
        """What tells rows of blank cells apart: the fill, and whether there are borders."""
        xf = self._formats[style]
        border = self._section("borders", "")[int(xf.get("borderId", "0"))]
        return xf.get("fillId", "0"), any(side.get("style", "none") != "none" for side in border)

    def number_format(self, code: str) -> int:
        """The id of a number format code."""
        if code in {"General", "@"}:
            return _GENERAL if code == "General" else _TEXT
        section = self._section("numFmts", "")
        taken = [_GENERAL, 163]
        for known in section:
            if known.get("formatCode") == code:
                return int(known.get("numFmtId", "0"))
            taken.append(int(known.get("numFmtId", "0")))
        new = max(taken) + 1
        etree.SubElement(section, tag("numFmt"), numFmtId=str(new), formatCode=code)
        section.set("count", str(len(section)))
        return new

    def is_date(self, number_format: int) -> bool:
        """Whether a number format shows a day or a time."""
        if number_format in _BUILT_IN_DATES:
            return True
        for known in self._section("numFmts", ""):
            if known.get("numFmtId") == str(number_format):
                code = re.sub(r'"[^"]*"|\\.|\[[^\]]*\]', "", known.get("formatCode", ""))
                return bool(re.search(r"[ymdhs]", code, re.IGNORECASE)) and "general" not in code.lower()
        return False

    def fill(self, colour: str) -> int:
        """The index of a solid fill."""
        element = etree.fromstring(
            f'<fill xmlns="{MAIN}"><patternFill patternType="solid"><fgColor rgb="{colour}"/>'
            f'<bgColor indexed="64"/></patternFill></fill>'
        )
        return self._append("fills", element)

    def font(self, inner: str) -> int:
        """The index of a font given by its inner XML."""
        return self._append("fonts", etree.fromstring(f'<font xmlns="{MAIN}">{inner}</font>'))

    def border(self, inner: str) -> int:
        """The index of a border given by its inner XML."""
        return self._append("borders", etree.fromstring(f'<border xmlns="{MAIN}">{inner}</border>'))

    def cell_format(self, attributes: dict[str, str], inner: str = "") -> int:
        """The index of a cell format of our own."""
        element = etree.fromstring(f'<xf xmlns="{MAIN}" xfId="0">{inner}</xf>')
        for name, value in attributes.items():
            element.set(name, value)
        return self._append("cellXfs", element)

    def differential(self, inner: str) -> int:
        """The index of a look that a conditional format lays over a cell, given by its inner XML."""
        return self._append("dxfs", etree.fromstring(f'<dxf xmlns="{MAIN}">{inner}</dxf>'))

    def unlocked(self, style: int) -> int:
        """A cell format alike but unlocked; the same one where it is unlocked already."""
        xf = self._formats[style]
        protection = xf.find(tag("protection"))
        if protection is not None and protection.get("locked") in {"0", "false"}:
            return style
        return self._append("cellXfs", self._unlocked(xf))

    def _unlocked(self, xf: etree._Element) -> etree._Element:
        clone = copy.deepcopy(xf)
        protection = clone.find(tag("protection"))
        if protection is None:
            protection = etree.Element(tag("protection"))
            insert_in_order(clone, protection, _XF_ORDER)
        protection.set("locked", "0")
        clone.set("applyProtection", "1")
        return clone

    def answer(self, style: int, kind: FieldType) -> tuple[tuple[int, ...], ...]:
        """The cell formats of an answer cell by mark, then shape, from the format that staff gave it."""
        key = (style, kind)
        if key not in self._answers:
            own = self._own(style, kind)
            self._answers[key] = tuple(
                tuple(self._variant(own, kind, mark, shape) for shape in Shape) for mark in Mark
            )
        return self._answers[key]

    def _own(self, style: int, kind: FieldType) -> int:
        """The unlocked format, with a number format that suits the type where staff chose none."""
        number_format = int(self._formats[style].get("numFmtId", "0"))
        unsuited = number_format == _GENERAL or (kind is FieldType.DATE and not self.is_date(number_format))
        if not unsuited or kind not in _DEFAULTS:
            return self.unlocked(style)
        clone = self._unlocked(self._formats[style])
        clone.set("numFmtId", str(self.number_format(_DEFAULTS[kind])))
        clone.set("applyNumberFormat", "1")
        return self._append("cellXfs", clone)

    def _variant(self, own: int, kind: FieldType, mark: Mark, shape: Shape) -> int:
        number_format = int(self._formats[own].get("numFmtId", "0"))
        wanted = number_format
        if shape is Shape.NUMBER and self.is_date(number_format):
            wanted = _GENERAL
        elif shape in _SHAPES and not (shape is Shape.DAY and kind is FieldType.DATE):
            wanted = self.number_format(_SHAPES[shape])
        if wanted == number_format and mark is Mark.PLAIN:
            return own
        clone = copy.deepcopy(self._formats[own])
        clone.set("numFmtId", str(wanted))
        clone.set("applyNumberFormat", "1")
        if mark is not Mark.PLAIN:
            clone.set("fillId", str(self.fill(FILLS[mark])))
            clone.set("applyFill", "1")
        return self._append("cellXfs", clone)
