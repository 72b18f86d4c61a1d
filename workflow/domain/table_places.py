"""Where the rows of repeating tables stand in a damaged copy: between the words above a table and those below it.

Rows that were inserted, deleted or sorted inside a table need no more than these two edges. Where an edge can't be told for
sure the table is asked for, lest what stands below is taken for one of its rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from workflow.domain.form import CONTINUED, Block, Form, cell_name
from workflow.domain.sheet_match import Match

_Rows = Sequence[Sequence[object]]
_Place = tuple[str, int, int]


def overflows(form: Form, rows_of: Mapping[str, _Rows]) -> bool:
    """Whether something stands below a table's last row, where the form has nothing of its own: then the rows have to be
    looked for. Cheap: for every file of a form with tables.
    """
    for block in form.blocks:
        for row in rows_of[block.sheet][block.last : block.end - 1 if block.end else None]:
            if any(column <= len(row) and _filled(row[column - 1]) for column in block.columns.values()):
                return True
    return False


def table_places(form: Form, matches: Mapping[str, Match]) -> tuple[dict[str, _Place], list[str]]:
    """The places of the tables' cells, row after row as they stand, and the first cell of each table that is lost.
    `matches` are the form's sheets that were found.
    """
    places: dict[str, _Place] = {}
    lost: list[str] = []
    counted: dict[str, int] = {}
    seen: set[tuple[str, int]] = set()
    pages = {match.page.name for sheet, match in matches.items() if sheet != CONTINUED}
    for block in form.blocks:
        match = matches.get(block.sheet)
        if match is None and block.sheet == CONTINUED:
            continue  # whoever needs no 续表 may leave it out
        heading = _heading(match, block) if match else None
        # The page of another sheet has the same words above its table, unless both were copied into one.
        borrowed = block.sheet == CONTINUED and match is not None and match.page.name in pages
        if borrowed and match and (heading is None or (match.page.name, heading) in seen):
            continue
        rows = _rows(match, block, heading) if match and heading is not None else None
        if match is None or rows is None:
            lost.append(cell_name(block.table.columns[0].name, 1))
            continue
        seen.add((match.page.name, heading or 0))
        columns = {name: match.columns.get(column - 1) for name, column in block.columns.items()}
        lost += (cell_name(name, 1) for name, column in columns.items() if column is None)
        for row in rows:
            number = counted[block.table.name] = counted.get(block.table.name, 0) + 1
            for name, column in columns.items():
                if column is not None:
                    places[cell_name(name, number)] = match.page.name, row + 1, column + 1
    asked = list(dict.fromkeys(lost))
    return {name: place for name, place in places.items() if name not in asked}, asked


def _heading(match: Match, block: Block) -> int | None:
    """The row of the words above a block, from 0. Tables of one form may have the same words: then it is the row with those
    words that is as far below the last row that was told as it was.
    """
    own = block.heading - 1
    if own in match.row_of:
        return match.row_of[own]
    before = max((row for row in match.row_of if row < own), default=None)
    if before is None:
        return None
    guess = match.row_of[before] + own - before
    words = set(match.part.texts.get(own, {}).values())
    there = match.page.cells[guess].values() if guess < len(match.page.cells) else ()
    return guess if words and words <= set(there) else None


def _rows(match: Match, block: Block, heading: int) -> Iterator[int] | None:
    """The rows of the page that belong to a block, from 0; None where its end can't be told."""
    page = match.page.rows
    start = heading + block.first - block.heading
    end = len(page)
    if block.below:
        below = match.row_of.get(block.below - 1)
        if below is None or below < start:
            return None
        # A row with nothing but a formula has no words by which it could be told: it stands where it stood above those.
        end = below - (block.below - block.end)
    elif block.end:
        return None
    filled = [
        row
        for row in range(start, min(end, len(page)))
        for column in (match.columns.get(one - 1) for one in block.columns.values())
        if column is not None and column < len(page[row]) and _filled(page[row][column])
    ]
    # A formula without a value looks blank, so rows within the table's room count although nothing is seen in them.
    seen = max(filled, default=start - 1) + 1
    return iter(range(start, min(end, max(seen, start + block.last - block.first + 1))))


def _filled(value: object) -> bool:
    return value is not None and not (isinstance(value, str) and not value.strip())
