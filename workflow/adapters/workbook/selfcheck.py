"""The checks 自查 that a copy works out itself while the unit types: what they are, and the hidden sheet that reckons them.

They say what `domain.checks` says of the same answers, with Excel's own functions (Excel 2007 and later, WPS,
LibreOffice). `selfcheck_sheet` shows them. The hidden sheet `_自查` has one row a field: A its label, B where it is, C its
relevance, D whether it is asked, E what stands in it (blank, a value, no value of its type), F what is amiss, G whether it
has changed, H its last value, I whether it tells that something was filled in. One row a check: K what its formula gives,
L how often it fails (-1: says nothing, -2: explained), M to O where the first three are, P their labels. And in R the whole.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from xml.sax.saxutils import escape

from workflow.adapters.workbook.hidden import HAS_PREVIOUS, long_lists, previous_cells
from workflow.adapters.workbook.names import address, quoted
from workflow.adapters.workbook.package import MAIN
from workflow.adapters.workbook.stamp import EPOCH, xml_text
from workflow.domain import rules
from workflow.domain.form import NO_CHANGE, Field, FieldType, Form, Prefill, Severity, Slot
from workflow.domain.formulas import Binary, Call, Expr, Previous, Unary, previous_names

SHEET = "自查"
RECKONING = "_自查"
RECKONING_PART = "xl/worksheets/huizhi-reckoning.xml"
REQUIRED = "必填"
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
COUNTED: Mapping[str, int] = {"missing": _MISSING, "content": _AMISS, "needless": _NEEDLESS}
#: Functions that would take the error of a missing 上期() for something else.
_SWALLOW = frozenset({"IFERROR", "COUNT", "COUNTA", "ISBLANK"})


@dataclass(frozen=True, slots=True)
class Check:
    """One row of the 自查 sheet. `kind` is said, claim, missing, content, needless, constraint or rule; `subject` the
    sheet, the field or the rule's id that it is about; `category` 必填, 逻辑校验 or 经验校验; `fields` whom it asks;
    `explanations` the cells in which a query is explained.
    """

    kind: str
    subject: str
    category: str
    words: str
    fields: tuple[str, ...]
    formula: str = ""
    explanations: tuple[str, ...] = ()

    @property
    def is_query(self) -> bool:
        return self.category == Severity.QUERY


def checks_of(form: Form) -> tuple[Check, ...]:
    """Everything that can fail in a form: 必填 first, then 逻辑校验, then 经验校验."""
    return (*_required(form), *_errors(form), *_rules(form, Severity.QUERY))


def _sheets(form: Form) -> list[tuple[str, list[Field]]]:
    grouped = groupby(form.slots, key=lambda slot: slot.sheet)
    return [(sheet, [form.by_name[slot.field] for slot in slots]) for sheet, slots in grouped]


def _required(form: Form) -> Iterator[Check]:
    said = tuple(item.name for item in form.indicators if item.prefill in _OWN_WORDS)
    if said:
        yield Check("said", "", REQUIRED, "已填写本季度数据", said)
    for sheet, items in _sheets(form):
        asked = tuple(item.name for item in items if item.required)
        if asked:
            yield Check("missing", sheet, REQUIRED, f"“{sheet}”页必填项（{len(asked)} 项）", asked)


_OWN_WORDS = frozenset({Prefill.NONE, Prefill.LAST_PERIOD})


def _errors(form: Form) -> Iterator[Check]:
    error = str(Severity.ERROR)
    label = form.by_name[NO_CHANGE].label
    words = f"“{label}”选“是”的，各项指标应与上季度一致；没有上季度数据的，应选“否”"
    yield Check("claim", NO_CHANGE, error, words, (NO_CHANGE,))
    for sheet, items in _sheets(form):
        typed = tuple(item.name for item in items if item.type is not FieldType.TEXT)
        if typed:
            yield Check("content", sheet, error, f"“{sheet}”页数据类型和数值范围（{len(typed)} 项）", typed)
    for sheet, items in _sheets(form):
        needless = tuple(item.name for item in items if item.relevant)
        if needless:
            yield Check("needless", sheet, error, f"“{sheet}”页按前项填报情况不需填写的项目", needless)
    for item in form.fields:
        if item.constraint:
            told = item.constraint_message or f"不符合约束条件 {item.constraint}"
            asked = rules.names(rules.parse(item.constraint))
            named = (item.name, *(name for name in form.order if name in asked and name != item.name))
            told = told if item.label in told else f"{item.label}：{told}"
            yield Check("constraint", item.name, error, told, named, item.constraint)
    yield from _rules(form, Severity.ERROR)


def _rules(form: Form, severity: Severity) -> Iterator[Check]:
    for rule in form.rules:
        if rule.severity is severity:
            asked = rules.names(rules.parse(rule.formula))
            named = tuple(name for name in form.order if name in asked)
            cells = form.explanations(rule, named)
            yield Check("rule", rule.id, str(severity), rule.message, named, rule.formula, cells)


class Reckoning:
    """The hidden sheet: formulas for every field and every check of a form."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.checks = checks_of(form)
        self._kept = previous_cells(form)
        self._ranges, _ = long_lists(form)
        self._row = {slot.field: row for row, slot in enumerate(form.slots, start=_FIRST)}
        self._spans: dict[str, tuple[int, int]] = {}
        for slot in form.slots:
            first, _ = self._spans.get(slot.sheet, (self._row[slot.field], 0))
            self._spans[slot.sheet] = first, self._row[slot.field]
        self._asked_before = frozenset().union(
            *(previous_names(rules.parse(text)) for _, text in self.formulas())
        )
        self._cells: dict[int, list[str]] = {}

    def formulas(self) -> Iterator[tuple[str, str]]:
        """Every formula of the form with what it belongs to."""
        for item in self.form.fields:
            for text in (item.constraint, item.relevant):
                if text:
                    yield item.label, text
        for rule in self.form.rules:
            yield rule.id, rule.formula

    def excel(self, formula: str) -> str:
        """A formula of the form as the hidden sheet writes it."""
        return rules.to_excel(
            guarded(rules.parse(formula)),
            lambda name: address(self.form.slot_of[name]),
            lambda name: f"$H${self._row[name]}",
        )

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

    def first_of(self, place: int, check: Check) -> str:
        """A formula for the place of the first cell that a counted check has found."""
        first, last = self._spans[check.subject]
        sheet = quoted(RECKONING)
        return f"INDEX({sheet}!$B${first}:$B${last},{sheet}!$M${place + _FIRST})"

    def write(self) -> bytes:
        """The sheet's XML."""
        for slot in self.form.slots:
            self._field(slot)
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
        self._put("F", row, _amiss(item, cell, row))
        indicator, kept = item in self.form.indicators, self._kept.get(item.name)
        if kept and indicator:
            same = f"{cell}={kept}" if item.type.is_number else f"EXACT({cell},{kept})"
            lost = f"IF(ISBLANK({kept}),1,IF({same},0,1))"
            self._put("G", row, f"IF(E{row}={_BLANK},0,IF(E{row}={_BROKEN},1,{lost}))")
        if kept and item.name in self._asked_before:
            self._put("H", row, f"IF(ISBLANK({kept}),NA(),{kept})")
        if indicator and item.prefill in _OWN_WORDS:
            self._cells[row].append(f'<c r="I{row}"><v>1</v></c>')

    def _check(self, row: int, check: Check) -> None:
        if check.kind in COUNTED:
            self._counted(row, COUNTED[check.kind], *self._spans[check.subject])
            return
        if check.kind == "said":
            self._put("L", row, f"IF({_CLAIM},-1,IF({_SAID}+{_BROKEN_ALL}=0,1,0))")
            return
        if check.kind == "claim":
            self._put("L", row, f"IF({_CLAIM},IF({_UNCHANGED},0,1),-1)")
            return
        broken = "+".join(f"(E{self._row[name]}={_BROKEN})" for name in check.fields) or "0"
        if check.kind == "constraint":
            own = self._row[check.subject]
            asked = f",D{own}" if self.form.by_name[check.subject].relevant else ""
            spoken = f"IF(AND(E{own}={_VALUE}{asked},{broken}=0),{self.excel(check.formula)},NA())"
        else:
            spoken = f"IF({broken}=0,{self.excel(check.formula)},NA())"
        self._put("K", row, spoken)
        failed = "1"
        if check.explanations:
            told = ",".join(f"E{self._row[name]}={_VALUE}" for name in check.explanations)
            failed = f"IF(OR({told}),{EXPLAINED},1)"
        self._put("L", row, f"IF(OR({_UNCHANGED},ISERROR(K{row}),ISTEXT(K{row})),-1,IF(K{row},0,{failed}))")

    def _counted(self, row: int, code: int, first: int, last: int) -> None:
        states = f"$F${first}:$F${last}"
        self._put("L", row, f"IF({_UNCHANGED},-1,COUNTIF({states},{code}))")
        labels = []
        for number, (column, before) in enumerate((("M", ""), ("N", "M"), ("O", "N"))):
            rest = f"INDEX({states},{before}{row}+1):$F${last}" if before else states
            found = f"{before}{row}+MATCH({code},{rest},0)" if before else f"MATCH({code},{rest},0)"
            self._put(column, row, f"IF(L{row}>{number},{found},0)")
            label = f"INDEX($A${first}:$A${last},{column}{row})"
            labels.append(f'IF(L{row}>{number},"、"&{label},"")' if number else label)
        self._put("P", row, f'IF(L{row}>0,{"&".join(labels)}&IF(L{row}>3,"等",""),"")')

    def _whole(self) -> None:
        claim = address(self.form.slot_of[NO_CHANGE])
        last = _FIRST + len(self.form.slots) - 1
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


def _amiss(item: Field, cell: str, row: int) -> str:
    """The formula of what is amiss with a field: missing, no value of its type or out of range, filled in but not asked."""
    bounds = [
        f"{cell}{sign}{_bound(bound)}"
        for sign, bound in ((">=", item.minimum), ("<=", item.maximum))
        if bound is not None
    ]
    inner = f"IF(AND({','.join(bounds)}),{_FINE},{_AMISS})" if bounds else f"{_FINE}"
    missing = f"{_MISSING if item.required else _FINE}"
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
            before = sorted(frozenset().union(*(previous_names(argument) for argument in watched)))
            if function not in _SWALLOW or not before:
                return inner
            lost = Call("OR", tuple(Call("ISNA", (Previous(name),)) for name in before))
            return Call("IF", (lost, Call("NA", ()), inner))
    return expr
