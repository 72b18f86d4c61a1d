"""Who sees which telephone number and which address whole: one table, and how the others are shown.

Whoever urges a unit 催报 needs its people's numbers (articles 7 and 8: 本级及下一级); the level above that can compare one
that it is told with the one on record; further up they serve nobody. docs/privacy.md has the table in words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum, StrEnum

from workflow.domain.form import FILLER, HEAD, Field, FieldType, Form, Value, split_cell
from workflow.domain.ladder import level_above
from workflow.domain.roster import Role, Roster
from workflow.domain.submission import Answers


class Sight(Enum):
    """How a contact is shown."""

    WHOLE = "全部显示"
    MASKED = "部分隐去"
    WITHHELD = "不列示"


class Distance(StrEnum):
    """How far below a level a unit stands."""

    OWN = "本级及下一级"
    NEXT = "再下一级"
    FAR = "更下级"


_TABLE: Mapping[tuple[Distance, Role], Sight] = {
    (Distance.OWN, Role.ADMINISTRATOR): Sight.WHOLE,
    (Distance.OWN, Role.REVIEWER): Sight.WHOLE,
    (Distance.OWN, Role.INSPECTOR): Sight.MASKED,
    (Distance.NEXT, Role.ADMINISTRATOR): Sight.MASKED,
    (Distance.NEXT, Role.REVIEWER): Sight.MASKED,
    (Distance.NEXT, Role.INSPECTOR): Sight.WITHHELD,
    (Distance.FAR, Role.ADMINISTRATOR): Sight.WITHHELD,
    (Distance.FAR, Role.REVIEWER): Sight.WITHHELD,
    (Distance.FAR, Role.INSPECTOR): Sight.WITHHELD,
}


def distance(roster: Roster, level: str, unit: str) -> Distance:
    """How far a unit stands from a level above it, by who urges whom: a county's schools and a city's counties are OWN, the
    schools of a city's counties NEXT. What does not stand below the level is FAR.
    """
    urges = level_above(roster, unit)
    if unit == level or (urges is not None and urges.code == level):
        return Distance.OWN
    above = level_above(roster, urges.code) if urges is not None else None
    return Distance.NEXT if above is not None and above.code == level else Distance.FAR


def sight(roster: Roster, level: str, unit: str, role: Role = Role.REVIEWER) -> Sight:
    """How a level's person in that role sees the contacts of a unit: by default whoever gets its consolidated workbook."""
    return _TABLE[distance(roster, level, unit), role]


# --- how a number and an address are shown ----------------------------------------------------------------------------

#: What stands for a number or address that is withheld: another thing than one that nobody has given.
WITHHELD = Sight.WITHHELD.value
_MOBILE = r"(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}"
_FIXED = r"(?:[(（]0\d{2,3}[)）]|0\d{2,3})[-—－ ]{0,3}\d{7,8}"
_NUMBERS = re.compile(f"(?<![0-9A-Za-z])(?:{_MOBILE}|{_FIXED})(?![0-9A-Za-z])")
_ADDRESSES = re.compile(r"[A-Za-z0-9._%+=-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_AREA = re.compile(r"0(?:10|2\d|[3-9]\d\d)")
_DOMAIN = re.compile(r"(?=.{1,60}$)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_NAME = re.compile(r"[\w.+=-]")
_SHORT = 7


def mask_phone(number: str) -> str:
    """A telephone number with its middle hidden: `138****5678`, `0371-****0123`."""
    digits = "".join(char for char in number if char.isdecimal())
    if not digits:
        return ""
    if digits.startswith("86") and len(digits) == 13:
        digits = digits[2:]
    if len(digits) < _SHORT:
        return "****"
    if len(digits) == 11 and digits.startswith("1"):
        return f"{digits[:3]}****{digits[-4:]}"
    area = _AREA.match(digits)
    return f"{area[0] if area else ''}-****{digits[-4:]}".lstrip("-")


def mask_address(address: str) -> str:
    """An address with its name hidden but for the first letter: `z***@example.org`. What is no mail domain is not shown: a stranger
    would have us put words or a link before the reader.
    """
    name, _, domain = address.partition("@")
    known = _DOMAIN.fullmatch(domain) and _NAME.match(name)
    return f"{name[0]}***@{domain}" if known else "（发件地址不明）"


def mask_words(words: str) -> str:
    """Words with every telephone number and address in them masked. Codes of units and digests are longer, shorter, or part of a
    word, and stay.
    """
    if "@" in words:
        words = _ADDRESSES.sub(lambda found: mask_address(found[0]), words)
    return _NUMBERS.sub(lambda found: mask_phone(found[0]), words)


def number_for(seen: Sight, number: str) -> str:
    """A telephone number, or several joined by `、`, as somebody sees it; one that nobody has given stays empty."""
    if seen is Sight.WHOLE or not number:
        return number
    if seen is Sight.WITHHELD:
        return WITHHELD
    return "、".join(mask_phone(one) for one in number.split("、"))


# --- what units have answered -----------------------------------------------------------------------------------------

_CONTACT = frozenset({FieldType.PHONE, FieldType.EMAIL})
#: Where people write a number behind their name.
_PEOPLE = frozenset({HEAD, FILLER})


def value_for(seen: Sight, field: Field, value: Value) -> Value:
    """An answer as somebody sees it: numbers and addresses by the table, all else as it is."""
    if seen is Sight.WHOLE or not isinstance(value, str) or not value:
        return value
    if field.name in _PEOPLE:
        return mask_words(value)
    if field.type not in _CONTACT:
        return value
    if seen is Sight.WITHHELD:
        return WITHHELD
    return mask_address(value) if field.type is FieldType.EMAIL else mask_phone(value)


def answers_for(seen: Sight, form: Form, answers: Answers) -> Answers:
    """A unit's answers as somebody sees them."""
    if seen is Sight.WHOLE:
        return answers
    fields, columns = form.contacts
    veiled = {f.name: value_for(seen, f, answers[f.name]) for f in fields if answers.get(f.name)}
    if columns:
        cells = ((name, split_cell(name)) for name in answers)
        veiled |= {
            name: value_for(seen, form.columns[cell[0]], answers[name])
            for name, cell in cells
            if cell and cell[0] in columns
        }
    return {**answers, **veiled} if veiled else answers


def notes_for(seen: Sight, form: Form, notes: Mapping[str, str]) -> Mapping[str, str]:
    """What was read otherwise than typed: of a number or an address it is told to those who see it whole."""
    if seen is Sight.WHOLE:
        return notes
    fields, columns = form.contacts
    told = {field.name for field in fields}
    return {
        name: note
        for name, note in notes.items()
        if name not in told and ((cell := split_cell(name)) is None or cell[0] not in columns)
    }
