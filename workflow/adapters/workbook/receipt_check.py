"""The list by which staff decide on receipts: each cell that is not alike, what was typed beside the picture of what was signed."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import xlsxwriter
from PIL import Image

from workflow.adapters.workbook.book_style import BODY_FACE, HEAD_FACE, Styles, put_text

_HEADINGS = ("单位代码", "单位", "栏目", "电子版填写", "扫描件识读", "扫描件图片", "结果")
_WIDTHS = (90, 170, 150, 200, 200, 360, 90)
_ROW_HIGH, _ROW_LOW = 62, 22
#: Pixels of a cell's picture in the list.
_PICTURE = (350, 78)
_OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "default_format_properties": {"font_name": BODY_FACE, "font_size": 11},
}


@dataclass(frozen=True, slots=True)
class CheckLine:
    """A cell to look at, or a matter of the whole receipt (`picture` empty, the matter in `verdict`)."""

    code: str
    name: str
    cell: str
    typed: str
    seen: str
    picture: bytes
    verdict: str


def write_check(title: str, lines: Sequence[CheckLine]) -> bytes:
    """The list as xlsx, printed on A4 across."""
    target = io.BytesIO()
    workbook = xlsxwriter.Workbook(target, _OPTIONS)
    styles = Styles(workbook)
    sheet = workbook.add_worksheet("核对")
    for column, width in enumerate(_WIDTHS):
        sheet.set_column_pixels(column, column, width)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0, 2)
    sheet.freeze_panes(3, 0)
    put_text(sheet, 0, 0, title, styles.get(font_name=HEAD_FACE, font_size=16))
    words = "请对照图片核对；无误的，运行 huizhi receipt accept 单位代码 --by 姓名；有误的，请通知单位更正。"
    put_text(sheet, 1, 0, words, styles.get(font_size=10))
    head = styles.cell(font_name=HEAD_FACE, align="center")
    for column, heading in enumerate(_HEADINGS):
        put_text(sheet, 2, column, heading, head)
    body = styles.cell(text_wrap=True)
    for row, line in enumerate(lines, 3):
        texts = (line.code, line.name, line.cell, line.typed, line.seen, "", line.verdict)
        for column, text in enumerate(texts):
            put_text(sheet, row, column, text, body)
        sheet.set_row(row, _ROW_HIGH if line.picture else _ROW_LOW * max(1, -(-len(line.verdict) // 6)))
        if line.picture:
            _place(sheet, row, line.picture)
    workbook.close()
    return target.getvalue()


def _place(sheet: xlsxwriter.worksheet.Worksheet, row: int, picture: bytes) -> None:
    with Image.open(io.BytesIO(picture)) as image:
        scale = min(_PICTURE[0] / image.width, _PICTURE[1] / image.height, 1.0)
    options = {
        "image_data": io.BytesIO(picture), "x_offset": 4, "y_offset": 2, "x_scale": scale, "y_scale": scale,
        "object_position": 1,
    }  # fmt: skip
    sheet.insert_image(row, _HEADINGS.index("扫描件图片"), "cell.png", options)
