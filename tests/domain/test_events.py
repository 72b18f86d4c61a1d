"""The ledger's spelling and its chain, and what makes two letters one."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.offices import CITY, COUNTY, at
from workflow.domain.errors import Fault, OutsideFailed, Refused, system_words
from workflow.domain.events import GENESIS, Event, Ranges, canonical, chained_hash, personal_digest
from workflow.domain.letters import PRIORITY, LetterKind, LetterOrder
from workflow.domain.roster import Recipient, Role

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
EVENT = Event("case:2026Q4/a/b", 3, "case.approved", at(1, 3), "县审", "sha", {"number": 1})


@given(JSON)
def test_equal_values_have_one_spelling_that_reads_back(value: object) -> None:
    assert json.loads(canonical(value)) == value
    if isinstance(value, dict):
        assert canonical(dict(reversed(value.items()))) == canonical(value)


def test_the_spelling_has_no_blanks_and_keeps_chinese() -> None:
    assert canonical({"乙": [1, None], "A": True}) == '{"A":true,"乙":[1,null]}'


@pytest.mark.parametrize(
    "changes",
    [
        {"stream": "case:2026Q4/a/c"},
        {"number": 4},
        {"kind": "case.returned"},
        {"at": at(1, 4)},
        {"actor": "市审"},
        {"cause": "other"},
        {"data": {"number": 2}},
    ],
)
def test_no_part_of_an_event_can_change_without_its_hash(changes: dict[str, object]) -> None:
    def hashed(event: Event) -> str:
        return chained_hash(GENESIS, event, canonical(event.data), "")

    assert hashed(replace(EVENT, **changes)) != hashed(EVENT)  # type: ignore[arg-type]


def test_each_hash_hangs_on_the_one_before_it_and_on_the_salted_payload() -> None:
    data = canonical(EVENT.data)
    first = chained_hash(GENESIS, EVENT, data, personal_digest("salt", "{}"))
    assert len(first) == len(GENESIS)
    assert chained_hash(first, EVENT, data, personal_digest("salt", "{}")) != first
    assert chained_hash(GENESIS, EVENT, data, personal_digest("other", "{}")) != first
    assert chained_hash(GENESIS, EVENT, data, "") != first


def test_the_same_order_twice_is_one_letter_and_a_second_cause_another() -> None:
    to = Recipient("review@city.test", "市审", CITY, Role.REVIEWER)
    order = LetterOrder(LetterKind.REPORT_RECEIVED, "2026Q4", COUNTY, "office", to, at(1, 6), "package#1")
    assert replace(order, at=at(1, 7), context={"auto": True}).id == order.id
    assert replace(order, cause="package#2").id != order.id
    assert replace(order, to=replace(to, email="other@city.test")).id != order.id
    assert len(order.id) == 24


def test_every_kind_of_letter_has_its_turn_and_answers_go_before_reminders() -> None:
    assert PRIORITY.keys() == set(LetterKind)
    assert (
        PRIORITY[LetterKind.RETURNED] < PRIORITY[LetterKind.ACKNOWLEDGEMENT] < PRIORITY[LetterKind.REMINDER]
    )


def test_a_refusal_carries_every_fault_and_a_failure_its_one() -> None:
    faults = [Fault("名册!第3行", "没有名称", "请填写"), Fault("名册!第4行", "代码重复")]
    assert str(Refused(faults)) == "名册!第3行：没有名称；请填写\n名册!第4行：代码重复"
    assert Refused(faults[0]).faults == (faults[0],)


def test_what_goes_wrong_in_another_process_is_told_in_the_same_words() -> None:
    refused = pickle.loads(pickle.dumps(Refused([Fault("甲", "缺少变量", "补上"), Fault("乙", "重复")])))
    assert refused.faults == (Fault("甲", "缺少变量", "补上"), Fault("乙", "重复"))
    failed = pickle.loads(pickle.dumps(OutsideFailed("磁盘", "已满", "请清理")))
    assert (failed.fault, str(failed)) == (Fault("磁盘", "已满", "请清理"), "磁盘：已满；请清理")
    assert str(OutsideFailed("imap.example.org", "连接不上")) == "imap.example.org：连接不上"


@given(st.sets(st.integers(1, 60)), st.sets(st.integers(1, 60)))
def test_ranges_name_what_was_chosen_and_nothing_else_that_counts(chosen: set[int], others: set[int]) -> None:
    among = chosen | others
    ranges = Ranges.of(chosen, among)
    assert {place for place in among if place in ranges} == chosen
    again = Ranges().with_more(ranges.pairs).with_more(ranges.pairs)
    assert {place for place in among if place in again} == chosen


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (2, "没有这个文件或文件夹"),
        (13, "没有读写权限"),
        (28, "磁盘已满"),
        (111, "对方没有接受连接"),
        (9999, "系统错误 9999"),
        (None, "系统错误"),
    ],
)
def test_what_the_operating_system_says_is_said_in_chinese(number: int | None, words: str) -> None:
    error = OSError() if number is None else OSError(number, "No such thing")
    assert system_words(error) == words
