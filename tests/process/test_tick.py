"""The calendar at work on a real store: who is told what, once, in one letter a day."""

from __future__ import annotations

import itertools
import os
import signal
import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.domain.offices import (
    CENTRAL,
    CITY,
    COUNTY,
    POINT,
    PROVINCE,
    REMOTE,
    ROSTER,
    SCHOOL,
    TECHNICAL,
    UNITS,
    UNIVERSITY,
    WEST,
)  # fmt: skip
from tests.process.calendar_office import Office, on
from workflow.domain.campaign import Period
from workflow.domain.deadlines import Owed
from workflow.domain.errors import OutsideFailed
from workflow.domain.ladder import Ladder
from workflow.domain.roster import Contact, Role, Roster
from workflow.process.gather import require_campaign

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workflow.adapters.store import Store
    from workflow.domain.campaign import Campaign
    from workflow.domain.events import Event

REVIEW_DAY = on(1, 5)
PHONED = Roster(
    UNITS,
    tuple(
        replace(contact, phone="0371-55550031", mobile="19900000031")
        if contact.unit == REMOTE or (contact.unit, contact.role) == (COUNTY, Role.REVIEWER)
        else contact
        for contact in ROSTER.contacts
    ),
)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path, PHONED)
    made.open(on(12, 1))
    yield made
    made.close()


def test_a_day_without_anything_due_writes_nothing_but_the_note_on_holidays(office: Office) -> None:
    office.tick(on(12, 2))
    before = office.store.head()
    assert office.tick(on(12, 3)).done == ()
    assert office.store.head() == before


def test_staff_are_told_once_that_a_years_holidays_are_not_known(office: Office) -> None:
    for day in (2, 3, 4):
        office.tick(on(12, day))
    assert len([matter for matter in office.staff() if "2027年" in matter and "周一至周五" in matter]) == 1


def test_an_autumn_whose_holidays_are_known_needs_no_note_and_ends_in_september(tmp_path: Path) -> None:
    autumn = Office(tmp_path, PHONED, Period(2026, 3))
    autumn.open(on(9, 1))
    for day in range(1, 31):
        autumn.tick(on(9, day, 9, 30))
    days = {(letter.at.month, letter.at.day) for letter in autumn.letters()}
    assert days == {(9, 21), (9, 29), (9, 30)}
    before = len(autumn.letters(""))
    for day in range(1, 6):
        autumn.tick(on(10, day, 9, 30))
    assert len(autumn.letters("")) == before  # 1–5 October: nothing but replies and the deadline
    assert not [matter for matter in autumn.staff() if "周一至周五" in matter]
    autumn.close()


def test_a_unit_is_reminded_with_its_token_and_one_that_answered_is_not(office: Office) -> None:
    office.submit(on(12, 10), CENTRAL, POINT)
    office.tick(on(12, 23))
    to = {letter.to: letter for letter in office.letters()}
    assert "central@county.test" not in to
    assert f"【HZ-{SCHOOL}】" in to["school@county.test"].subject
    assert "尚未报送" in to["school@county.test"].text


def test_a_return_that_is_not_corrected_is_reminded_of_with_its_own_date(office: Office) -> None:
    office.send_back(on(12, 20), on(12, 28, 0), SCHOOL)
    office.tick(on(12, 23))
    (letter,) = [letter for letter in office.letters() if letter.to == "school@county.test"]
    assert "退回后尚未重新报送" in letter.text
    assert "2026年12月27日24时" in letter.text


def test_the_administrator_above_gets_the_phone_list(office: Office) -> None:
    office.tick(on(12, 31))
    (letter,) = [letter for letter in office.letters() if letter.to == "admin@county.test"]
    assert "催报是管理员的职责" in letter.text
    assert "东区山村小学：尚未报送" in letter.text
    assert "联系人山管，电话0371-55550031、19900000031" in letter.text
    assert "东区第一小学：尚未报送" in letter.text
    (city,) = [letter for letter in office.letters() if letter.to == "admin@city.test"]
    assert "东区教育局：尚未报送" in city.text  # a county's own form is chased by its city


