"""Four quarters with births, deaths, moves, renames and a new code: every quarter keeps its own tree and its own rates."""

from __future__ import annotations

import csv
import datetime as dt
import io
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from tests.journeys.test_command_line import refused
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
    SECOND,
    THIRD,
    UNITS,
    VOCATIONAL,
    Ran,
    World,
    person,
)
from workflow.demo.rehearsal.figures import Figures
from workflow.demo.rehearsal.past import write_past
from workflow.domain.campaign import SHANGHAI, Period, midnight
from workflow.domain.merge import Origin
from workflow.domain.roster import Role, Unit, UnitKind
from workflow.process.earlier import earlier_data
from workflow.process.gather import require_campaign, require_roster
from workflow.process.picture import pictures

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NEW, RECODED = "4101020010", "4101020011"
HEADINGS = ("学校（机构）标识码", "学校（机构）名称", "办学类型", "隶属机构标识码")

#: By quarter and level: how many units of its own package should report, and how many did.
RATES = {
    ("2026Q1", COUNTY): (7, 5), ("2026Q1", CITY): (3, 1), ("2026Q1", DIRECT): (2, 1),
    ("2026Q2", COUNTY): (7, 3), ("2026Q2", CITY): (3, 2), ("2026Q2", DIRECT): (2, 1),
    ("2026Q3", COUNTY): (6, 5), ("2026Q3", CITY): (4, 1), ("2026Q3", DIRECT): (2, 0),
    ("2026Q4", COUNTY): (6, 2), ("2026Q4", CITY): (4, 4), ("2026Q4", DIRECT): (1, 1),
}  # fmt: skip
REPORTED = {
    "2026Q1": {COUNTY, FIRST, SECOND, THIRD, FIFTH, CITY_SCHOOL, DIRECT_SCHOOL},
    "2026Q2": {FIRST, FOURTH, NEW, CITY_SCHOOL, VOCATIONAL, DIRECT},
    "2026Q3": {COUNTY, FIRST, SECOND, THIRD, NEW, FOURTH},
    "2026Q4": {SECOND, RECODED, CITY, CITY_SCHOOL, VOCATIONAL, FOURTH, DIRECT},
}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[World]:
    nowhere: Any = SimpleNamespace(imap_port=1, smtp_port=1)
    settings = {"imap.password_env": '""', "reader.workers": "1"}
    office = World(tmp_path / "workspace", nowhere, {}, settings=settings)
    path = office.folder / "config.toml"
    text = path.read_text(encoding="utf-8")
    for name, ours, theirs in zip(
        ("code", "name", "kind", "superior"),
        ("单位代码", "单位名称", "单位类型", "上级单位代码"),
        HEADINGS,
        strict=True,
    ):
        text = text.replace(f'{name} = "{ours}"', f'{name} = "{theirs}"')
    path.write_text(text.replace("kinds = {}", 'kinds = { "小学" = "中小学" }'), encoding="utf-8")
    office.at(dt.datetime(2026, 1, 5, 9, tzinfo=SHANGHAI))
    office.import_roster()
    yield office
    office.close()


def baseline(office: World, *units: Unit, encoding: str = "gb18030") -> Path:
    """The quarter's baseline as it is handed on: text, in the sender's words."""
    target = io.StringIO()
    rows = csv.writer(target)
    rows.writerow(("全省机构基准数据", "", "", ""))
    rows.writerow(HEADINGS)
    words = {UnitKind.SCHOOL: "小学"}
    rows.writerows((u.code, u.name, words.get(u.kind, u.kind), u.superior) for u in units)
    path = office.folder / "baseline.csv"
    path.write_bytes(target.getvalue().encode(encoding))
    return path


def approved(path: Path, **decisions: str) -> Path:
    """The workbook for approval as the clerk fills it in: 同意, but for the rows of the codes that are named."""
    book = openpyxl.load_workbook(path)
    sheet = book["变更"]
    for row in sheet.iter_rows(min_row=4):
        row[9].value = decisions.get(f"c{row[2].value}", "同意")
    book.save(path)
    return path


