"""Tables of a web page as sheets: a form pasted into a mail, or a workbook saved as a web page under the name .xls."""

from __future__ import annotations

import re

import lxml.html
from lxml import etree

from workflow.domain.sheet_match import MOST_COLUMNS, MOST_ROWS, MOST_SHEETS

_CHARSET = re.compile(rb"charset=[\"']?\s*([\w-]+)", re.IGNORECASE)

_LINE = "\ue000"  # stands for a line's end while white space is folded


def tables(data: bytes) -> dict[str, list[list[str]]]:
    """The page's innermost tables by name (`表格1` …), cells at their places: spans are laid out, all else is text."""
    found: dict[str, list[list[str]]] = {}
    try:
        parser = lxml.html.HTMLParser(
            encoding=_encoding(data), no_network=True, remove_comments=True, remove_pis=True
        )
        page = lxml.html.document_fromstring(data, parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError, LookupError):
        return found
    for table in page.iter("table"):
        if len(found) == MOST_SHEETS:
            break
        if table.find(".//table") is None:
            found[f"表格{len(found) + 1}"] = _laid_out(table)
    return found


def _encoding(data: bytes) -> str:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        named = _CHARSET.search(data[:4096])
        return "gb18030" if named is None or named[1].lower().startswith(b"gb") else named[1].decode("ascii")
    return "utf-8"


def _laid_out(table: lxml.html.HtmlElement) -> list[list[str]]:
    rows: list[list[str]] = []
    taken: dict[tuple[int, int], None] = {}
    for number, row in enumerate(table.iter("tr")):
        if number == MOST_ROWS:
            break
        cells: list[str] = []
        at = 0
        for cell in row.iterchildren("td", "th"):
            while (number, at) in taken:
                at += 1
            if at >= MOST_COLUMNS:
                break
            wide, high = _span(cell, "colspan"), _span(cell, "rowspan")
            cells += [""] * (at - len(cells)) + [_text(cell)]
            taken |= {(number + down, at + right): None for down in range(high) for right in range(wide)}
            at += wide
        rows.append(cells)
    return rows


def _span(cell: lxml.html.HtmlElement, name: str) -> int:
    digits = (cell.get(name) or "1").strip()
    return (
        max(1, min(int(digits), MOST_COLUMNS))
        if digits.isascii() and digits.isdecimal() and len(digits) < 6
        else 1
    )


def _text(cell: lxml.html.HtmlElement) -> str:
    """What is seen in a cell: source lines are blanks, `<br>` and paragraphs are lines."""
    for element in cell.iter("br", "p", "div"):
        if element.tag == "br":
            element.tail = _LINE + (element.tail or "")
        else:
            element.text = _LINE + (element.text or "")
    words = " ".join("".join(cell.itertext()).split())
    return "\n".join(line.strip() for line in words.split(_LINE)).strip()
