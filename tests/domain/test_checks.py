"""Every code of the catalogue once, and what a 无变化 claim is worth."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.domain.offices import cell, error, form_of, number, query
from workflow.domain.checks import CATALOGUE, examine, wanted_explanations
from workflow.domain.form import NO_CHANGE, Field, FieldType, Prefill, Severity, Table
from workflow.domain.submission import CellError, RawValue

if TYPE_CHECKING:
    from collections.abc import Mapping

FORM = form_of(
    Field("名称", "学校名称", FieldType.TEXT, prefill=Prefill.UNIT_NAME),
    number("学生", required=True, unit="人", minimum=0, maximum=20000, prefill=Prefill.LAST_PERIOD),
    number("教师", unit="人"),
    number("占比", FieldType.PERCENT, minimum=0, maximum=1),
    Field("上网", "是否接入互联网", FieldType.YES_NO),
    number("带宽", required=True, relevant='上网="是"', unit="Mbps"),
    Field("接入", "接入方式", FieldType.CHOICE, choices=("光纤", "无线")),
    Field("建成", "建成日期", FieldType.DATE, maximum=dt.date(2026, 12, 31)),
    Field("邮编", "邮政编码", FieldType.TEXT, pattern=r"\d{6}"),
    number("机房", constraint="机房<=教师", constraint_message="机房不得多于教师"),
    number("教室", constraint="教室>=0"),
    Field("电话", "办公电话", FieldType.PHONE),
    Field("邮箱", "电子邮箱", FieldType.EMAIL),
    rules=[
        error("教师<=学生", "教师不得多于学生"),
        query("ABS(学生-上期(学生))<=上期(学生)*0.2", "学生数比上季度变动超过20%，请核对或说明"),
    ],
)
LAST = {"名称": "东区第一小学", "学生": 480, "教师": 30, "上网": True, "带宽": 100}


def found(
    raw: Mapping[str, RawValue | CellError], previous: Mapping[str, RawValue] | None = None
) -> list[tuple[str, str]]:
    """The findings of a return as (code, field)."""
    seen = examine(FORM, {"学生": 480, **raw}, previous)  # type: ignore[arg-type]
    return [(finding.code, finding.field) for finding in seen.findings]


@pytest.mark.parametrize(
    ("raw", "code", "field", "words"),
    [
        ({"学生": None, "教室": 1}, "required", "学生", "此项为必填项"),
        ({"教师": CellError("#REF!")}, "cell-error", "教师", "直接填写数值"),
        ({"教师": "三十"}, "not-a-number", "教师", "请填写数字（人），不要带文字"),
        ({"教师": 3.5}, "not-an-integer", "教师", "请填写整数（人）"),
        ({"建成": "去年"}, "not-a-date", "建成", "2026年12月31日"),
        ({"上网": "部分"}, "not-yes-or-no", "上网", "“是”或“否”"),
        ({"接入": "卫星"}, "not-a-choice", "接入", "光纤、无线"),
        ({"电话": "12"}, "not-a-phone", "电话", "11位手机号码"),
        ({"邮箱": "无"}, "not-an-email", "邮箱", "电子邮箱地址"),
        ({"学生": -1, "教师": -2}, "below-minimum", "学生", "不得小于0人，请核对"),
        ({"学生": 20001}, "above-maximum", "学生", "不得大于20000人，请核对"),
        ({"占比": "150%"}, "above-maximum", "占比", "不得大于100%，请核对"),
        ({"占比": -0.1}, "below-minimum", "占比", "不得小于0%，请核对"),
        ({"建成": "2027-01-01"}, "above-maximum", "建成", "不得大于2026-12-31，请核对"),
        ({"邮编": "4500001"}, "pattern", "邮编", "填写格式不符合要求"),
        ({"机房": 3, "教师": 2}, "constraint", "机房", "机房不得多于教师"),
        ({"教室": -1}, "constraint", "教室", "不符合约束条件 教室>=0"),
        ({"上网": "否", "带宽": 100}, "irrelevant", "带宽", "不需填写"),
        ({"上网": "是"}, "required", "带宽", "此项为必填项"),
        ({"教师": 500}, "rule", "学生", "教师不得多于学生"),
    ],
)
def test_each_check_says_its_words_at_its_cell(
    raw: Mapping[str, RawValue], code: str, field: str, words: str
) -> None:
    (finding,) = examine(FORM, {"学生": 480, **raw}, None).findings
    assert (finding.code, finding.field, finding.cell) == (code, field, cell(FORM, field))
    assert finding.severity is Severity.ERROR
    assert words in finding.message
    assert finding.code in CATALOGUE
    assert finding.found
    assert "{" not in finding.message


@pytest.mark.parametrize(
    ("raw", "code", "shown"),
    [
        ({"学生": -1, "教师": -2}, "below-minimum", "-1"),
        ({"学生": 20001}, "above-maximum", "20001"),
        ({"邮编": "4500001"}, "pattern", "4500001"),
        ({"机房": 3, "教师": 2}, "constraint", "3"),
        ({"上网": "否", "带宽": 100}, "irrelevant", "100"),
        ({"上网": "否", "带宽": 1}, "irrelevant", "1"),
        ({"接入": "卫星"}, "not-a-choice", "卫星"),
        ({"学生": None, "教室": 1}, "required", "（空）"),
    ],
)
def test_a_finding_shows_what_stands_in_the_cell_and_what_the_cell_is_called(
    raw: Mapping[str, RawValue], code: str, shown: str
) -> None:
    (finding,) = examine(FORM, {"学生": 480, **raw}, None).findings
    assert (finding.code, finding.found) == (code, shown)
    assert finding.label == FORM.by_name[finding.field].label


def test_a_claim_that_fails_shows_what_was_claimed() -> None:
    seen = examine(FORM, {NO_CHANGE: "是", "学生": 480, "教师": 31}, LAST)
    assert [(f.code, f.found) for f in seen.findings if f.field == NO_CHANGE] == [
        ("no-change-but-changed", "是")
    ]


@pytest.mark.parametrize(
    ("raw", "codes"),
    [
        ({"学生": 0}, []),
        ({"学生": 20000}, []),
        ({"占比": 1}, []),
        ({"邮编": "450000"}, []),
        ({"占比": 0}, []),
        ({"建成": "2026-12-31"}, []),
        ({"建成": "2027-01-01"}, ["above-maximum"]),
    ],
)
def test_a_bound_itself_is_within_bounds(raw: Mapping[str, RawValue], codes: list[str]) -> None:
    assert [code for code, _ in found(raw)] == codes


def test_a_field_without_a_unit_is_asked_for_without_one() -> None:
    (finding,) = examine(FORM, {"学生": 480, "机房": "两间"}, None).findings
    assert finding.message.startswith("请填写数字，")


def test_a_constraint_and_a_condition_may_speak_of_last_quarter() -> None:
    form = form_of(
        number("学生", constraint="学生>=上期(学生)", constraint_message="学生数不得少于上季度"),
        number("新生", required=True, relevant="上期(学生)>100"),
    )
    short = examine(form, {"学生": 90}, {"学生": 95})
    assert [(f.code, f.field) for f in short.findings] == [("constraint", "学生")]
    asked = examine(form, {"学生": 200}, {"学生": 150})
    assert [(f.code, f.field) for f in asked.findings] == [("required", "新生")]


def test_every_rule_is_looked_at_whatever_the_one_before_it_came_to() -> None:
    form = form_of(
        number("甲"), number("乙"), number("丙"),
        Field("说明:1", "规则1说明", FieldType.TEXT),
        Field("说明:2", "规则2说明", FieldType.TEXT),
        rules=[
            replace(query("甲<=1", "甲偏大。"), id="1"), replace(query("甲<=2", "甲很大"), id="2"),
            error("乙<=1", "乙不得大于1"), error("丙<=1", "丙不得大于1"), error("1>2", "本表暂停填报"),
        ],
    )  # fmt: skip
    explained = examine(form, {"甲": 9, "乙": "几", "丙": 9, "说明:1": "已核实", "说明:2": "属实"}, None)
    assert explained.notes == {"说明:1": "甲偏大——已核实", "说明:2": "甲很大——属实"}
    assert [(f.code, f.field, f.label) for f in explained.findings] == [
        ("not-a-number", "乙", "乙"), ("rule", "丙", "丙"), ("rule", "", ""),
    ]  # fmt: skip
    silent = examine(form, {"甲": 9}, None)
    assert (silent.unexplained, silent.queries) == (2, 2)
    assert [f.message for f in silent.findings if f.severity is Severity.ERROR] == ["本表暂停填报"]


def test_a_rule_about_several_answers_names_them_all() -> None:
    (finding,) = examine(FORM, {"学生": 480, "教师": 500}, None).findings
    assert (finding.label, finding.found) == ("学生、教师", "学生=480，教师=500")


def test_what_the_reader_itself_changed_is_noted_of_indicators_alone() -> None:
    said = {"学生": "“四百八十”按 480 读取", "不在表上": "无"}
    assert examine(FORM, {"学生": 480}, None, notes=said).notes == {"学生": "“四百八十”按 480 读取"}
    claimed = examine(FORM, {NO_CHANGE: "是", "学生": 480}, LAST, notes=said)
    assert (claimed.no_change, claimed.notes) == (True, {"学生": "“四百八十”按 480 读取"})


def test_a_query_asks_and_an_error_refuses() -> None:
    seen = examine(FORM, {"学生": 900, "教师": 901}, LAST)
    assert [(f.severity, f.found) for f in seen.findings] == [
        (Severity.ERROR, "学生=900，教师=901"),
        (Severity.QUERY, "学生=900"),
    ]
    assert (seen.errors, seen.queries) == (1, 1)


EXPLAINED = replace(FORM, fields=(*FORM.fields, Field("说明:2", "经验校验2说明", FieldType.TEXT)))


def test_a_query_without_its_explanation_sends_the_workbook_back_and_names_the_cell() -> None:
    form = form_of(*EXPLAINED.indicators, EXPLAINED.fields[-1], rules=FORM.rules)
    seen = examine(form, {"学生": 900, "教师": 30}, LAST)
    assert (seen.errors, seen.queries, seen.unexplained, seen.goes_back) == (0, 1, 1, True)
    where = f"请在“{cell(form, '说明:2')}”填写说明。"
    assert seen.findings[0].message.endswith(where)


def test_an_explained_query_is_no_finding_and_the_reviewer_reads_why() -> None:
    seen = examine(EXPLAINED, {"学生": 900, "教师": 30, "说明:2": " 并入两所小学 "}, LAST)
    assert (seen.findings, seen.goes_back) == ((), False)
    assert [finding.severity for finding in seen.explained] == [Severity.QUERY]
    assert seen.notes == {"说明:2": "学生数比上季度变动超过20%，请核对或说明——并入两所小学"}


def test_the_explanation_of_a_field_explains_every_query_that_names_it() -> None:
    form = replace(FORM, fields=(*FORM.fields, Field("说明:学生", "学生说明", FieldType.TEXT)))
    assert examine(form, {"学生": 900, "说明:学生": "并校"}, LAST).findings == ()


def test_nothing_explains_an_error() -> None:
    form = replace(FORM, fields=(*FORM.fields, Field("说明:学生", "学生说明", FieldType.TEXT)))
    seen = examine(form, {"学生": 480, "教师": 500, "说明:学生": "并校"}, LAST)
    assert (seen.errors, seen.goes_back) == (1, True)


def test_an_explanation_alone_fills_in_nothing_and_is_not_taken_over_by_an_unchanged_quarter() -> None:
    (finding,) = examine(EXPLAINED, {"说明:2": "并校"}, LAST).findings
    assert finding.code == "nothing-filled"
    claimed = examine(EXPLAINED, {NO_CHANGE: "是"}, {**LAST, "说明:2": "上季度并校"})
    assert claimed.no_change
    assert "说明:2" not in claimed.answers


def test_a_query_of_a_form_without_explanations_does_not_send_the_workbook_back() -> None:
    seen = examine(FORM, {"学生": 900, "教师": 30}, LAST)
    assert (seen.queries, seen.goes_back) == (1, False)


def test_without_last_quarters_figure_a_rule_about_it_says_nothing() -> None:
    assert found({"学生": 900}) == []
    assert found({"学生": 900}, {"教师": 3}) == []


def test_a_rule_about_an_answer_that_cannot_be_read_says_nothing_more() -> None:
    assert found({"学生": "很多", "教师": 500}) == [("not-a-number", "学生")]


def test_what_hangs_on_an_answer_that_cannot_be_read_is_left_open() -> None:
    assert found({"上网": "大概", "带宽": 100}) == [("not-yes-or-no", "上网")]
    assert found({"上网": "大概"}) == [("not-yes-or-no", "上网")]
    assert found({"教师": "几个", "机房": 3}) == [("not-a-number", "教师")]


@pytest.mark.parametrize("value", [0, None, "  "])
def test_nothing_or_zero_is_never_irrelevant(value: RawValue) -> None:
    assert found({"上网": "否", "带宽": value}) == []


def test_findings_stand_in_the_forms_order_and_the_notes_beside_them() -> None:
    raw: dict[str, RawValue | CellError] = {"邮箱": "无", "学生": "480人", "教师": "三", "填表人": "张"}
    seen = examine(FORM, raw, None)
    assert [f.field for f in seen.findings] == ["教师", "邮箱"]
    assert (seen.notes, seen.answers) == ({"学生": "“480人”按 480 读取"}, {"学生": 480, "填表人": "张"})


def test_a_finding_about_an_answer_that_moved_is_told_at_its_new_cell() -> None:
    moved = {"学生": "表!F9"}
    assert [f.cell for f in examine(FORM, {"学生": 20001}, None, moved).findings] == ["表!F9"]
    assert [f.cell for f in examine(FORM, {"学生": 4, "教师": 5}, None, moved).findings] == ["表!F9"]


@pytest.mark.parametrize(
    "raw", [{}, {"名称": "东区第一小学"}, {"填表人": "张", "填表日期": "2026-12-30"}, {"无变化": "否"}]
)
def test_a_workbook_that_says_nothing_is_told_so_and_nothing_else(raw: Mapping[str, RawValue]) -> None:
    (finding,) = examine(FORM, raw, LAST).findings
    assert (finding.code, finding.field) == ("nothing-filled", NO_CHANGE)


class TestNoChange:
    def test_a_claim_with_last_quarters_figures_is_last_quarters_data(self) -> None:
        seen = examine(FORM, {NO_CHANGE: "是", "学生": 480, "填表人": "张"}, LAST)
        assert (seen.no_change, seen.findings) == (True, ())
        assert seen.answers == {**LAST, NO_CHANGE: True, "填表人": "张"}

    def test_a_claim_on_an_empty_sheet_is_last_quarters_data_too(self) -> None:
        assert examine(FORM, {NO_CHANGE: "√"}, LAST).answers == {**LAST, NO_CHANGE: True}

    def test_a_claim_without_earlier_data_is_an_error(self) -> None:
        assert found({NO_CHANGE: "是"}) == [("no-change-without-data", NO_CHANGE)]

    @pytest.mark.parametrize("raw", [{"学生": 481}, {"教师": 31}, {"占比": 0.5}])
    def test_a_claim_beside_other_figures_is_an_error(self, raw: Mapping[str, RawValue]) -> None:
        assert ("no-change-but-changed", NO_CHANGE) in found({NO_CHANGE: "是", **raw}, LAST)
        assert not examine(FORM, {NO_CHANGE: "是", **raw}, LAST).no_change

    def test_a_claim_beside_what_cannot_be_read_is_an_error(self) -> None:
        assert found({NO_CHANGE: "是", "教师": "三十"}, LAST) == [
            ("no-change-but-changed", NO_CHANGE),
            ("not-a-number", "教师"),
        ]

    def test_a_new_name_on_the_roster_is_no_change_of_the_data(self) -> None:
        seen = examine(FORM, {NO_CHANGE: "是", "名称": "东区实验小学", "学生": 480}, LAST)
        assert (seen.no_change, seen.answers["名称"]) == (True, "东区实验小学")

    def test_saying_no_is_an_ordinary_return(self) -> None:
        assert not examine(FORM, {NO_CHANGE: "否", "学生": 480}, LAST).no_change


def test_a_percent_field_with_its_unit_is_not_told_twice() -> None:
    form = form_of(
        number("占比", FieldType.PERCENT, maximum=1, unit="%"), number("数", minimum=1.5, unit="间")
    )
    messages = [f.message for f in examine(form, {"占比": "120%", "数": 1}, None).findings]
    assert messages == ["不得大于100%，请核对", "不得小于1.5间，请核对"]


EQUIPMENT = form_of(
    number("总数", unit="台"),
    rules=[
        error("=SUM(设备.数量)=总数", "设备数量之和应等于总数"),
        query("COUNTA(设备.名称)>=2", "设备不足两种"),
    ],
    tables=[
        Table(
            "设备",
            (
                Field("设备.名称", "名称", FieldType.TEXT, required=True, prefill=Prefill.LAST_PERIOD),
                number("设备.数量", required=True, minimum=0, prefill=Prefill.LAST_PERIOD),
                number(
                    "设备.在用", constraint="=设备.在用<=设备.数量", constraint_message="在用不得多于数量"
                ),
            ),
            4,
        )
    ],
)


def rows(*cells: tuple[RawValue, ...]) -> dict[str, RawValue]:
    return {
        f"设备.{at}.{name}": value
        for at, row in enumerate(cells, start=1)
        for name, value in zip(("名称", "数量", "在用"), row, strict=False)
    }


def told(
    raw: Mapping[str, RawValue | CellError], previous: Mapping[str, RawValue] | None = None
) -> list[tuple[str, str, str]]:
    seen = examine(EQUIPMENT, raw, previous)  # type: ignore[arg-type]
    return [(finding.code, finding.field, finding.found) for finding in seen.findings]


def test_a_blank_row_of_a_table_is_no_row_and_a_begun_one_is_to_be_completed() -> None:
    assert told({"总数": 9, **rows(("大屏", 6), (), ("平板", 3))}) == []
    assert told({"总数": 6, **rows(("大屏", 6), (), ("平板",))}) == [("required", "设备.3.数量", "（空）")]


def test_a_constraint_of_a_table_speaks_of_its_own_row() -> None:
    assert told({"总数": 9, **rows(("大屏", 6, 4), ("平板", 3, 5))}) == [("constraint", "设备.2.在用", "5")]


def test_a_rule_over_a_column_shows_its_total_and_points_to_its_first_cell() -> None:
    assert told({"总数": 10, **rows(("大屏", 6), ("平板", 3))}) == [
        ("rule", "总数", "总数=10，设备.数量合计=9")
    ]
    assert told({"总数": 6, **rows(("大屏", 6))}) == [("rule", "设备.1.名称", "设备 名称=1行")]
    # One cell that can't be read is asked about; the sum then says nothing.
    assert told({"总数": 10, **rows(("大屏", "六"), ("平板", 3))}) == [("not-a-number", "设备.1.数量", "六")]


def test_rows_for_which_a_copy_has_no_room_are_named_and_send_the_workbook_back() -> None:
    many = rows(*((f"设备{number}", 1) for number in range(6)))
    [finding] = examine(EQUIPMENT, {"总数": 4, **many}, None, {"设备.5.名称": "基本情况!B14"}).findings
    assert (finding.code, finding.severity, finding.cell) == ("table-full", Severity.ERROR, "基本情况!B14")
    assert finding.found == "设备4、1、设备5、1"
    assert "“设备”表最多填4行，超出的2行没有收下" in finding.message
    assert (finding.field, finding.label) == ("设备.4.名称", "设备表")
    assert [f.cell for f in examine(EQUIPMENT, {"总数": 4, **many}, None).findings] == [""]


def test_a_query_and_the_cell_that_it_asks_for_find_each_other() -> None:
    form = form_of(*EXPLAINED.indicators, EXPLAINED.fields[-1], rules=FORM.rules)
    seen = examine(form, {"学生": 900, "教师": 901}, LAST)
    asked, queries = seen.findings
    assert (asked.severity, queries.severity) == (Severity.ERROR, Severity.QUERY)
    assert wanted_explanations(form, seen.findings) == {
        "说明:2": [replace(queries, message="学生数比上季度变动超过20%，请核对或说明")]
    }
    assert wanted_explanations(form, [asked]) == {}
    assert wanted_explanations(FORM, seen.findings) == {}
    error_with_the_words = replace(queries, severity=Severity.ERROR)
    assert wanted_explanations(form, [error_with_the_words, queries, queries])["说明:2"][1:] == [
        replace(queries, message="学生数比上季度变动超过20%，请核对或说明")
    ]


def test_a_sorted_table_is_no_change_and_another_row_is_one() -> None:
    last = {"总数": 9, **rows(("大屏", 6, 5), ("平板", 3, 3))}
    claim = {NO_CHANGE: "是"}
    seen = examine(EQUIPMENT, claim | rows(("平板", 3), ("大屏", 6)), last)
    assert seen.no_change
    assert seen.answers == {**last, NO_CHANGE: True}
    assert examine(EQUIPMENT, claim, last).no_change
    for other in (rows(("平板", 3), ("大屏", 7)), rows(("平板", 3))):
        assert "no-change-but-changed" in {code for code, *_ in told(claim | other, last)}


def test_a_workbook_with_nothing_but_a_table_is_not_an_empty_one() -> None:
    assert {code for code, _, _ in told(rows(("大屏", 6), ("平板", 3)))} == {"rule"}
