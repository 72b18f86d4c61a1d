"""Formulas over field names: how they are read, what they mean, how they are written for Excel."""

from __future__ import annotations

import datetime as dt
import pickle
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

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

ANSWERS = {
    "三": 3,
    "负二": -2,
    "半": 0.5,
    "文字": "abc",
    "数字样": "3",
    "接入": True,
    "未接入": False,
    "建成日": dt.date(2026, 12, 31),
    "空": None,
    "表.列": 7,
}


def worked_out(formula: str) -> object:
    return evaluate(parse(formula), ANSWERS, {"三": 2, "空": None})


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("=1+2*3", 7),
        ("(1+2)*3", 9),
        ("10-3-2", 5),
        ("2^3^2", 64),
        ("-2^2", 4),
        ("0-2^2", -4),
        ("2^-1", 0.5),
        ("--3", 3),
        ("50%", 0.5),
        ("200%%", 0.02),
        ("4^50%", 2),
        ("-2%", -0.02),
        ('"a"&1+2', "a3"),
        ("1&2=12", False),
        ("1<2<3", False),
        ("1=1=TRUE", True),
        (".5+1.", 1.5),
        ("1.5e3", 1500),
        ('"说""好"""', '说"好"'),
        ("true", True),
        ("if(TRUE,1,2)", 1),
        (" = SUM ( 三 , 1 ) ", 4),
        ("表.列+1", 8),
        ("+文字", "abc"),
    ],
)
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


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("空=0", True),
        ('空=""', True),
        ("空=FALSE", True),
        ("空=没有这个字段", True),
        ("空<1", True),
        ("空+1", 1),
        ('空&"x"', "x"),
        ("空", 0),
        ("ISBLANK(空)", True),
        ("ISBLANK(三)", False),
        ("ISBLANK(1/0)", False),
        ("ISBLANK(IF(TRUE,空))", True),
        ("LEN(空)", 0),
        ("NOT(空)", True),
        ('IF(空,"有","无")', "无"),
        ("VALUE(空)", 0),
    ],
)
def test_a_blank_is_nought_empty_text_and_false(formula: str, value: object) -> None:
    assert worked_out(formula) == value


