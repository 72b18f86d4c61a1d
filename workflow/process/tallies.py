"""The rules of each form over the units of whole branches, for the sheet 校验情况 and for trying a form.

A unit counts whose own return of the period stands and was checked. What is carried over from last period, confirmed as 无变化
or missing was not checked, and a return in which nothing is filled was checked for that alone. Branches overlap: every unit is
judged once, and each workbook counts its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from workflow.adapters.store import Store, StoredAnswers
from workflow.domain.form import Form
from workflow.domain.merge import CARRIED, Origin
from workflow.domain.submission import Answers, Submission
from workflow.domain.tallies import Judge, Judged, TallySheet, Verdicts, judge, tally, unread
from workflow.process.picture import Picture
from workflow.process.situation import CaseKey

_UNCHECKED = CARRIED | {Origin.MISSING, Origin.NO_CHANGE}


@dataclass(frozen=True)
class Judgement:
    """A form's verdicts, and the place of each case in them."""

    form: Form
    places: Mapping[CaseKey, int]
    verdicts: Verdicts


def judgements(
    judge: Judge, store: Store, pictures: Sequence[Picture], held: Mapping[str, StoredAnswers]
) -> list[Judgement]:
    """The verdicts on every unit of some branches, form by form; forms without rules have none."""
    checked: dict[CaseKey, Submission] = {}
    previous: Mapping[CaseKey, Answers] = {}
    for seen in pictures:
        previous = seen.previous  # one for all branches
        for key, standing in seen.standings.items():
            version = seen.received.get(standing.submission)
            if version and standing.origin not in _UNCHECKED and not version.no_change and version.id in held:
                checked[key] = version
    findings = store.findings({version.id for version in checked.values() if version.errors})
    empty = {known for known, found in findings.items() if any(f.code == "nothing-filled" for f in found)}
    made = []
    for form in {id(form): form for seen in pictures for form in seen.forms.values()}.values():
        keys = [key for key, version in checked.items() if key[2] == form.id and version.id not in empty]
        units = [
            Judged(held[known].answers, previous.get(key), unread(findings.get(known, ())))
            for key, known in ((key, checked[key].id) for key in keys)
        ]
        if form.rules:
            made.append(Judgement(form, {key: at for at, key in enumerate(keys)}, judge(form, units)))
    return made


def tally_sheets(seen: Picture, made: Iterable[Judgement]) -> tuple[TallySheet, ...]:
    """The rules over the units of one branch; of forms that are asked for in it."""
    asked = {key[2] for key in seen.standings}
    return tuple(
        tally(one.form, one.verdicts, [one.places[key] for key in seen.standings if key in one.places])
        for one in made
        if one.form.id in asked
    )


#: Up to so many units the scalar evaluator is done before polars is loaded.
_FEW = 1000


def judge_all(form: Form, units: Sequence[Judged]) -> Verdicts:
    """The verdicts of a form's rules on units: over columns where these are many."""
    if len(units) < _FEW:
        return judge(form, units)
    from workflow.adapters import frames  # noqa: PLC0415 - polars is loaded where it is used alone

    return frames.judge(form, units)
