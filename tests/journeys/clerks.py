"""What people do with the workbooks that they are mailed: open them with openpyxl, type into cells, save."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import openpyxl

from workflow.domain.form import FieldType, Form, Prefill, Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openpyxl.worksheet.worksheet import Worksheet


def fill(data: bytes, form: Form, answers: Mapping[str, Any]) -> bytes:
    """The workbook with answers typed into the cells of their fields; other cells keep what they have."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    for slot in form.slots:
        if slot.field in answers:
            value = answers[slot.field]
            typed = ("是" if value else "否") if isinstance(value, bool) else value
            book[slot.sheet].cell(slot.row, slot.column).value = typed
    return _saved(book)


def shown(data: bytes, form: Form) -> dict[str, Any]:
    """What stands in the answer cells of a workbook; empty cells are left out."""
    book = openpyxl.load_workbook(io.BytesIO(data), data_only=True)
    cells = {slot.field: book[slot.sheet].cell(slot.row, slot.column).value for slot in form.slots}
    return {name: value for name, value in cells.items() if value is not None}


def marks(data: bytes) -> dict[str, str]:
    """The hidden marks of a workbook of ours: campaign, unit, form, kind and so on; empty for any other."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    if "_huizhi" not in book.sheetnames:
        return {}
    return {str(row[0].value): str(row[1].value) for row in book["_huizhi"].iter_rows(max_col=2)}


def facts(form: Form, name: str, code: str) -> dict[str, Value]:
    """The answers that a copy comes with from the roster."""
    known: dict[Prefill, Value] = {Prefill.UNIT_NAME: name, Prefill.UNIT_CODE: code}
    return {field.name: known[field.prefill] for field in form.fields if field.prefill in known}


def plain_number(form: Form) -> str:
    """A required whole number that no formula and no other figure bounds."""
    used = " ".join(
        [*(rule.formula for rule in form.rules), *(f.constraint + f.relevant for f in form.fields)]
    )
    return next(
        field.name for field in form.indicators
        if field.type is FieldType.INTEGER and field.required and not field.constraint and not field.relevant
        and field.name not in used
    )  # fmt: skip


def review(data: bytes, returned: Mapping[str, str], *, report: bool) -> bytes:
    """A consolidated workbook decided on: every row that waits passes, but those of `returned` (unit → 审核意见) go
    back; `report` chooses 同意上报 on the cover."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    for sheet in book.worksheets:
        if sheet.sheet_state == "visible":
            _decide(sheet, returned)
    if report:
        cover = book["封面"]
        cell = next(
            cell for row in cover.iter_rows() for cell in row if str(cell.value or "").strip() == "上报意见"
        )
        cover.cell(cell.row, cell.column + 1).value = "同意上报"
    return _saved(book)


def headings(sheet: Worksheet, *wanted: str) -> tuple[int, dict[str, int]]:
    """The row that holds all the wanted headings, and the column of each heading in it; (0, {}) where there is none."""
    for row in sheet.iter_rows():
        found = {str(cell.value).strip(): cell.column for cell in row if cell.value is not None}
        if set(wanted) <= found.keys():
            return row[0].row, found
    return 0, {}


def _decide(sheet: Worksheet, returned: Mapping[str, str]) -> None:
    head, columns = headings(sheet, "单位代码", "审核结论", "审核意见")
    for at in range(head + 1, sheet.max_row + 1) if head else ():
        code = sheet.cell(at, columns["单位代码"]).value
        verdict = sheet.cell(at, columns["审核结论"])
        if code is None or str(verdict.value or "").strip() == "—":
            continue  # not this reviewer's to decide
        note = returned.get(str(code), "")
        verdict.value = "退回" if note else "通过"
        sheet.cell(at, columns["审核意见"]).value = note or None


def _saved(book: openpyxl.Workbook) -> bytes:
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()
