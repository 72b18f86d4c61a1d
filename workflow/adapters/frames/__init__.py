"""Rules over columns: what `domain.rules` and `domain.tallies` say of one unit, for thousands at once (polars).

Nothing is approximately right: where columns cannot say exactly what Excel says (texts read as numbers, ROUND, numbers that
differ behind the fifteenth digit, sums of fractions), the scalar meaning is asked in the rows concerned.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from workflow.adapters.frames.program import Program, truth
from workflow.domain import rules
from workflow.domain.form import Form
from workflow.domain.tallies import Judged, Verdict, Verdicts

__all__ = ["judge"]


def judge(form: Form, units: Sequence[Judged]) -> Verdicts:
    """The verdict of every rule on every unit, as `domain.tallies.judge` gives it."""
    if not units:
        return (b"",) * len(form.rules)
    trees = [rules.parse(rule.formula) for rule in form.rules]
    program = Program(trees, [(unit.answers, unit.previous) for unit in units])
    said = [_verdict(truth(program.add(tree))).alias(str(place)) for place, tree in enumerate(trees)]
    codes = [bytearray() for _ in said]
    for block in program.sheet.blocks():
        _, *columns = block.select("unit", *said).get_columns()  # the units, for their number
        for kept, column in zip(codes, columns, strict=True):
            kept += column.to_numpy().tobytes()
    unread = [(place, unit.unread) for place, unit in enumerate(units) if unit.unread]
    for rule, tree, kept in zip(form.rules, trees, codes, strict=True):
        named = rules.names(tree)
        for at, fields in unread:
            if not named.isdisjoint(fields):
                kept[at] = Verdict.SILENT
        places = form.explanations(rule, [field.name for field in form.named(named)])
        for at in _broken(kept) if places else ():
            if any(units[at].answers.get(place) for place in places):
                kept[at] = Verdict.EXPLAINED
    return tuple(map(bytes, codes))


def _broken(codes: bytearray) -> Iterator[int]:
    at = codes.find(Verdict.BROKEN)
    while at >= 0:
        yield at
        at = codes.find(Verdict.BROKEN, at + 1)


def _verdict(holds: pl.Expr) -> pl.Expr:
    return (
        pl.when(holds.is_null())
        .then(int(Verdict.SILENT))
        .when(holds)
        .then(int(Verdict.KEPT))
        .otherwise(int(Verdict.BROKEN))
        .cast(pl.UInt8)
    )
