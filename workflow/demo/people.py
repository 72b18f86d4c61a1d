"""Who does what in the simulated quarter: every unit's clerk and every level's reviewer gets a way of working."""

from __future__ import annotations

import random
from collections.abc import Mapping
from enum import StrEnum

from workflow.demo import roster as places
from workflow.demo.addresses import MOVED, NOBODY
from workflow.domain.roster import Role, Roster, Unit, UnitKind


class Behaviour(StrEnum):
    """How a unit's clerk answers the notice."""

    RIGHT = "填报无误"
    CORRECTED = "退回后更正"
    UNCORRECTED = "退回后未更正"
    REVIEWED = "审核员退回后更正"
    UNMOVED = "审核员退回后未更正"
    LATE = "逾期报送"
    NEVER = "不报送"
    TWICE = "主动更新"
    RESENT = "重复发送"
    NO_CHANGE = "无变化确认"
    NO_CHANGE_NEW = "无上期数据却称无变化"
    STRANGER = "未登记地址报送"
    EMPTY = "先回空信"
    PHOTO = "先发照片"
    ENCRYPTED = "先发加密工作簿"
    MACRO = "先发含宏工作簿"
    UNRELATED = "先发无关工作簿"
    VACATION = "先自动回复"
    BOUNCED = "邮箱已停用"
    REFUSED = "邮箱地址无效"


class Manner(StrEnum):
    """How a level's 审核员 works."""

    PROMPT = "审核后即上报"
    CAREFUL = "先退回两所，提醒后上报"
    NO_REPORT = "只审核不上报"
    STRANGER = "用未登记邮箱回复"
    SILENT = "不答复"


#: Each of these once for certain; what is left is drawn by weight.
_ONCE = (
    Behaviour.CORRECTED, Behaviour.NO_CHANGE, Behaviour.NO_CHANGE_NEW, Behaviour.TWICE, Behaviour.STRANGER,
    Behaviour.UNCORRECTED, Behaviour.EMPTY, Behaviour.PHOTO, Behaviour.ENCRYPTED, Behaviour.MACRO, Behaviour.UNRELATED,
    Behaviour.VACATION, Behaviour.NEVER, Behaviour.RESENT, Behaviour.CORRECTED,
)  # fmt: skip
_WEIGHTS: Mapping[Behaviour, int] = {
    Behaviour.RIGHT: 46,
    Behaviour.CORRECTED: 16,
    Behaviour.NO_CHANGE: 8,
    Behaviour.NEVER: 9,
    Behaviour.LATE: 5,
    Behaviour.UNCORRECTED: 4,
    Behaviour.TWICE: 6,
    Behaviour.STRANGER: 3,
    Behaviour.EMPTY: 3,
}

MANNERS: Mapping[str, Manner] = {
    places.PROVINCE: Manner.PROMPT,
    places.FAST_CITY: Manner.PROMPT,
    places.SLOW_CITY: Manner.NO_REPORT,
    places.SMALL_CITY: Manner.PROMPT,
    places.DIRECT_COUNTY: Manner.PROMPT,
    places.FAST_UNIVERSITY: Manner.PROMPT,
    places.SILENT_UNIVERSITY: Manner.SILENT,
    places.CAREFUL_COUNTY: Manner.CAREFUL,
    places.FASTEST_COUNTY: Manner.PROMPT,
    places.SILENT_COUNTY: Manner.SILENT,
    places.STRANGER_COUNTY: Manner.STRANGER,
}


def plan(roster: Roster, seed: int) -> dict[str, Behaviour]:
    """A behaviour for every unit, the same for the same seed."""
    chance = random.Random(seed)
    found: dict[str, Behaviour] = {}
    ordinary: list[Unit] = []
    for unit in roster.units.values():
        fixed = _fixed(roster, unit)
        if fixed is None:
            ordinary.append(unit)
        else:
            found[unit.code] = fixed
    chance.shuffle(ordinary)
    _take(found, ordinary, Behaviour.REVIEWED, frozenset({places.CAREFUL_COUNTY}))
    _take(found, ordinary, Behaviour.UNMOVED, frozenset({places.CAREFUL_COUNTY}))
    _take(found, ordinary, Behaviour.LATE, frozenset({places.SILENT_COUNTY, places.STRANGER_COUNTY}))
    for unit, behaviour in zip(ordinary, _ONCE, strict=False):
        found[unit.code] = behaviour
    for unit in ordinary[len(_ONCE) :]:
        drawn = chance.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
        # Only a county's window is over while the play still goes on.
        in_county = roster.package_of(unit.code).kind in {UnitKind.COUNTY, UnitKind.DIRECT_COUNTY}
        found[unit.code] = Behaviour.NEVER if drawn is Behaviour.LATE and not in_county else drawn
    return found


def _take(
    found: dict[str, Behaviour], ordinary: list[Unit], behaviour: Behaviour, homes: frozenset[str]
) -> None:
    unit = next(unit for unit in ordinary if unit.superior in homes)
    ordinary.remove(unit)
    found[unit.code] = behaviour


def _fixed(roster: Roster, unit: Unit) -> Behaviour | None:
    """What the roster itself decides: an address that does not work, an office, a shared or missing address."""
    addresses = [c.email for c in roster.contacts if c.unit == unit.code and c.role is Role.ADMINISTRATOR]
    if any(address.endswith(f"@{NOBODY}") for address in addresses):
        return Behaviour.REFUSED
    if any(address.endswith(f"@{MOVED}") for address in addresses):
        return Behaviour.BOUNCED
    if unit.code == places.VACANT_COUNTY:
        return Behaviour.NEVER
    if unit.code == places.SLOW_CITY:
        return Behaviour.CORRECTED
    ordinary = len(addresses) == 1 and addresses[0].startswith("school@")
    return None if ordinary else Behaviour.RIGHT


def answered_before(code: str, behaviour: Behaviour, seed: int) -> bool:
    """Whether a unit answered in the quarter before the play."""
    if behaviour in {Behaviour.NO_CHANGE_NEW, Behaviour.BOUNCED, Behaviour.REFUSED}:
        return False
    if behaviour is Behaviour.NO_CHANGE:
        return True
    return random.Random(f"{seed}/{code}").random() < 0.55
