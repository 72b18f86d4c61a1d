"""`affiliation` and `suspend`: what schools and those above them change between two baselines (article 11)."""

from __future__ import annotations

import argparse

from workflow.app import App
from workflow.cli.parsing import Commands, add, day, decision
from workflow.cli.printing import say
from workflow.domain.affiliation import RequestState
from workflow.process.affiliation import decide_move, request_move, suspend


def request(app: App, said: argparse.Namespace) -> int:
    """Ask for a unit to be moved to another superior."""
    decides = request_move(app.store, said.unit, said.to, said.by, said.note, app.now())
    say(f"隶属变更申请已登记，由{decides.name}的管理员决定")
    return 0


def decide(app: App, said: argparse.Namespace) -> int:
    """Decide on the open request of a unit."""
    since = day(said.since) if said.since else None
    done = decide_move(
        app.store, said.unit, said.by, said.note, app.now(), agree=not said.refuse, since=since
    )
    roster = app.store.roster()
    assert roster is not None
    name, superior = roster.units[done.unit].name, roster.units[done.new].name
    if done.state is RequestState.AGREED:
        say(f"{name}自 {done.since} 起隶属{superior}")
    else:
        say(f"没有同意{name}改隶{superior}")
    return 0


def listing(app: App, *, everything: bool) -> int:
    """The requests that wait for a decision; 1 while any does."""
    roster = app.store.roster()
    units = roster.units if roster else {}
    known = [one for one in app.store.affiliations() if everything or one.state is RequestState.REQUESTED]
    for one in known:
        unit, old, new = (
            f"{code} {units[code].name}" if code in units else code for code in (one.unit, one.old, one.new)
        )
        decided = f"，{one.decided_by}决定：{one.answer or one.state.word}" if one.decided_by else ""
        say(
            f"{one.state.word} {unit}：{old} → {new}（{one.asked_by} {one.asked_at:%Y-%m-%d}，{one.note}{decided}）"
        )
    waiting = sum(one.state is RequestState.REQUESTED for one in known)
    say(f"待决定的隶属变更申请 {waiting} 项")
    return 1 if waiting else 0


def mark_suspended(app: App, said: argparse.Namespace) -> int:
    """Mark a school 暂停招生, or lift the mark."""
    since = day(said.since) if said.since else None
    held = suspend(app.store, said.unit, said.by, said.note, app.now(), lift=said.lift, since=since)
    words = "恢复招生，照常填报" if said.lift else "暂停招生，不再催报，也不计入应报"
    say(f"{said.unit} 自 {held} 起{words}")
    return 0


def declare(commands: Commands) -> None:
    """The commands of this module, with their words of help."""
    moves = commands.add_parser("affiliation", help="隶属关系变更：申请、决定、查看").add_subparsers(
        required=True
    )
    command = decision(moves, "request", "申请变更学校的隶属关系（变更前后任何一方）", request)
    command.add_argument("--to", required=True, metavar="SUPERIOR", help="新的上级单位代码")
    command = decision(moves, "decide", "对申请作出决定（共同上级的管理员）", decide)
    command.add_argument("--refuse", action="store_true", help="不同意")
    command.add_argument(
        "--from", dest="since", default="", metavar="DATE", help="自哪一天起变更（默认当天）"
    )
    command = add(moves, "list", "查看申请", lambda app, said: listing(app, everything=said.all))
    command.add_argument("--all", action="store_true", help="连同已经决定的")
    command = decision(commands, "suspend", "学校标记或取消暂停招生", mark_suspended)
    command.add_argument("--lift", action="store_true", help="取消标记")
    command.add_argument("--from", dest="since", default="", metavar="DATE", help="自哪一天起")
