"""Read the electronic copy of 附件2 out of a workbook or out of the tables of a Word document (.docx)."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

from lxml import etree

from workflow.domain.receipt_copy import ReceiptCopy, copy_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from python_calamine import CalamineWorkbook

_MOST_SHEETS, _MOST_ROWS = 6, 60
#: The text of a page; what is larger is no 回执表.
_MOST_BYTES = 8_000_000
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_STRICT = "{http://purl.oclc.org/ooxml/wordprocessingml/main}"


def copy_of_book(book: CalamineWorkbook) -> ReceiptCopy | None:
    """What is typed into the first sheet that has the table of 附件2."""
    for name in book.sheet_names[:_MOST_SHEETS]:
        rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False, nrows=_MOST_ROWS)
        if (found := copy_in(rows)) is not None:
            return found
    return None


def copy_of_document(data: bytes) -> ReceiptCopy | None:
    """What is typed into the table of a Word document; None where the table of 附件2 is not in it, or it can't be read."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open("word/document.xml") as part:
            content = part.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            return None
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
        root = etree.fromstring(content, parser)
    except (zipfile.BadZipFile, KeyError, OSError, ValueError, RuntimeError, etree.XMLSyntaxError):
        return None
    namespace = _STRICT if root.tag.startswith(_STRICT) else _W
    return copy_in(list(_rows(root, namespace)))


def _rows(root: etree._Element, w: str) -> Iterator[list[str]]:
    """Rows of tables, and paragraphs outside of them as rows of one cell. A cell over several columns counts so many."""
    for element in root.iter(f"{w}tr", f"{w}p"):
        if element.tag == f"{w}tr":
            row: list[str] = []
            for cell in element.iterchildren(f"{w}tc"):
                span = cell.find(f"{w}tcPr/{w}gridSpan")
                times = span.get(f"{w}val", "1") if span is not None else "1"
                row += [_text(cell, w)] + [""] * (min(int(times), 20) - 1 if times.isdecimal() else 0)
            yield row
        elif next(element.iterancestors(f"{w}tc"), None) is None:
            yield [_text(element, w)]


def _text(element: etree._Element, w: str) -> str:
    """The words in an element, its paragraphs and line breaks as line feeds."""
    words = []
    for piece in element.iter(f"{w}t", f"{w}br", f"{w}tab", f"{w}p"):
        if piece.tag == f"{w}t":
            words.append(piece.text or "")
        elif piece.tag == f"{w}p":
            words.append("\n")
        else:
            words.append(" ")
    return "".join(words).strip()
