"""What lies in `keys/`: passwords of units' workbooks and token keys, in files that nobody else may read."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from workflow.adapters.keys import Passwords, TokenKeys
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


OCTOBER, MARCH = dt.date(2026, 10, 8), dt.date(2027, 3, 1)


def test_the_first_key_is_made_with_its_first_use_and_a_new_one_takes_the_next_letter(tmp_path: Path) -> None:
    keys = TokenKeys(tmp_path / "keys")
    first = keys.current(OCTOBER)
    assert (first.id, first.made, keys.current(MARCH)) == ("A", OCTOBER, first)
    second = keys.rotate(MARCH)
    assert (second.id, second.made, keys.current(MARCH)) == ("B", MARCH, second)
    assert TokenKeys(tmp_path / "keys").all() == [first, second]
    assert first.secret != second.secret
    assert first.secret.hex() not in repr(first)


def test_an_older_key_is_retired_from_a_day_on_and_the_one_in_use_is_not(tmp_path: Path) -> None:
    keys = TokenKeys(tmp_path)
    keys.current(OCTOBER)
    with pytest.raises(Refused, match="正在使用"):
        keys.retire("A", MARCH)
    keys.rotate(OCTOBER)
    assert keys.retire("A", MARCH).retires == MARCH
    retired = [[key.retired(day) for key in keys.all()] for day in (dt.date(2027, 2, 28), MARCH)]
    assert retired == [[False, False], [True, False]]
    with pytest.raises(Refused, match="没有这个密钥"):
        keys.retire("C", MARCH)


def test_a_key_of_an_earlier_version_without_dates_is_read(tmp_path: Path) -> None:
    path = tmp_path / "token-A.key"
    path.touch(0o600)
    path.write_text("ab" * 32)
    [key] = TokenKeys(tmp_path).all()
    assert (key.secret, key.made, key.retires) == (b"\xab" * 32, None, None)


def test_a_key_file_that_others_may_read_or_that_is_damaged_is_refused(tmp_path: Path) -> None:
    keys = TokenKeys(tmp_path)
    keys.current(OCTOBER)
    path = tmp_path / "token-A.key"
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    with pytest.raises(Refused, match="chmod 600"):
        keys.all()
    path.chmod(0o600)
    for content in ("", "zz" * 32, "ab" * 32 + "\nretires 明年\n", "ab" * 32 + "\nmade\n"):
        path.write_text(content)
        with pytest.raises(Refused, match="已损坏"):
            keys.all()


def test_the_letters_of_keys_are_never_used_twice(tmp_path: Path) -> None:
    keys = TokenKeys(tmp_path)
    made = [keys.rotate(OCTOBER).id for _ in range(32)]
    assert len(set(made)) == 32
    with pytest.raises(Refused, match="已用完"):
        keys.rotate(OCTOBER)
