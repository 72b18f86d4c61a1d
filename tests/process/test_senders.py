"""来件邮箱: one question to an address on a day, every unit named by the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.domain.offices import CENTRAL, POINT, at
from tests.process.calendar_office import Office, on
from tests.process.situations import GOOD, STRANGER, fold, mail, opened, workbook
from workflow.domain.events import Event
from workflow.process.senders import waiting

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from workflow.process.arrival import Arrival
    from workflow.process.situation import Outcome

SHARED = "central@county.test"


def in_the_name_of(*units: str, day: int = 3) -> list[Arrival]:
    return [
        mail(STRANGER, workbook(unit, {**GOOD, "学生": 400 + 10 * day + n}), moment=at(1, day, 9, n))
        for n, unit in enumerate(units)
    ]


def asked(outcomes: Iterable[Outcome]) -> list[tuple[str, str]]:
    return [
        (letter.unit, letter.to.email)
        for outcome in outcomes
        for letter in outcome.letters
        if letter.kind == "unknown_sender_confirm"
    ]


class TestTwoUnitsAtOneAddress:
    def test_the_first_is_asked_about_at_once_and_the_second_waits(self) -> None:
        situation, outcomes = fold(opened(), *in_the_name_of(CENTRAL, POINT, POINT, CENTRAL))
        assert asked(outcomes) == [(CENTRAL, SHARED)]
        assert [(one.unit, one.held) for one in waiting(situation.steps)] == [(POINT, False)]

    def test_what_comes_while_one_waits_is_asked_about_with_it(self) -> None:
        situation, _ = fold(opened(), *in_the_name_of(CENTRAL, POINT))
        situation, outcomes = fold(situation, *in_the_name_of(CENTRAL, day=4))
        assert asked(outcomes) == []
        assert [one.unit for one in waiting(situation.steps)] == [POINT, CENTRAL]

    def test_one_letter_of_the_next_morning_names_them_all_once(self, tmp_path: Path) -> None:
        office = Office(tmp_path)
        office.open(on(12, 1))
        for n, (unit, how) in enumerate([(CENTRAL, "taken"), (POINT, "held")]):
            sha = str(n) * 64
            data = {
                "sha": sha, "digest": sha, "bucket": "submission", "received_at": on(12, 3, 9, n).isoformat(),
                "campaign": "2026Q4", "unit": unit, "attachments": [], "sighting": None,
            }  # fmt: skip
            personal = {"sender": STRANGER, "subject": "", "message_id": "", "names": []}
            key = f"step:2026Q4/sender-waits/{unit}/2026-12-03/{sha}/{how}"
            office.store.append(
                [
                    Event(f"message:{sha}", 1, "message.taken", on(12, 3, 9, n), "系统", sha, data, personal),
                    Event(key, 1, "step.done", on(12, 3, 9, n), "系统", "", {"detail": ""}),
                ]
            )
        for moment in (on(12, 3, 18), on(12, 4, 8), on(12, 4, 9), on(12, 4, 10), on(12, 5, 10)):
            office.tick(moment)
        (letter,) = office.letters("unknown_sender_confirm")
        office.close()
        assert (letter.to, letter.at) == (SHARED, on(12, 4, 9))
        assert "1．邮箱s***@home.test于2026年12月3日9时以东区中心校名义报送，已经收下" in letter.text
        assert "以东区教学点名义报送，没有采用" in letter.text
