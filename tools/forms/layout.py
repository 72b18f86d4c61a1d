"""The visible sheets: one A4 page each, five columns of text over a six-column grid.

The grid has a sixth column so that the head and the foot of the form can set two labelled cells side by side;
in the rows of indicators the last two columns are merged into 填写说明.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.worksheet.properties import PageSetupProperties

from .model import PART, PERSON, RESERVED, Columns, Entry, Field, Form, Heading, Module, Page, System, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openpyxl.worksheet.worksheet import Worksheet

MAKER = "河南省教育厅"
VALID_UNTIL = "2028年12月"
WIDTHS = {"A": 6.0, "B": 28.0, "C": 9.0, "D": 18.5, "E": 12.0, "F": 17.5}
TITLES = ("序号", "指标名称", "计量单位", "填报内容", "填写说明")

EXPLANATIONS, PEOPLE = "经验校验说明", "人员信息"
PEOPLE_NOTE = (
    "1. 本页登记本单位管理员（管理办法第七条、第十四条），已按名册预填，有变动的请改动；换人的，“原负责人是否变动”选“是”。\n"
    "2. 数据审核通过后，本系统的信件改按本页所填的邮箱发送。\n"
    "3. 本页为个人信息，不列入汇总表。"
)
EXPLAIN_NOTE = (
    "1. “自查”页的经验校验显示“请核实”的，先核对：填错的，改正填报内容；核实无误的，在对应行写明原因。\n"
    "2. 显示“通过”或者“—”的不用填写。应说明而没有说明的，工作簿将退回。"
)
TITLE_FACE, SONG, HEI, FANG = "方正小标宋简体", "宋体", "黑体", "仿宋"
INK, GREY = "FF000000", "FF808080"
BAND, SUBBAND, HEAD, INPUT = "FFCFDDED", "FFEEF3F9", "FFE1E9F3", "FFFFFBE6"
THIN, FIRM = Side(style="thin", color="FF7F8FA3"), Side(style="medium", color="FF44546A")
FORMATS = {"整数": "#,##0", "小数": "#,##0.00", "百分比": "0.00%", "日期": 'yyyy"年"m"月"d"日"'}
CENTRED = ("是否", "单选", "日期")
NUMERIC = ("整数", "小数", "百分比")

# Points of sheet height. A little taller than A4 where 宋体 is at hand (the sheet is shrunk by six per
# cent), a little shorter where a face with broader digits stands in for it, since column widths count
# digits: either way the page is full.
PAGE_HEIGHT = 875.0
TALLEST, LOWEST = 42.0, 24.0


def face(name: str = SONG, size: float = 11, *, bold: bool = False, colour: str = INK) -> Font:
    """A Chinese font; charset 134 (GB2312) lets an office without the face choose another Song for it."""
    return Font(name=name, size=size, bold=bold, color=colour, charset=134)


def shade(colour: str) -> PatternFill:
    """A solid fill."""
    return PatternFill("solid", fgColor=colour)


@dataclass(slots=True)
class Pen:
    """Writes a sheet from the top, row by row; `numbers` maps field names to their printed numbers."""

    sheet: Worksheet
    numbers: dict[str, str]
    row: int = 0
    body: list[int] = field(default_factory=list)
    fixed: float = 0.0

    def next(self, height: float | None = None) -> int:
        """Starts a row. Without a height it is a row of indicators and gets what room the page has left."""
        self.row += 1
        if height is None:
            self.body.append(self.row)
        else:
            self.sheet.row_dimensions[self.row].height = height
            self.fixed += height
        return self.row

    def put(
        self,
        span: str,
        value: str,
        font: Font,
        across: str = "left",
        *,
        wrap: bool = True,
        fill: str = "",
        indent: int = 0,
        edge: Side | None = THIN,
    ) -> Cell:
        """Writes a locked text over the columns of `span` ("B" or "E:F") of the current row."""
        first, last = (span.split(":") * 2)[:2]
        for column in "ABCDEF"["ABCDEF".index(first) : "ABCDEF".index(last) + 1]:
            cell = self.sheet[f"{column}{self.row}"]
            if edge is not None:
                cell.border = Border(left=edge, right=edge, top=edge, bottom=edge)
            if fill:
                cell.fill = shade(fill)
        if first != last:
            self.sheet.merge_cells(f"{first}{self.row}:{last}{self.row}")
        corner = self.sheet.cell(self.row, "ABCDEF".index(first) + 1)
        assert isinstance(corner, Cell)
        corner.value = value or None
        corner.font = font
        corner.alignment = Alignment(horizontal=across, vertical="center", wrap_text=wrap, indent=indent)
        return corner

    def ask(self, span: str, item: Field, *, tag: bool = True) -> None:
        """Writes an unlocked answer cell: a tag, to be replaced by the answer itself; in the further rows of a table none."""
        across = "center" if item.kind in CENTRED else "right" if item.kind in NUMERIC else "left"
        cell = self.put(
            span,
            f"{{{{{item.name}}}}}" if tag else "",
            face(),
            across,
            fill=INPUT,
            indent=0 if across == "center" else 1,
        )
        cell.number_format = FORMATS.get(item.kind, "@")
        first, last = (span.split(":") * 2)[:2]
        for column in "ABCDEF"["ABCDEF".index(first) : "ABCDEF".index(last) + 1]:
            self.sheet[f"{column}{self.row}"].protection = Protection(locked=False)

    def hint(self, words: str) -> str:
        """The hint with [字段] replaced by that field's printed number."""
        return re.sub(r"\[(\w+)\]", lambda found: self.numbers[found[1]], words)


