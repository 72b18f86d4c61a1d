"""How the command line speaks: lines, JSON and progress."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

from workflow.domain.errors import Fault
from workflow.domain.privacy import mask_words

#: What a terminal or a log would not show as it is: controls and escapes (tabs part our columns), marks that turn the line
#: around, characters without width, private and unassigned ones in their planes, halves of a character.
_UNSEEN = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)


def visible(text: str) -> str:
    """Text as it may stand on a terminal: what others wrote in it moves no cursor, turns no line and hides nothing. What would is
    written as its number in hexadecimal.
    """
    return _UNSEEN.sub(_numbered, text)


def _numbered(found: re.Match[str]) -> str:
    char = found[0]
    if char in "\r\n":
        return " "
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"


def say(text: str = "") -> None:
    """One line on standard output."""
    print(visible(text), flush=True)


def complain(fault: Fault | str) -> None:
    """One line on standard error."""
    print(visible(str(fault)), file=sys.stderr, flush=True)


def log(text: str) -> None:
    """A line of what goes on by itself, on standard error, which may end in a log file: it names nobody's number or address."""
    complain(mask_words(text))


class Masked(logging.Formatter):
    """How whatever any library logs is written: in lines of ours."""

    def format(self, record: logging.LogRecord) -> str:
        return visible(mask_words(super().format(record)))


def mask_logs() -> None:
    """Let every logger that nobody listens to write as `log` does."""
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(Masked())


def say_json(value: object) -> None:
    """One JSON value on one line, Chinese as it is; what would not be seen is escaped, which a reader of JSON undoes."""
    print(_UNSEEN.sub(_escaped, json.dumps(value, ensure_ascii=False)), flush=True)


def _escaped(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1]


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
