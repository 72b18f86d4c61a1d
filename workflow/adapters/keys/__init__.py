"""What the workspace keeps to itself in `keys/`: the token keys and the passwords of units' workbooks."""

from __future__ import annotations

from workflow.adapters.keys.passwords import Passwords
from workflow.adapters.keys.tokens import TokenKeyFile, TokenKeys

__all__ = ["Passwords", "TokenKeyFile", "TokenKeys"]
