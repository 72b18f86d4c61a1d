"""Article 14: a change of people at the top is filed with 中央电教馆, once, by letter or by staff."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from tests.domain.offices import CAMPAIGN, CITY, MINISTRY, PROVINCE, ROSTER, at
from workflow.domain.contacts import ContactSource, Person, appointed
from workflow.domain.roster import Role
from workflow.process.filing import filings, to_file

if TYPE_CHECKING:
    from workflow.domain.roster import Roster

DAY, NOW = dt.date(2026, 12, 20), at(12, 21)
ADDRESS = "beian@example.org"


def changed(
    unit: str, name: str, role: Role = Role.REVIEWER, day: dt.date = DAY, roster: Roster = ROSTER
) -> Roster:
    person = Person(role, name, "科技处", "0371-55550009", "", "new@province.test")
    people = appointed(roster.contacts_of(unit), unit, [person], day, ContactSource.RECEIPT)
    return roster.with_people(unit, people)


def test_a_change_at_province_level_goes_by_letter_with_who_was_before() -> None:
    ((events, letter),) = filings(to_file(changed(PROVINCE, "新审"), NOW), (), ADDRESS, CAMPAIGN, NOW)
    (noted,) = events
    assert (noted.stream, noted.data["roles"]) == (f"filing:{PROVINCE}/2026-12-20", ["审核员"])
    assert "新审" not in str(noted.data)
    assert letter is not None
    assert (letter.to.email, letter.to.name, letter.unit) == (ADDRESS, "中央电化教育馆", PROVINCE)
    (row,) = letter.context["changes"]
    assert (row["role"], row["before"], row["name"], row["phone"]) == (
        "审核员",
        "省审",
        "新审",
        "0371-55550009",
    )


def test_roles_that_change_on_one_day_go_in_one_letter_and_another_day_in_another() -> None:
    roster = changed(PROVINCE, "新视", Role.INSPECTOR, roster=changed(PROVINCE, "新审"))
    later = changed(PROVINCE, "再审", day=NOW.date(), roster=roster)
    assert [[one.after.name for one in filing.changes] for filing in to_file(roster, NOW)] == [
        ["新审", "新视"]
    ]
    assert [filing.since for filing in to_file(later, NOW)] == [DAY, NOW.date()]


def test_a_university_of_the_ministry_is_filed_and_a_city_is_not() -> None:
    roster = changed(CITY, "新审", roster=changed(MINISTRY, "部新", Role.ADMINISTRATOR))
    assert [filing.unit.code for filing in to_file(roster, NOW)] == [MINISTRY]


def test_another_number_of_the_same_person_is_no_change_and_a_correction_on_the_day_hides_none() -> None:
    assert to_file(changed(PROVINCE, "省审"), NOW) == []
    typo = changed(PROVINCE, "新审")
    people = appointed(
        typo.contacts_of(PROVINCE),
        PROVINCE,
        [Person(Role.REVIEWER, "新审", phone="0371-1")],
        DAY,
        ContactSource.RECEIPT,
    )
    (filing,) = to_file(typo.with_people(PROVINCE, people), NOW)
    assert [(one.after.phone, [p.name for p in one.before]) for one in filing.changes] == [
        ("0371-1", ["省审"])
    ]


def test_without_an_address_it_is_for_staff_to_do_and_what_is_done_is_not_done_again() -> None:
    due = to_file(changed(PROVINCE, "新审"), NOW)
    ((events, letter),) = filings(due, (), "", CAMPAIGN, NOW)
    assert letter is None
    assert [event.kind for event in events] == ["filing.done", "staff.query"]
    assert "审核员自2026-12-20起为新审（原省审）" in (events[1].personal or {})["matter"]
    assert list(filings(due, {due[0].stream}, ADDRESS, CAMPAIGN, NOW)) == []


def test_a_change_of_last_year_or_one_to_come_is_left_alone() -> None:
    assert to_file(changed(PROVINCE, "新审"), at(6, 1)) == []
    assert to_file(changed(PROVINCE, "新审"), at(12, 19)) == []
