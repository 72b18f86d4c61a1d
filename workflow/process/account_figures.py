"""How far the accounts have come: counts by level, and the units that somebody should see to."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workflow.domain.accounts import Progress
from workflow.domain.roster import Level, Roster, Unit
from workflow.process.account_office import AccountOffice


@dataclass(frozen=True, slots=True)
class AccountFigures:
    """By level how many units stand where; `unlisted` are units on no list; `late` those that have not signed in time, or
    whose letter came back.
    """

    levels: Mapping[Level, Counter[Progress]]
    unlisted: Mapping[Level, int]
    late: Sequence[tuple[Unit, Progress]]


def account_figures(office: AccountOffice, roster: Roster, now: dt.datetime) -> AccountFigures:
    """The figures of all units of the roster that get their accounts from the province (article 13)."""
    standings = office.store.account_standings()
    levels: dict[Level, Counter[Progress]] = {}
    unlisted: Counter[Level] = Counter()
    late = []
    for unit in roster.units.values():
        level = unit.kind.level
        standing = standings.get(unit.code)
        if standing is None:
            if level is not Level.MINISTRY_UNIVERSITY:
                unlisted[level] += 1
            continue
        progress = standing.progress(now, office.ladder, office.workdays)
        levels.setdefault(level, Counter())[progress] += 1
        if progress in {Progress.OVERDUE, Progress.BOUNCED}:
            late.append((unit, progress))
    return AccountFigures(levels, unlisted, late)
