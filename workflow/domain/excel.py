"""Values as a spreadsheet sees them: what an answer is in its cell, and how Excel turns, compares and rounds.

Inside a formula there are numbers (floats, dates among them as serial numbers), texts, TRUE and FALSE, blanks
(None) and errors. A 是否 answer is the text 是 or 否, because that is what stands in the cell.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from decimal import ROUND_HALF_UP, Context, Decimal
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workflow.domain.form import Value


class ExcelError(Enum):
    """Why a formula has no value."""

    DIV0 = "#DIV/0!"
    VALUE = "#VALUE!"
    NUM = "#NUM!"
    #: 上期() of a field without a last reported value. Not Excel's: no function catches or counts it.
    NO_PREVIOUS = "#上期!"


NO_PREVIOUS = ExcelError.NO_PREVIOUS
Filled = float | str | bool
Result = Filled | ExcelError | None

YES, NO = "是", "否"
#: Below this part of its operand a difference is the dust of binary fractions, and is 0 (as in LibreOffice).
DUST = 2.0**-48
_DECIMAL = Context(prec=40, rounding=ROUND_HALF_UP)
_EPOCH, _MARCH_1900 = dt.date(1899, 12, 30), dt.date(1900, 3, 1)
_DAY = 86400


def from_answer(value: Value) -> Result:
    """What stands in the cell of an answer. An empty text is a blank; a number beyond a double is #NUM!."""
    if value is None:
        return None
    if isinstance(value, bool):
        return YES if value else NO
    if isinstance(value, (int, float)):
        try:
            return checked(float(value))
        except OverflowError:
            return ExcelError.NUM
    if isinstance(value, str):
        return value or None
    return serial(value)


def serial(day: dt.date) -> float:
    """The serial number of a date, or of a date and time; 1 is 1900-01-01, and 29 February 1900 counts."""
    clock = 0.0
    if isinstance(day, dt.datetime):
        clock = (day.hour * 3600 + day.minute * 60 + day.second + day.microsecond / 1e6) / _DAY
        day = day.date()
    return (day - _EPOCH).days - (day < _MARCH_1900) + clock


_NUMERIC = re.compile(
    r"([+-]?(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|[+-]?\.[0-9]+)(%?)"
)
_DATE = re.compile(r"([0-9]{4})(?:([-/])([0-9]{1,2})\2([0-9]{1,2})|年([0-9]{1,2})月([0-9]{1,2})日)")


def numeric(text: str) -> float | None:
    """The number that a text spells (`3`, `-1.5`, `1,234`, `85%`, `2026-12-31`), or None."""
    text = text.strip()
    if found := _NUMERIC.fullmatch(text):
        value = float(found[1].replace(",", "")) / (100 if found[2] else 1)
        return value if math.isfinite(value) else None
    if found := _DATE.fullmatch(text):
        year, month, day = int(found[1]), int(found[3] or found[5]), int(found[4] or found[6])
        try:
            return serial(dt.date(year, month, day)) if year >= 1900 else None
        except ValueError:
            return None
    return None


def to_number(value: Result) -> float | ExcelError:
    """A value where a number is needed: a blank is 0, TRUE 1; a text is read, or is #VALUE!."""
    if isinstance(value, (float, ExcelError)):
        return value
    if value is None:
        return 0.0
    if isinstance(value, bool):
        return 1.0 if value else 0.0
    number = numeric(value)
    return ExcelError.VALUE if number is None else number


def to_logical(value: Result) -> bool | ExcelError:
    """A value where TRUE or FALSE is needed; of the texts only `TRUE` and `FALSE` are."""
    if isinstance(value, bool | ExcelError):
        return value
    if isinstance(value, float):
        return value != 0
    if value is None:
        return False
    word = value.upper()
    return word == "TRUE" if word in {"TRUE", "FALSE"} else ExcelError.VALUE


def to_text(value: Result) -> str | ExcelError:
    """A value where a text is needed; a number shows up to 15 digits as under the format 常规."""
    if isinstance(value, str | ExcelError):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return _general(value)


