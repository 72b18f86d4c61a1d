"""Schools and departments write about the roster: a move, 暂停招生 and what is wrong with it, from the mail to the rates."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tests.adapters.store import story
from tests.journeys import clerks
from tests.journeys.test_four_quarters import play
from tests.journeys.world import (
    CITY,
    COUNTY,
    DIRECT,
    FIRST,
    PROVINCE,
    SECOND,
    THIRD,
    UNITS,
    Mail,
    Ran,
    World,
    administrator,
    letter,
    person,
)
from workflow.domain.campaign import SHANGHAI, midnight
from workflow.domain.roster import Role
from workflow.process.consolidate import pictures
from workflow.process.gather import earlier_data, require_campaign, require_roster

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

NOTICE = "notice"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[World]:
    nowhere: Any = SimpleNamespace(imap_port=1, smtp_port=1)
    settings = {"imap.password_env": '""', "reader.workers": "1"}
    office = World(tmp_path / "workspace", nowhere, {}, settings=settings)
    office.at(moment(11, 2))
    office.import_roster()
    yield office
    office.close()


def moment(month: int, day: int, hour: int = 9) -> dt.datetime:
    return dt.datetime(2026 if month > 2 else 2027, month, day, hour, tzinfo=SHANGHAI)


def queued(office: World, unit: str, kind: str, to: str = "") -> Mail:
    """The last letter of a kind about a unit, as it lies in the outbox."""
    rows = [
        row for row in office.app.store.letters(require_campaign(office.app.store).id, unit)
        if row.kind == kind and to in row.to
    ]  # fmt: skip
    assert rows, (unit, kind, office.kinds(unit))
    return Mail(office.app.files.letter(rows[-1].sha))


def write(
    office: World, sender: str, words: str, asked: Mail, files: Sequence[tuple[str, bytes]] = ()
) -> Ran:
    """A reply to a letter of ours, with our words quoted below, taken in at the world's time."""
    quoted = f"{words}\n\n------------------ 原始邮件 ------------------\n{asked.text}"
    raw = letter(
        sender, office.address, f"回复：{asked.subject}", quoted, files, {"In-Reply-To": asked.message_id}
    )
    path = office.folder / "came.eml"
    path.write_bytes(raw)
    ran = office.huizhi("ingest", path, "--received", office.now.isoformat())
    assert ran.code in {0, 1}, ran.err
    return ran


def members(office: World, level: str) -> set[str]:
    """The units that a level's consolidated workbook counts."""
    store = office.app.store
    campaign = require_campaign(store)
    roster = require_roster(store, campaign)
    [seen] = pictures(store, roster, campaign, office.app.forms(campaign), [roster.units[level]])
    return {one.unit for one in seen.standings.values() if roster.package_of(one.unit).code == level}


def tick(office: World, when: dt.datetime) -> None:
    office.at(when)
    assert office.huizhi("tick").code == 0


def test_a_school_asks_by_mail_and_stands_under_its_new_superior_when_the_common_one_has_answered(
    office: World,
) -> None:
    office.open()
    asks = "我校已迁址，申请变更隶属关系，应隶属" + next(u.name for u in UNITS if u.code == DIRECT)
    assert write(office, administrator(FIRST), asks, queued(office, FIRST, NOTICE)).code == 0
    tick(office, moment(11, 2, 10))
    question = queued(office, FIRST, "affiliation_request")
    assert question.to == administrator(PROVINCE)
    assert FIRST in members(office, COUNTY)
    # Neither side may answer in the common superior's place, and our own words below the reply decide nothing.
    write(office, administrator(COUNTY), "同意", question)
    write(office, administrator(PROVINCE), "收到。", question)
    assert FIRST in members(office, COUNTY)
    office.at(moment(11, 3))
    write(office, administrator(PROVINCE), "同意变更。", question)
    assert (FIRST in members(office, COUNTY), FIRST in members(office, DIRECT)) == (False, True)
    tick(office, moment(11, 3, 10))
    for side in (FIRST, COUNTY, DIRECT):
        told = queued(office, FIRST, "affiliation_result", administrator(side))
        assert "自2026年11月3日起生效" in told.text
    assert office.status()["mail"]["buckets"] == {"request": 4}
    before = office.app.store.roster(dt.date(2026, 11, 2))
    assert before is not None
    assert before.units[FIRST].superior == COUNTY
    rows = story.rows(office.app.store)
    office.close()
    assert office.huizhi("rebuild").code == 0
    assert story.rows(office.app.store) == rows


