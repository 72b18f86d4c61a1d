"""Opening a campaign: a case for every unit and form, a package for every level, and the letters that ask for data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workflow.adapters.store import Store
from workflow.domain.campaign import Calendar, Campaign, OwnDays, midnight
from workflow.domain.contacts import roster_facts
from workflow.domain.errors import Conflict, Fault, Refused
from workflow.domain.events import Event
from workflow.domain.form import Form, Prefill, Value, split_cell
from workflow.domain.letters import FreshCopy, LetterKind, LetterOrder, ReceiptForm
from workflow.domain.lifecycle import Case, CaseState, case_stream, package_stream
from workflow.domain.matching import make_token
from workflow.domain.roster import Contact, Level, Role, Roster, Unit
from workflow.domain.submission import Answers
from workflow.process.carry import without_room
from workflow.process.correspondence import Secretariat
from workflow.process.earlier import earlier_data
from workflow.process.receipts import ASKED
from workflow.process.situation import SYSTEM, Earlier

BATCH = 500
#: Units that an item of staff's list names.
_NAMED = 5
UNREVIEWED = "没有登记审核员，本级数据将不经审核自动上报"


@dataclass(frozen=True, slots=True)
class Launched:
    """What opening did: units asked, letters queued, the units that no letter can reach, and, the first time, the levels
    without an 审核员.
    """

    units: int
    letters: int
    unreachable: tuple[str, ...]
    vacant: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TokenKey:
    """The key that makes routing tokens, and its one-letter id; kept in a 0600 file of the workspace."""

    id: str
    secret: bytes

    def token(self, *parts: object) -> str:
        return make_token(self.secret, self.id, *parts)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a campaign is opened with: its windows, the date for the receipts (None: none are asked), whether it goes up by itself,
    the windows of single units, and what else the notice asks for, a sentence each.
    """

    windows: Mapping[Level, tuple[int, int]]
    receipt_due: dt.date | None
    auto_report: bool = True
    own_windows: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


