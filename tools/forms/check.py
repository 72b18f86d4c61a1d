"""What must hold of a shipped form before it is written: the faults, in words."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

from .definitions import display_width
from .layout import PEOPLE, entries, numbering
from .model import PART, PERSON, RESERVED, Field, Form, System

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from openpyxl.workbook import Workbook

KINDS = {"文本", "整数", "小数", "百分比", "日期", "是否", "单选", "电话", "邮箱"}
AGGREGATES = {"", "合计", "平均", "最大", "最小", "计是"}
PREFILLS = {"", "上期", "名册.名称", "名册.代码"} | {item.prefill for item in PERSON}
SYSTEM_TAGS = {"单位名称", "单位代码", "填报期", "任务", "截止日期", "副本", "令牌"}
FUNCTIONS = {
    "IF",
    "AND",
    "OR",
    "NOT",
    "SUM",
    "MAX",
    "MIN",
    "AVERAGE",
    "ABS",
    "ROUND",
    "INT",
    "MOD",
    "COUNT",
    "COUNTA",
    "ISBLANK",
    "LEN",
    "VALUE",
    "IFERROR",
    "TRUE",
    "FALSE",
    "上期",
}
NAME = re.compile(r"(?!\d)\w+\Z")
ADDRESS = re.compile(r"[A-Za-z]{1,3}\d+\Z")
# Columns (a Chinese character takes two) of one line of a hint or a label, and of its indent with 其中.
HINT_LINE, LABEL_LINE, PART_INDENT = 33, 28, 2


def faults(form: Form, book: Workbook) -> list[str]:
    """Everything that is wrong with the form and its workbook; empty when nothing is."""
    return [*_counts(form), *_fields(form), *_words(form), *_formulas(form), *_tags(form, book)]


def _counts(form: Form) -> Iterator[str]:
    items = form.fields()
    numbered = len(set(numbering(form).values()))
    if not 60 <= len(items) <= 90 or not 60 <= numbered <= 90:
        yield f"{len(items)} indicators under {numbered} numbers: 60 to 90 are wanted"
    if not 6 <= len(form.rules) <= 12:
        yield f"{len(form.rules)} rules: 6 to 12 are wanted"
    names = [item.name for item in (*items, *RESERVED)] + list(form.choices)
    for what, values in (
        ("field", [item.name for item in (*items, *RESERVED)]),
        ("rule", [r.id for r in form.rules]),
        ("label", [item.label for item in items]),
    ):
        yield from (
            f"{what} {value} occurs twice" for value in sorted({v for v in values if values.count(v) > 1})
        )
    yield from (f"{name} is no name" for name in names if not NAME.match(name) or ADDRESS.match(name))
    unused = set(form.choices) - {item.choices for item in (*items, *form.columns())}
    yield from (f"choice list {name} is not used" for name in sorted(unused))


def _fields(form: Form) -> Iterator[str]:
    numbers = numbering(form)
    for item in (*form.fields(), *form.columns(), *RESERVED, *PERSON):
        at = f"field {item.name}: "
        if item.kind not in KINDS or item.aggregate not in AGGREGATES or item.prefill not in PREFILLS:
            yield f"{at}type, aggregate or prefill is unknown"
        if (item.kind == "单选") != bool(item.choices) or (item.choices and item.choices not in form.choices):
            yield f"{at}choice list {item.choices!r} is missing"
        if bool(item.constraint) != bool(item.message):
            yield f"{at}a constraint and its message go together"
        yield from (
            f"{at}the hint names {name}"
            for name in re.findall(r"\[(\w+)\]", item.hint)
            if name not in numbers
        )
        if not _meets(item, form):
            yield f"{at}the sample {item.sample!r} does not meet the field's own terms"


def _words(form: Form) -> Iterator[str]:
    for entry in entries(form):
        if isinstance(entry, Field | System):
            hint = re.sub(r"\[\w+\]", "88", entry.hint)
            part = PART_INDENT if entry.label.startswith(PART) else 0
            yield from (
                f"{words} does not break well over two lines"
                for words, line in ((hint, HINT_LINE), (entry.label, LABEL_LINE - part))
                if not _breaks_well(words, line)
            )


def _breaks_well(words: str, line: int) -> bool:
    """One line, or two of which the second is no orphan."""
    width = display_width(words)
    return width <= line or line + 4 <= width <= 2 * line - 2


def _meets(item: Field, form: Form) -> bool:
    value = item.sample
    if value == "":
        return bool(item.relevant) or not item.required
    if item.kind == "单选":
        return value in form.choices.get(item.choices, ())
    if item.kind in ("整数", "小数", "百分比"):
        low, high = item.minimum, item.maximum
        return (
            isinstance(value, int | float)
            and isinstance(low, int | float)
            and isinstance(high, int | float)
            and low <= value <= high
            and (item.kind != "整数" or isinstance(value, int))
        )
    if item.kind == "日期":
        return isinstance(value, dt.date) and str(item.minimum or "") <= value.isoformat()
    if item.kind == "是否":
        return value in ("是", "否")
    return isinstance(value, str) and (not item.pattern or re.fullmatch(item.pattern, value) is not None)


def _formulas(form: Form) -> Iterator[str]:
    known = {item.name for item in (*form.fields(), *RESERVED)} | FUNCTIONS
    known |= {item.name.partition(".")[0] for item in form.columns()}
    values = {value for values in form.choices.values() for value in values} | {"是", "否"}
    for where, formula in formulas(form):
        if not formula.startswith("=") or formula.count("(") != formula.count(")"):
            yield f"{where}: {formula} is no formula"
        yield from (f"{where}: {name} is no field" for name in names_in(formula) if name not in known)
        yield from (
            f"{where}: {text} is no answer"
            for text in re.findall(r'"([^"]*)"', formula)
            if text not in values
        )


def formulas(form: Form) -> Iterator[tuple[str, str]]:
    """Every formula of the form with the place where it stands."""
    for item in form.fields():
        yield from (
            (f"field {item.name}", formula) for formula in (item.constraint, item.relevant) if formula
        )
    yield from ((f"rule {rule.id}", rule.formula) for rule in form.rules)


def names_in(formula: str) -> Iterable[str]:
    """The words of a formula outside its texts: field names and functions."""
    return re.findall(r"(?<![\w.])[^\W\d]\w*", re.sub(r'"[^"]*"', "", formula))


def _tags(form: Form, book: Workbook) -> Iterator[str]:
    asked: list[str] = []
    printed: set[str] = set()
    for name in (*(page.name for page in form.pages), PEOPLE):
        for cells in book[name].iter_rows():
            for cell in cells:
                tags = re.findall(r"\{\{(.+?)\}\}", cell.value) if isinstance(cell.value, str) else []
                printed |= {tag[1:] for tag in tags if tag.startswith("@")}
                answers = [tag for tag in tags if not tag.startswith("@")]
                asked += answers
                if answers and (cell.value != f"{{{{{answers[0]}}}}}" or cell.protection.locked):
                    yield f"{name}!{cell.coordinate}: an answer cell holds one tag and is unlocked"
                if not answers and cell.value and not cell.protection.locked:
                    yield f"{name}!{cell.coordinate}: a label is unlocked"
    known = [item.name for item in (*form.fields(), *form.columns(), *RESERVED, *PERSON)]
    yield from (
        f"field {name} has {asked.count(name)} answer cells" for name in known if asked.count(name) != 1
    )
    yield from (f"tag {name} has no field" for name in asked if name not in known)
    if printed != SYSTEM_TAGS:
        yield f"system tags printed: {sorted(printed)}"