def imported(office: World, since: str, *units: Unit, **decisions: str) -> Ran:
    path, book = baseline(office, *units), office.folder / "changes.xlsx"
    asked = office.huizhi("roster", "import", path, "--from", since, "--out", book)
    assert asked.code == 1, asked.err
    assert "尚未生效" in asked.out
    return office.huizhi(
        "roster", "import", path, "--from", since, "--approve", approved(book, **decisions), "--by", "省管"
    )


def play(office: World, quarter: str) -> None:
    """Open the quarter, let those answer that do, and report every level."""
    period = Period.parse(quarter)
    roster = office.app.store.roster(period.last_day)
    assert roster is not None
    places = {code: place for place, code in enumerate(roster.units)}
    opened = midnight(period.last_day) - dt.timedelta(days=30)
    write_past(office.app, period, opened, REPORTED[quarter], Figures(period.last_day, 7), places)
    office.at(midnight(period.review_day(20)))


def rates(office: World) -> dict[tuple[str, str], tuple[int, int]]:
    """How many should report and how many did, by quarter and level, as the consolidated workbooks count them."""
    found = {}
    for quarter, level in RATES:
        if (campaign := office.app.store.campaign(quarter)) is None:
            continue
        roster = require_roster(office.app.store, campaign)
        [seen] = pictures(
            office.app.store, roster, campaign, office.app.forms(campaign), [roster.units[level]]
        )
        own = [s for s in seen.standings.values() if roster.package_of(s.unit).code == level]
        answered = [s for s in own if s.origin not in {Origin.MISSING, Origin.CARRIED_OVER}]
        found[quarter, level] = (len(own), len(answered))
    return found


def without(units: list[Unit], code: str) -> list[Unit]:
    return [unit for unit in units if unit.code != code]


def changed(units: list[Unit], which: str, **changes: Any) -> list[Unit]:
    return [replace(unit, **changes) if unit.code == which else unit for unit in units]


def test_each_of_four_quarters_keeps_its_tree_its_rates_and_its_workbooks(office: World) -> None:
    units = list(UNITS)
    play(office, "2026Q1")
    units = [*without(units, FIFTH), Unit(NEW, "中原区听泉小学", UnitKind.SCHOOL, COUNTY)]
    assert imported(office, "2026-04-01", *units).code == 0
    play(office, "2026Q2")
    units = changed(changed(units, FOURTH, superior=CITY), FIRST, name="中原区槐树街小学")
    assert imported(office, "2026-07-01", *units).code == 0
    play(office, "2026Q3")
    units = changed(units, THIRD, code=RECODED, name="中原区第三实验中学")
    assert imported(office, "2026-10-01", *units).code == 0
    who = person(DIRECT_SCHOOL, Role.ADMINISTRATOR)
    assert office.huizhi("suspend", DIRECT_SCHOOL, "--by", who, "--note", "校舍改造").code == 0
    play(office, "2026Q4")

    assert rates(office) == RATES
    office.close()
    assert office.huizhi("rebuild").code == 0
    assert rates(office) == RATES

    [book] = office.app.consolidate("2026Q1", [COUNTY])
    words = {
        str(cell.value)
        for sheet in openpyxl.load_workbook(office.folder / "outbox" / book.path)
        for row in sheet
        for cell in row
    }
    assert {"中原区第五小学", "中原区第一小学"} <= words
    assert not {"中原区听泉小学", "中原区槐树街小学"} & words
    assert "中原区第一小学" in office.huizhi("roster", "show", "--on", "2026-06-30").out
    assert "中原区槐树街小学" in office.huizhi("roster", "show", "--on", "2026-07-01").out


def test_a_re_coded_school_goes_on_from_what_it_reported_under_its_former_code(office: World) -> None:
    play(office, "2026Q3")
    units = changed(list(UNITS), THIRD, code=RECODED, name="中原区第三实验中学")
    assert imported(office, "2026-10-01", *units).code == 0
    play(office, "2026Q4")
    store = office.app.store
    earlier = earlier_data(store, require_campaign(store, "2026Q4"), office.app.forms(), [RECODED])
    assert [(unit, data.standing.unit, data.standing.submission) for (unit, _), data in earlier.items()] == [
        (RECODED, RECODED, f"2026Q3/{THIRD}/school/1")
    ]
    people = require_roster(store).people(RECODED, Role.ADMINISTRATOR, dt.date(2026, 10, 1))
    assert [one.name for one in people] == [person(THIRD, Role.ADMINISTRATOR)]


