"""The changes of a baseline as a workbook for approval: one row a change, the clerk's decision in its last column but one.

The hidden sheet 标识 says which baseline was compared with which state of the roster, so that an approval is never taken for
another file's.
"""

from __future__ import annotations

import datetime as dt
import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import xlsxwriter
from python_calamine import CalamineError, load_workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from workflow.adapters.workbook.decision_look import decision_look
from workflow.adapters.workbook.roster_cells import cell, headings
from workflow.domain.errors import Fault, Refused
from workflow.domain.roster import Unit
from workflow.domain.roster_changes import LINKS, Change, ChangeKind, Decision, Tie

SHEET, MARK, NOTES = "变更", "标识", "说明"
_COLUMNS: Mapping[str, float] = {
    "序号": 6, "变更": 10, "单位代码": 13, "单位名称": 30, "变更前": 34, "变更后": 34, "关联单位": 36, "名称相似度": 8,
    "随同变更": 8, "决定": 9, "备注": 24,
}  # fmt: skip
_TIED = list(_COLUMNS).index("关联单位")
_TAKEN = frozenset({ChangeKind.NEW, ChangeKind.RENAMED, ChangeKind.MOVED, ChangeKind.RETYPED})
_HELP = (
    "一、一行一项变更。请逐行在“决定”一栏填写，填完后用 huizhi roster import 原文件 --from 生效日期 --approve 本文件 使之生效。",
    "二、同意：按基准数据变更。暂缓：该单位暂不变更，随同它变更的下级单位也不变更。",
    "三、换码、合并、拆分是按名称相似度和下级单位去向推测的，须逐项决定：确为同一单位（或并入、分出）的填“同意”，沿用原有数据和联系人；不是的填“不关联”。推测的单位不对的，把“关联单位”栏改为正确的单位代码，决定填“同意”。",
    "四、新增、更名、隶属变更、类型变更以基准数据为准（管理办法第九、十条），已预填“同意”，有疑问的改为“暂缓”。撤销不预填；撤销的单位实为换了代码或者并入其他单位的，在“关联单位”栏填写那个单位的代码，决定填“同意”。",
    "五、只改“决定”“关联单位”和“备注”三栏，可以筛选、排序、下拉填充；不要增删行，不要改动其他各栏。",
)


@dataclass(frozen=True, slots=True)
class Mark:
    """What an approval is about: the baseline's bytes, the roster's state, and the day from which it is to hold."""

    sha: str
    roster: int
    since: dt.date


def write_changes(changes: Sequence[Change], mark: Mark, superiors: Mapping[str, Unit]) -> bytes:
    """The workbook for approval; `superiors` gives every unit by code, to name those above."""
    target = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(target, options) as book:
        look = decision_look(book, "名册变更核对表")
        sheet = book.add_worksheet(SHEET)
        words = f"名册变更核对表（自{mark.since.year}年{mark.since.month}月{mark.since.day}日起）"
        sheet.merge_range(0, 0, 0, len(_COLUMNS) - 1, words, look.title)
        counts = Counter(change.kind for change in changes)
        told = "、".join(f"{kind}{counts[kind]}项" for kind in ChangeKind if counts[kind])
        sheet.write_string(1, 0, f"共{len(changes)}项：{told}", look.small)
        for at, (heading, width) in enumerate(_COLUMNS.items()):
            sheet.set_column(at, at, width)
            sheet.write_string(2, at, heading, look.head)
        for row, change in enumerate(changes, start=3):
            _write_change(sheet, row, change, superiors, (look.text, look.centred, look.ask))
        _lay_out(sheet, len(changes))
        _write_notes(book.add_worksheet(NOTES), book)
        hidden = book.add_worksheet(MARK)
        said = {"sha": mark.sha, "roster": mark.roster, "from": mark.since.isoformat(), "rows": len(changes)}
        hidden.write_string(0, 0, json.dumps(said))
        hidden.very_hidden()
    return target.getvalue()


def _lay_out(sheet: Worksheet, count: int) -> None:
    sheet.set_row(0, 30)
    sheet.set_row(2, 30)
    last, at = max(3, count + 2), list(_COLUMNS).index("决定")
    choices = [decision.value for decision in Decision]
    message = "请从列表中选择：同意、不关联、暂缓"
    sheet.data_validation(
        3,
        at,
        last,
        at,
        {"validate": "list", "source": choices, "error_title": "决定", "error_message": message},
    )
    sheet.freeze_panes(3, 4)
    sheet.autofilter(2, 0, last, len(_COLUMNS) - 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(2)
    sheet.set_footer("&C第 &P 页　共 &N 页")


def _write_change(
    sheet: Worksheet,
    row: int,
    change: Change,
    superiors: Mapping[str, Unit],
    formats: tuple[Format, Format, Format],
) -> None:
    text, centred, open_cell = formats
    linked = change.after if change.kind in LINKS else None
    values = (
        str(row - 2), change.kind.value, change.unit.code, change.unit.name,
        _told(change, change.before, superiors), _told(change, change.after, superiors),
        f"{linked.code} {linked.name}" if linked else "",
        f"{change.likeness:.0%}" if linked or change.kind is ChangeKind.RENAMED else "",
        str(change.followers) if change.followers else "",
    )  # fmt: skip
    narrow = {0, 1, 2, 7, 8}
    sheet.set_row(row, 40)  # three lines of the longest words
    for at, value in enumerate(values):
        open_ = at == _TIED and change.kind is ChangeKind.CLOSED
        sheet.write_string(row, at, value, open_cell if open_ else centred if at in narrow else text)
    decision = Decision.AGREED.value if change.kind in _TAKEN else ""
    sheet.write_string(row, len(values), decision, centred if decision else open_cell)
    sheet.write_blank(row, len(values) + 1, None, text)


def _told(change: Change, unit: Unit | None, units: Mapping[str, Unit]) -> str:
    """What of a unit the change is about, as it is before or after."""
    if unit is None:
        return "（无）"
    above = units.get(unit.superior)
    superior = f"{above.name}（{unit.superior}）" if above else unit.superior or "（无上级）"
    match change.kind:
        case ChangeKind.RENAMED:
            return unit.name
        case ChangeKind.MOVED:
            return superior
        case ChangeKind.RETYPED:
            return unit.kind.value
        case _:
            return f"{unit.kind}，隶属{superior}"


def _write_notes(sheet: Worksheet, book: xlsxwriter.Workbook) -> None:
    words = book.add_format({"font_name": "宋体", "font_size": 11, "text_wrap": True, "valign": "top"})
    sheet.set_column(0, 0, 100)
    sheet.write_string(0, 0, "填写说明", book.add_format({"font_name": "黑体", "font_size": 12}))
    for row, line in enumerate(_HELP, start=1):
        sheet.set_row(row, 34 if len(line) > 50 else 18)
        sheet.write_string(row, 0, line, words)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)


