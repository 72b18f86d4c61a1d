"""The cover, the packages of the level below and the list of who is missing: sheets of a consolidated workbook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.adapters.workbook.book_style import (
    ASK_FILL,
    GREY,
    HEAD_FACE,
    HEAD_FILL,
    LOCKED_FILL,
    ORIGIN_COLOURS,
    Styles,
    colour_origins,
    day,
    moment,
    offer_choices,
    put_span,
    put_text,
    row_height,
    set_page,
    short_moment,
)
from workflow.adapters.workbook.review import (
    DUE,
    LOCKED_MARK,
    MEANS,
    NOTE,
    REPORT_LABEL,
    TALKED_AT,
    TALKED_TO,
    TIMES_REPORTED,
    UNIT_CODE,
    VERDICT,
)
from workflow.domain.lifecycle import PackageState
from workflow.domain.merge import ChildRow, Cover, MissingRow, shown_origins
from workflow.domain.roster import Unit, UnitKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xlsxwriter
    from xlsxwriter.worksheet import Worksheet

VERDICTS = ["通过", "退回"]
WITHDRAWALS = ["同意撤报", "不同意撤报"]
REPORTS = ["同意上报", "暂不上报"]
_LAST = 8  # the cover's last column, I; its first is B

_HOW = (
    "在各表“审核结论”栏逐行选择“通过”或“退回”；选“退回”的，请在“审核意见”栏写明原因和修改要求，系统将原文转告填报单位。",
    "只对某项指标有意见的，结论选“退回”，并在该指标的单元格上插入批注，系统将批注标注在填报单位工作簿的同一单元格上。",
    "只对白底行作结论；灰底行不属本级审核范围、本级已经上报或者尚未报送，原因见“备注”栏。留空的行视为尚未审核。",
    "可以排序、筛选、隐藏行列或删去已看过的行，但不要改动“单位代码”“报送次数”两栏，也不要删改表头。",
    "审核完毕，保存工作簿，作为附件回复原邮件即可；可以分多次回复，后一次的结论覆盖前一次。",
)
_HOW_RETURN = "“下级上报”表中选“退回”的，须先与下级单位沟通确认，并填写“沟通对象”“沟通时间”；限期不填的，由系统按规定天数确定。"
_HOW_REPORT = "全部审核完毕后，在下方“上报意见”栏选择“同意上报”；未作选择的，到期由系统按现有数据自动上报。"


def book_title(cover: Cover) -> str:
    """`2026年第四季度教育信息化数据汇总表（郑州市）`."""
    return f"{cover.period_name}教育信息化数据汇总表（{area(cover.unit)}）"


def area(unit: Unit) -> str:
    """The area of a department, without its office; another unit's name as it is."""
    if unit.kind in {UnitKind.PROVINCE, UnitKind.CITY, UnitKind.DIRECT_COUNTY, UnitKind.COUNTY}:
        for office in ("教育体育局", "教育厅", "教育局"):
            if unit.name.endswith(office) and unit.name != office:
                return unit.name.removesuffix(office)
    return unit.name


def write_cover(sheet: Worksheet, styles: Styles, cover: Cover, *, children: bool = False) -> None:
    """Title, facts, counts, how to decide (also on the packages of the level below, where it has `children`), and the cell
    that reports the level's data up.
    """
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 2)
    sheet.set_column(1, max(_LAST, 1 + len(shown_origins(cover.counts))), 14.5)
    sheet.set_row(0, 18)
    sheet.set_row(1, 46)
    put_span(sheet, 1, 1, _LAST, book_title(cover), styles.title(22))
    sheet.set_row(2, 22)
    subtitle = styles.get(font_name=HEAD_FACE, font_size=12, align="center")
    put_span(sheet, 2, 1, _LAST, f"（第{cover.version}版）", subtitle)
    row = _facts(sheet, styles, cover, 4)
    row = _counts(sheet, styles, cover, row + 1)
    row = _instructions(sheet, styles, cover, row + 1, children=children)
    if cover.reportable:
        row = _report_cell(sheet, styles, row + 1)
    row = _signatures(sheet, styles, cover, row + 1)
    sheet.print_area(0, 0, row, max(_LAST, 1 + len(shown_origins(cover.counts))))
    sheet.fit_to_pages(1, 1)
    set_page(sheet, "", f"识别码：{cover.token}")


