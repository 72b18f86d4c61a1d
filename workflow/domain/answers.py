"""From what stands in a cell to what the unit meant.

Patient where the meaning is plain (full-width digits, thousands separators, a unit typed behind the number, √ for 是), and
never silent: whatever was changed is told in a note. What can't be known is not guessed; it stays `Unclear`.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import unicodedata
from dataclasses import dataclass

from workflow.domain.form import Field, FieldType, Value
from workflow.domain.submission import CellError, RawValue


@dataclass(frozen=True, slots=True)
class Understood:
    """A value and, where it was not typed quite so, what was changed (Chinese; empty otherwise)."""

    value: Value
    note: str = ""


@dataclass(frozen=True, slots=True)
class Unclear:
    """What stands there is no value of the field's type; `code` names the finding in `domain.checks`."""

    code: str


_YES = frozenset({"是", "有", "√", "✓", "✔", "对", "y", "yes", "true", "1"})
_NO = frozenset({"否", "无", "没有", "×", "✗", "✘", "x", "n", "no", "false", "0"})
_NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|[+-]?\.\d+")
_CHINESE_DATE = re.compile(
    r"(\d{4})\s*[年./\-]\s*(\d{1,2})\s*[月./\-]\s*(\d{1,2})\s*日?(?:\s+0?0:00(?::00)?)?"
)
_COMPACT_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})")
_MOBILE = re.compile(r"(?:\+?86)?(1[3-9]\d{9})")
_LANDLINE = re.compile(r"(?:\+?86)?(010|02\d|0[3-9]\d{2})?(\d{7,8})(?:(?:转|ext\.?|x|#)(\d{1,6}))?")
_EMAIL = re.compile(r"[A-Za-z0-9._%+\-]+@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+")
_EXCEL_EPOCH = dt.date(1899, 12, 30)
_SERIAL_DAYS = range(20000, 80000)  # 1954 to 2119: what a date cell without its format shows


def understand(field: Field, raw: RawValue | CellError) -> Understood | Unclear:
    """Read one cell by its field's type. A blank, and text of blanks only, is an understood None."""
    if isinstance(raw, CellError):
        return Unclear("cell-error")
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return Understood(None)
    return _READERS[field.type](field, raw)


def _text(_field: Field, raw: RawValue) -> Understood | Unclear:
    if isinstance(raw, str):
        kept = raw.strip()
        return Understood(kept)
    if isinstance(raw, bool):
        return Understood("是" if raw else "否")
    if isinstance(raw, int | float):
        return Understood(plain_number(raw))
    return Understood(_day_of(raw).isoformat() if isinstance(raw, dt.date) else str(raw))


def _number(field: Field, raw: RawValue) -> Understood | Unclear:
    if isinstance(raw, bool | dt.date | dt.time):
        return Unclear("not-a-number")
    number, signed = _typed_number(field, raw) if isinstance(raw, str) else (raw, False)
    if number is None or not math.isfinite(number):
        return Unclear("not-a-number")
    typed = raw.strip() if isinstance(raw, str) else plain_number(number)
    if field.type is FieldType.PERCENT:
        return _percent(number, typed, signed=signed)
    note = "" if typed == plain_number(number) else f"“{typed}”按 {plain_number(number)} 读取"
    if field.type is FieldType.INTEGER:
        return Understood(int(number), note) if number == int(number) else Unclear("not-an-integer")
    return Understood(_whole(number), note)


def _percent(raw: int | float, typed: str, *, signed: bool) -> Understood:
    """A ratio up to 1 stands as it is, and so does what was typed with its sign; 85 is 85% and said so. What is
    above 100 nobody can know: it stays for the range to judge.
    """
    value = raw / 100 if 1 < raw <= 100 and not signed else raw
    if signed or value != raw:
        return Understood(value, f"“{typed}”按 {plain_number(round(value * 100, 10))}% 读取")
    return Understood(
        value, "" if typed == plain_number(value) else f"“{typed}”按 {plain_number(value)} 读取"
    )


