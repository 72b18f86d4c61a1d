"""Taking over phase-one data 一期数据, so that the first period's copies are pre-filled and a silent unit is not missing.

Whole or not at all: nothing is taken over before every doubtful row is decided, and nothing while a period is being collected,
whose copies are out already.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workflow.adapters.store import Store
from workflow.domain.errors import Fault, Refused
from workflow.domain.events import Event, encode_value
from workflow.domain.form import FieldMapping, Form
from workflow.domain.legacy import LEGACY, Index, LegacyRow, Match, Taken, Unread, match_rows, take, unmapped
from workflow.domain.mapping import Mapper
from workflow.domain.roster import Roster


@dataclass(frozen=True)
class LegacyFile:
    """The old system's export as it was matched: whose each row seems to be, and the old fields that go nowhere."""

    matches: tuple[Match, ...]
    left_out: tuple[tuple[str, int], ...]
    unread: tuple[Unread, ...]
    roster: Roster
    mappers: Mapping[str, Mapper]  # by kind of unit

    @property
    def doubtful(self) -> tuple[Match, ...]:
        return tuple(match for match in self.matches if not match.certain)

    def settled(self, decided: Sequence[str]) -> list[tuple[Match, str]]:
        """Each row that is taken over, with its unit, in the file's order; `decided` are the doubtful ones' units ('': left)."""
        said = iter(decided)
        pairs = [(match, match.unit if match.certain else next(said)) for match in self.matches]
        return [(match, unit) for match, unit in pairs if unit]


@dataclass(frozen=True, slots=True)
class LegacySource:
    """Where the data come from: the file and its digest, and who took them over, why."""

    file: str
    sha: str
    by: str
    note: str = ""


def prepare(
    store: Store, roster: Roster, rows: Sequence[LegacyRow], forms: Mapping[str, Form],
    mapping: Sequence[FieldMapping], aliases: Mapping[str, str],
) -> LegacyFile:  # fmt: skip
    """Match a file's rows with the roster and read them. Raises Refused while a period is being collected, and for a mapping
    that names fields which no form has.
    """
    faults = [*_running(store), *_nowhere(forms, mapping)]
    faults += [
        Fault(f"别名 {account}", f"单位代码“{code}”不在名册中", "请改为名册中的单位代码")
        for account, code in aliases.items()
        if code not in roster.units
    ]
    if faults:
        raise Refused(faults)
    # An account that several units had says nothing of any.
    known = {alias: units[0] for alias, units in store.aliases().items() if len(units) == 1}
    known |= {old: new for new, (old, _) in store.former_codes().items() if new in roster.units}
    matches = match_rows(rows, Index(roster, {**known, **aliases}, store.former_names()))
    mappers = {kind: Mapper(form, tuple(mapping)) for form in forms.values() for kind in form.kinds}
    unread = [
        one for match in matches if match.unit and (mapper := mappers.get(roster.units[match.unit].kind))
        for one in take(match.row, mapper).unread
    ]  # fmt: skip
    left = tuple(unmapped(rows, list({mapper.form.id: mapper for mapper in mappers.values()}.values())))
    return LegacyFile(matches, left, tuple(unread), roster, mappers)


def _running(store: Store) -> list[Fault]:
    for campaign in store.campaigns():
        if any(not package.locked for package in store.packages(campaign.id)):
            what = f"填报任务 {campaign.id} 正在进行，各单位的工作簿已经发出"
            return [Fault("一期数据", what, "请在开启第一个任务之前导入，或者等本期全部上报之后")]
    return []


def _nowhere(forms: Mapping[str, Form], mapping: Sequence[FieldMapping]) -> list[Fault]:
    names = {"原账号", "单位代码", "单位名称", "上级单位"}
    faults = []
    for row in mapping:
        asked = [form for form in forms.values() if row.form in {"", form.id}]
        if row.form and not asked:
            faults.append(
                Fault("映射", f"原字段“{row.old}”：没有表单“{row.form}”", f"可用的有：{'、'.join(forms)}")
            )
        elif row.new and row.new not in names and not any(Mapper(form).has(row.new) for form in asked):
            what = f"原字段“{row.old}”对应的新字段“{row.new}”不在表单中"
            faults.append(Fault("映射", what, "请改为“字段”表中的字段名或标签；不导入的清空新字段"))
    return faults


def take_over(
    store: Store, file: LegacyFile, decided: Sequence[str], source: LegacySource, now: dt.datetime
) -> int:
    """Take over the rows with their decisions, in one transaction; how many units. Raises Refused where two rows go to one unit
    or a unit is of a kind that fills no form.
    """
    pairs = file.settled(decided)
    faults = list(_twice(pairs, file.roster)) + [
        Fault(
            match.row.place,
            f"{file.roster.units[unit].name}是{file.roster.units[unit].kind}，没有适用的表单",
            "请改为不导入",
        )
        for match, unit in pairs
        if file.roster.units[unit].kind not in file.mappers
    ]
    if faults:
        raise Refused(faults)
    streams = {
        unit: f"legacy:{unit}/{file.mappers[file.roster.units[unit].kind].form.id}" for _, unit in pairs
    }
    numbers = store.next_numbers(streams.values()) if streams else {}
    events = []
    for match, unit in pairs:
        form = file.mappers[file.roster.units[unit].kind].form
        taken = take(match.row, file.mappers[file.roster.units[unit].kind])
        if taken.answers:
            number = numbers[streams[unit]] + 1
            events.append(_event(streams[unit], number, unit, form, match, taken, source, now))
    if events:
        store.append(events)
    return len(events)


def _twice(pairs: Sequence[tuple[Match, str]], roster: Roster) -> list[Fault]:
    places: dict[str, list[str]] = {}
    for match, unit in pairs:
        places.setdefault(unit, []).append(match.row.place)
    return [
        Fault(
            "、".join(where),
            f"都要导入到 {unit} {roster.units[unit].name}",
            "同一单位只能导入一行，其余请改为不导入",
        )
        for unit, where in places.items()
        if len(where) > 1
    ]


def _event(
    stream: str, number: int, unit: str, form: Form, match: Match, taken: Taken, source: LegacySource,
    now: dt.datetime,
) -> Event:  # fmt: skip
    data = {
        "submission": f"{LEGACY}/{unit}/{form.id}/{number}", "form_version": form.version, "file": source.file,
        "sha": source.sha, "row": match.row.place, "confidence": match.confidence, "why": match.why, "note": source.note,
    }  # fmt: skip
    personal = {
        "answers": {name: encode_value(value) for name, value in taken.answers.items()},
        "moved": dict(taken.addresses),
    }
    return Event(stream, number, "legacy.taken", now, source.by, f"file:{source.sha}", data, personal)
