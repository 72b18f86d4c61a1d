"""Whose a row of the old system's export is, and what its columns become in the new form."""

from __future__ import annotations

import pytest

from tests.domain.offices import CENTRAL, COUNTY, REMOTE, ROSTER, SCHOOL, form_of, number
from workflow.domain.answers import Unclear
from workflow.domain.form import Field, FieldMapping, FieldType, Table
from workflow.domain.legacy import CERTAIN, Index, LegacyRow, match, match_rows
from workflow.domain.mapping import Mapper

INDEX = Index(ROSTER, {"jy0077": CENTRAL}, {REMOTE: {"东区山村小学", "东区希望小学"}})

# account, code, name, superior -> unit, confidence
ROWS = (
    ("jy0077", "", "东区中心校", "", CENTRAL, 1.0),
    ("jy0077", "", "", "", CENTRAL, 0.97),
    ("", SCHOOL, "东区第一小学", "", SCHOOL, 1.0),
    (f"{SCHOOL}A1", "", "东区第一小学", "", SCHOOL, 1.0),
    ("", SCHOOL, "向阳学校", "", SCHOOL, 0.6),
    ("", REMOTE, "东区希望小学", "", REMOTE, 1.0),
    ("", "", "东区第一小学", "东区", SCHOOL, 0.95),
    ("", "", "东区希望小学", "", REMOTE, 0.9),
    ("", "", "东区第一小学", "西区", SCHOOL, 0.7),
    ("", "4199999999", "东区第一小学", "", SCHOOL, 0.85),
    ("", "", "东区第二小学", "", "", 0.0),
    ("", "4199999999", "", "", "", 0.0),
)


@pytest.mark.parametrize(("account", "code", "name", "superior", "unit", "confidence"), ROWS)
def test_a_row_is_looked_up_by_account_then_code_then_name(
    account: str, code: str, name: str, superior: str, unit: str, confidence: float
) -> None:
    found = match(LegacyRow("学校", 2, account, code, name, superior), INDEX)
    assert (found.unit, round(found.confidence, 2)) == (unit, confidence), found.why


def test_two_rows_of_one_unit_are_left_to_a_person() -> None:
    rows = [LegacyRow("学校", 2, code=SCHOOL, name="东区第一小学"), LegacyRow("学校", 9, name="东区第一小学")]
    found = match_rows(rows, INDEX)
    assert [one.unit for one in found] == [SCHOOL, SCHOOL]
    assert all(one.confidence < CERTAIN for one in found)
    assert found[0].why.endswith("与学校!第2行、学校!第9行为同一单位")
    assert match(LegacyRow("部门", 3, code=COUNTY, name="东区教育局"), INDEX).certain


FORM = form_of(
    number("学生", label="在校生数"),
    number("带宽", FieldType.DECIMAL, label="总带宽（Mbps）"),
    Field("联网", "是否联网", FieldType.YES_NO),
    tables=(Table("设备", (Field("设备.名称", "名称", FieldType.TEXT), number("设备.数量")), 2),),
)
MAPPER = Mapper(
    FORM,
    (
        FieldMapping("学生人数", "学生"),
        FieldMapping("带宽Kbps", "总带宽（Mbps）", factor=0.001),
        FieldMapping("网络", "联网", choices={"宽带": "是", "没有": "否"}),
        FieldMapping("万人", "学生", factor=10000),
        FieldMapping("台账.台数", "设备.数量"),
        FieldMapping("校训", ""),
        FieldMapping("别的表", "学生", form="other"),
    ),
)


@pytest.mark.parametrize(
    ("old", "typed", "value"),
    [
        ("在校生数", "1,203人", 1203),
        ("学生人数", 88, 88),
        ("带宽 Kbps", 51200, 51.2),
        ("总带宽(Mbps)", 100, 100),
        ("网络", "宽带", True),
        ("网络", "无", False),
        ("万人", 0.0475, 475),
    ],
)
def test_an_old_column_goes_by_name_or_label_or_by_its_row(old: str, typed: object, value: object) -> None:
    target = MAPPER.target(old)
    assert target is not None
    read = target.read(typed)  # type: ignore[arg-type]
    assert not isinstance(read, Unclear)
    assert read.value == value


def test_what_goes_nowhere_is_known_from_what_is_left_out_on_purpose() -> None:
    assert [MAPPER.target(old) for old in ("校训", "占地面积", "别的表")] == [None, None, None]
    assert [MAPPER.left_out(old) for old in ("校训", "占地面积")] == [True, False]


def test_answers_to_an_earlier_version_come_under_the_names_of_this_one() -> None:
    old = {
        "学生人数": 480,
        "带宽Kbps": 2000,
        "网络": "没有",
        "校训": "诚",
        "台账.2.台数": 3,
        "填表人": "张三",
    }
    assert MAPPER.translated(old) == {
        "学生": 480, "带宽": 2, "联网": False, "设备.2.数量": 3, "填表人": "张三",
    }  # fmt: skip
