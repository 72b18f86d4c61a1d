"""A form 表单: its fields, choices and rules, and the cell where each answer stands.

The definition sheets of a form workbook are described in docs/forms.md; `adapters.workbook.compile` reads them
into these records.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

#: What an answer can be once it has been understood. A percent is a ratio, a yes/no a bool, a date a day.
Value = bool | int | float | str | dt.date | None


class FieldType(StrEnum):
    """The types of a field, by the words that staff write in the 类型 column."""

    TEXT = "文本"
    INTEGER = "整数"
    DECIMAL = "小数"
    PERCENT = "百分比"
    DATE = "日期"
    YES_NO = "是否"
    CHOICE = "单选"
    PHONE = "电话"
    EMAIL = "邮箱"

    @property
    def is_number(self) -> bool:
        return self in _NUMBERS


_NUMBERS = frozenset({FieldType.INTEGER, FieldType.DECIMAL, FieldType.PERCENT})


class Aggregate(StrEnum):
    """How the levels above total a field over their units."""

    NONE = ""
    SUM = "合计"
    MEAN = "平均"
    MAX = "最大"
    MIN = "最小"
    COUNT_YES = "计是"


class Severity(StrEnum):
    """The two kinds of check that staff know from the education statistics."""

    ERROR = "逻辑校验"
    QUERY = "经验校验"


class Prefill(StrEnum):
    """Where a stamped copy takes a field's first value from."""

    NONE = ""
    LAST_PERIOD = "上期"
    UNIT_NAME = "名册.名称"
    UNIT_CODE = "名册.代码"
    PERSON_NAME = "名册.管理员姓名"
    PERSON_PHONE = "名册.管理员办公电话"
    PERSON_MOBILE = "名册.管理员手机号码"
    PERSON_EMAIL = "名册.管理员电子邮箱"


#: Fields that every form has; see docs/forms.md.
NO_CHANGE = "无变化"
HEAD, FILLER, FILLER_PHONE, FILLED_ON = "单位负责人", "填表人", "联系电话", "填表日期"
RESERVED: Mapping[str, FieldType] = {
    NO_CHANGE: FieldType.YES_NO,
    HEAD: FieldType.TEXT,
    FILLER: FieldType.TEXT,
    FILLER_PHONE: FieldType.PHONE,
    FILLED_ON: FieldType.DATE,
}


#: The cells of the sheet 人员信息 (article 14), which a form may leave out: the unit's 管理员. They are no figures: they go into no
#: consolidated workbook, are not carried over, and change the roster once the data are approved.
PERSON_NAME, PERSON_PHONE, PERSON_MOBILE, PERSON_EMAIL, PERSON_CHANGED = (
    "管理员姓名",
    "管理员办公电话",
    "管理员手机号码",
    "管理员电子邮箱",
    "管理员变动",
)
PERSON: Mapping[str, FieldType] = {
    PERSON_NAME: FieldType.TEXT,
    PERSON_PHONE: FieldType.PHONE,
    PERSON_MOBILE: FieldType.PHONE,
    PERSON_EMAIL: FieldType.EMAIL,
    PERSON_CHANGED: FieldType.YES_NO,
}

#: The sheet of a copy that has room for further rows of the tables.
CONTINUED = "续表"

#: Opens the name of an explanation cell 说明; behind it the field or the 经验校验 rule that it explains.
EXPLAINS = "说明:"


@dataclass(frozen=True, slots=True)
class Field:
    """One question. `minimum` and `maximum` are inclusive; formulas are Excel's over field names (domain.rules)."""

    name: str
    label: str
    type: FieldType
    required: bool = False
    minimum: int | float | dt.date | None = None
    maximum: int | float | dt.date | None = None
    pattern: str = ""
    constraint: str = ""
    constraint_message: str = ""
    relevant: str = ""
    choices: tuple[str, ...] = ()
    unit: str = ""
    aggregate: Aggregate = Aggregate.NONE
    prefill: Prefill = Prefill.NONE
    row: int = 0  # of a cell of a repeating table, counted from 1

    @property
    def explains(self) -> str:
        """The field or rule that this cell explains; the empty string for a question of the form."""
        return self.name[len(EXPLAINS) :] if self.name.startswith(EXPLAINS) else ""


