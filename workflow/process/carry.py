"""Answers of an old copy carried into the current one, for the unit to confirm instead of typing them again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workflow.domain.answers import Understood, shown, understand
from workflow.domain.contacts import roster_facts
from workflow.domain.form import FILLED_ON, NO_CHANGE, PERSON, Form, Value
from workflow.domain.roster import Contact, Unit
from workflow.domain.submission import Answers, CellError, RawValue
from workflow.domain.tables import differing, filled_rows

#: Said anew each time.
_NOT_CARRIED = frozenset({NO_CHANGE, FILLED_ON, *PERSON})
_MOST_CHANGES = 10


@dataclass(frozen=True, slots=True)
class Carried:
    """What the current copy is filled with; `carried` are the fields taken over, `open_labels` those still to be filled."""

    answers: dict[str, Value]
    carried: tuple[str, ...]
    open_labels: list[str]


def carry(
    form: Form,
    unit: Unit,
    raw: Mapping[str, RawValue | CellError],
    *,
    explanations: bool = True,
    people: Sequence[Contact] = (),
) -> Carried:
    """The answers that the current form still asks for, as they are understood; what is not understood stays blank, and
    name, code and the first of `people`, the unit's 管理员, come from the roster. Without `explanations` what explained the old copy's figures is left behind.
    """
    facts = roster_facts(unit, people)
    answers: dict[str, Value] = {}
    taken: list[str] = []
    left: list[str] = []
    for field in form.fields:
        if field.prefill in facts:
            answers[field.name] = facts[field.prefill]
        elif field.name not in _NOT_CARRIED and (explanations or not field.explains):
            typed = raw.get(field.name)
            seen = understand(field, typed) if typed is not None else None
            if isinstance(seen, Understood) and seen.value is not None:
                answers[field.name] = seen.value
                taken.append(field.name)
            elif field.required and field in form.indicators:
                left.append(field.label)
    left += without_room(form, raw)
    return Carried(answers, tuple(taken), left)


def without_room(form: Form, raw: Mapping[str, object]) -> list[str]:
    """The rows of tables for which the current form has no room, in words."""
    beyond = filled_rows(name for name in raw if name not in form.by_name) if form.tables else ()
    room = {table.name: table.rows for table in form.tables}
    counted = Counter(table for table, row in beyond if row > room.get(table, row))
    return [f"“{table}”表第{room[table]}行以后的{count}行" for table, count in counted.items()]


def changes(form: Form, old: Answers, newest: Answers) -> list[str]:
    """What the newest version that we hold says otherwise than an old copy, in words for a letter."""
    if not newest:
        return []
    fields, tables = differing(form, old, newest)
    words = [
        f"{field.label}：来件为{shown(old.get(field.name))}，已报数据为{shown(newest.get(field.name))}"
        for field in fields
        if field.name not in _NOT_CARRIED
    ]
    words += [
        f"“{one.table.name}”表：来件{one.before}行，已报数据{one.after}行，{one.words}" for one in tables
    ]
    return words[:_MOST_CHANGES]
