"""Repeating tables 重复表格: from the form to the answers of a returned copy."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from tests.adapters.workbook.equipment import (
    COLUMNS,
    DRAWN,
    MORE_RULES,
    SHEET,
    cells,
    equipment,
    form_bytes,
    stamped,
)
from tests.adapters.workbook.forms import field, load
from workflow.adapters.workbook.compile import compile_form
from workflow.domain.errors import Refused
from workflow.domain.form import CONTINUED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workflow.domain.form import Value

SCREEN: tuple[Value, ...] = ("大屏", 3, 2, dt.date(2024, 3, 1))
TABLET: tuple[Value, ...] = ("平板", 6, 6)
LAPTOP: tuple[Value, ...] = ("笔记本", 12)


def test_the_rows_of_a_table_are_those_drawn_and_as_many_more_on_a_continuation_page() -> None:
    form = equipment().form
    [table] = form.tables
    assert (table.name, table.rows, [column.label for column in table.columns]) == (
        "设备",
        25,
        ["设备名称", "数量", "在用数量", "购置日期"],
    )
    assert [form.cell_of(f"设备.{row}.数量") for row in (1, 5, 6, 25)] == [
        "设备!C4",
        "设备!C8",
        "续表!C6",
        "续表!C25",
    ]
    third = form.by_name["设备.3.在用"]
    assert (third.label, third.row, third.constraint) == ("设备第3行在用数量", 3, "=设备.3.在用<=设备.3.数量")
    assert not {field.name for field in form.indicators if "." in field.name}


def test_a_stamped_copy_holds_every_row_that_a_unit_gave() -> None:
    rows = [(f"设备{number}", number) for number in range(1, 26)]
    book = load(stamped(cells(*rows)))
    drawn = list(book[SHEET]["B4:C8"]) + list(book[CONTINUED]["B6:C25"])
    assert [tuple(cell.value for cell in row) for row in drawn] == rows
    assert [cell.value for cell in book[CONTINUED]["A6:A25"][-1]] == [25]
    assert all(not cell.protection.locked for row in drawn for cell in row)
    assert book[CONTINUED]["A6"].protection.locked
    assert [cell.value for cell in book[CONTINUED][5]] == [
        "序号",
        "设备名称",
        "数量（台）",
        "在用数量",
        "购置日期",
    ]


def test_a_columns_cells_share_one_check_on_input_and_one_name() -> None:
    book = load(stamped({}))
    ranges = {str(one.sqref) for one in book[SHEET].data_validations.dataValidation}
    assert {"B4:B8", "C4:C8", "D4:D8", "E4:E8"} <= ranges
    assert book.defined_names["设备.数量"].attr_text == "'设备'!$C$4:$C$8,'续表'!$C$6:$C$25"


def test_the_room_of_a_table_can_be_set() -> None:
    form = compile_form(form_bytes(settings={"行数：设备": 5}), "school.xlsx").form
    assert form.tables[0].rows == 5
    assert CONTINUED not in {slot.sheet for slot in form.slots}
    assert compile_form(form_bytes(settings={"行数:设备": "40"}), "school.xlsx").form.tables[0].rows == 40


def test_without_drawn_rows_the_tags_row_is_the_only_one_on_its_page() -> None:
    form = compile_form(form_bytes(change=lambda _: None), "school.xlsx").form
    assert [form.cell_of(f"设备.{row}.数量") for row in (1, 2, 21)] == ["设备!C4", "续表!C6", "续表!C25"]


@pytest.mark.parametrize(
    ("drawn", "columns", "rules", "settings", "place", "words"),
    [
        ({"C4": None, "C5": "{{设备.数量}}"}, (), (), {}, "设备!C5", "不在同一行"),
        ({"C4": None}, (), (), {}, "字段!A16", "没有填写位置"),
        ({"F4": "{{设备.价格}}"}, (), (), {}, "设备!F4", "没有字段“设备.价格”"),
        (
            {"F2": "{{设备}}"},
            (field("设备", "文本"),),
            (),
            {},
            "字段!A15",
            "表格名“设备”与第 19 行的字段同名",
        ),
        ({"F4": "{{设备.a.b}}"}, (field("设备.a.b", "文本"),), (), {}, "字段!A19", "表格的列写成 表名.列名"),
        (
            {},
            (),
            (("L9", "逻辑校验", "=设备.数量>3", "多。"),),
            {},
            "规则!C6",
            "把表格的一列“设备.数量”当作一个数",
        ),
        (
            {},
            (),
            (("L9", "逻辑校验", "=SUM(设备.价格)>3", "多。"),),
            {},
            "规则!C6",
            "“设备.价格”不是本表的字段",
        ),
        (
            {"F4": "{{设备.单价}}"},
            (field("设备.单价", "小数", 约束="=设备.单价>=上期(设备.单价)"),),
            (),
            {},
            "字段!H19",
            "没有对应的一行",
        ),
        ({}, (), (), {"行数：设备": 3}, "设置", "不少于画出的 5 行"),
        ({}, (), (), {"行数：教室": 30}, "设置", "没有“教室”这个表格"),
        (
            {"F4": "{{设备.校名}}"},
            (field("设备.校名", "文本", 预填="名册.名称"),),
            (),
            {},
            "字段!N19",
            "不能预填",
        ),
    ],
)
def test_every_fault_of_a_table_is_told_with_its_cell_and_remedy(
    drawn: Mapping[str, object],
    columns: tuple[Mapping[str, object], ...],
    rules: tuple[tuple[str, ...], ...],
    settings: Mapping[str, object],
    place: str,
    words: str,
) -> None:
    data = form_bytes({**DRAWN, **drawn}, (*COLUMNS, *columns), (*MORE_RULES, *rules), settings)
    with pytest.raises(Refused) as refused:
        compile_form(data, "school.xlsx")
    faults = [str(fault) for fault in refused.value.faults]
    assert any(f"school.xlsx {place}" in fault and words in fault for fault in faults), faults
