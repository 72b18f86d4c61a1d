"""Letters about requests and problems with the roster: each once, to whoever decides, answers or has asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.domain.offices import COUNTY, PROVINCE, SCHOOL, WEST
from tests.process.calendar_office import Office, on
from workflow.domain.errors import Refused
from workflow.domain.roster import Unit, UnitKind
from workflow.process.affiliation import decide_move, request_move
from workflow.process.baseline import Source, compare, put_in_force
from workflow.process.gather import require_campaign, require_roster
from workflow.process.overview import overview
from workflow.process.problems import close

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DUE = on(12, 11, 0)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    made.open(on(12, 1))
    yield made
    made.close()


def report(
    office: Office, kind: str = "没有账号", *, reporter: str = SCHOOL, owner: str = COUNTY, **more: str
) -> int:
    number = 1 + len(office.store.problems())
    data = {
        "kind": kind, "unit": SCHOOL, "reporter": reporter, "owner": owner, "due": DUE.isoformat(), "name": "", "code": "",
        "superior": "", "was": ["东区第一小学", COUNTY], "message": "c" * 64, **more,
    }  # fmt: skip
    personal = {"sender": "school@county.test", "words": "我校没有收到账号"}
    office.store.append(
        [office._next(f"problem:{number}", "problem.reported", on(12, 3), data, personal=personal)]
    )
    return number


def addresses(office: Office, kind: str) -> list[str]:
    return [letter.to for letter in office.letters(kind)]


def test_a_request_goes_to_the_common_superior_and_what_it_decides_to_both_sides(office: Office) -> None:
    request_move(office.store, SCHOOL, WEST, "校管", "学校迁址", on(12, 3))
    for _ in range(2):
        office.tick(on(12, 3))
    assert addresses(office, "affiliation_request") == ["admin@city.test"]
    assert "由东区教育局变更为西区教育局" in office.letters("affiliation_request")[0].text
    sides = ["school@county.test", "admin@county.test", "admin@west.test"]
    assert sorted(addresses(office, "affiliation_result")) == sorted(sides)
    decide_move(office.store, SCHOOL, "市管", "随迁址办理", on(12, 4), agree=True)
    for _ in range(2):
        office.tick(on(12, 4))
    told = office.letters("affiliation_result")[3:]
    assert sorted(letter.to for letter in told) == sorted(sides)
    assert all("自2026年12月4日起生效" in letter.text for letter in told)


def test_a_problem_is_told_to_its_owner_once_and_its_end_to_whoever_reported_it(office: Office) -> None:
    report(office)
    for _ in range(2):
        office.tick(on(12, 3))
    assert addresses(office, "problem_report") == ["admin@county.test"]
    close(office.store, require_roster(office.store), 1, "县管", "账号已发放", on(12, 4))
    for _ in range(2):
        office.tick(on(12, 4))
    (letter,) = office.letters("problem_result")
    assert (letter.to, "处理结果。账号已发放。" in letter.text) == ("school@county.test", True)


def test_what_a_stranger_reports_is_for_staff_alone(office: Office) -> None:
    report(office, "不在名册", reporter="", owner=PROVINCE, unit="")
    office.tick(on(12, 3))
    assert office.letters("problem_report") == []
    seen = overview(office.store, require_roster(office.store), require_campaign(office.store), on(12, 3))
    assert any("名册问题第1号（不在名册）来自未登记的地址" in matter for matter in seen.staff)
    assert seen.problems == {"reported": 1, "open": 1, "overdue": 0, "closed": 0}


def test_it_is_closed_once_by_the_level_that_answers_or_the_highest_and_with_what_was_done(
    office: Office,
) -> None:
    report(office)
    roster = require_roster(office.store)
    with pytest.raises(Refused, match="不是登记的办理人员") as refused:
        close(office.store, roster, 1, "西管", " ", on(12, 4))
    assert "没有写明处理结果" in str(refused.value)
    close(office.store, roster, 1, "省管", "已发放", on(12, 4))
    with pytest.raises(Refused, match="已由省管于2026-12-04办结"):
        close(office.store, roster, 1, "县管", "已发放", on(12, 5))


def test_a_problem_that_stays_open_climbs_the_ladder_in_the_days_one_letter(office: Office) -> None:
    report(office)
    report(office, "单位名称有误")
    told = {}
    for day in (9, 10, 11, 14, 15):
        before = len(office.letters())
        office.tick(on(12, day))
        told[day] = {
            letter.to: letter.text for letter in office.letters()[before:] if "名册问题" in letter.text
        }
    assert set(told[9]) == set()
    assert set(told[10]) == {"admin@county.test"}  # the last working day before it is due
    assert set(told[11]) == {"admin@county.test", "review@county.test"}
    assert set(told[14]) == {"admin@county.test"}  # the 视察员 has no address: 请转呈
    assert "请将以下内容转呈东区教育局视察员县视" in told[14]["admin@county.test"]
    assert set(told[15]) == set()
    assert "第1号（没有账号）" in told[11]["review@county.test"]
    assert "第2号（单位名称有误）" in told[11]["review@county.test"]


def test_what_is_closed_in_time_is_told_to_nobody_above(office: Office) -> None:
    report(office)
    close(office.store, require_roster(office.store), 1, "县管", "账号已发放", on(12, 4))
    for day in (10, 11, 14):
        office.tick(on(12, day))
    assert not any("名册问题" in letter.text for letter in office.letters())


@pytest.mark.parametrize(
    ("kind", "more", "words"),
    [
        ("不在名册", {"unit": "", "code": "4101020009"}, "名册已有该单位：4101020009 东区第九小学"),
        ("不在名册", {"unit": "", "name": "东区第九小学"}, "名册已有该单位：4101020009 东区第九小学"),
        ("隶属关系有误", {"superior": WEST}, "名册中该单位现隶属西区教育局"),
        ("隶属关系有误", {}, "名册中该单位现隶属西区教育局"),
        ("单位名称有误", {"name": "东区第一实验小学"}, "名册中该单位现名东区第一实验小学"),
    ],
)
def test_the_next_baseline_closes_what_it_has(
    office: Office, kind: str, more: dict[str, str], words: str
) -> None:
    report(office, kind, **more)
    report(office, "没有账号")
    units = dict(require_roster(office.store).units)
    units["4101020009"] = Unit("4101020009", "东区第九小学", UnitKind.SCHOOL, COUNTY)
    units[SCHOOL] = Unit(SCHOOL, "东区第一实验小学", UnitKind.SCHOOL, WEST)
    new = type(office.roster)(units, ())
    compared = compare(office.store, new, on(12, 4).date(), on(12, 4).date(), own=False)
    from workflow.domain.roster_changes import Decision

    agreed = [Decision.AGREED] * len(compared.changes)
    put_in_force(office.store, compared, agreed, (), Source("基准.csv", "e" * 64, "省管"), on(12, 4))
    first, second = office.store.problems()
    assert (first.open, first.answer, first.by_roster) == (False, words, True)
    assert second.open
    office.tick(on(12, 4))
    (letter,) = office.letters("problem_result")
    assert "已由新的名册解决" in letter.text
