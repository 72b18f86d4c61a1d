"""A reviewer's work in a consolidated workbook, quickly: where the rows are is read with calamine, and what is chosen is
written into the sheets' own XML. The cells of ours that a reviewer may fill are blank cells with a format.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence

from python_calamine import CalamineWorkbook, SheetVisibleEnum

from workflow.adapters.workbook.stamp import xml_text

_BLANK = re.compile(r'<c r="([A-Z]+\d+)"((?: s="\d+")?)/>')
_WANTED = {"单位代码", "审核结论", "审核意见"}
_WAITS = "已报送待审核"


def review(data: bytes, note_for: Callable[[str], str], *, report: bool) -> tuple[bytes, int]:
    """The workbook with a verdict in every row that waits for one, and how many rows were sent back. `note_for` gives
    the 审核意见 with which a unit is sent back, '' to approve; 同意上报 is chosen when `report` and nothing was sent back.
    """
    book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    typed: list[dict[str, str]] = []
    cover, back = (-1, ""), 0
    for place, sheet in enumerate(book.sheets_metadata):
        rows = book.get_sheet_by_index(place).to_python(skip_empty_area=False)
        cells, returned = _decided(rows, note_for)
        back += returned
        typed.append(cells if sheet.visible == SheetVisibleEnum.Visible else {})
        if sheet.name == "封面":
            cover = (place, _right_of(rows, "上报意见"))
    if report and not back and cover[1]:
        typed[cover[0]][cover[1]] = "同意上报"
    return _written(data, {f"xl/worksheets/sheet{n}.xml": cells for n, cells in enumerate(typed, 1)}), back


def _decided(rows: Sequence[Sequence[object]], note_for: Callable[[str], str]) -> tuple[dict[str, str], int]:
    cells: dict[str, str] = {}
    columns: dict[str, int] = {}
    back = 0
    for at, row in enumerate(rows, 1):
        if not columns:
            words = {str(cell).strip(): column for column, cell in enumerate(row) if cell not in {"", None}}
            columns = words if words.keys() >= _WANTED else {}
            continue
        code, verdict = str(row[columns["单位代码"]]).strip(), str(row[columns["审核结论"]]).strip()
        waits = "填报状态" not in columns or row[columns["填报状态"]] == _WAITS
        if not re.fullmatch(r"[0-9A-Za-z-]{4,}", code) or verdict or not waits:
            continue
        note = note_for(code)
        back += bool(note)
        cells[f"{_letters(columns['审核结论'])}{at}"] = "退回" if note else "通过"
        if note:
            cells[f"{_letters(columns['审核意见'])}{at}"] = note
    return cells, back


def _right_of(rows: Sequence[Sequence[object]], label: str) -> str:
    for at, row in enumerate(rows, 1):
        for column, cell in enumerate(row):
            if str(cell).strip() == label:
                return f"{_letters(column + 1)}{at}"
    return ""


def _letters(column: int) -> str:
    """A column, counted from 0, as A … Z, AA …"""
    letters, rest = "", column + 1
    while rest:
        rest, last = divmod(rest - 1, 26)
        letters = chr(65 + last) + letters
    return letters


def _written(data: bytes, sheets: Mapping[str, Mapping[str, str]]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(
        target, "w", zipfile.ZIP_DEFLATED, compresslevel=1
    ) as copy:  # fmt: skip
        for item in source.infolist():
            content = source.read(item)
            if cells := sheets.get(item.filename):
                content = _typed(content.decode(), cells).encode()
            copy.writestr(item, content, zipfile.ZIP_DEFLATED, 1)
    return target.getvalue()


def _typed(xml: str, cells: Mapping[str, str]) -> str:
    def fill(found: re.Match[str]) -> str:
        words = cells.get(found[1])
        if words is None:
            return found[0]
        return f'<c r="{found[1]}"{found[2]} t="inlineStr"><is><t>{xml_text(words)}</t></is></c>'

    return _BLANK.sub(fill, xml)
