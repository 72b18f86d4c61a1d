"""Late returns are kept with their answers; the newest of the unit's own people fills the next copy."""

from __future__ import annotations

import datetime as dt

from tests.adapters.store import story
from tests.adapters.store.test_queries import UNIT
from workflow.adapters.store import LateReturn, Store

HOUR = dt.timedelta(hours=1)
KEY = (UNIT, "school")


def test_a_late_return_comes_back_as_it_was_kept(store: Store) -> None:
    story.tell(store)
    (late,) = store.late_returns("2026Q4")
    assert late == LateReturn(
        "2026Q4", UNIT, "school", late.seq, story.LATE, story.SHA, story.COPY, 1, 0, registered=True
    )
    assert store.late_returns("2026Q3") == []
    assert store.late_answers("2026Q4") == {KEY: {"学生数": 1, "建成": dt.date(2026, 12, 1)}}


def test_the_newest_of_the_units_own_people_counts(store: Store) -> None:
    story.tell(store)
    store.append([story.late(2, registered=True, part=1, at=story.LATE + HOUR)])
    store.append([story.late(3, registered=False, part=2, at=story.LATE + 2 * HOUR)])
    assert store.late_answers("2026Q4")[KEY]["学生数"] == 2
    assert len(store.late_returns("2026Q4")) == 3


def test_what_was_counted_later_takes_its_place(store: Store) -> None:
    story.tell(store)
    again = story.submission(7, 3)
    received = (story.LATE + HOUR).isoformat()
    store.append(
        [
            story.event(
                story.CASE,
                7,
                "case.submitted",
                {**again.data, "received_at": received},
                personal=again.personal,
            )
        ]
    )
    assert store.late_answers("2026Q4") == {}
