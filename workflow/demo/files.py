"""The files that people attach instead of the workbook that they were asked for."""

from __future__ import annotations

import io
import zipfile

import openpyxl
import segno
from msoffcrypto.format.ooxml import OOXMLFile
from PIL import Image, ImageDraw

from workflow.adapters.workbook.identity import HIDDEN_SHEET
from workflow.demo.people import Behaviour
from workflow.domain.message import Attachment
from workflow.domain.receipt import receipt_code
from workflow.domain.roster import Role
from workflow.domain.submission import AttachmentOutcome


def photo() -> bytes:
    """As much of a JPEG as anybody looks at: a photo of a screen."""
    head = bytes.fromhex("ffd8ffe000104a46494600010100000100010000")
    return head + bytes(range(256)) * 48 + b"\xff\xd9"


def encrypted(data: bytes) -> bytes:
    """The workbook with a password to open it."""
    target = io.BytesIO()
    OOXMLFile(io.BytesIO(data)).encrypt("jiaoyu2026", target)
    return target.getvalue()


def with_macro(data: bytes) -> bytes:
    """The workbook with a macro project in it, as an .xlsm has."""
    target = io.BytesIO(data)
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504))
    return target.getvalue()


def unrelated() -> bytes:
    """A workbook of some other business."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["值班表", "", ""], ["日期", "值班人", "电话"], ["2027年元旦", "值班室", "0371-55550000"]):
        sheet.append(row)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def filled_receipt(data: bytes) -> bytes:
    """The electronic copy of 附件2 with what is left to fill in: the date, and that nobody has changed."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    for sheet in book.worksheets:
        for row in sheet.iter_rows() if sheet.sheet_state == "visible" else ():
            for cell in row:
                if str(cell.value or "").startswith("填表日期"):
                    cell.value = "填表日期：2026年12月18日"
            role = row[0].value
            if role in set(Role) and row[2].value is None:
                row[2].value = "否"
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def sealed_page(form: bytes, kind: str = "JPEG") -> bytes:
    """The printed form as a scanner sees it, as JPEG or PDF: its code, lines where the table is, and a red seal. What is
    written in it is left to people's eyes.
    """
    book = openpyxl.load_workbook(io.BytesIO(form))
    said = {str(key): str(value) for key, value in book[HIDDEN_SHEET].iter_rows(max_col=2, values_only=True)}
    code = segno.make(receipt_code(*(said[key] for key in ("campaign", "unit", "token"))), micro=False)
    picture = io.BytesIO()
    code.save(picture, kind="png", scale=6, border=0)
    page = Image.new("RGB", (1754, 1240), "white")
    draw = ImageDraw.Draw(page)
    for line in range(4):
        draw.line((100, 420 + 90 * line, 1650, 420 + 90 * line), fill="black", width=3)
    draw.ellipse((300, 180, 540, 420), outline=(210, 40, 40), width=8)
    page.paste(Image.open(picture).convert("RGB").resize((250, 250), Image.Resampling.BOX), (1380, 880))
    target = io.BytesIO()
    page.save(target, kind, quality=85, resolution=150)
    return target.getvalue()


def instead(behaviour: Behaviour, book: Attachment) -> tuple[str, bytes, AttachmentOutcome]:
    """What comes instead of the filled workbook, and where it must end."""
    match behaviour:
        case Behaviour.ENCRYPTED:
            return book.name, encrypted(book.data), AttachmentOutcome.ENCRYPTED
        case Behaviour.MACRO:
            return book.name.replace(".xlsx", ".xlsm"), with_macro(book.data), AttachmentOutcome.MACRO
        case Behaviour.UNRELATED:
            return "值班表.xlsx", unrelated(), AttachmentOutcome.FOREIGN
        case _:
            return "IMG_1226.jpg", photo(), AttachmentOutcome.UNSUPPORTED
