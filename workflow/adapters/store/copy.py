"""The ledger's portable copy: `YYYY-MM.jsonl` with the events, `personal-YYYY-MM.jsonl` with the personal payloads.

Written after each commit and forced to disk, so it may lag behind the database after a crash and is then completed,
but is never ahead of it. A file is named after the month that the ledger had reached: an event dated back (a deadline
that was missed) stands in the file of its time of writing, so that names and lines are in the ledger's order.
"""

from __future__ import annotations

import datetime as dt
import errno
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from workflow.domain.errors import Fault, OutsideFailed, Refused, system_words
from workflow.domain.events import GENESIS, PURGED, Event, Ranges, canonical, quoted

PERSONAL = "personal-"
_LOCK_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Entry:
    """One event as the ledger keeps it: its place, its payload's digest and salt, and its hash. `data` and
    `personal` are JSON text; `personal` is None where there is none or it has been erased.
    """

    seq: int
    event: Event
    data: str
    payload: str
    salt: str
    personal: str | None
    hash: str

    def line(self) -> str:
        event = self.event
        return (
            f'{{"actor":{quoted(event.actor)},"at":"{event.at.isoformat()}","cause":{quoted(event.cause)},'
            f'"hash":"{self.hash}","kind":{quoted(event.kind)},"number":{event.number},"payload":"{self.payload}",'
            f'"seq":{self.seq},"stream":{quoted(event.stream)},"data":{self.data}}}\n'
        )

    def personal_line(self) -> str:
        return _personal_line(self.payload, self.salt, self.seq, self.personal)


@dataclass(frozen=True, slots=True)
class Tail:
    """Where a series of files ends: the last event in it."""

    seq: int = 0
    hash: str = GENESIS
    month: str = ""


class LedgerCopy:
    """The copy in one folder. The callers' `entries_after(seq)` gives the next piece of what follows `seq`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: tuple[tuple[str, int, int], Tail] | None = None

    def complete(self, head: int, entries_after: Callable[[int], Iterable[Entry]]) -> None:
        """Write what the ledger has up to `head` and the copy has not; a torn last line is mended."""
        with _disk(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self.folder / ".lock", timeout=_LOCK_SECONDS):
                tail = self.tail()
                while tail.seq < head:
                    tail = self._write(tail, entries_after(tail.seq))

    def _write(self, tail: Tail, entries: Iterable[Entry]) -> Tail:
        """Personal lines first: an event line in the copy then always finds its payload there. After a crash between
        the two a payload may stand there twice, which says the same thing.
        """
        month = tail.month
        public: dict[str, list[str]] = {}
        personal: dict[str, list[str]] = {}
        last = tail
        for entry in entries:
            at = entry.event.at
            month = max(month, f"{at.year:04}-{at.month:02}")
            public.setdefault(month, []).append(entry.line())
            if entry.payload:
                personal.setdefault(month, []).append(entry.personal_line())
            last = Tail(entry.seq, entry.hash, month)
        for month_of, lines in personal.items():
            _extend(self.folder / f"{PERSONAL}{month_of}.jsonl", lines)
        for month_of, lines in public.items():
            _extend(self.folder / f"{month_of}.jsonl", lines)
        self._known = (_mark(self.folder / f"{last.month}.jsonl"), last)
        return last

    def _files(self) -> list[Path]:
        return sorted(path for path in self.folder.glob("*.jsonl") if not path.name.startswith(PERSONAL))

    def tail(self) -> Tail:
        """The last event of the copy; a torn last line does not count."""
        files = self._files()
        if not files:
            return Tail()
        if self._known and self._known[0] == _mark(files[-1]):
            return self._known[1]
        for path in reversed(files):
            line = last_line(path)
            if line:
                fields = json.loads(line)
                return Tail(fields["seq"], fields["hash"], path.stem)
        return Tail()

    def purged(self) -> Ranges:
        """The events whose personal payload was erased, by what the copy's own events say."""
        found = Ranges()
        for path in self._files():
            for fields in _lines(path, containing=f'"kind":"{PURGED}"'):
                found = found.with_more(fields["data"]["ranges"])
        return found

    def unscrubbed(self) -> int:
        """How many payloads stand in the copy that were to be erased."""
        purged = self.purged()
        return sum(fields["seq"] in purged for path in self._personal() for fields in _lines(path))

    def scrub(self) -> None:
        """Take every payload that was erased out of the copy; a file is whole before and after."""
        purged = self.purged()
        if not purged:
            return
        with _disk(self.folder), FileLock(self.folder / ".lock", timeout=_LOCK_SECONDS):
            for path in self._personal():
                _keep_lines(path, lambda fields: fields["seq"] not in purged)

    def _personal(self) -> list[Path]:
        return sorted(self.folder.glob(f"{PERSONAL}*.jsonl"))

    def entries(self) -> Iterator[Entry]:
        """Every event of the copy in order, without payloads that were erased after the copy was made. Raises Refused for a
        line that can't be read.
        """
        purged = self.purged()
        for path in self._files():
            month = path.stem
            personal: dict[str, tuple[str, Any]] = {
                fields["digest"]: (fields["salt"], fields["personal"])
                for fields in _lines(self.folder / f"{PERSONAL}{month}.jsonl")
                if fields["seq"] not in purged
            }
            for fields in _lines(path):
                yield _entry(fields, personal)


