"""Workbooks with a password on their whole way: asked about, registered by staff, opened, and the password nowhere else."""

from __future__ import annotations

import io
import json
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tests.adapters.workbook.locking import agile, locked_zip
from tests.journeys.test_command_line import Office
from tests.journeys.world import COUNTY, FIRST, SECOND, Ran

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WORD = "八月桂花2026"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    nowhere: Any = SimpleNamespace(imap_port=1, smtp_port=1)
    office = Office(
        tmp_path / "workspace", nowhere, {}, settings={"imap.password_env": '""', "reader.workers": "1"}
    )
    office.import_roster()
    assert office.huizhi("open", "2026Q4").code == 0
    yield office
    office.close()


def register(office: Office, monkeypatch: pytest.MonkeyPatch, unit: str, typed: str) -> Ran:
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    return office.huizhi("password", "set", unit)


def outcomes(ran: Ran) -> list[str]:
    return [one["outcome"] for line in ran.lines for one in json.loads(line)["attachments"]]


def test_the_unit_is_asked_and_once_its_password_is_registered_the_next_file_is_read(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = agile(office.filled(FIRST), WORD)
    assert outcomes(office.ingest(office.reply(FIRST, locked))) == ["encrypted"]
    letter = office.newest(FIRST, "problem_file").text
    assert "请取消打开密码" in letter
    assert "电话告知" in letter

    assert register(office, monkeypatch, FIRST, WORD + "\n").code == 0
    assert office.huizhi("password", "list").lines == [f"{FIRST}\t中原区第一小学", "登记打开密码的单位 1 个"]
    assert outcomes(office.ingest(office.reply(FIRST, locked, text="再发一次"))) == ["accepted"]
    assert "打开密码" in office.newest(FIRST, "acknowledgement").text
    [version] = office.app.store.submissions("2026Q4", [FIRST])
    assert office.app.store.answers([version.id])[version.id].notes["打开密码"] == "有，已用登记的密码打开"

    office.huizhi("consolidate")
    kept = [path for path in office.folder.rglob("*") if path.is_file() and path.name != "passwords.json"]
    assert not [path for path in kept if WORD.encode() in path.read_bytes()]
    assert office.huizhi("password", "forget", FIRST).code == 0
    assert office.huizhi("password", "forget", FIRST).code == 2


def test_a_county_may_send_its_schools_locked_files_and_a_stranger_learns_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(office, monkeypatch, FIRST, WORD)
    register(office, monkeypatch, COUNTY, "另一个")
    both = {"一.xlsx": agile(office.filled(FIRST), WORD), "二.xlsx": office.filled(SECOND)}
    raw = office.reply(COUNTY, ("各校.zip", locked_zip(both, "另一个")))
    assert outcomes(office.ingest(raw)) == ["ignored", "accepted", "accepted"]
    stranger = office.reply(
        FIRST, agile(office.filled(FIRST), WORD), sender="a@example.org", answering="", subject="报送"
    )
    assert outcomes(office.ingest(stranger)) == ["encrypted"]


def test_check_tries_what_is_registered(
    office: Office, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "填报.xlsx"
    path.write_bytes(agile(office.filled(FIRST), WORD))
    asked = office.huizhi("check", "--json", path)
    assert (asked.code, asked.json["outcome"]) == (1, "encrypted")
    register(office, monkeypatch, FIRST, WORD)
    opened = office.huizhi("check", "--json", path)
    assert (opened.code, opened.json["outcome"], opened.json["unit"]) == (0, "accepted", FIRST)
    assert opened.json["notes"]["打开密码"] == "有，已用登记的密码打开"


@pytest.mark.parametrize(
    ("unit", "typed", "said"),
    [("9999", "x", "名册中没有"), (FIRST, "", "没有输入"), (FIRST, "长" * 256, "超过255")],
)
def test_what_cannot_be_registered_is_refused_in_one_line(
    office: Office, monkeypatch: pytest.MonkeyPatch, unit: str, typed: str, said: str
) -> None:
    refused = register(office, monkeypatch, unit, typed)
    assert (refused.code, len(refused.faults)) == (2, 1)
    assert said in refused.err
    assert office.huizhi("password", "list").lines == ["登记打开密码的单位 0 个"]
