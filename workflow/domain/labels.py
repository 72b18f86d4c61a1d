"""Where the answers of a damaged copy stand, told by the words around them.

Rows and columns that were inserted or deleted, sheets renamed, put in another order or copied into one, labels edited: each
row of the form is looked for by its printed texts, each answer's column by the texts beside and above it. A place that
can't be told for sure is not given: whoever reads asks for that answer instead of guessing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from workflow.domain.form import Form, split_cell
from workflow.domain.sheet_match import MOST_SHEETS, Match, Page, Part, Place, Rows, words
from workflow.domain.table_places import table_places

#: Below this share of answers found it is not the form, or not enough of it.
LEAST_SHARE = 0.5
#: Sheets of one form share their headings: a page with no more of a sheet's words than that is another one.
_LEAST_LIKENESS = 0.25


@dataclass(frozen=True, slots=True)
class Located:
    """The places of the answers that were found, by field, and the fields whose place can't be told; `share` is the part of
    the form's questions that was found, each table counting as one. Rows of a table are counted as they stand, blank ones
    too; of a table that was not found its first cell is lost.
    """

    places: Mapping[str, Place]
    lost: tuple[str, ...]
    share: float


def stands(form: Form, rows_of: Mapping[str, Rows]) -> bool:
    """Whether the form's own texts stand where they stood, so that the addresses of the answers hold. Cheap: for every
    file. A form without texts can't be told apart and counts as standing.
    """
    for sheet, guides in form.guides.items():
        rows = rows_of[sheet]
        for row, column, text in guides:
            try:
                there = rows[row][column]
            except IndexError:
                return False
            if there != text and words(there) != words(text):
                return False
    return True


def locate(form: Form, grid: Mapping[str, Rows]) -> Located | None:
    """Find the form's answers in the sheets of a workbook; None where it is not that form."""
    if not form.anchors:
        return None
    pages = [Page(name, rows) for name, rows in list(grid.items())[:MOST_SHEETS]]
    single = [slot for slot in form.slots if not (form.tables and split_cell(slot.field))]
    places: dict[str, Place] = {}
    matches: dict[str, Match] = {}
    for sheet in dict.fromkeys(slot.sheet for slot in form.slots):
        part = Part(
            sheet,
            tuple(a for a in form.anchors if a.sheet == sheet),
            tuple(s for s in single if s.sheet == sheet),
            tuple(b for b in form.blocks if b.sheet == sheet),
        )
        page = max(pages, key=part.likeness, default=None)
        if page is not None and part.likeness(page)[0] >= _LEAST_LIKENESS * part.whole:
            matches[sheet] = Match(part, page)
            places.update(matches[sheet].places())
    taken = Counter(places.values())
    places = {field: place for field, place in places.items() if taken[place] == 1}
    lost = [slot.field for slot in single if slot.field not in places]
    rows, missed = table_places(form, matches) if form.tables else ({}, [])
    share = 1 - (len(lost) + len(missed)) / (len(single) + len(form.tables) or 1)
    return Located({**places, **rows}, (*lost, *missed), share) if share >= LEAST_SHARE else None
