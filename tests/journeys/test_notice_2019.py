"""The notice 教科技函〔2019〕534号 as a campaign: receipts by 8 November, accounts by the 15th, filling done at the end of the month,
which is a date to chase, and the first windows from 1 to 15 January. The people and the group's number are invented.
"""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tests.journeys.test_accounts import ministry_list
from tests.journeys.test_command_line import Office, refused
from tests.journeys.world import CITY, COUNTY, DIRECT, FIRST, PROVINCE, SECOND, UNIVERSITY, Mail
from workflow.domain.campaign import SHANGHAI, OwnDays
from workflow.domain.lifecycle import PackageState
from workflow.process.earlier import earlier_data
from workflow.process.gather import require_campaign

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOTICE = """
[campaign.2019]
name = "2019年二期系统首次填报"
opens = 2019-11-01
due = 2019-11-30
receipt_due = 2019-11-08
auto_report = true
remarks = ["加入管理员群。请于11月8日前加入二期系统管理员群（QQ群号：100000000），申请时备注所在单位及姓名。"]
[campaign.2019.windows]
county = [2020-01-01, 2020-01-05]
direct_county = [2020-01-01, 2020-01-05]
city = [2020-01-06, 2020-01-10]
university = [2020-01-06, 2020-01-10]
province = [2020-01-11, 2020-01-15]
ministry_university = [2020-01-11, 2020-01-15]
"""


def day(month: int, of_month: int, hour: int = 10, year: int = 2019) -> dt.datetime:
    return dt.datetime(year, month, of_month, hour, tzinfo=SHANGHAI)


class Bureau(Office):
    """The office that sent the notice."""

    def inbox(self, to: str = "") -> list[Mail]:
        rows = self.app.store.letters("2019")
        found = [Mail(self.app.files.letter(row.sha)) for row in rows]
        return [mail for mail in found if not to or mail.to == to]

    def due(self, when: dt.datetime) -> list[str]:
        """What the calendar does at a moment."""
        self.at(when)
        return [f"{one.owed.value} {one.package}".strip() for one in self.app.tick().done]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Bureau]:
    nowhere: Any = SimpleNamespace(imap_port=1, smtp_port=1)
    office = Bureau(
        tmp_path / "workspace", nowhere, {}, settings={"imap.password_env": '""', "reader.workers": "1"}
    )
    path = office.folder / "config.toml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("\n[reader]", f"{NOTICE}\n[reader]"), encoding="utf-8"
    )
    office.at(day(11, 1, 9))
    office.import_roster()
    yield office
    office.close()


def test_the_notice_is_played_from_the_receipts_to_the_first_windows(office: Bureau) -> None:
    # 1 November: the notice goes out
    assert office.huizhi("open", "2019").code == 0
    asked = office.newest(FIRST, "notice", "2019")
    assert "请于2019年11月30日24时前填写所附工作簿" in asked.text
    assert "QQ群号：100000000" in asked.text
    assert "于2020年1月1日至5日审核上报" in asked.text
    assert {unit for unit in (CITY, DIRECT, UNIVERSITY, COUNTY, FIRST) if receipt(office, unit)} == {
        CITY, DIRECT, UNIVERSITY,
    }  # fmt: skip

    # by 8 November: the receipts, chased three working days before and on the working day after
    assert office.due(day(11, 6)) == ["receipt_reminder"]
    assert office.due(day(11, 11)) == ["receipt_reminder"]
    assert office.newest(CITY, "receipt_reminder", "2019").subject

    # by 15 November: the accounts that the province hands on
    office.at(day(11, 12))
    path = office.folder.parent / "清单.xlsx"
    path.write_bytes(ministry_list())
    assert office.huizhi("accounts", "import", path).code in {0, 1}
    assert office.huizhi("accounts", "status").code in {0, 1}

    # end of November: a date to chase, and nothing more
    filled = office.filled(FIRST, campaign="2019")
    taken = office.ingest(office.reply(FIRST, filled, campaign="2019"), received="2019-11-20T10:00:00+08:00")
    assert '"outcome": "accepted"' in taken.out
    chased = [what for when in (day(11, 21), day(11, 29)) for what in office.due(when)]
    assert set(chased) == {"reminder", "phone_list"}
    assert "auto_report" not in " ".join(office.due(day(12, 2)))
    assert {package.state for package in office.app.store.packages("2019")} == {PackageState.OPEN}
    status = office.huizhi("status", "--json").json
    assert (status["cases"]["submitted"], len(status["late"])) == (1, 14)
    late = office.ingest(
        office.reply(SECOND, office.filled(SECOND, campaign="2019"), campaign="2019"),
        received="2019-12-03T10:00:00+08:00",
    )
    assert '"outcome": "accepted"' in late.out

    # 1 to 15 January: the first windows (article 18)
    assert f"review_request {COUNTY}" in office.due(day(1, 2, year=2020))
    reported = [what for when in (6, 11, 16) for what in office.due(day(1, when, 13, year=2020))]
    assert [what for what in reported if what.startswith("auto_report")] == [
        f"auto_report {unit}" for unit in (COUNTY, DIRECT, CITY, UNIVERSITY, PROVINCE)
    ]
    assert all(package.locked for package in office.app.store.packages("2019"))

    # the quarters go on from it
    office.at(day(3, 20, year=2020))
    assert office.huizhi("open", "2020Q1").code == 0
    earlier = earlier_data(office.app.store, require_campaign(office.app.store), office.app.forms())
    assert {unit for unit, _ in earlier} == {FIRST, SECOND}


