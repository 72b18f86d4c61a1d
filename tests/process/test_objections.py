"""A package returned on objection (article 20): its 沟通确认 on record, the letter, the history, and what the due date does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.domain.offices import CITY, COUNTY, PROVINCE, SCHOOL
from tests.process.calendar_office import Office, on
from workflow.domain.consultation import Talk
from workflow.domain.errors import Refused
from workflow.domain.lifecycle import Package, PackageAct, PackageState
from workflow.process.chronicle import last_return, mark, returned, told

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from workflow.domain.events import Event

TALK = Talk("县审", "1月6日15:30", "电话", "1月8日")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """The county has gone up by itself on the 5th with one school's data."""
    made = Office(tmp_path)
    made.open(on(12, 1))
    made.submit(on(12, 20), SCHOOL)
    made.polled(on(1, 6))
    made.tick(on(1, 6))
    assert package(made).state is PackageState.REPORTED
    yield made
    made.close()


def package(office: Office, unit: str = COUNTY) -> Package:
    return office.store.packages("2026Q4", [unit])[0]


def history(office: Office, unit: str = COUNTY) -> list[Event]:
    stream = package(office, unit).stream
    return office.store.told([stream])[stream]


def send_back(office: Office, talk: Talk = TALK) -> None:
    office.decisions().send_back(COUNTY, "市审", "学生数有误", on(1, 7), package=True, talk=talk)


def test_the_talk_is_on_record_and_the_name_is_personal(office: Office) -> None:
    send_back(office)
    event = history(office)[-1]
    assert event.data["talked"] == {"at": "2027-01-06T15:30", "means": "电话"}
    assert event.personal == {"talked_to": "县审"}
    assert "县审" not in str(event.data)
    assert package(office).due == on(1, 9, 0)


def test_the_level_below_reads_what_was_talked_over_why_and_until_when(office: Office) -> None:
    send_back(office)
    (letter,) = office.letters("package_returned")
    assert letter.to == "review@county.test"
    for words in (
        "请于2027年1月8日24时前组织修改并重新上报",
        "一、退回理由。学生数有误。",
        "二、沟通情况。2027年1月6日15:30与县审（电话）沟通确认。",
    ):
        assert words in letter.text.replace("\n", "")


def test_what_a_reviewer_notes_with_a_report_stands_in_the_packages_history(office: Office) -> None:
    send_back(office)
    office.decisions().report(COUNTY, "县审", on(1, 7, 16), "学生数已更正")
    assert history(office)[-1].data["note"] == "学生数已更正"
    assert list(told(history(office)))[-1].endswith(
        "第2次上报（东区教育局审核员县审上报）；说明：学生数已更正"
    )


def test_without_a_talk_nothing_happens_and_no_letter_goes_out(office: Office) -> None:
    before = office.store.head()
    with pytest.raises(Refused, match="请填写沟通对象、沟通时间"):
        send_back(office, Talk())
    assert office.store.head() == before


def test_at_its_due_date_it_goes_up_as_it_stands_and_is_marked(office: Office) -> None:
    send_back(office)
    office.tick(on(1, 8, 23))
    assert package(office).state is PackageState.RETURNED
    office.polled(on(1, 9, 1))
    office.tick(on(1, 9, 1))
    again = package(office)
    assert (again.state, again.auto, again.version, again.reported_at) == (
        PackageState.REPORTED, True, 2, on(1, 9, 0),
    )  # fmt: skip
    assert mark(history(office)) == "退回未改"
    packages = {one.unit: one for one in office.store.packages("2026Q4")}
    assert returned(office.store, office.roster, packages, CITY) == {
        COUNTY: "退回未改；甲市教育局审核员市审2027年1月7日退回；理由：学生数有误；"
        "2027年1月6日15:30与县审（电话）沟通确认；限期2027年1月8日24:00"
    }
    assert list(told(history(office)))[-1] == "2027-01-09 00:00 第2次上报（到期自动上报，退回未改）"


def test_what_was_corrected_but_not_reported_again_is_not_called_uncorrected(office: Office) -> None:
    send_back(office)
    office.numbers.clear()
    data = {
        "submission": f"2026Q4/{SCHOOL}/school/2", "number": 2, "form_version": 2,
        "received_at": on(1, 8).isoformat(),
    }  # fmt: skip
    stream = f"case:2026Q4/{SCHOOL}/school"
    office.store.append(
        [office._next(stream, "case.submitted", on(1, 8), data, personal={"answers": {"学生": 2}})]
    )
    office.polled(on(1, 9, 1))
    office.tick(on(1, 9, 1))
    assert mark(history(office)) == "退回后逾期未重新上报"


