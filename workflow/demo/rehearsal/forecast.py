"""What a rehearsal tells the province: letters and mail by day, the load of each reviewer, what goes up by itself."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workflow.app import App
from workflow.demo.rehearsal.rates import Rates
from workflow.domain.campaign import Campaign, Window
from workflow.domain.lifecycle import Case, Package
from workflow.domain.merge import Origin, Standing
from workflow.domain.roster import Level, Role, Roster, Unit
from workflow.process.gather import require_roster
from workflow.process.overview import current_standings


@dataclass(frozen=True, slots=True)
class Day:
    """One day: letters that arose, letters sent, letters left waiting at its end, messages that came."""

    date: dt.date
    queued: int
    sent: int
    waiting: int
    received: int


@dataclass(frozen=True, slots=True)
class Load:
    """The work of one level's 审核员: rows with data to decide on, packages of the level below to accept, days of the
    window; how many people share it; what went back and what was decided; whether the package went up by itself.
    """

    unit: str
    name: str
    level: Level
    superior: str
    reviewers: int
    asked: int
    rows: int
    packages: int
    days: int
    returned: int
    auto: bool
    origins: Mapping[Origin, int]

    @property
    def per_reviewer(self) -> float | None:
        return self.rows / self.reviewers if self.reviewers else None

    @property
    def per_day(self) -> float | None:
        return self.per_reviewer / self.days if self.per_reviewer is not None else None


@dataclass(frozen=True, slots=True)
class Limits:
    """What the relay takes: letters a pass, minutes between passes, letters a day (0: no limit of its own)."""

    per_pass: int
    send_minutes: float
    per_day: int

    @property
    def possible(self) -> int:
        """The most letters in a day."""
        passes = int(24 * 60 / self.send_minutes) * self.per_pass
        return min(passes, self.per_day) if self.per_day else passes


@dataclass(frozen=True, slots=True)
class Forecast:
    """Everything that a rehearsal reports; `unreachable` and `failed` are units with the reason."""

    campaign: Campaign
    units: int
    people: int
    real_past: bool
    days: tuple[Day, ...]
    limits: Limits
    kinds: Mapping[str, int]
    buckets: Mapping[str, int]
    loads: tuple[Load, ...]
    origins: Mapping[Origin, int]
    states: Mapping[str, int]
    returned: int
    corrected: int
    unreachable: tuple[tuple[str, str], ...]
    failed: tuple[tuple[str, str], ...]
    staff: int
    seconds: float

    @property
    def letters(self) -> int:
        return sum(self.kinds.values())

    @property
    def peak(self) -> Day:
        """The day with the most letters sent."""
        return max(self.days, key=lambda day: day.sent)

    @property
    def days_waiting(self) -> int:
        """On how many days letters were left over at the end: the relay took less than arose."""
        return sum(day.waiting > 0 for day in self.days)

    def of_level(self, level: Level) -> list[Load]:
        return [load for load in self.loads if load.level is level]

    def as_json(self) -> dict[str, Any]:
        """The shape of `rehearse --json`."""
        limits = self.limits
        return {
            "campaign": self.campaign.id,
            "units": self.units,
            "opened": self.campaign.opened_at.isoformat(),
            "real_past": self.real_past,
            "seconds": round(self.seconds, 1),
            "letters": {
                "total": self.letters,
                "kinds": dict(self.kinds),
                "days": [
                    {"date": d.date.isoformat(), "queued": d.queued, "sent": d.sent, "waiting": d.waiting,
                     "received": d.received} for d in self.days
                ],
                "peak": {"date": self.peak.date.isoformat(), "sent": self.peak.sent},
                "limits": {"per_pass": limits.per_pass, "send_minutes": limits.send_minutes,
                           "per_day": limits.per_day, "possible_per_day": limits.possible},
                "days_waiting": self.days_waiting,
            },
            "received": {"total": sum(self.buckets.values()), "buckets": dict(self.buckets)},
            "cases": dict(self.states),
            "origins": {origin.value: self.origins.get(origin, 0) for origin in Origin},
            "returned": self.returned,
            "corrected": self.corrected,
            "levels": {level.value: _level_json(self.of_level(level)) for level in Level if self.of_level(level)},
            "reviewers": [
                {"unit": one.unit, "name": one.name, "level": one.level.value, "reviewers": one.reviewers,
                 "rows": one.rows, "packages": one.packages, "days": one.days, "per_reviewer": one.per_reviewer,
                 "per_day": one.per_day, "returned": one.returned, "auto": one.auto} for one in self.loads
            ],
            "unreachable": [code for code, _ in self.unreachable],
            "failed": [code for code, _ in self.failed],
            "staff": self.staff,
        }  # fmt: skip


def _level_json(loads: Sequence[Load]) -> dict[str, Any]:
    auto = [load for load in loads if load.auto]
    counted = sum((Counter(load.origins) for load in auto), Counter[Origin]())
    return {
        "packages": len(loads),
        "rows": sum(load.rows for load in loads),
        "most_rows_per_day": max((load.per_day or 0 for load in loads), default=0),
        "vacant": sum(load.reviewers == 0 for load in loads),
        "auto": len(auto),
        "auto_origins": {origin.value: counted[origin] for origin in Origin if counted[origin]},
    }


def forecast(
    app: App, campaign: Campaign, rates: Rates, days: tuple[Day, ...], unreachable: Sequence[str],
    seconds: float, *, real_past: bool,
) -> Forecast:  # fmt: skip
    """Read a played quarter from its store."""
    store, roster = app.store, require_roster(app.store)
    cases, packages = store.cases(campaign.id), store.packages(campaign.id)
    standings = current_standings(store, roster, campaign, cases, packages)
    letters = store.letters(campaign.id)
    failed = {letter.unit: letter.to for letter in store.failed_letters(campaign.id)}
    smtp, run = app.config.smtp, app.config.run
    counts = store.mail_counts()
    return Forecast(
        campaign, len(roster.units), len(roster.contacts), real_past, days,
        Limits(smtp.per_pass, run.send_minutes, rates.limits.per_day),
        dict(Counter(letter.kind for letter in letters).most_common()), counts.buckets,
        tuple(_loads(roster, campaign, cases, packages, standings)),
        Counter(standing.origin for standing in standings), Counter(case.state.value for case in cases),
        sum(case.returns > 0 for case in cases),
        sum(case.returns > 0 and case.number > 1 for case in cases),
        tuple((code, roster.units[code].name) for code in unreachable),
        tuple((code, to) for code, to in failed.items()), len(store.staff_queries()), seconds,
    )  # fmt: skip


def _loads(
    roster: Roster, campaign: Campaign, cases: Sequence[Case], packages: Sequence[Package],
    standings: Sequence[Standing],
) -> list[Load]:  # fmt: skip
    by_unit = {case.unit: case for case in cases}
    origins = {standing.unit: standing.origin for standing in standings}
    states = {package.unit: package for package in packages}
    return [
        _load(roster, campaign.window(unit), unit, states[unit.code], by_unit, origins)
        for unit in roster.units.values()
        if unit.code in states
    ]


def _load(
    roster: Roster, window: Window, unit: Unit, package: Package, cases: Mapping[str, Case],
    origins: Mapping[str, Origin],
) -> Load:  # fmt: skip
    members = [member.code for member in roster.members(unit.code) if member.code in cases]
    superior = roster.units[unit.superior].name if unit.superior else "教育部"
    return Load(
        unit.code, unit.name, unit.kind.level, superior,
        len(roster.people(unit.code, Role.REVIEWER, window.first_day)), len(members),
        sum(cases[code].number > 0 for code in members), len(roster.packages_below(unit.code)),
        (window.last_day - window.first_day).days + 1, sum(cases[code].returns > 0 for code in members),
        package.auto, Counter(origins[code] for code in members if code in origins),
    )  # fmt: skip
