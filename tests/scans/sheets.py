"""Filled-in forms: the real one printed blank by LibreOffice once, then invented people drawn into its cells."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pypdfium2 as pdfium
import segno
from PIL import Image, ImageDraw, ImageFont

from workflow.adapters.scan.geometry import ACROSS, CODE, PLACES, UPRIGHT
from workflow.adapters.workbook.receipt import stamp_receipt
from workflow.domain.receipt import Cell, Column, Entry, ReceiptAnswers, asked_cells, receipt_code
from workflow.domain.roster import Contact, Role, Unit, UnitKind

DPI = 300
MM = DPI / 25.4
#: The table's upper left corner on the sheet, in mm.
ORIGIN = (10.8, 62.7)
CAMPAIGN = "2026Q4"

_NOTO = Path("/usr/share/fonts/opentype/noto")
#: Faces that stand in for 宋体 and 黑体; the last two are what LibreOffice takes here.
FACES = (
    (_NOTO / "NotoSerifCJK-Regular.ttc", _NOTO / "NotoSerifCJK-Regular.ttc"),
    (_NOTO / "NotoSansCJK-Regular.ttc", _NOTO / "NotoSansCJK-Regular.ttc"),
    (_NOTO / "NotoSansCJK-Regular.ttc", Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")),
)
_SIMPLIFIED = 2

_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
_GIVEN = "伟芳娜敏静强磊军洋勇艳杰涛明超霞平刚桂英华文玉志建国海燕春红兰凤云晓东鹏飞宇浩然子轩欣怡雨桐一诺"
_PLACES = "郑州 开封 洛阳 平顶山 安阳 鹤壁 新乡 焦作 濮阳 许昌 漯河 三门峡 南阳 商丘 信阳 周口 驻马店".split()
_OFFICES = (
    "科学技术与信息化处",
    "电化教育馆",
    "信息中心",
    "办公室",
    "基础教育科",
    "网络与信息化管理中心",
    "教育技术科",
)
_SOUNDS = "wang li zhang liu chen yang zhao huang zhou wu xu sun hu zhu gao lin he guo ma luo admin office xxzx dianjiao".split()


@dataclass(frozen=True)
class Sheet:
    """A filled-in form: whose, with which token, and the truth about its cells."""

    unit: Unit
    token: str
    answers: ReceiptAnswers

    @property
    def code(self) -> str:
        return receipt_code(CAMPAIGN, self.unit.code, self.token)


def invent(chance: random.Random, kind: UnitKind = UnitKind.CITY) -> Sheet:
    """A form on fields drawn at random: invented people, addresses under example.org."""
    place = chance.choice(_PLACES)
    endings = {UnitKind.CITY: "市教育局", UnitKind.UNIVERSITY: "示例大学"}
    name = place + endings.get(kind, "示例中等专业学校")
    unit = Unit(f"41{chance.randrange(10**8):08d}", name, kind, "410000")
    cells: dict[Cell, Entry] = {}
    for role, column in asked_cells(kind):
        cells[role, column] = Entry(_drawn(chance, column, unit))
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    token = "HZ-" + "".join(chance.choice(alphabet) for _ in range(17))
    return Sheet(unit, token, ReceiptAnswers(cells))


def _drawn(chance: random.Random, column: Column, unit: Unit) -> str:
    match column:
        case Column.NAME:
            return chance.choice(_SURNAMES) + "".join(chance.choices(_GIVEN, k=chance.choice((1, 2, 2, 2))))
        case Column.CHANGED:
            return chance.choice("是否")
        case Column.UNIT:
            return unit.name
        case Column.OFFICE:
            return chance.choice(_OFFICES)
        case Column.PHONE:
            return f"0{chance.choice((371, 379, 377, 391))}-{chance.randrange(2, 9)}{chance.randrange(10**7):07d}"
        case Column.MOBILE:
            return f"13{chance.randrange(10)}{chance.randrange(10**8):08d}"
    joint = chance.choice(("", "_", ".", "-", "_"))
    who = (
        chance.choice(_SOUNDS)
        + joint
        + chance.choice(_SOUNDS)
        + str(chance.randrange(10 ** chance.randrange(1, 5)))
    )
    return f"{who}@{chance.choice(('example.org', 'jyj.example.org', 'edu.example.org', 'mail.example.org'))}"


def with_altered_digit(sheet: Sheet, chance: random.Random) -> tuple[Cell, ReceiptAnswers]:
    """The answers with one digit made another, and the cell that it is in: the electronic copy after the seal."""
    places = [
        (cell, place)
        for cell, entry in sheet.answers.cells.items()
        for place, sign in enumerate(entry.text)
        if sign.isdecimal()
    ]
    cell, place = chance.choice(places)
    text = sheet.answers.text(cell)
    other = chance.choice([digit for digit in "0123456789" if digit != text[place]])
    altered = text[:place] + other + text[place + 1 :]
    return cell, replace(sheet.answers, cells={**sheet.answers.cells, cell: Entry(altered)})


def contacts(sheet: Sheet) -> tuple[Contact, ...]:
    """The people on the form, as `stamp_receipt` takes them."""
    text = sheet.answers.text
    return tuple(
        Contact(
            sheet.unit.code,
            role,
            text((role, Column.NAME)),
            text((role, Column.OFFICE)),
            text((role, Column.PHONE)),
            text((role, Column.MOBILE)),
            text((role, Column.EMAIL)),
        )
        for role in Role
        if text((role, Column.NAME))
    )


def printed(workbook: bytes, office: Callable[[Path, str, Path], Path], folder: Path) -> Image.Image:
    """A workbook's first page as LibreOffice prints it, at `DPI`."""
    source = folder / "receipt.xlsx"
    source.write_bytes(workbook)
    document = pdfium.PdfDocument(office(source, "pdf", folder / "printed"))
    page = document[0].render(scale=DPI / 72).to_pil().convert("RGB")
    document.close()
    return page


