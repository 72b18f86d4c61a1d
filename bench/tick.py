"""A tick over many open cases in SQLite: with nothing due, and on the day when everybody is due.

All due: each unit has an address of its own and is reminded, each level gets its phone list too. All is done that an office
does: the calendar, the ladder, the gathering of the day, each letter rendered, made into MIME and forced to disk, and the
events that queue it committed. Not in it: sending them.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from bench.timing import timed
from workflow.adapters.files import Files
from workflow.adapters.letters import LetterTemplates
from workflow.adapters.store import MadeBook, Store
from workflow.adapters.workbook.master import CompiledForm
from workflow.adapters.workdays import workdays
from workflow.app import collect_seldom
from workflow.domain.campaign import DEFAULT_WINDOWS, SHANGHAI, Campaign
from workflow.domain.deadlines import Schedule
from workflow.domain.events import Event
from workflow.domain.form import Form
from workflow.domain.ladder import Ladder
from workflow.domain.roster import Unit, UnitKind
from workflow.process.correspondence import Letterhead, Secretariat
from workflow.process.gather import require_campaign
from workflow.process.situation import Policy
from workflow.process.tick import Tick

ROOT = Path(__file__).parents[1]
OPENED = dt.datetime(2026, 12, 1, 9, tzinfo=SHANGHAI)
QUIET = dt.datetime(2026, 12, 3, 10, tzinfo=SHANGHAI)
BUSY = dt.datetime(2026, 12, 31, 10, tzinfo=SHANGHAI)
#: Every unit's reminder and every level's phone list on one day.
SCHEDULE = Schedule(reply_days=(1,), ladder=Ladder(list_days=(1,)), workdays=workdays())
_CITIES, _COUNTIES, _PIECE = 18, 9, 5000


def seconds(units: int = 50_000) -> Mapping[str, float]:
    """Seconds of a tick over so many open cases: `cold` the first of a process, with nothing due; `nothing_due` every
    later one; `all_due` when each unit and each level is told; `all_due_cpu` the seconds of processors in it, those of the
    processes that print the letters included.
    """
    collect_seldom()  # as the command does
    with tempfile.TemporaryDirectory(prefix="huizhi-tick-") as place:
        folder = Path(place)
        store = Store(f"sqlite:///{folder}/state.db", folder / "ledger")
        store.migrate()
        for piece in _pieces(_story(units)):
            store.append(piece)
        _tick(store, folder).run(QUIET)  # notes the unknown holidays once
        store.close()
        store = Store(f"sqlite:///{folder}/state.db", folder / "ledger")
        tick = _tick(store, folder)
        cold = timed(lambda: tick.run(QUIET))
        nothing = timed(lambda: tick.run(QUIET))
        spent = _processors()
        busy = timed(lambda: tick.run(BUSY))
        spent = _processors() - spent
        queued = store.mail_counts().queued
        store.close()
    assert queued > units, queued
    return {"cold": cold, "nothing_due": nothing, "all_due": busy, "all_due_cpu": spent}


def _processors() -> float:
    """Seconds of processors so far, with those of processes that printed letters and have ended."""
    spent = os.times()
    return sum(spent[:4])


def _tick(store: Store, folder: Path) -> Tick:
    head = Letterhead("回执", "own@huizhi.test", "示例省教育厅", "联系方式：0371-55550000")
    secretariat = Secretariat(
        head, LetterTemplates(ROOT / "templates" / "letters"), Files(folder), _none, _campaign_of(store),
        store.letter_exists,
    )  # fmt: skip
    forms: Mapping[str, Form] = {}
    return Tick(store, secretariat, Policy("own@huizhi.test"), SCHEDULE, lambda: forms, _no_book)


def _campaign_of(store: Store) -> Callable[[str], Campaign]:
    return lambda name: require_campaign(store, name)


def _none(form: str) -> CompiledForm:
    raise AssertionError(form)


def _no_book(unit: Unit, now: dt.datetime) -> MadeBook:
    raise AssertionError((unit, now))


def _roster(units: int) -> Iterator[tuple[str, str, UnitKind, str]]:
    """Code, name, kind and superior of a province with so many schools."""
    yield "41", "示例省教育厅", UnitKind.PROVINCE, ""
    counties = []
    for city in range(_CITIES):
        code = f"41{city:02d}"
        yield code, f"第{city}市教育局", UnitKind.CITY, "41"
        for place in range(_COUNTIES):
            counties.append(f"{code}{place:02d}")
            yield counties[-1], f"第{city}市第{place}区教育局", UnitKind.COUNTY, code
    for school in range(units):
        county = counties[school % len(counties)]
        yield f"{county}{school:05d}", f"第{school}小学", UnitKind.SCHOOL, county


def _story(units: int) -> Iterator[Event]:
    known = list(_roster(units))
    told = [{"code": c, "name": n, "kind": k.value, "superior": s} for c, n, k, s in known]
    people = [
        {"unit": code, "role": "管理员", "name": "管某某", "phone": "0371-55550000", "email": f"u{code}@school.test"}
        for code, *_ in known
    ]  # fmt: skip
    yield Event("roster", 1, "roster.imported", OPENED, "系统", "", {"units": told}, {"contacts": people})
    windows = {level.value: list(days) for level, days in DEFAULT_WINDOWS.items()}
    opened = {"forms": {"school": "a" * 64}, "windows": windows, "receipt_due": None}
    yield Event("campaign:2026Q4", 1, "campaign.opened", OPENED, "系统", "", opened)
    for code, _, kind, _ in known:
        if kind.reports:
            level = {"level": kind.level.value}
            yield Event(f"package:2026Q4/{code}", 1, "package.opened", OPENED, "系统", "", level)
        stream = f"case:2026Q4/{code}/school"
        yield Event(stream, 1, "case.planned", OPENED, "系统")
        yield Event(stream, 2, "case.issued", OPENED, "系统", "", {"copy": 1, "token": f"HZ-{code}"})


def _pieces(events: Iterator[Event]) -> Iterator[list[Event]]:
    piece: list[Event] = []
    for event in events:
        piece.append(event)
        if len(piece) >= _PIECE:
            yield piece
            piece = []
    if piece:
        yield piece


if __name__ == "__main__":
    print(json.dumps(seconds(int(sys.argv[1]) if sys.argv[1:] else 50_000), indent=1))
