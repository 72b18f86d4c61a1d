"""Killed at every commit, fsync, rename and network boundary in turn, and started again: the same end as without a crash.

A spread sample of the boundaries is tried; `CRASH_POINTS=all` tries each of them.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.journeys import clerks
from tests.journeys.crashing import Crashing, Run
from tests.journeys.test_crash import append, end_state
from tests.journeys.world import FIRST, SECOND, THIRD, UNITS, World, administrator, letter, moment
from tests.servers import relay
from workflow.process.dispatch import DOUBT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

_SMALL = {"imap.batch": "3", "reader.workers": "1"}
INTAKE_POINTS, DISPATCH_POINTS = 16, 16


def sample(passed: Sequence[str], most: int) -> list[int]:
    """Numbers of boundaries from 1, spread over all of them, each name at least once."""
    if os.environ.get("CRASH_POINTS") == "all":
        return list(range(1, len(passed) + 1))
    step = max(1, len(passed) // most)
    firsts = {passed.index(name) + 1 for name in set(passed)}
    return sorted(firsts | set(range(1, len(passed) + 1, step)))


def copied(world: World, folder: Path) -> World:
    """A copy of a workspace beside it, over the same servers."""
    shutil.copytree(world.folder, folder)
    copy = World.__new__(World)
    copy.__dict__ |= world.__dict__ | {"folder": folder, "_app": None}
    return copy


@pytest.fixture
def mail_in(make_world: Callable[..., World]) -> World:
    """An opened campaign with ten messages of several kinds waiting in the mailbox."""
    world = make_world(settings=_SMALL)
    world.import_roster()
    world.open()
    world.send()
    form = world.form_of(FIRST)
    right = world.filled(FIRST)
    raws = [
        world.reply(
            FIRST, clerks.fill(right, form, {clerks.plain_number(form): "待统计"}), text="第一次报送。"
        ),
        world.reply(FIRST, right),
        world.reply(FIRST, right, text="重复报送。", sender=administrator(FIRST)),
        world.reply(SECOND, world.filled(SECOND)),
        world.reply(SECOND, text="本人休假", headers={"Auto-Submitted": "auto-replied"}),
        world.reply(THIRD, ("坏.xlsx", world.filled(THIRD)[:5000])),
        world.reply(THIRD, text=""),
        letter("nobody@example.org", world.address, "咨询", "请问？"),
        b"\x00\xff garbage without any header\r\n\r\n\r\n",
    ]
    raws.append(b"Received: from a.test by b.test; Mon, 14 Dec 2026 10:00:00 +0800\r\n" + raws[1])
    append(world, world.account, raws, [moment("12-11 08:00").replace(minute=n) for n in range(len(raws))])
    world.at("12-11 09:00")
    world.close()
    return world


@pytest.mark.timeout(3600)
def test_intake_killed_at_any_boundary_ends_as_if_never_interrupted(
    mail_in: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Crashing(mail_in.environment, tmp_path / "said.txt") as launcher:
        steady = copied(mail_in, tmp_path / "steady")
        whole = launcher.run(steady.folder, "poll")
        assert whole.code == 0
        expected = end_state(steady)
        steady.close()
        assert len(expected["messages"]) == 10
        killed = 0
        for point in sample(whole.passed, INTAKE_POINTS):
            shaken = copied(mail_in, tmp_path / "shaken")
            killed += launcher.run(shaken.folder, "poll", kill_at=point).code is None
            assert launcher.run(shaken.folder, "poll").code == 0, whole.passed[point - 1]
            found = end_state(shaken)
            where = f"killed {whole.passed[point - 1]}, the {point}th boundary of {len(whole.passed)}"
            for name in expected:
                assert Counter(map(repr, found[name])) == Counter(map(repr, expected[name])), (where, name)
            assert found["events"] == expected["events"], where
            assert shaken.app.store.verify_ledger().fault is None, where
            shaken.close()
            shutil.rmtree(shaken.folder)
        told(capsys, "intake", killed, whole)
        assert killed > INTAKE_POINTS // 2


@pytest.fixture
def outgoing(make_world: Callable[..., World]) -> Iterator[tuple[World, relay.FakeRelay]]:
    """A campaign whose notices are queued, over a relay that keeps what it takes."""
    with relay.misbehaving() as taker:
        world = make_world(settings={**_SMALL, "smtp.port": str(taker.port)})
        world.import_roster()
        world.open()
        world.close()
        yield world, taker


@pytest.mark.timeout(3600)
def test_sending_killed_at_any_boundary_loses_no_letter_and_repeats_only_those_in_doubt(
    outgoing: tuple[World, relay.FakeRelay], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world, taker = outgoing
    with Crashing(world.environment, tmp_path / "said.txt") as launcher:
        steady = copied(world, tmp_path / "steady")
        whole = launcher.run(steady.folder, "send")
        assert whole.code == 0
        queued = {row.message_id for row in steady.app.store.letters("2026Q4")}
        steady.close()
        assert len(queued) >= len(UNITS) - 3
        assert Counter(known(one.raw) for one in taker.taken) == dict.fromkeys(queued, 1)
        killed = 0
        for point in sample(whole.passed, DISPATCH_POINTS):
            taker.taken.clear()
            shaken = copied(world, tmp_path / "shaken")
            killed += launcher.run(shaken.folder, "send", kill_at=point).code is None
            taker.left()
            before = Counter(known(one.raw) for one in taker.taken)
            shaken.at("12-10 10:00")  # what was in doubt has waited
            assert launcher.run(shaken.folder, "send").code == 0, whole.passed[point - 1]
            where = f"killed {whole.passed[point - 1]}, the {point}th boundary of {len(whole.passed)}"
            times = Counter(known(one.raw) for one in taker.taken)
            assert times.keys() == queued, where
            twice = {one for one, count in times.items() if count > 1}
            assert max(times.values()) <= 2, where
            assert twice <= before.keys(), where
            assert len(twice) <= DOUBT, where
            letters = shaken.app.store.letters("2026Q4")
            assert {row.state.value for row in letters} == {"sent"}, where
            assert shaken.app.store.verify_ledger().fault is None, where
            shaken.close()
            shutil.rmtree(shaken.folder)
        told(capsys, "sending", killed, whole)
        assert killed > DISPATCH_POINTS // 2


def told(capsys: pytest.CaptureFixture[str], what: str, killed: int, whole: Run) -> None:
    """The figures, where every boundary was tried."""
    if os.environ.get("CRASH_POINTS") == "all":
        with capsys.disabled():
            print(f"\n{what}: killed {killed} times at {len(whole.passed)} boundaries")


def known(raw: bytes) -> str:
    """A letter's Message-ID."""
    line = next(line for line in raw.splitlines() if line.lower().startswith(b"message-id:"))
    return line.partition(b":")[2].strip().decode()
