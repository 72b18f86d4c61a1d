"""Days as people type them: `2019年11月1日`, `2019.11.1`, `二〇一九年十一月一日`, `20191101`, and serial numbers of either date system."""

from __future__ import annotations

import datetime as dt
import re

from workflow.domain.numerals import bare

_EPOCH = dt.date(1899, 12, 30)
#: What a workbook that counts from 1904 is behind: its day 0 is day 1462 of the others.
DAYS_TO_1904 = 1462
#: 1954 to 2119: a number outside is no day that a form asks for.
_SURE = range(20_000, 80_000)
_CLOCK = r"(?:[\sT]*\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?"
_TYPED = re.compile(r"(\d{4})\s*([年./\-、])\s*(\d{1,2})\s*([月./\-、])\s*(\d{1,2})\s*日?" + _CLOCK)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_DIGITS = {char: str(at) for at, char in enumerate("〇一二三四五六七八九")} | {"零": "0", "○": "0", "O": "0"}
_IN_WORDS = re.compile(
    r"([〇零○O一二三四五六七八九]{4})年([一二三四五六七八九十]{1,3})月([一二三四五六七八九十]{1,3})日?"
)


def day_of_serial(serial: int | float, *, since_1904: bool) -> dt.date | None:
    """The day of a serial number, its time of day dropped; None where no form can mean it."""
    days = int(serial) + (DAYS_TO_1904 if since_1904 else 0)
    return _EPOCH + dt.timedelta(days=days) if days in _SURE else None


def typed_day(text: str) -> dt.date | None:
    """The day that a text spells with its year in full, else None: two digits may be any of three orders."""
    words = bare(text)
    if spelled := _IN_WORDS.fullmatch(words):
        year, month, day = (
            "".join(_DIGITS[char] for char in spelled[1]),
            _in_words(spelled[2]),
            _in_words(spelled[3]),
        )
    elif typed := _TYPED.fullmatch(words):
        year, month, day = typed[1], int(typed[3]), int(typed[5])
    elif packed := _COMPACT.fullmatch(words):
        year, month, day = packed[1], int(packed[2]), int(packed[3])
    else:
        return None
    try:
        return dt.date(int(year), month, day)
    except ValueError:
        return None


def _in_words(number: str) -> int:
    """一 to 三十一; 0 for what is no such number."""
    tens, ten, ones = number.rpartition("十")
    if not ten:
        return int(_DIGITS[number]) if number in _DIGITS else 0
    if (tens and tens not in _DIGITS) or (ones and ones not in _DIGITS):
        return 0
    return int(_DIGITS[tens] if tens else 1) * 10 + int(_DIGITS[ones] if ones else 0)
