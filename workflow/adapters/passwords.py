"""The passwords 打开密码 that units lock their workbooks with, told by telephone and registered by staff.

They lie in one 0600 file of the workspace beside the token keys: never in the ledger, the database, a log or a letter.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from filelock import FileLock

from workflow.domain.errors import Fault, Refused


class Passwords:
    """The registered passwords, by unit code. A missing file holds none."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "passwords.json"

    def all(self) -> Mapping[str, str]:
        """Every password by unit; raises Refused when the file is not one of ours or others may read it."""
        try:
            with self._path.open(encoding="utf-8") as file:
                if os.fstat(file.fileno()).st_mode & 0o077:
                    raise Refused(self._fault("其他用户可以读取打开密码", f"请运行 chmod 600 {self._path}"))
                known = json.load(file)
        except FileNotFoundError:
            return {}
        except (ValueError, UnicodeDecodeError) as error:
            raise Refused(self._fault("内容已损坏", "请删除后重新登记（huizhi password set）")) from error
        if not isinstance(known, dict) or not all(isinstance(word, str) for word in known.values()):
            raise Refused(self._fault("内容已损坏", "请删除后重新登记（huizhi password set）"))
        return known

    def register(self, unit: str, password: str) -> None:
        """Keep a unit's password in place of an older one."""
        with self._alone():
            self._write({**self.all(), unit: password})

    def forget(self, unit: str) -> bool:
        """Drop a unit's password; whether there was one."""
        with self._alone():
            known = dict(self.all())
            if known.pop(unit, None) is None:
                return False
            self._write(known)
            return True

    def _alone(self) -> FileLock:
        self._path.parent.mkdir(mode=0o700, exist_ok=True)
        return FileLock(self._path.with_suffix(".lock"), mode=0o600)

    def _write(self, known: Mapping[str, str]) -> None:
        """Whole or not at all, and never readable by others, not even for a moment."""
        fresh = self._path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with open(fresh, "x", opener=_private, encoding="utf-8") as file:
            json.dump(dict(sorted(known.items())), file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)

    def _fault(self, what: str, remedy: str) -> Fault:
        return Fault(f"keys/{self._path.name}", what, remedy)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
