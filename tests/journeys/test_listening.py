"""New mail is heard of when it comes, where the server tells of it."""

from __future__ import annotations

import queue
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.adapters.mail.scripted import scripted
from tests.journeys.test_run import job
from tests.journeys.world import FIRST, World, administrator
from tests.servers import fake_imap
from workflow.adapters.mail.imap import Mailbox, MailboxSettings
from workflow.process.listen import Listener

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.servers.mail import MailServers

SELDOM = {f"run.{name}_minutes": "600" for name in ("poll", "tick", "send", "consolidate")}


@contextmanager
def listened(settings: MailboxSettings) -> Iterator[queue.SimpleQueue[None]]:
    """The rings of a listener to a mailbox."""
    rings: queue.SimpleQueue[None] = queue.SimpleQueue()
    with closing(Listener(lambda: Mailbox(settings), lambda: rings.put(None), 0.1)) as listener:
        listener.start()
        yield rings


def listeners() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "listener"]


def test_it_rings_when_it_has_connected_and_when_mail_comes(mailboxes: MailServers) -> None:
    user, password = mailboxes.add_account("huizhi")
    where = MailboxSettings(mailboxes.imap_host, mailboxes.imap_port, "none", user, password, timeout=20)
    with listened(where) as rings:
        rings.get(timeout=20)
        mailboxes.deliver("huizhi", [b"Subject: a\r\n\r\nb"])
        rings.get(timeout=20)
        with mailboxes.mailbox_down():
            pass
        rings.get(timeout=20)  # it has connected again, and mail may have come before
        mailboxes.deliver("huizhi", [b"Subject: c\r\n\r\nd"])
        rings.get(timeout=20)
    assert listeners() == []


@pytest.mark.parametrize("capabilities", ["IMAP4rev1 ID", "IMAP4rev1"])
def test_a_server_without_idle_is_left_to_the_polls(capabilities: str) -> None:
    with fake_imap.misbehaving(capabilities) as server:
        where = MailboxSettings("127.0.0.1", server.port, "none", "u", "p", timeout=20)
        with listened(where) as rings:
            for thread in listeners():
                thread.join(20)
            assert listeners() == []
            assert rings.empty()
        assert "IDLE" not in server.heard


def test_a_server_that_ends_each_idle_at_once_is_not_asked_without_end() -> None:
    asked: list[bytes] = []

    def answer(line: bytes) -> bytes:
        tag, _, command = line.partition(b" ")
        if command == b"IDLE":
            asked.append(tag)
            return b"+ idling\r\n" + tag + b" OK done\r\n"
        if command.startswith(b"CAPABILITY"):
            return b"* CAPABILITY IMAP4rev1 IDLE\r\n" + tag + b" OK done\r\n"
        if command.startswith(b"SELECT"):
            return b"* 3 EXISTS\r\n* OK [UIDVALIDITY 77] ok\r\n" + tag + b" OK [READ-WRITE] ok\r\n"
        return tag + b" OK done\r\n"

    with scripted(b"* OK ready\r\n", answer) as server:
        where = MailboxSettings("127.0.0.1", server.port, "none", "u", "p", timeout=5)
        with listened(where) as rings:
            rings.get(timeout=20)
            for thread in listeners():
                thread.join(0.5)
    assert len(asked) == 1


def test_a_reply_is_answered_long_before_the_next_poll(
    make_world: Callable[..., World], tmp_path: Path
) -> None:
    world = make_world(settings={**SELDOM, "reader.workers": "1"})
    world.import_roster()
    world.open()
    world.send()
    world.servers.settle()
    world.at("12-12 09:00")
    world.close()
    store = world.app.store
    with job(world, tmp_path / "run.log") as running_job:
        # The one poll of the start finds nothing: what follows comes by the server's word alone.
        running_job.until(lambda: store.last_poll() is not None, "the first poll")
        world.post(world.reply(FIRST, world.filled(FIRST)))
        running_job.until(lambda: store.mail_counts().received == 1, "the reply taken in")
        running_job.until(lambda: store.mail_counts().queued == 0, "its answer sent")
        assert running_job.stop() == 0
    world.servers.settle()
    assert [mail for mail in world.inbox(administrator(FIRST)) if "已收到" in mail.subject]


def test_where_staff_do_not_want_it_only_the_polls_find_mail(
    make_world: Callable[..., World], tmp_path: Path
) -> None:
    often = {"run.poll_minutes": "0.017", "imap.idle": "false", "reader.workers": "1"}
    world = make_world(settings={**SELDOM, **often})
    world.import_roster()
    store = world.app.store
    with job(world, tmp_path / "run.log") as running_job:
        running_job.until(lambda: store.last_poll() is not None, "the first poll")
        world.servers.deliver(world.account, [b"From: a@example.org\r\nSubject: a\r\n\r\nb"])
        running_job.until(lambda: store.mail_counts().received == 1, "the mail taken in")
        assert running_job.stop() == 0
