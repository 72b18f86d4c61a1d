"""Rules over many units: the scalar evaluator one unit after the other, and the same rules over columns."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from functools import partial

from bench.timing import side_by_side, timed
from workflow.adapters import frames
from workflow.domain import tallies
from workflow.domain.form import Field, FieldType, Form, Rule, Severity, Value
from workflow.domain.submission import Answers
from workflow.domain.tallies import Judge, Judged

RULES = 40
#: The kinds of rule that offices write, each over fields of its own block of ten.
_FORMULAS = (
    "数{0}<=数{1}",
    "数{0}+数{1}=数{2}",
    "SUM(数{0},数{1},数{3})>=数{4}",
    'IF(有{0}="是",率{0}>0,率{0}=0)',
    "ABS(数{0}-上期(数{0}))<=上期(数{0})*0.5",
    "IFERROR(数{0}/数{3}<50,TRUE)",
    'OR(名{0}<>"",数{1}=0)',
    "ROUND(率{0}+率{1},2)<=2",
)
_BLOCKS = RULES // len(_FORMULAS)
_TIMES = 9  # more than enough names for any place that a formula takes


def form() -> Form:
    """A form of forty rules."""
    kinds = {"数": FieldType.INTEGER, "率": FieldType.DECIMAL, "有": FieldType.YES_NO, "名": FieldType.TEXT}
    fields = tuple(
        Field(f"{word}{n}", f"{word}{n}", kind) for word, kind in kinds.items() for n in range(_TIMES)
    )
    rules = tuple(
        Rule(f"J{block}{place}", Severity.ERROR, formula.format(*range(block, block + 5)), "请核对")
        for block in range(_BLOCKS)
        for place, formula in enumerate(_FORMULAS)
    )
    return Form("rules", "规则", 1, (), "", "", fields, rules, ())


def units(count: int) -> list[Judged]:
    """Answers with blanks, fractions and some texts where numbers should be."""
    chance = random.Random(count)
    return [
        Judged(_answers(chance), _answers(chance) if chance.random() < 0.9 else None) for _ in range(count)
    ]


def _answers(chance: random.Random) -> Answers:
    answers: dict[str, Value] = {}
    for n in range(_TIMES):
        answers[f"数{n}"] = None if chance.random() < 0.05 else chance.randrange(2000)
        answers[f"率{n}"] = round(chance.random(), 3)
        answers[f"有{n}"] = chance.random() < 0.8
        answers[f"名{n}"] = f"第{chance.randrange(40)}小学"
    return answers


def rates(sizes: Sequence[int], rounds: int) -> Mapping[str, Mapping[str, float]]:
    """Rules worked out a second by number of units: `scalar`, `columns`, and how many times as fast the latter is."""
    found = {}
    asked = form()
    for count in sizes:
        held = units(count)
        assert frames.judge(asked, held[:500]) == tallies.judge(asked, held[:500])
        judges: Mapping[str, Judge] = {"scalar": tallies.judge, "columns": frames.judge}
        runs = {name: partial(timed, partial(judge, asked, held)) for name, judge in judges.items()}
        taken = side_by_side(runs, rounds)
        speeds = {name: round(count * RULES / took) for name, took in taken.items()}
        found[str(count)] = {**speeds, "ratio": round(taken["scalar"] / taken["columns"], 1)}
    return found


if __name__ == "__main__":
    print(json.dumps(rates((5_000, 50_000), 3), indent=1))
