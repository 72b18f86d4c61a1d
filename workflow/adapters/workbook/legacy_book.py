"""The matches of phase-one data as a workbook to decide: whose each doubtful row is, and what is going to be left out.

The hidden sheet 标识 says which file was matched with which state of the roster and which mapping, so that decisions are never
taken for another file's.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

import xlsxwriter
from python_calamine import CalamineError, load_workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from workflow.adapters.workbook.decision_look import decision_look
from workflow.adapters.workbook.roster_cells import cell, headings
from workflow.domain.errors import Fault, Refused
from workflow.domain.legacy import Match, Unread
from workflow.domain.roster import Roster

SHEET, LEFT_OUT, UNREAD, NOTES, MARK = "待核对单位", "未对应的原字段", "读不出的数据", "说明", "标识"
TAKE, LEAVE = "导入", "不导入"
_COLUMNS: Mapping[str, float] = {
    "序号": 5, "位置": 14, "原账号": 13, "原代码": 12, "原名称": 24, "原上级": 12, "单位代码": 12, "名册中的名称": 24,
    "把握": 6, "依据": 28, "其他可能": 28, "决定": 8, "备注": 14,
}  # fmt: skip
_HELP = (
    "一、一行是原系统导出文件中的一行。请逐行在“决定”一栏选择：导入，数据作为“单位代码”一栏所写单位的一期数据；不导入，这一行不用。",
    "二、“单位代码”是系统的建议，不对的请改为名册中的单位代码，没有建议的请填写。同一单位只能有一行导入。",
    "三、未列出的行，原账号、代码或名称与名册相符，把握在95%以上，随同导入。",
    "四、“未对应的原字段”中的数据不导入；要导入的，请在 --mapping 的“映射”表中写明对应的新字段，重新运行。",
    "五、“读不出的数据”不导入，相应栏目留空，由单位在填报时填写。",
    "六、填完后用 huizhi import legacy 原文件 --approve 本文件 --by 姓名 一次导入；有一行没有决定的，全部不导入。",
    "七、只改“单位代码”“决定”和“备注”三栏，可以筛选、排序、下拉填充；不要增删行，不要改动其他各栏。",
)


@dataclass(frozen=True, slots=True)
class LegacyMark:
    """What decisions are about: the file's bytes, the mapping's, and the roster's state."""

    sha: str
    mapping: str
    roster: int


@dataclass(frozen=True, slots=True)
class Doubts:
    """What a person is to look at: the matches that are not certain, the old fields that go nowhere with how many rows have a
    value there, and the values that could not be read.
    """

    matches: Sequence[Match]
    left_out: Sequence[tuple[str, int]]
    unread: Sequence[Unread]


def write_doubts(doubts: Doubts, mark: LegacyMark, roster: Roster, counted: str) -> bytes:
    """The workbook to decide; `counted` says in words how many rows there are of each kind."""
    target = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(target, options) as book:
        look = decision_look(book, "一期数据核对表")
        sheet = book.add_worksheet(SHEET)
        _head(sheet, "一期数据核对表", _COLUMNS, look.title, look.head)
        sheet.write_string(1, 0, counted, look.small)
        for row, match in enumerate(doubts.matches, start=3):
            _write_match(sheet, row, match, roster, (look.text, look.centred, look.ask))
        _offer(sheet, len(doubts.matches))
        plain = book.add_worksheet(LEFT_OUT)
        _list(
            plain,
            "未对应的原字段",
            {"原字段": 40, "有数据的行数": 14},
            doubts.left_out,
            (look.title, look.head, look.text),
        )
        rows = [(one.address, one.label, one.typed, one.why) for one in doubts.unread]
        columns = {"原单元格": 24, "新字段": 28, "原数据": 30, "原因": 50}
        _list(book.add_worksheet(UNREAD), "读不出的数据", columns, rows, (look.title, look.head, look.text))
        _write_notes(book.add_worksheet(NOTES), book)
        hidden = book.add_worksheet(MARK)
        hidden.write_string(0, 0, json.dumps({**asdict(mark), "rows": len(doubts.matches)}))
        hidden.very_hidden()
    return target.getvalue()


def _head(sheet: Worksheet, words: str, columns: Mapping[str, float], title: Format, head: Format) -> None:
    sheet.merge_range(0, 0, 0, len(columns) - 1, words, title)
    sheet.set_row(0, 30)
    sheet.set_row(2, 26)
    for at, (heading, width) in enumerate(columns.items()):
        sheet.set_column(at, at, width)
        sheet.write_string(2, at, heading, head)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(2)
    sheet.set_footer("&C第 &P 页　共 &N 页")


def _write_match(
    sheet: Worksheet, row: int, match: Match, roster: Roster, formats: tuple[Format, Format, Format]
) -> None:
    text, centred, ask = formats
    said, unit = match.row, roster.units.get(match.unit)
    others = "；".join(f"{code} {roster.units[code].name}" for code in match.others if code in roster.units)
    values = (
        str(row - 2), said.place, said.account, said.code, said.name, said.superior, match.unit,
        unit.name if unit else "（无）", f"{match.confidence:.0%}", match.why, others, "", "",
    )  # fmt: skip
    places = list(_COLUMNS)
    sheet.set_row(row, 40)
    for at, value in enumerate(values):
        fill = ask if places[at] in {"单位代码", "决定"} else centred if at in {0, 3, 8} else text
        sheet.write_string(row, at, value, fill)


