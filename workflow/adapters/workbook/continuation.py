"""The 续表 sheet of a copy: room for the rows of the form's tables beyond those that are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from workflow.adapters.workbook.names import quoted
from workflow.adapters.workbook.package import MAIN
from workflow.adapters.workbook.styles import Styles
from workflow.adapters.workbook.table_layout import Block
from workflow.adapters.workbook.tags import TaggedCell
from workflow.domain.form import CONTINUED, cell_name, column_letters

PART = "xl/worksheets/huizhi-continuation.xml"

_EDGE = '<{0} style="thin"><color rgb="FF7F8FA3"/></{0}>'
_BOX = "".join(_EDGE.format(side) for side in ("left", "right", "top", "bottom"))
_NUMBER_WIDTH, _NARROWEST, _FULL, _PORTRAIT = 6.0, 9.0, 84.0, 100.0
_HINT = "表内写不下的，接着填在本页；写得下的，本页不用填写，也不用打印。行与行之间可以留空，次序不限。"
_PRINTED = ("单位名称", "单位代码"), ("填报期",)


@dataclass
class ContinuationSheet:
    """The sheet's XML, written from the top, and its cells with tags."""

    title: str
    blocks: Sequence[Block]
    looks: dict[str, int]
    cells: list[TaggedCell] = field(default_factory=list)
    rows: list[str] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)
    headings: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, title: str, blocks: Sequence[Block], styles: Styles) -> ContinuationSheet | None:
        """The sheet for the tables that have room beyond their drawn rows; None where none has."""
        continued = [block for block in blocks if block.table.rows > block.rows]
        return cls(title, continued, _looks(styles)) if continued else None

    @property
    def _columns(self) -> int:
        return max(3, 1 + max(len(block.tags) for block in self.blocks))

    @property
    def _last(self) -> str:
        return column_letters(self._columns)

    @property
    def heading(self) -> str:
        """The rows to be printed on every page; '' where there is more than one table."""
        return f"{quoted(CONTINUED)}!$1:${self.headings[0]}" if len(self.headings) == 1 else ""

    def write(self) -> bytes:
        """The whole sheet, with @ tags in its texts."""
        self._across(f"{self.title}　续表", "title", 38)
        self._pair("单位：{{@单位名称}}（{{@单位代码}}）", "填报期：{{@填报期}}")
        self._across(_HINT, "hint", 32)
        for block in self.blocks:
            self._block(block)
        return self._xml().encode()

    def _block(self, block: Block) -> None:
        table = block.table
        self._across(f"“{block.sheet.entry.name}”页“{table.name}”表（续）", "band", 24)
        words = ("序号", *(_heading(tag, block) for tag in block.tags))
        self.headings.append(self._row([(text, self.looks["head"]) for text in words], 28))
        for number in range(block.rows + 1, table.rows + 1):
            answers = [("", block.sheet.style((tag.row, tag.column))) for tag in block.tags]
            row = self._row([(str(number), self.looks["number"]), *answers], 22)
            self.cells += [
                TaggedCell(CONTINUED, row, column, cell_name(tag.field, number), ())
                for column, tag in enumerate(block.tags, start=2)
            ]

    def _row(self, cells: Sequence[tuple[str, int]], height: float) -> int:
        row = len(self.rows) + 1
        written = "".join(
            f'<c r="{column_letters(place)}{row}" s="{style}"' + _content(text)
            for place, (text, style) in enumerate(cells, start=1)
        )
        self.rows.append(f'<row r="{row}" ht="{height:g}" customHeight="1">{written}</row>')
        return row

    def _across(self, text: str, look: str, height: float) -> None:
        row = self._row([(text, self.looks[look])], height)
        self.merged.append(f"A{row}:{self._last}{row}")

    def _pair(self, left: str, right: str) -> None:
        """The unit and the period, at either edge of one row."""
        middle = max(2, self._columns - 2)
        blanks = [("", self.looks["left"])] * (middle - 1)
        row = self._row([(left, self.looks["left"]), *blanks, (right, self.looks["right"])], 21)
        self.merged += [
            f"A{row}:{column_letters(middle)}{row}",
            f"{column_letters(middle + 1)}{row}:{self._last}{row}",
        ]
        self.cells += [
            TaggedCell(CONTINUED, row, 1, "", _PRINTED[0]),
            TaggedCell(CONTINUED, row, middle + 1, "", _PRINTED[1]),
        ]

    def _widths(self) -> list[float]:
        widths = [_NUMBER_WIDTH]
        for block in self.blocks:
            pixels = block.sheet.column_pixels()
            for place, tag in enumerate(block.tags, start=1):
                area = block.sheet.area((tag.row, tag.column))
                width = (sum(pixels[area.left - 1 : area.right]) - 5) / 7
                widths[place:] = [
                    max([width, _NARROWEST, *widths[place : place + 1]]),
                    *widths[place + 1 :],
                ]
        # A narrow table would leave no room for the unit's name and the lines above it.
        stretch = max(1.0, (_FULL - _NUMBER_WIDTH) / sum(widths[1:]))
        return [_NUMBER_WIDTH, *(width * stretch for width in widths[1:])]

    def _xml(self) -> str:
        widths = self._widths()
        columns = "".join(
            f'<col min="{place}" max="{place}" width="{width + 0.71:g}" customWidth="1"/>'
            for place, width in enumerate(widths, start=1)
        )
        merged = "".join(f'<mergeCell ref="{ref}"/>' for ref in self.merged)
        orientation = "portrait" if sum(widths) <= _PORTRAIT else "landscape"
        return (
            '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
            f'<worksheet xmlns="{MAIN}"><sheetPr><pageSetUpPr fitToPage="1"/></sheetPr>'
            '<sheetViews><sheetView showGridLines="0" workbookViewId="0"/></sheetViews>'
            f'<sheetFormatPr defaultRowHeight="15"/><cols>{columns}</cols>'
            f"<sheetData>{''.join(self.rows)}</sheetData>"
            f'<mergeCells count="{len(self.merged)}">{merged}</mergeCells><printOptions horizontalCentered="1"/>'
            '<pageMargins left="0.6" right="0.6" top="0.7" bottom="0.7" header="0.3" footer="0.35"/>'
            f'<pageSetup paperSize="9" orientation="{orientation}" fitToWidth="1" fitToHeight="0"/>'
            '<headerFooter><oddFooter>&amp;C&amp;"宋体,常规"&amp;9 第 &amp;P 页  共 &amp;N 页</oddFooter></headerFooter>'
            "</worksheet>"
        )


