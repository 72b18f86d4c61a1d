"""The settings of the mail servers: limits, and where passwords come from. Whatever is wrong is told with its line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import keyring
import keyring.backend
import pytest
from keyring.backends import fail

from workflow import config, mail_settings
from workflow.cli.workspace import shipped
from workflow.domain.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class InMemory(keyring.backend.KeyringBackend):
    """A keyring that holds what a test puts in."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.held[service, username] = password


@pytest.fixture
def ring() -> Iterator[InMemory]:
    before = keyring.get_keyring()
    made = InMemory()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


def written(folder: Path, *changes: tuple[str, str]) -> Path:
    text = shipped("config.toml").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def faults(path: Path) -> list[str]:
    with pytest.raises(Refused) as refused:
        config.load(path)
    return [str(fault) for fault in refused.value.faults]


def line_of(path: Path, words: str) -> int:
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.startswith(words))


def test_each_domain_may_have_limits_of_its_own(tmp_path: Path) -> None:
    path = written(tmp_path, ('# "163.com" = {', '"163.com" = {'), ("per_day = 0", "per_day = 3000"))
    said = config.load(path).smtp
    assert (said.per_minute, said.per_day) == (0, 3000)
    assert said.domains == {"163.com": mail_settings.Rates(per_minute=20, per_hour=300, per_day=3000)}


def test_what_is_wrong_with_a_limit_is_told_with_its_line(tmp_path: Path) -> None:
    path = written(
        tmp_path, ('# "163.com" = {', '"163.com" = { per_year = 1,'), ("per_hour = 0", "per_hour = -1")
    )
    domain, hour = line_of(path, '"163.com"'), line_of(path, "per_hour")
    assert sorted(faults(path)) == [
        f"config.toml [smtp] domains.163.com.per_year 第{domain}行：没有这个设置项；请参照 docs/config.md 更正",
        f"config.toml [smtp] per_hour 第{hour}行：数值过小；请参照 docs/config.md 更正",
    ]


@pytest.mark.parametrize("name", ["163", "@163.com", "QQ.com", "1%3.com"])
def test_a_domain_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, ('# "163.com" = {', f'"{name}" = {{'))
    [fault] = faults(path)
    assert f"“{name}”不是小写的邮箱域名" in fault


def test_a_password_may_lie_in_the_keyring(tmp_path: Path, ring: InMemory) -> None:
    path = written(tmp_path, ('password_keyring = ""', 'password_keyring = "huizhi"'))
    server = config.load(path).imap
    with pytest.raises(
        Refused, match=r"系统密钥环 huizhi：没有 huizhi@huizhi\.test 的密码；请运行 keyring set"
    ):
        config.password(server)
    ring.set_password("huizhi", "huizhi@huizhi.test", "secret-word")
    assert config.password(server) == "secret-word"
    assert "secret-word" not in repr(server)


def test_a_keyring_that_can_not_be_opened_is_told(tmp_path: Path, ring: InMemory) -> None:
    keyring.set_keyring(fail.Keyring())
    path = written(tmp_path, ('password_keyring = ""', 'password_keyring = "huizhi"'))
    with pytest.raises(Refused, match="系统密钥环 huizhi：打不开；请解锁密钥环，或改用 password_env"):
        config.password(config.load(path).imap)


def test_a_password_has_one_place_and_an_account(tmp_path: Path) -> None:
    both = written(
        tmp_path,
        ('password_env = ""', 'password_env = "HUIZHI"'),
        ('password_keyring = ""', 'password_keyring = "huizhi"'),
    )
    assert "与 password_env 只能填写一个" in faults(both)[0]
    nobody = written(
        tmp_path,
        ('user = "huizhi@huizhi.test"', 'user = ""'),
        ('password_keyring = ""', 'password_keyring = "huizhi"'),
    )
    assert "请同时填写 user" in faults(nobody)[0]


def test_a_password_itself_is_no_setting(tmp_path: Path) -> None:
    path = written(tmp_path, ('password_keyring = ""', 'password = "secret-word"'))
    [fault] = faults(path)
    assert "没有这个设置项" in fault
    assert "secret-word" not in fault


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("poll_minutes = 5", 'poll_minutes = "五"', "应为数字"),
        ("workers = 2", "workers = 2.5", "应为整数"),
        ("[reader]", '[clock]\nsimulated = "明天"\n[reader]', "应为时间，例如"),
        ('security = "none"', 'security = "ssl"', "应为 'none'、'starttls'、'tls' 之一"),
        ("mail = 0", "mail = -1", "数值过小"),
        ("answers = 0", "answers = true", "应为整数"),
    ],
)
def test_whatever_is_wrong_is_told_in_chinese(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = written(tmp_path, (old, new))
    [fault] = faults(path)
    assert said in fault
    assert not re.search("Input|should|valid", fault)