def test_to_one_address_on_one_day_everything_goes_in_one_letter(tmp_path: Path) -> None:
    office = Office(tmp_path, PHONED, receipt_due="2026-12-31")
    office.schedule = replace(office.schedule, reply_days=(1,), receipt_days=(1,))
    office.open(on(12, 1))
    office.tick(on(12, 31))
    counted = Counter(letter.to for letter in office.letters(""))
    assert set(counted.values()) == {1}
    (letter,) = [letter for letter in office.letters("") if letter.to == "admin@city.test"]
    for words in (
        "甲市教育局（410100）：尚未报送",
        "回执表缺扫描件和电子版",
        "催报是管理员的职责",
        "甲市职业学校：尚未报送",
    ):
        assert words in letter.text, words
    office.close()


def test_a_receipt_alone_has_the_letter_that_says_how_to_make_it(tmp_path: Path) -> None:
    office = Office(tmp_path, PHONED, receipt_due="2026-12-20")
    office.open(on(12, 1))
    office.tick(on(12, 16))
    assert {letter.to for letter in office.letters("receipt_reminder")} >= {
        "admin@city.test",
        "admin@technical.test",
    }
    assert office.letters("reminder") == []
    office.close()


def test_a_reminder_of_a_receipt_says_exactly_what_is_missing_or_wrong(tmp_path: Path) -> None:
    office = Office(tmp_path, PHONED, receipt_due="2026-12-20")
    office.open(on(12, 1))
    scan = {"part": "scan", "sha": "1" * 64, "seal": "not_seen", "genuine": True}
    typed = {"part": "electronic", "sha": "2" * 64, "genuine": True}
    wrong = {
        "scan": 1, "electronic": 2, "verdict": "differs", "cells": [["审核员", "手机号码", "differs"]],
        "missing": [], "changed": [["管理员", "姓名"]], "same_form": True,
    }  # fmt: skip
    arrived = {CITY: [scan, typed], TECHNICAL: [{**scan, "seal": "seen"}], UNIVERSITY: [typed]}
    for unit, parts in arrived.items():
        office.append(f"receipt:2026Q4/{unit}", *(("receipt.arrived", part) for part in parts))
    office.append(f"receipt:2026Q4/{CITY}", ("receipt.compared", wrong))
    office.tick(on(12, 16))
    told = {letter.to: letter.text for letter in office.letters("receipt_reminder")}
    for words in ("未见公章", "不一致：审核员手机号码", "盖章后电子版又有改动：管理员姓名", "均已收到"):
        assert words in told["admin@city.test"], words
    assert "补报《全国教育信息化工作管理信息系统负责人回执表》电子版" in told["admin@technical.test"]
    assert "补报《全国教育信息化工作管理信息系统负责人回执表》扫描件" in told["admin@university.test"]
    office.append(f"receipt:2026Q4/{CITY}", ("receipt.accepted", {"by": "值班员"}))
    office.tick(on(12, 21))
    later = {letter.to for letter in office.letters("receipt_reminder") if letter.at.day > 16}
    assert "admin@city.test" not in later
    assert "admin@technical.test" in later
    office.close()


