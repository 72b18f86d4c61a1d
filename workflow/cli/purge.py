"""`purge`: personal data that are past their time are erased, and the ledger says so."""

from __future__ import annotations

import datetime as dt

from workflow.app import App
from workflow.cli.parsing import Commands, add
from workflow.cli.printing import say
from workflow.domain.campaign import SHANGHAI
from workflow.domain.errors import Fault, Refused
from workflow.domain.retention import Kind


def purge(app: App, before: str, dry_run: bool) -> int:
    """Erase, or with `dry_run` say what would be erased, a line for each kind."""
    purged = app.purge(_moment(before, app.now()) if before else None, dry=dry_run)
    if not purged.before:
        say("config.toml 的 [retention] 没有规定保存期限，未清除任何内容")
        return 0
    for kind in Kind:
        if kind in purged.before:
            payloads, files = purged.payloads.get(kind, 0), purged.files.get(kind, 0)
            said = "、".join(
                words
                for count, words in ((payloads, f"台账 {payloads} 条"), (files, f"文件 {files} 个"))
                if count
            )
            say(f"{kind.word}\t{purged.before[kind]:%Y-%m-%d %H:%M} 以前\t{said or '没有应当清除的'}")
    if dry_run:
        say("以上为应当清除的内容，尚未清除")
    elif purged.empty:
        say("没有应当清除的内容")
    else:
        say("已清除，台账各条及其校验不变；清除情况已记入台账。备份和导出的台账副本请另行处理")
    return 0


def _moment(text: str, now: dt.datetime) -> dt.datetime:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError as error:
        raise Refused(Fault(f"--before {text}", "不是日期", "请写成 2026-01-01 的样子")) from error
    moment = dt.datetime.combine(day, dt.time(), SHANGHAI)
    if moment > now:
        raise Refused(Fault(f"--before {text}", "晚于今天", "请写一个过去的日期"))
    return moment


def declare(commands: Commands) -> None:
    """The command of this module, with its words of help."""
    command = add(
        commands,
        "purge",
        "清除超过保存期限的个人信息，台账保持完整",
        lambda app, said: purge(app, said.before, said.dry_run),
    )
    command.add_argument("--dry-run", action="store_true", help="只列出应当清除的内容，不清除")
    command.add_argument(
        "--before", default="", metavar="DATE", help="不按 [retention] 的期限，清除这一天以前的各类内容"
    )
