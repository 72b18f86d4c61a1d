"""From what stands in a cell to what the unit meant.

Patient where the meaning is plain (full-width digits, thousands separators, a unit typed behind the number, √ for 是), and
never silent: whatever was changed is told in a note. What can't be known is not guessed; it stays `Unclear`, and the unit is asked.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import unicodedata
from dataclasses import dataclass

from workflow.domain.days import day_of_serial, typed_day
from workflow.domain.form import Field, FieldType, Value
from workflow.domain.numerals import bare, typed_number
from workflow.domain.submission import LOST, CellError, RawValue


@dataclass(frozen=True, slots=True)
class Understood:
    """A value and, where it was not typed quite so, what was changed (Chinese; empty otherwise)."""

    value: Value
    note: str = ""


@dataclass(frozen=True, slots=True)
class Unclear:
    """What stands there is no value of the field's type; `code` names the finding in `domain.checks`."""

    code: str


_YES = frozenset("是 是的 有 √ ✓ ✔ ☑ 对 正确 y yes t true 1".split())
_NO = frozenset("否 不是 无 没有 没 × ✗ ✘ ✕ ╳ 错 x n no f false 0".split())
#: `☑是 □否`, `√是  否`: the box that is ticked.
_TICKED = re.compile(r"([√✓✔☑■●]?)([□☐○]?)(是|否|有|无)([√✓✔☑■●]?)([□☐○]?)")
_MOBILE = re.compile(r"(?:\+?86)?0?(1[3-9]\d{9})")
_LANDLINE = re.compile(r"(?:\+?86)?(010|02\d|0[3-9]\d{2})?(\d{7,8})(?:(?:转|ext\.?|x|#)(\d{1,6}))?")
#: An area code whose zero a number's cell has dropped; 400 and 800 numbers have none.
_NO_ZERO = re.compile(r"(?:\+?86)?(10|2\d|(?!400|800)[3-9]\d{2})(\d{7,8})")
_HOTLINE = re.compile(r"[48]00\d{7}")
_EMAIL = re.compile(r"[A-Za-z0-9._%+\-]+@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+")


def understand(field: Field, raw: RawValue | CellError) -> Understood | Unclear:
    """Read one cell by its field's type. A blank, and text of blanks only, is an understood None."""
    if isinstance(raw, CellError):
        return Unclear("not-found" if raw.code == LOST else "cell-error")
    if raw is None or (isinstance(raw, str) and not raw[:1].isalnum() and not bare(raw)):
        return Understood(None)
    return _READERS[field.type](field, raw)


def _read_as(typed: str, value: str) -> str:
    """The note on what was not typed quite so; '' where it was."""
    if typed == value:
        return ""
    return "已去掉首尾的空格和换行" if typed.strip() == value else f"“{_line(typed)}”按 {value} 读取"


def _line(typed: str) -> str:
    return " ".join(typed.split())


def _text(field: Field, raw: RawValue) -> Understood | Unclear:
    if isinstance(raw, str):
        kept = raw.strip("\u200b\ufeff \t\r\n\u3000\xa0").strip()
        if field.pattern and not re.fullmatch(field.pattern, kept, re.ASCII):
            # A code with full-width digits or blanks in it: mended only where the form itself says so.
            plain = re.sub(r"\s+", "", bare(kept))
            if re.fullmatch(field.pattern, plain):
                kept = plain
        return Understood(kept, _read_as(raw, kept))
    if isinstance(raw, bool):
        return Understood("是" if raw else "否")
    if isinstance(raw, int | float):
        return Understood(plain_number(raw))
    return Understood(_day_of(raw).isoformat() if isinstance(raw, dt.date) else str(raw))


def _number(field: Field, raw: RawValue) -> Understood | Unclear:
    if isinstance(raw, bool | dt.date | dt.time):
        return Unclear("not-a-number")
    signed = False
    if isinstance(raw, str):
        own = "" if field.type is FieldType.PERCENT and bare(field.unit) == "%" else field.unit
        read = typed_number(raw, own)
        if isinstance(read, str):
            return Unclear(read)
        number, signed, typed = read.number, read.percent, raw
        if signed and field.type is not FieldType.PERCENT and bare(field.unit) != "%":
            return Unclear("not-a-number")
    else:
        assert isinstance(raw, int | float)
        number, typed = raw, ""
    if not math.isfinite(number):
        return Unclear("not-a-number")
    if field.type is FieldType.PERCENT:
        return _percent(
            field, number, typed or plain_number(number), signed=signed, text=isinstance(raw, str)
        )
    note = _read_as(typed, plain_number(number)) if typed else ""
    if field.type is FieldType.INTEGER:
        return Understood(int(number), note) if number == int(number) else Unclear("not-an-integer")
    return Understood(_whole(number), note)


def _percent(field: Field, raw: int | float, typed: str, *, signed: bool, text: bool) -> Understood | Unclear:
    """A ratio up to 1 stands as it is, and so does what was typed with its sign; 85 is 85% and said so. Where both
    readings are possible (150% and 1.5% in a field that goes to 200%, the text 1) the unit is asked; what is above
    100 stays for the range to judge, if there is one.
    """
    most = field.maximum if isinstance(field.maximum, int | float) else None
    if signed:
        value: int | float = round(raw / 100, 12)
    elif (text and raw == 1) or (1 < raw <= (most or 1)) or (raw > 100 and most is None):
        return Unclear("percent-unclear")
    else:
        value = raw / 100 if 1 < raw <= 100 else raw
    if signed or value != raw:
        return Understood(value, f"“{_line(typed)}”按 {plain_number(round(value * 100, 10))}% 读取")
    return Understood(value, _read_as(typed, plain_number(value)))