def test_the_ladder_goes_up_rung_by_rung(office: Office) -> None:
    for moment in (on(1, 1, 0, 5), on(1, 4), on(1, 5)):
        office.tick(moment)
    own = [letter for letter in office.letters() if letter.to == "review@county.test"]
    assert [(letter.at.day, letter.files) for letter in own] == [
        (4, [f"{COUNTY}-1.xlsx"]), (5, [f"{COUNTY}-1.xlsx" ]),
    ]  # fmt: skip
    assert "你单位（代码410102）2026年第四季度教育信息化数据尚未上报" in own[0].text
    assert "同意上报" in own[0].text

    def told(address: str) -> list[int]:
        return [
            letter.at.day for letter in office.letters()
            if letter.to == address and "东区教育局：尚未上报" in letter.text
        ]  # fmt: skip

    assert told("admin@city.test") == [4]
    assert told("review@city.test") == [5]
    assert told("inspect@city.test") == [5]
    ringing = {
        address: line
        for address in ("review@city.test", "inspect@city.test")
        for letter in office.letters()
        if letter.to == address and letter.at.day == 5
        for line in letter.text.splitlines()
        if "东区教育局：尚未上报" in line
    }
    assert "联系人县审，电话0371-55550031、19900000031。" in ringing["review@city.test"]
    assert "联系人县审，电话0371-****0031、199****0031。" in ringing["inspect@city.test"]


def test_an_inspector_without_an_address_is_reached_through_the_administrator_and_by_telephone(
    office: Office,
) -> None:
    office.tick(REVIEW_DAY)
    (letter,) = [
        letter for letter in office.letters() if letter.to == "admin@county.test" and letter.at.day == 5
    ]
    assert "转呈东区教育局视察员县视（电话：0371-55550001）" in letter.text
    calls = [matter for matter in office.staff() if matter.startswith("请电话告知")]
    assert len([matter for matter in calls if "视察员县视（0371-55550001）" in matter]) == 1
    assert not [matter for matter in calls if "市视" in matter]
    office.tick(on(1, 5, 18))
    assert [matter for matter in office.staff() if matter.startswith("请电话告知")] == calls


def test_at_the_top_its_own_inspector_is_told(tmp_path: Path) -> None:
    head = Contact(PROVINCE, Role.INSPECTOR, "省视", email="inspect@province.test")
    office = Office(tmp_path, Roster(UNITS, (*ROSTER.contacts, head)))
    office.open(on(12, 1))
    office.report(
        on(1, 12), *(code for code, unit in UNITS.items() if unit.kind.reports and code != PROVINCE)
    )
    office.tick(on(1, 15))
    (letter,) = [letter for letter in office.letters() if letter.to == head.email]
    assert "示例省教育厅：尚未上报" in letter.text
    office.close()


def test_nobody_is_told_instead_of_a_reviewer_who_is_not_registered(office: Office) -> None:
    office.schedule = replace(office.schedule, ladder=Ladder((), (), (1,), ()), reply_days=(), review_days=())
    office.tick(REVIEW_DAY)
    assert not [
        letter for letter in office.letters() if "西区" in letter.subject or letter.to == "admin@west.test"
    ]


def test_nothing_is_sent_about_a_package_that_is_reported(office: Office) -> None:
    office.report(on(1, 2), COUNTY, WEST)
    office.tick(REVIEW_DAY)
    assert not [letter for letter in office.letters() if "东区" in letter.text or "西区" in letter.text]


def test_after_downtime_one_letter_says_what_is_newest(office: Office) -> None:
    office.tick(on(1, 5, 20))
    counted = Counter(letter.to for letter in office.letters())
    assert set(counted.values()) == {1}
    office.tick(on(1, 5, 21))
    assert Counter(letter.to for letter in office.letters()) == counted


def test_ticking_all_the_time_says_nothing_twice(office: Office) -> None:
    for step in range(4 * 14):
        now = on(12, 22, 0) + 6 * step * (on(12, 22, 1) - on(12, 22, 0))
        office.polled(now)
        office.tick(now)
    per_day = Counter((letter.to, letter.at.date()) for letter in office.letters())
    assert set(per_day.values()) == {1}
    mine = [letter.at.day for letter in office.letters() if letter.to == "school@county.test"]
    assert mine == [23, 30]


class Cut(Exception):
    """The power went."""


class Dying:
    """A store that dies after so many appends; everything else is the store's."""

    def __init__(self, store: Store, appends: int) -> None:
        self._store, self._left = store, appends

    def append(self, events: list[Event], seen: dict[str, int] | None = None) -> None:
        if self._left == 0:
            raise Cut
        self._left -= 1
        self._store.append(events, seen)

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


