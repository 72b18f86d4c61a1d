"""Answers for thousands of units: some sets made with care for each form, dealt out with every unit's own name and code."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from workflow.demo.figures import Unanswerable, plausible
from workflow.demo.filling import facts, spoil, typed
from workflow.domain.form import FILLED_ON, Form, Value
from workflow.domain.roster import Unit
from workflow.domain.submission import Answers, RawValue

#: Sets that differ for each form. Making one takes longer than stamping a hundred workbooks.
_VARIANTS = 12
#: What a unit said last period, says now, and says when it brings new figures.
_BEFORE, _NOW, _LATER = 0, 1, 2


class Figures:
    """Deals out answers. `earlier` are the real answers of last period by (unit, form), where the workspace has them."""

    def __init__(
        self, day: dt.date, seed: int, earlier: Mapping[tuple[str, str], Answers] | None = None
    ) -> None:
        self._day = day
        self._seed = seed
        self._earlier = earlier or {}
        self._sets: dict[tuple[str, int, int], dict[str, Value]] = {}

    def before(self, form: Form, unit: Unit, place: int) -> dict[str, Value]:
        """Last period's answers."""
        real = self._earlier.get((unit.code, form.id))
        return dict(real) if real is not None else self._own(form, unit, self._set(form, place, _BEFORE))

    def now(
        self, form: Form, unit: Unit, place: int, day: dt.date, *, had: bool, again: bool = False
    ) -> dict[str, Value]:
        """This period's answers, without a finding; `had` tells whether the unit has data of last period, `again` asks
        for new figures.
        """
        real = self._earlier.get((unit.code, form.id))
        if real is not None:
            answers = self._moved(form, unit, place + 10_000 * again, real)
        else:
            which = _LATER if again else _NOW if had else _BEFORE
            answers = self._own(form, unit, self._set(form, place, which))
        return {**answers, FILLED_ON: day}

    def wrong(self, form: Form, right: Answers, place: int) -> dict[str, RawValue]:
        """Answers with mistakes in them."""
        try:
            return spoil(form, right, self._seed + place)
        except ValueError:  # a form with hardly any figures: what can be wrong is what is missing
            empty: dict[str, RawValue] = {field.name: None for field in form.indicators if field.required}
            return {**typed(right), **empty}

    def _moved(self, form: Form, unit: Unit, place: int, real: Answers) -> dict[str, Value]:
        try:
            return plausible(form, self._seed + place, facts(form, unit.name, unit.code), real, self._day)
        except Unanswerable:
            return dict(real)

    def _own(self, form: Form, unit: Unit, answers: Answers) -> dict[str, Value]:
        return {**answers, **facts(form, unit.name, unit.code)}

    def _set(self, form: Form, place: int, which: int) -> dict[str, Value]:
        """One of the sets of a form: last period's, this period's, or the new figures that some bring later."""
        variant = place % _VARIANTS
        key = (form.id, variant, which)
        if key not in self._sets:
            before = self._set(form, place, _BEFORE) if which != _BEFORE else None
            seed = self._seed * 1_000 + variant + which
            given = facts(form, "示例单位", "4100000001")
            self._sets[key] = plausible(form, seed, given, before, self._day)
        return self._sets[key]
