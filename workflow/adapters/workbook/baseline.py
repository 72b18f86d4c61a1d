"""The quarter's baseline 基准数据 as it is handed on: a workbook or a text file with columns of the sender's own names.

`config.toml` says once which column is which and how the sender calls the kinds of units.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from workflow.adapters.workbook.plain_tables import tables
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
    sheet, lines = tables(data, name)[0]
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
