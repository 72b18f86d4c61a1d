"""Stamp 附件2, the 负责人回执表: one A4 page that a unit fills in, prints, seals and sends back as scan and as file.

The page is the notice's; what is added is the QR code and the token under the table, by which a scan of the
sealed page is matched to its unit.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import segno
import xlsxwriter

from workflow.adapters.workbook.book_style import BODY_FACE, GREY, HEAD_FACE, LOCKED_FILL, Styles, put_text
from workflow.adapters.workbook.identity import HIDDEN_SHEET
from workflow.domain.receipt import NOT_ASKED, asked_roles, receipt_code
from workflow.domain.roster import Contact, Role, Unit

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

#: The reader knows a receipt whose marks are lost by 回执表 in the name of its sheet.
SHEET = "负责人回执表"
FORM, VERSION, COPY = "receipt", 1, 1
TITLE = "全国教育信息化工作管理信息系统负责人回执表"
SEAL_LABEL = "教育行政部门/高校（盖章）："
DATE_LABEL = "填表日期："
#: Typed over with a day or, once printed, written into by hand.
DATE_BLANK = "        年      月      日"
CHANGED = ("是", "否")
HEADINGS = ("类别", "姓名", "原负责人\n是否变动", "单位", "处室", "办公电话", "手机号码", "电子邮箱")
#: The first remark is the notice's; the second says its article 7, the third its section 五（四）.
REMARKS = (
    "备注：1、市直属学校只填写管理员；\n"
    "　　　2、省属中等职业学校只填写管理员；\n"
    "　　　3、请将本电子版和加盖公章后的扫描件作为附件，一并回复原邮件。"
)
#: The side of the QR code without its quiet zone, in mm; measured: scans and phone photos of it are read.
QR_SIDE = 32
_QUIET = 4

#: Pixels at 96 dpi. Widths count digits of 宋体 11 and grow by 15 % where a broader face stands in for it; even then
#: the page needs no shrinking, by which the QR code would lose its size.
_WIDTHS = (62, 84, 80, 148, 134, 112, 104, 168)
_LABEL_ROW, _TITLE_ROW, _SEAL_ROW, _HEAD_ROW, _FIRST_ROW = range(5)
_REMARK_ROW = _FIRST_ROW + len(Role)
_QR_ROW = _REMARK_ROW + 1
#: Points.
_HEIGHTS = (24, 42, 76, 40, 46, 46, 46, 66, 124)
_NAME, _CHANGED, _UNIT, _OFFICE, _PHONE, _MOBILE, _EMAIL = range(1, len(HEADINGS))
_DATE = 6
_LAST = len(HEADINGS) - 1
_PIXELS_A_MM = 96 / 25.4
_PIXELS_A_MODULE = 12

#: Copies of the same unit, campaign and token are the same bytes, so no clock.
_CREATED = dt.datetime(2019, 11, 1)  # noqa: DTZ001 — a document's date has no zone
_OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    # As in the forms: Chinese offices have 宋体 11 in the Normal style, whose digits are 8 pixels wide.
    "default_format_properties": {"font_name": BODY_FACE, "font_size": 11},
    "default_column_width": 72,
}


def stamp_receipt(unit: Unit, campaign: str, token: str, contacts: Sequence[Contact] = ()) -> bytes:
    """The xlsx that a unit returns, the same bytes for the same arguments.

    Of `contacts`, those of the unit fill their role's row beforehand, the first where several hold a role.
    ValueError where campaign, unit code or token hold what the QR code can't carry (see `receipt_code`).
    """
    code = receipt_code(campaign, unit.code, token)
    target = io.BytesIO()
    workbook = xlsxwriter.Workbook(target, _OPTIONS)
    workbook.set_properties({"title": TITLE, "author": "", "created": _CREATED})
    styles = Styles(workbook)
    sheet = workbook.add_worksheet(SHEET)
    _set_up_page(sheet)
    _write_head(sheet, styles, unit)
    _write_table(sheet, styles, unit, contacts)
    _write_foot(sheet, styles, unit, campaign, token)
    _place_code(sheet, code)
    _write_marks(workbook, styles, unit, campaign, token)
    workbook.close()
    return target.getvalue()


def _set_up_page(sheet: Worksheet) -> None:
    for column, width in enumerate(_WIDTHS):
        sheet.set_column_pixels(column, column, width)
    for row, height in enumerate(_HEIGHTS):
        sheet.set_row(row, height)
    sheet.set_paper(9)
    sheet.set_landscape()
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.4)
    sheet.center_horizontally()
    sheet.print_area(0, 0, _QR_ROW, _LAST)
    sheet.fit_to_pages(1, 1)
    sheet.hide_gridlines(2)
    sheet.protect("", {"select_locked_cells": True, "select_unlocked_cells": True})
    sheet.set_selection(_FIRST_ROW, _NAME, _FIRST_ROW, _NAME)


def _write_head(sheet: Worksheet, styles: Styles, unit: Unit) -> None:
    put_text(sheet, _LABEL_ROW, 0, "附件2", styles.get(font_name=HEAD_FACE, font_size=14))
    title = styles.title(20)
    _put_merged(sheet, (_TITLE_ROW, 0, _TITLE_ROW, _LAST), TITLE, title)
    # The row is as high as a seal needs that is pressed across the unit's name.
    line = styles.get(font_size=12, text_wrap=True)
    _put_merged(sheet, (_SEAL_ROW, 0, _SEAL_ROW, _DATE - 2), f"{SEAL_LABEL}{unit.name}", line)
    put_text(sheet, _SEAL_ROW, _DATE - 1, DATE_LABEL, styles.get(font_size=12, align="right"))
    blank = styles.get(font_size=12, locked=False, num_format='yyyy"年"m"月"d"日";;;@', align="left")
    _put_merged(sheet, (_SEAL_ROW, _DATE, _SEAL_ROW, _LAST), DATE_BLANK, blank)
    hint = "直接输入日期，如 2027-1-5；也可打印后手写。"
    rule = {"validate": "any", "input_title": "填表日期", "input_message": hint}
    sheet.data_validation(_SEAL_ROW, _DATE, _SEAL_ROW, _DATE, rule)


def _write_table(sheet: Worksheet, styles: Styles, unit: Unit, contacts: Sequence[Contact]) -> None:
    box = {"border": 1, "align": "center", "text_wrap": True, "font_size": 10.5}
    label = styles.get(**{**box, "font_name": HEAD_FACE})
    answer = styles.get(**box, locked=False, num_format="@")
    address = styles.get(**{**box, "font_size": 9.5}, locked=False, num_format="@")
    closed = styles.get(**box, bg_color=LOCKED_FILL, font_color=GREY)
    for column, heading in enumerate(HEADINGS):
        put_text(sheet, _HEAD_ROW, column, heading, label)
    asked = asked_roles(unit.kind)
    for row, role in enumerate(Role, _FIRST_ROW):
        put_text(sheet, row, 0, role.value, label)
        holder = next((who for who in contacts if who.unit == unit.code and who.role is role), None)
        known = _known(unit, holder)
        for column in range(1, len(HEADINGS)):
            if role not in asked or (role is Role.INSPECTOR and column in (_OFFICE, _EMAIL)):
                put_text(sheet, row, column, NOT_ASKED, closed)
            else:
                put_text(sheet, row, column, known.get(column, ""), address if column == _EMAIL else answer)
        if role in asked:
            _offer_choice(sheet, row)
    sheet.ignore_errors({"number_stored_as_text": f"B{_FIRST_ROW + 1}:H{_REMARK_ROW}"})


def _known(unit: Unit, holder: Contact | None) -> dict[int, str]:
    """What stands in a role's row beforehand, by column; whether the person changed is the unit's to say."""
    if holder is None:
        return {}
    return {
        _NAME: holder.name,
        _UNIT: unit.name,
        _OFFICE: holder.office,
        _PHONE: holder.phone,
        _MOBILE: holder.mobile,
        _EMAIL: holder.email,
    }


def _offer_choice(sheet: Worksheet, row: int) -> None:
    options = {
        "validate": "list",
        "source": list(CHANGED),
        "input_title": "原负责人是否变动",
        "input_message": "请选择“是”或“否”。",
        "error_title": "原负责人是否变动",
        "error_message": f"请从下拉列表中选择：{'、'.join(CHANGED)}",
    }
    sheet.data_validation(row, _CHANGED, row, _CHANGED, options)


def _write_foot(sheet: Worksheet, styles: Styles, unit: Unit, campaign: str, token: str) -> None:
    remark = styles.get(font_size=11, text_wrap=True)
    _put_merged(sheet, (_REMARK_ROW, 0, _REMARK_ROW, _LAST), REMARKS, remark)
    words = f"请勿遮挡、涂改二维码\n任务：{campaign}　单位代码：{unit.code}\n编号：{token}"
    small = styles.get(font_size=8, text_wrap=True, valign="bottom", align="right")
    _put_merged(sheet, (_QR_ROW, _DATE - 2, _QR_ROW, _LAST - 1), words, small)


def _put_merged(sheet: Worksheet, place: tuple[int, int, int, int], text: str, style: Format) -> None:
    sheet.merge_range(*place, "", style)
    put_text(sheet, place[0], place[1], text, style)


def _place_code(sheet: Worksheet, content: str) -> None:
    """The QR code in the corner under the table, within one cell so that no program stretches it."""
    code = segno.make(content, mode="alphanumeric", error="m", boost_error=False, micro=False)
    picture = io.BytesIO()
    code.save(picture, kind="png", scale=_PIXELS_A_MODULE, border=_QUIET)
    modules = code.symbol_size(border=0)[0]
    across = modules + 2 * _QUIET
    side = QR_SIDE * across / modules * _PIXELS_A_MM
    scale = side / (across * _PIXELS_A_MODULE)
    options = {
        "image_data": picture,
        "x_offset": int(_WIDTHS[_LAST] - side),
        "y_offset": 1,
        "x_scale": scale,
        "y_scale": scale,
        "object_position": 3,
        "description": f"二维码：{content}",
    }
    sheet.insert_image(_QR_ROW, _LAST, "qr.png", options)


def _write_marks(
    workbook: xlsxwriter.Workbook, styles: Styles, unit: Unit, campaign: str, token: str
) -> None:
    """Which copy this is, where `identity` looks for it."""
    marks = {
        "campaign": campaign,
        "unit": unit.code,
        "form": FORM,
        "version": str(VERSION),
        "copy": str(COPY),
        "token": token,
        "kind": "receipt",
    }
    sheet = workbook.add_worksheet(HIDDEN_SHEET)
    for row, (key, value) in enumerate(marks.items()):
        put_text(sheet, row, 0, key, styles.get())
        put_text(sheet, row, 1, value, styles.get())
        workbook.set_custom_property(f"huizhi.{key}", value, "text")
    sheet.very_hidden()