def test_a_move_between_two_quarters_leaves_the_old_one_as_it_was_and_takes_the_data_along(
    office: World,
) -> None:
    office.at(moment(8, 1))
    play(office, "2026Q3")
    assert FIRST in members(office, COUNTY)
    office.at(moment(10, 22))
    by = person(FIRST, Role.ADMINISTRATOR)
    decides = person(PROVINCE, Role.ADMINISTRATOR)
    assert office.huizhi("affiliation", "request", FIRST, "--to", DIRECT, "--by", by).code == 0
    assert office.huizhi("affiliation", "decide", FIRST, "--by", decides).code == 0
    assert FIRST in members(office, COUNTY)  # the quarter that was reported
    office.at(moment(11, 2))
    office.open()
    assert (FIRST in members(office, COUNTY), FIRST in members(office, DIRECT)) == (False, True)
    store = office.app.store
    (data,) = earlier_data(store, require_campaign(store), office.app.forms(), [FIRST]).values()
    assert data.standing.submission.startswith(f"2026Q3/{FIRST}/")


def test_a_school_marks_itself_in_words_and_in_its_workbook_and_the_rates_follow(office: World) -> None:
    office.open()
    asked = sum(office.status()["cases"].values())
    write(office, administrator(SECOND), "我校本学年暂停招生。", queued(office, SECOND, NOTICE))
    assert sum(office.status()["cases"].values()) == asked - 1
    assert "此后不再要求填报" in queued(office, SECOND, "suspension").text
    assert SECOND not in members(office, COUNTY)
    office.at(moment(11, 3))
    write(office, administrator(SECOND), "我校已恢复招生", queued(office, SECOND, "suspension"))
    assert SECOND in members(office, COUNTY)
    # THIRD says so in the cell of its workbook: it has sent data and is counted this quarter, and not asked in the next.
    notice = queued(office, THIRD, NOTICE)
    form = office.form_of(THIRD)
    answers = {**office.answers(THIRD), "暂停招生": True}
    book = clerks.fill(notice.workbook, form, answers)
    ran = write(office, administrator(THIRD), "已填好。", notice, [("填报.xlsx", book)])
    assert "accepted" in ran.out or ran.code == 0
    assert THIRD in members(office, COUNTY)
    assert "本期仍计入应报单位" in queued(office, THIRD, "suspension").text
    roster = office.app.store.roster()
    assert roster is not None
    assert [code for code, unit in roster.units.items() if unit.suspended] == [THIRD]


def test_a_problem_is_reported_answered_and_closed_and_the_totals_hold(office: World) -> None:
    office.open()
    office.at(moment(11, 3))
    ran = write(office, administrator(FIRST), "我校一直没有收到账号，请核实。", queued(office, FIRST, NOTICE))
    assert ran.code == 0
    assert "已受理，编为第1号" in queued(office, FIRST, "problem_result").text
    tick(office, moment(11, 3, 10))
    assert queued(office, COUNTY, "problem_report").to == administrator(COUNTY)
    shown = office.huizhi("problem", "list")
    assert (shown.code, shown.lines[-1]) == (1, "未办结的名册问题 1 项")
    assert "我校一直没有收到账号" in office.huizhi("problem", "show", "1").out
    refused = office.huizhi("problem", "close", "1", "--by", person(CITY, Role.INSPECTOR), "--note", "已发")
    assert (refused.code, "不是登记的办理人员" in refused.err) == (2, True)
    office.at(midnight(dt.date(2026, 11, 11)))
    assert "其中逾期 1 项" in office.huizhi("problem", "list").out
    status = office.status()
    assert status["problems"] == {"reported": 1, "open": 1, "overdue": 1, "closed": 0}
    assert status["mail"]["received"] == sum(status["mail"]["buckets"].values())
    assert any("逾期没有办结" in matter for matter in status["staff"])
    who = person(COUNTY, Role.ADMINISTRATOR)
    assert office.huizhi("problem", "close", "1", "--by", who, "--note", "账号已发放").code == 0
    tick(office, moment(11, 11))
    assert "处理结果。账号已发放。" in queued(office, FIRST, "problem_result").text
    assert office.huizhi("problem", "list").code == 0
    rows = story.rows(office.app.store)
    office.close()
    assert office.huizhi("rebuild").code == 0
    assert story.rows(office.app.store) == rows
