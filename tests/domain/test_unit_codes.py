"""The codes of a baseline: ten digits of a school, six of a division, each against its own format."""

from __future__ import annotations

import pytest

from workflow.domain.roster_checks import UnitRow
from workflow.domain.unit_codes import code_faults, code_queries, short_division


def row(code: str, kind: str, superior: str = "") -> UnitRow:
    return UnitRow(7, code, "示例", kind, superior)


@pytest.mark.parametrize(
    ("kind", "code", "right"),
    [
        ("省级教育行政部门", "410000", True),
        ("省级教育行政部门", "410100", False),
        ("地市级教育行政部门", "410100", True),
        ("地市级教育行政部门", "419001", True),  # 济源: a county-level code that ranks as a city
        ("地市级教育行政部门", "410000", False),
        ("地市级教育行政部门", "410102", False),
        ("县级教育行政部门", "410102", True),
        ("县级教育行政部门", "410171", True),  # a development zone in the same frame
        ("县级教育行政部门", "410100", False),
        ("县级教育行政部门", "410002", False),
        ("省直管县教育行政部门", "410181", True),
        ("省直管县教育行政部门", "410100", False),
        ("中小学", "4101020001", True),
        ("中小学", "410102001", False),
        ("中小学", "41010200011", False),
        ("中小学", "41010200A1", False),
        ("高等学校", "4100010001", True),
    ],
)
def test_each_kind_has_its_own_format(kind: str, code: str, right: bool) -> None:
    assert [fault.where for fault in code_faults([row(code, kind)])] == ([] if right else ["单位!第7行"])


def test_a_wrong_code_is_told_with_what_it_should_be() -> None:
    (division,) = code_faults([row("410100", "县级教育行政部门")])
    assert "410100" in division.what
    assert "县级代码后两位不为00" in division.remedy
    (school,) = code_faults([row("410102001", "中小学")])
    assert "应为10位数字" in school.remedy


@pytest.mark.parametrize(
    ("kind", "code"),
    [("没有这一类", "410102"), ("县级教育行政部门", "4 101"), ("县级教育行政部门", "41010"), ("中小学", "")],
)
def test_what_is_no_code_or_of_no_kind_is_said_elsewhere(kind: str, code: str) -> None:
    assert list(code_faults([row(code, kind)])) == []


def test_twelve_digits_that_end_in_six_noughts_are_the_division_s_six() -> None:
    assert short_division("410102000000") == "410102"
    assert short_division("410102000001") == "410102000001"
    assert short_division("4101020001") == "4101020001"


def test_a_county_under_a_city_of_another_code_is_asked_about() -> None:
    rows = [
        row("410102", "县级教育行政部门", "410100"),
        row("411702", "县级教育行政部门", "410100"),
        row("4101020001", "中小学", "410202"),
    ]
    (query,) = code_queries(rows)
    assert "411702与上级410100不属同一地市" in query.what
