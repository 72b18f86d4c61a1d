"""One sheet of a form laid over one page of a workbook that came back: which row is which, and which column.

Rows are told by their printed texts, columns by the texts beside and above; what cannot be told for sure stays open.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property, lru_cache

from workflow.domain.form import Anchor, Block, Slot

Rows = Sequence[Sequence[object]]
Place = tuple[str, int, int]  # sheet, row and column from 1

#: A form fits these many times over; what lies beyond is no form.
MOST_ROWS, MOST_COLUMNS, MOST_SHEETS = 1500, 120, 40
_ALIKE = 0.6
#: Comparing letter by letter is slow; between two rows that were told there is seldom more room than this.
_WIDEST_GAP = 60
_TRIVIAL = 0.05


@lru_cache(maxsize=8192)
def folded(text: str) -> str:
    """A text for comparing; see `words`."""
    wide = unicodedata.normalize("NFKC", text).lower()
    return "".join(char for char in wide if unicodedata.category(char)[0] in "LN" or char == "%")


def words(value: object) -> str:
    """A cell's text for comparing: half width, without blanks and punctuation; '' for what is no text."""
    if isinstance(value, str):
        return folded(value[:400])
    if (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and value == value // 1
        and abs(value) < 1e9
    ):
        return str(int(value))  # serial numbers of rows come back as numbers
    return ""


@dataclass(frozen=True)
class Page:
    """A sheet as it came back, as comparable words."""

    name: str
    rows: Rows

    @cached_property
    def cells(self) -> list[dict[int, str]]:
        """For each row, from 0, its words by column from 0."""
        return [
            {at: word for at, value in enumerate(row[:MOST_COLUMNS]) if (word := words(value))}
            for row in self.rows[:MOST_ROWS]
        ]

    @cached_property
    def rows_with(self) -> Mapping[str, list[int]]:
        """The rows in which a word stands, each once."""
        found: dict[str, list[int]] = {}
        for number, row in enumerate(self.cells):
            for word in set(row.values()):
                found.setdefault(word, []).append(number)
        return found


@dataclass(frozen=True)
class Part:
    """A sheet of the form: its texts and its answers' cells."""

    name: str
    anchors: tuple[Anchor, ...]
    slots: tuple[Slot, ...]
    blocks: tuple[Block, ...]

    @cached_property
    def answer_columns(self) -> frozenset[int]:
        """The columns of the answers, from 0."""
        tables = (column - 1 for block in self.blocks for column in block.columns.values())
        return frozenset((*(slot.column - 1 for slot in self.slots), *tables))

    @cached_property
    def answer_rows(self) -> frozenset[int]:
        """The rows that must be told: those of the answers, and those above and below a table; from 0."""
        around = (row - 1 for block in self.blocks for row in (block.heading, block.below) if row)
        return frozenset((*(slot.row - 1 for slot in self.slots), *around))

    @cached_property
    def texts(self) -> Mapping[int, dict[int, str]]:
        """The form's words by row and column, both from 0."""
        rows: dict[int, dict[int, str]] = {}
        for anchor in self.anchors:
            if word := words(anchor.text):
                rows.setdefault(anchor.row - 1, {})[anchor.column - 1] = word
        return rows

    @cached_property
    def weight(self) -> Mapping[str, float]:
        """What a word tells: much where it stands once, little for a unit, a number or a word of every row."""
        counts = Counter(word for row in self.texts.values() for word in row.values())
        return {
            word: _TRIVIAL if len(word) < 2 or word.isdecimal() else 1 / count
            for word, count in counts.items()
        }

    @cached_property
    def whole(self) -> float:
        """The likeness of the sheet to itself."""
        return sum(weight for weight in self.weight.values() if weight > _TRIVIAL)

    @cached_property
    def rows_with(self) -> Mapping[str, int]:
        """In how many rows a word stands."""
        return Counter(word for row in self.texts.values() for word in set(row.values()))

    def likeness(self, page: Page) -> tuple[float, bool]:
        """How much of the form's sheet stands in a page; of equals the one with the same name."""
        return (
            sum(w for word, w in self.weight.items() if w > _TRIVIAL and word in page.rows_with),
            page.name == self.name,
        )


