"""What a letter says in its headers: a Message-ID that nobody can guess, an address for answers, no answer to robots."""

from __future__ import annotations

import email
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.domain.offices import ROSTER, SCHOOL
from tests.process.calendar_office import Office, on
from workflow.domain.letters import LetterKind, LetterOrder
from workflow.domain.roster import Role

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message
    from pathlib import Path

HZ = "HZ-ABCDEFGHIJKLMNOP2"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path, ROSTER)
    made.open(on(12, 1))
    yield made
    made.close()


def written(office: Office, **more: object) -> Message:
    to = ROSTER.recipient(SCHOOL, Role.ADMINISTRATOR, on(12, 3).date())
    assert to is not None
    order = LetterOrder(
        LetterKind.EMPTY_REPLY,
        "2026Q4",
        SCHOOL,
        "school",
        to,
        on(12, 3),
        "x",
        {"doubt": "", "asked_back": "", "reported": False},
        token=HZ,
    )
    secretariat = replace(office.secretariat(office.store), **more)  # type: ignore[arg-type]
    (queued,) = secretariat.queue([order], ROSTER)
    return email.message_from_bytes(office.files.letter(queued.data["sha"]))


def test_a_letter_says_that_a_machine_wrote_it(office: Office) -> None:
    letter = written(office)
    assert (letter["Auto-Submitted"], letter["X-Auto-Response-Suppress"]) == ("auto-generated", "All")


def test_with_a_secret_the_message_id_follows_from_the_letter_and_from_nothing_else_that_is_known(
    office: Office,
) -> None:
    one, again, other = (written(office, secret=secret) for secret in (b"k" * 32, b"k" * 32, b"l" * 32))
    assert one["Message-ID"] == again["Message-ID"] != other["Message-ID"]
    assert one["Message-ID"] == f"<{one['X-Huizhi-Letter']}@{written(office)['Message-ID'].partition('@')[2]}"


def test_answers_go_to_the_address_with_the_token_where_staff_say_so(office: Office) -> None:
    assert written(office)["Reply-To"] is None
    local, _, domain = office.letterhead.address.partition("@")
    assert written(office, plus_addressing=True)["Reply-To"] == f"{local}+{HZ}@{domain}"
