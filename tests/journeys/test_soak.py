"""Much mail with faults in it, and a server that comes and goes: flat memory, nothing left open, every message in one bucket.

400 messages here; `make soak` takes 20,000 and prints the figures.
"""

from __future__ import annotations

import gc
import os
import random
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.journeys import clerks
from tests.journeys.world import FIRST, UNITS, World, administrator, letter
from workflow.domain.errors import OutsideFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MESSAGES = int(os.environ.get("SOAK", "400"))
#: One message in twenty is none that anybody should have sent.
FAULTY = 20
#: How often the server goes away in the middle of a poll.
RESTARTS = max(2, MESSAGES // 2500)
_PIECE = 500
_MEGABYTE = 1 << 20


def resident() -> float:
    """Megabytes of memory that this process holds."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / _MEGABYTE


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


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


@pytest.mark.timeout(3600)
def test_much_mail_with_faults_in_it_leaves_nothing_behind(
    make_world: Callable[..., World], capsys: pytest.CaptureFixture[str]
) -> None:
    world = make_world(settings={"imap.batch": "100", "reader.workers": "1"})
    world.import_roster()
    world.open()
    world.send()
    right = world.filled(FIRST)
    raws = list(mail(world, right))
    for start in range(0, len(raws), _PIECE):
        world.servers.deliver(world.account, raws[start : start + _PIECE])
    distinct = len(set(world.servers.messages(world.account)))
    del raws
    world.at("12-20 09:00")
    store = world.app.store
    world.app.intake()
    measured: list[float] = []
    due = {MESSAGES * (n + 1) // (RESTARTS + 1) for n in range(RESTARTS)}
    began, files, failures = time.monotonic(), open_files(), 0

    def move(_done: int) -> None:
        taken = store.mail_counts().received
        measured.append(resident())
        if gone := {at for at in due if at <= taken}:
            due.difference_update(gone)
            with world.servers.mailbox_down():
                pass

    while True:
        try:
            world.app.poll(move)
            break
        except OutsideFailed:
            failures += 1
    seconds = time.monotonic() - began

    counts = store.mail_counts()
    assert counts.received == sum(counts.buckets.values()) == distinct
    assert "failed" not in counts.buckets
    assert world.app.files.mail_count() == distinct
    assert store.verify_ledger().fault is None
    assert failures == RESTARTS
    # A reader and its socket, the database's connections: what the first batches opened, and no more.
    assert open_files() - files <= 8
    early, late = max(measured[: max(1, len(measured) // 4)]), max(measured)
    assert late - early < 48, f"memory grew from {early:.0f} to {late:.0f} MB"
    with capsys.disabled():
        if MESSAGES > 400:
            print(
                f"\n{distinct} messages, {failures} restarts, {seconds:.0f} s, {distinct / seconds:.0f}/s; memory {early:.0f} MB"
                f" after a quarter, {late:.0f} MB at most; open files {files} before, {open_files()} after;"
                f" buckets {dict(counts.buckets)}"
            )
