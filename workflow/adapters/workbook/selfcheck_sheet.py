"""The 自查 sheet: what a unit looks at before it reports, one row a check, green, red or amber as it types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

from workflow.adapters.workbook.comments import wrapped_lines
from workflow.adapters.workbook.names import quoted
from workflow.adapters.workbook.package import MAIN
from workflow.adapters.workbook.selfcheck import COUNTED, EXPLAINED, SHEET, Reckoning
from workflow.adapters.workbook.selfcheck_list import REQUIRED, Check
from workflow.adapters.workbook.stamp import xml_text
from workflow.adapters.workbook.styles import Styles
from workflow.domain.form import Severity

PART = "xl/worksheets/huizhi-selfcheck.xml"
#: What the holes of the sheet print, by their numbers.
HOLES = ("单位名称", "填报期")
PASSED, WRONG, QUERIED, TOLD, SILENT = "通过", "请改正", "请核实", "已说明", "—"

_COLUMNS = (("序号", 6.0), ("类别", 11.0), ("校验内容和提示", 57.0), ("有关单元格", 29.0), ("结果", 11.0))
_LAST, _HEADING_ROW, _SUMMARY_ROW = "E", 6, 4
_EDGE = '<{0} style="thin"><color rgb="FF7F8FA3"/></{0}>'
_BOX = "".join(_EDGE.format(side) for side in ("left", "right", "top", "bottom"))
_ROW_LINE, _ROW_ROOM, _LOWEST, _TALLEST = 14.5, 8.0, 23.0, 400.0
_MORE_CELLS = 3
_BANDS = {
    REQUIRED: "一、必填项目",
    str(Severity.ERROR): "二、逻辑校验（不通过的必须改正）",
    str(Severity.QUERY): "三、经验校验（不通过的请改正；核实无误的，请在回复邮件中说明原因）",
}
_EXPLAINABLE = "三、经验校验（不通过的请改正；核实无误的，请填写说明）"
#: Conditional looks: the words of a font and a fill.
_LOOKS = {
    PASSED: ("FF006100", "FFC6EFCE"),
    WRONG: ("FF9C0006", "FFFFC7CE"),
    QUERIED: ("FF7F4F00", "FFFFDD80"),
    TOLD: ("FF1F4E79", "FFDDEBF7"),
    SILENT: ("FF808080", ""),
}
_COUNT_WORDS = {
    "missing": ("还缺 ", " 项——"),
    "content": ("", " 项不合要求——"),
    "needless": ("", " 项应清空或更正前项——"),
    "column": ("", " 行不合要求——"),
}
#: Two lines of the third column, in full-width signs, and what counts and punctuation take of them.
_TWO_LINES, _COUNT_ROOM = 52, 6
_HINT = (
    "填报时本页随时更新。点击“有关单元格”可转到该处。“—”为不适用或暂不能判断。电话、邮箱等文字的书写格式，"
    "系统收到后另行检查。本页由系统生成，不需填写。"
)


def selfcheck_styles(styles: Styles) -> dict[str, int]:
    """Add the sheet's cell formats and conditional looks to a form's styles; their indexes by name."""

    def face(name: str, size: float, more: str = "", colour: str = "FF000000") -> int:
        return styles.font(
            f'{more}<sz val="{size:g}"/><color rgb="{colour}"/><name val="{name}"/><charset val="134"/>'
        )

    box, bare = (
        styles.border(f"{_BOX}<diagonal/>"),
        styles.border("<left/><right/><top/><bottom/><diagonal/>"),
    )
    song = face("宋体", 10.5)

    def form(font: int, across: str, *, border: int = box, fill: str = "", indent: int = 0) -> int:
        more = f' indent="{indent}"' if indent else ""
        place = f'<alignment horizontal="{across}" vertical="center" wrapText="1"{more}/>'
        words = {"numFmtId": "0", "fontId": str(font), "borderId": str(border)}
        words["fillId"] = str(styles.fill(fill)) if fill else "0"
        applied = ("applyFont", "applyBorder", "applyFill", "applyAlignment")
        return styles.cell_format(words | dict.fromkeys(applied, "1"), place)

    looks = {
        "title": form(face("方正小标宋简体", 20, "<b/>"), "center", border=bare),
        "left": form(song, "left", border=bare),
        "right": form(song, "right", border=bare),
        "summary": form(face("黑体", 14), "center"),
        "hint": form(face("仿宋", 10), "left", border=bare),
        "head": form(face("黑体", 10.5), "center", fill="FFE1E9F3"),
        "band": form(face("黑体", 10.5), "left", fill="FFF3F6FA", indent=1),
        "centre": form(song, "center"),
        "text": form(song, "left", indent=1),
        "link": form(face("宋体", 10.5, "<u/>", "FF0563C1"), "left", indent=1),
        "result": form(face("黑体", 10.5), "center"),
    }
    for word, (ink, paper) in _LOOKS.items():
        fill = f'<fill><patternFill patternType="solid"><fgColor rgb="{paper}"/><bgColor rgb="{paper}"/></patternFill></fill>'
        looks[word] = styles.differential(f'<font><color rgb="{ink}"/></font>{fill if paper else ""}')
    return looks


class SelfCheckSheet:
    """The sheet's XML, written from the top, over the cells of a `Reckoning`."""

    def __init__(self, reckoning: Reckoning, looks: Mapping[str, int]) -> None:
        self._reckoning = reckoning
        self._looks = looks
        self._rows: list[str] = []
        self._merged: list[str] = []
        self._links: list[str] = []
        self._results: list[int] = []

    @property
    def heading(self) -> str:
        """The rows to be printed on every page."""
        return f"{quoted(SHEET)}!${_HEADING_ROW}:${_HEADING_ROW}"

    def write(self) -> str:
        """The whole sheet, with the holes of `HOLES`."""
        form = self._reckoning.form
        self._across("title", _inline("自　查　表"), 38)
        self._pair(f"单位：{_hole(0)}", f"填报期：{_hole(1)}")
        self._pair(f"表名：{xml_text(form.title)}", f"表号：{xml_text(form.number)}")
        self._across("summary", _formula(self._summary()), 34)
        self._across("hint", _inline(_HINT), 34)
        self._row([("head", _inline(title)) for title, _ in _COLUMNS], 26)
        category = ""
        for place, check in enumerate(self._reckoning.checks):
            if check.category != category:
                category = check.category
                told = check.is_query and any(one.explanations for one in self._reckoning.checks)
                self._across("band", _inline(_EXPLAINABLE if told else _BANDS[category]), 23)
            self._check(place, check)
        return self._xml()

    def _summary(self) -> str:
        errors, queries, unchanged = self._reckoning.summary
        return (
            f'IF({unchanged},"已确认本季度数据无变化，可以报送",IF({errors}+{queries}=0,"全部通过，可以报送",'
            f'IF({errors}=0,"没有须改正的问题，还有 "&{queries}&" 处须核实",'
            f'"还有 "&{errors}&" 处须改正"&IF({queries}=0,"","、"&{queries}&" 处须核实"))))'
        )

    def _check(self, place: int, check: Check) -> None:
        count = self._reckoning.count_cell(place)
        amiss = QUERIED if check.is_query else WRONG
        silent = f'IF({count}={EXPLAINED},"{TOLD}","{SILENT}")' if check.explanations else f'"{SILENT}"'
        result = _formula(f'IF({count}<0,{silent},IF({count}=0,"{PASSED}","{amiss}"))')
        words, room = _inline(xml_text(check.words)), check.words
        if check.kind in COUNTED:
            listed = self._reckoning.listed_cell(place)
            before, behind = _COUNT_WORDS[check.kind]
            left = max(_TWO_LINES - len(check.words) - len(before + behind) - _COUNT_ROOM, 8)
            cut = f'LEFT({listed},{left})&IF(LEN({listed})>{left},"…","")'
            said = _quoted(check.words)
            words = _formula(f'{said}&IF({count}>0,"：{before}"&{count}&"{behind}"&{cut},"")')
            room += "　" * (_TWO_LINES - len(check.words))
        where, shown = self._where(place, check)
        texts = (room, shown)
        widths = (_COLUMNS[2][1], _COLUMNS[3][1])
        lines = max(wrapped_lines(text, int(width) - 2) for text, width in zip(texts, widths, strict=True))
        height = min(max(_LOWEST, lines * _ROW_LINE + _ROW_ROOM), _TALLEST)
        look = "link" if where else "centre"
        row = self._row(
            [
                ("centre", f"><v>{place + 1}</v></c>"),
                ("centre", _inline(check.category)),
                ("text", words),
                (look, where or _inline(SILENT)),
                ("result", result),
            ],
            height,
        )
        self._results.append(row)
        self._link(row, check)

    def _where(self, place: int, check: Check) -> tuple[str, str]:
        """The cell that tells where to look, and its longest text."""
        if check.kind in COUNTED:
            count = self._reckoning.count_cell(place)
            found = self._reckoning.first_of(place, check)
            top, page = map(_quoted, self._reckoning.part_of(check))
            shown = f"""SUBSTITUTE({found},"'","")"""
            link = f'HYPERLINK("#"&IF({count}>0,{found},{top}),IF({count}>0,{shown},{page}))'
            return _formula(link), f"{self._reckoning.shown(check.fields[0])[0]}!AB100"
        if check.kind == "said" or not check.fields:
            return "", SILENT
        cells = ""
        sheet = ""
        for name in check.fields[:_MORE_CELLS]:
            own, ref = self._reckoning.shown(name)
            cells += ("" if not cells else "、") + (ref if own == sheet else f"{own}!{ref}")
            sheet = own
        cells += "等" if len(check.fields) > _MORE_CELLS else ""
        return _inline(xml_text(cells)), cells

    def _link(self, row: int, check: Check) -> None:
        if check.kind in COUNTED or check.kind == "said" or not check.fields:
            return
        sheet, ref = self._reckoning.shown(check.fields[0])
        target = quoteattr(f"{quoted(sheet)}!{ref}")
        self._links.append(
            f'<hyperlink ref="D{row}" location={target} tooltip={quoteattr(f"转到“{sheet}!{ref}”")}/>'
        )

    def _row(self, cells: Sequence[tuple[str, str]], height: float) -> int:
        """A row of (look, the rest of the cell's XML), one for each column."""
        row = len(self._rows) + 1
        written = "".join(
            f'<c r="{"ABCDE"[place]}{row}" s="{self._looks[look]}"{rest or "/>"}'
            for place, (look, rest) in enumerate(cells)
        )
        self._rows.append(f'<row r="{row}" ht="{height:g}" customHeight="1">{written}</row>')
        return row

    def _across(self, look: str, rest: str, height: float) -> None:
        row = self._row([(look, rest), *[(look, "")] * 4], height)
        self._merged.append(f"A{row}:{_LAST}{row}")

    def _pair(self, left: str, right: str) -> None:
        row = self._row(
            [("left", _inline(left)), *[("left", "")] * 2, ("right", _inline(right)), ("right", "")], 21
        )
        self._merged += [f"A{row}:C{row}", f"D{row}:{_LAST}{row}"]

    def _formats(self) -> Iterator[str]:
        """Conditional formats of the results and of the summary."""
        first, last = self._results[0], self._results[-1]
        rules = "".join(
            f'<cfRule type="cellIs" dxfId="{self._looks[word]}" priority="{place}" operator="equal">'
            f'<formula>"{word}"</formula></cfRule>'
            for place, word in enumerate(_LOOKS, start=1)
        )
        yield f'<conditionalFormatting sqref="E{first}:E{last}">{rules}</conditionalFormatting>'
        whole, cell = f"A{_SUMMARY_ROW}:{_LAST}{_SUMMARY_ROW}", f"$A${_SUMMARY_ROW}"
        found = ((WRONG, "处须改正"), (QUERIED, "处须核实"), (PASSED, "可以报送"))
        rules = "".join(
            f'<cfRule type="expression" dxfId="{self._looks[word]}" priority="{place}" stopIfTrue="1">'
            f'<formula>ISNUMBER(SEARCH("{sign}",{cell}))</formula></cfRule>'
            for place, (word, sign) in enumerate(found, start=len(_LOOKS) + 1)
        )
        yield f'<conditionalFormatting sqref="{whole}">{rules}</conditionalFormatting>'

    def _xml(self) -> str:
        columns = "".join(
            f'<col min="{place}" max="{place}" width="{width + 0.71:g}" customWidth="1"/>'
            for place, (_, width) in enumerate(_COLUMNS, start=1)
        )
        merged = "".join(f'<mergeCell ref="{ref}"/>' for ref in self._merged)
        links = f"<hyperlinks>{''.join(self._links)}</hyperlinks>" if self._links else ""
        below = f"A{_HEADING_ROW + 1}"
        return (
            '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
            f'<worksheet xmlns="{MAIN}"><sheetPr><tabColor rgb="FF2E75B6"/><pageSetUpPr fitToPage="1"/></sheetPr>'
            f'<dimension ref="A1:{_LAST}{len(self._rows)}"/>'
            '<sheetViews><sheetView showGridLines="0" workbookViewId="0">'
            f'<pane ySplit="{_HEADING_ROW}" topLeftCell="{below}" activePane="bottomLeft" state="frozen"/>'
            f'<selection pane="bottomLeft" activeCell="{below}" sqref="{below}"/></sheetView></sheetViews>'
            f'<sheetFormatPr defaultRowHeight="15"/><cols>{columns}</cols><sheetData>{"".join(self._rows)}</sheetData>'
            '<sheetProtection sheet="1" objects="1" scenarios="1" formatColumns="0" formatRows="0"/>'
            f'<mergeCells count="{len(self._merged)}">{merged}</mergeCells>{"".join(self._formats())}{links}'
            '<printOptions horizontalCentered="1"/>'
            '<pageMargins left="0.6" right="0.6" top="0.7" bottom="0.7" header="0.3" footer="0.35"/>'
            '<pageSetup paperSize="9" orientation="portrait" fitToWidth="1" fitToHeight="0"/>'
            '<headerFooter><oddFooter>&amp;C&amp;"宋体,常规"&amp;9 第 &amp;P 页  共 &amp;N 页</oddFooter></headerFooter>'
            "</worksheet>"
        )


def _hole(number: int) -> str:
    return f"<?huizhi {number}?>"


def _inline(text: str) -> str:
    """The rest of a cell that holds a text, ready for XML."""
    return f' t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _formula(text: str) -> str:
    return f"><f>{escape(text)}</f></c>"


def _quoted(text: str) -> str:
    """A text inside a formula."""
    return '"' + text.replace('"', '""') + '"'
