"""From the mail with a 回执表 to the new 审核员: the next letter goes to the new one, the former one's decision is refused."""

from __future__ import annotations

import datetime as dt
import io
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from tests.journeys import clerks
from tests.journeys.test_command_line import Office
from tests.journeys.test_receipts import ends, form, shown, typed
from tests.journeys.world import CITY, CITY_SCHOOL, COUNTY, administrator, letter, person, reviewer
from workflow.adapters.store import Cursor, tables
from workflow.demo.files import sealed_page
from workflow.domain.roster import Role

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORMER, NEW = reviewer(CITY), "new-review@school.test"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    nowhere: Any = SimpleNamespace(imap_port=1, smtp_port=1)
    office = Office(
        tmp_path / "workspace", nowhere, {}, settings={"imap.password_env": '""', "reader.workers": "1"}
    )
    office.import_roster()
    office.open(receipt_due=dt.date(2026, 12, 20))
    yield office
    office.close()


def renamed(office: Office, changed: str) -> bytes:
    """The city's electronic copy with a new 审核员; `changed` is 原负责人是否变动."""
    return typed(form(office, CITY), B6="新审", C6=changed, G6="19911112222", H6=NEW)


def rows(office: Office) -> dict[str, list[str]]:
    with office.app.store.reading() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(table.select()))) for table in tables.PROJECTIONS
        }


def reviewers(office: Office, day: str) -> str:
    lines = office.huizhi("roster", "show", "--on", day).lines
    line = next(one for one in lines if one.strip().startswith(CITY))
    return line.partition("审核员")[2].partition("、")[0]


def accepted(office: Office, changed: str = "是") -> None:
    mail = office.reply(
        CITY,
        ("回执表.xlsx", renamed(office, changed)),
        ("盖章.jpg", sealed_page(form(office, CITY))),
        text="回执表",
    )
    assert [end for _, end, _ in ends(office.ingest(mail))] == ["matched", "matched"]
    done = office.huizhi("receipt", "accept", CITY, "--by", "值班员")
    assert (done.code, "自 2026-12-10 起按回执表登记" in done.out) == (0, True), (done.out, done.err)


def decided(office: Office, sender: str) -> bytes:
    asked = office.newest(CITY, "review_request")
    book = clerks.review(asked.workbook, {}, report=False)
    name = next(iter(asked.files))
    said = {"In-Reply-To": asked.message_id}
    return letter(sender, office.address, f"回复：{asked.subject}", "审核意见见附件。", [(name, book)], said)


def test_a_new_reviewer_gets_the_next_letter_and_the_former_one_decides_no_more(office: Office) -> None:
    accepted(office)
    assert "已办结" in shown(office, CITY)
    assert (reviewers(office, "2026-12-09"), reviewers(office, "2026-12-10")) == (
        person(CITY, Role.REVIEWER), "新审",
    )  # fmt: skip
    office.ingest(office.reply(CITY_SCHOOL, office.filled(CITY_SCHOOL)))
    office.at("01-06 00:05")
    office.app.store.save_cursor("huizhi", "INBOX", Cursor(1, 0, office.now))
    office.huizhi("tick")
    assert office.newest(CITY, "review_request").to == NEW
    received = "2027-01-06T10:00:00+08:00"
    office.ingest(decided(office, FORMER), received=received)
    answers = [
        mail
        for mail in office.inbox()
        if "审核" in mail.subject and "不再是郑州市教育局登记的地址" in mail.text
    ]
    assert {mail.to for mail in answers} == {FORMER, NEW}
    assert "现登记的审核员邮箱为n" in answers[0].text
    case = office.app.store.cases("2026Q4", [CITY_SCHOOL])[0]
    assert case.state.value == "submitted"
    office.ingest(decided(office, NEW), received=received)
    case = office.app.store.cases("2026Q4", [CITY_SCHOOL])[0]
    assert case.state.value == "approved"


def test_the_rosters_file_read_again_does_not_undo_it_and_a_rebuild_gives_the_same_rows(
    office: Office,
) -> None:
    accepted(office)
    assert office.import_roster().code == 1
    assert reviewers(office, "2026-12-10") == "新审"
    before = rows(office)
    assert office.huizhi("rebuild").code == 0
    assert rows(office) == before
    assert office.huizhi("ledger", "verify").code == 0


def test_a_no_where_another_name_stands_is_said_to_unit_and_staff(office: Office) -> None:
    office.ingest(office.reply(CITY, ("回执表.xlsx", renamed(office, "否")), text="回执表"))
    said = f"审核员“原负责人是否变动”填“否”，姓名却与名册登记的（{person(CITY, Role.REVIEWER)}）不同"
    assert said in shown(office, CITY)
    answer = office.newest(CITY, "acknowledgement")
    assert said in answer.text
    assert "尚缺回执表扫描件" in answer.text


def test_each_level_s_directory_goes_to_its_own_administrator(office: Office) -> None:
    done = office.huizhi("contacts", "--send")
    assert done.code == 0, done.err
    mail = office.newest(COUNTY, "contacts")
    assert mail.to == administrator(COUNTY)
    sheet = openpyxl.load_workbook(io.BytesIO(mail.workbook)).worksheets[0]
    words = [str(cell) for row in sheet.iter_rows(values_only=True) for cell in row if cell]
    assert "柳沟教学点" in words
    assert reviewer(CITY) not in words
    assert office.huizhi("contacts", "--unit", COUNTY, "--send").out.endswith("已列入发信 0 封\n")
    assert office.huizhi("contacts", "--unit", CITY_SCHOOL).code == 2
