"""Consolidated workbooks 汇总表 of a level: gathered from the store, made when something has changed, never twice the same.

A package that has been reported shows the rows that it was reported with; one that is open shows the data as they stand.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from workflow.adapters.files import Files
from workflow.adapters.store import MadeBook, Store
from workflow.adapters.workbook.consolidate import write_book
from workflow.domain.campaign import Campaign
from workflow.domain.events import Event, canonical
from workflow.domain.form import Form
from workflow.domain.lifecycle import Case, Package
from workflow.domain.merge import (
    BookRow,
    BookSheet,
    ChildRow,
    ConsolidatedBook,
    Cover,
    MissingRow,
    Origin,
    Standing,
    TotalRow,
    Totals,
    TotalSheet,
    merge_totals,
    stand,
    total,
)
from workflow.domain.roster import Role, Roster, Unit
from workflow.domain.submission import Answers, Submission
from workflow.process.gather import earlier_data
from workflow.process.situation import SYSTEM, CaseKey

Token = Callable[..., str]


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
    answers: Mapping[str, Answers]
    notes: Mapping[str, Mapping[str, str]]
    reminded: Mapping[str, int]

    def answers_of(self, standing: Standing) -> Answers:
        return self.answers.get(standing.submission, {})


def picture(
    store: Store, roster: Roster, campaign: Campaign, forms: Mapping[str, Form], root: Unit
) -> Picture:
    """Gather a branch. Reported packages are read as they were reported."""
    codes = [unit.code for unit in roster.below(root.code)]
    cases = {(c.campaign, c.unit, c.form): c for c in store.cases(campaign.id, codes)}
    packages = {package.unit: package for package in store.packages(campaign.id, codes)}
    versions: dict[CaseKey, list[Submission]] = {}
    for version in store.submissions(campaign.id, codes):
        versions.setdefault((version.campaign, version.unit, version.form), []).append(version)
    earlier = earlier_data(store, campaign, codes)
    reported = store.standings(campaign.id)
    standings: dict[CaseKey, Standing] = {}
    for key, case in cases.items():
        package = packages.get(roster.package_of(case.unit).code)
        frozen = reported.get((case.unit, case.form))
        if package is not None and package.locked and frozen is not None:
            standings[key] = frozen
            continue
        before = earlier.get((case.unit, case.form))
        standings[key] = stand(case, versions.get(key, ()), before.standing if before else None)
    held = store.answers({standing.submission for standing in standings.values() if standing.submission})
    received = {version.id: version for kept in versions.values() for version in kept}
    return Picture(
        roster, campaign, forms, root, cases, packages, standings, received,
        {known: kept.answers for known, kept in held.items()},
        {known: kept.notes for known, kept in held.items()},
        store.reminded(campaign.id),
    )  # fmt: skip


def consolidate(
    store: Store,
    files: Files,
    token: Token,
    roster: Roster,
    campaign: Campaign,
    forms: Mapping[str, Form],
    unit: Unit,
    now: dt.datetime,
    cut_off: dt.datetime,
) -> MadeBook:
    """The level's newest consolidated workbook: made and recorded when its content differs from the last version's."""
    seen = picture(store, roster, campaign, forms, unit)
    digest = content_digest(seen)
    last = store.book(campaign.id, unit.code)
    if last is not None and last.sha == digest and files.has_outbox(last.path):
        return last
    version = (last.version if last else 0) + 1
    name = token(campaign.id, unit.code, "review", version)
    book = book_of(seen, version, name, now, cut_off)
    target = io.BytesIO()
    write_book(book, target)
    path = files.write_book(f"{campaign.id}/{unit.code}_{unit.name}_第{version}版.xlsx", target.getvalue())
    data = {
        "version": version, "token": name, "sha": digest, "cut_off": cut_off.isoformat(), "path": path,
    }  # fmt: skip
    stream = f"book:{campaign.id}/{unit.code}"
    number = store.next_numbers([stream])[stream] + 1
    store.append([Event(stream, number, "book.made", now, SYSTEM, f"campaign:{campaign.id}", data)])
    made = store.book(campaign.id, unit.code)
    assert made is not None
    return made


def content_digest(seen: Picture) -> str:
    """What a consolidated workbook says, without when it was made: equal digests need no new version."""
    rows = [
        [*key[1:], s.origin.value, s.submission, seen.cases[key].state.value]
        for key, s in seen.standings.items()
    ]
    packages = [[code, package.state.value, package.version] for code, package in seen.packages.items()]
    return hashlib.sha256(canonical([sorted(rows), sorted(packages)]).encode()).hexdigest()


def book_of(
    seen: Picture, version: int, token: str, made_at: dt.datetime, cut_off: dt.datetime
) -> ConsolidatedBook:
    """A picture as a consolidated workbook."""
    own = seen.packages[seen.root.code]
    members = {unit.code for unit in seen.roster.members(seen.root.code)}
    sheets = []
    for form in seen.forms.values():
        rows = tuple(_row(seen, key, members, own) for key in seen.standings if key[2] == form.id)
        if rows:
            sheets.append(BookSheet(form, _in_tree_order(seen, rows)))
    cover = Cover(
        seen.root, seen.campaign.id, seen.campaign.period.name, version, token, cut_off, made_at,
        seen.campaign.window(seen.root), own.state.word, Counter(s.origin for s in seen.standings.values()),
        len(seen.standings), reportable=not own.locked,
    )  # fmt: skip
    totals = tuple(_total_sheet(seen, sheet.form) for sheet in sheets)
    return ConsolidatedBook(cover, _children(seen, own), tuple(sheets), totals, _missing(seen))


def _in_tree_order(seen: Picture, rows: Iterable[BookRow]) -> tuple[BookRow, ...]:
    place = {unit.code: n for n, unit in enumerate(seen.roster.below(seen.root.code))}
    return tuple(sorted(rows, key=lambda row: place[row.unit.code]))


def _row(seen: Picture, key: CaseKey, members: set[str], own: Package) -> BookRow:
    standing, case = seen.standings[key], seen.cases[key]
    unit = seen.roster.units[case.unit]
    package = seen.roster.package_of(unit.code)
    if unit.code not in members:
        why = f"由{package.name}审核"
    elif own.locked:
        why = "本级已上报"
    elif case.number == 0:
        why = "尚未报送"
    else:
        why = ""
    version = seen.received.get(standing.submission)
    notes = seen.notes.get(standing.submission, {})
    labels = seen.forms[case.form].by_name
    named = ((labels[name].label if name in labels else name, note) for name, note in notes.items())
    words = "；".join(f"{label}：{note}" for label, note in named)
    return BookRow(
        unit, package.name, case.state.word, standing.origin, case.number,
        version.received_at if version else None, seen.answers_of(standing), not why, why, words,
    )  # fmt: skip


def _children(seen: Picture, own: Package) -> tuple[ChildRow, ...]:
    rows = []
    for child in seen.roster.packages_below(seen.root.code):
        package = seen.packages.get(child.code)
        if package is None:
            continue
        below = {unit.code for unit in seen.roster.below(child.code)}
        counts = Counter(s.origin for s in seen.standings.values() if s.unit in below)
        why = "本级已上报" if own.locked else "" if package.locked else "尚未上报"
        rows.append(ChildRow(child, package, counts, not why, why))
    return tuple(rows)


def _total_sheet(seen: Picture, form: Form) -> TotalSheet:
    """Totals of a form down the tree of packages: each package's own rows once, then merged upward."""
    own: dict[str, list[Standing]] = {}
    for key, standing in seen.standings.items():
        if key[2] == form.id:
            own.setdefault(seen.roster.package_of(standing.unit).code, []).append(standing)
    rows: list[TotalRow] = []

    def climb(unit: Unit, depth: int) -> TotalRow | None:
        place = len(rows)
        standings = own.get(unit.code, [])
        reported = [s for s in standings if s.submission]
        mine = total(form, [seen.answers_of(s) for s in reported])
        below = [climb(child, depth + 1) for child in seen.roster.packages_below(unit.code)]
        parts = [row for row in below if row is not None]
        asked = len(standings) + sum(row.asked for row in parts)
        if not asked:
            return None
        totals: Totals = merge_totals([mine, *(row.totals for row in parts)])
        row = TotalRow(unit, depth, asked, len(reported) + sum(part.reported for part in parts), totals)
        rows.insert(place, row)
        return row

    climb(seen.root, 0)
    return TotalSheet(form, tuple(rows))


