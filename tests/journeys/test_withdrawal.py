"""2026Q4 day by day over real mail, with a withdrawal from the county that goes up through city and province.

Every level reviews and reports by its 审核员. The city returns what the county reported, first without its 沟通确认, which is
refused, then with it, and the county reports again by its date; later the county asks to withdraw. The city has reported and so has the
province, so the ministry's return is recorded first, and the data come down and go up again one level at a time.
"""

from __future__ import annotations

import datetime as dt
import io
from typing import TYPE_CHECKING

import openpyxl

from tests.journeys import clerks
from tests.journeys.world import (
    CITY,
    CITY_SCHOOL,
    COUNTY,
    FIRST,
    PROVINCE,
    UNITS,
    Mail,
    World,
    administrator,
    buckets,
    ends,
    letter,
    moment,
    person,
    reviewer,
    small_roster,
    without,
)
from workflow.adapters.store import tables
from workflow.domain.campaign import SHANGHAI
from workflow.domain.lifecycle import CaseState, PackageState
from workflow.domain.roster import Role

if TYPE_CHECKING:
    from workflow.process.situation import Outcome

BRANCH = (PROVINCE, CITY, COUNTY, FIRST, CITY_SCHOOL)
PRIVATE = "shenhe@geren.test"
REASON = "申请撤报：中原区第一小学班级数填报有误，须更正后重新上报。"
LOCKED = "自身已上报，须先由其上一级退回"


class Calendar:
    """The quarter's days: each begins with a poll, what the calendar owes, and the post."""

    def __init__(self, world: World) -> None:
        self.world = world

    def until(self, text: str) -> None:
        """Live day by day up to a moment."""
        wanted = moment(text)
        day = self.world.now.date() + dt.timedelta(days=1)
        while day <= wanted.date():
            morning = dt.datetime.combine(day, dt.time(9, 0), SHANGHAI)
            if morning < wanted:
                self.world.at(morning)
                self.turn()
            day += dt.timedelta(days=1)
        self.world.at(wanted)

    def turn(self) -> list[Outcome]:
        """One pass of the program: poll, tick, send."""
        outcomes = self.world.poll()
        self.world.app.tick()
        self.world.send()
        return outcomes

    def post(self, raw: bytes) -> list[Outcome]:
        self.world.post(raw)
        return self.turn()

    def decide(self, level: str, kind: str = "review_request", *, report: bool = True) -> list[Outcome]:
        return self.post(self.world.decide(level, kind, report=report))

    def answer(
        self, level: str, below: str, verdict: str, kind: str, **typed: str | dt.datetime | dt.date
    ) -> list[Outcome]:
        """The reviewer's answer on the level below, in the workbook that came with a letter; `typed` are further columns."""
        asked = self.world.newest(level, kind)
        book = openpyxl.load_workbook(io.BytesIO(asked.workbook))
        sheet = book["下级上报"]
        head, columns = clerks.headings(sheet, "单位代码", "审核结论", *typed)
        rows = {str(sheet.cell(n, columns["单位代码"]).value): n for n in range(head + 1, sheet.max_row + 1)}
        for heading, words in {"审核结论": verdict, **typed}.items():
            sheet.cell(rows[below], columns[heading]).value = words
        saved = io.BytesIO()
        book.save(saved)
        said = {"In-Reply-To": asked.message_id}
        name = next(iter(asked.files))
        subject = f"回复：{asked.subject}"
        files = [(name, saved.getvalue())]
        return self.post(
            letter(reviewer(level), self.world.address, subject, "见附件。", files, headers=said)
        )

    def withdraw(self, level: str) -> list[Outcome]:
        return self.post(letter(reviewer(level), self.world.address, "撤报", REASON))

    def states(self) -> dict[str, PackageState]:
        return {package.unit: package.state for package in self.world.app.store.packages("2026Q4")}


def rows(world: World) -> dict[str, list[str]]:
    with world.app.store.reading() as connection:
        return {
            table.name: sorted(repr(tuple(row)) for row in connection.execute(table.select()))
            for table in (*tables.PROJECTIONS, tables.events)
        }


