"""The state of a campaign in figures: cases, packages, origins, mail and what comes next. The shape of `status --json`."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from workflow.adapters.store import Store
from workflow.domain.campaign import Campaign
from workflow.domain.deadlines import upcoming
from workflow.domain.lifecycle import Case, CaseState, Package, PackageState, allowed_package_acts, is_counted
from workflow.domain.merge import Standing, stand
from workflow.domain.privacy import mask_words
from workflow.domain.problems import Problem
from workflow.domain.roster import Level, Role, Roster
from workflow.domain.submission import Submission
from workflow.process.changes import stale
from workflow.process.chronicle import last_return
from workflow.process.earlier import earlier_data

_NEXT = 10


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that `status` shows. `late` are units whose reply is overdue now: computed, never stored; `returned` are
    packages that were returned and not reported again; `problems` are counts of what was reported to be wrong with the roster.
    """

    campaign: str
    now: dt.datetime
    cases: dict[str, int]
    packages: dict[str, dict[str, int]]
    origins: dict[str, int]
    mail: dict[str, Any]
    late: list[dict[str, str]]
    next: list[dict[str, str]]
    staff: list[str]
    stale: list[dict[str, Any]]
    returned: list[dict[str, Any]]
    problems: dict[str, int]

    def masked(self) -> Overview:
        """The same without anybody's telephone number or address."""
        staff = [mask_words(matter) for matter in self.staff]
        returned = [
            {key: mask_words(said) if isinstance(said, str) else said for key, said in one.items()}
            for one in self.returned
        ]
        return replace(self, staff=staff, returned=returned)

    def as_json(self) -> dict[str, Any]:
        return {
            "campaign": self.campaign, "now": self.now.isoformat(), "cases": self.cases,
            "packages": self.packages, "origins": self.origins, "mail": self.mail, "late": self.late,
            "next": self.next, "staff": self.staff, "stale": self.stale,
            "returned": self.returned, "problems": self.problems,
        }  # fmt: skip


def overview(
    store: Store, roster: Roster, campaign: Campaign, now: dt.datetime, level: Level | None = None
) -> Overview:
    """Count a campaign; `level` narrows cases and packages to those of one level's packages."""
    packages = [p for p in store.packages(campaign.id) if level is None or p.level is level]
    codes = {package.unit for package in packages}
    cases = [
        c
        for c in store.cases(campaign.id)
        if is_counted(c, roster.units[c.unit]) and (level is None or roster.package_of(c.unit).code in codes)
    ]
    counted: dict[str, Counter[str]] = {}
    for package in packages:
        counted.setdefault(package.level.value, Counter())[package.state.value] += 1
    standings = current_standings(store, roster, campaign, cases, packages)
    counts = store.mail_counts()
    mail = {
        "received": counts.received, "buckets": dict(counts.buckets), "attachments": dict(counts.attachments),
        "queued": counts.queued, "sent": counts.sent, "failed": counts.failed,
    }  # fmt: skip
    # A matter that names people (a shared address) lies in the personal payload, which a purge may empty.
    queries = [
        str(query.data.get("matter") or query.personal.get("matter", ""))
        for query in sorted(store.staff_queries(), key=lambda query: query.at, reverse=True)
    ]
    queries[:0] = [
        f"邮件 {failure.message[:12]} 处理失败 {failure.tries} 次，原件已保留，将再次处理；请用 huizhi mail show 查看原因"
        for failure in store.failures().values()
    ]
    problems = store.problems()
    queries[:0] = list(_unanswered(problems, roster, now))
    return Overview(
        campaign.id, now, dict(Counter(case.state.value for case in cases)),
        {name: dict(states) for name, states in counted.items()},
        dict(Counter(standing.origin.value for standing in standings)),
        mail, _late(roster, campaign, cases, now), _next(roster, campaign, packages, now), queries,
        [level.as_json() for level in stale(store, roster, campaign.id, packages)],
        _returned(store, roster, packages),
        {
            "reported": len(problems), "open": sum(one.open for one in problems),
            "overdue": sum(one.overdue(now) for one in problems), "closed": sum(not one.open for one in problems),
        },
    )  # fmt: skip


def _unanswered(problems: Iterable[Problem], roster: Roster, now: dt.datetime) -> Iterator[str]:
    """The reported problems that staff have to see to: overdue, reported by strangers, or of an owner nobody reaches."""
    for one in problems:
        if not one.open:
            continue
        owner = roster.units.get(one.owner)
        name = owner.name if owner else one.owner
        why = ""
        if one.overdue(now):
            why = f"{name}逾期没有办结"
        elif not one.reporter:
            why = "来自未登记的地址，没有转办"
        elif owner is None or roster.recipient(owner.code, Role.ADMINISTRATOR, now.date()) is None:
            why = f"{name}没有可用的邮箱，没有转办"
        if why:
            yield f"名册问题第{one.number}号（{one.kind}）{why}；请用 huizhi problem show {one.number} 查看"


def _returned(store: Store, roster: Roster, packages: list[Package]) -> list[dict[str, Any]]:
    """The packages that were returned and have not been reported again, with the 沟通确认 of article 20."""
    waiting = {
        p.stream: p.unit for p in packages if p.state is PackageState.RETURNED and p.unit in roster.units
    }
    last = {stream: last_return(events) for stream, events in store.told(waiting.keys()).items()}
    return [
        {"unit": code, "name": roster.units[code].name, **one.as_json()}
        for stream, code in waiting.items()
        if (one := last.get(stream)) is not None
    ]


def current_standings(
    store: Store, roster: Roster, campaign: Campaign, cases: list[Case], packages: list[Package]
) -> list[Standing]:
    """How every case's data stand: as reported where the package has gone up, else as they are now."""
    versions: dict[tuple[str, str], list[Submission]] = {}
    for version in store.submissions(campaign.id):
        versions.setdefault((version.unit, version.form), []).append(version)
    locked = {package.unit for package in packages if package.locked}
    reported = store.standings(campaign.id)
    earlier = earlier_data(store, campaign, {})
    standings = []
    for case in cases:
        key = (case.unit, case.form)
        if key in reported and roster.package_of(case.unit).code in locked:
            standings.append(reported[key])
        else:
            before = earlier.get(key)
            standings.append(stand(case, versions.get(key, ()), before.standing if before else None))
    return standings


def _late(roster: Roster, campaign: Campaign, cases: list[Case], now: dt.datetime) -> list[dict[str, str]]:
    """Units that owe a reply after the date on which they were asked for it."""
    rows = []
    for case in cases:
        due = case.due or campaign.reply_due
        if case.state in {CaseState.ISSUED, CaseState.RETURNED} and due <= now:
            unit = roster.units[case.unit]
            rows.append(
                {"unit": unit.code, "name": unit.name, "form": case.form, "state": case.state.value,
                 "due": due.isoformat()}
            )  # fmt: skip
    return rows


def _next(
    roster: Roster, campaign: Campaign, packages: list[Package], now: dt.datetime
) -> list[dict[str, str]]:
    """The next automatic reports."""
    states = {package.unit: package for package in packages}
    return [
        {"at": due.at.isoformat(), "owed": due.owed.value, "unit": due.package,
         "name": roster.units[due.package].name,
         "allowed": "、".join(act.value for act in allowed_package_acts(states[due.package]))}
        for due in upcoming(now, campaign, roster, packages)[:_NEXT]
    ]  # fmt: skip
