"""The roster's baseline 基准数据: the first imported whole, later ones compared with what is in force and applied from a day.

What a baseline tells (articles 9, 10) changes by a baseline alone. What staff and schools set (people, 审核窗口, 备注, 暂停招生)
is kept beside it and survives it.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from workflow.adapters.store import Store
from workflow.domain.contacts import encode_contact, told_by_file
from workflow.domain.errors import Fault, Refused
from workflow.domain.events import Event
from workflow.domain.roster import Contact, Roster, Unit
from workflow.domain.roster_changes import (
    Applied,
    Change,
    ChangeKind,
    Decision,
    Tie,
    apply,
    changes,
    tied_by_hand,
    tree_after,
    tree_faults,
)
from workflow.process.moves import Deed, closings, unit_data
from workflow.process.situation import SYSTEM
from workflow.process.tree_rules import asked_faults, day_faults, earliest, mass_closing


@dataclass(frozen=True, slots=True)
class Source:
    """Where a baseline comes from: its file and digest, and who put it in force, why."""

    file: str
    sha: str
    by: str = SYSTEM
    note: str = ""
    yes_really: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """A baseline beside the roster in force. `number` is the roster's state, `own` whether the file is our own roster's,
    which tells people and what staff set too.
    """

    old: Roster
    new: Roster
    changes: tuple[Change, ...]
    since: dt.date
    number: int
    own: bool

    @property
    def plain(self) -> bool:
        """Whether nothing is changed of a unit that is known: new ones, people and what staff set at most."""
        return all(change.kind is ChangeKind.NEW for change in self.changes)


def import_roster(
    store: Store, roster: Roster, queries: Sequence[Fault], file: str, sha: str, now: dt.datetime
) -> None:
    """Put a roster in force, and its queries on staff's list, in one transaction: whole until something has been asked of
    the units; after that people, what staff set, and new units. Raises Refused for other changes of the tree.
    """
    source = Source(file, sha)
    if is_first(store):
        data = {"sha": sha, "file": file, "units": [unit_data(unit) for unit in roster.units.values()]}
        personal = {"contacts": [encode_contact(contact) for contact in roster.contacts]}
        _append(store, "roster.imported", data, personal, queries, source, now)
        return
    compared = compare(store, roster, None, now.date(), own=True)
    if not compared.plain:
        what = f"有 {len(compared.changes)} 项变更，须核对后从确定的日期起生效"
        raise Refused(Fault(file, what, "请用 --from 写明生效日期，填好核对表后用 --approve 批准"))
    queries = (*queries, *passed_over(store, compared))
    put_in_force(store, compared, [Decision.AGREED] * len(compared.changes), queries, source, now)


def is_first(store: Store) -> bool:
    """Whether nothing has been asked of any unit yet, so that a roster may be replaced whole."""
    return store.roster() is None or not store.campaigns()


def compare(store: Store, new: Roster, since: dt.date | None, today: dt.date, *, own: bool) -> Comparison:
    """A baseline beside the roster in force; raises Refused where it could not hold from that day, agreed to as it is."""
    old = store.roster()
    assert old is not None
    units = {
        code: _with_what_staff_set(unit, old.units.get(code), own=own) for code, unit in new.units.items()
    }
    found = changes(old.units, units)
    named = since or earliest(store, today)
    faults = list(day_faults(store, named, today)) if since else []
    whole = apply(old.units, units, [(change, Decision.AGREED) for change in found])
    if not faults:
        faults += asked_faults(store, old.units, whole, named)
    if faults:
        raise Refused(faults)
    number = store.next_numbers(["roster"])["roster"]
    return Comparison(old, replace(new, units=units), found, named, number, own)


def _with_what_staff_set(unit: Unit, known: Unit | None, *, own: bool) -> Unit:
    """A unit of a baseline with what it does not tell; 暂停招生 is the school's own mark, which a file may set and not lift."""
    if known is None:
        return unit
    if own:
        return replace(unit, suspended=unit.suspended or known.suspended)
    return replace(unit, suspended=known.suspended, window=known.window, note=known.note)


def with_ties(
    compared: Comparison, decided: Sequence[Decision], ties: Mapping[int, Tie]
) -> tuple[Comparison, list[Decision]]:
    """A comparison with the ties that the clerk typed, and the decision on each of its changes. Raises Refused."""
    result, faults = tied_by_hand(compared.changes, decided, ties, compared.old.units, compared.new.units)
    if faults:
        raise Refused(faults)
    return replace(compared, changes=tuple(one for one, _ in result)), [one for _, one in result]


