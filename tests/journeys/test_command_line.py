"""The command line as staff and scripts meet it: exit codes, one clear line for each fault, the shapes of the JSON.

No mail server is needed but for `doctor`: letters are read from the outbox, and replies come in with `ingest`.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from tests.journeys import clerks
from tests.journeys.world import (
    CITY,
    COUNTY,
    DIRECT,
    FIRST,
    FOURTH,
    PROVINCE,
    PROVINCIAL_VOCATIONAL,
    SECOND,
    THIRD,
    UNITS,
    UNIVERSITY,
    Mail,
    Ran,
    World,
    huizhi,
    letter,
    moment,
    person,
    small_roster,
)
from workflow.adapters.store import Store, tables
from workflow.demo.files import sealed_page
from workflow.domain.errors import Conflict
from workflow.domain.lifecycle import CaseState
from workflow.domain.roster import Role
from workflow.process.intake import Raw

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from workflow.domain.events import Event


class Office(World):
    """A workspace without servers: what it would mail is read from its outbox."""

    def inbox(self, to: str = "") -> list[Mail]:
        rows = self.app.store.letters("2026Q4")
        found = [Mail(self.app.files.letter(row.sha)) for row in rows]
        return [mail for mail in found if not to or mail.to == to]

    def ingest(self, *raws: bytes, received: str = "2026-12-12T10:00:00+08:00") -> Ran:
        folder = self.folder.parent / f"letters-{len(list(self.folder.parent.iterdir()))}"
        folder.mkdir()
        for place, raw in enumerate(raws):
            (folder / f"{place:02d}.eml").write_bytes(raw)
        return self.huizhi("ingest", folder, "--received", received, "--json")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    nowhere: Any = SimpleNamespace(imap_port=1, smtp_port=1)
    office = Office(
        tmp_path / "workspace", nowhere, {}, settings={"imap.password_env": '""', "reader.workers": "1"}
    )
    yield office
    office.close()


@pytest.fixture
def asked(office: Office) -> Office:
    """A campaign is open."""
    assert office.import_roster().code == 1  # an address is missing and a reviewer: queries, no refusal
    assert office.huizhi("open", "2026Q4", "--receipt-due", "2026-12-20").code == 0
    return office


@pytest.fixture
def reviewed(asked: Office) -> Office:
    """Three schools have answered, and the county's window is open."""
    raws = [asked.reply(unit, asked.filled(unit)) for unit in (FIRST, SECOND, THIRD)]
    assert asked.ingest(*raws).code == 0
    asked.at("01-02 10:00")
    return asked


def refused(ran: Ran, *said: str) -> None:
    """Exit code 2, and on stderr exactly one line for each fault, each with its words."""
    assert ran.code == 2, (ran.out, ran.err)
    assert len(ran.faults) == len(said), ran.err
    for words, line in zip(said, ran.faults, strict=True):
        assert re.search(words, line), line


# --- opening and intake ---------------------------------------------------------------------------------------------


def test_a_level_without_a_reviewer_is_seen_as_the_campaign_opens(office: Office) -> None:
    office.import_roster()
    ran = office.huizhi("open", "2026Q4")
    told = [line for line in ran.out.splitlines() if "没有登记审核员，本级数据将不经审核自动上报" in line]
    assert [line for line in told if f"（{DIRECT}）" in line], ran.out
    staff = [str(one) for one in office.status()["staff"]]
    assert [one for one in staff if "巩义市教育局没有登记审核员，本级数据将不经审核自动上报" in one], staff
    again = office.huizhi("open", "2026Q4")
    assert "没有登记审核员" not in again.out


def test_the_next_period_opens_when_every_level_has_reported(asked: Office) -> None:
    asked.at("01-13 10:00")
    refused(asked.huizhi("open", "2027Q1"), "2026Q4 还有 5 个层级没有上报")
    asked.at("01-27 10:00")
    assert asked.huizhi("tick").code == 0
    assert {package.locked for package in asked.app.store.packages("2026Q4")} == {True}
    assert asked.huizhi("open", "2027Q1").code == 0


class Contested(Store):
    """A store on which somebody else always writes first where one message is concerned, unless it is put aside."""

    def append(self, events: Sequence[Event], seen: Mapping[str, int] | None = None) -> None:
        taken = [event for event in events if event.kind == "message.taken"]
        if any(
            event.personal and "难" in event.personal["subject"] and event.data["bucket"] != "failed"
            for event in taken
        ):
            raise Conflict("somebody else wrote first")
        super().append(events, seen)


