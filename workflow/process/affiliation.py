"""What a school and the departments above it may change between two baselines (article 11): whom it belongs to, 暂停招生."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from workflow.adapters.store import Store
from workflow.domain.affiliation import (
    AffiliationRequest,
    RequestState,
    common_superior,
    may_ask,
    request_faults,
)
from workflow.domain.errors import Fault, Refused
from workflow.domain.events import Event
from workflow.domain.roster import Role, Roster, Unit
from workflow.process.baseline import unit_data
from workflow.process.tree_rules import day_faults, earliest


def request_move(store: Store, code: str, to: str, by: str, note: str, now: dt.datetime) -> Unit:
    """Put a request on record; the unit that decides on it. Raises Refused with every reason why it cannot be asked."""
    roster, unit = _known(store, code)
    where = f"单位 {code} {unit.name}"
    faults = [Fault(where, why, "请核对后重新申请") for why in request_faults(roster, unit, to)]
    if not faults and not may_ask(roster, unit, to, by, now.date()):
        who = f"{unit.name}、{roster.units[unit.superior].name}或{roster.units[to].name}"
        faults.append(
            Fault(where, f"{by}不是变更前后任何一方登记的人员", f"应由{who}的管理员或审核员提出（第十一条）")
        )
    faults += [
        Fault(where, f"{known.asked_by}于{known.asked_at:%Y-%m-%d}提出的申请还没有决定", "请先对它作出决定")
        for known in store.affiliations()
        if known.unit == code and known.state is RequestState.REQUESTED
    ]
    decides = None if faults else common_superior(roster, unit.superior, to)
    if not faults and decides is None:
        faults.append(Fault(where, "变更前后的上级没有共同的上级教育行政部门", "请按基准数据变更"))
    if faults or decides is None:
        raise Refused(faults)
    number = 1 + max((known.number for known in store.affiliations()), default=0)
    data = {"unit": code, "old": unit.superior, "new": to, "note": note}
    store.append([Event(f"affiliation:{number}", 1, "affiliation.requested", now, by, "cli", data)])
    return decides


def decide_move(
    store: Store,
    code: str,
    by: str,
    note: str,
    now: dt.datetime,
    *,
    agree: bool,
    since: dt.date | None = None,
) -> AffiliationRequest:
    """Decide on a unit's open request; agreed to, the unit stands under its new superior from the day on, with its open
    case and all below it. Only the 管理员 of the common superior may. Raises Refused.
    """
    roster, unit = _known(store, code)
    where, today = f"单位 {code} {unit.name}", now.date()
    waiting = [
        known
        for known in store.affiliations()
        if known.unit == code and known.state is RequestState.REQUESTED
    ]
    if not waiting:
        raise Refused(Fault(where, "没有待决定的隶属变更申请", "请先用 huizhi affiliation request 提出"))
    asked = waiting[-1]
    faults: list[Fault] = []
    if agree and unit.superior != asked.old:
        remedy = "请用 --refuse 了结这项申请，需要的重新提出"
        faults.append(Fault(where, "申请之后它的上级已经变更", remedy))
    decides = common_superior(roster, asked.old, asked.new) if not faults else None
    people = roster.people(decides.code, Role.ADMINISTRATOR, today) if decides else ()
    if not faults and by not in {person.name for person in people}:
        name = decides.name if decides else "共同上级教育行政部门"
        remedy = f"只能由变更前后的共同上级{name}的管理员决定（第十一条）"
        faults.append(Fault(where, f"{by}不是{name}登记的管理员", remedy))
    from_day = since or today
    if agree:
        faults += [Fault(where, why, "请用 --refuse 了结") for why in request_faults(roster, unit, asked.new)]
        faults += day_faults(store, from_day, today)
    if faults:
        raise Refused(faults)
    state = RequestState.AGREED if agree else RequestState.REFUSED
    said = {"note": note, **({"from": from_day.isoformat()} if agree else {})}
    events = [Event(asked.stream, 2, f"affiliation.{state}", now, by, "cli", said)]
    if agree:
        moved = replace(unit, superior=asked.new)
        events.append(_applied(store, moved, from_day, by, note, f"{asked.stream}#2", now))
    store.append(events)
    return replace(asked, state=state, decided_by=by, decided_at=now, since=from_day if agree else None)


def suspend(
    store: Store, code: str, by: str, note: str, now: dt.datetime, *, lift: bool, since: dt.date | None = None
) -> dt.date:
    """A school marks itself 暂停招生, or lifts the mark; the day from which it holds. Only its own 管理员 may. Raises Refused."""
    roster, unit = _known(store, code)
    where, today = f"单位 {code} {unit.name}", now.date()
    day = since or earliest(store, today)
    faults: list[Fault] = []
    if unit.kind.reports:
        faults.append(Fault(where, f"{unit.kind}没有“暂停招生”一项", "只有学校和教学点可以标记"))
    elif by not in {person.name for person in roster.people(code, Role.ADMINISTRATOR, today)}:
        remedy = "“暂停招生”由学校管理员维护（第十一条），请以登记的管理员办理"
        faults.append(Fault(where, f"{by}不是本校登记的管理员", remedy))
    elif unit.suspended is not lift:
        faults.append(Fault(where, "没有标记暂停招生" if lift else "已经标记暂停招生", "不必再办"))
    faults += day_faults(store, day, today)
    if faults:
        raise Refused(faults)
    store.append([_applied(store, replace(unit, suspended=not lift), day, by, note, "cli", now)])
    return day


def _known(store: Store, code: str) -> tuple[Roster, Unit]:
    roster = store.roster()
    if roster is None or code not in roster.units:
        raise Refused(Fault(f"单位代码 {code}", "名册中没有这个单位", "请用 huizhi roster show 查看代码"))
    return roster, roster.units[code]


def _applied(
    store: Store, unit: Unit, since: dt.date, by: str, note: str, cause: str, now: dt.datetime
) -> Event:
    number = store.next_numbers(["roster"])["roster"] + 1
    data = {"from": since.isoformat(), "units": [unit_data(unit)], "note": note}
    return Event("roster", number, "roster.applied", now, by, cause, data)
