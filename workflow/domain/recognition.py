"""Which form a workbook without a mark is, told by its title and its labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workflow.domain.form import Form
from workflow.domain.labels import locate
from workflow.domain.sheet_match import MOST_COLUMNS, MOST_ROWS, MOST_SHEETS, Rows, folded


def best_form(forms: Sequence[Form], grid: Mapping[str, Rows]) -> Form | None:
    """The one form whose title or 表号 stands in the workbook and whose labels do; the newest of its versions. None where
    none or several may be meant.
    """
    heads = [
        word
        for rows in list(grid.values())[:MOST_SHEETS]
        for row in rows[:MOST_ROWS]
        for value in row[:MOST_COLUMNS]
        if isinstance(value, str) and 3 < len(word := folded(value[:400])) < 80
    ]
    named = [form for form in forms if form.anchors and any(_named(form, word) for word in heads)]
    fitting = [
        (found.share, form.version, form) for form in named if (found := locate(form, grid)) is not None
    ]
    if len({form.id for *_, form in fitting}) != 1:
        return None
    return max(fitting, key=lambda one: (one[0], one[1]))[2]


def _named(form: Form, word: str) -> bool:
    number, title = folded(form.number), folded(form.title)
    return (bool(number) and number in word) or (bool(title) and title in word)