def test_a_message_that_conflicts_for_ever_does_not_hold_up_the_mail_behind_it(asked: Office) -> None:
    contested = Contested(f"sqlite:///{asked.folder}/state.db", asked.folder / "ledger")
    hard = letter("x@home.test", asked.address, "难", "", [])
    good = asked.reply(FIRST, asked.filled(FIRST))
    at = moment("12-12 10:00")
    outcomes = replace(asked.app.intake(), store=contested).take([Raw(hard, at), Raw(good, at)])
    assert sorted(str(outcome.bucket) for outcome in outcomes) == ["failed", "submission"]
    contested.close()
    assert asked.huizhi("mail", "retry", asked.app.files.keep_mail([hard])[0][:12]).code == 0
    assert "failed" not in asked.status()["mail"]["buckets"]


# --- workspace ------------------------------------------------------------------------------------------------------


def test_init_makes_a_workspace_once(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    made = huizhi("init", folder)
    assert made.code == 0
    assert {path.name for path in folder.iterdir()} >= {
        "config.toml",
        "templates",
        "rosters",
        "mailbox",
        "outbox",
    }
    assert (folder / "keys").stat().st_mode & 0o077 == 0
    (folder / "config.toml").write_text("# mine\n", encoding="utf-8")
    refused(huizhi("init", folder), "已经是工作目录")
    assert (folder / "config.toml").read_text(encoding="utf-8") == "# mine\n"


def test_a_folder_that_is_no_workspace_is_refused(tmp_path: Path) -> None:
    refused(huizhi("--workspace", tmp_path, "status"), "huizhi init")


def test_a_command_that_is_written_wrong_is_refused_in_one_line(tmp_path: Path) -> None:
    refused(huizhi("--workspace", tmp_path, "approve"), "命令写法不对")
    refused(huizhi("--workspace", tmp_path, "nonsense"), "命令写法不对")
    refused(huizhi(), "命令写法不对")


def test_a_config_that_is_no_toml_is_refused_with_its_line(office: Office) -> None:
    path = office.folder / "config.toml"
    path.write_text(path.read_text(encoding="utf-8") + '\nbroken = "\n', encoding="utf-8")
    refused(office.huizhi("status"), r"config\.toml.*第\d+行第\d+列：不是合格的 TOML：引号没有在本行闭合")


def test_every_fault_of_a_config_is_said_with_its_line(office: Office) -> None:
    path = office.folder / "config.toml"
    text = path.read_text(encoding="utf-8")
    changes = {
        'folder = "INBOX"': "folder = 7",
        "per_pass = 500": 'per_pass = "viele"',
        "county = [1, 5]": "county = [5, 1]",
        "return_days = 3": "return_days = 3\nreturn_dayz = 4",
        "[review]": "[reviev]\nx = 1\n\n[review]",
        'address = "huizhi@huizhi.test"': 'address = "huizhi"',
    }
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text, encoding="utf-8")
    lines = text.splitlines()
    ran = office.huizhi("status")
    assert ran.code == 2
    assert len(ran.faults) == len(changes)
    for setting in ("folder", "per_pass", "county", "return_dayz", r"\[reviev\]", "address"):
        line = next(number for number, text in enumerate(lines, 1) if re.match(setting, text))
        assert any(f"第{line}行" in fault and setting.strip("\\[]") in fault for fault in ran.faults), setting


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("poll_minutes = 5", "poll_minutes = inf"),
        ("grace_hours = 12", "grace_hours = 1e300"),
        ("seconds = 20", "seconds = nan"),
        ("port = 1\n", "port = true\n"),
        ('folder = "INBOX"', 'folder = ""'),
        ("city = [6, 10]", "city = [1, 3]"),
    ],
)
def test_a_setting_that_means_nothing_is_refused_in_one_line(office: Office, old: str, new: str) -> None:
    path = office.folder / "config.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    refused(office.huizhi("status"), "config")


def test_settings_saved_by_a_windows_program_are_read(office: Office) -> None:
    path = office.folder / "config.toml"
    path.write_text("\ufeff" + path.read_text(encoding="utf-8"), encoding="utf-8")
    assert office.import_roster().code == 1


