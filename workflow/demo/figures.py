"""Plausible answers to any form, made from nothing but its definition: what a careful clerk would fill in.

Generate, examine with the very checks of intake, repair, until nothing is found. The same seed gives the same answers.
"""

from __future__ import annotations

import datetime as dt
import random
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from workflow.domain import rules
from workflow.domain.checks import Examination, examine
from workflow.domain.form import FILLED_ON, NO_CHANGE, PERSON, Field, FieldType, Form, Table, Value, cell_name
from workflow.domain.submission import Answers, Finding
from workflow.domain.tables import rows_of
from workflow.domain.wishes import SUSPENDED_FIELD

#: A unit uses this share of the largest figure that a form allows: forms bound all their figures alike.
_SMALLEST, _LARGEST = 0.03, 0.08
_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
_GIVEN = ("建国", "丽华", "志强", "秀英", "海涛", "晓燕", "永刚", "慧敏", "文博", "春梅", "明远", "雪琴")
_PROJECTS = ("城域网扩容改造", "智慧教室建设", "数字资源平台升级", "校园网络安全加固", "同步课堂建设", "数据中心整合")
_MOST_ROWS = 4
_TRIES = 40


class Unanswerable(Exception):
    """No answers were found that a form's checks are content with; the findings that stay are the message."""


def plausible(
    form: Form, seed: int, given: Answers, previous: Answers | None, day: dt.date
) -> dict[str, Value]:
    """Answers to every field of a form without a finding. `given` are the answers that the copy came with and that
    stay; with `previous` some figures move a little from last period's. Raises Unanswerable.
    """
    chance = random.Random(seed)
    answers: dict[str, Value] = _moved(form, chance, previous) if previous else _fresh(form, chance)
    answers |= {name: value for name, value in given.items() if previous is None or name not in previous}
    answers[FILLED_ON], answers[NO_CHANGE] = day, False
    for name in PERSON.keys() - given.keys():  # the people of the play stay who they are
        answers.pop(name, None)
    if answers.get(SUSPENDED_FIELD):  # a school that says 是 is asked no more, which the play has not in mind
        answers[SUSPENDED_FIELD] = False
    seen = _examined(form, answers, previous)
    for _ in range(_TRIES):
        if not seen.findings:
            return answers
        answers, seen = _repaired(form, answers, previous, seen, chance)
    raise Unanswerable("；".join(f"{finding.label}：{finding.message}" for finding in seen.findings))


def person(chance: random.Random) -> str:
    """A made-up name."""
    return chance.choice(_SURNAMES) + chance.choice(_GIVEN)


def _fresh(form: Form, chance: random.Random) -> dict[str, Value]:
    """First answers. Figures that are bounded by others come after them."""
    size = chance.uniform(_SMALLEST, _LARGEST)
    answers: dict[str, Value] = {}
    rows = {table.name: chance.randint(1, _MOST_ROWS) for table in form.tables}
    asked = [
        field
        for field in form.fields
        if not field.explains and field.row <= rows.get(field.name.partition(".")[0], 0)
    ]
    for field in sorted(asked, key=lambda field: bool(field.constraint)):
        answers[field.name] = _bounded(field, _first(field, chance, size), answers, chance)
    return _without_irrelevant(form, answers)


