"""A small province for tests: its units, the people who hold roles, and forms written as short tables."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from workflow.domain.campaign import DEFAULT_WINDOWS, SHANGHAI, Campaign, Period
from workflow.domain.columns import cells_of
from workflow.domain.form import RESERVED, Field, FieldType, Form, Rule, Severity, Slot, Table
from workflow.domain.roster import Contact, Role, Roster, Unit, UnitKind

if TYPE_CHECKING:
    from collections.abc import Iterable

PROVINCE, CITY, COUNTY, WEST = "410000", "410100", "410102", "410103"
DIRECT, UNIVERSITY, MINISTRY, TECHNICAL = "410181", "4100010001", "4100010002", "4100020001"
SCHOOL, CENTRAL, POINT, REMOTE, CITY_SCHOOL = (
    "4101020001",
    "4101020002",
    "4101020003",
    "4101020004",
    "4101000001",
)

UNITS = {
    unit.code: unit
    for unit in (
        Unit(PROVINCE, "示例省教育厅", UnitKind.PROVINCE, ""),
        Unit(CITY, "甲市教育局", UnitKind.CITY, PROVINCE),
        Unit(CITY_SCHOOL, "甲市职业学校", UnitKind.VOCATIONAL, CITY),
        Unit(COUNTY, "东区教育局", UnitKind.COUNTY, CITY),
        Unit(SCHOOL, "东区第一小学", UnitKind.SCHOOL, COUNTY),
        Unit(CENTRAL, "东区中心校", UnitKind.SCHOOL, COUNTY),
        Unit(POINT, "东区教学点", UnitKind.TEACHING_POINT, CENTRAL),
        Unit(REMOTE, "东区山村小学", UnitKind.SCHOOL, COUNTY),
        Unit(WEST, "西区教育局", UnitKind.COUNTY, CITY),
        Unit(DIRECT, "乙县教育局", UnitKind.DIRECT_COUNTY, PROVINCE),
        Unit(UNIVERSITY, "示例大学", UnitKind.UNIVERSITY, PROVINCE),
        Unit(TECHNICAL, "示例省属学校", UnitKind.PROVINCIAL_VOCATIONAL, PROVINCE),
        Unit(MINISTRY, "示例部属大学", UnitKind.MINISTRY_UNIVERSITY, ""),
    )
}

# Unit, role, name, address; 西区 has no 审核员, 山村小学 no address, the 中心校 answers for its teaching point.
_PEOPLE = (
    (PROVINCE, Role.ADMINISTRATOR, "省管", "admin@province.test"),
    (PROVINCE, Role.REVIEWER, "省审", "review@province.test"),
    (CITY, Role.ADMINISTRATOR, "市管", "admin@city.test"),
    (CITY, Role.REVIEWER, "市审", "review@city.test"),
    (CITY, Role.INSPECTOR, "市视", "inspect@city.test"),
    (CITY_SCHOOL, Role.ADMINISTRATOR, "职管", "vocational@city.test"),
    (COUNTY, Role.ADMINISTRATOR, "县管", "admin@county.test"),
    (COUNTY, Role.REVIEWER, "县审", "review@county.test"),
    (COUNTY, Role.INSPECTOR, "县视", ""),
    (SCHOOL, Role.ADMINISTRATOR, "校管", "school@county.test"),
    (CENTRAL, Role.ADMINISTRATOR, "中管", "central@county.test"),
    (POINT, Role.ADMINISTRATOR, "中管", "central@county.test"),
    (REMOTE, Role.ADMINISTRATOR, "山管", ""),
    (WEST, Role.ADMINISTRATOR, "西管", "admin@west.test"),
    (DIRECT, Role.ADMINISTRATOR, "乙管", "admin@direct.test"),
    (DIRECT, Role.REVIEWER, "乙审", "review@direct.test"),
    (UNIVERSITY, Role.ADMINISTRATOR, "大管", "admin@university.test"),
    (UNIVERSITY, Role.REVIEWER, "大审", "review@university.test"),
    (TECHNICAL, Role.ADMINISTRATOR, "属管", "admin@technical.test"),
    (MINISTRY, Role.ADMINISTRATOR, "部管", "admin@ministry.test"),
)
PHONES = {"县视": "0371-55550001", "市视": "0371-55550002"}
CONTACTS = tuple(
    Contact(unit, role, name, phone=PHONES.get(name, ""), email=email) for unit, role, name, email in _PEOPLE
)
ROSTER = Roster(UNITS, CONTACTS)


def at(month: int, day: int, hour: int = 10, minute: int = 0) -> dt.datetime:
    """A moment of the campaign: December of 2026, the months after it in 2027."""
    return dt.datetime(2026 if month == 12 else 2027, month, day, hour, minute, tzinfo=SHANGHAI)


CAMPAIGN = Campaign(
    Period(2026, 4),
    at(12, 1),
    {"school": "a" * 64, "office": "b" * 64},
    DEFAULT_WINDOWS,
    dt.date(2026, 12, 20),
)

ASKED_OF_SCHOOLS = (
    UnitKind.SCHOOL,
    UnitKind.TEACHING_POINT,
    UnitKind.VOCATIONAL,
    UnitKind.PROVINCIAL_VOCATIONAL,
)


def form_of(
    *fields: Field,
    rules: Iterable[Rule] = (),
    name: str = "school",
    kinds: Iterable[UnitKind] = ASKED_OF_SCHOOLS,
    tables: tuple[Table, ...] = (),
) -> Form:
    """A form of these fields behind the reserved ones, then its tables cell by cell; their answers stand one below the
    other in 表!B.
    """
    reserved = tuple(Field(known, known, kind) for known, kind in RESERVED.items())
    whole = (*reserved, *fields, *(cell for table in tables for cell in cells_of(table)))
    slots = tuple(Slot(field.name, "表", row, 2) for row, field in enumerate(whole, 1))
    kinds = tuple(kind.value for kind in kinds)
    return Form(
        name, "示例季报表", 2, kinds, "例1表", "示例省教育厅", whole, tuple(rules), slots, tables=tables
    )


def cell(form: Form, field: str) -> str:
    return f"表!B{form.order[field] + 1}"


def error(formula: str, message: str) -> Rule:
    return Rule("1", Severity.ERROR, formula, message)


def query(formula: str, message: str) -> Rule:
    return Rule("2", Severity.QUERY, formula, message)


def number(name: str, kind: FieldType = FieldType.INTEGER, **more: object) -> Field:
    return Field(name, **{"label": name, "type": kind, **more})  # type: ignore[arg-type]
