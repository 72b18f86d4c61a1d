"""A message on which the program breaks costs itself alone; it is kept, shown, tried again, and counted as done only when it is."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from tests.journeys.world import Ran, configured, huizhi, letter, moment
from workflow.app import App
from workflow.cli.workspace import make_workspace
from workflow.domain.errors import OutsideFailed
from workflow.domain.submission import Bucket
from workflow.process.intake import Intake, Raw
from workflow.process.retry import Retry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

NOON = moment("12-12 12:00")
POISON = letter("a@school.test", "huizhi@huizhi.test", "有毒", "一", [("坏.xlsx", b"PK\x03\x04 poison")])
GOOD = [letter(f"{n}@school.test", "huizhi@huizhi.test", f"第{n}封", "好") for n in range(3)]


class BreaksOnPoison:
    """Readers that break where a file says so, as a fault of the program would."""

    def __init__(self, readers: Any) -> None:
        self.readers = readers

    def __getattr__(self, name: str) -> Any:
        return getattr(self.readers, name)

    def read_many(self, files: Sequence[tuple[str, bytes]], known: Any = None) -> Any:
        if any(b"poison" in data for _, data in files):
            raise KeyError("第三列")
        return self.readers.read_many(files, known)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    folder = tmp_path / "office"
    make_workspace(folder, configured({"reader.workers": "1"}))
    made = App(folder, lambda: NOON)
    yield made
    made.close()


def broken(app: App) -> Intake:
    return replace(app.intake(), readers=BreaksOnPoison(app.readers()))  # type: ignore[arg-type]


def take(intake: Intake, *raws: bytes) -> list[str]:
    return [str(outcome.bucket) for outcome in intake.take([Raw(raw, NOON) for raw in raws])]


def command(app: App, *words: object) -> Ran:
    return huizhi("--workspace", app.workspace, *words)


def state(app: App) -> Mapping[str, int]:
    return app.store.mail_counts().buckets


def test_one_message_that_breaks_the_program_costs_itself_alone(app: App) -> None:
    assert take(broken(app), GOOD[0], POISON, GOOD[1]) == ["unmatched", "failed", "unmatched"]
    assert state(app) == {"unmatched": 2, "failed": 1}
    assert app.store.verify_ledger().fault is None


def test_it_is_tried_again_at_growing_intervals_and_shown_until_it_succeeds(app: App) -> None:
    intake = broken(app)
    take(intake, POISON)
    again = Retry(app.store, intake)
    sha, now, waits = next(iter(app.store.failures())), NOON, []
    for tries in range(2, 6):
        assert again.due(now) == []
        failure = app.store.failures()[sha]
        assert (failure.tries, failure.tried_at) == (tries, now)
        assert failure.not_before is not None
        waits.append((failure.not_before - now) / dt.timedelta(minutes=1))
        assert again.due(now) == []  # not yet its turn: nothing is written
        assert app.store.failures()[sha].tries == tries
        now = failure.not_before
    assert waits == [5, 15, 60, 240]
    assert state(app) == {"failed": 1}

    [outcome] = Retry(app.store, app.intake()).due(now)
    assert outcome.bucket is Bucket.UNMATCHED
    assert app.store.failures() == {}
    assert state(app) == {"unmatched": 1}


def test_staff_see_it_with_its_reason_and_try_it_at_once(app: App) -> None:
    take(broken(app), POISON, GOOD[0])
    sha = next(iter(app.store.failures()))
    listed = command(app, "mail", "log", "--failed")
    assert listed.code == 1
    assert sha[:12] in listed.out
    assert "下次收信时再次处理" in listed.out
    assert "第0封" not in listed.out
    shown = command(app, "mail", "show", sha[:8])
    assert shown.code == 1
    assert "KeyError: '第三列'" in shown.out
    done = command(app, "mail", "retry", sha[:8])
    assert (done.code, done.err) == (0, "")
    assert "已办理：未能对应单位" in done.out
    assert command(app, "mail", "log", "--failed").out == "共 0 封\n"
    refused = command(app, "mail", "retry", sha[:8])
    assert refused.code == 2
    assert "不是处理失败的邮件" in refused.err


def test_a_lost_original_is_a_failure_of_that_message_and_not_of_the_poll(app: App) -> None:
    take(broken(app), POISON)
    sha = next(iter(app.store.failures()))
    app.files.remove_mail(sha)
    assert Retry(app.store, app.intake()).due(NOON) == []
    assert "来信原件不在了" in app.store.failures()[sha].fault


def test_what_stands_outside_is_no_fault_of_a_message(app: App) -> None:
    """A disk or a database that fails stops the pass: no message is called failed for it."""

    def fails() -> NoReturn:
        raise OutsideFailed("磁盘", "读写出错")

    with pytest.raises(OutsideFailed):
        take(replace(app.intake(), forms=fails), POISON)
    assert state(app) == {}


def test_a_rebuild_gives_the_failures_again(app: App) -> None:
    take(broken(app), POISON, GOOD[0])
    Retry(app.store, broken(app)).due(NOON)
    before = app.store.failures()
    assert command(app, "rebuild").code == 0
    assert app.store.failures() == before


def test_the_log_tells_who_what_and_where_it_ended(app: App) -> None:
    take(app.intake(), *GOOD)
    listed = command(app, "mail", "log", "--limit", "2")
    assert listed.code == 0
    assert "0***@school.test" in listed.out or "1***@school.test" in listed.out
    assert "未能对应单位" in listed.out
    assert "共 3 封，以上是最近的 2 封" in listed.out
    said = command(app, "mail", "log", "--bucket", "unmatched", "--since", "2026-12-12", "--json")
    lines = [json.loads(line) for line in said.lines]
    assert [line["subject"] for line in lines] == ["第2封", "第1封", "第0封"]
    assert lines[0]["from"] == "2***@school.test"
    assert lines[0]["failure"] is None
    assert command(app, "mail", "log", "--since", "2026-12-13", "--json").lines == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("log", "--since", "昨天"), "不是日期"),
        (("log", "--failed", "--bucket", "own"), "不能同时使用"),
        (("show", "abc"), "没有这封邮件"),
        (("retry", "zzzzzzz"), "没有这封邮件"),
    ],
)
def test_a_wrong_word_is_refused(app: App, words: tuple[str, ...], said: str) -> None:
    ran = command(app, "mail", *words)
    assert ran.code == 2
    assert said in ran.err
