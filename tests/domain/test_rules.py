"""Formulas over field names: how they are read, what they mean, how they are written for Excel."""

from __future__ import annotations

import datetime as dt
import pickle
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.meanings import (
    AGGREGATES,
    ANSWERS,
    ARITHMETIC,
    BLANKS,
    COMPARISONS,
    IN_CELLS,
    KEPT,
    LOGIC,
    PRECEDENCE,
    PREVIOUS,
    ROUNDING,
    SHOWN,
    UNKNOWN,
)
from workflow.domain.rules import (
    NO_PREVIOUS,
    ExcelError,
    FormulaError,
    compiled,
    evaluate,
    holds,
    names,
    parse,
    previous_names,
    to_excel,
)


def worked_out(formula: str) -> object:
    return evaluate(parse(formula), ANSWERS, PREVIOUS)


@pytest.mark.parametrize(("formula", "value"), PRECEDENCE)
def test_a_formula_is_read_with_the_precedence_of_excel(formula: str, value: object) -> None:
    assert worked_out(formula) == value


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("＝SUM（三，1）", "=SUM(三,1)"),
        ("SUM(三；1;2)", "SUM(三,1,2)"),
        ("接入=“是”", '接入="是"'),
        ("接入=”是“", '接入="是"'),
        ('接入=“是"', '接入="是"'),
        ("三≥2", "三>=2"),
        ("三＞＝2", "三>=2"),
        ("三＜>2", "三<>2"),
        ("三≠2", "三<>2"),
        ("三×２÷４", "三*2/4"),
        ("三\u3000＋\u00a01", "三+1"),
        ("５０％", "50%"),
        ("“”", '""'),
    ],
)
def test_full_width_punctuation_is_read_as_its_ascii_equal(typed: str, meant: str) -> None:
    assert parse(typed) == parse(meant)


def test_punctuation_inside_a_text_stays_as_it_is() -> None:
    assert worked_out('"（，；）“＋”"') == "（，；）“＋”"


@pytest.mark.parametrize(
    ("formula", "position", "says"),
    [
        ("", 1, "公式是空的"),
        ("  ", 1, "公式是空的"),
        ("=", 2, "第2个字符处：应为数字、文字、字段名、函数或“(”，公式却到此为止"),
        ("=教师数<=", 7, "第7个字符处：应为数字、文字、字段名、函数或“(”，公式却到此为止"),
        ("=SUM(甲,)", 8, "第8个字符处：应为数字、文字、字段名、函数或“(”，却是“)”"),
        ("=(甲+1", 6, "第6个字符处：应为运算符或“)”，公式却到此为止"),
        ("=甲 乙", 4, "第4个字符处：应为运算符或公式结尾，却是“乙”"),
        ("=3甲", 3, "第3个字符处：应为运算符或公式结尾，却是“甲”"),
        ("=VLOOKUP(甲,乙)", 2, "第2个字符处：不支持函数“VLOOKUP”，可用的函数有IF、AND"),
        ("=IF(甲)", 2, "第2个字符处：函数IF要2至3个参数，这里有1个"),
        ("=ABS(甲,乙)", 2, "第2个字符处：函数ABS要1个参数，这里有2个"),
        ("=SUM()", 2, "第2个字符处：函数SUM要1至255个参数，这里有0个"),
        ('=甲="是', 4, "第4个字符处：文字没有结束"),
        ("=A1:B2", 4, "第4个字符处：公式里不能用“:”"),
        ("=表!甲", 3, "第3个字符处：公式里不能用“!”"),
        ("=上期(甲+1)", 6, "第6个字符处：应为“)”（上期的括号里只写一个字段），却是“+”"),
        ("=上期(1)", 5, "第5个字符处：应为字段名（上期的括号里只写一个字段），却是“1”"),
        ("=1e999", 2, "第2个字符处：数字太大"),
        ("=" + "(" * 40 + "1" + ")" * 40, 34, "括号套了超过32层"),
        ("=" + "+".join(["甲"] * 200), 1, "公式的层次超过128层；连加请改用SUM"),
        ("=" + "-" * 5000 + "1", 1, "公式的层次超过128层"),
        ("=" + "1" * 9000, 8193, "公式有9001个字符，最多8192个"),
    ],
)
def test_a_bad_formula_is_refused_with_place_and_expectation(formula: str, position: int, says: str) -> None:
    with pytest.raises(FormulaError) as refused:
        parse(formula)
    assert says in str(refused.value)
    assert refused.value.position == position


