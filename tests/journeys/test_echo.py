"""A mailbox that sends back whatever it gets and does not say that it is a robot: the correspondence comes to an end."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tests.journeys.test_command_line import Office
from tests.journeys.world import CAMPAIGN, FIRST, administrator, letter
from workflow.domain.privacy import mask_address
from workflow.process.intake import Raw

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workflow.adapters.store import LetterRow

DAILY = 4


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    nowhere: Any = SimpleNamespace(imap_port=1, smtp_port=1)
    settings = {"imap.password_env": '""', "reader.workers": "1", "smtp.answers_per_day": str(DAILY)}
    office = Office(tmp_path / "workspace", nowhere, {}, settings=settings)
    office.import_roster()
    office.open()
    yield office
    office.close()


def letters(office: Office) -> list[LetterRow]:
    return office.app.store.letters(CAMPAIGN, FIRST)


def echo(office: Office, rounds: int) -> None:
    """Answer the newest letter with a file that is none of ours, as long as there is a new one, a minute later each time."""
    for number in range(rounds):
        newest = letters(office)[-1]
        office.at(office.now + dt.timedelta(minutes=1))
        back = letter(
            administrator(FIRST), office.address, f"Re: {newest.subject}", f"已收到第{number}封", [("签名.png", b"\x89PNG" + bytes([number]))],
            {"In-Reply-To": newest.message_id},
        )  # fmt: skip
        office.app.intake().take([Raw(back, office.now)])


def test_a_robot_that_answers_every_letter_is_answered_so_often_on_a_day_and_staff_are_told_once(
    office: Office,
) -> None:
    before = len(letters(office))
    echo(office, 12)
    assert len(letters(office)) - before == DAILY
    assert office.app.store.mail_counts().received == 12
    listed = [str(query.personal.get("matter")) for query in office.app.store.staff_queries()]
    matters = [matter for matter in listed if "疑为对方程序自动回信" in matter]
    assert len(matters) == 1
    assert f"当日已答复 {mask_address(administrator(FIRST))} {DAILY} 次" in matters[0]
    assert office.app.store.verify_ledger().fault is None


def test_on_the_next_day_it_is_answered_again(office: Office) -> None:
    echo(office, 6)
    answered = len(letters(office))
    office.at(office.now + dt.timedelta(days=1))
    echo(office, 1)
    assert len(letters(office)) == answered + 1
