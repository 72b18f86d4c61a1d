"""What waits for a person: staff see what and why, release it as a unit's, or delete it, each with a record."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tests.adapters.workbook.damage import zipped
from tests.journeys.test_bad_input import bomb, unrelated, with_macro
from tests.journeys.test_command_line import Office
from tests.journeys.test_returned_workbooks import changed, pasted
from tests.journeys.world import COUNTY, FIRST, PROVINCE, SECOND, Ran, administrator, letter, person
from workflow.adapters.store import tables
from workflow.domain.roster import Role

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOME = "home@example.org"
STAFF = person(PROVINCE, Role.ADMINISTRATOR)


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


def sha(ran: Ran) -> str:
    [line] = ran.lines
    found: str = json.loads(line)["sha256"]
    return found


def settle(
    office: Office, act: str, known: str, *more: object, by: str = STAFF, note: str = "已电话核实"
) -> Ran:
    return office.huizhi("quarantine", act, known, "--by", by, "--note", note, *more)


def ends(office: Office, known: str) -> list[tuple[str, str]]:
    return [(row.outcome.value, row.unit) for row in office.app.store.attachments_of([known])[known]]


def rows(office: Office) -> dict[str, list[Any]]:
    with office.app.store.reading() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(table.select())]
            for table in tables.PROJECTIONS
        }


def moved(office: Office, unit: str) -> bytes:
    return changed(office.filled(unit), pasted)


def test_a_copy_from_a_private_address_is_shown_and_released_as_its_units(office: Office) -> None:
    raw = office.reply(FIRST, ("季报.xlsx", moved(office, FIRST)), sender=HOME, text="\x1b[31m我在家里填的")
    known = sha(office.ingest(raw))
    listed = office.huizhi("quarantine", "list")
    assert (listed.code, listed.lines[-1]) == (1, "待处置 1 封")
    assert known[:12] in listed.lines[0]
    assert "待人工核对" in listed.lines[0]
    assert re.search(r"季报\.xlsx\t未采用：.*发件地址又未登记", listed.lines[1])
    shown = office.huizhi("quarantine", "show", known[:8]).out
    assert f"发件 {HOME}" in shown
    assert "| [31m我在家里填的" in shown
    assert "\x1b" not in shown

    done = settle(office, "release", known[:8])
    assert (done.code, done.lines) == (0, [f"已放行，按 {FIRST} 的来件办理：季报.xlsx 已接收"])
    assert ends(office, known) == [("accepted", FIRST)]
    [version] = office.app.store.submissions("2026Q4", [FIRST])
    assert not version.unregistered
    assert office.newest(FIRST, "acknowledgement").to == administrator(FIRST)
    assert not office.inbox(HOME)

    status = office.status()["mail"]
    assert (status["received"], status["buckets"]) == (1, {"submission": 1})
    assert office.huizhi("quarantine", "list").lines == ["待处置 0 封"]
    assert (
        f"{STAFF} 放行，按 {FIRST} 的来件办理，理由：已电话核实"
        in office.huizhi("quarantine", "list", "--all").out
    )
    assert office.huizhi("ledger", "verify").code == 0
    before = rows(office)
    assert office.huizhi("rebuild").code == 0
    assert rows(office) == before


def test_a_form_without_any_token_is_released_for_the_unit_that_staff_name(office: Office) -> None:
    raw = letter(
        administrator(COUNTY),
        office.address,
        "转一个学校的表",
        "见附件",
        [("表.xlsx", without_token(office))],
    )
    known = sha(office.ingest(raw))
    assert ends(office, known) == [("foreign", "")]
    assert settle(office, "release", known, "--unit", FIRST).code == 0
    assert ends(office, known) == [("accepted", FIRST)]


def without_token(office: Office) -> bytes:
    token = office.app.store.cases("2026Q4", [FIRST])[0].token

    def change(book: Any) -> None:
        pasted(book)
        for sheet in book:
            for row in sheet.iter_rows():
                for cell in row:
                    if isinstance(cell.value, str) and token in cell.value:
                        cell.value = None

    return changed(office.filled(FIRST), change)


def test_a_workbook_with_macros_is_read_once_staff_have_looked_at_it(office: Office) -> None:
    good = office.filled(SECOND)
    archive = zipped({"二小.xlsx": good, "一小.xlsm": with_macro(office.filled(FIRST))})
    known = sha(office.ingest(office.reply(COUNTY, ("各校.zip", archive))))
    assert ends(office, known) == [("ignored", ""), ("accepted", SECOND), ("macro", "")]
    assert "含宏" in office.huizhi("quarantine", "list").out
    assert settle(office, "release", known, "--unit", FIRST).code == 0
    assert ends(office, known) == [("ignored", ""), ("accepted", SECOND), ("accepted", FIRST)]
    assert [len(office.app.store.submissions("2026Q4", [unit])) for unit in (FIRST, SECOND)] == [1, 1]


def test_a_hostile_file_is_never_released_and_once_deleted_stays_gone(office: Office) -> None:
    raw = office.reply(FIRST, ("表.xlsx", bomb(office.filled(FIRST))))
    known = sha(office.ingest(raw))
    refused = settle(office, "release", known)
    assert (refused.code, len(refused.faults)) == (2, 1)
    assert "请该单位重新报送" in refused.err
    place = office.app.files.mail_path(known)
    assert place.is_file()
    assert settle(office, "delete", known, note="疑似恶意文件").code == 0
    assert not place.exists()
    office.ingest(raw)  # the mail server has it still
    assert not place.exists()
    verified = office.huizhi("ledger", "verify")
    assert verified.code == 0
    assert "另有 1 封已由工作人员删除" in verified.out
    assert "原件 已删除" in office.huizhi("quarantine", "show", known).out
    before = rows(office)
    assert office.huizhi("rebuild").code == 0
    assert rows(office) == before
    assert office.status()["mail"]["received"] == 1


def test_words_from_a_private_address_count_once_released(office: Office) -> None:
    known = sha(office.ingest(letter(HOME, office.address, "报送", "本季度无变化")))
    refused = settle(office, "release", known)
    assert (refused.code, "请用 --unit" in refused.err) == (2, True)
    assert settle(office, "release", known, "--unit", FIRST).code == 0
    assert office.status()["mail"]["buckets"] == {"confirmation": 1}
    assert office.newest(FIRST, "no_change_refused").to == administrator(FIRST)


def test_an_older_file_never_takes_the_place_of_a_newer_one(office: Office) -> None:
    raw = office.reply(FIRST, moved(office, FIRST), sender=HOME)
    known = sha(office.ingest(raw, received="2026-12-12T10:00:00+08:00"))
    office.ingest(office.reply(FIRST, office.filled(FIRST)), received="2026-12-13T10:00:00+08:00")
    refused = settle(office, "release", known)
    assert (refused.code, "其后已报送第1次" in refused.err) == (2, True)
    assert len(office.app.store.submissions("2026Q4", [FIRST])) == 1


def test_what_was_held_for_its_address_counts_as_a_new_version(office: Office) -> None:
    office.ingest(office.reply(FIRST, office.filled(FIRST)), received="2026-12-12T10:00:00+08:00")
    other = office.filled(FIRST, office.answers(FIRST, seed=2))
    known = sha(office.ingest(office.reply(FIRST, other, sender=HOME), received="2026-12-13T10:00:00+08:00"))
    assert ends(office, known) == [("foreign", FIRST)]
    assert settle(office, "release", known).code == 0
    assert [one.number for one in office.app.store.submissions("2026Q4", [FIRST])] == [1, 2]


def test_a_file_of_another_unit_is_not_released_as_this_ones(office: Office) -> None:
    known = sha(office.ingest(office.reply(FIRST, moved(office, FIRST), sender=HOME)))
    refused = settle(office, "release", known, "--unit", SECOND)
    assert refused.code == 2
    assert office.app.store.submissions("2026Q4") == []
    assert office.huizhi("quarantine", "list").code == 1


def test_what_has_been_used_is_not_deleted(office: Office) -> None:
    files = [("好.xlsx", office.filled(FIRST)), ("别的.xlsx", unrelated())]
    known = sha(office.ingest(office.reply(FIRST, *files)))
    refused = settle(office, "delete", known)
    assert (refused.code, "已经采用" in refused.err) == (2, True)
    assert office.app.files.has_mail(known)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"by": "路人"}, "不是省级登记的人员"),
        ({"note": ""}, "没有写明理由"),
        ({"known": "ab"}, "没有这一封"),
        ({"known": "0" * 64}, "没有这一封"),
    ],
)
def test_what_cannot_be_settled_is_refused_in_one_line(
    office: Office, more: dict[str, str], said: str
) -> None:
    found = sha(office.ingest(letter(HOME, office.address, "咨询", "怎样填报？")))
    known = more.pop("known", found)
    for act in ("release", "delete"):
        refused = settle(office, act, known, **more)
        assert (refused.code, len(refused.faults)) == (2, 1)
        assert said in refused.err


def test_a_message_is_settled_once(office: Office) -> None:
    known = sha(office.ingest(letter(HOME, office.address, "广告", "便宜发票")))
    assert settle(office, "delete", known, note="广告").code == 0
    for act in ("release", "delete"):
        assert f"已由{STAFF}于" in settle(office, act, known).err