def numbering(form: Form) -> dict[str, str]:
    """The printed number of each field; the two answers of a systems row share one."""
    numbers: dict[str, str] = {}
    number = 0
    for entry in entries(form):
        if isinstance(entry, Field):
            number += 1
            numbers[entry.name] = str(number)
        elif isinstance(entry, System):
            number += 1
            numbers[entry.used.name] = numbers[entry.level.name] = str(number)
    return numbers


def entries(form: Form) -> Iterator[Entry]:
    """Every entry of every module, in order."""
    for page in form.pages:
        for module in page.modules:
            yield from module.entries


def draw(sheet: Worksheet, form: Form, page: Page, numbers: dict[str, str]) -> None:
    """Draws one page of the form on an empty sheet."""
    for column, width in WIDTHS.items():
        sheet.column_dimensions[column].width = width
    pen = Pen(sheet, numbers)
    first, last = page is form.pages[0], page is form.pages[-1]
    if first:
        masthead(pen, form)
    else:
        running_head(pen, form)
    pen.next(24)
    for span, words in zip(("A", "B", "C", "D", "E:F"), TITLES, strict=True):
        pen.put(span, words, face(HEI), "center", fill=HEAD)
    head = pen.row
    for module in page.modules:
        band(pen, module)
    top = head
    frame(sheet, top, pen.row)
    if last:
        foot(pen)
    stretch(pen)
    set_up(sheet, form, head, freeze=not first)


def masthead(pen: Pen, form: Form) -> None:
    """Title, form number, whom the copy is for, the no-change answer and the notes."""
    bare = face(SONG, 10)
    pen.next(45)
    pen.put("A:F", form.title, face(TITLE_FACE, 19, bold=True), "center", wrap=False, edge=None)
    for left, right in (
        (f"表    号：{form.number}", f"制定机关：{MAKER}"),
        ("计量单位：见“计量单位”栏", f"有效期至：{VALID_UNTIL}"),
    ):
        pen.next(18)
        pen.put("A:D", left, bare, wrap=False, edge=None)
        pen.put("E:F", right, bare, "right", wrap=False, edge=None)
    pen.next(4)
    top = pen.next(33)
    boxed(pen, "单位名称", "{{@单位名称}}", "填 报 期", "{{@填报期}}")
    pen.next(33)
    boxed(pen, "单位代码", "{{@单位代码}}", "截止日期", "{{@截止日期}}")
    pen.next(38)
    pen.put("A:B", "本季度数据无变化", face(HEI), "center", fill=SUBBAND)
    pen.ask("C", RESERVED[0])
    pen.put(
        "D:F",
        "与上次上报相比没有变化的选“是”，核对预填内容、填好表末落款后发回即可；有变化的选“否”，改动有变化的栏。",
        face(SONG, 9.5),
        indent=1,
    )
    frame(pen.sheet, top, pen.row)
    pen.next(84)
    notes = (
        "填表说明：",
        f"1. 本表由{form.subject}填报。统计时点为季度末，“本年”指自1月1日起累计。",
        "2. 只在浅黄色栏内填写；已预填的为上期数据，请逐项核对。没有该项内容的，数量填0，不要留空。",
        "3. 金额、带宽等按“计量单位”栏填写，只填数字；不适用的项（填写说明中注明“不填”）留空。",
        "4. 有变化即更新，无变化每季度确认。逾期未报的，系统将按现有数据自动上报。",
    )
    pen.put("A:F", "\n".join(notes), face(FANG, 10), edge=None).alignment = Alignment(
        vertical="center", wrap_text=True
    )


