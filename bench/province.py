"""A province's workbook of 5,000 units and 80 indicators: `python -m bench.province ours|openpyxl`.

Prints the seconds of writing alone, and the most memory that the process ever held in MB.
"""

from __future__ import annotations

import datetime as dt
import io
import sys
import time
from collections import Counter
from pathlib import Path

import openpyxl

from workflow.adapters.workbook.consolidate import write_book
from workflow.domain.campaign import SHANGHAI, Window
from workflow.domain.form import Aggregate, Field, FieldType, Form, Value
from workflow.domain.merge import (
    BookRow,
    BookSheet,
    ConsolidatedBook,
    Cover,
    Origin,
    TotalRow,
    TotalSheet,
    total,
)
from workflow.domain.roster import Unit, UnitKind

ROWS, COLUMNS = 5000, 80
_WORDS = ("信息中心", "电教馆", "现代教育技术中心", "网络管理办公室")
_TYPES = (FieldType.INTEGER, FieldType.INTEGER, FieldType.YES_NO, FieldType.DECIMAL, FieldType.TEXT)


def book() -> ConsolidatedBook:
    """Six of ten indicators are figures, the rest are words, as in the shipped forms."""
    fields = tuple(
        Field(
            f"f{n}", f"指标{n}", kind := _TYPES[n % len(_TYPES)],
            aggregate=Aggregate.SUM if kind.is_number else Aggregate.NONE,
        )
        for n in range(COLUMNS)
    )  # fmt: skip
    form = Form(
        "school", "季报表（中小学）", 1, (UnitKind.SCHOOL.value,), "教信1表", "省教育厅", fields, (), ()
    )
    root = Unit("410000", "河南省教育厅", UnitKind.PROVINCE, "")
    now = dt.datetime(2027, 1, 16, tzinfo=SHANGHAI)
    rows = []
    for n in range(ROWS):
        unit = Unit(f"4101{n:06d}", f"实验学校{n:04d}", UnitKind.SCHOOL, root.code)
        answers = {field.name: _answer(field.type, n, place) for place, field in enumerate(fields)}
        rows.append(
            BookRow(unit, "第1市教育局", "已报送待审核", Origin.NOT_REVIEWED, 1, now, answers, decidable=True)
        )
    window = Window(now - dt.timedelta(days=5), now)
    counts = Counter({Origin.NOT_REVIEWED: ROWS})
    cover = Cover(
        root, "2026Q4", "2026年第四季度", 1, "HZ-ABCDEFGHIJKLMNOPQ", now, now, window, "未上报", counts, ROWS,
        reportable=True,
    )  # fmt: skip
    totals = TotalRow(root, 0, ROWS, ROWS, total(form, [row.answers for row in rows]))
    sheets = (BookSheet(form, tuple(rows)),)
    return ConsolidatedBook(cover, (), sheets, (TotalSheet(form, (totals,)),), ())


def _answer(kind: FieldType, row: int, column: int) -> Value:
    if kind is FieldType.TEXT:
        return _WORDS[(row + column) % len(_WORDS)]
    if kind is FieldType.YES_NO:
        return (row * column) % 3 > 0
    return row * 7 % 3000 + column if kind is FieldType.INTEGER else round((row * column) % 9973 / 10, 1)


def ours(content: ConsolidatedBook) -> None:
    write_book(content, io.BytesIO())


def plainly(content: ConsolidatedBook) -> None:
    """The bare values of the units' sheet: no formats, no choices, no totals."""
    written = openpyxl.Workbook(write_only=True)
    sheet = written.create_sheet("中小学")
    fields = [field for field in content.sheets[0].form.fields if not field.explains]
    sheet.append(["单位代码", "单位名称", "所属", "状态", *(field.label for field in fields)])
    for row in content.sheets[0].rows:
        figures = [row.answers[field.name] for field in fields]
        shown = [("是" if value else "否") if isinstance(value, bool) else value for value in figures]
        sheet.append([row.unit.code, row.unit.name, row.package, row.state, *shown])
    written.save(io.BytesIO())


def _most_memory() -> float:
    """MB at most; getrusage would count the parent's from before the program was started."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main(writer: str) -> None:
    content = book()
    began = time.perf_counter()
    {"ours": ours, "openpyxl": plainly}[writer](content)
    taken = time.perf_counter() - began
    print(taken, _most_memory())


if __name__ == "__main__":
    main(sys.argv[1])
