"""The look of the workbooks in which staff decide row by row: 名册变更核对表 and 一期数据核对表."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from xlsxwriter import Workbook
from xlsxwriter.format import Format


@dataclass(frozen=True)
class DecisionLook:
    """The formats of one workbook: `text` and `centred` cells that stay, `ask` those that a person fills in."""

    text: Format
    centred: Format
    ask: Format
    head: Format
    title: Format
    small: Format


def decision_look(book: Workbook, title: str) -> DecisionLook:
    """Make the formats, and mark the workbook with its title and a fixed day, so that the same content gives the same bytes."""
    book.set_properties({"title": title, "created": dt.datetime(2026, 1, 1)})  # noqa: DTZ001 — a fixed mark
    base = {
        "font_name": "宋体",
        "font_size": 10,
        "border": 1,
        "border_color": "#BFBFBF",
        "valign": "vcenter",
    }
    heading = {"font_name": "黑体", "bg_color": "#DCE6F1", "align": "center", "text_wrap": True}
    return DecisionLook(
        text=book.add_format({**base, "num_format": "@", "text_wrap": True}),
        centred=book.add_format({**base, "num_format": "@", "align": "center"}),
        ask=book.add_format({**base, "num_format": "@", "align": "center", "bg_color": "#FFF2CC"}),
        head=book.add_format({**base, **heading}),
        title=book.add_format({"font_name": "黑体", "font_size": 16, "align": "center", "valign": "vcenter"}),
        small=book.add_format({"font_name": "宋体", "font_size": 10}),
    )
