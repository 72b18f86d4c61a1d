"""Letters: Jinja2 templates of a folder, rendered to subject, plain text and HTML.

A kind of letter is three files, `KIND.subject.j2`, `KIND.txt.j2` and `KIND.html.j2`; files that begin with an
underscore are pages and styles that they share. The subject template holds the title alone: the token goes
before it in 【】, and both bodies get it as `title`. A unit's words are values, never templates; in HTML they
are escaped. Tone and order follow GB/T 9704—2012 as far as mail allows.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
    meta,
    nodes,
    select_autoescape,
)

from workflow.domain.errors import Fault, Refused

if TYPE_CHECKING:
    from pathlib import Path

    from jinja2 import Template

_SUBJECT, _TEXT, _HTML = ".subject.j2", ".txt.j2", ".html.j2"
_SHANGHAI_OFFSET = timedelta(hours=8)
_LINE_WIDTH = 28
"""Full-width characters to a line, as GB/T 9704—2012 lays out a page."""
_SIGNATURE_INDENT = 2
_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_GIVEN_BY_RENDERER = frozenset({"title"})


@dataclass(frozen=True, slots=True)
class Rendered:
    """A letter ready to be put into a message: a subject of one line, the plain text and the HTML page."""

    subject: str
    text: str
    html: str


class LetterTemplates:
    """The letter templates of one folder, read once; a change on disk is seen by the next instance.

    Raises Refused, naming every fault, when the folder is missing, a kind lacks one of its three files or a
    template cannot be read as Jinja2.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loader = FileSystemLoader(folder, encoding="utf-8")
        # Autoescape goes by the file's name, so that a subject or a text body never shows &lt; to a reader.
        self._environment = Environment(
            loader=self._loader,
            autoescape=select_autoescape(enabled_extensions=("html.j2",), default_for_string=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.filters.update(
            day=day, moment=moment, until=until, short=short, centred=centred, flush_right=flush_right
        )
        kinds = sorted(path.name.removesuffix(_SUBJECT) for path in folder.glob(f"[!_]*{_SUBJECT}"))
        faults: list[Fault] = []
        required: dict[str, Mapping[str, str]] = {}
        for kind in kinds:
            try:
                required[kind] = self._variables(kind)
            except Refused as refused:
                faults.extend(refused.faults)
        if not kinds:
            faults.append(Fault(str(folder), "没有信函模板", f"放入“信函种类{_SUBJECT}”等模板文件"))
        if faults:
            raise Refused(faults)
        self._required = required

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of letter that the folder holds."""
        return frozenset(self._required)

    def required(self, kind: str) -> frozenset[str]:
        """Names of the values that a letter of this kind needs; raises Refused on an unknown kind."""
        return frozenset(self._of_kind(kind))

    def render(self, kind: str, context: Mapping[str, object]) -> Rendered:
        """Render one letter; `context` holds plain values: text, numbers, dates, lists and dicts of these.

        Every value that any of the kind's templates names must be there, also those of branches that this
        letter does not take, so that a forgotten value fails at once and always. Datetimes are aware, in
        Shanghai time. Raises Refused naming template and variable.
        """
        missing = [(name, where) for name, where in self._of_kind(kind).items() if name not in context]
        if missing:
            raise Refused(Fault(where, f"缺少变量 {name}") for name, where in missing)
        values = {str(name): _plain(value, f"{kind}：{name}") for name, value in context.items()}
        title = _one_line(self._fill(kind + _SUBJECT, values))
        token = values.get("token", "")
        values["title"] = title
        return Rendered(
            subject=f"【{token}】{title}" if token else title,
            text=self._fill(kind + _TEXT, values).rstrip() + "\n",
            html=self._fill(kind + _HTML, values).rstrip() + "\n",
        )

    def _of_kind(self, kind: str) -> Mapping[str, str]:
        try:
            return self._required[kind]
        except KeyError:
            known = "现有：" + "、".join(sorted(self._required))
            raise Refused(Fault(str(self._folder), f"没有“{kind}”这种信函模板", known)) from None

    def _variables(self, kind: str) -> Mapping[str, str]:
        """Map each variable that the kind's templates and their pages read to the first file reading it."""
        found: dict[str, str] = {"token": kind + _SUBJECT}
        waiting = [kind + _SUBJECT, kind + _TEXT, kind + _HTML]
        seen: set[str] = set()
        own: set[str] = set()
        while waiting:
            name = waiting.pop(0)
            if name in seen:
                continue
            seen.add(name)
            try:
                source, _, _ = self._loader.get_source(self._environment, name)
                tree = self._environment.parse(source, name)
                self._environment.get_template(name)
            except TemplateNotFound as error:
                raise Refused(Fault(name, f"模板文件不存在：{error.name}", "补上该文件")) from error
            except TemplateSyntaxError as error:
                where = f"{name} 第{error.lineno}行"
                raise Refused(Fault(where, f"模板语法有误：{error.message}")) from error
            except UnicodeDecodeError as error:
                raise Refused(Fault(name, "模板不是 UTF-8 编码", "另存为 UTF-8")) from error
            own.update(node.target for node in tree.find_all(nodes.Import))
            own.update(node.name for node in tree.find_all(nodes.Name) if node.ctx == "store")
            for variable in sorted(meta.find_undeclared_variables(tree)):
                if variable not in self._environment.globals and variable not in _GIVEN_BY_RENDERER:
                    found.setdefault(variable, name)
            waiting.extend(parent for parent in meta.find_referenced_templates(tree) if parent is not None)
        return {variable: name for variable, name in found.items() if variable not in own}

    def _fill(self, name: str, values: Mapping[str, object]) -> str:
        template: Template = self._environment.get_template(name)
        try:
            return template.render(values)
        except TemplateError as error:  # an undefined member of a row, a filter that does not exist
            raise Refused(Fault(name, f"变量有误：{error.message}")) from error
        except (TypeError, ValueError) as error:  # a value of the wrong type reached a filter or an operator
            raise Refused(Fault(name, f"变量的值有误：{error}")) from error


def day(value: object) -> str:
    """Write a date as 2027年1月5日. Raises TypeError on anything but a date or datetime."""
    if not isinstance(value, date):
        raise TypeError(f"“{value}”不是日期")
    return f"{value.year}年{value.month}月{value.day}日"


def moment(value: object) -> str:
    """Write a time as 2027年1月5日9时30分; midnight is 24时 of the day before, since a day ends at 24:00.

    Raises TypeError on anything but a datetime, ValueError on one that is not in Shanghai time (UTC+8).
    """
    if not isinstance(value, datetime):
        raise TypeError(f"“{value}”不是时间")
    if value.utcoffset() != _SHANGHAI_OFFSET:
        raise ValueError(f"“{value.isoformat()}”不是北京时间")
    if (value.hour, value.minute) == (0, 0):
        return f"{day(value - timedelta(days=1))}24时"
    minutes = f"{value.minute:02d}分" if value.minute else ""
    return f"{day(value)}{value.hour}时{minutes}"


def until(start: object, end: object) -> str:
    """Write a span of days without saying twice what both share: 2027年1月1日至5日."""
    if not isinstance(start, date) or not isinstance(end, date):
        raise TypeError(f"“{start}”至“{end}”不是日期")
    if (start.year, start.month, start.day) == (end.year, end.month, end.day):
        return day(start)
    if (start.year, start.month) == (end.year, end.month):
        return f"{day(start)}至{end.day}日"
    if start.year == end.year:
        return f"{day(start)}至{end.month}月{end.day}日"
    return f"{day(start)}至{day(end)}"


def short(value: object, length: int = 60) -> str:
    """Cut what a unit typed to `length` characters, with …… where something was left out."""
    words = str(value)
    return words if len(words) <= length else words[:length] + "……"


def centred(words: str) -> str:
    """Centre a line by full-width spaces; a line as wide as the page or wider stays as it is."""
    return "　" * max(0, round((_LINE_WIDTH - _width(words)) / 2)) + words


def flush_right(words: str) -> str:
    """Move a line to the right by full-width spaces, two short of the margin as a 署名 stands."""
    return "　" * max(0, round(_LINE_WIDTH - _SIGNATURE_INDENT - _width(words))) + words


def _width(words: str) -> float:
    return sum(1.0 if unicodedata.east_asian_width(char) in "FWA" else 0.5 for char in words)


def _one_line(words: str) -> str:
    """Words on one line, without control or direction marks: they can start no header and hide no text."""
    if not words.isprintable():  # most are, and need no look at each sign
        words = "".join(_harmless(char) for char in words)
    return " ".join(words.split())


def _harmless(char: str) -> str:
    if char in _BIDI_CONTROLS:
        return ""
    if "\ud800" <= char <= "\udfff":  # half a character, which no charset of mail can carry
        return "\ufffd"
    return " " if unicodedata.category(char) == "Cc" else char


def _plain(value: object, where: str) -> object:
    """A value as templates may use it: no object that brings its own markup, no line breaks, None as ''."""
    if value is None:
        return ""
    if isinstance(value, str):
        return _one_line(str.__str__(value))
    if isinstance(value, (bool, int, float, Decimal, date)):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return [_plain(item, where) for item in value]
    raise Refused(Fault(where, f"信函中不能使用 {type(value).__name__} 类型的值"))