def put_in_force(
    store: Store,
    compared: Comparison,
    decided: Sequence[Decision],
    queries: Sequence[Fault],
    source: Source,
    now: dt.datetime,
) -> Applied:
    """Apply the decided changes from their day, in one transaction. Raises Refused when what is left does not make a tree,
    when it ends units that are being asked, or a third of all of them without a reason.
    """
    old = compared.old.units
    applied = apply(old, compared.new.units, zip(compared.changes, decided, strict=True))
    after = _settled(old, compared, tree_after(old, applied), applied)
    applied = replace(applied, units=tuple(unit for code, unit in after.items() if old.get(code) != unit))
    faults = [*tree_faults(after), *asked_faults(store, old, applied, compared.since)]
    ended = set(applied.closed) - {link.old for link in applied.links}
    too_many = mass_closing(old, ended)
    if too_many and not (source.yes_really and source.note):
        faults.append(too_many)
    if faults:
        raise Refused(faults)
    known = store.all_contacts()
    people = _people(known, compared, applied)
    data: dict[str, Any] = {
        "from": compared.since.isoformat(), "sha": source.sha, "file": source.file, "note": source.note,
        "units": [unit_data(unit) for unit in applied.units], "closed": list(applied.closed),
        "links": [[link.old, link.new, link.kind.value] for link in applied.links],
    }  # fmt: skip
    personal = None
    if Counter(people) != Counter(known):  # who changed by a paper stands last in the list
        data["people"] = True
        personal = {"contacts": [encode_contact(person) for person in people]}
    if applied != Applied() or personal or queries:
        answered = closings(
            store.problems(), after, Deed(source.by, now, source.note, f"roster:{source.sha}")
        )
        _append(store, "roster.applied", data, personal, queries, source, now, answered)
    return applied


def _settled(
    old: Mapping[str, Unit], compared: Comparison, tree: Mapping[str, Unit], applied: Applied
) -> dict[str, Unit]:
    """The tree with what staff set: from our own file, and from the former code of a unit that was re-coded."""
    after = dict(tree)
    if compared.own:
        for code, unit in compared.new.units.items():
            if code in after and code in old:
                after[code] = replace(
                    after[code], suspended=unit.suspended, window=unit.window, note=unit.note
                )
    for link in applied.links:
        if link.kind is ChangeKind.RECODED:
            was, unit = old[link.old], after[link.new]
            after[link.new] = replace(
                unit, suspended=unit.suspended or was.suspended, window=unit.window or was.window,
                note=unit.note or was.note,
            )  # fmt: skip
    return after


def _people(known: Sequence[Contact], compared: Comparison, applied: Applied) -> list[Contact]:
    """Everybody registered once the changes hold: those of the file for the units in it, those of all others as they were;
    who answered for a unit under its former code answers for it under the new one.
    """
    if compared.own:
        people = [person for person in known if person.unit not in compared.new.units]
        people = [*_of_file(known, compared)[0], *people]
    else:
        people = list(known)
    told: dict[str, list[Contact]] = {}
    for person in people:
        told.setdefault(person.unit, []).append(person)
    for link in applied.links:
        if link.kind is ChangeKind.RECODED and link.new not in told:
            people += [replace(person, unit=link.new) for person in told.get(link.old, ())]
    return people


def _of_file(known: Sequence[Contact], compared: Comparison) -> tuple[list[Contact], list[Contact]]:
    """Of the units of our own file everybody once it is read, and its rows that were passed over."""
    units = compared.new.units
    return told_by_file([one for one in known if one.unit in units], compared.new.contacts)


def passed_over(store: Store, compared: Comparison) -> list[Fault]:
    """Rows of our own file that say otherwise than a 回执表 or 人员信息 sheet that came after it: for staff to look at."""
    if not compared.own:
        return []
    remedy = "未作改动；确需更改的，请在该行“生效日期”填写变更之日，再次导入"
    return [
        Fault(
            f"人员 {row.unit} {compared.new.units[row.unit].name}",
            f"{row.role}{row.name}与以后登记的人员不同", remedy,
        )
        for row in _of_file(store.all_contacts(), compared)[1]
    ]  # fmt: skip


def _append(
    store: Store,
    kind: str,
    data: Mapping[str, Any],
    personal: Mapping[str, Any] | None,
    queries: Sequence[Fault],
    source: Source,
    now: dt.datetime,
    answered: Sequence[Event] = (),
) -> None:
    last = store.next_numbers(["roster", "staff"])
    events = [Event("roster", last["roster"] + 1, kind, now, source.by, "cli", data, personal)]
    for place, query in enumerate(queries, last["staff"] + 1):
        matter = {"matter": str(query)}
        events.append(Event("staff", place, "staff.query", now, SYSTEM, f"roster:{source.sha}", {}, matter))
    store.append([*events, *answered])


def difference(old: Roster | None, new: Roster) -> list[str]:
    """What a new baseline changes, a line a change, then what staff set otherwise."""
    before: Mapping[str, Unit] = old.units if old else {}
    lines = [in_words(change) for change in changes(before, new.units)]
    for code, unit in new.units.items():
        known = before.get(code)
        if known and (known.suspended, known.window, known.note) != (unit.suspended, unit.window, unit.note):
            lines.append(f"其他变更 {code} {unit.name}")
    return lines


def in_words(change: Change) -> str:
    """A change in one line."""
    before, after, words = change.before, change.after, f"{change.kind} {change.unit.code}"
    along = f"，{change.followers}个下级单位随同" if change.followers else ""
    if before is None or after is None:
        return f"{words} {change.unit.name}"
    match change.kind:
        case ChangeKind.MOVED:
            return f"{words} {before.name}：{before.superior} → {after.superior}"
        case ChangeKind.RETYPED:
            return f"{words} {before.name}：{before.kind} → {after.kind}"
        case ChangeKind.RENAMED:
            return f"{words} {before.name} → {after.name}"
        case _:
            return (
                f"{words} {before.name} → {after.code} {after.name}（名称相似度{change.likeness:.0%}{along}）"
            )


def counted(found: Iterable[Change]) -> str:
    """How many changes of each kind, in words."""
    kinds = [change.kind for change in found]
    return "、".join(f"{kind}{kinds.count(kind)}项" for kind in ChangeKind if kind in kinds)
