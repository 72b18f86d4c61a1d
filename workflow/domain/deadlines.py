"""What the calendar owes (article 18): which reminders, review requests and automatic reports are due at a moment.

Pure: the moment, the last poll and what has been done already come in as arguments. Each thing owed has a key that is
written with its effect in one transaction, so that it happens once whatever happens to the process or the clock.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from workflow.domain.campaign import SHANGHAI, Campaign, Window, midnight
from workflow.domain.ladder import Ladder, Rung, asked_at, in_window
from workflow.domain.lifecycle import Package
from workflow.domain.problems import Problem
from workflow.domain.roster import Roster
from workflow.domain.workdays import OFFICE_OPENS, Workdays


class Owed(StrEnum):
    """The kinds of things that the calendar owes."""

    REMINDER = "reminder"
    RECEIPT_REMINDER = "receipt_reminder"
    PHONE_LIST = "phone_list"
    REVIEW_REQUEST = "review_request"
    REVIEW_REMINDER = "review_reminder"
    ESCALATION = "escalation"
    AUTO_REPORT = "auto_report"
    PROBLEM = "problem"


#: The cut-off of what never goes up by itself.
NEVER = dt.datetime(2999, 1, 1, tzinfo=SHANGHAI)
#: What is gathered into one letter to an address on a day, once a day when offices open.
GATHERED = frozenset(
    {
        Owed.REMINDER,
        Owed.RECEIPT_REMINDER,
        Owed.PHONE_LIST,
        Owed.REVIEW_REMINDER,
        Owed.ESCALATION,
        Owed.PROBLEM,
    }
)
#: On which working day before (negative: after) a reported problem is due each step about it is taken.
PROBLEM_STEPS: Mapping[Rung, int] = {Rung.ADMINISTRATOR: 1, Rung.REVIEWER: -1, Rung.INSPECTOR: -2}
#: What nobody is told of any more once the package goes up.
_OF_PACKAGE = frozenset({Owed.REVIEW_REQUEST, Owed.REVIEW_REMINDER, Owed.ESCALATION})
_OF_UNITS = frozenset({Owed.REMINDER, Owed.PHONE_LIST})


@dataclass(frozen=True, slots=True)
class Due:
    """One thing owed since `at`. `package` is the unit code of the package concerned, '' for the whole campaign; `rung` is
    set where somebody above is told. `skipped` marks a letter that a later one of the same kind has overtaken: it is
    noted, not sent.
    """

    at: dt.datetime
    owed: Owed
    key: str
    package: str = ""
    skipped: bool = False
    rung: Rung | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """When letters go out, from config.toml, in working days: before the date on which units are asked to reply; before a
    package's window closes, for its reviewer; before (negative: after) the receipt's date; up the ladder. `grace` is how
    long an automatic report waits for a successful poll.
    """

    reply_days: tuple[int, ...] = (7, 2)
    review_days: tuple[int, ...] = (2, 1)
    receipt_days: tuple[int, ...] = (3, -1)
    grace: dt.timedelta = dt.timedelta(hours=12)
    ladder: Ladder = field(default_factory=Ladder)
    workdays: Workdays = field(default_factory=Workdays)


def gathered_key(day: dt.date) -> str:
    """The step that is done when a day's reminders have gone out; no others go out on that day."""
    return f"gathered/{day}"


def gathering_key(day: dt.date) -> str:
    """The step that is done when a day's reminders begin to go out; without the other one a crash came between."""
    return f"gathering/{day}"


def owed(
    now: dt.datetime,
    campaign: Campaign,
    roster: Roster,
    packages: Iterable[Package],
    done: Collection[str],
    schedule: Schedule,
    problems: Iterable[Problem] = (),
) -> list[Due]:
    """Everything owed by `now` and not done, in the order of its times; at one time, lower levels first. Reminders wait
    until offices open, so that those of a day are known together, and until tomorrow when today's have gone out.
    """
    open_packages = [package for package in packages if not package.locked]
    due = [
        *_reminders(campaign, schedule),
        *_receipt_reminders(campaign, schedule),
        *_reviews(campaign, roster, open_packages, schedule),
        *_auto_reports(campaign, roster, open_packages),
        *_problems(campaign, roster, problems, schedule),
    ]
    today = now.astimezone(SHANGHAI).date()
    asleep = now < midnight(today) + OFFICE_OPENS or gathered_key(today) in done
    waiting = [
        item for item in due
        if item.at <= now and item.key not in done and not (asleep and item.owed in GATHERED)
    ]  # fmt: skip
    order = {Owed.AUTO_REPORT: 0}
    waiting.sort(key=lambda item: (item.at, order.get(item.owed, 1), -_depth(roster, item.package)))
    return _overtaken(waiting, {package.unit for package in open_packages})


