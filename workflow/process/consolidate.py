"""Consolidated workbooks 汇总表 of a level: gathered from the store, made when something has changed, never twice the same.

A package that has been reported shows the rows that it was reported with; one that is open shows the data as they stand.
A level in whose branch nothing has happened since its last workbook costs nothing. However many levels are asked for, the
tree is gathered once; answers are read only where a workbook is to be made.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from workflow.adapters.files import Files
from workflow.adapters.store import MadeBook, Store
from workflow.adapters.workbook.consolidate import write_book
from workflow.domain.campaign import Campaign
from workflow.domain.errors import Fault, Refused
from workflow.domain.events import Event, canonical
from workflow.domain.form import FILLER, Form
from workflow.domain.lifecycle import Package, PackageState
from workflow.domain.merge import (
    CARRIED,
    BookRow,
    BookSheet,
    ChildRow,
    ConsolidatedBook,
    Cover,
    Standing,
    TotalRow,
    Totals,
    TotalSheet,
    merge_totals,
    total,
)
from workflow.domain.privacy import Sight, answers_for, notes_for, sight
from workflow.domain.roster import Roster, Unit
from workflow.domain.submission import Submission
from workflow.domain.tables import notes_in_words
from workflow.domain.tallies import Judge, judge
from workflow.process.changes import news, since_approval
from workflow.process.chronicle import returned
from workflow.process.earlier import answers_under
from workflow.process.file_notes import sent_by
from workflow.process.missing import missing
from workflow.process.picture import Picture, pictures
from workflow.process.situation import SYSTEM, CaseKey
from workflow.process.tallies import judgements, tally_sheets

Token = Callable[..., str]

#: Workbooks recorded in one transaction.
_TOGETHER = 20


def consolidate(
    store: Store, files: Files, token: Token, roster: Roster, campaign: Campaign, forms: Mapping[str, Form],
    units: Sequence[Unit], now: dt.datetime, cut_off: dt.datetime,
    progress: Callable[[int, int], None] = lambda done, total: None, judge: Judge = judge,
) -> list[MadeBook]:  # fmt: skip
    """The levels' newest consolidated workbooks: made and recorded where the content differs from the last version's."""
    seq, _ = store.head()
    marks, books = store.package_marks(campaign.id), store.books(campaign.id)
    made = {
        unit.code: books[unit.code] for unit in units
        if unit.code in books and marks.get(unit.code, 0) <= books[unit.code].seq
        and files.has_outbox(books[unit.code].path)
    }  # fmt: skip
    changed: list[tuple[Picture, str]] = []
    confirmed: list[Event] = []
    waiting = [unit for unit in units if unit.code not in made]
    for seen in pictures(store, roster, campaign, forms, waiting) if waiting else ():
        digest, last = content_digest(seen), books.get(seen.root.code)
        if last is not None and last.sha == digest and files.has_outbox(last.path):
            made[seen.root.code] = last
            confirmed.append(_book_event(store, campaign, last.unit, "confirmed", now, last.version, seq, {}))
        else:
            changed.append((seen, digest))
    store.append(confirmed)
    shown = set[str]().union(*(seen.shown for seen, _ in changed))
    held = answers_under(store, shown, forms)
    if shown - held.keys():
        what = "报送数据已按保存期限清除，不能再生成汇总表"
        raise Refused(Fault(f"填报任务 {campaign.id}", what, "请使用清除前已经生成的汇总表"))
    verdicts = judgements(judge, store, [seen for seen, _ in changed], held)
    for at in range(0, len(changed), _TOGETHER):
        events = []
        for seen, digest in changed[at : at + _TOGETHER]:
            last = books.get(seen.root.code)
            version = (last.version if last else 0) + 1
            name = token(campaign.id, seen.root.code, "review", version)
            sent_back = returned(store, seen.roster, seen.packages, seen.root.code)
            told, tallies = news(store, seen, last, marks, held), tally_sheets(seen, verdicts)
            full = replace(seen, held=held, news=told, returned=sent_back, tallies=tallies)
            path = _written(files, full, version, name, now, cut_off)
            data = {"token": name, "sha": digest, "cut_off": cut_off.isoformat(), "path": path}
            events.append(_book_event(store, campaign, seen.root.code, "made", now, version, seq, data))
            progress(len(made) + at + len(events), len(units))
        store.append(events)
    newest = store.books(campaign.id) if changed else {}
    made |= {seen.root.code: newest[seen.root.code] for seen, _ in changed}
    return [made[unit.code] for unit in units]


def _book_event(
    store: Store, campaign: Campaign, unit: str, what: str, now: dt.datetime, version: int, seq: int,
    data: Mapping[str, object],
) -> Event:  # fmt: skip
    """`seq` is the last event that the content takes account of."""
    stream = f"book:{campaign.id}/{unit}"
    number = store.next_numbers([stream])[stream] + 1
    cause = f"campaign:{campaign.id}"
    return Event(stream, number, f"book.{what}", now, SYSTEM, cause, {"version": version, "seq": seq, **data})


def _written(
    files: Files, seen: Picture, version: int, token: str, made_at: dt.datetime, cut_off: dt.datetime
) -> str:
    """Write a picture's workbook; its path."""
    target = io.BytesIO()
    write_book(book_of(seen, version, token, made_at, cut_off), target)
    name = f"{seen.root.code}_{in_a_file_name(seen.root.name)}_第{version}版.xlsx"
    return files.write_book(f"{seen.campaign.id}/{name}", target.getvalue())


