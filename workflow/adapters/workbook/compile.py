"""Compile a form workbook: read what it defines, and make the master that every unit's copy is stamped from.

The workbook's parts are read and changed as XML: openpyxl drops shapes, pictures and extension validations on saving, and
refuses to open what other office programs write into their styles.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from lxml import etree

from workflow.adapters.workbook.book import HIDDEN_PART, Book, SheetEntry, forget_titles
from workflow.adapters.workbook.continuation import PART as CONTINUATION_PART
from workflow.adapters.workbook.continuation import ContinuationSheet
from workflow.adapters.workbook.definition import DEFINITION_SHEETS, Definition
from workflow.adapters.workbook.definition_cells import definition_rows
from workflow.adapters.workbook.definition_sheets import read_definition
from workflow.adapters.workbook.formula_checks import check_lengths
from workflow.adapters.workbook.hidden import (
    HIDDEN_HOLES,
    custom_properties,
    hidden_sheet,
    long_lists,
    previous_holes,
)
from workflow.adapters.workbook.identity import HIDDEN_SHEET, KEYS
from workflow.adapters.workbook.master import (
    AnswerCell,
    CompiledForm,
    Master,
    Member,
    SheetPlan,
    Template,
    TextHole,
)
from workflow.adapters.workbook.names import address_of, field_names
from workflow.adapters.workbook.package import MAIN, OFFICE_RELS, NotAWorkbook, Package
from workflow.adapters.workbook.problems import SHEET as PROBLEM_SHEET
from workflow.adapters.workbook.problems import problem_styles
from workflow.adapters.workbook.selfcheck import RECKONING, RECKONING_PART, Reckoning
from workflow.adapters.workbook.selfcheck import SHEET as SELF_CHECK
from workflow.adapters.workbook.selfcheck_sheet import HOLES, SelfCheckSheet, selfcheck_styles
from workflow.adapters.workbook.selfcheck_sheet import PART as SELF_CHECK_PART
from workflow.adapters.workbook.shared_strings import Strings
from workflow.adapters.workbook.styles import Styles
from workflow.adapters.workbook.table_layout import Block, lay_out
from workflow.adapters.workbook.tags import TaggedCell, find_tags
from workflow.adapters.workbook.worksheet import LEGACY, Worksheet
from workflow.domain.columns import cells_of
from workflow.domain.errors import Fault, Refused
from workflow.domain.form import CONTINUED, Anchor, Field, Form, Slot, Table

__all__ = ["CompiledForm", "compile_form"]

_HOLE = re.compile(r"<\?huizhi (\d+)\?>")
_STRINGS_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
_STYLES_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"
_DEFINITIONS = frozenset(DEFINITION_SHEETS)
_RESERVED = frozenset({HIDDEN_SHEET, PROBLEM_SHEET, SELF_CHECK, RECKONING, CONTINUED})


def compile_form(data: bytes, name: str) -> CompiledForm:
    """Compile a form workbook; `name` is its file's name. Raises Refused with every fault that the form has."""
    file = name if "." in name else f"{name}.xlsx"
    try:
        return _compile(data, file)
    except NotAWorkbook as error:
        raise Refused(Fault(file, str(error), "请用 Excel 或 WPS 打开，另存为 xlsx 后再试")) from error


def _compile(data: bytes, file: str) -> CompiledForm:
    package = Package.open(data)
    if any(part.lower().endswith("vbaproject.bin") for part in package.parts):
        raise NotAWorkbook("含有宏")
    book = Book(package)
    entries = book.sheets()
    strings = Strings(_part(book, "sharedStrings", _STRINGS_TYPE, f'<sst xmlns="{MAIN}"/>'))
    found = read_definition(file, _definitions(entries, package, strings))
    shown = [one for one in entries if one.kind == "worksheet" and one.name not in _DEFINITIONS]
    sheets = [Worksheet(package, entry, strings) for entry in shown]
    cells = find_tags(found, sheets)
    _check_book(found, book, entries, sheets)
    styles = Styles(_part(book, "styles", _STYLES_TYPE, _EMPTY_STYLES))
    blocks = lay_out(found, sheets, cells, styles) if found.tables() else []
    if found.faults:
        raise Refused(found.faults)
    if blocks:
        cells, sheets = _with_rows(book, found, blocks, cells, sheets, strings, styles)
    form = _form(found, cells, sheets, [block.table for block in blocks])
    check_lengths(found, form)
    if found.faults:
        raise Refused(found.faults)
    return CompiledForm(form, _master(book, form, sheets, cells, strings, styles), tuple(found.queries))