def test_the_systems_own_mailbox_is_nobodys_address(office: Office) -> None:
    roster = small_roster()
    own = office.app.config.letterhead.address
    contacts = (replace(roster.contacts[0], email=own), *roster.contacts[1:])
    refused(office.import_roster(replace(roster, contacts=contacts)), "系统自己的邮箱")


def test_a_password_that_is_not_set_is_refused(office: Office) -> None:
    path = office.folder / "config.toml"
    text = path.read_text(encoding="utf-8").replace(
        'password_env = ""', 'password_env = "NO_SUCH_PASSWORD"', 1
    )
    path.write_text(text, encoding="utf-8")
    office.import_roster()
    refused(office.huizhi("poll"), "NO_SUCH_PASSWORD.*没有设置")


def test_the_doctor_finds_a_healthy_workspace_healthy(world: World) -> None:
    ran = world.huizhi("doctor")
    assert (ran.code, ran.err) == (0, "")
    assert {line.split()[0] for line in ran.lines} == {"通过"}
    assert {"收信服务器", "发信服务器", "名册"} <= {line.split()[1].partition("：")[0] for line in ran.lines}


def test_the_doctor_names_each_thing_that_is_ill_and_what_to_do(office: Office) -> None:
    ran = office.huizhi("doctor")
    assert ran.code == 3
    assert {line.split()[0] for line in ran.lines} == {"通过"}
    assert [fault.partition("：")[0] for fault in ran.faults] == [
        "不通过 名册",
        "不通过 收信服务器",
        "不通过 发信服务器",
    ]
    assert "huizhi roster import" in ran.faults[0]


# --- roster and forms -----------------------------------------------------------------------------------------------


def test_every_fault_of_a_roster_is_said_with_sheet_row_and_remedy_and_nothing_is_imported(
    office: Office,
) -> None:
    office.import_roster()
    path = office.folder / "rosters" / "units.xlsx"
    book = openpyxl.load_workbook(path)
    sheet = book["单位"]
    head, columns = clerks.headings(sheet, "单位代码", "上级单位代码")
    row = {str(sheet.cell(at, columns["单位代码"]).value): at for at in range(head + 1, sheet.max_row + 1)}
    sheet.cell(
        row[CITY], columns["上级单位代码"]
    ).value = COUNTY  # a circle: the county stands under the city
    sheet.cell(row[FIRST], columns["上级单位代码"]).value = "419999"
    sheet.cell(row[FOURTH], columns["单位代码"]).value = SECOND
    book.save(path)
    events = office.app.store.head()
    ran = office.huizhi("roster", "import", path)
    assert ran.code == 2
    assert any(f"第{row[FIRST]}行" in line and "419999" in line for line in ran.faults)
    assert any(f"第{row[FOURTH]}行" in line and "重复" in line for line in ran.faults)
    assert any(re.search(r"圈|上级", line) and "郑州市教育局" in line for line in ran.faults)
    assert all("；" in line for line in ran.faults)  # each with its remedy
    assert office.app.store.head() == events


def test_a_roster_that_is_no_workbook_is_refused(office: Office, tmp_path: Path) -> None:
    path = tmp_path / "名册.xlsx"
    path.write_bytes(b"not a workbook")
    refused(office.huizhi("roster", "import", path), "不是可以读取的工作簿")
    refused(office.huizhi("roster", "import", tmp_path / "missing.xlsx"), "无法读取")
    refused(office.huizhi("roster", "show"), "尚未导入")


def test_the_difference_of_a_roster_is_shown_and_changes_nothing(office: Office, tmp_path: Path) -> None:
    office.import_roster()
    path = office.folder / "rosters" / "units.xlsx"
    same = office.huizhi("roster", "diff", path)
    assert (same.code, same.out) == (0, "没有不同\n")
    book = openpyxl.load_workbook(path)
    for cell in book["单位"]["B"]:
        cell.value = "中原区实验小学" if cell.value == "中原区第一小学" else cell.value
    book.save(tmp_path / "新名册.xlsx")
    events = office.app.store.head()
    ran = office.huizhi("roster", "diff", tmp_path / "新名册.xlsx")
    assert ran.code == 1
    assert ran.lines[0] == f"更名 {FIRST} 中原区第一小学 → 中原区实验小学"
    assert office.app.store.head() == events


def test_the_roster_is_shown_as_a_tree(office: Office) -> None:
    office.import_roster()
    ran = office.huizhi("roster", "show")
    assert ran.code == 0
    assert len(ran.lines) == len(UNITS)
    assert ran.lines[0].startswith(PROVINCE)
    assert f"    {COUNTY}" in ran.out
    assert person(COUNTY, Role.REVIEWER) in ran.out


