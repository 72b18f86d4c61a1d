"""The decisions in a consolidated workbook that came back, read by the headings and not by fixed columns.

Reviewers sort, filter, delete and insert; a row's unit and version are those that stand in the row itself, and a column's
field is the one that its invisible mark above the headings names.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from workflow.domain.consultation import Talk
from workflow.domain.form import cell_name
from workflow.domain.submission import Decision, ReviewReading

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from python_calamine import CalamineWorkbook

    from workflow.adapters.workbook.identity import Marks
    from workflow.adapters.workbook.remarks import Place

COVER_SHEET = "封面"
REPORT_LABEL = "上报意见"
UNIT_CODE, NUMBER, FORM_ID, TIMES_REPORTED = "单位代码", "报送次数", "表单标识", "上报次数"
TABLE_ROW = "行次"
"""The heading of a row's number in the sheet of a repeating table."""
VERDICT, NOTE = "审核结论", "审核意见"
TALKED_TO, MEANS, TALKED_AT, DUE = "沟通对象", "沟通方式", "沟通时间", "限期"
LOCKED_MARK = "—"
"""What stands in the verdict cell of a row that this reviewer does not decide on."""

FIELD_MARK = "huizhi:"
"""Stands before a field's name, invisibly, in a cell above the field's heading; above 行次 before the form's id."""

_TALK = (TALKED_TO, TALKED_AT, MEANS, DUE)
_HEADINGS = frozenset({UNIT_CODE, NUMBER, FORM_ID, TIMES_REPORTED, VERDICT, NOTE, *_TALK})
_HEAD_ROWS = 20


def looks_like_review(book: CalamineWorkbook) -> bool:
    """Whether a workbook without hidden marks has the face of a consolidated one."""
    return COVER_SHEET in book.sheet_names and any(_has_verdicts(book, name) for name in book.sheet_names)


def read_review(
    book: CalamineWorkbook, marks: Marks, remarks: Mapping[str, Mapping[Place, str]]
) -> ReviewReading:
    """The decisions of every sheet that has the verdict columns, and the report cell of the cover. `remarks` are the
    comments by sheet and cell (`remarks.remarks_of`). The rows of repeating tables are not decided on: their sheets, which
    may be long, are read only for the comments on them.
    """
    decisions: list[Decision] = []
    on_rows: list[Decision] = []
    for name in book.sheet_names:
        said = remarks.get(name, {})
        if name in marks.tables and not said:
            continue
        if _has_verdicts(book, name):
            decisions.extend(_decisions(name, _rows(book, name), marks.sheets.get(name, ""), said))
        elif said:
            on_rows.extend(_table_remarks(name, _rows(book, name), said))
    identity = marks.identity
    return ReviewReading(
        identity.campaign,
        identity.unit,
        identity.version,
        identity.token,
        tuple(_together(decisions, on_rows)),
        _report(book),
    )


def _rows(book: CalamineWorkbook, name: str, most: int | None = None) -> list[list[object]]:
    rows: list[list[object]] = book.get_sheet_by_name(name).to_python(skip_empty_area=False, nrows=most)  # type: ignore[assignment]
    return rows


def _has_verdicts(book: CalamineWorkbook, name: str) -> bool:
    return any(_heading_columns(row) for row in _rows(book, name, _HEAD_ROWS))


def _heading_columns(row: Sequence[object]) -> Mapping[str, int]:
    """Where the headings stand in a row that is the heading row, else nothing."""
    columns: dict[str, int] = {}
    for at, value in enumerate(row):
        heading = "".join(value.split()) if isinstance(value, str) else ""
        if heading in _HEADINGS:
            columns.setdefault(heading, at)
    return columns if {UNIT_CODE, VERDICT} <= columns.keys() else {}


