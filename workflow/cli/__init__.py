"""The command line `huizhi`: parse, call, print. Exit codes: 0 done, 1 done with findings, 2 refused, 3 outside failed."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from workflow import __version__
from workflow.app import App
from workflow.cli import campaign, intake, ledger, passwords, quarantine, review, run, units, workspace
from workflow.cli.printing import complain
from workflow.domain.consultation import Talk
from workflow.domain.errors import Conflict, Fault, OutsideFailed, Refused

Run = Callable[[App, argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
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
                f"无法读写（{os.strerror(error.errno or 0)}）",
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
    _workspace_commands(commands)
    _unit_commands(commands)
    _campaign_commands(commands)
    _mail_commands(commands)
    _review_commands(commands)
    _ledger_commands(commands)
    return top


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


if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[Parser]  # noqa: SLF001 - argparse has no public name for it


def _add(commands: Commands, name: str, words: str, work: Run) -> Parser:
    command = commands.add_parser(name, help=words, description=words)
    command.set_defaults(run=work)
    return command


def _workspace_commands(commands: Commands) -> None:
    init = commands.add_parser("init", help="建立新的工作目录", description="建立新的工作目录")
    init.add_argument("folder", type=Path, metavar="DIR")
    init.set_defaults(alone=lambda said: workspace.init(said.folder))
    _add(
        commands,
        "doctor",
        "检查配置、名册、表单、数据库和邮件服务器",
        lambda app, said: workspace.doctor(app),
    )
    _add(
        commands, "run", "按 config.toml 的间隔自动收信、办理日程、发信和汇总", lambda app, said: run.run(app)
    )
    demo = commands.add_parser(
        "demo", help="在内置邮件服务器上演示一个季度", description="在内置邮件服务器上演示一个季度"
    )
    demo.add_argument("folder", type=Path, nargs="?", default=Path("demo"), metavar="DIR")
    demo.add_argument("--units", type=int, default=120, help="单位数（默认 120）")
    demo.add_argument("--seed", type=int, default=1, help="随机种子")
    demo.set_defaults(alone=_demo)
    command = _add(
        commands, "rehearse", "在临时副本中演练一个季度，预计信件、审核工作量和自动上报", _rehearse
    )
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


def _unit_commands(commands: Commands) -> None:
    roster = commands.add_parser("roster", help="名册：导入、比较、查看").add_subparsers(required=True)
    command = _add(roster, "import", "导入名册", lambda app, said: units.roster_import(app, said.file))
    command.add_argument("file", type=Path, metavar="FILE")
    command = _add(roster, "diff", "比较名册，不作改动", lambda app, said: units.roster_diff(app, said.file))
    command.add_argument("file", type=Path, metavar="FILE")
    _add(roster, "show", "查看单位和联系人", lambda app, said: units.roster_show(app))
    password = commands.add_parser(
        "password", help="单位工作簿的打开密码：登记、删除、列出单位"
    ).add_subparsers(required=True)
    _add(
        password,
        "set",
        "登记打开密码（在提示后输入，不写在命令中）",
        lambda app, said: passwords.register(app, said.unit),
    ).add_argument("unit", metavar="UNIT", help="单位代码")
    _add(password, "forget", "删除打开密码", lambda app, said: passwords.forget(app, said.unit)).add_argument(
        "unit", metavar="UNIT", help="单位代码"
    )
    _add(password, "list", "列出登记了打开密码的单位", lambda app, said: passwords.listing(app))
    form = commands.add_parser("form", help="表单：起草、检查、预览、试算").add_subparsers(required=True)
    check = form.add_parser("check", help="检查表单", description="检查表单")
    check.add_argument("file", type=Path, metavar="FILE")
    check.set_defaults(alone=lambda said: units.form_check(said.file))
    trying = _add(
        form,
        "try",
        "用已收到的数据试算表单的规则，看会询问多少单位",
        lambda app, said: units.form_try(app, said.file, said.campaign, as_json=said.json),
    )
    trying.add_argument("file", type=Path, metavar="FILE")
    trying.add_argument("--campaign", default="", metavar="C", help="填报任务（默认为最近一期）")
    trying.add_argument("--json", action="store_true")
    new = form.add_parser("new", help="为带标记的工作簿起草定义表", description="为带标记的工作簿起草定义表")
    new.add_argument("file", type=Path, metavar="FILE")
    new.add_argument("--out", type=Path, metavar="FILE", help="写到哪个文件")
    new.set_defaults(alone=lambda said: units.form_new(said.file, said.out))
    preview = _add(
        form,
        "preview",
        "写出一个单位的工作簿",
        lambda app, said: units.form_preview(app, said.file, said.unit, said.out),
    )
    preview.add_argument("file", type=Path, metavar="FILE")
    preview.add_argument("--unit", required=True, metavar="CODE", help="单位代码")
    preview.add_argument("--out", type=Path, metavar="FILE", help="写到哪个文件")


def _campaign_commands(commands: Commands) -> None:
    command = _add(
        commands,
        "open",
        "开启填报任务并生成通知",
        lambda app, said: campaign.open_campaign(app, said.campaign, said.receipt_due),
    )
    command.add_argument("campaign", metavar="CAMPAIGN", help="如 2026Q4")
    command.add_argument("--receipt-due", default="", metavar="DATE", help="要求报送负责人回执表的日期")
    command = _add(commands, "tick", "办理到期事项", lambda app, said: campaign.tick(app, said.now))
    command.add_argument("--now", default="", metavar="ISO", help="按此时刻办理")
    command = _add(
        commands,
        "consolidate",
        "写出汇总表",
        lambda app, said: campaign.consolidate(app, said.campaign, said.level, said.unit),
    )
    command.add_argument("--campaign", default="", metavar="C")
    command.add_argument("--level", default="", metavar="L", help="层级，如 county")
    command.add_argument("--unit", default="", metavar="CODE", help="单位代码")
    command = _add(
        commands,
        "status",
        "查看进展",
        lambda app, said: campaign.status(app, said.campaign, said.level, said.json),
    )
    command.add_argument("--campaign", default="", metavar="C")
    command.add_argument("--level", default="", metavar="L", help="层级，如 county")
    command.add_argument("--json", action="store_true")


def _mail_commands(commands: Commands) -> None:
    command = _add(
        commands, "send", "发出待发信件", lambda app, said: intake.send(app, said.dry_run, said.now)
    )
    command.add_argument("--dry-run", action="store_true", help="只列出，不发送")
    command.add_argument("--now", action="store_true", help="不等发信服务器要求的暂停期满（限额仍然有效）")
    _add(commands, "poll", "收取一次邮件", lambda app, said: intake.poll(app))
    command = _add(
        commands,
        "ingest",
        "收入邮件文件",
        lambda app, said: intake.ingest(app, said.paths, said.received, said.json),
    )
    command.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    command.add_argument("--received", default="", metavar="ISO", help="收到的时间")
    command.add_argument("--json", action="store_true")
    command = _add(
        commands,
        "check",
        "试读填报文件，不作改动",
        lambda app, said: intake.check(app, said.files, said.json),
    )
    command.add_argument("files", nargs="+", type=Path, metavar="FILE")
    command.add_argument("--json", action="store_true")

    _quarantine_commands(commands)


def _quarantine_commands(commands: Commands) -> None:
    waiting = commands.add_parser("quarantine", help="待人工处置的来件：查看、放行、删除").add_subparsers(
        required=True
    )
    command = _add(
        waiting, "list", "列出待处置的来件和原因", lambda app, said: quarantine.listing(app, said.all)
    )
    command.add_argument("--all", action="store_true", help="已处置的也列出")
    command = _add(waiting, "show", "查看一封来件", lambda app, said: quarantine.show(app, said.id))
    command.add_argument("id", metavar="ID", help="邮件编号的前几位")
    command = _add(
        waiting,
        "release",
        "放行：按所属单位的来件重新办理",
        lambda app, said: quarantine.release(app, said.id, said.unit, said.by, said.note),
    )
    command.add_argument("id", metavar="ID", help="邮件编号的前几位")
    command.add_argument("--unit", default="", metavar="CODE", help="是哪个单位的（来件能看出的可不写）")
    _with_reason(command)
    command = _add(
        waiting,
        "delete",
        "删除原件，保留记录",
        lambda app, said: quarantine.delete(app, said.id, said.by, said.note),
    )
    command.add_argument("id", metavar="ID", help="邮件编号的前几位")
    _with_reason(command)


def _with_reason(command: Parser) -> None:
    command.add_argument("--by", required=True, metavar="NAME", help="谁作的决定")
    command.add_argument("--note", required=True, metavar="TEXT", help="理由")


def _review_commands(commands: Commands) -> None:
    applying = commands.add_parser("review", help="审核汇总表").add_subparsers(required=True)
    command = _add(
        applying, "apply", "按审核汇总表办理", lambda app, said: review.apply(app, said.file, said.by)
    )
    command.add_argument("file", type=Path, metavar="FILE")
    command.add_argument("--by", required=True, metavar="NAME", help="审核员姓名")
    _decision(
        commands,
        "approve",
        "审核通过，或接收上报数据",
        lambda app, said: review.approve(app, said.unit, said.by, said.note, said.package),
    ).add_argument("--package", action="store_true", help="针对该单位上报的数据包")
    _return_command(commands)
    _decision(commands, "report", "上报本级数据", lambda app, said: review.report(app, said.unit, said.by))
    _decision(
        commands,
        "withdraw",
        "撤报申请：提出、同意、不同意",
        lambda app, said: review.withdraw(app, said.unit, said.by, said.note, said.act),
    ).add_argument("--act", choices=("request", "grant", "refuse"), default="request")
    receipts = commands.add_parser("receipt", help="负责人回执表").add_subparsers(required=True)
    _decision(
        receipts,
        "accept",
        "回执表核对无误",
        lambda app, said: review.receipt_accept(app, said.unit, said.by, said.note),
    )


def _return_command(commands: Commands) -> None:
    def send_back(app: App, said: argparse.Namespace) -> int:
        talk = Talk(said.talked_to, said.talked_at, said.means, said.due)
        return review.send_back(app, said.unit, said.by, said.note, said.package, talk)

    command = _decision(commands, "return", "退回修改，或退回上报数据", send_back)
    command.add_argument("--package", action="store_true", help="针对该单位上报的数据包")
    command.add_argument("--talked-to", default="", metavar="NAME", help="退回上报数据前与何人沟通确认")
    command.add_argument("--talked-at", default="", metavar="TIME", help="沟通时间，如 2027-01-08 10:30")
    command.add_argument("--means", default="", metavar="WORDS", help="沟通方式，如 电话")
    command.add_argument("--due", default="", metavar="DATE", help="限期，如 2027-01-10")


def _decision(commands: Commands, name: str, words: str, work: Run) -> Parser:
    command = _add(commands, name, words, work)
    command.add_argument("unit", metavar="UNIT", help="单位代码")
    command.add_argument("--by", required=True, metavar="NAME", help="谁作的决定")
    command.add_argument("--note", default="", metavar="TEXT", help="理由或意见")
    return command


def _ledger_commands(commands: Commands) -> None:
    command = _add(
        commands,
        "trace",
        "追溯一个数据",
        lambda app, said: ledger.trace(app, said.unit, said.field, said.campaign),
    )
    command.add_argument("unit", metavar="UNIT", help="单位代码")
    command.add_argument(
        "field",
        metavar="FIELD",
        help="字段名；重复表格的单元格写作 表.行次.列（设备.3.数量），整列写作 表.列",
    )
    command.add_argument("--campaign", default="", metavar="C")
    books = commands.add_parser("ledger", help="台账：核验、导出").add_subparsers(required=True)
    _add(books, "verify", "核验台账", lambda app, said: ledger.verify(app))
    command = _add(books, "export", "导出台账", lambda app, said: ledger.export(app, said.folder))
    command.add_argument("folder", type=Path, metavar="DIR")
    command = _add(commands, "rebuild", "由台账重建各表", lambda app, said: ledger.rebuild(app, said.folder))
    command.add_argument(
        "folder", type=Path, nargs="?", metavar="DIR", help="台账副本（默认为工作目录的 ledger）"
    )


if __name__ == "__main__":
    sys.exit(main())