def broken_form(office: Office) -> Path:
    path = office.folder / "templates" / "forms" / "school.xlsx"
    book = openpyxl.load_workbook(path)
    sheet = book["字段"]
    head, columns = clerks.headings(sheet, "字段", "类型")
    sheet.cell(head + 3, columns["类型"]).value = "怪类型"
    sheet.cell(head + 4, columns["类型"]).value = "另一种"
    book.save(path)
    return path


def test_a_form_is_checked_and_every_fault_said_with_its_cell(office: Office) -> None:
    good = office.huizhi("form", "check", office.folder / "templates" / "forms" / "vocational.xlsx")
    assert good.code == 0
    assert "没有问题" in good.out
    ran = office.huizhi("form", "check", broken_form(office))
    assert ran.code == 2
    assert len(ran.faults) >= 2
    assert all(re.search(r"字段!\w+\d+", line) for line in ran.faults[:2])
    assert "怪类型" in ran.err
    assert "另一种" in ran.err


def test_a_broken_form_stops_the_opening_before_anything_is_written(office: Office) -> None:
    office.import_roster()
    broken_form(office)
    events = office.app.store.head()
    ran = office.huizhi("open", "2026Q4")
    assert ran.code == 2
    assert "school.xlsx" in ran.err
    assert office.app.store.head() == events


def test_a_preview_is_one_units_copy_without_a_valid_token(asked: Office, tmp_path: Path) -> None:
    form, target = asked.folder / "templates" / "forms" / "school.xlsx", tmp_path / "预览.xlsx"
    assert asked.huizhi("form", "preview", form, "--unit", FIRST, "--out", target).code == 0
    marks = clerks.marks(target.read_bytes())
    assert marks["unit"] == FIRST
    assert not asked.app.store.cases_by_token([marks["token"]])
    assert clerks.shown(target.read_bytes(), asked.form_of(FIRST))["学校名称"] == "中原区第一小学"
    refused(asked.huizhi("form", "preview", form, "--unit", "999999", "--out", target), "名册中没有这个单位")


def with_rule(office: Office, target: Path, *rule: str) -> Path:
    """The schools' form with one rule more."""
    book = openpyxl.load_workbook(office.folder / "templates" / "forms" / "school.xlsx")
    book["规则"].append(rule)
    book.save(target)
    return target


def test_a_form_is_tried_on_the_answers_that_are_held_and_nothing_changes(
    reviewed: Office, tmp_path: Path
) -> None:
    events = reviewed.app.store.head()
    stricter = with_rule(reviewed, tmp_path / "school.xlsx", "Z99", "逻辑校验", "=班级数<0", "班级数应为负数")
    ran = reviewed.huizhi("form", "try", stricter)
    assert ran.code == 1
    assert re.search(r"用 2026Q4 已报送的 3 份工作簿试算", ran.out)
    assert "Z99 逻辑校验 适用 3，不符合 3（100.0%）：班级数应为负数" in ran.out
    assert f"{FIRST} 中原区第一小学" in ran.out
    assert "共有 3 个单位会被询问" in ran.out
    said = reviewed.huizhi("form", "try", stricter, "--campaign", "2026Q4", "--json").json
    assert (said["units"], said["asked"], said["campaign"]) == (3, 3, "2026Q4")
    assert said["rules"][-1] == {
        "id": "Z99", "severity": "逻辑校验", "formula": "=班级数<0", "message": "班级数应为负数", "applies": 3,
        "broken": 3, "explained": 0, "units": [FIRST, SECOND, THIRD],
    }  # fmt: skip
    as_sent = reviewed.huizhi("form", "try", reviewed.folder / "templates" / "forms" / "school.xlsx")
    assert (as_sent.code, as_sent.out.splitlines()[-1]) == (0, "没有单位会被询问")
    assert reviewed.app.store.head() == events
    refused(reviewed.huizhi("form", "try", stricter, "--campaign", "2025Q1"), "2025Q1")


# --- campaign -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        ["status"], ["consolidate"], ["trace", FIRST, "班级数"], ["approve", FIRST, "--by", "审0102"],
        ["report", COUNTY, "--by", "审0102"], ["receipt", "accept", UNIVERSITY, "--by", "审0078"],
    ],
    ids=lambda command: command[0],
)  # fmt: skip
def test_without_a_campaign_nothing_can_be_asked_of_it(office: Office, command: Sequence[str]) -> None:
    office.import_roster()
    refused(office.huizhi(*command), "填报任务.*尚未开启.*huizhi open")


