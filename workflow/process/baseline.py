"""The roster's baseline 基准数据: imported whole, compared with what is in force."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from workflow.adapters.store import Store
from workflow.domain.errors import Fault, Refused
from workflow.domain.events import Event
from workflow.domain.roster import Contact, Roster, Unit
from workflow.process.situation import SYSTEM


def import_roster(
    store: Store, roster: Roster, queries: Sequence[Fault], file: str, sha: str, now: dt.datetime
) -> None:
    """Put a roster in force, and its queries on staff's list, in one transaction.

    Raises Refused when it lacks a unit that has a case or a package in the running campaign: what has been asked of it
    would hang in the air.
    """
    if gone := _still_asked(store, roster):
        raise Refused(gone)
    last = store.next_numbers(["roster", "staff"])
    data = {"sha": sha, "file": file, "units": [_unit(unit) for unit in roster.units.values()]}
    personal = {"contacts": [_contact(contact) for contact in roster.contacts]}
    events = [Event("roster", last["roster"] + 1, "roster.imported", now, SYSTEM, "cli", data, personal)]
    for place, query in enumerate(queries, last["staff"] + 1):
        events.append(
            Event("staff", place, "staff.query", now, SYSTEM, f"roster:{sha}", {}, {"matter": str(query)})
        )
    store.append(events)


def _still_asked(store: Store, roster: Roster) -> list[Fault]:
    campaigns, known = store.campaigns(), store.roster()
    if not campaigns or known is None:
        return []
    running = campaigns[-1].id
    asked = {case.unit for case in store.cases(running)} | {
        package.unit for package in store.packages(running)
    }
    return [
        Fault(
            f"单位 {code} {known.units[code].name}",
            f"在填报任务 {running} 中，而新名册没有它",
            "请保留到本期结束后再撤销",
        )
        for code in sorted(asked - roster.units.keys())
        if code in known.units
    ]


def difference(old: Roster | None, new: Roster) -> list[str]:
    """What a new baseline changes, a line a unit: 新增, 撤销, 更名, 变更."""
    before = old.units if old else {}
    lines = [f"新增 {code} {unit.name}" for code, unit in new.units.items() if code not in before]
    lines += [f"撤销 {code} {unit.name}" for code, unit in before.items() if code not in new.units]
    for code, unit in new.units.items():
        known = before.get(code)
        if known is None or known == unit:
            continue
        if known.name != unit.name:
            lines.append(f"更名 {code} {known.name} → {unit.name}")
        if known.superior != unit.superior:
            lines.append(f"隶属变更 {code} {unit.name}：{known.superior} → {unit.superior}")
        if known.kind is not unit.kind:
            lines.append(f"类型变更 {code} {unit.name}：{known.kind} → {unit.kind}")
        if (known.suspended, known.window, known.note) != (unit.suspended, unit.window, unit.note):
            lines.append(f"其他变更 {code} {unit.name}")
    return lines


def _unit(unit: Unit) -> dict[str, Any]:
    return {
        "code": unit.code, "name": unit.name, "kind": unit.kind.value, "superior": unit.superior,
        "suspended": unit.suspended, "window": list(unit.window) if unit.window else None, "note": unit.note,
    }  # fmt: skip


def _contact(contact: Contact) -> dict[str, Any]:
    return {
        "unit": contact.unit, "role": contact.role.value, "name": contact.name, "office": contact.office,
        "phone": contact.phone, "mobile": contact.mobile, "email": contact.email,
        "since": contact.since.isoformat(), "until": contact.until.isoformat() if contact.until else None,
    }  # fmt: skip
