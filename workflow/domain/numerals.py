"""Numbers as people type them: `１，２００`, `100Mbps`, `3台`, `1.2万元`, and what they are in the unit that a field asks for.

A unit is a factor (千, 万, 亿) and a base (元, 人, bps …). What differs by its factor only is converted exactly; a base that
the field does not ask for, or a bare 万 where the field itself counts in 万, is not guessed.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Typed:
    """A number that was typed as text, in the unit that was asked for. `percent` where a percent sign stood with it."""

    number: int | float
    percent: bool = False


#: Numbers of more digits than this are rubbish; Decimal and the doubles behind it would still take them.
_MOST_DIGITS = 30
_NUMBER = re.compile(
    r"([+-]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,3}(?: [0-9]{3})+|[0-9]+)(?:\.[0-9]*)?|[+-]?\.[0-9]+)\s*(.*)",
    re.DOTALL,
)
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))
_FACTORS = {"千": 1_000, "万": 10_000, "亿": 100_000_000}
#: Words for one base. 个 counts anything; b and B differ, so that bytes are never taken for bits.
_SAME = {"名": "人", "位": "人", "元整": "元", "块": "元", "块钱": "元", "圆": "元", "部": "台"}
_COUNTED = frozenset("人 台 间 个 起 套 所 件 张 册 条 项 次 班 门 处 人次 课时 户".split())
_RATES = {"k": 1, "m": 1_000, "g": 1_000_000}
_RATE = re.compile(r"([KkMmGg])(?:b|bps|bit|bits|bit/s|bits/s|b/s|BPS)?")
_STORE = re.compile(r"([MmGgTt])(?:B|b)?")


def bare(text: str) -> str:
    """A text folded to half width, without marks that nobody sees and without blanks at its ends."""
    return unicodedata.normalize("NFKC", text.translate(_INVISIBLE)).replace("\u2212", "-").strip()


def typed_number(text: str, unit: str) -> Typed | str:
    """The number that a text spells, in `unit` ('' or a dash: the field has none); else the code of the finding:
    `not-a-number`, or `unit-unclear` where a unit stands there that can't be turned into the field's.
    """
    words = bare(text).replace("兆", "M")
    per_cent = words.startswith("百分之")
    match = _NUMBER.fullmatch(words.removeprefix("百分之").strip())
    if match is None or sum(char.isdigit() for char in match[1]) > _MOST_DIGITS:
        return "not-a-number"
    number = Decimal(match[1].replace(",", "").replace(" ", ""))
    suffix = re.sub(r"\s+", "", match[2]).rstrip("。.")
    if suffix == "%" or (per_cent and not suffix):
        return Typed(plain(number), percent=True)
    if per_cent or (suffix and not re.match(r"[A-Za-z%一-鿿]", suffix)):
        return "not-a-number"
    if not suffix:
        return Typed(plain(number))
    factor = _factor(suffix, bare(unit).strip("—-").replace("兆", "M"))
    return Typed(plain(number * factor)) if factor is not None else "unit-unclear"


def _factor(typed: str, wanted: str) -> Decimal | None:
    """What a number in the typed unit is multiplied by to be one in the wanted unit; None where it can't be known."""
    if typed.lower() == wanted.lower() and not (typed != wanted and "b" in wanted.lower()):
        return Decimal(1)
    if wanted.lower() in {"mbps", "kbps", "gbps"}:
        ours, theirs = _RATE.fullmatch(wanted), _RATE.fullmatch(_plain_rate(typed))
        return Decimal(_RATES[theirs[1].lower()]) / _RATES[ours[1].lower()] if ours and theirs else None
    if wanted in {"GB", "MB", "TB"}:
        # A TB is 1000 GB to some and 1024 to others, so only the field's own size is known.
        theirs = _STORE.fullmatch(typed)
        return Decimal(1) if theirs and theirs[1].upper() == wanted[0] else None
    factor, base = _split(typed)
    own, own_base = _split(wanted)
    if not base:
        return (
            Decimal(factor) if own == 1 else None
        )  # 1.2万 where the field counts in 万元: which of the two?
    if base == own_base or (base == "个" and own_base in _COUNTED) or (not own_base and base in _COUNTED):
        return Decimal(factor) / own
    return None


def _plain_rate(typed: str) -> str:
    """The rate as one word: `MBPS` in capitals throughout is Mbps, `MB/s` stays bytes and is not understood."""
    return typed[0] + "bps" if typed.upper() == typed and typed.endswith("BPS") else typed


def _split(unit: str) -> tuple[int, str]:
    factor = 1
    while unit[:1] in _FACTORS:
        factor *= _FACTORS[unit[0]]
        unit = unit[1:]
    return factor, _SAME.get(unit, unit)


def plain(number: Decimal) -> int | float:
    """An exact number as an int where it is whole and a double holds it, else as a double."""
    if number == number.to_integral_value() and abs(number) < 10**15:
        return int(number)
    return float(number)
