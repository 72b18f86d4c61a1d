"""One return re-makes only the workbooks above it, and each says what differs from the one that it replaces."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from tests.domain.offices import (
    CITY,
    COUNTY,
    DIRECT,
    PROVINCE,
    REMOTE,
    ROSTER,
    SCHOOL,
    WEST,
    form_of,
    number,
    query,
)
from tests.process.calendar_office import FORMS, Office, form_for, on
from workflow.domain.checks import examine
from workflow.domain.events import Event
from workflow.domain.form import Field, FieldType
from workflow.domain.matching import make_token
from workflow.domain.roster import Roster
from workflow.process.consolidate import consolidate, levels_of
from workflow.process.gather import require_campaign
from workflow.process.overview import overview

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from openpyxl.workbook import Workbook

    from workflow.adapters.store import MadeBook
    from workflow.domain.form import Form


class Levels:
    """The little province with its workbooks."""

    def __init__(self, folder: Path, forms: dict[str, Form] = FORMS) -> None:
        self.office, self.forms = Office(folder), forms
        self.office.open(on(12, 1))

    def make(self) -> dict[str, MadeBook]:
        store, roster = self.office.store, self.office.roster
        made = consolidate(
            store, self.office.files, lambda *words: make_token(b"k" * 32, "A", *map(str, words[:3]), int(words[3])),
            roster, require_campaign(store), self.forms, levels_of(roster), on(12, 28), on(12, 28),
        )  # fmt: skip
        return {book.unit: book for book in made}

    def happen(
        self,
        stream: str,
        kind: str,
        data: dict[str, Any] | None = None,
        personal: dict[str, Any] | None = None,
    ) -> None:
        number = self.office.store.next_numbers([stream])[stream] + 1
        self.office.store.append(
            [Event(stream, number, kind, on(12, 27), "系统", data=data or {}, personal=personal)]
        )

    def submit(
        self, unit: str, number: int, pupils: int, errors: int = 0,
        more: Mapping[str, Any] | None = None, notes: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        form = form_for(unit)
        data = {
            "submission": f"2026Q4/{unit}/{form}/{number}", "number": number, "form_version": 2, "errors": errors,
            "received_at": on(12, 27).isoformat(),
        }  # fmt: skip
        personal = {"answers": {"学生": pupils, **(more or {})}, "notes": dict(notes or {})}
        self.happen(f"case:2026Q4/{unit}/{form}", "case.submitted", data, personal)

    def approve(self, unit: str, number: int) -> None:
        self.happen(f"case:2026Q4/{unit}/{form_for(unit)}", "case.approved", {"number": number})

    def send_back(self, unit: str, number: int) -> None:
        data = {"due": on(12, 30).isoformat(), "note": "请改", "returned_number": number}
        self.happen(f"case:2026Q4/{unit}/{form_for(unit)}", "case.returned", data)

    def report(self, level: str, number: int, unit: str = SCHOOL) -> None:
        rows = [[unit, "school", "approved", f"2026Q4/{unit}/school/{number}", number]] if unit else []
        self.happen(f"package:2026Q4/{level}", "package.reported", {"rows": rows})

    def shown(self, made: MadeBook) -> Workbook:
        return openpyxl.load_workbook(io.BytesIO(self.office.files.outbox(made.path)))

    def stale(self) -> list[dict[str, Any]]:
        store = self.office.store
        seen = overview(store, self.office.roster, require_campaign(store), on(12, 28))
        found: list[dict[str, Any]] = seen.as_json()["stale"]
        return found


@pytest.fixture
def levels(tmp_path: Path) -> Iterator[Levels]:
    made = Levels(tmp_path)
    yield made
    made.office.close()


def versions(made: dict[str, MadeBook]) -> dict[str, int]:
    return {unit: book.version for unit, book in made.items()}


def lines(book: Workbook) -> list[tuple[Any, ...]]:
    """The lines of the 变更 sheet without number and code."""
    rows = book["变更"].iter_rows(min_row=3, values_only=True)
    return [row[2:] for row in rows if isinstance(row[0], int)]


def words(book: Workbook, sheet: str = "封面") -> str:
    return "\n".join(str(cell.value) for row in book[sheet].iter_rows() for cell in row if cell.value)


def test_one_return_makes_the_workbooks_above_it_anew_and_no_other(levels: Levels) -> None:
    first = levels.make()
    levels.submit(SCHOOL, 1, 480)
    second = levels.make()
    newer = {unit for unit in first if second[unit].version > first[unit].version}
    assert newer == {COUNTY, CITY, PROVINCE}
    assert levels.make() == second


def test_the_first_version_replaces_none_and_the_second_names_the_first(levels: Levels) -> None:
    first = levels.shown(levels.make()[COUNTY])
    assert "变更" not in first.sheetnames
    levels.submit(SCHOOL, 1, 480)
    second = levels.shown(levels.make()[COUNTY])
    assert "第2版（代替第1版）" in words(second)
    assert lines(second) == [("东区第一小学", "示例季报表", "填报数据", "缺报", "已报送未审核", "新报送")]


def test_a_correction_is_listed_field_by_field_with_both_figures(levels: Levels) -> None:
    levels.submit(SCHOOL, 1, 480)
    levels.make()
    levels.submit(SCHOOL, 2, 500)
    assert lines(levels.shown(levels.make()[CITY])) == [
        ("东区第一小学", "示例季报表", "学生", "480", "500", "更正")
    ]


def test_a_return_and_a_verdict_are_listed_as_such(levels: Levels) -> None:
    levels.submit(SCHOOL, 1, 480)
    levels.submit(REMOTE, 1, 90)
    levels.make()
    levels.send_back(SCHOOL, 1)
    levels.approve(REMOTE, 1)
    found = {line[0]: line[2:] for line in lines(levels.shown(levels.make()[COUNTY]))}
    assert found == {
        "东区第一小学": ("数据来源", "已报送未审核", "退回未改", "退回"),
        "东区山村小学": ("数据来源", "已报送未审核", "审核通过", "审核结论"),
    }


def test_reports_and_withdrawals_below_are_listed_and_named_on_the_cover(levels: Levels) -> None:
    levels.submit(SCHOOL, 1, 480)
    levels.approve(SCHOOL, 1)
    levels.make()
    levels.report(COUNTY, 1)
    city = levels.shown(levels.make()[CITY])
    assert ("东区教育局", None, "上报状态", "未上报", "已上报", "上报") in lines(city)
    assert "有变化的下级单位：东区教育局；" in words(city)
    levels.happen(f"package:2026Q4/{COUNTY}", "package.withdrawal_requested", {"note": "有误"})
    city = levels.shown(levels.make()[CITY])
    assert ("东区教育局", None, "上报状态", "已上报", "已申请撤报", "撤报") in lines(city)
    assert "申请撤报：有误" in words(city, "下级上报")


def test_what_changed_below_after_a_report_stands_on_the_cover(levels: Levels) -> None:
    levels.report(COUNTY, 1, unit="")
    levels.report(CITY, 1, unit="")
    levels.happen(f"package:2026Q4/{COUNTY}", "package.withdrawal_requested", {"note": "有误"})
    assert "本级上报后，东区教育局的数据又有变化" in words(levels.shown(levels.make()[CITY]))


def test_what_is_out_of_date_stands_in_the_status_until_it_is_made_anew(levels: Levels) -> None:
    levels.make()
    assert levels.stale() == []
    levels.report(COUNTY, 1, unit="")
    levels.report(CITY, 1, unit="")
    levels.make()
    levels.happen(f"package:2026Q4/{COUNTY}", "package.withdrawal_requested", {"note": "有误"})
    found = {row["unit"]: row for row in levels.stale()}
    assert set(found) == {COUNTY, CITY, PROVINCE}
    assert found[CITY] == {
        "unit": CITY, "name": "甲市教育局", "book": 2, "changed": [COUNTY], "reported": True,
        "changed_after_report": [COUNTY],
    }  # fmt: skip
    assert (found[PROVINCE]["reported"], found[PROVINCE]["changed"]) == (False, [CITY])
    levels.make()
    assert [(row["unit"], row["changed"]) for row in levels.stale()] == [(CITY, [])]


def test_a_resubmission_says_how_often_it_came_and_what_differs_from_the_last_approval(
    levels: Levels,
) -> None:
    levels.submit(SCHOOL, 1, 480)
    levels.approve(SCHOOL, 1)
    levels.submit(SCHOOL, 2, 500)
    sheet = levels.shown(levels.make()[COUNTY])["示例季报表"]
    head = {str(cell.value): cell.column for cell in sheet[4]}
    (row,) = [at for at in range(5, sheet.max_row + 1) if sheet.cell(at, 2).value == SCHOOL]
    assert sheet.cell(row, head["备注"]).value == "第2次报送，较上次审核通过变化1项（学生：480→500）"
    assert sheet.cell(row, head["学生"]).fill.start_color.rgb == "FFFFEFC6"
    (other,) = [at for at in range(5, sheet.max_row + 1) if sheet.cell(at, 2).value == REMOTE]
    assert sheet.cell(other, head["学生"]).fill.start_color.rgb != "FFFFEFC6"


def test_what_a_unit_explains_stands_in_the_reviewers_remarks(tmp_path: Path) -> None:
    asked = query("ABS(学生-上期(学生))<=上期(学生)*0.2", "学生数比上季度变动超过20%，请核对或说明")
    form = form_of(number("学生"), Field("说明:2", "经验校验2说明", FieldType.TEXT), rules=[asked])
    levels = Levels(tmp_path, {**FORMS, "school": form})
    seen = examine(form, {"学生": 900, "说明:2": "并入两所小学"}, {"学生": 480})
    levels.submit(SCHOOL, 1, 900, more={"说明:2": "并入两所小学"}, notes=seen.notes)
    sheet = levels.shown(levels.make()[PROVINCE])["示例季报表"]
    head = {str(cell.value): cell.column for cell in sheet[4]}
    (row,) = [at for at in range(5, sheet.max_row + 1) if sheet.cell(at, 2).value == SCHOOL]
    said = "经验校验2说明：学生数比上季度变动超过20%，请核对或说明——并入两所小学"
    assert said in sheet.cell(row, head["备注"]).value
    levels.office.close()


def test_a_level_beside_the_branch_keeps_its_workbook(levels: Levels) -> None:
    levels.make()
    levels.submit(SCHOOL, 1, 480)
    made = versions(levels.make())
    assert (made[WEST], made[DIRECT], made[COUNTY]) == (1, 1, 2)


def test_numbers_of_a_school_stand_whole_in_its_countys_workbook_masked_in_the_citys_and_not_in_the_provinces(
    tmp_path: Path,
) -> None:
    form = form_of(number("学生"), Field("邮箱", "学校邮箱", FieldType.EMAIL))
    levels = Levels(tmp_path, {**FORMS, "school": form})
    levels.submit(SCHOOL, 1, 480, more={"联系电话": "13812345678", "邮箱": "old@school.test"})
    levels.approve(SCHOOL, 1)
    levels.make()
    more = {"联系电话": "13912345678", "邮箱": "wang@school.test"}
    levels.submit(SCHOOL, 2, 480, more=more, notes={"联系电话": "“139 1234 5678”按13912345678读取"})
    made = levels.make()
    seen = {}
    for level in (COUNTY, CITY, PROVINCE):
        book = levels.shown(made[level])
        sheet = book["示例季报表"]
        head = {str(cell.value): cell.column for cell in sheet[4]}
        (row,) = [at for at in range(5, sheet.max_row + 1) if sheet.cell(at, 2).value == SCHOOL]
        told = [sheet.cell(row, head[name]).value for name in ("学校邮箱", "联系电话")]
        ((*_, before, after, _),) = [line for line in lines(book) if line[2] == "学校邮箱"]
        seen[level] = (*told, before, after, sheet.cell(row, head["备注"]).value)
    assert seen == {
        COUNTY: (
            "wang@school.test", "13912345678", "old@school.test", "wang@school.test",
            "第2次报送，较上次审核通过变化1项（学校邮箱：old@school.test→wang@school.test）；联系电话：“139 1234 5678”按13912345678读取",
        ),
        CITY: (
            "w***@school.test", "139****5678", "o***@school.test", "w***@school.test",
            "不审核：由东区教育局审核\n第2次报送，较上次审核通过变化1项（学校邮箱：o***@school.test→w***@school.test）",
        ),
        PROVINCE: (
            "不列示", "不列示", "不列示", "不列示", "不审核：由东区教育局审核\n第2次报送，较上次审核通过变化1项（学校邮箱：不列示→不列示）",
        ),
    }  # fmt: skip
    levels.office.close()


def test_whom_to_call_stands_in_the_workbook_of_the_level_that_calls(tmp_path: Path) -> None:
    levels = Levels(tmp_path)
    people = tuple(
        replace(person, phone="0371-55550031") if person.unit == REMOTE else person
        for person in ROSTER.contacts
    )
    levels.office.roster = Roster(ROSTER.units, people)
    made = levels.make()
    told = {}
    for level in (COUNTY, CITY, PROVINCE):
        rows = levels.shown(made[level])["缺报与逾期"].iter_rows(min_row=3, values_only=True)
        told[level] = next(row[7:9] for row in rows if row[1] == REMOTE)
    assert told == {
        COUNTY: ("山管", "0371-55550031"),
        CITY: ("山管", "0371-****0031"),
        PROVINCE: ("不列示", "不列示"),
    }
    levels.office.close()
