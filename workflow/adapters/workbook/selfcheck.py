"""The checks 自查 that a copy works out itself while the unit types: what they are, and the hidden sheet that reckons them.

They say what `domain.checks` says of the same answers, with Excel's own functions (Excel 2007 and later, WPS,
LibreOffice). `selfcheck_sheet` shows them. The hidden sheet `_自查` has one row a field: A its label, B where it is, C its
relevance, D whether it is asked, E what stands in it (blank, a value, no value of its type), F what is amiss, G whether it
has changed, H its last value, I whether it tells that something was filled in, J whether it fails its column's constraint.
One row a check: K what its formula gives, L how often it fails (-1: says nothing, -2: explained), M to O where the first
three are, P their labels. In R the whole. In T what a row of a table says, in U what one of last quarter said, since rows
may have changed places.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from xml.sax.saxutils import escape

from workflow.adapters.workbook.hidden import HAS_PREVIOUS, long_lists, previous_cells
from workflow.adapters.workbook.names import address, address_of, quoted
from workflow.adapters.workbook.package import MAIN
from workflow.adapters.workbook.selfcheck_list import OWN_WORDS, Check, checks_of
from workflow.adapters.workbook.stamp import EPOCH, xml_text
from workflow.domain import rules
from workflow.domain.columns import is_column
from workflow.domain.form import (
    NO_CHANGE,
    Field,
    FieldType,
    Form,
    Slot,
    Table,
    cell_name,
    split_cell,
)
from workflow.domain.formulas import Binary, Call, Expr, Number, Previous, Unary, previous_names

SHEET = "自查"
RECKONING = "_自查"
RECKONING_PART = "xl/worksheets/huizhi-reckoning.xml"
#: What the count of a check says that fails and is explained.
EXPLAINED = -2
#: Excel's own limit of a formula.
LONGEST = 8192
#: What stands in a field's cell (column E), and what is amiss with it (column F).
_BLANK, _VALUE, _BROKEN = range(3)
_FINE, _MISSING, _AMISS, _NEEDLESS = range(4)
_FIRST = 2
_CLAIM, _PREVIOUS, _CHANGED, _BROKEN_ALL, _UNCHANGED, _ERRORS, _QUERIES, _SAID = (
    f"$R${row}" for row in range(1, 9)
)
#: Checks of a whole sheet, by kind: what they count in column F.
COUNTED: Mapping[str, int] = {"missing": _MISSING, "content": _AMISS, "needless": _NEEDLESS, "column": 1}
#: Functions that would take the error of a missing 上期() for something else.
_SWALLOW = frozenset({"IFERROR", "COUNT", "COUNTA", "ISBLANK"})


class Reckoning:
    """The hidden sheet: formulas for every field and every check of a form."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.checks = checks_of(form)
        self._kept = previous_cells(form)
        self._ranges, _ = long_lists(form)
        self._slots = _in_order(form)
        self._row = {slot.field: row for row, slot in enumerate(self._slots, start=_FIRST)}
        self._spans: dict[str, tuple[int, int]] = {}
        for slot in self._slots:
            row = self._row[slot.field]
            column = split_cell(slot.field)
            parts = (column[0], f"{column[0].partition('.')[0]}.") if column else (slot.sheet,)
            for part in parts:
                self._spans[part] = self._spans.get(part, (row, 0))[0], row
        self._asked_before = frozenset().union(
            *(previous_names(rules.parse(text)) for _, text in self.formulas())
        )
        self._cells: dict[int, list[str]] = {}

    def formulas(self) -> Iterator[tuple[str, str]]:
        """Every formula of the form with what it belongs to."""
        single = (item for item in self.form.fields if not item.row)
        for item in (*single, *self.form.columns.values()):
            for text in (item.constraint, item.relevant):
                if text:
                    yield item.label, text
        for rule in self.form.rules:
            yield rule.id, rule.formula

    def excel(self, formula: str) -> str:
        """A formula of the form as the hidden sheet writes it."""
        return rules.to_excel(
            guarded(rules.parse(formula)), lambda name: address_of(self.form, name), self._before
        )

    def _before(self, name: str) -> str:
        """The cell of a field's last value, the cells of a column's: where there is none, #N/A, or blanks."""
        if name not in self.form.columns:
            return f"$H${self._row[name]}"
        cells = self.form.cells_in[name]
        return f"{self._kept[cells[0]]}:{self._kept[cells[-1]].partition('!')[2]}"

    def _states(self, name: str, state: int) -> str:
        """How often a state of column E stands in a field's row, or in the rows of a column's cells."""
        if name not in self.form.columns:
            return f"(E{self._row[name]}={state})"
        first, last = self._spans[name]
        return f"COUNTIF(E{first}:E{last},{state})"

    @property
    def summary(self) -> tuple[str, str, str]:
        """The cells that count what must be corrected and what must be verified, and that say 无变化 holds."""
        return tuple(f"{quoted(RECKONING)}!{cell}" for cell in (_ERRORS, _QUERIES, _UNCHANGED))  # type: ignore[return-value]

    def count_cell(self, place: int) -> str:
        """The cell that counts the failures of a check: -1 where it does not apply, 0 where it is passed, EXPLAINED where
        it fails and the unit has said why.
        """
        return f"{quoted(RECKONING)}!$L${place + _FIRST}"

    def listed_cell(self, place: int) -> str:
        """The cell with the first labels of what a counted check has found."""
        return f"{quoted(RECKONING)}!$P${place + _FIRST}"

    def part_of(self, check: Check) -> tuple[str, str]:
        """Where what a counted check looks at begins, and what it is called."""
        if check.fields[0] in self.form.columns:
            sheet, ref = self.shown(check.fields[0])
            return f"{quoted(sheet)}!{ref.partition(':')[0]}", f"“{check.fields[0].partition('.')[0]}”表"
        return f"{quoted(check.subject)}!A1", f"“{check.subject}”页"

    def shown(self, name: str) -> tuple[str, str]:
        """The sheet and the cell of a field; of a column the cells of its drawn rows."""
        first = self.form.slot_of[self.form.cells_in.get(name, (name,))[0]]
        return first.sheet, address_of(self.form, name).split(",")[0].rpartition("!")[2].replace("$", "")

    def first_of(self, place: int, check: Check) -> str:
        """A formula for the place of the first cell that a counted check has found."""
        first, last = self._spans[check.subject]
        sheet = quoted(RECKONING)
        return f"INDEX({sheet}!$B${first}:$B${last},{sheet}!$M${place + _FIRST})"

    def write(self) -> bytes:
        """The sheet's XML."""
        for slot in self._slots:
            self._field(slot)
        for table in self.form.tables:
            self._table(table)
        for place, check in enumerate(self.checks):
            self._check(place + _FIRST, check)
        self._whole()
        rows = "".join(f'<row r="{row}">{"".join(cells)}</row>' for row, cells in sorted(self._cells.items()))
        return (
            '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
            f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData>'
            '<sheetProtection sheet="1" objects="1" scenarios="1"/></worksheet>'
        ).encode()

    def _put(self, column: str, row: int, formula: str) -> None:
        self._cells.setdefault(row, []).append(f'<c r="{column}{row}"><f>{escape(formula)}</f></c>')

    def _text(self, column: str, row: int, text: str) -> None:
        inner = f'<is><t xml:space="preserve">{xml_text(text)}</t></is>'
        self._cells.setdefault(row, []).append(f'<c r="{column}{row}" t="inlineStr">{inner}</c>')

    def _field(self, slot: Slot) -> None:
        row, item, cell = self._row[slot.field], self.form.by_name[slot.field], address(slot)
        self._text("A", row, item.label)
        self._text("B", row, cell.replace("$", ""))
        if item.relevant:
            self._put("C", row, self.excel(item.relevant))
            self._put("D", row, f"IFERROR(IF(ISTEXT(C{row}),TRUE,IF(C{row},TRUE,FALSE)),TRUE)")
        typed = _typed(item, cell, self._ranges)
        value = f"IF({typed},{_VALUE},{_BROKEN})" if typed else f"{_VALUE}"
        self._put("E", row, f'IF(ISERROR({cell}),{_BROKEN},IF(TRIM({cell})="",{_BLANK},{value}))')
        self._put("F", row, _amiss(item, cell, row, self._begun(item)))
        indicator, kept = bool(item.row) or item in self.form.indicators, self._kept.get(item.name)
        if kept and indicator and not item.row:
            same = f"{cell}={kept}" if item.type.is_number else f"EXACT({cell},{kept})"
            lost = f"IF(ISBLANK({kept}),1,IF({same},0,1))"
            self._put("G", row, f"IF(E{row}={_BLANK},0,IF(E{row}={_BROKEN},1,{lost}))")
        if kept and item.name in self._asked_before:
            self._put("H", row, f"IF(ISBLANK({kept}),NA(),{kept})")
        if indicator and item.prefill in OWN_WORDS:
            self._cells[row].append(f'<c r="I{row}"><v>1</v></c>')
        if item.row and item.constraint:
            self._put("J", row, f"IFERROR(IF({self._spoken(item)},0,1),0)")

    def _begun(self, item: Field) -> str:
        """Whether anything stands in the row of a table's cell; '' for another field."""
        if not item.row:
            return ""
        cells = (cell_name(column.name, item.row) for column in self._table_of(item).columns)
        return "+".join(f"E{self._row[cell]}" for cell in cells)

    def _table_of(self, item: Field) -> Table:
        return next(one for one in self.form.tables if item.name.startswith(f"{one.name}."))

    def _table(self, table: Table) -> None:
        """What each row says, in the columns that are filled anywhere, now and last quarter; whether it was said as often
        then. Beside the row's first cell.
        """
        for column in table.columns:
            top, end = self._spans[column.name]
            self._put("V", top, f"COUNTIF(E{top}:E{end},{_BLANK})<{table.rows}")
        told = [f"$V${self._spans[column.name][0]}" for column in table.columns]
        first, last = self._spans[table.columns[0].name]
        now, then = f"$T${first}:$T${last}", f"$U${first}:$U${last}"
        for number, row in enumerate(range(first, last + 1), start=1):
            names = [cell_name(column.name, number) for column in table.columns]
            cells = [address(self.form.slot_of[name]) for name in names]
            before = [self._kept[name] for name in names]
            begun = self._begun(self.form.by_name[names[0]])
            same = f"SUMPRODUCT(--EXACT({now},T{row}))=SUMPRODUCT(--EXACT({then},T{row}))"
            other = f"IF({begun}=0,0,IF({same},0,1))"
            if row == first:
                count = f'SUMPRODUCT(--({now}<>""))'
                other += f'+IF(AND({count}>0,{count}<>SUMPRODUCT(--({then}<>""))),1,0)'
            self._put("G", row, other)
            self._put("T", row, f'IFERROR(IF({begun}=0,"",{_joined(told, cells)}),"#")')
            self._put("U", row, f'IF({"&".join(before)}="","",{_joined(told, before)})')

    def _check(self, row: int, check: Check) -> None:
        if check.kind in COUNTED:
            first, last = self._spans[check.subject]
            column = "J" if check.kind == "column" else "F"
            self._counted(row, COUNTED[check.kind], f"${column}${first}", f"${column}${last}")
            return
        if check.kind == "said":
            self._put("L", row, f"IF({_CLAIM},-1,IF({_SAID}+{_BROKEN_ALL}=0,1,0))")
            return
        if check.kind == "claim":
            self._put("L", row, f"IF({_CLAIM},IF({_UNCHANGED},0,1),-1)")
            return
        if check.kind == "constraint":
            spoken = self._spoken(self.form.by_name[check.subject])
        else:
            spoken = f"IF({self._broken(check.fields)}=0,{self.excel(check.formula)},NA())"
        self._put("K", row, spoken)
        failed = "1"
        if check.explanations:
            told = ",".join(f"E{self._row[name]}={_VALUE}" for name in check.explanations)
            failed = f"IF(OR({told}),{EXPLAINED},1)"
        self._put("L", row, f"IF(OR({_UNCHANGED},ISERROR(K{row}),ISTEXT(K{row})),-1,IF(K{row},0,{failed}))")

    def _broken(self, names: Sequence[str]) -> str:
        return "+".join(self._states(name, _BROKEN) for name in names) or "0"

    def _spoken(self, item: Field) -> str:
        """What a field's constraint gives where it is to be asked; #N/A elsewhere."""
        own = self._row[item.name]
        asked = f",D{own}" if item.relevant else ""
        named = (item.name, *sorted(rules.names(rules.parse(item.constraint)) - {item.name}))
        condition = f"AND(E{own}={_VALUE}{asked},{self._broken(named)}=0)"
        return f"IF({condition},{self.excel(item.constraint)},NA())"

    def _counted(self, row: int, code: int, first: str, last: str) -> None:
        states = f"{first}:{last}"
        self._put("L", row, f"IF({_UNCHANGED},-1,COUNTIF({states},{code}))")
        labels = []
        for number, (column, before) in enumerate((("M", ""), ("N", "M"), ("O", "N"))):
            rest = f"INDEX({states},{before}{row}+1):{last}" if before else states
            found = f"{before}{row}+MATCH({code},{rest},0)" if before else f"MATCH({code},{rest},0)"
            self._put(column, row, f"IF(L{row}>{number},{found},0)")
            label = f"INDEX($A{first[2:]}:$A{last[2:]},{column}{row})"
            labels.append(f'IF(L{row}>{number},"、"&{label},"")' if number else label)
        self._put("P", row, f'IF(L{row}>0,{"&".join(labels)}&IF(L{row}>3,"等",""),"")')

    def _whole(self) -> None:
        claim = address(self.form.slot_of[NO_CHANGE])
        last = _FIRST + len(self._slots) - 1
        queries = sum(check.is_query for check in self.checks)
        split, end = _FIRST + len(self.checks) - queries, _FIRST + len(self.checks) - 1
        for row, formula in enumerate(
            (
                f'IF(ISERROR({claim}),FALSE,{claim}="是")',
                f'{HAS_PREVIOUS}<>""',
                f"SUM(G{_FIRST}:G{last})",
                f"COUNTIF(E{_FIRST}:E{last},{_BROKEN})",
                f"AND({_CLAIM},{_PREVIOUS},{_CHANGED}=0,{_BROKEN_ALL}=0)",
                f'SUMIF(L{_FIRST}:L{split - 1},">0")',
                f'SUMIF(L{split}:L{end},">0")' if queries else "0",
                f"SUMPRODUCT((E{_FIRST}:E{last}>0)*I{_FIRST}:I{last})",
            ),
            start=1,
        ):
            self._put("R", row, formula)


