"""The ministry's accounts on their way down the tree: what is taken in, who gets what, who signs, and where no password ever is."""

from __future__ import annotations

import io
import zipfile
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from tests.journeys.test_command_line import Office
from tests.journeys.world import (
    CITY,
    COUNTY,
    FIRST,
    POINT,
    PROVINCE,
    SECOND,
    Mail,
    Ran,
    World,
    administrator,
    buckets,
    person,
)
from workflow.adapters.store import tables
from workflow.adapters.workbook.unlock import unlock
from workflow.domain.roster import Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SHARED = "Jyxxh@shared2026"
HEADINGS = ("单位代码", "单位名称", "角色", "账号", "初始密码", "一期系统账号")
LIST = (
    (PROVINCE, "", "管理员", "410000A1", "Prov#9182x", ""),
    (CITY, "", "审核员", "410100A2", "City#review1", ""),
    (CITY, "", "管理员", "410100A1", "City#admin2", "zz-city"),
    (COUNTY, "", "管理员", "410102A1", "County#7371", ""),
    (FIRST, "", "", "4101020001A1", SHARED, "zyyx01"),
    (SECOND, "", "", "4101020002A1", SHARED, ""),
)
PASSWORDS = tuple(row[4] for row in LIST)


def ministry_list(rows: Sequence[Sequence[object]] = LIST, headings: Sequence[str] = HEADINGS) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "账号"
    for line in (headings, *rows):
        sheet.append(list(line))
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def take(office: World, data: bytes, *options: str) -> Ran:
    path = office.folder.parent / "清单.xlsx"  # the office keeps the ministry's list outside of the workspace
    path.write_bytes(data)
    return office.huizhi("accounts", "import", path, *options)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    nowhere: Any = SimpleNamespace(imap_port=1, smtp_port=1)
    office = Office(
        tmp_path / "workspace", nowhere, {}, settings={"imap.password_env": '""', "reader.workers": "1"}
    )
    office.import_roster()
    yield office
    office.close()


def places_with(office: World, words: Sequence[str]) -> list[str]:
    """The files of the workspace, but the private one, in which any of these words stands in clear: letters as their reader sees
    them, workbooks part by part.
    """
    found = []
    for path in office.folder.rglob("*"):
        if path.is_file() and path.name != "accounts.json":
            data = path.read_bytes()
            parts = [data]
            if path.suffix == ".eml":
                parts += [
                    part.get_payload(decode=True) or b""
                    for part in Mail(data).parsed.walk()
                    if not part.is_multipart()
                ]
            for part in list(parts):
                if part.startswith(b"PK"):
                    with zipfile.ZipFile(io.BytesIO(part)) as book:
                        parts += [book.read(name) for name in book.namelist()]
            found += [
                str(path)
                for word in words
                for part in parts
                if word.encode() in part or word.encode("utf-16-le") in part
            ]
    return found


def opening(office: World, unit: str) -> str:
    """What staff read out by telephone."""
    ran = office.huizhi("accounts", "opening", unit)
    assert ran.code == 0, ran.err
    return ran.lines[0].partition("：")[2]


def sheets(mail: Mail, password: str) -> dict[str, list[list[str]]]:
    """The rows of an account sheet, below its headings."""
    [data] = mail.files.values()
    opened = unlock(data, [password])
    assert opened is not None, "the sheet does not open"
    book = openpyxl.load_workbook(io.BytesIO(opened[0]))
    return {
        sheet.title: [
            [str(value or "") for value in row] for row in sheet.iter_rows(min_row=4, values_only=True)
            if row[1] is not None
        ]
        for sheet in book
    }  # fmt: skip


def test_a_list_is_taken_in_whole_or_not_at_all_and_no_fault_shows_a_password(office: Office) -> None:
    ran = take(
        office,
        ministry_list([*LIST[:2], ("9999999999", "", "", "x1", "Secret#1", ""), (FIRST, "", "", "", "", "")]),
    )
    assert (ran.code, len(ran.faults)) == (2, 2)
    assert "清单.xlsx 账号 第4行：名册中没有代码为9999999999的单位" in ran.faults[0]
    assert not any(word in ran.err + ran.out for word in (*PASSWORDS, "Secret#1"))
    assert not (office.folder / "keys" / "accounts.json").exists()
    assert office.app.store.account_standings() == {}

    ran = take(office, ministry_list(headings=(*HEADINGS[:4], "口令", HEADINGS[5])))
    assert (ran.code, ran.faults) == (
        2,
        [
            "清单.xlsx：没有账号清单：表头缺少初始密码；名称不同的，请在 config.toml 的 [accounts.columns] 中对应"
        ],
    )