@dataclass(frozen=True)
class Match:
    """One sheet of the form laid over one page."""

    part: Part
    page: Page

    def places(self) -> Iterator[tuple[str, Place]]:
        """The answers whose row and column are both sure."""
        for slot in self.part.slots:
            row = self.row_of.get(slot.row - 1)
            column = self._column(slot, row) if row is not None else None
            if row is not None and column is not None and not self._is_text(slot.row - 1, row, column):
                yield slot.field, (self.page.name, row + 1, column + 1)

    @cached_property
    def row_of(self) -> Mapping[int, int]:
        """The page's row of each row of the form that was found, from 0."""
        found = self._told()
        self._fill(found)
        return found

    def _tells(self, word: str) -> float:
        """The weight of a word on this page: one that stands in more or fewer rows than in the form tells little, since
        some row lost or gained it.
        """
        same = len(self.page.rows_with.get(word, ())) == self.part.rows_with[word]
        return self.part.weight[word] if same else _TRIVIAL

    def _told(self) -> dict[int, int]:
        """Rows that their words alone tell, best first; a tie is left open."""
        claims: list[tuple[float, int, int]] = []
        for number, texts in self.part.texts.items():
            scores: Counter[int] = Counter()
            for word in set(texts.values()):
                for row in self.page.rows_with.get(word, ()):
                    scores[row] += self._tells(word)  # type: ignore[assignment]
            full = sum(self.part.weight[word] for word in set(texts.values()))
            ranked = scores.most_common(2)
            if not ranked or ranked[0][1] < max(0.4 * full, 0.3):
                continue
            if len(ranked) > 1 and ranked[1][1] >= ranked[0][1] - _TRIVIAL / 2:
                continue
            claims.append((ranked[0][1], number, ranked[0][0]))
        found: dict[int, int] = {}
        used: set[int] = set()
        for _, number, row in sorted(claims, key=lambda claim: (-claim[0], claim[1])):
            if row not in used:
                found[number] = row
                used.add(row)
        return found

    def _fill(self, found: dict[int, int]) -> None:
        """Rows with edited or repeated labels: between two neighbours that were told and are as far apart as they were, by
        their place; else by the one row there whose words are alike.
        """
        told = sorted(found)
        open_rows = sorted(self.part.answer_rows - found.keys())
        for number in open_rows:
            before = max((t for t in told if t < number), default=None)
            after = min((t for t in told if t > number), default=None)
            low = found[before] if before is not None else -1
            high = found[after] if after is not None else len(self.page.cells)
            used = set(found.values())
            steady = before is not None and after is not None and high - low == after - before
            edge = (before is None) is not (after is None) and self._is_edge(before, after, found)
            guess = low + number - before if before is not None else high - (after or 0) + number
            if (
                (steady or edge)
                and guess not in used
                and 0 <= guess < len(self.page.cells)
                and self._fits(number, guess)
            ):
                found[number] = guess
                continue
            if high - low > _WIDEST_GAP:
                continue
            gap = [row for row in range(low + 1, high) if row not in used]
            rivals = [other for other in open_rows if other != number]
            alike = [row for row in gap if self._shares(number, row, rivals)] or [
                row for row in gap if self._alike(number, row)
            ]
            if len(alike) == 1:
                found[number] = alike[0]

    def _is_edge(self, before: int | None, after: int | None, found: Mapping[int, int]) -> bool:
        """Beyond the outermost row that was told, a place is sure only where all that were told have not moved apart."""
        known = before if before is not None else after
        assert known is not None
        return len({row - number for number, row in found.items()}) == 1

    def _fits(self, number: int, row: int) -> bool:
        """Whether a row at the expected place may be the form's: an edited label, but no other row's words."""
        own, there = set(self.part.texts.get(number, {}).values()), set(self.page.cells[row].values())
        if any(self.part.weight.get(word, 0) > _TRIVIAL for word in there - own):
            return False  # another row's words
        return not own or bool(own & there) or self._alike(number, row)

    def _shares(self, number: int, row: int, rivals: Sequence[int]) -> bool:
        """Whether a row has a word that tells, and that no other open row of the form has too: rows may have changed places."""
        theirs = {word for rival in rivals for word in self.part.texts.get(rival, {}).values()}
        there = set(self.page.cells[row].values()) - theirs
        return any(
            self._tells(word) > _TRIVIAL and word in there
            for word in self.part.texts.get(number, {}).values()
        )

    def _alike(self, number: int, row: int) -> bool:
        labels = [
            word for word in self.part.texts.get(number, {}).values() if self.part.weight[word] > _TRIVIAL
        ]
        # A text of the form is that one and no other's edited label: many labels differ in one word only.
        there = [
            word for word in self.page.cells[row].values() if len(word) > 1 and word not in self.part.weight
        ]
        return any(
            SequenceMatcher(None, a, b, autojunk=False).ratio() >= _ALIKE for a in labels for b in there
        )

    def _column(self, slot: Slot, row: int) -> int | None:
        """The answer's column: by the nearest texts on both sides of it in its own row, else by its sheet's columns."""
        own, column = self._shifts(slot.row - 1, row), slot.column - 1
        left, right = _neighbours(column, self.part.texts.get(slot.row - 1, {}))
        if left is None or right is None or left not in own or right not in own:
            return self.columns.get(column)
        if own[left] == own[right]:
            return column + own[left]
        if all(self._sure.get(at) == at + own[at] for at in (left, right)):
            return self.columns.get(column)  # a whole column came in or went
        # Cells were pushed aside in this row alone, on one side of the answer or the other.
        return self._only_filled([row], left + own[left] + 1, right + own[right])

    def _shifts(self, number: int, row: int) -> dict[int, int]:
        """How far each text of a row, that stands once in it, moved sideways."""
        texts, there = self.part.texts.get(number, {}), self.page.cells[row]
        once, once_there = Counter(texts.values()), Counter(there.values())
        back = {word: at for at, word in there.items() if once_there[word] == 1}
        return {at: back[word] - at for at, word in texts.items() if once[word] == 1 and word in back}

    @cached_property
    def columns(self) -> Mapping[int, int]:
        """The page's column of each answer column."""
        found = {column: self._between(column, self._sure) for column in self.part.answer_columns}
        return {column: there for column, there in found.items() if there is not None}

    @cached_property
    def _sure(self) -> Mapping[int, int]:
        """The page's column of each column that holds texts of the form, by the votes of all rows that were found."""
        votes: dict[int, Counter[int]] = {}
        for number, row in self.row_of.items():
            for at, shift in self._shifts(number, row).items():
                votes.setdefault(at, Counter())[at + shift] += 1
        sure = {}
        for at, counted in votes.items():
            best, count = counted.most_common(1)[0]
            if count >= 0.7 * counted.total():
                sure[at] = best
        return sure

    def _between(self, column: int, sure: Mapping[int, int]) -> int | None:
        """An answer column without texts of its own: beside its nearest columns of texts, if these were found."""
        if column in sure:
            return sure[column]
        left, right = _neighbours(column, {at for row in self.part.texts.values() for at in row})
        if (left is None or left in sure) and (right is None or right in sure):
            shifts = {sure[at] - at for at in (left, right) if at is not None}
            if len(shifts) == 1:
                return column + shifts.pop()
        known_left, known_right = _neighbours(column, sure)
        low = 0 if known_left is None else sure[known_left] + 1
        high = MOST_COLUMNS if known_right is None else sure[known_right]
        numbers = {slot.row - 1 for slot in self.part.slots if slot.column - 1 == column}
        rows = [self.row_of[number] for number in numbers if number in self.row_of]
        return self._only_filled(rows, low, high)

    def _only_filled(self, rows: Sequence[int], low: int, high: int) -> int | None:
        """The only column from `low` to before `high` that holds anything in these rows of the page."""
        filled = {
            at
            for row in rows
            for at, value in enumerate(self.page.rows[row][:high])
            if at >= low and value not in (None, "")
        }
        return filled.pop() if len(filled) == 1 else None

    def _is_text(self, number: int, row: int, column: int) -> bool:
        """Whether a text of the form itself stands where the answer should: then it is not the answer's place. An answer may
        be the same as the number of its row, which then stands in the row once more than it did.
        """
        there = self.page.cells[row].get(column, "")
        own = list(self.part.texts.get(number, {}).values())
        return len(there) > 1 and 0 < own.count(there) >= list(self.page.cells[row].values()).count(there)


def _neighbours(column: int, columns: Collection[int]) -> tuple[int | None, int | None]:
    """The nearest of some columns on either side."""
    left = max((at for at in columns if at < column), default=None)
    return left, min((at for at in columns if at > column), default=None)
