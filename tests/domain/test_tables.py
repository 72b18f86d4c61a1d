"""A table is a list of rows: sorted is the same, and what was added, removed or mended is told row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.offices import form_of, number
from workflow.domain.form import Field, FieldType, Table, cell_name
from workflow.domain.tables import (
    Row,
    close_gaps,
    column_label,
    compare,
    differing,
    notes_in_words,
    rows_of,
    same_rows,
    unchanged,
)

if TYPE_CHECKING:
    from workflow.domain.submission import Answers

COLUMNS = (
    Field("设备.名称", "名称", FieldType.TEXT),
    number("设备.数量", label="数量"),
    Field("设备.在用", "在用", FieldType.YES_NO),
)
DEVICES = Table("设备", COLUMNS, 4)


def answers(*rows: tuple[object, ...]) -> Answers:
    """Flat answers; a blank row is an empty tuple."""
    return {
        cell_name(column.name, at): value  # type: ignore[misc]
        for at, row in enumerate(rows, start=1)
        for column, value in zip(COLUMNS, row, strict=False)
    }


LAPTOPS, TABLETS, SCREENS = ("笔记本", 30, True), ("平板", 12, True), ("大屏", 6, False)


def test_rows_keep_their_numbers_and_blank_ones_say_nothing() -> None:
    assert rows_of(DEVICES, answers(LAPTOPS, (), (None, None, None), SCREENS)) == [
        Row(1, LAPTOPS),
        Row(4, SCREENS),
    ]
    assert rows_of(DEVICES, {"学生": 480}) == []


def test_rows_beyond_the_room_of_a_copy_are_not_forgotten() -> None:
    many = answers(*[LAPTOPS] * 4, TABLETS, SCREENS)
    assert [row.number for row in rows_of(DEVICES, many)] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("before", "after", "words", "cells"),
    [
        ([LAPTOPS, TABLETS], [TABLETS, LAPTOPS], "", set()),
        ([LAPTOPS, TABLETS], [LAPTOPS, (), TABLETS], "", set()),
        ([], [LAPTOPS], "增加1行", {"设备.1.名称", "设备.1.数量", "设备.1.在用"}),
        ([LAPTOPS, TABLETS], [TABLETS], "减少1行", set()),
        # Sorted and mended at once: the row is known by its first column.
        ([LAPTOPS, TABLETS], [TABLETS, ("笔记本", 31, True)], "修改1行", {"设备.2.数量"}),
        # Its name was mended: the other columns tell that it is the same row.
        ([LAPTOPS], [("笔记本电脑", 30, True)], "修改1行", {"设备.1.名称"}),
        ([LAPTOPS, LAPTOPS], [LAPTOPS], "减少1行", set()),
        (
            [LAPTOPS, TABLETS],
            [SCREENS, ("平板", 13, True), ("投影仪", None, None)],
            "增加2行、减少1行、修改1行",
            {"设备.1.名称", "设备.1.数量", "设备.1.在用", "设备.2.数量", "设备.3.名称"},
        ),
    ],
)
def test_what_differs_is_told_by_rows(
    before: list[tuple[object, ...]], after: list[tuple[object, ...]], words: str, cells: set[str]
) -> None:
    old, new = answers(*before), answers(*after)
    difference = compare(DEVICES, old, new)
    assert (difference.words, difference.cells()) == (words, cells)
    assert bool(difference) is bool(words)
    assert same_rows(DEVICES, old, new) is not bool(words)


ROW = st.tuples(st.sampled_from(["笔记本", "平板", None]), st.integers(0, 3), st.booleans())


@given(st.lists(ROW, max_size=6), st.lists(ROW, max_size=6), st.randoms())
def test_every_row_is_accounted_for_once_and_their_order_is_never_a_difference(
    before: list[tuple[object, ...]],
    after: list[tuple[object, ...]],
    chance: object,
) -> None:
    difference = compare(DEVICES, answers(*before), answers(*after))
    assert (difference.before, difference.after) == (len(before), len(after))
    assert len(before) + len(difference.added) == len(after) + len(difference.removed)
    shuffled = list(before)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert not compare(DEVICES, answers(*before), answers(*shuffled))
    assert same_rows(DEVICES, answers(*before), answers(*after)) is not bool(difference)


def test_a_form_tells_figures_and_tables_apart() -> None:
    form = form_of(number("学生"), tables=(DEVICES,))
    fields, tables = differing(
        form, {"学生": 480, **answers(LAPTOPS, TABLETS)}, {"学生": 500, **answers(TABLETS, LAPTOPS)}
    )
    assert ([field.name for field in fields], tables) == (["学生"], [])
    fields, tables = differing(form, answers(LAPTOPS), answers(LAPTOPS, TABLETS))
    assert ([field.name for field in fields], [one.words for one in tables]) == ([], ["增加1行"])


def test_a_column_is_called_by_its_table_outside_of_it() -> None:
    assert column_label(COLUMNS[1]) == "设备 数量"
    assert column_label(number("设备.数量", label="设备数量")) == "设备数量"
    assert column_label(number("学生", label="在校生数")) == "在校生数"


def test_rows_behind_a_blank_one_move_up() -> None:
    filled = ["设备.1.名称", "设备.4.名称", "设备.4.数量", "设备.6.数量", "在校生数"]
    assert close_gaps(filled) == {
        "设备.4.名称": "设备.2.名称",
        "设备.4.数量": "设备.2.数量",
        "设备.6.数量": "设备.3.数量",
    }


def test_a_table_that_leaves_a_column_out_says_nothing_about_it() -> None:
    last = answers(LAPTOPS, SCREENS)
    assert unchanged(DEVICES, last, answers(("大屏",), ("笔记本",)))
    assert unchanged(DEVICES, last, {})
    assert not unchanged(DEVICES, last, answers(("大屏", 7), ("笔记本",)))
    assert not unchanged(DEVICES, last, answers(("大屏",)))


def test_of_many_notes_on_a_tables_cells_a_few_are_told_and_the_others_counted() -> None:
    form = form_of(number("学生", label="在校生数"), tables=(DEVICES,))
    cells = [cell_name("设备.数量", row) for row in (1, 2, 3, 4)]
    notes = {
        "学生": "“４８０”按 480 读取",
        **dict.fromkeys(cells, "已去掉首尾的空格和换行"),
        "版面": "有改动",
    }
    assert notes_in_words(form, notes) == [
        "在校生数：“４８０”按 480 读取",
        *(f"设备第{row}行数量：已去掉首尾的空格和换行" for row in (1, 2, 3)),
        "版面：有改动",
        "设备：另有1个单元格作了同类处理",
    ]
