"""The keys that make routing tokens 编号: one file each, the newest in use, older ones known until they are retired.

A token is looked up among those that were issued, so that one made with an older key goes on routing. A key that is thought
to be known to others is retired: from that day on what was made with it routes nothing.
"""

from __future__ import annotations

import datetime as dt
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from workflow.adapters.keys import private
from workflow.domain.errors import Fault, Refused
from workflow.domain.matching import make_token

#: The letters that a token may bear, in the order of their use. A letter is never used again.
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_SECRET = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class TokenKeyFile:
    """A key: its one letter, its secret, the day on which it was made (None: not on record), and the first day on which its
    tokens route no more (None: they do).
    """

    id: str
    secret: bytes
    made: dt.date | None = None
    retires: dt.date | None = None

    def __repr__(self) -> str:
        """Without the secret, which no log or traceback may show."""
        return f"TokenKeyFile({self.id!r}, made={self.made}, retires={self.retires})"

    def retired(self, day: dt.date) -> bool:
        return self.retires is not None and day >= self.retires


class TokenKeys:
    """The token keys of a workspace."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def all(self) -> list[TokenKeyFile]:
        """Every key, the oldest first; raises Refused when a file is not one of ours or others may read it."""
        return [self._read(letter) for letter in LETTERS if self._path(letter).exists()]

    def all_of(self, today: dt.date, *parts: object) -> frozenset[str]:
        """Every token that what the parts name may bear, by the keys that are in force."""
        keys = [key for key in self.all() if not key.retired(today)]
        return frozenset(make_token(key.secret, key.id, *parts) for key in keys)

    def current(self, today: dt.date) -> TokenKeyFile:
        """The key in use; the first one is made with its first use."""
        if known := self.all():
            return known[-1]
        with private.alone(self._folder / "token.key"):
            known = self.all()
            return known[-1] if known else self._make(LETTERS[0], today)

    def rotate(self, today: dt.date) -> TokenKeyFile:
        """A new key for what is issued from now on; the older ones go on routing."""
        with private.alone(self._folder / "token.key"):
            known = self.all()
            place = LETTERS.index(known[-1].id) + 1 if known else 0
            if place == len(LETTERS):
                raise Refused(Fault("keys", "编号密钥的字母已用完", "已更换过31次，不能再更换"))
            return self._make(LETTERS[place], today)

    def retire(self, letter: str, day: dt.date) -> TokenKeyFile:
        """From `day` on a key's tokens route nothing. Raises Refused for one that is in use or unknown."""
        with private.alone(self._folder / "token.key"):
            known = {key.id: key for key in self.all()}
            if letter not in known:
                raise Refused(
                    Fault(f"编号密钥 {letter}", "没有这个密钥", "请用 huizhi keys list 查看现有密钥")
                )
            if letter == max(known, key=LETTERS.index):
                raise Refused(Fault(f"编号密钥 {letter}", "正在使用", "请先用 huizhi keys rotate 更换密钥"))
            old = known[letter]
            return self._write(TokenKeyFile(old.id, old.secret, old.made, day))

    def _make(self, letter: str, today: dt.date) -> TokenKeyFile:
        return self._write(TokenKeyFile(letter, secrets.token_bytes(32), today))

    def _write(self, key: TokenKeyFile) -> TokenKeyFile:
        said = {"made": key.made, "retires": key.retires}
        lines = [key.secret.hex(), *(f"{name} {day}" for name, day in said.items() if day)]
        private.write(self._path(key.id), "\n".join(lines) + "\n")
        return key

    def _read(self, letter: str) -> TokenKeyFile:
        path = self._path(letter)
        try:
            secret, *rest = private.read(path, "编号密钥").split("\n")
            said = dict(line.split(" ", 1) for line in rest if line)
            if not _SECRET.fullmatch(secret.strip()):
                raise ValueError(path.name)
            return TokenKeyFile(letter, bytes.fromhex(secret), _day(said, "made"), _day(said, "retires"))
        except ValueError as error:
            remedy = "请从备份取回；没有备份的，移走该文件后运行 huizhi keys rotate"
            raise Refused(Fault(f"keys/{path.name}", "内容已损坏", remedy)) from error

    def _path(self, letter: str) -> Path:
        return self._folder / f"token-{letter}.key"


def _day(said: Mapping[str, str], name: str) -> dt.date | None:
    return dt.date.fromisoformat(said[name]) if name in said else None
