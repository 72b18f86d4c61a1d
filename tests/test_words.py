"""One word for one thing: what the glossary rules out stands in nothing that a user reads."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: Modules that know the words as people type them, in order to understand them.
_UNDERSTANDING = frozenset({"matching", "labels", "recognition", "receipt_copy", "problems", "wishes"})


def spellings() -> list[tuple[str, str]]:
    """(write, never), from the glossary's last table."""
    table = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").split("| write | never |")[1]
    rows = re.findall(r"^\| ([^|]*[一-鿿][^|]*) \| ([^|]+) \|$", table, re.MULTILINE)
    return [(right, wrong) for right, words in rows for wrong in words.split("、")]


def shown_words() -> Iterator[tuple[str, str]]:
    """(place, words): the letters, the handbook, the settings, and every text in the code."""
    for path in [*ROOT.glob("templates/letters/*.j2"), ROOT / "README.zh-CN.md", ROOT / "config.toml"]:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            yield f"{path.relative_to(ROOT)}:{number}", line
    for path in [*ROOT.glob("workflow/**/*.py"), *ROOT.glob("tools/forms/*.py")]:
        if path.stem not in _UNDERSTANDING:
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for node in ast.walk(tree):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node.value


SHOWN = list(shown_words())


def test_the_glossary_rules_words_out() -> None:
    assert len(spellings()) > 20
    assert not {right for right, _ in spellings()} & {wrong for _, wrong in spellings()}


@pytest.mark.parametrize(("right", "wrong"), spellings())
def test_one_word_for_one_thing(right: str, wrong: str) -> None:
    # what the one word holds of the other is not the other: 基础数据库 holds 基础数据
    pattern = re.compile(wrong) if right not in wrong else re.compile(f"{wrong}(?!{right})")
    assert [place for place, words in SHOWN if pattern.search(words.replace("基础数据库", ""))] == []
