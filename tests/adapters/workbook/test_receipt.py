"""The 负责人回执表 that goes out: the notice's page, with what leads a scan of it back to its unit."""

from __future__ import annotations

import io
import re
import subprocess
import zipfile
from typing import TYPE_CHECKING

import openpyxl
import pytest
import segno

from workflow.adapters.workbook.identity import HIDDEN_SHEET
from workflow.adapters.workbook.read import read_file
from workflow.adapters.workbook.receipt import receipt_code, stamp_receipt
from workflow.domain.roster import Contact, Role, Unit, UnitKind
from workflow.domain.submission import CopyIdentity, ReadOutcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from openpyxl.worksheet.worksheet import Worksheet

    from tests.servers.office import Office

TOKEN = "HZ-1ABCDEFGHIJKLMNOP"
CITY = Unit("410100", "郑州市教育局", UnitKind.CITY, "410000")
VOCATIONAL = Unit("4100000099", "河南省示例中等专业学校", UnitKind.PROVINCIAL_VOCATIONAL, "410000")
IDENTITY = CopyIdentity("2026Q4", "410100", "receipt", 1, 1, TOKEN)
PEOPLE = (
    Contact("410200", Role.ADMINISTRATOR, "外示例", email="other@kaifeng.test"),
    Contact(
        "410100", Role.INSPECTOR, "张示例", "局领导", "0371-55550001", "19900000001", "lead@zhengzhou.test"
    ),
    Contact(
        "410100", Role.ADMINISTRATOR, "=1+1", "科技处", "0371-55550003", "19900000003", "it@zhengzhou.test"
    ),
)
ROWS = {"视察员": 5, "审核员": 6, "管理员": 7}
EMU_A_MM = 36_000


def page(unit: Unit = CITY, contacts: tuple[Contact, ...] = ()) -> Worksheet:
    book = openpyxl.load_workbook(io.BytesIO(stamp_receipt(unit, "2026Q4", TOKEN, contacts)))
    sheet = book.worksheets[0]
    assert sheet.title == "负责人回执表"
    return sheet


def row(sheet: Worksheet, role: str) -> list[object]:
    return [cell.value for cell in sheet[ROWS[role]]]


