"""Token keys are changed and retired: nothing that was issued loses its way until its key is retired."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tests.journeys.test_command_line import Office
from tests.journeys.world import CAMPAIGN, FIRST, SECOND, THIRD
from workflow.app import App

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    nowhere: Any = SimpleNamespace(imap_port=1, smtp_port=1)
    office = Office(
        tmp_path / "workspace", nowhere, {}, settings={"imap.password_env": '""', "reader.workers": "1"}
    )
    office.import_roster()
    office.open()
    yield office
    office.close()


def state(office: Office, unit: str) -> str:
    [case] = office.app.store.cases(CAMPAIGN, [unit])
    return case.state.value


def test_a_copy_issued_before_the_keys_were_changed_is_taken_until_its_key_is_retired(office: Office) -> None:
    assert office.huizhi("keys", "rotate").out.startswith("已更换为编号密钥 B，")
    assert office.ingest(office.reply(FIRST, office.filled(FIRST))).code == 0
    assert state(office, FIRST) == "submitted"

    retired = office.huizhi("keys", "retire", "A", "--from", "2026-12-13")
    assert (retired.code, "自2026-12-13起停用" in retired.out) == (0, True)
    office.ingest(office.reply(SECOND, office.filled(SECOND)))
    assert state(office, SECOND) == "submitted"

    office.at("12-13 08:00")
    office.ingest(office.reply(THIRD, office.filled(THIRD)), received="2026-12-13T10:00:00+08:00")
    assert state(office, THIRD) == "issued"
    assert office.huizhi("quarantine", "list").code == 1


def test_the_list_shows_no_secret_and_what_is_issued_bears_the_letter_of_the_key_in_use(
    office: Office,
) -> None:
    office.huizhi("keys", "rotate")
    secrets = [key.secret.hex() for key in App(office.folder).token_keys.all()]
    listed = office.huizhi("keys", "list")
    assert [line.split("\t")[0] for line in listed.lines] == ["A", "B", "编号密钥 2 个"]
    assert not any(secret in listed.out for secret in secrets)
    assert office.app.token_key.token("x").startswith("HZ-B")


def test_what_can_not_be_retired_is_refused(office: Office) -> None:
    for arguments in (["A"], ["Z"], ["1"], ["AB"], ["A", "--from", "明天"]):
        ran = office.huizhi("keys", "retire", *arguments)
        assert (ran.code, len(ran.faults)) == (2, 1), arguments
