"""Any order of mail, decisions and clock ticks over the real processes and a real store keeps what must never change."""

from __future__ import annotations

import contextlib
import datetime as dt
import email.policy
import shutil
from collections import Counter
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from workflow.adapters.files import Files
from workflow.adapters.store import Cursor, Store
from workflow.adapters.store.tables import PROJECTIONS
from workflow.adapters.workbook.stamp import stamp
from workflow.app import App
from workflow.cli.workspace import make_workspace
from workflow.demo.figures import plausible
from workflow.demo.filling import facts, spoil
from workflow.domain.campaign import SHANGHAI
from workflow.domain.consultation import Talk
from workflow.domain.errors import Refused
from workflow.domain.lifecycle import LOCKED, PackageAct, PackageState
from workflow.domain.roster import Contact, Role, Roster, Unit, UnitKind
from workflow.domain.submission import CopyIdentity
from workflow.process.baseline import import_roster
from workflow.process.consolidate import consolidate, levels_of
from workflow.process.correspondence import Secretariat, printed_texts
from workflow.process.decisions import Decisions
from workflow.process.gather import require_campaign, require_roster
from workflow.process.intake import Intake, Raw
from workflow.process.tick import Tick

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from workflow.adapters.store import MadeBook
    from workflow.adapters.store.records import LetterRow

CAMPAIGN = "2026Q4"
PROVINCE, CITY, COUNTY, FIRST, SECOND = "410000", "410100", "410102", "4101020001", "4101020002"
UNITS = (
    Unit(PROVINCE, "示例省教育厅", UnitKind.PROVINCE, ""),
    Unit(CITY, "甲市教育局", UnitKind.CITY, PROVINCE),
    Unit(COUNTY, "东区教育局", UnitKind.COUNTY, CITY),
    Unit(FIRST, "东区第一小学", UnitKind.SCHOOL, COUNTY),
    Unit(SECOND, "东区第二小学", UnitKind.SCHOOL, COUNTY),
)
LEVELS = (COUNTY, CITY, PROVINCE)
OPENED = dt.datetime(2026, 12, 10, 9, tzinfo=SHANGHAI)
STEPS = 22
_STEPS_OF_CLOCK = (dt.timedelta(hours=5), dt.timedelta(days=2), dt.timedelta(days=9))


def _roster() -> Roster:
    contacts = [
        Contact(unit.code, role, f"{role.value}{unit.code}", "", "0371-55550001", "", f"{name}{unit.code}@school.test")
        for unit in UNITS
        for role, name in ((Role.ADMINISTRATOR, "admin"), (Role.REVIEWER, "review"))
        if role is Role.ADMINISTRATOR or unit.kind.reports
    ]  # fmt: skip
    return Roster({unit.code: unit for unit in UNITS}, tuple(contacts))


@dataclass
class Opened:
    """A workspace with the campaign just open, to be copied for each run, and workbooks filled in beforehand."""

    folder: Path
    app: App
    filled: Mapping[tuple[str, str], bytes]
    runs: list[Path] = field(default_factory=list)

    def copy(self) -> Path:
        place = self.folder.parent / f"run{len(self.runs)}"
        shutil.copytree(self.folder, place)
        self.runs.append(place)
        return place


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    folder = tmp_path_factory.mktemp("quarter") / "opened"
    make_workspace(folder)
    app = App(folder, lambda: OPENED)
    import_roster(app.store, _roster(), [], "units.xlsx", "0" * 64, OPENED)
    app.open(CAMPAIGN)
    app.readers()
    yield Opened(folder, app, dict(_filled(app)))
    app.close()


def _filled(app: App) -> Iterator[tuple[tuple[str, str], bytes]]:
    campaign = require_campaign(app.store)
    for case in app.store.cases(CAMPAIGN):
        unit, compiled = app.store.roster().units[case.unit], app.compiled(case.form)  # type: ignore[union-attr]
        form = compiled.form
        identity = CopyIdentity(CAMPAIGN, unit.code, form.id, form.version, 1, case.token)
        printed = printed_texts(unit, campaign, identity)
        given = facts(form, unit.name, unit.code)
        right = plausible(form, int(unit.code), given, None, OPENED.date())
        answers = {
            "good": right,
            "other": plausible(form, int(unit.code) + 1, given, None, OPENED.date()),
            "wrong": spoil(form, right, 3),
        }
        for name, typed in answers.items():
            yield (unit.code, name), stamp(compiled, identity, printed, typed)  # type: ignore[arg-type]


