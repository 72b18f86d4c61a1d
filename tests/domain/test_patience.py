"""Patient reading: units behind numbers, dates of either system, ticked boxes, lost zeros; and what stays a question."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.offices import number
from workflow.domain.answers import Unclear, Understood, plain_number, understand
from workflow.domain.days import DAYS_TO_1904, day_of_serial
from workflow.domain.form import Field, FieldType, Value
from workflow.domain.submission import LOST, CellError, RawValue

PEOPLE, SETS, ROOMS = (number(name, unit=name) for name in ("人", "台", "间"))
SPEED = number("带宽", FieldType.DECIMAL, unit="Mbps")
MONEY = number("经费", FieldType.DECIMAL, unit="万元")
YUAN = number("金额", FieldType.DECIMAL, unit="元")
SPACE = number("资源", FieldType.DECIMAL, unit="GB")
COUNT = number("数", FieldType.DECIMAL)
SHARE = Field("占比", "占比", FieldType.PERCENT, minimum=0, maximum=1, unit="%")
WIDE_SHARE = Field("增幅", "增幅", FieldType.PERCENT, minimum=0, maximum=2)
CODE = Field("邮编", "邮编", FieldType.TEXT, pattern=r"\d{6}")
ACCESS = Field("接入", "接入", FieldType.CHOICE, choices=("<100M", "100M-500M", "1.5G", "≥2G（含）"))
TEXT, DAY, YES, PHONE, EMAIL = (
    Field(kind.value, kind.value, kind)
    for kind in (FieldType.TEXT, FieldType.DATE, FieldType.YES_NO, FieldType.PHONE, FieldType.EMAIL)
)


def read(field: Field, raw: RawValue) -> Value:
    """The value, with the promise that a changed one comes with its note."""
    seen = understand(field, raw)
    assert isinstance(seen, Understood), seen
    assert seen.note
    return seen.value


@pytest.mark.parametrize(
    ("field", "typed", "value"),
    [
        (SPEED, "100Mbps", 100), (SPEED, "１００　ＭＢＰＳ", 100), (SPEED, "100M", 100), (SPEED, "100兆", 100),
        (SPEED, "1G", 1000), (SPEED, "1.5Gbps", 1500), (SPEED, "512Kbps", 0.512),
        (SETS, "3台", 3), (SETS, "3部", 3), (SETS, "3个", 3), (PEOPLE, "12名", 12), (PEOPLE, "1.2万", 12000),
        (ROOMS, "12 间。", 12), (COUNT, "3台", 3), (COUNT, "1.2亿", 120000000),
        (MONEY, "1.2万元", 1.2), (MONEY, "5000元", 0.5), (MONEY, "0.3亿元", 3000), (YUAN, "1.2万元", 12000),
        (YUAN, "1.1万", 11000), (YUAN, "3千元", 3000), (YUAN, "500块", 500), (SPACE, "500G", 500),
        (PEOPLE, "1 234", 1234), (PEOPLE, "１，２３４\n", 1234), (PEOPLE, "\u200b812", 812), (MONEY, "−3", -3),
    ],
)  # fmt: skip
def test_units_typed_with_the_number_are_turned_into_the_fields_own(
    field: Field, typed: str, value: Value
) -> None:
    assert read(field, typed) == value


@pytest.mark.parametrize(
    ("field", "typed", "code"),
    [
        (MONEY, "1.2万", "unit-unclear"),  # 1.2 or 12000 of 万元
        (MONEY, "3人", "unit-unclear"), (SETS, "3间", "unit-unclear"), (SPEED, "100MB/s", "unit-unclear"),
        (SPEED, "12MBps", "unit-unclear"), (SPACE, "1T", "unit-unclear"), (PEOPLE, "12人左右", "unit-unclear"),
        (PEOPLE, "8 12", "not-a-number"), (PEOPLE, "8\n12", "not-a-number"), (PEOPLE, "10-12", "not-a-number"),
        (PEOPLE, "近百人", "not-a-number"), (PEOPLE, "/", "not-a-number"), (PEOPLE, "1.234,5", "not-a-number"),
        (SHARE, "1", "percent-unclear"), (WIDE_SHARE, 1.5, "percent-unclear"),
        (DAY, "2019年11月", "not-a-date"), (DAY, "19.11.1", "not-a-date"), (DAY, "11/1/2019", "not-a-date"),
        (DAY, "二〇一九年十三月一日", "not-a-date"), (YES, "是/否", "not-yes-or-no"), (YES, "√是√否", "not-yes-or-no"),
        (ACCESS, ">100M", "not-a-choice"), (ACCESS, "15G", "not-a-choice"), (PHONE, "0371-5555123/19900000001", "not-a-phone"),
    ],
)  # fmt: skip
def test_what_can_be_read_in_two_ways_is_asked(field: Field, typed: RawValue, code: str) -> None:
    assert understand(field, typed) == Unclear(code)


@pytest.mark.parametrize(
    ("field", "typed", "value"),
    [
        (SHARE, 85, 0.85), (SHARE, "85", 0.85), (SHARE, "85％", 0.85), (SHARE, "百分之85", 0.85), (SHARE, " 0.85 \n", 0.85),
        (WIDE_SHARE, 85, 0.85), (WIDE_SHARE, "150%", 1.5),
        (DAY, "2019年11月1日", dt.date(2019, 11, 1)), (DAY, "2019.11.1", dt.date(2019, 11, 1)),
        (DAY, "2019、11、1", dt.date(2019, 11, 1)), (DAY, "二〇一九年十一月二十一日", dt.date(2019, 11, 21)),
        (DAY, "2019/11/1 14:30", dt.date(2019, 11, 1)), (DAY, "43770", dt.date(2019, 11, 1)),
        (YES, "有", True), (YES, "Ｙ", True), (YES, "☑是 □否", True), (YES, "是□ 否√", False), (YES, "是。", True), (YES, "×", False),
        (ACCESS, "100M～500M", "100M-500M"), (ACCESS, "≥2G(含）", "≥2G（含）"), (ACCESS, "1．5G", "1.5G"),
        (PHONE, "０３７１ － ５５５５ １２３４", "0371-55551234"), (PHONE, 37155551234, "0371-55551234"), (PHONE, 3915555123, "0391-5555123"),
        (PHONE, 1055551234, "010-55551234"), (PHONE, "199-0000-0001", "19900000001"), (PHONE, "019900000001", "19900000001"),
        (PHONE, "4005555123", "400-555-5123"), (EMAIL, "school ＠ county。test", "school@county.test"),
        (CODE, "４５００００", "450000"), (CODE, "450 000", "450000"), (TEXT, "示例小学\n", "示例小学"),
    ],
)  # fmt: skip
def test_what_has_one_meaning_is_read_with_a_note(field: Field, typed: RawValue, value: Value) -> None:
    assert read(field, typed) == value


def test_an_answer_that_was_not_found_is_asked_for() -> None:
    assert understand(TEXT, CellError(LOST)) == Unclear("not-found")


@given(st.dates(dt.date(1960, 1, 1), dt.date(2100, 1, 1)))
def test_a_serial_number_is_read_by_the_workbooks_own_date_system(day: dt.date) -> None:
    serial = (day - dt.date(1899, 12, 30)).days
    assert day_of_serial(serial, since_1904=False) == day
    assert day_of_serial(serial - DAYS_TO_1904, since_1904=True) == day
    assert read(DAY, serial) == day


WIDE = str.maketrans("0123456789.,-%", "０１２３４５６７８９．，－％")


@given(
    st.integers(-(10**9), 10**9), st.booleans(), st.booleans(), st.sampled_from(["", "人", " 人", "名", "\n"])
)
def test_a_whole_number_dressed_up_is_the_same_number(
    value: int, wide: bool, grouped: bool, behind: str
) -> None:
    typed = f"{value:,}" if grouped else str(value)
    typed = (typed.translate(WIDE) if wide else typed) + behind
    seen = understand(PEOPLE, typed)
    assert isinstance(seen, Understood)
    assert seen.value == value
    assert bool(seen.note) is (typed != str(value))


@given(st.integers(1, 10**7), st.sampled_from([("元", 1), ("千元", 10**3), ("万元", 10**4), ("亿元", 10**8)]))
def test_money_is_converted_exactly(cents: int, unit: tuple[str, int]) -> None:
    seen = understand(YUAN, f"{cents / 100:.2f}{unit[0]}")
    assert isinstance(seen, Understood)
    assert seen.value == pytest.approx(cents * unit[1] / 100, rel=1e-15)


@given(
    st.dates(dt.date(1990, 1, 1), dt.date(2099, 12, 31)),
    st.sampled_from(["{0}年{1}月{2}日", "{0}.{1}.{2}", "{0}/{1:02}/{2:02}", "{0}{1:02}{2:02}"]),
)
def test_a_day_in_any_dress_is_the_same_day(day: dt.date, dress: str) -> None:
    typed = dress.format(day.year, day.month, day.day)
    assert read(DAY, typed) == day
    assert read(DAY, typed.translate(WIDE) + " ") == day


@given(
    st.sampled_from([PEOPLE, SPEED, MONEY, SHARE, DAY, YES, ACCESS, PHONE, EMAIL, TEXT, CODE]),
    st.text(max_size=14),
)
def test_nothing_that_is_read_differently_from_how_it_was_typed_is_silent(field: Field, typed: str) -> None:
    seen = understand(field, typed)
    if isinstance(seen, Understood) and seen.value is not None and not seen.note:
        plain = seen.value
        shown = (
            ("是" if plain else "否")
            if isinstance(plain, bool)
            else plain_number(plain)
            if isinstance(plain, int | float)
            else str(plain)
        )
        assert typed.strip() == shown
