"""How often an address has been answered, as both databases count it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from tests.adapters.store import story
from workflow.domain.events import Event

if TYPE_CHECKING:
    from workflow.adapters.store import Store


def queued(number: int, kind: str, at: dt.datetime, unit: str = "410102-001") -> Event:
    data = {
        "kind": kind, "campaign": "2026Q4", "unit": unit, "form": "school", "priority": 4, "sha": f"{number:064x}",
        "message_id": f"<{number}@office.test>",
    }  # fmt: skip
    personal = {"to": "a@school.test", "name": "甲", "subject": "函"}
    return Event(f"letter:{number:024x}", 1, "letter.queued", at, "系统", "cause", data, personal)


def test_only_answers_about_the_units_and_since_the_moment_are_counted(store: Store) -> None:
    now = story.DAY
    store.append(
        [
            queued(1, "acknowledgement", now),
            queued(2, "problem_file", now + dt.timedelta(hours=1)),
            queued(3, "reminder", now),
            queued(4, "returned", now - dt.timedelta(days=1)),
            queued(5, "returned", now, unit="410102"),
        ]
    )
    found = store.answers_queued(["410102-001"], now)
    assert sorted(found) == [
        ("a@school.test", "410102-001", now),
        ("a@school.test", "410102-001", now + dt.timedelta(hours=1)),
    ]
