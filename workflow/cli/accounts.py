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
from workflow.cli.printing import complain, say, say_json
from workflow.domain.accounts import Progress
from workflow.domain.errors import Fault, Refused
from workflow.domain.privacy import mask_address
from workflow.domain.roster import Level, Role
from workflow.process.account_figures import account_figures
from workflow.process.account_sending import release, round_of
from workflow.process.account_sending import send as send_round
from workflow.process.accounts import erase_signed, take_list
from workflow.process.addresses import reached
from workflow.process.gather import require_campaign, require_roster

_SHOWN = 20


def take(app: App, said: argparse.Namespace) -> int:
    """Take in the ministry's list; 1 with something to look at."""
    path: Path = said.file
    roster = require_roster(app.store)
    data = file_bytes(path)
    rows = read_accounts(data, path.name, app.config.accounts.columns, _opening(data))
    source = hashlib.sha256(data).hexdigest()
    listed = take_list(app.store, app.accounts.secrets, roster, rows, source, app.now(), again=said.again)
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


def send(app: App, said: argparse.Namespace) -> int:
    """Queue the account sheets whose time has come, and let the rest go out by itself; 1 when some unit cannot be written to."""
    campaign = require_campaign(app.store)
    office, now = app.accounts, app.now()
    erase_signed(app.store, office.secrets)
    roster = reached(require_roster(app.store, campaign), app.store.failed_letters(campaign.id))
    chosen = round_of(office, roster, now, said.unit)
    if said.dry_run:
        for unit, to in chosen.ready[:_SHOWN]:
            relayed = f"（由{roster.units[to.unit].name}转交）" if to.relay_for else ""
            say(f"{unit.code}\t{unit.name}\t{to.name} {mask_address(to.email)}{relayed}")
        if len(chosen.ready) > _SHOWN:
            say(f"另有 {len(chosen.ready) - _SHOWN} 个单位")
        say(f"可以发放 {len(chosen.ready)} 个单位（未发放），待上级签收 {len(chosen.waiting)} 个")
    else:
        sent = send_round(office, roster, campaign, chosen, now)
        if not said.unit:
            release(office, campaign, now)
        say(f"账号信件已排入待发 {sent} 封；待上级签收后自动发放 {len(chosen.waiting)} 个单位")
    for unit in chosen.unreachable:
        complain(
            f"{unit.name}（{unit.code}）：本单位和上级管理员均没有可用的邮箱，账号无法发放；请在名册中补充"
        )
    for unit in chosen.without:
        complain(f"{unit.name}（{unit.code}）：keys/accounts.json 中没有它的账号；请重新导入教育部清单")
    return 1 if chosen.unreachable or chosen.without else 0


def opening(app: App, unit: str) -> int:
    """What opens a unit's sheet, to be told by telephone to whoever is registered."""
    roster = require_roster(app.store)
    if unit not in roster.units:
        raise Refused(Fault(f"单位代码 {unit}", "名册中没有这个单位", "请用 huizhi roster show 查看代码"))
    erase_signed(app.store, app.accounts.secrets)
    kept = app.accounts.secrets.all().get(unit)
    if kept is None:
        what = "没有正在发放的账号"
        raise Refused(
            Fault(
                f"单位代码 {unit}", what, "已签收的已经清除；确需重发的，请用 huizhi accounts import --again"
            )
        )
    people = roster.people(unit, Role.ADMINISTRATOR, app.now().date())
    ring = "、".join(f"{one.name} {one.phone or one.mobile or '无电话'}" for one in people) or "未登记"
    say(f"{roster.units[unit].name}账号表开启口令：{kept.opening}")
    say(f"请回拨名册登记的管理员电话（{ring}），核实后口头告知，不要以邮件、短信发送")
    return 0


def status(app: App, *, as_json: bool) -> int:
    """How far the accounts have come; 1 while a unit has not signed in time or its letter came back."""
    erase_signed(app.store, app.accounts.secrets)
    roster = require_roster(app.store)
    seen = account_figures(app.accounts, roster, app.now())
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
    command = add(accounts, "send", "发放账号：先发最上层，上级签收后自动发下级", send)
    command.add_argument("--dry-run", action="store_true", help="只列出将要发给谁")
    command.add_argument(
        "--unit", default="", metavar="CODE", help="只（重新）发给这个单位，不论上级是否签收"
    )
    command = add(
        accounts, "opening", "显示单位账号表的开启口令，供电话告知", lambda app, said: opening(app, said.unit)
    )
    command.add_argument("unit", metavar="UNIT", help="单位代码")
    command = add(accounts, "status", "查看发放和签收情况", lambda app, said: status(app, as_json=said.json))
    command.add_argument("--json", action="store_true")
