"""The checks 自查 of a form: everything that can fail in it, one line a check, as a unit reads them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from workflow.domain import rules
from workflow.domain.form import NO_CHANGE, Field, FieldType, Form, Prefill, Severity
from workflow.domain.tables import column_label

REQUIRED = "必填"
#: Whose first value is the unit's own, this period or last.
OWN_WORDS = frozenset({Prefill.NONE, Prefill.LAST_PERIOD})


@dataclass(frozen=True, slots=True)
class Check:
    """One row of the 自查 sheet. `kind` is said, claim, missing, content, needless, column, constraint or rule; `subject` the
    sheet, the table, its column, the field or the rule's id that it is about; `category` 必填, 逻辑校验 or 经验校验; `fields` whom it asks;
    `explanations` the cells in which a query is explained.
    """

    kind: str
    subject: str
    category: str
    words: str
    fields: tuple[str, ...]
    formula: str = ""
    explanations: tuple[str, ...] = ()

    @property
    def is_query(self) -> bool:
        return self.category == Severity.QUERY


def checks_of(form: Form) -> tuple[Check, ...]:
    """Everything that can fail in a form: 必填 first, then 逻辑校验, then 经验校验."""
    return (*_required(form), *_errors(form), *_rules(form, Severity.QUERY))


def _parts(form: Form) -> list[tuple[str, str, list[Field]]]:
    """What is counted together, with the words for it and its fields or columns: the cells of each sheet, then each table."""
    single = [slot for slot in form.slots if not form.by_name[slot.field].row]
    grouped = groupby(single, key=lambda slot: slot.sheet)
    sheets = [
        (sheet, f"“{sheet}”页", [form.by_name[slot.field] for slot in slots]) for sheet, slots in grouped
    ]
    return sheets + [(f"{table.name}.", f"“{table.name}”表", list(table.columns)) for table in form.tables]


def _required(form: Form) -> Iterator[Check]:
    said = tuple(
        item.name for item in (*form.indicators, *form.columns.values()) if item.prefill in OWN_WORDS
    )
    if said:
        yield Check("said", "", REQUIRED, "已填写本季度数据", said)
    for part, called, items in _parts(form):
        asked = tuple(item.name for item in items if item.required)
        if asked:
            within = "已填各行的" if items[0].name in form.columns else ""
            yield Check("missing", part, REQUIRED, f"{called}{within}必填项（{len(asked)} 项）", asked)


def _errors(form: Form) -> Iterator[Check]:
    error = str(Severity.ERROR)
    label = form.by_name[NO_CHANGE].label
    words = f"“{label}”选“是”的，各项指标应与上季度一致；没有上季度数据的，应选“否”"
    yield Check("claim", NO_CHANGE, error, words, (NO_CHANGE,))
    for part, called, items in _parts(form):
        typed = tuple(item.name for item in items if item.type is not FieldType.TEXT)
        if typed:
            yield Check("content", part, error, f"{called}数据类型和数值范围（{len(typed)} 项）", typed)
    for part, called, items in _parts(form):
        needless = tuple(item.name for item in items if item.relevant)
        if needless:
            yield Check("needless", part, error, f"{called}按前项填报情况不需填写的项目", needless)
    single = (item for item in form.fields if not item.row)
    for item in (*single, *form.columns.values()):
        if item.constraint:
            told = item.constraint_message or f"不符合约束条件 {item.constraint}"
            asked = rules.names(rules.parse(item.constraint))
            named = (item.name, *(one.name for one in form.named(asked) if one.name != item.name))
            told = told if item.label in told else f"{column_label(item)}：{told}"
            if item.name in form.columns:
                words = f"“{item.name.partition('.')[0]}”表各行：{told.rstrip('。')}"
                yield Check("column", item.name, error, words, named)
            else:
                yield Check("constraint", item.name, error, told, named, item.constraint)
    yield from _rules(form, Severity.ERROR)


def _rules(form: Form, severity: Severity) -> Iterator[Check]:
    for rule in form.rules:
        if rule.severity is severity:
            asked = rules.names(rules.parse(rule.formula))
            named = tuple(item.name for item in form.named(asked))
            cells = form.explanations(rule, named)
            yield Check("rule", rule.id, str(severity), rule.message, named, rule.formula, cells)