@pytest.mark.parametrize(("formula", "value"), BLANKS)
def test_a_blank_is_nought_empty_text_and_false(formula: str, value: object) -> None:
    assert worked_out(formula) == value


def test_an_empty_text_answer_is_a_blank() -> None:
    assert evaluate(parse("ISBLANK(甲)"), {"甲": ""}) is True


@pytest.mark.parametrize(("formula", "value"), IN_CELLS)
def test_an_answer_is_what_stands_in_its_cell(formula: str, value: object) -> None:
    assert worked_out(formula) == value


@pytest.mark.parametrize(
    ("day", "number"),
    [
        (dt.date(1900, 1, 1), 1),
        (dt.date(1900, 2, 28), 59),
        (dt.date(1900, 3, 1), 61),
        (dt.datetime(2026, 1, 1, 12), 46023.5),  # noqa: DTZ001 - a cell knows no zone
    ],
)
def test_a_date_is_its_serial_number(day: dt.date, number: float) -> None:
    assert evaluate(parse("日"), {"日": day}) == number


@pytest.mark.parametrize(("formula", "value"), COMPARISONS)
def test_comparisons_are_those_of_excel(formula: str, value: object) -> None:
    assert worked_out(formula) is value


@pytest.mark.parametrize(("formula", "value"), ARITHMETIC)
def test_arithmetic_reads_numeric_text_and_lets_errors_through(formula: str, value: object) -> None:
    assert worked_out(formula) == value


@pytest.mark.parametrize(("formula", "value"), LOGIC)
def test_logical_functions_are_those_of_excel(formula: str, value: object) -> None:
    assert worked_out(formula) == value
    assert type(worked_out(formula)) is (float if type(value) is int else type(value))


@pytest.mark.parametrize(("formula", "value"), AGGREGATES)
def test_aggregates_leave_out_texts_and_blanks_of_cells_but_read_literals(
    formula: str, value: object
) -> None:
    assert worked_out(formula) == value


@pytest.mark.parametrize(("formula", "value"), ROUNDING)
def test_rounding_is_decimal_and_remainders_have_the_sign_of_the_divisor(formula: str, value: object) -> None:
    assert worked_out(formula) == value


@pytest.mark.parametrize(("formula", "text"), SHOWN)
def test_a_number_joined_to_a_text_shows_up_to_fifteen_digits(formula: str, text: str) -> None:
    assert worked_out(formula) == text


def test_last_period_is_read_from_the_previous_answers() -> None:
    grown = parse("=三>上期(三)")
    assert holds(grown, ANSWERS, {"三": 2}) is True
    assert holds(grown, ANSWERS, {"三": 3}) is False


