"""Where each package and workbook stands in the ledger: what a return touches, and nothing beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from tests.adapters.store import story
from workflow.adapters.store import tables

if TYPE_CHECKING:
    from pathlib import Path

    from workflow.adapters.store import Store

QUIET = "package:2026Q4/410000"


def opened(store: Store) -> None:
    store.append([story.roster()])
    store.append([*story.opening(), story.event(QUIET, 1, "package.opened", {"level": "province"})])


def test_an_event_marks_the_packages_above_it_and_no_other(store: Store) -> None:
    opened(store)
    store.append([story.event("package:2026Q4/410101", 1, "package.opened", {"level": "county"})])
    before = store.package_marks("2026Q4")
    store.append([story.submission(3, 1)])
    seq, _ = store.head()
    after = store.package_marks("2026Q4")
    assert {unit for unit in after if after[unit] != before[unit]} == {"410102", "410100", "410000"}
    assert {after[unit] for unit in ("410102", "410100", "410000")} == {seq}
    assert store.touched("2026Q4", ["410102-001", "410101"], seq - 1) == {("410102-001", "school")}
    assert store.touched("2026Q4", ["410102-001"], seq) == set()


def test_a_new_baseline_marks_every_package(store: Store) -> None:
    opened(store)
    store.append([story.roster(2)])
    assert set(store.package_marks("2026Q4").values()) == {store.head()[0]}


def test_a_workbook_found_unchanged_is_up_to_date_without_a_new_version(store: Store) -> None:
    opened(store)
    made = {"version": 1, "token": "HZ-B", "sha": "1" * 64, "path": "a.xlsx", "seq": 3}
    store.append([story.event("book:2026Q4/410102", 1, "book.made", made)])
    store.append([story.event("book:2026Q4/410102", 2, "book.confirmed", {"version": 1, "seq": 9})])
    assert {unit: (book.version, book.seq) for unit, book in store.books("2026Q4").items()} == {
        "410102": (1, 9)
    }


def test_the_marks_are_the_same_after_a_rebuild_though_the_tree_moved(store: Store, folder: Path) -> None:
    opened(store)
    store.append([story.submission(3, 1)])
    store.append([story.roster(2)])
    store.append([story.event(story.COUNTY, 2, "package.reported", {"by": "王试", "rows": []})])
    held = rows(store)
    store.rebuild(folder)
    assert rows(store) == held


def rows(store: Store) -> list[tuple[object, ...]]:
    with store.reading() as connection:
        return [tuple(row) for row in connection.execute(select(tables.packages))]


def test_a_stream_is_told_from_its_beginning_with_its_places(store: Store) -> None:
    opened(store)
    store.append([story.submission(3, 1)])
    told = store.histories([story.CASE, QUIET])
    assert [event.kind for _, event in told[story.CASE]] == ["case.planned", "case.issued", "case.submitted"]
    assert told[story.CASE][-1][0] == store.head()[0]
    assert len(told[QUIET]) == 1
