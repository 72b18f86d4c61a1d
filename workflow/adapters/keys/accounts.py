"""The accounts that are on their way, with their initial passwords and the password 开启口令 of each unit's sheet.

They lie in one 0600 file of the workspace beside the token keys, and nowhere else in clear: never in the ledger, the database, a
log or a letter. What a unit has signed for is erased here, after which the sheets in outbox/ can be opened by nobody.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workflow.adapters.keys import private
from workflow.domain.accounts import Account
from workflow.domain.errors import Fault, Refused
from workflow.domain.roster import Role

_WHAT = "账号和初始密码"
_GROUPS, _DIGITS = 4, 4
_NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class SecretAccounts:
    """A unit's accounts, since when they are kept here, and what opens the unit's sheet."""

    accounts: tuple[Account, ...]
    kept_since: dt.datetime
    opening: str = field(repr=False)


def new_opening() -> str:
    """Sixteen digits, which can be read out by telephone: with the 100,000 turns of the sheet's own key, some seventy bits."""
    return "-".join(f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}" for _ in range(_GROUPS))


class AccountSecrets:
    """The private file of accounts, by unit. A missing file holds none."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "accounts.json"

    @property
    def kept(self) -> bool:
        """Whether there is anything here."""
        return self._path.exists()

    def all(self) -> dict[str, SecretAccounts]:
        """Every unit's; raises Refused when the file is not one of ours or others may read it."""
        try:
            known = json.loads(private.read(self._path, _WHAT))
            return {code: _unpacked(code, said) for code, said in known.items()}
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError, AttributeError):
            remedy = "请删除后重新导入（huizhi accounts import）"
            # Not from the error itself, which holds the whole text.
            raise Refused(Fault(f"keys/{self._path.name}", "内容已损坏", remedy)) from None

    def put(self, units: Mapping[str, tuple[Account, ...]], at: dt.datetime) -> None:
        """Keep units' accounts in place of older ones, each with a password of its own for its sheet."""
        with private.alone(self._path):
            known = self.all()
            known |= {code: SecretAccounts(accounts, at, new_opening()) for code, accounts in units.items()}
            self._write(known)

    def erase(self, before: Mapping[str, dt.datetime]) -> int:
        """Erase, with what opens their sheets, the accounts of units that are kept here since the moment given for each or
        longer; how many units these were.
        """
        with private.alone(self._path):
            known = self.all()
            left = {code: one for code, one in known.items() if one.kept_since > before.get(code, _NEVER)}
            if len(left) < len(known):
                self._write(left)
            return len(known) - len(left)

    def _write(self, known: Mapping[str, SecretAccounts]) -> None:
        if not known:
            self._path.unlink(missing_ok=True)
            return
        packed = {code: _packed(one) for code, one in sorted(known.items())}
        private.write(self._path, json.dumps(packed, ensure_ascii=False, indent=1))


def _packed(one: SecretAccounts) -> dict[str, Any]:
    accounts = [[a.role.value, a.name, a.password, a.former] for a in one.accounts]
    return {"since": one.kept_since.isoformat(), "opening": one.opening, "accounts": accounts}


def _unpacked(code: str, said: Mapping[str, Any]) -> SecretAccounts:
    accounts = tuple(
        Account(code, Role(role), name, word, former) for role, name, word, former in said["accounts"]
    )
    return SecretAccounts(accounts, dt.datetime.fromisoformat(said["since"]), said["opening"])
