"""What differs between a level's workbook and the one before it, told from the ledger.

Only what something happened to since then is looked at: its state of then is folded from its own events, so that the
cost follows the number of changes and not the size of the tree.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from workflow.adapters.store import MadeBook, Store, StoredAnswers
from workflow.domain.answers import shown
from workflow.domain.events import Event
from workflow.domain.form import Field, Form, Value
from workflow.domain.lifecycle import Case, Package
from workflow.domain.merge import CARRIED, Change, Origin, Standing, stand
from workflow.domain.privacy import Sight, sight, value_for
from workflow.domain.replay import case_after, package_after
from workflow.domain.roster import Roster, Unit
from workflow.domain.submission import Answers, Submission
from workflow.domain.tables import Row, TableDifference, differing
from workflow.process.earlier import answers_under, earlier_data
from workflow.process.picture import News, Picture

#: What the 变更 sheet has room for, so that it stays readable.
MOST = 500

History = Sequence[tuple[int, Event]]
_NOTHING = CARRIED | {Origin.MISSING}
_PACKAGE_WHY = {
    "reported": "上报",
    "auto_reported": "自动上报",
    "accepted": "审核结论",
    "returned": "退回",
    "withdrawal_requested": "撤报",
    "withdrawal_granted": "撤报",
    "withdrawal_refused": "撤报",
}
_CASE_WHY = {"returned": "退回", "approved": "审核结论", "submitted": "更正", "issued": "重新发表",
    "confirmed": "登记地址确认", "disowned": "非本单位报送",
}  # fmt: skip


def news(
    store: Store, seen: Picture, last: MadeBook | None, marks: Mapping[str, int],
    held: Mapping[str, StoredAnswers],
) -> News:  # fmt: skip
    """What differs from the level's last workbook; `marks` gives each package's last event, `held` the answers shown."""
    reported = store.report_places([seen.packages[seen.root.code]]).get(seen.root.code, 0)
    children = seen.roster.packages_below(seen.root.code)
    after = tuple(child.name for child in children if 0 < reported < marks.get(child.code, 0))
    if last is None:
        return News(after_report=after)
    below = tuple(child.name for child in children if marks.get(child.code, 0) > last.seq)
    lines = sorted(_lines(store, seen, last.seq, marks, held), key=_in_tree_order(seen))
    return News(last.version, below, after, tuple(lines[:MOST]), max(0, len(lines) - MOST))


def _in_tree_order(seen: Picture) -> Callable[[Change], int]:
    place = {unit.code: n for n, unit in enumerate(seen.roster.below(seen.root.code))}
    return lambda line: place[line.unit.code]


def _lines(
    store: Store, seen: Picture, since: int, marks: Mapping[str, int], held: Mapping[str, StoredAnswers]
) -> list[Change]:
    touched = store.touched(seen.campaign.id, {key[1] for key in seen.standings}, since)
    cases = [seen.cases[key] for key in seen.standings if key[1:] in touched]
    package_of = {case.unit: seen.roster.package_of(case.unit).code for case in cases}
    inside = {code: package for code, package in seen.packages.items() if marks.get(code, 0) > since}
    earlier = earlier_data(store, seen.campaign, seen.forms, package_of.keys()) if cases else {}
    carried = {key: known.standing for key, known in earlier.items()}
    past, turned = moved(store, cases, inside, package_of, carried, since)
    gone = {was.standing.submission for was in past} - held.keys() - {""}
    older = answers_under(store, gone, seen.forms)
    answers = {known: kept.answers for known, kept in {**held, **older}.items()}
    units = seen.roster.units
    lines = [package_change(units[then.unit], then, package, why) for then, package, why in turned]
    for was in past:
        key = (seen.campaign.id, was.case.unit, was.case.form)
        form = seen.forms[was.case.form]
        sees = sight(seen.roster, seen.root.code, was.case.unit)
        lines += case_changes(
            units[was.case.unit], form, was, seen.cases[key], seen.standings[key], answers, sees
        )
    return lines


_REPORTS = frozenset({"package.reported", "package.auto_reported"})


@dataclass(frozen=True, slots=True)
class Moved:
    """A case that something happened to: how it stood, and what happened last."""

    case: Case
    standing: Standing
    last: str


def moved(
    store: Store,
    cases: Iterable[Case],
    packages: Mapping[str, Package],
    package_of: Mapping[str, str],
    carried: Mapping[tuple[str, str], Standing],
    since: int,
) -> tuple[list[Moved], list[tuple[Package, Package, str]]]:
    """How the cases and packages that something happened to after `since` stood then; `package_of` gives each unit's
    package. Of a package both states come back, then and now, and what happened last.
    """
    cases = list(cases)
    above = {package_of[case.unit] for case in cases}
    streams = [case.stream for case in cases] + [packages[code].stream for code in sorted(packages)]
    told = store.histories(streams)
    before: dict[str, tuple[Package | None, Mapping[tuple[str, str], Standing]]] = {}
    turned: list[tuple[Package, Package, str]] = []
    for code, package in packages.items():
        history = told.get(package.stream, [])
        then = _package_then(history, since)
        if code in above:
            before[code] = (then, _frozen_then(history, since))
        if then is not None and (then.state, then.version) != (package.state, package.version):
            turned.append((then, package, _last(history)))
    found = []
    for case in cases:
        history = told.get(case.stream, [])
        past, versions = _case_then(history, since)
        if past is None:
            continue
        then, frozen = before.get(package_of[case.unit], (None, {}))
        key = (case.unit, case.form)
        if then is not None and then.locked and key in frozen:
            standing = frozen[key]
        else:
            standing = stand(past, versions, carried.get(key))
        found.append(Moved(past, standing, _last(history)))
    return found, turned


def _last(history: History) -> str:
    return history[-1][1].kind.partition(".")[2] if history else ""


def _package_then(history: History, since: int) -> Package | None:
    package: Package | None = None
    for seq, event in history:
        if seq <= since:
            package = package_after(package, event)
    return package


def _frozen_then(history: History, since: int) -> dict[tuple[str, str], Standing]:
    """The rows of the last report until then."""
    rows: Sequence[Sequence[str]] = ()
    for seq, event in history:
        if seq <= since and event.kind in _REPORTS:
            rows = event.data.get("rows", ())
    return {
        (unit, form): Standing(unit, form, Origin(origin), submission or "", int(number))
        for unit, form, origin, submission, number in rows
    }


def _case_then(history: History, since: int) -> tuple[Case | None, list[Submission]]:
    """A case and its versions as they were."""
    case: Case | None = None
    versions: list[Submission] = []
    for seq, event in history:
        if seq > since:
            break
        case = case_after(case, event)
        data = event.data
        if event.kind == "case.submitted":
            versions.append(
                Submission(
                    data["submission"], case.campaign, case.unit, case.form, data["form_version"], data["number"],
                    dt.datetime.fromisoformat(data["received_at"]), data.get("message", ""),
                    data.get("attachment", ""), "", data.get("errors", 0), data.get("queries", 0),
                    no_change=data.get("no_change", False),
                )
            )  # fmt: skip
        elif event.kind in {"case.returned", "case.approved"}:
            number = data.get("returned_number", data.get("number", case.number))
            flag = "returned" if event.kind == "case.returned" else "approved"
            versions = [replace(v, **{flag: True}) if v.number == number else v for v in versions]  # type: ignore[arg-type]
        elif event.kind == "case.disowned":
            versions = [v for v in versions if v.number != data["number"]]
    return case, versions


def case_changes(
    unit: Unit, form: Form, past: Moved, case: Case, now: Standing, answers: Mapping[str, Answers], sees: Sight
) -> list[Change]:  # fmt: skip
    """The lines about one unit's form, `answers` by submission; `sees` is how the workbook's level sees its contacts."""

    def line(what: str, before: str, after: str, why: str) -> Change:
        return Change(unit, form.title, what, before, after, why)

    then = past.standing
    why = _CASE_WHY.get(past.last, "更正")
    if then.submission == now.submission:
        if then.origin is not now.origin:
            return [line("数据来源", then.origin.word, now.origin.word, why)]
        if past.case.state is not case.state:
            return [line("填报状态", past.case.state.word, case.state.word, why)]
        return [line("发件地址", "未登记", "已由登记地址确认", why)] if past.last == "confirmed" else []
    if now.origin is Origin.NO_CHANGE:
        why = "无变化确认"
    elif then.origin in _NOTHING:
        why = "新报送"
    elif now.number > then.number:
        why = "更正"
    if then.origin is Origin.MISSING or now.origin is Origin.MISSING:
        return [line("填报数据", then.origin.word, now.origin.word, why)]
    old, new = answers.get(then.submission, {}), answers.get(now.submission, {})
    fields, tables = differing(form, old, new)
    lines = [
        line(f.label, _told(sees, f, old.get(f.name)), _told(sees, f, new.get(f.name)), why) for f in fields
    ]
    lines += [line(*words, why) for table in tables for words in _table_words(table, sees)]
    return lines or [line("报送次数", _times(then), _times(now), why)]


def _told(sees: Sight, field: Field, value: Value) -> str:
    """An answer in words, as the workbook's level sees it."""
    return shown(value_for(sees, field, value))


