"""A database that is broken is put aside before it is made anew from the ledger."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

_EMPTY_OR_SQLITE = (b"", b"SQLite format 3\x00")


def put_aside(path: Path, moment: dt.datetime) -> str:
    """A SQLite file that is missing is made anew, one that is no database is put aside under another name, which is returned
    ('' when nothing had to be put aside).
    """
    if path.exists():
        with path.open("rb") as file:
            if file.read(16) in _EMPTY_OR_SQLITE:
                return ""
        aside = path.with_name(f"{path.name}.损坏-{moment:%Y%m%d%H%M%S}")
        path.rename(aside)
        for rest in ("-wal", "-shm"):
            path.with_name(path.name + rest).unlink(missing_ok=True)
        path.touch()
        return aside.name
    path.touch()
    return ""
