"""Mail of the real world, as packages ship it for their own tests. Nothing of it lies in this repository."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from . import running

PYTHON, NOTICES = "Python's e-mail tests", "Debian's python3-flufl.bounce"
PACKAGES = (PYTHON, NOTICES)


def shipped(package: str) -> dict[str, bytes]:
    """The messages of a package by file name; a package that is not there is what a server that is not there is."""
    folder = _folder(package)
    found = {path.name: path.read_bytes() for path in sorted(folder.glob("*.txt"))} if folder else {}
    if not found:
        running.unavailable(f"{package} are not installed (tools/install-servers.sh)")
    return found


def _folder(package: str) -> Path | None:
    if package == NOTICES:
        return Path("/usr/lib/python3/dist-packages/flufl/bounce/tests/data")
    try:
        found = importlib.util.find_spec("test.test_email")
    except ModuleNotFoundError:
        return None
    return Path(found.origin).parent / "data" if found and found.origin else None
