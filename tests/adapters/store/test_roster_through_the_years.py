"""Any past day's tree comes out as it was, in both databases and after a rebuild."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from tests.adapters.store import story

if TYPE_CHECKING:
    from workflow.adapters.store import Store

SCHOOL = "410102-001"
OCTOBER, JANUARY, APRIL = dt.date(2026, 10, 1), dt.date(2027, 1, 1), dt.date(2027, 4, 1)


def applied(number: int, day: dt.date, *units: dict[str, Any], closed: tuple[str, ...] = ()) -> Any:
    data = {"from": day.isoformat(), "units": list(units), "closed": list(closed)}
    return story.event("roster", number, "roster.applied", data)


def named(name: str, superior: str = "410102") -> dict[str, Any]:
    return {"code": SCHOOL, "name": name, "kind": "中小学", "superior": superior}


def names(store: Store, day: dt.date | None) -> list[str]:
    roster = store.roster(day)
    assert roster is not None
    return [unit.name for unit in roster.units.values()]


DEPARTMENTS = ["河南省教育厅", "郑州市教育局", "中原区教育局"]


def tell_of_three_quarters(store: Store) -> None:
    new = {"code": "410102-002", "name": "新校", "kind": "中小学", "superior": "410102"}
    store.append([story.roster()])
    store.append([applied(2, OCTOBER, named("槐树街学校"), new)])
    store.append([applied(3, JANUARY, named("槐树街学校", superior="410100"))])
    store.append([applied(4, APRIL, closed=(SCHOOL,))])


def test_the_tree_of_each_quarter_comes_out_as_it_was(store: Store) -> None:
    tell_of_three_quarters(store)
    before, after = OCTOBER - dt.timedelta(days=1), JANUARY - dt.timedelta(days=1)
    assert names(store, before) == [*DEPARTMENTS, "槐树街小学"]
    assert names(store, OCTOBER) == names(store, after) == [*DEPARTMENTS, "槐树街学校", "新校"]
    assert names(store, APRIL) == names(store, None) == [*DEPARTMENTS, "新校"]
    superiors = [store.roster(day).units[SCHOOL].superior for day in (after, JANUARY)]  # type: ignore[union-attr]
    assert superiors == ["410102", "410100"]


def test_of_two_changes_on_one_day_the_later_one_stands(store: Store) -> None:
    store.append([story.roster()])
    store.append([applied(2, OCTOBER, named("甲校"))])
    store.append([applied(3, OCTOBER, named("乙校"))])
    assert names(store, OCTOBER) == [*DEPARTMENTS, "乙校"]
    assert names(store, OCTOBER - dt.timedelta(days=1)) == [*DEPARTMENTS, "槐树街小学"]


def test_people_stay_where_a_baseline_says_nothing_of_them(store: Store) -> None:
    tell_of_three_quarters(store)
    assert len(store.roster(OCTOBER).contacts) == 2  # type: ignore[union-attr]
    assert [person.unit for person in store.roster().contacts] == ["410102"]  # type: ignore[union-attr]
    assert [person.unit for person in store.all_contacts()] == ["410102", SCHOOL]


def test_a_rebuild_gives_every_version_again(store: Store) -> None:
    tell_of_three_quarters(store)
    before = story.rows(store)
    store.rebuild(store.copy.folder)
    assert story.rows(store) == before
