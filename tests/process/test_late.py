"""A late return is kept, offered to the reviewer as a 撤报申请, and else fills the next period's copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.domain.offices import CENTRAL, COUNTY, SCHOOL, UNITS, WEST, at, form_of, number
from tests.process.calendar_office import FORMS, Office, on
from tests.process.situations import GOOD, STRANGER, mail, opened, workbook
from workflow.domain.campaign import DEFAULT_WINDOWS, Period
from workflow.domain.form import Field, FieldType, Prefill, Table
from workflow.domain.letters import FreshCopy
from workflow.domain.matching import asks_withdrawal
from workflow.process.decide import decide
from workflow.process.launch import Terms, TokenKey, launch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from workflow.domain.events import Event
    from workflow.domain.letters import LetterOrder
    from workflow.domain.roster import Roster


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    made.open(on(12, 1))
    made.report(on(1, 5), COUNTY)
    yield made
    made.close()


def offers(office: Office) -> list[tuple[str, str]]:
    return [(letter.to, letter.text) for letter in office.letters("late_offer")]


def test_the_reviewer_gets_one_letter_a_day_with_the_units_that_came_late(office: Office) -> None:
    office.late(on(1, 6, 8), SCHOOL)
    office.tick(on(1, 6, 8, 30))
    assert offers(office) == []  # before offices open
    for hour in (9, 12, 18):
        office.tick(on(1, 6, hour))
    ((to, text),) = offers(office)
    assert to == "review@county.test"
    assert f"{UNITS[SCHOOL].name}（{SCHOOL}）" in text
    office.late(on(1, 6, 19), CENTRAL)
    office.tick(on(1, 6, 20))
    assert len(offers(office)) == 1
    office.tick(on(1, 7, 10))
    assert len(offers(office)) == 2
    assert UNITS[SCHOOL].name not in offers(office)[1][1]  # told already
    office.tick(on(1, 8, 10))
    assert len(offers(office)) == 2


def test_the_letter_holds_a_request_that_counts_when_it_is_sent_back(office: Office) -> None:
    office.late(on(1, 6, 8), SCHOOL)
    office.tick(on(1, 6, 10))
    ((_, text),) = offers(office)
    (ready,) = [line.strip() for line in text.splitlines() if line.strip().startswith("撤报申请：")]
    assert asks_withdrawal(ready)


def test_nothing_is_offered_to_a_level_that_has_not_reported_or_has_no_reviewer(office: Office) -> None:
    office.late(on(1, 5, 12), "4101000001")
    office.report(on(1, 5, 13), WEST)
    office.late(on(1, 5, 14), WEST)
    office.polled(on(1, 6, 9))
    office.tick(on(1, 6, 10))
    assert offers(office) == []
    assert len(office.store.late_returns(office.campaign)) == 2


def test_a_workbook_after_the_report_is_kept_with_its_answers() -> None:
    outcome = decide(mail("school@county.test", workbook(SCHOOL, GOOD), moment=at(1, 6, 0)), opened())
    (kept,) = [event for event in outcome.events if event.kind == "late.kept"]
    assert kept.data["registered"] is True
    assert kept.personal is not None
    assert {name: kept.personal["answers"][name] for name in GOOD} == GOOD


def test_one_from_somebody_else_is_kept_and_marked_so() -> None:
    outcome = decide(mail(STRANGER, workbook(SCHOOL, GOOD), moment=at(1, 6, 0)), opened())
    assert [event.data["registered"] for event in outcome.events if event.kind == "late.kept"] == [False]


class Notices:
    """A secretariat that notes what it is asked to write."""

    def __init__(self) -> None:
        self.shown: dict[str, dict[str, object]] = {}

    def queue(self, orders: Iterable[LetterOrder], _roster: Roster) -> list[Event]:
        for order in orders:
            for enclosure in order.enclosures:
                if isinstance(enclosure, FreshCopy):
                    self.shown[enclosure.unit] = dict(enclosure.answers)
        return []


def test_the_next_copy_starts_from_what_came_too_late(office: Office) -> None:
    office.late(on(1, 6, 8), SCHOOL)
    office.late(on(1, 6, 9), CENTRAL, registered=False)
    office.report(on(1, 16), *(code for code, unit in UNITS.items() if unit.kind.reports and code != COUNTY))
    notices = Notices()
    launch(
        office.store, notices, TokenKey("A", b"k" * 32), Period(2027, 1), on(1, 20),  # type: ignore[arg-type]
        {name: (form, "a" * 64) for name, form in FORMS.items()}, Terms(DEFAULT_WINDOWS, None),
    )  # fmt: skip
    assert notices.shown[SCHOOL].get("学生") == 7
    assert notices.shown[CENTRAL].get("学生") is None


def test_rows_for_which_the_next_form_has_no_room_are_on_staffs_list(office: Office) -> None:
    rows = {f"设备.{row}.{column}": "大屏" for row in (1, 2, 3) for column in ("名称", "型号")}
    office.late(on(1, 6, 8), SCHOOL, answers={"学生": 7, **rows})
    office.report(on(1, 16), *(code for code, unit in UNITS.items() if unit.kind.reports and code != COUNTY))
    again = Field("设备.名称", "名称", FieldType.TEXT, prefill=Prefill.LAST_PERIOD)
    smaller = form_of(
        number("学生"), tables=(Table("设备", (again, Field("设备.型号", "型号", FieldType.TEXT)), 2),)
    )
    notices = Notices()
    launch(
        office.store, notices, TokenKey("A", b"k" * 32), Period(2027, 1), on(1, 20),  # type: ignore[arg-type]
        {name: (form, "a" * 64) for name, form in {**FORMS, "school": smaller}.items()}, Terms(DEFAULT_WINDOWS, None),
    )  # fmt: skip
    assert notices.shown[SCHOOL] == {"设备.1.名称": "大屏", "设备.2.名称": "大屏"}
    [told] = [item for item in office.store.staff_queries() if "放不下" in str(item.personal)]
    assert f"{UNITS[SCHOOL].name}“设备”表第2行以后的1行" in str(told.personal)
