"""The command line `huizhi`: parse, call, print. Exit codes: 0 done, 1 done with findings, 2 refused, 3 outside failed."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from workflow import __version__
from workflow.app import App, collect_seldom
from workflow.cli import (
    accounts,
    affiliation,
    campaign,
    contacts,
    forms,
    intake,
    keys,
    ledger,
    legacy,
    mail,
    passwords,
    problems,
    purge,
    quarantine,
    rehearse,
    review,
    run,
    units,
    workspace,
)
from workflow.cli.parsing import Parser
from workflow.cli.printing import complain, mask_logs
from workflow.domain.errors import Conflict, Fault, OutsideFailed, Refused, system_words

#: Each declares its own commands, in the order in which help shows them.
_DOORS = (
    workspace, run, rehearse, units, affiliation, problems, accounts, legacy, forms, passwords, keys, campaign, contacts, intake,
    mail, quarantine, review,
    ledger, purge,
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    collect_seldom()
    mask_logs()
    said = parser().parse_args(arguments)
    try:
        return _run(said)
    except Refused as refused:
        for fault in refused.faults:
            complain(fault)
        return 2
    except OutsideFailed as failure:
        complain(failure.fault)
        return 3
    except Conflict:
        complain("另一进程正在写入，本次未做任何改动，请稍后再试")
        return 3
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        complain(
            Fault(
                str(error.filename or "文件"),
                f"无法读写（{system_words(error)}）",
                "请检查路径和权限",
            )
        )
        return 2
    except KeyboardInterrupt:
        complain("已中断，已提交的工作保留")
        return 3


def _run(said: argparse.Namespace) -> int:
    if said.alone is not None:
        return int(said.alone(said))
    app = App(said.workspace)
    try:
        return int(said.run(app, said))
    finally:
        app.close()


def parser() -> Parser:
    """Every command with its words of help."""
    top = Parser("huizhi", description="回执：用电子邮件和工作簿逐级收集、审核、上报数据")
    top.add_argument(
        "--workspace", type=Path, default=Path(), metavar="DIR", help="工作目录（默认为当前目录）"
    )
    top.add_argument("--version", action="version", version=f"huizhi {__version__}")
    top.set_defaults(alone=None)
    commands = top.add_subparsers(required=True, metavar="命令")
    for door in _DOORS:
        door.declare(commands)
    return top


if __name__ == "__main__":
    sys.exit(main())