def test_the_clerk_types_where_a_school_that_is_gone_goes_on(office: World) -> None:
    play(office, "2026Q3")
    units = changed(list(UNITS), THIRD, code=RECODED, name="中原区听泉学校")  # nothing alike: no suggestion
    path, target = baseline(office, *units), office.folder / "changes.xlsx"
    day = ("--from", "2026-10-01")
    office.huizhi("roster", "import", path, *day, "--out", target)
    book = openpyxl.load_workbook(approved(target))
    sheet = book["变更"]
    assert [cell.value for cell in sheet[3]][6] == "关联单位"
    row = next(row for row in sheet.iter_rows(min_row=4) if row[1].value == "撤销")
    row[6].value = "4101029999"
    book.save(target)
    before = office.app.store.head()
    refused(
        office.huizhi("roster", "import", path, *day, "--approve", target),
        "变更!第4行.*4101029999 在这份基准数据中没有",
    )
    assert office.app.store.head() == before
    row[6].value = int(RECODED)  # as Excel keeps a code that somebody types
    book.save(target)
    ran = office.huizhi("roster", "import", path, *day, "--approve", target, "--by", "省管")
    assert "沿用原有数据的关联1项" in ran.out, ran.err
    play(office, "2026Q4")
    store, forms = office.app.store, office.app.forms()
    earlier = earlier_data(store, require_campaign(store, "2026Q4"), forms, [RECODED])
    assert [data.standing.submission for data in earlier.values()] == [f"2026Q3/{THIRD}/school/1"]


def test_a_change_that_is_held_stays_out_and_one_that_is_not_the_same_unit_has_no_history(
    office: World,
) -> None:
    play(office, "2026Q3")
    units = changed(changed(list(UNITS), THIRD, code=RECODED), FIRST, name="中原区槐树街小学")
    ran = imported(office, "2026-10-01", *units, **{f"c{THIRD}": "不关联", f"c{FIRST}": "暂缓"})
    assert "暂缓1项" in ran.out
    assert office.app.store.former_codes() == {}
    roster = office.app.store.roster()
    assert roster is not None
    assert (RECODED in roster.units, THIRD in roster.units) == (True, False)
    assert roster.units[FIRST].name == "中原区第一小学"


# --- what is refused ------------------------------------------------------------------------------------------------


def test_an_approval_without_decisions_names_every_row_and_applies_nothing(office: World) -> None:
    play(office, "2026Q3")
    path, book = (
        baseline(office, *without(without(list(UNITS), FIFTH), FOURTH)),
        office.folder / "changes.xlsx",
    )
    office.huizhi("roster", "import", path, "--from", "2026-10-01", "--out", book)
    before = office.app.store.head()
    ran = office.huizhi("roster", "import", path, "--from", "2026-10-01", "--approve", book)
    refused(ran, f"变更!第4行.*{FOURTH}.*没有填写决定", f"变更!第5行.*{FIFTH}.*没有填写决定")
    other = baseline(office, *without(list(UNITS), FIFTH))
    ran = office.huizhi("roster", "import", other, "--from", "2026-10-01", "--approve", approved(book))
    refused(ran, "不是就这份基准数据")
    assert office.app.store.head() == before


def test_a_change_may_not_lie_behind_what_was_reported_nor_just_anywhere_ahead(office: World) -> None:
    play(office, "2026Q3")
    path = baseline(office, *without(list(UNITS), FIFTH))
    refused(office.huizhi("roster", "import", path, "--from", "2026-09-30"), "2026Q3.*已有层级上报")
    refused(office.huizhi("roster", "import", path, "--from", "2026-12-05"), "还没有到.*2027-01-01")
    assert office.huizhi("roster", "import", path, "--from", "2027-01-01").code == 1


