"""The life of a case and of a package: two transition tables, looked up and never re-coded elsewhere.

Case: one unit's form in one campaign (articles 15, 16, 20). Package: what a level reports 上报 (articles 17–20).
Whether a case is locked is derived from the package above it; overdue is computed from the clock; neither is stored.
An act that a table does not have is refused with its one reason and changes nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from workflow.domain.roster import Level, Unit


class CaseState(StrEnum):
    """Where a case is."""

    PLANNED = "planned"
    ISSUED = "issued"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    RETURNED = "returned"

    @property
    def word(self) -> str:
        return _CASE_WORDS[self]


_CASE_WORDS = {
    CaseState.PLANNED: "未发出",
    CaseState.ISSUED: "未报送",
    CaseState.SUBMITTED: "已报送待审核",
    CaseState.APPROVED: "审核通过",
    CaseState.RETURNED: "退回修改",
}


class CaseAct(StrEnum):
    """What can happen to a case; the value is also the kind of its ledger event, behind `case.`."""

    ISSUE = "issued"
    SUBMIT = "submitted"
    APPROVE = "approved"
    RETURN = "returned"
    CONFIRM = "confirmed"
    DISOWN = "disowned"


class PackageState(StrEnum):
    """Where a package is."""

    OPEN = "open"
    REPORTED = "reported"
    ACCEPTED = "accepted"
    WITHDRAWAL_REQUESTED = "withdrawal_requested"
    RETURNED = "returned"

    @property
    def word(self) -> str:
        return _PACKAGE_WORDS[self]


_PACKAGE_WORDS = {
    PackageState.OPEN: "未上报",
    PackageState.REPORTED: "已上报",
    PackageState.ACCEPTED: "上级已接收",
    PackageState.WITHDRAWAL_REQUESTED: "已申请撤报",
    PackageState.RETURNED: "上级退回",
}


class PackageAct(StrEnum):
    """What can happen to a package; the value is also the kind of its ledger event, behind `package.`."""

    REPORT = "reported"
    AUTO_REPORT = "auto_reported"
    ACCEPT = "accepted"
    REQUEST_WITHDRAWAL = "withdrawal_requested"
    GRANT_WITHDRAWAL = "withdrawal_granted"
    REFUSE_WITHDRAWAL = "withdrawal_refused"
    RETURN = "returned"


CASE_TRANSITIONS: Mapping[tuple[CaseState, CaseAct], CaseState] = {
    (CaseState.PLANNED, CaseAct.ISSUE): CaseState.ISSUED,
    (CaseState.ISSUED, CaseAct.SUBMIT): CaseState.SUBMITTED,
    (CaseState.SUBMITTED, CaseAct.SUBMIT): CaseState.SUBMITTED,
    (CaseState.SUBMITTED, CaseAct.APPROVE): CaseState.APPROVED,
    (CaseState.SUBMITTED, CaseAct.RETURN): CaseState.RETURNED,
    # Article 16: who updates unasked loses the approval; the new version is reviewed again.
    (CaseState.APPROVED, CaseAct.SUBMIT): CaseState.SUBMITTED,
    (CaseState.APPROVED, CaseAct.RETURN): CaseState.RETURNED,
    (CaseState.RETURNED, CaseAct.SUBMIT): CaseState.SUBMITTED,
    # The unit says that what a stranger sent in its name is its own.
    (CaseState.SUBMITTED, CaseAct.CONFIRM): CaseState.SUBMITTED,
    (CaseState.APPROVED, CaseAct.CONFIRM): CaseState.APPROVED,
    (CaseState.RETURNED, CaseAct.CONFIRM): CaseState.RETURNED,
    # Or that it is not: back to where it was before, with the version that then stands; see `act_on_case`.
    (CaseState.SUBMITTED, CaseAct.DISOWN): CaseState.ISSUED,
    (CaseState.APPROVED, CaseAct.DISOWN): CaseState.ISSUED,
    (CaseState.RETURNED, CaseAct.DISOWN): CaseState.ISSUED,
}

PACKAGE_TRANSITIONS: Mapping[tuple[PackageState, PackageAct], PackageState] = {
    (PackageState.OPEN, PackageAct.REPORT): PackageState.REPORTED,
    (PackageState.OPEN, PackageAct.AUTO_REPORT): PackageState.REPORTED,
    (PackageState.REPORTED, PackageAct.ACCEPT): PackageState.ACCEPTED,
    (PackageState.REPORTED, PackageAct.RETURN): PackageState.RETURNED,
    (PackageState.ACCEPTED, PackageAct.RETURN): PackageState.RETURNED,
    (PackageState.REPORTED, PackageAct.REQUEST_WITHDRAWAL): PackageState.WITHDRAWAL_REQUESTED,
    (PackageState.ACCEPTED, PackageAct.REQUEST_WITHDRAWAL): PackageState.WITHDRAWAL_REQUESTED,
    (PackageState.WITHDRAWAL_REQUESTED, PackageAct.GRANT_WITHDRAWAL): PackageState.RETURNED,
    # Refused: back to where it was before the request, REPORTED or ACCEPTED; see `act_on_package`.
    (PackageState.WITHDRAWAL_REQUESTED, PackageAct.REFUSE_WITHDRAWAL): PackageState.REPORTED,
    (PackageState.RETURNED, PackageAct.REPORT): PackageState.REPORTED,
    (PackageState.RETURNED, PackageAct.AUTO_REPORT): PackageState.REPORTED,
}

#: Packages in these states have left their level: the cases in them are locked (article 19).
LOCKED = frozenset({PackageState.REPORTED, PackageState.ACCEPTED, PackageState.WITHDRAWAL_REQUESTED})


class NotAllowed(Exception):
    """The state does not allow the act. The message is the one reason, in Chinese, and goes to whoever asked."""


@dataclass(frozen=True, slots=True)
class Case:
    """One unit's form in one campaign. `copy` counts the copies mailed, `number` the versions received, `returns` how
    often it was sent back; `due` is the date set by the last return; `events` numbers its stream. `disowned` counts the versions
    after the newest one that stands which the unit said are not its own.
    """

    campaign: str
    unit: str
    form: str
    state: CaseState = CaseState.PLANNED
    copy: int = 0
    token: str = ""
    number: int = 0
    returns: int = 0
    due: dt.datetime | None = None
    note: str = ""
    events: int = 0
    disowned: int = 0

    @property
    def newest(self) -> int:
        """The number of the newest version that stands, 0 while there is none."""
        return self.number - self.disowned

    @property
    def stream(self) -> str:
        return case_stream(self.campaign, self.unit, self.form)


@dataclass(frozen=True, slots=True)
class Package:
    """What a level reports in one campaign. `auto` marks a report made by the calendar; `version` counts the reports;
    `before` is the state that a refused 撤报申请 goes back to; `due` and `returned_at` are set by a return.
    """

    campaign: str
    unit: str
    level: Level
    state: PackageState = PackageState.OPEN
    auto: bool = False
    version: int = 0
    reported_at: dt.datetime | None = None
    by: str = ""
    before: PackageState | None = None
    due: dt.datetime | None = None
    note: str = ""
    events: int = 0
    returned_at: dt.datetime | None = None

    @property
    def stream(self) -> str:
        return package_stream(self.campaign, self.unit)

    @property
    def locked(self) -> bool:
        return self.state in LOCKED


def case_stream(campaign: str, unit: str, form: str) -> str:
    """The name of a case's events in the ledger."""
    return f"case:{campaign}/{unit}/{form}"


