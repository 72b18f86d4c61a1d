from __future__ import annotations

import html
import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from jinja2 import Environment
from markupsafe import Markup

from tests.adapters.golden_letters import CONTEXTS, GOLDEN, OWN, TEMPLATES, at, golden_text
from workflow.adapters.letters import LetterTemplates
from workflow.adapters.letters.wording import day, moment, until
from workflow.domain.errors import Refused

if TYPE_CHECKING:
    from pathlib import Path

    from workflow.adapters.letters import Rendered

MARKUP = "<b>{{7*7}}</b>{% raw %}&amp;=cmd()"
# An item of a list in the text is a row of a table in HTML: compared by its cells, not as a sentence.
LIST_ITEM = re.compile(r"^(\d+．|附件：|[^：。]{1,8}：\d+件$)")


@pytest.fixture(scope="module")
def letters() -> LetterTemplates:
    return LetterTemplates(TEMPLATES)


def rendered(letters: LetterTemplates, name: str, **changed: object) -> Rendered:
    kind, context = CONTEXTS[name]
    return letters.render(kind, context | changed)


def squeezed(words: str) -> str:
    return re.sub(r"\s+", "", words)


def visible(page: str) -> str:
    body = page[page.index("<body") :]
    return squeezed(html.unescape(re.sub(r"<[^>]*>", "", body)))


def elements(page: str, tag: str) -> list[str]:
    found = re.findall(rf"<{tag}\b[^>]*>(.*?)</{tag}>", page, flags=re.DOTALL)
    return [squeezed(html.unescape(re.sub(r"<[^>]*>", "", words))) for words in found]


@pytest.mark.parametrize("name", sorted(CONTEXTS))
def test_a_letter_reads_as_its_golden_file(letters: LetterTemplates, name: str) -> None:
    assert golden_text(rendered(letters, name)) == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


def test_no_golden_file_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(CONTEXTS)


def test_every_kind_of_letter_has_a_golden_file(letters: LetterTemplates) -> None:
    assert letters.kinds == set(OWN)
    assert len(letters.kinds) == 34


@pytest.mark.parametrize("name", sorted(CONTEXTS))
def test_text_and_html_say_the_same(letters: LetterTemplates, name: str) -> None:
    letter = rendered(letters, name)
    text, page = squeezed(letter.text), visible(letter.html)
    for sentence in elements(letter.html, "p"):
        assert sentence in text
    for cell in elements(letter.html, "td"):
        # 第14行 and the like stand in brackets in the text; the empty 审核意见 of 通过 is no fact
        assert cell in text or cell.isdigit()
    for line in map(squeezed, letter.text.splitlines()):
        if not LIST_ITEM.match(line) and set(line) != {"―"}:
            assert line in page


@pytest.mark.parametrize("name", sorted(CONTEXTS))
def test_a_letter_has_the_tone_of_an_office(letters: LetterTemplates, name: str) -> None:
    letter = rendered(letters, name)
    for words in (letter.subject, letter.text, letter.html.replace("<!DOCTYPE", "")):
        assert not re.search(r"！|您|亲爱|温馨|谢谢|哦|~|undefined|None", words)
    assert "!" not in re.sub(r"\w+!E\d+", "", letter.text)
    assert re.search(r"特此(通知|函告|通报|报告)。|请予确认。", letter.text)
    assert "{{" not in letter.html
    assert "{%" not in letter.html
    assert "。。" not in letter.text


@pytest.mark.parametrize("name", ["notice", "returned", "reminder", "review_request", "receipt_reminder"])
def test_the_first_sentence_says_what_to_do_and_by_when(letters: LetterTemplates, name: str) -> None:
    first = rendered(letters, name).text.splitlines()[3].strip()
    assert first.startswith("请于202")
    assert re.search(r"(日前|24时前|至\d+日)", first)


def test_the_subject_carries_the_token_in_front(letters: LetterTemplates) -> None:
    letter = rendered(letters, "notice")
    assert letter.subject == "【HZ-KABCDEFGHJKMNPQRS】关于报送2026年第四季度教育信息化数据的通知"
    assert "编号：HZ-KABCDEFGHJKMNPQRS" in letter.text


