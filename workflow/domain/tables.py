"""The rows of a repeating table 重复表格 among a unit's flat answers, and what differs between two of them.

A table is a list and not a grid: rows that come back in another order are no change, and a row is the same row where it
says the same or is about the same thing, whatever its number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from workflow.domain.form import Field, FieldType, Form, Table, Value, cell_name, split_cell
from workflow.domain.submission import Answers


@dataclass(frozen=True, slots=True)
class Row:
    """A row that says something: its number, from 1, and what stands in it, in the order of the table's columns."""

    number: int
    values: tuple[Value, ...]


class Rows:
    """Takes a table's rows out of answers; made once, it serves many units."""

    def __init__(self, table: Table) -> None:
        self._columns = tuple(column.name for column in table.columns)
        self._cells = {
            cell_name(column, row): (row, place)
            for row in range(1, table.rows + 1)
            for place, column in enumerate(self._columns)
        }
        self._room = table.rows

    def of(self, answers: Answers) -> list[Row]:
        """The rows in their order, blank ones left out; also those for which a copy of the form has no room."""
        found: dict[int, list[Value]] = {}
        for name in self._cells.keys() & answers.keys():
            value = answers[name]
            if value is not None:
                row, place = self._cells[name]
                found.setdefault(row, [None] * len(self._columns))[place] = value
        rows = [Row(number, tuple(found[number])) for number in sorted(found)]
        if self._room in found:
            rows += self._beyond(answers)
        return rows

    def _beyond(self, answers: Answers) -> Iterator[Row]:
        number = self._room + 1
        while True:
            values = tuple(answers.get(cell_name(column, number)) for column in self._columns)
            if all(value is None for value in values):
                return
            yield Row(number, values)
            number += 1


def rows_of(table: Table, answers: Answers) -> list[Row]:
    """A table's rows in one unit's answers."""
    return Rows(table).of(answers)


@dataclass(frozen=True, slots=True)
class TableDifference:
    """What differs in a table between two answers: the rows added and those removed, and each row that was changed as it
    was and as it is. Nothing in it where the rows are the same, in whatever order.
    """

    table: Table
    before: int
    after: int
    added: tuple[Row, ...] = ()
    removed: tuple[Row, ...] = ()
    changed: tuple[tuple[Row, Row], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)

    @property
    def words(self) -> str:
        """`增加2行、减少1行、修改3行`."""
        counts = (("增加", self.added), ("减少", self.removed), ("修改", self.changed))
        return "、".join(f"{word}{len(rows)}行" for word, rows in counts if rows)

    @property
    def rows(self) -> int:
        """How many rows differ."""
        return len(self.added) + len(self.removed) + len(self.changed)

    def cells(self) -> frozenset[str]:
        """The names of the cells, by the newer rows, that say otherwise than before."""
        fresh = (
            cell_name(column.name, row.number)
            for row in self.added
            for column, value in zip(self.table.columns, row.values, strict=True)
            if value is not None
        )
        mended = (
            cell_name(column.name, row.number)
            for old, row in self.changed
            for column, before, now in zip(self.table.columns, old.values, row.values, strict=True)
            if before != now
        )
        return frozenset((*fresh, *mended))


def same_rows(table: Table, old: Answers, new: Answers) -> bool:
    """Whether a table says the same in both answers, in whatever order its rows stand."""
    reader = Rows(table)
    return Counter(row.values for row in reader.of(old)) == Counter(row.values for row in reader.of(new))


def unchanged(table: Table, old: Answers, new: Answers) -> bool:
    """Whether what is said in a table is what was said before, in whatever order: a column that is blank in all rows says
    nothing, nor does a table without rows.
    """
    reader = Rows(table)
    now = [row.values for row in reader.of(new)]
    told = [place for place in range(len(table.columns)) if any(row[place] is not None for row in now)]
    before = [row.values for row in reader.of(old)] if now else []
    return Counter(tuple(row[at] for at in told) for row in now) == Counter(
        tuple(row[at] for at in told) for row in before
    )


def filled_rows(names: Iterable[str]) -> frozenset[tuple[str, int]]:
    """Of the tables' cells among some names, the table and the row of each."""
    split = ((name.partition(".")[0], split_cell(name)) for name in names)
    return frozenset((table, cell[1]) for table, cell in split if cell)


#: What a unit writes in a list to say that nothing follows, or into a row of no use, besides strokes.
_NOTHING = frozenset("以下空白 以下为空 以下无 以下无内容 空白 无 没有".split())
_TOTALS = frozenset("合计 总计 共计 小计 总合计 本页合计 本页小计".split())
_DRESS = str.maketrans("", "", ' \u3000\t\n\r()（）[]【】“”"：:。.')
_STROKES = frozenset("/／\\＼-－—–─~～_＿|｜")


