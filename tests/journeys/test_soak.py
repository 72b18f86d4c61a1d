"""Much mail with faults in it, and a server that comes and goes: flat memory, nothing left open, every message in one bucket.

The program is `huizhi run` in a process of its own, so that what is measured is its memory and its files and not this
test's. 400 messages here; `make soak` takes 20,000 and prints the figures after each tenth.
"""

from __future__ import annotations

import itertools
import os
import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.journeys import clerks
from tests.journeys.test_run import job
from tests.journeys.world import FIRST, UNITS, World, administrator, letter
from tests.servers import running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MESSAGES = int(os.environ.get("SOAK", "400"))
#: Delivered and measured by so many.
PIECE = max(100, MESSAGES // 10)
#: One message in twenty is none that anybody should have sent.
FAULTY = 20
#: Seconds for a piece, with much to spare.
_PATIENCE = 900.0
FAILED = "收信失败"
_MEGABYTE = 1 << 20
_ALONE = {
    "imap.batch": "100", "reader.workers": "1", "run.poll_minutes": "0.017", "run.tick_minutes": "1440",
    "run.send_minutes": "1440", "run.consolidate_minutes": "0",
}  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """What the process and its readers hold while it waits for mail: megabytes of memory, and open files."""

    resident: float
    readers: float
    files: int


def measured(pid: int) -> Measured:
    own = Path(f"/proc/{pid}")
    children = [int(child) for task in own.glob("task/*/children") for child in task.read_text().split()]
    return Measured(_resident(pid), sum(map(_resident, children)), sum(1 for _ in (own / "fd").iterdir()))


def _resident(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / _MEGABYTE


def mail(world: World, right: bytes) -> Iterator[bytes]:
    """Questions and workbooks of everyday, and one in twenty that is broken, empty, hostile, automatic or sent twice."""
    chance = random.Random(5)
    form = world.form_of(FIRST)
    places = clerks.plain_number(form)
    last = b""
    for number in range(MESSAGES):
        who = administrator(chance.choice(UNITS).code)
        if number % FAULTY == 0:
            kind = number // FAULTY % 6
            raw = (
                letter(
                    who, world.address, f"报送{number}", "见附件", [("坏.xlsx", right[: 900 + number % 3000])]
                ),
                chance.randbytes(300) + b"\r\n" + str(number).encode(),
                letter(who, world.address, f"空{number}", "", [("炸弹.zip", b"PK\x03\x04" + bytes(64))]),
                letter(
                    who, world.address, f"休假{number}", "外出", headers={"Auto-Submitted": "auto-replied"}
                ),
                b"Received: from b.test by a.test; Mon, 14 Dec 2026 10:00:00 +0800\r\n" + last,
                b"Content-Type: multipart/mixed; boundary=x\r\nFrom: <\r\n\r\n--x\r\n--x\r\n"
                + str(number).encode(),
            )[kind]
        elif number % 10 == 1:
            filled = clerks.fill(right, form, {places: number % 97})
            raw = last = world.reply(
                FIRST, filled, text=f"第{number}次", answering="", subject=f"报送{number}"
            )
        else:
            raw = last = letter(who, world.address, f"咨询{number}", f"第{number}个问题，请问怎样填报？")
        yield raw


@pytest.mark.timeout(7200)
def test_much_mail_with_faults_in_it_leaves_nothing_behind(
    make_world: Callable[..., World], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = make_world(settings=_ALONE)
    world.import_roster()
    world.open()
    world.send()
    raws = mail(world, world.filled(FIRST))
    world.at("12-20 09:00")
    store = world.app.store
    seen: list[Measured] = []
    spent, expected = 0.0, 0
    with job(world, tmp_path / "run.log") as office:

        def until(condition: Callable[[], bool], what: str) -> None:
            def met() -> bool:
                assert office.process.poll() is None, f"it ended by itself: {office.said}"
                return condition()

            running.wait_until(met, timeout=_PATIENCE, what=what, pause=0.2)

        def failed_since(times: int) -> Callable[[], bool]:
            return lambda: office.said.count(FAILED) > times

        def taken(count: int) -> Callable[[], bool]:
            return lambda: store.mail_counts().received >= count

        for start in range(0, MESSAGES, PIECE):
            piece = list(itertools.islice(raws, PIECE))
            before, began = expected, time.monotonic()
            world.servers.deliver(world.account, piece)
            expected += len(piece)  # the server's own Received field makes each another message
            if 0 < start < MESSAGES - PIECE:  # in the middle of a piece the server goes away
                until(taken((before + expected) // 2), "half of a piece")
                with world.servers.mailbox_down():
                    until(failed_since(office.said.count(FAILED)), "a poll that fails")
            until(taken(expected), "a piece taken in")
            spent += time.monotonic() - began
            seen.append(measured(office.process.pid))
            if MESSAGES > 400:
                with capsys.disabled():
                    last = seen[-1]
                    print(
                        f"\n{expected} messages: {last.resident:.0f} MB, its reader {last.readers:.0f} MB, {last.files} open files",
                        end="", flush=True,
                    )  # fmt: skip
        assert office.stop() == 0
        failures = office.said.count(FAILED)

    counts = store.mail_counts()
    assert counts.received == sum(counts.buckets.values()) == expected
    assert "failed" not in counts.buckets
    assert world.app.files.mail_count() == expected
    assert store.verify_ledger().fault is None
    # A reader and its socket, the database's connections: what the first piece opened, and a mailbox that is being asked.
    assert seen[-1].files <= seen[0].files + 3
    early, late = max(one.resident for one in seen[:2]), max(one.resident for one in seen[2:])
    assert late - early < 24, [round(one.resident) for one in seen]
    with capsys.disabled():
        if MESSAGES > 400:
            print(
                f"\n{failures} failed polls, {spent:.0f} s, {expected / spent:.0f}/s; buckets {dict(counts.buckets)}"
            )
