"""The checks 校验 of a return: every finding has a code, and every code its words in one catalogue.

逻辑校验 is an error and must be corrected; 经验校验 is a query and must be corrected or explained: a query whose 说明 cell
is filled is no finding any more, one whose cell is blank sends the workbook back as an error does.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from workflow.domain import rules
from workflow.domain.answers import Unclear, Understood, plain_number, shown, understand
from workflow.domain.form import (
    EXPLAINS,
    NO_CHANGE,
    Field,
    FieldType,
    Form,
    Prefill,
    Rule,
    Severity,
    Value,
    cell_name,
    split_cell,
)
from workflow.domain.submission import Answers, CellError, Finding, RawValue
from workflow.domain.tables import column_label, filled_rows, notable, rows_of, unchanged

#: Every finding's words. `{…}` takes the field's label, unit, bounds or choices; see `_finding`.
CATALOGUE: Mapping[str, str] = {
    "required": "此项为必填项，请填写",
    "cell-error": "单元格内是错误值或没有计算结果的公式，请改为直接填写数值",
    "not-found": "返回的工作簿中找不到此项（所在行列被删除，或者标签被改动），请在本工作簿中填写",
    "unit-unclear": "数字后所写的单位无法换算为计量单位{unit}，请换算后只填数字",
    "percent-unclear": "无法判断是比例还是百分数，请按“85%”的样式填写",
    "not-a-number": "请填写数字{unit}，不要带文字",
    "not-an-integer": "请填写整数{unit}",
    "not-a-date": "请按“2026年12月31日”的样式填写日期",
    "not-yes-or-no": "请从下拉列表中选择“是”或“否”",
    "not-a-choice": "请从下拉列表中选择：{choices}",
    "not-a-phone": "请填写固定电话（区号-号码）或11位手机号码",
    "not-an-email": "请填写完整的电子邮箱地址",
    "below-minimum": "不得小于{minimum}{unit}，请核对",
    "above-maximum": "不得大于{maximum}{unit}，请核对",
    "pattern": "填写格式不符合要求，请参照填写说明",
    "constraint": "{message}",
    "irrelevant": "按前项填报情况，此项不需填写，请清空或更正前项",
    "rule": "{message}",
    "explain": "核实无误的，请在“{cell}”填写说明。",
    "reviewer": "{message}",
    "no-change-without-data": "系统中没有本单位上季度的数据，不能确认无变化，请填写各项指标并将此项改为“否”",
    "no-change-but-changed": "此项选择了“是”，但部分指标与上季度不同，请核对：确有变化的将此项改为“否”",
    "table-full": "“{table}”表最多填{rows}行，超出的{count}行没有收下，请归并后填写；确实放不下的，请与下发单位联系",
    "nothing-filled": "工作簿中没有填写任何指标，请填写后重新报送",
}


@dataclass(frozen=True, slots=True)
class Examination:
    """What the check of one return gives: the answers as understood, notes on what was read differently from how it
    was typed, and the findings in the form's order. `no_change` is true for a valid 无变化 in the workbook's own cell.
    `explained` are the queries that the unit has explained, with what it says in `notes` under the explanation's name;
    `unexplained` counts the findings that have a cell for an explanation which is blank.
    """

    answers: Answers
    notes: Mapping[str, str]
    findings: tuple[Finding, ...]
    no_change: bool = False
    explained: tuple[Finding, ...] = ()
    unexplained: int = 0

    @property
    def goes_back(self) -> bool:
        """Whether the unit must act before the workbook can be taken: correct it, or explain it."""
        return bool(self.errors or self.unexplained)

    @property
    def errors(self) -> int:
        return sum(finding.severity is Severity.ERROR for finding in self.findings)

    @property
    def queries(self) -> int:
        return len(self.findings) - self.errors


def examine(
    form: Form,
    raw: Mapping[str, RawValue | CellError],
    previous: Answers | None,
    moved: Mapping[str, str] | None = None,
    notes: Mapping[str, str] | None = None,
) -> Examination:
    """Understand and check one return. `previous` are the last reported answers, for 上期(); `moved` gives the
    addresses of answers that were not found in their own cells, `notes` what the reader itself changed.
    """
    where = moved or {}
    answers: dict[str, Value] = {}
    notes = {name: note for name, note in notes.items() if name in notable(form)} if notes else {}
    findings: list[Finding] = []
    broken: set[str] = set()
    for field in form.fields:
        typed = raw.get(field.name)
        read = _BLANK if typed is None else understand(field, typed)
        if isinstance(read, Unclear):
            broken.add(field.name)
            if (cell := split_cell(field.name)) is not None:
                broken.add(cell[0])
            findings.append(_finding(form, field, read.code, shown(typed), where))
            continue
        if read.value is not None:
            answers[field.name] = read.value
        if read.note:
            notes[field.name] = read.note
    if form.tables:
        findings += _beyond_room(form, raw, where)
    claim = answers.get(NO_CHANGE) is True
    code = _claim_fault(form, answers, broken, previous, claim)
    if claim and not code:
        kept = {name: value for name, value in (previous or {}).items() if not name.startswith(EXPLAINS)}
        own = {name: value for name, value in answers.items() if not (form.tables and split_cell(name))}
        return Examination({**kept, **own}, notes, (), no_change=True)
    explained: list[Finding] = []
    unexplained = 0
    if code == "nothing-filled":
        findings = []
    else:
        findings.extend(_check_fields(form, answers, broken, previous, where))
        for rule, finding, places in _check_rules(form, answers, broken, previous, where):
            told = [name for name in places if answers.get(name)]
            if told:
                explained.append(finding)
                notes |= {name: _explanation(rule, answers[name]) for name in told}
                continue
            unexplained += bool(places)
            wanted = CATALOGUE["explain"].format(cell=form.cell_of(places[0])) if places else ""
            findings.append(replace(finding, message=finding.message + wanted))
    if code:
        findings.append(_finding(form, form.by_name[NO_CHANGE], code, shown(answers.get(NO_CHANGE)), where))
    findings.sort(key=lambda finding: form.order.get(finding.field, len(form.order)))
    return Examination(answers, notes, tuple(findings), explained=tuple(explained), unexplained=unexplained)


def wanted_explanations(form: Form, findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    """The 说明 cells, by field, that findings ask to fill in, each with those findings, which then do not name it."""
    words = {
        CATALOGUE["explain"].format(cell=form.cell_of(f.name)): f.name for f in form.fields if f.explains
    }
    wanted: dict[str, list[Finding]] = {}
    for finding in findings if words else ():
        for asked, name in words.items():
            if finding.severity is Severity.QUERY and finding.message.endswith(asked):
                told = replace(finding, message=finding.message.removesuffix(asked))
                wanted.setdefault(name, []).append(told)
    return wanted


def _explanation(rule: Rule, said: Value) -> str:
    """What a reviewer reads of an explained query: the question and the unit's answer."""
    return f"{rule.message.rstrip('。')}——{shown(said)}"


