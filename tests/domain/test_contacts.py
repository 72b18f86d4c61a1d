"""People change: what a paper says held against who is registered, and the list that it comes to."""

from __future__ import annotations

import datetime as dt

import pytest

from workflow.domain.contacts import (
    ContactSource,
    Person,
    appointed,
    contradictions,
    decode_contact,
    encode_contact,
    kept_by_import,
    people_named,
    said_changed,
    unusable,
    without_former,
)
from workflow.domain.receipt import Column, Entry, ReceiptAnswers
from workflow.domain.roster import Contact, Role, Roster, Unit, UnitKind

CITY = "410100"
NOV, DEC = dt.date(2026, 11, 1), dt.date(2026, 12, 1)
#: Of 王五 nothing but name and address is registered.
LI = Contact(CITY, Role.REVIEWER, "李四", "科技处", "0371-1", "13900000001", "li@city.test")
WANG = Contact(CITY, Role.REVIEWER, "王五", email="wang@city.test")
ADMIN = Contact(CITY, Role.ADMINISTRATOR, "赵六", email="zhao@city.test")


def named(name: str, **more: object) -> Person:
    return Person(Role.REVIEWER, name, **more)  # type: ignore[arg-type]


def after(*known: Contact, by: Person, day: dt.date = DEC) -> dict[str, tuple[dt.date, dt.date | None]]:
    people = appointed(known, CITY, [by], day, ContactSource.RECEIPT)
    return {f"{one.name} {one.email}": (one.since, one.until) for one in people}


class TestWhoHoldsARole:
    def test_a_new_person_follows_whoever_held_it_and_both_stay_on_record(self) -> None:
        people = after(LI, ADMIN, by=named("孙七", email="sun@city.test"))
        assert people == {
            "李四 li@city.test": (dt.date.min, DEC),
            "赵六 zhao@city.test": (dt.date.min, None),
            "孙七 sun@city.test": (DEC, None),
        }

    def test_another_address_of_the_same_person_holds_from_that_day(self) -> None:
        assert after(LI, by=named("李四", email="lisi@city.test")) == {
            "李四 li@city.test": (dt.date.min, DEC),
            "李四 lisi@city.test": (DEC, None),
        }

    def test_one_of_two_who_is_named_keeps_the_other_beside_him(self) -> None:
        assert after(LI, WANG, by=named("王五", email="w5@city.test"))["李四 li@city.test"] == (
            dt.date.min,
            None,
        )

    def test_what_a_paper_leaves_out_stays_and_other_signs_in_a_number_are_no_change(self) -> None:
        known = (LI, ADMIN)
        same = named("李 四", phone="03711", mobile="139 0000 0001", email="LI@city.test")
        assert appointed(known, CITY, [same], DEC, ContactSource.RECEIPT) == known
        (_, now) = appointed((LI,), CITY, [named("李四", mobile="13900000002")], DEC, ContactSource.RECEIPT)
        assert (now.office, now.phone, now.mobile, now.email) == ("科技处", "0371-1", "13900000002", LI.email)

    def test_who_held_it_on_a_past_day_can_be_told(self) -> None:
        unit = Unit(CITY, "郑州市教育局", UnitKind.CITY, "")
        people = appointed((LI,), CITY, [named("孙七", email="sun@city.test")], DEC, ContactSource.RECEIPT)
        roster = Roster({CITY: unit}, (LI,)).with_people(CITY, people)
        assert [one.name for one in roster.people(CITY, Role.REVIEWER, NOV)] == ["李四"]
        assert [one.name for one in roster.people(CITY, Role.REVIEWER, DEC)] == ["孙七"]
        assert roster.is_reviewer("sun@city.test", CITY, DEC)
        assert not roster.is_reviewer("li@city.test", CITY, DEC)

    def test_an_address_is_known_for_the_grace_period_and_only_where_somebody_followed(self) -> None:
        unit = Unit(CITY, "郑州市教育局", UnitKind.CITY, "")
        people = appointed((LI,), CITY, [named("孙七", email="sun@city.test")], DEC, ContactSource.RECEIPT)
        roster = Roster({CITY: unit}, people)

        def known(roster: Roster, days: int) -> list[str]:
            day = DEC + dt.timedelta(days)
            return [one.name for one in roster.replaced_address("LI@city.test", day, 60)]

        assert [known(roster, days) for days in (-1, 0, 60, 61)] == [[], ["李四"], ["李四"], []]
        alone = Roster({CITY: unit}, (people[0],))
        assert known(alone, 1) == []

    def test_a_contact_comes_back_from_its_event_as_it_went_in(self) -> None:
        for contact in (LI, *appointed((LI,), CITY, [named("孙七")], DEC, ContactSource.FORM)):
            assert decode_contact(encode_contact(contact)) == contact