@pytest.mark.parametrize("next_day", [False, True])
def test_a_crash_between_the_letters_of_a_day_tells_nobody_twice_and_forgets_nobody(
    office: Office, next_day: bool
) -> None:
    for appends in range(1, 5):
        dying = Dying(office.store, appends)
        with pytest.raises(Cut):
            office.calendar(dying, piece=3).run(on(12, 30))  # type: ignore[arg-type]
    first = Counter(letter.to for letter in office.letters())
    assert first
    office.tick(on(12, 31) if next_day else on(12, 30, 15))
    once = Counter(letter.to for letter in office.letters() if "（代码" in letter.text)
    assert {"school@county.test", "vocational@city.test", "admin@technical.test"} <= once.keys()
    assert set(once.values()) == {1}
    per_day = Counter((letter.to, letter.at.date()) for letter in office.letters())
    assert set(per_day.values()) == {1}


def printing_processes() -> Iterator[int]:
    """Those that were started here; a test's servers are children of the same thread."""
    for child in Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text().split():
        if b"workflow.adapters.beside" in Path(f"/proc/{child}/cmdline").read_bytes():
            yield int(child)


def test_when_a_process_that_prints_letters_dies_the_next_tick_goes_on(office: Office) -> None:
    asked = itertools.count(1)

    def campaign(name: str) -> Campaign:
        if next(asked) == 3:  # the third letter is drafted
            os.kill(next(printing_processes()), signal.SIGKILL)
        return require_campaign(office.store, name)

    secretariat = replace(office.secretariat(office.store), campaign=campaign, beside=2)
    with pytest.raises(OutsideFailed, match="印制信件的进程：中途退出"):
        replace(office.calendar(piece=1), secretariat=secretariat).run(on(12, 30))
    office.tick(on(12, 30, 15))
    per_day = Counter((letter.to, letter.at.date()) for letter in office.letters())
    assert {"school@county.test", "vocational@city.test"} <= {to for to, _ in per_day}
    assert set(per_day.values()) == {1}


def test_a_report_that_waits_for_a_poll_silences_the_reminders_about_it(office: Office) -> None:
    done = office.tick(on(1, 6, 9, 30))
    assert {due.package for due in done.waiting} >= {COUNTY, WEST}
    assert not [letter for letter in office.letters() if letter.to == "school@county.test"]


def test_an_address_that_serves_several_units_gets_one_letter_with_a_table(tmp_path: Path) -> None:
    shared = Roster(
        UNITS,
        (*ROSTER.contacts, Contact(REMOTE, Role.ADMINISTRATOR, "山管", email="central@county.test")),
    )
    office = Office(tmp_path, shared)
    office.open(on(12, 1))
    office.tick(on(12, 23))
    (letter,) = [letter for letter in office.letters() if letter.to == "central@county.test"]
    assert all(UNITS[unit].name in letter.text for unit in (CENTRAL, POINT))
    office.close()


def test_the_province_has_nobody_above_and_its_units_are_still_chased(office: Office) -> None:
    office.tick(on(12, 31))
    (letter,) = [letter for letter in office.letters() if letter.to == "admin@province.test"]
    assert "甲市教育局：尚未报送" in letter.text
    assert f"{UNITS[PROVINCE].name}（{PROVINCE}）：尚未报送" in letter.text
    assert UNITS[CITY].name in letter.text


def test_a_poll_of_the_future_from_before_the_clock_was_set_back_reports_nothing(office: Office) -> None:
    office.polled(on(1, 20))
    seen = office.tick(on(1, 6, 1))
    assert seen.waiting
    assert not any(due.owed is Owed.AUTO_REPORT for due in seen.done)
    office.polled(on(1, 6, 1))
    assert any(due.owed is Owed.AUTO_REPORT for due in office.tick(on(1, 6, 1)).done)