def test_a_campaign_that_is_none_is_refused(office: Office) -> None:
    refused(office.huizhi("open", "2026Q4"), "名册.*尚未导入")
    office.import_roster()
    refused(office.huizhi("open", "2026"), "不是季度代号")
    refused(office.huizhi("open", "2026Q4", "--receipt-due", "morgen"), "不是日期")
    office.open()
    refused(office.huizhi("open", "2027Q1"), "2026Q4 还有 5 个层级没有上报")
    refused(office.huizhi("status", "--campaign", "2025Q1"), "2025Q1")
    again = office.huizhi("open", "2026Q4")
    assert again.code == 0
    assert "新建 0 个填报件，待发通知 0 封" in again.out


def test_the_status_has_its_shape(reviewed: Office) -> None:
    status = reviewed.status()
    assert {
        "campaign", "now", "cases", "packages", "origins", "mail", "late", "next",
    } <= status.keys()  # fmt: skip
    assert status["campaign"] == "2026Q4"
    assert status["now"] == "2027-01-02T10:00:00+08:00"
    assert status["cases"] == {"issued": 12, "submitted": 3}
    assert status["packages"]["county"] == {"open": 1}
    assert status["origins"] == {"missing": 12, "not_reviewed": 3}
    assert {"received", "buckets", "queued", "sent", "failed"} <= status["mail"].keys()
    assert (status["mail"]["received"], status["mail"]["buckets"]) == (3, {"submission": 3})
    assert {late["unit"] for late in status["late"]} == {unit.code for unit in UNITS} - {FIRST, SECOND, THIRD}
    assert [due["unit"] for due in status["next"]] == [COUNTY, DIRECT, CITY, UNIVERSITY, PROVINCE]
    assert any("柳沟教学点没有管理员" in matter for matter in status["staff"])
    county = reviewed.huizhi("status", "--level", "county", "--json").json
    assert sum(county["cases"].values()) == 7
    assert list(county["packages"]) == ["county"]
    refused(reviewed.huizhi("status", "--level", "village"), "没有这个层级")
    told = reviewed.huizhi("status")
    assert told.code == 0
    assert "收到邮件 3 封：填报件 3" in told.out


def test_a_report_that_waits_for_a_poll_is_said_with_exit_code_three(reviewed: Office) -> None:
    ran = reviewed.huizhi("tick", "--now", "2027-01-06T00:05:00+08:00")
    assert ran.code == 3
    assert [line for line in ran.faults if "待收信后办理 2027-01-06 00:00 自动上报 中原区教育局" in line]
    assert reviewed.status()["packages"]["county"] == {"open": 1}
    refused(reviewed.huizhi("tick", "--now", "soon"), "不是时间")


def test_consolidated_workbooks_are_written_for_a_level_or_a_unit(reviewed: Office) -> None:
    ran = reviewed.huizhi("consolidate", "--level", "county")
    assert ran.code == 0
    assert len(ran.lines) == 1
    path = reviewed.folder / ran.lines[0].partition(" ")[2]
    assert "封面" in openpyxl.load_workbook(path).sheetnames
    assert reviewed.huizhi("consolidate", "--unit", COUNTY).out == ran.out  # nothing changed: no new version
    assert len(reviewed.huizhi("consolidate").lines) == 5
    refused(reviewed.huizhi("consolidate", "--unit", FIRST), "不是上报层级")


# --- mail and files -------------------------------------------------------------------------------------------------


def test_a_dry_run_lists_the_letters_and_sends_none(asked: Office) -> None:
    ran = asked.huizhi("send", "--dry-run")
    assert ran.code == 0
    assert len(ran.lines) == len(UNITS) + 1
    assert ran.lines[-1] == f"待发 {len(UNITS)} 封（未发送）"
    assert {row.state.value for row in asked.app.store.letters("2026Q4")} == {"queued"}


def test_servers_out_of_reach_are_exit_code_three_and_nothing_is_lost(asked: Office) -> None:
    for command in ("send", "poll"):
        ran = asked.huizhi(command)
        assert ran.code == 3
        assert len([line for line in ran.faults if "127.0.0.1" in line]) == 1
    assert asked.status()["mail"]["queued"] == len(UNITS)


