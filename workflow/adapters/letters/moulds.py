"""Moulds: of letters that differ in nothing but words which their templates merely write, one is rendered, the rest filled.

Tens of thousands of reminders say the same but for a name and a number. A mould is the letter rendered with holes in the
place of its words. A hole can be written, and compared with another; a template that looks at it in any other way ends
the attempt (`Looked`), and that value is from then on part of what distinguishes one mould from another. So a filled
letter is the one that rendering would give, whatever staff write in a template; the first letter of each mould is also
held against its rendering.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from jinja2 import Environment, meta, nodes
from jinja2.runtime import Context
from markupsafe import escape

from workflow.adapters.letters.wording import Rendered, one_line

_OPEN, _CLOSE, _ZERO = "\ufdd0", "\ufdd1", 0x100
_HOLE = re.compile(f"{_OPEN}(.){_CLOSE}", re.DOTALL)
_SPECIAL = re.compile("[&<>'\"]")
#: With more words than this a letter is a list of its own, which hardly comes twice.
_MOST_WORDS = 60
_MOST_MOULDS = 500
_TRIES = 60
#: What may be given a hole: filters and tests that hand it on, or compare it with another.
_HARMLESS_FILTERS = frozenset({"default", "d", "list", "map", "select", "selectattr", "reject", "rejectattr"})
_HARMLESS_TESTS = frozenset({"defined", "undefined", "none", "eq", "==", "equalto", "ne", "!="})
#: Operators that see a text's signs; those of logic see only whether there is any.
_LOOKING = (
    nodes.Compare, nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Pow, nodes.Neg,
    nodes.Pos,
)  # fmt: skip
#: What makes texts in ways that are not watched.
_UNWATCHED = (
    nodes.Macro, nodes.CallBlock, nodes.FilterBlock, nodes.AssignBlock, nodes.EvalContextModifier,
    nodes.ScopedEvalContextModifier,
)  # fmt: skip


class Looked(Exception):
    """A template looked at the words in these holes."""

    def __init__(self, holes: Collection[int]) -> None:
        super().__init__(holes)
        self.holes = frozenset(holes)


class Hole:  # noqa: PLW1641 - its hash is one of the looks that end the attempt
    """The place of a word. `same` is equal for holes whose words are equal."""

    __slots__ = ("number", "same")

    def __init__(self, number: int, same: int) -> None:
        self.number = number
        self.same = same

    def __str__(self) -> str:
        return f"{_OPEN}{chr(_ZERO + self.number)}{_CLOSE}"

    __html__ = __str__

    def __bool__(self) -> bool:
        return True  # an empty word is no hole

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Hole):
            return self.same == other.same
        raise Looked({self.number})

    def _looked(self, *_: object) -> NoReturn:
        raise Looked({self.number})

    __hash__ = __len__ = __iter__ = __contains__ = __getitem__ = __getattr__ = __format__ = __repr__ = _looked
    __lt__ = __le__ = __gt__ = __ge__ = __add__ = __radd__ = __mul__ = __rmul__ = __mod__ = __rmod__ = _looked
    __int__ = __float__ = __index__ = _looked


@dataclass(frozen=True, slots=True)
class Page:
    """A text with holes: constant pieces, and between two of them the number of a hole."""

    pieces: tuple[str, ...]
    holes: tuple[int, ...]

    @classmethod
    def of(cls, text: str) -> Page:
        found = _HOLE.split(text)
        return cls(tuple(found[::2]), tuple(ord(sign) - _ZERO for sign in found[1::2]))

    def filled(self, words: Sequence[str]) -> str:
        whole = [""] * (2 * len(self.holes) + 1)
        whole[::2] = self.pieces
        whole[1::2] = [words[hole] for hole in self.holes]
        return "".join(whole)


@dataclass(frozen=True, slots=True)
class Mould:
    """A letter with holes."""

    subject: Page
    text: Page
    html: Page

    @classmethod
    def of(cls, letter: Rendered) -> Mould:
        return cls(Page.of(letter.subject), Page.of(letter.text), Page.of(letter.html))

    def filled(self, words: Sequence[str]) -> Rendered:
        page = self.html.filled([_escaped(word) for word in words])
        return Rendered(self.subject.filled(words), self.text.filled(words), page)


def _escaped(word: str) -> str:
    return str(escape(word)) if _SPECIAL.search(word) else word


class Watched(Environment):
    """Jinja2 that notices when a template looks at a hole, or at a text with one in it."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.context_class = _WatchedContext

    def watch(self) -> None:
        """Watch the filters and tests that are there by now."""
        tables: Iterable[tuple[dict[str, Any], frozenset[str]]] = (
            (self.filters, _HARMLESS_FILTERS), (self.tests, _HARMLESS_TESTS),
        )  # fmt: skip
        for functions, harmless in tables:
            for name, function in functions.items():
                functions[name] = _watched(function, name in harmless)

    def getattr(self, obj: Any, attribute: str) -> Any:
        _see(obj)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        _see(obj)
        return super().getitem(obj, argument)


class _WatchedContext(Context):
    def call(self, *arguments: Any, **named: Any) -> Any:
        for argument in (*arguments[1:], *named.values()):
            _see(argument)
        return super().call(*arguments, **named)


def _watched(function: Callable[..., Any], harmless: bool) -> Callable[..., Any]:
    @functools.wraps(function)  # with jinja2's marks of what it hands over first
    def watching(*arguments: Any, **named: Any) -> Any:
        for argument in (*arguments, *named.values()):
            if isinstance(argument, Hole) and not harmless:
                raise Looked({argument.number})
            _see(argument)
        return function(*arguments, **named)

    return watching


