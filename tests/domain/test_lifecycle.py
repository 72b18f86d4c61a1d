"""Both machines, pair by pair, and any run of acts held against what must never change."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.domain.offices import COUNTY, SCHOOL, UNITS, at
from workflow.domain.events import Event
from workflow.domain.lifecycle import (
    CASE_TRANSITIONS,
    LOCKED,
    PACKAGE_TRANSITIONS,
    Case,
    CaseAct,
    CaseState,
    NotAllowed,
    Package,
    PackageAct,
    PackageState,
    act_on_case,
    act_on_package,
    allowed_case_acts,
    allowed_package_acts,
    is_counted,
)
from workflow.domain.replay import case_after, package_after
from workflow.domain.roster import Level

CHINESE = re.compile(r"[一-鿿]")

# The two tables once more, as the design says them; every other pair is refused.
CASE = {
    ("planned", "issued"): "issued",
    ("issued", "submitted"): "submitted",
    ("submitted", "submitted"): "submitted",
    ("submitted", "approved"): "approved",
    ("submitted", "returned"): "returned",
    ("approved", "submitted"): "submitted",
    ("approved", "returned"): "returned",
    ("returned", "submitted"): "submitted",
    ("submitted", "confirmed"): "submitted",
    ("approved", "confirmed"): "approved",
    ("returned", "confirmed"): "returned",
    ("submitted", "disowned"): "issued",
    ("approved", "disowned"): "issued",
    ("returned", "disowned"): "issued",
}
PACKAGE = {
    ("open", "reported"): "reported",
    ("open", "auto_reported"): "reported",
    ("reported", "accepted"): "accepted",
    ("reported", "withdrawal_requested"): "withdrawal_requested",
    ("reported", "returned"): "returned",
    ("accepted", "withdrawal_requested"): "withdrawal_requested",
    ("accepted", "returned"): "returned",
    ("withdrawal_requested", "withdrawal_granted"): "returned",
    ("withdrawal_requested", "withdrawal_refused"): "reported",
    ("returned", "reported"): "reported",
    ("returned", "auto_reported"): "reported",
}


def a_case(state: CaseState) -> Case:
    return Case("2026Q4", SCHOOL, "school", state, 1, "HZ-A", 1, 0, None, "", 4)


def a_package(state: PackageState) -> Package:
    before = PackageState.REPORTED if state is PackageState.WITHDRAWAL_REQUESTED else None
    return Package("2026Q4", COUNTY, Level.COUNTY, state, before=before, version=1, events=3)


@pytest.mark.parametrize(("state", "act"), list(product(CaseState, CaseAct)))
def test_a_case_goes_where_the_table_says_or_is_refused_with_one_reason(
    state: CaseState, act: CaseAct
) -> None:
    case, wanted = a_case(state), CASE.get((state.value, act.value), "")
    assert (act in allowed_case_acts(case)) is bool(wanted)
    if wanted:
        after = act_on_case(case, act)
        assert (after.state.value, after.events) == (wanted, case.events + 1)
        assert CASE_TRANSITIONS[state, act] is after.state
        return
    with pytest.raises(NotAllowed) as refused:
        act_on_case(case, act)
    _one_reason(str(refused.value))
    assert case == a_case(state)


@pytest.mark.parametrize(("state", "act"), list(product(PackageState, PackageAct)))
def test_a_package_goes_where_the_table_says_or_is_refused_with_one_reason(
    state: PackageState, act: PackageAct
) -> None:
    package, wanted = a_package(state), PACKAGE.get((state.value, act.value), "")
    assert (act in allowed_package_acts(package)) is bool(wanted)
    if wanted:
        after = act_on_package(package, act)
        assert (after.state.value, after.events) == (wanted, package.events + 1)
        assert PACKAGE_TRANSITIONS[state, act] is after.state
        return
    with pytest.raises(NotAllowed) as refused:
        act_on_package(package, act)
    _one_reason(str(refused.value))
    assert package == a_package(state)


def _one_reason(words: str) -> None:
    assert CHINESE.search(words)
    assert "\n" not in words
    assert "；" not in words


@pytest.mark.parametrize(
    ("state", "act", "reason"),
    [
        (CaseState.APPROVED, CaseAct.APPROVE, "该单位数据已审核通过，无需重复审核"),
        (CaseState.RETURNED, CaseAct.RETURN, "该单位数据已经退回，尚未重新报送"),
        (CaseState.RETURNED, CaseAct.APPROVE, "该单位数据已退回修改，须重新报送后才能审核通过"),
        (CaseState.ISSUED, CaseAct.APPROVE, "该单位尚未报送，没有可审核的数据"),
        (CaseState.PLANNED, CaseAct.SUBMIT, "该单位的工作簿尚未发出"),
        (CaseState.RETURNED, CaseAct.ISSUE, "当前状态为“退回修改”，不能进行此项操作"),
        (CaseState.ISSUED, CaseAct.ISSUE, "当前状态为“未报送”，不能进行此项操作"),
    ],
)
def test_why_a_case_is_refused(state: CaseState, act: CaseAct, reason: str) -> None:
    with pytest.raises(NotAllowed, match=f"^{reason}$"):
        act_on_case(a_case(state), act)


@pytest.mark.parametrize(
    ("state", "act", "reason"),
    [
        (PackageState.ACCEPTED, PackageAct.REPORT, "本级数据已经上报，不能重复上报"),
        (PackageState.ACCEPTED, PackageAct.ACCEPT, "该单位上报数据已经接收"),
        (PackageState.OPEN, PackageAct.REQUEST_WITHDRAWAL, "该单位尚未上报"),
        (PackageState.RETURNED, PackageAct.RETURN, "该单位上报数据已经退回，尚未重新上报"),
        (PackageState.OPEN, PackageAct.GRANT_WITHDRAWAL, "当前状态为“未上报”，不能进行此项操作"),
        (PackageState.RETURNED, PackageAct.GRANT_WITHDRAWAL, "当前状态为“上级退回”，不能进行此项操作"),
        (PackageState.ACCEPTED, PackageAct.GRANT_WITHDRAWAL, "当前状态为“上级已接收”，不能进行此项操作"),
        (PackageState.WITHDRAWAL_REQUESTED, PackageAct.ACCEPT, "当前状态为“已申请撤报”，不能进行此项操作"),
        (PackageState.WITHDRAWAL_REQUESTED, PackageAct.RETURN, "当前状态为“已申请撤报”，不能进行此项操作"),
    ],
)
def test_why_a_package_is_refused(state: PackageState, act: PackageAct, reason: str) -> None:
    with pytest.raises(NotAllowed, match=f"^{reason}$"):
        act_on_package(a_package(state), act)


@pytest.mark.parametrize("before", [PackageState.REPORTED, PackageState.ACCEPTED])
def test_a_refused_withdrawal_goes_back_to_where_it_was(before: PackageState) -> None:
    asked = act_on_package(a_package(before), PackageAct.REQUEST_WITHDRAWAL)
    assert (asked.state, asked.before, asked.locked) == (PackageState.WITHDRAWAL_REQUESTED, before, True)
    back = act_on_package(asked, PackageAct.REFUSE_WITHDRAWAL)
    assert (back.state, back.before) == (before, None)


def test_a_granted_withdrawal_opens_the_package_until_its_date() -> None:
    asked = act_on_package(a_package(PackageState.ACCEPTED), PackageAct.REQUEST_WITHDRAWAL)
    granted = act_on_package(asked, PackageAct.GRANT_WITHDRAWAL, due=at(1, 9))
    assert (granted.state, granted.due, granted.before, granted.locked) == (
        PackageState.RETURNED,
        at(1, 9),
        None,
        False,
    )


def test_a_new_version_clears_the_return_and_a_new_report_the_objection() -> None:
    returned = replace(a_case(CaseState.RETURNED), due=at(1, 4), note="请核实", returns=2)
    again = act_on_case(returned, CaseAct.SUBMIT)
    assert (again.number, again.returns, again.due, again.note) == (2, 2, None, "")
    objected = replace(a_package(PackageState.RETURNED), due=at(1, 9), note="数据有误")
    after = act_on_package(objected, PackageAct.AUTO_REPORT, reported_at=at(1, 9))
    assert (after.version, after.auto, after.due, after.note) == (2, True, None, "")
    by_hand = act_on_package(objected, PackageAct.REPORT, by="县审")
    assert (by_hand.auto, by_hand.by) == (False, "县审")


@pytest.mark.parametrize(
    ("suspended", "versions", "counted"),
    [(False, 0, True), (True, 0, False), (True, 1, True), (False, 1, True)],
)
def test_a_unit_that_admits_nobody_is_counted_only_when_it_has_sent_data(
    suspended: bool, versions: int, counted: bool
) -> None:
    case = replace(a_case(CaseState.ISSUED), number=versions)
    assert is_counted(case, replace(UNITS[SCHOOL], suspended=suspended)) is counted


def test_every_state_has_its_word() -> None:
    words = [state.word for state in (*CaseState, *PackageState)]
    assert len(set(words)) == len(words)
    assert frozenset(state for state in PackageState if a_package(state).locked) == LOCKED


class Quarter(RuleBasedStateMachine):
    """Any run of acts on a case and the package above it, all of them through the ledger's events."""

    def __init__(self) -> None:
        super().__init__()
        self.now = at(12, 1)
        self.events: list[Event] = []
        self.case = self._fold_case(None, "planned", {})
        self.package = self._fold_package(None, "opened", {"level": "county"})
        self.frozen: Case | None = None
        self.returns = self.versions = self.reports = 0

    def _event(self, stream: str, kind: str, number: int, data: dict[str, Any]) -> Event:
        self.now += dt.timedelta(hours=1)
        event = Event(stream, number, kind, self.now, "系统", data=data)
        self.events.append(event)
        return event

    def _fold_case(self, case: Case | None, act: str, data: dict[str, Any]) -> Case:
        number = (case.events if case else 0) + 1
        try:
            return case_after(case, self._event(f"case:2026Q4/{SCHOOL}/school", f"case.{act}", number, data))
        except NotAllowed:
            self.events.pop()
            raise

    def _fold_package(self, package: Package | None, act: str, data: dict[str, Any]) -> Package:
        number = (package.events if package else 0) + 1
        try:
            event = self._event(f"package:2026Q4/{COUNTY}", f"package.{act}", number, data)
            return package_after(package, event)
        except NotAllowed:
            self.events.pop()
            raise

    @precondition(lambda self: not self.package.locked)
    @rule(act=st.sampled_from(CaseAct))
    def act_on_the_case(self, act: CaseAct) -> None:
        data: dict[str, Any] = (
            {"due": at(1, 4).isoformat(), "note": "请核实"} if act is CaseAct.RETURN else {}
        )
        if act is CaseAct.ISSUE:
            data = {"copy": self.case.copy + 1, "token": "HZ-A"}
        if act not in allowed_case_acts(self.case):
            with pytest.raises(NotAllowed):
                self._fold_case(self.case, act.value, data)
            return
        self.case = self._fold_case(self.case, act.value, data)
        self.returns += act is CaseAct.RETURN
        self.versions += act is CaseAct.SUBMIT

    @rule(act=st.sampled_from(PackageAct))
    def act_on_the_package(self, act: PackageAct) -> None:
        opens = act in {PackageAct.RETURN, PackageAct.GRANT_WITHDRAWAL}
        data = {"due": at(1, 9).isoformat(), "note": "请核实"} if opens else {"by": "县审"}
        if act not in allowed_package_acts(self.package):
            with pytest.raises(NotAllowed):
                self._fold_package(self.package, act.value, data)
            return
        self.package = self._fold_package(self.package, act.value, data)
        self.reports += act in {PackageAct.REPORT, PackageAct.AUTO_REPORT}
        self.frozen = self.case if self.package.locked else None

    @invariant()
    def counts_are_those_of_the_acts(self) -> None:
        assert (self.case.returns, self.case.number) == (self.returns, self.versions)
        assert self.package.version == self.reports
        assert self.package.locked <= bool(self.reports)

    @invariant()
    def the_case_of_a_locked_package_never_changes(self) -> None:
        if self.package.locked:
            assert self.case == self.frozen

    @invariant()
    def event_numbers_rise_by_one_in_each_stream(self) -> None:
        for record in (self.case, self.package):
            numbers = [event.number for event in self.events if event.stream == record.stream]
            assert numbers == list(range(1, record.events + 1))

    @invariant()
    def a_date_stands_only_while_something_is_sent_back(self) -> None:
        assert (self.case.due is not None) is (self.case.state is CaseState.RETURNED)
        assert (self.package.due is not None) is (self.package.state is PackageState.RETURNED)
        assert (self.package.before is not None) is (self.package.state is PackageState.WITHDRAWAL_REQUESTED)

    @invariant()
    def the_events_alone_lead_to_the_same_records(self) -> None:
        case: Case | None = None
        package: Package | None = None
        for event in self.events:
            if event.stream.startswith("case:"):
                case = case_after(case, event)
            else:
                package = package_after(package, event)
        assert (case, package) == (self.case, self.package)


Quarter.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
test_any_run_of_acts_keeps_what_must_hold = Quarter.TestCase
