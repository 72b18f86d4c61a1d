"""`import legacy`: phase-one data taken over as what was last reported."""

from __future__ import annotations

import argparse
import hashlib
from collections import Counter
from pathlib import Path

from workflow.adapters.workbook.legacy_book import Doubts, LegacyMark, read_doubts, write_doubts
from workflow.adapters.workbook.legacy_table import LegacyMapping, read_legacy, read_legacy_mapping
from workflow.app import App
from workflow.cli.parsing import Commands, add, file_bytes
from workflow.cli.printing import say
from workflow.domain.errors import Fault, Refused
from workflow.process.gather import require_roster
from workflow.process.legacy import LegacyFile, LegacySource, prepare, take_over

_SHOWN = 10


def import_legacy(app: App, said: argparse.Namespace) -> int:
    """Match the old system's export with the roster. What is certain and whole is taken over at once; else everything waits
    for the decisions in the workbook that is written.
    """
    data = file_bytes(said.file)
    mapped = file_bytes(said.mapping) if said.mapping else b""
    mapping = read_legacy_mapping(mapped, said.mapping.name) if said.mapping else LegacyMapping()
    roster = require_roster(app.store)
    forms = {name: form for name, (form, _) in app.template_forms().items()}
    rows = read_legacy(data, said.file.name, mapping)
    file = prepare(app.store, roster, rows, forms, mapping.rows, mapping.aliases)
    sha = hashlib.sha256(data).hexdigest()
    number = app.store.next_numbers(["roster"])["roster"]
    mark = LegacyMark(sha, hashlib.sha256(mapped).hexdigest(), number)
    if not said.approve and (file.doubtful or file.left_out or file.unread):
        return _ask(app, file, mark, said.out)
    if not said.by:
        raise Refused(Fault("--by", "没有写明谁决定导入", "请加上 --by 姓名"))
    decided: list[str] = []
    if said.approve:
        decided = read_doubts(file_bytes(said.approve), said.approve.name, file.doubtful, mark, roster)
    taken = take_over(
        app.store, file, decided, LegacySource(said.file.name, sha, said.by, said.note), app.now()
    )
    say(f"一期数据已导入：{taken}个单位，作为上期数据预填；不导入{len(rows) - taken}行")
    return 0


def _ask(app: App, file: LegacyFile, mark: LegacyMark, target: Path | None) -> int:
    """Write what is to be decided; nothing is taken over."""
    target = target or app.workspace / "rosters" / "一期数据核对表.xlsx"
    counts = Counter("把握" if match.certain else "待核" if match.unit else "无主" for match in file.matches)
    counted = (
        f"共{len(file.matches)}行：相符{counts['把握']}行，待核对{counts['待核']}行，找不到单位{counts['无主']}行；"
        f"未对应的原字段{len(file.left_out)}个，读不出的数据{len(file.unread)}处"
    )
    target.parent.mkdir(exist_ok=True)
    doubts = Doubts(file.doubtful, file.left_out, file.unread)
    target.write_bytes(write_doubts(doubts, mark, file.roster, counted))
    say(f"{counted}；尚未导入")
    for match in file.doubtful[:_SHOWN]:
        unit = f"{match.unit} {file.roster.units[match.unit].name}" if match.unit else "（无）"
        say(f"  {match.row.place} {match.row.name} → {unit} 把握{match.confidence:.0%} {match.why}")
    if len(file.doubtful) > _SHOWN:
        say(f"  另有 {len(file.doubtful) - _SHOWN} 行，见核对表")
    for heading, count in file.left_out[:_SHOWN]:
        say(f"  未对应的原字段 {heading}（{count}行有数据）")
    if len(file.left_out) > _SHOWN:
        say(f"  另有 {len(file.left_out) - _SHOWN} 个未对应的原字段，见核对表")
    say(f"核对表已写出 {target}；请逐行填写“决定”，然后运行")
    say(f"  huizhi import legacy 原文件 --approve {target} --by 姓名")
    return 1


def declare(commands: Commands) -> None:
    """The commands of this module, with their words of help."""
    imports = commands.add_parser("import", help="导入：一期数据").add_subparsers(required=True)
    command = add(imports, "legacy", "导入一期系统的数据，作为上期数据预填", import_legacy)
    command.add_argument("file", type=Path, metavar="FILE", help="一期系统导出的数据（xlsx、xls、csv）")
    command.add_argument(
        "--mapping", type=Path, metavar="FILE", help="有“映射”表的工作簿：原字段对应到哪个新字段"
    )
    command.add_argument("--approve", type=Path, metavar="FILE", help="填好决定的核对表")
    command.add_argument("--out", type=Path, metavar="FILE", help="核对表写到哪个文件")
    command.add_argument("--by", default="", metavar="NAME", help="谁决定导入")
    command.add_argument("--note", default="", metavar="TEXT", help="说明")
