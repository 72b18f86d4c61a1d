"""What the calendar owes (article 18): which reminders, review requests and automatic reports are due at a moment.

Pure: the moment, the last poll and what has been done already come in as arguments. Each thing owed has a key that is
written with its effect in one transaction, so that it happens once whatever happens to the process or the clock.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from workflow.domain.campaign import Campaign, midnight
from workflow.domain.lifecycle import Package
from workflow.domain.roster import Roster

#: Letters that nobody waits for go out when an office opens.
OFFICE_OPENS = dt.timedelta(hours=9)


class Owed(StrEnum):
    """The kinds of things that the calendar owes."""

    REMINDER = "reminder"
    RECEIPT_REMINDER = "receipt_reminder"
    REVIEW_REQUEST = "review_request"
    REVIEW_REMINDER = "review_reminder"
    AUTO_REPORT = "auto_report"


@dataclass(frozen=True, slots=True)
class Due:
    """One thing owed since `at`. `package` is the unit code of the package concerned, '' for the whole campaign.
    `skipped` marks a letter that a later one of the same kind has overtaken: it is noted, not sent.
    """

    at: dt.datetime
    owed: Owed
    key: str
    package: str = ""
    skipped: bool = False


@dataclass(frozen=True, slots=True)
class Schedule:
    """When letters go out, from config.toml: days before the date on which units are asked to reply; days before a
    package's window closes, for its reviewer; days before and after the receipt's date. `grace` is how long an
    automatic report waits for a successful poll.
    """

    reply_days: tuple[int, ...] = (7, 2)
    review_days: tuple[int, ...] = (1,)
    receipt_days: tuple[int, ...] = (3, -1)
    grace: dt.timedelta = dt.timedelta(hours=12)


def owed(
    now: dt.datetime,
    campaign: Campaign,
    roster: Roster,
    packages: Iterable[Package],
    done: Collection[str],
    schedule: Schedule,
) -> list[Due]:
    """Everything owed by `now` and not done, in the order of its times; at one time, lower levels first."""
    open_packages = [package for package in packages if not package.locked]
    due = [
        *_reminders(campaign, schedule),
        *_receipt_reminders(campaign, schedule),
        *_reviews(campaign, roster, open_packages, schedule),
        *_auto_reports(campaign, roster, open_packages),
    ]
    waiting = [item for item in due if item.at <= now and item.key not in done]
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
    of a level above if that is earlier. `above` are the packages over it that have not gone up themselves.
    """
    return min(one.due or campaign.window(roster.units[one.unit]).closes for one in (package, *above))


def _reminders(campaign: Campaign, schedule: Schedule) -> Iterator[Due]:
    for days in schedule.reply_days:
        at = campaign.reply_due - dt.timedelta(days=days) + OFFICE_OPENS
        if at > campaign.opened_at:
            yield Due(at, Owed.REMINDER, f"reminder/{days}")


def _receipt_reminders(campaign: Campaign, schedule: Schedule) -> Iterator[Due]:
    if campaign.receipt_due is None:
        return
    for days in schedule.receipt_days:
        at = midnight(campaign.receipt_due - dt.timedelta(days=days)) + OFFICE_OPENS
        if at > campaign.opened_at:
            yield Due(at, Owed.RECEIPT_REMINDER, f"receipt/{days}")


def _reviews(
    campaign: Campaign, roster: Roster, packages: Iterable[Package], schedule: Schedule
) -> Iterator[Due]:
    for package in packages:
        if package.version:
            continue
        window = campaign.window(roster.units[package.unit])
        yield Due(window.opens, Owed.REVIEW_REQUEST, f"review/{package.unit}", package.unit)
        for days in schedule.review_days:
            at = window.closes - dt.timedelta(days=days) + OFFICE_OPENS
            yield Due(at, Owed.REVIEW_REMINDER, f"review-reminder/{package.unit}/{days}", package.unit)


def _auto_reports(campaign: Campaign, roster: Roster, packages: Sequence[Package]) -> Iterator[Due]:
    known = {package.unit: package for package in packages}
    for package in packages:
        above = [known[unit.code] for unit in roster.above(package.unit) if unit.code in known]
        at = cut_off(campaign, roster, package, above)
        yield Due(at, Owed.AUTO_REPORT, f"auto-report/{package.unit}/{package.version + 1}", package.unit)


def _overtaken(due: Sequence[Due], open_units: Collection[str]) -> list[Due]:
    """After downtime the newest letter of a kind says it all: those before it are noted as skipped, and so are
    reminders of what goes up in the same breath.
    """
    newest: dict[tuple[Owed, str], Due] = {}
    for item in due:
        newest[item.owed, item.package] = item
    closed = {item.package for item in due if item.owed is Owed.AUTO_REPORT}
    result = []
    for item in due:
        late = item.owed in {Owed.REVIEW_REQUEST, Owed.REVIEW_REMINDER} and item.package in closed
        late = late or (item.owed is Owed.REMINDER and closed.issuperset(open_units))
        overtaken = item.owed is not Owed.AUTO_REPORT and newest[item.owed, item.package] is not item
        result.append(Due(item.at, item.owed, item.key, item.package, skipped=late or overtaken))
    return result


def _depth(roster: Roster, code: str) -> int:
    return sum(1 for _ in roster.above(code)) if code else 0
