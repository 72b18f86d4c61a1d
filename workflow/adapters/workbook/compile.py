"""Compile a form workbook: read what it defines, and make the master that every unit's copy is stamped from.

The workbook's parts are changed as XML, since openpyxl drops shapes, pictures and extension validations on saving;
openpyxl only reads the definition sheets.
"""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from xml.etree.ElementTree import ParseError
from xml.sax.saxutils import escape, quoteattr

import openpyxl
from lxml import etree
from openpyxl.utils.exceptions import InvalidFileException

from workflow.adapters.workbook.book import HIDDEN_PART, Book, SheetEntry, forget_titles
from workflow.adapters.workbook.definition import DEFINITION_SHEETS, Definition
from workflow.adapters.workbook.definition_sheets import read_definition
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
from workflow.adapters.workbook.package import MAIN, OFFICE_RELS, NotAWorkbook, Package
from workflow.adapters.workbook.problems import SHEET as PROBLEM_SHEET
from workflow.adapters.workbook.problems import problem_styles
from workflow.adapters.workbook.styles import Styles
from workflow.adapters.workbook.tags import TaggedCell, find_tags
from workflow.adapters.workbook.validations import fits_inline
from workflow.adapters.workbook.worksheet import LEGACY, Strings, Worksheet
from workflow.domain.errors import Fault, Refused
from workflow.domain.form import Anchor, FieldType, Form, Slot, column_letters

__all__ = ["CompiledForm", "compile_form"]

_HOLE = re.compile(r"<\?huizhi (\d+)\?>")
_CUSTOM_PART = "docProps/custom.xml"
_CUSTOM_KIND = f"{OFFICE_RELS}/custom-properties"
_CUSTOM_TYPE = "application/vnd.openxmlformats-officedocument.custom-properties+xml"
_CUSTOM = "http://schemas.openxmlformats.org/officeDocument/2006/custom-properties"
_VARIANT = "http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes"
_USER_PROPERTIES = "{D5CDD505-2E9C-101B-9397-08002B2CF9AE}"
_STRINGS_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
_STYLES_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"
#: What openpyxl raises on parts that are not as they should be.
_UNREADABLE = (
    *(InvalidFileException, zipfile.BadZipFile, ParseError, etree.XMLSyntaxError, LookupError, ValueError),
    *(TypeError, AttributeError, OSError),
)
_DEFINITIONS = frozenset(DEFINITION_SHEETS)
_FIRST_LIST_COLUMN = 4


def compile_form(data: bytes, name: str) -> CompiledForm:
    """Compile a form workbook; `name` is its file's name. Raises Refused with every fault that the form has."""
    file = name if name.lower().endswith(".xlsx") else f"{name}.xlsx"
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
    found = read_definition(file, _definition_rows(data))
    strings = Strings(_part(book, "sharedStrings", _STRINGS_TYPE, f'<sst xmlns="{MAIN}"/>'))
    shown = [one for one in entries if one.kind == "worksheet" and one.name not in _DEFINITIONS]
    sheets = [Worksheet(package, entry, strings) for entry in shown]
    cells = find_tags(found, sheets)
    _check_book(found, book, entries, sheets)
    if found.faults:
        raise Refused(found.faults)
    form = _form(found, cells, sheets)
    return CompiledForm(form, _master(book, form, sheets, cells, strings))