def boxed(pen: Pen, left: str, left_value: str, right: str, right_value: str) -> None:
    """Two labelled, locked values side by side."""
    pen.put("A:B", left, face(HEI), "center", fill=SUBBAND)
    pen.put("C:D", left_value, face(), indent=1)
    pen.put("E", right, face(HEI), "center", fill=SUBBAND)
    pen.put("F", right_value, face(), indent=1)


def running_head(pen: Pen, form: Form) -> None:
    """The short head of a later page: a printed sheet must say whose it is."""
    pen.next(30)
    pen.put("A:F", f"{form.title}（续）", face(HEI, 13), "center", wrap=False, edge=None)
    pen.next(21)
    bare = face(SONG, 10)
    pen.put("A:D", "填报单位：{{@单位名称}}（{{@单位代码}}）", bare, wrap=False, edge=None)
    pen.put("E:F", "填报期：{{@填报期}}", bare, "right", wrap=False, edge=None)


def band(pen: Pen, module: Module) -> None:
    """A module: its shaded band and its rows."""
    pen.next(25.5)
    pen.put("A:F", module.title, face(HEI, 12), fill=BAND, indent=1)
    for entry in module.entries:
        if isinstance(entry, Heading):
            pen.next(22.5)
            pen.put("A:F", entry.text, face(SONG, 11, bold=True), fill=SUBBAND, indent=1)
            continue
        if isinstance(entry, Columns):
            pen.next(24)
            for span, words in zip(("A", "B", "C", "D", "E:F"), entry.titles, strict=True):
                pen.put(span, words, face(HEI), "center", fill=HEAD)
            continue
        if isinstance(entry, Table):
            repeat(pen, entry)
            continue
        pen.next()
        if isinstance(entry, System):
            pen.put("A", pen.numbers[entry.used.name], face(), "center")
            pen.put("B", entry.label, face(), indent=1)
            pen.ask("C", entry.used)
            pen.ask("D", entry.level)
            pen.put("E:F", pen.hint(entry.hint), face(SONG, 9.5), indent=1)
            continue
        part = entry.label.startswith(PART)
        pen.put("A", pen.numbers[entry.name], face(), "center")
        pen.put("B", entry.label, face(), indent=2 if part else 1)
        pen.put("C", entry.unit or "—", face(), "center")
        if entry.wide:
            pen.ask("D:F", entry)
        else:
            pen.ask("D", entry)
            pen.put("E:F", pen.hint(entry.hint), face(SONG, 9.5), indent=1)


def repeat(pen: Pen, table: Table) -> None:
    """A repeating table: its headings and its rows, of which the first has the tags."""
    pen.next(24)
    pen.put("A", "序号", face(HEI), "center", fill=HEAD)
    for span, item in table.columns:
        words = f"{item.label}（{item.unit}）" if item.unit else item.label
        pen.put(span, words, face(HEI), "center", fill=HEAD)
    for number in range(1, table.rows + 1):
        pen.next()
        pen.put("A", str(number), face(), "center")
        for span, item in table.columns:
            pen.ask(span, item, tag=number == 1)


def explanations(sheet: Worksheet, form: Form, numbers: dict[str, str]) -> None:
    """The page behind the others, on which a unit says why a figure that a 经验校验 asks about is right."""
    for column, width in WIDTHS.items():
        sheet.column_dimensions[column].width = width
    pen = Pen(sheet, numbers)
    running_head(pen, form)
    pen.next(46)
    pen.put("A:F", EXPLAIN_NOTE, face(FANG, 10), edge=None)
    top = pen.next(24)
    for span, words in (("A", "序号"), ("B:C", "经验校验内容"), ("D:F", "说明（核实无误的，写明原因）")):
        pen.put(span, words, face(HEI), "center", fill=HEAD)
    asked = [rule for rule in form.rules if rule.kind == "经验校验"]
    for number, rule in enumerate(asked, start=1):
        pen.next(64)
        pen.put("A", str(number), face(), "center")
        pen.put("B:C", rule.message, face(SONG, 10), indent=1)
        pen.ask("D:F", Field(f"说明:{rule.id}", rule.message, "文本", "", required=False))
    frame(sheet, top, pen.row)
    set_up(sheet, form, top, freeze=True)


