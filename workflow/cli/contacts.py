"""`contacts`: the contact directory of each level, written and mailed."""

from __future__ import annotations

import argparse

from workflow.app import App
from workflow.cli.parsing import Commands, add, level_named
from workflow.cli.printing import say
from workflow.domain.errors import Fault, Refused
from workflow.process.directories import make_directories, send_directories, with_directory
from workflow.process.gather import require_campaign, require_roster


def contacts(app: App, said: argparse.Namespace) -> int:
    """Write the directories, of one level or one unit when named, and queue them with --send; 1 when one can't be sent."""
    campaign, roster, now = require_campaign(app.store), require_roster(app.store), app.now()
    units = with_directory(roster)
    if said.level:
        level = level_named(said.level)
        units = [unit for unit in units if unit.kind.level is level]
    if said.unit:
        units = [unit for unit in units if unit.code == said.unit]
        if not units:
            raise Refused(
                Fault(f"单位代码 {said.unit}", "不是有下级单位的层级", "请填写省级、市级或县级单位的代码")
            )
    made = make_directories(app.files, roster, campaign, units, now.date())
    for one in made:
        known = one.directory
        say(f"{known.unit.code} {known.unit.name} {known.units}个单位 {known.people}人 outbox/{one.path}")
    without = [one.directory.unit for one in made if one.to is None]
    if not said.send:
        return 0
    count = send_directories(app.store, app.secretariat, roster, campaign, made, now)
    say(f"已列入发信 {count} 封")
    for unit in without:
        say(f"未发送 {unit.code} {unit.name}：该级管理员没有登记电子邮箱，名录不由他人转交")
    return 1 if without else 0


def declare(commands: Commands) -> None:
    """The command of this module, with its words of help."""
    command = add(commands, "contacts", "联络人员名录：本级和下一级人员", contacts)
    command.add_argument("--level", default="", metavar="L", help="只写某一层级，如 county")
    command.add_argument("--unit", default="", metavar="CODE", help="只写某一单位")
    command.add_argument("--send", action="store_true", help="发给各级管理员（每天一次）")
