"""`problem`: what units have reported to be wrong with the roster, and how it ended."""

from __future__ import annotations

import datetime as dt

from workflow.app import App
from workflow.cli.parsing import Commands, add, with_reason
from workflow.cli.printing import say
from workflow.domain.privacy import mask_words
from workflow.domain.problems import Problem
from workflow.domain.roster import Roster
from workflow.process.gather import require_roster
from workflow.process.problems import close, numbered_problem


def listing(app: App, *, everything: bool) -> int:
    """The reports that wait for an answer, the first to fall due first; 1 while any does."""
    roster, now = require_roster(app.store), app.now()
    known = app.store.problems()
    shown = sorted((one for one in known if everything or one.open), key=lambda one: (not one.open, one.due))
    for one in shown:
        say(mask_words(in_one_line(one, roster, now)))
    waiting = [one for one in known if one.open]
    overdue = sum(one.overdue(now) for one in waiting)
    say(f"未办结的名册问题 {len(waiting)} 项" + (f"，其中逾期 {overdue} 项" if overdue else ""))
    return 1 if waiting else 0


def in_one_line(one: Problem, roster: Roster, now: dt.datetime) -> str:
    """A report as the list shows it."""
    about = _named(roster, one.unit) if one.unit else f"{one.code} {one.name}".strip() or "（未写明单位）"
    owner = roster.units[one.owner].name if one.owner in roster.units else one.owner
    last = (one.due - dt.timedelta(seconds=1)).date()
    if one.closed_at is not None:
        state = f"已办结（{one.closed_by} {one.closed_at:%Y-%m-%d}：{one.answer}）"
    else:
        state = f"{owner}限{last}前处理" + ("，已逾期" if one.overdue(now) else "")
    return f"第{one.number}号 {one.kind} {about}：{state}"


def show(app: App, number: int) -> int:
    """One report whole."""
    roster, now = require_roster(app.store), app.now()
    one = numbered_problem(app.store, number)
    say(in_one_line(one, roster, now))
    who = _named(roster, one.reporter) if one.reporter else "未登记的地址"
    say(
        f"反映：{who} {one.sender or '（地址已清除）'}，{one.reported_at:%Y-%m-%d %H:%M}，邮件 {one.message[:12]}"
    )
    say(f"原文：{one.words or '（已清除）'}")
    if one.superior:
        say(f"应隶属：{_named(roster, one.superior)}")
    return 0


def closing(app: App, number: int, by: str, note: str) -> int:
    """Close a report."""
    close(app.store, require_roster(app.store), number, by, note, app.now())
    say(f"第{number}号名册问题已办结；下次日程（huizhi tick）告知反映的单位")
    return 0


def _named(roster: Roster, code: str) -> str:
    return f"{code} {roster.units[code].name}" if code in roster.units else code


def declare(commands: Commands) -> None:
    """The commands of this module, with their words of help."""
    problems = commands.add_parser("problem", help="各单位反映的名册问题：查看、办结").add_subparsers(
        required=True
    )
    command = add(problems, "list", "查看名册问题", lambda app, said: listing(app, everything=said.all))
    command.add_argument("--all", action="store_true", help="连同已经办结的")
    command = add(problems, "show", "查看一项名册问题的全部内容", lambda app, said: show(app, said.number))
    command.add_argument("number", type=int, metavar="NUMBER", help="编号")
    command = add(
        problems, "close", "办结一项名册问题", lambda app, said: closing(app, said.number, said.by, said.note)
    )
    command.add_argument("number", type=int, metavar="NUMBER", help="编号")
    with_reason(command)
