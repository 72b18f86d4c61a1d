"""The quarter's baseline 基准数据 as it is handed on: a workbook or a text file with columns of the sender's own names.

`config.toml` says once which column is which and how the sender calls the kinds of units.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from python_calamine import CalamineError, load_workbook

from workflow.adapters.workbook.roster_cells import cell, heading, headings
from workflow.domain.errors import Fault, Refused
from workflow.domain.roster import Roster, UnitKind
from workflow.domain.roster_checks import UnitRow, build_roster
from workflow.domain.unit_codes import code_faults, code_queries, short_division

#: What a baseline tells of a unit (articles 9 and 10), and what our own roster calls it.
COLUMNS: Mapping[str, str] = {
    "code": "单位代码", "name": "单位名称", "kind": "单位类型", "superior": "上级单位代码",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mapped:
    """How a sender's table is read: the heading of each column by what it tells, and his words for kinds by ours."""

    columns: Mapping[str, str] = field(default_factory=lambda: dict(COLUMNS))
    kinds: Mapping[str, UnitKind] = field(default_factory=dict)


def read_baseline(data: bytes, name: str, mapped: Mapped) -> tuple[Roster, tuple[Fault, ...]]:
    """The tree in a baseline, without people, and the queries on it; raises Refused with every fault at once."""
    sheet, lines = _table(data, name)
    wanted = {heading(words): attribute for attribute, words in mapped.columns.items()}
    head, columns = headings(lines, wanted)
    if missing := [words for attribute, words in mapped.columns.items() if attribute not in columns]:
        remedy = f"表头应有：{'、'.join(mapped.columns.values())}；名称不同的，请在 config.toml 的 [baseline.columns] 中对应"
        raise Refused(Fault(f"{name} {sheet}".strip(), f"表头缺少{'、'.join(missing)}", remedy))
    rows = [
        UnitRow(number, **values, sheet=sheet)
        for number, values in _filled(lines[head + 1 :], head + 2, columns, mapped.kinds)
    ]
    if not rows:
        raise Refused(Fault(f"{name} {sheet}".strip(), "表中没有单位", "请核对文件"))
    faults = list(code_faults(rows))
    try:
        roster, _ = build_roster(rows, ())
    except Refused as refused:
        raise Refused([*refused.faults, *faults]) from refused
    if faults:
        raise Refused(faults)
    return roster, tuple(code_queries(rows))


def _filled(
    lines: Sequence[Sequence[object]], first: int, columns: Mapping[str, int], kinds: Mapping[str, UnitKind]
) -> Iterator[tuple[int, dict[str, str]]]:
    for number, line in enumerate(lines, start=first):
        values = {
            attribute: str(cell(line[at], attribute)) if at < len(line) else ""
            for attribute, at in columns.items()
        }
        if any(values.values()):
            kind = kinds.get(values["kind"])
            codes = {key: short_division(values[key]) for key in ("code", "superior")}
            yield number, {**values, **codes, "kind": kind.value if kind else values["kind"]}


def _table(data: bytes, name: str) -> tuple[str, Sequence[Sequence[object]]]:
    """The name of the sheet ('' of a text file) and its lines: of a workbook the first sheet that has any."""
    if name.lower().endswith((".csv", ".txt", ".tsv")):
        return "", _text_lines(data, name)
    try:
        book = load_workbook(io.BytesIO(data))
    except CalamineError as error:
        remedy = "请用Excel或WPS打开，另存为“Excel 工作簿（*.xlsx）”或 csv；设有密码的请先取消"
        raise Refused(Fault(name, "不是可以读取的工作簿", remedy)) from error
    for sheet in book.sheet_names:
        lines = book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
        if lines:
            return sheet, lines
    raise Refused(Fault(name, "工作簿中没有数据", "请核对文件"))


def _text_lines(data: bytes, name: str) -> list[list[str]]:
    text = _decoded(data, name)
    first = text.partition("\n")[0]
    between = max((",", "\t", ";", "，"), key=first.count)
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=between))


def _decoded(data: bytes, name: str) -> str:
    """Text of the encodings that Excel and WPS write: UTF-8 and UTF-16 by their mark, else UTF-8, else GB 18030."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "gb18030"]
    line = 1
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
    raise Refused(
        Fault(
            f"{name} 第{line}行附近",
            "文字编码不认识，既不是UTF-8也不是GB18030",
            "请用Excel打开，另存为“CSV UTF-8”",
        )
    )
