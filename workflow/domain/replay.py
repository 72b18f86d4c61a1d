"""A case or a package after one of its ledger events. The process folds a batch with it and the store projects with
it, so both always arrive at the same record; what may follow what is `lifecycle`'s.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from workflow.domain.events import Event
from workflow.domain.lifecycle import Case, CaseAct, Package, PackageAct, act_on_case, act_on_package
from workflow.domain.roster import Level


def case_after(case: Case | None, event: Event) -> Case:
    """The case after a `case.*` event; `case.planned` makes it. Raises NotAllowed.

    Any event that carries `copy` and `token` gives the unit a new copy; a return carries `due` and `note`.
    """
    act = event.kind.removeprefix("case.")
    if act == "planned":
        campaign, unit, form = event.stream.removeprefix("case:").split("/")
        return Case(campaign, unit, form, events=event.number)
    if case is None:
        raise ValueError(f"{event.stream}: {event.kind} before case.planned")
    changes: dict[str, Any] = {key: event.data[key] for key in ("copy", "token") if key in event.data}
    if act == CaseAct.RETURN:
        changes |= {"due": instant(event.data.get("due")), "note": event.data.get("note", "")}
    elif act == CaseAct.APPROVE:
        changes |= {"due": None, "note": event.data.get("note", "")}
    elif act == CaseAct.DISOWN:
        changes |= {key: event.data[key] for key in ("standing", "state", "note") if key in event.data}
        changes["due"] = instant(event.data.get("due"))
    return act_on_case(case, CaseAct(act), **changes)


def package_after(package: Package | None, event: Event) -> Package:
    """The package after a `package.*` event; `package.opened` makes it. Raises NotAllowed.

    `by` stays who reported; a report is dated by its `as_of` where it has one, else by the event.
    """
    act = event.kind.removeprefix("package.")
    if act == "opened":
        campaign, unit = event.stream.removeprefix("package:").split("/")
        return Package(campaign, unit, Level(event.data["level"]), events=event.number)
    if package is None:
        raise ValueError(f"{event.stream}: {event.kind} before package.opened")
    changes: dict[str, Any] = {}
    if act in {PackageAct.REPORT, PackageAct.AUTO_REPORT}:
        changes = {
            "by": event.data.get("by", ""),
            "reported_at": instant(event.data.get("as_of")) or event.at,
        }
    elif act in {PackageAct.RETURN, PackageAct.GRANT_WITHDRAWAL}:
        note = event.data.get("note", "")
        changes = {"due": instant(event.data.get("due")), "returned_at": event.at, "note": note}
    elif "note" in event.data:
        changes = {"note": event.data["note"]}
    return act_on_package(package, PackageAct(act), **changes)


def instant(text: str | None) -> dt.datetime | None:
    """A moment from an event's data; None for nothing."""
    return dt.datetime.fromisoformat(text) if text else None
