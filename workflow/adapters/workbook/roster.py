"""The roster's workbook: sheets 单位 and 人员, read by their headings and written for staff to go on with.

Excel likes to make numbers of codes; what can be told for certain is repaired here (4101020001.0), what is lost
(4.1E+09) is refused by `domain.roster_checks` with everything else that is wrong.
"""

from __future__ import annotations

import datetime as dt
import io
from typing import TYPE_CHECKING, Any

import xlsxwriter
from python_calamine import CalamineError, CalamineWorkbook, load_workbook

from workflow.adapters.workbook.roster_cells import cell, headings
from workflow.domain.errors import Fault, Refused
from workflow.domain.roster import Contact, Role, Roster, Unit, UnitKind
from workflow.domain.roster_checks import CONTACT_SHEET, UNIT_SHEET, ContactRow, UnitRow, build_roster

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

_UNIT_COLUMNS: Mapping[str, str] = {
    "单位代码": "code",
    "单位名称": "name",
    "单位类型": "kind",
    "上级单位代码": "superior",
    "暂停招生": "suspended",
    "审核窗口": "window",
    "备注": "note",
}
_CONTACT_COLUMNS: Mapping[str, str] = {
    "单位代码": "unit",
    "角色": "role",
    "姓名": "name",
    "处室": "office",
    "办公电话": "phone",
    "手机号码": "mobile",
    "电子邮箱": "email",
    "生效日期": "since",
    "失效日期": "until",
}
_NEEDED = frozenset({"code", "name", "kind", "superior", "unit", "role"})
_DAYS = frozenset({"since", "until"})


def is_roster(data: bytes) -> bool:
    """Whether a file is a roster of ours and not a baseline: a workbook with one of its two sheets."""
    try:
        return bool({UNIT_SHEET, CONTACT_SHEET} & set(load_workbook(io.BytesIO(data)).sheet_names))
    except CalamineError:
        return False


def read_roster(data: bytes, name: str) -> tuple[Roster, tuple[Fault, ...]]:
    """The roster in a workbook and the queries for staff's list; raises Refused with every fault at once."""
    try:
        book = load_workbook(io.BytesIO(data))
    except CalamineError as error:
        remedy = "请用Excel或WPS打开，另存为“Excel 工作簿（*.xlsx）”；设有密码的请先取消"
        raise Refused(Fault(name, "不是可以读取的工作簿", remedy)) from error
    faults: list[Fault] = []
    units = [UnitRow(row, **values) for row, values in _rows(book, name, UNIT_SHEET, _UNIT_COLUMNS, faults)]
    contacts = [
        ContactRow(row, **values)
        for row, values in _rows(book, name, CONTACT_SHEET, _CONTACT_COLUMNS, faults)
    ]
    if faults:
        raise Refused(faults)
    if not units:
        raise Refused(Fault(f"{name} {UNIT_SHEET}", "表中没有单位", "请至少填写省级教育行政部门一行"))
    return build_roster(units, contacts)