def _table_words(difference: TableDifference, sees: Sight) -> list[tuple[str, str, str]]:
    """A table's lines: what, before and after. Row by row where few differ, else one line that counts them."""
    name, columns = difference.table.name, difference.table.columns
    if difference.rows > _FEW_ROWS:
        return [(name, f"共{difference.before}行", f"共{difference.after}行：{difference.words}")]
    words = [
        (f"{name} 删去第{row.number}行", _row_words(columns, row, sees), shown(None))
        for row in difference.removed
    ]
    for before, after in difference.changed:
        cells = zip(columns, before.values, after.values, strict=True)
        words += [
            (f"{name}第{after.number}行{column.label}", _told(sees, column, old), _told(sees, column, new))
            for column, old, new in cells
            if old != new
        ]
    return words + [
        (f"{name} 增加第{row.number}行", shown(None), _row_words(columns, row, sees))
        for row in difference.added
    ]


def _row_words(columns: Sequence[Field], row: Row, sees: Sight) -> str:
    answered = zip(columns, row.values, strict=True)
    return "，".join(_told(sees, column, value) for column, value in answered if value is not None)


def package_change(unit: Unit, then: Package, now: Package, last: str) -> Change:
    """The line about a package."""
    why = _PACKAGE_WHY.get(last, "上报")
    return Change(unit, "", "上报状态", _reported(then), _reported(now), why)


