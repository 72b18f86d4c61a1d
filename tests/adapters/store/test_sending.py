"""The outbox in both databases: what is due, what was tried, and when the relay refused whoever sends."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING

from tests.adapters.store import story
from workflow.adapters.store import LetterState, Pause, Store

if TYPE_CHECKING:
    from pathlib import Path

    from workflow.domain.events import Event

NOW = story.DAY
MINUTE = dt.timedelta(minutes=1)
RELAY = "office@relay.test"


def attempted(letter: str, number: int = 2, at: dt.datetime = NOW) -> Event:
    until = (at + 10 * MINUTE).isoformat()
    return story.event(f"letter:{letter}", number, "letter.attempted", {"until": until}, at=at)


def queued(letter: str, priority: int, to: str, at: dt.datetime = NOW) -> Event:
    made = story.letter(letter, priority, at)
    assert made.personal is not None
    return story.event(
        made.stream, 1, made.kind, dict(made.data), personal={**made.personal, "to": to}, at=at
    )


def due(store: Store, now: dt.datetime = NOW, *closed: str, oldest: bool = False) -> list[str]:
    return [letter.id for letter in store.letters_to_send(now, 10, closed, oldest=oldest)]


def test_letters_go_by_priority_or_by_age_and_a_closed_domain_is_left_out(store: Store) -> None:
    store.append(
        [
            queued("reminder", 6, "a@163.com", NOW - MINUTE),
            queued("return", 1, "b@QQ.com"),
            queued("notice", 5, "c@vip.163.com"),
            queued("other", 7, "d@163_com"),
        ]
    )
    assert due(store) == ["return", "notice", "reminder", "other"]
    assert due(store, oldest=True) == ["reminder", "return", "notice", "other"]
    assert due(store, NOW, "163.com") == ["return", "notice", "other"]
    assert due(store, NOW, "163.com", "qq.com") == ["notice", "other"]
    assert store.letters_due(NOW) == Counter({"163.com": 1, "qq.com": 1, "vip.163.com": 1, "163_com": 1})


def test_a_letter_in_doubt_waits_before_it_goes_again(store: Store) -> None:
    store.append([story.letter("l", 1), attempted("l")])
    assert due(store) == []
    assert store.letters_in_doubt(NOW) == []
    [letter] = store.letters_in_doubt(NOW + 10 * MINUTE)
    assert (letter.id, letter.state, letter.attempts) == ("l", LetterState.ATTEMPTED, 1)
    until = (NOW + 30 * MINUTE).isoformat()
    store.append([story.event("letter:l", 3, "letter.doubted", {"reply": "连接中断", "until": until})])
    assert due(store, NOW + 20 * MINUTE) == []
    assert due(store, NOW + 30 * MINUTE) == ["l"]


def test_what_was_tried_is_counted_and_what_the_relay_never_heard_of_is_not(store: Store) -> None:
    store.append([queued(letter, 1, f"{letter}@163.com") for letter in ("taken", "throttled", "untouched")])
    store.append([attempted(letter) for letter in ("taken", "throttled", "untouched")])
    store.append(
        [
            story.event("letter:taken", 3, "letter.sent", {"reply": "250"}),
            story.event("letter:throttled", 3, "letter.put_back", {"reply": "550 RP:TRC", "tried": True}),
            story.event("letter:untouched", 3, "letter.put_back", {"reply": "连接中断"}),
        ]
    )
    assert store.letters_tried(NOW - MINUTE) == [(NOW, "163.com"), (NOW, "163.com")]
    assert store.letters_tried(NOW) == []
    assert due(store) == ["throttled", "untouched"]
    assert [letter.attempts for letter in store.letters_to_send(NOW, 9)] == [0, 0]


def test_a_relay_rests_until_it_takes_a_letter_again(store: Store) -> None:
    assert store.relay_pause(RELAY) is None
    until = NOW + 5 * MINUTE
    paused = {"reply": "450 busy", "until": until.isoformat(), "times": 1}
    store.append([story.event(f"relay:{RELAY}", 1, "relay.paused", paused)])
    assert store.relay_pause(RELAY) == Pause(NOW, until, "450 busy", 1, 1)
    store.append([story.event(f"relay:{RELAY}", 2, "relay.resumed", at=until)])
    assert store.relay_pause(RELAY) == Pause(until, until, "", 0, 2)
    assert store.relay_pause("another") is None


def test_a_letter_at_fault_is_told_though_another_has_arrived_and_an_address_is_not(store: Store) -> None:
    store.append([queued("big", 1, "a@x.test"), queued("gone", 1, "b@x.test")])
    store.append([attempted("big"), attempted("gone")])
    store.append(
        [
            story.event("letter:big", 3, "letter.failed", {"reply": "552 size", "blame": "letter"}),
            story.event("letter:gone", 3, "letter.failed", {"reply": "550 5.1.1", "blame": "recipient"}),
        ]
    )
    failed = store.failed_letters("2026Q4")
    assert [(letter.id, letter.blame) for letter in failed] == [("big", "letter"), ("gone", "recipient")]
    store.append([queued("next", 1, "a@x.test"), queued("answer", 1, "b@x.test")])
    store.append(
        [story.event(f"letter:{name}", 2, "letter.sent", {"reply": "250"}) for name in ("next", "answer")]
    )
    assert [letter.id for letter in store.failed_letters("2026Q4")] == ["big"]


def test_a_rebuild_makes_the_same_of_tries_doubts_and_pauses(store: Store, folder: Path) -> None:
    later = (NOW + MINUTE).isoformat()
    store.append([story.letter(letter, 1) for letter in ("a", "b", "c")])
    store.append([attempted(letter) for letter in ("a", "b", "c")])
    store.append(
        [
            story.event("letter:a", 3, "letter.put_back", {"reply": "发信暂停", "tried": False}),
            story.event("letter:b", 3, "letter.doubted", {"reply": "连接中断", "until": later}),
            story.event("letter:c", 3, "letter.failed", {"reply": "552", "blame": "letter"}),
            story.event(f"relay:{RELAY}", 1, "relay.paused", {"reply": "450", "until": later, "times": 1}),
            story.event(f"relay:{RELAY}", 2, "relay.resumed"),
        ]
    )
    store.append([attempted("a", 4), attempted("b", 4)])
    before = story.rows(store)
    store.rebuild(folder)
    assert story.rows(store) == before
    assert [len(before[name]) for name in ("attempts", "pauses")] == [4, 1]
