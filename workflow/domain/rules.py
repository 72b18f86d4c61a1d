"""Rules 规则: what a formula over field names means, answer by answer.

The meaning is Excel's own, so that the check in the unit's workbook and the check on the server say the same:
blanks equal 0, "" and FALSE; text compares without case; numbers compare after 15 significant digits; errors
pass through everything but IFERROR, COUNT, COUNTA and ISBLANK; IF looks at one branch only; a text or blank
that comes from a cell is left out of SUM, MAX, MIN, AVERAGE, COUNT, AND and OR.

Where it differs from Excel on purpose:

* A 是否 answer is the text 是 or 否 (so it stands in the cell), never TRUE or FALSE.
* 上期() without a value is NO_PREVIOUS, which nothing catches: the rule then says nothing.
* Texts are put in order by code point, not by pinyin; LEN counts characters, not halves of rare ones.
* Differences of less than 2^-48 of their operand are 0 everywhere, in Excel only in some places.
* A text counts as a number only in the spellings of `excel.numeric` (no currency, no time, no fraction).
* What an IF hands on is a value, not a cell: SUM(IF(TRUE,a)) reads a text in `a` as if it had been typed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from workflow.domain import excel
from workflow.domain.columns import SPREADING, Answers, cells, is_column
from workflow.domain.excel import NO_PREVIOUS, ExcelError, Result
from workflow.domain.form import Value
from workflow.domain.formulas import (
    Binary,
    Boolean,
    Call,
    Expr,
    FormulaError,
    Name,
    Number,
    Previous,
    Text,
    Unary,
    names,
    parse,
    previous_names,
    to_excel,
)

__all__ = [
    "NO_PREVIOUS",
    "ExcelError",
    "Expr",
    "FormulaError",
    "compiled",
    "evaluate",
    "holds",
    "names",
    "parse",
    "previous_names",
    "to_excel",
]

Compiled = Callable[[Answers, Answers | None], Result]
#: An argument and whether it is a cell, whose text and blank an aggregate leaves out.
_Argument = tuple[Compiled, bool]

_CACHE_SIZE = 4096
# By identity: hashing a tree costs more than working it out. The tree is kept so that its id stays its own.
_cache: dict[int, tuple[Expr, Compiled]] = {}


def evaluate(expr: Expr, answers: Answers, previous: Answers | None = None) -> Value | ExcelError:
    """The value of a formula: a float, text, bool or error. As in a cell, a blank result is 0."""
    result = compiled(expr)(answers, previous)
    return 0.0 if result is None else result


def holds(expr: Expr, answers: Answers, previous: Answers | None = None) -> bool | None:
    """Whether a rule is kept; None where it says nothing: an error, a text, or no last reported value."""
    result = compiled(expr)(answers, previous)
    if result is True or result is False:
        return result
    if result is None:
        return False
    return result != 0 if isinstance(result, float) else None


def compiled(expr: Expr) -> Compiled:
    """The formula as a function of the answers and last period's; its result is None for a blank cell."""
    known = _cache.get(id(expr))
    if known is not None and known[0] is expr:
        return known[1]
    made = _compile(expr)
    if len(_cache) >= _CACHE_SIZE:
        _cache.clear()
    _cache[id(expr)] = expr, made
    return made


def _compile(expr: Expr) -> Compiled:
    match expr:
        case Number(value) | Text(value) | Boolean(value):
            return _constant(value)
        case Name(name):
            return _answer(name)
        case Previous(name):
            return _previous(name)
        case Unary(operator, operand):
            return _unary(operator, _compile(operand))
        case Binary(operator, left, right):
            return _binary(operator, _compile(left), _compile(right))
        case Call(function, arguments):
            if function in SPREADING and any(map(is_column, arguments)):
                return _spread(function, arguments)
            parts = [(_compile(argument), isinstance(argument, Name | Previous)) for argument in arguments]
            return _call(function, parts)


def _call(function: str, parts: Sequence[_Argument]) -> Compiled:
    if function in _AGGREGATES:
        return _aggregate(_AGGREGATES[function], parts)
    if function in {"AND", "OR"}:
        return _junction(parts, any if function == "OR" else all)
    if function in {"COUNT", "COUNTA"}:
        return _count(parts, _filled if function == "COUNTA" else _countable)
    return _CALLS[function](*(part for part, _ in parts))


