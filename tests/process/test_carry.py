"""Answers of an old copy in the current one: tables among them."""

from __future__ import annotations

from tests.domain.offices import SCHOOL, UNITS, form_of, number
from workflow.domain.form import Field, FieldType, Table
from workflow.process.carry import carry, changes

FORM = form_of(
    number("学生", label="在校生数", required=True),
    tables=(
        Table("设备", (Field("设备.名称", "名称", FieldType.TEXT), number("设备.数量", required=True)), 2),
    ),
)
OLD = {
    "设备.1.名称": "大屏",
    "设备.1.数量": "3台",
    "设备.2.名称": "平板",
    "设备.3.名称": "打印机",
    "设备.4.名称": "服务器",
}


def test_rows_are_carried_and_those_without_room_are_named() -> None:
    carried = carry(FORM, UNITS[SCHOOL], OLD)
    assert carried.answers["设备.1.名称"] == "大屏"
    assert "设备.3.名称" not in carried.answers
    assert carried.open_labels == ["在校生数", "“设备”表第2行以后的2行"]


def test_a_sorted_table_differs_in_nothing_and_another_is_told_in_one_line() -> None:
    newest = {"学生": 480, "设备.1.名称": "平板", "设备.2.名称": "大屏"}
    assert changes(FORM, {"学生": 480, "设备.1.名称": "大屏", "设备.2.名称": "平板"}, newest) == []
    assert changes(FORM, {"学生": 480, "设备.1.名称": "大屏"}, newest) == [
        "“设备”表：来件1行，已报数据2行，增加1行"
    ]
