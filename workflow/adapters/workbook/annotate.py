"""Annotate a return: our own copy with everything that the unit filled in, its faults marked and listed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from workflow.adapters.workbook.book import Book
from workflow.adapters.workbook.comments import (
    COMMENTS_TYPE,
    DRAWING_TYPE,
    Note,
    comments_part,
    drawing_part,
)
from workflow.adapters.workbook.master import (
    AnswerCell,
    CompiledForm,
    Mark,
    Member,
    Shape,
    SheetPlan,
    archive,
)
from workflow.adapters.workbook.package import OFFICE_RELS, Package, rels_name
from workflow.adapters.workbook.problems import PART, SHEET, ProblemSheet, ReturnSummary
from workflow.adapters.workbook.stamp import (
    EPOCH,
    FIRST_SURE_DAY,
    LEVEL,
    fill_previous,
    hole_texts,
    xml_text,
)
from workflow.domain.checks import wanted_explanations
from workflow.domain.form import FieldType, Form, Severity, Value
from workflow.domain.submission import CellError, CopyIdentity, Finding, RawValue

__all__ = ["ReturnSummary", "annotate", "in_order", "raw_cell"]

#: The error values that every Excel knows; newer ones are kept as text lest an older one calls the file broken.
_ERRORS = frozenset({"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A"})
_SELECTED = b' tabSelected="1"'
_DAY_SECONDS = 86400
_WHAT_TO_DO = {
    Severity.ERROR: "逻辑校验（必须改正）",
    Severity.QUERY: "经验校验（改正，或核实后说明原因）",
}
_REVIEWER = "审核意见（必须改正）"
_EXPLAIN = "数据核实无误的，请在此填写说明"


def annotate(
    compiled: CompiledForm,
    identity: CopyIdentity,
    printed: Mapping[str, str],
    answers: Mapping[str, RawValue | CellError],
    findings: Sequence[Finding],
    summary: ReturnSummary,
    previous: Mapping[str, Value] | None = None,
) -> bytes:
    """The workbook that goes back to a unit: `answers` as they were typed, each finding shown in its cell, in a comment
    and in the 问题清单 sheet in front; a blank 说明 cell that a finding asks to fill in is marked too. It is stamped with
    `identity` and is read again as any copy is. `previous` are the last reported answers, for the 自查 sheet.
    """
    form, master = compiled.form, compiled.master
    listed = in_order(form, findings)
    by_field: dict[str, list[Finding]] = {}
    for finding in listed:
        by_field.setdefault(finding.field, []).append(finding)
    unsaid = wanted_explanations(form, listed)
    texts = hole_texts(identity, printed, previous)
    changed: dict[str, bytes] = {}
    notes: dict[str, list[Note]] = {}
    for template in master.templates:
        parts = list(template.parts)
        for hole in template.texts:
            parts[hole.part] = texts.get(hole.key, "")
        for cell in template.answers:
            here, asked = by_field.get(cell.field, []), unsaid.get(cell.field, [])
            parts[cell.part] = raw_cell(cell, answers.get(cell.field), _mark([*here, *asked]))
            if here or asked:
                notes.setdefault(template.name, []).append(_note(cell, here, asked))
        if template.previous and previous:
            fill_previous(template, parts, previous)
        changed[template.name] = b"".join((template.head, "".join(parts).encode(), template.tail))
    return _assemble(compiled, changed, notes, listed, summary)


def in_order(form: Form, findings: Sequence[Finding]) -> list[Finding]:
    """Findings as the sheet lists them: what must be corrected first, then by place in the form."""
    place = {slot.field: number for number, slot in enumerate(form.slots)}
    return sorted(
        findings, key=lambda one: (one.severity is Severity.QUERY, place.get(one.field, len(place)))
    )


def _mark(findings: Sequence[Finding]) -> Mark:
    if not findings:
        return Mark.PLAIN
    return Mark.WRONG if any(one.severity is Severity.ERROR for one in findings) else Mark.QUERY


def _note(cell: AnswerCell, findings: Sequence[Finding], asked: Sequence[Finding]) -> Note:
    """The comment on a cell: what is found in it, and for a 说明 cell what is `asked` to be explained in it."""
    unsaid = tuple((_EXPLAIN, f"{one.found or one.label}：{one.message}") for one in asked)
    paragraphs = tuple(
        (
            _REVIEWER if one.code == "reviewer" else _WHAT_TO_DO[one.severity],
            f"{one.message}\n填报内容：{one.found or '（空白）'}",
        )
        for one in findings
    )
    return Note(cell.ref, cell.row, cell.column, cell.columns, (*paragraphs, *unsaid))


def raw_cell(cell: AnswerCell, value: RawValue | CellError, mark: Mark) -> str:
    """The XML of an answer's cell with what the unit typed there, whatever it is, in the look of a mark."""
    looks = cell.styles[mark]

    def written(shape: Shape, kind: str, inner: str) -> str:
        return f'<c r="{cell.ref}" s="{looks[shape]}"{kind}{inner}'

    def text(words: str) -> str:
        return written(
            Shape.OWN, ' t="inlineStr">', f'<is><t xml:space="preserve">{xml_text(words)}</t></is></c>'
        )

    match value:
        case None | "" | CellError(code="#无值" | "#未找到"):
            # A formula without a worked-out value, or an answer that was not found, has nothing that could be kept.
            return written(Shape.OWN, "/>", "")
        case CellError(code=code):
            return written(Shape.OWN, ' t="e">', f"<v>{code}</v></c>") if code in _ERRORS else text(code)
        case str():
            return text(value)
        case bool() if cell.type is FieldType.YES_NO:
            # A truth value would stand as FALSE beside a list of 是 and 否.
            return text("是" if value else "否")
        case bool():
            return written(Shape.OWN, ' t="b">', f"<v>{int(value)}</v></c>")
        case int() | float():
            return written(Shape.NUMBER, ">", f"<v>{value!r}</v></c>")
        case dt.time():
            return written(Shape.TIME, ">", f"<v>{_seconds(value) / _DAY_SECONDS!r}</v></c>")
        case dt.date():
            day = value.date() if isinstance(value, dt.datetime) else value
            clock = _seconds(value.time()) if isinstance(value, dt.datetime) else 0
            if day < FIRST_SURE_DAY:
                return text(value.isoformat())
            serial = (day - EPOCH).days
            if clock:
                return written(Shape.MOMENT, ">", f"<v>{serial + clock / _DAY_SECONDS!r}</v></c>")
            return written(Shape.DAY, ">", f"<v>{serial}</v></c>")