def test_every_file_of_a_folder_is_one_message_whatever_it_is(asked: Office, tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    (folder / "deep").mkdir(parents=True)
    good = asked.reply(FIRST, asked.filled(FIRST))
    files = {
        "a.eml": good, "again.eml": good, "empty": b"", "zeros.bin": b"\0" * 5000, "deep/workbook.xlsx": asked.filled(SECOND),
        "deep/cut.eml": good[:4000], "words.txt": "这不是邮件".encode("gb18030"), "headers.eml": b"Subject: x\r\n\r\n",
        "bad.eml": b"Content-Type: multipart/mixed; boundary=\r\nFrom: \xff\xfe\r\nDate: never\r\n\r\n--\r\n--",
    }  # fmt: skip
    for name, data in files.items():
        (folder / name).write_bytes(data)
    ran = asked.huizhi("ingest", folder, "--json")
    lines = [json.loads(line) for line in ran.lines]
    assert ran.code in {0, 1}
    assert sorted(line["file"] for line in lines) == sorted(str(folder / name) for name in files)
    for line in lines:
        assert line.keys() == {"file", "sha256", "message_id", "bucket", "attachments"}
        for part in line["attachments"]:
            assert part.keys() == {"name", "sha256", "outcome", "unit", "form", "campaign", "findings"}
    taken = {line["file"].removeprefix(f"{folder}/"): line for line in lines}
    assert taken["a.eml"]["bucket"] == "submission"
    assert [part["outcome"] for part in taken["a.eml"]["attachments"]] == ["accepted"]
    assert taken["again.eml"]["sha256"] == taken["a.eml"]["sha256"]
    mail = asked.status()["mail"]
    assert mail["received"] == sum(mail["buckets"].values()) == len(files) - 1
    assert "failed" not in mail["buckets"]
    assert asked.huizhi("ingest", folder, "--json").out == ran.out  # a second time changes nothing
    assert asked.status()["mail"]["received"] == mail["received"]
    refused(asked.huizhi("ingest", tmp_path / "missing"), "没有这个文件或目录")


def test_checking_a_file_is_a_dry_run_with_its_shape(asked: Office, tmp_path: Path) -> None:
    form, right = asked.form_of(FIRST), asked.filled(FIRST)
    number = clerks.plain_number(form)
    files = {
        "right.xlsx": right, "wrong.xlsx": clerks.fill(right, form, {number: "待统计"}), "cut.xlsx": right[:5000],
    }  # fmt: skip
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    events = asked.app.store.head()
    ran = asked.huizhi("check", *(tmp_path / name for name in files), "--json")
    lines = [json.loads(line) for line in ran.lines]
    assert ran.code == 1
    assert [line["outcome"] for line in lines] == ["accepted", "returned", "unreadable"]
    for line in lines:
        assert {"file", "outcome", "unit", "form", "findings"} <= line.keys()
    assert [(line["unit"], line["form"]) for line in lines[:2]] == [(FIRST, form.id)] * 2
    finding = lines[1]["findings"][0]
    assert finding.keys() == {"code", "severity", "cell", "message"}
    assert (finding["severity"], finding["cell"]) == ("error", form.cell_of(number))
    assert asked.huizhi("check", tmp_path / "right.xlsx").code == 0
    assert asked.app.store.head() == events
    refused(asked.huizhi("check", tmp_path / "missing.xlsx"), "没有这个文件")


# --- decisions ------------------------------------------------------------------------------------------------------

BY_COUNTY = ("--by", person(COUNTY, Role.REVIEWER))
BY_CITY = ("--by", person(CITY, Role.REVIEWER))
BY_PROVINCE = ("--by", person(PROVINCE, Role.REVIEWER))


def test_a_reviewer_approves_and_returns(reviewed: Office) -> None:
    assert reviewed.huizhi("approve", FIRST, *BY_COUNTY).code == 0
    assert reviewed.huizhi("return", SECOND, *BY_COUNTY, "--note", "请核实班级数").code == 0
    states = {case.unit: case.state for case in reviewed.app.store.cases("2026Q4")}
    assert (states[FIRST], states[SECOND]) == (CaseState.APPROVED, CaseState.RETURNED)
    assert "请核实班级数" in reviewed.newest(SECOND, "returned").text


NOT_ALLOWED = (
    (["approve", "999999", *BY_COUNTY], "名册中没有这个单位"),
    (["approve", FIRST, "--by", "路人"], "不是中原区教育局登记的审核员"),
    (["approve", FIRST, *BY_CITY], "不是中原区教育局登记的审核员"),
    (["approve", FOURTH, *BY_COUNTY], "尚未报送"),
    (["return", FIRST, *BY_COUNTY], "没有写明理由"),
    (["return", FOURTH, *BY_COUNTY, "--note", "x"], "尚未报送"),
    (["return", FIRST, *BY_COUNTY, "--note", "x", "--talked-to", "李示例"], "只用于退回上报数据"),
    (["approve", DIRECT, "--by", "谁"], "没有登记审核员"),
    (["approve", COUNTY, *BY_CITY, "--package"], "尚未上报"),
    (["report", FIRST, *BY_COUNTY], "不是上报层级"),
    (["report", CITY, *BY_CITY], "上报时间为2027年1月6日至1月10日"),
    (["withdraw", COUNTY, *BY_COUNTY, "--note", "有误"], "尚未上报"),
    (["withdraw", COUNTY, *BY_COUNTY], "没有写明理由"),
    (["withdraw", FIRST, *BY_COUNTY, "--note", "有误"], "不是上报层级"),
    (["receipt", "accept", UNIVERSITY, "--by", "谁"], "尚缺扫描件和电子版"),
)


def test_a_decision_that_is_not_allowed_is_refused_with_its_one_reason(reviewed: Office) -> None:
    events = reviewed.app.store.head()
    for command, reason in NOT_ALLOWED:
        refused(reviewed.huizhi(*command), reason)
    assert reviewed.app.store.head() == events


def test_a_level_reports_withdraws_and_is_returned_one_level_at_a_time(reviewed: Office) -> None:
    run = reviewed.huizhi
    assert run("report", COUNTY, *BY_COUNTY).code == 0
    refused(run("report", COUNTY, *BY_COUNTY), "已经上报")
    refused(run("approve", FIRST, *BY_COUNTY), "锁定")
    assert run("withdraw", COUNTY, *BY_COUNTY, "--note", "数据有误").code == 0
    refused(
        run("withdraw", COUNTY, *BY_COUNTY, "--act", "grant", "--note", "同意"),
        "不是郑州市教育局登记的审核员",
    )
    assert run("withdraw", COUNTY, *BY_CITY, "--act", "refuse", "--note", "时间已过").code == 0
    assert reviewed.status()["packages"]["county"] == {"reported": 1}
    assert run("withdraw", COUNTY, *BY_COUNTY, "--note", "数据确有误").code == 0
    assert run("withdraw", COUNTY, *BY_CITY, "--act", "grant", "--note", "同意").code == 0
    assert reviewed.status()["packages"]["county"] == {"returned": 1}
    assert run("approve", FIRST, *BY_COUNTY).code == 0
    assert run("report", COUNTY, *BY_COUNTY).code == 0
    assert run("approve", COUNTY, *BY_CITY, "--package").code == 0
    reviewed.at("01-07 10:00")
    assert run("report", CITY, *BY_CITY).code == 0
    talked = (
        "--note",
        "请核实",
        "--talked-to",
        "李示例",
        "--talked-at",
        "2027-01-07 09:30",
        "--means",
        "电话",
    )
    refused(run("return", COUNTY, *BY_CITY, "--package", *talked), "已上报")
    refused(run("return", CITY, *BY_PROVINCE, "--package", "--note", "请核实"), "请填写沟通对象、沟通时间")
    assert run("return", CITY, *BY_PROVINCE, "--package", *talked).code == 0
    assert run("return", COUNTY, *BY_CITY, "--package", *talked, "--due", "1月9日").code == 0
    words = "理由：请核实；2027年1月7日09:30与李示例（电话）沟通确认；限期2027年1月9日24:00"
    traced = run("trace", FIRST, clerks.plain_number(reviewed.form_of(FIRST)))
    assert any(
        line.startswith("上报经过（中原区教育局） 2027-01-07") and words in line for line in traced.lines
    )
    assert any(words in line for line in run("status").lines)
    assert {one["talked_to"] for one in reviewed.status()["returned"]} == {"李示例"}
    assert reviewed.status()["packages"]["county"] == {"returned": 1}


def test_a_receipt_is_accepted_when_both_parts_are_there(asked: Office) -> None:
    notice = asked.newest(PROVINCIAL_VOCATIONAL, "notice")
    name, data = next((name, data) for name, data in notice.files.items() if "回执表" in name)
    scan = asked.reply(PROVINCIAL_VOCATIONAL, ("扫描件.pdf", sealed_page(data, "PDF")))
    assert asked.ingest(scan).code == 0
    accept = partial(asked.huizhi, "receipt", "accept", PROVINCIAL_VOCATIONAL, "--by", "值班员")
    refused(accept(), "尚缺电子版")
    assert asked.ingest(asked.reply(PROVINCIAL_VOCATIONAL, (name, data), text="电子版")).code == 0
    assert accept("--note", "一致").code == 0
    assert {row.accepted_by for row in asked.app.store.receipts("2026Q4")} == {"值班员"}


def test_a_reviewers_workbook_is_applied_from_a_file(reviewed: Office, tmp_path: Path) -> None:
    reviewed.huizhi("consolidate", "--unit", COUNTY)
    made = reviewed.app.store.book("2026Q4", COUNTY)
    assert made is not None
    book = (reviewed.folder / "outbox" / made.path).read_bytes()
    path = tmp_path / "审核.xlsx"
    path.write_bytes(clerks.review(book, {SECOND: "请核实班级数"}, report=True))
    refused(reviewed.huizhi("review", "apply", path, "--by", "路人"), "不是中原区教育局登记的审核员")
    ran = reviewed.huizhi("review", "apply", path, *BY_COUNTY)
    assert (ran.code, ran.err) == (0, "")
    assert "已办 中原区第一小学 通过" in ran.lines
    assert "已办 中原区第二中心小学 退回" in ran.lines
    assert ran.lines[-1] == "本级数据已上报"
    again = reviewed.huizhi("review", "apply", path, *BY_COUNTY)
    assert again.code == 1
    assert all(line.startswith("未予采用") for line in again.faults)
    path.write_bytes(reviewed.filled(FIRST))
    refused(reviewed.huizhi("review", "apply", path, *BY_COUNTY), "审核汇总表")
    refused(reviewed.huizhi("review", "apply", tmp_path / "missing.xlsx", *BY_COUNTY), "无法读取")


# --- ledger ---------------------------------------------------------------------------------------------------------


def rows(office: Office) -> dict[str, list[str]]:
    with office.app.store.reading() as connection:
        return {
            table.name: sorted(repr(tuple(row)) for row in connection.execute(table.select()))
            for table in (*tables.PROJECTIONS, tables.events)
        }


def test_the_projections_are_rebuilt_row_for_row_from_the_exported_ledger(
    reviewed: Office, tmp_path: Path
) -> None:
    reviewed.huizhi("approve", FIRST, *BY_COUNTY)
    reviewed.huizhi("report", COUNTY, *BY_COUNTY)
    reviewed.huizhi("consolidate")
    before = rows(reviewed)
    assert reviewed.huizhi("ledger", "export", tmp_path / "copy").code == 0
    reviewed.close()
    for name in ("state.db", "state.db-wal", "state.db-shm"):
        (reviewed.folder / name).unlink(missing_ok=True)
    ran = reviewed.huizhi("rebuild", tmp_path / "copy")
    assert ran.code == 0, ran.err
    assert rows(reviewed) == before
    assert reviewed.huizhi("ledger", "verify").code == 0
    assert reviewed.huizhi("rebuild").code == 0
    assert rows(reviewed) == before


def test_a_ledger_that_was_changed_is_found_out(reviewed: Office) -> None:
    assert reviewed.huizhi("ledger", "verify").code == 0
    with reviewed.app.store.writing() as connection:
        changed = tables.events.update().where(tables.events.c.kind == "case.submitted").values(actor="某人")
        connection.execute(changed)
    ran = reviewed.huizhi("ledger", "verify")
    assert ran.code == 1
    assert len(ran.faults) == 1
    assert re.search(r"台账第\d+条", ran.faults[0])


def test_tracing_what_is_not_there_is_refused(reviewed: Office) -> None:
    refused(reviewed.huizhi("trace", "999999", "班级数"), "名册中没有这个单位")
    refused(reviewed.huizhi("trace", FIRST, "没有的字段"), "没有这个字段")
    missing = reviewed.huizhi("trace", FOURTH, clerks.plain_number(reviewed.form_of(FOURTH)))
    assert missing.code == 0
    assert "本期没有报送" in missing.out
