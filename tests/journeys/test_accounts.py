"""The ministry's accounts on their way down the tree: what is taken in, who gets what, who signs, and where no password ever is."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from tests.journeys.test_command_line import Office
from tests.journeys.world import (
    CITY,
    COUNTY,
    FIRST,
    PROVINCE,
    SECOND,
    Ran,
)

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


def take(office: Office, data: bytes, *options: str) -> Ran:
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


def places_with(office: Office, words: Sequence[str]) -> list[str]:
    """The files of the workspace, but the private one, in which any of these words stands in clear."""
    found = []
    for path in office.folder.rglob("*"):
        if path.is_file() and path.name != "accounts.json":
            data = path.read_bytes()
            found += [
                str(path) for word in words if word.encode() in data or word.encode("utf-16-le") in data
            ]
    return found


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
