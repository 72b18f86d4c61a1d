"""The 问题清单 sheet that opens a returned workbook: every finding, where it is and what to do about it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from workflow.adapters.workbook.comments import wrapped_lines
from workflow.adapters.workbook.master import Mark
from workflow.adapters.workbook.package import MAIN
from workflow.adapters.workbook.stamp import xml_text
from workflow.adapters.workbook.styles import FILLS, Styles
from workflow.domain.campaign import SHANGHAI
from workflow.domain.form import Severity
from workflow.domain.submission import Finding

SHEET = "问题清单"
PART = "xl/worksheets/huizhi-problems.xml"

_COLUMNS = (
    ("序号", 6.0),
    ("位置", 21.0),
    ("指标名称", 32.0),
    ("填报内容", 26.0),
    ("类别", 11.0),
    ("处理要求", 50.0),
)
_LAST = "F"
_EDGE = '<{0} style="thin"><color rgb="FF7F8FA3"/></{0}>'
_BOX = "".join(_EDGE.format(side) for side in ("left", "right", "top", "bottom"))
#: Points; Excel's own limit of a row is 409.
_ROW_LINE, _ROW_ROOM, _LOWEST, _TALLEST = 14.5, 8.0, 25.0, 400.0


@dataclass(frozen=True, slots=True)
class ReturnSummary:
    """What the sheet says above the findings. `due` carries its zone; `note` is the reviewer's opinion, may be blank;
    `times` counts the returns of this case, this one included.
    """

    unit_name: str
    period_name: str
    due: dt.datetime
    note: str
    times: int


def problem_styles(styles: Styles) -> dict[str, int]:
    """Add the sheet's cell formats to a form's styles; their indexes by name."""

    def face(name: str, size: float, more: str = "", colour: str = "FF000000") -> int:
        return styles.font(
            f'{more}<sz val="{size:g}"/><color rgb="{colour}"/><name val="{name}"/><charset val="134"/>'
        )

    song = face("宋体", 10.5)
    box, bare = (
        styles.border(f"{_BOX}<diagonal/>"),
        styles.border("<left/><right/><top/><bottom/><diagonal/>"),
    )

    def form(font: int, across: str, *, border: int = box, fill: str = "", indent: int = 0) -> int:
        place = f'<alignment horizontal="{across}" vertical="center" wrapText="1"' + (
            f' indent="{indent}"/>' if indent else "/>"
        )
        words = {"numFmtId": "49", "fontId": str(font), "borderId": str(border)}
        words["fillId"] = str(styles.fill(fill)) if fill else "0"
        applied = ("applyNumberFormat", "applyFont", "applyBorder", "applyFill", "applyAlignment")
        return styles.cell_format(words | dict.fromkeys(applied, "1"), place)

    return {
        "title": form(face("方正小标宋简体", 20, "<b/>"), "center", border=bare),
        "left": form(song, "left", border=bare),
        "right": form(song, "right", border=bare),
        "due": form(face("黑体", 11, colour="FFC00000"), "left", border=bare),
        "note": form(song, "left", fill="FFEEF3F9", indent=1),
        "hint": form(face("仿宋", 10), "left", border=bare),
        "head": form(face("黑体", 10.5), "center", fill="FFE1E9F3"),
        "centre": form(song, "center"),
        "text": form(song, "left", indent=1),
        "found": form(song, "left", indent=1),
        "link": form(face("宋体", 10.5, "<u/>", "FF0563C1"), "left", indent=1),
        "wrong": form(song, "center", fill=FILLS[Mark.WRONG]),
        "query": form(song, "center", fill=FILLS[Mark.QUERY]),
    }


def due_words(due: dt.datetime) -> str:
    """A due date as an office writes it; midnight is 24时 of the day before."""
    local = due.astimezone(SHANGHAI)
    hour, minute = f"{local.hour}时", f"{local.minute:02d}分" if local.minute else ""
    if (local.hour, local.minute) == (0, 0):
        local, hour = local - dt.timedelta(days=1), "24时"
    return f"{local.year}年{local.month}月{local.day}日{hour}{minute}"


class ProblemSheet:
    """The sheet's XML, written from the top."""

    def __init__(self, styles: Mapping[str, int]) -> None:
        self._styles = styles
        self._rows: list[str] = []
        self._merged: list[str] = []
        self._links: list[str] = []
        self.heading_row = 0

    def write(
        self, form_title: str, summary: ReturnSummary, findings: Sequence[Finding], cells: Sequence[str]
    ) -> bytes:
        """The whole sheet; `cells` gives each finding's cell as `基本情况!E12`, or nothing."""
        self._across("title", SHEET, 40)
        self._pair(f"单位：{summary.unit_name}", f"填报期：{summary.period_name}", 21)
        self._pair(f"表名：{form_title}", f"第 {summary.times} 次退回", 21)
        self._across("due", f"请按下列要求改正，限于{due_words(summary.due)}前重新报送。", 24)
        if summary.note:
            self._across("note", f"审核意见：{summary.note}")
        self._across("hint", _hint(findings))
        self._heading()
        for number, (finding, cell) in enumerate(zip(findings, cells, strict=True), start=1):
            self._finding(number, finding, cell)
        if not findings:
            self._across("text", "系统校验没有发现问题，请按审核意见修改。", 28)
        return self._xml()

    def _row(self, cells: Sequence[tuple[str, str]], height: float) -> int:
        """A row of (style, text), one for each column."""
        row = len(self._rows) + 1
        written = "".join(
            f'<c r="{"ABCDEF"[place]}{row}" s="{self._styles[style]}"'
            + (f' t="inlineStr"><is><t xml:space="preserve">{xml_text(text)}</t></is></c>' if text else "/>")
            for place, (style, text) in enumerate(cells)
        )
        self._rows.append(f'<row r="{row}" ht="{height:g}" customHeight="1">{written}</row>')
        return row

    def _across(self, style: str, text: str, height: float = 0) -> None:
        whole = int(sum(width for _, width in _COLUMNS)) - 4
        height = height or min(wrapped_lines(text, whole) * _ROW_LINE + _ROW_ROOM, _TALLEST)
        row = self._row([(style, text), *[(style, "")] * 5], height)
        self._merged.append(f"A{row}:{_LAST}{row}")

    def _pair(self, left: str, right: str, height: float) -> None:
        row = self._row([("left", left), *[("left", "")] * 3, ("right", right), ("right", "")], height)
        self._merged += [f"A{row}:D{row}", f"E{row}:{_LAST}{row}"]

    def _heading(self) -> None:
        self.heading_row = self._row([("head", title) for title, _ in _COLUMNS], 26)

    def _finding(self, number: int, finding: Finding, cell: str) -> None:
        found = finding.found or "（空白）"
        what = "审核意见" if finding.code == "reviewer" else str(finding.severity)
        texts = (str(number), cell or "—", finding.label, found, what, finding.message)
        kind = "wrong" if finding.severity is Severity.ERROR else "query"
        looks = ("centre", "link" if cell else "centre", "text", "found", kind, "text")
        lines = max(
            wrapped_lines(text, int(width) - 3) for text, (_, width) in zip(texts, _COLUMNS, strict=True)
        )
        height = min(max(_LOWEST, lines * _ROW_LINE + _ROW_ROOM), _TALLEST)
        row = self._row(list(zip(looks, texts, strict=True)), height)
        if cell:
            sheet, _, ref = cell.rpartition("!")
            quoted = sheet.replace("'", "''")
            target, tip = quoteattr(f"'{quoted}'!{ref}"), quoteattr(f"转到“{cell}”")
            self._links.append(f'<hyperlink ref="B{row}" location={target} tooltip={tip}/>')

    def _xml(self) -> bytes:
        columns = "".join(
            f'<col min="{place}" max="{place}" width="{width + 0.71:g}" customWidth="1"/>'
            for place, (_, width) in enumerate(_COLUMNS, start=1)
        )
        merged = "".join(f'<mergeCell ref="{ref}"/>' for ref in self._merged)
        links = f"<hyperlinks>{''.join(self._links)}</hyperlinks>" if self._links else ""
        return (
            '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
            f'<worksheet xmlns="{MAIN}"><sheetPr><tabColor rgb="FFC00000"/><pageSetUpPr fitToPage="1"/></sheetPr>'
            f'<dimension ref="A1:{_LAST}{len(self._rows)}"/>'
            '<sheetViews><sheetView showGridLines="0" tabSelected="1" workbookViewId="0"/></sheetViews>'
            f'<sheetFormatPr defaultRowHeight="15"/><cols>{columns}</cols><sheetData>{"".join(self._rows)}</sheetData>'
            '<sheetProtection sheet="1" objects="1" scenarios="1" formatColumns="0" formatRows="0"/>'
            f'<mergeCells count="{len(self._merged)}">{merged}</mergeCells>{links}'
            '<printOptions horizontalCentered="1"/>'
            '<pageMargins left="0.6" right="0.6" top="0.7" bottom="0.7" header="0.3" footer="0.35"/>'
            '<pageSetup paperSize="9" orientation="landscape" fitToWidth="1" fitToHeight="0"/>'
            '<headerFooter><oddFooter>&amp;C&amp;"宋体,常规"&amp;9 第 &amp;P 页  共 &amp;N 页</oddFooter></headerFooter>'
            "</worksheet>"
        ).encode()


def _hint(findings: Sequence[Finding]) -> str:
    remarked = sum(finding.code == "reviewer" for finding in findings)
    errors = sum(finding.severity is Severity.ERROR for finding in findings) - remarked
    counts = []
    if remarked:
        counts.append(f"审核意见 {remarked} 项（单元格为红色），必须改正")
    if errors:
        counts.append(f"逻辑校验问题 {errors} 项（单元格为红色），必须改正")
    if queries := len(findings) - errors - remarked:
        there = any("填写说明" in finding.message for finding in findings)
        how = "填写说明" if there else "在回复邮件中说明原因"
        counts.append(f"经验校验问题 {queries} 项（单元格为黄色），改正，或者核实后{how}")
    said = f"{'；'.join(counts)}。" if counts else ""
    where = "点击“位置”可转到该单元格，鼠标停在有批注的单元格上可看处理要求。" if findings else ""
    return f"{said}{where}请在本工作簿上修改，改好后直接回复原邮件发回；本表由系统生成，不需填写。"
