"""`accounts`: the ministry's accounts taken in and handed on down the tree. No command prints an account's password."""

from __future__ import annotations

import argparse
import getpass
import hashlib
import sys
from pathlib import Path

from workflow.adapters.workbook.account_list import is_locked, read_accounts
from workflow.app import App
from workflow.cli.parsing import Commands, add, file_bytes
from workflow.cli.printing import say, say_json
from workflow.domain.accounts import Progress
from workflow.domain.roster import Level
from workflow.process.account_figures import account_figures
from workflow.process.accounts import erase_signed, take_list
from workflow.process.gather import require_roster

_SHOWN = 20


def take(app: App, said: argparse.Namespace) -> int:
    """Take in the ministry's list; 1 with something to look at."""
    path: Path = said.file
    roster = require_roster(app.store)
    data = file_bytes(path)
    rows = read_accounts(data, path.name, app.config.accounts.columns, _opening(data))
    source = hashlib.sha256(data).hexdigest()
    listed = take_list(app.store, app.account_secrets, roster, rows, source, app.now(), again=said.again)
    say(
        f"账号清单已导入：{listed.accounts}个账号；待发放{len(listed.fresh)}个单位，已在发放的{len(listed.unchanged)}个，"
        f"已签收、不再发放的{len(listed.signed)}个"
    )
    for query in listed.queries[:_SHOWN]:
        say(f"  待核 {query}")
    if len(listed.queries) > _SHOWN:
        say(f"  另有 {len(listed.queries) - _SHOWN} 项")
    if listed.fresh:
        say("初始密码存放在 keys/accounts.json，签收后即行清除；清单文件请另行妥善保管或者删除")
    return 1 if listed.queries else 0


def _opening(data: bytes) -> str:
    """What opens a list that is locked: asked for on a terminal, else the first line of standard input."""
    if not is_locked(data):
        return ""
    if sys.stdin.isatty():
        return getpass.getpass("账号清单的打开密码：")
    return sys.stdin.readline().removesuffix("\n").removesuffix("\r")


def status(app: App, *, as_json: bool) -> int:
    """How far the accounts have come; 1 while a unit has not signed in time or its letter came back."""
    erase_signed(app.store, app.account_secrets)
    roster = require_roster(app.store)
    seen = account_figures(app.store, roster, app.account_ladder, app.schedule.workdays, app.now())
    if as_json:
        say_json(
            {
                "levels": {
                    level.value: {one.name.lower(): count[one] for one in Progress}
                    for level, count in seen.levels.items()
                },
                "unlisted": {level.value: count for level, count in seen.unlisted.items()},
                "late": [
                    {"unit": unit.code, "name": unit.name, "progress": progress.name.lower()}
                    for unit, progress in seen.late
                ],
            }
        )
        return 1 if seen.late else 0
    for level in Level:
        if level in seen.levels:
            count = seen.levels[level]
            say(f"{level.word}：" + "、".join(f"{one} {count[one]}" for one in Progress if count[one]))
    if not seen.levels:
        say("还没有导入账号清单")
    elif missing := "、".join(
        f"{level.word} {seen.unlisted[level]}" for level in Level if level in seen.unlisted
    ):
        say(f"名册中没有账号的单位：{missing}")
    for unit, progress in seen.late[:_SHOWN]:
        say(f"{progress} {unit.code} {unit.name}")
    if len(seen.late) > _SHOWN:
        say(f"另有 {len(seen.late) - _SHOWN} 个，见 --json")
    return 1 if seen.late else 0


def declare(commands: Commands) -> None:
    """The commands of this module, with their words of help."""
    accounts = commands.add_parser(
        "accounts", help="系统账号：导入教育部清单、逐级发放、查看签收"
    ).add_subparsers(required=True)
    command = add(accounts, "import", "导入教育部的账号清单，核对后待发放", take)
    command.add_argument(
        "file", type=Path, metavar="FILE", help="账号清单（xlsx）；设有打开密码的，在提示后输入"
    )
    command.add_argument("--again", action="store_true", help="已签收的单位也重新发放（教育部重置了密码的）")
    command = add(accounts, "status", "查看发放和签收情况", lambda app, said: status(app, as_json=said.json))
    command.add_argument("--json", action="store_true")