@pytest.mark.parametrize("previous", [None, {}, {"三": None}, {"三": ""}])
@pytest.mark.parametrize("formula", UNKNOWN)
def test_without_last_periods_value_a_rule_says_nothing(
    formula: str, previous: dict[str, None] | None
) -> None:
    assert evaluate(parse(formula), ANSWERS, previous) is NO_PREVIOUS
    assert holds(parse(formula), ANSWERS, previous) is None


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("上期(三)", 2),
        ("+上期(三)", 2),
        ("-上期(三)", -2),
        ("上期(三)%", 0.02),
        ("上期(三)+1", 3),
        ("1+上期(三)", 3),
        ("上期(三)&1", "21"),
        ("1&上期(三)", "12"),
        ("1&三", "13"),
        ("上期(三)>1", True),
        ("3>上期(三)", True),
        ("IF(上期(三)>1,5,6)", 5),
        ("IF(TRUE,上期(三),0)", 2),
        ("IF(FALSE,0,上期(三))", 2),
        ("IF(FALSE,0,三)", 3),
        ("IFERROR(上期(三),0)", 2),
        ("IFERROR(1/0,上期(三))", 2),
        ("IFERROR(三,0)", 3),
        ("NOT(上期(三)=2)", False),
        ("ISBLANK(上期(三))", False),
        ("AND(TRUE,上期(三)>1)", True),
        ("OR(FALSE,上期(三)>1)", True),
        ("SUM(1,上期(三))", 3),
        ("AVERAGE(上期(三),4)", 3),
        ("COUNT(上期(三),1)", 2),
        ("LEN(上期(三))", 1),
        ("VALUE(上期(三))", 2),
        ("ABS(上期(三))", 2),
        ("ROUND(上期(三),上期(三))", 2),
    ],
)
def test_last_periods_value_reaches_every_place_of_a_formula(formula: str, value: object) -> None:
    assert worked_out(formula) == value


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("+空", 0),
        ("MAX(空)", 0),
        ("MIN(空)", 0),
        ("AND(三>1,三>9)", False),
        ("OR(三>1,三>9)", True),
        ('COUNT("3","三")', 1),
        ("COUNT(1/0)", 0),
        ('"共"&1/0', ExcelError.DIV0),
        ("LEN(1/0)", ExcelError.DIV0),
        ("AVERAGE(1e308,1e308)", ExcelError.NUM),
    ],
)
def test_a_blank_is_nothing_and_an_error_goes_through(formula: str, value: object) -> None:
    assert worked_out(formula) == value


def test_a_branch_that_is_not_taken_does_not_ask_for_last_period() -> None:
    assert holds(parse("IF(ISBLANK(空),TRUE,上期(三)>0)"), ANSWERS, None) is True


@pytest.mark.parametrize(("formula", "kept"), KEPT)
def test_a_rule_is_kept_broken_or_says_nothing(formula: str, kept: bool | None) -> None:
    assert holds(parse(formula), ANSWERS) is kept


@pytest.mark.parametrize("number", [float("inf"), float("nan"), 10**400])
def test_a_number_beyond_excel_is_an_error_and_not_a_crash(number: float) -> None:
    assert evaluate(parse("甲+1"), {"甲": number}) is ExcelError.NUM


def test_the_names_of_a_formula_include_those_of_last_period() -> None:
    expr = parse("=IF(甲>1,SUM(乙,上期(丙)),-甲%)&表.列")
    assert names(expr) == {"甲", "乙", "丙", "表.列"}
    assert previous_names(expr) == {"丙"}


@pytest.mark.parametrize(
    ("formula", "written"),
    [
        ("=教师数<=在校生数", "表!E1<=表!E2"),
        ("=(教师数+1)*2-(3-4)", "(表!E1+1)*2-(3-4)"),
        ("=((1+2))+3", "1+2+3"),
        ("=(-2)^2%", "-2^2%"),
        ("=-(2^2)", "-(2^2)"),
        ("=2^(3^2)", "2^(3^2)"),
        ("=(1=2)=(3=4)", "1=2=(3=4)"),
        ("=if(接入=“是”，1.50，1e20)", 'IF(表!E3="是",1.5,1E+20)'),
        ('="说""好"""&TRUE', '"说""好"""&TRUE'),
        ("=(1+2)%", "(1+2)%"),
        ("=上期(教师数)*2", "上期(表!E1)*2"),
    ],
)
def test_a_formula_is_written_for_excel_with_cells_and_the_brackets_it_needs(
    formula: str, written: str
) -> None:
    cells = {"教师数": "表!E1", "在校生数": "表!E2", "接入": "表!E3"}
    assert to_excel(parse(formula), cells.__getitem__) == written


