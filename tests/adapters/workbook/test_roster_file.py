"""The roster's workbook, as staff keep it and as Excel spoils it."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pytest

from workflow.adapters.workbook.roster import read_roster, write_roster
from workflow.domain.errors import Refused
from workflow.domain.roster import Contact, Role, Roster, Unit, UnitKind

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

    from tests.servers.office import Office

SHIPPED = Path(__file__).parents[3] / "rosters" / "units.xlsx"
ROSTER = Roster(
    {
        unit.code: unit
        for unit in (
            Unit("410000", "河南省教育厅", UnitKind.PROVINCE, ""),
            Unit("410100", "郑州市教育局", UnitKind.CITY, "410000", window=(6, 9)),
            Unit("4101000001", "=1+1", UnitKind.SCHOOL, "410100", suspended=True, note="新建"),
        )
    },
    (
        Contact("410000", Role.ADMINISTRATOR, "王示例", "科信处", "0371-55550001", "19900000001", "a@b.test"),
        Contact("410100", Role.REVIEWER, "李示例", since=dt.date(2026, 10, 1), until=dt.date(2027, 1, 1)),
    ),
)


def opened(data: bytes) -> Workbook:
    return openpyxl.load_workbook(io.BytesIO(data))


def saved(workbook: Workbook) -> bytes:
    target = io.BytesIO()
    workbook.save(target)
    return target.getvalue()


def test_what_is_written_reads_back_the_same() -> None:
    roster, queries = read_roster(write_roster(ROSTER), "名册.xlsx")
    assert (roster.units, roster.contacts) == (ROSTER.units, ROSTER.contacts)
    assert len(queries) == 5
    assert write_roster(ROSTER) == write_roster(ROSTER)


def test_codes_that_became_numbers_are_repaired() -> None:
    workbook = opened(write_roster(ROSTER))
    workbook["单位"]["A4"] = 4101000001.0
    workbook["单位"]["D4"] = "410100.0"
    workbook["人员"]["A2"] = 410000
    workbook["人员"]["F2"] = 19900000001
    roster, _ = read_roster(saved(workbook), "名册.xlsx")
    assert roster.units["4101000001"].superior == "410100"
    assert roster.contacts[0].mobile == "19900000001"


def test_headings_are_found_by_name_in_any_order_and_row() -> None:
    workbook = opened(write_roster(ROSTER))
    sheet = workbook["单位"]
    sheet.move_range("A1:A4", cols=9)
    sheet.insert_rows(1)
    sheet["A1"] = "河南省教育信息化名册"
    assert read_roster(saved(workbook), "名册.xlsx")[0].units == ROSTER.units


def test_a_window_that_excel_took_for_a_day_is_refused_with_the_remedy() -> None:
    workbook = opened(write_roster(ROSTER))
    workbook["单位"]["F3"] = dt.date(2026, 6, 9)
    with pytest.raises(Refused, match="请写成“1至5日”的样子"):
        read_roster(saved(workbook), "名册.xlsx")


def test_a_missing_sheet_and_a_missing_heading_are_named_together() -> None:
    workbook = opened(write_roster(ROSTER))
    workbook["单位"]["D1"] = "上级"
    del workbook["人员"]
    with pytest.raises(Refused) as refused:
        read_roster(saved(workbook), "名册.xlsx")
    assert [fault.what for fault in refused.value.faults] == ["表头缺少上级单位代码", "缺少工作表“人员”"]


@pytest.mark.parametrize("data", [b"", b"%PDF-1.4", b"PK\x03\x04 broken"])
def test_what_is_no_workbook_is_refused(data: bytes) -> None:
    with pytest.raises(Refused, match="不是可以读取的工作簿"):
        read_roster(data, "名册.xlsx")


@pytest.mark.parametrize("kind", ["xls", "ods"])
def test_a_roster_saved_in_another_format_reads_the_same(kind: str, soffice: Office, tmp_path: Path) -> None:
    source = tmp_path / "roster.xlsx"
    source.write_bytes(write_roster(ROSTER))
    again = soffice(source, kind, tmp_path / "saved").read_bytes()
    roster, _ = read_roster(again, "名册.xls")
    assert (roster.units, roster.contacts) == (ROSTER.units, ROSTER.contacts)


def test_the_shipped_roster_is_the_tree_of_the_province() -> None:
    roster, queries = read_roster(SHIPPED.read_bytes(), "units.xlsx")
    kinds = [unit.kind for unit in roster.units.values()]
    counts = {kind: kinds.count(kind) for kind in UnitKind}
    assert counts[UnitKind.PROVINCE] == 1
    assert counts[UnitKind.CITY] == 18
    assert counts[UnitKind.DIRECT_COUNTY] == 10
    assert counts[UnitKind.COUNTY] == 147
    assert counts[UnitKind.UNIVERSITY] + counts[UnitKind.MINISTRY_UNIVERSITY] == 177
    assert counts[UnitKind.MINISTRY_UNIVERSITY] == 1
    assert counts[UnitKind.PROVINCIAL_VOCATIONAL] == 6
    assert counts[UnitKind.SCHOOL] > 500
    assert counts[UnitKind.TEACHING_POINT] > 50
    assert len({unit.name for unit in roster.units.values()}) == len(roster.units)
    assert all(person.email.endswith(".test") for person in roster.contacts if person.email)
    words = "".join(query.what for query in queries)
    for expected in ("没有审核员", "没有电子邮箱", "共用", "没有视察员"):
        assert expected in words
    jiyuan = roster.children("419001")
    assert jiyuan
    assert not any(unit.kind.reports for unit in jiyuan)