def _in_order(form: Form) -> list[Slot]:
    """The cells in the order of the hidden rows: sheet by sheet, then the tables column by column."""
    single = [slot for slot in form.slots if not form.by_name[slot.field].row]
    return single + [form.slot_of[cell] for cells in form.cells_in.values() for cell in cells]


def _joined(told: Sequence[str], cells: Sequence[str]) -> str:
    """What a row says in the columns that are filled anywhere, as one text."""
    return "&".join(f'IF({asked},{cell},"")&"¦"' for asked, cell in zip(told, cells, strict=True))


def _amiss(item: Field, cell: str, row: int, begun: str = "") -> str:
    """The formula of what is amiss with a field: missing, no value of its type or out of range, filled in but not asked.
    `begun` counts what is filled in a table's row, which asks for nothing while it is blank.
    """
    bounds = [
        f"{cell}{sign}{_bound(bound)}"
        for sign, bound in ((">=", item.minimum), ("<=", item.maximum))
        if bound is not None
    ]
    inner = f"IF(AND({','.join(bounds)}),{_FINE},{_AMISS})" if bounds else f"{_FINE}"
    missing = f"{_MISSING if item.required else _FINE}"
    if begun and item.required:
        missing = f"IF({begun}=0,{_FINE},{_MISSING})"
    if item.relevant:
        needless = f"{_NEEDLESS}"
        if item.type.is_number or item.type is FieldType.YES_NO:
            nothing = '"否"' if item.type is FieldType.YES_NO else "0"
            needless = f"IF({cell}={nothing},{_FINE},{_NEEDLESS})"
        inner = f"IF(D{row},{inner},{needless})"
        missing = f"IF(D{row},{missing},{_FINE})" if item.required else missing
    return f"CHOOSE(E{row}+1,{missing},{inner},{_AMISS})"