def _moved(form: Form, chance: random.Random, previous: Answers) -> dict[str, Value]:
    """Last period's answers with some of the figures a little larger."""
    answers = dict(previous)
    for field in form.indicators:
        value = answers.get(field.name)
        if field.type is FieldType.INTEGER and isinstance(value, int) and chance.random() < 0.4:
            most = int(field.maximum) if isinstance(field.maximum, int | float) else value + 9
            answers[field.name] = min(most, value + chance.randint(0, max(1, value // 20)))
    for table in form.tables:
        if chance.random() < 0.5:
            answers |= _sorted(table, answers)
    return _without_irrelevant(form, answers)


def _sorted(table: Table, answers: Answers) -> dict[str, Value]:
    """The rows of a table put in the order of their first column, as clerks do."""
    rows = sorted((row.values for row in rows_of(table, answers)), key=lambda values: str(values[0]))
    return {
        cell_name(column.name, number): value
        for number, values in enumerate(rows, start=1)
        for column, value in zip(table.columns, values, strict=True)
    }


def _first(field: Field, chance: random.Random, size: float) -> Value:
    match field.type:
        case FieldType.YES_NO:
            return chance.random() < 0.75 and field.name != SUSPENDED_FIELD  # a school at work
        case FieldType.CHOICE:
            return chance.choice(field.choices)
        case FieldType.DATE:
            return dt.date(2026, 3, 1) + dt.timedelta(days=chance.randrange(180))
        case FieldType.PHONE:
            return f"0371-5555{chance.randrange(10000):04d}"
        case FieldType.EMAIL:
            return f"wlzx{chance.randrange(1000):03d}@school.test"
        case FieldType.PERCENT:
            return round(chance.uniform(0.4, 0.95), 2)
        case FieldType.INTEGER | FieldType.DECIMAL:
            least = float(field.minimum) if isinstance(field.minimum, int | float) else 0.0
            most = float(field.maximum) if isinstance(field.maximum, int | float) else 1000.0
            figure = least + (most - least) * size * chance.uniform(0.9, 1.1)
            return round(figure) if field.type is FieldType.INTEGER else round(figure, 1)
        case FieldType.TEXT:
            return _matching(field.pattern, chance) if field.pattern else _words(field, chance)


def _words(field: Field, chance: random.Random) -> str:
    """A person where the label speaks of one, else an office."""
    if "项目" in field.label:
        return chance.choice(_PROJECTS)
    if any(word in field.label for word in ("负责人", "填表人", "责任人", "校长", "姓名")):
        return person(chance)
    return chance.choice(("信息中心", "电教馆", "现代教育技术中心", "网络管理办公室"))


def _bounded(field: Field, value: Value, answers: Mapping[str, Value], chance: random.Random) -> Value:
    """A figure that a constraint holds against others, made a share of the least of them."""
    if not field.constraint or not isinstance(value, int | float) or isinstance(value, bool):
        return value
    others = [answers.get(name) for name in rules.names(_parsed(field.constraint)) if name != field.name]
    bounds = [other for other in others if isinstance(other, int | float) and not isinstance(other, bool)]
    if not bounds or rules.holds(_parsed(field.constraint), {**answers, field.name: value}, None) is True:
        return value
    share = min(bounds) * chance.uniform(0.4, 0.95)
    return int(share) if field.type is FieldType.INTEGER else round(share, 1)


def _without_irrelevant(form: Form, answers: dict[str, Value]) -> dict[str, Value]:
    """Answers to questions that the form does not put to this unit are left out."""
    for field in form.fields:
        if field.relevant and rules.holds(_parsed(field.relevant), answers, None) is False:
            answers[field.name] = None
    return answers


def _examined(form: Form, answers: Answers, previous: Answers | None) -> Examination:
    raw = {
        name: ("是" if value else "否") if isinstance(value, bool) else value
        for name, value in answers.items()
    }
    return examine(form, raw, previous)


def _repaired(
    form: Form, answers: dict[str, Value], previous: Answers | None, seen: Examination, chance: random.Random
) -> tuple[dict[str, Value], Examination]:
    """The first change to an answer of the first finding that leaves fewer findings; a random one when none does."""
    finding = seen.findings[0]
    broken = _formula(form, finding)
    tried: list[dict[str, Value]] = []
    for name, value in _candidates(form, finding, answers, previous, chance):
        changed = {**answers, name: value}
        if broken and rules.holds(_parsed(broken), changed, previous) is False:
            continue
        changed = _without_irrelevant(form, changed)
        examined = _examined(form, changed, previous)
        if len(examined.findings) < len(seen.findings):
            return changed, examined
        tried.append(changed)
    changed = chance.choice(tried) if tried else answers
    return changed, _examined(form, changed, previous)


def _formula(form: Form, finding: Finding) -> str:
    """The formula that a finding says is broken; '' for a finding of another kind."""
    if finding.code == "rule":
        return next((rule.formula for rule in form.rules if finding.message.startswith(rule.message)), "")
    return form.by_name[finding.field].constraint if finding.code == "constraint" else ""


@lru_cache(maxsize=1024)
def _parsed(formula: str) -> rules.Expr:
    return rules.parse(formula)


def _candidates(
    form: Form, finding: Finding, answers: Answers, previous: Answers | None, chance: random.Random
) -> Iterator[tuple[str, Value]]:
    """Changes that may set a finding right, the likeliest first."""
    fields = [field for field in form.fields if field.name == finding.field]
    if finding.code == "rule":
        labels = set(finding.label.split("、"))
        fields = [field for field in form.fields if field.label in labels]
    figures = {f.name: answers.get(f.name) or 0 for f in fields if f.type.is_number}
    numbers = {name: value for name, value in figures.items() if isinstance(value, int | float)}
    for field in fields:
        if field.type is FieldType.PERCENT:
            for one in numbers.values():
                yield from ((field.name, round(one / other, 4)) for other in numbers.values() if one < other)
        elif field.type.is_number:
            whole = field.type is FieldType.INTEGER
            marks = [*numbers.values(), sum(answers.get(f.name) is True for f in fields), 0, 1, 100]
            before = previous.get(field.name) if previous else None
            marks += [before] if isinstance(before, int | float) else []
            marks += _column_totals(form, finding, answers)
            for mark in marks:
                for share in (1, 0.5, 0.1, 0.03, 1.5):
                    yield field.name, round(mark * share) if whole else round(mark * share, 1)
        elif finding.code == "rule" and field.type is FieldType.YES_NO:
            yield field.name, not answers.get(field.name)
        elif finding.code != "rule":
            yield field.name, _first(field, chance, chance.uniform(_SMALLEST, _LARGEST))


def _column_totals(form: Form, finding: Finding, answers: Answers) -> Iterator[float]:
    """The totals of the columns that a broken formula names."""
    for name in rules.names(_parsed(_formula(form, finding))) if form.tables and _formula(form, finding) else ():
        values = [answers.get(cell) for cell in form.cells_in.get(name, ())]
        if name in form.columns:
            yield sum(value for value in values if isinstance(value, int | float))


_PIECE = re.compile(
    r"(?P<group>\((?:\?:)?(?P<inner>[^()]*)\))(?P<optional>\?)|\[(?P<set>[^\]]+)\](?P<times>\{(?P<least>\d+)(?:,\d*)?\})?|(?P<char>.)"
)


def _matching(pattern: str, chance: random.Random) -> str:
    """A text for the simple patterns that forms use: literals, sets, counts, and optional groups (left out)."""
    text = ""
    for piece in _PIECE.finditer(pattern.strip("^$")):
        if piece["set"]:
            members = re.sub(
                r"0-9", "0123456789", piece["set"].replace("A-Za-z", "").replace("A-Z", "ABCDEFGH")
            )
            text += "".join(chance.choice(members) for _ in range(int(piece["least"] or 1)))
        elif piece["char"]:
            text += piece["char"]
    return text
