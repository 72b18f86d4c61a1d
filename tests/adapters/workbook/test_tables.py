"""Repeating tables 重复表格: from the form to the answers of a returned copy."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.styles import Border, Side

from tests.adapters.workbook.damage import page
from tests.adapters.workbook.equipment import (
    COLUMNS,
    DRAWN,
    MORE_RULES,
    SHEET,
    cells,
    edited,
    equipment,
    form_bytes,
    stamped,
)
from tests.adapters.workbook.forms import IDENTITY, PRINTED, field, load
from workflow.adapters.workbook.annotate import annotate
from workflow.adapters.workbook.compile import compile_form
from workflow.adapters.workbook.problems import ReturnSummary
from workflow.adapters.workbook.read import read_file
from workflow.adapters.workbook.stamp import stamp
from workflow.cli import main
from workflow.domain.campaign import midnight
from workflow.domain.checks import examine
from workflow.domain.errors import Refused
from workflow.domain.form import CONTINUED
from workflow.domain.submission import LOST, CellError, Reading, ReadOutcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from openpyxl.workbook import Workbook

    from tests.servers.office import Office
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


ANSWERS: Mapping[str, Value] = {
    "学校名称": "示例小学", "在校生数": 100, "教师数": 8, "带宽": 200, "单位负责人": "张某", "终端总数": 21,
    **cells(SCREEN, TABLET, LAPTOP),
}  # fmt: skip


def read(
    change: Callable[[Workbook], object] = lambda _: None, answers: Mapping[str, Value] = ANSWERS
) -> Reading:
    """A copy filled with the answers, changed by a person, read again."""
    form = equipment().form
    return read_file(edited(stamped(answers), change), "填好.xlsx", {(form.id, form.version): form})


def rows_in(reading: Reading) -> dict[str, object]:
    assert reading.outcome is ReadOutcome.ANSWERS
    return {name: value for name, value in reading.answers.items() if name.startswith("设备.")}


def others_in(reading: Reading) -> dict[str, object]:
    return {name: value for name, value in reading.answers.items() if not name.startswith("设备.")}


ROWS, OTHERS = cells(SCREEN, TABLET, LAPTOP), {n: v for n, v in ANSWERS.items() if not n.startswith("设备.")}


def put(sheet: str, row: int, *values: object) -> Callable[[Workbook], object]:
    def change(book: Workbook) -> None:
        for column, value in enumerate(values, start=2):
            book[sheet].cell(row, column).value = value  # type: ignore[union-attr]

    return change


def test_a_tables_rows_come_back_as_they_were_stamped() -> None:
    seen = read()
    assert (rows_in(seen), others_in(seen), seen.moved, seen.by_labels) == (ROWS, OTHERS, {}, False)


def test_rows_left_blank_in_the_middle_are_no_rows_and_findings_name_the_real_cells() -> None:
    def change(book: Workbook) -> None:
        put(SHEET, 5, None, None, None)(book)
        put(SHEET, 8, "打印机", "两台")(book)
        put(CONTINUED, 20, "服务器", 1, 4)(book)

    seen = read(change)
    assert rows_in(seen) == cells(SCREEN, LAPTOP, ("打印机", "两台"), ("服务器", 1, 4))
    assert seen.moved["设备.2.名称"] == "设备!B6"
    assert seen.moved["设备.4.在用"] == "续表!D20"
    assert not seen.by_labels
    found = examine(equipment().form, seen.answers, None, seen.moved).findings
    told = {(one.code, one.cell) for one in found if one.field.startswith("设备.")}
    assert told == {("not-a-number", "设备!C8"), ("constraint", "续表!D20")}


def test_rows_inserted_into_a_table_are_rows_and_what_stands_below_is_found() -> None:
    def change(book: Workbook) -> None:
        book[SHEET].insert_rows(6, 4)
        put(SHEET, 6, "打印机", 2)(book)
        put(SHEET, 12, "服务器", 1)(book)

    seen = read(change)
    assert rows_in(seen) == cells(SCREEN, TABLET, ("打印机", 2), LAPTOP, ("服务器", 1))
    assert others_in(seen) == OTHERS
    assert (seen.moved["设备.4.名称"], seen.moved["终端总数"], seen.by_labels) == (
        "设备!B10",
        "设备!C13",
        True,
    )


def test_rows_deleted_from_a_table_are_gone_and_what_stands_below_is_found() -> None:
    seen = read(lambda book: book[SHEET].delete_rows(5, 3))
    assert rows_in(seen) == cells(SCREEN)
    assert (others_in(seen), seen.moved) == (OTHERS, {"终端总数": "设备!C6"})


def test_sorted_rows_are_read_in_their_new_order_and_are_no_change() -> None:
    def change(book: Workbook) -> None:
        sheet = book[SHEET]
        rows = [[cell.value for cell in row] for row in sheet["A4:E6"]]
        for at, row in enumerate(sorted(rows, key=lambda row: str(row[1]), reverse=True), start=4):
            put(SHEET, at, *row[1:])(book)
            sheet.cell(at, 1).value = row[0]
        book["基本情况"]["B13"] = "是"

    seen = read(change)
    assert rows_in(seen) == cells(LAPTOP, TABLET, SCREEN)
    assert not seen.by_labels
    assert examine(equipment().form, seen.answers, ANSWERS).no_change


def test_rows_below_the_drawn_ones_are_read_where_nothing_else_stands() -> None:
    """The last rows of the continuation page: a person writes on below them."""
    answers = {**ANSWERS, **cells(*((f"设备{number}", 1) for number in range(25)))}
    seen = read(put(CONTINUED, 26, "多出的设备", 7), answers)
    assert rows_in(seen)["设备.26.名称"] == "多出的设备"
    assert seen.moved["设备.26.数量"] == "续表!C26"
    found = {one.code: one for one in examine(equipment().form, seen.answers, None, seen.moved).findings}
    assert (found["table-full"].cell, found["table-full"].found) == ("续表!B26", "多出的设备、7")


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (("合计", 21, 8), "“设备”页第7行“合计”"),
        (("合　计", "=SUM(C4:C6)"), "“设备”页第7行“合计”"),
        (("（以下空白）",), "“设备”页第7行“以下空白”"),
        (("/", "／", "——"), "“设备”页第7行“/”"),
        (("无",), "“设备”页第7行“无”"),
    ],
)
def test_a_row_that_names_no_item_is_left_out_with_a_note(written: tuple[object, ...], told: str) -> None:
    seen = read(put(SHEET, 7, *written))
    assert (rows_in(seen), others_in(seen), seen.moved) == (ROWS, OTHERS, {})
    assert seen.notes == {"设备": f"{told}不是明细，没有作为一行收取"}
    assert not seen.by_labels
    assert (
        examine(equipment().form, seen.answers, None, seen.moved, seen.notes).notes["设备"]
        == seen.notes["设备"]
    )


def test_a_subtotal_between_the_rows_is_left_out_and_the_rows_below_move_up() -> None:
    def change(book: Workbook) -> None:
        put(SHEET, 7, *(book[SHEET].cell(6, column).value for column in range(2, 6)))(book)
        put(SHEET, 6, "小计", 9, 8, None)(book)

    seen = read(change)
    assert rows_in(seen) == ROWS
    assert seen.moved["设备.3.名称"] == "设备!B7"
    assert "第6行“小计”" in seen.notes["设备"]


def test_an_item_that_only_sounds_like_a_total_is_a_row() -> None:
    def change(book: Workbook) -> None:
        put(SHEET, 7, "合计显示屏", 1)(book)
        put(SHEET, 8, "无线投屏器", 0)(book)

    seen = read(change)
    assert (rows_in(seen)["设备.4.名称"], rows_in(seen)["设备.5.名称"]) == ("合计显示屏", "无线投屏器")
    assert seen.notes == {}


def test_a_copy_without_its_continuation_page_is_read() -> None:
    seen = read(lambda book: book.remove(book[CONTINUED]))
    assert (rows_in(seen), others_in(seen), seen.by_labels) == (ROWS, OTHERS, False)


def test_a_renamed_continuation_page_is_told_by_its_words() -> None:
    def change(book: Workbook) -> None:
        put(CONTINUED, 6, "服务器", 1)(book)
        book[CONTINUED].title = "设备（接上页）"

    assert rows_in(read(change)) == cells(SCREEN, TABLET, LAPTOP, ("服务器", 1))


def test_a_column_inserted_before_a_table_moves_its_cells() -> None:
    seen = read(lambda book: book[SHEET].insert_cols(2))
    assert (rows_in(seen), others_in(seen)) == (ROWS, OTHERS)
    assert seen.moved["设备.1.名称"] == "设备!C4"


def test_a_table_whose_end_cannot_be_told_is_asked_for_and_not_guessed() -> None:
    def change(book: Workbook) -> None:
        book[SHEET].insert_rows(6, 2)
        book[SHEET]["A11"] = "共计"
        put(SHEET, 7, "打印机", 2)(book)

    seen = read(change)
    asked = {name for name, value in seen.answers.items() if value == CellError(LOST)}
    assert asked == {"设备.1.名称", "终端总数"}
    assert rows_in(seen) == {"设备.1.名称": CellError(LOST)}


def test_a_forms_own_total_below_a_table_is_no_row_of_it() -> None:
    drawn = {**DRAWN, "A9": "合计", "C9": "=SUM(C4:C8)", "A10": "终端总数", "C10": "{{终端总数}}"}
    compiled = compile_form(form_bytes(drawn), "school.xlsx")
    form = compiled.form
    for spare in (0, 2):

        def change(book: Workbook, spare: int = spare) -> None:
            if spare:
                book[SHEET].insert_rows(5, spare)
            put(SHEET, 9 + spare, None, 21)(book)  # what the office program worked out

        seen = read_file(
            edited(stamp(compiled, IDENTITY, PRINTED, ANSWERS), change), "填好.xlsx", {(form.id, 2): form}
        )
        assert (rows_in(seen), others_in(seen)) == (ROWS, OTHERS)
        assert seen.by_labels is bool(spare)


@pytest.mark.parametrize("gap", [0, 1])
def test_a_total_without_any_label_is_no_row_either(gap: int) -> None:
    place = 9 + gap
    drawn = {ref: text for ref, text in DRAWN.items() if ref not in {"A9", "C9"}}
    drawn |= {f"C{place}": "=SUM(C4:C8)", f"A{place + 1}": "终端总数", f"C{place + 1}": "{{终端总数}}"}
    compiled = compile_form(form_bytes(drawn), "school.xlsx")
    form = compiled.form
    for spare in (0, 2):

        def change(book: Workbook, spare: int = spare) -> None:
            if spare:
                book[SHEET].insert_rows(5, spare)
            put(SHEET, place + spare, None, 21)(book)

        seen = read_file(
            edited(stamp(compiled, IDENTITY, PRINTED, ANSWERS), change), "填好.xlsx", {(form.id, 2): form}
        )
        assert (rows_in(seen), others_in(seen)) == (ROWS, OTHERS)
        assert seen.by_labels is bool(spare)


def test_a_row_with_nothing_but_an_error_is_a_row() -> None:
    seen = read(put(SHEET, 8, None, "=1/0"))
    assert rows_in(seen)["设备.4.数量"] == CellError("#无值")
    assert seen.moved == {"设备.4.数量": "设备!C8"}


def test_all_sheets_copied_under_each_other_keep_their_tables_apart() -> None:
    def change(book: Workbook) -> None:
        put(CONTINUED, 6, "服务器", 1)(book)
        target = book["基本情况"]
        for name in (SHEET, CONTINUED):
            start = target.max_row + 2
            for row in book[name].iter_rows():
                for cell in row:
                    if cell.value is not None:
                        target.cell(start + cell.row, cell.column).value = cell.value
            book.remove(book[name])

    seen = read(change)
    assert (rows_in(seen), others_in(seen)) == (cells(SCREEN, TABLET, LAPTOP, ("服务器", 1)), OTHERS)


def test_what_goes_back_holds_every_row_and_marks_the_wrong_cell() -> None:
    seen = read(put(CONTINUED, 20, "服务器", 1, 4))
    form = equipment().form
    found = examine(form, seen.answers, None, seen.moved).findings
    summary = ReturnSummary("示例县第一小学", "2026年第四季度", midnight(dt.date(2027, 1, 4)), "", 1)
    data = annotate(equipment(), IDENTITY, PRINTED, seen.answers, found, summary)
    again = read_file(data, "退回.xlsx", {(form.id, form.version): form})
    assert (rows_in(again), again.moved) == (rows_in(seen), {})
    sheet = load(data)[SHEET]
    assert sheet["B7"].value == "服务器"
    assert sheet["D7"].comment is not None
    assert sheet["D7"].fill.fgColor.rgb == "FFFFC7CE"


def test_a_form_check_tells_the_tables_and_their_room(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "school.xlsx"
    path.write_bytes(form_bytes())
    assert main(["form", "check", str(path)]) == 0
    assert "“设备”表（4列，最多25行）" in capsys.readouterr().out


def test_two_tables_with_the_same_words_above_them_are_kept_apart() -> None:
    drawn = {
        "A1": "甲、教学设备", "B2": "名称", "C2": "数量", "B3": "{{教学.名称}}", "C3": "{{教学.数量}}",
        "A8": "乙、办公设备", "B9": "名称", "C9": "数量", "B10": "{{办公.名称}}", "C10": "{{办公.数量}}",
        "A14": "终端总数", "C14": "{{终端总数}}",
    }  # fmt: skip
    columns = [
        field(f"{table}.{name}", kind, 标签=name, 必填="否")
        for table in ("教学", "办公")
        for name, kind in (("名称", "文本"), ("数量", "整数"))
    ]

    def boxes(book: Workbook) -> None:
        for row in (*book[SHEET]["B3:C6"], *book[SHEET]["B10:C12"]):
            for cell in row:
                cell.border = Border(top=Side(style="thin"), left=Side(style="thin"))

    compiled = compile_form(form_bytes(drawn, columns, (), change=boxes), "school.xlsx")
    assert [table.rows for table in compiled.form.tables] == [24, 23]
    filled: dict[str, Value] = {
        **OTHERS, "教学.1.名称": "大屏", "教学.2.名称": "平板", "办公.1.名称": "打印机", "办公.1.数量": 2, "教学.5.名称": "投影"
    }  # fmt: skip

    def change(book: Workbook) -> None:
        book[SHEET].insert_rows(4, 3)
        put(SHEET, 5, "话筒", 8)(book)

    form = compiled.form
    data = edited(stamp(compiled, IDENTITY, PRINTED, filled), change)
    seen = read_file(data, "填好.xlsx", {(form.id, form.version): form})
    tables = {name: value for name, value in seen.answers.items() if "." in name}
    assert tables == {
        "教学.1.名称": "大屏", "教学.2.名称": "话筒", "教学.2.数量": 8, "教学.3.名称": "平板", "教学.4.名称": "投影",
        "办公.1.名称": "打印机", "办公.1.数量": 2,
    }  # fmt: skip
    assert seen.answers["终端总数"] == 21


LINES = st.lists(
    st.one_of(
        st.just(()),
        st.tuples(st.sampled_from(["大屏", "平板", "打印机", "数量", "3"]), st.integers(0, 99)),
        st.tuples(st.none(), st.integers(0, 99)),
    ),
    max_size=12,
)


@settings(max_examples=20, deadline=None)
@given(drawn=LINES, continued=LINES)
def test_whatever_rows_stand_in_a_table_they_are_read_in_their_order(
    drawn: list[tuple[Value, ...]], continued: list[tuple[Value, ...]]
) -> None:
    """More lines than are drawn mean rows inserted, fewer mean rows deleted."""

    def change(book: Workbook) -> None:
        spare = len(drawn) - 5
        if spare > 0:
            book[SHEET].insert_rows(5, spare)
        elif spare < 0:
            book[SHEET].delete_rows(4, -spare)
        for at, line in enumerate(drawn, start=4):
            put(SHEET, at, *(line or (None, None)))(book)
        for at, line in enumerate(continued, start=6):
            put(CONTINUED, at, *(line or (None, None)))(book)

    seen = read(change, OTHERS)
    lines = [line for line in (*drawn, *continued) if any(value is not None for value in line)]
    assert rows_in(seen) == {name: value for name, value in cells(*lines).items() if value is not None}
    assert others_in(seen) == OTHERS


def test_a_copy_saved_by_another_office_program_gives_the_same_rows(soffice: Office, tmp_path: Path) -> None:
    def change(book: Workbook) -> None:
        book[SHEET].insert_rows(6, 2)
        put(SHEET, 6, "打印机", 2)(book)
        put(CONTINUED, 9, "服务器", 1)(book)

    source = tmp_path / "填好.xlsx"
    source.write_bytes(edited(stamped(ANSWERS), change))
    form = equipment().form
    wanted = cells(SCREEN, TABLET, ("打印机", 2), LAPTOP, ("服务器", 1))
    for kind in ("xls", "ods", "xlsx"):
        seen = read_file(
            soffice(source, kind, tmp_path / kind).read_bytes(),
            f"填好.{kind}",
            {(form.id, form.version): form},
        )
        assert rows_in(seen) == wanted, kind
        assert others_in(seen) == OTHERS, kind


def test_a_table_pasted_into_the_mail_is_read_to_its_end() -> None:
    copy = edited(stamped({**ANSWERS, **cells(SCREEN, TABLET, LAPTOP, ("打印机", 2))}), lambda _: None)
    form = equipment().form
    seen = read_file(page(copy), "正文.html", {(form.id, form.version): form})
    assert {name: str(value) for name, value in rows_in(seen).items() if name.endswith(".数量")} == {
        f"设备.{row}.数量": count for row, count in enumerate(("3", "6", "12", "2"), start=1)
    }
