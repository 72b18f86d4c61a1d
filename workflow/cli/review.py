"""`review apply`, `approve`, `return`, `report`, `withdraw` and `receipt accept`: decisions from the command line."""

from __future__ import annotations

import argparse
from pathlib import Path

from workflow.app import App
from workflow.cli.parsing import Commands, Parser, Run, add, day, decision
from workflow.cli.printing import complain, say
from workflow.domain.consultation import Talk
from workflow.domain.errors import Fault, Refused, system_words
from workflow.domain.lifecycle import PackageAct
from workflow.domain.submission import ReadOutcome
from workflow.process.decisions import Decisions
from workflow.process.gather import require_campaign, require_roster
from workflow.process.receipt_lists import check_lines, receipt_states, write_list

_ACTS = {
    "request": PackageAct.REQUEST_WITHDRAWAL,
    "grant": PackageAct.GRANT_WITHDRAWAL,
    "refuse": PackageAct.REFUSE_WITHDRAWAL,
}


def _decisions(app: App, campaign: str = "") -> Decisions:
    return Decisions(app.store, app.secretariat, app.policy, app.forms, campaign)


def apply(app: App, path: Path, by: str) -> int:
    """Apply a reviewer's workbook; 1 when a row of it was refused."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Refused(Fault(str(path), f"无法读取（{system_words(error)}）", "请检查文件路径")) from error
    reading = app.readers().read_many([(path.name, data)])[0]
    if reading.outcome is not ReadOutcome.REVIEW or reading.review is None:
        raise Refused(Fault(path.name, reading.reason or "不是审核汇总表", "请使用审核通知所附的工作簿"))
    decided = _decisions(app).apply_book(reading.review, by, app.now())
    for row in decided.applied:
        say(f"已办 {row['unit_name']} {row['decision']}")
    for row in decided.refused:
        complain(f"未予采用 {row['unit_name']}（第{row['row']}行）：{row['reason']}")
    if decided.reported:
        say("本级数据已上报")
    return 1 if decided.refused else 0


def approve(app: App, said: argparse.Namespace) -> int:
    """Approve a unit's data, or accept its package."""
    _decisions(app, said.campaign).approve(said.unit, said.by, said.note, app.now(), package=said.package)
    say(f"{said.unit} 已{'接收' if said.package else '审核通过'}")
    return 0


def send_back(app: App, said: argparse.Namespace) -> int:
    """Return a unit's data, or its package with the 沟通确认 of article 20."""
    talk = Talk(said.talked_to, said.talked_at, said.means, said.due)
    desk = _decisions(app, said.campaign)
    desk.send_back(said.unit, said.by, said.note, app.now(), package=said.package, talk=talk)
    say(f"{said.unit} 已退回修改")
    return 0


def report(app: App, said: argparse.Namespace) -> int:
    """Report a level upward."""
    _decisions(app, said.campaign).report(said.unit, said.by, app.now(), said.note)
    say(f"{said.unit} 已上报")
    return 0


def withdraw(app: App, said: argparse.Namespace) -> int:
    """Ask for a withdrawal, grant or refuse it."""
    act = _ACTS[said.act]
    _decisions(app, said.campaign).withdraw(said.unit, said.by, said.note, app.now(), act)
    words = {"request": "撤报申请已登记", "grant": "已同意撤报并退回", "refuse": "撤报申请未予同意"}
    say(f"{said.unit} {words[said.act]}")
    return 0


def receipt_accept(app: App, said: argparse.Namespace) -> int:
    """Accept both parts of a unit's 回执表, and register whom it names."""
    since = day(said.since) if said.since else None
    done = _decisions(app, said.campaign).accept_receipt(said.unit, said.by, said.note, app.now(), since)
    if not done.read:
        say(f"{said.unit} 回执表已办结；电子版未能识读，名册人员没有变动，请在名册“人员”表中登记")
        return 1
    changed = f"名册人员自 {done.since} 起按回执表登记" if done.changed else "与名册登记的人员一致"
    say(f"{said.unit} 回执表已办结，{changed}")
    return 0


