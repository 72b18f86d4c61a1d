"""How the command line speaks: lines, JSON and progress."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

from workflow.domain.errors import Fault


def say(text: str = "") -> None:
    """One line on standard output."""
    print(text, flush=True)


def complain(fault: Fault | str) -> None:
    """One line on standard error."""
    print(str(fault).replace("\n", " "), file=sys.stderr, flush=True)


def say_json(value: object) -> None:
    """One JSON value on one line, Chinese as it is."""
    print(json.dumps(value, ensure_ascii=False), flush=True)


@contextmanager
def progress(title: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal; elsewhere plain lines, one for each tenth."""
    if sys.stderr.isatty():
        with tqdm(desc=title, unit="件", leave=False) as bar:

            def move(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            yield move
        return
    told = [-1]

    def tell(done: int, total: int) -> None:
        tenth = done * 10 // total if total else 10
        if tenth > told[0]:
            told[0] = tenth
            print(f"{title}：{done}/{total}", file=sys.stderr, flush=True)

    yield tell