def test_the_superiors_own_cut_off_ends_a_return_that_has_no_date_of_its_own(office: Office) -> None:
    office.decisions().send_back(
        COUNTY, "市审", "学生数有误", on(1, 10), package=True, talk=Talk("县审", "1月10日")
    )
    assert package(office).due == on(1, 11, 0)


class TestTheMinistry:
    def reported(self, office: Office) -> None:
        office.numbers.clear()
        office.report(on(1, 12), CITY, PROVINCE)

    def test_its_return_needs_only_who_records_it_and_its_paper(self, office: Office) -> None:
        self.reported(office)
        office.decisions().send_back(PROVINCE, "省管", "教育部来函，请核实", on(1, 13), package=True)
        last = last_return(history(office, PROVINCE))
        assert last is not None
        assert (last.by, last.note, last.talked) == ("教育部（省管登记）", "教育部来函，请核实", None)
        assert package(office, PROVINCE).due == on(1, 16, 0)

    def test_a_talk_and_a_date_are_kept_where_they_are_given(self, office: Office) -> None:
        self.reported(office)
        talk = Talk("部里联系人", "1月13日", "电话", "1月20日")
        office.decisions().send_back(PROVINCE, "省审", "请核实", on(1, 13), package=True, talk=talk)
        last = last_return(history(office, PROVINCE))
        assert last is not None
        assert last.talked is not None
        assert (last.talked.whom, package(office, PROVINCE).due) == ("部里联系人", on(1, 21, 0))

    def test_a_return_of_what_the_province_asked_to_withdraw_is_the_ministrys_consent(
        self, office: Office
    ) -> None:
        self.reported(office)
        office.decisions().withdraw(PROVINCE, "省审", "数据有误", on(1, 13), PackageAct.REQUEST_WITHDRAWAL)
        office.decisions().send_back(PROVINCE, "省审", "教育部同意", on(1, 14), package=True)
        assert package(office, PROVINCE).state is PackageState.RETURNED
        assert history(office, PROVINCE)[-1].kind == "package.withdrawal_granted"
        assert history(office, PROVINCE)[-1].actor == "教育部（省审登记）"

    def test_the_province_does_not_consent_to_its_own_request_in_its_own_name(self, office: Office) -> None:
        self.reported(office)
        office.decisions().withdraw(PROVINCE, "省审", "数据有误", on(1, 13), PackageAct.REQUEST_WITHDRAWAL)
        office.decisions().withdraw(
            PROVINCE, "省审", "教育部电话同意", on(1, 14), PackageAct.GRANT_WITHDRAWAL
        )
        assert history(office, PROVINCE)[-1].actor == "教育部（省审登记）"

    def test_nobody_records_it_who_is_not_registered_there(self, office: Office) -> None:
        self.reported(office)
        with pytest.raises(Refused, match="不是示例省教育厅登记的审核员或者管理员"):
            office.decisions().send_back(PROVINCE, "市审", "请核实", on(1, 13), package=True)


class TestChased:
    def days(self, office: Office, *days: int) -> None:
        for day in days:
            office.tick(on(1, day, 9, 30))
            office.tick(on(1, day, 18))

    def test_who_was_returned_is_reminded_then_the_level_above_step_by_step_each_once(
        self, office: Office
    ) -> None:
        before = len(office.letters())
        send_back(office, Talk("县审", "1月6日", due="1月10日"))
        self.days(office, 7, 8, 9, 10)
        chased = [letter for letter in office.letters()[before:] if "东区教育局" in letter.text]
        told = {letter.to: letter.text for letter in chased}
        # Friday 8 is the only working day between the return on Thursday 7 and its date, Sunday 10.
        assert {letter.at for letter in chased} == {on(1, 8, 9)}
        assert len(told) == len(chased)
        assert {
            "review@county.test",
            "admin@city.test",
            "review@city.test",
            "inspect@city.test",
        } <= told.keys()
        assert "退回后尚未重新上报" in told["review@county.test"]
        assert "上报意见" in told["review@county.test"]
        assert "东区教育局：退回后尚未重新上报" in told["admin@city.test"]

    def test_once_reported_again_nobody_is_told(self, office: Office) -> None:
        before = len(office.letters())
        send_back(office, Talk("县审", "1月6日", due="1月10日"))
        office.decisions().report(COUNTY, "县审", on(1, 7, 16))
        self.days(office, 8, 9, 10)
        assert not [letter for letter in office.letters()[before:] if "重新上报" in letter.text]
