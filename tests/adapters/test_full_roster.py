"""The made-up roster of the whole province: as large as the real one, and with the divisions of two years."""

from __future__ import annotations

from collections import Counter

from tools.full_roster import changes_of, full, renamed
from tools.make_roster import build
from workflow.domain.roster import UnitKind
from workflow.process.baseline import difference


def test_the_province_has_about_fifty_thousand_units_of_every_kind_each_under_one_that_is_there():
    roster = full({})
    kinds = Counter(unit.kind for unit in roster.units.values())
    assert 48_000 < len(roster.units) < 52_000
    assert set(kinds) == set(UnitKind)
    assert kinds[UnitKind.SCHOOL] > 2 * kinds[UnitKind.TEACHING_POINT] > 10_000
    assert all(unit.superior in roster.units for unit in roster.units.values() if unit.superior)
    assert len({unit.name for unit in roster.units.values()}) == len(roster.units)


def test_counties_differ_in_size_and_the_same_arguments_give_the_same_roster():
    roster = full({})
    sizes = [
        len(roster.children(code)) for code, unit in roster.units.items() if unit.kind is UnitKind.COUNTY
    ]
    assert min(sizes) < 200
    assert max(sizes) > 400
    again = full({})
    assert (again.units, again.contacts) == (roster.units, roster.contacts)


def test_two_years_disagree_about_luoyang_and_zhoukou_and_nothing_else():
    before, after = renamed(build(), changes_of("2019")), renamed(build(), changes_of("2021"))
    gone, new = before.units.keys() - after.units.keys(), after.units.keys() - before.units.keys()
    assert {before.units[code].name for code in gone} == {
        "淮阳县教育局", "洛阳市吉利区教育局", "孟津县教育局", "偃师市教育局",
    }  # fmt: skip
    assert {after.units[code].name for code in new} == {
        "周口市淮阳区教育局", "洛阳市孟津区教育局", "洛阳市偃师区教育局",
    }  # fmt: skip
    moved = [
        code for code in before.units.keys() & after.units.keys() if before.units[code] != after.units[code]
    ]
    assert moved
    assert {before.units[code].superior for code in moved} <= gone
    assert difference(before, after)
