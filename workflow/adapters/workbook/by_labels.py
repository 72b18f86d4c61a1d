"""Read a copy by the words around its answers, when its addresses no longer hold: workbooks and tables of web pages."""

from __future__ import annotations

from collections.abc import Mapping

from python_calamine import CalamineWorkbook

from workflow.adapters.workbook.html_table import tables
from workflow.adapters.workbook.identity import HIDDEN_SHEET, token_among
from workflow.adapters.workbook.pick import (
    days_since_1904,
    error_texts,
    hidden_errors,
    moved_cells,
    pick,
    without_gaps,
)
from workflow.adapters.workbook.problems import SHEET as PROBLEM_SHEET
from workflow.adapters.workbook.selfcheck import RECKONING
from workflow.adapters.workbook.selfcheck import SHEET as SELF_CHECK
from workflow.adapters.workbook.sniff import Sniffed
from workflow.domain.form import Form, split_cell
from workflow.domain.labels import locate
from workflow.domain.recognition import best_form
from workflow.domain.sheet_match import MOST_ROWS, MOST_SHEETS, Place, Rows, words
from workflow.domain.submission import LOST, CellError, CopyIdentity, Reading, ReadOutcome

#: Sheets of ours that hold no answers, whatever labels stand in them.
OWN_SHEETS = frozenset({HIDDEN_SHEET, PROBLEM_SHEET, SELF_CHECK, RECKONING})
_SELF_CHECK_TITLE = "自查表"


def grid_of(book: CalamineWorkbook) -> dict[str, Rows]:
    """The sheets that may hold answers, as far as a form can reach; hidden ones too."""
    names = [name for name in book.sheet_names if name not in OWN_SHEETS][:MOST_SHEETS]
    grid: dict[str, Rows] = {}
    for name in names:
        rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False, nrows=MOST_ROWS)
        if not (rows and rows[0] and words(rows[0][0]) == _SELF_CHECK_TITLE):  # renamed, it is still no form
            grid[name] = rows
    return grid


def read_located(
    grid: Mapping[str, Rows], sniffed: Sniffed, identity: CopyIdentity, form: Form
) -> Reading | None:
    """The answers by their labels; None where the labels are not there. What can't be found is asked for."""
    located = locate(form, grid)
    if located is None:
        return None
    answers, blank = pick(grid, located.places.items())
    answers.update(hidden_errors(blank, sniffed))
    error_texts(answers)
    answers, places, notes = without_gaps(form, answers, located.places)
    notes |= days_since_1904(form, answers, sniffed)
    # An explanation is the unit's to give; one that was not found is asked for where a query stands open.
    answers.update({field: CellError(LOST) for field in located.lost if not form.by_name[field].explains})
    moved = moved_cells(form, places)
    damaged = bool(located.lost) or _elsewhere(form, places, moved)
    return Reading(
        ReadOutcome.ANSWERS, identity, answers, moved, notes=notes, by_labels=damaged or not identity.token
    )


def _elsewhere(form: Form, places: Mapping[str, Place], moved: Mapping[str, str]) -> bool:
    """Whether answers stand where the form has no place for them; a row of a table that counts from behind a blank one
    does not.
    """
    if not form.tables:
        return bool(moved)
    own = {(slot.sheet, slot.row, slot.column) for slot in form.slots if split_cell(slot.field)}
    return any(places[field] not in own for field in moved)


def read_page(data: bytes, forms: Mapping[tuple[str, int], Form]) -> Reading | None:
    """A form in the tables of a web page; None where no form, or more than one, is recognised."""
    grid: Mapping[str, Rows] = tables(data)
    if not grid:
        return None
    kinds = {form.id for form in forms.values() if form.anchors}
    newest = max(
        (form for form in forms.values() if form.anchors), key=lambda form: form.version, default=None
    )
    # Called again with the one form that a token names, the page need not print its title.
    form = newest if len(kinds) == 1 and newest else best_form(list(forms.values()), grid)
    token = token_among(value for rows in grid.values() for row in rows for value in row)
    if form is not None:
        identity = CopyIdentity("", "", form.id, form.version, 0, token)
        if (located := read_located(grid, Sniffed(), identity, form)) is not None:
            return located
    if not token:
        return None
    reason = "网页表格的识别标记不全，无法判断是哪一种表；请使用系统下发的工作簿填报，作为附件回复"
    return Reading(ReadOutcome.UNSUPPORTED, CopyIdentity("", "", "", 0, 0, token), reason=reason)
