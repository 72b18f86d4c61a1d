"""The four definition sheets of a form workbook (docs/forms.md), read into domain records with every fault at once."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from workflow.domain import rules
from workflow.domain.errors import Fault
from workflow.domain.form import (
    RESERVED,
    Aggregate,
    Field,
    FieldType,
    Prefill,
    Rule,
    Severity,
    column_letters,
)
from workflow.domain.roster import UnitKind

DEFINITION_SHEETS = ("设置", "字段", "选项", "规则")

_FIELD_HEADINGS: Mapping[str, str] = {
    "字段": "name",
    "标签": "label",
    "类型": "type",
    "必填": "required",
    "最小值": "min",
    "最大值": "max",
    "格式": "pattern",
    "约束": "constraint",
    "约束提示": "constraint_message",
    "相关条件": "relevant",
    "选项": "choices",
    "计量单位": "unit",
    "汇总": "aggregate",
    "预填": "prefill",
}
_CHOICE_HEADINGS: Mapping[str, str] = {"选项组": "list_name", "选项": "value"}
_RULE_HEADINGS: Mapping[str, str] = {"编号": "id", "类别": "kind", "公式": "formula", "提示": "message"}
_MUST_HAVE = {
    "字段": ("name", "label", "type", "required"),
    "选项": ("list_name", "value"),
    "规则": ("id", "kind", "formula", "message"),
}
_REMARKS = frozenset({"备注", "note"})

_TYPE_WORDS: Mapping[str, FieldType] = {kind.value: kind for kind in FieldType} | {
    "text": FieldType.TEXT,
    "integer": FieldType.INTEGER,
    "decimal": FieldType.DECIMAL,
    "percent": FieldType.PERCENT,
    "date": FieldType.DATE,
    "yesno": FieldType.YES_NO,
    "choice": FieldType.CHOICE,
    "phone": FieldType.PHONE,
    "email": FieldType.EMAIL,
}
_AGGREGATE_WORDS: Mapping[str, Aggregate] = {word.value: word for word in Aggregate} | {
    "sum": Aggregate.SUM,
    "mean": Aggregate.MEAN,
    "max": Aggregate.MAX,
    "min": Aggregate.MIN,
    "count_yes": Aggregate.COUNT_YES,
}
_YES_WORDS = {"是": True, "yes": True, "true": True, "否": False, "no": False, "false": False, "": False}
_TEXTS = frozenset({FieldType.TEXT, FieldType.PHONE, FieldType.EMAIL})
_CELL_ADDRESS = re.compile(r"[A-Za-z]{1,3}[0-9]+")

Row = Mapping[str, Any]
Sheets = Mapping[str, list[tuple[Any, ...]]]


@dataclass
class Definition:
    """What the definition sheets say; `faults` is empty when it can be used. `rows` is the row of each field."""

    file: str
    settings: dict[str, str] = field(default_factory=dict)
    version: int = 0
    kinds: tuple[str, ...] = ()
    fields: list[Field] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def fault(self, place: str, what: str, remedy: str) -> None:
        """Note a fault at `字段!A7` or at a sheet."""
        self.faults.append(Fault(f"{self.file} {place}", what, remedy))


def read_definition(file: str, sheets: Sheets) -> Definition:
    """Read the definition out of the sheets' rows (values as openpyxl gives them, formulas as text)."""
    found = Definition(file)
    for name in DEFINITION_SHEETS:
        if name not in sheets:
            found.fault(name, "缺少这张定义表", "请按《表单制作说明》补上“设置、字段、选项、规则”四张表")
    _read_settings(found, sheets.get("设置", []))
    lists = _read_choices(found, sheets.get("选项", []))
    if "字段" in sheets:
        _read_fields(found, sheets["字段"], lists)
        _check_reserved(found)
        _check_formulas(found, sheets["字段"])
    _read_rules(found, sheets.get("规则", []))
    return found