def _claim_fault(
    form: Form, answers: Answers, broken: set[str], previous: Answers | None, claim: bool
) -> str:
    """What is wrong with the 无变化 cell, as a finding's code: a claim without earlier data or with other figures
    than last period's, or a workbook that says nothing at all; '' when nothing is wrong.
    """
    own_words = [field.name for field in form.indicators if field.prefill in _OWN_WORDS]  # not the roster's
    if claim and previous is None:
        return "no-change-without-data"
    if claim and previous is not None:
        same = all(answers[name] == previous.get(name) for name in own_words if name in answers)
        same = same and all(unchanged(table, previous, answers) for table in form.tables)
        return "" if same and not broken else "no-change-but-changed"
    said = broken or any(name in answers for name in own_words)
    said = said or any(rows_of(table, answers) for table in form.tables)
    return "" if said else "nothing-filled"


_OWN_WORDS = frozenset({Prefill.NONE, Prefill.LAST_PERIOD})
_BLANK = Understood(None)


@lru_cache(maxsize=4096)
def _parsed(formula: str) -> rules.Expr:
    return rules.parse(formula)


@lru_cache(maxsize=4096)
def _names(formula: str) -> frozenset[str]:
    return rules.names(_parsed(formula))


@lru_cache(maxsize=1024)
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _check_fields(
    form: Form, answers: Answers, broken: set[str], previous: Answers | None, where: Mapping[str, str]
) -> Iterator[Finding]:
    filled = filled_rows((*answers, *broken)) if form.tables else frozenset()
    for field in form.fields:
        if field.row and (field.name.partition(".")[0], field.row) not in filled:
            continue  # a blank row is no row
        if field.name not in broken and (field.required or field.name in answers):
            yield from _check_field(form, field, answers, broken, previous, where)


