"""Repetitions side by side: each round runs every competitor once, so that a slow minute of the machine hits all."""

from __future__ import annotations

import gc
import importlib.metadata
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

Measured = Mapping[str, float]
#: Whose versions are noted beside the figures.
_LIBRARIES = (
    "imap-tools", "openpyxl", "pandas", "python-calamine", "XlsxWriter", "yagmail", "fast-mail-parser", "SQLAlchemy",
    "Jinja2", "lxml", "aiosmtpd", "polars",
)  # fmt: skip


def timed(work: Callable[[], object]) -> float:
    """Seconds that a piece of work takes."""
    gc.collect()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def side_by_side(competitors: Mapping[str, Callable[[], float]], rounds: int) -> Measured:
    """The median seconds of each, over interleaved rounds."""
    seconds = in_turns(competitors, rounds)
    return {name: statistics.median(taken) for name, taken in seconds.items()}


def in_turns(competitors: Mapping[str, Callable[[], float]], rounds: int) -> Mapping[str, Sequence[float]]:
    """The seconds of each in every round."""
    seconds: dict[str, list[float]] = {name: [] for name in competitors}
    for _ in range(rounds):
        for name, run in competitors.items():
            seconds[name].append(run())
    return seconds


def machine() -> dict[str, object]:
    """What the figures were measured on; `load` is how many processes wanted a core in the five minutes before."""
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[1], 1),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "libraries": {name: importlib.metadata.version(name) for name in _LIBRARIES},
    }


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