def _seconds(clock: dt.time) -> float:
    return clock.hour * 3600 + clock.minute * 60 + clock.second + clock.microsecond / 1e6


def _assemble(
    compiled: CompiledForm,
    changed: dict[str, bytes],
    notes: Mapping[str, Sequence[Note]],
    findings: Sequence[Finding],
    summary: ReturnSummary,
) -> bytes:
    """The archive: constant members as they are, but for the few that know of the sheet in front and the comments."""
    form, master = compiled.form, compiled.master
    constant = {member.name: member for member in master.members}
    for plan in master.sheets:
        content = changed.get(plan.member) or constant[plan.member].content()
        # Only the sheet in front is chosen: two chosen sheets would be typed into together.
        changed[plan.member] = content.replace(_SELECTED, b"", 1)
    package = Package({name: constant[name].content() for name in _opened(compiled, constant)})
    book = Book(package)
    for number, plan in enumerate(master.sheets, start=1):
        if plan.member in notes:
            package.parts[plan.member] = changed.pop(plan.member)
            _comment(package, plan, number, notes[plan.member])
    sheet = ProblemSheet(dict(master.report_styles))
    content = sheet.write(form.title, summary, findings, [form.cell_of(one.field) for one in findings])
    book.add_sheet(SHEET, PART, content, first=True)
    book.name_range("_xlnm.Print_Titles", 0, f"'{SHEET}'!${sheet.heading_row}:${sheet.heading_row}")
    book.activate(0)
    parts = {**package.finish(), **changed}
    kept = [member for member in master.members if member.name not in parts]
    return archive([*(Member.deflated(name, content, LEVEL) for name, content in parts.items()), *kept])


def _opened(compiled: CompiledForm, constant: Mapping[str, Member]) -> list[str]:
    """The constant members that annotating changes."""
    master = compiled.master
    wanted = ["[Content_Types].xml", "_rels/.rels", master.workbook, rels_name(master.workbook)]
    for plan in master.sheets:
        wanted += [rels_name(plan.member), plan.comments, plan.drawing]
    return [name for name in wanted if name in constant]


def _comment(package: Package, plan: SheetPlan, number: int, notes: Sequence[Note]) -> None:
    """Put notes on a sheet that stands among the package's parts, beside comments that it may have already."""
    comments = plan.comments or f"xl/huizhi-comments{number}.xml"
    package.add(comments, comments_part(notes, package.parts.get(plan.comments, b"")), COMMENTS_TYPE)
    if not plan.comments:
        package.relate(plan.member, f"{OFFICE_RELS}/comments", comments)
    drawing = plan.drawing or f"xl/drawings/huizhi-comments{number}.vml"
    package.declare_extension("vml", DRAWING_TYPE)
    package.parts[drawing] = drawing_part(notes, plan, number, package.parts.get(plan.drawing, b""))
    if plan.legacy_from_end < 0:
        return
    relation = package.relate(plan.member, f"{OFFICE_RELS}/vmlDrawing", drawing)
    legacy = f'<legacyDrawing xmlns:r="{OFFICE_RELS}" r:id="{relation}"/>'.encode()
    content = package.parts[plan.member]
    at = len(content) - plan.legacy_from_end
    package.parts[plan.member] = content[:at] + legacy + content[at:]
