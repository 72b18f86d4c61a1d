"""A compiled form's master: every zip member either ready as it is, or a text with holes for one copy's values.

A template member is deflated in three pieces. What stands before the first hole and after the last is the same in
every copy and is deflated once; deflate streams that end on a byte boundary may follow one another, so a copy only
deflates the rows between.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

from workflow.domain.errors import Fault
from workflow.domain.form import FieldType, Form

#: 1980-01-01 00:00 as DOS writes it: the same form and answers give the same bytes.
_DOS_TIME, _DOS_DATE = 0, 0x21
_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END = struct.Struct("<4sHHHHIIH")
_UTF8_NAMES = 0x800
_STORED, _DEFLATED = 0, 8


@dataclass(frozen=True, slots=True)
class Member:
    """A zip member in its final form: `data` is what stands in the archive, `crc` and `size` are of the content."""

    name: str
    method: int
    crc: int
    size: int
    data: bytes

    @classmethod
    def deflated(cls, name: str, content: bytes, level: int = 9) -> Member:
        """A member of some content, pressed as well as zlib can unless a lower level is asked for."""
        packer = zlib.compressobj(level, zlib.DEFLATED, -15)
        data = packer.compress(content) + packer.flush()
        if len(data) >= len(content):
            return cls(name, _STORED, zlib.crc32(content), len(content), content)
        return cls(name, _DEFLATED, zlib.crc32(content), len(content), data)

    def content(self) -> bytes:
        """What was packed."""
        return self.data if self.method == _STORED else zlib.decompress(self.data, -15)

    def local(self) -> bytes:
        """The member as it stands in the archive: its header and its data."""
        name = self.name.encode()
        head = _LOCAL.pack(
            *(b"PK\3\4", 20, _UTF8_NAMES, self.method, _DOS_TIME, _DOS_DATE),
            *(self.crc, len(self.data), self.size, len(name), 0),
        )
        return b"".join((head, name, self.data))

    def central(self, offset: int) -> bytes:
        """The member's entry in the archive's directory; `offset` is where its header stands."""
        name = self.name.encode()
        head = _CENTRAL.pack(
            *(b"PK\1\2", 20, 20, _UTF8_NAMES, self.method, _DOS_TIME, _DOS_DATE, self.crc, len(self.data)),
            *(self.size, len(name), 0, 0, 0, 0, 0, offset),
        )
        return head + name


class Mark(IntEnum):
    """How an answer cell is shown: as staff drew it, wrong, or queried."""

    PLAIN = 0
    WRONG = 1
    QUERY = 2


class Shape(IntEnum):
    """What kind of value stands in the cell, so that it is shown, and read back, as that kind."""

    OWN = 0
    NUMBER = 1
    DAY = 2
    MOMENT = 3
    TIME = 4


@dataclass(frozen=True, slots=True)
class AnswerCell:
    """An answer's cell in a template. `part` is its place in the template's parts; `styles` holds the cell formats
    by mark, then shape; the other texts are the beginnings of the cell's XML for a value of each kind. `previous` marks
    the hidden cell of the field's last reported value.
    """

    field: str
    type: FieldType
    part: int
    ref: str
    row: int
    column: int
    columns: int
    styles: tuple[tuple[int, ...], ...]
    blank: str
    text: str
    number: str
    previous: bool = False


@dataclass(frozen=True, slots=True)
class TextHole:
    """A printed text or a piece of the identity: `part` is its place, `key` an @ tag without @, or `#unit` and such."""

    part: int
    key: str


@dataclass(frozen=True, slots=True)
class Template:
    """A member with holes. `head` and `tail` are constant, `parts` is the middle with the holes blank. `previous` holds
    the cells of last quarter's values.
    """

    name: str
    head: bytes
    head_crc: int
    head_deflated: bytes
    parts: tuple[str, ...]
    answers: tuple[AnswerCell, ...]
    texts: tuple[TextHole, ...]
    tail: bytes
    tail_deflated: bytes
    previous: tuple[AnswerCell, ...] = ()

    @classmethod
    def of(
        cls,
        name: str,
        head: str,
        parts: list[str],
        answers: list[AnswerCell],
        texts: list[TextHole],
        tail: str,
    ) -> Template:
        """Deflate the constant pieces: the head open-ended on a byte boundary, the tail to the end of the stream."""
        first, last = head.encode(), tail.encode()
        opening = zlib.compressobj(9, zlib.DEFLATED, -15)
        closing = zlib.compressobj(9, zlib.DEFLATED, -15)
        return cls(
            name,
            first,
            zlib.crc32(first),
            opening.compress(first) + opening.flush(zlib.Z_FULL_FLUSH),
            tuple(parts),
            tuple(cell for cell in answers if not cell.previous),
            tuple(texts),
            last,
            closing.compress(last) + closing.flush(),
            tuple(cell for cell in answers if cell.previous),
        )


@dataclass(frozen=True, slots=True)
class SheetPlan:
    """What annotating must know of a visible sheet. `legacy_from_end` is how many bytes before
    the end of its member a `legacyDrawing` may be put (-1: the sheet has one); `columns` and `rows` are pixel sizes, `rows` only where they are set.
    """

    name: str
    member: str
    legacy_from_end: int
    comments: str
    drawing: str
    column_pixels: tuple[int, ...]
    row_pixels: tuple[tuple[int, int], ...]
    default_row_pixels: int


@dataclass(frozen=True)
class Master:
    """Everything of a form's workbook that a copy is made of. `report_styles` are the cell formats of the 问题清单
    sheet by name.
    """

    members: tuple[Member, ...]
    templates: tuple[Template, ...]
    sheets: tuple[SheetPlan, ...]
    workbook: str
    report_styles: tuple[tuple[str, int], ...]

    @cached_property
    def constant(self) -> bytes:
        """The constant members, ready to open an archive."""
        return b"".join(member.local() for member in self.members)

    @cached_property
    def constant_directory(self) -> bytes:
        """Their directory entries, good for an archive that begins with `constant`."""
        entries, offset = [], 0
        for member in self.members:
            entries.append(member.central(offset))
            offset += len(member.local())
        return b"".join(entries)


@dataclass(frozen=True)
class CompiledForm:
    """A form and the master of its copies; can be pickled. `queries` are doubts about the form that hinder nothing."""

    form: Form
    master: Master
    queries: tuple[Fault, ...] = ()


def archive(members: list[Member], *, after: bytes = b"", directory: bytes = b"", count: int = 0) -> bytes:
    """A zip archive of members, behind `count` members that stand ready in `after` with their `directory`."""
    pieces, entries, offset = [after], [directory], len(after)
    for member in members:
        local = member.local()
        pieces.append(local)
        entries.append(member.central(offset))
        offset += len(local)
    size = sum(map(len, entries))
    total = count + len(members)
    end = _END.pack(b"PK\5\6", 0, 0, total, total, size, offset, 0)
    return b"".join((*pieces, *entries, end))
