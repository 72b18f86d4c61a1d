"""What goes wrong around the work: broken and lost databases, changed copies and archives, dates mistyped, names that
no file system takes. Nothing of it costs a figure, and each says what to do.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.journeys.test_command_line import (  # noqa: F401 - fixtures
    Office,
    asked,
    office,
    refused,
    reviewed,
    rows,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_a_broken_database_is_put_aside_and_made_again_from_the_ledger(reviewed: Office) -> None:  # noqa: F811
    before = rows(reviewed)
    reviewed.close()
    (reviewed.folder / "state.db").write_bytes(b"\x93broken" * 3000)
    assert reviewed.huizhi("status").code == 3
    ran = reviewed.huizhi("rebuild")
    assert ran.code == 0, ran.err
    assert "改名保存" in ran.out
    assert len(list(reviewed.folder.glob("state.db.损坏-*"))) == 1
    assert rows(reviewed) == before


def test_a_lost_database_is_never_quietly_begun_anew(reviewed: Office) -> None:  # noqa: F811
    before = rows(reviewed)
    reviewed.close()
    for name in ("state.db", "state.db-wal", "state.db-shm"):
        (reviewed.folder / name).unlink(missing_ok=True)
    refused(reviewed.huizhi("status"), "huizhi rebuild")
    assert not (reviewed.folder / "state.db").exists()
    assert reviewed.huizhi("rebuild").code == 0
    assert rows(reviewed) == before


def test_a_changed_copy_and_a_changed_archive_are_found_before_they_are_needed(reviewed: Office) -> None:  # noqa: F811
    copy = next(iter(sorted(reviewed.folder.glob("ledger/[0-9]*.jsonl"))))
    text = copy.read_text(encoding="utf-8")
    copy.write_text(text.replace("case.planned", "case.plannee", 1), encoding="utf-8")
    assert reviewed.huizhi("ledger", "verify").code == 1
    copy.write_text(text, encoding="utf-8")
    assert reviewed.huizhi("ledger", "verify").code == 0
    mail = next(reviewed.folder.glob("mailbox/**/*.eml"))
    mail.write_bytes(mail.read_bytes() + b"x")
    ran = reviewed.huizhi("ledger", "verify")
    assert (ran.code, len(ran.faults)) == (1, 1)
    mail.unlink()
    assert reviewed.huizhi("ledger", "verify").code == 1


def test_a_date_mistyped_into_the_future_reports_nothing(asked: Office) -> None:  # noqa: F811
    assert asked.huizhi("tick", "--now", "2028-01-31T00:00").code == 3
    packages = json.loads(asked.huizhi("status", "--json").out)["packages"]
    assert {state for states in packages.values() for state in states} == {"open"}
    refused(asked.huizhi("tick", "--now", "0001-01-01"), "年份")


@pytest.mark.parametrize(("period", "reason"), [("2020Q1", "已经过去"), ("2030Q1", "远未开始")])
def test_a_period_mistyped_by_years_is_not_opened(office: Office, period: str, reason: str) -> None:  # noqa: F811
    office.import_roster()
    refused(office.huizhi("open", period), reason)
    assert office.huizhi("open", "2026Q4").code == 0


def test_output_that_nobody_reads_to_its_end_is_no_failure(asked: Office) -> None:  # noqa: F811
    command = [sys.executable, "-m", "workflow", "--workspace", str(asked.folder), "roster", "show"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=asked.folder
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read().decode()
    assert "Traceback" not in said


def test_a_path_that_cannot_be_written_is_refused_in_one_line(asked: Office, tmp_path: Path) -> None:  # noqa: F811
    form = asked.folder / "templates/forms/school.xlsx"
    code = next(iter(asked.app.store.cases("2026Q4"))).unit
    refused(
        asked.huizhi("form", "preview", form, "--unit", code, "--out", tmp_path / "no" / "such.xlsx"),
        "无法读写",
    )
