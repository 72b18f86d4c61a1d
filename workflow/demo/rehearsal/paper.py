"""The rehearsal's workbook: 概况, 每日信件, 审核工作量, 自动上报, each fit to be printed and filed."""

from __future__ import annotations

import datetime as dt
import io
from collections import Counter
from collections.abc import Sequence
from typing import Any

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from workflow.adapters.workbook.book_style import (
    ASK_FILL,
    GREY,
    HEAD_FACE,
    HEAD_FILL,
    ORIGIN_COLOURS,
    Styles,
    day,
    moment,
    put_span,
    put_text,
    row_height,
    set_page,
)
from workflow.demo.rehearsal.forecast import Forecast, Load
from workflow.demo.rehearsal.words import HEAVY, kind_word, limit_words, warnings
from workflow.domain.merge import Origin, shown_origins
from workflow.domain.roster import Level

_LAST = 8
_WIDTH = 12.5
_WEEK = "一二三四五六日"
_NOTE = (
    "本表由演练得出：按名册中的全部单位，以所设比例模拟填报人和审核员，按实际程序走完一个季度。人员行为是假定的，"
    "数字供安排工作参考，不是统计结果。"
)
Column = tuple[str, float]


def write_paper(seen: Forecast) -> bytes:
    """The workbook as bytes."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    styles = Styles(book)
    name = seen.campaign.period.name
    _write_summary(book.add_worksheet("概况"), styles, seen)
    _write_days(book, book.add_worksheet("每日信件"), styles, seen)
    _write_loads(book.add_worksheet("审核工作量"), styles, seen)
    _write_auto(book.add_worksheet("自动上报"), styles, seen)
    book.set_properties({"title": f"{name}填报工作演练报告"})
    book.close()
    return target.getvalue()


def _write_summary(sheet: Worksheet, styles: Styles, seen: Forecast) -> None:
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 2)
    sheet.set_column(1, _LAST, _WIDTH)
    sheet.set_row(1, 44)
    title = f"{seen.campaign.period.name}填报工作演练报告"
    put_span(sheet, 1, 1, _LAST, title, styles.title(20))
    row = _facts(sheet, styles, seen, 3)
    row = _origins(sheet, styles, seen, row + 1)
    row = _kinds(sheet, styles, seen, row + 1)
    _heading(sheet, styles, row + 1, "三、需要事先办理的事项")
    row += 2
    found = list(warnings(seen)) or ["没有发现需要事先办理的事项。"]
    for number, words in enumerate(found, 1):
        text = f"{number}．{words}。".replace("。。", "。")
        sheet.set_row(row, row_height((text, _WIDTH * _LAST)))
        put_span(sheet, row, 1, _LAST, text, styles.line())
        row += 1
    sheet.set_row(row + 1, 32)
    put_span(sheet, row + 1, 1, _LAST, f"说明：{_NOTE}", styles.line(font_color=GREY, font_size=9))
    sheet.print_area(0, 0, row + 1, _LAST)
    sheet.fit_to_pages(1, 1)
    set_page(sheet, "", f"{seen.campaign.id} 演练", portrait=True)


def _facts(sheet: Worksheet, styles: Styles, seen: Forecast, row: int) -> int:
    peak = seen.peak
    auto = sum(load.auto for load in seen.loads)
    busy = f"{day(peak.date)}，{peak.sent} 封"
    left = f"有 {seen.days_waiting} 天当日未能发完" if seen.days_waiting else "每日均能发完"
    pairs = (
        ("填报任务", seen.campaign.id, "开启时间", moment(seen.campaign.opened_at)),
        (
            "单位数",
            f"{seen.units} 个，应报 {sum(seen.origins.values())} 个",
            "上报层级",
            f"{len(seen.loads)} 个，其中自动上报 {auto} 个",
        ),
        ("发出信件", f"{seen.letters} 封", "收到邮件", f"{sum(seen.buckets.values())} 封"),
        ("发信高峰", busy, "是否积压", left),
        ("退回修改", f"{seen.returned} 个单位", "其中已更正", f"{seen.corrected} 个单位"),
        (
            "无法送达",
            f"{len(seen.unreachable)} 个单位",
            "地址无效",
            f"{len(seen.failed)} 个单位",
        ),
        ("上期数据", "采用实际数据" if seen.real_past else "按比例模拟", "待办事项", f"{seen.staff} 项"),
    )
    label, value = styles.head(), styles.cell(align="left", indent=1)
    for one, other, third, fourth in pairs:
        sheet.set_row(row, 23)
        put_text(sheet, row, 1, one, label)
        put_span(sheet, row, 2, 4, other, value)
        put_text(sheet, row, 5, third, label)
        put_span(sheet, row, 6, _LAST, fourth, value)
        row += 1
    sheet.set_row(row, 23)
    put_text(sheet, row, 1, "发信限额", label)
    put_span(sheet, row, 2, _LAST, limit_words(seen), value)
    return row + 1


def _origins(sheet: Worksheet, styles: Styles, seen: Forecast, row: int) -> int:
    _heading(sheet, styles, row, "一、上报数据构成（单位：份）")
    asked = sum(seen.origins.values())
    cells = [("应报", asked, HEAD_FILL, "#000000")]
    cells += [(o.word, seen.origins.get(o, 0), *ORIGIN_COLOURS[o]) for o in shown_origins(seen.origins)]
    for at, (words, count, fill, ink) in enumerate(cells, 1):
        put_text(sheet, row + 1, at, words, styles.head(bg_color=fill, font_color=ink))
        sheet.write_number(row + 2, at, count, styles.cell(align="center", num_format="#,##0", font_size=12))
        share = styles.cell(align="center", num_format="0.0%", font_color=GREY)
        sheet.write_number(row + 3, at, count / asked if asked else 0, share)
    for at, height in enumerate((24, 25, 19), 1):
        sheet.set_row(row + at, height)
    return row + 4


def _kinds(sheet: Worksheet, styles: Styles, seen: Forecast, row: int) -> int:
    _heading(sheet, styles, row, "二、各类信件（单位：封）")
    words, count = styles.cell(align="left", indent=1), styles.cell(align="center", num_format="#,##0")
    row += 1
    for at in (1, 5):
        put_span(sheet, row, at, at + 2, "种类", styles.head())
        put_text(sheet, row, at + 3, "封数", styles.head())
    sheet.set_row(row, 20)
    kinds = [(kind_word(kind), number) for kind, number in seen.kinds.items()]
    half = (len(kinds) + 1) // 2
    for offset in range(half):
        row += 1
        sheet.set_row(row, 20)
        for at, place in ((1, offset), (5, half + offset)):
            word, number = kinds[place] if place < len(kinds) else ("", None)
            put_span(sheet, row, at, at + 2, word, words)
            if number is None:
                sheet.write_blank(row, at + 3, None, count)
            else:
                sheet.write_number(row, at + 3, number, count)
    return row + 1


def _heading(sheet: Worksheet, styles: Styles, row: int, words: str) -> None:
    sheet.set_row(row, 26)
    put_span(sheet, row, 1, _LAST, words, styles.line(font_name=HEAD_FACE, font_size=12))


def _write_days(book: Any, sheet: Worksheet, styles: Styles, seen: Forecast) -> None:
    columns: Sequence[Column] = (
        ("日期", 14), ("星期", 7), ("新增信件", 11), ("发出信件", 11), ("日终待发", 11), ("收到邮件", 11),
        ("占每日限额", 12), ("备注", 26),
    )  # fmt: skip
    head = _table(sheet, styles, f"{seen.campaign.period.name}演练每日信件（单位：封）", columns)
    centre, number = styles.cell(align="center"), styles.cell(align="center", num_format="#,##0")
    share, note = styles.cell(align="center", num_format="0.0%"), styles.cell(text_wrap=True, indent=1)
    dated = styles.cell(align="center", num_format='yyyy"年"m"月"d"日"')
    for at, one in enumerate(seen.days, head + 1):
        sheet.set_row(at, 17)
        sheet.write_datetime(at, 0, dt.datetime.combine(one.date, dt.time()), dated)
        put_text(sheet, at, 1, _WEEK[one.date.weekday()], centre)
        for column, value in enumerate((one.queued, one.sent, one.waiting, one.received), 2):
            warned = column == 4 and value
            shown = styles.cell(align="center", num_format="#,##0", bg_color=ASK_FILL) if warned else number
            sheet.write_number(at, column, value, shown)
        sheet.write_number(at, 6, one.sent / seen.limits.possible, share)
        remarks = ["高峰"] if one is seen.peak else []
        remarks += _calendar(seen, one.date)
        put_text(sheet, at, 7, "；".join(remarks), note)
    last = head + len(seen.days)
    total = styles.cell(align="center", num_format="#,##0", bold=True, bg_color=HEAD_FILL)
    put_span(sheet, last + 1, 0, 1, "合计", styles.head())
    sums = (
        sum(d.queued for d in seen.days),
        sum(d.sent for d in seen.days),
        None,
        sum(d.received for d in seen.days),
    )
    for column, figure in enumerate((*sums, None, None), 2):
        if figure is None:
            sheet.write_blank(last + 1, column, None, total)
        else:
            sheet.write_number(last + 1, column, figure, total)
    _chart(book, sheet, head, last)
    _finish(sheet, seen, head, last + 18, len(columns), portrait=True)
    sheet.fit_to_pages(1, 1)


def _calendar(seen: Forecast, date: Any) -> list[str]:
    """What the calendar has on a day."""
    campaign = seen.campaign
    found = ["开启任务，发出通知"] if date == campaign.opened_at.date() else []
    found += ["要求报送的最后一日"] if date == campaign.period.last_day else []
    for level in (Level.COUNTY, Level.CITY, Level.PROVINCE):
        first, last = campaign.windows[level]
        for number, words in ((first, "审核开始"), (last, "审核截止")):
            if date == campaign.period.review_day(number):
                found.append(f"{level.word}{words}")
    return found


def _chart(book: Any, sheet: Worksheet, first: int, last: int) -> None:
    chart = book.add_chart({"type": "column"})
    place = [sheet.get_name(), first + 1, 0, last, 0]
    for column, colour in ((3, "#4F81BD"), (5, "#A6A6A6")):
        chart.add_series(
            {
                "name": [sheet.get_name(), first, column],
                "categories": place,
                "values": [sheet.get_name(), first + 1, column, last, column],
                "fill": {"color": colour},
                "gap": 60,
            }
        )
    font = {"name": "宋体", "size": 9}
    chart.set_title(
        {"name": "每日发出信件和收到邮件", "name_font": {"name": HEAD_FACE, "size": 11, "bold": False}}
    )
    chart.set_x_axis({"num_font": font, "num_format": "m-d", "date_axis": True, "major_unit": 3})
    chart.set_y_axis({"num_font": font, "major_gridlines": {"visible": True, "line": {"color": "#D9D9D9"}}})
    chart.set_legend({"position": "bottom", "font": font})
    chart.set_size({"width": 790, "height": 290})
    sheet.insert_chart(last + 3, 0, chart, {"x_offset": 4})


def _write_loads(sheet: Worksheet, styles: Styles, seen: Forecast) -> None:
    columns: Sequence[Column] = (
        ("序号", 6), ("层级", 15), ("单位代码", 13), ("单位名称", 26), ("审核员", 8), ("应审（行）", 10), ("待审（行）", 10),
        ("下级数据包", 10), ("审核天数", 9), ("每人行数", 10), ("每人每日行数", 12), ("退回单位", 9), ("上报方式", 11),
    )  # fmt: skip
    title = f"{seen.campaign.period.name}演练审核工作量（按每人每日行数从多到少）"
    head = _table(sheet, styles, title, columns)
    centre, left = styles.cell(align="center"), styles.cell(align="left", indent=1)
    whole, tenth = (
        styles.cell(align="center", num_format="#,##0"),
        styles.cell(align="center", num_format="#,##0.0"),
    )
    heavy = styles.cell(align="center", num_format="#,##0.0", bg_color="#FBE9E7", font_color="#9C1C10")
    vacant = styles.cell(align="center", bg_color="#FBE9E7", font_color="#9C1C10")
    loads = sorted(seen.loads, key=lambda load: (-(load.per_day or 0), load.unit))
    for at, load in enumerate(loads, head + 1):
        sheet.set_row(at, 18)
        sheet.write_number(at, 0, at - head, whole)
        for column, text, style in (
            (1, load.level.word, centre),
            (2, load.unit, centre),
            (3, load.name, left),
        ):
            put_text(sheet, at, column, text, style)
        if load.reviewers:
            sheet.write_number(at, 4, load.reviewers, whole)
        else:
            put_text(sheet, at, 4, "空缺", vacant)
        for column, number in (
            (5, load.asked),
            (6, load.rows),
            (7, load.packages),
            (8, load.days),
            (11, load.returned),
        ):
            sheet.write_number(at, column, number, whole)
        for column, rate in ((9, load.per_reviewer), (10, load.per_day)):
            shown = heavy if column == 10 and (rate or 0) > HEAVY else tenth
            if rate is None:
                put_text(sheet, at, column, "—", centre)
            else:
                sheet.write_number(at, column, rate, shown)
        put_text(sheet, at, 12, "自动上报" if load.auto else "审核员上报", centre)
    _finish(sheet, seen, head, head + len(loads), len(columns))
    sheet.autofilter(head, 0, head + len(loads), len(columns) - 1)


def _write_auto(sheet: Worksheet, styles: Styles, seen: Forecast) -> None:
    columns: Sequence[Column] = (
        ("层级", 16), ("单位名称", 28), ("上级", 24), ("审核员", 8), *((origin.word, 11.0) for origin in Origin), ("合计", 9),
    )  # fmt: skip
    head = _table(sheet, styles, f"{seen.campaign.period.name}演练自动上报情况（单位：份）", columns)
    at = head
    for level in Level:
        loads = seen.of_level(level)
        if not loads:
            continue
        auto = [load for load in loads if load.auto]
        at += 1
        counted = sum((Counter(load.origins) for load in auto), Counter[Origin]())
        bold = {"bold": True, "bg_color": HEAD_FILL}
        words = f"{len(auto)} 个自动上报，共 {len(loads)} 个层级"
        put_text(sheet, at, 0, level.word, styles.cell(align="center", **bold))
        put_span(sheet, at, 1, 3, words, styles.cell(align="left", **bold))
        _counts(sheet, at, counted, styles.cell(align="center", num_format="#,##0;-#,##0;—", **bold))
        for load in auto:
            at += 1
            _auto_row(sheet, styles, at, load)
    for row in range(head + 1, at + 1):
        sheet.set_row(row, 18)
    _finish(sheet, seen, head, at, len(columns))


def _auto_row(sheet: Worksheet, styles: Styles, at: int, load: Load) -> None:
    centre, left = styles.cell(align="center"), styles.cell(align="left", indent=1)
    put_text(sheet, at, 0, load.level.word, centre)
    put_text(sheet, at, 1, load.name, left)
    put_text(sheet, at, 2, load.superior, left)
    put_text(sheet, at, 3, str(load.reviewers) if load.reviewers else "空缺", centre)
    _counts(sheet, at, Counter(load.origins), styles.cell(align="center", num_format="#,##0;-#,##0;—"))


def _counts(sheet: Worksheet, at: int, counted: Counter[Origin], style: Any) -> None:
    for column, origin in enumerate(Origin, 4):
        sheet.write_number(at, column, counted[origin], style)
    sheet.write_number(at, 4 + len(Origin), sum(counted.values()), style)


def _table(sheet: Worksheet, styles: Styles, title: str, columns: Sequence[Column]) -> int:
    """Title and headings; the row of the headings."""
    sheet.hide_gridlines(2)
    sheet.set_row(0, 34)
    put_span(sheet, 0, 0, len(columns) - 1, title, styles.title(16))
    sheet.set_row(1, 30)
    for at, (words, width) in enumerate(columns):
        sheet.set_column(at, at, width)
        put_text(sheet, 1, at, words, styles.head())
    return 1


def _finish(
    sheet: Worksheet, seen: Forecast, head: int, last: int, columns: int, *, portrait: bool = False
) -> None:
    sheet.freeze_panes(head + 1, 0)
    sheet.repeat_rows(head)
    sheet.print_area(0, 0, last, columns - 1)
    sheet.fit_to_pages(1, 0)
    set_page(sheet, "", f"{seen.campaign.id} 演练", portrait=portrait)
