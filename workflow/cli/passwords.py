"""`password set`, `forget` and `list`: the passwords that units lock their workbooks with. None is ever an argument or printed."""

from __future__ import annotations

import getpass
import sys

from workflow.adapters.workbook.unlock import MOST_CHARACTERS
from workflow.app import App
from workflow.cli.parsing import Commands, add
from workflow.cli.printing import say
from workflow.domain.errors import Fault, Refused
from workflow.process.gather import current_campaign, require_roster, roster_of


def register(app: App, unit: str) -> int:
    """Keep a unit's password, asked for on a terminal, else the first line of standard input."""
    roster = require_roster(app.store)
    if unit not in roster.units:
        raise Refused(Fault(f"单位代码 {unit}", "名册中没有这个单位", "请用 huizhi roster show 查看代码"))
    if sys.stdin.isatty():
        password = getpass.getpass(f"{roster.units[unit].name}的打开密码：")
        if getpass.getpass("再输入一遍：") != password:
            raise Refused(Fault("打开密码", "两次输入的不一致", "请重新登记"))
    else:
        password = sys.stdin.readline().removesuffix("\n").removesuffix("\r")
    if not password:
        raise Refused(Fault("打开密码", "没有输入密码", "请在提示后输入，或由标准输入给出一行"))
    if len(password) > MOST_CHARACTERS:
        raise Refused(Fault("打开密码", f"超过{MOST_CHARACTERS}个字", "Excel的打开密码没有这样长，请核对"))
    app.passwords.register(unit, password)
    say(f"{unit} 打开密码已登记，今后该单位来件设有密码的用它打开；已答复过的来件请对方重新发送")
    return 0


def forget(app: App, unit: str) -> int:
    """Drop a unit's password."""
    if not app.passwords.forget(unit):
        raise Refused(Fault(f"单位代码 {unit}", "没有登记打开密码", "请用 huizhi password list 查看"))
    say(f"{unit} 打开密码已删除")
    return 0


def listing(app: App) -> int:
    """The units with a password; the passwords themselves are not shown."""
    registered = app.passwords.all()
    roster = roster_of(app.store, current_campaign(app.store))
    for unit in registered:
        known = roster.units.get(unit) if roster else None
        say(f"{unit}\t{known.name if known else '（不在名册中）'}")
    say(f"登记打开密码的单位 {len(registered)} 个")
    return 0


def declare(commands: Commands) -> None:
    """The commands of this module, with their words of help."""
    password = commands.add_parser(
        "password", help="单位工作簿的打开密码：登记、删除、列出单位"
    ).add_subparsers(required=True)
    add(
        password,
        "set",
        "登记打开密码（在提示后输入，不写在命令中）",
        lambda app, said: register(app, said.unit),
    ).add_argument("unit", metavar="UNIT", help="单位代码")
    add(password, "forget", "删除打开密码", lambda app, said: forget(app, said.unit)).add_argument(
        "unit", metavar="UNIT", help="单位代码"
    )
    add(password, "list", "列出登记了打开密码的单位", lambda app, said: listing(app))
