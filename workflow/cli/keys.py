"""`keys list`, `rotate` and `retire`: the keys that make routing tokens. No secret is ever printed."""

from __future__ import annotations

import datetime as dt

from workflow.adapters.keys.tokens import LETTERS
from workflow.app import App
from workflow.cli.parsing import Commands, add
from workflow.cli.printing import say
from workflow.domain.errors import Fault, Refused


def listing(app: App) -> int:
    """Every key: its letter, when it was made, and whether its tokens route."""
    keys, today = app.token_keys.all(), app.now().date()
    for key in keys:
        if key.retired(today):
            state = f"{key.retires}起已停用"
        elif key.retires:
            state = f"将于{key.retires}停用"
        else:
            state = "正在使用" if key == keys[-1] else "不再签发，以前签发的编号仍然有效"
        say(f"{key.id}\t{key.made or '生成日期无记录'}\t{state}")
    say(f"编号密钥 {len(keys)} 个")
    return 0


def rotate(app: App) -> int:
    """A new key for the tokens that are issued from now on."""
    key = app.token_keys.rotate(app.now().date())
    say(f"已更换为编号密钥 {key.id}，今后签发的编号使用它；以前签发的编号仍然有效")
    return 0


def retire(app: App, letter: str, day: str) -> int:
    """From a day on an older key's tokens route nothing."""
    if letter not in LETTERS or len(letter) != 1:
        raise Refused(Fault(f"编号密钥 {letter}", "没有这个密钥", "请用 huizhi keys list 查看现有密钥"))
    try:
        from_day = dt.date.fromisoformat(day) if day else app.now().date()
    except ValueError as error:
        raise Refused(Fault(f"--from {day}", "不是日期", "请写成 2027-03-01 的样子")) from error
    key = app.token_keys.retire(letter, from_day)
    say(f"编号密钥 {key.id} 自{key.retires}起停用，届时用它签发的编号不再用于对应单位，来件由工作人员处置")
    return 0


def declare(commands: Commands) -> None:
    """The commands of this module, with their words of help."""
    keys = commands.add_parser("keys", help="编号密钥：列出、更换、停用").add_subparsers(required=True)
    add(keys, "list", "列出编号密钥", lambda app, said: listing(app))
    add(keys, "rotate", "更换编号密钥，以前签发的编号仍然有效", lambda app, said: rotate(app))
    command = add(keys, "retire", "停用一个旧的编号密钥", lambda app, said: retire(app, said.key, said.since))
    command.add_argument("key", metavar="KEY", help="密钥的字母")
    command.add_argument("--from", dest="since", default="", metavar="DATE", help="停用日期（默认为当天）")
