"""The contact directory as a workbook: the columns of 附件2, and nothing that a unit typed becomes a formula."""

from __future__ import annotations

import io
from dataclasses import replace

import openpyxl

from tests.domain.offices import COUNTY, ROSTER, at
from workflow.adapters.workbook.directory import write_directory
from workflow.domain.directory import directory
from workflow.domain.roster import Roster

DAY = at(12, 20).date()


def test_it_stands_a_line_a_person_under_the_headings_and_prints_across() -> None:
    data = write_directory(directory(ROSTER, COUNTY, DAY))
    sheet = openpyxl.load_workbook(io.BytesIO(data)).active
    assert sheet is not None
    rows = [[cell or "" for cell in row] for row in sheet.iter_rows(values_only=True)]
    assert rows[0][0] == "全国教育信息化工作管理信息系统联络人员名录"
    assert rows[1][0], rows[1][-1] == ("单位：东区教育局", "截至2026年12月20日")
    assert rows[3] == [
        "序号",
        "单位代码",
        "单位",
        "类别",
        "姓名",
        "处室",
        "办公电话",
        "手机号码",
        "电子邮箱",
        "备注",
    ]
    assert rows[5][:5] == ["1", COUNTY, "东区教育局", "视察员", "县视"]
    assert rows[6][0] == ""
    assert rows[-1][3:5] + rows[-1][8:] == ["管理员", "山管", "", "没有登记电子邮箱"]
    assert sheet.page_setup.orientation == "landscape"
    assert sheet.print_title_rows == "$4:$4"


def test_a_name_that_looks_like_a_formula_stays_a_name() -> None:
    people = tuple(replace(one, name="=1+1", office="@SUM(A1)") for one in ROSTER.contacts)
    data = write_directory(directory(Roster(ROSTER.units, people), COUNTY, DAY))
    sheet = openpyxl.load_workbook(io.BytesIO(data)).active
    assert sheet is not None
    assert (sheet["E6"].value, sheet["E6"].data_type) == ("=1+1", "s")
