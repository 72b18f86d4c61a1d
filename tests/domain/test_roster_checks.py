"""A bad roster is refused with everything that is wrong with it; a doubtful one is taken and asked about."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import replace

import pytest

from workflow.domain.errors import Refused
from workflow.domain.roster import Role, UnitKind
from workflow.domain.roster_checks import ContactRow, UnitRow, build_roster

UNITS = (
    UnitRow(2, "410000", "河南省教育厅", "省级教育行政部门", ""),
    UnitRow(3, "410100", "郑州市教育局", "地市级教育行政部门", "410000"),
    UnitRow(4, "410102", "郑州市中原区教育局", "县级教育行政部门", "410100", window="2至4日"),
    UnitRow(5, "4101020001", "中原区示例中心校", "中小学", "410102"),
    UnitRow(6, "4101020002", "示例教学点", "教学点", "4101020001", suspended="是"),
    UnitRow(7, "4141000001", "示例部属大学", "部属高等学校", ""),
)


def people(*units: str) -> tuple[ContactRow, ...]:
    """Every role of every unit, each with an address of its own."""
    return tuple(
        ContactRow(2 + at, unit, role, f"张{at}", email=f"{role.name}@{unit}.test")
        for at, (unit, role) in enumerate((unit, role) for unit in units for role in Role)
    )


CONTACTS = people(*(unit.code for unit in UNITS))


def changed(row: int, **changes: str) -> tuple[UnitRow, ...]:
    return tuple(replace(unit, **changes) if unit.row == row else unit for unit in UNITS)


def faults(units: tuple[UnitRow, ...] = UNITS, contacts: tuple[ContactRow, ...] = CONTACTS) -> list[str]:
    with pytest.raises(Refused) as refused:
        build_roster(units, contacts)
    assert all(fault.remedy for fault in refused.value.faults)
    return [f"{fault.where}：{fault.what}" for fault in refused.value.faults]


def test_a_good_roster_is_taken_without_queries() -> None:
    roster, queries = build_roster(UNITS, CONTACTS)
    assert queries == ()
    assert list(roster.units) == [unit.code for unit in UNITS]
    assert roster.units["410102"].window == (2, 4)
    assert roster.units["4101020002"].suspended
    assert roster.units["4141000001"].kind is UnitKind.MINISTRY_UNIVERSITY
    assert roster.people("410100", Role.REVIEWER, dt.date(2026, 1, 1))[0].email == "REVIEWER@410100.test"


@pytest.mark.parametrize(
    ("row", "changes", "expected"),
    [
        (3, {"superior": "410999"}, "单位!第3行：郑州市教育局的上级单位代码410999在名册中没有"),
        (3, {"superior": ""}, "单位!第3行：郑州市教育局没有填写上级单位代码"),
        (
            4,
            {"code": "410100"},
            "单位!第4行：单位代码410100（郑州市中原区教育局）与第3行（郑州市教育局）重复",
        ),
        (
            5,
            {"code": "4.10102E+09"},
            "单位!第5行：单位代码“4.10102E+09”被Excel改成了科学计数法，末几位已经丢失",
        ),
        (5, {"code": "41 01"}, "单位!第5行：单位代码“41 01”不合要求"),
        (5, {"code": ""}, "单位!第5行：没有填写单位代码"),
        (5, {"name": ""}, "单位!第5行：单位4101020001没有填写单位名称"),
        (5, {"kind": "小学"}, "单位!第5行：不认识的单位类型“小学”"),
        (5, {"kind": ""}, "单位!第5行：没有填写单位类型"),
        (
            5,
            {"superior": "410000"},
            "单位!第5行：省级教育行政部门（河南省教育厅）不能是中小学（中原区示例中心校）的上级",
        ),
        (5, {"suspended": "也许"}, "单位!第5行：暂停招生“也许”看不懂"),
        (4, {"window": "2026-01-05"}, "单位!第4行：审核窗口“2026-01-05”看不懂"),
        (4, {"window": "9至3日"}, "单位!第4行：审核窗口“9至3日”看不懂"),
        (4, {"name": "中原区\n教育局"}, "单位!第4行：单位410102的单位名称过长，或者含有换行等不可见字符"),
        (4, {"name": "中原区\u202e局育教"}, "单位!第4行：单位410102的单位名称过长，或者含有换行等不可见字符"),
        (4, {"name": "县" * 61}, "单位!第4行：单位410102的单位名称过长，或者含有换行等不可见字符"),
        (7, {"superior": "410000"}, "单位!第7行：部属高等学校（示例部属大学）之上没有单位"),
        (2, {"kind": "部属高等学校"}, "单位：没有“省级教育行政部门”"),
        (
            7,
            {"kind": "省级教育行政部门"},
            "单位!第7行：有不止一个“省级教育行政部门”（河南省教育厅、示例部属大学）",
        ),
        (
            3,
            {"superior": "410102"},
            "单位!第3行：隶属关系成了一个圈：郑州市教育局 → 郑州市中原区教育局 → 郑州市教育局",
        ),
        (
            5,
            {"superior": "4101020001"},
            "单位!第5行：隶属关系成了一个圈：中原区示例中心校 → 中原区示例中心校",
        ),
    ],
)
def test_a_bad_unit_is_named_with_its_row_and_a_remedy(
    row: int, changes: dict[str, str], expected: str
) -> None:
    assert expected in faults(changed(row, **changes))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"unit": "410999"}, "人员!第2行：张0的单位代码410999在“单位”表中没有"),
        ({"role": "校长"}, "人员!第2行：不认识的角色“校长”"),
        ({"name": ""}, "人员!第2行：没有填写姓名"),
        ({"email": "zhang.example.org"}, "人员!第2行：“zhang.example.org”不是电子邮箱地址"),
        ({"email": "a@b.test;c@d.test"}, "人员!第2行：“a@b.test;c@d.test”不是电子邮箱地址"),
        ({"email": "张@example.org"}, "人员!第2行：电子邮箱“张@example.org”含有中文或全角字符"),
        ({"email": "zhang＠example.org"}, "人员!第2行：电子邮箱“zhang＠example.org”含有中文或全角字符"),
        ({"since": "2026-13-01"}, "人员!第2行：生效日期“2026-13-01”不是日期"),
        ({"until": "明年"}, "人员!第2行：失效日期“明年”不是日期"),
        ({"since": "2026年10月1日", "until": "2026/10/1"}, "人员!第2行：张0的失效日期不晚于生效日期"),
    ],
)
def test_a_bad_contact_is_named_with_its_row_and_a_remedy(changes: dict[str, str], expected: str) -> None:
    assert expected in faults(contacts=(replace(CONTACTS[0], **changes), *CONTACTS[1:]))


def test_all_faults_come_at_once() -> None:
    units = changed(3, superior="410999")
    units = (*units, UnitRow(8, "410102", "重复", "县级教育行政部门", "410100"))
    contacts = (*CONTACTS, ContactRow(99, "410000", "局长", "李某", email="无"))
    assert len(faults(units, contacts)) == 4


def test_days_are_read_as_people_write_them() -> None:
    row = replace(CONTACTS[0], since="2026年10月1日", until=dt.date(2027, 1, 1))
    roster, _ = build_roster(UNITS, (row, *CONTACTS[1:]))
    assert (roster.contacts[0].since, roster.contacts[0].until) == (dt.date(2026, 10, 1), dt.date(2027, 1, 1))


@pytest.mark.parametrize(
    ("drop", "expected"),
    [
        (("410100", Role.REVIEWER), "单位!第3行：郑州市教育局没有审核员"),
        (("410100", Role.INSPECTOR), "单位!第3行：郑州市教育局没有视察员"),
        (("4101020001", Role.ADMINISTRATOR), "单位!第5行：中原区示例中心校没有管理员"),
    ],
)
def test_a_vacancy_is_a_query_and_no_refusal(drop: tuple[str, Role], expected: str) -> None:
    contacts = tuple(row for row in CONTACTS if (row.unit, row.role) != drop)
    _, queries = build_roster(UNITS, contacts)
    assert [f"{query.where}：{query.what}" for query in queries] == [expected]


def test_a_school_needs_neither_reviewer_nor_inspector() -> None:
    contacts = tuple(row for row in CONTACTS if row.unit != "4101020001" or row.role == Role.ADMINISTRATOR)
    assert build_roster(UNITS, contacts)[1] == ()


def test_a_missing_and_a_shared_address_are_queries() -> None:
    contacts = tuple(
        replace(row, email="")
        if row.unit == "4101020001"
        else replace(row, email="Administrator@410102.test")
        if row.unit == "4101020002"
        else row
        for row in CONTACTS
    )
    _, queries = build_roster(UNITS, contacts)
    assert [query.what for query in queries] == [
        "电子邮箱administrator@410102.test由郑州市中原区教育局、示例教学点2个单位共用",
        "中原区示例中心校没有电子邮箱",
    ]


def test_many_rows_are_checked_in_a_moment() -> None:
    schools = tuple(
        UnitRow(10 + at, f"410102{at + 10_000}", f"第{at}示例小学", "中小学", "410102")
        for at in range(50_000)
    )
    started = time.monotonic()
    roster, queries = build_roster((*UNITS, *schools), CONTACTS)
    assert time.monotonic() - started < 10
    assert len(roster.units) == 50_006
    assert len(queries) == 50_000
