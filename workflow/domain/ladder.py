"""The escalation ladder: who is told of what is still owed, step by step, before its deadline.

First whoever owes it, then the 管理员 of the level above (催报 is the 管理员's duty, article 8), then that level's 审核员, then
its 视察员. Which working days each step takes stands in config.toml.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from workflow.domain.campaign import Window
from workflow.domain.lifecycle import CaseState, Package, PackageState
from workflow.domain.roster import Role, Roster, Unit
from workflow.domain.workdays import Workdays


class Cohort(StrEnum):
    """What is still owed, in the words of a letter."""

    NO_REPLY = "尚未报送"
    UNCORRECTED = "退回后尚未重新报送"
    NOT_REVIEWED = "尚未审核"
    NOT_REPORTED = "尚未上报"
    NOT_REPORTED_AGAIN = "退回后尚未重新上报"


#: The cohort of a case by its state; an approved one owes nothing.
COHORTS = {
    CaseState.ISSUED: Cohort.NO_REPLY,
    CaseState.RETURNED: Cohort.UNCORRECTED,
    CaseState.SUBMITTED: Cohort.NOT_REVIEWED,
}


def report_owed(package: Package) -> Cohort:
    """The cohort of a package that has not gone up, or not again."""
    return Cohort.NOT_REPORTED_AGAIN if package.state is PackageState.RETURNED else Cohort.NOT_REPORTED


class Rung(StrEnum):
    """A step of the ladder above the one that owes; the value is part of the step's key in the ledger."""

    ADMINISTRATOR = "administrator"
    REVIEWER = "reviewer"
    INSPECTOR = "inspector"

    @property
    def role(self) -> Role:
        return Role[self.name]


@dataclass(frozen=True, slots=True)
class Ladder:
    """When the steps are taken: `list_days` in working days before the date of reply (the phone list for the 管理员 of the
    level above), the others in working days before a package's window closes.
    """

    list_days: tuple[int, ...] = (1,)
    administrator_days: tuple[int, ...] = (2,)
    reviewer_days: tuple[int, ...] = (1,)
    inspector_days: tuple[int, ...] = (1,)

    def days(self, rung: Rung) -> tuple[int, ...]:
        return {
            Rung.ADMINISTRATOR: self.administrator_days,
            Rung.REVIEWER: self.reviewer_days,
            Rung.INSPECTOR: self.inspector_days,
        }[rung]


def level_above(roster: Roster, code: str) -> Unit | None:
    """The level that chases a unit: the one whose package carries its case, or the level above where the unit reports up
    itself; None at the top.
    """
    if not roster.units[code].kind.reports:
        return roster.package_of(code)
    superior = roster.units[code].superior
    return roster.package_of(superior) if superior else None


def in_window(workdays: Workdays, window: Window, count: int) -> dt.datetime:
    """The moment of a step so many working days before a window closes: inside the window, not before its first working
    day; where it has none, on the working days before it opens.
    """
    moment, first = workdays.moment(window.closes, count), workdays.first(window)
    return max(moment, first) if first else moment


def asked_at(workdays: Workdays, window: Window, counts: Iterable[int]) -> dt.datetime:
    """When the 审核员 is asked to review: as the window opens, when the replies are in; for a window without a working day
    on the first of the ladder's days before it.
    """
    if workdays.first(window):
        return window.opens
    return min((workdays.moment(window.closes, count) for count in (1, *counts)), default=window.opens)
