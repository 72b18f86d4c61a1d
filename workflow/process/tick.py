"""Doing what the calendar owes: review requests, the automatic report at each deadline, and a day's reminders together.

Each thing owed is written with its effect and its key in one transaction, so a second tick, a crash or downtime changes
nothing: what was missed is done as of the deadline that was missed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from workflow.adapters.store import MadeBook, Store
from workflow.domain.campaign import SHANGHAI, Campaign
from workflow.domain.deadlines import GATHERED, Due, Owed, Schedule, cut_off, guessed_days, may_report, owed
from workflow.domain.events import Event
from workflow.domain.form import Form
from workflow.domain.letters import KeptFile, LetterKind, LetterOrder
from workflow.domain.lifecycle import Case, CaseState, NotAllowed, Package, PackageState, is_counted
from workflow.domain.roster import Recipient, Role, Roster, Unit
from workflow.process import roster_letters, senders
from workflow.process.addresses import findings, reached
from workflow.process.chase import PIECE, Chase
from workflow.process.correspondence import Secretariat
from workflow.process.filing import filings, to_file
from workflow.process.gather import current_campaign, require_roster, whole
from workflow.process.late import offers
from workflow.process.questions import Piece, gathered, unasked
from workflow.process.questions import waiting as waiting_questions
from workflow.process.renewal import given, outdated
from workflow.process.report import report
from workflow.process.situation import SYSTEM, Outcome, Policy, Situation
from workflow.process.withdrawals import requests

#: New workbooks that a returned level is mailed on one day.
_BOOKS_A_DAY = 3


@dataclass(frozen=True, slots=True)
class Done:
    """What a tick did, item by item, and what has to wait for a poll."""

    done: tuple[Due, ...] = ()
    waiting: tuple[Due, ...] = ()

    def __add__(self, other: Done) -> Done:
        return Done(self.done + other.done, self.waiting + other.waiting)


@dataclass(frozen=True)
class Tick:
    """What a tick works with. `book` makes a level's newest consolidated workbook, as of a moment; `piece` reminders are
    written and committed together. `campaign` is whose calendar it
    keeps, '' the last one opened.
    """

    store: Store
    secretariat: Secretariat
    policy: Policy
    schedule: Schedule
    forms: Callable[[], Mapping[str, Form]]
    book: Callable[[Unit, dt.datetime], MadeBook]
    piece: int = PIECE
    campaign: str = ""

    def run(
        self,
        now: dt.datetime,
        progress: Callable[[int, int], None] = lambda done, total: None,
        clock: dt.datetime | None = None,
    ) -> Done:
        """Do everything that is owed at `now`, in the order of its times. The grace period of an automatic report runs
        by the `clock`: a date typed by mistake reports nothing.
        """
        campaign = self.store.campaign(self.campaign) if self.campaign else current_campaign(self.store)
        if campaign is None:
            return Done()
        roster = self._reached(now, campaign, require_roster(self.store, campaign))
        self._note_guesses(now, campaign, roster)
        todo = self._owed(now, campaign, roster)
        polled = self.store.last_poll()
        if polled is not None and polled > (clock or now):
            polled = None  # the clock has been set back: that poll says nothing about the time from now on
        done: list[Due] = []
        waiting: list[Due] = []
        together: list[Due] = []
        for due in todo:
            blind = due.owed is Owed.AUTO_REPORT and not may_report(
                due.at, min(now, clock or now), polled, self.schedule
            )
            if blind or (waiting and due.package):
                waiting.append(due)  # what comes after a report that waits for a poll waits with it
            elif due.owed in GATHERED:
                together.append(due)
            else:
                self._do(due, now, campaign, roster, alarmed=polled is None or polled < due.at)
                done.append(due)
                progress(len(done), len(todo))
        if together:
            silent = {due.package for due in waiting if due.owed is Owed.AUTO_REPORT}
            chase = Chase(self.store, self.secretariat, self.forms, self.book, self.piece)
            chase.gather(together, now, campaign, roster, silent)
            done.extend(together)
            progress(len(done), len(todo))
        self._offer_late(now, campaign, roster)
        self._tell_requests(now, campaign, roster)
        self._review_again(now, campaign, roster)
        self._renew(now, campaign, roster)
        self._ask_waiting(now, campaign, roster)
        self._ask_senders(now, campaign, roster)
        orders = roster_letters.orders(self.store, campaign, roster, now)
        self.store.append(self.secretariat.queue(orders, roster))
        self._file_changes(now, campaign, roster)
        return Done(tuple(done), tuple(waiting))

    def _offer_late(self, now: dt.datetime, campaign: Campaign, roster: Roster) -> None:
        """Late returns to the 审核员 whose data have gone up, as ready-made 撤报申请, once a day."""
        returns = self.store.late_returns(campaign.id)
        if not returns:
            return
        packages = {package.unit: package for package in self.store.packages(campaign.id)}
        steps = self.store.steps(campaign.id)
        offered = list(offers(returns, now, campaign, roster, packages, steps))
        queued = self.secretariat.queue([order for order, _ in offered], roster)
        self.store.append([*(step for _, step in offered), *queued])

    def _tell_requests(self, now: dt.datetime, campaign: Campaign, roster: Roster) -> None:
        """撤报申请 to the 审核员 of the level above, each once; to staff where nobody there can decide."""
        asked = self.store.packages(campaign.id)
        if not any(package.state is PackageState.WITHDRAWAL_REQUESTED for package in asked):
            return
        packages = {package.unit: package for package in asked}
        steps = self.store.steps(campaign.id)
        told = list(requests(campaign, roster, packages, steps, self.book, self._form_of, now))
        orders = [what for _, what in told if isinstance(what, LetterOrder)]
        queries = numbered(self.store, [what for _, what in told if isinstance(what, Event)])
        queued = self.secretariat.queue(orders, roster)
        self.store.append([*(step for step, _ in told), *queries, *queued])

    def _ask_waiting(self, now: dt.datetime, campaign: Campaign, roster: Roster) -> None:
        """Whether decisions that were held after their day's letter are the 审核员's own, all in one letter on the next day."""
        steps = self.store.steps(campaign.id)
        pieces: dict[str, list[Piece]] = {}
        for level, shas in waiting_questions(steps).items():
            rows = [row for row in map(self.store.message, shas) if row is not None]
            pieces[level] = [Piece(row.sha, row.received_at, row.sender) for row in rows]
        if pieces:
            asked = list(gathered(pieces, now, campaign, roster, steps, self._form_of))
            queued = self.secretariat.queue([order for order, _ in asked], roster)
            calls = [event for events in unasked(pieces, now, campaign, roster, steps) for event in events]
            noted = [event for event in calls if event.kind == "step.done"]
            queries = numbered(self.store, [event for event in calls if event.kind != "step.done"])
            self.store.append([*(one for _, events in asked for one in events), *noted, *queries, *queued])

    def _ask_senders(self, now: dt.datetime, campaign: Campaign, roster: Roster) -> None:
        """Whether strangers' workbooks are their units' own, where the address was asked that day about another unit."""
        steps = self.store.steps(campaign.id)
        if not (waits := senders.waiting(steps)):
            return

        def piece(sha: str) -> Piece | None:
            row = self.store.message(sha)
            return Piece(row.sha, row.received_at, row.sender) if row else None

        def form_of(code: str) -> str:
            return self._form_of(roster.units[code])

        asked = list(senders.gathered(waits, piece, now, campaign, roster, steps, form_of))
        queued = self.secretariat.queue([order for order, _ in asked], roster)
        self.store.append([*(event for _, events in asked for event in events), *queued])

    def _file_changes(self, now: dt.datetime, campaign: Campaign, roster: Roster) -> None:
        """Changes of people at the top, filed with 中央电教馆 or put on staff's list."""
        if not (due := to_file(roster, now)):
            return
        numbers = self.store.next_numbers([one.stream for one in due])
        done = {stream for stream, number in numbers.items() if number}
        found = list(filings(due, done, self.policy.filing_address, campaign, now))
        letters = self.secretariat.queue([order for _, order in found if order is not None], roster)
        events = [event for some, _ in found for event in some]
        queries = numbered(self.store, [event for event in events if event.stream == "staff"])
        self.store.append([*(event for event in events if event.stream != "staff"), *queries, *letters])

    def _review_again(self, now: dt.datetime, campaign: Campaign, roster: Roster) -> None:
        """A level that was returned gets a new workbook, since the token of the one it reported with has expired; another
        when something new waits in it for a decision, a few on a day at most.
        """
        packages = {package.unit: package for package in self.store.packages(campaign.id)}
        returned = [one for one in packages.values() if one.state is PackageState.RETURNED]
        steps = self.store.steps(campaign.id) if returned else set()
        day = now.astimezone(SHANGHAI).date().isoformat()
        for package in returned:
            unit, before = roster.units[package.unit], f"review-again/{package.unit}/{package.version}/"
            given = [key.removeprefix(before).split("/") for key in steps if key.startswith(before)]
            if given and not self._waits(unit, campaign, roster, packages):
                continue
            made = str(self.book(unit, now).version)
            today = sum(known[0] == day for known in given)
            if made not in {known[1] for known in given} and today < _BOOKS_A_DAY:
                due = Due(now, Owed.REVIEW_REQUEST, f"{before}{day}/{made}", package.unit)
                self._do(due, now, campaign, roster, alarmed=False)

    def _renew(self, now: dt.datetime, campaign: Campaign, roster: Roster) -> None:
        """A new workbook to a level that has not reported and whose own is out of date where it decides: a row was refused
        for that, or a level below that was returned has reported again. A few on a day at most.
        """
        packages = {package.unit: package for package in self.store.packages(campaign.id)}
        steps = self.store.steps(campaign.id)
        day = now.astimezone(SHANGHAI).date().isoformat()
        for code, needs in outdated(packages, roster, steps).items():
            unit, before = roster.units[code], f"review-again/{code}/0/"
            above = [packages[one.code] for one in roster.above(code) if one.code in packages]
            closes = cut_off(campaign, roster, packages[code], [one for one in above if not one.locked])
            today = sum(key.startswith(f"{before}{day}/") for key in steps)
            if now >= closes or today >= _BOOKS_A_DAY:
                continue
            mailed = self._mailed(campaign, unit)
            due = Due(
                now, Owed.REVIEW_REQUEST, f"{before}{day}/{self.book(unit, now).version}", code,
                skipped=all(since is not None and since <= mailed for since in needs.values()),
            )  # fmt: skip
            met = [given(campaign, need, now) for need in needs]
            if due.skipped or due.key in steps:
                self.store.append(met)
            else:
                self._do(due, now, campaign, roster, alarmed=False, also=met)

    def _mailed(self, campaign: Campaign, unit: Unit) -> dt.datetime:
        """When the level's workbook was last mailed with a request to review."""
        letters = self.store.letters(campaign.id, unit.code)
        asked = [row.queued_at for row in letters if row.kind == LetterKind.REVIEW_REQUEST]
        return max(asked, default=campaign.opened_at)

    def _waits(self, unit: Unit, campaign: Campaign, roster: Roster, packages: Mapping[str, Package]) -> bool:
        """Whether a level has something to decide on: a version of its own units, or a package of the level below."""
        cases = self._cases(campaign, roster.members(unit.code))
        below = [
            packages[child.code].state for child in roster.packages_below(unit.code) if child.code in packages
        ]
        asking = {PackageState.REPORTED, PackageState.WITHDRAWAL_REQUESTED}
        return any(case.state is CaseState.SUBMITTED for case in cases) or not asking.isdisjoint(below)

    def _form_of(self, unit: Unit) -> str:
        return next((form.id for form in self.forms().values() if unit.kind in form.kinds), "")

    def _note_guesses(self, now: dt.datetime, campaign: Campaign, roster: Roster) -> None:
        """Staff are told once when letters are planned without knowing a year's holidays."""
        guessed = guessed_days(campaign, roster, self.schedule)
        key = "workdays"
        if not guessed or key in self.store.steps(campaign.id):
            return
        years = "、".join(f"{year}年" for year in sorted({day.year for day in guessed}))
        words = (
            f"{campaign.id} 有截止日在{years}，程序尚不掌握该年放假调休安排，催报日期按周一至周五推算，"
            "请核对；必要时修改 config.toml 的 [schedule] 和 [ladder]"
        )
        step = Event(f"step:{campaign.id}/{key}", 1, "step.done", now, SYSTEM, "", {"detail": words})
        query = Event("staff", 0, "staff.query", now, SYSTEM, key, {"matter": words})
        self.store.append([step, *numbered(self.store, [query])])

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
        return owed(now, campaign, roster, packages, steps, self.schedule, self.store.problems())

    def _do(
        self, due: Due, now: dt.datetime, campaign: Campaign, roster: Roster, *, alarmed: bool,
        also: Sequence[Event] = (),
    ) -> None:  # fmt: skip
        """One thing owed: its events, its letters and its key, committed together, and `also` what it settles."""
        outcome = Outcome()
        seen: Mapping[str, int] = {}
        if due.owed is Owed.AUTO_REPORT:
            outcome, seen = self._report(due, campaign, roster)
        elif not due.skipped:
            outcome = self._request_review(due, now, campaign, roster)
        step = Event(
            f"step:{campaign.id}/{due.key}", 1, "step.done", due.at, SYSTEM, "",
            {"detail": "已由后一次通知代替" if due.skipped else ""},
        )  # fmt: skip
        events = [step, *also, *outcome.events]
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
        first, last = window.first_day, window.last_day
        for package in self.store.packages(campaign.id, [unit.code]):
            if package.due is not None:
                first, last = due.at.date(), (package.due - dt.timedelta(seconds=1)).date()
        name = book.path.rpartition("/")[2]
        context = {
            "level_name": unit.name,
            "window_start": first,
            "window_end": last,
            "counts": {
                "total": len(cases),
                "submitted": sum(case.newest > 0 for case in cases),
                "approved": sum(case.state is CaseState.APPROVED for case in cases),
                "returned": sum(case.state is CaseState.RETURNED for case in cases),
                "missing": sum(case.newest == 0 for case in cases),
            },
            "workbook_name": name,
        }
        return self._with_book(LetterKind.REVIEW_REQUEST, due, campaign, unit, to, context, book)

    def _with_book(
        self, kind: LetterKind, due: Due, campaign: Campaign, unit: Unit, to: Recipient,
        context: Mapping[str, object], book: MadeBook,
    ) -> Outcome:  # fmt: skip
        enclosure = KeptFile(book.path.rpartition("/")[2], book.path)
        order = LetterOrder(
            kind,
            campaign.id,
            unit.code,
            self._form_of(unit),
            to,
            due.at,
            due.key,
            context,
            (enclosure,),
            book.token,
        )
        return Outcome(letters=(order,))

    def _reviewer(self, unit: Unit, due: Due, roster: Roster) -> Recipient | None:
        if not roster.people(unit.code, Role.REVIEWER, due.at.date()):
            return None
        return roster.recipient(unit.code, Role.REVIEWER, due.at.date())

    def _cases(self, campaign: Campaign, units: Iterable[Unit]) -> list[Case]:
        known = {unit.code: unit for unit in units}
        cases = self.store.cases(campaign.id, known.keys())
        return [case for case in cases if is_counted(case, known[case.unit])]


def numbered(store: Store, queries: Sequence[Event]) -> list[Event]:
    """Items for staff's list with their numbers in its stream."""
    last = store.next_numbers(["staff"])["staff"] if queries else 0
    return [replace(query, number=place) for place, query in enumerate(queries, last + 1)]
