"""What strangers write, on the way through every place where staff read it: nothing of it moves, hides or runs."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tests.journeys.test_command_line import Office
from tests.journeys.world import FIRST
from workflow.cli.printing import complain, say, say_json, visible
from workflow.domain.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0001-\U000e007f]"
)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    nowhere: Any = SimpleNamespace(imap_port=1, smtp_port=1)
    office = Office(
        tmp_path / "workspace", nowhere, {}, settings={"imap.password_env": '""', "reader.workers": "1"}
    )
    office.import_roster()
    office.open()
    yield office
    office.close()


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("季报.xlsx", "季报.xlsx"),
        ("\x1b[2J\x1b]0;标题\x07", r"\u001b[2J\u001b]0;标题\u0007"),
        ("\x9b31m", r"\u009b31m"),
        ("季报\u202excod.exe", r"季报\u202excod.exe"),
        ("第一\u200b小学", r"第一\u200b小学"),
        ("一\r\n二\u2028三", r"一  二\u2028三"),
        ("\U000e0041", r"\U000e0041"),
        ("\ud83d半个", r"\ud83d半个"),
        ("列\t列", "列\t列"),
        ("𠮷野　“引号”—①", "𠮷野　“引号”—①"),
    ],
)
def test_what_would_not_be_seen_is_shown_as_its_number(
    written: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert visible(written) == shown
    say(written)
    complain(Fault("附件", written))
    assert capsys.readouterr() == (f"{shown}\n", f"附件：{shown}\n")


def test_json_is_one_line_that_reads_back_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"名称": "\x1b[31m\u202e季报\u200b\x9b\U000e0041𠮷\n"}
    say_json(value)
    out = capsys.readouterr().out
    assert not UNSEEN.search(out.rstrip("\n"))
    assert (out.count("\n"), json.loads(out), "𠮷" in out) == (1, value, True)


def test_names_words_and_answers_of_a_stranger_change_no_line_of_any_command(office: Office) -> None:
    wild = "\x1b[2J\u202e{{7*7}}<b>=1+1\u200b"
    field = [one.name for one in office.app.forms()["school"].fields if one.type.value == "文本"][-1]
    typed = {**office.answers(FIRST), field: f"甲{wild.replace(chr(27), '')}"}
    filled = office.filled(FIRST, typed)
    raw = office.reply(FIRST, (f"季报{wild}.xlsx", filled), (f"{wild}.exe", b"MZ\x00"), text=wild)
    ran = [
        office.ingest(raw),
        office.huizhi("quarantine", "list", "--all"),
        office.huizhi("trace", FIRST, field),
        office.huizhi("status"),
        office.huizhi("status", "--json"),
        office.huizhi("approve", FIRST, "--by", wild, "--note", wild),
        office.huizhi("trace", wild, wild),
        office.huizhi("quarantine", "show", wild),
    ]
    for one in ran:
        assert not UNSEEN.search(one.out + one.err), (one.out, one.err)
    assert any(r"\u202e" in one.out for one in ran)
    letters = b"".join(office.app.files.letter(row.sha) for row in office.app.store.letters("2026Q4"))
    assert b"\n=1+1" not in letters
