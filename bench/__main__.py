"""Measure everything in one run, side by side: `python -m bench`.

Writes bench/results.json and, made from it, docs/benchmarks.md. `--quick` runs one round of everything on a small
world, writes nothing, and only shows that the measurements still work.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import page, parts, reconsolidate, roster, rules, tick
from bench.timing import machine
from bench.whole import ROOT, Race
from bench.world import World, dovecot
from tests.servers.dovecot import missing

RESULTS, PAGE = ROOT / "bench" / "results.json", ROOT / "docs" / "benchmarks.md"


def measure(units: int, many: int, rounds: int) -> Mapping[str, Any]:
    """All figures. `many` is the size of the larger world that growth is measured on; what is measured in the store alone is
    ten, forty and a hundred times as large.
    """
    results: dict[str, Any] = {"machine": machine(), "rounds": rounds}
    with tempfile.TemporaryDirectory(prefix="huizhi-bench-") as place, dovecot() as server:
        _say(f"{units} replies are being filled in and delivered")
        world = World(_folder(place, "world"), units)
        race = Race(world, server, "replies")
        _say("the whole way: ours, the clerk's script, the competent script")
        results["end_to_end"] = _whole(race, rounds)
        _say(str(results["end_to_end"]))
        _say("single steps")
        results |= _steps(world, race, units, rounds)
        _say(f"{rules.RULES} rules over {units * 10} and {units * 100} units")
        results["rules"] = rules.rates((units * 10, units * 100), rounds)
        _say(f"a tick over {units * 100} open cases")
        ticked = tick.seconds(units * 100)
        results["tick"] = {"cases": units * 100, **{name: round(took, 3) for name, took in ticked.items()}}
        _say("a baseline of the whole province")
        results["roster"] = roster.figures()
        _say(f"one return among {units * 10} and {units * 40} units")
        results["reconsolidate"] = _reconsolidate((units * 10, units * 40), rounds)
        _say(f"growth: {many} replies beside {units}")
        results["growth"] = _growth(race, Race(World(_folder(place, "many"), many), server, "many"), rounds)
    return results


def _steps(world: World, race: Race, units: int, rounds: int) -> Mapping[str, Any]:
    """Single steps beside the library that does just that step."""
    results: dict[str, Any] = {}
    taken = parts.stamping(world, rounds)
    results["stamp"] = {"ratio": _ratio(taken["openpyxl"], taken["ours"]), "per_second": _rate(taken)}
    taken = parts.reading(world, rounds)
    results["read"] = {
        "ratio": _ratio(taken["calamine"], taken["ours"]),
        "pool_ratio": _ratio(taken["calamine"], taken["pool"]),
        "per_second": _rate(taken),
        "checked": _checked(world, 2 * rounds + 1),
    }
    taken = parts.intake(race.box, units, rounds)
    results["intake"] = {
        "ratio": _ratio(taken["imap_tools"], taken["ours"]),
        "kept_ratio": _ratio(taken["imap_tools"], taken["kept"]),
        "per_second": _rate(taken),
    }
    taken = parts.sending(world, rounds)
    results["send"] = {
        "ratio": _ratio(taken["yagmail"], taken["ours"]),
        "bare_ratio": _ratio(taken["smtplib"], taken["ours"]),
        "per_second": _rate(taken),
    }
    taken = parts.consolidating(rounds)
    results["consolidate"] = {
        "ratio": _ratio(taken["openpyxl"], taken["ours"]),
        "peak_mb": round(taken["ours_mb"]),
        "openpyxl_peak_mb": round(taken["openpyxl_mb"]),
        "seconds": {"ours": round(taken["ours"], 2), "openpyxl": round(taken["openpyxl"], 2)},
    }
    return results


def _checked(world: World, rounds: int) -> Mapping[str, Any]:
    """Reading, checking and recording notes: how many times calamine's time for merely reading, round by round."""
    taken = parts.checking(world, rounds)

    def times(beside: str) -> Mapping[str, float]:
        pairs = zip(taken["ours"], taken[beside], strict=True)
        ratios = sorted(ours / theirs for ours, theirs in pairs)
        return {
            "times": round(_median(ratios), 2), "least": round(ratios[0], 2), "most": round(ratios[-1], 2)
        }  # fmt: skip

    milliseconds = {name: round(_median(each) * 1000, 3) for name, each in taken.items()}
    return {**times("every_sheet"), "answer_sheets": times("answer_sheets"), "milliseconds": milliseconds}


def _reconsolidate(sizes: tuple[int, int], rounds: int) -> Mapping[str, Any]:
    """What the workbooks of the branch of one return cost in a larger province: their seconds there by those here."""
    seconds = {str(size): reconsolidate.seconds(size, rounds) for size in sizes}
    here, there = (taken["county"] + taken["city"] for taken in seconds.values())
    rounded = {size: {k: round(v, 3) for k, v in taken.items()} for size, taken in seconds.items()}
    return {"ratio": round(there / here, 2), "seconds": rounded}


def _whole(race: Race, rounds: int) -> Mapping[str, Any]:
    seconds = race.run(rounds)
    cold = {name: _median(race.whole[name]) for name in ("clerk", "competent")}
    return {
        "units": race.size,
        "seconds": round(seconds["ours"], 3),
        "clerk_ratio": _ratio(seconds["clerk"], seconds["ours"]),
        "competent_ratio": _ratio(seconds["competent"], seconds["ours"]),
        "cold_clerk_ratio": _ratio(cold["clerk"], seconds["ours_cold"]),
        "cold_competent_ratio": _ratio(cold["competent"], seconds["ours_cold"]),
        "clerk_seconds": round(seconds["clerk"], 2),
        "competent_seconds": round(seconds["competent"], 2),
        "cold_seconds": round(seconds["ours_cold"], 2),
        "cold_clerk_seconds": round(cold["clerk"], 2),
        "cold_competent_seconds": round(cold["competent"], 2),
        "stages": {name: round(_median(taken), 3) for name, taken in race.stages.items()},
    }


def _growth(few: Race, many: Race, rounds: int) -> Mapping[str, Any]:
    """Time a message, in turns: how much dearer one is among many."""
    each: dict[int, list[float]] = {few.size: [], many.size: []}
    for _ in range(rounds):
        for race in (few, many):
            each[race.size].append(race.ours_warm() / race.size)
    small, large = (_median(taken) for taken in each.values())
    milliseconds = {str(size): round(_median(taken) * 1000, 3) for size, taken in each.items()}
    return {"ratio": _ratio(large, small), "milliseconds": milliseconds}


def _folder(place: str, name: str) -> Path:
    folder = Path(place) / name
    folder.mkdir()
    return folder


def _median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


def _ratio(theirs: float, ours: float) -> float:
    return round(theirs / ours, 2)


def _rate(seconds: Mapping[str, float]) -> Mapping[str, int]:
    return {name: round(1 / taken) for name, taken in seconds.items()}


def _say(words: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {words}", flush=True)


def main(arguments: list[str]) -> int:
    if why := missing():
        print(f"The benchmark needs a real mailbox: {why}. As root, tools/install-servers.sh installs it.")
        return 2
    if "--quick" in arguments:
        print(json.dumps(measure(40, 80, 1), ensure_ascii=False, indent=1))
        return 0
    began = time.monotonic()
    results = {**measure(500, 2000, 3), "took_seconds": round(time.monotonic() - began)}
    RESULTS.write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page.written(results), encoding="utf-8")
    _say(f"written: {RESULTS.relative_to(ROOT)}, {PAGE.relative_to(ROOT)}")
    print(page.table(results))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