def _facts(sheet: Worksheet, styles: Styles, cover: Cover, row: int) -> int:
    window = f"{day(cover.window.first_day)}至{cover.window.last_day.month}月{cover.window.last_day.day}日"
    pairs = (
        ("汇总单位", cover.unit.name, "单位代码", cover.unit.code),
        ("填 报 期", cover.period_name, "填报任务", cover.campaign),
        ("截止时点", moment(cover.cut_off), "编制时间", moment(cover.made_at)),
        ("审核上报时间", window, "本级状态", cover.state),
        ("版　　次", _version(cover), "识 别 码", cover.token),
    )
    label, value = styles.head(), styles.cell(align="left", indent=1)
    for one, other, third, fourth in pairs:
        sheet.set_row(row, 24)
        put_text(sheet, row, 1, one, label)
        put_span(sheet, row, 2, 4, other, value)
        put_text(sheet, row, 5, third, label)
        put_span(sheet, row, 6, _LAST, fourth, value)
        row += 1
    wide = styles.cell(align="left", indent=1, text_wrap=True)
    for words, news in _news(cover):
        sheet.set_row(row, max(24, row_height((news, 14.5 * (_LAST - 1)))))
        put_text(sheet, row, 1, words, label)
        put_span(sheet, row, 2, _LAST, news, wide)
        row += 1
    return row


def _signatures(sheet: Worksheet, styles: Styles, cover: Cover, row: int) -> int:
    """The foot of an official table, to be signed and sealed on paper; the next row."""
    sheet.set_row(row, 34)
    line = styles.line(text_wrap=False)
    for column, words in (
        (1, f"制表单位（盖章）：{cover.unit.name}"),
        (4, "单位负责人："),
        (6, "审核员："),
        (7, "填表日期：　　　　年　　月　　日"),
    ):
        put_text(sheet, row, column, words, line)
    return row + 1


def _version(cover: Cover) -> str:
    return f"第{cover.version}版" + (f"（代替第{cover.replaces}版）" if cover.replaces else "")


def _news(cover: Cover) -> list[tuple[str, str]]:
    """What the reviewer must know: how the level was returned, and who below has changed since the version before and since
    the report.
    """
    news = [("上级退回", cover.returned)] if cover.returned else []
    if cover.replaces:
        below = f"有变化的下级单位：{'、'.join(cover.changed_below)}；" if cover.changed_below else ""
        news.append(("与上版比较", f"{below}逐项变化见“变更”表"))
    if cover.after_report:
        names = "、".join(cover.after_report)
        news.append(("上报后变化", f"本级上报后，{names}的数据又有变化，本级已上报的数据中没有反映"))
    return news


def _heading(sheet: Worksheet, styles: Styles, row: int, words: str) -> None:
    sheet.set_row(row, 24)
    put_span(sheet, row, 1, _LAST, words, styles.line(font_name=HEAD_FACE, font_size=12))


def _counts(sheet: Worksheet, styles: Styles, cover: Cover, row: int) -> int:
    _heading(sheet, styles, row, "一、数据来源统计（单位：份）")
    head = styles.head()
    origins = shown_origins(cover.counts)
    big = {"align": "center", "font_size": 12, "num_format": "#,##0"}
    for at, (words, fill, ink) in enumerate(
        [("应报", HEAD_FILL, "#000000"), *((o.word, *ORIGIN_COLOURS[o]) for o in origins)]
    ):
        style = head if at == 0 else styles.head(bg_color=fill, font_color=ink)
        put_text(sheet, row + 1, 1 + at, words, style)
    sheet.set_row(row + 1, 24)
    sheet.set_row(row + 2, 26)
    sheet.write_number(row + 2, 1, cover.asked, styles.cell(bold=True, **big))
    for at, origin in enumerate(origins):
        sheet.write_number(row + 2, 2 + at, cover.counts.get(origin, 0), styles.cell(**big))
    sheet.set_row(row + 3, 20)
    share = styles.cell(align="center", num_format="0.0%", font_color=GREY)
    put_text(sheet, row + 3, 1, "占应报比例", styles.cell(align="center", font_color=GREY))
    for at, origin in enumerate(origins):
        part = cover.counts.get(origin, 0) / cover.asked if cover.asked else 0
        sheet.write_number(row + 3, 2 + at, part, share)
    return row + 4


def _instructions(sheet: Worksheet, styles: Styles, cover: Cover, row: int, *, children: bool) -> int:
    _heading(sheet, styles, row, "二、审核说明")
    lines = (*_HOW, *((_HOW_RETURN,) if children else ()), *((_HOW_REPORT,) if cover.reportable else ()))
    for number, line in enumerate(lines, start=1):
        row += 1
        sheet.set_row(row, 20)
        put_span(sheet, row, 1, _LAST, f"{number}. {line}", styles.line())
    return row + 1