def may_report(
    deadline: dt.datetime, now: dt.datetime, polled_from: dt.datetime | None, schedule: Schedule
) -> bool:
    """Whether an automatic report may act: after a successful poll that began after the deadline, so that no reply in
    time is lying unread; or when the grace period is over, and staff are alarmed.
    """
    return (polled_from is not None and polled_from >= deadline) or now >= deadline + schedule.grace


def upcoming(now: dt.datetime, campaign: Campaign, roster: Roster, packages: Iterable[Package]) -> list[Due]:
    """The next automatic reports after `now`, soonest first."""
    coming = _auto_reports(campaign, roster, [package for package in packages if not package.locked])
    return sorted((item for item in coming if item.at > now), key=lambda item: (item.at, item.package))


def cut_off(campaign: Campaign, roster: Roster, package: Package, above: Iterable[Package]) -> dt.datetime:
    """When a package goes up by itself: at its window's end, a returned one at its due date, and either at the cut-off
    of a level above if that is earlier. `above` are the packages over it that have not gone up themselves. `NEVER` in a
    campaign that only chases.
    """
    return chased_until(campaign, roster, package, above) if campaign.auto_report else NEVER


def chased_until(
    campaign: Campaign, roster: Roster, package: Package, above: Iterable[Package]
) -> dt.datetime:
    """By when a package is to be reported, whether or not it goes up by itself then."""
    return min(one.due or campaign.window(roster.units[one.unit]).closes for one in (package, *above))


def guessed_days(campaign: Campaign, roster: Roster, schedule: Schedule) -> list[dt.date]:
    """The deadlines of a campaign in years whose holidays are not known: letters before them are planned by weekends."""
    days = {campaign.period.last_day}
    days.update(campaign.window(unit).last_day for unit in roster.units.values() if unit.kind.reports)
    if campaign.receipt_due:
        days.add(campaign.receipt_due)
    return sorted(day for day in days if not schedule.workdays.known(day))


def _reminders(campaign: Campaign, schedule: Schedule) -> Iterator[Due]:
    for owed_, key, days in (
        (Owed.REMINDER, "reminder", schedule.reply_days),
        (Owed.PHONE_LIST, "phone-list", schedule.ladder.list_days),
    ):
        for count in days:
            at = schedule.workdays.moment(campaign.reply_due, count)
            if at > campaign.opened_at:
                rung = Rung.ADMINISTRATOR if owed_ is Owed.PHONE_LIST else None
                yield Due(at, owed_, f"{key}/{count}", rung=rung)


def _receipt_reminders(campaign: Campaign, schedule: Schedule) -> Iterator[Due]:
    if campaign.receipt_due is None:
        return
    deadline = midnight(campaign.receipt_due + dt.timedelta(days=1))
    for count in schedule.receipt_days:
        at = schedule.workdays.moment(deadline, count)
        if at > campaign.opened_at:
            yield Due(at, Owed.RECEIPT_REMINDER, f"receipt/{count}")


def _reviews(
    campaign: Campaign, roster: Roster, packages: Iterable[Package], schedule: Schedule
) -> Iterator[Due]:
    """The request to review, the reminders to the level's 审核员, and the steps up the ladder; a package that was returned
    has steps of its own.
    """
    planned: dict[Window, list[tuple[dt.datetime, Owed, int, Rung | None]]] = {}
    known = {package.unit: package for package in packages}
    for package in known.values():
        if package.version:
            yield from _again(campaign, roster, package, known, schedule)
            continue
        above = [known[unit.code] for unit in roster.above(package.unit) if unit.code in known]
        opens = campaign.window(roster.units[package.unit]).opens
        window = Window(opens, chased_until(campaign, roster, package, above))
        if window not in planned:
            planned[window] = list(_steps(window, campaign, schedule))
        for at, owed_, count, rung in planned[window]:
            key = {
                Owed.REVIEW_REQUEST: f"review/{package.unit}",
                Owed.REVIEW_REMINDER: f"review-reminder/{package.unit}/{count}",
                Owed.ESCALATION: f"escalation/{package.unit}/{rung}/{count}",
            }[owed_]
            yield Due(at, owed_, key, package.unit, rung=rung)


