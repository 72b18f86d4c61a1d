"""A formula 公式 as a tree: Excel's own language over field names, read from text and written out again.

Excel's precedence holds, from loose to tight: comparisons, `&`, `+ -`, `* /`, `^`, `%`, sign. So `-2^2` is 4
and chains of one rank run from left to right (`2^3^2` is 64). Staff type full-width punctuation, so outside
of texts it stands for its ASCII equal. Ranges, arrays and empty arguments (`IF(a,,b)`) are no part of it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass


class FormulaError(ValueError):
    """A formula that cannot be read. The message is Chinese; `position` counts the characters from 1."""

    def __init__(self, message: str, position: int) -> None:
        self.position = position
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written; never negative, a sign is a `Unary`."""

    value: float


@dataclass(frozen=True, slots=True)
class Text:
    """A text between quotes."""

    value: str


@dataclass(frozen=True, slots=True)
class Boolean:
    """TRUE or FALSE."""

    value: bool


@dataclass(frozen=True, slots=True)
class Name:
    """A field of this period; `表.列`, a column of a table, and `表.行.列`, one of its cells, are one name each."""

    name: str


@dataclass(frozen=True, slots=True)
class Previous:
    """`上期(字段)`: the field's last reported value."""

    name: str


@dataclass(frozen=True, slots=True)
class Unary:
    """A sign before (`+`, `-`) or a `%` behind."""

    operator: str
    operand: Expr


@dataclass(frozen=True, slots=True)
class Binary:
    """Two operands around one of `+ - * / ^ & = <> < <= > >=`."""

    operator: str
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Call:
    """A function of `FUNCTIONS`, in capitals, with as many arguments as it takes."""

    function: str
    arguments: tuple[Expr, ...]


Expr = Number | Text | Boolean | Name | Previous | Unary | Binary | Call

#: 8192 characters and 255 arguments are Excel's own limits; those on depth keep every walk off Python's.
MAX_LENGTH, MAX_ARGUMENTS, MAX_NESTING, MAX_DEPTH = 8192, 255, 32, 128

#: Each function with the least and the greatest number of its arguments.
FUNCTIONS: Mapping[str, tuple[int, int]] = {
    "IF": (2, 3),
    "AND": (1, MAX_ARGUMENTS),
    "OR": (1, MAX_ARGUMENTS),
    "NOT": (1, 1),
    "SUM": (1, MAX_ARGUMENTS),
    "MAX": (1, MAX_ARGUMENTS),
    "MIN": (1, MAX_ARGUMENTS),
    "AVERAGE": (1, MAX_ARGUMENTS),
    "ABS": (1, 1),
    "ROUND": (2, 2),
    "INT": (1, 1),
    "MOD": (2, 2),
    "COUNT": (1, MAX_ARGUMENTS),
    "COUNTA": (1, MAX_ARGUMENTS),
    "ISBLANK": (1, 1),
    "LEN": (1, 1),
    "VALUE": (1, 1),
    "IFERROR": (2, 2),
}
PREVIOUS = "上期"

_RANKS: Mapping[str, int] = {
    **dict.fromkeys(("=", "<>", "<", "<=", ">", ">="), 1),
    "&": 2,
    **dict.fromkeys(("+", "-"), 3),
    **dict.fromkeys(("*", "/"), 4),
    "^": 5,
}
_PERCENT, _SIGN, _PRIMARY = 6, 7, 8