def people(sheet: Worksheet, form: Form, numbers: dict[str, str]) -> None:
    """The page 人员信息: who answers for the data, as the roster has it, to be corrected."""
    for column, width in WIDTHS.items():
        sheet.column_dimensions[column].width = width
    pen = Pen(sheet, numbers)
    running_head(pen, form)
    pen.next(60)
    pen.put("A:F", PEOPLE_NOTE, face(FANG, 10), edge=None)
    top = pen.next(24)
    for span, words in (("A", "序号"), ("B:C", "项目"), ("D:E", "填报内容"), ("F", "填写说明")):
        pen.put(span, words, face(HEI), "center", fill=HEAD)
    for number, item in enumerate(PERSON, start=1):
        pen.next(33)
        pen.put("A", str(number), face(), "center")
        pen.put("B:C", item.label, face(), indent=1)
        pen.ask("D:E", item)
        pen.put("F", item.hint or "—", face(SONG, 9.5), indent=1)
    frame(sheet, top, pen.row)
    set_up(sheet, form, top, freeze=True)


def foot(pen: Pen) -> None:
    """Who signs, and the line by which the system knows the copy."""
    pen.next(16)
    _, head, clerk, phone, date = RESERVED
    top = pen.next(33)
    for left, right in ((head, clerk), (phone, date)):
        pen.put("A:B", left.label, face(HEI), "center", fill=SUBBAND)
        pen.ask("C:D", left)
        pen.put("E", right.label, face(HEI), "center", fill=SUBBAND)
        pen.ask("F", right)
        if right is clerk:
            pen.next(33)
    frame(pen.sheet, top, pen.row)
    pen.next(27)
    pen.put(
        "A:F",
        "本单位对所填数据的真实性、准确性和完整性负责。打印件由单位负责人签字并加盖公章后留存。",
        face(FANG, 10),
        edge=None,
    )
    pen.next(18)
    pen.put(
        "A:F",
        "以下由系统使用，请勿改动：任务 {{@任务}}    副本 {{@副本}}    令牌 {{@令牌}}",
        face(SONG, 8.5, colour=GREY),
        wrap=False,
        edge=None,
    )


def frame(sheet: Worksheet, top: int, bottom: int) -> None:
    """A firmer line around a block of rows."""
    for row in range(top, bottom + 1):
        for column in "ABCDEF":
            cell = sheet[f"{column}{row}"]
            old = cell.border
            cell.border = Border(
                left=FIRM if column == "A" else old.left,
                right=FIRM if column == "F" else old.right,
                top=FIRM if row == top else old.top,
                bottom=FIRM if row == bottom else old.bottom,
            )


def stretch(pen: Pen) -> None:
    """Gives the rows of indicators the room that is left, so that the sheet fills its page."""
    each = (PAGE_HEIGHT - pen.fixed) / len(pen.body)
    height = round(min(TALLEST, max(LOWEST, each)) * 4 - 0.5) / 4
    for row in pen.body:
        pen.sheet.row_dimensions[row].height = height


def set_up(sheet: Worksheet, form: Form, head: int, *, freeze: bool) -> None:
    """Printing, view and protection."""
    sheet.sheet_view.showGridLines = False
    sheet.sheet_view.zoomScale = 110
    if freeze:
        sheet.freeze_panes = f"A{head + 1}"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.orientation = "portrait"
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 1
    sheet.print_title_rows = f"{head}:{head}"
    sheet.print_area = f"A1:F{sheet.max_row}"
    sheet.print_options.horizontalCentered = True
    margins = sheet.page_margins
    margins.left, margins.right, margins.top, margins.bottom = 0.6, 0.6, 0.6, 0.8
    margins.header, margins.footer = 0.3, 0.4
    footer = sheet.oddFooter
    assert footer is not None
    for part, words in (
        (footer.left, form.number),
        (footer.center, "第 &P 页  共 &N 页"),
        (footer.right, f"{MAKER}制"),
    ):
        part.text, part.size, part.font = words, 9, "宋体,常规"
    guard = sheet.protection
    guard.sheet = True
    guard.formatColumns = guard.formatRows = False