def test_last_period_is_written_as_the_cell_that_holds_it() -> None:
    assert to_excel(parse("甲>上期(甲)"), lambda _: "E1", lambda _: "_上期!B2") == "E1>_上期!B2"


def test_a_tree_survives_being_sent_to_another_process() -> None:
    expr = parse("=IF(甲>1,SUM(乙,上期(丙)),-甲%)&表.列")
    assert pickle.loads(pickle.dumps(expr)) == expr


def test_a_compiled_formula_is_made_once() -> None:
    expr = parse("甲+1")
    assert compiled(expr) is compiled(expr)
    assert compiled(expr)({"甲": 1}, None) == 2


FRAGMENTS = st.sampled_from(
    [
        *'=+-*/^&%<>(),;（），；“”" .',
        "甲",
        "表.列",
        "SUM(",
        "IF(",
        "上期(",
        "TRUE",
        "1",
        "1e9",
        "2.5",
        '"是"',
        "<=",
        "\n",
        "!",
    ]
)
FORMULAS = st.lists(FRAGMENTS, max_size=40).map("".join)


@given(st.one_of(st.text(max_size=60), FORMULAS))
def test_reading_raises_nothing_but_a_formula_error(formula: str) -> None:
    try:
        expr = parse(formula)
    except FormulaError:
        return
    assert isinstance(holds(expr, ANSWERS, ANSWERS), bool | None)


@given(FORMULAS)
def test_the_position_of_an_error_lies_in_the_formula(formula: str) -> None:
    try:
        parse(formula)
        position = 1
    except FormulaError as error:
        position = error.position
    assert 1 <= position <= len(formula) + 1


@pytest.mark.parametrize(
    "fragment", ["(", "IF(1,", "-", "1+", '"', "“", "甲.", "1=", "%", "SUM(1,", "\\", "2^("]
)
def test_a_formula_of_any_length_is_answered_at_once(fragment: str) -> None:
    began = time.perf_counter()
    with pytest.raises(FormulaError):
        parse(fragment * (8191 // len(fragment)))
    assert time.perf_counter() - began < 1


NUMBERS = st.one_of(st.integers(0, 10**16).map(str), st.floats(0, 1e300).map(repr))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5).map(
    lambda text: '"' + text.replace('"', '""') + '"'
)
OPERATORS = st.sampled_from(["+", "-", "*", "/", "^", "&", "=", "<>", "<", "<=", ">", ">="])
WELL_FORMED = st.recursive(
    st.one_of(NUMBERS, TEXTS, st.sampled_from(["TRUE", "FALSE", *ANSWERS, "上期(三)"])),
    lambda inner: st.one_of(
        st.tuples(inner, OPERATORS, inner).map("".join),
        st.tuples(inner, OPERATORS, inner).map(lambda parts: f"({''.join(parts)})"),
        inner.map(lambda part: f"-({part})"),
        inner.map(lambda part: f"({part})%"),
        st.tuples(st.sampled_from(["IF", "SUM", "AND", "COUNTA", "MAX"]), inner, inner).map(
            lambda parts: f"{parts[0]}({parts[1]},{parts[2]})"
        ),
    ),
    max_leaves=12,
)


@given(WELL_FORMED)
def test_what_is_written_for_excel_is_read_back_as_the_same_tree(formula: str) -> None:
    expr = parse(formula)
    assert parse(to_excel(expr, lambda name: name)) == expr


@given(WELL_FORMED)
def test_a_well_formed_formula_always_has_a_value(formula: str) -> None:
    value = evaluate(parse(formula), ANSWERS, ANSWERS)
    assert isinstance(value, float | str | bool | ExcelError)
