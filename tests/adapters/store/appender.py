"""A process that appends, for tests of several writers and of a crash: URL FOLDER NAME BATCHES SIZE [stop at POINT]."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from tests.adapters.store import story
from workflow.adapters.store import Store


def main(url: str, folder: str, name: str, batches: str, size: str, stop: str = "") -> None:
    def reached(point: str) -> None:
        if point == stop:
            os.kill(os.getpid(), signal.SIGKILL)

    store = Store(url, Path(folder), reached=reached)
    for batch in range(int(batches)):
        store.append([story.letter(f"{name}-{batch}-{place}") for place in range(int(size))])
    store.close()


main(*sys.argv[1:])