def _bound(bound: float | dt.date) -> str:
    return str((bound - EPOCH).days) if isinstance(bound, dt.date) else repr(bound).upper()


def _typed(item: Field, cell: str, ranges: Mapping[tuple[str, ...], str]) -> str:
    """A condition that every value of the type meets. Of a telephone number and an e-mail address Excel sees only the
    coarsest faults; '' where anything goes.
    """
    match item.type:
        case FieldType.INTEGER:
            return f"IF(ISNUMBER({cell}),{cell}=INT({cell}),FALSE)"
        case FieldType.DECIMAL | FieldType.PERCENT | FieldType.DATE:
            return f"ISNUMBER({cell})"
        case FieldType.YES_NO:
            return f'OR({cell}="是",{cell}="否")'
        case FieldType.CHOICE:
            return f'ISNUMBER(MATCH({cell}&"",{_list(item.choices, ranges)},0))'
        case FieldType.PHONE:
            return f'LEN(SUBSTITUTE({cell}," ",""))>=7'
        case FieldType.EMAIL:
            return f'ISNUMBER(SEARCH("?*@?*.?*",{cell}))'
    return ""


def _list(choices: tuple[str, ...], ranges: Mapping[tuple[str, ...], str]) -> str:
    """A choice list inside a formula, or the hidden cells that hold it."""
    quotes = (choice.replace('"', '""') for choice in choices)
    return ranges.get(choices) or "{" + ";".join(f'"{choice}"' for choice in quotes) + "}"


