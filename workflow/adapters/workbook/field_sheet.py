"""The 字段 sheet: one row a field, read cell by cell."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workflow.adapters.workbook.definition import Definition, Row, cell_words, table_rows
from workflow.adapters.workbook.stamp import EPOCH, FIRST_SURE_DAY
from workflow.domain.form import Aggregate, Field, FieldType, Prefill, column_letters

FIELD_HEADINGS: Mapping[str, str] = {
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
#: What a cell must be that the roster fills in; a text where nothing stands here.
_PREFILLED: Mapping[Prefill, FieldType] = {
    Prefill.PERSON_PHONE: FieldType.PHONE,
    Prefill.PERSON_MOBILE: FieldType.PHONE,
    Prefill.PERSON_EMAIL: FieldType.EMAIL,
}
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
#: The serial numbers of days that Excel knows, but for the first two months, which it counts wrongly.
_SERIALS = range((FIRST_SURE_DAY - EPOCH).days, 2_958_466)
_CELL_ADDRESS = re.compile(r"[A-Za-z]{1,3}[0-9]+")


def _is_word(text: str) -> bool:
    """Whether a text can be the name of a field, a table or a column."""
    allowed = all(sign == "_" or unicodedata.category(sign)[0] in "LN" for sign in text)
    return bool(text) and allowed and not text[0].isdigit()


def read_fields(found: Definition, rows: list[tuple[Any, ...]], lists: Mapping[str, list[str]]) -> None:
    """Read the fields; `lists` holds the choices by the names of their lists."""
    for number, columns, row in table_rows(found, "字段", rows, FIELD_HEADINGS):
        reader = _FieldRow(found, number, columns, row, lists)
        name = reader.name()
        kind = reader.kind()
        if name and name in found.rows:
            reader.fault("name", f"字段“{name}”重复，第 {found.rows[name]} 行已有", "请改名或删去一行")
            continue
        if name:
            found.rows[name] = number
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
        return cell_words(self.row.get(column))

    def name(self) -> str:
        name = self.words("name")
        parts = name.split(".")  # a column of a table is named 表.列
        if not name:
            self.fault("name", "没有填写字段名", "请填写")
        elif len(parts) > 2 or not all(map(_is_word, parts)):
            more = "；表格的列写成 表名.列名" if "." in name else ""
            self.fault("name", f"字段名“{name}”不合要求", f"只用汉字、字母、数字和 _，不以数字开头{more}")
        elif any(
            _CELL_ADDRESS.fullmatch(part) or part.upper() in {"TRUE", "FALSE", "上期"} for part in parts
        ):
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

    def read(self, name: str, kind: FieldType | None) -> Field:
        """The field; where its type is unknown, a text, and only what is wrong with any type is told of it."""
        label = self.words("label")
        if not label:
            self.fault("label", "没有填写标签", "请写上单元格旁边的说明文字")
        low, high = self.bound("min", kind), self.bound("max", kind)
        if low is not None and high is not None and low > high:  # type: ignore[operator]
            self.fault("min", f"最小值 {low} 大于最大值 {high}", "请改正其中一个")
        return Field(
            name,
            label or name,
            kind or FieldType.TEXT,
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

    def bound(self, column: str, kind: FieldType | None) -> int | float | dt.date | None:
        value, words = self.row.get(column), self.words(column)
        if not words or kind is None:
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
        if isinstance(value, int | float) and value in _SERIALS:  # a cell with a format of days
            return EPOCH + dt.timedelta(days=int(value))
        try:
            return dt.date.fromisoformat(words)
        except ValueError:
            self.fault(column, f"“{words}”不是日期", "请写成 2019-11-01 的样子")
            return None

    def pattern(self, kind: FieldType | None) -> str:
        pattern = self.words("pattern")
        if not pattern:
            return ""
        if kind is not None and kind not in _TEXTS:
            self.fault("pattern", f"类型“{kind}”不能有格式", "请清空，或者把类型改为文本")
        try:
            re.compile(pattern)
        except re.error as error:
            where = f"第{error.pos + 1}个字符处有误" if error.pos is not None else "写法有误"
            self.fault("pattern", f"格式“{pattern}”不是正确的正则表达式（{where}）", "请改正")
        return pattern

    def choices(self, kind: FieldType | None) -> tuple[str, ...]:
        name = self.words("choices")
        if kind is not FieldType.CHOICE:
            if name and kind is None and name not in self.lists:
                self.fault("choices", f"“选项”表中没有选项组“{name}”", "请在“选项”表中补上，或者改正名称")
            elif name and kind is not None:
                self.fault("choices", f"类型“{kind}”不用选项组", "请清空，或者把类型改为单选")
            return ()
        if not name:
            self.fault("choices", "单选字段没有选项组", "请填写“选项”表中的选项组")
        elif name not in self.lists:
            self.fault("choices", f"“选项”表中没有选项组“{name}”", "请在“选项”表中补上，或者改正名称")
        return tuple(self.lists.get(name, ()))

    def aggregate(self, kind: FieldType | None) -> Aggregate:
        word = self.words("aggregate")
        chosen = (
            _AGGREGATE_WORDS.get(word) if word in _AGGREGATE_WORDS else _AGGREGATE_WORDS.get(word.lower())
        )
        if chosen is None:
            known = "、".join(one for one in Aggregate if one)
            self.fault("aggregate", f"不认识的汇总方式“{word}”", f"可用的有：{known}，或者留空")
            return Aggregate.NONE
        if kind is None:
            return chosen
        fits = kind is FieldType.YES_NO if chosen is Aggregate.COUNT_YES else kind.is_number
        if chosen is not Aggregate.NONE and not fits:
            self.fault(
                "aggregate", f"类型“{kind}”不能用“{chosen}”汇总", "数字用合计、平均、最大、最小，是否用计是"
            )
        return chosen

    def prefill(self, kind: FieldType | None) -> Prefill:
        word = self.words("prefill")
        known = {one.value: one for one in Prefill}
        if word not in known:
            self.fault(
                "prefill",
                f"不认识的预填方式“{word}”",
                f"可用的有：{'、'.join(filter(None, known))}，或者留空",
            )
        chosen = known.get(word, Prefill.NONE)
        from_roster = chosen not in {Prefill.NONE, Prefill.LAST_PERIOD}
        wanted = _PREFILLED.get(chosen, FieldType.TEXT)
        if from_roster and kind not in (wanted, None):
            self.fault("prefill", f"“{chosen}”只能预填到{wanted}字段", f"请把类型改为{wanted}")
        elif from_roster and "." in self.words("name"):
            self.fault("prefill", f"表格的列不能预填“{chosen}”", "请填 上期，或者留空")
        return chosen
