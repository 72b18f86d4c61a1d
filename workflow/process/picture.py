"""How a branch of the tree stands at a moment: what a level's consolidated workbook 汇总表 is made from.

A package that has been reported shows the rows that it was reported with; one that is open shows the data as they stand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from workflow.adapters.store import Store, StoredAnswers
from workflow.domain.campaign import Campaign
from workflow.domain.form import Form
from workflow.domain.lifecycle import Case, Package, is_counted
from workflow.domain.merge import Change, Standing, stand
from workflow.domain.roster import Role, Roster, Unit
from workflow.domain.submission import Answers, Submission
from workflow.domain.tallies import TallySheet
from workflow.process.earlier import asked_again, earlier_data
from workflow.process.situation import CaseKey, Earlier


@dataclass(frozen=True, slots=True)
class News:
    """What a workbook says about the one before it: the version that it replaces (0: none), which packages of the level
    below have changed since then and since the level's own report, and the lines of the 变更 sheet.
    """

    replaces: int = 0
    below: tuple[str, ...] = ()
    after_report: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    unlisted: int = 0


@dataclass(frozen=True)
class Picture:
    """How a whole branch of the tree stands at a moment: one standing for each unit and form in it."""

    roster: Roster
    campaign: Campaign
    forms: Mapping[str, Form]
    root: Unit
    cases: Mapping[CaseKey, Case]
    packages: Mapping[str, Package]
    standings: Mapping[CaseKey, Standing]
    received: Mapping[str, Submission]
    reminded: Mapping[str, int]
    held: Mapping[str, StoredAnswers] = field(default_factory=dict)
    news: News = field(default_factory=News)
    #: The levels where one person has both roles, with name and address, and who sent the versions there, by message.
    alone: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    senders: Mapping[str, str] = field(default_factory=dict)
    #: How packages of the branch were last returned, by unit.
    returned: Mapping[str, str] = field(default_factory=dict)
    #: What rules ask of the last reported answers.
    previous: Mapping[CaseKey, Answers] = field(default_factory=dict)
    tallies: tuple[TallySheet, ...] = ()

    def answers_of(self, standing: Standing) -> Answers:
        held = self.held.get(standing.submission)
        return held.answers if held else {}

    def notes_of(self, standing: Standing) -> Mapping[str, str]:
        held = self.held.get(standing.submission)
        return held.notes if held else {}

    @cached_property
    def approved(self) -> Mapping[CaseKey, str]:
        """The submission that was last approved before the one that stands, where there is one."""
        found: dict[CaseKey, tuple[int, str]] = {}
        for version in self.received.values():
            key = (version.campaign, version.unit, version.form)
            if version.approved and key in self.standings and version.number < self.standings[key].number:
                found[key] = max(found.get(key, (0, "")), (version.number, version.id))
        return {key: submission for key, (_, submission) in found.items()}

    @property
    def shown(self) -> set[str]:
        """The submissions whose answers stand in the branch or are compared with those that do."""
        stood = {standing.submission for standing in self.standings.values() if standing.submission}
        return stood | set(self.approved.values())


def pictures(
    store: Store, roster: Roster, campaign: Campaign, forms: Mapping[str, Form], roots: Sequence[Unit]
) -> list[Picture]:
    """Gather branches, without their answers. Reported packages are read as they were reported."""
    below = {root.code: [unit.code for unit in roster.below(root.code)] for root in roots}
    codes = list(dict.fromkeys(code for units in below.values() for code in units))
    cases: dict[str, list[Case]] = {}
    for case in store.cases(campaign.id, codes):
        if not is_counted(case, roster.units[case.unit]):
            continue
        cases.setdefault(case.unit, []).append(case)
    packages = {package.unit: package for package in store.packages(campaign.id, codes)}
    versions: dict[CaseKey, list[Submission]] = {}
    for version in store.submissions(campaign.id, codes):
        versions.setdefault((version.campaign, version.unit, version.form), []).append(version)
    earlier = earlier_data(store, campaign, forms, cases.keys())
    standings = _standings(store, roster, campaign, cases, packages, versions, earlier)
    previous = asked_again(forms, campaign.id, earlier)
    received = {version.id: version for kept in versions.values() for version in kept}
    reminded = store.reminded(campaign.id, codes)
    both = {code: _with_both_roles(roster, campaign, code) for code in packages}
    alone = {code: people for code, people in both.items() if people}
    senders = store.senders(
        {v.message for v in received.values() if roster.package_of(v.unit).code in alone} if alone else ()
    )
    found = []
    for root in roots:
        own = {(c.campaign, c.unit, c.form): c for code in below[root.code] for c in cases.get(code, ())}
        inside = {code: packages[code] for code in below[root.code] if code in packages}
        stood = {key: standings[key] for key in own}
        seen = Picture(roster, campaign, forms, root, own, inside, stood, received, reminded)
        found.append(replace(seen, alone=alone, senders=senders, previous=previous))
    return found


def _with_both_roles(roster: Roster, campaign: Campaign, level: str) -> Mapping[str, str]:
    """Who holds both roles of a level, each name with its address in small letters."""
    day = campaign.window(roster.units[level]).last_day
    names = roster.both_roles(level, day)
    return {p.name: p.email.lower() for p in roster.people(level, Role.REVIEWER, day) if p.name in names}


def _standings(
    store: Store, roster: Roster, campaign: Campaign, cases: Mapping[str, Sequence[Case]],
    packages: Mapping[str, Package], versions: Mapping[CaseKey, Sequence[Submission]],
    earlier: Mapping[tuple[str, str], Earlier],
) -> dict[CaseKey, Standing]:  # fmt: skip
    reported = store.standings(campaign.id, cases.keys())
    standings: dict[CaseKey, Standing] = {}
    for case in (case for kept in cases.values() for case in kept):
        key = (case.campaign, case.unit, case.form)
        package = packages.get(roster.package_of(case.unit).code)
        frozen = reported.get((case.unit, case.form))
        if package is not None and package.locked and frozen is not None:
            standings[key] = frozen
            continue
        before = earlier.get((case.unit, case.form))
        standings[key] = stand(case, versions.get(key, ()), before.standing if before else None)
    return standings
