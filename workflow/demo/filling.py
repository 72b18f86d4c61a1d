"""Workbooks filled as an office program fills them: opened with openpyxl, answers typed into their cells, saved.

Everything here is a function of bytes, so that many workbooks can be filled beside each other.
"""

from __future__ import annotations

import datetime as dt
import io
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import openpyxl
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from workflow.demo.figures import plausible
from workflow.domain.answers import Understood, understand
from workflow.domain.form import RESERVED, FieldType, Form, Prefill, Value
from workflow.domain.submission import Answers, RawValue


_PROBLEMS = "问题清单"
_EXPLAIN_IN = re.compile("核实无误的，请在“(.+?)”填写说明")


@dataclass(frozen=True, slots=True)
class Review:
    """What a reviewer does with a consolidated workbook. `returned` maps codes of units to the 审核意见 with which they
    are sent back; every other row that can be decided on is approved. `report` chooses 同意上报.
    """

    returned: Mapping[str, str]
    report: bool


class Kind(StrEnum):
    """What a clerk does with a workbook: fill it right, fill it wrong, correct a returned one, bring new figures."""

    FILL = "fill"
    SPOIL = "spoil"
    CORRECT = "correct"
    UPDATE = "update"


@dataclass(frozen=True, slots=True)
class Job:
    """One workbook to be filled. `right` are the clerk's answers so far, where it has any."""

    kind: Kind
    data: bytes
    form: str
    name: str
    code: str
    seed: int
    day: dt.date
    right: Mapping[str, Value] | None = None


@dataclass(frozen=True, slots=True)
class Filled:
    """A workbook as it goes back, and the answers that would be right in it."""

    data: bytes
    right: Mapping[str, Value]


def fill(job: Job, form: Form) -> Filled:
    """Do a job: open the workbook, look at what stands in it, type, save."""
    book = openpyxl.load_workbook(io.BytesIO(job.data))
    standing = shown(book, form)
    if job.right is None:
        given = facts(form, job.name, job.code)
        before = _understood(form, standing)
        previous = (
            before
            if any(field.name in before for field in form.indicators if field.name not in given)
            else None
        )
        right = plausible(form, job.seed, given, previous, job.day)
    elif job.kind is Kind.UPDATE:
        right = plausible(form, job.seed + 1, facts(form, job.name, job.code), job.right, job.day)
    else:
        right = dict(job.right)
    if job.kind is Kind.SPOIL:
        values = spoil(form, right, job.seed)
    elif job.kind is Kind.CORRECT:
        values = correct(form, standing, right) | explain(book, form)
    else:
        values = typed(right)
    for slot in form.slots:
        if slot.field in values:
            book[slot.sheet].cell(slot.row, slot.column).value = values[slot.field]
    return Filled(_saved(book), right)


def shown(book: Workbook, form: Form) -> dict[str, RawValue]:
    """What stands in the answer cells of a workbook; a day without its hours."""
    found: dict[str, RawValue] = {}
    for slot in form.slots:
        value = book[slot.sheet].cell(slot.row, slot.column).value
        if isinstance(value, dt.datetime):
            value = value.date()
        if isinstance(value, bool | int | float | str | dt.date):
            found[slot.field] = value
    return found


def _understood(form: Form, standing: Mapping[str, RawValue]) -> dict[str, Value]:
    read = {name: understand(form.by_name[name], value) for name, value in standing.items()}
    return {name: seen.value for name, seen in read.items() if isinstance(seen, Understood)}


def typed(answers: Answers) -> dict[str, RawValue]:
    """Answers as a person types them: 是 and 否 from the list, everything else as it is."""
    return {name: ("是" if v else "否") if isinstance(v, bool) else v for name, v in answers.items()}


def facts(form: Form, name: str, code: str) -> dict[str, Value]:
    """The answers that a copy comes with from the roster."""
    known: dict[Prefill, Value] = {Prefill.UNIT_NAME: name, Prefill.UNIT_CODE: code}
    return {field.name: known[field.prefill] for field in form.fields if field.prefill in known}