def _decisions(
    sheet: str, rows: Sequence[Sequence[object]], form: str, remarks: Mapping[Place, str]
) -> Iterator[Decision]:
    """Every row that says something: a verdict, a note or a comment; also one whose unit code is gone."""
    columns: Mapping[str, int] = {}
    fields: dict[int, str] = {}
    said: dict[int, dict[int, str]] = {}
    for (place, column), remark in remarks.items():
        said.setdefault(place, {})[column] = remark
    for number, row in enumerate(rows, start=1):
        found = _heading_columns(row)
        if found:
            columns = found
            headings = {at: _text(value).partition("\n（")[0] for at, value in enumerate(row, start=1)}
            fields = headings | fields
            continue
        if not columns:
            fields |= {
                at: value.removeprefix(FIELD_MARK)
                for at, value in enumerate(row, start=1)
                if isinstance(value, str) and value.startswith(FIELD_MARK)
            }
            continue
        words = {heading: _text(row[at]) if at < len(row) else "" for heading, at in columns.items()}
        verdict = words[VERDICT].strip(LOCKED_MARK)
        note = words.get(NOTE, "")
        notes = {fields.get(at) or "批注": text for at, text in said.get(number, {}).items()}
        talk = Talk(*(words.get(heading, "") for heading in _TALK)) if NUMBER not in columns else Talk()
        if not (verdict or note or notes or talk != Talk()):
            continue
        version = _count(words.get(NUMBER) or words.get(TIMES_REPORTED, ""))
        # The 下级上报 sheet has no 报送次数: a decision there is on the whole package.
        of_form = (words.get(FORM_ID) or form) if NUMBER in columns else ""
        yield Decision(sheet, number, words[UNIT_CODE], of_form, version, verdict, note, notes, talk)


def _table_remarks(
    sheet: str, rows: Sequence[Sequence[object]], remarks: Mapping[Place, str]
) -> Iterator[Decision]:
    """The comments on each row of a repeating table's sheet, by the names of the unit's cells (`设备.3.数量`): a decision
    without a verdict. Nothing where the sheet is none of a table.
    """
    said: dict[int, dict[int, str]] = {}
    for (place, column), remark in remarks.items():
        said.setdefault(place, {})[column] = remark
    marks: dict[int, str] = {}
    headings: list[str] = []
    for number, row in enumerate(rows, start=1):
        if not headings:
            words = [_text(value) for value in row]
            if UNIT_CODE in words and TABLE_ROW in words:
                headings = words
            marks |= {
                at: word.removeprefix(FIELD_MARK)
                for at, word in enumerate(words)
                if word.startswith(FIELD_MARK)
            }
        elif number in said:
            unit, own = (_text(row[headings.index(one)]) for one in (UNIT_CODE, TABLE_ROW))
            at_row = int(own) if own.isascii() and own.isdecimal() and len(own) < 6 else 0
            table = next((mark.partition(".")[0] for mark in marks.values() if "." in mark), "")
            notes = {}
            for column, remark in said[number].items():
                heading = headings[column - 1] if column <= len(headings) else ""
                mark = marks.get(column - 1, "")
                known = "." in mark and at_row
                notes[cell_name(mark, at_row) if known else f"{table}第{own}行{heading}"] = remark
            yield Decision(sheet, number, unit, marks.get(headings.index(TABLE_ROW), ""), 0, "", "", notes)


def _together(decisions: Sequence[Decision], on_rows: Sequence[Decision]) -> Iterator[Decision]:
    """The decisions with the comments on the units' table rows among their remarks; comments on units without a decision
    last, a unit's together.
    """
    told: dict[tuple[str, str], Decision] = {}
    for one in on_rows:
        known = told.setdefault((one.unit, one.form), one)
        told[one.unit, one.form] = replace(known, remarks={**known.remarks, **one.remarks})
    for decision in decisions:
        more = told.get((decision.unit, decision.form))
        yield replace(decision, remarks={**decision.remarks, **more.remarks}) if more else decision
    decided = {(decision.unit, decision.form) for decision in decisions}
    yield from (one for about, one in told.items() if about not in decided)


def _report(book: CalamineWorkbook) -> str:
    """What stands right of the 上报意见 label of the cover."""
    if COVER_SHEET not in book.sheet_names:
        return ""
    for row in _rows(book, COVER_SHEET):
        words = [_text(value) for value in row]
        if REPORT_LABEL in words:
            return next((word for word in words[words.index(REPORT_LABEL) + 1 :] if word), "")
    return ""


def _text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def _count(text: str) -> int:
    digits = text.strip("第次 ")
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 7 else 0