def test_a_quarter_day_by_day_with_a_withdrawal_through_city_and_province(world: World) -> None:
    days = Calendar(world)
    world.import_roster(without(small_roster(), *(u.code for u in UNITS if u.code not in BRANCH)))
    world.open()
    world.send()

    days.until("12-12 10:00")
    for unit in BRANCH:
        world.post(world.reply(unit, world.filled(unit)))
    assert ends(days.turn()) == ["accepted"] * len(BRANCH)

    _reported_level_by_level(days)
    _asked_back_level_by_level(days)
    _corrected_and_reported_again(days)
    _nothing_is_lost(world)


def _reported_level_by_level(days: Calendar) -> None:
    world = days.world
    days.until("01-02 10:00")
    days.decide(COUNTY)
    assert days.states()[COUNTY] is PackageState.REPORTED

    _returned_after_a_talk(days)
    days.until("01-08 10:00")
    asked = world.newest(CITY, "review_request")
    book = clerks.review(asked.workbook, {}, report=True)
    named = [(next(iter(asked.files)), book)]
    held = days.post(letter(PRIVATE, world.address, f"回复：{asked.subject}", "审核意见见附件。", named))
    assert buckets(held) == ["review"]
    assert days.states()[CITY] is PackageState.OPEN  # nobody registered this address: held until confirmed
    confirm = world.newest(CITY, "decision_confirm")
    assert confirm.to == reviewer(CITY)
    said = {"In-Reply-To": confirm.message_id}
    days.post(letter(reviewer(CITY), world.address, f"回复：{confirm.subject}", "确认", headers=said))
    assert days.states() == {
        COUNTY: PackageState.ACCEPTED, CITY: PackageState.REPORTED, PROVINCE: PackageState.OPEN,
    }  # fmt: skip

    days.until("01-12 10:00")
    days.decide(PROVINCE)
    assert days.states() == {
        COUNTY: PackageState.ACCEPTED, CITY: PackageState.ACCEPTED, PROVINCE: PackageState.REPORTED,
    }  # fmt: skip
    assert not any(package.auto for package in world.app.store.packages("2026Q4"))


def _returned_after_a_talk(days: Calendar) -> None:
    """Article 20: the city returns the county's report on objection, and the county reports again by the date."""
    world = days.world
    days.until("01-06 10:00")
    objection = "第一小学班级数与学籍系统不符，请核实"
    days.answer(CITY, COUNTY, "退回", "review_request", 审核意见=objection)
    assert "请填写沟通对象、沟通时间" in world.newest(CITY, "review_result").text
    assert days.states()[COUNTY] is PackageState.REPORTED

    world.at("01-06 11:00")
    talk = {
        "沟通对象": "示例联系人",
        "沟通时间": moment("01-06 10:30").replace(tzinfo=None),  # as a spreadsheet keeps it
        "限期": dt.date(2027, 1, 7),
    }
    days.answer(CITY, COUNTY, "退回", "review_request", 审核意见=objection, **talk)
    assert days.states()[COUNTY] is PackageState.RETURNED
    told = world.newest(COUNTY, "package_returned")
    assert told.to == reviewer(COUNTY)
    assert "2027年1月6日10:30与示例联系人沟通确认" in told.text
    assert objection in told.text
    assert "1月7日" in told.text

    books = len(world.app.store.letters("2026Q4", CITY))
    days.until("01-07 10:00")
    days.decide(COUNTY)
    assert days.states()[COUNTY] is PackageState.REPORTED, world.newest(COUNTY, "review_result").text
    kinds = [row.kind for row in world.app.store.letters("2026Q4", CITY)[books:]]
    assert (
        "review_request" in kinds
    )  # the county's row in the city's workbook says no longer how things stand
    assert "新的汇总表随后发送" in world.newest(COUNTY, "report_received").text