def _report_cell(sheet: Worksheet, styles: Styles, row: int) -> int:
    sheet.set_row(row, 30)
    put_text(sheet, row, 1, REPORT_LABEL, styles.head(font_size=12))
    ask = styles.cell(align="center", font_size=12, bg_color=ASK_FILL)
    sheet.merge_range(row, 2, row, 4, "", ask)
    hint = "审核完毕后选择"
    offer_choices(sheet, [row], 2, REPORTS, title=REPORT_LABEL, hint=hint)
    sheet.set_row(row + 1, 18)
    put_span(
        sheet,
        row + 1,
        1,
        _LAST,
        "上报后，本级及以下各单位数据即锁定；确需修改的，须向上一级教育行政部门提出撤报申请。",
        styles.line(font_color=GREY, font_size=9),
    )
    return row + 1


_CHILD_LEAD = (
    ("序号", 5),
    (UNIT_CODE, 12),
    ("单位名称", 22),
    ("层级", 12),
    ("上报状态", 11),
    ("上报方式", 9),
)
_CHILD_TAIL = (
    (VERDICT, 10), (NOTE, 30), (TALKED_TO, 11), (MEANS, 9), (TALKED_AT, 18), (DUE, 14), ("备注", 26),
)  # fmt: skip
#: Room for two lines of an 审核意见 written by hand.
_CHILD_HEIGHT = 30
#: The columns that stand on both printed pages: 序号, 单位代码, 单位名称.
_CHILD_REPEATED = 3
_TALK_FORMATS = ("@", "@", 'yyyy"年"m"月"d"日" hh:mm', 'yyyy"年"m"月"d"日"')
_TALK_HINTS = (
    "只在退回时填写：与下级单位何人沟通确认",
    "可不填：电话、当面、会议、书面等",
    "只在退回时填写：沟通的日期，可加钟点，如 2027-1-8 10:30",
    "可不填：要求重新上报的日期；不填的由系统按规定天数确定",
)


def write_children(sheet: Worksheet, styles: Styles, cover: Cover, rows: Sequence[ChildRow]) -> None:
    """The packages of the level below; a decision here is on the whole package."""
    origins = shown_origins(*(child.counts for child in rows))
    columns = (
        *_CHILD_LEAD,
        ("上报时间", 16),
        (TIMES_REPORTED, 8),
        ("应报", 6),
        *((origin.word, 7.5) for origin in origins),
        *_CHILD_TAIL,
    )
    verdict = 9 + len(origins)
    titles = (
        (f"{cover.period_name}下级单位上报情况（{area(cover.unit)}）", _CHILD_REPEATED, verdict - 1),
        ("下级单位上报数据的审核与沟通确认", verdict, len(columns) - 1),
    )
    head = table_head(sheet, styles, titles, columns)
    for at, child in enumerate(rows, start=1):
        row = head + at
        shade = {} if child.decidable else {"bg_color": LOCKED_FILL, "font_color": GREY}
        left, middle = styles.cell(text_wrap=True, **shade), styles.cell(align="center", **shade)
        sheet.set_row(row, max(_CHILD_HEIGHT, row_height((child.unit.name, 22), (child.remark, 26))))
        sheet.write_number(row, 0, at, middle)
        package = child.package
        how = "" if package.reported_at is None else "自动上报" if package.auto else "审核上报"
        words = (child.unit.code, child.unit.name, child.unit.kind.level.word, package.state.word, how)
        for column, text in enumerate((*words, short_moment(package.reported_at)), start=1):
            put_text(sheet, row, column, text, left if column == 2 else middle)
        times = styles.cell(align="center", num_format='"第"0"次"', **shade)
        if package.version:
            sheet.write_number(row, 7, package.version, times)
        else:
            sheet.write_blank(row, 7, None, times)
        sheet.write_number(row, 8, sum(child.counts.values()), middle)
        for column, origin in enumerate(origins, start=9):
            sheet.write_number(row, column, child.counts.get(origin, 0), middle)
        ask = middle if not child.decidable else styles.cell(align="center", bg_color=ASK_FILL)
        put_text(sheet, row, verdict, "" if child.decidable else LOCKED_MARK, ask)
        note = left if not child.decidable else styles.cell(text_wrap=True, bg_color=ASK_FILL)
        put_text(sheet, row, verdict + 1, "", note)
        fill = {"bg_color": ASK_FILL} if child.decidable else shade
        for column, kind in enumerate(_TALK_FORMATS, start=verdict + 2):
            sheet.write_blank(
                row, column, None, styles.cell(align="center", text_wrap=True, num_format=kind, **fill)
            )
        put_text(sheet, row, verdict + 2 + len(_TALK_FORMATS), child.remark, left)
    _offer_verdicts(sheet, [(head + at, child) for at, child in enumerate(rows, start=1)], verdict)
    finish_table(sheet, head, len(rows), len(columns), book_title(cover), f"第{cover.version}版")
    # On two pages across, what was reported and what is decided on it: on one the words would be too small to read.
    sheet.set_v_pagebreaks([verdict])
    sheet.set_print_scale(64)
    sheet.print_across()
    sheet.repeat_columns(0, _CHILD_REPEATED - 1)
    sheet.freeze_panes(head + 1, _CHILD_REPEATED)