def test_an_empty_text_answer_is_a_blank() -> None:
    assert evaluate(parse("ISBLANK(甲)"), {"甲": ""}) is True


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ('接入="是"', True),
        ('未接入="否"', True),
        ("接入=TRUE", False),
        ('接入&"的"', "是的"),
        ("COUNTA(接入,未接入)", 2),
        ("COUNT(接入)", 0),
        ("接入+1", ExcelError.VALUE),
        ("IF(接入,1,2)", ExcelError.VALUE),
        ("建成日", 46387),
        ("建成日+1>建成日", True),
        ('建成日=VALUE("2026-12-31")', True),
        ('建成日=VALUE("2026年12月31日")', True),
        ('建成日-"2026/12/30"', 1),
    ],
)
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


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("0.1+0.2=0.3", True),
        ("0.1+0.2<=0.3", True),
        ("0.1+0.2>0.3", False),
        ("0.5-0.4-0.1=0", True),
        ("SUM(0.1,0.2,-0.3)=0", True),
        ("1.00000000000001=1", False),
        ("1.000000000000001=1", True),
        ("123456789012345=123456789012346", False),
        ('"ABC"="abc"', True),
        ('文字="ABC"', True),
        ('"Ａ"="ａ"', True),
        ('"É"="é"', True),
        ('"3"=3', False),
        ('"0">999', True),
        ('TRUE>"文字"', True),
        ('"a"<"B"', True),
        ("-0.0=0", True),
    ],
)
def test_comparisons_are_those_of_excel(formula: str, value: object) -> None:
    assert worked_out(formula) is value


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ('"3"+1', 4),
        ("数字样*2", 6),
        ('"1,234"+0', 1234),
        ('"12,34"+0', ExcelError.VALUE),
        ('"85%"+0', 0.85),
        ('" -1.5e2 "+0', -150),
        ('""+1', ExcelError.VALUE),
        ('"三"+1', ExcelError.VALUE),
        ('"TRUE"+1', ExcelError.VALUE),
        ('"2026-02-30"+0', ExcelError.VALUE),
        ("TRUE+TRUE", 2),
        ("1/0", ExcelError.DIV0),
        ("1/空", ExcelError.DIV0),
        ("10^308*10", ExcelError.NUM),
        ("9^9^9^9", ExcelError.NUM),
        ("(-8)^0.5", ExcelError.NUM),
        ("0^0", ExcelError.NUM),
        ("0^-1", ExcelError.DIV0),
        ("SUM(10^308,10^308)", ExcelError.NUM),
        ("1/0+文字*2", ExcelError.DIV0),
        ("文字*2+1/0", ExcelError.VALUE),
        ("(1/0)=(1/0)", ExcelError.DIV0),
        ('1/0&"x"', ExcelError.DIV0),
    ],
)
def test_arithmetic_reads_numeric_text_and_lets_errors_through(formula: str, value: object) -> None:
    assert worked_out(formula) == value


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("IF(TRUE,1,1/0)", 1),
        ("IF(FALSE,1/0,2)", 2),
        ("IF(FALSE,1)", False),
        ("IF(1/0,1,2)", ExcelError.DIV0),
        ('IF("true",1,2)', 1),
        ('IF("x",1,2)', ExcelError.VALUE),
        ("IFERROR(1/0,5)", 5),
        ("IFERROR(4,1/0)", 4),
        ("IFERROR(1/0,文字*1)", ExcelError.VALUE),
        ("AND(1,三>2)", True),
        ("AND(TRUE,空)", True),
        ("AND(文字,TRUE)", True),
        ('AND("x",TRUE)', ExcelError.VALUE),
        ('AND("TRUE",TRUE)', True),
        ("AND(空)", ExcelError.VALUE),
        ("OR(FALSE,0,三)", True),
        ("OR(空,FALSE)", False),
        ("OR(TRUE,1/0)", ExcelError.DIV0),
        ("NOT(0)", True),
        ("NOT(文字)", ExcelError.VALUE),
    ],
)
def test_logical_functions_are_those_of_excel(formula: str, value: object) -> None:
    assert worked_out(formula) == value
    assert type(worked_out(formula)) is (float if type(value) is int else type(value))


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("SUM(三,负二,半)", 1.5),
        ("SUM(三,数字样,文字,空,接入)", 3),
        ('SUM("3",TRUE,1)', 5),
        ('SUM("x",1)', ExcelError.VALUE),
        ("SUM(三,1/0)", ExcelError.DIV0),
        ("SUM(数字样+0)", 3),
        ("MAX(三,负二)", 3),
        ("MIN(三,负二,空)", -2),
        ("MAX(空,文字)", 0),
        ("AVERAGE(三,空,1)", 2),
        ("AVERAGE(空)", ExcelError.DIV0),
        ("COUNT(三,文字,数字样,空,建成日)", 2),
        ('COUNT("3","x",TRUE,1/0)', 2),
        ("COUNTA(三,文字,空,接入,1/0)", 4),
        ('COUNTA("")', 1),
        ("ABS(负二)", 2),
        ("LEN(文字)", 3),
        ("LEN(12.50)", 4),
        ("LEN(TRUE)", 4),
        ('VALUE("12")', 12),
        ("VALUE(TRUE)", ExcelError.VALUE),
        ('VALUE("")', ExcelError.VALUE),
    ],
)
def test_aggregates_leave_out_texts_and_blanks_of_cells_but_read_literals(
    formula: str, value: object
) -> None:
    assert worked_out(formula) == value


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("ROUND(2.675,2)", 2.68),
        ("ROUND(1.005,2)", 1.01),
        ("ROUND(2.5,0)", 3),
        ("ROUND(-2.5,0)", -3),
        ("ROUND(-0.4,0)", 0),
        ("ROUND(1250,-2)", 1300),
        ("ROUND(5,-1)", 10),
        ("ROUND(4,-400)", 0),
        ("ROUND(1.23,1.9)", 1.2),
        ("ROUND(1.23,999999999)", 1.23),
        ("ROUND(1234567890123456,0)", 1234567890123456),
        ("ROUND(1.1e300,2)", 1.1e300),
        ("INT(1.9)", 1),
        ("INT(-1.1)", -2),
        ("MOD(7,3)", 1),
        ("MOD(-7,3)", 2),
        ("MOD(7,-3)", -2),
        ("MOD(5.5,2)", 1.5),
        ("MOD(7,0)", ExcelError.DIV0),
    ],
)
def test_rounding_is_decimal_and_remainders_have_the_sign_of_the_divisor(formula: str, value: object) -> None:
    assert worked_out(formula) == value


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        ('1.50&""', "1.5"),
        ('1/3&""', "0.333333333333333"),
        ('(0.1+0.2)&""', "0.3"),
        ('-0.0&""', "0"),
        ('100000&""', "100000"),
        ('10^20&""', "100000000000000000000"),
        ('10^21&""', "1E+21"),
        ('1.5*10^-30&""', "1.5E-30"),
        ('TRUE&""', "TRUE"),
    ],
)
def test_a_number_joined_to_a_text_shows_up_to_fifteen_digits(formula: str, text: str) -> None:
    assert worked_out(formula) == text


