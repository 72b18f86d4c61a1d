"""The electronic copy of 附件2, found by its own words wherever they stand."""

from __future__ import annotations

import pytest

from workflow.domain.receipt import Column, Entry
from workflow.domain.receipt_copy import copy_in
from workflow.domain.roster import Role

HEADINGS = ["", "姓名", "原负责人是否变动", "单位", "处室", "办公电话", "手机号码", "电子邮箱"]


def test_a_row_is_told_by_its_role_and_a_column_by_its_heading() -> None:
    copy = copy_in(
        [
            ["附件2"],
            ["教育行政部门/高校（盖章）：", "东区教育局", "填表日期：2026年12月1日"],
            HEADINGS,
            ["视察员", "王一", "否", "东区教育局", "--", 37155550001.0, "", "—"],
            [],
            ["管 理 员", "李二", "是", None, True, "0371-55550002", 13800001234, "li@example.org"],
            ["备注：市直属学校只填写管理员"],
            ["管理员", "后来", "否"],  # a second row of the same role is none
        ]
    )
    assert copy is not None
    assert copy.name == "东区教育局"
    assert dict(copy.answers.cells) == {
        (Role.INSPECTOR, Column.NAME): Entry("王一"),
        (Role.INSPECTOR, Column.CHANGED): Entry("否"),
        (Role.INSPECTOR, Column.UNIT): Entry("东区教育局"),
        (Role.INSPECTOR, Column.PHONE): Entry("37155550001"),
        (Role.ADMINISTRATOR, Column.NAME): Entry("李二"),
        (Role.ADMINISTRATOR, Column.CHANGED): Entry("是"),
        (Role.ADMINISTRATOR, Column.PHONE): Entry("0371-55550002"),
        (Role.ADMINISTRATOR, Column.MOBILE): Entry("13800001234"),
        (Role.ADMINISTRATOR, Column.EMAIL): Entry("li@example.org"),
    }


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (["教育行政部门/高校(盖章):东区教育局填表日期:2026.12.1"], "东区教育局"),
        (["教育行政部门/高校（盖章）", "填表日期：2026年12月1日"], ""),
        (["教育行政部门/高校（盖章）"], ""),
        (["东区教育局"], ""),
    ],
)
def test_the_name_stands_behind_its_label_or_beside_it(line: list[str], name: str) -> None:
    copy = copy_in([line, HEADINGS, ["审核员", "张三"]])
    assert copy is not None
    assert copy.name == name


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [HEADINGS],  # nobody is named
        [["", "姓名", "单位", "处室", "办公电话", "手机号码"], ["管理员", "李二"]],  # somebody else's table
        [["姓名", "原负责人是否变动", "单位"], ["管理员", "李二"]],
    ],
)
def test_another_table_is_no_copy(rows: list[list[str]]) -> None:
    assert copy_in(rows) is None
