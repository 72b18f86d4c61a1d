"""The bytes of a workbook, alike at every run: openpyxl writes the time of saving, this takes it out."""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING

from .layout import MAKER

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

MADE = b"2026-09-01T00:00:00Z"
STAMP = (2026, 9, 1, 0, 0, 0)


def pack(book: Workbook, title: str) -> bytes:
    """The workbook as bytes with fixed times."""
    book.properties.creator = book.properties.lastModifiedBy = MAKER
    book.properties.title = title
    raw = io.BytesIO()
    book.save(raw)
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(raw) as source,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target,
    ):
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*", rb"\g<1>" + MADE, content)
            member = zipfile.ZipInfo(name, STAMP)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o644 << 16
            target.writestr(member, content)
    return packed.getvalue()
