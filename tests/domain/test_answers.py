"""What people type into a cell and what is understood by it; what cannot be known stays unclear, with its finding."""

from __future__ import annotations

import datetime as dt
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.offices import number
from workflow.domain.answers import Unclear, Understood, plain_number, shown, understand
from workflow.domain.checks import CATALOGUE
from workflow.domain.form import Field, FieldType, Value
from workflow.domain.submission import CellError, RawValue

NIGHT = dt.datetime(2026, 12, 31, 8, 30)  # noqa: DTZ001 — a cell knows no zone
PEOPLE = number("人数", unit="人")
AREA = number("面积", FieldType.DECIMAL, unit="㎡")
SHARE = number("占比", FieldType.PERCENT)
ACCESS = Field("接入", "接入", FieldType.CHOICE, choices=("光纤", "无线（4G/5G）", "其他"))
TEXT, DAY, YES, PHONE, EMAIL = (
    Field(kind.value, kind.value, kind)
    for kind in (FieldType.TEXT, FieldType.DATE, FieldType.YES_NO, FieldType.PHONE, FieldType.EMAIL)
)

# field, what stands in the cell, what it means, whether a note says what was changed
UNDERSTOOD: list[tuple[Field, RawValue, Value, bool]] = [
    (TEXT, " 示例小学 ", "示例小学", True),
    (TEXT, 138.0, "138", False),
    (TEXT, True, "是", False),
    (TEXT, NIGHT, "2026-12-31", False),
    (TEXT, dt.time(8, 30), "08:30:00", False),
    (PEOPLE, 12, 12, False),
    (PEOPLE, 12.0, 12, False),
    (PEOPLE, "12", 12, False),
    (PEOPLE, "12人", 12, True),
    (PEOPLE, " １２ 人", 12, True),
    (PEOPLE, "1,234", 1234, True),
    (PEOPLE, "1，234 人", 1234, True),
    (PEOPLE, "12.0", 12, True),
    (PEOPLE, "-3", -3, False),
    (AREA, 12.5, 12.5, False),
    (AREA, "12.50", 12.5, True),
    (AREA, ".5㎡", 0.5, True),
    (AREA, "120 ㎡", 120, True),
    (SHARE, 0.85, 0.85, False),
    (SHARE, 1, 1, False),
    (SHARE, 85, 0.85, True),
    (SHARE, "85%", 0.85, True),
    (SHARE, "85％", 0.85, True),
    (SHARE, "0.85", 0.85, False),
    (SHARE, "0.5%", 0.005, True),
    (SHARE, "150%", 1.5, True),
    (DAY, dt.date(2026, 12, 31), dt.date(2026, 12, 31), False),
    (DAY, NIGHT, dt.date(2026, 12, 31), False),
    (DAY, "2026-12-31", dt.date(2026, 12, 31), False),
    (DAY, "2026年12月31日", dt.date(2026, 12, 31), True),
    (DAY, "２０２６．１２．３１", dt.date(2026, 12, 31), True),
    (DAY, "2026/1/5", dt.date(2026, 1, 5), True),
    (DAY, "2026-12-31 00:00:00", dt.date(2026, 12, 31), True),
    (DAY, 20261231, dt.date(2026, 12, 31), True),
    (DAY, 46387, dt.date(2026, 12, 31), True),
    (YES, True, True, False),
    (YES, "是", True, False),
    (YES, "√", True, True),
    (YES, "Ｙ", True, True),
    (YES, 1, True, True),
    (YES, "否", False, False),
    (YES, "没有", False, True),
    (YES, "×", False, True),
    (YES, 0.0, False, True),
    (ACCESS, "光纤", "光纤", False),
    (ACCESS, "无线(4G／5G)", "无线（4G/5G）", True),
    (ACCESS, " 其他 ", "其他", True),
    (PHONE, "0371-55551234", "0371-55551234", False),
    (PHONE, "（0371）5555 1234", "0371-55551234", True),
    (PHONE, "010-55551234", "010-55551234", False),
    (PHONE, "02155551234", "021-55551234", True),
    (PHONE, "0391-5555123", "0391-5555123", False),
    (PHONE, "55551234转801", "55551234-801", True),
    (PHONE, 19900000001, "19900000001", False),
    (PHONE, "+86 199 0000 0001", "19900000001", True),
    (PHONE, "0371－55551234", "0371-55551234", True),
    (EMAIL, "school@county.test", "school@county.test", False),
    (EMAIL, " school＠county.test", "school@county.test", True),
]

