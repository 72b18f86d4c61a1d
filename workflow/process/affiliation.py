"""The desk's hand on what changes between two baselines (article 11): whom a school belongs to, 暂停招生."""

from __future__ import annotations

import datetime as dt

from workflow.adapters.store import Store
from workflow.domain.affiliation import AffiliationRequest, may_ask, names
from workflow.domain.errors import Fault, Refused
from workflow.domain.registry import Registry
from workflow.domain.roster import Role, Unit
from workflow.process import moves
from workflow.process.gather import registry_of
from workflow.process.moves import Deed
from workflow.process.tree_rules import day_faults


def request_move(store: Store, code: str, to: str, by: str, note: str, now: dt.datetime) -> Unit:
    """Put a request on record; the unit that decides on it. Raises Refused with every reason why it cannot be asked."""
    registry, unit = _known(store, code)
    may = to in registry.roster.units and may_ask(registry.roster, unit, to, by, now.date())
    event, decides = moves.ask(registry, unit, to, Deed(by, now, note, "cli"), may=may)
    store.append([event])
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
    case and all below it. Only the common superior's 管理员 or 审核员 may. Raises Refused.
    """
    registry, unit = _known(store, code)
    today = now.date()
    asked = registry.waiting(code)
    decides = moves.decider(registry, asked) if asked else None
    may = decides is not None and by in names(registry.roster, decides.code, today)
    day = since or today
    faults = list(day_faults(store, day, today)) if agree else []
    done, events = moves.decide(
        registry, unit, Deed(by, now, note, "cli"), day, agree=agree, may=may, more=faults
    )
    store.append(events)
    return done


def suspend(
    store: Store, code: str, by: str, note: str, now: dt.datetime, *, lift: bool, since: dt.date | None = None
) -> dt.date:
    """A school marks itself 暂停招生, or lifts the mark; the day from which it holds. Only its own 管理员 may. Raises Refused."""
    registry, unit = _known(store, code)
    today = now.date()
    day = since or registry.earliest(today)
    own = {person.name for person in registry.roster.people(code, Role.ADMINISTRATOR, today)}
    event = moves.mark(registry, unit, Deed(by, now, note, "cli"), day, lift=lift, may=by in own)
    if faults := list(day_faults(store, day, today)):
        raise Refused(faults)
    store.append([event])
    return day


def _known(store: Store, code: str) -> tuple[Registry, Unit]:
    registry = registry_of(store)
    if registry is None or code not in registry.roster.units:
        raise Refused(Fault(f"单位代码 {code}", "名册中没有这个单位", "请用 huizhi roster show 查看代码"))
    return registry, registry.roster.units[code]
