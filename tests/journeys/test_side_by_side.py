"""A one-off collection beside the quarter: each answer, decision and date goes to the campaign that it is about."""

from __future__ import annotations

import datetime as dt
import io
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from tests.adapters.workbook.forms import PAGE, SETTINGS, by_openpyxl, tables
from tests.journeys import clerks
from tests.journeys.test_command_line import Office, refused
from tests.journeys.world import CITY, COUNTY, DIRECT, FIRST, FOURTH, PROVINCE, SECOND, UNIVERSITY, Mail
from workflow.demo.figures import plausible
from workflow.domain.campaign import SHANGHAI
from workflow.domain.lifecycle import CaseState, PackageState
from workflow.process.gather import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EXTRA = "2026专项"
SECTION = f"""
[campaign."{EXTRA}"]
name = "2026年网络安全专项"
opens = 2026-12-01
due = 2026-12-18
forms = "网络安全"

"""


class Bureau(Office):
    """The office with both campaigns open."""

    def inbox(self, to: str = "") -> list[Mail]:
        rows = [row for name in ("2026Q4", EXTRA) for row in self.app.store.letters(name)]
        found = [Mail(self.app.files.letter(row.sha)) for row in rows]
        return [mail for mail in found if not to or mail.to == to]

    def extra(self, unit: str) -> bytes:
        """The one-off's copy, filled in."""
        form = self.app.forms()["wangan"]
        given = {"学校名称": "某校", "在校生数": 400, "教师数": 30, "联系电话": "0371-55550000"}
        answers = plausible(form, 7, given, None, self.now.date())
        return clerks.fill(self.newest(unit, "notice", EXTRA).workbook, form, answers)

    def states(self, campaign: str) -> dict[str, CaseState]:
        return {case.unit: case.state for case in self.app.store.cases(campaign)}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Bureau]:
    nowhere: Any = SimpleNamespace(imap_port=1, smtp_port=1)
    office = Bureau(
        tmp_path / "workspace", nowhere, {}, settings={"imap.password_env": '""', "reader.workers": "1"}
    )
    path = office.folder / "config.toml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("\n[reader]", f"{SECTION}[reader]"), encoding="utf-8"
    )
    folder = office.folder / "templates" / "forms" / "网络安全"
    folder.mkdir()
    settings = {**SETTINGS, "表单标识": "wangan", "表单名称": "网络安全专项检查表", "适用单位类型": "中小学"}
    form = by_openpyxl({"检查": PAGE}, tables(settings=settings))
    (folder / "wangan.xlsx").write_bytes(form)
    office.at("12-10 09:00")
    office.import_roster()
    assert office.huizhi("open", "2026Q4").code == 0
    assert office.huizhi("open", EXTRA).code == 0, office.huizhi("open", EXTRA).err
    yield office
    office.close()


def test_only_those_are_asked_that_the_one_off_has_a_form_for(office: Bureau) -> None:
    assert [campaign.id for campaign in running(office.app.store)] == ["2026Q4", EXTRA]
    levels = {package.unit for package in office.app.store.packages(EXTRA)}
    assert levels == {PROVINCE, CITY, COUNTY, DIRECT}
    assert UNIVERSITY in {package.unit for package in office.app.store.packages("2026Q4")}
    notice = office.newest(FIRST, "notice", EXTRA)
    assert "2026年网络安全专项" in notice.subject
    assert "自动上报" not in notice.text
    assert "2026年12月18日24时前" in notice.text


def test_one_mail_may_answer_both_and_each_workbook_goes_to_its_own(office: Bureau) -> None:
    both = office.reply(FIRST, ("季报.xlsx", office.filled(FIRST)), ("专项.xlsx", office.extra(FIRST)))
    alone = office.reply(SECOND, ("专项.xlsx", office.extra(SECOND)), answering="")
    older = office.reply(FOURTH, office.filled(FOURTH))
    said = office.ingest(both, alone, older)
    assert said.out.count('"accepted"') == 4, said.out
    assert {unit for unit, state in office.states("2026Q4").items() if state is CaseState.SUBMITTED} == {
        FIRST,
        FOURTH,
    }
    assert {unit for unit, state in office.states(EXTRA).items() if state is CaseState.SUBMITTED} == {
        FIRST,
        SECOND,
    }
    thanks = [row.campaign for row in office.app.store.letters(EXTRA, FIRST) if row.kind == "acknowledgement"]
    assert thanks == [EXTRA]


def test_the_calendar_of_each_is_kept_and_only_the_quarter_goes_up_by_itself(office: Bureau) -> None:
    office.ingest(office.reply(FIRST, ("专项.xlsx", office.extra(FIRST)), answering=""))
    office.at("12-17 10:00")
    done = office.app.tick().done
    assert {due.owed.value for due in done} >= {"reminder"}
    assert office.app.store.letters(EXTRA, SECOND)[-1].kind == "reminder"
    office.at(dt.datetime(2027, 1, 16, 13, tzinfo=SHANGHAI))
    office.app.tick()
    assert all(package.locked for package in office.app.store.packages("2026Q4"))
    assert {package.state for package in office.app.store.packages(EXTRA)} == {PackageState.OPEN}
    late = office.ingest(
        office.reply(SECOND, ("专项.xlsx", office.extra(SECOND)), answering=""),
        received="2027-01-16T15:00:00+08:00",
    )
    assert '"accepted"' in late.out


def test_a_decision_says_which_campaign_it_is_in(office: Bureau) -> None:
    office.ingest(
        office.reply(FIRST, ("季报.xlsx", office.filled(FIRST)), ("专项.xlsx", office.extra(FIRST)))
    )
    by = "审0102"
    refused(office.huizhi("approve", FIRST, "--by", by), f"有2个任务正在进行：2026Q4、{EXTRA}")
    assert office.huizhi("approve", FIRST, "--by", by, "--campaign", EXTRA).code == 0
    assert office.states(EXTRA)[FIRST] is CaseState.APPROVED
    assert office.states("2026Q4")[FIRST] is CaseState.SUBMITTED
    assert office.huizhi("report", COUNTY, "--by", by, "--campaign", EXTRA).code == 0
    status = office.huizhi("status")
    assert "另有任务正在进行：2026Q4" in status.out


def test_each_has_its_consolidated_workbooks_and_a_reviewer_answers_with_either(office: Bureau) -> None:
    office.ingest(
        office.reply(FIRST, ("季报.xlsx", office.filled(FIRST)), ("专项.xlsx", office.extra(FIRST)))
    )
    assert office.huizhi("consolidate", "--unit", COUNTY).code == 0
    book = office.app.store.book("2026Q4", COUNTY)
    assert book is not None
    assert office.app.store.book(EXTRA, COUNTY) is not None
    sheet = openpyxl.load_workbook(io.BytesIO(office.app.files.outbox(book.path)))
    assert "2026年第四季度" in str(sheet.worksheets[0]["B2"].value)


def test_a_second_campaign_with_the_same_form_waits(office: Bureau) -> None:
    office.at("12-20 09:00")
    said = office.huizhi("open", "2027Q1")
    assert said.code == 2
    assert "使用同一表单的任务 2026Q4 还有" in said.err