def receipt(office: Bureau, unit: str) -> bool:
    return any("回执表" in name for name in office.newest(unit, "notice", "2019").files)


def test_a_campaign_keeps_the_days_with_which_it_was_opened(office: Bureau) -> None:
    office.open("2019")
    campaign = require_campaign(office.app.store)
    assert isinstance(campaign.period, OwnDays)
    assert (campaign.period.last_day, campaign.receipt_due) == (dt.date(2019, 11, 30), dt.date(2019, 11, 8))
    assert campaign.remarks[0].startswith("加入管理员群")
    windows = {
        level.value: campaign.period.review_day(first) for level, (first, _) in campaign.windows.items()
    }
    assert windows["county"] == dt.date(2020, 1, 1)
    assert windows["province"] == dt.date(2020, 1, 11)
    rows = office.app.store.campaigns()
    office.close()
    assert office.huizhi("rebuild").code == 0
    assert office.app.store.campaigns() == rows


def test_a_campaign_that_nobody_has_set_or_that_is_not_open_yet_is_refused(office: Bureau) -> None:
    refused(
        office.huizhi("open", "2018"),
        "不是季度代号，也没有在 config.toml 中设置；请写成 2026Q4 的样子，或者是 2019 之一",
    )
    office.at(day(10, 20))
    refused(
        office.huizhi("open", "2019"),
        "填报期远未开始；请核对 config.toml 的 .campaign.2019. opens，最早 2019-11-01 开启",
    )
    office.at(day(1, 20, year=2020))
    refused(office.huizhi("open", "2019"), "审核上报时间已经过去")


def test_all_that_is_wrong_with_a_campaigns_settings_is_told_at_once(office: Bureau) -> None:
    path = office.folder / "config.toml"
    text = path.read_text(encoding="utf-8")
    bad = text.replace("\ndue = 2019-11-30", "\ndue = 2019-10-30").replace(
        "\ncounty = [2020-01-01,", "\ncounty = [2020-01-08,"
    )
    path.write_text(f"{bad}\n[campaign.2020Q1]\ndue = 2020-03-31\nforms = '../x'\n", encoding="utf-8")
    office.close()
    said = office.huizhi("status")
    refused(
        said,
        "2019.windows 第[0-9]+行：county 的起始日不能晚于截止日",
        "2020Q1.forms 第[0-9]+行：应为 templates/forms 下一个子目录的名称",
    )
    path.write_text(
        f"{bad}\n[campaign.2020Q1]\ndue = 2020-03-31\n".replace("2020-01-08", "2020-01-01"), encoding="utf-8"
    )
    refused(office.huizhi("status"), "2019.*opens 不能晚于 due")
    path.write_text(f"{text}\n[campaign.2020Q1]\ndue = 2020-03-31\n", encoding="utf-8")
    refused(office.huizhi("status"), "2020Q1 是季度，日期由季度确定")
