"""`demo` and `rehearse`: a quarter with simulated people. What plays it is loaded for these commands alone."""

from __future__ import annotations

import argparse
from pathlib import Path

from workflow.app import App
from workflow.cli.parsing import Commands, add
from workflow.domain.errors import Fault, Refused

#: A demo needs three levels and somebody for every habit.
_LEAST_UNITS = 20


def _demo(said: argparse.Namespace) -> int:
    from workflow.demo import main as play  # noqa: PLC0415 - the mail servers are loaded for this command alone

    if said.units < _LEAST_UNITS:
        raise Refused(Fault(f"--units {said.units}", "太少，演示不出各级", f"至少 {_LEAST_UNITS} 个"))
    return play(said.folder, seed=said.seed, units=said.units)


def _rehearse(app: App, said: argparse.Namespace) -> int:
    from workflow.demo.rehearsal.telling import main as play  # noqa: PLC0415 - as for the demo

    return play(app, said.campaign, said.rates, said.units, said.out, imap=said.imap, as_json=said.json)


def declare(commands: Commands) -> None:
    """The commands of this module, with their words of help."""
    demo = commands.add_parser(
        "demo", help="在内置邮件服务器上演示一个季度", description="在内置邮件服务器上演示一个季度"
    )
    demo.add_argument("folder", type=Path, nargs="?", default=Path("demo"), metavar="DIR")
    demo.add_argument("--units", type=int, default=120, help="单位数（默认 120）")
    demo.add_argument("--seed", type=int, default=1, help="随机种子")
    demo.set_defaults(alone=_demo)
    command = add(commands, "rehearse", "在临时副本中演练一个季度，预计信件、审核工作量和自动上报", _rehearse)
    command.add_argument(
        "campaign", nargs="?", default="", metavar="CAMPAIGN", help="如 2026Q4（默认为下一期）"
    )
    command.add_argument(
        "--rates", type=Path, metavar="FILE", help="演练参数（默认为工作目录的 rehearsal.toml）"
    )
    command.add_argument("--units", type=int, default=0, metavar="N", help="只取 N 个单位（保留各级上级）")
    command.add_argument("--imap", action="store_true", help="经内置邮件服务器收发")
    command.add_argument("--out", type=Path, metavar="FILE", help="演练报告写到哪个文件")
    command.add_argument("--json", action="store_true")
