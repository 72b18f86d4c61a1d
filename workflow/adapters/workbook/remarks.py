"""Comments 批注 in a reviewer's workbook, by sheet and cell; calamine leaves them out.

Both kinds of an .xlsx are read: the old notes (`xl/comments*.xml`, also as LibreOffice and WPS write them) and Excel's threaded
comments with their replies, whose old twin holds a line of explanation and is passed over.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from lxml import etree

from workflow.adapters.workbook.biff_notes import find_biff_notes
from workflow.adapters.workbook.ods import find_ods_notes

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Iterator, Mapping

Place = tuple[int, int]
"""Row and column of a cell, both counted from 1."""

_WORKBOOK = "xl/workbook.xml"
_CELL = re.compile(r"\$?([A-Z]{1,3})\$?([1-9][0-9]{0,6})")
_AUTHOR_LINE = re.compile(r"\A\S{1,20}:\n(?=.)")
_LONGEST = 2_000


def remarks_of(data: bytes, archive: zipfile.ZipFile | None) -> dict[str, dict[Place, str]]:
    """The words of every comment of a workbook, by the sheet's name: .xlsx, .ods (`archive` is its open zip) and .xls. An
    .xlsb and damaged parts give none.
    """
    if archive is not None and "content.xml" not in archive.namelist():
        return read_remarks(archive)
    told = find_biff_notes(data) if archive is None else find_ods_notes(data, archive)
    found: dict[str, dict[Place, str]] = {}
    try:
        for (sheet, row, column), author, words in told:
            if said := _plain(_without_author(words.lstrip(), author)):
                found.setdefault(sheet, {})[row, column] = said
    except etree.XMLSyntaxError:
        pass  # the sheet itself was read; what is broken beside it is not worth refusing it
    return found


def read_remarks(archive: zipfile.ZipFile) -> dict[str, dict[Place, str]]:
    """The words of every comment of an xlsx file, by the sheet's name; other formats and damaged parts give none."""
    found: dict[str, dict[Place, str]] = {}
    names = set(archive.namelist())
    for sheet, part in _sheets(archive, names):
        notes: dict[Place, str] = {}
        threads: dict[Place, str] = {}
        for kind, target in _relations(archive, names, part).values():
            if kind == "comments":
                notes |= _notes(_tree(archive, names, target))
            elif kind == "threadedComment":
                threads |= _threads(_tree(archive, names, target))
        if remarks := {place: words for place, words in {**notes, **threads}.items() if words}:
            found[sheet] = remarks
    return found


def _sheets(archive: zipfile.ZipFile, names: set[str]) -> Iterator[tuple[str, str]]:
    """Each sheet's name and part."""
    root = _tree(archive, names, _WORKBOOK)
    if root is None:
        return
    relations = _relations(archive, names, _WORKBOOK)
    for sheet in root.iterfind(".//{*}sheet"):
        relation = next((str(value) for key, value in sheet.items() if str(key).endswith("}id")), "")
        if relation in relations:
            yield sheet.get("name", ""), relations[relation][1]


def _relations(archive: zipfile.ZipFile, names: set[str], part: str) -> Mapping[str, tuple[str, str]]:
    """Kind and target of each relation of a part, by its id."""
    folder, name = posixpath.split(part)
    root = _tree(archive, names, f"{folder}/_rels/{name}.rels")
    if root is None:
        return {}
    found = {}
    for relation in root.iterfind("{*}Relationship"):
        target = relation.get("Target", "")
        whole = target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"{folder}/{target}")
        found[relation.get("Id", "")] = (relation.get("Type", "").rpartition("/")[2], whole)
    return found


def _tree(archive: zipfile.ZipFile, names: set[str], part: str) -> etree._Element | None:
    if part not in names:
        return None
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        return etree.fromstring(archive.read(part), parser)
    except etree.XMLSyntaxError:
        return None  # the sheet itself was read; what is broken beside it is not worth refusing it


def _notes(root: etree._Element | None) -> dict[Place, str]:
    """Notes as words. Excel and WPS put `author:` in front, as a run of its own, which nobody wrote."""
    if root is None:
        return {}
    authors = [(author.text or "").strip() for author in root.iterfind(".//{*}author")]
    found = {}
    for comment in root.iterfind(".//{*}comment"):
        place = _place(comment.get("ref", ""))
        if place is None:
            continue
        words = "".join(text.text or "" for text in comment.iterfind("{*}text//{*}t"))
        who = comment.get("authorId", "")
        author = authors[int(who)] if who.isdecimal() and int(who) < len(authors) else ""
        found[place] = _plain(_without_author(words.lstrip(), author))
    return found


def _without_author(words: str, author: str) -> str:
    """LibreOffice keeps the line `author:` and forgets who the author was: such a line is told by its shape."""
    for colon in (":", "："):
        if author and words.startswith(f"{author}{colon}"):
            return words[len(author) + 1 :]
    return words if author else _AUTHOR_LINE.sub("", words, count=1)


def _threads(root: etree._Element | None) -> dict[Place, str]:
    """Threaded comments with their replies below them."""
    said: dict[Place, list[str]] = {}
    for comment in root.iterfind("{*}threadedComment") if root is not None else ():
        place = _place(comment.get("ref", ""))
        if place is not None:
            said.setdefault(place, []).append(comment.findtext("{*}text") or "")
    return {place: _plain("\n".join(words)) for place, words in said.items()}


def _place(ref: str) -> Place | None:
    match = _CELL.fullmatch(ref)
    if match is None:
        return None
    column = 0
    for letter in match[1]:
        column = column * 26 + ord(letter) - 64
    return int(match[2]), column


def _plain(words: str) -> str:
    """Words without blank lines and white space around them."""
    lines = (line.strip() for line in words.replace("_x000D_", "").splitlines())
    return "\n".join(line for line in lines if line)[:_LONGEST]
