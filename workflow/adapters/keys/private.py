"""Files that nobody but the workspace's user may read."""

from __future__ import annotations

import os
from pathlib import Path

from filelock import FileLock

from workflow.domain.errors import Fault, Refused


def alone(path: Path) -> FileLock:
    """The lock under which a private file is changed; its folder is made where it is missing."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    return FileLock(path.with_suffix(".lock"), mode=0o600)


def read(path: Path, what: str) -> str:
    """The text of a private file. Raises FileNotFoundError, UnicodeDecodeError, and Refused when others may read it."""
    with path.open(encoding="utf-8") as file:
        if os.fstat(file.fileno()).st_mode & 0o077:
            raise Refused(Fault(f"keys/{path.name}", f"其他用户可以读取{what}", f"请运行 chmod 600 {path}"))
        return file.read()


def write(path: Path, text: str) -> None:
    """Whole or not at all, and never readable by others, not even for a moment."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with open(fresh, "x", opener=_private, encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
