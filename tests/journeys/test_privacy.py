"""Telephone numbers and addresses at every door of the command line: masked unless staff ask for one case, or for all."""

from __future__ import annotations

import json
import logging
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tests.journeys.test_command_line import Office
from tests.journeys.world import FIRST, letter
from workflow.cli.printing import mask_logs
from workflow.domain.events import Event

if TYPE_CHECKING:
    from collections.abc import Iterator

WHO, NUMBER = "zhangsan@example.org", "13812345678"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A message from a stranger with a number in its subject and in its file's name, and a call on staff's list."""
    nowhere: Any = SimpleNamespace(imap_port=1, smtp_port=1)
    office = Office(
        tmp_path_factory.mktemp("office") / "workspace", nowhere, {},
        settings={"imap.password_env": '""', "reader.workers": "1"},
    )  # fmt: skip
    office.import_roster()
    office.open()
    office.ingest(
        letter(
            WHO,
            office.address,
            f"张三{NUMBER}报送",
            "见附件",
            [(f"{NUMBER}.xlsx", office.filled(FIRST)[:900])],
        )
    )
    matter = f"请电话告知视察员李四（0371-55550123、{NUMBER}），邮箱 {WHO}"
    number = office.app.store.next_numbers(["staff"])["staff"] + 1
    office.app.store.append(
        [Event("staff", number, "staff.query", office.now, "系统", "", {}, {"matter": matter})]
    )
    yield office
    office.close()


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("status", "--json"),
        ("mail", "log"),
        ("mail", "log", "--json"),
        ("quarantine", "list"),
        ("quarantine", "list", "--all"),
    ],
    ids=" ".join,
)
def test_lists_name_nobodys_number_or_address(office: Office, words: tuple[str, ...]) -> None:
    said = office.huizhi(*words).out
    assert NUMBER not in said
    assert WHO not in said
    assert "138****5678" in said
    assert "z***@example.org" in said


@pytest.mark.parametrize(
    "words", [("status",), ("status", "--json"), ("mail", "log"), ("mail", "log", "--json")]
)
def test_who_has_to_call_asks_for_them_whole(office: Office, words: tuple[str, ...]) -> None:
    said = office.huizhi(*words, "--whole").out
    assert NUMBER in said
    assert WHO in said
    assert "****" not in said


def test_one_message_is_shown_whole_to_who_deals_with_it(office: Office) -> None:
    known = json.loads(office.huizhi("mail", "log", "--json").lines[0])["sha256"]
    for words in (("mail", "show", known), ("quarantine", "show", known)):
        said = office.huizhi(*words).out
        assert f"发件 {WHO}" in said
        assert NUMBER in said


def test_whatever_a_library_logs_names_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    mask_logs()
    handler = logging.lastResort
    assert handler is not None
    try:
        raise OSError(f"no route to {WHO}")
    except OSError:
        record = logging.LogRecord(
            "a.library", logging.WARNING, __file__, 1, "call %s\x1b[31m", (NUMBER,), sys.exc_info()
        )
    handler.handle(record)
    said = capsys.readouterr().err
    assert "138****5678" in said
    assert "no route to z***@example.org" in said
    assert NUMBER not in said
    assert "\x1b" not in said