def _offer(sheet: Worksheet, count: int) -> None:
    last, at = max(3, count + 2), list(_COLUMNS).index("决定")
    choice = {
        "validate": "list",
        "source": [TAKE, LEAVE],
        "error_title": "决定",
        "error_message": f"请选择：{TAKE}、{LEAVE}",
    }
    sheet.data_validation(3, at, last, at, choice)
    sheet.freeze_panes(3, 5)
    sheet.autofilter(2, 0, last, len(_COLUMNS) - 1)


def _list(
    sheet: Worksheet, words: str, columns: Mapping[str, float], rows: Iterable[Sequence[object]],
    formats: tuple[Format, Format, Format],
) -> None:  # fmt: skip
    title, head, text = formats
    _head(sheet, words, columns, title, head)
    for row, values in enumerate(rows, start=3):
        for at, value in enumerate(values):
            sheet.write_string(row, at, str(value), text)


def _write_notes(sheet: Worksheet, book: xlsxwriter.Workbook) -> None:
    words = book.add_format({"font_name": "宋体", "font_size": 11, "text_wrap": True, "valign": "top"})
    sheet.set_column(0, 0, 100)
    sheet.write_string(0, 0, "填写说明", book.add_format({"font_name": "黑体", "font_size": 12}))
    for row, line in enumerate(_HELP, start=1):
        sheet.set_row(row, 34 if len(line) > 48 else 18)
        sheet.write_string(row, 0, line, words)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)


def read_doubts(
    data: bytes, name: str, matches: Sequence[Match], mark: LegacyMark, roster: Roster
) -> list[str]:
    """Whose each doubtful row is to be, in their order ('' nobody's), of a workbook that was filled in; rows may have been
    sorted. Raises Refused with every row that is not decided, and for a workbook about another file.
    """
    try:
        book = load_workbook(io.BytesIO(data))
    except CalamineError as error:
        raise Refused(
            Fault(name, "不是可以读取的工作簿", "请用 huizhi import legacy 生成的核对表")
        ) from error
    if not {SHEET, MARK} <= set(book.sheet_names):
        raise Refused(Fault(name, "不是一期数据核对表", "请用 huizhi import legacy 生成的核对表"))
    said = json.loads(str(book.get_sheet_by_name(MARK).to_python()[0][0]))
    if {key: said.get(key) for key in asdict(mark)} != asdict(mark):
        what = "核对表不是就这份数据、这份对应关系和目前的名册生成的"
        raise Refused(Fault(name, what, "请不带 --approve 重新运行 huizhi import legacy，就新的核对表决定"))
    lines = book.get_sheet_by_name(SHEET).to_python(skip_empty_area=False)
    head, columns = headings(lines, {words: words for words in _COLUMNS})
    if missing := [words for words in ("序号", "原名称", "单位代码", "决定") if words not in columns]:
        raise Refused(Fault(f"{name} {SHEET}", f"表头缺少{'、'.join(missing)}", "请恢复表头"))
    decided: dict[int, str] = {}
    faults: list[Fault] = []
    for number, line in enumerate(lines[head + 1 :], start=head + 2):
        wanted = ("序号", "原名称", "单位代码", "决定")
        place, known, code, words = (str(cell(line[columns[key]], key)) for key in wanted)
        if not place and not known:
            continue
        at = int(place) - 1 if place.isdigit() else -1
        if not 0 <= at < len(matches) or plain_name(matches[at]) != known:
            faults.append(Fault(f"{SHEET}!第{number}行", "序号与原名称对不上", "请恢复这一行原来的内容"))
        elif words == LEAVE:
            decided[at] = ""
        elif words != TAKE:
            what = f"没有填写决定（原名称 {known or '无'}）" if not words else f"决定“{words}”看不懂"
            faults.append(Fault(f"{SHEET}!第{number}行", what, f"请选择{TAKE}或{LEAVE}"))
        elif code not in roster.units:
            what = f"单位代码“{code}”不在名册中" if code else "没有填写单位代码"
            faults.append(Fault(f"{SHEET}!第{number}行", what, "请填写名册中的单位代码，或者改为不导入"))
        else:
            decided[at] = code
    gone = [str(at + 1) for at in range(len(matches)) if at not in decided] if not faults else []
    if gone:
        more = "等" if len(gone) > 10 else ""
        what = f"缺少第{'、'.join(gone[:10])}{more}号（共{len(gone)}行）"
        faults.append(Fault(f"{name} {SHEET}", what, "请恢复删去的行"))
    if faults:
        raise Refused(faults)
    return [decided[at] for at in range(len(matches))]


def plain_name(match: Match) -> str:
    """The name of a row as its cell in the workbook is read back."""
    return str(cell(match.row.name, "name"))
