"""The rules over all units of a level, and a form tried on what is held: the numbers are those of each return's own check."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from tests.domain.offices import (
    CENTRAL,
    CITY,
    CITY_SCHOOL,
    COUNTY,
    POINT,
    PROVINCE,
    REMOTE,
    ROSTER,
    SCHOOL,
    form_of,
    number,
)
from tests.process.calendar_office import WINDOWS, Office, on
from workflow.adapters import frames
from workflow.domain import tallies
from workflow.domain.checks import Examination, examine
from workflow.domain.errors import Refused
from workflow.domain.events import Event
from workflow.domain.form import EXPLAINS, NO_CHANGE, Field, FieldType, Rule, Severity, Table
from workflow.domain.matching import make_token
from workflow.domain.roster import UnitKind
from workflow.domain.submission import Submission
from workflow.process.consolidate import consolidate, levels_of
from workflow.process.earlier import earlier_data
from workflow.process.gather import require_campaign
from workflow.process.returns import submitted_event
from workflow.process.trial import try_form

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from workflow.domain.form import Form
    from workflow.domain.submission import RawValue
    from workflow.domain.tallies import Judge

RULES = (
    Rule("J01", Severity.ERROR, "教师<=学生", "教师数不能大于学生数"),
    Rule("J02", Severity.QUERY, "ABS(学生-上期(学生))<=50", "学生数变化较大"),
    Rule("J03", Severity.ERROR, "SUM(设备.数量)<=学生", "设备多于学生"),
    Rule("J04", Severity.QUERY, "学生/教师<20", "师生比偏高"),
)
FORM = form_of(
    number("学生"),
    number("教师"),
    Field(f"{EXPLAINS}J02", "说明", FieldType.TEXT),
    rules=RULES,
    tables=(Table("设备", (number("设备.数量"),), 3),),
)
OFFICE = form_of(number("学生"), name="office", kinds=tuple(kind for kind in UnitKind if kind.reports))
FORMS = {"school": FORM, "office": OFFICE}
LAST = {SCHOOL: 400, CENTRAL: 100, CITY_SCHOOL: 900}
RETURNS: Mapping[str, Mapping[str, RawValue]] = {
    SCHOOL: {"学生": 480, "教师": 20, f"{EXPLAINS}J02": "合并了东区二小"},
    CENTRAL: {"学生": 20, "教师": 30, "设备.1.数量": 15, "设备.2.数量": 9},
    POINT: {"学生": 60, "教师": "三", "设备.1.数量": "若干"},
    REMOTE: {"学生": 40},
    CITY_SCHOOL: {"学生": 900, "教师": 45, NO_CHANGE: "是"},
}


class Quarter:
    """The little province after the quarter before, whose figures of three schools were reported."""

    def __init__(self, folder: Path) -> None:
        self.office = Office(folder)
        self.store = self.office.store
        self.before()
        self.office.open(on(12, 1))
        self.campaign = require_campaign(self.store)
        self.seen: dict[str, Examination] = {}

    def before(self) -> None:
        opened = {"forms": {"school": "a" * 64}, "windows": WINDOWS, "receipt_due": None}
        happened: list[tuple[str, str, dict[str, Any], dict[str, Any] | None]] = [
            ("campaign:2026Q3", "campaign.opened", opened, None)
        ]
        rows = []
        for unit, pupils in LAST.items():
            stream, name = f"case:2026Q3/{unit}/school", f"2026Q3/{unit}/school/1"
            data = {"submission": name, "number": 1, "form_version": 2, "received_at": on(12, 1).isoformat()}
            answers = {"answers": {"学生": pupils, "教师": pupils // 20}}
            happened += [
                (stream, "case.planned", {}, None),
                (stream, "case.issued", {"copy": 1, "token": f"HZ-OLD{unit}"}, None),
                (stream, "case.submitted", data, answers),
            ]
            rows.append([unit, "school", "not_reviewed", name, 1])
        level = {"level": "county"}
        happened += [
            (f"package:2026Q3/{COUNTY}", "package.opened", level, None),
            (f"package:2026Q3/{COUNTY}", "package.reported", {"rows": rows}, None),
        ]
        for stream, kind, data, personal in happened:
            at = self.store.next_numbers([stream])[stream] + 1
            self.store.append([Event(stream, at, kind, on(11, 1), "系统", data=data, personal=personal)])

    def comes(self, unit: str, raw: Mapping[str, RawValue]) -> None:
        """A return is checked and kept, as intake does it."""
        case = next(case for case in self.store.cases("2026Q4", [unit]))
        last = earlier_data(self.store, self.campaign, {"school": FORM}, [unit]).get((unit, "school"))
        seen = self.seen[unit] = examine(FORM, raw, last.answers if last else None)
        version = Submission(
            f"2026Q4/{unit}/school/1", "2026Q4", unit, "school", 2, 1, on(12, 20), "m" * 64, "a" * 64, "", seen.errors,
            seen.queries, no_change=seen.no_change,
        )  # fmt: skip
        self.store.append([submitted_event(case, version, seen, {})])

    def told(self, units: tuple[str, ...], *, explained: bool = False) -> Counter[str]:
        """By rule, how many of the units its check found not to keep it."""
        found: Counter[str] = Counter()
        for unit in units:
            seen = self.seen[unit]
            messages = [
                f.message for f in (seen.explained if explained else (*seen.findings, *seen.explained))
            ]
            found.update(r.id for r in RULES if any(m.startswith(r.message) for m in messages))
        return found

    def sheet(self, level: str, judge: Judge) -> list[tuple[Any, ...]]:
        made = consolidate(
            self.store, self.office.files, lambda *said: make_token(b"k" * 32, "A", *map(str, said[:3]), int(said[3])),
            ROSTER, self.campaign, FORMS, levels_of(ROSTER, [level]), on(12, 28), on(12, 28), judge=judge,
        )  # fmt: skip
        book = openpyxl.load_workbook(io.BytesIO(self.office.files.outbox(made[0].path)))
        rows = book["校验情况"].iter_rows(min_row=3, values_only=True)
        return [row for row in rows if isinstance(row[0], int)]


@pytest.fixture
def quarter(tmp_path: Path) -> Iterator[Quarter]:
    made = Quarter(tmp_path)
    for unit, raw in RETURNS.items():
        made.comes(unit, raw)
    yield made
    made.office.close()


@pytest.mark.parametrize("judge", [tallies.judge, frames.judge], ids=["scalar", "columns"])
@pytest.mark.parametrize(
    ("level", "units"),
    [(COUNTY, (SCHOOL, CENTRAL, POINT, REMOTE)), (CITY, tuple(RETURNS)), (PROVINCE, tuple(RETURNS))],
)
def test_each_level_counts_what_the_checks_of_its_returns_found(
    quarter: Quarter, judge: Judge, level: str, units: tuple[str, ...]
) -> None:
    broken, explained = quarter.told(units), quarter.told(units, explained=True)
    assert broken["J01"] == 1
    assert explained == {"J02": 1}
    lines = quarter.sheet(level, judge)
    assert [(row[2], row[7], row[9]) for row in lines] == [
        (rule.id, broken[rule.id], explained[rule.id]) for rule in RULES
    ]


def test_a_rule_applies_where_it_could_be_worked_out(quarter: Quarter) -> None:
    # 教学点: 教师 and a cell of the table can not be read; 山村小学 has no last period and divides by nothing; the 职业学校
    # confirmed 无变化 and was not checked.
    applies = {row[2]: row[6] for row in quarter.sheet(PROVINCE, frames.judge)}
    assert applies == {"J01": 3, "J02": 2, "J03": 3, "J04": 2}


def test_a_changed_form_is_tried_on_what_is_held(quarter: Quarter) -> None:
    stricter = replace(
        FORM,
        rules=(
            replace(RULES[0], formula="教师*10<=学生"),
            replace(RULES[1], formula="上期(学生)=学生"),
            Rule("J05", Severity.ERROR, "新建机房>0", "请填写机房"),
        ),
        fields=(*FORM.fields, number("新建机房")),
    )
    trial = try_form(frames.judge, quarter.store, ROSTER, quarter.campaign, stricter)
    lines = [(one.rule.id, one.applies, one.broken, one.explained) for one in trial.sheet.rules]
    assert trial.sheet.units == 4
    assert lines == [("J01", 3, 1, 0), ("J02", 2, 2, 1), ("J05", 4, 4, 0)]
    assert trial.broken == ((CENTRAL,), (CENTRAL,), (SCHOOL, CENTRAL, POINT, REMOTE))
    assert trial.asked == (SCHOOL, CENTRAL, POINT, REMOTE)
    assert trial.unanswered == ("新建机房",)
    assert trial == try_form(tallies.judge, quarter.store, ROSTER, quarter.campaign, stricter)


def test_a_form_that_nobody_was_asked_for_cannot_be_tried(quarter: Quarter) -> None:
    other: Form = replace(FORM, id="other")
    with pytest.raises(Refused, match="没有标识为 other 的表单"):
        try_form(tallies.judge, quarter.store, ROSTER, quarter.campaign, other)
    with pytest.raises(Refused, match="没有规则"):
        try_form(tallies.judge, quarter.store, ROSTER, quarter.campaign, replace(FORM, rules=()))