def _typed_number(field: Field, raw: str) -> tuple[int | float | None, bool]:
    """The number that a text says, and whether it was typed with a percent sign; None when it says none."""
    text = unicodedata.normalize("NFKC", raw).strip().replace(" ", "")
    unit = unicodedata.normalize("NFKC", field.unit).lower()
    signed = text.endswith("%") and field.type is FieldType.PERCENT
    if signed:
        text = text[:-1]
    elif unit and text.lower().endswith(unit):
        text = text[: -len(unit)]
    if not _NUMBER.fullmatch(text):
        return None, False
    number = float(text.replace(",", ""))
    return round(number / 100, 12) if signed else _whole(number), signed


def _whole(number: int | float) -> int | float:
    """A whole number as an int, as far as a float holds each of them."""
    return int(number) if abs(number) < 1e15 and number == int(number) else number


def _date(_field: Field, raw: RawValue) -> Understood | Unclear:
    if isinstance(raw, dt.date):
        return Understood(_day_of(raw))
    if isinstance(raw, bool | dt.time):
        return Unclear("not-a-date")
    if isinstance(raw, int | float):
        if raw in _SERIAL_DAYS:
            day = _EXCEL_EPOCH + dt.timedelta(days=int(raw))
            return Understood(day, f"日期序号 {int(raw)} 按 {day.isoformat()} 读取")
        raw = plain_number(raw)
    assert isinstance(raw, str)
    text = unicodedata.normalize("NFKC", raw).strip()
    match = _CHINESE_DATE.fullmatch(text) or _COMPACT_DATE.fullmatch(text)
    if match is None:
        return Unclear("not-a-date")
    try:
        day = dt.date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return Unclear("not-a-date")
    return Understood(day, "" if text == day.isoformat() else f"“{raw.strip()}”按 {day.isoformat()} 读取")


def _day_of(moment: dt.date) -> dt.date:
    return moment.date() if isinstance(moment, dt.datetime) else moment


def _yes_no(_field: Field, raw: RawValue) -> Understood | Unclear:
    if isinstance(raw, bool):
        return Understood(raw)
    text = plain_number(raw) if isinstance(raw, int | float) else str(raw)
    word = unicodedata.normalize("NFKC", text).strip().lower()
    if word not in _YES and word not in _NO:
        return Unclear("not-yes-or-no")
    value = word in _YES
    note = "" if word in {"是", "否"} else f"“{text.strip()}”按“{'是' if value else '否'}”读取"
    return Understood(value, note)


def _choice(field: Field, raw: RawValue) -> Understood | Unclear:
    text = plain_number(raw) if isinstance(raw, int | float) and not isinstance(raw, bool) else str(raw)
    typed = text.strip()
    if typed in field.choices:
        return Understood(typed)
    alike = [choice for choice in field.choices if _bare(choice) == _bare(typed)]
    if len(alike) == 1:
        return Understood(alike[0], f"“{typed}”按“{alike[0]}”读取")
    return Unclear("not-a-choice")


def _bare(text: str) -> str:
    """A choice's words without punctuation and blanks, for telling what differs by them only."""
    folded = unicodedata.normalize("NFKC", text).lower()
    return "".join(char for char in folded if unicodedata.category(char)[0] in "LN")


def _phone(_field: Field, raw: RawValue) -> Understood | Unclear:
    typed = (
        plain_number(raw) if isinstance(raw, int | float) and not isinstance(raw, bool) else str(raw).strip()
    )
    text = re.sub(r"[\s\-()]", "", unicodedata.normalize("NFKC", typed).replace("—", "-").replace("－", "-"))
    if mobile := _MOBILE.fullmatch(text):
        kept = mobile[1]
    elif landline := _LANDLINE.fullmatch(text):
        area, number, extension = landline.groups()
        kept = "-".join(part for part in (area, number, extension) if part)
    else:
        return Unclear("not-a-phone")
    return Understood(kept, "" if kept == typed else f"“{typed}”按 {kept} 读取")


def _email(_field: Field, raw: RawValue) -> Understood | Unclear:
    typed = str(raw).strip()
    text = unicodedata.normalize("NFKC", typed)
    if not _EMAIL.fullmatch(text):
        return Unclear("not-an-email")
    return Understood(text, "" if text == typed else f"“{typed}”按 {text} 读取")


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
