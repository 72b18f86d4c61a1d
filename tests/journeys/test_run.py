"""`huizhi run`: the scheduled job as a process of its own, with the servers coming and going."""

from __future__ import annotations

import signal
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.journeys.world import COUNTY, FIRST, UNITS, World, administrator, finished, letter
from tests.servers import running
from tests.servers.relay import Say, misbehaving
from workflow.domain.lifecycle import PackageState
from workflow.domain.refusals import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

EACH_SECOND = {
    f"run.{name}_minutes": "0.017" for name in ("poll", "tick", "send", "consolidate")
} | {"reader.workers": "1"}  # fmt: skip


class Job:
    """A running `huizhi run`."""

    def __init__(self, world: World, log: Path) -> None:
        self.log = log
        self.process = world.start("run", log=log)

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""

    def until(self, condition: Callable[[], bool], what: str) -> None:
        def met() -> bool:
            assert self.process.poll() is None, f"it ended by itself: {self.said}"
            return condition()

        running.wait_until(met, timeout=60, what=what)

    def stop(self) -> int:
        """Tell it to stop; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


@contextmanager
def job(world: World, log: Path) -> Iterator[Job]:
    started = Job(world, log)
    try:
        yield started
    finally:
        started.process.kill()
        started.process.wait(30)


@pytest.fixture
def due(make_world: Callable[..., World]) -> World:
    """A campaign five minutes after the counties' deadline: one reply, in time, lies unread in the mailbox."""
    world = make_world(settings=EACH_SECOND)
    world.import_roster()
    world.open()
    world.send()
    world.at("12-12 09:00")
    world.post(world.reply(FIRST, world.filled(FIRST)))
    world.servers.settle()
    world.servers.postmark(world.account, world.now)
    world.at("01-06 00:05")
    return world


def county(world: World) -> PackageState:
    return next(package.state for package in world.app.store.packages("2026Q4") if package.unit == COUNTY)


def test_it_polls_ticks_sends_and_consolidates_until_it_is_told_to_stop(due: World, tmp_path: Path) -> None:
    store = due.app.store
    with job(due, tmp_path / "run.log") as running_job:
        running_job.until(lambda: store.mail_counts().received == 1, "the reply taken in")
        running_job.until(lambda: county(due) is PackageState.REPORTED, "the county reported")
        running_job.until(lambda: store.mail_counts().queued == 0, "every letter sent")
        running_job.until(lambda: store.book("2026Q4", COUNTY) is not None, "the county's workbook")
        assert running_job.stop() == 0
    assert "已启动" in running_job.said
    assert running_job.said.splitlines()[-1] == "已停止"
    rows = {row.unit: row for row in store.package_rows("2026Q4", COUNTY)}
    assert rows[FIRST].number == 1
    due.servers.settle()
    kinds = {row.kind for row in store.letters("2026Q4")}
    assert {"notice", "acknowledgement", "auto_report", "escalation", "review_request"} <= kinds
    assert len(due.inbox()) == store.mail_counts().sent


def test_a_second_one_on_the_same_workspace_is_refused(due: World, tmp_path: Path) -> None:
    with job(due, tmp_path / "run.log") as running_job:
        running_job.until(lambda: "已启动" in running_job.said, "the start")
        second = finished(due.start("run"))
        assert second.code == 2
        assert len(second.faults) == 1
        assert "已有一个 huizhi run 在运行" in second.err
        assert due.huizhi("status").code == 0  # single commands work beside it
        assert running_job.stop() == 0


def test_one_that_was_killed_leaves_the_workspace_free(due: World, tmp_path: Path) -> None:
    with job(due, tmp_path / "first.log") as first:
        first.until(lambda: "已启动" in first.said, "the start")
    with job(due, tmp_path / "second.log") as second:
        second.until(lambda: county(due) is PackageState.REPORTED, "the county reported")
        assert second.stop() == 0
    assert due.app.store.mail_counts().received == 1


def test_a_dead_mailbox_is_said_and_retried_and_never_taken_for_an_empty_one(
    due: World, tmp_path: Path
) -> None:
    store = due.app.store
    with ExitStack() as stack:
        with due.servers.mailbox_down():
            started = stack.enter_context(job(due, tmp_path / "run.log"))
            started.until(lambda: started.said.count("收信失败，稍后再试") >= 3, "three failed polls")
            started.until(lambda: bool(store.steps("2026Q4")), "the letters that need no poll")
            assert "h***@huizhi.test" in started.said  # what runs by itself may write to a log
            assert due.address not in started.said
            assert county(due) is PackageState.OPEN
            assert store.last_poll() is None
            assert store.mail_counts().received == 0
        started.until(lambda: county(due) is PackageState.REPORTED, "the report once the mailbox is back")
        assert started.stop() == 0
    assert {row.unit: row.number for row in store.package_rows("2026Q4", COUNTY)}[FIRST] == 1


def test_without_a_relay_the_letters_wait_and_go_out_when_it_is_back(due: World, tmp_path: Path) -> None:
    store = due.app.store
    with ExitStack() as stack:
        with due.servers.relay_down():
            started = stack.enter_context(job(due, tmp_path / "run.log"))
            started.until(lambda: started.said.count("发信失败，稍后再试") >= 2, "two failed passes")
            started.until(lambda: county(due) is PackageState.REPORTED, "the county reported")
            assert store.mail_counts().sent == len(UNITS)
        started.until(lambda: store.mail_counts().queued == 0, "every letter sent")
        assert started.stop() == 0
    due.servers.settle()
    assert [mail for mail in due.inbox(administrator(FIRST)) if "已收到" in mail.subject]


def test_a_relay_that_asks_for_a_pause_is_told_once_and_left_alone(
    make_world: Callable[..., World], tmp_path: Path
) -> None:
    with misbehaving() as relay:
        relay.always[Stage.SENDER] = Say("550 RP:TRC")
        world = make_world(settings={**EACH_SECOND, "smtp.port": str(relay.port)})
        world.import_roster()
        world.open()
        world.close()
        world.post(letter(administrator(FIRST), world.address, "咨询", "请问怎样填报？"))
        world.servers.settle()
        with job(world, tmp_path / "log") as running_job:
            running_job.until(lambda: "发信服务器要求暂停（550 RP:TRC）" in running_job.said, "the pause")
            # its answer to a mail is queued by a later pass: others have come and gone since
            running_job.until(lambda: len(world.app.store.letters("2026Q4")) > len(UNITS), "an answer")
            assert running_job.stop() == 0
        assert running_job.said.count("要求暂停") == 1
        assert relay.reached[Stage.SENDER] == 1
        assert {row.state.value for row in world.app.store.letters("2026Q4")} == {"queued"}