def spoil(form: Form, answers: Answers, seed: int) -> dict[str, RawValue]:
    """Answers with the mistakes that people make, at least two of them: a required cell left empty, words in a number's
    cell, a figure above its maximum, a part larger than its whole.
    """
    chance = random.Random(seed)
    wrong = typed(answers)
    numbers = [f for f in form.indicators if f.type is FieldType.INTEGER and f.required and not f.relevant]
    one, two, three = chance.sample(numbers, 3)
    bounded = [
        f for f in form.indicators if f.constraint and f.type is FieldType.INTEGER and answers.get(f.name)
    ]
    mistakes = ["empty", "words", "above", "broken"]
    for mistake in chance.sample(mistakes, chance.randint(2, 3)):
        if mistake == "empty":
            wrong[one.name] = None
        elif mistake == "words":
            wrong[two.name] = chance.choice(("待统计", "约几十个吧", "见附表"))
        elif mistake == "above" and isinstance(three.maximum, int | float):
            wrong[three.name] = int(three.maximum) * 10 + 1
        elif bounded:
            field = chance.choice(bounded)
            wrong[field.name] = int(field.maximum) if isinstance(field.maximum, int | float) else 10**6
    wrong[one.name] = None
    return wrong


def correct(form: Form, wrong: Mapping[str, RawValue], right: Answers) -> dict[str, RawValue]:
    """What a person types into a returned workbook: the right answer where another one stands."""
    wanted = typed(right)
    names = [field.name for field in form.fields if field.name in wanted or field.name in RESERVED]
    return {name: wanted.get(name) for name in names if wanted.get(name) != wrong.get(name)}


def explain(book: Workbook, form: Form) -> dict[str, RawValue]:
    """What a clerk writes into the explanation cells that the 问题清单 of a returned workbook names."""
    if _PROBLEMS not in book.sheetnames:
        return {}
    said = "\n".join(str(cell.value or "") for row in book[_PROBLEMS].iter_rows() for cell in row)
    cells = set(_EXPLAIN_IN.findall(said))
    return {slot.field: "已核对台账，数据属实" for slot in form.slots if slot.cell in cells}


def review(data: bytes, work: Review) -> bytes:
    """A consolidated workbook with 审核结论 and 审核意见 in every row that waits for them, and the cover's 上报意见."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    for sheet in book.worksheets:
        if sheet.sheet_state == "visible":
            _decide(sheet, work)
    if work.report:
        _choose_report(book["封面"])
    return _saved(book)


def _decide(sheet: Worksheet, work: Review) -> None:
    """Found by the headings' names, as a reader of the sheet would. A row marked — is none of this reviewer's, and one
    that has been approved or sent back waits for nobody.
    """
    columns: dict[str, int] = {}
    for row in sheet.iter_rows():
        words = {str(cell.value).strip(): cell.column for cell in row if cell.value is not None}
        if {"单位代码", "审核结论", "审核意见"} <= words.keys():
            columns = {heading: column or 0 for heading, column in words.items()}
            continue
        if not columns:
            continue
        at = row[0].row or 0
        code = sheet.cell(at, columns["单位代码"]).value
        verdict = sheet.cell(at, columns["审核结论"])
        waits = "填报状态" not in columns or sheet.cell(at, columns["填报状态"]).value == "已报送待审核"
        if code is None or str(verdict.value or "").strip() == "—" or not waits:
            continue
        note = work.returned.get(str(code), "")
        verdict.value = "退回" if note else "通过"
        sheet.cell(at, columns["审核意见"]).value = note or None


def _choose_report(cover: Worksheet) -> None:
    for row in cover.iter_rows():
        for cell in row:
            if str(cell.value or "").strip() == "上报意见":
                cover.cell(cell.row or 0, (cell.column or 0) + 1).value = "同意上报"
                return


def _saved(book: Workbook) -> bytes:
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()
