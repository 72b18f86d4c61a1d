"""Answers of an old copy carried into the current one, for the unit to confirm instead of typing them again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workflow.domain.answers import Understood, shown, understand
from workflow.domain.form import FILLED_ON, NO_CHANGE, Form, Prefill, Value
from workflow.domain.roster import Unit
from workflow.domain.submission import Answers, CellError, RawValue

#: Said anew each time.
_NOT_CARRIED = frozenset({NO_CHANGE, FILLED_ON})
_MOST_CHANGES = 10


@dataclass(frozen=True, slots=True)
class Carried:
    """What the current copy is filled with; `carried` are the fields taken over, `open_labels` those still to be filled."""

    answers: dict[str, Value]
    carried: tuple[str, ...]
    open_labels: list[str]


def carry(
    form: Form, unit: Unit, raw: Mapping[str, RawValue | CellError], *, explanations: bool = True
) -> Carried:
    """The answers that the current form still asks for, as they are understood; what is not understood stays blank, and
    name and code come from the roster. Without `explanations` what explained the old copy's figures is left behind.
    """
    answers: dict[str, Value] = {}
    taken: list[str] = []
    left: list[str] = []
    for field in form.fields:
        if field.prefill is Prefill.UNIT_NAME:
            answers[field.name] = unit.name
        elif field.prefill is Prefill.UNIT_CODE:
            answers[field.name] = unit.code
        elif field.name not in _NOT_CARRIED and (explanations or not field.explains):
            typed = raw.get(field.name)
            seen = understand(field, typed) if typed is not None else None
            if isinstance(seen, Understood) and seen.value is not None:
                answers[field.name] = seen.value
                taken.append(field.name)
            elif field.required and field in form.indicators:
                left.append(field.label)
    return Carried(answers, tuple(taken), left)


def changes(form: Form, old: Answers, newest: Answers) -> list[str]:
    """What the newest version that we hold says otherwise than an old copy, in words for a letter."""
    if not newest:
        return []
    return [
        f"{field.label}：来件为{shown(old.get(field.name))}，已报数据为{shown(newest.get(field.name))}"
        for field in form.indicators
        if field.name not in _NOT_CARRIED and old.get(field.name) != newest.get(field.name)
    ][:_MOST_CHANGES]
