"""How values are put into words: the filters of the letters' templates, and what a template may be given."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from workflow.domain.errors import Fault, Refused

_SHANGHAI_OFFSET = timedelta(hours=8)
_LINE_WIDTH = 28
"""Full-width characters to a line, as GB/T 9704—2012 lays out a page."""
_SIGNATURE_INDENT = 2
_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A letter ready to be put into a message: a subject of one line, the plain text and the HTML page."""

    subject: str
    text: str
    html: str


def day(value: object) -> str:
    """Write a date as 2027年1月5日. Raises TypeError on anything but a date or datetime."""
    if not isinstance(value, date):
        raise TypeError(f"“{value}”不是日期")
    return f"{value.year}年{value.month}月{value.day}日"


def moment(value: object) -> str:
    """Write a time as 2027年1月5日9时30分; midnight is 24时 of the day before, since a day ends at 24:00.

    Raises TypeError on anything but a datetime, ValueError on one that is not in Shanghai time (UTC+8).
    """
    if not isinstance(value, datetime):
        raise TypeError(f"“{value}”不是时间")
    if value.utcoffset() != _SHANGHAI_OFFSET:
        raise ValueError(f"“{value.isoformat()}”不是北京时间")
    if (value.hour, value.minute) == (0, 0):
        return f"{day(value - timedelta(days=1))}24时"
    minutes = f"{value.minute:02d}分" if value.minute else ""
    return f"{day(value)}{value.hour}时{minutes}"


def until(start: object, end: object) -> str:
    """Write a span of days without saying twice what both share: 2027年1月1日至5日."""
    if not isinstance(start, date) or not isinstance(end, date):
        raise TypeError(f"“{start}”至“{end}”不是日期")
    if (start.year, start.month, start.day) == (end.year, end.month, end.day):
        return day(start)
    if (start.year, start.month) == (end.year, end.month):
        return f"{day(start)}至{end.day}日"
    if start.year == end.year:
        return f"{day(start)}至{end.month}月{end.day}日"
    return f"{day(start)}至{day(end)}"


def short(value: object, length: int = 60) -> str:
    """Cut what a unit typed to `length` characters, with …… where something was left out."""
    words = str(value)
    return words if len(words) <= length else words[:length] + "……"


def centred(words: str) -> str:
    """Centre a line by full-width spaces; a line as wide as the page or wider stays as it is."""
    return "　" * max(0, round((_LINE_WIDTH - _width(words)) / 2)) + words


def flush_right(words: str) -> str:
    """Move a line to the right by full-width spaces, two short of the margin as a 署名 stands."""
    return "　" * max(0, round(_LINE_WIDTH - _SIGNATURE_INDENT - _width(words))) + words


def _width(words: str) -> float:
    return sum(1.0 if unicodedata.east_asian_width(char) in "FWA" else 0.5 for char in words)


def one_line(words: str) -> str:
    """Words on one line, without control or direction marks: they can start no header and hide no text."""
    if words.isalnum():
        return words  # as most names and numbers are
    if not words.isprintable():  # most are, and need no look at each sign
        words = "".join(_harmless(char) for char in words)
    return " ".join(words.split())


def _harmless(char: str) -> str:
    if char in _BIDI_CONTROLS:
        return ""
    if "\ud800" <= char <= "\udfff":  # half a character, which no charset of mail can carry
        return "\ufffd"
    return " " if unicodedata.category(char) == "Cc" else char


def plain(value: object, where: str) -> object:
    """A value as templates may use it: no object that brings its own markup, no line breaks, None as ''."""
    if value is None:
        return ""
    if isinstance(value, str):
        return one_line(str.__str__(value))
    if isinstance(value, (bool, int, float, Decimal, date)):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return [plain(item, where) for item in value]
    raise Refused(Fault(where, f"信函中不能使用 {type(value).__name__} 类型的值"))
