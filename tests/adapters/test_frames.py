"""One contract for the two evaluators of rules: one unit after the other, and over columns of units."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.domain.authors import ANSWERS as PLAUSIBLE
from tests.domain.authors import PREVIOUS as PLAUSIBLE_BEFORE
from tests.domain.authors import Author
from tests.domain.meanings import ANSWERS, KEPT, MEANINGS, PREVIOUS, UNKNOWN
from workflow.adapters import frames
from workflow.adapters.frames.program import results
from workflow.adapters.frames.sheet import BLOCK
from workflow.domain import tallies
from workflow.domain.checks import examine
from workflow.domain.form import EXPLAINS, Field, FieldType, Form, Rule, Severity, Slot
from workflow.domain.rules import NO_PREVIOUS, ExcelError, evaluate, parse
from workflow.domain.tallies import Judge, Judged, Verdict, asked, tally, unread

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workflow.domain.excel import Result
    from workflow.domain.formulas import Expr
    from workflow.domain.submission import Answers

    Pair = tuple[Answers, Answers | None]
    Evaluate = Callable[[Expr, Sequence[Pair]], list[Result]]


def one_by_one(expr: Expr, units: Sequence[Pair]) -> list[Result]:
    return [evaluate(expr, now, last) for now, last in units]


@pytest.fixture(params=[one_by_one, results], ids=["scalar", "columns"])
def work_out(request: pytest.FixtureRequest) -> Evaluate:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture(params=[tallies.judge, frames.judge], ids=["scalar", "columns"])
def judge(request: pytest.FixtureRequest) -> Judge:
    return request.param  # type: ignore[no-any-return]


# what a formula is worth


@pytest.mark.parametrize(("formula", "value"), MEANINGS)
def test_a_formula_has_its_value_alone_and_among_others(
    work_out: Evaluate, formula: str, value: object
) -> None:
    others: list[Pair] = [({}, None), (dict.fromkeys(ANSWERS, "x"), {"三": "y"}), ({"三": 10**400}, {})]
    found = work_out(parse(formula), [(ANSWERS, PREVIOUS), *others, (ANSWERS, PREVIOUS)])
    assert found[0] == found[-1] == value
    assert isinstance(found[0], float | str | bool | ExcelError)


@pytest.mark.parametrize("previous", [None, {}, {"三": None}, {"三": ""}])
@pytest.mark.parametrize("formula", UNKNOWN)
def test_without_last_periods_value_nothing_catches_the_error(
    work_out: Evaluate, formula: str, previous: dict[str, None] | None
) -> None:
    assert work_out(parse(formula), [(ANSWERS, previous)]) == [NO_PREVIOUS]


@pytest.mark.parametrize(
    ("formula", "values"),
    [
        ("SUM(设备.数量)", [15.0, 0.0, 20.0]),
        ("AVERAGE(设备.数量)", [7.5, ExcelError.DIV0, 20.0]),
        ("MAX(设备.数量,4)", [12.0, 4.0, 20.0]),
        ("COUNT(设备.数量)", [2.0, 0.0, 1.0]),
        ("COUNTA(设备.名称,设备.数量)", [5.0, 0.0, 1.0]),
        ("SUM(没有.数量)", [0.0, 0.0, 0.0]),
        ("SUM(设备.数量)>=SUM(上期(设备.数量))", [True, NO_PREVIOUS, NO_PREVIOUS]),
        ("设备.3.数量*2", [24.0, 0.0, 0.0]),
    ],
)
def test_a_column_of_a_table_stands_for_its_cells(
    work_out: Evaluate, formula: str, values: list[object]
) -> None:
    full = {
        "设备.1.名称": "笔记本",
        "设备.1.数量": 3,
        "设备.2.名称": "平板",
        "设备.3.名称": "台式",
        "设备.3.数量": 12,
    }
    units: list[Pair] = [
        ({**full, "设备.4.数量": None}, {"设备.2.数量": 4}),
        ({}, {"设备.1.名称": "笔记本"}),
        ({"设备.7.数量": 20}, None),
    ]
    assert work_out(parse(formula), units) == values


@pytest.mark.parametrize("number", [float("inf"), float("nan"), 10**400])
def test_a_number_beyond_excel_is_an_error(work_out: Evaluate, number: float) -> None:
    assert work_out(parse("甲+1"), [({"甲": number}, None), ({"甲": 1}, None)]) == [ExcelError.NUM, 2.0]


def test_no_units_have_no_values(work_out: Evaluate, judge: Judge) -> None:
    assert work_out(parse("甲+SUM(表.列)"), []) == []
    assert judge(FORM, []) == (b"", b"", b"", b"")


def test_a_column_may_hold_every_kind_of_answer_at_once(work_out: Evaluate) -> None:
    mixed = [3, 3.5, "3", "三", "", True, False, None, dt.date(2026, 12, 31), 10**400]
    units: list[Pair] = [({"甲": value}, None) for value in mixed]
    assert work_out(parse('甲&"|"'), units) == [
        "3|", "3.5|", "3|", "三|", "|", "是|", "否|", "|", "46387|", ExcelError.NUM,
    ]  # fmt: skip
    assert work_out(parse("甲>=3"), units) == [
        True, True, True, True, False, True, True, False, True, ExcelError.NUM,
    ]  # fmt: skip


def test_more_units_than_a_block_come_out_in_their_order(judge: Judge) -> None:
    form = form_of(Rule("J01", Severity.ERROR, "甲<10", "不对"))
    units = [Judged({"甲": place % 11}) for place in range(2 * BLOCK + 5)]
    assert judge(form, units) == (bytes(place % 11 == 10 for place in range(len(units))),)


# random formulas over random answers: no two may differ, in value or in kind

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-50, 3000),
    st.integers(-(10**18), 10**18),
    st.sampled_from(
        [10**400, 0, 1, 0.1, 0.2, 0.3, 2.675, -2.5, 1e15, 0.1 + 0.2, 1e-300, 1.7e308, 123456789012345.6]
    ),
    st.floats(-1e6, 1e6).map(lambda number: round(number, 3)),
    st.floats(),
    st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)),
    st.sampled_from(
        [
            "",
            "是",
            "否",
            "TRUE",
            "false",
            "3",
            "1,234",
            "85%",
            "2026-12-31",
            "ABC小学",
            "abc小学",
            "ß",
            "SS",
            "0",
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
)
UNITS = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from(list(PLAUSIBLE)), VALUES),
        st.none() | st.dictionaries(st.sampled_from(list(PLAUSIBLE_BEFORE)), VALUES),
    ),
    min_size=1,
    max_size=6,
)


def differing(formula: str, units: Sequence[Pair]) -> list[str]:
    expr = parse(formula)
    pairs = zip(one_by_one(expr, units), results(expr, units), units, strict=True)
    return [
        f"{formula}: scalar {ours!r}, columns {theirs!r} of {unit!r}"
        for ours, theirs, unit in pairs
        if (type(ours), ours) != (type(theirs), theirs)
    ]


@pytest.mark.parametrize("seed", [534, 2019])
def test_hundreds_of_sensible_formulas_come_out_alike(seed: int) -> None:
    author = Author(seed)
    units: list[Pair] = [(PLAUSIBLE, PLAUSIBLE_BEFORE), (PLAUSIBLE, None), ({}, PLAUSIBLE_BEFORE)]
    assert [line for _ in range(200) for line in differing(author.formula(), units)] == []


@settings(max_examples=250, deadline=None)
@given(st.integers(0, 10**6), UNITS)
def test_formulas_over_any_answers_come_out_alike(seed: int, units: list[Pair]) -> None:
    assert differing(Author(seed).formula(), units) == []


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["甲+乙=丙", "甲-乙", "甲*乙/丙", "甲^乙", "MOD(甲,乙)", "ROUND(甲,乙)", "SUM(甲,乙,丙)", "AVERAGE(甲,乙,丙)",
                     "甲<乙", "INT(甲)&乙", "ROUND(甲,2)", "ROUND(甲,0)-甲", "甲&乙=丙", "ABS(甲%)", "COUNT(甲,乙+0)", "甲=乙"]),
    st.lists(st.fixed_dictionaries({"甲": VALUES, "乙": VALUES, "丙": VALUES}), min_size=1, max_size=8),
)  # fmt: skip
def test_each_operation_comes_out_alike_over_any_answers(
    formula: str, answers: list[dict[str, object]]
) -> None:
    assert differing(formula, [(unit, None) for unit in answers]) == []  # type: ignore[misc]


CELLS = st.dictionaries(
    st.sampled_from(
        [
            *(f"设备.{row}.{column}" for row in (1, 2, 10) for column in ("数量", "名称")),
            "总数",
            "设备总.1.数量",
        ]
    ),
    VALUES,
)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([
        "SUM(设备.数量)=总数", "SUM(总数,设备.数量,上期(设备.数量))", "AVERAGE(设备.数量)", "MAX(设备.数量,设备.名称)-MIN(设备.数量)",
        "COUNT(设备.数量,总数)", "COUNTA(设备.名称)", "COUNTA(上期(设备.名称))", "IFERROR(SUM(设备.数量)/COUNT(设备.数量),0)",
        "SUM(设备.没有)", "SUM(上期(设备.没有))", "设备.2.数量&设备.10.名称", "SUM(上期(设备.数量))<=SUM(设备.数量)",
    ]),
    st.lists(st.tuples(CELLS, st.none() | CELLS), min_size=1, max_size=6),
)  # fmt: skip
def test_columns_of_tables_come_out_alike_over_any_rows(formula: str, units: list[Pair]) -> None:
    assert differing(formula, units) == []


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=40), st.integers(-2, 6), st.integers(0, 4))
def test_rounding_is_exact_on_and_beside_every_half(digits: list[int], places: int, scale: int) -> None:
    halves = [digit / 10**scale for digit in digits]
    units: list[Pair] = [
        ({"甲": one + off}, None) for one in halves for off in (0, one * 2e-16, 5 / 10 ** (places + 1))
    ]
    assert differing(f"ROUND(甲,{places})", units) == []


# what rules say of units

FORM = Form(
    "school", "学校", 1, (), "", "",
    (
        *(Field(name, name, FieldType.INTEGER) for name in ("甲", "乙", "丙")),
        Field(f"{EXPLAINS}J02", "说明", FieldType.TEXT),
        Field(f"{EXPLAINS}丙", "说明", FieldType.TEXT),
        Field("无变化", "无变化", FieldType.YES_NO),
    ),
    (
        Rule("J01", Severity.ERROR, "甲<=乙", "甲不能大于乙"),
        Rule("J02", Severity.QUERY, "丙<=上期(丙)*2", "丙增加较多"),
        Rule("J03", Severity.QUERY, "丙>0", "没有丙"),
        Rule("J04", Severity.ERROR, "甲/乙<2", "比例不对"),
    ),
    (Slot("甲", "表", 1, 1),),
)  # fmt: skip


def form_of(*rules: Rule) -> Form:
    return Form("one", "一", 1, (), "", "", (Field("甲", "甲", FieldType.INTEGER),), rules, ())


def test_a_verdict_is_kept_broken_explained_or_silent(judge: Judge) -> None:
    units = [
        Judged({"甲": 1, "乙": 2, "丙": 5}, {"丙": 4}),
        Judged({"甲": 3, "乙": 2, "丙": 9}, {"丙": 4}),
        Judged({"甲": 3, "乙": 0, "丙": 9, f"{EXPLAINS}J02": "新建校区"}, {"丙": 4}),
        Judged({"甲": 3, "丙": 0, f"{EXPLAINS}丙": "已停用"}, None),
        Judged({"乙": 2, "丙": 9}, {"丙": 4}, frozenset({"甲", "丙"})),
    ]
    kept, broken, explained, silent = Verdict.KEPT, Verdict.BROKEN, Verdict.EXPLAINED, Verdict.SILENT
    verdicts = judge(FORM, units)
    assert verdicts == (
        bytes([kept, broken, broken, broken, silent]),
        bytes([kept, broken, explained, silent, silent]),
        bytes([kept, kept, kept, explained, silent]),
        bytes([kept, kept, silent, silent, silent]),
    )
    assert asked(verdicts, len(units)) == [1, 2, 3]
    first = tally(FORM, verdicts, [0, 1, 2])
    assert [(one.rule.id, one.applies, one.broken, one.explained) for one in first.rules] == [
        ("J01", 3, 2, 0), ("J02", 3, 2, 1), ("J03", 3, 0, 0), ("J04", 2, 0, 0),
    ]  # fmt: skip
    assert [one.applies for one in tally(FORM, verdicts, [4]).rules] == [0, 0, 0, 0]
    assert tally(FORM, verdicts, []).units == 0


FIGURES = st.one_of(st.none(), st.integers(0, 12), st.sampled_from(["三", "5台", "12"]))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.fixed_dictionaries({
                "甲": FIGURES, "乙": FIGURES, "丙": st.integers(0, 12),
                f"{EXPLAINS}J02": st.sampled_from([None, "", "新建校区"]), f"{EXPLAINS}丙": st.sampled_from([None, "停用"]),
            }),
            st.none() | st.fixed_dictionaries({"丙": st.none() | st.integers(0, 6)}),
        ),
        min_size=1,
        max_size=8,
    )
)  # fmt: skip
def test_the_verdicts_are_those_of_the_check_of_each_return(
    returns: list[tuple[dict[str, int | str | None], dict[str, int | None] | None]],
) -> None:
    seen = [examine(FORM, raw, previous) for raw, previous in returns]
    units = [
        Judged(one.answers, previous, unread(one.findings))
        for one, (_, previous) in zip(seen, returns, strict=True)
    ]
    verdicts = frames.judge(FORM, units)
    assert verdicts == tallies.judge(FORM, units)
    for place, one in enumerate(seen):
        for code, kept in ((Verdict.BROKEN, one.findings), (Verdict.EXPLAINED, one.explained)):
            told = [finding.message.split("核实无误的")[0] for finding in kept if finding.code == "rule"]
            ours = [
                rule.message for rule, codes in zip(FORM.rules, verdicts, strict=True) if codes[place] == code
            ]
            assert sorted(told) == sorted(ours)


@pytest.mark.parametrize(("formula", "kept"), KEPT)
def test_what_a_rule_says_is_what_its_formula_holds(judge: Judge, formula: str, kept: bool | None) -> None:
    said = judge(form_of(Rule("J01", Severity.ERROR, formula, "不对")), [Judged(ANSWERS)])
    assert said == (bytes([{True: Verdict.KEPT, False: Verdict.BROKEN, None: Verdict.SILENT}[kept]]),)
