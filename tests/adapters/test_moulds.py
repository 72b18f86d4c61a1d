"""A letter that is filled into a mould is, sign for sign, the letter that rendering gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.adapters.golden_letters import CONTEXTS, TEMPLATES
from workflow.adapters.letters import LetterTemplates

if TYPE_CHECKING:
    from pathlib import Path

NAMES = [
    "第一小学",
    "<b>二</b>&小学",
    "很长很长的名字" * 9,
    "甲",
    "甲",
    "x y",
    "{{ 1 }}",
    "\ufdd0Ā\ufdd1",
    "第一小学",
]

#: Kinds whose templates have macros, inside which nothing is watched: they are always rendered.
WITH_MACROS = {"decision_confirm"}


def rendering(folder: Path) -> LetterTemplates:
    """The same letters, each of them rendered."""
    letters = LetterTemplates(folder)
    letters._moulds._never |= letters.kinds
    return letters


def changed(value: Any, name: str) -> Any:
    """A context with another name in every place where a unit stands."""
    if isinstance(value, dict):
        return {
            key: name if key.endswith("name") and item else changed(item, name) for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [changed(item, name) for item in value]
    return value


@pytest.fixture(scope="module")
def both() -> tuple[LetterTemplates, LetterTemplates]:
    return LetterTemplates(TEMPLATES), rendering(TEMPLATES)


@pytest.mark.parametrize("context", sorted(CONTEXTS))
def test_a_filled_letter_is_the_rendered_one(
    both: tuple[LetterTemplates, LetterTemplates], context: str
) -> None:
    kind, values = CONTEXTS[context]
    filling, plainly = both
    for name in NAMES:
        given = changed(values, name) | {"token": f"HZ-{len(name)}", "salutation": name}
        assert filling.render(kind, given) == plainly.render(kind, given)
    assert kind not in filling._moulds._never - WITH_MACROS


@pytest.mark.parametrize(
    "body",
    [
        "{{ name }}",
        "{{ name if name == '甲' else '别的' }}",
        "{{ name|length }}",
        "{{ name|upper }}{{ other }}",
        "{{ ('致' ~ name)|length }}",
        "{% set both = name ~ other %}{{ both|centred }}",
        "{% set both = name ~ other %}{{ '是' if both == '甲乙' else '否' }}",
        "{{ '有' if '小学' in name else '无' }}",
        "{{ '有' if '小学' in [name, other] else '无' }}",
        "{{ '同' if name == other else '异' }}",
        "{{ name[:2] }}{{ (name ~ 'x')[1] }}",
        "{{ name.startswith('第') }}{{ (name ~ 'x').startswith('第') }}",
        "{% for sign in name %}{{ sign }}、{% endfor %}",
        "{% for sign in name ~ other %}{{ sign }}、{% endfor %}",
        "{{ {'甲': '一', '乙': '二'}.get(name, '无') }}{{ {'甲x': '一'}.get(name ~ 'x', '无') }}",
        "{{ {'甲': '一'}[name] if name == '甲' }}{{ name or '空' }}{{ name|default('无') }}",
        "{{ name < other }}{{ [name, other]|sort|join }}{{ [name, other]|unique|list|length }}",
        "{{ [name, other]|join('、') }}{{ ([name, other]|join) == '甲乙' }}",
        "{{ '%s' % name }}{{ '{}'.format(name) }}{{ ('%s' % name) == '甲' }}{{ name + other }}{{ name * 2 }}",
        "{% macro m(x) %}{{ x == '甲x' }}{% endmacro %}{{ m(name ~ 'x') }}",
        "{% set b %}{{ name }}{% endset %}{{ b == '甲' }}",
        "{% filter upper %}{{ name }}{% endfilter %}",
        "{% autoescape true %}{{ name }}{% endautoescape %}{% autoescape false %}{{ name }}{% endautoescape %}",
        "{{ name|e }}{{ name|safe }}{{ name|string }}{{ (name ~ other)|e }}{{ name|tojson }}{{ [name]|pprint }}",
        "{{ rows|selectattr('name', 'equalto', name)|list|length }}{{ rows|map(attribute='name')|join }}",
        "{{ rows|rejectattr('name', 'equalto', '甲')|list|length }}{{ rows|groupby('name')|length }}",
        "{{ name is string }}{{ name is defined }}{{ name is none }}{{ name is eq other }}{{ name is sameas other }}",
        "{{ title }}{{ title|length }}{{ title == '致甲' }}",
    ],
)
def test_a_template_that_looks_at_a_word_is_rendered_for_each_word(tmp_path: Path, body: str) -> None:
    (tmp_path / "kind.subject.j2").write_text("致{{ name }}", encoding="utf-8")
    for ending in ("txt", "html"):
        (tmp_path / f"kind.{ending}.j2").write_text(f"{body}\n", encoding="utf-8")
    filling, plainly = LetterTemplates(tmp_path), rendering(tmp_path)
    for name in NAMES:
        for other in ("乙", name, ""):
            given = {"name": name, "other": other, "rows": [{"name": "甲"}, {"name": name}], "token": ""}
            assert filling.render("kind", given) == plainly.render("kind", given), name


def test_a_name_is_escaped_in_a_filled_page(tmp_path: Path) -> None:
    for ending in ("subject", "txt", "html"):
        (tmp_path / f"kind.{ending}.j2").write_text("致{{ name ~ '：' }}", encoding="utf-8")
    letters = LetterTemplates(tmp_path)
    for name in ("甲", "乙", "丙", "<丁>&"):
        letter = letters.render("kind", {"name": name, "token": "T"})
    assert letter.subject == "【T】致<丁>&："
    assert letter.text == "致<丁>&：\n"
    assert letter.html == "致&lt;丁&gt;&amp;：\n"


def test_letters_that_differ_in_names_alone_are_rendered_three_times(tmp_path: Path) -> None:
    """Plainly, plainly once more, and with holes; then never again."""
    for ending in ("subject", "txt", "html"):
        (tmp_path / f"kind.{ending}.j2").write_text("致{{ name }}{{ number() }}", encoding="utf-8")
    letters = LetterTemplates(tmp_path)
    counted: list[int] = []
    for environment in (letters._environment, letters._moulds._watched):
        environment.globals["number"] = lambda: counted.append(1) or ""
    letters._required = {"kind": {}}
    for name in range(50):
        letters.render("kind", {"name": f"第{name}小学", "token": ""})
    assert len(counted) <= 3 * 3
