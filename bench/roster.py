"""The roster at its real size: comparing and importing a baseline of 50,000 units, and the tree of a past day."""

from __future__ import annotations

import datetime as dt
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from tools.full_roster import changes_of, full
from workflow.adapters.store import Store
from workflow.adapters.workbook.baseline import Mapped, read_baseline
from workflow.adapters.workbook.change_book import Mark, write_changes
from workflow.adapters.workbook.roster import write_roster
from workflow.domain.campaign import SHANGHAI
from workflow.domain.events import Event
from workflow.domain.roster import Roster, Unit
from workflow.domain.roster_changes import Decision
from workflow.process.baseline import Source, compare, import_roster, put_in_force

_T = TypeVar("_T")
_BEGAN = dt.datetime(2026, 1, 5, 9, tzinfo=SHANGHAI)
_SINCE = dt.date(2026, 4, 1)
#: One school in so many closes, is renamed, gets another code, in the quarter that is measured.
_ONE_IN = 50


def seconds() -> Mapping[str, float]:
    """Seconds for reading a baseline of the whole province, comparing it, writing the workbook for approval, applying it,
    and for building the tree of a day before it; `units` is their number.
    """
    old, new = full(changes_of("2019")), _next_quarter(full(changes_of("2021")))
    data = write_roster(Roster(new, ()))
    taken: dict[str, float] = {"units": len(new)}

    def timed(name: str, work: Callable[[], _T]) -> _T:
        began = time.perf_counter()
        done = work()
        taken[name] = time.perf_counter() - began
        return done

    with tempfile.TemporaryDirectory(prefix="huizhi-bench-") as place:
        store = Store(f"sqlite:///{place}/state.db", Path(place) / "ledger")
        store.migrate()
        timed("first_import", lambda: import_roster(store, old, [], "units.xlsx", "0" * 64, _BEGAN))
        store.append(
            [Event("campaign:2026Q1", 1, "campaign.opened", _BEGAN, "", "", {"forms": {}, "windows": {}})]
        )
        roster, _ = timed("read", lambda: read_baseline(data, "baseline.xlsx", Mapped()))
        now = _BEGAN.replace(month=4)
        compared = timed("compare", lambda: compare(store, roster, _SINCE, now.date(), own=False))
        mark = Mark("0" * 64, compared.number, _SINCE)
        timed("workbook", lambda: write_changes(compared.changes, mark, compared.new.units))
        agreed = [Decision.AGREED] * len(compared.changes)
        source = Source("baseline.xlsx", "1" * 64)
        timed("apply", lambda: put_in_force(store, compared, agreed, [], source, now))
        taken["changes"] = len(compared.changes)
        store.close()
        fresh = Store(f"sqlite:///{place}/state.db", Path(place) / "ledger")
        then = timed("past_tree", lambda: fresh.roster(_SINCE - dt.timedelta(days=1)))
        if then is None or then.units != old.units:
            raise SystemExit("the tree of the past day is not what it was")
        fresh.close()
    return taken


def figures() -> Mapping[str, float]:
    """The seconds, rounded, with the numbers of units and changes."""
    counts = {"units", "changes"}
    return {name: int(took) if name in counts else round(took, 2) for name, took in seconds().items()}


def _next_quarter(roster: Roster) -> dict[str, Unit]:
    """The roster with some schools closed, some renamed and some under another code."""
    units: dict[str, Unit] = {}
    for place, unit in enumerate(roster.units.values()):
        turn = place % _ONE_IN
        below = roster.children(unit.code)
        if unit.kind.reports or below or turn > 2:
            units[unit.code] = unit
        elif turn == 1:
            units[unit.code] = replace(unit, name=f"{unit.name}（新校区）")
        elif turn == 2:
            code = f"{unit.code[:6]}9{unit.code[7:]}"
            units[code] = replace(unit, code=code, name=unit.name.replace("小学", "实验小学"))
    return units


if __name__ == "__main__":
    for name, figure in figures().items():
        print(f"{name}: {figure}")
