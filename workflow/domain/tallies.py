"""How rules 规则 hold over many units: a verdict for each rule and unit, and what staff read of it, the 校验情况.

The verdicts are those of `domain.checks.examine`, rule by rule. `judge` here is their meaning, one unit after the other;
`adapters.frames` works out the same for thousands at once, and tests/adapters/test_frames.py holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from operator import itemgetter

from workflow.domain import rules
from workflow.domain.form import Form, Rule, split_cell
from workflow.domain.submission import Answers, Finding


class Verdict(IntEnum):
    """What a rule says of one unit's answers."""

    #: The rule is TRUE.
    KEPT = 0
    #: It is FALSE: the unit is asked.
    BROKEN = 1
    #: It is FALSE, and the unit has said why in a 说明 cell.
    EXPLAINED = 2
    #: It says nothing: an error, no last reported value, or an answer that could not be read.
    SILENT = 3


@dataclass(frozen=True, slots=True)
class Judged:
    """One unit's answers as rules are judged on them: last period's for 上期(), and the fields whose answers were there
    and could not be read.
    """

    answers: Answers
    previous: Answers | None = None
    unread: frozenset[str] = frozenset()


#: One string of `Verdict` codes for each of the form's rules, one code for each unit, in the order given.
Verdicts = tuple[bytes, ...]
Judge = Callable[[Form, Sequence[Judged]], Verdicts]


@dataclass(frozen=True, slots=True)
class RuleTally:
    """One rule over many units: of how many it says something, and how many of these do not keep it; `explained` of them
    have said why.
    """

    rule: Rule
    applies: int
    broken: int
    explained: int


@dataclass(frozen=True, slots=True)
class TallySheet:
    """A form's rules over the units whose answers were checked, `units` in all."""

    form: Form
    units: int
    rules: tuple[RuleTally, ...]


def judge(form: Form, units: Sequence[Judged]) -> Verdicts:
    """The verdicts, unit after unit."""
    return tuple(bytes(_judged(form, rule, units)) for rule in form.rules)


def _judged(form: Form, rule: Rule, units: Sequence[Judged]) -> Iterable[Verdict]:
    expr = rules.parse(rule.formula)
    named = rules.names(expr)
    places = form.explanations(rule, [field.name for field in form.named(named)])
    for unit in units:
        truth = rules.holds(expr, unit.answers, unit.previous) if named.isdisjoint(unit.unread) else None
        if truth is None:
            yield Verdict.SILENT
        elif truth:
            yield Verdict.KEPT
        else:
            told = any(unit.answers.get(place) for place in places)
            yield Verdict.EXPLAINED if told else Verdict.BROKEN


def tally(form: Form, verdicts: Verdicts, units: Sequence[int]) -> TallySheet:
    """The rules over some of the units, by their places in `verdicts`."""
    picked = _picker(units)
    counted = []
    for rule, codes in zip(form.rules, map(picked, verdicts), strict=True):
        broken, explained = codes.count(Verdict.BROKEN), codes.count(Verdict.EXPLAINED)
        applies = len(codes) - codes.count(Verdict.SILENT)
        counted.append(RuleTally(rule, applies, broken + explained, explained))
    return TallySheet(form, len(units), tuple(counted))


def _picker(units: Sequence[int]) -> Callable[[bytes], bytes]:
    if len(units) < 2:
        return lambda codes: bytes(codes[place] for place in units)
    take = itemgetter(*units)
    return lambda codes: bytes(take(codes))


def asked(verdicts: Verdicts, units: int) -> list[int]:
    """The places of the units that are asked about something: some rule is broken and not explained."""
    return [place for place in range(units) if any(codes[place] == Verdict.BROKEN for codes in verdicts)]


#: The findings of answers that were there and could not be understood; the rules that name them say nothing.
_UNREAD = frozenset(
    "cell-error not-found unit-unclear percent-unclear not-a-number not-an-integer not-a-date not-yes-or-no not-a-choice "
    "not-a-phone not-an-email".split()
)


def unread(findings: Iterable[Finding]) -> frozenset[str]:
    """The fields whose answers could not be read, by the findings of the check; with a table's cell its column."""
    fields = {finding.field for finding in findings if finding.code in _UNREAD}
    columns = {cell[0] for cell in map(split_cell, fields) if cell}
    return frozenset(fields | columns)