def _content(text: str) -> str:
    """The rest of a cell's XML: a serial number is a number, so that no office program warns of it."""
    if text.isdecimal():
        return f"><v>{text}</v></c>"
    return f' t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>' if text else "/>"


def _heading(tag: TaggedCell, block: Block) -> str:
    [column] = [one for one in block.table.columns if one.name == tag.field]
    return f"{column.label}（{column.unit}）" if column.unit else column.label


def _looks(styles: Styles) -> dict[str, int]:
    def face(name: str, size: float, more: str = "") -> int:
        return styles.font(
            f'{more}<sz val="{size:g}"/><color rgb="FF000000"/><name val="{name}"/><charset val="134"/>'
        )

    box, bare = (
        styles.border(f"{_BOX}<diagonal/>"),
        styles.border("<left/><right/><top/><bottom/><diagonal/>"),
    )

    def form(font: int, across: str, border: int = bare, fill: str = "") -> int:
        place = f'<alignment horizontal="{across}" vertical="center" wrapText="1"/>'
        words = {"numFmtId": "0", "fontId": str(font), "borderId": str(border)}
        words["fillId"] = str(styles.fill(fill)) if fill else "0"
        applied = ("applyFont", "applyBorder", "applyFill", "applyAlignment")
        return styles.cell_format(words | dict.fromkeys(applied, "1"), place)

    return {
        "title": form(face("方正小标宋简体", 18, "<b/>"), "center"),
        "left": form(face("宋体", 10.5), "left"),
        "right": form(face("宋体", 10.5), "right"),
        "hint": form(face("仿宋", 10), "left"),
        "band": form(face("黑体", 10.5), "left"),
        "head": form(face("黑体", 10.5), "center", box, "FFE1E9F3"),
        "number": form(face("宋体", 10.5), "center", box),
    }
