"""Reporting up 上报: by the level's 审核员 inside the window, or by the calendar with the data as they stand (article 18).

A package's rows are its own members' standings; packages below keep their own rows, so that a figure stands in one place.
Packages below that are still open go up first: one level at a time.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from typing import Any

from workflow.domain.events import Event
from workflow.domain.letters import LetterKind, LetterOrder
from workflow.domain.lifecycle import Package, PackageAct, is_counted
from workflow.domain.merge import CARRIED, Origin, Standing, stand
from workflow.domain.replay import package_after
from workflow.domain.roster import Role, Unit
from workflow.process.situation import SYSTEM, Outcome, Situation


def standings(situation: Situation, package: Unit) -> tuple[Standing, ...]:
    """How the data of a package's own members stand now, in the roster's order."""
    rows = []
    for unit in situation.roster.members(package.code):
        case = situation.case_of(unit.code)
        if case is None or not is_counted(case, unit):
            continue
        versions = situation.submissions.get((case.campaign, case.unit, case.form), ())
        earlier = situation.earlier.get((case.unit, case.form))
        rows.append(stand(case, versions, earlier.standing if earlier else None))
    return tuple(rows)


def report(
    situation: Situation, package: Package, at: dt.datetime, by: str, *, auto: bool, cause: str, note: str = ""
) -> Outcome:  # fmt: skip
    """Report a package upward as it stands at `at`, with its reviewer's note; raises NotAllowed when its state does not allow it."""
    roster = situation.roster
    unit = roster.units[package.unit]
    outcome = Outcome()
    for child in roster.packages_below(unit.code):
        below = situation.packages.get((package.campaign, child.code))
        if below is not None and not below.locked:
            first = report(situation, below, at, SYSTEM, auto=True, cause=cause)
            situation, outcome = situation.after(first), outcome + first
    rows = standings(situation, unit)
    act = PackageAct.AUTO_REPORT if auto else PackageAct.REPORT
    data: dict[str, Any] = {
        "by": by,
        "as_of": at.isoformat(),
        "rows": [[row.unit, row.form, row.origin.value, row.submission, row.number] for row in rows],
    }
    if note:
        data["note"] = note
    event = Event(package.stream, package.events + 1, f"package.{act.value}", at, by, cause, data)
    after = package_after(package, event)
    letters = _announce(situation, after, rows, at, by, auto)
    cases = [situation.case_of(member.code) for member in roster.members(unit.code)]
    rests_on = frozenset(case.stream for case in cases if case is not None)
    return outcome + Outcome(events=(event,), packages=(after,), letters=letters, rests_on=rests_on)


def _announce(
    situation: Situation, package: Package, rows: tuple[Standing, ...], at: dt.datetime, by: str, auto: bool
) -> tuple[LetterOrder, ...]:
    """Tell the level itself, the level above and, after an automatic report, the level's 视察员."""
    roster = situation.roster
    unit = roster.units[package.unit]
    above = next(roster.above(unit.code), None)
    above_name = above.name if above else "教育部"
    own = situation.case_of(unit.code)
    form = own.form if own else ""
    day, cause = at.date(), f"{package.stream}#{package.version}"
    words = counts_in_words(rows)
    missing = [roster.units[row.unit].name for row in rows if row.origin in CARRIED | {Origin.MISSING}]
    letters = []

    def write(kind: LetterKind, about: Unit, role: Role, context: dict[str, object]) -> None:
        to = roster.recipient(about.code, role, day)
        if to is not None:
            letters.append(
                LetterOrder(kind, package.campaign, unit.code, form, to, at, f"{cause}/{role}", context)
            )

    if auto:
        context = {"level_name": unit.name, "deadline": at, "counts": words, "missing": missing}
        write(LetterKind.AUTO_REPORT, unit, Role.ADMINISTRATOR, context)
        if roster.people(unit.code, Role.REVIEWER, day):
            write(LetterKind.AUTO_REPORT, unit, Role.REVIEWER, context)
        letters.extend(_escalate(situation, unit, form, rows, at, cause, words, missing))
    else:
        context = {
            "level_name": unit.name, "reported_at": at, "by": by, "counts": words, "superior_name": above_name,
        }  # fmt: skip
        write(LetterKind.REPORT_CONFIRMATION, unit, Role.REVIEWER, context)
    if above is not None:
        again = "原汇总表中该单位的行不再有效，新的汇总表随后发送。" if package.version > 1 else ""
        hint = "数据列入本级汇总表“下级上报”表，请在审核结论栏填写意见后回复。"
        context = {"from_name": unit.name, "auto": auto, "counts": words, "accept_hint": again + hint}
        write(LetterKind.REPORT_RECEIVED, above, Role.REVIEWER, context)
    return tuple({(order.kind, order.to.email): order for order in letters}.values())


def _escalate(
    situation: Situation,
    unit: Unit,
    form: str,
    rows: tuple[Standing, ...],
    at: dt.datetime,
    cause: str,
    words: list[tuple[str, int]],
    missing: list[str],
) -> Iterable[LetterOrder]:
    """The 视察员 learns of the automatic report: directly, or through the 管理员 as 请转呈 (附件2 gives no address)."""
    inspectors = situation.roster.people(unit.code, Role.INSPECTOR, at.date())
    to = situation.roster.recipient(unit.code, Role.INSPECTOR, at.date())
    if not inspectors or to is None:
        return
    inspector = inspectors[0]
    context = {
        "inspector_name": inspector.name,
        "inspector_phone": inspector.mobile or inspector.phone,
        "via_admin": to.role is not Role.INSPECTOR,
        "level_name": unit.name,
        "deadline": at,
        "counts": words,
        "missing": missing,
        "unreviewed": sum(row.origin is Origin.NOT_REVIEWED for row in rows),
    }
    yield LetterOrder(
        LetterKind.ESCALATION, situation.campaign.id if situation.campaign else "", unit.code, form, to, at,
        f"{cause}/{Role.INSPECTOR}", context,
    )  # fmt: skip


def counts_in_words(rows: Iterable[Standing]) -> list[tuple[str, int]]:
    """How many rows of each origin, by their Chinese words, in the order of the origins; none of zero."""
    counted = Counter(row.origin for row in rows)
    return [(origin.word, counted[origin]) for origin in Origin if counted[origin]]
