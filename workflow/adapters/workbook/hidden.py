"""What a copy carries unseen: the `_huizhi` sheet with its identity, last quarter's values and long choice lists, and the
identity again in the document's properties.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from workflow.adapters.workbook.identity import HIDDEN_SHEET, KEYS
from workflow.adapters.workbook.master import AnswerCell
from workflow.adapters.workbook.package import MAIN, OFFICE_RELS, Package
from workflow.adapters.workbook.validations import fits_inline
from workflow.domain import rules
from workflow.domain.form import FieldType, Form, column_letters

_CUSTOM_PART = "docProps/custom.xml"
_CUSTOM_KIND = f"{OFFICE_RELS}/custom-properties"
_CUSTOM_TYPE = "application/vnd.openxmlformats-officedocument.custom-properties+xml"
_CUSTOM = "http://schemas.openxmlformats.org/officeDocument/2006/custom-properties"
_VARIANT = "http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes"
_USER_PROPERTIES = "{D5CDD505-2E9C-101B-9397-08002B2CF9AE}"
_PREVIOUS_COLUMN, _FIRST_LIST_COLUMN = 3, 4
#: The rows of column A: the identity, and whether there is a last quarter.
_ROWS = ("kind", *KEYS, "previous")
HIDDEN_HOLES = tuple(f"#{key}" for key in _ROWS)
#: Holds a text where the copy has last quarter's values.
HAS_PREVIOUS = f"{HIDDEN_SHEET}!$B${len(_ROWS)}"


def kept_fields(form: Form) -> tuple[str, ...]:
    """The fields whose last reported value a copy carries: all indicators and cells of tables, to see whether anything has
    changed, and whatever a formula asks for by 上期(). A column's cells follow one another.
    """
    formulas = [rule.formula for rule in form.rules]
    single = (item for item in form.fields if not item.row)
    asking = (*single, *form.columns.values())
    formulas += [text for item in asking for text in (item.constraint, item.relevant) if text]
    asked = frozenset().union(*(rules.previous_names(rules.parse(text)) for text in formulas))
    data = {item.name for item in form.indicators}
    kept = (item.name for item in form.fields if not item.row and (item.name in data or item.name in asked))
    return (*kept, *(cell for cells in form.cells_in.values() for cell in cells))


def previous_cells(form: Form) -> dict[str, str]:
    """The address of each kept field's last reported value."""
    column = column_letters(_PREVIOUS_COLUMN)
    return {name: f"{HIDDEN_SHEET}!${column}${row}" for row, name in enumerate(kept_fields(form), start=1)}


def previous_holes(form: Form) -> list[AnswerCell]:
    """The holes of last quarter's values, in the order of `kept_fields`."""
    column = column_letters(_PREVIOUS_COLUMN)
    holes = []
    for row, name in enumerate(kept_fields(form), start=1):
        ref = f"{column}{row}"
        holes.append(
            AnswerCell(
                field=name,
                type=form.by_name[name].type,
                part=0,
                ref=ref,
                row=row,
                column=_PREVIOUS_COLUMN,
                columns=1,
                styles=(),
                blank="",
                text=f'<c r="{ref}" t="inlineStr"><is><t xml:space="preserve">',
                number=f'<c r="{ref}"><v>',
                previous=True,
            )
        )
    return holes


def long_lists(form: Form) -> tuple[dict[tuple[str, ...], str], list[tuple[str, ...]]]:
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


def hidden_sheet(lists: Sequence[tuple[str, ...]], kept: int) -> str:
    """The hidden sheet with its holes: keys in A, values in B, last quarter's in C, long choice lists from D on. The
    holes are numbered as `HIDDEN_HOLES`, then the `kept` values.
    """
    first = len(HIDDEN_HOLES)
    rows = []
    for row in range(1, max(first, kept, *map(len, lists), 1) + 1):
        cells = ""
        if row <= first:
            cells = _inline(f"A{row}", escape(_ROWS[row - 1])) + _inline(f"B{row}", f"<?huizhi {row - 1}?>")
        if row <= kept:
            cells += f"<?huizhi {first + row - 1}?>"
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


def custom_properties(package: Package) -> str:
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