def _offer_verdicts(sheet: Worksheet, rows: Sequence[tuple[int, ChildRow]], verdict: int) -> None:
    """The dropdowns of the packages that are decided on, by their rows, and the words of help beside them."""
    places = [(at, child) for at, child in rows if child.decidable]
    ordinary = [at for at, child in places if child.package.state is not PackageState.WITHDRAWAL_REQUESTED]
    hint = "通过：接收该单位上报数据；退回：整体退回修改，须先沟通确认，并填写审核意见、沟通对象、沟通时间"
    offer_choices(sheet, ordinary, verdict, VERDICTS, title=VERDICT, hint=hint)
    asked = [at for at, child in places if child.package.state is PackageState.WITHDRAWAL_REQUESTED]
    hint = "该单位已申请撤报。不同意的，请在审核意见栏写明理由"
    offer_choices(sheet, asked, verdict, WITHDRAWALS, title=VERDICT, hint=hint)
    _explain_talk(sheet, [at for at, _ in places], verdict + 2)


def _explain_talk(sheet: Worksheet, rows: Sequence[int], first: int) -> None:
    """A word at each field of 沟通确认 as it is entered; anything may be typed, and intake answers what it can't read."""
    for column, (words, hint) in enumerate(
        zip((TALKED_TO, MEANS, TALKED_AT, DUE), _TALK_HINTS, strict=True), start=first
    ):
        for row in rows:
            options = {"validate": "any", "input_title": words, "input_message": hint}
            sheet.data_validation(row, column, row, column, options)


_MISSING = (
    ("序号", 6),
    (UNIT_CODE, 14),
    ("单位名称", 32),
    ("单位类型", 18),
    ("所属", 20),
    ("表单", 34),
    ("事项", 12),
    ("联系人", 11),
    ("联系电话", 16),
    ("已催报次数", 11),
)


def write_missing(
    book: xlsxwriter.Workbook, sheet: Worksheet, styles: Styles, cover: Cover, rows: Sequence[MissingRow]
) -> None:
    """The units that have not done what they owe, with whom to call."""
    head = table_head(sheet, styles, f"{cover.period_name}缺报与逾期单位名单（{area(cover.unit)}）", _MISSING)
    left, middle = styles.cell(text_wrap=True), styles.cell(align="center")
    for at, missing in enumerate(rows, start=1):
        row, unit = head + at, missing.unit
        sheet.set_row(row, row_height((unit.name, 32), (missing.package, 20), (missing.form_title, 34)))
        sheet.write_number(row, 0, at, middle)
        words = (unit.code, unit.name, unit.kind.value, missing.package, missing.form_title, missing.matter)
        for column, text in enumerate((*words, missing.contact, missing.phone), start=1):
            put_text(sheet, row, column, text, left if column in {2, 4, 5} else middle)
        sheet.write_number(row, 9, missing.reminded, middle)
    if not rows:
        put_span(sheet, head + 1, 0, len(_MISSING) - 1, "本期没有缺报或逾期的单位", middle)
    colour_origins(book, sheet, head + 1, head + len(rows), 6)
    finish_table(
        sheet, head, len(rows), len(_MISSING), book_title(cover), f"截止时点：{moment(cover.cut_off)}"
    )
    sheet.freeze_panes(head + 1, 3)


def table_head(
    sheet: Worksheet, styles: Styles, title: str | Sequence[tuple[str, int, int]],
    columns: Sequence[tuple[str, float]],
) -> int:  # fmt: skip
    """Title and headings; the row of the headings. A table that is printed on several pages across has a title for each,
    with its first and last column.
    """
    sheet.hide_gridlines(2)
    for column, (_, width) in enumerate(columns):
        sheet.set_column(column, column, width)
    sheet.set_row(0, 36)
    for words, first, last in [(title, 0, len(columns) - 1)] if isinstance(title, str) else title:
        put_span(sheet, 0, first, last, words, styles.title(16))
    sheet.set_row(1, 34)
    for column, (words, _) in enumerate(columns):
        put_text(sheet, 1, column, words, styles.head())
    return 1


def finish_table(sheet: Worksheet, head: int, rows: int, columns: int, title: str, foot: str) -> None:
    """Filter, print set-up and headings on each page."""
    if rows:
        sheet.autofilter(head, 0, head + rows, columns - 1)
    sheet.repeat_rows(0, head)
    sheet.fit_to_pages(1, 0)
    set_page(sheet, title, foot)
