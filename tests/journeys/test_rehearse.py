"""`huizhi rehearse`: a whole quarter in memory for a sample of the roster, and nothing of the workspace changes."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import io
import json
import re
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from workflow import mail_settings
from workflow.adapters.workbook.roster import read_roster
from workflow.app import App
from workflow.cli import main
from workflow.cli.workspace import make_workspace, shipped
from workflow.demo.mailing import Letter
from workflow.demo.rehearsal.composing import answer
from workflow.demo.rehearsal.rates import Limits, Rates, load
from workflow.demo.rehearsal.sample import sampled
from workflow.demo.rehearsal.words import KIND_WORDS
from workflow.domain.campaign import SHANGHAI
from workflow.domain.errors import Refused
from workflow.domain.letters import LetterKind
from workflow.domain.roster import Roster

UNITS, PER_DAY = 24, 10
RATES = f"""
seed = 5
[units]
silent = 0.15
late = 0.1
wrong = 0.2
no_change = 0.1
twice = 0.1
unknown_sender = 0.1
dead_address = 0.15
[reviewers]
silent = 0.3
[limits]
per_day = {PER_DAY}
"""


@dataclass(frozen=True)
class Played:
    workspace: Path
    before: dict[str, str]
    after: dict[str, str]
    said: dict[str, Any]


def contents(folder: Path) -> dict[str, str]:
    """Every file of a workspace with what is in it; the database's own files change when it is only read."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith("state.db")
    }


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rehearsal")
    make_workspace(folder)
    (folder / "few.toml").write_text(RATES, encoding="utf-8")
    app = App(folder)
    assert app.store.roster() is None
    app.close()
    return folder


@pytest.fixture(scope="module")
def played(workspace: Path) -> Played:
    before = contents(workspace)
    said = io.StringIO()
    rates = ("--rates", str(workspace / "few.toml"))
    with contextlib.redirect_stdout(said):
        code = main(
            ["--workspace", str(workspace), "rehearse", "2026Q4", "--units", str(UNITS), *rates, "--json"]
        )
    assert code == 0
    return Played(workspace, before, contents(workspace), json.loads(said.getvalue()))


def test_nothing_of_the_workspace_changes_but_the_report_that_is_added(played: Played) -> None:
    assert {name for name in played.after if name not in played.before} == {"rehearsal-2026Q4.xlsx"}
    assert {name: played.after[name] for name in played.before} == played.before
    app = App(played.workspace)
    assert (app.store.roster(), app.store.campaigns(), app.store.mail_counts().received) == (None, [], 0)
    app.close()


def test_what_is_told_adds_up(played: Played) -> None:
    said, letters = played.said, played.said["letters"]
    asked = sum(said["cases"].values())
    assert 0 < asked <= said["units"] <= UNITS
    assert sum(said["origins"].values()) == asked
    assert sum(letters["kinds"].values()) == letters["total"] == sum(day["queued"] for day in letters["days"])
    assert sum(said["received"]["buckets"].values()) == said["received"]["total"]
    levels = said["levels"].values()
    assert sum(level["packages"] for level in levels) == len(said["reviewers"])
    assert sum(level["auto"] for level in levels) == sum(one["auto"] for one in said["reviewers"])
    assert sum(one["rows"] for one in said["reviewers"]) <= asked


def test_the_people_did_what_the_rates_say(played: Played) -> None:
    said = played.said
    assert {"submission", "review", "confirmation"} <= said["received"]["buckets"].keys()
    assert said["received"]["buckets"].get("failed", 0) == 0
    assert said["returned"] > 0
    assert said["origins"]["approved"] > 0
    assert said["failed"]
    assert any(one["auto"] for one in said["reviewers"])
    assert not all(one["auto"] for one in said["reviewers"])


def test_no_day_sends_more_than_the_relay_takes_and_what_waits_is_told(played: Played) -> None:
    letters = played.said["letters"]
    assert max(day["sent"] for day in letters["days"]) == PER_DAY == letters["peak"]["sent"]
    assert letters["days_waiting"] > 0
    assert letters["days"][0]["waiting"] > 0
    assert letters["limits"]["possible_per_day"] == PER_DAY