def _spread(function: str, arguments: Sequence[Expr]) -> Compiled:
    """A function over columns of repeating tables: how many cells it takes is known with the answers only."""
    ready = {id(one): _compile(one) for one in arguments if not is_column(one)}

    def run(answers: Answers, previous: Answers | None) -> Result:
        parts: list[_Argument] = []
        for one in arguments:
            if id(one) in ready:
                parts.append((ready[id(one)], isinstance(one, Name | Previous)))
            else:
                parts += [(_constant(cell), True) for cell in cells(one, answers, previous)]
        return _call(function, parts)(answers, previous)

    return run


def _constant(value: Result) -> Compiled:
    return lambda _answers, _previous: value


def _answer(name: str) -> Compiled:
    from_answer = excel.from_answer

    def run(answers: Answers, _previous: Answers | None) -> Result:
        return from_answer(answers.get(name))

    return run


def _previous(name: str) -> Compiled:
    def run(_answers: Answers, previous: Answers | None) -> Result:
        value = None if previous is None else previous.get(name)
        result = excel.from_answer(value)
        return NO_PREVIOUS if result is None else result

    return run


def _unary(operator: str, operand: Compiled) -> Compiled:
    if operator == "+":  # Excel leaves the value as it is, also a text

        def plus(answers: Answers, previous: Answers | None) -> Result:
            value = operand(answers, previous)
            return 0.0 if value is None else value

        return plus
    return _numeric(_percent if operator == "%" else _negative)(operand)


def _negative(value: float) -> float:
    return -value


def _percent(value: float) -> float:
    return value / 100


def _binary(operator: str, left: Compiled, right: Compiled) -> Compiled:
    if operator in _COMPARISONS:
        return _comparison(_COMPARISONS[operator], left, right)
    if operator == "&":
        return _joined(left, right)
    return _arithmetic(_ARITHMETIC[operator], left, right)


def _comparison(accepted: frozenset[int], left: Compiled, right: Compiled) -> Compiled:
    compare = excel.compare

    def run(answers: Answers, previous: Answers | None) -> Result:
        first = left(answers, previous)
        if isinstance(first, ExcelError):
            return first
        second = right(answers, previous)
        if isinstance(second, ExcelError):
            return second
        return compare(first, second) in accepted

    return run


def _arithmetic(
    operation: Callable[[float, float], float | ExcelError], left: Compiled, right: Compiled
) -> Compiled:
    to_number = excel.to_number

    def run(answers: Answers, previous: Answers | None) -> Result:
        first = to_number(left(answers, previous))
        if isinstance(first, ExcelError):
            return first
        second = to_number(right(answers, previous))
        if isinstance(second, ExcelError):
            return second
        return operation(first, second)

    return run


def _joined(left: Compiled, right: Compiled) -> Compiled:
    def run(answers: Answers, previous: Answers | None) -> Result:
        first = excel.to_text(left(answers, previous))
        if isinstance(first, ExcelError):
            return first
        second = excel.to_text(right(answers, previous))
        return second if isinstance(second, ExcelError) else first + second

    return run


def _numeric(operation: Callable[[float], float | ExcelError]) -> Callable[[Compiled], Compiled]:
    def make(operand: Compiled) -> Compiled:
        def run(answers: Answers, previous: Answers | None) -> Result:
            value = excel.to_number(operand(answers, previous))
            return value if isinstance(value, ExcelError) else operation(value)

        return run

    return make


def _if(condition: Compiled, then: Compiled, otherwise: Compiled | None = None) -> Compiled:
    def run(answers: Answers, previous: Answers | None) -> Result:
        truth = excel.to_logical(condition(answers, previous))
        if isinstance(truth, ExcelError):
            return truth
        if truth:
            return then(answers, previous)
        return False if otherwise is None else otherwise(answers, previous)

    return run


def _if_error(value: Compiled, instead: Compiled) -> Compiled:
    def run(answers: Answers, previous: Answers | None) -> Result:
        result = value(answers, previous)
        if isinstance(result, ExcelError) and result is not NO_PREVIOUS:
            return instead(answers, previous)
        return result

    return run