def rows_of_no_item(form: Form, raw: Mapping[str, object]) -> dict[tuple[str, int], str]:
    """The rows of tables that name no item, by table and row, with the words that say so: `以下空白`, strokes, and the unit's
    own 合计, which would count twice. A word that is one of a question's choices says what it says.
    """
    rows: dict[tuple[str, int], dict[str, str]] = {}
    for name, value in raw.items():
        cell = split_cell(name)
        if cell is not None and value is not None:
            column = form.columns[cell[0]]
            chosen = column.choices or column.type is FieldType.YES_NO
            rows.setdefault((name.partition(".")[0], cell[1]), {})[cell[0]] = (
                "" if chosen else _bare_word(value)
            )
    found = {}
    for row, words in rows.items():
        first = next(words[name] for name in form.columns if name in words)
        if first in _TOTALS or all(word in _NOTHING or _is_stroke(word) for word in words.values()):
            found[row] = first
    return found


def _bare_word(value: object) -> str:
    """A cell's text without what dresses it, `（以下空白）`; '' for what is no text."""
    return value.translate(_DRESS) if isinstance(value, str) else ""


def _is_stroke(word: str) -> bool:
    return bool(word) and _STROKES.issuperset(word)


def close_gaps(filled: Iterable[str]) -> dict[str, str]:
    """The new name of each cell of a table that has to move up, for the rows are counted without the blank ones; `filled`
    are the names of the cells in which something stands.
    """
    names = list(filled)
    numbers: dict[str, list[int]] = {}
    for table, row in sorted(filled_rows(names)):
        numbers.setdefault(table, []).append(row)
    place = {(table, row): at for table, rows in numbers.items() for at, row in enumerate(rows, start=1)}
    moved = {}
    for name in names:
        if (cell := split_cell(name)) is not None:
            new = cell_name(cell[0], place[name.partition(".")[0], cell[1]])
            if new != name:
                moved[name] = new
    return moved


def compare(table: Table, old: Answers, new: Answers) -> TableDifference:
    """What differs in a table. Of the rows that are not found alike, two are one row changed where the first column says
    the same, or else at least half of the columns do.
    """
    reader = Rows(table)
    before, after = reader.of(old), reader.of(new)
    removed, added = _left_over(before, after), _left_over(after, before)
    changed: list[tuple[Row, Row]] = []
    for is_same in (_about_the_same, _mostly_alike):
        for row in tuple(added):
            former = next((one for one in removed if is_same(one.values, row.values)), None)
            if former is not None:
                removed.remove(former)
                added.remove(row)
                changed.append((former, row))
    changed.sort(key=lambda pair: pair[1].number)
    return TableDifference(table, len(before), len(after), tuple(added), tuple(removed), tuple(changed))


def _left_over(rows: Sequence[Row], others: Sequence[Row]) -> list[Row]:
    """The rows that have no equal among the others; each of those stands for one."""
    known = Counter(row.values for row in others)
    left = []
    for row in rows:
        if known[row.values]:
            known[row.values] -= 1
        else:
            left.append(row)
    return left


def _about_the_same(one: Sequence[Value], other: Sequence[Value]) -> bool:
    return one[0] is not None and one[0] == other[0]


def _mostly_alike(one: Sequence[Value], other: Sequence[Value]) -> bool:
    alike = sum(a is not None and a == b for a, b in zip(one, other, strict=True))
    return 2 * alike >= len(one)


def differing(form: Form, old: Answers, new: Answers) -> tuple[list[Field], list[TableDifference]]:
    """The questions that ask for one figure and were answered differently, and the tables that differ."""
    fields = [field for field in form.indicators if old.get(field.name) != new.get(field.name)]
    tables = [] if not form.tables else [compare(table, old, new) for table in form.tables]
    return fields, [difference for difference in tables if difference]


def column_label(field: Field) -> str:
    """What a table's column is called outside of its table: `设备 数量`; any other field as it is labelled."""
    table, dot, _ = field.name.partition(".")
    return f"{table} {field.label}" if dot and not field.label.startswith(table) else field.label


_FEW_NOTES = 3


def notable(form: Form) -> frozenset[str]:
    """What a note on a return may be about: the form's fields, and its tables as a whole."""
    return frozenset((*form.by_name, *(table.name for table in form.tables)))


def notes_in_words(form: Form, notes: Mapping[str, str]) -> list[str]:
    """Notes on fields as a letter or a 备注 tells them: of a table's cells the first few, and how many others there are."""
    words: list[str] = []
    told: Counter[str] = Counter()
    for name, note in notes.items():
        field = form.by_name.get(name)
        if field is not None and field.row:
            table = name.partition(".")[0]
            told[table] += 1
            if told[table] > _FEW_NOTES:
                continue
        words.append(f"{field.label if field else name}：{note}")
    others = ((table, count - _FEW_NOTES) for table, count in told.items() if count > _FEW_NOTES)
    return [*words, *(f"{table}：另有{count}个单元格作了同类处理" for table, count in others)]