def in_a_file_name(name: str) -> str:
    """A unit's name as every file system takes it."""
    return re.sub(r'[\\/:*?"<>|\x00-\x1f]', "_", name)[:40].strip(" .") or "_"


def content_digest(seen: Picture) -> str:
    """What a consolidated workbook says, without when it was made: equal digests need no new version."""
    owned = {known for known, version in seen.received.items() if version.confirmed_at is not None}
    rows = [
        [*key[1:], s.origin.value, s.submission, seen.cases[key].state.value, *(["确认"] if s.submission in owned else [])]
        for key, s in seen.standings.items()
    ]  # fmt: skip
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
        len(seen.standings), not own.locked, seen.news.replaces, seen.news.below, seen.news.after_report,
        seen.returned.get(seen.root.code, ""),
    )  # fmt: skip
    totals = tuple(_total_sheet(seen, sheet.form) for sheet in sheets)
    return ConsolidatedBook(
        cover, _children(seen, own), tuple(sheets), totals, missing(seen), seen.news.changes, seen.news.unlisted,
        seen.tallies,
    )  # fmt: skip


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
    elif case.newest == 0:
        why = "尚未报送"
    else:
        why = ""
    version = seen.received.get(standing.submission)
    form, sees = seen.forms[case.form], sight(seen.roster, seen.root.code, unit.code)
    words = notes_in_words(form, notes_for(sees, form, sent_by(seen.notes_of(standing), version)))
    again, changed = _again(seen, key, sees)
    return BookRow(
        unit, package.name, case.state.word, standing.origin, case.newest,
        version.received_at if version else None, answers_for(sees, form, seen.answers_of(standing)), not why, why,
        "；".join([*again, *_alone(seen, key, version), *words]), changed,
    )  # fmt: skip


def _alone(seen: Picture, key: CaseKey, version: Submission | None) -> list[str]:
    """What a row says where the level's only person has filled in and reviews as well (article 8)."""
    level = seen.roster.package_of(key[1]).code if seen.alone else ""
    alone = seen.alone.get(level, {})
    if not alone or version is None:
        return []
    filler = str(seen.answers_of(seen.standings[key]).get(FILLER) or "").strip()
    sender = seen.senders.get(version.message, "").lower()
    same = bool(sender and sender in alone.values()) or (key[1] == level and filler in alone)
    return ["审核员与填报人为同一人"] if same else []


def _again(seen: Picture, key: CaseKey, sees: Sight) -> tuple[list[str], frozenset[str]]:
    """What a resubmission's row says of how often it came and of what differs from what was last approved."""
    standing = seen.standings[key]
    if standing.number < 2 or standing.origin in CARRIED:
        return [], frozenset()
    approved = seen.held.get(seen.approved.get(key, ""))
    if approved is None:
        return [f"第{standing.number}次报送"], frozenset()
    changed, words = since_approval(seen.forms[key[2]], approved.answers, seen.answers_of(standing), sees)
    return [f"第{standing.number}次报送，{words}"], changed


def _children(seen: Picture, own: Package) -> tuple[ChildRow, ...]:
    rows = []
    for child in seen.roster.packages_below(seen.root.code):
        package = seen.packages.get(child.code)
        if package is None:
            continue
        below = {unit.code for unit in seen.roster.below(child.code)}
        counts = Counter(s.origin for s in seen.standings.values() if s.unit in below)
        why = "本级已上报" if own.locked else "" if package.locked else "尚未上报"
        decidable = not why
        if package.state is PackageState.WITHDRAWAL_REQUESTED:
            # Refusing is open to a level that has reported itself; granting is not, and it is told why.
            decidable, why = (
                True,
                f"申请撤报：{package.note}" + ("（本级已上报，须先撤回本级）" if why else ""),
            )
        rows.append(ChildRow(child, package, counts, decidable, why, seen.returned.get(child.code, "")))
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


def levels_of(roster: Roster, units: Sequence[str] | None = None) -> list[Unit]:
    """The units whose consolidated workbooks are made: all that report up, or those named."""
    wanted = set(units) if units is not None else None
    return [
        unit
        for unit in roster.units.values()
        if unit.kind.reports and (wanted is None or unit.code in wanted)
    ]
