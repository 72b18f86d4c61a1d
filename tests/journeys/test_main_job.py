"""The whole fourth quarter of 2026, played once on each database: what every person did, and what came of it."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import io
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from tests.journeys import clerks
from tests.journeys.world import (
    CITY,
    CITY_SCHOOL,
    COUNTY,
    DIRECT,
    DIRECT_SCHOOL,
    FIFTH,
    FIRST,
    FOURTH,
    POINT,
    PROVINCE,
    PROVINCIAL_VOCATIONAL,
    SECOND,
    THIRD,
    UNITS,
    UNIVERSITY,
    VOCATIONAL,
    Mail,
    World,
    administrator,
    attachments,
    buckets,
    cell_value,
    ends,
    moment,
    password_variable,
    person,
    reviewer,
)
from workflow.demo.files import filled_receipt, sealed_page
from workflow.domain.form import FILLED_ON, NO_CHANGE, Aggregate, Field, Prefill
from workflow.domain.lifecycle import CaseState, PackageState
from workflow.domain.roster import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workflow.process.situation import Outcome

STRANGER = "teacher@example.org"
NOTE = "班级数与学校年报不一致，请核实后重新报送"
WRONG = 3


@dataclass
class Quarter:
    """What happened: outcomes by step, the workbook that counts for each unit, and all letters that arrived."""

    world: World
    steps: dict[str, list[Outcome]] = field(default_factory=dict)
    counts: dict[str, bytes] = field(default_factory=dict)
    returned: dict[str, bytes] = field(default_factory=dict)
    letters: list[Mail] = field(default_factory=list)

    def arrived(self, to: str, kind: str, campaign: str = "2026Q4") -> list[Mail]:
        """The letters of a kind that arrived at an address."""
        ids = {row.id for row in self.world.app.store.letters(campaign) if row.kind == kind}
        return [mail for mail in self.letters if mail.to == to and mail.letter in ids]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def quarter(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Quarter]:
    servers = request.getfixturevalue("mail_servers")
    account = f"quarter-{request.param}"
    with contextlib.ExitStack() as stack:
        database = ""
        if request.param == "postgresql":
            server = request.getfixturevalue("postgres_server")
            name = server.create()
            stack.callback(server.drop, name)
            database = server.url(name)
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        _, password = servers.add_account(account)
        patch.setenv(password_variable(account), password)
        for known in servers.dovecot.accounts:
            servers.clear(known)
        folder = tmp_path_factory.mktemp("quarter") / "workspace"
        world = World(
            folder, servers, {password_variable(account): password}, account=account, database=database
        )
        stack.callback(world.close)
        yield play(world)


def play(world: World) -> Quarter:
    world.import_roster()
    seen = Quarter(world)
    _third_quarter(seen)
    _units_answer(seen)
    _county_reviews(seen)
    _higher_levels(seen)
    seen.letters = world.inbox()
    return seen


def _third_quarter(seen: Quarter) -> None:
    """The quarter before, so that there are figures to confirm and to carry over."""
    world = seen.world
    world.at("09-10 09:00")
    world.open("2026Q3")
    world.send()
    for unit in (FIFTH, UNIVERSITY, VOCATIONAL):
        seen.counts[unit] = world.filled(unit, campaign="2026Q3")
        world.post(world.reply(unit, seen.counts[unit], campaign="2026Q3"))
    world.at("09-20 10:00")
    seen.steps["third quarter"] = world.poll()
    world.at("10-16 00:05")
    world.poll()
    world.app.tick()
    world.send()


def _units_answer(seen: Quarter) -> None:
    world = seen.world
    world.at("12-10 09:00")
    world.open(receipt_due=dt.date(2026, 12, 20))
    world.send()

    world.at("12-12 10:00")
    for unit in (FIRST, COUNTY, CITY_SCHOOL, PROVINCIAL_VOCATIONAL, DIRECT_SCHOOL):
        seen.counts[unit] = world.filled(unit)
        world.post(world.reply(unit, seen.counts[unit]))
    before = clerks.shown(seen.counts[VOCATIONAL], world.form_of(VOCATIONAL))
    seen.counts[VOCATIONAL] = world.filled(VOCATIONAL, world.answers(VOCATIONAL, previous=_typed(before)))
    world.post(world.reply(VOCATIONAL, seen.counts[VOCATIONAL]))
    seen.counts[SECOND], seen.counts[POINT] = world.filled(SECOND), world.filled(POINT)
    world.post(world.reply(SECOND, ("中心校.xlsx", seen.counts[SECOND]), ("教学点.xlsx", seen.counts[POINT])))
    seen.counts[FOURTH] = world.filled(FOURTH)
    world.post(world.reply(FOURTH, seen.counts[FOURTH], sender=STRANGER))
    world.post(world.reply(UNIVERSITY, text="本季度数据无变化。"))
    world.post(world.reply(THIRD, world.filled(THIRD, _spoilt(world, THIRD))))
    electronic = next(
        (name, data)
        for name, data in world.newest(PROVINCIAL_VOCATIONAL, "notice").files.items()
        if "回执表" in name
    )
    scan = ("负责人回执表（盖章）.pdf", sealed_page(electronic[1], "PDF"))
    copy = (electronic[0], filled_receipt(electronic[1]))
    world.post(world.reply(PROVINCIAL_VOCATIONAL, scan, copy, text="负责人回执表见附件。"))
    seen.steps["first answers"] = world.poll()
    world.send()

    world.at("12-14 10:00")
    seen.returned[THIRD] = world.newest(THIRD, "returned").workbook
    right = world.answers(THIRD)
    wrong = _spoilt(world, THIRD)
    mended = {name: right[name] for name in right if right[name] != wrong[name]}
    seen.counts[THIRD] = clerks.fill(seen.returned[THIRD], world.form_of(THIRD), mended)
    world.post(world.reply(THIRD, seen.counts[THIRD], answering="returned"))
    world.post(world.reply(FIRST, world.filled(FIRST, world.answers(FIRST, seed=2))))
    seen.steps["second answers"] = world.poll()
    for day in ("12-25 10:00", "12-30 10:00"):
        world.at(day)
        world.poll()
        world.app.tick()
    world.send()


def _county_reviews(seen: Quarter) -> None:
    world = seen.world
    world.at("01-01 00:10")
    world.poll()
    world.app.tick()
    world.send()

    world.at("01-02 10:00")
    world.post(world.decide(COUNTY, "review_request", returned={FIRST: NOTE}))
    seen.steps["county reviews"] = world.poll()
    world.send()

    world.at("01-03 10:00")
    seen.returned[FIRST] = world.newest(FIRST, "returned").workbook
    form = world.form_of(FIRST)
    number = clerks.plain_number(form)
    figure = clerks.shown(seen.returned[FIRST], form)[number]
    seen.counts[FIRST] = clerks.fill(seen.returned[FIRST], form, {number: figure + 1})
    world.post(world.reply(FIRST, seen.counts[FIRST], answering="returned"))
    seen.steps["corrected for the reviewer"] = world.poll()

    world.at("01-05 10:00")
    world.poll()
    world.app.tick()
    world.send()
    world.post(world.decide(COUNTY, "reminder", report=True))
    seen.steps["county reports"] = world.poll()
    world.at("01-05 12:00")
    world.post(world.reply(FOURTH, world.filled(FOURTH, world.answers(FOURTH, seed=2))))
    seen.steps["too late"] = world.poll()
    world.send()


def _higher_levels(seen: Quarter) -> None:
    world = seen.world
    world.at("01-06 00:05")
    world.poll()
    world.app.tick()
    world.send()
    world.at("01-08 10:00")
    world.post(world.decide(CITY, "review_request", report=True))
    seen.steps["city reports"] = world.poll()
    world.at("01-11 00:05")
    world.poll()
    world.app.tick()
    world.send()
    world.at("01-12 10:00")
    world.post(world.decide(PROVINCE, "review_request"))
    seen.steps["province reviews"] = world.poll()
    world.at("01-16 00:05")
    world.poll()
    world.app.tick()
    world.app.consolidate()
    world.send()


def _typed(shown: dict[str, Any]) -> dict[str, Any]:
    words = {"是": True, "否": False}
    return {
        name: words.get(value, value)
        if isinstance(value, str)
        else value.date()
        if isinstance(value, dt.datetime)
        else value
        for name, value in shown.items()
    }


def _spoilt(world: World, unit: str) -> dict[str, Any]:
    """Answers with three mistakes: words for a number, an empty required cell, a figure above its maximum."""
    form, answers = world.form_of(unit), dict(world.answers(unit))
    plain = [
        known for known in form.indicators
        if known.required and not known.relevant and not known.constraint and isinstance(answers[known.name], int)
        and not isinstance(answers[known.name], bool) and known.maximum is not None
    ]  # fmt: skip
    words, empty, large = plain[:WRONG]
    return answers | {words.name: "待统计", empty.name: None, large.name: int(large.maximum) * 10}  # type: ignore[arg-type]


# --- asking ---------------------------------------------------------------------------------------------------------


def test_every_unit_receives_its_own_workbook(quarter: Quarter) -> None:
    for unit in UNITS:
        to = administrator(SECOND if unit.code == POINT else unit.code)
        mine = [m for m in quarter.arrived(to, "notice") if clerks.marks(m.workbook)["unit"] == unit.code]
        assert len(mine) == 1
        assert clerks.marks(mine[0].workbook)["campaign"] == "2026Q4"
        assert clerks.marks(mine[0].workbook)["token"] in mine[0].subject


def test_a_unit_without_an_address_is_reached_through_its_central_school(quarter: Quarter) -> None:
    passed_on = [m for m in quarter.arrived(administrator(SECOND), "notice") if "柳沟教学点" in m.text]
    assert len(passed_on) == 1
    assert "转交" in passed_on[0].text


def test_a_copy_comes_with_last_quarters_figures(quarter: Quarter) -> None:
    form = quarter.world.form_of(UNIVERSITY)
    mailed = clerks.shown(quarter.arrived(administrator(UNIVERSITY), "notice")[0].workbook, form)
    before = clerks.shown(quarter.counts[UNIVERSITY], form)
    carried = [
        known.name for known in form.fields if known.prefill is Prefill.LAST_PERIOD and known.name in before
    ]
    assert len(carried) > 30
    assert {name: mailed.get(name) for name in carried} == {name: before[name] for name in carried}


# --- answering ------------------------------------------------------------------------------------------------------


def test_what_is_filled_right_is_accepted_and_acknowledged(quarter: Quarter) -> None:
    assert sorted(ends(quarter.steps["first answers"])) == ["accepted"] * 9 + ["matched"] * 2 + ["returned"]
    for unit in (FIRST, COUNTY, CITY_SCHOOL, VOCATIONAL, PROVINCIAL_VOCATIONAL, DIRECT_SCHOOL):
        assert quarter.arrived(administrator(unit), "acknowledgement")


def test_one_message_may_carry_the_workbooks_of_several_units(quarter: Quarter) -> None:
    both = next(
        o for o in quarter.steps["first answers"] if len(o.fates) == 2 and o.fates[0].name == "中心校.xlsx"
    )
    assert [(fate.unit, fate.outcome.value) for fate in both.fates] == [
        (SECOND, "accepted"),
        (POINT, "accepted"),
    ]


def test_what_is_filled_wrong_comes_back_marked_and_keeps_everything_filled_in(quarter: Quarter) -> None:
    world, mail = quarter.world, quarter.arrived(administrator(THIRD), "returned")[0]
    form, wrong = world.form_of(THIRD), _spoilt(world, THIRD)
    book = openpyxl.load_workbook(io.BytesIO(mail.workbook))
    right = world.answers(THIRD)
    mistaken = [name for name in right if right[name] != wrong[name]]
    assert len(mistaken) == WRONG
    for name in mistaken:
        slot = form.slot_of[name]
        cell = book[slot.sheet].cell(slot.row, slot.column)
        assert cell.comment is not None
        assert form.by_name[name].label in book.worksheets[0].title + _text_of(book.worksheets[0])
    shown = clerks.shown(mail.workbook, form)
    assert shown[mistaken[0]] == "待统计"
    notice = quarter.arrived(administrator(THIRD), "notice")[0]
    sent = clerks.shown(clerks.fill(notice.workbook, form, wrong), form)
    assert shown | {FILLED_ON: None} == sent | {FILLED_ON: None}  # the clerk's day has passed by now
    assert "12月15日" in mail.text


def _text_of(sheet: Any) -> str:
    return "\n".join(
        str(value) for row in sheet.iter_rows(values_only=True) for value in row if value is not None
    )


def test_the_corrected_return_is_accepted(quarter: Quarter) -> None:
    assert ends(quarter.steps["second answers"]) == ["accepted", "accepted"]
    versions = quarter.world.app.store.submissions("2026Q4", [THIRD])
    assert [(version.number, version.errors > 0, version.returned) for version in versions] == [
        (1, True, True), (2, False, False),
    ]  # fmt: skip


def test_a_workbook_from_an_unknown_address_counts_and_the_registered_person_is_asked(
    quarter: Quarter,
) -> None:
    asked = quarter.arrived(administrator(FOURTH), "unknown_sender_confirm")
    assert len(asked) == 1
    assert "t***@example.org" in asked[0].text
    assert STRANGER not in asked[0].text
    assert not [mail for mail in quarter.letters if mail.to == STRANGER]


def test_no_change_confirmed_in_words_takes_last_quarters_figures(quarter: Quarter) -> None:
    world = quarter.world
    assert buckets(quarter.steps["first answers"]).count("confirmation") == 1
    version = world.app.store.submissions("2026Q4", [UNIVERSITY])[-1]
    before = world.app.store.submissions("2026Q3", [UNIVERSITY])[-1]
    held = world.app.store.answers([version.id, before.id])
    assert version.no_change
    for known in world.form_of(UNIVERSITY).indicators:
        assert held[version.id].answers.get(known.name) == held[before.id].answers.get(known.name)


def test_the_receipt_form_comes_back_as_scan_and_as_electronic_copy(quarter: Quarter) -> None:
    rows = quarter.world.app.store.receipts("2026Q4")
    assert {(row.unit, row.part) for row in rows} == {
        (PROVINCIAL_VOCATIONAL, "scan"), (PROVINCIAL_VOCATIONAL, "electronic"),
    }  # fmt: skip
    alone = {mail.to for mail in quarter.letters if mail in quarter.arrived(mail.to, "receipt_reminder")}
    assert alone == {administrator(UNIVERSITY)}
    with_more = {
        mail.to for mail in quarter.letters if "回执表缺" in mail.text
    }  # one letter a day says it all
    assert with_more == {administrator(code) for code in (CITY, DIRECT)}


def test_who_has_not_answered_is_reminded_and_nobody_else(quarter: Quarter) -> None:
    reminded = {
        mail.to for mail in quarter.letters
        if mail.to.startswith("admin") and re.search("催报.*信息化数据", mail.subject)
    }  # fmt: skip
    assert reminded == {administrator(code) for code in (PROVINCE, CITY, DIRECT, FIFTH)}
    assert len(quarter.arrived(administrator(FIFTH), "reminder")) == 2


def test_those_above_are_told_whom_to_ring_up(quarter: Quarter) -> None:
    lists = [
        mail for mail in quarter.arrived(administrator(COUNTY), "reminder") if "催报是管理员的职责" in mail.text
    ]  # fmt: skip
    assert lists
    per_day = Counter(
        (mail.to, mail.parsed["Date"].datetime.date())
        for mail in quarter.letters
        if "催报" in mail.subject or "督促报送" in mail.subject
    )
    assert set(per_day.values()) == {1}


# --- reviewing ------------------------------------------------------------------------------------------------------


def test_a_reviewers_workbook_is_applied_row_by_row(quarter: Quarter) -> None:
    assert buckets(quarter.steps["county reviews"]) == ["review"]
    result = quarter.arrived(reviewer(COUNTY), "review_result")[0]
    assert "中原区第一小学" in result.text
    returned = quarter.arrived(administrator(FIRST), "returned")[0]
    assert NOTE in returned.text
    assert NOTE in _text_of(openpyxl.load_workbook(io.BytesIO(returned.workbook)).worksheets[0])


def test_the_county_reports_when_its_reviewer_agrees(quarter: Quarter) -> None:
    store = quarter.world.app.store
    county = next(p for p in store.packages("2026Q4") if p.unit == COUNTY)
    assert not county.auto
    assert county.reported_at == moment("01-05 10:00")
    assert person(COUNTY, Role.REVIEWER) in county.by
    states = {case.unit: case.state for case in store.cases("2026Q4")}
    for unit in (FIRST, SECOND, POINT, THIRD, FOURTH, COUNTY):
        assert states[unit] is CaseState.APPROVED
    assert quarter.arrived(reviewer(COUNTY), "report_confirmation")
    assert quarter.arrived(reviewer(CITY), "report_received")


def test_what_comes_after_the_report_is_kept_and_told_so_but_does_not_count(quarter: Quarter) -> None:
    assert ends(quarter.steps["too late"]) == ["late"]
    late = quarter.arrived(administrator(FOURTH), "late")
    assert len(late) == 1
    assert "撤报" in late[0].text
    assert len(quarter.world.app.store.submissions("2026Q4", [FOURTH])) == 1


def test_each_deadline_reports_what_is_still_open_as_of_that_deadline(quarter: Quarter) -> None:
    packages = {package.unit: package for package in quarter.world.app.store.packages("2026Q4")}
    automatic = {unit: package.reported_at for unit, package in packages.items() if package.auto}
    assert automatic == {
        DIRECT: moment("01-06 00:00"), UNIVERSITY: moment("01-11 00:00"), PROVINCE: moment("01-16 00:00"),
    }  # fmt: skip
    states = {unit: package.state for unit, package in packages.items()}
    assert states == {
        PROVINCE: PackageState.REPORTED, CITY: PackageState.ACCEPTED, COUNTY: PackageState.ACCEPTED,
        DIRECT: PackageState.ACCEPTED, UNIVERSITY: PackageState.ACCEPTED,
    }  # fmt: skip


def test_an_automatic_report_is_told_to_the_level_and_to_its_inspector_by_way_of_the_administrator(
    quarter: Quarter,
) -> None:
    assert quarter.arrived(administrator(DIRECT), "auto_report")
    escalated = quarter.arrived(administrator(DIRECT), "escalation")
    assert len(escalated) == 1
    assert "转呈" in escalated[0].text
    assert person(DIRECT, Role.INSPECTOR) in escalated[0].text
    assert quarter.arrived(reviewer(PROVINCE), "report_received")


# --- the figures ----------------------------------------------------------------------------------------------------


def test_the_provincial_totals_equal_a_sum_over_the_workbooks_in_the_archived_mail(quarter: Quarter) -> None:
    world = quarter.world
    archived: dict[str, bytes] = {}
    for path in (world.folder / "mailbox").rglob("*.eml"):
        archived |= attachments(path.read_bytes())
    made = world.app.store.book("2026Q4", PROVINCE)
    assert made is not None
    book = openpyxl.load_workbook(world.folder / "outbox" / made.path, data_only=True)
    compared = 0
    for form in world.app.forms().values():
        sheet = next(s for s in book if s.title.startswith("汇总·") and form.title in str(s["A1"].value))
        head, columns = clerks.headings(sheet, "单位名称", "单位代码", "应报")
        row = next(
            r
            for r in range(head + 1, sheet.max_row + 1)
            if sheet.cell(r, columns["单位代码"]).value == PROVINCE
        )
        filled = [
            clerks.shown(archived[hashlib.sha256(data).hexdigest()], form)
            | ({NO_CHANGE: "是"} if unit == UNIVERSITY else {})  # said in words, not in the workbook
            for unit, data in quarter.counts.items() if world.form_of(unit).id == form.id
        ]  # fmt: skip
        single = [known for known in form.fields if known.aggregate is not Aggregate.NONE and not known.row]
        totalled = [
            *single,
            *(known for known in form.columns.values() if known.aggregate is not Aggregate.NONE),
        ]
        for place, known in enumerate(totalled, columns["报送率"] + 1):
            label = re.sub(r"\s", "", str(sheet.cell(head, place).value))
            assert re.sub(r"\s", "", known.label) in label
            assert sheet.cell(row, place).value == _sum(known, filled), f"{form.id} {known.label}"
            compared += 1
    assert compared > 200


def _sum(known: Field, filled: list[dict[str, Any]]) -> Any:
    """An aggregate by hand: over what stands in the cells."""
    table, _, column = known.name.partition(".")
    name = re.compile(rf"{table}\.\d+\.{column}" if column else re.escape(known.name))
    values = [
        value
        for answers in filled
        for at, value in answers.items()
        if name.fullmatch(at) and value is not None
    ]
    if not values:
        return None
    match known.aggregate:
        case Aggregate.COUNT_YES:
            return values.count("是")
        case Aggregate.SUM:
            return pytest.approx(sum(values), abs=1e-6)
        case Aggregate.MEAN:
            return pytest.approx(sum(values) / len(values), abs=1e-6)
        case Aggregate.MIN:
            return min(values)
        case Aggregate.MAX:
            return max(values)
    raise AssertionError(known.aggregate)


def test_the_status_adds_up(quarter: Quarter) -> None:
    status = quarter.world.status()
    mail = status["mail"]
    kept = list((quarter.world.folder / "mailbox").rglob("*.eml"))
    assert mail["received"] == sum(mail["buckets"].values()) == len(kept)
    assert mail["buckets"] == {"submission": 16, "confirmation": 1, "receipt": 1, "review": 4}
    assert mail["queued"] == mail["failed"] == 0
    assert mail["sent"] == len(quarter.letters)
    assert sum(status["cases"].values()) == sum(status["origins"].values()) == len(UNITS)
    assert status["origins"] == {
        "approved": 9, "not_reviewed": 1, "no_change": 1, "carried_over": 1, "missing": 3,
    }  # fmt: skip
    assert {late["unit"] for late in status["late"]} == {PROVINCE, CITY, DIRECT, FIFTH}


def test_the_ledger_verifies(quarter: Quarter) -> None:
    said = quarter.world.huizhi("ledger", "verify")
    assert (said.code, said.err) == (0, "")
    assert "台账完整" in said.out


@pytest.mark.parametrize("unit", [FIRST, POINT, THIRD, VOCATIONAL, PROVINCIAL_VOCATIONAL])
def test_a_figure_is_traced_to_the_cell_that_holds_it(quarter: Quarter, unit: str) -> None:
    world = quarter.world
    form = world.form_of(unit)
    name = clerks.plain_number(form)
    said = world.huizhi("trace", unit, name)
    assert said.code == 0
    used = next(n for n, line in enumerate(said.lines) if "（上报所用）" in line)
    block = "\n".join(said.lines[used : used + 4])
    figure = re.search(rf"{name} = (\S+)", block)
    place = re.search(r"附件 (.+) ([0-9a-f]{64}) 单元格 (\S+)", block)
    original = re.search(r"原件 (\S+\.eml)", block)
    assert figure
    assert place
    assert original
    found = attachments((world.folder / original[1]).read_bytes())[place[2]]
    assert found == quarter.counts[unit]
    assert str(cell_value(found, place[3])) == figure[1].replace(",", "")
