"""Killed at any moment and started again: intake ends where an uninterrupted run ends, sending loses no letter."""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
import subprocess
import time
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.journeys import clerks
from tests.journeys.world import (
    COUNTY,
    FIRST,
    SECOND,
    UNITS,
    World,
    administrator,
    finished,
    letter,
    moment,
    password_variable,
)
from workflow.adapters.store import tables
from workflow.process.dispatch import DOUBT

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence
    from pathlib import Path

KILLS = 10
#: Where a message was seen differs between two mailboxes; that it was seen does not.
_PLACE = {"account", "uidvalidity", "uid"}
_SMALL = {"imap.batch": "2", "reader.workers": "1"}


def killed(process: subprocess.Popen[str], after: float, work: Callable[[], bool] = lambda: True) -> bool:
    """Kill a command so many seconds after it has set to work; whether it was still running then."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        while not work():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.002)
                break
        process.wait(after)
    running = process.poll() is None
    process.kill()
    process.communicate()
    return running


def timed(start: Callable[[], subprocess.Popen[str]]) -> float:
    began = time.monotonic()
    ran = finished(start())
    assert ran.code in {0, 1}, ran.err
    return time.monotonic() - began


def replies(world: World) -> list[bytes]:
    """About sixty messages of every kind, in the order of their arrival."""
    chance, found = random.Random(2026), []
    for unit in UNITS:
        form = world.form_of(unit.code)
        right = world.filled(unit.code)
        number = clerks.plain_number(form)
        wrong = clerks.fill(right, form, {number: "待统计"})
        newer = clerks.fill(right, form, {number: chance.randint(1, 9)})
        to = administrator(unit.code)
        found += [
            world.reply(unit.code, wrong, text="第一次报送。"),
            world.reply(unit.code, right),
            world.reply(unit.code, right, text="重复报送。", sender=to),
            world.reply(unit.code, newer, text="更新数据。"),
        ]
    again = [
        b"Received: from a.test by b.test; Mon, 14 Dec 2026 10:00:00 +0800\r\n" + raw for raw in found[1:9:4]
    ]
    odd = [
        world.reply(FIRST, text=""),
        world.reply(FIRST, text="本人休假", headers={"Auto-Submitted": "auto-replied"}),
        world.reply(FIRST, ("坏.xlsx", world.filled(FIRST)[:5000])),
        letter("nobody@example.org", world.address, "咨询", "请问？"),
        b"\x00\xff garbage without any header\r\n\r\n\r\n",
    ]
    found += [*again, *odd, found[1]]
    chance.shuffle(found)
    return [*found, world.decide(COUNTY, "review_request", returned={FIRST: "请核实"}, report=True)]


def append(world: World, account: str, raws: Sequence[bytes], when: Sequence[dt.datetime]) -> None:
    """Put messages into an account over IMAP, each received at its own moment. (Dovecot takes no date in the future
    from APPEND, and the quarter may be.)"""
    known: set[Path] = set()
    with world.servers.imap(account) as box:
        for raw, moment_of in zip(raws, when, strict=True):
            box.append("INBOX", "", "", raw)  # type: ignore[arg-type]
            held = set(world.servers.dovecot.messages(account))
            for path in held - known:
                os.utime(path, (moment_of.timestamp(), moment_of.timestamp()))
            known = held


def twin(world: World, folder: Path, account: str) -> World:
    """A copy of a workspace that polls another account."""
    world.close()
    shutil.copytree(world.folder, folder)
    path = folder / "config.toml"
    text = re.sub(
        r'user = "[^"]+"\npassword_env = "[^"]+"', _login(account), path.read_text("utf-8"), count=1
    )
    path.write_text(text, encoding="utf-8")
    _, password = world.servers.add_account(account)
    copy = World.__new__(World)
    copy.__dict__ |= world.__dict__ | {
        "folder": folder, "account": account, "_app": None, "environment": {password_variable(account): password},
    }  # fmt: skip
    return copy


def _login(account: str) -> str:
    return f'user = "{account}@huizhi.test"\npassword_env = "{password_variable(account)}"'


def end_state(world: World) -> dict[str, list[Any]]:
    """Every projection row by row, the events, the raw mail and the letters."""
    state: dict[str, list[Any]] = {}
    with world.app.store.reading() as connection:
        said = {row.digest: row.body for row in connection.execute(tables.payloads.select())}
        for table in tables.PROJECTIONS:
            rows = [dict(row._mapping) for row in connection.execute(table.select())]
            for row in rows:
                if "answers" in row:  # the digest is salted, what it stands for is not
                    row["answers"] = said[row["answers"]]
            kept = [{name: row[name] for name in row if name not in _PLACE} for row in rows]
            state[table.name] = sorted(map(repr, kept))
        columns = tables.events.c
        events = connection.execute(tables.events.select().order_by(columns.seq))
        state["events"] = [(row.stream, row.number, row.kind, row.at, row.cause) for row in events]
    for kind in ("mailbox", "outbox/letters"):
        # A kill may leave a file that was being written, under a name of its own that nobody reads.
        files = (world.folder / kind).rglob("[!.]*")
        state[kind] = sorted(str(path.relative_to(world.folder)) for path in files if path.is_file())
    return state


def raw_files(world: World) -> int:
    return sum(1 for _ in (world.folder / "mailbox").rglob("*.eml"))


@pytest.fixture
def asked(make_world: Callable[..., World]) -> World:
    """A campaign in the county's review window, with two answers in and the review request out."""
    world = make_world(settings=_SMALL)
    world.import_roster()
    world.open()
    world.send()
    for unit in (FIRST, SECOND):
        world.post(world.reply(unit, world.filled(unit, world.answers(unit, seed=7)), text="先报一稿。"))
    world.at("12-11 09:00")
    world.poll()
    world.at("01-01 00:10")
    world.poll()
    world.app.tick()
    world.send()
    world.at("01-02 10:00")
    return world


