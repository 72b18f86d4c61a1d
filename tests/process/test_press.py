"""Printing letters, here and in a process beside this one: the same letters whoever prints them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.process.calendar_office import TEMPLATES, on
from workflow.adapters.files import Files
from workflow.adapters.letters import LetterTemplates
from workflow.domain.errors import OutsideFailed, Refused
from workflow.domain.letters import KeptFile
from workflow.process.press import Draft, Press

if TYPE_CHECKING:
    from pathlib import Path

SENDER = ("回执", "own@office.test")


def draft(number: int) -> Draft:
    unit = f"第{number}小学"
    context = {
        "unit_name": unit, "salutation": unit, "issuer": "示例省教育厅", "contact_line": "", "date": on(12, 30).date(),
        "period_name": "2026年第四季度", "campaign": "2026Q4", "token": f"HZ-{number}", "replaced": "", "attachments": [], "relay_for": "",
        "doubt": "", "asked_back": "", "reported": False,
    }  # fmt: skip
    return Draft(
        "empty_reply", context, (unit, f"u{number}@school.test"), on(12, 30), f"<{number}@office.test>", {},
        [KeptFile("汇总表.xlsx", "consolidated/2026Q4/4101-1.xlsx"), ("说明.pdf", b"%PDF")],
    )  # fmt: skip


def pieces(count: int) -> list[list[Draft]]:
    return [[draft(10 * piece + place) for place in range(3)] for piece in range(count)]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    made = Files(tmp_path)
    made.write_book("2026Q4/4101-1.xlsx", b"PK")
    return made


def test_letters_are_the_same_and_in_their_order_whoever_prints_them(files: Files) -> None:
    press = Press(TEMPLATES, files, SENDER)
    here = [press.printed(drafts) for drafts in pieces(9)]
    assert list(press.printed_ahead(pieces(9))) == here
    assert list(replace(press, beside=0).printed_ahead(pieces(2))) == here[:2]
    assert list(press.printed_ahead(pieces(1))) == here[:1]
    assert list(press.printed_ahead([])) == []
    assert all(files.letter(letter.sha) for letters in here for letter in letters)


def test_what_goes_wrong_in_the_process_beside_is_said_here(files: Files, tmp_path: Path) -> None:
    mine = tmp_path / "letters"
    shutil.copytree(TEMPLATES.folder, mine)
    press = Press(LetterTemplates(mine), files, SENDER, 1)
    (mine / "notice.txt.j2").write_text("{% if %}", encoding="utf-8")
    with pytest.raises(Refused, match=r"notice\.txt\.j2 第1行：模板语法有误"):
        list(press.printed_ahead(pieces(2)))
    shutil.rmtree(tmp_path / "outbox" / "consolidated")
    with pytest.raises(OutsideFailed, match="待发文件不在了"):
        list(Press(TEMPLATES, files, SENDER, 1).printed_ahead([pieces(1)[0], []]))
