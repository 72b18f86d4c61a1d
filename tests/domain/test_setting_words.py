"""What is wrong with a file of settings is said in Chinese, with its line and column."""

from __future__ import annotations

import re
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from workflow.domain.setting_words import toml_fault, value_words

BROKEN = [
    ("[smtp]\nhost = ", "第2行第7列", "等号后面的值不合格"),
    ('host = "x', "第1行第10列", "引号没有闭合"),
    ('host = "x\nport = 1"', "第1行第10列", "引号没有在本行闭合"),
    ("[smtp\nhost = 1", "第1行第6列", "缺少右方括号"),
    ("a = 1\na = 2", "第2行", "同一个设置项写了两次"),
    ("[a]\nx = 1\n[a]\n", "第3行", "同一节写了两次"),
    ("a.b = 1\n[a.b]\n", "第2行", "写了两次"),
    ("x = [1, 2", "第1行第10列", "方括号没有闭合"),
    ("x = {b = 1 c = 2}", "第1行", "花括号没有闭合"),
    ("a b = 1", "第1行第3列", "缺少等号"),
    ("a = 1 b = 2", "第1行", "多余的内容"),
    ("a = tru", "第1行第5列", "true 或 false"),
    ("“a” = 1", "第1行第1列", "英文标点"),
    ('a = "C:\\query"', "第1行", "反斜杠"),
    ('a = "\\u12"', "第1行", "字符代码"),
    ("= 2", "第1行第1列", "英文标点"),
    ("[]", "第1行第2列", "名称为空"),
    ("a = 1\n\x01", "第2行第1列", "英文标点"),
]


@pytest.mark.parametrize(("text", "where", "what"), BROKEN)
def test_a_file_that_is_no_toml_is_told_where_and_what(text: str, where: str, what: str) -> None:
    with pytest.raises(tomllib.TOMLDecodeError) as error:
        tomllib.loads(text)
    fault = toml_fault("config.toml", text, error.value)
    assert fault.where.startswith(f"config.toml {where}")
    assert what in fault.what
    assert not re.search(r"[A-Za-z]{5,}", str(fault).replace("config.toml", "").replace("false", ""))


@given(st.text(alphabet="ab=[]{}\"'\\.,\n#1-T: “é\x00u", max_size=30))
def test_whatever_is_wrong_no_english_is_passed_on(text: str) -> None:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        said = str(toml_fault("x", text, error))
        assert re.fullmatch(
            r"x 第\d+行第\d+列：不是合格的 TOML：[^：]*(?:：[^：]*)?；请检查引号、方括号和等号", said
        )
        assert not re.search(r"[a-z]{4,}", said.replace("true", "").replace("false", ""))
    except ValueError:
        pass  # another Python's complaint about a number


def test_what_is_wrong_with_a_value_is_said_in_chinese_whatever_it_is() -> None:
    class Settings(BaseModel):
        number: int
        when: bytes
        url: complex

    with pytest.raises(ValidationError) as raised:
        Settings.model_validate({"number": "x", "when": 1, "url": "y"})
    words = [value_words(dict(problem)) for problem in raised.value.errors()]
    assert words == ["应为整数", "值不合要求", "值不合要求"]