@pytest.mark.timeout(300)
def test_intake_killed_at_ten_moments_ends_as_if_never_interrupted(
    asked: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raws = replies(asked)
    assert len(raws) > 60
    # The review comes last; the day before it, one message after another.
    when = [moment("01-01 08:00").replace(minute=n % 60, hour=8 + n // 60) for n in range(len(raws) - 1)]
    when.append(moment("01-02 09:00"))
    steady, shaken = (twin(asked, tmp_path / name, name) for name in ("steady", "shaken"))
    for world in (steady, shaken):
        append(asked, world.account, raws, when)
        for name, value in world.environment.items():
            monkeypatch.setenv(name, value)
    whole = timed(lambda: steady.start("poll"))

    chance = random.Random(1)
    interrupted = 0
    for place in range(KILLS):
        kept = raw_files(shaken)
        if place < KILLS // 2:  # close to the moment at which a batch is committed
            working = partial(lambda kept: raw_files(shaken) > kept, kept)
            interrupted += killed(shaken.start("poll"), chance.uniform(0, 0.1), working)
        else:  # and at any moment of a run
            interrupted += killed(shaken.start("poll"), chance.uniform(0, whole))
    assert interrupted >= 3
    assert finished(shaken.start("poll")).code in {0, 1}

    expected, found = end_state(steady), end_state(shaken)
    for name in expected:
        assert Counter(found[name]) - Counter(expected[name]) == Counter(), name
        assert Counter(expected[name]) - Counter(found[name]) == Counter(), name
    assert found["events"] == expected["events"]
    for world in (steady, shaken):
        assert world.app.store.verify_ledger().fault is None
        mail = world.app.store.mail_counts()
        assert mail.received == sum(mail.buckets.values()) == len(expected["mailbox"])
        world.close()


@pytest.mark.timeout(300)
def test_sending_killed_at_any_moment_loses_no_letter_and_repeats_few(
    make_world: Callable[..., World],
) -> None:
    world = make_world()
    world.import_roster()
    world.open()
    for unit in UNITS:  # more to send than can be in doubt at once
        world.post(letter(administrator(unit.code), world.address, "咨询", "请问怎样填报？"))
    world.at("12-25 10:00")
    world.poll()
    world.app.tick()
    queued = {row.message_id for row in world.app.store.letters("2026Q4")}
    assert len(queued) > DOUBT * 2
    world.close()
    before = len(world.servers.messages("units"))
    assert before == 0

    chance, kills = random.Random(3), 0
    for place in range(KILLS):
        world.at(f"12-25 {11 + place // 4}:{place % 4 * 15:02d}")  # letters in doubt have waited
        arrived = len(world.servers.messages("units"))
        working = partial(lambda arrived: len(world.servers.messages("units")) > arrived, arrived)
        process = world.start("send")
        kills += (
            killed(process, chance.uniform(0, 0.03), working)
            if place % 2
            else killed(process, chance.uniform(0, 2))
        )
    world.at("12-25 16:00")
    assert finished(world.start("send")).code == 0
    world.servers.settle()
    assert kills
    times = Counter(mail.message_id for mail in world.inbox())
    assert times.keys() == queued
    assert sum(times.values()) - len(queued) <= kills * DOUBT
    assert max(times.values()) <= 1 + kills
    assert {row.state.value for row in world.app.store.letters("2026Q4")} == {"sent"}
