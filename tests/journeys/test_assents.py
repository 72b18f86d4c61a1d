"""A unit answers our question about a stranger's workbook: settled from the kept mail, once, the same after a rebuild."""

from __future__ import annotations

from io import BytesIO
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from openpyxl import load_workbook

from tests.journeys.test_command_line import Office
from tests.journeys.test_quarantine import ends, rows, sha
from tests.journeys.world import COUNTY, FIRST, Ran, administrator, letter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOME = "home@example.org"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    nowhere: Any = SimpleNamespace(imap_port=1, smtp_port=1)
    office = Office(
        tmp_path / "workspace", nowhere, {}, settings={"imap.password_env": '""', "reader.workers": "1"}
    )
    office.import_roster()
    office.open()
    yield office
    office.close()


def says(office: Office, words: str, at: str = "2026-12-13T10:00:00+08:00") -> Ran:
    """The registered address answers the question about the workbook."""
    question = office.newest(FIRST, "unknown_sender_confirm")
    thread = {"In-Reply-To": question.message_id}
    raw = letter(administrator(FIRST), office.address, f"答复 {at}", words, headers=thread)
    return office.ingest(raw, received=at)


def remarks(office: Office) -> str:
    """What the county's workbook says in the row of the school."""
    (made,) = office.app.consolidate("2026Q4", [COUNTY])
    book = load_workbook(BytesIO(office.app.files.outbox(made.path)), read_only=True)
    found = [
        str(value)
        for sheet in book
        for row in sheet.iter_rows(values_only=True)
        if FIRST in row
        for value in row
        if value is not None
    ]
    return "\n".join(found)


def test_confirmed_the_version_is_the_units_own_in_the_reviewers_workbook_and_after_a_rebuild(
    office: Office,
) -> None:
    office.ingest(office.reply(FIRST, office.filled(FIRST), sender=HOME))
    assert "发件地址：未登记" in remarks(office)
    says(office, "确认")
    said = remarks(office)
    assert ("发件地址：已由登记地址确认（2026年12月13日）" in said, "发件地址：未登记" in said) == (
        True,
        False,
    )
    [version] = office.app.store.submissions("2026Q4", [FIRST])
    assert not version.unregistered
    before = rows(office)
    says(office, "确认", "2026-12-13T11:00:00+08:00")
    [again] = office.app.store.submissions("2026Q4", [FIRST])
    assert again == version
    assert len(rows(office)["letters"]) == len(before["letters"]) + 1  # it says that this is done
    before = rows(office)
    assert office.huizhi("rebuild").code == 0
    assert rows(office) == before
    assert office.huizhi("ledger", "verify").code == 0


def test_confirmed_a_workbook_that_was_not_taken_is_taken_from_the_kept_mail(office: Office) -> None:
    office.ingest(office.reply(FIRST, office.filled(FIRST)), received="2026-12-11T10:00:00+08:00")
    known = sha(
        office.ingest(
            office.reply(FIRST, office.filled(FIRST, {**office.answers(FIRST), "班级数": 31}), sender=HOME)
        )
    )
    assert ends(office, known) == [("foreign", FIRST)]
    assert office.huizhi("quarantine", "list").lines[-1] == "待处置 1 封"
    says(office, "确认。")
    assert ends(office, known) == [("accepted", FIRST)]
    assert office.huizhi("quarantine", "list").lines == ["待处置 0 封"]
    versions = office.app.store.submissions("2026Q4", [FIRST])
    assert [(one.number, one.message == known) for one in versions] == [(1, False), (2, True)]
    assert office.newest(FIRST, "sender_answered").to == administrator(FIRST)
    assert not office.inbox(HOME)
    assert "班级数 = 31" in office.huizhi("trace", FIRST, "班级数").out
    status = office.status()["mail"]
    assert (status["received"], sum(status["buckets"].values())) == (3, 3)
    before = rows(office)
    assert office.huizhi("rebuild").code == 0
    assert rows(office) == before


def test_denied_the_version_counts_no_more_and_the_trace_says_so(office: Office) -> None:
    office.ingest(office.reply(FIRST, office.filled(FIRST), sender=HOME))
    says(office, "非本单位报送")
    assert office.app.store.submissions("2026Q4", [FIRST]) == []
    [case] = office.app.store.cases("2026Q4", [FIRST])
    assert (case.state.value, case.newest) == ("issued", 0)
    assert "单位答复：非本单位报送，不计入" in office.huizhi("trace", FIRST, "班级数").out
    assert any("非本单位报送" in str(query.personal) for query in office.app.store.staff_queries())
    assert "缺报" in remarks(office)
    before = rows(office)
    assert office.huizhi("rebuild").code == 0
    assert rows(office) == before
    # The unit's own comes after all, under a number of its own.
    office.ingest(office.reply(FIRST, office.filled(FIRST)), received="2026-12-14T10:00:00+08:00")
    assert [one.number for one in office.app.store.submissions("2026Q4", [FIRST])] == [2]