@dataclass(frozen=True, slots=True)
class Table:
    """A repeating table 重复表格: the fields of one row, named `表.列`, and how many rows a copy has room for.

    Each cell is a field of the form by itself, named `表.行.列` (`设备.3.数量`), so that an answer, a finding and a figure's
    provenance have an address like any other. Blank rows have no answers, and rows are counted as if there were none.
    """

    name: str
    columns: tuple[Field, ...]
    rows: int


def cell_name(column: str, row: int) -> str:
    """The name of a table's cell: of `设备.数量` in row 3 `设备.3.数量`."""
    table, _, own = column.partition(".")
    return f"{table}.{row}.{own}"


def split_cell(name: str) -> tuple[str, int] | None:
    """The column and the row of a table's cell, `("设备.数量", 3)`; None for any other field."""
    parts = name.split(".")
    if len(parts) != 3 or not parts[1].isdecimal():
        return None
    return f"{parts[0]}.{parts[2]}", int(parts[1])


@dataclass(frozen=True, slots=True)
class Rule:
    """A cross-field rule: a formula that must be TRUE, and what is said when it is not."""

    id: str
    severity: Severity
    formula: str
    message: str


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a field's answer stands in a stamped copy: sheet, and row and column counted from 1."""

    field: str
    sheet: str
    row: int
    column: int

    @property
    def cell(self) -> str:
        return f"{self.sheet}!{column_letters(self.column)}{self.row}"


