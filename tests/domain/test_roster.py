"""Who stands where, who reviews whom, and whom a letter reaches on a given day."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from tests.domain.offices import (
    CENTRAL,
    CITY,
    CITY_SCHOOL,
    CONTACTS,
    COUNTY,
    DIRECT,
    MINISTRY,
    POINT,
    PROVINCE,
    REMOTE,
    ROSTER,
    SCHOOL,
    TECHNICAL,
    UNITS,
    UNIVERSITY,
    WEST,
)
from workflow.domain.roster import SUPERIORS, Contact, Level, Recipient, Role, Roster, Unit, UnitKind

DAY = dt.date(2027, 1, 3)


def codes(units: tuple[Unit, ...]) -> list[str]:
    return [unit.code for unit in units]


@pytest.mark.parametrize(
    ("package", "members", "below"),
    [
        (COUNTY, [COUNTY, SCHOOL, CENTRAL, POINT, REMOTE], []),
        (WEST, [WEST], []),
        (CITY, [CITY, CITY_SCHOOL], [COUNTY, WEST]),
        (PROVINCE, [PROVINCE, TECHNICAL], [CITY, DIRECT, UNIVERSITY]),
        (MINISTRY, [MINISTRY], []),
    ],
)
def test_a_package_holds_its_own_unit_and_all_below_that_do_not_report(
    package: str, members: list[str], below: list[str]
) -> None:
    assert codes(ROSTER.members(package)) == members
    assert codes(ROSTER.packages_below(package)) == below
    assert {ROSTER.package_of(code).code for code in members} == {package}


def test_every_unit_stands_in_exactly_one_package() -> None:
    packages = [unit.code for unit in UNITS.values() if unit.kind.reports]
    members = [unit.code for package in packages for unit in ROSTER.members(package)]
    assert sorted(members) == sorted(UNITS)


def test_the_tree_is_walked_up_nearest_first_and_down_depth_first() -> None:
    assert [unit.code for unit in ROSTER.above(POINT)] == [CENTRAL, COUNTY, CITY, PROVINCE]
    assert [unit.code for unit in ROSTER.above(MINISTRY)] == []
    assert [unit.code for unit in ROSTER.below(COUNTY)] == [COUNTY, SCHOOL, CENTRAL, POINT, REMOTE]
    assert codes(ROSTER.children(POINT)) == []


def test_only_levels_report_and_each_kind_knows_who_may_stand_above_it() -> None:
    fillers = {UnitKind.SCHOOL, UnitKind.TEACHING_POINT, UnitKind.VOCATIONAL, UnitKind.PROVINCIAL_VOCATIONAL}
    assert {kind for kind in UnitKind if not kind.reports} == fillers
    assert {kind.level for kind in fillers} == {Level.SCHOOL}
    assert all(unit.kind in UnitKind and _fits(unit) for unit in UNITS.values())
    assert len({level.word for level in Level}) == len(Level)


def _fits(unit: Unit) -> bool:
    allowed = SUPERIORS[unit.kind]
    return UNITS[unit.superior].kind in allowed if unit.superior else not allowed


@pytest.mark.parametrize(
    ("unit", "role", "address", "through", "relay_for"),
    [
        (SCHOOL, Role.ADMINISTRATOR, "school@county.test", SCHOOL, ""),
        (COUNTY, Role.REVIEWER, "review@county.test", COUNTY, ""),
        (CITY, Role.INSPECTOR, "inspect@city.test", CITY, ""),
        # 附件2 gives the 视察员 no address: the same unit's 管理员 passes it on (请转呈).
        (COUNTY, Role.INSPECTOR, "admin@county.test", COUNTY, COUNTY),
        (WEST, Role.REVIEWER, "admin@west.test", WEST, WEST),
        # A unit without an address: the superior's 管理员 passes it on (请转交).
        (REMOTE, Role.ADMINISTRATOR, "admin@county.test", COUNTY, REMOTE),
    ],
)
def test_whom_a_letter_reaches(unit: str, role: Role, address: str, through: str, relay_for: str) -> None:
    to = ROSTER.recipient(unit, role, DAY)
    assert to is not None
    assert (to.email, to.unit, to.relay_for) == (address, through, relay_for)


def test_a_letter_climbs_past_superiors_without_an_address_until_nobody_is_left() -> None:
    poor = Roster(UNITS, tuple(c for c in CONTACTS if c.unit not in {CENTRAL, COUNTY, POINT}))
    assert poor.recipient(POINT, Role.ADMINISTRATOR, DAY) == Recipient(
        "admin@city.test", "市管", CITY, Role.ADMINISTRATOR, POINT
    )
    assert Roster(UNITS, ()).recipient(POINT, Role.ADMINISTRATOR, DAY) is None


def test_of_several_people_in_a_role_the_first_with_an_address_gets_the_letter() -> None:
    silent = Contact(SCHOOL, Role.ADMINISTRATOR, "无址")
    to = Roster(UNITS, (silent, *CONTACTS)).recipient(SCHOOL, Role.ADMINISTRATOR, DAY)
    assert to is not None
    assert to.name == "校管"


def test_a_role_is_held_from_its_first_day_until_before_its_last() -> None:
    change = dt.date(2027, 1, 4)
    old = Contact(COUNTY, Role.REVIEWER, "旧审", email="old@county.test", until=change)
    new = Contact(COUNTY, Role.REVIEWER, "新审", email="new@county.test", since=change)
    others = tuple(c for c in CONTACTS if (c.unit, c.role) != (COUNTY, Role.REVIEWER))
    roster = Roster(UNITS, (*others, old, new))
    for day, name, address, gone in (
        (dt.date(2027, 1, 3), "旧审", "old@county.test", "new@county.test"),
        (dt.date(2027, 1, 4), "新审", "new@county.test", "old@county.test"),
    ):
        assert [person.name for person in roster.people(COUNTY, Role.REVIEWER, day)] == [name]
        assert roster.is_reviewer(address, COUNTY, day)
        assert not roster.is_reviewer(gone, COUNTY, day)
        assert roster.known_address(gone, day) == ()


def test_one_address_may_serve_several_units_and_roles() -> None:
    assert [c.unit for c in ROSTER.known_address("Central@County.test", DAY)] == [CENTRAL, POINT]
    both = replace(CONTACTS[0], role=Role.REVIEWER)
    roles = [c.role for c in Roster(UNITS, (*CONTACTS, both)).known_address(both.email, DAY)]
    assert roles == [Role.ADMINISTRATOR, Role.REVIEWER]
    assert ROSTER.known_address("nobody@county.test", DAY) == ()


def test_a_reviewer_is_one_of_that_very_unit() -> None:
    assert ROSTER.is_reviewer("REVIEW@county.test", COUNTY, DAY)
    assert not ROSTER.is_reviewer("review@city.test", COUNTY, DAY)
    assert not ROSTER.is_reviewer("admin@county.test", COUNTY, DAY)