@pytest.mark.parametrize(
    ("said", "person", "found"),
    [
        ("否", {"name": "李四", "mobile": "13900000001", "email": "li@city.test"}, ""),
        ("否", {"name": "孙七"}, "姓名却与名册登记的（李四）不同"),
        ("否", {"name": "李四", "mobile": "13900000009"}, "手机号码却与名册登记的不同"),
        ("否", {"name": "李四", "phone": "0371-2", "email": "x@city.test"}, "办公电话、电子邮箱却与名册登记的不同"),
        ("是", {"name": "李四"}, "姓名却与名册登记的相同"),
        ("是", {"name": "孙七", "mobile": "13900000009"}, ""),
        ("不详", {"name": "孙七"}, ""),
        ("否", {"name": "王五", "mobile": "13900000003"}, ""),
    ],
)  # fmt: skip
def test_whether_somebody_changed_is_held_against_the_roster(
    said: str, person: dict[str, str], found: str
) -> None:
    sentences = contradictions(
        (LI, WANG, ADMIN) if person["name"] == "王五" else (LI, ADMIN),
        [named(changed=said_changed(said), **person)],
        DEC,
    )
    assert len(sentences) == bool(found)
    assert all(one.startswith("审核员") and found in one for one in sentences)


def test_where_nobody_is_registered_nothing_is_contradicted() -> None:
    assert contradictions((ADMIN,), [named("李四", changed=False)], DEC) == ()


def test_a_receipt_names_people_by_its_rows_and_a_school_only_its_administrator() -> None:
    cells = {(role, Column.NAME): Entry(f"{role}\n某 ") for role in Role}
    cells[Role.REVIEWER, Column.CHANGED] = Entry("是")
    cells[Role.INSPECTOR, Column.NAME] = Entry(" ")
    answers = ReceiptAnswers(cells)
    assert [(one.role, one.name, one.changed) for one in people_named(answers, UnitKind.CITY)] == [
        (Role.REVIEWER, "审核员某", True), (Role.ADMINISTRATOR, "管理员某", None),
    ]  # fmt: skip
    (only,) = people_named(answers, UnitKind.PROVINCIAL_VOCATIONAL)
    assert only.role is Role.ADMINISTRATOR


def test_nobody_is_registered_with_a_broken_address_or_ours() -> None:
    people = [
        named("甲", email="a@b"),
        named("乙", email="huizhi@office.test"),
        named("丙", email="c@city.test"),
    ]
    said = unusable(people, "huizhi@office.test")
    assert ["不是完整的邮箱地址" in said[0], "本系统自己" in said[1], len(said)] == [True, True, 2]


class TestTheRostersFileReadAgain:
    SET = appointed((LI, ADMIN), CITY, [named("孙七", email="sun@city.test")], DEC, ContactSource.RECEIPT)

    def test_does_not_undo_what_a_receipt_set_and_tells_what_it_passed_over(self) -> None:
        people, passed = kept_by_import(self.SET, (LI, WANG, ADMIN))
        assert {one.name for one in people if one.holds_on(DEC)} == {"孙七", "赵六"}
        assert passed == [WANG]

    def test_counts_where_a_row_begins_later(self) -> None:
        later = Contact(CITY, Role.REVIEWER, "周八", email="zhou@city.test", since=DEC + dt.timedelta(3))
        people, passed = kept_by_import(self.SET, (LI, later, ADMIN))
        assert [one.name for one in people] == ["李四", "周八", "赵六"]
        assert passed == []


def test_whose_time_was_over_can_be_left_out() -> None:
    people = TestTheRostersFileReadAgain.SET
    assert [one.name for one in without_former(people, DEC)] == ["赵六", "孙七"]
    assert without_former(people, NOV) == people