def _entry(fields: Mapping[str, Any], personal: Mapping[str, tuple[str, Any]]) -> Entry:
    salt, body = personal.get(fields["payload"], ("", None))
    event = Event(
        fields["stream"],
        fields["number"],
        fields["kind"],
        dt.datetime.fromisoformat(fields["at"]),
        fields["actor"],
        fields["cause"],
        fields["data"],
        body,
    )
    return Entry(
        fields["seq"],
        event,
        canonical(fields["data"]),
        fields["payload"],
        salt,
        None if body is None else canonical(body),
        fields["hash"],
    )


def _lines(path: Path, containing: str = "") -> Iterator[Mapping[str, Any]]:
    """The lines of a file, or those with these words in them."""
    if not path.exists():
        return
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith("\n"):
                return  # torn by a crash while it was written
            if containing not in line:
                continue
            try:
                yield json.loads(line)
            except ValueError as error:
                raise Refused(
                    Fault(f"{path.name} 第 {number} 行", "台账副本的这一行读不出来", "请从备份取回该文件")
                ) from error


def last_line(path: Path) -> bytes:
    """The last whole line of a file, empty for a file without one."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        block = b""
        while end > 0:
            start = max(0, end - 65536)
            file.seek(start)
            block = file.read(end - start) + block
            end = start
            whole = block[: block.rfind(b"\n") + 1]
            cut = whole.rfind(b"\n", 0, -1)
            if whole and cut >= 0:
                return whole[cut + 1 :]
        return block[: block.rfind(b"\n") + 1]


def _extend(path: Path, lines: Iterable[str]) -> None:
    """Append whole lines and force them to disk; a torn last line is cut off first."""
    fresh = not path.exists()
    with path.open("ab+") as file:
        end = file.seek(0, os.SEEK_END)
        if end:
            file.seek(end - 1)
            if file.read(1) != b"\n":
                _cut_torn(path)
        file.write("".join(lines).encode())
        file.flush()
        os.fsync(file.fileno())
    if fresh:
        sync_folder(path.parent)


def _keep_lines(path: Path, wanted: Callable[[Mapping[str, Any]], bool]) -> None:
    """Leave in a file only the lines that are wanted, in one step."""
    kept, dropped = [], 0
    for fields in _lines(path):
        if wanted(fields):
            personal = None if fields["personal"] is None else canonical(fields["personal"])
            kept.append(_personal_line(fields["digest"], fields["salt"], fields["seq"], personal))
        else:
            dropped += 1
    if not dropped:
        return
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        file.write("".join(kept).encode())
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_folder(path.parent)


def _personal_line(digest: str, salt: str, seq: int, personal: str | None) -> str:
    return f'{{"digest":"{digest}","salt":"{salt}","seq":{seq},"personal":{personal or "null"}}}\n'


def _cut_torn(path: Path) -> None:
    content = path.read_bytes()
    os.truncate(path, content.rfind(b"\n") + 1)


def sync_folder(folder: Path) -> None:
    """Force a folder's entries to disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _mark(path: Path) -> tuple[str, int, int]:
    state = path.stat()
    return path.name, state.st_size, state.st_ino


@contextmanager
def _disk(folder: Path) -> Iterator[None]:
    try:
        yield
    except Timeout as error:
        raise OutsideFailed(f"台账副本 {folder.name}", "正被其他程序占用", "请稍后重试") from error
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise OutsideFailed(f"台账副本 {folder.name}", "磁盘已满", "请清理磁盘后重试") from error
        raise OutsideFailed(
            f"台账副本 {folder.name}", f"写不进去：{system_words(error)}", "请检查文件夹的权限"
        ) from error