def _asked_back_level_by_level(days: Calendar) -> None:
    world = days.world
    days.until("01-13 09:10")
    assert buckets(days.withdraw(COUNTY)) == ["withdrawal"]
    told = world.newest(CITY, "withdrawal_request")
    assert "不能直接同意撤报" in told.text
    days.answer(CITY, COUNTY, "同意撤报", "withdrawal_request")
    assert LOCKED in world.newest(CITY, "review_result").text
    assert days.states()[COUNTY] is PackageState.WITHDRAWAL_REQUESTED

    world.at("01-13 09:30")
    days.withdraw(CITY)
    days.answer(PROVINCE, CITY, "同意撤报", "withdrawal_request")
    assert LOCKED in world.newest(PROVINCE, "review_result").text

    world.at("01-13 10:00")
    who = ("--by", person(PROVINCE, Role.REVIEWER), "--note", "教育部同意退回更正（电话记录）")
    assert world.huizhi("return", PROVINCE, "--package", *who).code == 0
    days.turn()
    assert days.states()[PROVINCE] is PackageState.RETURNED

    days.answer(PROVINCE, CITY, "同意撤报", "review_request")
    assert days.states()[CITY] is PackageState.RETURNED
    world.at("01-13 11:00")
    days.answer(CITY, COUNTY, "同意撤报", "review_request")
    assert days.states()[COUNTY] is PackageState.RETURNED
    assert "同意" in world.newest(COUNTY, "withdrawal_result").text


def _corrected_and_reported_again(days: Calendar) -> None:
    world = days.world
    days.until("01-14 10:00")
    form = world.form_of(FIRST)
    number = clerks.plain_number(form)
    right = dict(world.answers(FIRST))
    right[number] += 1  # type: ignore[operator]
    assert ends(days.post(world.reply(FIRST, world.filled(FIRST, right)))) == ["accepted"]
    states = {case.unit: case.state for case in world.app.store.cases("2026Q4")}
    assert states[FIRST] is CaseState.SUBMITTED

    for level, when in ((COUNTY, "01-14 11:00"), (CITY, "01-14 15:00"), (PROVINCE, "01-15 10:00")):
        days.until(when)
        days.decide(level)
        assert days.states()[level] is PackageState.REPORTED, world.newest(level, "review_result").text
    days.until("01-16 09:30")
    packages = {package.unit: package for package in world.app.store.packages("2026Q4")}
    assert {unit: (package.version, package.auto) for unit, package in packages.items()} == {
        PROVINCE: (2, False), CITY: (2, False), COUNTY: (3, False),
    }  # fmt: skip
    made = world.app.store.book("2026Q4", PROVINCE)
    newest = world.app.store.submissions("2026Q4", [FIRST])[-1]
    assert made is not None
    assert (newest.number, newest.approved) == (2, True)
    stood = world.app.store.standings("2026Q4", [FIRST])[FIRST, form.id]
    assert (stood.submission, stood.origin.value) == (newest.id, "approved")


def _nothing_is_lost(world: World) -> None:
    status = world.status()
    mail = status["mail"]
    kept = list((world.folder / "mailbox").rglob("*.eml"))
    assert mail["received"] == sum(mail["buckets"].values()) == len(kept)
    assert set(mail["buckets"]) == {"submission", "review", "withdrawal"}
    assert (mail["queued"], mail["failed"]) == (0, 0)
    assert sum(status["origins"].values()) == len(BRANCH)
    everybody = {administrator(unit) for unit in BRANCH} | {reviewer(u) for u in (PROVINCE, CITY, COUNTY)}
    sent = [Mail(raw) for raw in world.servers.messages("units")]
    assert {one.to for one in sent} <= everybody
    assert len(sent) == mail["sent"]

    assert world.huizhi("ledger", "verify").code == 0
    before = rows(world)
    assert world.huizhi("ledger", "export", world.folder.parent / "copy").code == 0
    world.close()
    for name in ("state.db", "state.db-wal", "state.db-shm"):
        (world.folder / name).unlink(missing_ok=True)
    ran = world.huizhi("rebuild", world.folder.parent / "copy")
    assert ran.code == 0, ran.err
    assert rows(world) == before
    assert world.huizhi("ledger", "verify").code == 0
