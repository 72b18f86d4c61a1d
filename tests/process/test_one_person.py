"""Who filled in does not approve, in a real store: on the command line, and where one person has a level's roles."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

import openpyxl
import pytest

from tests.domain.offices import COUNTY, ROSTER, SCHOOL
from tests.process.calendar_office import FORMS, Office, on
from workflow.domain.errors import Refused
from workflow.domain.events import Event
from workflow.domain.lifecycle import CaseState
from workflow.domain.matching import make_token
from workflow.domain.roster import Contact, Role, Roster
from workflow.process.consolidate import consolidate, levels_of
from workflow.process.decisions import Decisions
from workflow.process.gather import require_campaign
from workflow.process.situation import Policy

if TYPE_CHECKING:
    from pathlib import Path

REVIEWER, SAME = "review@county.test", "审核员与填报人为同一人"
ALONE = replace(
    ROSTER, contacts=(*ROSTER.contacts, Contact(COUNTY, Role.ADMINISTRATOR, "县审", email=REVIEWER))
)


def filled(folder: Path, roster: Roster, unit: str, sender: str, filler: str = "") -> Office:
    """The unit's workbook has come from an address and names who filled it in."""
    office = Office(folder, roster)
    office.open(on(12, 1))
    when, sha = on(12, 20), "e" * 64
    data = {
        "sha": sha, "digest": "f" * 64, "bucket": "submission", "received_at": when.isoformat(),
        "campaign": office.campaign, "unit": unit, "attachments": [], "sighting": None,
    }  # fmt: skip
    personal = {"sender": sender, "subject": "", "message_id": "", "names": []}
    taken = Event(f"message:{sha}", 1, "message.taken", when, "系统", sha, data, personal)
    case = office._case(unit)
    version = {
        "submission": f"2026Q4/{unit}/{case.rpartition('/')[2]}/1", "number": 1, "form_version": 2,
        "received_at": when.isoformat(), "message": sha,
    }  # fmt: skip
    answers = {"学生": 1, "填表人": filler} if filler else {"学生": 1}
    office.store.append(
        [taken, office._next(case, "case.submitted", when, version, personal={"answers": answers})]
    )
    return office


def approve(office: Office, unit: str) -> CaseState:
    desk = Decisions(office.store, office.calendar().secretariat, Policy("own@office.test"), lambda: FORMS)
    desk.approve(unit, "县审", "", on(1, 3))
    return office.store.cases(office.campaign, [unit])[0].state


def remark(office: Office, unit: str) -> str:
    """What the county's workbook says in the 备注 of a unit's row."""
    county = [level for level in levels_of(office.roster) if level.code == COUNTY]
    (made,) = consolidate(
        office.store, office.files, lambda *words: make_token(b"k" * 32, "A", *words), office.roster,
        require_campaign(office.store), FORMS, county, on(12, 28), on(12, 28),
    )  # fmt: skip
    book = openpyxl.load_workbook(io.BytesIO(office.files.outbox(made.path)))
    for sheet in book.worksheets:
        column = 0
        for row in sheet.iter_rows():
            values = [str(cell.value or "") for cell in row]
            if "审核结论" in values and "备注" in values:
                column = values.index("备注")
            elif column and unit in values:
                return values[column]
    raise AssertionError(unit)


@pytest.mark.parametrize(
    ("unit", "sender", "filler"), [(SCHOOL, REVIEWER, ""), (COUNTY, "admin@county.test", "县审")]
)
class TestWhoFilledIn:
    def test_does_not_approve_on_the_command_line_either(
        self, tmp_path: Path, unit: str, sender: str, filler: str
    ) -> None:
        office = filled(tmp_path, ROSTER, unit, sender, filler)
        with pytest.raises(Refused, match="填报人不能审核自己填报的数据"):
            approve(office, unit)
        assert SAME not in remark(office, unit)
        office.close()

    def test_does_where_one_person_has_the_roles_and_the_row_says_so(
        self, tmp_path: Path, unit: str, sender: str, filler: str
    ) -> None:
        office = filled(tmp_path, ALONE, unit, sender, filler)
        assert approve(office, unit) is CaseState.APPROVED
        assert SAME in remark(office, unit)
        office.close()


def test_a_row_that_somebody_else_filled_in_says_nothing(tmp_path: Path) -> None:
    office = filled(tmp_path, ALONE, SCHOOL, "school@county.test")
    assert SAME not in remark(office, SCHOOL)
    office.close()
