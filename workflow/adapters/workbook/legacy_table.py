"""The old system's export 一期数据 and the workbook that says where its columns go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from workflow.adapters.workbook.definition import Definition
from workflow.adapters.workbook.mapping_sheet import MAPPING, read_mapping
from workflow.adapters.workbook.plain_tables import tables
from workflow.adapters.workbook.roster_cells import cell, heading, headings
from workflow.domain.errors import Fault, Refused
from workflow.domain.form import FieldMapping, column_letters
from workflow.domain.legacy import LegacyCell, LegacyRow
from workflow.domain.mapping import plain

#: What names a unit, as a mapping's 新字段 writes it, and the headings under which it is found without one.
IDENTITY: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "原账号": ("account", ("原账号", "账号", "一期账号", "登录账号", "登录名", "用户名")),
    "单位代码": (
        "code",
        ("单位代码", "学校代码", "学校标识码", "学校（机构）标识码", "机构代码", "标识码", "学校识别码"),
    ),
    "单位名称": ("name", ("单位名称", "学校名称", "机构名称", "学校（机构）名称")),
    "上级单位": ("superior", ("上级单位", "上级单位名称", "主管部门", "所属区县", "所属县区", "隶属单位")),
}
ALIASES = "别名"


@dataclass(frozen=True, slots=True)
class LegacyMapping:
    """What a mapping workbook says: the rows of its sheet 映射, and units by the accounts of the old system (sheet 别名)."""

    rows: tuple[FieldMapping, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)


def read_legacy_mapping(data: bytes, name: str) -> LegacyMapping:
    """A mapping workbook; raises Refused with every fault at once."""
    sheets = dict(tables(data, name))
    found = Definition(name)
    if MAPPING not in sheets and ALIASES not in sheets:
        raise Refused(
            Fault(name, "没有“映射”表", "请在“映射”表中列出原字段、新字段，需要时再加系数、选项对应、表单")
        )
    rows = read_mapping(found, [tuple(line) for line in sheets.get(MAPPING, ())])
    aliases: dict[str, str] = {}
    if ALIASES in sheets:
        lines = sheets[ALIASES]
        head, columns = headings(lines, {"原账号": "account", "单位代码": "code"})
        if len(columns) < 2:
            found.fault(f"{ALIASES}!A1", "缺少列标题“原账号”或“单位代码”", "请在第一行补上列标题")
        else:
            for line in lines[head + 1 :]:
                account, code = (str(cell(_at(line, columns[key]), key)) for key in ("account", "code"))
                if account and code:
                    aliases[account] = code
    if found.faults:
        raise Refused(found.faults)
    return LegacyMapping(rows, aliases)


def read_legacy(data: bytes, name: str, mapping: LegacyMapping) -> tuple[LegacyRow, ...]:
    """The rows of every sheet that names units; raises Refused when there is none."""
    wanted = {heading(words): key for key, every in IDENTITY.values() for words in every}
    for row in mapping.rows:
        if row.new in IDENTITY:
            wanted[heading(row.old)] = IDENTITY[row.new][0]
    rows: list[LegacyRow] = []
    for sheet, lines in tables(data, name):
        head, columns = headings(lines, wanted)
        if {"code", "name", "account"} & columns.keys():
            rows += _rows(sheet, lines, head, columns)
    if not rows:
        words = "、".join(every[0] for _, every in list(IDENTITY.values())[:3])
        remedy = f"请核对文件；表头名称不同的，请用 --mapping 的“映射”表把它对应到 {'、'.join(IDENTITY)}"
        raise Refused(Fault(name, f"没有一张表的表头有{words}之一", remedy))
    return tuple(rows)


def _rows(
    sheet: str, lines: Sequence[Sequence[object]], head: int, columns: Mapping[str, int]
) -> Iterator[LegacyRow]:
    above = lines[head - 1] if head else ()
    titles: dict[int, str] = {}
    for at, value in enumerate(lines[head]):
        words = heading(value) or (heading(_at(above, at)) if head else "")
        if (
            words
            and at not in columns.values()
            and plain(words) not in {plain(one) for one in titles.values()}
        ):
            titles[at] = words
    for number, line in enumerate(lines[head + 1 :], start=head + 2):
        named = {key: str(cell(_at(line, at), key)) for key, at in columns.items()}
        if not any(named.get(key) for key in ("account", "code", "name")):
            continue
        cells = {
            words: LegacyCell(f"{sheet}!{column_letters(at + 1)}{number}".lstrip("!"), _at(line, at))  # type: ignore[arg-type]
            for at, words in titles.items()
            if _at(line, at) not in {None, ""}
        }
        yield LegacyRow(sheet, number, **named, cells=cells)


def _at(line: Sequence[object], at: int) -> object:
    return line[at] if at < len(line) else None