class Quarter(RuleBasedStateMachine):
    """People and the clock in any order. A refused act must have changed nothing."""

    def __init__(self, world: Opened) -> None:
        super().__init__()
        self.world = world
        self.place = world.copy()
        self.store = Store(f"sqlite:///{self.place}/state.db", self.place / "ledger")
        self.store.migrate()
        self.files = Files(self.place)
        app = world.app
        self.secretariat = Secretariat(
            app.letterhead, app.secretariat.templates, self.files, app.compiled,
            lambda name: require_campaign(self.store, name), self.store.letter_exists,
        )  # fmt: skip
        self.intake = Intake(self.store, self.files, app.readers(), self.secretariat, app.policy, app.forms)
        self.calendar = Tick(self.store, self.secretariat, app.policy, app.schedule, app.forms, self.book)
        self.decisions = Decisions(self.store, self.secretariat, app.policy, app.forms)
        self.now = OPENED + dt.timedelta(hours=1)
        self.mails = 0
        self.steps: Counter[str] = Counter()
        self.frozen: dict[tuple[str, int], object] = {}
        self.locked: dict[str, object] = {}

    def book(self, unit: Unit, now: dt.datetime) -> MadeBook:
        return self.made([unit], now)[0]

    def made(self, units: list[Unit], now: dt.datetime) -> list[MadeBook]:
        roster, campaign = require_roster(self.store), require_campaign(self.store)
        token = self.world.app.token_key.token
        return consolidate(
            self.store, self.files, token, roster, campaign, self.world.app.forms(), units, now, now
        )

    # mail

    def post(
        self, sender: str, words: str, workbook: bytes = b"", answering: str = "", subject: str = "回复"
    ) -> None:
        self.mails += 1
        message = EmailMessage(policy=email.policy.SMTP)
        message["From"], message["To"], message["Subject"] = sender, "huizhi@huizhi.test", subject
        message["Message-ID"] = f"<{self.mails}@school.test>"
        if answering:
            message["In-Reply-To"] = answering
        message.set_content(words)
        if workbook:
            message.add_attachment(
                workbook, maintype="application", subtype="octet-stream", filename="a.xlsx"
            )
        self.intake.take([Raw(message.as_bytes(), self.now)])

    @rule(unit=st.sampled_from([FIRST, SECOND, COUNTY]), which=st.sampled_from(["good", "other", "wrong"]))
    def a_workbook_comes(self, unit: str, which: str) -> None:
        self.post(f"admin{unit}@school.test", f"请查收{self.mails}", self.world.filled[unit, which])

    @rule(unit=st.sampled_from([FIRST, CITY]))
    def somebody_writes_that_nothing_has_changed(self, unit: str) -> None:
        (case,) = self.store.cases(require_campaign(self.store).id, [unit])
        self.post(f"admin{unit}@school.test", "本季度数据无变化", subject=f"回复：{case.token}")

    @rule(level=st.sampled_from(LEVELS))
    def a_reviewer_asks_to_withdraw(self, level: str) -> None:
        self.post(f"review{level}@school.test", "申请撤报：学生数有误")

    # decisions

    @contextlib.contextmanager
    def refused_changes_nothing(self) -> Iterator[None]:
        before = self.store.head()
        try:
            yield
        except Refused:
            assert self.store.head() == before

    def reviewer(self, unit: str) -> str:
        roster = require_roster(self.store)
        return f"审核员{roster.package_of(unit).code}"

    @rule(unit=st.sampled_from([FIRST, SECOND, COUNTY]), passes=st.booleans())
    def a_case_is_decided(self, unit: str, passes: bool) -> None:
        with self.refused_changes_nothing():
            if passes:
                self.decisions.approve(unit, self.reviewer(unit), "", self.now)
            else:
                self.decisions.send_back(unit, self.reviewer(unit), "请核实", self.now)

    @rule(level=st.sampled_from([COUNTY, CITY]), passes=st.booleans())
    def a_package_is_decided(self, level: str, passes: bool) -> None:
        above = {COUNTY: CITY, CITY: PROVINCE}[level]
        with self.refused_changes_nothing():
            if passes:
                self.decisions.approve(level, f"审核员{above}", "", self.now, package=True)
            else:
                talk = Talk("联系人", self.now.date().isoformat(), "电话")
                self.decisions.send_back(level, f"审核员{above}", "请核实", self.now, package=True, talk=talk)

    @rule(
        level=st.sampled_from([COUNTY, CITY]),
        talk=st.sampled_from([Talk(), Talk("联系人"), Talk("联系人", "明天")]),
    )
    def a_return_without_its_talk_is_refused(self, level: str, talk: Talk) -> None:
        above, before = {COUNTY: CITY, CITY: PROVINCE}[level], self.store.head()
        with pytest.raises(Refused):
            self.decisions.send_back(level, f"审核员{above}", "请核实", self.now, package=True, talk=talk)
        assert self.store.head() == before

    @rule()
    def the_ministry_returns_what_the_province_reported(self) -> None:
        with self.refused_changes_nothing():
            self.decisions.send_back(PROVINCE, f"审核员{PROVINCE}", "教育部来函", self.now, package=True)

    @rule(level=st.sampled_from(LEVELS), sender=st.sampled_from(["one@home.test", "two@home.test"]))
    def a_stranger_sends_a_reviewers_workbook(self, level: str, sender: str) -> None:
        made = self.book(require_roster(self.store).units[level], self.now)
        before = self.decided()
        self.post(sender, f"审核意见{self.mails}", self.files.outbox(made.path))
        assert self.decided() == before

    @precondition(lambda self: self.questions())
    @rule(words=st.sampled_from(["确认", "全部确认", "确认1", "非本人审核"]), which=st.integers(0, 9))
    def the_reviewer_answers_our_question(self, words: str, which: int) -> None:
        asked = self.questions()
        letter = asked[which % len(asked)]
        self.post(letter.to, words, answering=letter.message_id)

    def questions(self) -> list[LetterRow]:
        return [row for row in self.store.letters(CAMPAIGN) if row.kind == "decision_confirm"]

    def decided(self) -> dict[str, int]:
        """Every case and package with its last event."""
        works = [*self.store.cases(CAMPAIGN), *self.store.packages(CAMPAIGN)]
        return {work.stream: work.events for work in works}

    @rule(level=st.sampled_from(LEVELS))
    def a_level_reports(self, level: str) -> None:
        with self.refused_changes_nothing():
            self.decisions.report(level, f"审核员{level}", self.now)

    def in_state(self, *states: PackageState) -> list[str]:
        """The levels that are in one of the states; preconditions on it make rare paths frequent."""
        return [package.unit for package in self.store.packages(CAMPAIGN) if package.state in states]

    @precondition(lambda self: self.in_state(*LOCKED))
    @rule(which=st.integers(0, 2))
    def a_level_that_has_reported_asks_to_withdraw(self, which: int) -> None:
        levels = self.in_state(*LOCKED)
        self.post(f"review{levels[which % len(levels)]}@school.test", "申请撤报：学生数有误")

    @precondition(lambda self: set(self.in_state(PackageState.WITHDRAWAL_REQUESTED)) - {PROVINCE})
    @rule(granted=st.booleans())
    def a_withdrawal_is_decided_while_one_waits(self, granted: bool) -> None:
        levels = sorted(set(self.in_state(PackageState.WITHDRAWAL_REQUESTED)) - {PROVINCE})
        self.a_withdrawal_is_decided(levels[0], granted)

    @rule(level=st.sampled_from([COUNTY, CITY]), granted=st.booleans())
    def a_withdrawal_is_decided(self, level: str, granted: bool) -> None:
        above = {COUNTY: CITY, CITY: PROVINCE}[level]
        packages = {package.unit: package for package in self.store.packages(CAMPAIGN)}
        what = PackageAct.GRANT_WITHDRAWAL if granted else PackageAct.REFUSE_WITHDRAWAL
        was_locked = packages[above].locked
        with self.refused_changes_nothing():
            self.decisions.withdraw(level, f"审核员{above}", "说明", self.now, what)
            assert not (granted and was_locked), "granted by a level that has itself reported"

    # the clock

    @initialize(
        start=st.sampled_from(
            [(0, ""), (19, ""), (24, ""), (24, COUNTY), (24, COUNTY), (28, CITY), (33, PROVINCE)]
        ),
        answered=st.sampled_from(["", "good", "good", "wrong"]),
    )
    def some_days_have_passed(self, start: tuple[int, str], answered: str) -> None:
        """Until the end of December, or into one of the windows of January, with a level that has gone up; often a school
        has answered before.
        """
        if answered:
            self.a_workbook_comes(FIRST, answered)
            assert self.store.cases(CAMPAIGN, [FIRST])[0].number == 1
        days, reported = start
        self.now += dt.timedelta(days=days)
        if reported:
            self.a_level_reports(reported)
            assert reported in self.in_state(*LOCKED)

    @rule(step=st.sampled_from(_STEPS_OF_CLOCK))
    def time_passes(self, step: dt.timedelta) -> None:
        self.now += step

    @precondition(lambda self: self.now > OPENED + dt.timedelta(days=1))
    @rule()
    def the_clock_is_set_back(self) -> None:
        self.now -= dt.timedelta(hours=7)

    @rule(polled=st.booleans())
    def the_calendar_ticks(self, polled: bool) -> None:
        if polled:
            self.store.save_cursor("own", "INBOX", Cursor(1, 1, self.now))
        done = self.calendar.run(self.now).done
        assert all(due.at <= self.now for due in done)
        self.steps.update(due.key for due in done)
        assert max(self.steps.values(), default=1) == 1

    @rule()
    def the_next_morning_comes(self) -> None:
        """When offices open, what was gathered on the day before is due."""
        self.now = (self.now + dt.timedelta(days=1)).replace(hour=9, minute=30)
        self.the_calendar_ticks(polled=True)

    @rule()
    def the_workbooks_are_made(self) -> None:
        roster = require_roster(self.store)
        levels = levels_of(roster)
        self.made(levels, self.now)
        versions = [book.version for book in self.made(levels, self.now)]
        assert versions == [self.store.books(CAMPAIGN)[unit.code].version for unit in levels]

    # what must never change

    @invariant()
    def what_has_gone_up_never_changes(self) -> None:
        roster = require_roster(self.store)
        cases = {(case.unit, case.form): case for case in self.store.cases(CAMPAIGN)}
        for package in self.store.packages(CAMPAIGN):
            for version in range(1, package.version + 1):
                rows = self.store.package_rows(CAMPAIGN, package.unit, version)
                assert self.frozen.setdefault((package.unit, version), rows) == rows
            members = {unit.code for unit in roster.members(package.unit)}
            if package.state in LOCKED:
                now = (package.version, {key: case for key, case in cases.items() if key[0] in members})
                assert self.locked.setdefault(package.unit, now) == now
            else:
                self.locked.pop(package.unit, None)

    @invariant()
    def nobody_is_asked_to_confirm_twice_on_a_day(self) -> None:
        asked = Counter((row.to, row.queued_at.date()) for row in self.questions())
        assert max(asked.values(), default=1) == 1

    @invariant()
    def every_message_ends_in_one_place(self) -> None:
        counts = self.store.mail_counts()
        assert counts.received == sum(counts.buckets.values()) == self.mails

    @invariant()
    def nothing_is_reported_twice(self) -> None:
        packages = self.store.packages(CAMPAIGN)
        told = self.store.histories([package.stream for package in packages])
        for package in packages:
            kinds = [event.kind.partition(".")[2] for _, event in told[package.stream]]
            up = [
                kind
                for kind in kinds
                if kind in {"reported", "auto_reported", "returned", "withdrawal_granted"}
            ]
            assert [kind in {"reported", "auto_reported"} for kind in up] == [
                n % 2 == 0 for n in range(len(up))
            ]

    def teardown(self) -> None:
        """The ledger holds and rebuilds to the same rows."""
        assert not self.store.verify_ledger().fault
        again = Store(f"sqlite:///{self.place}/again.db", self.place / "again")
        again.migrate()
        again.rebuild(self.place / "ledger")
        for table in PROJECTIONS:
            assert _rows(again, table) == _rows(self.store, table), table.name
        again.close()
        self.store.close()
        shutil.rmtree(self.place)


def _rows(store: Store, table: object) -> list[tuple[object, ...]]:
    with store.reading() as connection:
        return sorted((tuple(row) for row in connection.execute(select(table))), key=repr)  # type: ignore[call-overload]


def played(opened: Opened, runs: int) -> None:
    """So many runs of acts in any order, each held against the invariants."""
    run_state_machine_as_test(
        lambda: Quarter(opened),
        settings=settings(
            max_examples=runs, stateful_step_count=STEPS, deadline=None, database=None,
            suppress_health_check=list(HealthCheck), phases=[Phase.generate],  # shrinking would take many minutes
        ),
    )  # fmt: skip


def test_any_order_of_mail_decisions_and_ticks(opened: Opened) -> None:
    played(opened, 8)  # tests/journeys/test_any_order.py plays more