def guarded(expr: Expr) -> Expr:
    """The tree with an error kept where 上期() has no value: in Excel that is #N/A, which some functions would take for
    something else, while a rule without last quarter's value says nothing (`rules.NO_PREVIOUS`).
    """
    match expr:
        case Unary(_, operand):
            return replace(expr, operand=guarded(operand))
        case Binary(_, left, right):
            return replace(expr, left=guarded(left), right=guarded(right))
        case Call(function, arguments):
            inner = replace(expr, arguments=tuple(guarded(argument) for argument in arguments))
            watched = arguments[:1] if function == "IFERROR" else arguments
            before = frozenset().union(*(previous_names(argument) for argument in watched))
            if function not in _SWALLOW:  # a column that nothing stands in is no error by itself
                before = frozenset(
                    one.name for one in arguments if isinstance(one, Previous) and is_column(one)
                )
            if not before:
                return inner
            return Call("IF", (Call("OR", tuple(map(_lost, sorted(before)))), Call("NA", ()), inner))
    return expr


def _lost(name: str) -> Expr:
    """Whether nothing was reported last for a field, or in any row of a column."""
    before = Previous(name)
    if is_column(before):
        return Binary("=", Call("COUNTA", (before,)), Number(0.0))
    return Call("ISNA", (before,))
