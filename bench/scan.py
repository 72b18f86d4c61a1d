"""Measure the reading of scans: `python -m bench.scan [--pages N]`, N pages at each of 100, 150 and 200 dpi.

The pages are 负责人回执表 printed by LibreOffice, filled with people drawn at random, two thirds of them sealed, every second
one photographed and the others scanned; they are read by the worker that the product reads with, held to one core.
Writes bench/scan.json.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.timing import machine
from tests.scans import ageing, sheets
from tests.scans.sheets import Sheet
from tests.servers.office import Office, missing_office
from workflow.adapters.scan.read import available
from workflow.adapters.scan.worker import ScanReader
from workflow.domain.receipt import Cell, Entry, ReceiptAnswers, ScannedPage, Seal, Verdict, compare
from workflow.domain.roster import UnitKind

RESULTS = Path(__file__).resolve().parent / "scan.json"
RESOLUTIONS = (100, 150, 200)
_LIBRARIES = (
    "numpy",
    "onnxruntime",
    "opencv-python-headless",
    "pillow",
    "pypdfium2",
    "rapidocr",
    "zxing-cpp",
)
_KINDS = (UnitKind.CITY, UnitKind.UNIVERSITY, UnitKind.CITY, UnitKind.PROVINCIAL_VOCATIONAL)


@dataclass
class Tally:
    """What was counted at one resolution."""

    pages: int = 0
    routed: int = 0
    fields: int = 0
    right: int = 0
    sure: int = 0
    sealed: int = 0
    seen: int = 0
    unsealed: int = 0
    alarms: int = 0
    doubtful: int = 0
    altered: int = 0
    passed: int = 0
    seconds: list[float] = field(default_factory=list)

    def add(self, sheet: Sheet, sealed: bool, pages: tuple[ScannedPage, ...], seconds: float) -> None:
        """Count one page that was read."""
        page = pages[0]
        self.pages += 1
        self.seconds.append(seconds)
        told = page.mark is not None and (page.mark.unit, page.mark.token) == (sheet.unit.code, sheet.token)
        self.routed += told and len(pages) == 1
        self.sealed += sealed
        self.unsealed += not sealed
        self.seen += sealed and page.seal is Seal.SEEN
        self.alarms += not sealed and page.seal is Seal.SEEN
        self.doubtful += page.seal is Seal.DOUBTFUL
        seen = page.answers or ReceiptAnswers()
        for one in compare(sheet.answers, seen, sheet.unit.kind).fields:
            self.fields += 1
            self.sure += one.verdict is Verdict.CONSISTENT
            self.right += _held(one.cell, one.typed, Entry(one.seen), sheet.unit.kind) is Verdict.CONSISTENT
        for cell, altered in _altered(sheet):
            self.altered += 1
            entry = seen.cells.get(cell)
            if entry is not None and _held(cell, altered, entry, sheet.unit.kind) is Verdict.CONSISTENT:
                self.passed += 1
                print(f"  ! {cell[1].value} {altered} was called consistent with {entry}")


def _held(cell: Cell, typed: str, seen: Entry, kind: UnitKind) -> Verdict:
    told = compare(ReceiptAnswers({cell: Entry(typed)}), ReceiptAnswers({cell: seen}), kind)
    return next(one.verdict for one in told.fields if one.cell == cell)


def _altered(sheet: Sheet) -> Iterator[tuple[Cell, str]]:
    """Every electronic copy of a sheet in which one digit is another."""
    for cell, entry in sheet.answers.cells.items():
        for place, sign in enumerate(entry.text):
            if sign.isdecimal():
                for digit in "0123456789".replace(sign, ""):
                    yield cell, entry.text[:place] + digit + entry.text[place + 1 :]


def measure(pages: int, seed: int) -> Mapping[str, Any]:
    """All figures, over `pages` pages at each resolution."""
    tallies = {dpi: Tally() for dpi in RESOLUTIONS}
    with tempfile.TemporaryDirectory(prefix="huizhi-scan-") as place, ScanReader() as reader:
        folder = Path(place)
        office = Office(folder / "profile")
        blanks = {kind: sheets.blank(kind, office, folder) for kind in dict.fromkeys(_KINDS)}
        reader.read_scan(b"")  # the worker is up; its models load with the first page, which counts
        assert reader.process is not None
        worker = reader.process.pid
        os.sched_setaffinity(worker, {min(os.sched_getaffinity(0))})
        for number in range(pages):
            chance = random.Random(f"{seed}/{number}")
            sheet = sheets.invent(chance, _KINDS[number % len(_KINDS)])
            paper = sheets.filled(blanks[sheet.unit.kind], sheet, number)
            sealed = number % 3 != 2
            if sealed:
                paper = ageing.sealed(paper, chance, sheet.unit.name)
            take = ageing.scanned if number % 2 == 0 else ageing.photographed
            for dpi, tally in tallies.items():
                scan = take(paper, chance, dpi)
                began = time.perf_counter()
                reading = reader.read_scan(scan)
                tally.add(sheet, sealed, reading.pages, time.perf_counter() - began)
            _say(
                f"{number + 1}/{pages}  " + "  ".join(f"{dpi}: {_told(one)}" for dpi, one in tallies.items())
            )
        peak, processor = _used(worker)
    return _results(tallies, peak, processor)


def _told(tally: Tally) -> str:
    return f"{tally.routed}/{tally.pages} routed, {tally.right}/{tally.fields} fields"


def _used(process: int) -> tuple[float, float]:
    """The peak memory in MB and the processor seconds of a process."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    times = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return peak / 1024, (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")


