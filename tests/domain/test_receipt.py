"""The 负责人回执表: which cells are asked, what its code says, and when sealed paper and electronic copy agree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.domain.receipt import (
    SURE,
    SURE_DIGIT,
    Column,
    Entry,
    ReceiptAnswers,
    ReceiptMark,
    Verdict,
    asked_cells,
    compare,
    missing_cells,
    read_code,
    receipt_code,
    unit_named,
)
from workflow.domain.roster import Role, UnitKind

CONSISTENT, DIFFERS, UNREADABLE = Verdict.CONSISTENT, Verdict.DIFFERS, Verdict.UNREADABLE
ADMINISTRATOR = Role.ADMINISTRATOR


def verdict(column: Column, typed: str, seen: str, confidence: float = 1.0, digits: float = 1.0) -> Verdict:
    """What one cell of the 管理员 gives."""
    cell = (ADMINISTRATOR, column)
    ours = ReceiptAnswers({cell: Entry(typed)})
    theirs = ReceiptAnswers({cell: Entry(seen, confidence, digits)})
    told = compare(ours, theirs, UnitKind.PROVINCIAL_VOCATIONAL)
    return next(one.verdict for one in told.fields if one.cell == cell)


def answers(**changes: str) -> ReceiptAnswers:
    """A 省属中职's whole form."""
    told = {
        Column.NAME: "李示例",
        Column.CHANGED: "否",
        Column.UNIT: "河南省示例学校",
        Column.OFFICE: "信息中心",
        Column.PHONE: "0371-55550001",
        Column.MOBILE: "13800001234",
        Column.EMAIL: "li_01@example.org",
    } | {Column[name]: text for name, text in changes.items()}
    return ReceiptAnswers({(ADMINISTRATOR, column): Entry(text) for column, text in told.items()})


# ── what is asked ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_office_fills_three_rows_but_for_the_two_cells_that_the_form_closes() -> None:
    cells = asked_cells(UnitKind.CITY)
    assert len(cells) == 19
    assert (Role.INSPECTOR, Column.OFFICE) not in cells
    assert (Role.INSPECTOR, Column.EMAIL) not in cells


@pytest.mark.parametrize("kind", [UnitKind.PROVINCIAL_VOCATIONAL, UnitKind.SCHOOL])
def test_a_school_fills_the_row_of_its_administrator(kind: UnitKind) -> None:
    assert {role for role, _ in asked_cells(kind)} == {ADMINISTRATOR}


def test_cells_left_blank_are_named() -> None:
    assert missing_cells(answers(OFFICE=" "), UnitKind.PROVINCIAL_VOCATIONAL) == (
        (ADMINISTRATOR, Column.OFFICE),
    )
    assert len(missing_cells(answers(), UnitKind.CITY)) == 12


# ── the code ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_the_code_says_is_read_back() -> None:
    text = receipt_code("2026q4", "410100", "HZ-1ABC")
    assert read_code(text) == ReceiptMark("2026Q4", "410100", "HZ-1ABC")


@pytest.mark.parametrize(
    "text", ["", "https://example.org/a/b", "HZ/2026Q4/410100", "HZ/2026Q4//T", "HZ/a/B/C", "HZ/A/B/C/D"]
)
def test_the_code_of_something_else_is_no_mark(text: str) -> None:
    assert read_code(text) is None


# ── the name ──────────────────────────────────────────────────────────────────────────────────────────────────────

NAMES = {
    "1": "示例市教育局",
    "2": "示例市教育局示例分局",
    "3": "另例市教育局",
    "4": "同名大学",
    "5": "同名大学",
    "6": "县局",
}


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("教育行政部门/高校（盖章）：示例市教育局", "1"),
        ("（盖章）：示例市 教育局示例\n分局", "2"),
        ("示例市教育局、另例市教育局", ""),
        ("同名大学", ""),
        ("某某县局", ""),
        ("", ""),
    ],
)
def test_a_unit_is_told_by_the_one_longest_name_on_the_page(text: str, unit: str) -> None:
    assert unit_named(text, NAMES) == unit