def receipt_show(app: App, unit: str, campaign: str) -> int:
    """Where receipts stand, of one unit with the cells to look at; 1 when something is left to do."""
    known = require_campaign(app.store, campaign)
    roster = require_roster(app.store)
    if unit and unit not in roster.units:
        raise Refused(Fault(f"单位代码 {unit}", "名册中没有这个单位", "请用 huizhi roster show 查看代码"))
    states = [one for one in receipt_states(app.store, known, roster) if unit in ("", one.unit.code)]
    if not states:
        say("本次任务不要求报送负责人回执表" if not unit else "本次任务不要求该单位报送负责人回执表")
        return 0
    for state in states:
        said = f"：{'；'.join(state.matters)}" if state.matters else ""
        say(f"{state.unit.code} {state.unit.name} {state.word}{said}")
        if unit:
            for line in check_lines(state, known, app.files):
                if line.cell:
                    say(f"  {line.cell} 电子版“{line.typed}” 扫描件“{line.seen}” {line.verdict}")
            for path in app.files.receipt_files(known.id, unit):
                say(f"  {path.relative_to(app.workspace)}")
    if not unit:
        place, waiting = write_list(app.store, app.files, known, roster)
        if place:
            say(f"待核对 {waiting} 份，核对单：{place}")
    return 1 if any(state.matters for state in states) else 0


def _decision(commands: Commands, name: str, words: str, work: Run) -> Parser:
    """A decision in one of the campaigns that are running."""
    command = decision(commands, name, words, work)
    command.add_argument("--campaign", default="", metavar="C", help="哪个任务（几个任务同时进行时须写明）")
    return command


def declare(commands: Commands) -> None:
    """The commands of this module, with their words of help."""
    applying = commands.add_parser("review", help="审核汇总表").add_subparsers(required=True)
    command = add(applying, "apply", "按审核汇总表办理", lambda app, said: apply(app, said.file, said.by))
    command.add_argument("file", type=Path, metavar="FILE")
    command.add_argument("--by", required=True, metavar="NAME", help="审核员姓名")
    _decision(
        commands,
        "approve",
        "审核通过，或接收上报数据",
        approve,
    ).add_argument("--package", action="store_true", help="针对该单位上报的数据包")
    _return_command(commands)
    _decision(commands, "report", "上报本级数据", report)
    _decision(
        commands,
        "withdraw",
        "撤报申请：提出、同意、不同意",
        withdraw,
    ).add_argument("--act", choices=("request", "grant", "refuse"), default="request")
    receipts = commands.add_parser("receipt", help="负责人回执表").add_subparsers(required=True)
    command = add(
        receipts,
        "show",
        "查看办理情况；不写单位代码时列出全部，并生成核对单",
        lambda app, said: receipt_show(app, said.unit, said.campaign),
    )
    command.add_argument("unit", nargs="?", default="", metavar="UNIT", help="单位代码")
    command.add_argument("--campaign", default="", metavar="C", help="填报任务（默认为最近一次）")
    command = _decision(receipts, "accept", "回执表核对无误，名册人员按表登记", receipt_accept)
    command.add_argument(
        "--from", dest="since", default="", metavar="DATE", help="人员自哪一天起（默认今天）"
    )


def _return_command(commands: Commands) -> None:
    command = _decision(commands, "return", "退回修改，或退回上报数据", send_back)
    command.add_argument("--package", action="store_true", help="针对该单位上报的数据包")
    command.add_argument("--talked-to", default="", metavar="NAME", help="退回上报数据前与何人沟通确认")
    command.add_argument("--talked-at", default="", metavar="TIME", help="沟通时间，如 2027-01-08 10:30")
    command.add_argument("--means", default="", metavar="WORDS", help="沟通方式，如 电话")
    command.add_argument("--due", default="", metavar="DATE", help="限期，如 2027-01-10")