def _definition_rows(data: bytes) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of the definition sheets as openpyxl reads them, formulas as their text."""
    try:
        with warnings.catch_warnings():
            # openpyxl warns of what it would lose on saving; it never saves here.
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True)
            rows: dict[str, list[tuple[Any, ...]]] = {}
            for name in DEFINITION_SHEETS:
                if name in book.sheetnames:
                    sheet = book[name]
                    sheet.reset_dimensions()
                    rows[name] = [tuple(row) for row in sheet.iter_rows(values_only=True)]
            book.close()
            return rows
    except _UNREADABLE as error:
        raise NotAWorkbook(f"内部部件损坏（{error}）") from error


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
        if entry.name in {HIDDEN_SHEET, PROBLEM_SHEET}:
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


def _form(found: Definition, cells: Iterable[TaggedCell], sheets: Iterable[Worksheet]) -> Form:
    settings = found.settings
    return Form(
        settings["表单标识"],
        settings["表单名称"],
        found.version,
        found.kinds,
        settings["表号"],
        settings["制表机关"],
        tuple(found.fields),
        tuple(found.rules),
        tuple(Slot(cell.field, cell.sheet, cell.row, cell.column) for cell in cells if cell.field),
        tuple(
            Anchor(sheet.entry.name, row, column, text)
            for sheet in sheets
            if sheet.entry.state == "visible"
            for row, column, text in sheet.texts()
            if "{{" not in text and text.strip()
        ),
    )


def _master(
    book: Book, form: Form, sheets: list[Worksheet], cells: list[TaggedCell], strings: Strings
) -> Master:
    package = book.package
    book.remove_sheets(_DEFINITIONS)
    ranges, lists = _long_lists(form)
    book.add_sheet(HIDDEN_SHEET, HIDDEN_PART, b"<worksheet/>", hidden=True)
    book.guard()
    forget_titles(package)
    styles = Styles(_part(book, "styles", _STYLES_TYPE, _EMPTY_STYLES))
    plans = _patch_sheets(book, form, sheets, cells, styles, ranges)
    report = problem_styles(styles)
    strings.blank_unused(set().union(*(sheet.shared_texts() for sheet in sheets)))
    holed: dict[str, tuple[str, list[AnswerCell | str]]] = {
        HIDDEN_PART: (_hidden_sheet(lists), ["#kind", *(f"#{key}" for key in KEYS)]),
    }
    custom = _custom_properties(package)
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


def _long_lists(form: Form) -> tuple[dict[tuple[str, ...], str], list[tuple[str, ...]]]:
    """Choice lists that do not fit into a validation: the address of each in the hidden sheet, and the lists."""
    lists: list[tuple[str, ...]] = []
    for item in form.fields:
        if item.type is FieldType.CHOICE and not fits_inline(item.choices) and item.choices not in lists:
            lists.append(item.choices)
    ranges = {}
    for place, choices in enumerate(lists, start=_FIRST_LIST_COLUMN):
        column = column_letters(place)
        ranges[choices] = f"{HIDDEN_SHEET}!${column}$1:${column}${len(choices)}"
    return ranges, lists


def _hidden_sheet(lists: list[tuple[str, ...]]) -> str:
    """The hidden sheet with its holes: keys in A, values in B, long choice lists from D on."""
    keys = ("kind", *KEYS)
    rows = []
    for row in range(1, max(len(keys), *map(len, lists), 1) + 1):
        cells = ""
        if row <= len(keys):
            cells = _inline(f"A{row}", escape(keys[row - 1])) + _inline(f"B{row}", f"<?huizhi {row - 1}?>")
        for place, choices in enumerate(lists, start=_FIRST_LIST_COLUMN):
            if row <= len(choices):
                cells += _inline(f"{column_letters(place)}{row}", escape(choices[row - 1]))
        rows.append(f'<row r="{row}">{cells}</row>')
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        f'<worksheet xmlns="{MAIN}"><sheetData>{"".join(rows)}</sheetData>'
        '<sheetProtection sheet="1" objects="1" scenarios="1"/></worksheet>'
    )


def _inline(ref: str, text: str) -> str:
    return f'<c r="{ref}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _custom_properties(package: Package) -> str:
    """Add the identity's properties, as holes, to the document's own; the part's name."""
    related = [part for kind, part in package.relations("").values() if kind == "custom-properties"]
    part = next((one for one in related if one in package.parts), "")
    if not part:
        part = _CUSTOM_PART
        package.add(part, f'<Properties xmlns="{_CUSTOM}" xmlns:vt="{_VARIANT}"/>'.encode(), _CUSTOM_TYPE)
        package.relate("", _CUSTOM_KIND, part)
    root = package.tree(part)
    for known in list(root):
        if (known.get("name") or "").startswith("huizhi."):
            root.remove(known)
    number = max((int(known.get("pid", "1")) for known in root), default=1)
    for place, key in enumerate(KEYS):
        number += 1
        name = quoteattr(f"huizhi.{key}")
        text = (
            f'<property xmlns="{_CUSTOM}" xmlns:vt="{_VARIANT}" fmtid="{_USER_PROPERTIES}" pid="{number}" name={name}>'
            f"<vt:lpwstr><?huizhi {place}?></vt:lpwstr></property>"
        )
        root.append(etree.fromstring(text))
    return part