# ── one cell ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("column", "typed", "seen", "expected"),
    [
        (Column.NAME, "李 明", "李明", CONSISTENT),
        (Column.NAME, "阿依古丽·买买提", "阿依古丽•买买提", CONSISTENT),
        (Column.NAME, "李明", "李朋", DIFFERS),
        (Column.NAME, "李明", "", DIFFERS),
        (Column.NAME, "", "", CONSISTENT),
        (Column.UNIT, "示例市教育局(本级)", "示例市教育局（本级）", CONSISTENT),
        (Column.CHANGED, "是", "否", DIFFERS),
        (Column.PHONE, "0371-5555 0001", "(0371)55550001", CONSISTENT),
        (Column.PHONE, "0371-55550001转802", "0371-55550001-802", CONSISTENT),
        (Column.PHONE, "0371-55550001、55550002", "0371-55550001\n55550002", CONSISTENT),
        (Column.PHONE, "0371-55550001", "0371-55550007", DIFFERS),
        (Column.PHONE, "0371-55550001", "0371-5555000", DIFFERS),
        (Column.PHONE, "0371-55550001", "0371-5555OO01", UNREADABLE),
        (Column.MOBILE, "+86 138 0000 1234", "13800001234", CONSISTENT),
        (Column.MOBILE, "１３８００００１２３４", "13800001234", CONSISTENT),
        (Column.MOBILE, "13800001234", "", DIFFERS),
        (Column.EMAIL, "Li_01@Example.org", "li_01@example.org", CONSISTENT),
        (Column.EMAIL, "li_01@example.org", "li 01@example.org", CONSISTENT),
        (Column.EMAIL, "li_01@example.org", "li_01@exam\nple.org", CONSISTENT),
        (Column.EMAIL, "li01@example.org", "li01@example,org", CONSISTENT),
        (Column.EMAIL, "wl@example.org", "wI@example.org", CONSISTENT),
        (Column.EMAIL, "li_01@example.org", "li01@example.org", UNREADABLE),
        (Column.EMAIL, "li_01@example.org", "li_O1@example.org", UNREADABLE),
        (Column.EMAIL, "li_01@example.org", "li_0l@example.org", UNREADABLE),
        (Column.EMAIL, "li_01@example.org", "li_07@example.org", DIFFERS),
        (Column.EMAIL, "li_01@example.org", "wu_01@example.org", DIFFERS),
    ],
)
def test_a_cell_is_held_against_the_other(column: Column, typed: str, seen: str, expected: Verdict) -> None:
    assert verdict(column, typed, seen) is expected


def test_what_was_not_read_surely_is_a_persons_to_decide() -> None:
    assert verdict(Column.NAME, "李明", "李明", SURE - 0.01) is UNREADABLE
    assert verdict(Column.NAME, "李明", "李朋", SURE - 0.01) is UNREADABLE
    assert verdict(Column.MOBILE, "13800001234", "13800001234", 0.99, SURE_DIGIT - 0.01) is UNREADABLE


def test_a_cell_that_was_not_found_could_not_be_read() -> None:
    told = compare(answers(), ReceiptAnswers(), UnitKind.PROVINCIAL_VOCATIONAL)
    assert {one.verdict for one in told.fields} == {UNREADABLE}


# ── a whole receipt ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_receipt_is_as_good_as_its_worst_cell() -> None:
    kind = UnitKind.PROVINCIAL_VOCATIONAL
    assert compare(answers(), answers(), kind).verdict is CONSISTENT
    told = compare(answers(MOBILE="13800001235"), answers(EMAIL="li_O1@example.org"), kind)
    assert told.verdict is DIFFERS
    assert [(one.cell[1].value, one.verdict.word) for one in told.to_look_at] == [
        ("手机号码", "不一致"),
        ("电子邮箱", "无法识读"),
    ]
    assert compare(answers(), answers(EMAIL="li_O1@example.org"), kind).verdict is UNREADABLE


def test_rows_that_a_school_does_not_fill_are_not_held_against_each_other() -> None:
    stray = {**answers().cells, (Role.INSPECTOR, Column.NAME): Entry("张示例")}
    assert compare(answers(), ReceiptAnswers(stray), UnitKind.PROVINCIAL_VOCATIONAL).verdict is CONSISTENT


DIGITS = st.text("0123456789", min_size=1, max_size=12)
SIGNS = "abcilosz0123456789._-IOl"


@given(
    column=st.sampled_from([Column.PHONE, Column.MOBILE, Column.EMAIL, Column.NAME]),
    before=st.text(SIGNS, max_size=8),
    digit=st.sampled_from("0123456789"),
    other=st.sampled_from("0123456789"),
    after=st.text(SIGNS, max_size=8),
)
def test_one_altered_digit_is_never_called_consistent(
    column: Column, before: str, digit: str, other: str, after: str
) -> None:
    typed, seen = before + digit + after, before + other + after
    if digit != other:
        assert verdict(column, typed, seen) is not CONSISTENT


@given(
    before=st.text(SIGNS, max_size=8),
    pair=st.sampled_from(["0O", "0o", "1l", "1I", "1|", "5S", "2Z"]),
    after=DIGITS,
)
def test_a_letter_read_for_a_digit_or_a_digit_for_a_letter_is_never_called_consistent(
    before: str, pair: str, after: str
) -> None:
    for typed, seen in (pair, pair[::-1]):
        for column in (Column.PHONE, Column.MOBILE, Column.EMAIL):
            assert verdict(column, before + typed + after, before + seen + after) is not CONSISTENT