def _words(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(getattr(value, "text", value)).strip()


def _table(
    found: Definition, sheet: str, rows: list[tuple[Any, ...]], headings: Mapping[str, str]
) -> Iterator[tuple[int, dict[str, int], Row]]:
    """Each filled row: its number, the columns by English heading, and its values. Faults of the headings first."""
    columns: dict[str, int] = {}
    first = rows[0] if rows else ()
    for place, value in enumerate(first, start=1):
        word = _words(value)
        english = headings.get(word) or (word if word in headings.values() else "")
        if word and not english and word not in _REMARKS:
            cell = f"{sheet}!{column_letters(place)}1"
            found.fault(cell, f"不认识的列标题“{word}”", "请改为说明中的列标题，或者写“备注”")
        elif english in columns:
            found.fault(f"{sheet}!{column_letters(place)}1", f"列标题“{word}”重复", "请删去一列")
        elif english:
            columns[english] = place
    chinese = {english: word for word, english in headings.items()}
    missing = [chinese[name] for name in _MUST_HAVE[sheet] if name not in columns]
    if missing:
        found.fault(f"{sheet}!A1", f"缺少列标题“{'、'.join(missing)}”", "请在第一行补上列标题")
        return
    for number, values in enumerate(rows[1:], start=2):
        row = {name: values[place - 1] for name, place in columns.items() if place <= len(values)}
        if any(_words(value) for value in row.values()):
            yield number, columns, row


def _read_settings(found: Definition, rows: list[tuple[Any, ...]]) -> None:
    if not rows:
        return
    places: dict[str, str] = {}
    for number, row in enumerate(rows, start=1):
        key = _words(row[0]) if row else ""
        if key:
            found.settings[key] = _words(row[1]) if len(row) > 1 else ""
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
    for number, columns, row in _table(found, "选项", rows, _CHOICE_HEADINGS):
        name, value = _words(row.get("list_name")), _words(row.get("value"))
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


def _read_fields(found: Definition, rows: list[tuple[Any, ...]], lists: Mapping[str, list[str]]) -> None:
    for number, columns, row in _table(found, "字段", rows, _FIELD_HEADINGS):
        reader = _FieldRow(found, number, columns, row, lists)
        name = reader.name()
        kind = reader.kind()
        if name and name in found.rows:
            reader.fault("name", f"字段“{name}”重复，第 {found.rows[name]} 行已有", "请改名或删去一行")
            continue
        if name:
            found.rows[name] = number
        if kind is None:
            continue
        item = reader.read(name, kind)
        if name:
            found.fields.append(item)


@dataclass(frozen=True, slots=True)
class _FieldRow:
    """One row of the 字段 sheet, read cell by cell."""

    found: Definition
    number: int
    columns: Mapping[str, int]
    row: Row
    lists: Mapping[str, list[str]]

    def fault(self, column: str, what: str, remedy: str) -> None:
        place = column_letters(self.columns.get(column, 1))
        self.found.fault(f"字段!{place}{self.number}", what, remedy)

    def words(self, column: str) -> str:
        return _words(self.row.get(column))

    def name(self) -> str:
        name = self.words("name")
        if not name:
            self.fault("name", "没有填写字段名", "请填写")
        elif (
            not all(sign == "_" or unicodedata.category(sign)[0] in "LN" for sign in name)
            or name[0].isdigit()
        ):
            self.fault("name", f"字段名“{name}”不合要求", "只用汉字、字母、数字和 _，不以数字开头")
        elif _CELL_ADDRESS.fullmatch(name) or name.upper() in {"TRUE", "FALSE", "上期"}:
            self.fault("name", f"字段名“{name}”与单元格地址或公式用词相同", "请改名")
        return name

    def kind(self) -> FieldType | None:
        word = self.words("type")
        kind = _TYPE_WORDS.get(word) or _TYPE_WORDS.get(word.lower())
        if kind is None:
            self.fault(
                "type",
                f"不认识的类型“{word}”" if word else "没有填写类型",
                f"可用的有：{'、'.join(FieldType)}",
            )
        return kind

    def read(self, name: str, kind: FieldType) -> Field:
        label = self.words("label")
        if not label:
            self.fault("label", "没有填写标签", "请写上单元格旁边的说明文字")
        low, high = self.bound("min", kind), self.bound("max", kind)
        if low is not None and high is not None and low > high:  # type: ignore[operator]
            self.fault("min", f"最小值 {low} 大于最大值 {high}", "请改正其中一个")
        return Field(
            name,
            label or name,
            kind,
            self.required(),
            low,
            high,
            self.pattern(kind),
            self.words("constraint"),
            self.words("constraint_message"),
            self.words("relevant"),
            self.choices(kind),
            self.words("unit"),
            self.aggregate(kind),
            self.prefill(kind),
        )

    def required(self) -> bool:
        word = self.words("required").lower()
        if word not in _YES_WORDS:
            self.fault("required", f"必填“{word}”看不懂", "请填 是 或 否")
        return _YES_WORDS.get(word, False)

    def bound(self, column: str, kind: FieldType) -> int | float | dt.date | None:
        value, words = self.row.get(column), self.words(column)
        if not words:
            return None
        if kind is FieldType.DATE:
            return self.day(column, value, words)
        if not kind.is_number:
            self.fault(column, f"类型“{kind}”没有最小值和最大值", "请清空这一格")
            return None
        if isinstance(value, int | float) and not isinstance(value, bool):
            return int(value) if float(value).is_integer() else value
        try:
            number = float(words[:-1]) / 100 if words.endswith("%") else float(words)
        except ValueError:
            self.fault(column, f"“{words}”不是数字", "请填写数字")
            return None
        return int(number) if number.is_integer() else number

    def day(self, column: str, value: object, words: str) -> dt.date | None:
        if isinstance(value, dt.datetime):
            return value.date()
        if isinstance(value, dt.date):
            return value
        try:
            return dt.date.fromisoformat(words)
        except ValueError:
            self.fault(column, f"“{words}”不是日期", "请写成 2019-11-01 的样子")
            return None

    def pattern(self, kind: FieldType) -> str:
        pattern = self.words("pattern")
        if not pattern:
            return ""
        if kind not in _TEXTS:
            self.fault("pattern", f"类型“{kind}”不能有格式", "请清空，或者把类型改为文本")
        try:
            re.compile(pattern)
        except re.error as error:
            self.fault("pattern", f"格式“{pattern}”不是正确的正则表达式（{error}）", "请改正")
        return pattern

    def choices(self, kind: FieldType) -> tuple[str, ...]:
        name = self.words("choices")
        if kind is not FieldType.CHOICE:
            if name:
                self.fault("choices", f"类型“{kind}”不用选项组", "请清空，或者把类型改为单选")
            return ()
        if not name:
            self.fault("choices", "单选字段没有选项组", "请填写“选项”表中的选项组")
        elif name not in self.lists:
            self.fault("choices", f"“选项”表中没有选项组“{name}”", "请在“选项”表中补上，或者改正名称")
        return tuple(self.lists.get(name, ()))

    def aggregate(self, kind: FieldType) -> Aggregate:
        word = self.words("aggregate")
        chosen = (
            _AGGREGATE_WORDS.get(word) if word in _AGGREGATE_WORDS else _AGGREGATE_WORDS.get(word.lower())
        )
        if chosen is None:
            known = "、".join(one for one in Aggregate if one)
            self.fault("aggregate", f"不认识的汇总方式“{word}”", f"可用的有：{known}，或者留空")
            return Aggregate.NONE
        fits = kind is FieldType.YES_NO if chosen is Aggregate.COUNT_YES else kind.is_number
        if chosen is not Aggregate.NONE and not fits:
            self.fault(
                "aggregate", f"类型“{kind}”不能用“{chosen}”汇总", "数字用合计、平均、最大、最小，是否用计是"
            )
        return chosen

    def prefill(self, kind: FieldType) -> Prefill:
        word = self.words("prefill")
        known = {one.value: one for one in Prefill}
        if word not in known:
            self.fault(
                "prefill", f"不认识的预填方式“{word}”", "可用的有：上期、名册.名称、名册.代码，或者留空"
            )
        chosen = known.get(word, Prefill.NONE)
        if chosen in {Prefill.UNIT_NAME, Prefill.UNIT_CODE} and kind is not FieldType.TEXT:
            self.fault("prefill", f"“{chosen}”只能预填到文本字段", "请把类型改为文本")
        return chosen


def _check_reserved(found: Definition) -> None:
    types = {one.name: one.type for one in found.fields}
    for name, kind in RESERVED.items():
        if name not in found.rows:
            found.fault("字段", f"缺少必备字段“{name}”", f"请补上一行，类型为“{kind}”")
        elif name in types and types[name] is not kind:
            found.fault(f"字段!A{found.rows[name]}", f"必备字段“{name}”的类型应为“{kind}”", "请改正类型")


def _formula_faults(formula: str, names: Iterable[str]) -> Iterator[str]:
    """What is wrong with a formula, in words."""
    try:
        used = rules.names(rules.parse(formula))
    except rules.FormulaError as error:
        yield f"公式有误：{error}"
        return
    for name in sorted(used - frozenset(names)):
        yield f"公式中的“{name}”不是本表的字段"


def _check_formulas(found: Definition, rows: list[tuple[Any, ...]]) -> None:
    headings = [_words(value) for value in rows[0]] if rows else []
    for item in found.fields:
        for chinese, english, formula in (
            ("约束", "constraint", item.constraint),
            ("相关条件", "relevant", item.relevant),
        ):
            if not formula:
                continue
            place = next(i for i, word in enumerate(headings, start=1) if word in {chinese, english})
            for what in _formula_faults(formula, found.rows):
                found.fault(f"字段!{column_letters(place)}{found.rows[item.name]}", what, "请改正公式")


def _read_rules(found: Definition, rows: list[tuple[Any, ...]]) -> None:
    if not rows:
        return
    seen: dict[str, int] = {}
    kinds = {one.value: one for one in Severity} | {"error": Severity.ERROR, "query": Severity.QUERY}
    for number, columns, row in _table(found, "规则", rows, _RULE_HEADINGS):
        place = {name: f"规则!{column_letters(column)}{number}" for name, column in columns.items()}
        words = {name: _words(row.get(name)) for name in ("id", "kind", "formula", "message")}
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
            for what in _formula_faults(words["formula"], found.rows):
                found.fault(place["formula"], what, "请改正公式")
        if kind is not None:
            found.rules.append(Rule(words["id"], kind, words["formula"], words["message"]))