def _rows(
    book: CalamineWorkbook, name: str, sheet: str, wanted: Mapping[str, str], faults: list[Fault]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The filled rows below the headings: row number and values by attribute."""
    if sheet not in book.sheet_names:
        faults.append(Fault(name, f"缺少工作表“{sheet}”", f"请加上，表头为：{'、'.join(wanted)}"))
        return
    lines = book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
    head, columns = headings(lines, wanted)
    missing = [
        words for words, attribute in wanted.items() if attribute in _NEEDED and attribute not in columns
    ]
    if missing:
        faults.append(Fault(sheet, f"表头缺少{'、'.join(missing)}", f"表头应为：{'、'.join(wanted)}"))
        return
    for number, line in enumerate(lines[head + 1 :], start=head + 2):
        values = {attribute: cell(line[at], attribute, _DAYS) for attribute, at in columns.items()}
        if any(values.values()):
            yield number, values


# --- writing -------------------------------------------------------------------------------------------------------

_UNIT_WIDTHS = (14, 34, 20, 14, 10, 12, 36)
_CONTACT_WIDTHS = (14, 10, 12, 22, 16, 16, 36, 13, 13)
_HELP = (
    "一、“单位”表一行一个单位：单位代码填国家统一的学校（机构）代码，一律为文本；上级单位代码填隶属的上一级单位，省级和部属高校留空。",
    f"二、单位类型从下拉列表中选：{'、'.join(UnitKind)}。",
    "三、“人员”表一行一人一角色；一人兼任几个角色的，填几行。视察员可以没有电子邮箱。",
    "四、人员变动时不要改写原行：在原行填“失效日期”（当日起不再担任），另加一行填新任者和“生效日期”。",
    "五、审核窗口一般留空，按管理办法第十八条执行；需要单独规定的，写成“6至10日”的样子（季后首月）。",
    "六、几个单位共用一个邮箱（如中心校代收所属教学点信件）可以照实填写，系统按识别码区分。",
)


def write_roster(roster: Roster) -> bytes:
    """The roster as a workbook that `read_roster` reads back; the same roster gives the same bytes."""
    target = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(target, options) as book:
        book.set_properties({"title": "名册", "created": dt.datetime(2026, 1, 1)})  # noqa: DTZ001 — a fixed mark
        base = {
            "font_name": "宋体",
            "font_size": 10,
            "border": 1,
            "border_color": "#BFBFBF",
            "valign": "vcenter",
        }
        text = book.add_format({**base, "num_format": "@"})
        day = book.add_format({**base, "num_format": "yyyy-mm-dd", "align": "center"})
        head = book.add_format(
            {**base, "font_name": "黑体", "bg_color": "#DCE6F1", "align": "center", "text_wrap": True}
        )
        units = book.add_worksheet(UNIT_SHEET)
        _write_table(
            units, _UNIT_COLUMNS, _UNIT_WIDTHS, map(_unit_cells, roster.units.values()), text, day, head
        )
        last = max(1000, len(roster.units) + 500)
        units.data_validation(1, 2, last, 2, {"validate": "list", "source": "=类型"})
        units.data_validation(1, 4, last, 4, {"validate": "list", "source": ["是", "否"]})
        people = book.add_worksheet(CONTACT_SHEET)
        cells = map(_contact_cells, roster.contacts)
        _write_table(people, _CONTACT_COLUMNS, _CONTACT_WIDTHS, cells, text, day, head)
        roles = {"validate": "list", "source": [role.value for role in Role]}
        people.data_validation(1, 1, max(1000, len(roster.contacts) + 500), 1, roles)
        _write_help(book.add_worksheet("说明"), book)
        book.define_name("类型", f"=说明!$B$2:$B${1 + len(UnitKind)}")
    return target.getvalue()


def _unit_cells(unit: Unit) -> tuple[str, ...]:
    window = f"{unit.window[0]}至{unit.window[1]}日" if unit.window else ""
    suspended = "是" if unit.suspended else ""
    return unit.code, unit.name, unit.kind.value, unit.superior, suspended, window, unit.note


def _contact_cells(person: Contact) -> tuple[str | dt.date | None, ...]:
    since = None if person.since == dt.date.min else person.since
    who = (person.unit, person.role.value, person.name, person.office, person.phone, person.mobile)
    return *who, person.email, since, person.until


def _write_table(
    sheet: Worksheet,
    headings: Iterable[str],
    widths: Sequence[float],
    rows: Iterable[Iterable[str | dt.date | None]],
    text: Format,
    day: Format,
    head: Format,
) -> None:
    for column, (words, width) in enumerate(zip(headings, widths, strict=True)):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, words, head)
    sheet.set_row(0, 26)
    last = 0
    for last, cells in enumerate(rows, start=1):
        for column, value in enumerate(cells):
            if isinstance(value, dt.date):
                sheet.write_datetime(last, column, value, day)
            elif value:
                sheet.write_string(last, column, value, text)
            else:
                sheet.write_blank(last, column, None, text)
    sheet.freeze_panes(1, 2)
    sheet.autofilter(0, 0, max(last, 1), len(widths) - 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.set_footer("&C第 &P 页　共 &N 页")


def _write_help(sheet: Worksheet, book: xlsxwriter.Workbook) -> None:
    words = book.add_format({"font_name": "宋体", "font_size": 11, "text_wrap": True, "valign": "top"})
    head = book.add_format({"font_name": "黑体", "font_size": 12})
    sheet.set_column(0, 0, 96)
    sheet.set_column(1, 1, 24)
    sheet.write_string(0, 0, "填写说明", head)
    sheet.write_string(0, 1, "单位类型", head)
    for row, line in enumerate(_HELP, start=1):
        sheet.set_row(row, 32 if len(line) > 46 else 18)
        sheet.write_string(row, 0, line, words)
    for row, kind in enumerate(UnitKind, start=1):
        sheet.write_string(row, 1, kind.value, words)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
