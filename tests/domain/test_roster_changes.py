"""What a baseline changes: told from who went where and whose name is alike, decided by the clerk."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tools.full_roster import changes_of, full, renamed
from tools.make_roster import build
from workflow.domain.roster import Unit, UnitKind
from workflow.domain.roster_changes import (
    Applied,
    Change,
    ChangeKind,
    Decision,
    Link,
    Tie,
    apply,
    changes,
    tied_by_hand,
    tree_after,
    tree_faults,
)

PROVINCE = Unit("410000", "示例省教育厅", UnitKind.PROVINCE, "")
CITY = Unit("410100", "甲市教育局", UnitKind.CITY, "410000")
EAST = Unit("410102", "甲市东区教育局", UnitKind.COUNTY, "410100")
WEST = Unit("410103", "甲市西区教育局", UnitKind.COUNTY, "410100")


def school(code: str, name: str, superior: str = "410102") -> Unit:
    return Unit(code, name, UnitKind.SCHOOL, superior)


FIRST = school("4101020001", "东区青禾小学")
SECOND = school("4101020002", "东区晨星初级中学")
THIRD = school("4101030001", "西区白鹭小学", "410103")


def tree(*units: Unit) -> dict[str, Unit]:
    return {unit.code: unit for unit in (PROVINCE, CITY, *units)}


OLD = tree(EAST, WEST, FIRST, SECOND, THIRD)


def told(new: dict[str, Unit], old: dict[str, Unit] = OLD) -> list[str]:
    return [
        f"{change.kind} {change.before.code if change.before else '-'} {change.after.code if change.after else '-'}"
        for change in changes(old, new)
    ]


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (tree(EAST, WEST, FIRST, SECOND, THIRD), []),
        (tree(EAST, WEST, FIRST, THIRD), ["撤销 4101020002 -"]),
        (
            tree(EAST, WEST, FIRST, SECOND, THIRD, school("4101020009", "东区听泉小学")),
            ["新增 - 4101020009"],
        ),
        (
            tree(EAST, WEST, replace(FIRST, name="东区青禾实验小学"), SECOND, THIRD),
            ["更名 4101020001 4101020001"],
        ),
        (
            tree(EAST, WEST, replace(FIRST, superior="410103"), SECOND, THIRD),
            ["隶属变更 4101020001 4101020001"],
        ),
        (
            tree(EAST, WEST, replace(FIRST, kind=UnitKind.TEACHING_POINT), SECOND, THIRD),
            ["类型变更 4101020001 4101020001"],
        ),
        (
            tree(EAST, WEST, school("4101020009", "东区青禾实验小学"), SECOND, THIRD),
            ["换码 4101020001 4101020009"],
        ),
        (
            tree(EAST, WEST, school("4101020009", "东区听泉小学"), SECOND, THIRD),
            ["撤销 4101020001 -", "新增 - 4101020009"],
        ),
        (
            tree(EAST, WEST, SECOND, THIRD, school("4101030009", FIRST.name, "410103")),
            ["换码 4101020001 4101030009"],
        ),
    ],
    ids=[
        "nothing", "closed", "new", "renamed", "moved", "another kind", "re-coded with a name alike",
        "one closed and another new", "re-coded and moved, with the same name",
    ],
)  # fmt: skip
def test_a_school_that_changed_is_told_once(new: dict[str, Unit], expected: list[str]) -> None:
    assert told(new) == expected


def test_schools_that_differ_in_their_number_are_two_schools() -> None:
    old = tree(EAST, school("4101020001", "东区第一小学"))
    assert told(tree(EAST, school("4101020002", "东区第二小学")), old) == [
        "撤销 4101020001 -",
        "新增 - 4101020002",
    ]


def test_a_department_whose_schools_all_went_to_a_new_one_was_re_coded_and_they_are_not_told_one_by_one() -> (
    None
):
    heir = replace(WEST, code="410109", name="甲市新西区教育局")
    new = tree(EAST, heir, FIRST, SECOND, replace(THIRD, superior="410109"))
    assert told(new) == ["换码 410103 410109"]
    assert changes(OLD, new)[0].followers == 1


def test_a_department_whose_schools_went_to_one_that_was_there_went_into_it() -> None:
    assert told(tree(EAST, FIRST, SECOND, replace(THIRD, superior="410102"))) == ["合并 410103 410102"]


def test_a_department_some_of_whose_schools_went_to_a_new_one_was_divided() -> None:
    new = tree(
        EAST,
        WEST,
        replace(WEST, code="410109", name="甲市新区教育局"),
        FIRST,
        replace(SECOND, superior="410109"),
        THIRD,
    )
    assert told(new) == ["拆分 410102 410109"]


def agreed(old: dict[str, Unit], new: dict[str, Unit], **decided: Decision) -> Applied:
    found = changes(old, new)
    return apply(
        old, new, [(change, decided.get(change.kind.name.lower(), Decision.AGREED)) for change in found]
    )


def test_all_changes_agreed_to_give_the_new_tree() -> None:
    before, after = renamed(build(), changes_of("2019")), renamed(build(), changes_of("2021"))
    applied = agreed(before.units, after.units)
    assert tree_after(before.units, applied) == after.units
    assert {(link.old, link.new, link.kind) for link in applied.links} == {
        ("411626", "411603", ChangeKind.RECODED), ("410381", "410307", ChangeKind.RECODED),
        ("410306", "410308", ChangeKind.MERGED), ("410322", "410308", ChangeKind.MERGED),
    }  # fmt: skip


def test_the_real_province_of_2019_and_of_2021_differ_in_five_rows_however_many_schools_went_along() -> None:
    before, after = full(changes_of("2019")), full(changes_of("2021"))
    found = changes(before.units, after.units)
    assert [
        (change.kind.value, change.before and change.before.name, change.after and change.after.name)
        for change in found
    ] == [
        ("合并", "洛阳市吉利区教育局", "洛阳市孟津区教育局"),
        ("合并", "孟津县教育局", "洛阳市孟津区教育局"),
        ("换码", "偃师市教育局", "洛阳市偃师区教育局"),
        ("换码", "淮阳县教育局", "周口市淮阳区教育局"),
        ("新增", None, "洛阳市孟津区教育局"),
    ]
    assert sum(change.followers for change in found) > 1000


def test_a_change_that_is_held_leaves_the_unit_and_those_below_it_as_they_were() -> None:
    heir = replace(WEST, code="410109", name="甲市新西区教育局")
    new = tree(EAST, heir, replace(FIRST, name="东区新名小学"), SECOND, replace(THIRD, superior="410109"))
    after = tree_after(OLD, agreed(OLD, new, recoded=Decision.HELD))
    assert after == {**OLD, FIRST.code: replace(FIRST, name="东区新名小学")}


def test_what_is_not_the_same_unit_changes_without_a_link() -> None:
    new = tree(EAST, WEST, school("4101020009", "东区青禾实验小学"), SECOND, THIRD)
    applied = agreed(OLD, new, recoded=Decision.APART)
    assert (applied.closed, [unit.code for unit in applied.units], applied.links) == (
        ("4101020001",), ["4101020009"], (),
    )  # fmt: skip


def test_a_closed_department_that_keeps_a_school_whose_closing_was_held_is_a_fault() -> None:
    found = changes(OLD, tree(EAST, FIRST, SECOND))

    def decided(change: Change) -> Decision:
        return Decision.HELD if change.before == THIRD else Decision.AGREED

    after = tree_after(
        OLD, apply(OLD, tree(EAST, FIRST, SECOND), [(change, decided(change)) for change in found])
    )
    assert ["410103 将不在名册中" in str(fault) for fault in tree_faults(after)] == [True]


class TestTiesByHand:
    """The clerk says where a unit that ends goes on, or that it is another than was suggested."""

    OTHER = school("4101020009", "东区听泉小学")
    LIKE = school("4101020008", "东区青禾实验小学")

    def tied(
        self, new: dict[str, Unit], ties: dict[str, str], **decided: Decision
    ) -> tuple[Applied, list[str]]:
        found = changes(OLD, new)
        places = {change.unit.code: at for at, change in enumerate(found)}
        decisions = [decided.get(f"c{change.unit.code}", Decision.AGREED) for change in found]
        typed = {places[code]: Tie(heir, f"变更!第{places[code] + 4}行") for code, heir in ties.items()}
        result, faults = tied_by_hand(found, decisions, typed, OLD, new)
        return apply(OLD, new, result), [str(fault) for fault in faults]

    def test_a_closed_school_goes_on_in_a_new_one(self) -> None:
        new = tree(EAST, WEST, self.OTHER, SECOND, THIRD)
        applied, faults = self.tied(new, {FIRST.code: self.OTHER.code})
        assert faults == []
        assert applied.links == (Link(FIRST.code, self.OTHER.code, ChangeKind.RECODED),)
        assert tree_after(OLD, applied) == new

    def test_or_went_into_one_that_was_there(self) -> None:
        new = tree(EAST, WEST, SECOND, THIRD)
        applied, faults = self.tied(new, {FIRST.code: SECOND.code})
        assert (faults, applied.links) == ([], (Link(FIRST.code, SECOND.code, ChangeKind.MERGED),))
        assert applied.closed == (FIRST.code,)

    def test_another_than_was_suggested_leaves_the_suggested_one_new(self) -> None:
        new = tree(EAST, WEST, self.LIKE, self.OTHER, SECOND, THIRD)
        applied, faults = self.tied(new, {FIRST.code: self.OTHER.code})
        assert (faults, applied.links) == ([], (Link(FIRST.code, self.OTHER.code, ChangeKind.RECODED),))
        assert tree_after(OLD, applied) == new

    def test_two_that_go_on_in_one_went_into_it(self) -> None:
        new = tree(EAST, WEST, self.OTHER, THIRD)
        applied, faults = self.tied(new, {FIRST.code: self.OTHER.code, SECOND.code: self.OTHER.code})
        assert faults == []
        assert {link.kind for link in applied.links} == {ChangeKind.MERGED}
        assert tree_after(OLD, applied) == new

    def test_what_cannot_be_tied_is_refused_all_at_once_with_its_row(self) -> None:
        new = tree(EAST, WEST, self.OTHER, THIRD)
        _, faults = self.tied(new, {FIRST.code: "4101029999", SECOND.code: EAST.code})
        assert len(faults) == 2
        assert "变更!第" in faults[0]
        assert "关联单位代码 4101029999 在这份基准数据中没有" in faults[0]
        assert "不能与" in faults[1]
        _, faults = self.tied(new, {FIRST.code: self.OTHER.code}, **{f"c{FIRST.code}": Decision.HELD})
        assert "决定却是“暂缓”" in faults[0]
        _, faults = self.tied(new, {FIRST.code: self.OTHER.code}, **{f"c{self.OTHER.code}": Decision.HELD})
        assert "它的“新增”填了“暂缓”" in faults[0]