def _again(
    campaign: Campaign, roster: Roster, package: Package, known: Mapping[str, Package], schedule: Schedule
) -> Iterator[Due]:
    """The steps for a package that was returned, counted back from its date. None goes out on the day of the return, whose
    letter says it all: what would is due on the first working day after it, where the date leaves one.
    """
    if package.returned_at is None:
        return
    above = [known[unit.code] for unit in roster.above(package.unit) if unit.code in known]
    opens = midnight(package.returned_at.astimezone(SHANGHAI).date() + dt.timedelta(days=1))
    window = Window(opens, chased_until(campaign, roster, package, above))
    first = schedule.workdays.first(window) if opens < window.closes else None
    if first is None:
        return
    about = f"{package.unit}/{package.version}"
    for count in schedule.review_days:
        at = max(first, schedule.workdays.moment(window.closes, count))
        yield Due(at, Owed.REVIEW_REMINDER, f"returned-reminder/{about}/{count}", package.unit)
    for rung in Rung:
        for count in schedule.ladder.days(rung):
            at = max(first, schedule.workdays.moment(window.closes, count))
            yield Due(
                at, Owed.ESCALATION, f"returned-escalation/{about}/{rung}/{count}", package.unit, rung=rung
            )


def _steps(
    window: Window, campaign: Campaign, schedule: Schedule
) -> Iterator[tuple[dt.datetime, Owed, int, Rung | None]]:
    """A window's letters: when, what, how many working days before it closes, and for which rung. A reminder on the day of
    the request itself is left out.
    """
    workdays, ladder = schedule.workdays, schedule.ladder
    rungs = [(rung, count) for rung in Rung for count in ladder.days(rung)]
    asked = asked_at(workdays, window, [*schedule.review_days, *(count for _, count in rungs)])
    asked = max(asked, min(campaign.opened_at, window.opens))
    yield asked, Owed.REVIEW_REQUEST, 0, None
    for count in schedule.review_days:
        at = in_window(workdays, window, count)
        if at.date() > asked.date():
            yield at, Owed.REVIEW_REMINDER, count, None
    for rung, count in rungs:
        at = in_window(workdays, window, count)
        if at > campaign.opened_at:
            yield at, Owed.ESCALATION, count, rung


def _problems(
    campaign: Campaign, roster: Roster, problems: Iterable[Problem], schedule: Schedule
) -> Iterator[Due]:
    """The steps about reported problems that are open: to the owner's 管理员 on the last working day before it is due, after that
    to its 审核员 and then to its 视察员.
    """
    for problem in problems:
        if problem.open and problem.owner in roster.units:
            for rung, count in PROBLEM_STEPS.items():
                at = schedule.workdays.moment(problem.due, count)
                if at > campaign.opened_at:
                    yield Due(at, Owed.PROBLEM, f"problem/{problem.number}/{rung}", problem.owner, rung=rung)


def _auto_reports(campaign: Campaign, roster: Roster, packages: Sequence[Package]) -> Iterator[Due]:
    if not campaign.auto_report:
        return
    known = {package.unit: package for package in packages}
    for package in packages:
        above = [known[unit.code] for unit in roster.above(package.unit) if unit.code in known]
        at = cut_off(campaign, roster, package, above)
        yield Due(at, Owed.AUTO_REPORT, f"auto-report/{package.unit}/{package.version + 1}", package.unit)


def _overtaken(due: Sequence[Due], open_units: Collection[str]) -> list[Due]:
    """After downtime the newest letter of a kind says it all: those before it are noted as skipped, and so are
    reminders of what goes up in the same breath.
    """
    newest: dict[tuple[Owed, str, Rung | None], Due] = {}
    for item in due:
        newest[item.owed, item.package, item.rung] = item
    closed = {item.package for item in due if item.owed is Owed.AUTO_REPORT}
    result = []
    for item in due:
        late = item.owed in _OF_PACKAGE and item.package in closed
        late = late or (item.owed in _OF_UNITS and closed.issuperset(open_units))
        newer = newest[item.owed, item.package, item.rung] is not item
        result.append(replace(item, skipped=late or (newer and item.owed is not Owed.AUTO_REPORT)))
    return result


def _depth(roster: Roster, code: str) -> int:
    return sum(1 for _ in roster.above(code)) if code else 0