@dataclass(frozen=True, slots=True)
class Anchor:
    """A printed text of the form, such as a label, and where it stands in every copy; rows and columns from 1."""

    sheet: str
    row: int
    column: int
    text: str


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a table on one sheet: its first and last row and the place of each column; `heading` is the row of the
    words above, 0 where there are none. `below` is the next row of the form with anything of its own in these columns or a
    text to their left, 0 where there is none; `end` is `below`, or the row before it in which only a formula stands. All
    counted from 1.
    """

    table: Table
    sheet: str
    first: int
    last: int
    columns: Mapping[str, int]
    heading: int
    below: int
    end: int


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """A row of a mapping: the old field's name, the new field's name or label ('' where it is left out on purpose), the form
    ('' any), what a figure is multiplied by to be in the new unit, and the new words for old ones.
    """

    old: str
    new: str
    form: str = ""
    factor: int | float | None = None
    choices: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Form:
    """A whole form. `kinds` are the unit kinds (domain.roster.UnitKind values) that fill it; `number` is its 表号;
    `anchors` are the constant texts around the answers, by which a damaged copy is read (domain.labels); `formulas` are the
    sheet, row and column of each cell in which the form itself reckons; `mapping` says where fields of earlier versions went.
    """

    id: str
    title: str
    version: int
    kinds: tuple[str, ...]
    number: str
    issuer: str
    fields: tuple[Field, ...]
    rules: tuple[Rule, ...]
    slots: tuple[Slot, ...]
    anchors: tuple[Anchor, ...] = ()
    tables: tuple[Table, ...] = ()
    formulas: tuple[tuple[str, int, int], ...] = ()
    mapping: tuple[FieldMapping, ...] = ()

    @cached_property
    def by_name(self) -> Mapping[str, Field]:
        return {field.name: field for field in self.fields}

    @cached_property
    def slot_of(self) -> Mapping[str, Slot]:
        return {slot.field: slot for slot in self.slots}

    @cached_property
    def order(self) -> Mapping[str, int]:
        """The place of each field in the form, counted from 0."""
        return {field.name: place for place, field in enumerate(self.fields)}

    @cached_property
    def columns(self) -> Mapping[str, Field]:
        """The columns of the tables by name, `设备.数量`."""
        return {column.name: column for table in self.tables for column in table.columns}

    @cached_property
    def contacts(self) -> tuple[tuple[Field, ...], frozenset[str]]:
        """What tells of people: the fields that ask for a telephone number, an address or who filled in, without cells of
        tables, and the columns of tables that ask for a number or an address.
        """
        asked = {FieldType.PHONE, FieldType.EMAIL}
        fields = tuple(f for f in self.fields if not f.row and (f.type in asked or f.name in {HEAD, FILLER}))
        return fields, frozenset(name for name, column in self.columns.items() if column.type in asked)

    @cached_property
    def cells_in(self) -> Mapping[str, tuple[str, ...]]:
        """The names of each column's cells, from the first row down."""
        rows_of = {table.name: range(1, table.rows + 1) for table in self.tables}
        return {
            name: tuple(cell_name(name, row) for row in rows_of[name.partition(".")[0]])
            for name in self.columns
        }

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The tables as they stand on the sheets, each piece in the order of its rows."""
        found: list[Block] = []
        for table in self.tables:
            of_sheet: dict[str, list[Slot]] = {}
            for column in table.columns:
                for cell in self.cells_in[column.name]:
                    slot = self.slot_of[cell]
                    of_sheet.setdefault(slot.sheet, []).append(slot)
            found += (self._block(table, sheet, slots) for sheet, slots in of_sheet.items())
        return tuple(found)

    def _block(self, table: Table, sheet: str, slots: Sequence[Slot]) -> Block:
        first, last = min(slot.row for slot in slots), max(slot.row for slot in slots)
        columns = {cell[0]: slot.column for slot in slots if (cell := split_cell(slot.field))}
        across = range(min(columns.values()), max(columns.values()) + 1)
        texts = {one.row for one in self.anchors if one.sheet == sheet and one.column in across}
        # A label to the left ends the table too: what stands beside it may be a formula, of which a form knows nothing.
        labelled = {one.row for one in self.anchors if one.sheet == sheet and one.column < across.stop}
        taken = labelled | {one.row for one in self.slots if one.sheet == sheet and one.column in across}
        heading = max((row for row in texts if row < first), default=0)
        below = min((row for row in taken if row > last), default=0)
        reckoned = {
            row for on, row, column in self.formulas if on == sheet and column in across and row > last
        }
        end = min(reckoned | ({below} if below else set()), default=0)
        return Block(table, sheet, first, last, columns, heading, below, end)

    def named(self, names: Collection[str]) -> tuple[Field, ...]:
        """Of the fields and columns that a formula names those that the form has, in its order."""
        fields = [self.by_name[name] for name in names if name in self.by_name]
        columns = [self.columns[name] for name in names if name in self.columns]
        place = {column.name: self.order[self.cells_in[column.name][0]] for column in columns}
        return tuple(
            sorted((*fields, *columns), key=lambda one: place.get(one.name, self.order.get(one.name, 0)))
        )

    @cached_property
    def guides(self) -> Mapping[str, tuple[tuple[int, int, str], ...]]:
        """By sheet, the texts that tell cheaply whether answers still stand in their cells: beside each answer the longest
        text to its left and the nearest to its right, above it the nearest in its column. Row and column from 0.
        """
        chosen: dict[str, dict[tuple[int, int], str]] = {}
        for sheet in {slot.sheet for slot in self.slots}:
            texts = [anchor for anchor in self.anchors if anchor.sheet == sheet]
            kept = chosen.setdefault(sheet, {})
            for slot in (slot for slot in self.slots if slot.sheet == sheet):
                of_table = (
                    split_cell(slot.field) is not None
                )  # what stands beside its rows may be sorted with them
                beside = [text for text in texts if text.row == slot.row and not of_table]
                left = max(
                    (t for t in beside if t.column < slot.column), key=lambda t: len(t.text), default=None
                )
                right = min(
                    (t for t in beside if t.column > slot.column), key=lambda t: t.column, default=None
                )
                over = [text for text in texts if text.column == slot.column and text.row < slot.row]
                above = max(over, key=lambda t: t.row, default=None)
                kept |= {(t.row - 1, t.column - 1): t.text for t in (left, right, above) if t is not None}
        return {
            sheet: tuple((*at, text) for at, text in sorted(kept.items())) for sheet, kept in chosen.items()
        }

    def cell_of(self, field: str) -> str:
        """The address of a field's answer such as `基本情况!E12`; the empty string for a field that has no cell."""
        slot = self.slot_of.get(field)
        return slot.cell if slot else ""

    @cached_property
    def indicators(self) -> tuple[Field, ...]:
        """The fields that ask for one figure: all but the reserved ones, those of 人员信息, the explanations and the cells of
        tables, in the form's own order.
        """
        return tuple(
            field
            for field in self.fields
            if field.name not in RESERVED
            and field.name not in PERSON
            and not field.explains
            and not field.row
        )

    def explanations(self, rule: Rule, asked: Iterable[str]) -> tuple[str, ...]:
        """The explanation cells that speak of a 经验校验: its own, then those of the fields `asked` that it names."""
        if rule.severity is not Severity.QUERY:
            return ()
        names = (f"{EXPLAINS}{subject}" for subject in (rule.id, *asked))
        return tuple(name for name in names if name in self.by_name)


def column_letters(column: int) -> str:
    """The letters of a column counted from 1: 1 is A, 27 is AA."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