def _whole(number: int | float) -> int | float:
    """A whole number as an int, as far as a float holds each of them."""
    return int(number) if abs(number) < 1e15 and number == int(number) else number


def _date(_field: Field, raw: RawValue) -> Understood | Unclear:
    if isinstance(raw, dt.date):
        return Understood(_day_of(raw))
    if not isinstance(raw, str | int | float) or isinstance(raw, bool):
        return Unclear("not-a-date")
    if isinstance(raw, int | float):
        if not math.isfinite(raw) or raw != int(raw):
            return Unclear("not-a-date")
        typed = plain_number(raw)
    else:
        typed = bare(raw)
    if re.fullmatch(r"\d{5}", typed) and (day := day_of_serial(int(typed), since_1904=False)):
        return Understood(day, f"日期序号 {typed} 按 {day.isoformat()} 读取")
    found = typed_day(typed)
    if found is None:
        return Unclear("not-a-date")
    shown_as = str(raw).strip() if isinstance(raw, str) else typed
    return Understood(
        found, "" if shown_as == found.isoformat() else f"“{_line(shown_as)}”按 {found.isoformat()} 读取"
    )


def _day_of(moment: dt.date) -> dt.date:
    return moment.date() if isinstance(moment, dt.datetime) else moment


def _yes_no(_field: Field, raw: RawValue) -> Understood | Unclear:
    if isinstance(raw, bool):
        return Understood(raw)
    text = plain_number(raw) if isinstance(raw, int | float) else str(raw)
    word = bare(text).lower().strip("。.!，,;；“”\"'()")
    value = word in _YES
    if not value and word not in _NO:
        ticked = _ticked(word)
        if ticked is None:
            return Unclear("not-yes-or-no")
        value = ticked
    note = "" if text.strip() in {"是", "否"} else f"“{_line(text)}”按“{'是' if value else '否'}”读取"
    return Understood(value, note)


def _ticked(word: str) -> bool | None:
    """Which of two words has the only tick; None where none or both have it, or other words stand there."""
    words = "".join(word.split())
    boxes = list(_TICKED.finditer(words))
    if "".join(box[0] for box in boxes) != words or len(boxes) > 2:
        return None
    chosen = [box[3] for box in boxes for tick in (box[1], box[4]) if tick]
    return chosen[0] in "是有" if len(chosen) == 1 else None


def _choice(field: Field, raw: RawValue) -> Understood | Unclear:
    text = plain_number(raw) if isinstance(raw, int | float) and not isinstance(raw, bool) else str(raw)
    typed = text.strip()
    if typed in field.choices:
        return Understood(typed, _read_as(text, typed))
    words = _words(typed)
    alike = [choice for choice in field.choices if words and _words(choice) == words]
    if len(alike) == 1:
        return Understood(alike[0], f"“{_line(typed)}”按“{alike[0]}”读取")
    return Unclear("not-a-choice")


def _words(text: str) -> str:
    """A choice's words without punctuation and blanks, for telling what differs by them only. Signs that change the
    meaning stay: `<`, `≥`, `+`, `%` and the point of a decimal.
    """
    folded = re.sub(r"(?<=\d)\.(?=\d)", "·", bare(text).lower()).replace("~", "")
    return "".join(
        char
        for char in folded
        if char in "·%" or unicodedata.category(char)[0] in "LN" or unicodedata.category(char) == "Sm"
    )


def _phone(_field: Field, raw: RawValue) -> Understood | Unclear:
    typed = plain_number(raw) if isinstance(raw, int | float) and not isinstance(raw, bool) else str(raw)
    text = re.sub(r"[\s\-()—–‐_]", "", bare(typed))
    if mobile := _MOBILE.fullmatch(text):
        kept = mobile[1]
    elif landline := _LANDLINE.fullmatch(text):
        area, number, extension = landline.groups()
        kept = "-".join(part for part in (area, number, extension) if part)
    elif _HOTLINE.fullmatch(text):
        kept = f"{text[:3]}-{text[3:6]}-{text[6:]}"
    elif short := _NO_ZERO.fullmatch(text):
        kept = f"0{short[1]}-{short[2]}"
        return Understood(kept, f"“{_line(typed)}”缺区号首位的0，按 {kept} 读取")
    else:
        return Unclear("not-a-phone")
    return Understood(kept, _read_as(typed, kept))


def _email(_field: Field, raw: RawValue) -> Understood | Unclear:
    typed = str(raw)
    text = re.sub(r"\s*([@.])\s*", r"\1", bare(typed).replace("。", "."))
    text = re.sub(r"(?i)^mailto:", "", text)
    if not _EMAIL.fullmatch(text):
        return Unclear("not-an-email")
    return Understood(text, _read_as(typed, text))


_READERS = {
    FieldType.TEXT: _text,
    FieldType.INTEGER: _number,
    FieldType.DECIMAL: _number,
    FieldType.PERCENT: _number,
    FieldType.DATE: _date,
    FieldType.YES_NO: _yes_no,
    FieldType.CHOICE: _choice,
    FieldType.PHONE: _phone,
    FieldType.EMAIL: _email,
}


def plain_number(number: int | float) -> str:
    """A number as a person would type it: no exponent, no `.0` behind a whole number."""
    number = _whole(number)
    return format(number, ".15g") if isinstance(number, float) else str(number)


def shown(value: Value | CellError | dt.datetime | dt.time) -> str:
    """A value in words for a letter or a findings list."""
    if value is None:
        return "（空）"
    if isinstance(value, CellError):
        return value.code
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, int | float):
        return plain_number(value)
    return str(value)