def _not(operand: Compiled) -> Compiled:
    def run(answers: Answers, previous: Answers | None) -> Result:
        truth = excel.to_logical(operand(answers, previous))
        return truth if isinstance(truth, ExcelError) else not truth

    return run


def _is_blank(operand: Compiled) -> Compiled:
    def run(answers: Answers, previous: Answers | None) -> Result:
        value = operand(answers, previous)
        return value if value is NO_PREVIOUS else value is None

    return run


def _length(operand: Compiled) -> Compiled:
    def run(answers: Answers, previous: Answers | None) -> Result:
        text = excel.to_text(operand(answers, previous))
        return text if isinstance(text, ExcelError) else float(len(text))

    return run


def _value(operand: Compiled) -> Compiled:
    def run(answers: Answers, previous: Answers | None) -> Result:
        value = operand(answers, previous)
        return ExcelError.VALUE if isinstance(value, bool) else excel.to_number(value)

    return run


def _junction(parts: Sequence[_Argument], decide: Callable[[Sequence[bool]], bool]) -> Compiled:
    """AND and OR: every argument is worked out, so that an error is never hidden by an early answer."""

    def run(answers: Answers, previous: Answers | None) -> Result:
        truths: list[bool] = []
        for part, is_cell in parts:
            value = part(answers, previous)
            if value is None or (is_cell and isinstance(value, str)):
                continue
            truth = excel.to_logical(value)
            if isinstance(truth, ExcelError):
                return truth
            truths.append(truth)
        return decide(truths) if truths else ExcelError.VALUE

    return run


def _aggregate(of: Callable[[list[float]], float | ExcelError], parts: Sequence[_Argument]) -> Compiled:
    def run(answers: Answers, previous: Answers | None) -> Result:
        numbers: list[float] = []
        for part, is_cell in parts:
            value = part(answers, previous)
            if value is None or (is_cell and isinstance(value, str)):
                continue
            number = excel.to_number(value)
            if isinstance(number, ExcelError):
                return number
            numbers.append(number)
        return of(numbers)

    return run


def _count(parts: Sequence[_Argument], counts: Callable[[Result, bool], bool]) -> Compiled:
    def run(answers: Answers, previous: Answers | None) -> Result:
        counted = 0
        for part, is_cell in parts:
            value = part(answers, previous)
            if value is NO_PREVIOUS:
                return value
            counted += counts(value, is_cell)
        return float(counted)

    return run


def _filled(value: Result, _is_cell: object) -> bool:
    return value is not None


def _countable(value: Result, is_cell: object) -> bool:
    if is_cell or value is None:
        return isinstance(value, float)
    return not isinstance(excel.to_number(value), ExcelError)


def _average(numbers: list[float]) -> float | ExcelError:
    whole = excel.total(numbers)
    return whole if isinstance(whole, ExcelError) else excel.divide(whole, float(len(numbers)))


def _greatest(numbers: list[float]) -> float:
    return max(numbers, default=0.0)


def _least(numbers: list[float]) -> float:
    return min(numbers, default=0.0)


_COMPARISONS: Mapping[str, frozenset[int]] = {
    "=": frozenset({0}),
    "<>": frozenset({-1, 1}),
    "<": frozenset({-1}),
    "<=": frozenset({-1, 0}),
    ">": frozenset({1}),
    ">=": frozenset({0, 1}),
}
_ARITHMETIC: Mapping[str, Callable[[float, float], float | ExcelError]] = {
    "+": excel.add,
    "-": excel.subtract,
    "*": excel.multiply,
    "/": excel.divide,
    "^": excel.power,
}
_AGGREGATES: Mapping[str, Callable[[list[float]], float | ExcelError]] = {
    "SUM": excel.total,
    "MAX": _greatest,
    "MIN": _least,
    "AVERAGE": _average,
}
_CALLS: Mapping[str, Callable[..., Compiled]] = {
    "IF": _if,
    "IFERROR": _if_error,
    "NOT": _not,
    "ISBLANK": _is_blank,
    "LEN": _length,
    "VALUE": _value,
    "ABS": _numeric(abs),
    "INT": _numeric(excel.floored),
    "ROUND": lambda value, digits: _arithmetic(excel.rounded, value, digits),
    "MOD": lambda value, divisor: _arithmetic(excel.remainder, value, divisor),
}
