"""What is wrong with a file of settings, in the office's words: what tomllib and pydantic say in English."""

from __future__ import annotations

import re
from collections.abc import Mapping

from workflow.domain.errors import Fault

#: What is wrong with a setting or a typed value, by the names that pydantic has for it.
VALUE_WORDS: Mapping[str, str] = {
    "missing": "缺少此项",
    "finite_number": "应为有限的数",
    **dict.fromkeys(("bool_type", "bool_parsing"), "应为 true 或 false"),
    "tuple_type": "应为方括号中的两个数",
    "list_type": "应为方括号中的若干项",
    "greater_than": "数值过小",
    "too_long": "项数过多",
    "too_short": "项数不够",
    "extra_forbidden": "没有这个设置项",
    "int_parsing": "应为整数",
    "int_type": "应为整数",
    "float_type": "应为数字",
    "greater_than_equal": "数值过小",
    **dict.fromkeys(("less_than", "less_than_equal"), "数值过大"),
    "string_type": "应为文字（加引号）",
    "string_too_short": "不能为空",
    "string_too_long": "过长",
    "string_pattern_mismatch": "不是合格的电子邮箱地址",
    **dict.fromkeys(("model_type", "dict_type"), "应为一节设置"),
    "float_parsing": "应为数字",
    "int_from_float": "应为整数",
    **dict.fromkeys(
        ("datetime_parsing", "datetime_type", "datetime_from_date_parsing"),
        "应为时间，例如 2027-01-16T08:00:00+08:00",
    ),
    **dict.fromkeys(("date_parsing", "date_type", "date_from_datetime_parsing"), "应为日期，例如 2027-01-16"),
}

#: What is wrong with the writing of a TOML file, by the beginning of what tomllib says.
_TOML: tuple[tuple[str, str], ...] = (
    ("Illegal character '\\n'", "引号没有在本行闭合"),
    ("Illegal character", "含有不允许的控制字符"),
    ("Unterminated string", "引号没有闭合"),
    ("Unclosed array", "方括号没有闭合，或者各项之间缺少逗号"),
    ("Unclosed inline table", "花括号没有闭合，或者各项之间缺少逗号"),
    ("Expected ']'", "节的名称后面缺少右方括号"),
    ("Expected ']]'", "节的名称后面缺少两个右方括号"),
    ("Cannot overwrite a value", "同一个设置项写了两次"),
    ("Duplicate inline table key", "同一个设置项写了两次"),
    ("Cannot declare", "同一节写了两次"),
    ("Cannot mutate", "与前面的节或者设置项重复"),
    ("Cannot redefine", "与前面的节或者设置项重复"),
    ("Expected '='", "设置项的名称后面缺少等号"),
    ("Expected newline", "值的后面有多余的内容，或者值不合格"),
    ("Invalid value", "等号后面的值不合格：文字须加英文引号，是否写作 true 或 false"),
    ("Invalid initial character for a key", "名称为空，或者含有不允许的字符"),
    ("Invalid statement", "既不是设置项，也不是节的名称；引号、等号、方括号须用英文标点"),
    ("Unescaped '\\'", "文字中的反斜杠须写两个，或者整段文字改用单引号"),
    ("Invalid hex", "反斜杠后面的字符代码不合格"),
    ("Escaped character", "反斜杠后面的字符代码不合格"),
    ("Invalid date", "日期或者时间不合格"),
)
_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


def toml_fault(name: str, text: str, error: ValueError) -> Fault:
    """The fault of a file of settings that is no TOML: its file, line and column (of the last line where the end is what is
    missing), in Chinese.
    """
    said = str(error)
    place = _PLACE.search(said)
    words = next((chinese for start, chinese in _TOML if said.startswith(start)), "写法不合格")
    if place and place[1]:
        where = f"{name} 第{place[1]}行第{place[2]}列"
    else:
        lines = text.rstrip().splitlines()
        where = f"{name} 第{max(1, len(lines))}行第{len(lines[-1]) + 1 if lines else 1}列"
    return Fault(where, f"不是合格的 TOML：{words}", "请检查引号、方括号和等号")


def value_words(problem: Mapping[str, object]) -> str:
    """What is wrong with one setting, as pydantic lists it: our own words where our check raised them, never English."""
    kind, context = str(problem.get("type", "")), problem.get("ctx")
    if words := VALUE_WORDS.get(kind, ""):
        return words
    known = context if isinstance(context, Mapping) else {}
    if raised := known.get("error"):
        return str(raised)
    choices = str(known.get("expected", "")).replace(" or ", "、").replace(", ", "、")
    return f"应为 {choices} 之一" if choices else "值不合要求"
