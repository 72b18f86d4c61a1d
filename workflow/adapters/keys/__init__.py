"""What the workspace keeps to itself in `keys/`: the token keys, the passwords of units' workbooks, accounts on their way."""

from __future__ import annotations

from workflow.adapters.keys.accounts import AccountSecrets, SecretAccounts
from workflow.adapters.keys.passwords import Passwords
from workflow.adapters.keys.tokens import TokenKeyFile, TokenKeys

__all__ = ["AccountSecrets", "Passwords", "SecretAccounts", "TokenKeyFile", "TokenKeys"]