def _see(value: object) -> None:
    if isinstance(value, str) and _OPEN in value:
        raise Looked({ord(sign) - _ZERO for sign in _HOLE.findall(value)})


class Moulds:
    """The moulds of a folder's letters. `written(kind, values, environment)` renders a letter; `trees` are the templates
    of each kind.
    """

    def __init__(
        self,
        watched: Watched,
        written: Callable[[str, Mapping[str, Any], Environment], Rendered],
        trees: Mapping[str, Sequence[nodes.Template]],
    ) -> None:
        watched.watch()
        self._watched, self._written = watched, written
        self._never = {kind for kind, known in trees.items() if not _watchable(known)}
        self._looked: dict[str, frozenset[str]] = {}
        self._known: dict[tuple[Any, ...], Mould | None] = {}

    def filled(self, kind: str, context: Mapping[str, Any]) -> Rendered | None:
        """The letter that rendering gives, where there is a mould for it."""
        if kind in self._never:
            return None
        survey = _Survey(kind, context, self._looked.get(kind, frozenset()))
        mould = self._known.get(survey.key)
        return None if mould is None else mould.filled(survey.words)

    def learn(
        self, kind: str, context: Mapping[str, Any], values: Mapping[str, Any], letter: Rendered
    ) -> None:
        """Note a letter that had to be rendered, from `values` as a template may use them; a mould when it is not the
        first of its like.
        """
        if kind in self._never:
            return
        for _ in range(_TRIES):
            survey = _Survey(kind, context, self._looked.get(kind, frozenset()))
            if survey.long:
                return
            if survey.key not in self._known:
                if len(self._known) >= _MOST_MOULDS:
                    self._known.clear()
                self._known[survey.key] = None
                return
            try:
                mould = Mould.of(self._written(kind, survey.holed(values), self._watched))
            except Looked as looked:
                seen = {survey.places[hole] for hole in looked.holes}
                self._looked[kind] = self._looked.get(kind, frozenset()) | seen
                continue
            except Exception:  # noqa: BLE001 - the letter is there; this kind is rendered as before
                break
            if mould.filled(survey.words) != letter:
                break
            self._known[survey.key] = mould
            return
        self._never.add(kind)


class _Survey:
    """A letter's values: `words` that can be holes, with the names that they stand under as `places`, and as `key`
    everything else.
    """

    def __init__(self, kind: str, context: Mapping[str, Any], looked: frozenset[str]) -> None:
        self.words: list[str] = []
        self.places: list[str] = []
        self._same: dict[str, int] = {}
        self._looked = looked
        self._key: list[Any] = [kind]
        self._take(context.items())
        self.long = len(self.words) > _MOST_WORDS
        self.key = () if self.long else tuple(self._key)

    def _take(self, values: Iterable[tuple[str, Any]]) -> None:
        """Values with the names that they stand under, as `wording.plain` sees them."""
        key, looked, same = self._key, self._looked, self._same
        for name, value in values:
            if isinstance(value, str):
                word = one_line(str.__str__(value))
                if not word or name in looked:
                    key.append(word)
                else:
                    key.append(same.setdefault(word, len(same)))
                    self.words.append(word)
                    self.places.append(name)
            elif isinstance(value, dict):
                key.append(tuple(value))
                self._take(value.items())
            elif isinstance(value, (list, tuple)):
                key.append((list, len(value)))
                if len(self.words) <= _MOST_WORDS:
                    self._take([(name, item) for item in value])
            else:
                key.append((value.__class__, str(value)))
            if len(self.words) > _MOST_WORDS:
                return

    def holed(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Plain values with holes in the place of the words."""
        holes = iter([Hole(number, self._same[word]) for number, word in enumerate(self.words)])
        return {name: self._holed(value, name, holes) for name, value in values.items()}

    def _holed(self, value: Any, place: str, holes: Iterator[Hole]) -> Any:
        if isinstance(value, str):
            return value if not value or place in self._looked else next(holes)
        if isinstance(value, dict):
            return {name: self._holed(item, name, holes) for name, item in value.items()}
        if isinstance(value, list):
            return [self._holed(item, place, holes) for item in value]
        return value


def _watchable(trees: Iterable[nodes.Template]) -> bool:
    """Whether no operator of the language, which nothing can watch, sees a text that was put together from others."""
    joined = {"title"}
    trees = list(trees)
    for tree in trees:
        if any(tree.find_all(_UNWATCHED)) or None in meta.find_referenced_templates(tree):
            return False
        for assigned in tree.find_all(nodes.Assign):
            if _joins(assigned.node, joined):
                joined |= {name.name for name in (assigned.target, *assigned.target.find_all(nodes.Name))
                           if isinstance(name, nodes.Name)}  # fmt: skip
    looking: list[nodes.Node] = [node for tree in trees for node in tree.find_all(_LOOKING)]
    looking += [loop.iter for tree in trees for loop in tree.find_all(nodes.For)]
    return not any(_joins(node, joined) for node in looking)


def _joins(node: nodes.Node, joined: Collection[str]) -> bool:
    return any(
        isinstance(one, (nodes.Concat, nodes.Mod))
        or (isinstance(one, nodes.Name) and one.name in joined)
        or (isinstance(one, nodes.Filter) and one.name in {"join", "xmlattr"})
        for one in (node, *node.find_all(nodes.Node))
    )