def test_a_shared_initial_password_is_something_to_look_at_and_aliases_are_kept(office: Office) -> None:
    ran = take(office, ministry_list())
    assert ran.code == 1
    assert ran.lines[0] == "账号清单已导入：6个账号；待发放5个单位，已在发放的0个，已签收、不再发放的0个"
    assert "清单.xlsx 账号 第6行：自本行起有2个账号的初始密码相同（第6—7行）" in ran.out
    store = office.app.store
    assert {code for code, one in store.account_standings().items() if one.shared} == {FIRST, SECOND}
    assert store.aliases() == {"zyyx01": (FIRST,), "zz-city": (CITY,)}
    private = office.folder / "keys" / "accounts.json"
    assert private.stat().st_mode & 0o777 == 0o600
    assert all(word in private.read_text(encoding="utf-8") for word in PASSWORDS)
    assert places_with(office, PASSWORDS) == []

    again = take(office, ministry_list())
    assert "待发放0个单位，已在发放的5个" in again.out
    changed = [*LIST[:3], (COUNTY, "", "管理员", "410102A1", "County#new", ""), *LIST[4:]]
    assert "待发放1个单位，已在发放的4个" in take(office, ministry_list(changed)).out
    assert store.account_standings()[COUNTY].events == 2


def test_the_state_is_counted_by_level(office: Office) -> None:
    take(office, ministry_list())
    ran = office.huizhi("accounts", "status")
    assert (ran.code, ran.lines[:2]) == (0, ["省级：未发放 1", "省辖市：未发放 1"])
    assert "名册中没有账号的单位：" in ran.lines[-1]
    told = office.huizhi("accounts", "status", "--json").json
    assert told["levels"]["school"] == {"not_sent": 2, "sent": 0, "overdue": 0, "bounced": 0, "confirmed": 0}
    assert told["unlisted"] == {"direct_county": 1, "university": 1, "school": 8}


def signed(
    world: World, unit: str, text: str = "已签收。", answering: str = "accounts", **said: Any
) -> list[str]:
    world.post(world.reply(unit, text=text, answering=answering, **said))
    return buckets(world.poll())


def rows_of(world: World) -> dict[str, list[Any]]:
    with world.app.store.reading() as connection:
        return {
            table.name: sorted(tuple(row) for row in connection.execute(table.select()))
            for table in (tables.account_standings, tables.aliases, tables.letters)
        }


def test_accounts_go_down_the_tree_as_each_level_signs(opened: World) -> None:
    world = opened
    take(world, ministry_list())
    would = world.huizhi("accounts", "send", "--dry-run")
    assert (would.code, would.lines[-1]) == (0, "可以发放 2 个单位（未发放），待上级签收 3 个")
    assert world.huizhi("accounts", "send").lines == [
        "账号信件已排入待发 2 封；待上级签收后自动发放 3 个单位"
    ]
    world.send()

    # The city has its own and its county's; not a school's, which is the county's to hand on.
    sheet = world.newest(CITY, "accounts")
    assert sheet.to == administrator(CITY)
    words = opening(world, CITY)
    found = sheets(sheet, words)
    assert [row[:3] for row in found["账号"]] == [
        ["审核员", "410100A2", "City#review1"], ["管理员", "410100A1", "City#admin2"],
    ]  # fmt: skip
    [below] = found["下级单位"]
    assert below[:5] == [COUNTY, "中原区教育局", "管理员", "410102A1", "County#7371"]
    assert below[6] == opening(world, COUNTY)
    assert unlock(next(iter(sheet.files.values())), ["", "1234", opening(world, PROVINCE)]) is None
    assert "河南省教育厅管理员" + person(PROVINCE, Role.ADMINISTRATOR) in sheet.text
    assert words not in sheet.text

    # A stranger's signature, and one of the city's people that says that something is wrong, sign nothing.
    assert signed(world, CITY, sender="somebody@home.test") == ["unmatched"]
    assert signed(world, CITY, "收到，但是打不开，口令不对") == ["problem"]
    assert any("就系统账号来信反映问题" in matter for matter in world.status()["staff"])
    world.app.tick()
    assert world.kinds(COUNTY).count("accounts") == 0

    assert signed(world, CITY) == ["request"]
    world.app.tick()
    world.send()
    assert "City#admin2" not in (world.folder / "keys" / "accounts.json").read_text(encoding="utf-8")
    assert world.huizhi("accounts", "opening", CITY).code == 2
    county = world.newest(COUNTY, "accounts")
    found = sheets(county, opening(world, COUNTY))
    assert [row[4] for row in found["下级单位"]] == [SHARED, SHARED]
    assert f"郑州市教育局管理员{person(CITY, Role.ADMINISTRATOR)}" in county.text

    assert signed(world, COUNTY, "账号表已签收，签收人：张三") == ["request"]
    world.app.tick()
    world.send()
    school = world.newest(FIRST, "accounts")
    assert "请收到当天登录修改" in school.text
    assert list(sheets(school, opening(world, FIRST))) == ["账号"]
    assert [signed(world, unit) for unit in (FIRST, SECOND, PROVINCE)] == [["request"]] * 3
    world.app.tick()
    told = world.huizhi("accounts", "status")
    assert (told.code, told.lines[:4]) == (
        0, ["省级：已签收 1", "省辖市：已签收 1", "县（市、区）：已签收 1", "学校：已签收 2"],
    )  # fmt: skip
    assert not (world.folder / "keys" / "accounts.json").exists()

    # No password anywhere: ledger, database, letters, workbooks; and a rebuild gives the same rows.
    world.app.consolidate()
    assert places_with(world, (*PASSWORDS, words)) == []
    before = rows_of(world)
    world.close()
    assert world.huizhi("rebuild").code == 0
    assert rows_of(world) == before
    assert "已签收、不再发放的5个" in take(world, ministry_list()).out