def _results(tallies: Mapping[int, Tally], peak: float, processor: float) -> Mapping[str, Any]:
    every = list(tallies.values())

    def share(part: str, whole: str) -> float:
        total = sum(getattr(one, whole) for one in every)
        return round(sum(getattr(one, part) for one in every) / total, 4) if total else 0.0

    pages = sum(one.pages for one in every)
    return {
        "routing": _share(tallies[150].routed, tallies[150].pages),
        "fields_in_cell": {str(dpi): _share(one.right, one.fields) for dpi, one in tallies.items()},
        "altered_called_consistent": sum(one.passed for one in every),
        "seal_recall": share("seen", "sealed"),
        "seal_false_alarms": share("alarms", "unsealed"),
        "seconds_page": round(statistics.mean(second for one in every for second in one.seconds), 2),
        "peak_mb": round(peak),
        "routing_at": {str(dpi): _share(one.routed, one.pages) for dpi, one in tallies.items()},
        "called_consistent": {str(dpi): _share(one.sure, one.fields) for dpi, one in tallies.items()},
        "seal_doubtful": share("doubtful", "pages"),
        "altered_tried": sum(one.altered for one in every),
        "processor_seconds_page": round(processor / pages, 2),
        "slowest_seconds": round(max(second for one in every for second in one.seconds), 2),
        "pages": {str(dpi): one.pages for dpi, one in tallies.items()},
        "fields": {str(dpi): one.fields for dpi, one in tallies.items()},
        "machine": {
            **machine(),
            "libraries": {name: importlib.metadata.version(name) for name in _LIBRARIES},
        },
    }


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


def _say(words: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {words}", flush=True)


def main(arguments: list[str]) -> int:
    """Measures, prints and writes the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.scan", description="Measure the reading of scans.")
    parser.add_argument("--pages", type=int, default=20, help="pages at each resolution (20)")
    parser.add_argument(
        "--seed", type=int, default=1, help="another seed draws other people and other damage (1)"
    )
    parser.add_argument("--dry", action="store_true", help="print only, write no file")
    chosen = parser.parse_args(arguments)
    if why := missing_office():
        print(f"The benchmark prints the form: {why}. As root, tools/install-servers.sh installs it.")
        return 2
    if not available():
        print("The extra `scan` is not installed: pip install 'huizhi[scan]'.")
        return 2
    results = measure(max(1, chosen.pages), chosen.seed)
    words = json.dumps(results, ensure_ascii=False, indent=1)
    if not chosen.dry:
        RESULTS.write_text(words + "\n", encoding="utf-8")
    print(words)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
