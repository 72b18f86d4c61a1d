"""The definition sheets of a form workbook (docs/forms.md), read into domain records with every fault at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from workflow.adapters.workbook.definition import Definition, cell_words, table_rows
from workflow.adapters.workbook.field_sheet import read_fields
from workflow.adapters.workbook.formula_checks import check_formula, question_conditions
from workflow.adapters.workbook.mapping_sheet import MAPPING, read_mapping
from workflow.adapters.workbook.table_layout import room_of
from workflow.domain.form import PERSON, RESERVED, Rule, Severity, column_letters
from workflow.domain.mapping import plain
from workflow.domain.roster import UnitKind

_CHOICE_HEADINGS: Mapping[str, str] = {"选项组": "list_name", "选项": "value"}
_RULE_HEADINGS: Mapping[str, str] = {"编号": "id", "类别": "kind", "公式": "formula", "提示": "message"}

Sheets = Mapping[str, list[tuple[Any, ...]]]


def read_definition(file: str, sheets: Sheets) -> Definition:
    """Read the definition out of the sheets' rows (values as they stand, formulas as text)."""
    found = Definition(file)
    for name in ("设置", "字段"):
        if name not in sheets:
            remedy = "请补上“设置”“字段”两张表；有单选字段的还要有“选项”，有校验规则的还要有“规则”"
            found.fault(name, "缺少这张定义表", remedy)
    if "设置" in sheets:
        _read_settings(found, sheets["设置"])
    lists = _read_choices(found, sheets.get("选项", []))
    if "字段" in sheets:
        read_fields(found, sheets["字段"], lists)
        _check_reserved(found)
        _check_tables(found)
        _check_formulas(found, sheets["字段"])
    _read_rules(found, sheets.get("规则", []))
    found.mapping = read_mapping(found, sheets.get(MAPPING, []))
    _check_mapping(found)
    question_conditions(found)
    return found


def _read_settings(found: Definition, rows: list[tuple[Any, ...]]) -> None:
    places: dict[str, str] = {}
    for number, row in enumerate(rows, start=1):
        key = cell_words(row[0]) if row else ""
        if key:
            found.settings[key] = cell_words(row[1]) if len(row) > 1 else ""
            places[key] = f"设置!B{number}"
    for key in ("表单标识", "表单名称", "版本", "适用单位类型", "表号", "制表机关"):
        if not found.settings.get(key):
            found.fault(places.get(key, "设置"), f"没有填写“{key}”", "请在“设置”表中补上")
    stem = found.file.rsplit(".", 1)[0]
    identifier = found.settings.get("表单标识", "")
    if identifier and not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", identifier):
        found.fault(
            places["表单标识"], f"表单标识“{identifier}”不合要求", "只用英文字母、数字、-、_，字母开头"
        )
    elif identifier and identifier != stem:
        found.fault(places["表单标识"], f"表单标识“{identifier}”与文件名“{stem}”不一致", "请改成一样的")
    version = found.settings.get("版本", "")
    if version.isascii() and version.isdecimal() and int(version) > 0:
        found.version = int(version)
    elif version:
        found.fault(places["版本"], f"版本“{version}”不是正整数", "请写成 1、2、3 …")
    found.kinds = tuple(
        part for part in re.split(r"[、,，;；\s]+", found.settings.get("适用单位类型", "")) if part
    )
    known = {kind.value for kind in UnitKind}
    for kind in found.kinds:
        if kind not in known:
            found.fault(
                places["适用单位类型"], f"没有“{kind}”这种单位类型", f"可用的有：{'、'.join(UnitKind)}"
            )


