"""Write rosters/units.xlsx: the real administrative tree of Henan, with invented schools and people.

Departments and universities are the real ones (rosters/source/, states of 2020 and 2025); every school below them,
every name of a person, every number and every address is made up, and addresses lie under the reserved `.test`.
The same sources give the same bytes.

    python tools/make_roster.py
"""

from __future__ import annotations

import csv
import datetime as dt
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from workflow.adapters.workbook.roster import read_roster, write_roster  # noqa: E402
from workflow.domain.roster import Contact, Role, Roster, Unit, UnitKind  # noqa: E402

SOURCE, TARGET = ROOT / "rosters" / "source", ROOT / "rosters" / "units.xlsx"
SINCE, CHANGED = dt.date(2019, 11, 8), dt.date(2026, 10, 1)

PINYIN = {
    "郑州市": "zhengzhou", "开封市": "kaifeng", "洛阳市": "luoyang", "平顶山市": "pingdingshan",
    "安阳市": "anyang", "鹤壁市": "hebi", "新乡市": "xinxiang", "焦作市": "jiaozuo", "濮阳市": "puyang",
    "许昌市": "xuchang", "漯河市": "luohe", "三门峡市": "sanmenxia", "南阳市": "nanyang", "商丘市": "shangqiu",
    "信阳市": "xinyang", "周口市": "zhoukou", "驻马店市": "zhumadian", "济源市": "jiyuan", "巩义市": "gongyi",
    "兰考县": "lankao", "汝州市": "ruzhou", "滑县": "huaxian", "长垣市": "changyuan", "邓州市": "dengzhou",
    "永城市": "yongcheng", "固始县": "gushi", "鹿邑县": "luyi", "新蔡县": "xincai",
}  # fmt: skip
SURNAMES = "安白边岑昌戴段方葛谷关郝洪姬季贾江康柯乐黎凌路麦孟牧宁潘裴齐秦阮邵石舒宋汤陶万韦温文巫夏向谢邢"
GIVEN = (
    "晨", "示之", "云帆", "知行", "青禾", "明溪", "若谷", "清和", "望舒", "思远", "朗月", "一苇", "景行", "子衿",
    "嘉木", "南星", "北辰", "书言", "怀瑾", "长歌", "听雨", "采薇", "鸣谦", "允中", "致远", "惟新", "春晓", "秋实",
    "安澜",
)  # fmt: skip
#: Words that no school's name in the sources has; with them a name looks like a school's and is nobody's.
WORDS = ("晨星", "青禾", "云杉", "白鹭", "朝露", "明溪", "启明", "远帆", "丹枫", "新芽", "松涛", "听泉")
PROVINCIAL = ("云杉工业", "青禾农业", "白鹭旅游", "启明电子", "远帆交通", "丹枫艺术")