_MATTERS = frozenset({Origin.MISSING, Origin.CARRIED_OVER, Origin.RETURNED_UNCORRECTED, Origin.WITH_ERRORS})


def _missing(seen: Picture) -> tuple[MissingRow, ...]:
    """Who has not done what it owes, with whom to call."""
    place = {unit.code: n for n, unit in enumerate(seen.roster.below(seen.root.code))}
    rows = []
    day = seen.campaign.window(seen.root).last_day
    for key, standing in sorted(seen.standings.items(), key=lambda item: place[item[0][1]]):
        if standing.origin not in _MATTERS:
            continue
        unit = seen.roster.units[key[1]]
        people = seen.roster.people(unit.code, Role.ADMINISTRATOR, day)
        person = people[0] if people else None
        rows.append(
            MissingRow(
                unit, seen.roster.package_of(unit.code).name, seen.forms[key[2]].title, standing.origin.word,
                person.name if person else "", (person.mobile or person.phone) if person else "",
                seen.reminded.get(unit.code, 0),
            )
        )  # fmt: skip
    return tuple(rows)


def levels_of(roster: Roster, units: Sequence[str] | None = None) -> list[Unit]:
    """The units whose consolidated workbooks are made: all that report up, or those named."""
    wanted = set(units) if units is not None else None
    return [
        unit
        for unit in roster.units.values()
        if unit.kind.reports and (wanted is None or unit.code in wanted)
    ]
