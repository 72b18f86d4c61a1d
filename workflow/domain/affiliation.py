"""Who may change to whom a school belongs 隶属关系 (article 11 of the 管理办法): either side asks, their common superior decides."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from workflow.domain.roster import SUPERIORS, Role, Roster, Unit


class RequestState(StrEnum):
    """Where a request is; the value is also the kind of its ledger event, behind `affiliation.`."""

    REQUESTED = "requested"
    AGREED = "agreed"
    REFUSED = "refused"

    @property
    def word(self) -> str:
        return {"requested": "待决定", "agreed": "已同意", "refused": "未同意"}[self.value]


@dataclass(frozen=True, slots=True)
class AffiliationRequest:
    """A request to move `unit` from the superior `old` to `new`, and what was decided; `since` is the day of the move."""

    number: int
    unit: str
    old: str
    new: str
    state: RequestState
    asked_by: str
    asked_at: dt.datetime
    note: str = ""
    decided_by: str = ""
    decided_at: dt.datetime | None = None
    answer: str = ""
    since: dt.date | None = None

    @property
    def stream(self) -> str:
        return f"affiliation:{self.number}"


def common_superior(roster: Roster, old: str, new: str) -> Unit | None:
    """The nearest department above both superiors, which alone decides; a superior that stands above the other is not it
    unless it is above itself too: city and county have the city in common.
    """
    above_old = [unit.code for unit in (roster.units[old], *roster.above(old)) if unit.kind.reports]
    for unit in (roster.units[new], *roster.above(new)):
        if unit.kind.reports and unit.code in above_old:
            return unit
    return None


def request_faults(roster: Roster, unit: Unit, to: str) -> Iterator[str]:
    """Why a unit cannot be moved there."""
    if unit.kind.reports:
        yield f"{unit.kind}的隶属关系以基准数据为准，不能申请变更（管理办法第九条）"
    elif to not in roster.units:
        yield f"新的上级单位代码 {to} 在名册中没有"
    elif to == unit.superior:
        yield f"它现在就隶属{roster.units[to].name}"
    elif roster.units[to].kind not in SUPERIORS[unit.kind]:
        yield f"{roster.units[to].kind}（{roster.units[to].name}）不能是{unit.kind}的上级"
    elif any(below.code == to for below in roster.below(unit.code)):
        yield f"{roster.units[to].name}是它的下级"


def sides(unit: Unit, to: str) -> frozenset[str]:
    """Who may ask: the school itself, its superior, or the one that it is to go to."""
    return frozenset({unit.code, unit.superior, to})


def may_ask(roster: Roster, unit: Unit, to: str, by: str, day: dt.date) -> bool:
    """Whether somebody of this name stands for one of the sides."""
    return any(by in names(roster, code, day) for code in sides(unit, to))


def names(roster: Roster, code: str, day: dt.date) -> frozenset[str]:
    """The names of a unit's 管理员 and 审核员."""
    roles = (Role.ADMINISTRATOR, Role.REVIEWER)
    return frozenset(person.name for role in roles for person in roster.people(code, role, day))