class Register:
    """The growing roster, and the counters that make its people and numbers."""

    def __init__(self) -> None:
        self.units: dict[str, Unit] = {}
        self.contacts: list[Contact] = []
        self._people = count()
        self._phones = count()
        self._mobiles = count()

    def add(self, code: str, name: str, kind: UnitKind, superior: str) -> Unit:
        if code in self.units:
            raise ValueError(f"{code} twice: {self.units[code].name}, {name}")
        self.units[code] = Unit(code, name, kind, superior)
        return self.units[code]

    def person(self) -> str:
        number = next(self._people)
        return (
            SURNAMES[number * 7 % len(SURNAMES)] + GIVEN[(number // len(SURNAMES) + number * 5) % len(GIVEN)]
        )

    def phone(self) -> str:
        return f"0371-5555{next(self._phones) % 10_000:04d}"

    def mobile(self) -> str:
        return f"1990000{next(self._mobiles) % 10_000:04d}"

    def appoint(self, unit: Unit, role: Role, office: str, email: str) -> Contact:
        contact = Contact(unit.code, role, self.person(), office, self.phone(), self.mobile(), email, SINCE)
        self.contacts.append(contact)
        return contact


def staff_department(register: Register, unit: Unit, domain: str, number: int) -> None:
    """The three roles of article 6: offices differ, some people hold two roles, a few posts are vacant."""
    if number % 23 != 11:
        inspector = register.appoint(unit, Role.INSPECTOR, "局领导" if number else "厅领导", "")
        register.contacts[-1] = replace(inspector, mobile="")  # annex 2 asks neither address nor much else
    office = ("科学技术与信息化处", "电化教育馆", "教育技术装备中心", "基础教育科")[
        number % 4 if number else 0
    ]
    if number % 29 == 17:
        reviewer = None  # vacant: nothing is approved there, and staff see it
    elif number % 31 == 5:
        former = register.appoint(unit, Role.REVIEWER, office, f"shenhe@{domain}")
        register.contacts[-1] = replace(former, until=CHANGED)
        register.appoint(unit, Role.REVIEWER, office, f"shenhe2@{domain}")
        reviewer = register.contacts[-1] = replace(register.contacts[-1], since=CHANGED)
    else:
        reviewer = register.appoint(unit, Role.REVIEWER, office, f"shenhe@{domain}")
    if reviewer is not None and number % 9 == 4:
        register.contacts.append(replace(reviewer, role=Role.ADMINISTRATOR))
    else:
        register.appoint(unit, Role.ADMINISTRATOR, office, f"guanli@{domain}")


def add_school(register: Register, code: str, name: str, kind: UnitKind, above: Unit, domain: str) -> Unit:
    """A school and its one 管理员 (article 7); every seventeenth has no address."""
    school = register.add(code, name, kind, above.code)
    number = len(register.units)
    if number % 61 == 7:
        register.units[code] = replace(school, suspended=True, note="本学年暂停招生")
    email = "" if number % 17 == 3 else f"xx{code}@{domain}"
    register.appoint(school, Role.ADMINISTRATOR, "教务处" if number % 3 else "信息中心", email)
    return school


def add_point(register: Register, code: str, name: str, school: Unit, number: int) -> None:
    """A teaching point under a 中心校: it shares that school's address, or has none."""
    point = register.add(code, name, UnitKind.TEACHING_POINT, school.code)
    above = next(person for person in register.contacts if person.unit == school.code)
    email = above.email if number % 3 else ""
    register.appoint(point, Role.ADMINISTRATOR, "", email)


def add_county_schools(register: Register, county: Unit, area: str, number: int, domain: str) -> None:
    code, word = county.code, [WORDS[(number + step) % len(WORDS)] for step in range(4)]
    add_school(register, f"{code}0001", f"{area}{word[0]}小学", UnitKind.SCHOOL, county, domain)
    add_school(register, f"{code}0002", f"{area}{word[1]}初级中学", UnitKind.SCHOOL, county, domain)
    if area.endswith("区"):
        add_school(register, f"{code}0003", f"{area}{word[2]}实验学校", UnitKind.SCHOOL, county, domain)
    else:
        place = f"{area}{word[2]}镇中心学校"
        central = add_school(register, f"{code}0003", place, UnitKind.SCHOOL, county, domain)
        for at in range(number % 3):
            name = f"{area}{word[2]}镇{WORDS[(number + 5 + at) % len(WORDS)]}教学点"
            add_point(register, f"{code}{at + 501:04d}", name, central, number + at)
    if number % 2:
        add_school(register, f"{code}0004", f"{area}{word[3]}高级中学", UnitKind.SCHOOL, county, domain)
    if number % 3 == 1:
        name = f"{area}{word[3]}职业中等专业学校"
        add_school(register, f"{code}0901", name, UnitKind.VOCATIONAL, county, domain)


def add_city_schools(register: Register, city: Unit, area: str, number: int, domain: str) -> None:
    """Schools directly under a city; 济源 has no counties, so all of its schools are."""
    kinds = ["高级中学", "外国语学校"]
    if area == "济源市":
        kinds += ["小学", "初级中学", "实验学校", "特殊教育学校"]
    for at, kind in enumerate(kinds, start=1):
        name = f"{area}{WORDS[(number + at) % len(WORDS)]}{kind}"
        add_school(register, f"{city.code}{at:04d}", name, UnitKind.SCHOOL, city, domain)
    name = f"{area}{WORDS[(number + 9) % len(WORDS)]}中等专业学校"
    add_school(register, f"{city.code}0901", name, UnitKind.VOCATIONAL, city, domain)


def rows(name: str) -> Iterator[dict[str, str]]:
    with (SOURCE / name).open(encoding="utf-8-sig", newline="") as source:
        yield from csv.DictReader(source)


def build() -> Roster:
    register = Register()
    root = register.add("410000", "河南省教育厅", UnitKind.PROVINCE, "")
    staff_department(register, root, "henan.test", 0)
    divisions = [row for row in rows("henan-divisions.csv") if row["level"] != "province"]
    numbers = count(1)
    for row in divisions:
        if row["level"] == "county":
            continue
        area, number = row["name"], next(numbers)
        domain = f"{PINYIN[area]}.henan.test"
        kind = UnitKind.CITY if row["level"] == "city" else UnitKind.DIRECT_COUNTY
        unit = register.add(row["code"], f"{area}教育局", kind, root.code)
        staff_department(register, unit, domain, number)
        if kind is UnitKind.DIRECT_COUNTY:
            add_county_schools(register, unit, area, number, domain)
            continue
        add_city_schools(register, unit, area, number, domain)
        for below in divisions:
            if below["level"] == "county" and below["parent"] == row["code"]:
                # A district's own name is short and often not the only one (鼓楼区): the city's goes before it.
                place = f"{area}{below['name']}" if below["name"].endswith("区") else below["name"]
                number = next(numbers)
                county = register.add(below["code"], f"{place}教育局", UnitKind.COUNTY, unit.code)
                staff_department(register, county, f"x{below['code']}.{domain}", number)
                add_county_schools(register, county, place, number, f"x{below['code']}.{domain}")
    add_universities(register, root, next(numbers))
    for at, word in enumerate(PROVINCIAL, start=1):
        name = f"河南省{word}学校"
        add_school(
            register,
            f"410000{900 + at:04d}",
            name,
            UnitKind.PROVINCIAL_VOCATIONAL,
            root,
            "zhongzhi.henan.test",
        )
    return Roster(register.units, tuple(register.contacts))


def add_universities(register: Register, root: Unit, number: int) -> None:
    for at, row in enumerate(rows("henan-universities.csv"), start=number):
        ministry = not row["department"].startswith("河南省")
        kind = UnitKind.MINISTRY_UNIVERSITY if ministry else UnitKind.UNIVERSITY
        unit = register.add(row["code"], row["name"], kind, "" if ministry else root.code)
        if ministry:
            register.units[unit.code] = replace(unit, note=f"{row['department']}所属")
        staff_department(register, unit, f"gx{row['code']}.edu.test", at)


def main() -> None:
    roster = build()
    data = write_roster(roster)
    again, queries = read_roster(data, TARGET.name)
    if (again.units, again.contacts) != (roster.units, roster.contacts):
        raise SystemExit("the roster does not read back the same")
    TARGET.write_bytes(data)
    print(f"{TARGET.relative_to(ROOT)}: {len(roster.units)} units, {len(roster.contacts)} contacts")
    print(f"{len(queries)} queries")


if __name__ == "__main__":
    main()