def parts(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def without(data: bytes, *, hidden: bool, properties: bool) -> bytes:
    """The workbook as a program leaves it that drops hidden sheets or properties."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    if hidden:
        del book[HIDDEN_SHEET]
    if properties:
        for name in list(book.custom_doc_props.names):
            del book.custom_doc_props[name]
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def test_the_page_prints_what_the_notice_prints() -> None:
    sheet = page()
    assert sheet["A2"].value == "全国教育信息化工作管理信息系统负责人回执表"
    assert sheet["A3"].value == "教育行政部门/高校（盖章）：郑州市教育局"
    assert sheet["F3"].value == "填表日期："
    assert re.fullmatch(r" +年 +月 +日", str(sheet["G3"].value))
    headings = [str(cell.value).replace("\n", "") for cell in sheet[4]]
    assert headings == "类别 姓名 原负责人是否变动 单位 处室 办公电话 手机号码 电子邮箱".split()
    assert row(sheet, "视察员") == ["视察员", None, None, None, "--", None, None, "--"]
    assert row(sheet, "审核员") == ["审核员", *[None] * 7]
    assert row(sheet, "管理员") == ["管理员", *[None] * 7]
    assert str(sheet["A8"].value).startswith("备注：1、市直属学校只填写管理员；")


def test_known_people_of_the_unit_stand_in_their_rows_and_nobody_else() -> None:
    sheet = page(contacts=PEOPLE)
    told = ["视察员", "张示例", None, "郑州市教育局", "--", "0371-55550001", "19900000001", "--"]
    assert row(sheet, "视察员") == told
    assert row(sheet, "审核员") == ["审核员", *[None] * 7]
    assert row(sheet, "管理员")[4:] == ["科技处", "0371-55550003", "19900000003", "it@zhengzhou.test"]


def test_a_name_that_looks_like_a_formula_is_text() -> None:
    cell = page(contacts=PEOPLE)["B7"]
    assert (cell.value, cell.data_type) == ("=1+1", "s")


@pytest.mark.parametrize("kind", [UnitKind.PROVINCIAL_VOCATIONAL, UnitKind.SCHOOL])
def test_a_school_is_asked_for_its_administrator_only(kind: UnitKind) -> None:
    sheet = page(Unit("4100000099", "河南省示例学校", kind, "410000"))
    for role in ("视察员", "审核员"):
        assert row(sheet, role) == [role, *["--"] * 7]
        assert all(cell.protection.locked for cell in sheet[ROWS[role]])
    assert row(sheet, "管理员") == ["管理员", *[None] * 7]


def test_a_university_names_all_three() -> None:
    sheet = page(Unit("4110000001", "河南示例大学", UnitKind.UNIVERSITY, "410000"))
    assert row(sheet, "审核员") == ["审核员", *[None] * 7]


def test_only_the_cells_to_fill_in_are_open() -> None:
    sheet = page()
    assert sheet.protection.sheet
    open_cells = {cell.coordinate for cells in sheet for cell in cells if not cell.protection.locked}
    answers = {f"{column}{place}" for place in ROWS.values() for column in "BCDEFGH"} - {"E5", "H5"}
    assert open_cells == answers | {"G3", "H3"}  # the day's cell spans two columns
    assert {sheet[place].fill.fgColor.rgb for place in ("E5", "H5")} == {"FFF2F2F2"}
    assert all(sheet[place].number_format == "@" for place in answers)  # a telephone keeps its zeros


def test_whether_the_person_changed_is_chosen_from_yes_and_no() -> None:
    offered = {
        str(rule.sqref): rule.formula1
        for rule in page().data_validations.dataValidation
        if rule.type == "list"
    }
    assert offered == {"C5": '"是,否"', "C6": '"是,否"', "C7": '"是,否"'}
    offered = {
        str(rule.sqref) for rule in page(VOCATIONAL).data_validations.dataValidation if rule.type == "list"
    }
    assert offered == {"C7"}


def test_the_qr_code_says_whose_it_is_and_is_32_mm_square() -> None:
    found = parts(stamp_receipt(CITY, "2026Q4", TOKEN))
    expected = segno.make(f"HZ/2026Q4/410100/{TOKEN}", error="m", boost_error=False)
    assert (expected.mode, expected.error) == ("alphanumeric", "M")
    picture = io.BytesIO()
    expected.save(picture, kind="png", scale=12, border=4)
    assert found["xl/media/image1.png"] == picture.getvalue()
    drawing = found["xl/drawings/drawing1.xml"].decode()
    extent = re.search(r'<a:ext cx="(\d+)" cy="(\d+)"', drawing)
    assert extent is not None
    modules = expected.symbol_size(border=0)[0]
    for side in extent.groups():
        assert int(side) / EMU_A_MM * modules / (modules + 8) == pytest.approx(32, abs=0.15)
    # From and to in one cell: column widths that a program reckons otherwise can't stretch it.
    assert len(set(re.findall(r"<xdr:col>(\d+)</xdr:col>", drawing))) == 1
    assert len(set(re.findall(r"<xdr:row>(\d+)</xdr:row>", drawing))) == 1


def test_the_code_is_upper_case_and_refuses_what_it_can_not_carry() -> None:
    assert receipt_code("2026q4", "41a", TOKEN) == f"HZ/2026Q4/41A/{TOKEN}"
    for unit in ("", "郑州", "41/01", "41_01"):
        with pytest.raises(ValueError, match="二维码"):
            receipt_code("2026Q4", unit, TOKEN)


def test_the_token_is_printed_beside_the_code() -> None:
    assert TOKEN in str(page()["E9"].value)


def test_the_reader_knows_it_as_this_units_receipt() -> None:
    data = stamp_receipt(CITY, "2026Q4", TOKEN)
    for left in (
        data,
        without(data, hidden=True, properties=False),
        without(data, hidden=False, properties=True),
    ):
        reading = read_file(left, "回执表.xlsx", {})
        assert (reading.outcome, reading.identity) == (ReadOutcome.RECEIPT, IDENTITY)


def test_the_reader_knows_it_by_the_printed_token_alone() -> None:
    bare = without(stamp_receipt(CITY, "2026Q4", TOKEN), hidden=True, properties=True)
    reading = read_file(bare, "回执表.xlsx", {})
    assert (reading.outcome, reading.identity) == (ReadOutcome.RECEIPT, CopyIdentity("", "", "", 0, 0, TOKEN))


def test_the_marks_are_out_of_reach_of_the_menus() -> None:
    book = openpyxl.load_workbook(io.BytesIO(stamp_receipt(CITY, "2026Q4", TOKEN)))
    assert book[HIDDEN_SHEET].sheet_state == "veryHidden"


def test_the_same_receipt_is_the_same_bytes() -> None:
    assert stamp_receipt(CITY, "2026Q4", TOKEN, PEOPLE) == stamp_receipt(CITY, "2026Q4", TOKEN, PEOPLE)


def test_libreoffice_prints_one_landscape_page_without_shrinking_the_code(
    soffice: Office, pictures: Callable[..., list[Path]], tmp_path: Path
) -> None:
    filled = tmp_path / "receipt.xlsx"
    filled.write_bytes(stamp_receipt(CITY, "2026Q4", TOKEN, PEOPLE))
    printed = soffice(filled, "pdf", tmp_path / "pdf")
    pages = pictures(printed, dpi=100)
    assert len(pages) == 1
    header = pages[0].read_bytes()[16:24]
    across, down = (int.from_bytes(header[at : at + 4], "big") / 100 * 25.4 for at in (0, 4))
    assert (across, down) == (pytest.approx(297, abs=1), pytest.approx(210, abs=1))
    listed = subprocess.run(
        ["pdfimages", "-list", printed], capture_output=True, text=True, check=True, timeout=60
    )
    width, per_inch = (int(listed.stdout.splitlines()[2].split()[column]) for column in (3, 12))
    modules = segno.make(f"HZ/2026Q4/410100/{TOKEN}", error="m", boost_error=False).symbol_size(border=0)[0]
    assert width / per_inch * 25.4 * modules / (modules + 8) == pytest.approx(32, abs=0.3)


@pytest.mark.parametrize("kind", ["xlsx", "ods", "xls"])
def test_libreoffice_saves_it_and_the_reader_still_knows_it(
    soffice: Office, tmp_path: Path, kind: str
) -> None:
    filled = tmp_path / "receipt.xlsx"
    filled.write_bytes(stamp_receipt(CITY, "2026Q4", TOKEN, PEOPLE))
    reading = read_file(soffice(filled, kind, tmp_path / "saved").read_bytes(), f"receipt.{kind}", {})
    assert (reading.outcome, reading.identity) == (ReadOutcome.RECEIPT, IDENTITY)