def test_without_a_token_there_is_nothing_in_brackets(letters: LetterTemplates) -> None:
    letter = rendered(letters, "notice", token="")
    assert "【" not in letter.subject + letter.text + letter.html
    assert "编号" not in letter.text + letter.html


def test_a_subject_is_one_line_whatever_was_typed(letters: LetterTemplates) -> None:
    typed = "金水区教育局\r\nBcc: a@example.org\x00\u2028\u202e倒\ud800"
    subject = rendered(letters, "report_received", from_name=typed).subject
    assert subject.splitlines() == [subject]
    assert not re.search(r"[\x00-\x1f\x7f\u2028\u2029\u202e]", subject)
    subject.encode("utf-8")


def test_a_typed_line_break_makes_no_paragraph_of_its_own(letters: LetterTemplates) -> None:
    plain, typed = (
        rendered(letters, "returned", note="请核实 特此通知。"),
        rendered(letters, "returned", note="请核实\n\n　　特此通知。"),
    )
    assert typed.text == plain.text


def with_markup(value: object) -> object:
    if isinstance(value, str):
        return value + MARKUP
    if isinstance(value, dict):
        return {key: with_markup(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [with_markup(item) for item in value]
    return value


@pytest.mark.parametrize("name", sorted(CONTEXTS))
def test_what_a_unit_types_is_inert(letters: LetterTemplates, name: str) -> None:
    kind, context = CONTEXTS[name]
    letter = letters.render(kind, {key: with_markup(value) for key, value in context.items()})
    assert "<b>" not in letter.html
    assert "&lt;b&gt;{{7*7}}&lt;/b&gt;{% raw %}&amp;amp;=cmd()" in letter.html
    assert MARKUP in letter.text
    assert html.unescape(letter.html).count("<b>") == letter.html.count("&lt;b&gt;")


def test_a_value_that_claims_to_be_markup_is_escaped_all_the_same(letters: LetterTemplates) -> None:
    assert "<b>" not in rendered(letters, "notice", superior_name=Markup("<b>金水区</b>")).html


def test_an_object_that_is_no_plain_value_is_refused(letters: LetterTemplates) -> None:
    with pytest.raises(Refused, match=r"notice：superior_name.*object"):
        rendered(letters, "notice", superior_name=object())


@pytest.mark.parametrize("kind", sorted(OWN))
def test_a_missing_value_is_named_with_its_template(letters: LetterTemplates, kind: str) -> None:
    _, context = CONTEXTS[kind]
    for name in letters.required(kind):
        with pytest.raises(Refused) as refused:
            letters.render(kind, {key: value for key, value in context.items() if key != name})
        (fault,) = refused.value.faults
        assert fault.where.endswith(".j2")
        assert fault.what == f"缺少变量 {name}"


def test_a_missing_member_of_a_row_is_named_with_its_template(letters: LetterTemplates) -> None:
    with pytest.raises(Refused, match=r"returned\.txt\.j2.*'severity'"):
        rendered(letters, "returned", findings=[{"cell": "A!B1", "label": "", "found": "", "message": ""}])


def test_a_value_of_the_wrong_type_is_refused_with_its_template(letters: LetterTemplates) -> None:
    with pytest.raises(Refused, match=r"notice\.txt\.j2.*“明天”不是时间"):
        rendered(letters, "notice", due="明天")


def test_an_unknown_kind_is_refused_and_the_known_ones_are_named(letters: LetterTemplates) -> None:
    for kind in ("greeting", "_page", "../letters/notice", ""):
        with pytest.raises(Refused, match="现有：account_escalation、"):
            letters.render(kind, {})


def test_a_folder_without_letters_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="没有信函模板"):
        LetterTemplates(tmp_path / "letters")


def test_every_fault_of_a_folder_is_named_at_once(tmp_path: Path) -> None:
    for name, words in {
        "alone.subject.j2": "关于",
        "broken.subject.j2": "关于\n{% if %}",
        "filter.subject.j2": "{{ day|no_such_filter }}",
        "gbk.subject.j2": "",
    }.items():
        (tmp_path / name).write_text(words, encoding="utf-8")
    (tmp_path / "gbk.subject.j2").write_bytes("关于".encode("gbk"))
    with pytest.raises(Refused) as refused:
        LetterTemplates(tmp_path)
    assert [fault.where for fault in refused.value.faults] == [
        "alone.txt.j2",
        "broken.subject.j2 第2行",
        "filter.subject.j2 第1行",
        "gbk.subject.j2",
    ]


@pytest.mark.parametrize("found", [0, "0", 0.5])
def test_a_found_zero_is_shown_and_not_called_blank(letters: LetterTemplates, found: object) -> None:
    row = {"cell": "A!B1", "label": "班级数", "found": found, "message": "请核对。", "severity": "逻辑校验"}
    assert f"填报内容：{found}。" in rendered(letters, "returned", findings=[row]).text


def test_a_long_list_of_findings_is_cut_and_the_rest_counted(letters: LetterTemplates) -> None:
    _, context = CONTEXTS["returned"]
    findings = context["findings"]
    assert isinstance(findings, list)
    letter = rendered(letters, "returned", findings=findings * 20)
    assert "有60项问题须修改" in letter.text
    assert "其余30项见所附工作簿首页的问题清单" in letter.text
    assert "其余30项见所附工作簿首页的问题清单" in letter.html
    assert len(elements(letter.html, "tr")) == 1 + 30 + 1  # the head, the rows and the signature's


def test_an_unchanged_quarter_with_queries_is_not_told_to_be_done(letters: LetterTemplates) -> None:
    queries = [{"cell": "A!B1", "label": "班级数", "message": "请核对。"}]
    text = rendered(letters, "acknowledgement-no-change", queries=queries).text
    assert "另有1项经验校验须改正或者说明原因" in text
    assert "不需再报" not in text


def test_reminders_of_one_date_name_it_once(letters: LetterTemplates) -> None:
    row = {"unit_name": "甲校", "unit_code": "1", "matter": "尚未报送", "due": at(2027, 1, 1)}
    text = rendered(letters, "reminder", rows=[row, row | {"unit_name": "乙校"}]).text
    assert "请督促有关单位于2026年12月31日24时前办结下列2项" in text


def test_midnight_is_24_o_clock_of_the_day_before() -> None:
    assert moment(at(2027, 1, 6)) == "2027年1月5日24时"
    assert moment(at(2027, 1, 1)) == "2026年12月31日24时"
    assert moment(at(2027, 1, 5, 9, 30)) == "2027年1月5日9时30分"
    assert moment(at(2027, 1, 5, 16, 5)) == "2027年1月5日16时05分"
    assert moment(at(2027, 1, 5, 17)) == "2027年1月5日17时"


def test_a_time_of_another_zone_or_of_none_is_refused() -> None:
    for wrong in (datetime(2027, 1, 6, tzinfo=UTC), datetime(2027, 1, 6)):  # noqa: DTZ001 - the case itself
        with pytest.raises(ValueError, match="不是北京时间"):
            moment(wrong)
    with pytest.raises(TypeError, match="不是时间"):
        moment(date(2027, 1, 6))


def test_a_span_of_days_says_nothing_twice() -> None:
    assert day(date(2027, 1, 5)) == "2027年1月5日"
    assert until(date(2027, 1, 1), date(2027, 1, 5)) == "2027年1月1日至5日"
    assert until(date(2027, 1, 30), date(2027, 2, 2)) == "2027年1月30日至2月2日"
    assert until(date(2026, 12, 30), date(2027, 1, 2)) == "2026年12月30日至2027年1月2日"
    assert until(date(2027, 1, 5), date(2027, 1, 5)) == "2027年1月5日"


def test_html_keeps_its_looks_where_style_sheets_are_dropped(letters: LetterTemplates) -> None:
    for name in CONTEXTS:
        page = rendered(letters, name).html
        assert "<style" not in page
        assert not re.search(r"<(script|img|link|iframe|form)\b", page)
        assert all("style=" in tag for tag in re.findall(r"<(?:p|td|th|table|div)\b[^>]*>", page))


def test_the_templates_are_plain_jinja2(letters: LetterTemplates) -> None:
    environment = Environment(autoescape=True)
    for path in TEMPLATES.glob("*.j2"):
        assert environment.parse(path.read_text(encoding="utf-8")).body
    assert letters.required("notice") >= {"due", "form_title", "issuer", "date", "relay_for"}