def launch(
    store: Store,
    secretariat: Secretariat,
    key: TokenKey,
    period: Calendar,
    now: dt.datetime,
    forms: Mapping[str, tuple[Form, str]],
    terms: Terms,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Launched:
    """Open a campaign and queue its letters; `forms` gives each form by id with the sha of its definition.

    Opening again goes on where a crash left off: what is there already is left as it is. Raises Refused when no
    roster was imported, when a kind of unit has no form, or while another period has not been reported.
    """
    roster = store.roster(period.last_day)
    if roster is None:
        raise Refused(Fault("名册", "尚未导入", "请先运行 huizhi roster import"))
    campaign = store.campaign(period.id)
    vacant: tuple[str, ...] = ()
    if campaign is None:
        campaign = _open(store, period, now, forms, terms, roster)
        levels = {package.unit for package in store.packages(campaign.id)}
        vacant = tuple(unit.code for unit in _vacant(roster, levels, now))
    fill = {kind: form for form, _ in forms.values() for kind in form.kinds}
    units = [unit for unit in roster.units.values() if unit.kind in fill and not unit.suspended]
    earlier = earlier_data(store, campaign, {name: form for name, (form, _) in forms.items()})
    late = _late_answers(store, campaign)
    unreachable, letters = [], 0
    cases = {case.unit: case for case in store.cases(campaign.id)}
    waiting = [
        unit for unit in units if unit.code not in cases or cases[unit.code].state is CaseState.PLANNED
    ]
    for start in range(0, len(waiting), BATCH):
        batch = waiting[start : start + BATCH]
        orders, events, lost, cut = _issue(batch, cases, campaign, roster, fill, key, earlier, late, now)
        events += _cut_tables(store, cut, campaign, now)
        queued = secretariat.queue(orders, roster)
        store.append([*events, *queued])
        letters += len(queued)
        unreachable.extend(lost)
        progress(start + len(batch), len(waiting))
    return Launched(len(waiting), letters, tuple(unreachable), vacant)


def _open(
    store: Store,
    period: Calendar,
    now: dt.datetime,
    forms: Mapping[str, tuple[Form, str]],
    terms: Terms,
    roster: Roster,
) -> Campaign:
    faults = [*_calendar_faults(period, terms, now), *_faults(store, period, forms, roster)]
    if faults:
        raise Refused(faults)
    data: dict[str, Any] = {
        "forms": {form_id: sha for form_id, (_, sha) in forms.items()},
        "windows": {level.value: list(window) for level, window in terms.windows.items()},
        "receipt_due": terms.receipt_due.isoformat() if terms.receipt_due else None,
    }
    if calendar := _calendar_data(period, terms):
        data["calendar"] = calendar
    events = [Event(f"campaign:{period.id}", 1, "campaign.opened", now, SYSTEM, "", data)]
    levels = _levels(roster, {kind for form, _ in forms.values() for kind in form.kinds})
    for unit in roster.units.values():
        if unit.code in levels:
            stream = package_stream(period.id, unit.code)
            level = {"level": unit.kind.level.value}
            events.append(Event(stream, 1, "package.opened", now, SYSTEM, f"campaign:{period.id}", level))
    events.extend(_vacancies(store, _vacant(roster, levels, now), now))
    try:
        store.append(events)
    except Conflict as conflict:
        raise Refused(Fault(f"填报任务 {period.id}", "正在由另一进程开启", "请稍候再试")) from conflict
    campaign = store.campaign(period.id)
    assert campaign is not None
    return campaign


def _calendar_data(period: Calendar, terms: Terms) -> dict[str, Any]:
    """What the ledger says of a campaign beyond a quarter's own calendar; nothing for one that has no more."""
    said: dict[str, Any] = {}
    if isinstance(period, OwnDays):
        days = {"earliest": period.earliest, "last_day": period.last_day, "review": period.review}
        said = {"name": period.name, **{key: day.isoformat() for key, day in days.items()}}
    if not terms.auto_report:
        said["auto_report"] = False
    if terms.remarks:
        said["remarks"] = list(terms.remarks)
    if terms.own_windows:
        said["units"] = {code: list(window) for code, window in sorted(terms.own_windows.items())}
    return said


def _levels(roster: Roster, kinds: Collection[str]) -> set[str]:
    """The units that report up something: those asked themselves, or above one that is."""
    levels: set[str] = set()
    for unit in roster.units.values():
        if unit.kind in kinds:
            package = roster.package_of(unit.code)
            levels |= {package.code, *(above.code for above in roster.above(package.code))}
    return levels


def _calendar_faults(period: Calendar, terms: Terms, now: dt.datetime) -> Iterator[Fault]:
    """A period mistyped by a year would go up empty at the next tick, or bar the right one."""
    own = isinstance(period, OwnDays)
    last = max(day for _, day in terms.windows.values())
    if now >= midnight(period.review_day(last)) + dt.timedelta(days=1):
        remedy = f"请核对 config.toml 的 [campaign.{period.id}]" if own else "请核对季度代号"
        yield Fault(f"填报任务 {period.id}", "审核上报时间已经过去", remedy)
    if now < midnight(period.earliest):
        remedy = (
            f"请核对 config.toml 的 [campaign.{period.id}] opens，最早 {period.earliest} 开启"
            if own else "请核对季度代号；最早可在填报期开始前60天开启"
        )  # fmt: skip
        yield Fault(f"填报任务 {period.id}", "填报期远未开始", remedy)


def _faults(
    store: Store, period: Calendar, forms: Mapping[str, tuple[Form, str]], roster: Roster
) -> Iterator[Fault]:
    filled: dict[str, list[str]] = {}
    for form, _ in forms.values():
        for kind in form.kinds:
            filled.setdefault(kind, []).append(form.id)
    for kind in sorted({unit.kind for unit in roster.units.values()} - filled.keys()):
        if not isinstance(period, OwnDays):  # a one-off asks those that its forms are for
            yield Fault(
                "templates/forms", f"没有适用于“{kind}”的表单", "请在某个表单的“设置”表中加上这一单位类型"
            )
    for kind, several in filled.items():
        if len(several) > 1:
            remedy = f"请只留一个；另一任务所用的放入 templates/forms 的子目录，在 [campaign.{period.id}] 的 forms 中写明"
            yield Fault("templates/forms", f"“{kind}”有{len(several)}个表单：{'、'.join(several)}", remedy)
    for campaign in store.campaigns():
        if campaign.forms.keys().isdisjoint(forms):
            continue  # another form is another workbook: the two are collected side by side
        unreported = [package for package in store.packages(campaign.id) if not package.locked]
        if unreported and campaign.id != period.id:
            names = "、".join(roster.units[p.unit].name for p in unreported[:3] if p.unit in roster.units)
            yield Fault(
                f"填报任务 {period.id}",
                f"使用同一表单的任务 {campaign.id} 还有 {len(unreported)} 个层级没有上报（{names}等）",
                "全部上报后才能开启，以免各单位同时持有同一表单的两份工作簿",
            )


def _vacancies(store: Store, vacant: Iterable[Unit], now: dt.datetime) -> Iterator[Event]:
    """Levels without an 审核员, for staff's list: nothing of theirs is approved, nobody approves instead."""
    last = store.next_numbers(["staff"])["staff"]
    for number, unit in enumerate(vacant, start=last + 1):
        data = {"unit": unit.code, "matter": f"{unit.name}{UNREVIEWED}"}
        yield Event("staff", number, "staff.query", now, SYSTEM, "", data)


def _vacant(roster: Roster, levels: Collection[str], now: dt.datetime) -> list[Unit]:
    day = now.date()
    return [
        unit for unit in roster.units.values()
        if unit.code in levels and not roster.people(unit.code, Role.REVIEWER, day)
    ]  # fmt: skip


def _cut_tables(store: Store, cut: Sequence[str], campaign: Campaign, now: dt.datetime) -> Iterator[Event]:
    """For staff's list: units with more rows in a table than the form, which has less room than before, can show them."""
    if cut:
        others = f"等{len(cut)}个单位" if len(cut) > _NAMED else ""
        matter = (
            f"表单的表格放不下上期数据，工作簿中没有预填：{'；'.join(cut[:_NAMED])}{others}；"
            "请加大“设置”表中的行数，或者告知这些单位归并填写"
        )
        number = store.next_numbers(["staff"])["staff"] + 1
        cause = f"campaign:{campaign.id}"
        yield Event("staff", number, "staff.query", now, SYSTEM, cause, {}, {"matter": matter})


def _issue(
    units: Sequence[Unit],
    cases: Mapping[str, Case],
    campaign: Campaign,
    roster: Roster,
    fill: Mapping[str, Form],
    key: TokenKey,
    earlier: Mapping[tuple[str, str], Earlier],
    late: Mapping[tuple[str, str], Answers],
    now: dt.datetime,
) -> tuple[list[LetterOrder], list[Event], list[str], list[str]]:
    """Cases planned and, where a letter reaches the unit, issued with copy 1. A case that was planned while no letter
    could reach its unit is issued now if one can. Then the units that no letter reaches, and, in words, those whose tables have
    more rows than the form has room for.
    """
    orders, events, unreachable, cut = [], [], [], []
    for unit in units:
        form = fill[unit.kind]
        case = Case(campaign.id, unit.code, form.id)
        stream = case_stream(campaign.id, unit.code, form.id)
        if unit.code not in cases:
            events.append(Event(stream, 1, "case.planned", now, SYSTEM, f"campaign:{campaign.id}"))
        before = earlier.get((unit.code, form.id))
        known = late.get((unit.code, form.id)) or (before.answers if before else {})
        answers = prefilled(form, unit, known, roster.people(unit.code, Role.ADMINISTRATOR, now.date()))
        token = key.token(campaign.id, unit.code, form.id, 1)
        order = _notice(case, unit, form, campaign, roster, key, token, answers, before, now)
        if order is None:
            unreachable.append(unit.code)
            continue
        orders.append(order)
        if form.tables and (rows := without_room(form, _shown_again(form, known))):
            cut.append(f"{unit.name}{'、'.join(rows)}")
        data = {"copy": 1, "token": token}
        events.append(Event(stream, 2, "case.issued", now, SYSTEM, f"campaign:{campaign.id}", data))
    return orders, events, unreachable, cut


def _shown_again(form: Form, known: Answers) -> dict[str, Value]:
    """Of what is known the cells of tables that a fresh copy is to show."""
    again = {name for name, column in form.columns.items() if column.prefill is Prefill.LAST_PERIOD}
    return {name: value for name, value in known.items() if (cell := split_cell(name)) and cell[0] in again}


def _late_answers(store: Store, campaign: Campaign) -> dict[tuple[str, str], Answers]:
    """What units sent too late for the period before, which is newer than what was reported for them."""
    before = [known for known in store.campaigns() if known.opened_at < campaign.opened_at]
    return store.late_answers(before[-1].id) if before else {}


def _notice(
    case: Case,
    unit: Unit,
    form: Form,
    campaign: Campaign,
    roster: Roster,
    key: TokenKey,
    token: str,
    answers: Mapping[str, Value],
    before: Earlier | None,
    now: dt.datetime,
) -> LetterOrder | None:
    to = roster.recipient(unit.code, Role.ADMINISTRATOR, now.date())
    if to is None:
        return None
    package = roster.package_of(unit.code)
    window = campaign.window(package)
    receipt = campaign.receipt_due is not None and unit.kind in ASKED
    copy = FreshCopy(unit.code, form.id, 1, token, answers, before.answers if before else None)
    enclosures: tuple[FreshCopy | ReceiptForm, ...] = (copy,)
    if receipt:
        enclosures = (*enclosures, ReceiptForm(unit.code, key.token(campaign.id, unit.code, "receipt", 1)))
    context = {
        "form_title": form.title,
        "due": campaign.reply_due,
        "review_start": window.first_day,
        "review_end": window.last_day,
        "prefilled": before is not None,
        "superior_name": package.name,
        "receipt_wanted": receipt,
        "receipt_due": campaign.receipt_due if receipt else "",
        "no_change_hint": before is not None,
        "remarks": campaign.remarks,
        "before": "上次" if isinstance(campaign.period, OwnDays) else "上季度",
    }
    return LetterOrder(
        LetterKind.NOTICE,
        campaign.id,
        unit.code,
        form.id,
        to,
        now,
        f"{case.stream}#1",
        context,
        enclosures,
        token,
    )


def prefilled(form: Form, unit: Unit, earlier: Answers, people: Sequence[Contact] = ()) -> dict[str, Value]:
    """What a fresh copy shows in its answer cells: last period's answers and the roster's own facts; `people` are the unit's
    管理员, of whom the first is shown.
    """
    facts = roster_facts(unit, people)
    answers: dict[str, Value] = {}
    for one in form.fields:
        if one.prefill in facts:
            answers[one.name] = facts[one.prefill]
        elif one.prefill is Prefill.LAST_PERIOD and earlier.get(one.name) is not None:
            answers[one.name] = earlier[one.name]
    return answers
