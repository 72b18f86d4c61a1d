"""Where the passwords of units' workbooks lie: one file that nobody else may read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from workflow.adapters.passwords import Passwords
from workflow.domain.errors import Refused

if TYPE_CHECKING:
    from pathlib import Path


def test_a_password_is_kept_replaced_and_forgotten_by_unit(tmp_path: Path) -> None:
    known = Passwords(tmp_path / "keys")
    assert known.all() == {}
    known.register("4101020001", "甲 ")
    known.register("4101020002", "乙")
    known.register("4101020001", "丙")
    assert Passwords(tmp_path / "keys").all() == {"4101020001": "丙", "4101020002": "乙"}
    assert (known.forget("4101020001"), known.forget("4101020001")) == (True, False)
    assert known.all() == {"4101020002": "乙"}


def test_nobody_else_may_read_the_file_and_one_that_they_may_is_refused(tmp_path: Path) -> None:
    known = Passwords(tmp_path / "keys")
    known.register("4101020001", "甲")
    path = tmp_path / "keys" / "passwords.json"
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    path.chmod(0o644)
    with pytest.raises(Refused, match="chmod 600"):
        known.all()
    with pytest.raises(Refused):
        known.register("4101020002", "乙")


@pytest.mark.parametrize("content", [b"", b"[]", b'{"a": 1}', b"\xff"])
def test_a_damaged_file_is_refused_with_what_to_do(tmp_path: Path, content: bytes) -> None:
    known = Passwords(tmp_path)
    known.register("4101020001", "甲")
    (tmp_path / "passwords.json").write_bytes(content)
    with pytest.raises(Refused, match="password set") as refused:
        known.all()
    assert "甲" not in str(refused.value)
