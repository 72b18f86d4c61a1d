"""Data as they stand 现有数据 (article 18), and the consolidated workbook 汇总表 made of them.

Row by row: the newest version without errors; else the newest readable version, marked 有错误 (a 逻辑校验 fails in it) or
退回未改 (a reviewer sent it back and nothing better came); else last period's, carried over, and as long as nothing newer
came those of phase one 一期数据; else missing. A confirmed
无变化 is its own mark. Totals follow each field's aggregate rule and
go up the tree by merging, so that a county's figures are added once and read by every level above it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from workflow.domain.campaign import Window
from workflow.domain.form import Aggregate, Field, Form, Table, Value
from workflow.domain.lifecycle import Case, CaseState, Package
from workflow.domain.roster import Unit
from workflow.domain.submission import Answers, Submission
from workflow.domain.tables import Rows
from workflow.domain.tallies import TallySheet


class Origin(StrEnum):
    """Where a row's figures come from, and what was done with them before they went up."""

    APPROVED = "approved"
    NOT_REVIEWED = "not_reviewed"
    RETURNED_UNCORRECTED = "returned_uncorrected"
    WITH_ERRORS = "with_errors"
    NO_CHANGE = "no_change"
    CARRIED_OVER = "carried_over"
    LEGACY = "legacy"
    MISSING = "missing"

    @property
    def word(self) -> str:
        return _ORIGIN_WORDS[self]


_ORIGIN_WORDS = {
    Origin.APPROVED: "审核通过",
    Origin.NOT_REVIEWED: "已报送未审核",
    Origin.RETURNED_UNCORRECTED: "退回未改",
    Origin.WITH_ERRORS: "有错误",
    Origin.NO_CHANGE: "无变化确认",
    Origin.CARRIED_OVER: "沿用上期",
    Origin.LEGACY: "沿用一期数据",
    Origin.MISSING: "缺报",
}


#: Nobody said anything this period.
CARRIED = frozenset({Origin.CARRIED_OVER, Origin.LEGACY})
#: Most periods have none of these, and no column for them.
_RARE = frozenset({Origin.LEGACY})


def shown_origins(*counts: Mapping[Origin, int]) -> tuple[Origin, ...]:
    """The origins that a table of these counts has a column for."""
    return tuple(origin for origin in Origin if origin not in _RARE or any(one.get(origin) for one in counts))


@dataclass(frozen=True, slots=True)
class Standing:
    """How one unit's data stand at a moment: their origin and the submission that holds them ('' when missing)."""

    unit: str
    form: str
    origin: Origin
    submission: str = ""
    number: int = 0


def stand(case: Case, versions: Sequence[Submission], carried: Standing | None) -> Standing:
    """How a case stands. `versions` are its own, oldest first; `carried` is its row in the last period's report."""
    if case.state is CaseState.APPROVED and versions and not versions[-1].no_change:
        return _standing(case, versions[-1], Origin.APPROVED)
    for version in reversed(versions):
        if version.errors == 0 and not version.returned:
            return _standing(case, version, Origin.NO_CHANGE if version.no_change else Origin.NOT_REVIEWED)
    if versions:
        newest = versions[-1]
        origin = Origin.WITH_ERRORS if newest.errors else Origin.RETURNED_UNCORRECTED
        return _standing(case, newest, origin)
    if carried is not None and carried.submission:
        origin = Origin.LEGACY if carried.origin is Origin.LEGACY else Origin.CARRIED_OVER
        return Standing(case.unit, case.form, origin, carried.submission, carried.number)
    return Standing(case.unit, case.form, Origin.MISSING)


def _standing(case: Case, version: Submission, origin: Origin) -> Standing:
    return Standing(case.unit, case.form, origin, version.id, version.number)


@dataclass(frozen=True, slots=True)
class Total:
    """A running aggregate of one field; two of them merge into one, which is how figures climb the tree."""

    count: int = 0
    sum: int | float = 0
    least: int | float | None = None
    most: int | float | None = None
    yes: int = 0

    def add(self, value: Value) -> Total:
        if isinstance(value, bool):
            return Total(self.count + 1, self.sum, self.least, self.most, self.yes + value)
        if not isinstance(value, int | float):
            return self
        return self.merge(Total(1, value, value, value))

    def merge(self, other: Total) -> Total:
        return Total(
            self.count + other.count,
            self.sum + other.sum,
            _extreme(min, self.least, other.least),
            _extreme(max, self.most, other.most),
            self.yes + other.yes,
        )

    def figure(self, aggregate: Aggregate) -> int | float | None:
        """The figure by an aggregate rule; None where nothing was reported. Rounded past the noise of floats."""
        if self.count == 0:
            return None
        match aggregate:
            case Aggregate.SUM:
                return _rounded(self.sum)
            case Aggregate.MEAN:
                return _rounded(self.sum / self.count)
            case Aggregate.MIN:
                return self.least
            case Aggregate.MAX:
                return self.most
            case Aggregate.COUNT_YES:
                return self.yes
            case Aggregate.NONE:
                return None


def _extreme(
    choose: Callable[[int | float, int | float], int | float],
    one: int | float | None,
    other: int | float | None,
) -> int | float | None:
    if one is None or other is None:
        return other if one is None else one
    return choose(one, other)


def _rounded(value: int | float) -> int | float:
    return value if isinstance(value, int) else round(value, 6)