@pytest.fixture
def sent(office: Office) -> Office:
    """The accounts of city, county and a school that nobody can write to have been sent, without waiting for signatures."""
    path = office.folder / "config.toml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("at_once = false", "at_once = true"), encoding="utf-8"
    )
    office.close()
    office.open()
    take(office, ministry_list([LIST[0], *LIST[2:], (POINT, "", "", "4101020003A1", "Point#1", "")]))
    assert "待发 6 封" in office.huizhi("accounts", "send").out
    return office


def of_kind(office: Office, kind: str) -> list[tuple[str, str]]:
    return [(row.unit, row.to) for row in office.app.store.letters("2026Q4") if row.kind == kind]


def test_a_unit_without_an_address_gets_its_accounts_through_the_unit_directly_above(sent: Office) -> None:
    assert (POINT, administrator(SECOND)) in of_kind(sent, "accounts")
    assert "请转交柳沟教学点" in sent.newest(POINT, "accounts").text
    sent.ingest(sent.reply(POINT, text="已收到", answering="accounts", sender=administrator(SECOND)))
    known = sent.app.store.account_standings()
    assert (known[POINT].confirmed_by, known[SECOND].confirmed_by) == (SECOND, "")


def test_what_nobody_signs_for_goes_up_the_ladder_each_step_once(sent: Office) -> None:
    assert sent.ingest(sent.reply(CITY, text="签收", answering="accounts")).code == 0
    for day in ("12-14 09:00", "12-15 09:05", "12-15 18:00", "12-17 09:05", "12-17 18:00", "12-18 09:05"):
        sent.at(day)
        sent.app.tick()
    assert sorted(unit for unit, _ in of_kind(sent, "account_reminder")) == sorted(
        [PROVINCE, COUNTY, FIRST, SECOND, POINT]
    )
    assert sorted(of_kind(sent, "account_escalation")) == [
        (CITY, administrator(CITY)), (COUNTY, administrator(COUNTY)), (SECOND, administrator(SECOND)),
    ]  # fmt: skip
    told = sent.newest(COUNTY, "account_escalation").text
    assert "中原区第一小学（4101020001）：逾期未签收，2026年12月10日发放" in told
    assert sent.huizhi("accounts", "status").code == 1
    for day in ("12-22 09:05", "12-23 09:05"):
        sent.at(day)
        sent.app.tick()
    matters = [matter for matter in sent.status()["staff"] if "系统账号逾期未签收" in matter]
    assert len(matters) == 4
    assert places_with(sent, PASSWORDS) == []


def test_an_unproven_signature_is_asked_for_again_and_counts_for_nothing(sent: Office) -> None:
    ran = sent.ingest(sent.reply(FIRST, text="账号已签收", answering="", subject="账号"))
    assert ran.json["bucket"] == "empty"
    assert "不能作为签收：来信没有编号，也不是对我方信件的回复" in sent.newest(FIRST, "account_reminder").text
    assert sent.app.store.account_standings()[FIRST].confirmed_at is None


def test_a_purge_takes_what_nobody_has_signed_for(sent: Office) -> None:
    sent.at("12-20 09:00")
    assert (
        "未签收的账号和初始密码\t2026-12-15 00:00 以前\t文件 6 个"
        in sent.huizhi("purge", "--before", "2026-12-15", "--dry-run").out
    )
    assert (sent.folder / "keys" / "accounts.json").exists()
    assert sent.huizhi("purge", "--before", "2026-12-15").code == 0
    assert not (sent.folder / "keys" / "accounts.json").exists()
    assert sent.huizhi("ledger", "verify").code == 0
    again = sent.huizhi("accounts", "send", "--unit", FIRST)
    assert (again.code, "请重新导入教育部清单" in again.err) == (1, True)
