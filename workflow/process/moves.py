"""What changes in the roster between two baselines (article 11), decided on the registry alone: another superior, 暂停招生.

Each gives the events; raises Refused with every reason why it cannot be. Desk and mail come here with what they know of the
person who speaks.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from workflow.domain.affiliation import AffiliationRequest, RequestState, common_superior, request_faults
from workflow.domain.errors import Fault, Refused
from workflow.domain.events import Event
from workflow.domain.problems import Problem, all_settled
from workflow.domain.registry import Registry
from workflow.domain.roster import Role, Unit

#: Who answers for a department in these matters: its 管理员 (article 11), and its 审核员, who heads the office (article 8).
DECIDING = (Role.ADMINISTRATOR, Role.REVIEWER)


@dataclass(frozen=True, slots=True)
class Deed:
    """Who does it, when, why in words, and because of which message ("cli" at the desk)."""

    by: str
    at: dt.datetime
    note: str
    cause: str


def where_of(unit: Unit) -> str:
    """A unit as a refusal names it."""
    return f"单位 {unit.code} {unit.name}"


def ask(registry: Registry, unit: Unit, to: str, deed: Deed, *, may: bool) -> tuple[Event, Unit]:
    """A request to move a unit, and who decides on it. `may` says whether who asks stands for one of the sides."""
    roster, where = registry.roster, where_of(unit)
    faults = [Fault(where, why, "请核对后重新申请") for why in request_faults(roster, unit, to)]
    if not faults and not may:
        names = (unit, roster.units[unit.superior], roster.units[to])
        who = "、".join(dict.fromkeys(one.name for one in names))
        what = f"{deed.by}不是变更前后任何一方登记的人员"
        faults.append(Fault(where, what, f"应由{who}的管理员或审核员提出（第十一条）"))
    if known := registry.waiting(unit.code):
        what = f"{known.asked_by}于{known.asked_at:%Y-%m-%d}提出的申请还没有决定"
        faults.append(Fault(where, what, "请先对它作出决定"))
    decides = None if faults else common_superior(roster, unit.superior, to)
    if not faults and decides is None:
        faults.append(Fault(where, "变更前后的上级没有共同的上级教育行政部门", "请按基准数据变更"))
    if faults or decides is None:
        raise Refused(faults)
    data = {"unit": unit.code, "old": unit.superior, "new": to, "note": deed.note}
    stream = f"affiliation:{registry.next_request}"
    return Event(stream, 1, "affiliation.requested", deed.at, deed.by, deed.cause, data), decides


def decider(registry: Registry, asked: AffiliationRequest) -> Unit | None:
    """The common superior of a request's two sides."""
    if not {asked.old, asked.new} <= registry.roster.units.keys():
        return None
    return common_superior(registry.roster, asked.old, asked.new)


def decide(
    registry: Registry, unit: Unit, deed: Deed, since: dt.date, *, agree: bool, may: bool,
    more: Iterable[Fault] = (),
) -> tuple[AffiliationRequest, list[Event]]:  # fmt: skip
    """The decision on a unit's open request; agreed to, the unit stands under its new superior from the day on. `may` says
    whether who decides answers for the common superior, `more` what else stands against it.
    """
    where = where_of(unit)
    asked = registry.waiting(unit.code)
    if asked is None:
        raise Refused(Fault(where, "没有待决定的隶属变更申请", "请先用 huizhi affiliation request 提出"))
    faults: list[Fault] = []
    if agree and unit.superior != asked.old:
        what = "申请之后它的上级已经变更"
        faults.append(Fault(where, what, "请用 --refuse 了结这项申请，需要的重新提出"))
    decides = decider(registry, asked) if not faults else None
    if not faults and not may:
        name = decides.name if decides else "共同上级教育行政部门"
        remedy = f"只能由变更前后的共同上级{name}的管理员或审核员决定（第十一条）"
        faults.append(Fault(where, f"{deed.by}不是{name}登记的管理员或审核员", remedy))
    if agree:
        whys = request_faults(registry.roster, unit, asked.new)
        faults += [Fault(where, why, "请用 --refuse 了结") for why in whys]
        faults += more
    if faults:
        raise Refused(faults)
    state = RequestState.AGREED if agree else RequestState.REFUSED
    said = {"note": deed.note, **({"from": since.isoformat()} if agree else {})}
    events = [Event(asked.stream, 2, f"affiliation.{state}", deed.at, deed.by, deed.cause, said)]
    if agree:
        moved = replace(unit, superior=asked.new)
        events.append(applied(registry, moved, since, replace(deed, cause=f"{asked.stream}#2")))
        after = {**registry.roster.units, moved.code: moved}
        events += closings(registry.problems, after, replace(deed, cause=f"{asked.stream}#2"))
    done = replace(
        asked, state=state, decided_by=deed.by, decided_at=deed.at, answer=deed.note, since=since if agree else None
    )  # fmt: skip
    return done, events


def mark(registry: Registry, unit: Unit, deed: Deed, since: dt.date, *, lift: bool, may: bool) -> Event:
    """A school marks itself 暂停招生, or lifts the mark. `may` says whether its own 管理员 speaks."""
    where = where_of(unit)
    if unit.kind.reports:
        raise Refused(Fault(where, f"{unit.kind}没有“暂停招生”一项", "只有学校和教学点可以标记"))
    if not may:
        remedy = "“暂停招生”由学校管理员维护（第十一条），请以登记的管理员办理"
        raise Refused(Fault(where, f"{deed.by}不是本校登记的管理员", remedy))
    if unit.suspended is not lift:
        raise Refused(Fault(where, "没有标记暂停招生" if lift else "已经标记暂停招生", "不必再办"))
    return applied(registry, replace(unit, suspended=not lift), since, deed)


def applied(registry: Registry, unit: Unit, since: dt.date, deed: Deed) -> Event:
    """One unit as it stands from a day on."""
    data = {"from": since.isoformat(), "units": [unit_data(unit)], "note": deed.note}
    return Event("roster", registry.number + 1, "roster.applied", deed.at, deed.by, deed.cause, data)


def unit_data(unit: Unit) -> dict[str, Any]:
    """A unit as it stands in an event."""
    return {
        "code": unit.code, "name": unit.name, "kind": unit.kind.value, "superior": unit.superior,
        "suspended": unit.suspended, "window": list(unit.window) if unit.window else None, "note": unit.note,
    }  # fmt: skip


def closings(problems: Iterable[Problem], after: Mapping[str, Unit], deed: Deed) -> list[Event]:
    """The reported problems that a tree of units answers."""
    return [
        Event(one.stream, 2, "problem.closed", deed.at, deed.by, deed.cause, {"note": words, "how": "roster"})
        for one, words in all_settled(problems, after)
    ]
