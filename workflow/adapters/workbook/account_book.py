"""A unit's sheet of accounts 账号表: its own, and those of the units directly below it. It leaves this module sealed only.

The seal is Office's own agile encryption ([MS-OFFCRYPTO] 2.3.4.10): AES-256, a key from 100,000 turns of SHA-512.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Sequence
from dataclasses import dataclass, field

import xlsxwriter
from msoffcrypto.format.ooxml import OOXMLFile
from xlsxwriter.worksheet import Worksheet

from workflow.adapters.workbook.book_style import Styles, day, put_span, put_text, row_height, set_page
from workflow.domain.accounts import Account
from workflow.domain.roster import Unit

_TITLE = "全国教育信息化工作管理信息系统账号表"
_OWN = {"角色": 11, "账号": 26, "初始密码": 26, "一期系统账号": 26}
_BELOW = {
    "单位代码": 13, "单位": 26, "角色": 8, "账号": 18, "初始密码": 18, "一期系统账号": 14, "开启口令": 22, "管理员": 10, "电话": 16,
}  # fmt: skip
_OWN_NOTES = (
    "一、账号由教育部统一生成和管理（管理办法第十三条），本表按教育部清单原样填写。",
    "二、首次登录后立即修改初始密码，并填写人员信息；账号专人专号、实名登记，人员变动的及时更新（第十四条）。",
    "三、一期系统账号栏有内容的，登录后完成账号匹配，可以作为账号别名登录，同步一期系统数据。",
    "四、核对无误后回复发来本表的邮件，正文写明“已签收”。本表用后妥善保管或者删除，不要转发。",
)
_BELOW_NOTES = (
    "一、下级单位各自收到一份加密的账号表，用本表“开启口令”打开。接到索取电话的，按名册登记的电话回拨，核实是其管理员后口头告知，不要用邮件、短信、即时通信发送。",
    "二、下级单位没有收到邮件的，由你单位当面或者电话交付账号，并督促其修改初始密码、回复签收（第十三条）。",
    "三、已经签收的下级单位，初始密码和开启口令已由系统清除，栏内写“已签收”。",
)
_SIGNED = "已签收"
#: A face that tells 0 from O and 1 from l, for what is typed off the sheet or read out; and in which columns below.
_EXACT = "Consolas"
_TYPED = frozenset(
    at for at, name in enumerate(_BELOW) if name in {"账号", "初始密码", "一期系统账号", "开启口令"}
)
_OPTIONS = {
    "in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Subordinate:
    """A unit directly below with its accounts (none once it has signed), what opens its sheet, and whom to ring back."""

    unit: Unit
    accounts: tuple[Account, ...]
    opening: str = field(repr=False)
    contact: str = ""
    phone: str = ""


def write_account_book(
    unit: Unit, accounts: Sequence[Account], below: Sequence[Subordinate], issuer: str, on: dt.date, opening: str
) -> bytes:  # fmt: skip
    """The unit's sheet, which `opening` opens."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, _OPTIONS) as book:
        book.set_properties({"title": _TITLE, "author": issuer})
        styles = Styles(book)
        _own(book.add_worksheet("账号"), styles, unit, accounts, f"{issuer}　{day(on)}")
        if below:
            _below(book.add_worksheet("下级单位"), styles, below, unit)
    sealed = io.BytesIO()
    OOXMLFile(target).encrypt(opening, sealed)
    return sealed.getvalue()


def _own(sheet: Worksheet, styles: Styles, unit: Unit, accounts: Sequence[Account], foot: str) -> None:
    _head(sheet, styles, _OWN, f"单位：{unit.name}（{unit.code}）", portrait=True)
    cell = styles.cell(num_format="@", align="center", font_size=12)
    exact = styles.cell(num_format="@", align="center", font_size=12, font_name=_EXACT)
    for at, account in enumerate(accounts, 3):
        sheet.set_row(at, 26)
        for column, text in enumerate((account.role.value, account.name, account.password, account.former)):
            put_text(sheet, at, column, text, exact if column else cell)
    last = _notes(sheet, styles, 4 + len(accounts), _OWN_NOTES, _OWN)
    put_span(sheet, last + 1, 0, len(_OWN) - 1, foot, styles.get(align="right", font_size=11))


def _below(sheet: Worksheet, styles: Styles, below: Sequence[Subordinate], unit: Unit) -> None:
    _head(sheet, styles, _BELOW, f"{unit.name}直属下级单位{len(below)}个", portrait=False)
    cell = styles.cell(num_format="@", text_wrap=True)
    exact = styles.cell(num_format="@", text_wrap=True, font_name=_EXACT)
    grey = styles.cell(num_format="@", font_color="#7F7F7F", align="center")
    at = 3
    for one in below:
        ring = (one.contact, one.phone)
        for account in one.accounts:
            texts = (
                one.unit.code, one.unit.name, account.role.value, account.name, account.password, account.former,
                one.opening, *ring,
            )  # fmt: skip
            sheet.set_row(at, row_height(*zip(texts, _BELOW.values(), strict=True)))
            for column, text in enumerate(texts):
                put_text(sheet, at, column, text, exact if column in _TYPED else cell)
            at += 1
        if not one.accounts:
            for column, text in enumerate((one.unit.code, one.unit.name, "", _SIGNED, "", "", "", *ring)):
                put_text(sheet, at, column, text, grey if text == _SIGNED else cell)
            at += 1
    sheet.autofilter(2, 0, at - 1, len(_BELOW) - 1)
    _notes(sheet, styles, at + 1, _BELOW_NOTES, _BELOW)


def _head(sheet: Worksheet, styles: Styles, columns: dict[str, int], words: str, *, portrait: bool) -> None:
    set_page(sheet, _TITLE, "内部资料，妥善保管", portrait=portrait)
    sheet.fit_to_pages(1, 0)
    sheet.hide_gridlines(2)
    sheet.repeat_rows(2)
    sheet.freeze_panes(3, 0)
    for column, width in enumerate(columns.values()):
        sheet.set_column(column, column, width)
    sheet.set_row(0, 36)
    put_span(sheet, 0, 0, len(columns) - 1, _TITLE, styles.title(18))
    sheet.set_row(1, 22)
    put_span(sheet, 1, 0, len(columns) - 1, words, styles.get(font_size=12))
    sheet.set_row(2, 24)
    for column, heading in enumerate(columns):
        put_text(sheet, 2, column, heading, styles.head())


def _notes(
    sheet: Worksheet, styles: Styles, first: int, notes: Sequence[str], columns: dict[str, int]
) -> int:
    """What to do with the sheet, a line each; the row after the last."""
    width = sum(columns.values())
    for row, words in enumerate(notes, first):
        sheet.set_row(row, row_height((words, width)))
        put_span(sheet, row, 0, len(columns) - 1, words, styles.line(font_size=11))
    return first + len(notes)
