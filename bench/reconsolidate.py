"""Re-consolidation after one return, in provinces of growing size: what the branch's own workbooks cost, and the rest.

The store is real and filled with events; the county with the return has the same number of schools whatever the size of
the province, so that only what lies outside its branch grows.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from workflow.adapters.files import Files
from workflow.adapters.store import MadeBook, Store
from workflow.domain.campaign import DEFAULT_WINDOWS, SHANGHAI
from workflow.domain.events import Event
from workflow.domain.form import Aggregate, Field, FieldType, Form, Slot
from workflow.domain.matching import make_token
from workflow.domain.roster import Roster, Unit, UnitKind
from workflow.process.consolidate import consolidate, levels_of
from workflow.process.gather import require_campaign

CAMPAIGN, NOW = "2026Q4", dt.datetime(2026, 12, 28, 10, tzinfo=SHANGHAI)
PROVINCE, CITY, COUNTY = "410000", "410100", "410101"
_SCHOOLS, _COUNTIES, _PIECE = 80, 9, 5000
_FIELDS = tuple(Field(f"项{n}", f"指标{n}", FieldType.INTEGER, aggregate=Aggregate.SUM) for n in range(20))
FORM = Form(
    "school", "教育信息化季报表（中小学）", 1, tuple(kind.value for kind in UnitKind), "1", "厅", _FIELDS, (),
    tuple(Slot(field.name, "表", row, 2) for row, field in enumerate(_FIELDS, 1)),
)  # fmt: skip


def seconds(units: int, rounds: int = 3) -> Mapping[str, float]:
    """Seconds after one return among so many units, the median: `county` and `city` make that level's workbook anew,
    `rest` asks for every workbook of the province but its own (the unchanged ones cost nothing), `province` writes all
    rows; `first` is the first making of all.
    """
    with tempfile.TemporaryDirectory(prefix="huizhi-reconsolidate-") as place:
        folder = Path(place)
        store, files = Store(f"sqlite:///{folder}/state.db", folder / "ledger"), Files(folder)
        store.migrate()
        roster = roster_of(units)
        for piece in _pieces(list(_story(roster))):
            store.append(piece)
        read = store.roster()
        assert read is not None
        levels = levels_of(read)
        few = [unit for unit in levels if unit.code != PROVINCE]

        def made(*which: Unit) -> Mapping[str, MadeBook]:
            campaign = require_campaign(store)
            books = consolidate(store, files, _token, read, campaign, {"school": FORM}, which, NOW, NOW)
            return {book.unit: book for book in books}

        taken: dict[str, list[float]] = {"first": [_timed(lambda: made(*levels))]}
        for number in range(2, rounds + 2):
            store.append([_submitted(f"{COUNTY}0000", number)])
            for name, which in (
                ("county", [COUNTY]),
                ("city", [CITY]),
                ("rest", []),
                ("province", [PROVINCE]),
            ):
                chosen = [unit for unit in levels if unit.code in which] or few
                taken.setdefault(name, []).append(_timed(partial(made, *chosen)))
            versions = {unit: book.version for unit, book in made(*levels).items()}
            newer = {unit for unit, version in versions.items() if version == number}
            assert newer == {PROVINCE, CITY, COUNTY}, newer
        store.close()
    return {name: sorted(times)[len(times) // 2] for name, times in taken.items()}


def roster_of(units: int) -> Roster:
    """A province with so many schools, each county of the same size."""
    found = [Unit(PROVINCE, "示例省教育厅", UnitKind.PROVINCE, "")]
    for place in range(max(1, units // _SCHOOLS)):
        city, county = divmod(place, _COUNTIES)
        code = f"41{city + 1:02d}00"
        if county == 0:
            found.append(Unit(code, f"第{city + 1}市教育局", UnitKind.CITY, PROVINCE))
        office = f"{code[:4]}{county + 1:02d}"
        found.append(Unit(office, f"第{city + 1}市{county + 1}区教育局", UnitKind.COUNTY, code))
        found += [
            Unit(f"{office}{n:04d}", f"实验学校{n:04d}", UnitKind.SCHOOL, office) for n in range(_SCHOOLS)
        ]
    return Roster({unit.code: unit for unit in found}, ())


def _story(roster: Roster) -> Iterator[Event]:
    units = [
        {"code": u.code, "name": u.name, "kind": u.kind.value, "superior": u.superior}
        for u in roster.units.values()
    ]
    yield _event("roster", 1, "roster.imported", {"units": units}, {"contacts": []})
    windows = {level.value: list(days) for level, days in DEFAULT_WINDOWS.items()}
    yield _event(
        f"campaign:{CAMPAIGN}", 1, "campaign.opened", {"forms": {"school": "f" * 64}, "windows": windows}
    )
    for unit in roster.units.values():
        if unit.kind.reports:
            level = {"level": unit.kind.level.value}
            yield _event(f"package:{CAMPAIGN}/{unit.code}", 1, "package.opened", level)
        stream = f"case:{CAMPAIGN}/{unit.code}/school"
        yield _event(stream, 1, "case.planned", {})
        yield _event(stream, 2, "case.issued", {"copy": 1, "token": f"HZ-{unit.code}"})
        yield _submitted(unit.code, 1)


def _submitted(unit: str, number: int) -> Event:
    data = {
        "submission": f"{CAMPAIGN}/{unit}/school/{number}", "number": number, "form_version": 1,
        "received_at": NOW.isoformat(),
    }  # fmt: skip
    answers = {field.name: 100 + number + n for n, field in enumerate(_FIELDS)}
    return _event(f"case:{CAMPAIGN}/{unit}/school", number + 2, "case.submitted", data, {"answers": answers})


def _event(
    stream: str,
    number: int,
    kind: str,
    data: Mapping[str, object],
    personal: Mapping[str, object] | None = None,
) -> Event:
    return Event(stream, number, kind, NOW, "系统", data=data, personal=personal)


def _token(campaign: str, unit: str, kind: str, version: int) -> str:
    return make_token(b"k" * 32, "A", campaign, unit, kind, version)


def _pieces(events: Sequence[Event]) -> Iterator[Sequence[Event]]:
    for at in range(0, len(events), _PIECE):
        yield events[at : at + _PIECE]


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main(arguments: Sequence[str]) -> int:
    """`python -m bench.reconsolidate [units…]`."""
    sizes = [int(word) for word in arguments] or [5_000, 20_000]
    results = {str(units): {k: round(v, 3) for k, v in seconds(units).items()} for units in sizes}
    print(json.dumps(results, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