def _general(value: float) -> str:
    number = Decimal(f"{value:.15g}").normalize(_DECIMAL)
    if not number:
        return "0"
    plain = f"{number:f}"
    if number.adjusted() < 21 and len(plain.lstrip("-")) <= 21:
        return plain
    mantissa, _, power = f"{number:E}".partition("E")
    return f"{mantissa}E{int(power):+03d}"


def compare(left: Filled | None, right: Filled | None) -> int:
    """-1, 0 or 1. Number < text < logical; a blank is of the other's kind; texts without case.

    Texts are put in order by code point: Excel's own order depends on the language it runs in.
    """
    if left is None:
        left = _blank_as(right)
    if right is None:
        right = _blank_as(left)
    if isinstance(left, float) and isinstance(right, float):
        return order(left, right)
    if isinstance(left, str) and isinstance(right, str):
        first, second = left.casefold(), right.casefold()
        return (first > second) - (first < second)
    if isinstance(left, bool) and isinstance(right, bool):
        return left - right
    return 1 if _kind(left) > _kind(right) else -1


def _blank_as(other: Filled | None) -> Filled:
    if isinstance(other, bool):
        return False
    return "" if isinstance(other, str) else 0.0


def _kind(value: Filled) -> int:
    if isinstance(value, bool):
        return 2
    return 1 if isinstance(value, str) else 0


def order(left: float, right: float) -> int:
    """-1, 0 or 1 after both numbers are rounded to 15 significant digits."""
    if left == right:
        return 0
    if abs(left - right) <= 2e-14 * max(abs(left), abs(right)):
        left, right = float(f"{left:.15g}"), float(f"{right:.15g}")
    return (left > right) - (left < right)


def checked(value: float) -> float | ExcelError:
    """A result, or #NUM! if it left the doubles."""
    return value if math.isfinite(value) else ExcelError.NUM


def add(left: float, right: float) -> float | ExcelError:
    """The sum; what is left of a cancellation below 15 digits is 0."""
    total = left + right
    return 0.0 if abs(total) < DUST * abs(left) else checked(total)


def subtract(left: float, right: float) -> float | ExcelError:
    """The difference; see `add`."""
    return add(left, -right)


def multiply(left: float, right: float) -> float | ExcelError:
    """The product, or #NUM!."""
    return checked(left * right)


def divide(left: float, right: float) -> float | ExcelError:
    """The quotient, #DIV/0! or #NUM!."""
    return checked(left / right) if right else ExcelError.DIV0


def power(left: float, right: float) -> float | ExcelError:
    """The power; 0^0 and the root of a negative number are #NUM!, 0^-1 is #DIV/0!."""
    if left == 0 and right <= 0:
        return ExcelError.DIV0 if right < 0 else ExcelError.NUM
    try:
        return math.pow(left, right)
    except (OverflowError, ValueError):
        return ExcelError.NUM


def total(numbers: list[float]) -> float | ExcelError:
    """The sum of many numbers, exact before it is rounded once; dust is 0 as in `add`."""
    try:
        value = math.fsum(numbers)
    except OverflowError:
        return ExcelError.NUM
    return 0.0 if numbers and abs(value) < DUST * max(map(abs, numbers)) else value


def rounded(value: float, digits: float) -> float | ExcelError:
    """ROUND: half away from zero, of the number as 15 decimal digits say it (2.675 to two digits is 2.68)."""
    places = math.trunc(max(-400.0, min(digits, 400.0)))
    number = Decimal(f"{value:.15g}") if abs(value) < 1e15 else Decimal(repr(value))
    if number.is_zero() or -int(number.as_tuple().exponent) <= places:
        return value
    return checked(float(number.quantize(Decimal(1).scaleb(-places), context=_DECIMAL)))


def floored(value: float) -> float:
    """INT: down to the whole number below."""
    return float(math.floor(value))


def remainder(value: float, divisor: float) -> float | ExcelError:
    """MOD as Excel defines it, value - divisor * INT(value / divisor): the sign is the divisor's."""
    quotient = divide(value, divisor)
    if isinstance(quotient, ExcelError):
        return quotient
    return subtract(value, divisor * floored(quotient))