def _reported(package: Package) -> str:
    return package.state.word + (f"（第{package.version}次）" if package.version > 1 else "")


def _times(standing: Standing) -> str:
    return f"{standing.origin.word}，第{standing.number}次"


def since_approval(
    form: Form, approved: Answers, answers: Answers, sees: Sight
) -> tuple[frozenset[str], str]:
    """The fields and cells of tables that differ from what was last approved, and how a note words it to who sees contacts
    so: former values of a few, of a table how many rows.
    """
    fields, tables = differing(form, approved, answers)
    words = f"较上次审核通过变化{len(fields) + len(tables)}项"
    named = [f"{table.table.name}：{table.words}" for table in tables]
    if len(fields) + len(tables) <= _FEW:
        named = [
            f"{f.label}：{_told(sees, f, approved.get(f.name))}→{_told(sees, f, answers.get(f.name))}"
            for f in fields
        ] + named
    elif named:
        named[0] = f"其中{named[0]}"
    if named:
        words += f"（{'；'.join(named)}）"
    return frozenset(field.name for field in fields).union(*(table.cells() for table in tables)), words


_FEW = 3
_FEW_ROWS = 5


@dataclass(frozen=True, slots=True)
class Stale:
    """A level whose last workbook, or last report, no longer says how things stand: which packages directly below have
    changed since the workbook and since the report; `reported` is true where the level has reported.
    """

    unit: Unit
    book: int
    changed: tuple[str, ...]
    reported: bool
    changed_after_report: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        return {
            "unit": self.unit.code, "name": self.unit.name, "book": self.book, "changed": list(self.changed),
            "reported": self.reported, "changed_after_report": list(self.changed_after_report),
        }  # fmt: skip


def stale(store: Store, roster: Roster, campaign: str, packages: Iterable[Package]) -> list[Stale]:
    """The levels whose workbook or report is out of date, in the order of the packages: a few queries, however many units
    there are.
    """
    packages = list(packages)
    marks, books, reports = (
        store.package_marks(campaign), store.books(campaign), store.report_places(packages),
    )  # fmt: skip
    found = []
    for package in packages:
        if package.unit not in roster.units:
            continue
        book, reported = books.get(package.unit), reports.get(package.unit, 0)
        below = [child.code for child in roster.packages_below(package.unit)]
        since = tuple(code for code in below if book is not None and marks.get(code, 0) > book.seq)
        after = tuple(code for code in below if 0 < reported < marks.get(code, 0))
        out_of_date = book is not None and marks.get(package.unit, 0) > book.seq
        if out_of_date or after:
            unit, version = roster.units[package.unit], book.version if book else 0
            found.append(Stale(unit, version, since, reported > 0, after))
    return found
