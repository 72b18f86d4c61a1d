"""`roster`: the baseline of units, its changes, and the tree of any day."""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

from workflow.adapters.workbook.baseline import Mapped, read_baseline
from workflow.adapters.workbook.change_book import Mark, read_decisions, write_changes
from workflow.adapters.workbook.roster import is_roster, read_roster
from workflow.app import App
from workflow.cli.parsing import Commands, add, day, file_bytes
from workflow.cli.printing import say
from workflow.domain.errors import Fault, Refused
from workflow.domain.roster import Role, Roster, Unit
from workflow.domain.roster_changes import Decision
from workflow.process.baseline import (
    Comparison,
    Source,
    compare,
    counted,
    difference,
    import_roster,
    in_words,
    is_first,
    passed_over,
    put_in_force,
    with_ties,
)
from workflow.process.gather import current_campaign, require_roster, roster_of
from workflow.process.situation import SYSTEM

_SHOWN = 20


def roster_import(app: App, said: argparse.Namespace) -> int:
    """Import a baseline: the first one whole; a later one is compared, and applied once its changes are approved."""
    path: Path = said.file
    data = file_bytes(path)
    own = is_roster(data)
    roster, queries = _read(app, data, path.name)
    _refuse_own_address(app, roster, path.name)
    sha = hashlib.sha256(data).hexdigest()
    if is_first(app.store):
        import_roster(app.store, roster, queries, path.name, sha, app.now())
        say(f"名册已导入：{len(roster.units)}个单位，{len(roster.contacts)}名联系人，{len(queries)}项待核")
        return _queries(queries)
    since = day(said.since) if said.since else None
    compared = compare(app.store, roster, since, app.now().date(), own=own)
    queries = (*queries, *passed_over(app.store, compared))
    mark = Mark(sha, compared.number, compared.since)
    if not said.approve and compared.changes and (since or not compared.plain):
        return _ask(app, compared, mark, said.out)
    source = Source(path.name, sha, said.by or SYSTEM, said.note, said.yes_really)
    if not said.approve:
        agreed = [Decision.AGREED] * len(compared.changes)
        put_in_force(app.store, compared, agreed, queries, source, app.now())
        kept = app.store.roster() or roster
        say(f"名册已导入：{len(kept.units)}个单位，{len(kept.contacts)}名联系人，{len(queries)}项待核")
        return _queries(queries)
    filled = read_decisions(file_bytes(said.approve), said.approve.name, compared.changes, mark)
    compared, decided = with_ties(compared, filled.decisions, filled.ties)
    applied = put_in_force(app.store, compared, decided, queries, source, app.now())
    held = sum(one is Decision.HELD for one in decided)
    say(
        f"名册变更已批准，自 {compared.since} 起生效：变更或新增{len(applied.units)}个单位，撤销{len(applied.closed)}个，"
        f"沿用原有数据的关联{len(applied.links)}项，暂缓{held}项"
    )
    return _queries(queries)


def _read(app: App, data: bytes, name: str) -> tuple[Roster, tuple[Fault, ...]]:
    """Our own roster, or a baseline by the columns of config.toml."""
    if is_roster(data):
        return read_roster(data, name)
    said = app.config.baseline
    return read_baseline(data, name, Mapped(said.columns.model_dump(), said.kinds))


def _refuse_own_address(app: App, roster: Roster, name: str) -> None:
    own = app.config.letterhead.address
    if used := roster.known_address(own, app.now().date()):
        names = "、".join(sorted({roster.units[contact.unit].name for contact in used}))
        raise Refused(Fault(f"{name} 人员", f"{names}的联系人用了系统自己的邮箱 {own}", "请改为该单位的邮箱"))


def _ask(app: App, compared: Comparison, mark: Mark, target: Path | None) -> int:
    """Write the changes for approval; nothing is applied."""
    target = target or app.workspace / "rosters" / f"名册变更核对表-{compared.since}.xlsx"
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(write_changes(compared.changes, mark, {**compared.new.units, **compared.old.units}))
    say(f"共 {len(compared.changes)} 项变更（{counted(compared.changes)}），尚未生效")
    for change in compared.changes[:_SHOWN]:
        say(f"  {in_words(change)}")
    if len(compared.changes) > _SHOWN:
        say(f"  另有 {len(compared.changes) - _SHOWN} 项，见核对表")
    say(f"核对表已写出 {target}；请逐行填写“决定”，然后运行")
    say(f"  huizhi roster import 原文件 --from {compared.since} --approve {target}")
    return 1


def _queries(queries: tuple[Fault, ...]) -> int:
    for query in queries[:_SHOWN]:
        say(f"  待核 {query}")
    if len(queries) > _SHOWN:
        say(f"  另有 {len(queries) - _SHOWN} 项，见 huizhi status")
    return 1 if queries else 0


def roster_diff(app: App, path: Path) -> int:
    """What an import would change; nothing is changed. 1 when there is a difference."""
    roster, _ = _read(app, file_bytes(path), path.name)
    lines = difference(app.store.roster(), roster)
    for line in lines:
        say(line)
    say(f"共 {len(lines)} 处不同" if lines else "没有不同")
    return 1 if lines else 0


def roster_show(app: App, on: str) -> int:
    """The tree of units with who is registered, today or as it was on a day."""
    require_roster(app.store)
    today = app.now().date()
    roster = app.store.roster(day(on)) if on else roster_of(app.store, current_campaign(app.store))
    assert roster is not None
    known = roster

    def show(unit: Unit, depth: int) -> None:
        people = "、".join(
            f"{role}{'/'.join(c.name for c in found)}"
            for role in Role
            if (found := known.people(unit.code, role, day(on) if on else today))
        )
        paused = "，暂停招生" if unit.suspended else ""
        say(f"{'  ' * depth}{unit.code} {unit.name}（{unit.kind}{paused}）{people}")
        for child in known.children(unit.code):
            show(child, depth + 1)

    for root in known.children(""):
        show(root, 0)
    return 0


def declare(commands: Commands) -> None:
    """The commands of this module, with their words of help."""
    roster = commands.add_parser("roster", help="名册：导入、比较、查看").add_subparsers(required=True)
    command = add(roster, "import", "导入名册或季度基准数据，核对后生效", roster_import)
    command.add_argument("file", type=Path, metavar="FILE", help="名册工作簿，或者基准数据（xlsx、csv）")
    command.add_argument("--from", dest="since", default="", metavar="DATE", help="自哪一天起生效")
    command.add_argument("--approve", type=Path, metavar="FILE", help="填好决定的核对表")
    command.add_argument("--out", type=Path, metavar="FILE", help="核对表写到哪个文件")
    command.add_argument("--by", default="", metavar="NAME", help="批准人")
    command.add_argument("--note", default="", metavar="TEXT", help="理由")
    command.add_argument(
        "--yes-really", action="store_true", help="确实要撤销三分之一以上的单位（须写 --note）"
    )
    command = add(roster, "diff", "比较名册，不作改动", lambda app, said: roster_diff(app, said.file))
    command.add_argument("file", type=Path, metavar="FILE")
    command = add(roster, "show", "查看单位和联系人", lambda app, said: roster_show(app, said.on))
    command.add_argument("--on", default="", metavar="DATE", help="查看某一天的名册")