def package_stream(campaign: str, unit: str) -> str:
    """The name of a package's events in the ledger."""
    return f"package:{campaign}/{unit}"


def is_counted(case: Case, unit: Unit) -> bool:
    """Whether a unit is asked and counted: one that marks itself 暂停招生 (article 11) is not, unless it has sent data."""
    return case.newest > 0 or not unit.suspended


def act_on_case(case: Case, act: CaseAct, **changes: object) -> Case:
    """The case after an act, with the act's own changes (`copy`, `token`, `due`, `note`); raises NotAllowed. `state` and
    `standing`, the number of a version, say what stands again after a DISOWN.
    """
    target = CASE_TRANSITIONS.get((case.state, act))
    if target is None:
        raise NotAllowed(_case_reason(case.state, act))
    if act is CaseAct.SUBMIT:
        changes = {"due": None, "note": "", **changes, "number": case.number + 1, "disowned": 0}
    elif act is CaseAct.RETURN:
        changes = {**changes, "returns": case.returns + 1}
    elif act is CaseAct.DISOWN:
        standing = changes.pop("standing", 0)
        target = CaseState(str(changes.pop("state", target)))
        changes = {"due": None, "note": "", **changes, "disowned": case.number - int(str(standing))}
    return replace(case, state=target, events=case.events + 1, **changes)  # type: ignore[arg-type]


