"""The first quarter starts from the old system's data: matched by a person where the machine is not sure, and traced to their cells."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from tests.journeys.test_command_line import refused
from tests.journeys.world import COUNTY, DIRECT_SCHOOL, FIFTH, FIRST, FOURTH, SECOND, THIRD, World
from workflow.domain.campaign import SHANGHAI
from workflow.domain.merge import Origin
from workflow.process.earlier import earlier_data
from workflow.process.gather import require_campaign, require_roster
from workflow.process.picture import pictures

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

HEADINGS = (
    "登录账号",
    "学校标识码",
    "学校名称",
    "所属区县",
    "学生人数",
    "带宽（Kbps）",
    "互联网接入",
    "教学班数",
    "校训",
)
#: One row each: sure by code and name; by account; by name and superior; a name much alike; nobody's; a code with another name.
OLD = (
    ("", FIRST, "中原区第一小学", "中原区", "1,203人", 102400, "有", 24, "诚朴"),
    (f"{SECOND}A1", "", "中原区第二中心小学", "中原区", 655, 51200, "有", 14, ""),
    ("", "", "巩义市第一小学", "巩义市", 412, 20480, "无", 9, ""),
    ("", "", "中原区第四实验小学", "中原区", 530, 20480, "有", 12, ""),
    ("", "", "早已撤并的学校", "中原区", 20, 4096, "无", 2, ""),
    ("", FIFTH, "向阳路学校", "中原区", 318, 20480, "有", "约7", ""),
)
MAPPING = (
    ("原字段", "新字段", "系数", "选项对应"),
    ("学生人数", "在校生数", "", ""),
    ("带宽（Kbps）", "互联网接入带宽", "1/1024", ""),
    ("互联网接入", "已接入互联网", "", "有=是；无=否"),
    ("教学班数", "班级数", "", ""),
)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[World]:
    nowhere: Any = SimpleNamespace(imap_port=1, smtp_port=1)
    office = World(
        tmp_path / "workspace", nowhere, {}, settings={"imap.password_env": '""', "reader.workers": "1"}
    )
    office.at(dt.datetime(2026, 9, 10, 9, tzinfo=SHANGHAI))
    office.import_roster()
    yield office
    office.close()


def workbook(path: Path, sheet: str, rows: Sequence[Sequence[object]]) -> Path:
    book = openpyxl.Workbook()
    book.active.title = sheet
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def old_data(office: World) -> tuple[Path, Path]:
    title = ("一期系统学校数据",)
    data = workbook(office.folder / "一期.xlsx", "学校", (title, HEADINGS, *OLD))
    return data, workbook(office.folder / "对应.xlsx", "映射", MAPPING)


def decided(path: Path, **codes: str) -> Path:
    """The workbook as the clerk fills it in: each row by its 原名称, with the code that it is to go to ('' for 不导入)."""
    book = openpyxl.load_workbook(path)
    for row in book["待核对单位"].iter_rows(min_row=4):
        code = codes.get(row[4].value)
        if code is not None:
            row[6].value, row[11].value = code, "导入" if code else "不导入"
    book.save(path)
    return path


def taken_over(office: World) -> Any:
    data, mapping = old_data(office)
    book = office.folder / "核对.xlsx"
    assert office.huizhi("import", "legacy", data, "--mapping", mapping, "--out", book).code == 1
    decided(book, 中原区第四实验小学=FOURTH, 早已撤并的学校="", 向阳路学校="")
    return office.huizhi("import", "legacy", data, "--mapping", mapping, "--approve", book, "--by", "省管")


def test_what_is_not_sure_waits_for_a_person_and_nothing_is_taken_over_in_part(office: World) -> None:
    data, mapping = old_data(office)
    book = office.folder / "核对.xlsx"
    asked = office.huizhi("import", "legacy", data, "--mapping", mapping, "--out", book)
    assert asked.code == 1, asked.err
    assert (
        "共6行：相符3行，待核对2行，找不到单位1行；未对应的原字段1个，读不出的数据1处；尚未导入" in asked.out
    )
    assert f"学校!第6行 中原区第四实验小学 → {FOURTH} 中原区第四小学" in asked.out
    assert "未对应的原字段 校训（1行有数据）" in asked.out
    assert office.app.store.legacy_standings() == {}
    undecided = office.huizhi(
        "import", "legacy", data, "--mapping", mapping, "--approve", book, "--by", "省管"
    )
    refused(
        undecided,
        "第4行：没有填写决定（原名称 中原区第四实验小学）",
        "第5行：没有填写决定",
        "第6行：没有填写决定",
    )
    decided(book, 中原区第四实验小学=FIRST, 早已撤并的学校="4199999999", 向阳路学校="")
    wrong = office.huizhi("import", "legacy", data, "--mapping", mapping, "--approve", book, "--by", "省管")
    refused(wrong, "第5行：单位代码“4199999999”不在名册中")
    decided(book, 早已撤并的学校="")
    twice = office.huizhi("import", "legacy", data, "--mapping", mapping, "--approve", book, "--by", "省管")
    refused(twice, f"学校!第3行、学校!第6行：都要导入到 {FIRST} 中原区第一小学")
    assert office.app.store.legacy_standings() == {}


def test_the_first_quarter_is_filled_in_from_the_old_data_and_each_figure_is_traced_to_its_cell(
    office: World,
) -> None:
    done = taken_over(office)
    assert done.code == 0, done.err
    assert "一期数据已导入：4个单位" in done.out
    office.at(dt.datetime(2026, 9, 20, 9, tzinfo=SHANGHAI))
    office.open("2026Q3")
    store = office.app.store
    campaign = require_campaign(store)
    earlier = earlier_data(store, campaign, office.app.forms())
    assert {unit for unit, _ in earlier} == {FIRST, SECOND, DIRECT_SCHOOL, FOURTH}
    wanted = {"在校生数": 1203, "互联网接入带宽": 100, "已接入互联网": True, "班级数": 24}
    assert {name: earlier[FIRST, "school"].answers[name] for name in wanted} == wanted
    traced = office.huizhi("trace", FIRST, "在校生数")
    assert "中原区第一小学 在校生数 = 1203 一期数据" in traced.out
    assert "文件 一期.xlsx" in traced.out
    assert "单元格 学校!E3" in traced.out
    seen = report_as_it_stands(office)
    origins = {unit: standing.origin for (_, unit, _), standing in seen.standings.items()}
    assert [origins[unit] for unit in (FIRST, FOURTH, THIRD)] == [
        Origin.LEGACY,
        Origin.LEGACY,
        Origin.MISSING,
    ]
    cover = openpyxl.load_workbook(office.folder / made_of(office, COUNTY)).worksheets[0]
    words = [str(cell.value) for row in cover.iter_rows() for cell in row if cell.value]
    assert "沿用一期数据" in words


def made_of(office: World, unit: str) -> str:
    office.app.consolidate(units=[unit])
    book = office.app.store.book("2026Q3", unit)
    assert book is not None
    return f"outbox/{book.path}"


def report_as_it_stands(office: World) -> Any:
    store = office.app.store
    roster, campaign = require_roster(store), require_campaign(store)
    [seen] = pictures(store, roster, campaign, office.app.forms(campaign), [roster.units[COUNTY]])
    return seen


def test_nothing_is_taken_over_while_a_period_is_collected(office: World) -> None:
    data, mapping = old_data(office)
    office.at(dt.datetime(2026, 9, 20, 9, tzinfo=SHANGHAI))
    office.open("2026Q3")
    late = office.huizhi("import", "legacy", data, "--mapping", mapping)
    refused(late, "填报任务 2026Q3 正在进行")


def test_a_mapping_that_leads_nowhere_is_told_row_by_row(office: World) -> None:
    data, _ = old_data(office)
    rows = (*MAPPING, ("校训", "校训内容", "", ""), ("教学班数", "班级数", "零", "有"))
    said = office.huizhi(
        "import", "legacy", data, "--mapping", workbook(office.folder / "错.xlsx", "映射", rows)
    )
    refused(
        said,
        "映射!A7：原字段“教学班数”重复，第 5 行已有",
        "映射!C7：系数“零”不是大于零的数",
        "映射!D7：“有”看不懂",
    )
    rows = (*MAPPING, ("校训", "校训内容", "", ""))
    said = office.huizhi(
        "import", "legacy", data, "--mapping", workbook(office.folder / "错.xlsx", "映射", rows)
    )
    refused(said, "映射：原字段“校训”对应的新字段“校训内容”不在表单中")


def test_what_was_taken_over_is_the_same_after_a_rebuild(office: World) -> None:
    taken_over(office)
    before = office.app.store.legacy_standings(), office.app.store.legacy_trace(FIRST, "班级数")
    office.close()
    assert office.huizhi("rebuild").code == 0
    assert (office.app.store.legacy_standings(), office.app.store.legacy_trace(FIRST, "班级数")) == before
    assert office.huizhi("ledger", "verify").code == 0