def blank(kind: UnitKind, office: Callable[[Path, str, Path], Path], folder: Path) -> Image.Image:
    """The form of a unit of this kind, nameless and without its code."""
    nameless = Unit("000000", "", kind, "410000")
    page = printed(stamp_receipt(nameless, CAMPAIGN, "HZ-" + "A" * 17), office, folder)
    left, top = _pixel(CODE[0])
    ImageDraw.Draw(page).rectangle((left - 110, top - 30, page.width, page.height), fill="white")
    return page


def filled(page: Image.Image, sheet: Sheet, face: int = 0) -> Image.Image:
    """A blank form with the sheet's answers printed into it."""
    image = page.copy()
    draw = ImageDraw.Draw(image)
    words, latin = FACES[face % len(FACES)]
    draw.text(_pixel((58.0, -18.6)), sheet.unit.name, font=_font(words, 12), fill=(20, 20, 20))
    for cell, place in PLACES.items():
        text = sheet.answers.text(cell)
        if not text:
            continue
        left, top = _pixel((UPRIGHT[place.column], ACROSS[place.row]))
        right, bottom = _pixel((UPRIGHT[place.column + 1], ACROSS[place.row + 1]))
        font = _font(latin if text.isascii() else words, 9.5 if cell[1] is Column.EMAIL else 10.5)
        _centre(draw, text, font, (left, top, right, bottom))
    _place_code(image, sheet.code)
    return image


def _centre(
    draw: ImageDraw.ImageDraw, text: str, font: ImageFont.FreeTypeFont, box: tuple[int, int, int, int]
) -> None:
    """Text in the middle of a cell, broken wherever the line is full, as spreadsheets break it."""
    left, top, right, bottom = box
    lines = [""]
    for sign in text:
        if font.getlength(lines[-1] + sign) > right - left - 1.2 * MM:
            lines.append("")
        lines[-1] += sign
    high = sum(font.getmetrics()) * 0.95
    y = (top + bottom - high * len(lines)) / 2
    for line in lines:
        draw.text(((left + right - font.getlength(line)) / 2, y), line, font=font, fill=(15, 15, 15))
        y += high


def _place_code(image: Image.Image, content: str) -> None:
    code = segno.make(content, mode="alphanumeric", error="m", boost_error=False, micro=False)
    target = io.BytesIO()
    code.save(target, kind="png", scale=12, border=0)
    left, top = _pixel(CODE[0])
    right, bottom = _pixel(CODE[2])
    picture = Image.open(target).convert("RGB").resize((right - left, bottom - top), Image.Resampling.BOX)
    image.paste(picture, (left, top))


def _pixel(point: tuple[float, float]) -> tuple[int, int]:
    return round((point[0] + ORIGIN[0]) * MM), round((point[1] + ORIGIN[1]) * MM)


@cache
def _font(path: Path, points: float) -> ImageFont.FreeTypeFont:
    index = _SIMPLIFIED if path.suffix == ".ttc" else 0
    return ImageFont.truetype(str(path), round(points / 72 * DPI), index=index)


def as_array(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB"))


def truths(sheet: Sheet) -> Mapping[Cell, str]:
    return {cell: entry.text for cell, entry in sheet.answers.cells.items()}
