"""Doing what the calendar owes: reminders by cohort, review requests, and the automatic report at each deadline.

Each thing owed is written with its effect and its key in one transaction, so a second tick, a crash or downtime changes
nothing: what was missed is done as of the deadline that was missed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from workflow.adapters.store import MadeBook, Store
from workflow.domain.campaign import Campaign
from workflow.domain.deadlines import Due, Owed, Schedule, may_report, owed
from workflow.domain.events import Event
from workflow.domain.form import Form
from workflow.domain.letters import KeptFile, LetterKind, LetterOrder
from workflow.domain.lifecycle import Case, CaseState, NotAllowed
from workflow.domain.roster import Recipient, Role, Roster, Unit
from workflow.process.addresses import findings, reached
from workflow.process.correspondence import Secretariat
from workflow.process.gather import current_campaign, require_roster, whole
from workflow.process.receipts import ASKED
from workflow.process.report import report
from workflow.process.situation import SYSTEM, Outcome, Policy, Situation


@dataclass(frozen=True, slots=True)
class Done:
    """What a tick did, item by item, and what has to wait for a poll."""

    done: tuple[Due, ...] = ()
    waiting: tuple[Due, ...] = ()


@dataclass(frozen=True)
class Tick:
    """What a tick works with. `book` makes a level's newest consolidated workbook, as of a moment."""

    store: Store
    secretariat: Secretariat
    policy: Policy
    schedule: Schedule
    forms: Callable[[], Mapping[str, Form]]
    book: Callable[[Unit, dt.datetime], MadeBook]

    def run(self, now: dt.datetime, progress: Callable[[int, int], None] = lambda done, total: None) -> Done:
        """Do everything that is owed at `now`, in the order of its times."""
        campaign = current_campaign(self.store)
        if campaign is None:
            return Done()
        roster = self._reached(now, campaign, require_roster(self.store))
        done: list[Due] = []
        waiting: list[Due] = []
        todo = self._owed(now, campaign, roster)
        polled = self.store.last_poll()
        for place, due in enumerate(todo):
            if due.owed is Owed.AUTO_REPORT and not may_report(due.at, now, polled, self.schedule):
                waiting.append(due)
                continue
            if waiting and due.owed is not Owed.REMINDER:
                waiting.append(due)  # what comes after a report that waits for a poll waits with it
                continue
            self._do(due, now, campaign, roster, alarmed=polled is None or polled < due.at)
            done.append(due)
            progress(place + 1, len(todo))
        return Done(tuple(done), tuple(waiting))

    def _reached(self, now: dt.datetime, campaign: Campaign, roster: Roster) -> Roster:
        """The roster without the addresses at which letters do not arrive; staff are told of each once."""
        failed = self.store.failed_letters(campaign.id)
        if failed:
            told = list(findings(failed, self.store.steps(campaign.id), roster, now))
            steps = [event for event in told if event.kind == "step.done"]
            self.store.append([*steps, *numbered(self.store, [e for e in told if e.kind != "step.done"])])
        return reached(roster, failed)

    def _owed(self, now: dt.datetime, campaign: Campaign, roster: Roster) -> list[Due]:
        steps, packages = self.store.steps(campaign.id), self.store.packages(campaign.id)
        return owed(now, campaign, roster, packages, steps, self.schedule)

    def _do(self, due: Due, now: dt.datetime, campaign: Campaign, roster: Roster, *, alarmed: bool) -> None:
        """One thing owed: its events, its letters and its key, committed together."""
        outcome = Outcome()
        seen: Mapping[str, int] = {}
        if due.owed is Owed.AUTO_REPORT:
            outcome, seen = self._report(due, campaign, roster)
        elif not due.skipped:
            outcome = self._letters(due, now, campaign, roster)
        step = Event(
            f"step:{campaign.id}/{due.key}", 1, "step.done", due.at, SYSTEM, "",
            {"detail": "已由后一次通知代替" if due.skipped else ""},
        )  # fmt: skip
        events = [step, *outcome.events]
        queries = [*self._calls(outcome, due, roster)]
        if due.owed is Owed.AUTO_REPORT and alarmed:
            queries.append(self._alarm(due, roster))
        events.extend(numbered(self.store, queries))
        events.extend(self.secretariat.queue(outcome.letters, roster))
        self.store.append(events, seen)

    def _calls(self, outcome: Outcome, due: Due, roster: Roster) -> Iterator[Event]:
        """Staff's call list: a 视察员 whom no letter reaches directly (附件2 gives no address) is told by telephone."""
        reached = {order.unit for order in outcome.letters if order.to.role is Role.INSPECTOR}
        for package in outcome.packages:
            if not package.auto or package.unit in reached:
                continue
            for person in roster.people(package.unit, Role.INSPECTOR, due.at.date()):
                name = roster.units[package.unit].name
                data = {"unit": package.unit, "call": Role.INSPECTOR.value}
                words = f"请电话告知{name}视察员{person.name}（{person.mobile or person.phone or '无电话'}）：本级数据已自动上报"
                yield Event("staff", 0, "staff.query", due.at, SYSTEM, due.key, data, {"matter": words})

    def _alarm(self, due: Due, roster: Roster) -> Event:
        """An automatic report without a poll after its deadline: staff must look for replies that lay unread."""
        name = roster.units[due.package].name
        matter = (
            f"{name}的自动上报在宽限期满后进行，截止后没有成功收取邮件，请核对是否有按时到达而未计入的报送"
        )
        return Event(
            "staff", 0, "staff.query", due.at, SYSTEM, due.key, {"unit": due.package, "matter": matter}
        )

    def _letters(self, due: Due, now: dt.datetime, campaign: Campaign, roster: Roster) -> Outcome:
        match due.owed:
            case Owed.REVIEW_REQUEST:
                return self._request_review(due, now, campaign, roster)
            case Owed.REVIEW_REMINDER:
                return self._remind_reviewer(due, now, campaign, roster)
            case Owed.REMINDER:
                return Outcome(letters=tuple(self._remind_units(due, campaign, roster)))
            case Owed.RECEIPT_REMINDER:
                return Outcome(letters=tuple(self._remind_receipts(due, campaign, roster)))
            case Owed.AUTO_REPORT:
                raise ValueError(due.key)

    def _situation(self, campaign: Campaign, roster: Roster, units: Iterable[str]) -> Situation:
        return whole(self.store, roster, self.policy, campaign, self.forms(), units)

    def _report(self, due: Due, campaign: Campaign, roster: Roster) -> tuple[Outcome, dict[str, int]]:
        units = [unit.code for unit in roster.below(due.package)]
        situation = self._situation(campaign, roster, units)
        package = situation.packages[campaign.id, due.package]
        try:
            outcome = report(situation, package, due.at, SYSTEM, auto=True, cause=due.key)
        except NotAllowed:
            return Outcome(), {}  # it was reported meanwhile, with a superior's report or by its 审核员
        return outcome, situation.seen(outcome)

    def _request_review(self, due: Due, now: dt.datetime, campaign: Campaign, roster: Roster) -> Outcome:
        """The level's workbook to its 审核员 as the window opens; nobody reviews instead of a missing one."""
        unit = roster.units[due.package]
        to = self._reviewer(unit, due, roster)
        if to is None:
            return Outcome()
        book = self.book(unit, now)
        cases = self._cases(campaign, roster.members(unit.code))
        window = campaign.window(unit)
        name = book.path.rpartition("/")[2]
        context = {
            "level_name": unit.name,
            "window_start": window.first_day,
            "window_end": window.last_day,
            "counts": {
                "total": len(cases),
                "submitted": sum(case.number > 0 for case in cases),
                "approved": sum(case.state is CaseState.APPROVED for case in cases),
                "returned": sum(case.state is CaseState.RETURNED for case in cases),
                "missing": sum(case.number == 0 for case in cases),
            },
            "workbook_name": name,
        }
        return self._with_book(LetterKind.REVIEW_REQUEST, due, campaign, unit, to, context, book)

    def _remind_reviewer(self, due: Due, now: dt.datetime, campaign: Campaign, roster: Roster) -> Outcome:
        """The cohort 尚未审核: rows that wait for the level's decision, with the newest workbook."""
        unit = roster.units[due.package]
        to = self._reviewer(unit, due, roster)
        cases = [
            c for c in self._cases(campaign, roster.members(unit.code)) if c.state is CaseState.SUBMITTED
        ]
        closes = campaign.window(unit).closes
        if to is None:
            return Outcome()
        rows = [_row(roster, case, "尚未审核", closes) for case in cases]
        rows.append({"unit_name": unit.name, "unit_code": unit.code, "matter": "尚未上报", "due": closes})
        context = {"rows": rows, "form_title": ""}
        return self._with_book(LetterKind.REMINDER, due, campaign, unit, to, context, self.book(unit, now))

    def _with_book(
        self, kind: LetterKind, due: Due, campaign: Campaign, unit: Unit, to: Recipient,
        context: Mapping[str, object], book: MadeBook,
    ) -> Outcome:  # fmt: skip
        enclosure = KeptFile(book.path.rpartition("/")[2], book.path)
        form = next((form.id for form in self.forms().values() if unit.kind in form.kinds), "")
        order = LetterOrder(
            kind, campaign.id, unit.code, form, to, due.at, due.key, context, (enclosure,), book.token
        )
        return Outcome(letters=(order,))

    def _reviewer(self, unit: Unit, due: Due, roster: Roster) -> Recipient | None:
        if not roster.people(unit.code, Role.REVIEWER, due.at.date()):
            return None
        return roster.recipient(unit.code, Role.REVIEWER, due.at.date())

    def _cases(self, campaign: Campaign, units: Iterable[Unit]) -> list[Case]:
        return self.store.cases(campaign.id, [unit.code for unit in units])

    def _remind_units(self, due: Due, campaign: Campaign, roster: Roster) -> list[LetterOrder]:
        """The cohorts 尚未报送 and 退回后尚未重新报送, one letter to an address with a row for each unit."""
        locked = {p.unit for p in self.store.packages(campaign.id) if p.locked}
        rows: dict[str, tuple[Recipient, list[dict[str, object]], Case]] = {}
        for case in self.store.cases(campaign.id):
            if case.state not in _COHORTS or roster.package_of(case.unit).code in locked:
                continue
            to = roster.recipient(case.unit, Role.ADMINISTRATOR, due.at.date())
            if to is None:
                continue
            until = case.due or campaign.reply_due
            _, table, _ = rows.setdefault(to.email, (to, [], case))
            table.append(_row(roster, case, _COHORTS[case.state], until))
        return [
            LetterOrder(
                LetterKind.REMINDER, campaign.id, case.unit if len(table) == 1 else to.unit, case.form, to, due.at,
                due.key, {"rows": table, "form_title": self._title(case) if len(table) == 1 else ""},
                token=case.token if len(table) == 1 else "",
            )
            for to, table, case in rows.values()
        ]  # fmt: skip

    def _title(self, case: Case) -> str:
        form = self.forms().get(case.form)
        return form.title if form else ""

    def _remind_receipts(self, due: Due, campaign: Campaign, roster: Roster) -> list[LetterOrder]:
        """Which part of 附件2 each unit still owes."""
        arrived: dict[str, set[str]] = {}
        for row in self.store.receipts(campaign.id):
            arrived.setdefault(row.unit, set()).add(row.part)
        forms = {kind: form.id for form in self.forms().values() for kind in form.kinds}
        letters = []
        for unit in roster.units.values():
            parts = arrived.get(unit.code, set())
            missing = [
                word for part, word in (("scan", "扫描件"), ("electronic", "电子版")) if part not in parts
            ]
            to = roster.recipient(unit.code, Role.ADMINISTRATOR, due.at.date())
            if unit.kind not in ASKED or not missing or to is None:
                continue
            context = {"missing_parts": missing, "receipt_due": campaign.receipt_due}
            letters.append(
                LetterOrder(
                    LetterKind.RECEIPT_REMINDER,
                    campaign.id,
                    unit.code,
                    forms.get(unit.kind, ""),
                    to,
                    due.at,
                    due.key,
                    context,
                )
            )
        return letters


def numbered(store: Store, queries: Sequence[Event]) -> list[Event]:
    """Items for staff's list with their numbers in its stream."""
    last = store.next_numbers(["staff"])["staff"] if queries else 0
    return [replace(query, number=place) for place, query in enumerate(queries, last + 1)]


_COHORTS = {CaseState.ISSUED: "尚未报送", CaseState.RETURNED: "退回后尚未重新报送"}


def _row(roster: Roster, case: Case, matter: str, due: dt.datetime) -> dict[str, object]:
    return {"unit_name": roster.units[case.unit].name, "unit_code": case.unit, "matter": matter, "due": due}
