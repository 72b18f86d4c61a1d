"""The passwords 打开密码 that units lock their workbooks with, told by telephone and registered by staff.

They lie in one 0600 file of the workspace beside the token keys: never in the ledger, the database, a log or a letter.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from filelock import FileLock

from workflow.adapters.keys import private
from workflow.domain.errors import Fault, Refused


class Passwords:
    """The registered passwords, by unit code. A missing file holds none."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "passwords.json"

    def all(self) -> Mapping[str, str]:
        """Every password by unit; raises Refused when the file is not one of ours or others may read it."""
        try:
            known = json.loads(private.read(self._path, "打开密码"))
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
        return private.alone(self._path)

    def _write(self, known: Mapping[str, str]) -> None:
        private.write(self._path, json.dumps(dict(sorted(known.items())), ensure_ascii=False, indent=1))

    def _fault(self, what: str, remedy: str) -> Fault:
        return Fault(f"keys/{self._path.name}", what, remedy)