_ASCII = str.maketrans(
    {
        **dict(zip("（），；＝＜＞＋－＊×／÷＾＆％", "(),;=<>+-**//^&%", strict=True)),
        "≤": "<=",
        "≥": ">=",
        "≠": "<>",
    }
)
_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<number>(?:[0-9０-９]+\.?[0-9０-９]*|\.[0-9０-９]+)(?:[eE][+-]?[0-9０-９]+)?)
      | (?P<name>[^\W\d]\w*(?:\.(?:[0-9]+\.)?[^\W\d]\w*)*)
      | (?P<text>"(?:[^"]|"")*"|[“”](?:[^"“”]|""|””)*["“”])
      | (?P<operator>[<＜][=＝>＞]|[>＞][=＝]|[-+*/^&=<>%(),;（），；＝＜＞＋－＊×／÷＾＆％≤≥≠])
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    position: int


def parse(formula: str) -> Expr:
    """The tree of a formula; a leading `=` may be left out. Raises FormulaError and nothing else."""
    if len(formula) > MAX_LENGTH:
        raise FormulaError(f"公式有{len(formula)}个字符，最多{MAX_LENGTH}个", MAX_LENGTH + 1)
    tokens = list(_tokens(formula))
    if tokens[0].text == "=":
        del tokens[0]
    elif tokens[0].kind == "end":
        raise FormulaError("公式是空的", 1)
    expr = _Parser(tokens).whole()
    if _depth(expr) > MAX_DEPTH:
        raise FormulaError(f"公式的层次超过{MAX_DEPTH}层；连加请改用SUM，或者拆成几条规则", 1)
    return expr


def _tokens(formula: str) -> Iterator[_Token]:
    at = 0
    while at < len(formula):
        found = _TOKEN.match(formula, at)
        if found is None:
            if formula[at] in '"“”':
                raise FormulaError(f"第{at + 1}个字符处：文字没有结束，应有后引号", at + 1)
            raise FormulaError(f"第{at + 1}个字符处：公式里不能用“{formula[at]}”", at + 1)
        kind, text = str(found.lastgroup), found.group()
        if kind == "operator":
            text = text.translate(_ASCII)
        elif kind == "text":
            mark = text[-1] * 2
            text = text[1:-1].replace('""', '"').replace(mark, mark[0])
        if kind != "space":
            yield _Token(kind, text, at + 1)
        at = found.end()
    yield _Token("end", "", len(formula) + 1)


class _Parser:
    """Reads one formula's tokens from left to right, one function a rank of the grammar."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._nesting = 0

    def whole(self) -> Expr:
        expr = self._expression(1)
        if self._next.kind != "end":
            raise self._unexpected("运算符或公式结尾")
        return expr

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self) -> _Token:
        token = self._next
        self._at += 1
        return token

    def _follows(self, *operators: str) -> bool:
        return self._next.kind == "operator" and self._next.text in operators

    def _expression(self, floor: int) -> Expr:
        """Operands joined by operators whose rank is at least `floor`."""
        left = self._operand()
        while self._follows(*_RANKS) and _RANKS[self._next.text] >= floor:
            operator = self._take().text
            left = Binary(operator, left, self._expression(_RANKS[operator] + 1))
        return left

    def _operand(self) -> Expr:
        signs: list[str] = []
        while self._follows("+", "-"):
            signs.append(self._take().text)
        expr = self._primary()
        for sign in reversed(signs):
            expr = Unary(sign, expr)
        while self._follows("%"):
            expr = Unary(self._take().text, expr)
        return expr

    def _primary(self) -> Expr:
        token = self._next
        if token.kind == "number":
            value = float(self._take().text)
            if not math.isfinite(value):
                raise FormulaError(f"第{token.position}个字符处：数字太大", token.position)
            return Number(value)
        if token.kind == "text":
            return Text(self._take().text)
        if token.kind == "name":
            self._take()
            if self._follows("("):
                return self._call(token)
            word = token.text.upper()
            return Boolean(word == "TRUE") if word in {"TRUE", "FALSE"} else Name(token.text)
        if self._follows("("):
            self._open()
            expr = self._expression(1)
            self._close("运算符或“)”")
            return expr
        raise self._unexpected("数字、文字、字段名、函数或“(”")

    def _open(self) -> None:
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            at = self._next.position
            raise FormulaError(f"第{at}个字符处：括号套了超过{MAX_NESTING}层，请拆成几条规则", at)
        self._take()

    def _close(self, expected: str) -> None:
        if not self._follows(")"):
            raise self._unexpected(expected)
        self._nesting -= 1
        self._take()

    def _call(self, word: _Token) -> Expr:
        name, at = word.text.upper(), word.position
        if name != PREVIOUS and name not in FUNCTIONS:
            known = "、".join((*FUNCTIONS, PREVIOUS))
            raise FormulaError(f"第{at}个字符处：不支持函数“{word.text}”，可用的函数有{known}", at)
        self._open()
        if name == PREVIOUS:
            return self._previous()
        arguments: list[Expr] = []
        if not self._follows(")"):
            arguments.append(self._expression(1))
            while self._follows(",", ";"):
                self._take()
                arguments.append(self._expression(1))
        self._close("运算符、“,”或“)”")
        least, most = FUNCTIONS[name]
        if not least <= len(arguments) <= most:
            wanted = f"{least}个" if least == most else f"{least}至{most}个"
            raise FormulaError(f"第{at}个字符处：函数{name}要{wanted}参数，这里有{len(arguments)}个", at)
        return Call(name, tuple(arguments))

    def _previous(self) -> Expr:
        if self._next.kind != "name":
            raise self._unexpected(f"字段名（{PREVIOUS}的括号里只写一个字段）")
        name = self._take().text
        self._close(f"“)”（{PREVIOUS}的括号里只写一个字段）")
        return Previous(name)

    def _unexpected(self, expected: str) -> FormulaError:
        token = self._next
        found = "公式却到此为止" if token.kind == "end" else f"却是“{token.text}”"
        return FormulaError(f"第{token.position}个字符处：应为{expected}，{found}", token.position)


def children(expr: Expr) -> tuple[Expr, ...]:
    """The parts that a node is made of, in reading order."""
    match expr:
        case Unary(_, operand):
            return (operand,)
        case Binary(_, left, right):
            return left, right
        case Call(_, arguments):
            return arguments
    return ()


def _nodes(expr: Expr) -> Iterator[tuple[Expr, int]]:
    """Every node with its depth; without recursion, since the depth may not have been checked yet."""
    waiting = [(expr, 1)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        waiting.extend((child, depth + 1) for child in children(node))


def _depth(expr: Expr) -> int:
    return max(depth for _, depth in _nodes(expr))


def names(expr: Expr) -> frozenset[str]:
    """Every field that a formula speaks of, those inside `上期()` included."""
    return frozenset(node.name for node, _ in _nodes(expr) if isinstance(node, Name | Previous))


def renamed(expr: Expr, name_of: Callable[[str], str]) -> str:
    """The formula with other names for its fields, as staff would write it."""
    return "=" + to_excel(expr, name_of)


def previous_names(expr: Expr) -> frozenset[str]:
    """The fields whose last reported value a formula asks for."""
    return frozenset(node.name for node, _ in _nodes(expr) if isinstance(node, Previous))


CellOf = Callable[[str], str]


def to_excel(expr: Expr, cell_of: CellOf, previous_cell_of: CellOf | None = None) -> str:
    """The formula for Excel, without a leading `=` (as data validations want it) or needless brackets.

    `cell_of` gives the address of a field, quoted where the sheet's name needs it (`'基本 情况'!$E$12`);
    `previous_cell_of` gives the cell that holds its last reported value. Without the latter `上期(address)`
    is left standing, which Excel does not know.
    """
    return _written(expr, cell_of, previous_cell_of)[0]


def _written(expr: Expr, cell_of: CellOf, previous_cell_of: CellOf | None) -> tuple[str, int]:
    """A node's text and the rank of its loosest operator."""

    def part(child: Expr, floor: int) -> str:
        text, rank = _written(child, cell_of, previous_cell_of)
        return text if rank >= floor else f"({text})"

    match expr:
        case Number(value):
            return _digits(value), _PRIMARY
        case Text(text):
            return '"' + text.replace('"', '""') + '"', _PRIMARY
        case Boolean(truth):
            return "TRUE" if truth else "FALSE", _PRIMARY
        case Name(name):
            return cell_of(name), _PRIMARY
        case Previous(name):
            return previous_cell_of(name) if previous_cell_of else f"{PREVIOUS}({cell_of(name)})", _PRIMARY
        case Unary("%", operand):
            return part(operand, _PERCENT) + "%", _PERCENT
        case Unary(sign, operand):
            return sign + part(operand, _SIGN), _SIGN
        case Binary(operator, left, right):
            rank = _RANKS[operator]
            return part(left, rank) + operator + part(right, rank + 1), rank
        case Call(function, arguments):
            return f"{function}({','.join(part(argument, 1) for argument in arguments)})", _PRIMARY


def _digits(value: float) -> str:
    return str(int(value)) if value.is_integer() and value < 1e15 else repr(value).upper()