def test_the_report_is_a_workbook_of_four_sheets_that_says_the_same(played: Played) -> None:
    book = openpyxl.load_workbook(played.workspace / "rehearsal-2026Q4.xlsx")
    assert book.sheetnames == ["概况", "每日信件", "审核工作量", "自动上报"]
    days = {row[0]: row[3] for row in book["每日信件"].iter_rows(min_row=3, values_only=True)}
    for day in played.said["letters"]["days"]:
        assert days[dt.datetime.fromisoformat(day["date"])] == day["sent"]
    loads = {row[2]: row[6] for row in book["审核工作量"].iter_rows(min_row=3, values_only=True)}
    assert loads == {one["unit"]: one["rows"] for one in played.said["reviewers"]}
    words = " ".join(str(cell) for row in book["概况"].iter_rows(values_only=True) for cell in row if cell)
    assert "发信限额不足" in words


def test_the_same_goes_through_the_embedded_servers(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = workspace / "over-imap.xlsx"
    arguments = ["rehearse", "2026Q4", "--units", "7", "--imap", "--out", str(out)]
    assert main(["--workspace", str(workspace), *arguments]) == 0
    said = capsys.readouterr().out
    assert "演练 2026Q4：" in said
    assert re.search(r"收到邮件 [1-9]", said)
    assert out.is_file()


def roster() -> Roster:
    return read_roster((shipped("rosters") / "units.xlsx").read_bytes(), "units.xlsx")[0]


@pytest.mark.parametrize("size", [3, 20, 200])
def test_a_sample_is_still_a_tree(size: int) -> None:
    whole = roster()
    part = sampled(whole, size, 1)
    assert 0 < len(part.units) <= size
    assert all(not unit.superior or unit.superior in part.units for unit in part.units.values())
    assert {contact.unit for contact in part.contacts} <= part.units.keys()
    assert list(part.units) == [code for code in whole.units if code in part.units]
    assert sampled(whole, size, 1).units == part.units


def test_every_kind_of_letter_has_a_word() -> None:
    assert set(KIND_WORDS) == set(LetterKind)


def test_the_shipped_rates_are_the_defaults() -> None:
    assert load(shipped("rehearsal.toml")) == Rates()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[units]\nsilent = 0.6\nlate = 0.6\n", "之和不能超过 1"),
        ("[units]\nlazy = 0.1\n", "没有这个设置项"),
        ("[units]\nanswer_days = [9, 3]\n", "起始天数不能大于截止天数"),
        ("[reviewers]\nsilent = 1.5\n", "数值过大"),
        ("[units\n", "不是合格的 TOML"),
    ],
)
def test_bad_rates_are_refused_with_the_reason(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "bad.toml").write_text(text, encoding="utf-8")
    with pytest.raises(Refused) as refused:
        load(tmp_path / "bad.toml")
    assert words in " ".join(str(fault) for fault in refused.value.faults)


def test_a_reply_composed_by_hand_reads_as_any_other() -> None:
    at = dt.datetime(2026, 12, 20, 9, 30, tzinfo=SHANGHAI)
    letter = Letter(
        "xx@school.test",
        "关于报送2026年第四季度数据的通知〔HZ-ABC〕",
        "<1@office.test>",
        "请报送。",
        (),
        at,
        "o@office.test",
    )
    raw = answer(
        letter,
        at,
        "已填好。",
        [("工作簿_某校.xlsx", b"PK\x00\xff" * 99)],
        7,
        "xx@school.test",
        [("X-A", "b")],
    )
    message = BytesParser(policy=default).parsebytes(raw)
    assert message["Subject"] == f"Re: {letter.subject}"
    assert (message["From"], message["To"], message["X-A"]) == ("xx@school.test", "o@office.test", "b")
    assert message["In-Reply-To"] == "<1@office.test>"
    assert [part.get_filename() for part in message.iter_attachments()] == ["工作簿_某校.xlsx"]
    assert next(iter(message.iter_attachments())).get_content() == b"PK\x00\xff" * 99
    body = message.get_body()
    assert body is not None
    assert body.get_content().startswith("已填好。")
    assert max(len(line) for line in raw.splitlines()) < 200


@pytest.mark.parametrize(
    ("own", "relay", "per_day"),
    [
        (0, mail_settings.Rates(), 0),
        (0, mail_settings.Rates(per_day=300), 300),
        (200, mail_settings.Rates(per_day=300), 200),
        (0, mail_settings.Rates(per_hour=10, per_day=300), 240),
        (5000, mail_settings.Rates(per_minute=2), 2880),
    ],
)
def test_the_relay_takes_no_more_in_a_rehearsal_than_the_accounts_limits_allow(
    own: int, relay: mail_settings.Rates, per_day: int
) -> None:
    rates = Rates(limits=Limits(per_day=own))
    assert rates.within(relay).limits.per_day == per_day