Totals = Mapping[str, Total]


def totalled_fields(form: Form) -> tuple[Field, ...]:
    """The form's fields that have an aggregate rule, in its own order, then the columns of its tables that have one."""
    columns = (column for table in form.tables for column in table.columns)
    single = (field for field in form.fields if not field.row)
    return tuple(field for field in (*single, *columns) if field.aggregate is not Aggregate.NONE)


def total(form: Form, rows: Iterable[Answers]) -> Totals:
    """The totals of a form's fields over rows of answers; those of a table's column over every row of each answer."""
    kept = list(rows)
    totals = {
        field.name: _total_of([answers.get(field.name) for answers in kept])
        for field in totalled_fields(form)
    }
    for table in form.tables:
        totals |= _column_totals(table, kept)
    return totals


def _column_totals(table: Table, rows: Sequence[Answers]) -> dict[str, Total]:
    columns = [
        (place, column.name)
        for place, column in enumerate(table.columns)
        if column.aggregate is not Aggregate.NONE
    ]
    if not columns:
        return {}
    reader = Rows(table)
    lines = [row.values for answers in rows for row in reader.of(answers)]
    return {name: _total_of([values[place] for values in lines]) for place, name in columns}


def _total_of(values: Iterable[Value]) -> Total:
    """As adding the values one by one gives it."""
    answers = [value for value in values if isinstance(value, int | float)]
    figures = [value for value in answers if not isinstance(value, bool)]
    yes = sum(value is True for value in answers)
    return Total(len(answers), sum(figures), min(figures, default=None), max(figures, default=None), yes)


def merge_totals(parts: Iterable[Totals]) -> Totals:
    """One set of totals from those of the parts."""
    merged: dict[str, Total] = {}
    for part in parts:
        for name, figure in part.items():
            merged[name] = merged[name].merge(figure) if name in merged else figure
    return merged


@dataclass(frozen=True, slots=True)
class BookRow:
    """One unit in a form's sheet. `package` names the county or city it comes through; `decidable` says whether this
    workbook's reviewer decides on it, `locked_because` why not (Chinese). `notes` are the unit's explanations, what the
    check remarked, and what a resubmission changed; `changed` are the fields that differ from what was last approved.
    """

    unit: Unit
    package: str
    state: str
    origin: Origin
    number: int
    received_at: dt.datetime | None
    answers: Answers
    decidable: bool
    locked_because: str = ""
    notes: str = ""
    changed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class BookSheet:
    """A form's rows in the roster's order."""

    form: Form
    rows: tuple[BookRow, ...]


@dataclass(frozen=True, slots=True)
class TotalRow:
    """One unit of the tree in a totals sheet: `depth` 0 is the workbook's own level; `asked` units should have
    reported, `reported` have figures.
    """

    unit: Unit
    depth: int
    asked: int
    reported: int
    totals: Totals


@dataclass(frozen=True, slots=True)
class TotalSheet:
    """A form's totals down the tree, the workbook's own level first."""

    form: Form
    rows: tuple[TotalRow, ...]


@dataclass(frozen=True, slots=True)
class MissingRow:
    """A unit that has not done what it owes: `matter` is 缺报, 沿用上期, 退回未改, 有错误 or 逾期报送."""

    unit: Unit
    package: str
    form_title: str
    matter: str
    contact: str
    phone: str
    reminded: int


@dataclass(frozen=True, slots=True)
class ChildRow:
    """A package of the level below in the 下级上报 sheet; `returned` says how it was last returned."""

    unit: Unit
    package: Package
    counts: Mapping[Origin, int]
    decidable: bool
    locked_because: str = ""
    returned: str = ""

    @property
    def remark(self) -> str:
        return "\n".join(words for words in (self.locked_because, self.returned) if words)


@dataclass(frozen=True, slots=True)
class Cover:
    """The cover of a consolidated workbook. `version` counts the workbooks of this level; `token` names this one and
    `replaces` is the version that it takes the place of, 0 for the first. `changed_below` names the packages of the level
    below that changed since then, `after_report` those that changed after the level's own last report; `returned` says how
    the level's own package was last returned.
    """

    unit: Unit
    campaign: str
    period_name: str
    version: int
    token: str
    cut_off: dt.datetime
    made_at: dt.datetime
    window: Window
    state: str
    counts: Mapping[Origin, int]
    asked: int
    reportable: bool
    replaces: int = 0
    changed_below: tuple[str, ...] = ()
    after_report: tuple[str, ...] = ()
    returned: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """A line of the 变更 sheet: what of a unit differs from the version before, in words, and `why`: 新报送, 更正,
    无变化确认, 退回, 审核结论, 上报, 撤报.
    """

    unit: Unit
    form_title: str
    field: str
    before: str
    after: str
    why: str


@dataclass(frozen=True, slots=True)
class ConsolidatedBook:
    """A consolidated workbook before it is Excel: everything that its sheets show. `unlisted` counts the changes beyond
    those that the 变更 sheet has room for.
    """

    cover: Cover
    children: tuple[ChildRow, ...]
    sheets: tuple[BookSheet, ...]
    totals: tuple[TotalSheet, ...]
    missing: tuple[MissingRow, ...]
    changes: tuple[Change, ...] = ()
    unlisted: int = 0
    tallies: tuple[TallySheet, ...] = ()
