"""A 撤报申请 reaches the level above once, with the workbook in which it is decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.domain.offices import CITY, COUNTY, PROVINCE, SCHOOL
from tests.process.calendar_office import Office, on
from workflow.process.renewal import wanted

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator
    from pathlib import Path

WHEN = on(1, 3)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    made.open(on(12, 1))
    made.report(on(1, 2), COUNTY)
    yield made
    made.close()


def ask(office: Office, unit: str, why: str = "学生数有误") -> None:
    stream = f"package:2026Q4/{unit}"
    office.store.append([office._next(stream, "package.withdrawal_requested", WHEN, {"note": why})])


def test_the_reviewer_above_gets_the_reason_and_the_workbook_once(office: Office) -> None:
    ask(office, COUNTY)
    office.tick(WHEN)
    office.tick(WHEN)
    (letter,) = office.letters("withdrawal_request")
    assert (letter.to, len(letter.files)) == ("review@city.test", 1)
    assert "一、撤报理由。学生数有误" in letter.text
    assert "二、办理方法" in letter.text


def test_a_second_request_after_a_refusal_is_told_anew(office: Office) -> None:
    ask(office, COUNTY)
    office.tick(WHEN)
    stream = f"package:2026Q4/{COUNTY}"
    office.store.append([office._next(stream, "package.withdrawal_refused", WHEN, {"note": "不影响汇总"})])
    ask(office, COUNTY, "教师数也有误")
    office.tick(WHEN)
    assert len(office.letters("withdrawal_request")) == 2


def test_a_level_that_has_reported_itself_is_told_what_must_come_first(office: Office) -> None:
    office.report(on(1, 3), CITY)
    ask(office, COUNTY)
    office.tick(WHEN)
    (letter,) = office.letters("withdrawal_request")
    assert "二、办理条件。你单位本级数据已经上报，不能直接同意撤报" in letter.text


def test_the_provinces_own_request_is_for_staff_to_bring_to_the_ministry(office: Office) -> None:
    office.report(on(1, 3), PROVINCE)
    ask(office, PROVINCE)
    office.tick(WHEN)
    office.tick(WHEN)
    assert office.letters("withdrawal_request") == []
    assert sum("须报教育部" in matter for matter in office.staff()) == 1


def test_a_level_that_was_returned_gets_a_new_workbook_once(office: Office) -> None:
    office.book_version = 2
    stream = f"package:2026Q4/{COUNTY}"
    data = {"due": on(1, 6, 0).isoformat(), "note": ""}
    office.store.append([office._next(stream, "package.returned", WHEN, data)])
    office.tick(WHEN)
    office.tick(WHEN)
    (letter,) = [one for one in office.letters("review_request") if one.to == "review@county.test"]
    assert "1月3日至5日" in letter.text
    assert len(letter.files) == 1


def test_and_another_when_something_waits_in_it_but_not_many_on_a_day(office: Office) -> None:
    stream = f"package:2026Q4/{COUNTY}"
    data = {"due": on(1, 6, 0).isoformat(), "note": ""}
    office.store.append([office._next(stream, "package.returned", WHEN, data)])
    counts = []
    for version in range(1, 7):
        office.book_version = version
        if version == 3:
            office.submit(WHEN, SCHOOL)
        office.tick(WHEN)
        counts.append(sum(one.to == "review@county.test" for one in office.letters("review_request")))
    assert counts == [1, 1, 2, 3, 3, 3]


class TestRenewal:
    """A level that decides is mailed a new workbook where its own is out of date on a row that matters."""

    def requested(self, office: Office, when: dt.datetime) -> int:
        office.tick(when)
        return sum(one.to == "review@city.test" for one in office.letters("review_request"))

    def wants(self, office: Office, cause: str, when: dt.datetime) -> None:
        campaign = office.store.campaign("2026Q4")
        assert campaign is not None
        office.store.append([wanted(campaign, CITY, cause, when)])

    def test_after_a_refused_row_once_for_all_that_were_refused_meanwhile(self, office: Office) -> None:
        assert self.requested(office, on(1, 7)) == 1
        self.wants(office, "a.0", on(1, 7, 11))
        self.wants(office, "b.0", on(1, 7, 11))
        office.book_version = 2
        counts = [self.requested(office, on(1, 7, hour)) for hour in (12, 13, 14)]
        assert counts == [2, 2, 2]

    def test_but_a_few_on_a_day_at_most_and_the_rest_on_the_next(self, office: Office) -> None:
        self.requested(office, on(1, 7))
        counts = []
        for version in range(2, 7):
            self.wants(office, f"{version}.0", on(1, 7, 10 + version))
            office.book_version = version
            counts.append(self.requested(office, on(1, 7, 10 + version)))
        assert counts == [2, 3, 4, 4, 4]
        assert self.requested(office, on(1, 8, 9)) == 5

    def test_after_a_level_below_that_was_returned_has_reported_again(self, office: Office) -> None:
        self.requested(office, on(1, 7))
        stream = f"package:2026Q4/{COUNTY}"
        data = {"due": on(1, 9, 0).isoformat(), "note": "学生数有误"}
        office.store.append([office._next(stream, "package.returned", on(1, 7, 12), data)])
        office.book_version = 2
        assert self.requested(office, on(1, 7, 13)) == 1
        office.report(on(1, 7, 15), COUNTY)
        assert [self.requested(office, on(1, 7, hour)) for hour in (16, 17)] == [2, 2]

    def test_not_before_its_review_is_asked_for_nor_after_its_cut_off(self, office: Office) -> None:
        self.wants(office, "a.0", on(1, 5))
        assert self.requested(office, on(1, 5)) == 0
        office.polled(on(1, 5))
        self.requested(office, on(1, 10))
        before = self.requested(office, on(1, 10, 12))
        self.wants(office, "c.0", on(1, 11, 1))
        assert self.requested(office, on(1, 11, 2)) == before