@dataclass(frozen=True, slots=True)
class Filled:
    """What the clerk filled in: the decision on each change, in their order, and the codes typed as 关联单位 by the place of the
    change, where they are not those that were suggested.
    """

    decisions: tuple[Decision, ...]
    ties: Mapping[int, Tie]


def read_decisions(data: bytes, name: str, changes: Sequence[Change], mark: Mark) -> Filled:
    """A workbook that was filled in; rows may have been sorted. Raises Refused with every row that lacks a decision, and for a
    workbook of another comparison.
    """
    try:
        book = load_workbook(io.BytesIO(data))
    except CalamineError as error:
        raise Refused(
            Fault(name, "不是可以读取的工作簿", "请用 huizhi roster import 生成的核对表")
        ) from error
    if not {SHEET, MARK} <= set(book.sheet_names):
        raise Refused(Fault(name, "不是名册变更核对表", "请用 huizhi roster import 生成的核对表"))
    said = json.loads(str(book.get_sheet_by_name(MARK).to_python()[0][0]))
    if (said["sha"], said["roster"], said["from"]) != (mark.sha, mark.roster, mark.since.isoformat()):
        what = "核对表不是就这份基准数据、这个生效日期和目前的名册生成的"
        raise Refused(Fault(name, what, "请不带 --approve 重新运行 huizhi roster import，就新的核对表决定"))
    lines = book.get_sheet_by_name(SHEET).to_python(skip_empty_area=False)
    head, columns = headings(lines, {words: words for words in _COLUMNS})
    if missing := [words for words in ("序号", "单位代码", "关联单位", "决定") if words not in columns]:
        raise Refused(Fault(f"{name} {SHEET}", f"表头缺少{'、'.join(missing)}", "请恢复表头"))
    decided: dict[int, Decision] = {}
    ties: dict[int, Tie] = {}
    faults: list[Fault] = []
    for number, line in enumerate(lines[head + 1 :], start=head + 2):
        place, code, tied, words = (
            str(cell(line[columns[key]], key)) for key in ("序号", "单位代码", "关联单位", "决定")
        )
        if not place and not code:
            continue
        at = int(place) - 1 if place.isdigit() else -1
        if not 0 <= at < len(changes) or changes[at].unit.code != code:
            faults.append(
                Fault(f"{SHEET}!第{number}行", "序号与单位代码对不上", "请恢复这一行原来的序号和代码")
            )
            continue
        suggested = changes[at].after if changes[at].kind in LINKS else None
        if tied and (typed := tied.split()[0]) != (suggested.code if suggested else ""):
            ties[at] = Tie(typed, f"{SHEET}!第{number}行")
        decision = _decision(words, changes[at])
        if isinstance(decision, Fault):
            faults.append(Fault(f"{SHEET}!第{number}行", decision.what, decision.remedy))
        else:
            decided[at] = decision
    gone = [str(at + 1) for at in range(len(changes)) if at not in decided] if not faults else []
    if gone:
        more = "等" if len(gone) > 10 else ""
        what = f"缺少第{'、'.join(gone[:10])}{more}号变更（共{len(gone)}项）"
        faults.append(Fault(f"{name} {SHEET}", what, "请恢复删去的行"))
    if faults:
        raise Refused(faults)
    return Filled(tuple(decided[at] for at in range(len(changes))), ties)


def _decision(words: str, change: Change) -> Decision | Fault:
    what = f"{change.kind} {change.unit.code} {change.unit.name}"
    apart = f"、{Decision.APART}" if change.kind in LINKS else ""
    remedy = f"请填写{Decision.AGREED}{apart}或{Decision.HELD}"
    if not words:
        return Fault("", f"{what}没有填写决定", remedy)
    try:
        decision = Decision(words)
    except ValueError:
        return Fault("", f"{what}的决定“{words}”看不懂", remedy)
    if decision is Decision.APART and change.kind not in LINKS:
        return Fault("", f"{what}没有关联单位，不能填“{words}”", remedy)
    return decision
