"""Letters: Jinja2 templates of a folder, rendered to subject, plain text and HTML.

A kind of letter is three files, `KIND.subject.j2`, `KIND.txt.j2` and `KIND.html.j2`; files that begin with an
underscore are pages and styles that they share. The subject template holds the title alone: the token goes
before it in 【】, and both bodies get it as `title`. A unit's words are values, never templates; in HTML they
are escaped. Tone and order follow GB/T 9704—2012 as far as mail allows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

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

from workflow.adapters.letters.moulds import Moulds, Watched
from workflow.adapters.letters.wording import (
    Rendered,
    centred,
    day,
    flush_right,
    moment,
    one_line,
    plain,
    short,
    until,
)
from workflow.domain.errors import Fault, Refused
from workflow.domain.privacy import mask_words

if TYPE_CHECKING:
    from pathlib import Path

_SUBJECT, _TEXT, _HTML = ".subject.j2", ".txt.j2", ".html.j2"
_FILTERS: Mapping[str, Callable[..., str]] = {
    "day": day, "moment": moment, "until": until, "short": short, "centred": centred, "flush_right": flush_right,
    "masked": mask_words,
}  # fmt: skip
E = TypeVar("E", bound=Environment)


@dataclass(frozen=True, slots=True)
class _File:
    """A template file read: what it reads, what it makes itself, and the files that it is put together from."""

    tree: nodes.Template
    reads: frozenset[str]
    makes: frozenset[str]
    pages: tuple[str, ...]

    @classmethod
    def of(cls, tree: nodes.Template) -> _File:
        makes = {node.target for node in tree.find_all(nodes.Import)}
        makes |= {node.name for node in tree.find_all(nodes.Name) if node.ctx == "store"}
        pages = tuple(page for page in meta.find_referenced_templates(tree) if page is not None)
        return cls(tree, frozenset(meta.find_undeclared_variables(tree)), frozenset(makes), pages)


_GIVEN_BY_RENDERER = frozenset({"title"})


class LetterTemplates:
    """The letter templates of one folder, read once; a change on disk is seen by the next instance.

    Raises Refused, naming every fault, when the folder is missing, a kind lacks one of its three files or a
    template cannot be read as Jinja2.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._loader = FileSystemLoader(folder, encoding="utf-8")
        self._environment = _prepared(Environment, self._loader)
        kinds = sorted(path.name.removesuffix(_SUBJECT) for path in folder.glob(f"[!_]*{_SUBJECT}"))
        faults: list[Fault] = []
        trees: dict[str, list[nodes.Template]] = {}
        self._read: dict[str, _File] = {}
        required: dict[str, Mapping[str, str]] = {}
        for kind in kinds:
            try:
                required[kind] = self._variables(kind, trees.setdefault(kind, []))
            except Refused as refused:
                faults.extend(refused.faults)
        if not kinds:
            faults.append(Fault(str(folder), "没有信函模板", f"放入“信函种类{_SUBJECT}”等模板文件"))
        if faults:
            raise Refused(faults)
        self._required = required
        watched = _prepared(Watched, self._loader)
        self._moulds = Moulds(watched, _written, trees)

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
        if (filled := self._moulds.filled(kind, context)) is not None:
            return filled
        missing = [(name, where) for name, where in self._of_kind(kind).items() if name not in context]
        if missing:
            raise Refused(Fault(where, f"缺少变量 {name}") for name, where in missing)
        values = {str(name): plain(value, f"{kind}：{name}") for name, value in context.items()}
        letter = _written(kind, values, self._environment)
        self._moulds.learn(kind, context, values, letter)
        return letter

    def _of_kind(self, kind: str) -> Mapping[str, str]:
        try:
            return self._required[kind]
        except KeyError:
            known = "现有：" + "、".join(sorted(self._required))
            raise Refused(Fault(str(self.folder), f"没有“{kind}”这种信函模板", known)) from None

    def _variables(self, kind: str, trees: list[nodes.Template]) -> Mapping[str, str]:
        """Map each variable that the kind's templates and their pages read to the first file reading it; the parsed
        templates go into `trees`.
        """
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
                file = self._file(name)
            except TemplateNotFound as error:
                raise Refused(Fault(name, f"模板文件不存在：{error.name}", "补上该文件")) from error
            except TemplateSyntaxError as error:
                where = f"{name} 第{error.lineno}行"
                raise Refused(Fault(where, f"模板语法有误：{_in_words(error)}")) from error
            except UnicodeDecodeError as error:
                raise Refused(Fault(name, "模板不是 UTF-8 编码", "另存为 UTF-8")) from error
            trees.append(file.tree)
            own |= file.makes
            for variable in sorted(file.reads):
                if variable not in self._environment.globals and variable not in _GIVEN_BY_RENDERER:
                    found.setdefault(variable, name)
            waiting.extend(file.pages)
        return {variable: name for variable, name in found.items() if variable not in own}

    def _file(self, name: str) -> _File:
        """A file read, and compiled into the environment; a page that all share is read once."""
        if name not in self._read:
            source, _, _ = self._loader.get_source(self._environment, name)
            self._read[name] = _File.of(self._environment.parse(source, name))
            self._environment.get_template(name)
        return self._read[name]