def act_on_package(package: Package, act: PackageAct, **changes: object) -> Package:
    """The package after an act, with the act's own changes (`reported_at`, `by`, `due`, `note`); raises NotAllowed."""
    target = PACKAGE_TRANSITIONS.get((package.state, act))
    if target is None:
        raise NotAllowed(_package_reason(package.state, act))
    if act in {PackageAct.REPORT, PackageAct.AUTO_REPORT}:
        auto = act is PackageAct.AUTO_REPORT
        cleared = {"due": None, "returned_at": None, "note": ""}
        changes = {**cleared, **changes, "version": package.version + 1, "auto": auto}
    elif act is PackageAct.REQUEST_WITHDRAWAL:
        changes = {**changes, "before": package.state}
    elif act is PackageAct.REFUSE_WITHDRAWAL:
        target = package.before or target
        changes = {**changes, "before": None}
    elif act is PackageAct.GRANT_WITHDRAWAL:
        changes = {**changes, "before": None}
    return replace(package, state=target, events=package.events + 1, **changes)  # type: ignore[arg-type]


def allowed_case_acts(case: Case) -> tuple[CaseAct, ...]:
    """What the state allows, without regard to who asks or to the package above."""
    return tuple(act for act in CaseAct if (case.state, act) in CASE_TRANSITIONS)


def allowed_package_acts(package: Package) -> tuple[PackageAct, ...]:
    """What the state allows, without regard to who asks or to the window."""
    return tuple(act for act in PackageAct if (package.state, act) in PACKAGE_TRANSITIONS)


def _case_reason(state: CaseState, act: CaseAct) -> str:
    if act is CaseAct.APPROVE and state is CaseState.APPROVED:
        return "该单位数据已审核通过，无需重复审核"
    if act is CaseAct.RETURN and state is CaseState.RETURNED:
        return "该单位数据已经退回，尚未重新报送"
    if act in {CaseAct.APPROVE, CaseAct.RETURN} and state in {CaseState.PLANNED, CaseState.ISSUED}:
        return "该单位尚未报送，没有可审核的数据"
    if act is CaseAct.APPROVE and state is CaseState.RETURNED:
        return "该单位数据已退回修改，须重新报送后才能审核通过"
    if act is CaseAct.SUBMIT and state is CaseState.PLANNED:
        return "该单位的工作簿尚未发出"
    return f"当前状态为“{state.word}”，不能进行此项操作"


def _package_reason(state: PackageState, act: PackageAct) -> str:
    if act in {PackageAct.REPORT, PackageAct.AUTO_REPORT}:
        return "本级数据已经上报，不能重复上报"
    if act is PackageAct.ACCEPT and state is PackageState.ACCEPTED:
        return "该单位上报数据已经接收"
    if (
        act in {PackageAct.ACCEPT, PackageAct.REQUEST_WITHDRAWAL, PackageAct.RETURN}
        and state is PackageState.OPEN
    ):
        return "该单位尚未上报"
    if act in {PackageAct.ACCEPT, PackageAct.RETURN} and state is PackageState.RETURNED:
        return "该单位上报数据已经退回，尚未重新上报"
    return f"当前状态为“{state.word}”，不能进行此项操作"
