from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from workflow.domain.campaign import SHANGHAI
from workflow.domain.events import (
    Event,
    canonical,
    chained_hash,
    decode_findings,
    decode_value,
    encode_findings,
    encode_value,
    personal_digest,
)
from workflow.domain.form import Severity, Value
from workflow.domain.lifecycle import Case, CaseState, NotAllowed, Package, PackageState
from workflow.domain.replay import case_after, package_after
from workflow.domain.submission import Finding

DAY = dt.datetime(2027, 1, 3, 9, tzinfo=SHANGHAI)


def case_of(*kinds: tuple[str, dict[str, Any]]) -> Case:
    case = None
    for number, (kind, data) in enumerate(kinds, 1):
        case = case_after(case, Event("case:2026Q4/u/f", number, f"case.{kind}", DAY, "系统", data=data))
    assert case is not None
    return case


def package_of(*kinds: tuple[str, dict[str, Any]]) -> Package:
    package = None
    for number, (kind, data) in enumerate(kinds, 1):
        event = Event("package:2026Q4/u", number, f"package.{kind}", DAY, "系统", data=data)
        package = package_after(package, event)
    assert package is not None
    return package


ISSUED = (("planned", {}), ("issued", {"copy": 1, "token": "HZ-A"}), ("submitted", {}))
REPORTED = (("opened", {"level": "county"}), ("reported", {"by": "王试"}))


def test_a_case_counts_its_events_versions_and_returns() -> None:
    due = DAY + dt.timedelta(days=3)
    case = case_of(*ISSUED, ("returned", {"due": due.isoformat(), "note": "请核实"}), ("submitted", {}))
    assert case == Case("2026Q4", "u", "f", CaseState.SUBMITTED, 1, "HZ-A", 2, 1, None, "", 5)


def test_a_return_may_give_the_unit_a_new_copy() -> None:
    case = case_of(*ISSUED, ("returned", {"due": DAY.isoformat(), "copy": 2, "token": "HZ-B"}))
    assert (case.copy, case.token, case.due) == (2, "HZ-B", DAY)


def test_nothing_happens_to_a_case_or_package_before_its_first_event() -> None:
    with pytest.raises(ValueError, match=r"before case\.planned"):
        case_of(("submitted", {}))
    with pytest.raises(ValueError, match=r"before package\.opened"):
        package_of(("reported", {}))


def test_what_the_state_does_not_allow_is_refused() -> None:
    with pytest.raises(NotAllowed):
        case_of(("planned", {}), ("approved", {}))
    with pytest.raises(NotAllowed):
        package_of(*REPORTED, ("reported", {}))


def test_a_report_is_dated_by_the_deadline_that_it_was_owed() -> None:
    deadline = DAY - dt.timedelta(days=1)
    package = package_of(("opened", {"level": "county"}), ("auto_reported", {"as_of": deadline.isoformat()}))
    assert (package.reported_at, package.auto, package.version) == (deadline, True, 1)
    assert package_of(*REPORTED).reported_at == DAY


def test_accepting_keeps_who_reported_and_a_refused_withdrawal_goes_back() -> None:
    accepted = package_of(*REPORTED, ("accepted", {"by": "赵核"}))
    assert (accepted.state, accepted.by) == (PackageState.ACCEPTED, "王试")
    back = package_of(
        *REPORTED, ("accepted", {}), ("withdrawal_requested", {"note": "有误"}), ("withdrawal_refused", {})
    )
    assert (back.state, back.before) == (PackageState.ACCEPTED, None)


@pytest.mark.parametrize("value", [None, True, 3, 0.1, "无", dt.date(2026, 12, 1)])
def test_an_answer_survives_json(value: Value) -> None:
    decoded = decode_value(encode_value(value))
    assert (decoded, type(decoded)) == (value, type(value))


def test_two_findings_about_one_field_keep_what_each_found() -> None:
    findings = [
        Finding(code, Severity.ERROR, "学生数", "在校生数", "A!B2", found, "请改正")
        for code, found in (("range", "-3"), ("rule", "在校生数=-3，教师数=2"), ("required", ""))
    ]
    data, personal = encode_findings(findings)
    assert decode_findings(data, personal) == findings
    assert [finding.found for finding in decode_findings(data, {})] == ["", "", ""]


def test_the_chain_depends_on_everything_in_an_event() -> None:
    event = Event("letter:one", 1, "letter.sent", DAY, "系统", "why", {"reply": "250"})
    first = chained_hash("0" * 64, event, canonical(event.data), "")
    others = [
        chained_hash("1" * 64, event, canonical(event.data), ""),
        chained_hash("0" * 64, event, canonical({"reply": "251"}), ""),
        chained_hash("0" * 64, event, canonical(event.data), "d"),
    ]
    assert first not in others
    assert personal_digest("a", "{}") != personal_digest("b", "{}")
    assert personal_digest("a", None) == ""
