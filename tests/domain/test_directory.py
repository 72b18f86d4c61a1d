"""The contact directory: a level's own people and the next level's, and what is missing among them."""

from __future__ import annotations

from dataclasses import replace

from tests.domain.offices import CITY, COUNTY, POINT, PROVINCE, ROSTER, SCHOOL, at
from workflow.domain.directory import Directory, directory
from workflow.domain.roster import Roster

DAY = at(12, 20).date()


def listed(found: Directory) -> list[tuple[str, list[str]]]:
    return [
        (
            section.heading,
            [
                f"{line.unit.name}{line.person.name if line.person else ''} {line.note}".strip()
                for line in section.lines
            ],
        )
        for section in found.sections
    ]


def test_a_county_lists_its_own_people_and_the_administrators_of_its_schools() -> None:
    found = directory(ROSTER, COUNTY, DAY)
    assert listed(found) == [
        ("一、本级", ["东区教育局县视", "东区教育局县审", "东区教育局县管"]),
        (
            "二、所属学校、教学点",
            ["东区第一小学校管", "东区中心校中管", "东区教学点中管", "东区山村小学山管 没有登记电子邮箱"],
        ),
    ]
    assert (found.units, found.people, found.vacant) == (5, 7, 0)


def test_the_level_above_sees_the_offices_below_and_nobody_of_their_schools() -> None:
    city = directory(ROSTER, CITY, DAY)
    assert [heading for heading, _ in listed(city)] == [
        "一、本级",
        "二、下一级教育行政部门",
        "三、所属学校、教学点",
    ]
    units = {line.unit.code for section in city.sections for line in section.lines}
    assert SCHOOL not in units
    assert POINT not in units
    assert PROVINCE not in units
    province = {
        line.unit.code for section in directory(ROSTER, PROVINCE, DAY).sections for line in section.lines
    }
    assert CITY in province
    assert COUNTY not in province


def test_a_unit_without_an_administrator_or_suspended_stands_there_with_the_word() -> None:
    people = tuple(one for one in ROSTER.contacts if one.unit != SCHOOL)
    units = {code: replace(unit, suspended=code == POINT) for code, unit in ROSTER.units.items()}
    found = directory(Roster(units, people), COUNTY, DAY)
    lines = dict(listed(found))["二、所属学校、教学点"]
    assert lines[0] == "东区第一小学 没有登记管理员"
    assert "东区教学点中管 暂停招生" in lines
    assert found.vacant == 1
