"""How commands are declared: a parser that refuses in the office's words, and the arguments that many commands share."""

from __future__ import annotations

import argparse
import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TypeAlias

from workflow.app import App
from workflow.cli.printing import complain
from workflow.domain.errors import Fault, Refused, system_words
from workflow.domain.roster import Level

Run = Callable[[App, argparse.Namespace], int]

#: What argparse says, in the office's words; the rest of its sentence names the argument.
_ARGPARSE_WORDS = (
    (r"the following arguments are required: ", "缺少 "),
    (r"unrecognized arguments: ", "不认识的参数 "),
    (
        r"argument ([^:]+): invalid choice: ('?[^' ]*'?) \(choose from (.*)\)",
        r"\1 没有 \2 这个值，可用的有 \3",
    ),
    (r"argument ([^:]+): invalid \w+ value: ", r"\1 的值不对 "),
    (r"argument ([^:]+): expected (?:one argument|at least one argument)", r"\1 后面缺少值"),
)


class Parser(argparse.ArgumentParser):
    """A parser that refuses in one line, as every refusal of this program does."""

    def error(self, message: str) -> NoReturn:
        for english, chinese in _ARGPARSE_WORDS:
            message = re.sub(english, chinese, message)
        complain(f"{self.prog}：命令写法不对（{message}）；请用 {self.prog} --help 查看用法")
        raise SystemExit(2)


#: What commands are added to; argparse has no public name for it.
Commands: TypeAlias = "argparse._SubParsersAction[Parser]"  # noqa: SLF001


def add(commands: Commands, name: str, words: str, work: Run) -> Parser:
    """A command with its words of help."""
    command = commands.add_parser(name, help=words, description=words)
    command.set_defaults(run=work)
    return command


def file_bytes(path: Path) -> bytes:
    """A file that was named; raises Refused when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise Refused(Fault(str(path), f"无法读取（{system_words(error)}）", "请检查文件路径")) from error


def day(text: str) -> dt.date:
    """A day that was typed; raises Refused for anything else."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise Refused(Fault(text, "不是日期", "请写成 2026-11-08 的样子")) from error


def level_named(name: str) -> Level:
    """A level that was typed; raises Refused for anything else."""
    try:
        return Level(name)
    except ValueError as error:
        known = "、".join(level.value for level in Level if level is not Level.SCHOOL)
        raise Refused(Fault(f"--level {name}", "没有这个层级", f"可用的有 {known}")) from error


def decision(commands: Commands, name: str, words: str, work: Run) -> Parser:
    """A command that decides about a unit: who decides, and why."""
    command = add(commands, name, words, work)
    command.add_argument("unit", metavar="UNIT", help="单位代码")
    command.add_argument("--by", required=True, metavar="NAME", help="谁作的决定")
    command.add_argument("--note", default="", metavar="TEXT", help="理由或意见")
    return command


def with_reason(command: Parser) -> None:
    """Who decides, and the reason on record."""
    command.add_argument("--by", required=True, metavar="NAME", help="谁作的决定")
    command.add_argument("--note", required=True, metavar="TEXT", help="理由")