def _with_rows(
    book: Book,
    found: Definition,
    blocks: list[Block],
    cells: list[TaggedCell],
    sheets: list[Worksheet],
    strings: Strings,
    styles: Styles,
) -> tuple[list[TaggedCell], list[Worksheet]]:
    """The cells with those of every row of the tables in place of the tables' tags, and the sheets with 续表."""
    tags = {tag for block in blocks for tag in block.tags}
    cells = [cell for cell in cells if cell not in tags] + [
        cell for block in blocks for cell in block.cells()
    ]
    more = ContinuationSheet.of(found.settings["表单名称"], blocks, styles)
    if more is not None:
        book.add_sheet(CONTINUED, CONTINUATION_PART, more.write())
        places = {one.name: at for at, one in enumerate(book.sheets())}
        entry = book.sheets()[places[CONTINUED]]
        if more.heading:
            book.name_range("_xlnm.Print_Titles", places[CONTINUED], more.heading)
        sheets = [*sheets, Worksheet(book.package, entry, strings)]
        cells += more.cells
    place = {sheet.entry.name: at for at, sheet in enumerate(sheets)}
    return sorted(cells, key=lambda cell: (place[cell.sheet], cell.row, cell.column)), sheets


def _definitions(
    entries: list[SheetEntry], package: Package, strings: Strings
) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of the definition sheets that there are."""
    return {
        entry.name: definition_rows(package.tree(entry.part), strings)
        for entry in entries
        if entry.name in _DEFINITIONS and entry.kind == "worksheet"
    }


def _part(book: Book, kind: str, content_type: str, empty: str) -> etree._Element:
    """The tree of a part of the workbook, made where it is missing."""
    part = book.related(kind)
    if not part:
        part = f"xl/{kind}.xml"
        book.package.add(part, empty.encode(), content_type)
        book.package.relate(book.part, f"{OFFICE_RELS}/{kind}", part)
    return book.package.tree(part)


def _check_book(found: Definition, book: Book, entries: list[SheetEntry], sheets: list[Worksheet]) -> None:
    """Faults of the workbook itself, beyond definitions and tags."""
    for entry in entries:
        if entry.name in _RESERVED:
            found.fault(entry.name, f"“{entry.name}”是系统保留的工作表名", "请删去这张表或者改名")
    if not any(entry.state == "visible" and entry.name not in _DEFINITIONS for entry in entries):
        found.fault("工作簿", "没有给单位填报的可见工作表", "请在四张定义表之外另设填报的工作表")
    if book.counts_days_from_1904():
        found.fault("工作簿", "使用 1904 年日期系统", "请在 Excel 选项的“高级”中取消后保存")
    names = book.names_into(_DEFINITIONS)
    for sheet in sheets:
        for words in sheet.stray_tags():
            found.fault(
                f"{sheet.entry.name} {words}", f"标记写在{words}里，系统不会替换", "请把标记写在单元格里"
            )
        for place in sheet.leaning_formulas(_DEFINITIONS, names):
            found.fault(
                f"{sheet.entry.name}!{place}",
                "公式或下拉列表引用了定义表，发出时定义表会删去",
                "请改用字段表的“选项”列",
            )


def _form(
    found: Definition, cells: Iterable[TaggedCell], sheets: Iterable[Worksheet], tables: Iterable[Table]
) -> Form:
    settings = found.settings
    known = {table.name: table for table in tables}
    fields: list[Field] = []
    for item in found.fields:
        table = known.get(item.name.partition(".")[0]) if "." in item.name else None
        if table is None:
            fields.append(item)
        elif item is table.columns[0]:
            fields += cells_of(table)
    return Form(
        settings["表单标识"],
        settings["表单名称"],
        found.version,
        found.kinds,
        settings["表号"],
        settings["制表机关"],
        (*fields, *found.explanations),
        tuple(found.rules),
        tuple(Slot(cell.field, cell.sheet, cell.row, cell.column) for cell in cells if cell.field),
        tuple(
            Anchor(sheet.entry.name, row, column, text)
            for sheet in sheets
            if sheet.entry.state == "visible"
            for row, column, text in sheet.texts()
            if "{{" not in text and text.strip()
        ),
        tuple(known.values()),
        tuple((sheet.entry.name, *place) for sheet in sheets for place in sheet.formulas()) if known else (),
        found.mapping,
    )


def _master(
    book: Book,
    form: Form,
    sheets: list[Worksheet],
    cells: list[TaggedCell],
    strings: Strings,
    styles: Styles,
) -> Master:
    package = book.package
    book.remove_sheets(_DEFINITIONS)
    ranges, lists = long_lists(form)
    kept = previous_holes(form)
    book.add_sheet(SELF_CHECK, SELF_CHECK_PART, b"<worksheet/>")
    book.add_sheet(RECKONING, RECKONING_PART, b"<worksheet/>", hidden=True)
    book.add_sheet(HIDDEN_SHEET, HIDDEN_PART, b"<worksheet/>", hidden=True)
    book.guard()
    forget_titles(package)
    plans = _patch_sheets(book, form, sheets, cells, styles, ranges)
    report = problem_styles(styles)
    reckoning = Reckoning(form)
    check_sheet = SelfCheckSheet(reckoning, selfcheck_styles(styles))
    package.parts[RECKONING_PART] = reckoning.write()
    places = {entry.name: place for place, entry in enumerate(book.sheets())}
    book.name_range("_xlnm.Print_Titles", places[SELF_CHECK], check_sheet.heading)
    named = field_names(form, book.names())
    book.define({name: address_of(form, asked) for asked, name in named.items()})
    strings.blank_unused(set().union(*(sheet.shared_texts() for sheet in sheets)))
    holed: dict[str, tuple[str, list[AnswerCell | str]]] = {
        HIDDEN_PART: (hidden_sheet(lists, len(kept)), [*HIDDEN_HOLES, *kept]),
        SELF_CHECK_PART: (check_sheet.write(), list(HOLES)),
    }
    custom = custom_properties(package)
    parts = package.finish()
    holed[custom] = (parts[custom].decode(), [f"#{key}" for key in KEYS])
    for sheet in sheets:
        if sheet.holes.found:
            holed[sheet.entry.part] = (parts[sheet.entry.part].decode(), sheet.holes.found)
    templates, ends = [], {}
    for part, (text, holes) in holed.items():
        template, legacy = _template(part, text, holes)
        templates.append(template)
        ends[part] = legacy
    members = tuple(
        Member.deflated(part, _without_mark(content)) for part, content in parts.items() if part not in holed
    )
    return Master(
        members,
        tuple(templates),
        tuple(_plan(package, sheet, ends.get(sheet.entry.part, -1)) for sheet in plans),
        book.part,
        tuple(report.items()),
    )


_EMPTY_STYLES = (
    f'<styleSheet xmlns="{MAIN}"><fonts count="1"><font><sz val="11"/><name val="宋体"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '</fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs></styleSheet>'
)


def _patch_sheets(
    book: Book,
    form: Form,
    sheets: list[Worksheet],
    cells: list[TaggedCell],
    styles: Styles,
    ranges: dict[tuple[str, ...], str],
) -> list[Worksheet]:
    """Change every sheet for copies; the visible ones, in the order of their tabs."""
    for sheet in sheets:
        sheet.lighten()
        for cell in cells:
            if cell.sheet != sheet.entry.name:
                continue
            if cell.field:
                sheet.open_answer((cell.row, cell.column), form.by_name[cell.field], styles)
            else:
                sheet.open_text((cell.row, cell.column))
        sheet.validate(form.by_name, ranges)
    visible = [sheet for sheet in sheets if sheet.entry.state == "visible"]
    places = {entry.name: place for place, entry in enumerate(book.sheets())}
    first = min(visible, key=lambda sheet: places[sheet.entry.name])
    for sheet in sheets:
        sheet.select(chosen=sheet is first)
    book.activate(places[first.entry.name])
    for sheet in visible:
        sheet.protect()
        sheet.mark_legacy()
    return visible


def _plan(package: Package, sheet: Worksheet, legacy_from_end: int) -> SheetPlan:
    related = dict(package.relations(sheet.entry.part).values())
    rows, default = sheet.row_pixels()
    return SheetPlan(
        sheet.entry.name,
        sheet.entry.part,
        legacy_from_end,
        related.get("comments", ""),
        related.get("vmlDrawing", "") if legacy_from_end < 0 else "",
        sheet.column_pixels(),
        rows,
        default,
    )


def _without_mark(content: bytes) -> bytes:
    return content.replace(LEGACY.encode(), b"")


def _template(part: str, text: str, holes: list[AnswerCell | str]) -> tuple[Template, int]:
    """Cut a part at its holes; the template, and how far before its end comments may be tied to the sheet (-1: nowhere)."""
    pieces = _HOLE.split(text)
    head, tail = pieces[0], pieces[-1]
    parts: list[str] = []
    answers: list[AnswerCell] = []
    texts: list[TextHole] = []
    for number, text_after in zip(pieces[1::2], pieces[2::2], strict=True):
        hole = holes[int(number)]
        if isinstance(hole, str):
            texts.append(TextHole(len(parts), hole))
            parts.append("")
        else:
            answers.append(replace(hole, part=len(parts)))
            parts.append(hole.blank)
        parts.append(text_after)
    parts.pop()
    before, mark, after = tail.partition(LEGACY)
    legacy = len(after.encode()) if mark else -1
    return Template.of(part, head, parts, answers, texts, before + after), legacy