def _prepared(kind: type[E], loader: FileSystemLoader) -> E:
    """Jinja2 as the letters need it."""
    # Autoescape goes by the file's name, so that a subject or a text body never shows &lt; to a reader.
    environment = kind(
        loader=loader,
        autoescape=select_autoescape(enabled_extensions=("html.j2",), default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(_FILTERS)
    return environment


def _written(kind: str, values: Mapping[str, Any], environment: Environment) -> Rendered:
    """Render a letter from plain values."""
    title = one_line(_fill(environment, kind + _SUBJECT, values))
    token = values.get("token", "")
    values = {**values, "title": title}
    return Rendered(
        subject=f"【{token!s}】{title}" if token else title,
        text=_fill(environment, kind + _TEXT, values).rstrip() + "\n",
        html=_fill(environment, kind + _HTML, values).rstrip() + "\n",
    )


def _fill(environment: Environment, name: str, values: Mapping[str, object]) -> str:
    template = environment.get_template(name)
    try:
        return template.render(values)
    except TemplateError as error:  # an undefined member of a row, a filter that does not exist
        raise Refused(Fault(name, f"变量有误：{_in_words(error)}")) from error
    except (TypeError, ValueError) as error:  # a value of the wrong type reached a filter or an operator
        raise Refused(Fault(name, f"变量的值有误：{_in_words(error)}")) from error


_CHINESE = re.compile(r"[\u4e00-\u9fff]")
#: What Jinja says, by its words; what stands in quotes is the template's own.
_SAID: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"('[^']*') is undefined"), "没有变量 {0}"),
    (re.compile(r"has no (?:attribute|element) ('[^']*'|\d+)"), "没有 {0} 一项"),
    (re.compile(r"No filter named ('[^']*')"), "没有过滤器 {0}"),
    (re.compile(r"No test named ('[^']*')"), "没有判断 {0}"),
    (re.compile(r"unknown tag ('[^']*')"), "没有标签 {0}"),
    (re.compile(r"Unexpected end of template"), "标签没有结束"),
    (re.compile(r"(?:expected|unexpected) (?:token )?('[^']*'|[^,.]{1,30})"), "此处的 {0} 不合语法"),
    (re.compile(r"unexpected char ('[^']*'|.{1,4})"), "含有不允许的符号 {0}"),
)


def _in_words(error: Exception) -> str:
    """What is wrong with a template or a value, in Chinese; English of Jinja's or Python's own is not passed on."""
    said = (error.message or "") if isinstance(error, TemplateError) else str(error)
    if _CHINESE.search(said):
        return said
    for pattern, words in _SAID:
        if found := pattern.search(said):
            return words.format(*found.groups())
    return "值的类型不合这里的用法" if isinstance(error, TypeError | ValueError) else "写法不合模板语法"
