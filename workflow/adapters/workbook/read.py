"""Read a returned workbook: what kind it is, whose copy, and what stands in the answer cells.

A pure function of bytes and forms that never raises for what a file holds; it runs in the processes of
`pool`. calamine gives an error cell and a formula without a value as a blank; `cell_errors` looks for those.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from python_calamine import CalamineWorkbook, SheetTypeEnum, load_workbook

from workflow.adapters.workbook.cell_errors import find_cell_errors
from workflow.adapters.workbook.identity import Marks, read_marks
from workflow.adapters.workbook.review import looks_like_review, read_review
from workflow.adapters.workbook.sniff import BROKEN_REASON, MACRO_REASON, Sniffed, sniff
from workflow.domain.form import Form, Slot, column_letters
from workflow.domain.submission import CellError, CopyIdentity, RawValue, Reading, ReadOutcome

Forms = Mapping[tuple[str, int], Form]

_FOREIGN = "附件不是系统下发的工作簿（找不到识别标记）；请在系统下发的工作簿中填报，填好后作为附件回复"
_RECEIPT_SHEET = "回执表"
_HEAD_ROWS = 12
_OURS = (TypeError, AttributeError, NameError, LookupError, AssertionError)


def read_file(data: bytes, name: str, forms: Forms) -> Reading:  # noqa: ARG001 — the name never decides
    """What a file is and what its answers are. `forms` maps (form id, version) to the forms that are out.

    A copy known by its printed token alone comes back with an identity of token and form only (campaign and
    unit ''): the caller looks the token up. Where its sheets and its 表号 don't tell the form, it is `foreign` with
    the token; called again with the one form that the token names, it gives the answers.
    """
    try:
        sniffed = sniff(data)
        if sniffed.refused is not None:
            return Reading(sniffed.refused, reason=sniffed.reason)
        with load_workbook(io.BytesIO(data)) as book:
            return _read_book(book, sniffed, forms)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001 — calamine's PanicException is no Exception
        # Damage shows in the libraries' own errors; one of these may be a fault of ours and is named for staff.
        named = f"（代号：{type(error).__name__}）" if isinstance(error, _OURS) else ""
        return Reading(ReadOutcome.UNREADABLE, reason=BROKEN_REASON + named)


def _read_book(book: CalamineWorkbook, sniffed: Sniffed, forms: Forms) -> Reading:
    if any(sheet.typ in (SheetTypeEnum.MacroSheet, SheetTypeEnum.Vba) for sheet in book.sheets_metadata):
        return Reading(ReadOutcome.MACRO, reason=MACRO_REASON)
    marks = read_marks(book, sniffed.archive)
    if marks is None:
        return Reading(ReadOutcome.FOREIGN, reason=_FOREIGN)
    match marks.kind:
        case "review":
            return Reading(ReadOutcome.REVIEW, marks.identity, review=read_review(book, marks, sniffed.archive))
        case "receipt":
            return Reading(ReadOutcome.RECEIPT, marks.identity)
        case "":
            return _read_by_token(book, sniffed, marks, forms)
        case _:
            return _read_answers(book, sniffed, marks.identity, forms)


def _read_by_token(book: CalamineWorkbook, sniffed: Sniffed, marks: Marks, forms: Forms) -> Reading:
    sheets = set(book.sheet_names)
    fitting = [form for form in forms.values() if form.slots and _slot_sheets(form) <= sheets]
    token = marks.identity.token
    form = _only_form(fitting) or _only_form(_printed_forms(book, fitting))
    if form is not None:
        return _read_answers(book, sniffed, CopyIdentity("", "", form.id, form.version, 0, token), forms)
    if any(_RECEIPT_SHEET in sheet for sheet in sheets):
        return Reading(ReadOutcome.RECEIPT, marks.identity)
    if not fitting and looks_like_review(book):
        return Reading(ReadOutcome.REVIEW, marks.identity, review=read_review(book, marks, sniffed.archive))
    reason = "工作簿的识别标记不全，无法判断是哪一种表；请使用系统下发的工作簿重新填报"
    return Reading(ReadOutcome.FOREIGN, marks.identity, reason=reason)


def _only_form(fitting: Sequence[Form]) -> Form | None:
    """The one form, or the newest of its versions where all have their answers in the same cells."""
    if len({(form.id, form.slots) for form in fitting}) != 1:
        return None
    return max(fitting, key=lambda form: form.version)


def _printed_forms(book: CalamineWorkbook, fitting: Sequence[Form]) -> list[Form]:
    """Those whose 表号 or title stands in the head of a sheet: forms of one family share their sheets' names."""
    words: list[str] = []
    for sheet in sorted(set().union(*map(_slot_sheets, fitting))):
        rows = book.get_sheet_by_name(sheet).to_python(skip_empty_area=False, nrows=_HEAD_ROWS)
        words += [value for row in rows for value in row if isinstance(value, str)]
    numbered = [form for form in fitting if form.number and any(form.number in word for word in words)]
    return numbered or [form for form in fitting if any(form.title in word for word in words)]


def _read_answers(book: CalamineWorkbook, sniffed: Sniffed, identity: CopyIdentity, forms: Forms) -> Reading:
    form = forms.get((identity.form, identity.version))
    if form is None:
        reason = (
            f"旧版表单：这份工作簿（{identity.form}第{identity.version}版）不是本次下发的表单；"
            "请使用最近一次下发的工作簿填报"
        )
        return Reading(ReadOutcome.FOREIGN, identity, reason=reason)
    missing = sorted(_slot_sheets(form) - set(book.sheet_names))
    if missing:
        names = "、".join(f"“{sheet}”" for sheet in missing)
        reason = f"工作簿缺少工作表{names}（被删除或改名）；请使用系统下发的工作簿重新填报，不要删改工作表"
        return Reading(ReadOutcome.UNREADABLE, identity, reason=reason)
    answers, blank = _pick(book, form.slots)
    if blank and sniffed.archive is not None and "xl/workbook.xml" in sniffed.names:
        wanted = {(slot.sheet, f"{column_letters(slot.column)}{slot.row}"): slot.field for slot in blank}
        for place, error in find_cell_errors(sniffed.data, sniffed.archive, wanted):
            answers[wanted[place]] = error
    return Reading(ReadOutcome.ANSWERS, identity, answers)


def _slot_sheets(form: Form) -> set[str]:
    return {slot.sheet for slot in form.slots}


def _pick(
    book: CalamineWorkbook, slots: Iterable[Slot]
) -> tuple[dict[str, RawValue | CellError], list[Slot]]:
    rows_of: dict[str, list[list[Any]]] = {}
    answers: dict[str, RawValue | CellError] = {}
    blank: list[Slot] = []
    for slot in slots:
        if slot.sheet not in rows_of:
            rows_of[slot.sheet] = book.get_sheet_by_name(slot.sheet).to_python(skip_empty_area=False)
        rows = rows_of[slot.sheet]
        row = rows[slot.row - 1] if slot.row <= len(rows) else ()
        value = raw_value(row[slot.column - 1]) if slot.column <= len(row) else None
        if value is None:
            blank.append(slot)
        else:
            answers[slot.field] = value
    return answers, blank


def raw_value(value: object) -> RawValue:
    """A cell as it stands: white space alone is a blank, a whole float an int, a duration its days."""
    if isinstance(value, str):
        return value if value and not value.isspace() else None
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 1e15 else value
    if isinstance(value, dt.timedelta):
        return value / dt.timedelta(days=1)
    if value is None or isinstance(value, bool | int | dt.date | dt.time):
        return value
    raise TypeError(f"calamine gave a {type(value).__name__}")