def _read_choices(found: Definition, rows: list[tuple[Any, ...]]) -> dict[str, list[str]]:
    lists: dict[str, list[str]] = {}
    if not rows:
        return lists
    for number, columns, row in table_rows(found, "选项", rows, _CHOICE_HEADINGS):
        name, value = cell_words(row.get("list_name")), cell_words(row.get("value"))
        if not name or not value:
            blank = "list_name" if not name else "value"
            found.fault(f"选项!{column_letters(columns[blank])}{number}", "没有填写", "选项组和选项都要填写")
        elif value in lists.setdefault(name, []):
            found.fault(
                f"选项!{column_letters(columns['value'])}{number}",
                f"选项“{value}”在“{name}”中重复",
                "请删去一行",
            )
        else:
            lists[name].append(value)
    return lists


def _check_reserved(found: Definition) -> None:
    types = {one.name: one.type for one in found.fields}
    for name, kind in PERSON.items():
        if types.get(name, kind) is not kind:
            found.fault(f"字段!A{found.rows[name]}", f"人员信息字段“{name}”的类型应为“{kind}”", "请改正类型")
    for name, kind in RESERVED.items():
        if name not in found.rows:
            found.fault("字段", f"缺少必备字段“{name}”", f"请补上一行，类型为“{kind}”")
        elif name in types and types[name] is not kind:
            found.fault(f"字段!A{found.rows[name]}", f"必备字段“{name}”的类型应为“{kind}”", "请改正类型")


def _check_tables(found: Definition) -> None:
    for table, columns in found.tables().items():
        if table in found.rows:
            what = f"表格名“{table}”与第 {found.rows[table]} 行的字段同名"
            found.fault(f"字段!A{found.rows[columns[0].name]}", what, "请给表格或字段改名")
    for key in found.settings:
        table = room_of(key)
        if table and table not in found.tables():
            found.fault("设置", f"“{key}”：没有“{table}”这个表格", "请改正表格名，或者删去这一行")


def _check_formulas(found: Definition, rows: list[tuple[Any, ...]]) -> None:
    headings = [cell_words(value) for value in rows[0]] if rows else []
    for item in found.fields:
        for chinese, english, formula in (
            ("约束", "constraint", item.constraint),
            ("相关条件", "relevant", item.relevant),
        ):
            if not formula:
                continue
            place = next(i for i, word in enumerate(headings, start=1) if word in {chinese, english})
            table = item.name.partition(".")[0] if "." in item.name else ""
            check_formula(found, f"字段!{column_letters(place)}{found.rows[item.name]}", formula, table)


def _check_mapping(found: Definition) -> None:
    """A row that leads nowhere would lose last period's figures without a word."""
    known = {plain(words) for one in found.fields for words in (one.name, one.label)}
    for row in found.mapping:
        if row.new and plain(row.new) not in known:
            found.fault(
                MAPPING,
                f"原字段“{row.old}”对应的新字段“{row.new}”不在“字段”表中",
                "请改正新字段的名称，或者清空它",
            )


def _read_rules(found: Definition, rows: list[tuple[Any, ...]]) -> None:
    if not rows:
        return
    seen: dict[str, int] = {}
    kinds = {one.value: one for one in Severity} | {"error": Severity.ERROR, "query": Severity.QUERY}
    for number, columns, row in table_rows(found, "规则", rows, _RULE_HEADINGS):
        place = {name: f"规则!{column_letters(column)}{number}" for name, column in columns.items()}
        words = {name: cell_words(row.get(name)) for name in ("id", "kind", "formula", "message")}
        for name, word in words.items():
            if not word:
                found.fault(place[name], "没有填写", "编号、类别、公式、提示都要填写")
        if words["id"] and words["id"] in seen:
            found.fault(
                place["id"], f"规则编号“{words['id']}”重复，第 {seen[words['id']]} 行已有", "请改编号"
            )
        seen.setdefault(words["id"], number)
        kind = kinds.get(words["kind"])
        if words["kind"] and kind is None:
            found.fault(place["kind"], f"不认识的类别“{words['kind']}”", "请填 逻辑校验 或 经验校验")
        if words["formula"]:
            check_formula(found, place["formula"], words["formula"])
        if kind is not None:
            found.rules.append(Rule(words["id"], kind, words["formula"], words["message"]))