UNCLEAR: list[tuple[Field, RawValue | CellError, str]] = [
    *(
        (field, CellError("#DIV/0!"), "cell-error")
        for field in (TEXT, PEOPLE, DAY, YES, ACCESS, PHONE, EMAIL)
    ),
    (PEOPLE, "约12人", "not-a-number"),
    (PEOPLE, "十二", "not-a-number"),
    (PEOPLE, "1,23", "not-a-number"),
    (PEOPLE, "12；13", "not-a-number"),
    (PEOPLE, True, "not-a-number"),
    (PEOPLE, NIGHT, "not-a-number"),
    (PEOPLE, "12%", "not-a-number"),
    (PEOPLE, 12.5, "not-an-integer"),
    (PEOPLE, "12.5", "not-an-integer"),
    (PEOPLE, math.inf, "not-a-number"),
    (PEOPLE, math.nan, "not-a-number"),
    (PEOPLE, "9" * 400, "not-a-number"),
    (SHARE, 150, "percent-unclear"),
    (DAY, "2026年13月1日", "not-a-date"),
    (DAY, "去年", "not-a-date"),
    (DAY, 12, "not-a-date"),
    (DAY, 46387.5, "not-a-date"),
    (DAY, math.inf, "not-a-date"),
    (DAY, True, "not-a-date"),
    (DAY, dt.time(8, 30), "not-a-date"),
    (YES, "部分", "not-yes-or-no"),
    (YES, 2, "not-yes-or-no"),
    (YES, NIGHT, "not-yes-or-no"),
    (YES, math.nan, "not-yes-or-no"),
    (ACCESS, "卫星", "not-a-choice"),
    (ACCESS, "——", "not-a-choice"),
    (PHONE, "12345", "not-a-phone"),
    (PHONE, "0371-55551234/55551235", "not-a-phone"),
    (PHONE, True, "not-a-phone"),
    (EMAIL, "school#county.test", "not-an-email"),
    (EMAIL, "a@b.test、c@d.test", "not-an-email"),
]


@pytest.mark.parametrize(("field", "raw", "value", "noted"), UNDERSTOOD)
def test_what_people_type_is_understood_and_a_change_is_never_silent(
    field: Field, raw: RawValue, value: Value, noted: bool
) -> None:
    read = understand(field, raw)
    assert isinstance(read, Understood)
    assert (read.value, type(read.value)) == (value, type(value))
    assert bool(read.note) is noted, read.note


@pytest.mark.parametrize(("field", "raw", "code"), UNCLEAR)
def test_what_cannot_be_known_is_not_guessed(field: Field, raw: RawValue | CellError, code: str) -> None:
    assert understand(field, raw) == Unclear(code)
    assert code in CATALOGUE
    assert shown(raw)


@pytest.mark.parametrize("field", [TEXT, PEOPLE, SHARE, DAY, YES, ACCESS, PHONE, EMAIL])
@pytest.mark.parametrize("raw", [None, "", " \u3000\n"])
def test_a_blank_is_no_answer(field: Field, raw: RawValue) -> None:
    assert understand(field, raw) == Understood(None)


def test_notes_say_what_was_read() -> None:
    assert understand(PEOPLE, "12人") == Understood(12, "“12人”按 12 读取")
    assert understand(SHARE, 85) == Understood(0.85, "“85”按 85% 读取")
    assert understand(SHARE, "８５") == Understood(0.85, "“８５”按 85% 读取")
    assert understand(SHARE, "85%") == Understood(0.85, "“85%”按 85% 读取")
    assert understand(DAY, 46387) == Understood(dt.date(2026, 12, 31), "日期序号 46387 按 2026-12-31 读取")
    assert understand(YES, "√") == Understood(True, "“√”按“是”读取")


ANY_CELL = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**18), 10**18), st.floats(), st.text(max_size=12),
    st.dates(), st.datetimes(), st.times(), st.just(CellError("#N/A")),
)  # fmt: skip


@given(st.sampled_from([TEXT, PEOPLE, AREA, SHARE, DAY, YES, ACCESS, PHONE, EMAIL]), ANY_CELL)
def test_no_cell_of_any_kind_stops_the_reader(field: Field, raw: RawValue | CellError) -> None:
    read = understand(field, raw)
    assert isinstance(read, Understood) or read.code in CATALOGUE
    assert isinstance(shown(raw), str)


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12))
def test_a_number_typed_is_the_number_read(value: float) -> None:
    read = understand(number("数", FieldType.DECIMAL), f"{value:f}")
    assert isinstance(read, Understood)
    assert read.value == float(f"{value:f}")


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "（空）"), (True, "是"), (False, "否"), (12.0, "12"), (0.1 + 0.2, "0.3"), (-0.5, "-0.5"), (10**16, str(10**16)),
     (dt.date(2026, 12, 31), "2026-12-31"), (CellError("#REF!"), "#REF!"), ("光纤", "光纤"), (math.inf, "inf")],
)  # fmt: skip
def test_how_a_value_is_shown(value: Value | CellError, words: str) -> None:
    assert shown(value) == words


def test_a_plain_number_has_no_exponent_and_no_point_zero() -> None:
    assert [plain_number(n) for n in (3, 3.0, 3.5, 1e14, -0.0)] == ["3", "3", "3.5", "100000000000000", "0"]