def _check_field(
    form: Form,
    field: Field,
    answers: Answers,
    broken: set[str],
    previous: Answers | None,
    where: Mapping[str, str],
) -> Iterator[Finding]:
    value = answers.get(field.name)
    known = not field.relevant or broken.isdisjoint(_names(field.relevant))
    asked = (
        not (field.relevant and known) or rules.holds(_parsed(field.relevant), answers, previous) is not False
    )
    if value is None:
        if (
            field.required and asked and known
        ):  # where the answer before it can't be read, that one is asked first
            yield _finding(form, field, "required", shown(None), where)
        return
    if not asked:
        if value not in (0, False, ""):
            yield _finding(form, field, "irrelevant", shown(value), where)
        return
    if _out_of_range(value, field.minimum, below=True):
        yield _finding(form, field, "below-minimum", shown(value), where)
    if _out_of_range(value, field.maximum, below=False):
        yield _finding(form, field, "above-maximum", shown(value), where)
    if field.pattern and not _pattern(field.pattern).fullmatch(str(value)):
        yield _finding(form, field, "pattern", shown(value), where)
    if not field.constraint or not broken.isdisjoint(_names(field.constraint)):
        return
    if rules.holds(_parsed(field.constraint), answers, previous) is False:
        yield _finding(form, field, "constraint", shown(value), where)


def _out_of_range(value: Value, bound: int | float | dt.date | None, *, below: bool) -> bool:
    if bound is None or value is None or isinstance(value, bool | str):
        return False
    if isinstance(value, dt.date) is not isinstance(bound, dt.date):
        return False
    return value < bound if below else value > bound  # type: ignore[operator]


def _check_rules(
    form: Form, answers: Answers, broken: set[str], previous: Answers | None, where: Mapping[str, str]
) -> Iterator[tuple[Rule, Finding, tuple[str, ...]]]:
    """Each rule that fails, its finding and the cells in which it can be explained."""
    for rule in form.rules:
        expr = _parsed(rule.formula)
        if broken and not broken.isdisjoint(_names(rule.formula)):
            continue  # the type check has spoken about one of its answers
        if rules.holds(expr, answers, previous) is False:
            named = form.named(_names(rule.formula))
            field = form.cells_in.get(named[0].name, (named[0].name,))[0] if named else ""
            finding = Finding(
                "rule",
                rule.severity,
                field,
                "、".join(column_label(item) for item in named),
                where.get(field) or form.cell_of(field),
                "，".join(f"{column_label(item)}{_standing(form, item, answers)}" for item in named),
                rule.message,
            )
            yield rule, finding, form.explanations(rule, [item.name for item in named])


def _standing(form: Form, item: Field, answers: Answers) -> str:
    """What a failed rule's finding shows of a field; of a column its total, or in how many rows it is filled."""
    if item.name not in form.columns:
        return f"={shown(answers.get(item.name))}"
    values = [answers[name] for name in form.cells_in[item.name] if answers.get(name) is not None]
    if not item.type.is_number or item.type is FieldType.PERCENT:
        return f"={len(values)}行"
    return f"合计={shown(sum(value for value in values if isinstance(value, int | float)))}"


def _beyond_room(
    form: Form, raw: Mapping[str, RawValue | CellError], where: Mapping[str, str]
) -> Iterator[Finding]:
    """One finding for each table that has more rows than a copy has room for, with what stands in those."""
    beyond = [name for name in raw if name not in form.by_name and split_cell(name)]
    for table in form.tables if beyond else ():
        own = [name for name in beyond if name.startswith(f"{table.name}.")]
        if own:
            count = len(filled_rows(own))
            words = CATALOGUE["table-full"].format(table=table.name, rows=table.rows, count=count)
            found = "、".join(shown(raw[name]) for name in own)
            last = form.by_name[cell_name(table.columns[0].name, table.rows)]
            yield Finding(
                "table-full",
                Severity.ERROR,
                last.name,
                f"{table.name}表",
                where.get(own[0], ""),
                found,
                words,
            )


def unclear_words(field: Field, code: str) -> str:
    """What is said of an answer that is none of its field's type, or out of its bounds."""
    return CATALOGUE[code].format(
        unit=_unit(field, code),
        choices="、".join(field.choices),
        minimum=_bound(field, field.minimum),
        maximum=_bound(field, field.maximum),
        message=field.constraint_message or f"不符合约束条件 {field.constraint}",
    )


def _finding(form: Form, field: Field, code: str, found: str, where: Mapping[str, str]) -> Finding:
    words = unclear_words(field, code)
    cell = where.get(field.name) or form.cell_of(field.name)
    return Finding(code, Severity.ERROR, field.name, field.label, cell, found, words)


def _unit(field: Field, code: str) -> str:
    """A field's unit as a finding's words take it; a percent's bounds carry their own sign."""
    if code.startswith("not"):
        return f"（{field.unit}）" if field.unit else ""
    return "" if field.type is FieldType.PERCENT else field.unit


def _bound(field: Field, bound: int | float | dt.date | None) -> str:
    if bound is None or isinstance(bound, dt.date):
        return str(bound)
    return f"{plain_number(bound * 100)}%" if field.type is FieldType.PERCENT else plain_number(bound)
