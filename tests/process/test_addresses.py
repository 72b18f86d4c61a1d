"""Addresses at which letters do not arrive: nobody is reminded there, the superior's 管理员 is, and staff are told once."""

from __future__ import annotations

from dataclasses import replace

from tests.domain.offices import COUNTY, ROSTER, SCHOOL, at
from workflow.adapters.store.records import LetterRow, LetterState
from workflow.domain.roster import Recipient, Role
from workflow.process.addresses import findings, reached

NOW = at(12, 20)
ADDRESS = "school@county.test"


def failed(name: str, to: str = ADDRESS, unit: str = SCHOOL) -> LetterRow:
    return LetterRow(
        name, "notice", "2026Q4", unit, "school", 5, "a" * 64, f"<{name}@office.test>", to, "校管", "关于报送",
        LetterState.FAILED, 1, at(12, 10), None, "550 5.1.1 user unknown", 3,
    )  # fmt: skip


def test_a_unit_whose_address_is_no_more_is_reached_through_its_superior() -> None:
    day = NOW.date()
    own = ROSTER.recipient(SCHOOL, Role.ADMINISTRATOR, day)
    assert own is not None
    assert own.email == ADDRESS
    relayed = reached(ROSTER, [failed("one", ADDRESS.upper())]).recipient(SCHOOL, Role.ADMINISTRATOR, day)
    assert relayed == Recipient("admin@county.test", "县管", COUNTY, Role.ADMINISTRATOR, SCHOOL)


def test_without_failed_letters_the_roster_is_as_it_was() -> None:
    assert reached(ROSTER, []) is ROSTER


def test_a_level_whose_every_address_is_no_more_is_passed_over() -> None:
    roster = replace(ROSTER, bad=frozenset({ADDRESS, "admin@county.test"}))
    to = roster.recipient(SCHOOL, Role.ADMINISTRATOR, NOW.date())
    assert to is not None
    assert (to.email, to.relay_for) == ("admin@city.test", SCHOOL)


def test_staff_are_told_of_an_address_once_however_many_letters_failed() -> None:
    both = [failed("one"), failed("two")]
    told = list(findings(both, set(), ROSTER, NOW))
    assert [event.kind for event in told] == ["step.done", "staff.query"]
    assert told[1].personal["matter"].startswith("地址无效：东区第一小学的school@county.test")
    assert told[1].data == {"unit": SCHOOL, "address": "invalid"}
    assert list(findings(both, {"address/one"}, ROSTER, NOW)) == []


def test_a_unit_that_has_left_the_roster_is_no_finding() -> None:
    assert list(findings([failed("one", unit="4199999999")], set(), ROSTER, NOW)) == []


def test_a_letter_at_fault_itself_leaves_its_address_good_and_staff_are_told_of_each() -> None:
    both = [replace(failed(name), blame="letter", reply="552 too large") for name in ("one", "two")]
    assert reached(ROSTER, both) is ROSTER
    told = [event for event in findings(both, set(), ROSTER, NOW) if event.kind == "staff.query"]
    assert len(told) == 2
    assert told[0].personal is not None
    assert told[0].personal["matter"] == (
        "信件被拒收：发给东区第一小学的school@county.test的《关于报送》没有送达（552 too large），原因不在收件地址，"
        "请核对内容和附件大小后另行告知该单位"
    )
    assert list(findings(both, {"letter/one", "letter/two"}, ROSTER, NOW)) == []
