"""How rules hold over many units, and who is asked about what."""

from __future__ import annotations

from tests.domain.offices import error, form_of, number, query
from workflow.domain.checks import examine
from workflow.domain.form import Field, FieldType, Table
from workflow.domain.tallies import Judged, RuleTally, Verdict, asked, judge, tally, unread

FORM = form_of(
    number("学生"),
    number("教师"),
    Field("说明:2", "规则2说明", FieldType.TEXT),
    rules=[error("教师<=学生", "教师不得多于学生"), query("学生>=上期(学生)", "学生减少")],
)
UNITS = [
    Judged({"学生": 480, "教师": 30}, {"学生": 470}),
    Judged({"学生": 20, "教师": 30}, {"学生": 30}),
    Judged({"学生": 20, "教师": 3, "说明:2": "并校"}, {"学生": 30}),
    Judged({"学生": 20}, None, frozenset({"教师"})),
]


def test_a_rule_is_kept_broken_explained_or_silent() -> None:
    first, second = (list(codes) for codes in judge(FORM, UNITS))
    assert first == [Verdict.KEPT, Verdict.BROKEN, Verdict.KEPT, Verdict.SILENT]
    assert second == [Verdict.KEPT, Verdict.BROKEN, Verdict.EXPLAINED, Verdict.SILENT]


def test_a_tally_counts_the_picked_units_alone() -> None:
    verdicts = judge(FORM, UNITS)
    whole = tally(FORM, verdicts, [0, 1, 2, 3])
    assert (whole.form, whole.units) == (FORM, 4)
    assert whole.rules == (
        RuleTally(FORM.rules[0], 3, 1, 0),
        RuleTally(FORM.rules[1], 3, 2, 1),
    )
    assert [one.broken for one in tally(FORM, verdicts, [1]).rules] == [1, 1]
    assert [(one.applies, one.broken) for one in tally(FORM, verdicts, []).rules] == [(0, 0), (0, 0)]


def test_units_with_a_broken_rule_that_they_have_not_explained_are_asked() -> None:
    assert asked(judge(FORM, UNITS), 4) == [1]
    assert asked(judge(form_of(number("学生")), UNITS), 4) == []


def test_what_could_not_be_read_is_known_by_the_check_s_findings() -> None:
    listed = form_of(
        number("学生", minimum=1),
        tables=(Table("设备", (number("设备.数量"),), 3),),
    )
    seen = examine(listed, {"学生": "很多", "设备.2.数量": "若干"}, None)
    assert unread(seen.findings) == {"学生", "设备.2.数量", "设备.数量"}
    assert unread(examine(listed, {"学生": 0}, None).findings) == frozenset()
