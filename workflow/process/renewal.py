"""A level's workbook made new while it decides: when the one that its 审核员 holds is out of date on a row that matters.

A step of the calendar notes each need (`wants-book/LEVEL/CAUSE`) and that it was met (`book-given/LEVEL/CAUSE`). A level
below that was returned and has reported again is a need by itself (`LEVEL/BELOW/TIMES`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping

from workflow.domain.campaign import Campaign
from workflow.domain.events import Event
from workflow.domain.lifecycle import Package, PackageState
from workflow.domain.roster import Roster
from workflow.process.situation import SYSTEM

_WANTS, _GIVEN = "wants-book/", "book-given/"


def wanted(campaign: Campaign, level: str, cause: str, at: dt.datetime) -> Event:
    """The step that notes that a level's 审核员 needs a new workbook, because rows of `cause` were outdated."""
    return _step(campaign, f"{_WANTS}{level}/{cause}", at)


def given(campaign: Campaign, cause: str, at: dt.datetime) -> Event:
    """The step that notes that a need, as `outdated` names it, was met."""
    return _step(campaign, f"{_GIVEN}{cause}", at)


def outdated(
    packages: Mapping[str, Package], roster: Roster, steps: Collection[str]
) -> dict[str, dict[str, dt.datetime | None]]:
    """The needs not met yet of each level that reviews and has never reported, with when the level below reported again
    where that is the need. A level that was returned gets its new workbook anyway.
    """
    met = {key.removeprefix(_GIVEN) for key in steps if key.startswith(_GIVEN)}
    reviewing = {
        code for code, package in packages.items()
        if package.state is PackageState.OPEN and f"review/{code}" in steps and code in roster.units
    }  # fmt: skip
    found: dict[str, dict[str, dt.datetime | None]] = {}
    for cause in (key.removeprefix(_WANTS) for key in steps if key.startswith(_WANTS)):
        if (code := cause.partition("/")[0]) in reviewing and cause not in met:
            found.setdefault(code, {})[cause] = None
    for package in packages.values():
        again = package.state is PackageState.REPORTED and package.version > 1
        code = roster.units[package.unit].superior if again and package.unit in roster.units else ""
        cause = f"{code}/{package.unit}/{package.version}"
        if code in reviewing and cause not in met:
            found.setdefault(code, {})[cause] = package.reported_at
    return found


def _step(campaign: Campaign, key: str, at: dt.datetime) -> Event:
    return Event(f"step:{campaign.id}/{key}", 1, "step.done", at, SYSTEM, "", {"detail": ""})
