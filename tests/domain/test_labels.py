"""Answers found by the words around them: whatever was inserted, deleted or renamed, a place that is given is the right one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflow.domain.form import Anchor, Field, FieldType, Form, Slot, column_letters
from workflow.domain.labels import LEAST_SHARE, locate, stands
from workflow.domain.recognition import best_form
from workflow.domain.sheet_match import words

Grid = dict[str, list[list[object]]]

LABELS = (
    "班级数",
    "在校生数",
    "其中：寄宿生数",
    "教职工数",
    "其中：女",
    "学生终端数",
    "其中：女",
    "教师终端数",
    "带宽",
    "经费支出",
)
UNITS = ("个", "人", "人", "人", "人", "台", "人", "台", "Mbps", "万元")
HEAD = 2


def form(sheets: int = 2) -> Form:
    """Two sheets of ten rows: number, label, unit, answer, remark; the same label twice in each."""
    anchors: list[Anchor] = []
    slots: list[Slot] = []
    for page in range(sheets):
        sheet = f"表{page}"
        anchors += [
            Anchor(sheet, 1, 1, f"教育信息化季报表（{page}）"),
            Anchor(sheet, 2, 2, "指标名称"),
            Anchor(sheet, 2, 4, "填报内容"),
        ]
        for at, (label, unit) in enumerate(zip(LABELS, UNITS, strict=True)):
            row = at + HEAD + 1
            name = label if label.startswith("其中") else f"{label}{'甲乙'[page]}"
            anchors += [
                Anchor(sheet, row, 1, str(at + 1 + page * 10)), Anchor(sheet, row, 2, name),
                Anchor(sheet, row, 3, unit), Anchor(sheet, row, 5, f"说明{'甲乙'[page]}之{at}"),
            ]  # fmt: skip
            slots.append(Slot(f"f{page}_{at}", sheet, row, 4))
    fields = tuple(Field(slot.field, slot.field, FieldType.TEXT) for slot in slots)
    return Form(
        "school", "教育信息化季报表", 1, ("中小学",), "豫1表", "", fields, (), tuple(slots), tuple(anchors)
    )


FORM = form()


def grid(one: Form = FORM) -> Grid:
    """The form filled in: each answer is its own field's name, so that a wrong place shows."""
    pages: Grid = {}
    for sheet in dict.fromkeys(anchor.sheet for anchor in one.anchors):
        rows: list[list[object]] = [[""] * 5 for _ in range(len(LABELS) + HEAD)]
        for anchor in one.anchors:
            if anchor.sheet == sheet:
                rows[anchor.row - 1][anchor.column - 1] = anchor.text
        for slot in one.slots:
            if slot.sheet == sheet:
                rows[slot.row - 1][slot.column - 1] = f"答{slot.field}"
        pages[sheet] = rows
    return pages


def insert_row(rows: list[list[object]], at: int) -> None:
    rows.insert(at % (len(rows) + 1), [""] * 5)


def delete_row(rows: list[list[object]], at: int) -> None:
    del rows[at % len(rows)]


def insert_column(rows: list[list[object]], at: int) -> None:
    for row in rows:
        row.insert(at % 6, "")


def delete_column(rows: list[list[object]], at: int) -> None:
    """Not the answers' own: number, unit or remark."""
    column = (0, 2, 4)[at % 3]
    for row in rows:
        if len(row) > column and not str(row[column]).startswith("答"):
            del row[column]


def swap_rows(rows: list[list[object]], at: int) -> None:
    one, two = at % len(rows), (at * 7 + 3) % len(rows)
    rows[one], rows[two] = rows[two], rows[one]


def edit_label(rows: list[list[object]], at: int) -> None:
    row = rows[at % len(rows)]
    if len(row) > 1 and isinstance(row[1], str) and row[1] and not row[1].startswith("答"):
        row[1] = f"{row[1]}（合计）"


def forget_label(rows: list[list[object]], at: int) -> None:
    row = rows[at % len(rows)]
    if len(row) > 1 and not str(row[1]).startswith("答"):
        row[1] = ""


DAMAGES = (insert_row, delete_row, insert_column, delete_column, swap_rows, edit_label, forget_label)


# The same cases each time: rows with one and the same label, swapped with all else gone, can't be told by anybody.
@settings(derandomize=True, max_examples=400, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(DAMAGES), st.integers(0, 1), st.integers(0, 40)), max_size=5),
    st.booleans(),
    st.booleans(),
)
def test_a_place_that_is_given_is_the_right_one(
    damages: list[tuple[object, int, int]], renamed: bool, reordered: bool
) -> None:
    pages = grid()
    for damage, page, at in damages:
        assert callable(damage)
        damage(pages[f"表{page}"], at)
    if renamed:
        pages = {f"Sheet{number}": rows for number, rows in enumerate(pages.values())}
    if reordered:
        pages = dict(reversed(pages.items()))
    located = locate(FORM, pages)
    for field, (sheet, row, column) in (located.places if located else {}).items():
        assert pages[sheet][row - 1][column - 1] == f"答{field}"
    if located is not None:
        assert set(located.places) | set(located.lost) == {slot.field for slot in FORM.slots}
        assert not set(located.places) & set(located.lost)


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 12)), min_size=1, max_size=6))
def test_inserted_rows_alone_lose_nothing(places: list[tuple[int, int]]) -> None:
    pages = grid()
    for page, at in places:
        insert_row(pages[f"表{page}"], at)
    located = locate(FORM, pages)
    assert located is not None
    # A repeated label between two inserted rows has nothing left that tells it.
    assert {field for field in located.lost if not field.endswith(("_4", "_6"))} == set()


def test_the_forms_own_cells_stand_until_something_moves() -> None:
    pages = grid()
    assert stands(FORM, pages)
    pages["表0"][3][1] = " 在校生数甲 "  # a blank more is no other label
    assert stands(FORM, pages)
    for damage, at in ((insert_row, 2), (insert_column, 3), (delete_row, 4), (swap_rows, 5)):
        moved = grid()
        damage(moved["表0"], at)
        assert not stands(FORM, moved), damage


def test_another_form_is_none_and_half_of_one_is_still_told() -> None:
    assert locate(FORM, {"x": [["课程表"], ["语文", "数学"]]}) is None
    assert locate(FORM, {}) is None
    assert locate(replace(FORM, anchors=()), grid()) is None
    half = {"表0": grid()["表0"]}
    located = locate(FORM, half)
    assert located is not None
    assert located.share == LEAST_SHARE


def test_the_form_is_told_by_its_title_and_labels_or_not_at_all() -> None:
    other = replace(FORM, id="college", title="高校季报表", number="豫2表")
    assert best_form([FORM, other], grid()) == FORM
    assert best_form([FORM, replace(FORM, version=2)], grid()) == replace(FORM, version=2)
    assert best_form([FORM, replace(FORM, id="twin")], grid()) is None
    assert best_form([FORM], {"表": [["教育信息化季报表"]]}) is None


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (" 其中：女 ", "其中女"),
        ("（一）ＡＢ", "一ab"),
        (12.0, "12"),
        (0.5, ""),
        (None, ""),
        (True, ""),
        ("85%", "85%"),
    ],
)
def test_words_are_compared_without_dress(value: object, word: str) -> None:
    assert words(value) == word


def test_addresses_are_written_as_excel_does() -> None:
    assert column_letters(28) == "AB"
