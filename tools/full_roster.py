"""A roster of Henan at full size, for rehearsals and benchmarks: about 50,000 schools under the real divisions.

    python -m tools.full_roster FILE [--divisions 2019|2020|2021]

The schools, their people and addresses are made up. How many of each kind a county has follows what it is: a district has
large schools and hardly a teaching point, a county many small ones; the sizes of counties differ as real ones do, by a
weight made from the code, so that the same arguments give the same bytes. `--divisions` takes the tree of a year: 周口 had
its 淮阳县 until 2019 and 洛阳 lost 吉利区, 孟津县 and 偃师市 in 2021 (rosters/source/henan-changes.csv), which is what
`huizhi roster diff` between two of them has to find.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tools.make_roster import SOURCE, SURNAMES, Register, build
from workflow.adapters.workbook.roster import write_roster
from workflow.domain.roster import Role, Roster, Unit, UnitKind

#: The year of rosters/source/henan-divisions.csv.
OF_SOURCES = "2020"
#: Schools under one county, district or 县级市 of ordinary size: by kind of school, in a county and in a district.
COUNTY = {"幼儿园": 96, "小学": 108, "教学点": 82, "初级中学": 27, "高级中学": 5, "职业中等专业学校": 2}
DISTRICT = {"幼儿园": 92, "小学": 58, "教学点": 5, "初级中学": 17, "高级中学": 5, "职业中等专业学校": 2}
_KINDS = {
    "教学点": UnitKind.TEACHING_POINT,
    "职业中等专业学校": UnitKind.VOCATIONAL,
}
#: Names of villages and streets that no school of the sources bears.
_FIRST = "朝清云明松竹兰石柳荷桂枫杏槐榆桐溪泉岭原"
_SECOND = "阳晖岚远涛林溪坡河湾寨桥店岗坪渡塘岳园台"


@dataclass(frozen=True, slots=True)
class Change:
    """A line of henan-changes.csv: a division that was renamed and got a new code, or went into another."""

    code: str
    name: str
    into: str
    called: str


def weight(code: str) -> float:
    """How much larger than an ordinary county this one is: 0.64 to 1.68."""
    return 0.64 + 1.04 * int.from_bytes(hashlib.sha256(code.encode()).digest()[:2], "big") / 0xFFFF


def schools_of(register: Register, above: Unit, area: str) -> None:
    """The schools under one county, each with its one 管理员 (article 7); a teaching point hangs under the county."""
    shares = DISTRICT if area.endswith("区") else COUNTY
    number = 0
    for word, share in shares.items():
        for at in range(round(share * weight(above.code))):
            number += 1
            code = f"{above.code}{number + 1000:04d}"  # the first thousand are those of the small roster
            name = f"{area}{_place(above.code, number)}{word}"
            unit = register.add(code, name, _KINDS.get(word, UnitKind.SCHOOL), above.code)
            if at % 61 == 7:
                register.units[code] = replace(unit, suspended=True, note="本学年暂停招生")
            email = "" if number % 29 == 3 else f"xx{code}@x{above.code}.henan.test"
            register.appoint(unit, Role.ADMINISTRATOR, "教务处" if number % 3 else "", email)


def _place(county: str, number: int) -> str:
    """A made-up place, another for each number of one county."""
    turn = number + int(county)
    first, second = _FIRST[turn % 20], _SECOND[(turn // 20 + number) % 20]
    return f"{SURNAMES[number // 20 % len(SURNAMES)]}{first}{second}"


def full(changes: Mapping[str, Change]) -> Roster:
    """The tree of the shipped roster with schools in their real number, after `changes` by old code."""
    small = build()
    register = Register()
    register.units = {code: unit for code, unit in small.units.items() if unit.kind not in _FILLERS}
    register.contacts = [person for person in small.contacts if person.unit in register.units]
    for unit in [*register.units.values()]:
        area = unit.name.removesuffix("教育局")
        if unit.kind in _COUNTIES or area == "济源市":
            schools_of(register, unit, area)
    return renamed(Roster(register.units, tuple(register.contacts)), changes)


_FILLERS = frozenset({UnitKind.SCHOOL, UnitKind.VOCATIONAL, UnitKind.TEACHING_POINT})
_COUNTIES = frozenset({UnitKind.COUNTY, UnitKind.DIRECT_COUNTY})


def renamed(roster: Roster, changes: Mapping[str, Change]) -> Roster:
    """The roster after the changes: departments with another code and name, or gone into another; schools keep their codes."""
    units: dict[str, Unit] = {}
    merged: set[str] = set()
    for code, unit in roster.units.items():
        change = changes.get(code)
        if change is None:
            above = changes.get(unit.superior)
            units[code] = replace(unit, superior=above.into) if above else unit
        elif change.into in units or change.into in roster.units:
            merged.add(code)
        else:
            city = roster.units[unit.superior].name.removesuffix("教育局")
            name = (
                f"{city}{change.called}教育局" if change.called.endswith("区") else f"{change.called}教育局"
            )
            units[change.into] = replace(unit, code=change.into, name=name)
    people = [
        replace(person, unit=changes[person.unit].into) if person.unit in changes else person
        for person in roster.contacts
        if person.unit not in merged
    ]
    return Roster(units, tuple(people))


def changes_of(year: str) -> dict[str, Change]:
    """What a year's tree has otherwise than that of the sources, by the code in the sources."""
    changes: dict[str, Change] = {}
    with (SOURCE / "henan-changes.csv").open(encoding="utf-8-sig", newline="") as source:
        for row in csv.DictReader(source):
            if OF_SOURCES < row["year"] <= year:
                changes[row["code"]] = Change(row["code"], row["name"], row["into"], row["called"])
            elif year < row["year"] <= OF_SOURCES:  # not yet: the change is undone
                changes[row["into"]] = Change(row["into"], row["called"], row["code"], row["name"])
    return changes


def main() -> None:
    parser = argparse.ArgumentParser(description="河南省全规模名册（单位为虚构）")
    parser.add_argument("target", type=Path)
    parser.add_argument("--divisions", choices=("2019", OF_SOURCES, "2021"), default=OF_SOURCES)
    asked = parser.parse_args()
    roster = full(changes_of(asked.divisions))
    asked.target.write_bytes(write_roster(roster))
    print(f"{asked.target}: {len(roster.units)} units, {len(roster.contacts)} contacts")


if __name__ == "__main__":
    main()