def test_a_baseline_that_would_close_a_third_of_all_units_needs_a_reason(office: World) -> None:
    play(office, "2026Q3")
    gone = {FIRST, SECOND, POINT, THIRD, FOURTH, FIFTH}
    kept = [unit for unit in UNITS if unit.code not in gone]
    ran = imported(office, "2026-10-01", *kept)
    refused(ran, "将撤销 6 个单位，占现有 15 个的 40%")
    path, book = office.folder / "baseline.csv", office.folder / "changes.xlsx"
    silent = office.huizhi(
        "roster", "import", path, "--from", "2026-10-01", "--approve", book, "--yes-really"
    )
    refused(silent, "占现有 15 个的 40%.*用 --note 写明理由")
    assert FIRST in require_roster(office.app.store).units
    sure = ("--yes-really", "--note", "撤点并校")
    assert office.huizhi("roster", "import", path, "--from", "2026-10-01", "--approve", book, *sure).code == 0


def test_all_that_is_wrong_with_a_baseline_is_told_at_once(office: World) -> None:
    play(office, "2026Q3")
    units = changed(list(UNITS), FIRST, code="4.10102E+09")
    units = changed(units, SECOND, code="41010200")
    units = changed(units, FOURTH, superior="410199")
    units = [*units, units[-1]]
    before = office.app.store.head()
    ran = office.huizhi("roster", "import", baseline(office, *units, encoding="utf-16"))
    assert ran.code == 2
    told = ("科学计数法", "不是学校（机构）标识码", "在名册中没有", "重复")
    assert all(any(words in line and "第" in line for line in ran.faults) for words in told), ran.err
    assert office.app.store.head() == before


# --- affiliation and suspension -------------------------------------------------------------------------------------


def test_a_school_moves_when_either_side_asks_and_their_common_superior_agrees(office: World) -> None:
    office.at(dt.datetime(2026, 11, 2, 9, tzinfo=SHANGHAI))
    office.open()
    stranger, asks, decides = "路人", person(COUNTY, Role.ADMINISTRATOR), person(PROVINCE, Role.ADMINISTRATOR)
    move = ("affiliation", "request", FIRST, "--to", DIRECT, "--note", "区划调整")
    refused(office.huizhi(*move, "--by", stranger), "不是变更前后任何一方登记的人员")
    assert "河南省教育厅" in office.huizhi(*move, "--by", asks).out
    refused(office.huizhi(*move, "--by", asks), "还没有决定")
    assert office.huizhi("affiliation", "list").code == 1
    refused(
        office.huizhi("affiliation", "decide", FIRST, "--by", asks), "不是河南省教育厅登记的管理员或审核员"
    )
    assert office.huizhi("affiliation", "decide", FIRST, "--by", decides, "--note", "同意").code == 0
    assert office.huizhi("affiliation", "list").code == 0
    campaign = require_campaign(office.app.store)
    roster = require_roster(office.app.store, campaign)
    assert roster.package_of(FIRST).code == DIRECT
    forms = office.app.forms(campaign)
    [seen] = pictures(office.app.store, roster, campaign, forms, [roster.units[DIRECT]])
    assert FIRST in {standing.unit for standing in seen.standings.values()}
    former = office.app.store.roster(dt.date(2026, 11, 1))
    assert former is not None
    assert former.units[FIRST].superior == COUNTY


def test_a_department_moves_by_the_baseline_alone(office: World) -> None:
    by = person(COUNTY, Role.ADMINISTRATOR)
    ran = office.huizhi("affiliation", "request", COUNTY, "--to", PROVINCE, "--by", by)
    refused(ran, "以基准数据为准")


def test_a_school_that_suspends_admissions_in_the_midst_of_a_quarter_is_asked_and_counted_no_more(
    office: World,
) -> None:
    office.at(dt.datetime(2026, 11, 2, 9, tzinfo=SHANGHAI))
    office.open()
    asked = sum(office.status()["cases"].values())
    refused(
        office.huizhi("suspend", FIRST, "--by", person(COUNTY, Role.ADMINISTRATOR)), "不是本校登记的管理员"
    )
    who = person(FIRST, Role.ADMINISTRATOR)
    assert office.huizhi("suspend", FIRST, "--by", who).code == 0
    assert sum(office.status()["cases"].values()) == asked - 1
    refused(office.huizhi("suspend", FIRST, "--by", who), "已经标记")
    office.import_roster()
    assert sum(office.status()["cases"].values()) == asked - 1  # an import does not lift it
    assert office.huizhi("suspend", FIRST, "--by", who, "--lift").code == 0
    assert sum(office.status()["cases"].values()) == asked
