"""What Excel itself says while the unit types: a data validation, an error and an input prompt for each answer cell."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from lxml import etree

from workflow.adapters.workbook.package import tag
from workflow.adapters.workbook.stamp import EPOCH
from workflow.domain import rules
from workflow.domain.form import Field, FieldType

#: Excel's own limits of a validation's texts.
_TITLE, _WORDS, _INLINE_LIST = 32, 255, 255
_LONGEST = {FieldType.TEXT: 500, FieldType.PHONE: 60, FieldType.EMAIL: 254}
_HUGE = 10**15
_FIRST_DAY, _LAST_DAY = 1, 2958465
_KINDS = {
    FieldType.INTEGER: "whole",
    FieldType.DECIMAL: "decimal",
    FieldType.PERCENT: "decimal",
    FieldType.DATE: "date",
    FieldType.YES_NO: "list",
    FieldType.CHOICE: "list",
}
_WHAT = {
    FieldType.INTEGER: "填整数",
    FieldType.DECIMAL: "填数字",
    FieldType.PERCENT: "填百分比，如 85%",
    FieldType.DATE: "填日期，如 2026-12-28",
    FieldType.YES_NO: "选“是”或“否”",
    FieldType.CHOICE: "从下拉列表中选择",
    FieldType.TEXT: "填文字",
    FieldType.PHONE: "填电话号码，固定电话带区号",
    FieldType.EMAIL: "填电子邮箱，如 name@example.org",
}
_AMISS = {
    FieldType.INTEGER: "数值不符合要求",
    FieldType.DECIMAL: "数值不符合要求",
    FieldType.PERCENT: "百分比不符合要求",
    FieldType.DATE: "日期不符合要求",
    FieldType.YES_NO: "请从列表中选择",
    FieldType.CHOICE: "请从列表中选择",
}


def fits_inline(choices: tuple[str, ...]) -> bool:
    """Whether a list can stand in the validation itself: Excel takes 255 signs and parts at commas."""
    joined = ",".join(choices)
    if len(joined.replace('"', '""')) > _INLINE_LIST:
        return False
    return not any("," in choice or '"' in choice or choice != choice.strip() for choice in choices)


def validation(field: Field, ref: str, ranges: Mapping[tuple[str, ...], str]) -> etree._Element:
    """The `dataValidation` of an answer cell; `ranges` gives the address of each list too long to stand inline.

    A cell has one validation only. That of the type comes first; of a text, which has none, it is the constraint, if it
    speaks of this cell alone: one that speaks of others would refuse figures by the order in which they are typed.
    """
    element = etree.Element(tag("dataValidation"))
    kind = _KINDS.get(field.type, "textLength")
    first, second = _formulas(field, ranges)
    own = _constraint(field, ref) if kind == "textLength" else ""
    if own:
        kind, first = "custom", own
    element.set("type", kind)
    if kind not in {"list", "custom"}:
        element.set("operator", "between" if second else "lessThanOrEqual")
    element.set("allowBlank", "1")
    element.set("showInputMessage", "1")
    element.set("showErrorMessage", "1")
    element.set("errorTitle", _cut(_AMISS.get(field.type, "内容过长"), _TITLE))
    told = field.constraint_message if own else ""
    element.set("error", _cut(f"“{field.label}”：{told or f'请{_wanted(field)}。'}", _WORDS))
    element.set("promptTitle", _cut(field.label, _TITLE))
    element.set("prompt", _cut(_prompt(field), _WORDS))
    element.set("sqref", ref)
    etree.SubElement(element, tag("formula1")).text = first
    if second:
        etree.SubElement(element, tag("formula2")).text = second
    return element


def _constraint(field: Field, ref: str) -> str:
    """The field's constraint and its type's length as one condition on its cell; '' where it needs other cells."""
    if not field.constraint or field.relevant:
        return ""
    expr = rules.parse(field.constraint)
    if rules.names(expr) != {field.name} or rules.previous_names(expr):
        return ""
    condition = f"AND(LEN({ref})<={_LONGEST[field.type]},IFERROR({rules.to_excel(expr, lambda _: ref)},TRUE))"
    return condition if len(condition) <= _WORDS else ""


def _formulas(field: Field, ranges: Mapping[tuple[str, ...], str]) -> tuple[str, str]:
    if field.type is FieldType.YES_NO:
        return '"是,否"', ""
    if field.type is FieldType.CHOICE:
        return ranges.get(field.choices) or f'"{",".join(field.choices)}"', ""
    if field.type in _LONGEST:
        return str(_LONGEST[field.type]), ""
    if field.type is FieldType.DATE:
        low, high = field.minimum, field.maximum
        first = (low - EPOCH).days if isinstance(low, dt.date) else _FIRST_DAY
        last = (high - EPOCH).days if isinstance(high, dt.date) else _LAST_DAY
        return str(first), str(last)
    lowest = field.minimum if field.minimum is not None else -_HUGE
    highest = field.maximum if field.maximum is not None else _HUGE
    return str(lowest), str(highest)


def _wanted(field: Field) -> str:
    """What is to be filled in, with its bounds."""
    what = _WHAT[field.type]
    low, high = _shown(field, field.minimum), _shown(field, field.maximum)
    if low and high:
        return f"{what}，范围 {low} 至 {high}"
    if low:
        return f"{what}，不{'早' if field.type is FieldType.DATE else '小'}于 {low}"
    if high:
        return f"{what}，不{'晚' if field.type is FieldType.DATE else '大'}于 {high}"
    if field.type in _LONGEST and field.type is FieldType.TEXT:
        return f"{what}，不超过 {_LONGEST[field.type]} 字"
    return what


def _shown(field: Field, bound: int | float | dt.date | None) -> str:
    if bound is None:
        return ""
    if isinstance(bound, dt.date):
        return bound.isoformat()
    if field.type is FieldType.PERCENT:
        return f"{bound * 100:.10g}%"
    return str(bound)


def _prompt(field: Field) -> str:
    lines = [_wanted(field)]
    if field.unit:
        lines.append(f"计量单位：{field.unit}")
    if field.required:
        lines.append("不适用时留空" if field.relevant else "必填")
    return "；".join(lines) + "。"


def _cut(words: str, most: int) -> str:
    return words if len(words) <= most else words[: most - 1] + "…"