def test_last_period_is_read_from_the_previous_answers() -> None:
    grown = parse("=三>上期(三)")
    assert holds(grown, ANSWERS, {"三": 2}) is True
    assert holds(grown, ANSWERS, {"三": 3}) is False


@pytest.mark.parametrize("previous", [None, {}, {"三": None}, {"三": ""}])
@pytest.mark.parametrize(
    "formula",
    [
        "上期(三)=0",
        "IFERROR(上期(三),1)",
        "COUNTA(上期(三))",
        "ISBLANK(上期(三))",
        "OR(TRUE,上期(三)>1)",
        "-上期(三)",
    ],
)
def test_without_last_periods_value_a_rule_says_nothing(
    formula: str, previous: dict[str, None] | None
) -> None:
    assert evaluate(parse(formula), ANSWERS, previous) is NO_PREVIOUS
    assert holds(parse(formula), ANSWERS, previous) is None


def test_a_branch_that_is_not_taken_does_not_ask_for_last_period() -> None:
    assert holds(parse("IF(ISBLANK(空),TRUE,上期(三)>0)"), ANSWERS, None) is True


@pytest.mark.parametrize(
    ("formula", "kept"),
    [
        ("三>2", True),
        ("三<2", False),
        ("三", True),
        ("0", False),
        ("空", False),
        ("文字", None),
        ('"TRUE"', None),
        ("文字>1", True),
        ("文字*1>1", None),
        ("1/0", None),
    ],
)
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


def test_twenty_rules_over_five_hundred_submissions_take_no_time() -> None:
    formulas = [
        "=教师数<=在校生数",
        "=OR(上期(带宽)=0,ABS(带宽-上期(带宽))<=上期(带宽)*0.5)",
        '=IF(接入="是",带宽>0,带宽=0)',
        "=SUM(甲,乙,丙,丁)=合计",
    ] * 5
    rules = [parse(formula) for formula in formulas]
    answers = {
        "教师数": 9,
        "在校生数": 90,
        "带宽": 200,
        "接入": True,
        "甲": 1,
        "乙": 2,
        "丙": 3,
        "丁": 4,
        "合计": 10,
    }

    def once() -> float:
        began = time.perf_counter()
        for _ in range(500):
            assert all(holds(rule, answers, answers) for rule in rules)
        return time.perf_counter() - began

    assert min(once() for _ in range(5)) < 0.06


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
