"""The faults of docs/faults.md on the way in: nothing is lost, nothing is done twice, nothing half-done counts as done."""

from __future__ import annotations

import os
import subprocess
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

import pytest
from imap_tools.utils import encode_folder

from tests.journeys.world import World, buckets, letter, moment, password_variable
from tests.servers import fake_imap, running
from workflow.domain.errors import OutsideFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SMALL = {"reader.workers": "1"}
ONE_BY_ONE = {**SMALL, "imap.batch": "1"}


def asked(number: int, size: int = 0) -> bytes:
    """A message that no unit sent: `unmatched`."""
    text = f"第{number}个问题。" + "详情" * size
    return letter(f"someone{number}@example.org", "huizhi@huizhi.test", f"咨询{number}", text)


def subjects(world: World) -> list[str]:
    """What was taken in, in order of subject; each message once, whatever happened."""
    return sorted(row.subject for row in world.app.store.mail_log())


def wanted(*numbers: int) -> list[str]:
    return sorted(f"咨询{number}" for number in numbers)


def whole(world: World, *numbers: int) -> None:
    """Exactly these were taken in, each once; nothing waits, and the ledger holds."""
    assert subjects(world) == wanted(*numbers)
    counts = world.app.store.mail_counts()
    assert counts.received == sum(counts.buckets.values()) == len(numbers)
    assert world.app.store.failures() == {}
    assert world.app.store.verify_ledger().fault is None
    assert world.app.files.mail_count() == len(numbers)


def deliver(world: World, *numbers: int, size: int = 0) -> None:
    world.servers.deliver(world.account, [asked(number, size) for number in numbers])


# a real server


@pytest.fixture
def office(make_world: Callable[..., World]) -> World:
    """An office with a roster, which takes one message at a time."""
    world = make_world(settings=ONE_BY_ONE)
    world.import_roster()
    return world


@contextmanager
def renumbered(world: World) -> Iterator[list[str]]:
    """The lines of Dovecot's list of uids, to be changed while it is down; without its index it believes the list."""
    box = world.servers.dovecot.place / "mail" / world.account
    with world.servers.mailbox_down():
        path = box / "dovecot-uidlist"
        lines = path.read_text().splitlines()
        yield lines
        owner = path.owner()
        path.write_text("\n".join(lines) + "\n") if lines else path.unlink()
        for index in box.glob("dovecot.index*"):
            index.unlink()
        if path.exists():
            subprocess.run(["chown", f"{owner}:{owner}", str(path)], check=True)


def test_a_new_uidvalidity_makes_it_look_at_all_mail_again_and_changes_nothing(office: World) -> None:
    deliver(office, 1, 2)
    office.poll()
    before = office.app.store.head()
    with renumbered(office) as lines:
        lines.clear()
    deliver(office, 3)
    assert buckets(office.poll()) == ["unmatched"]
    whole(office, 1, 2, 3)
    # The two were noted where they lie now, and the third was taken: three events and no more.
    assert office.app.store.head()[0] == before[0] + 3


def test_a_server_that_was_restored_and_gives_numbers_out_again_loses_no_mail(office: World) -> None:
    deliver(office, 1, 2, 3)
    office.poll()
    box = office.servers.dovecot.place / "mail" / office.account
    with renumbered(office) as lines:
        for path in [*(box / "new").iterdir(), *(box / "cur").iterdir()]:
            path.unlink()
        head = [word if word[0] != "N" else "N1" for word in lines[0].split(" ")]
        lines[:] = [" ".join(head)]
    deliver(office, 4)  # under the number of the first
    assert buckets(office.poll()) == ["unmatched"]
    whole(office, 1, 2, 3, 4)


def test_moved_and_uploaded_again_it_is_the_same_message(make_world: Callable[..., World]) -> None:
    world = make_world(settings={**SMALL, "imap.more": '[{ folder = "Junk" }]'})
    world.import_roster()
    with world.servers.imap(world.account) as box:
        box.create("Junk")
    deliver(world, 1, 2)
    world.poll()
    raws = world.servers.messages(world.account)
    with world.servers.imap(world.account) as box:
        box.select("INBOX")
        box.copy("1", "Junk")
        box.store("1", "+FLAGS", r"(\Deleted)")
        box.expunge()
        for raw in raws:
            box.append("INBOX", "", "", raw)  # type: ignore[arg-type]
    assert world.poll() == []
    whole(world, 1, 2)
    [places] = world.app.store.sightings_of([world.app.store.mail_log()[0].sha]).values()
    assert len(places) >= 2


def test_mail_in_a_second_folder_and_a_second_account_is_taken_once(
    make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    more = (
        '[{ folder = "垃圾邮件" }, { user = "second@huizhi.test", password_env = "JOURNEY_SECOND_PASSWORD" }]'
    )
    world = make_world(settings={**SMALL, "imap.more": more})
    _, password = world.servers.add_account("second")
    monkeypatch.setenv(password_variable("second"), password)
    world.import_roster()
    with world.servers.imap(world.account) as box:
        junk = encode_folder("垃圾邮件").decode("ascii")
        box.create(junk)
        for folder, numbers in (("INBOX", (1, 2)), (junk, (2, 3))):
            for number in numbers:
                box.append(folder, "", "", asked(number))  # type: ignore[arg-type]
    with world.servers.imap("second") as box:
        for number in (3, 4):
            box.append("INBOX", "", "", asked(number))  # type: ignore[arg-type]
    assert len(world.poll()) == 4
    whole(world, 1, 2, 3, 4)


def test_one_mailbox_that_fails_keeps_the_others_waiting_for_nothing_and_is_told(
    make_world: Callable[..., World],
) -> None:
    world = make_world(settings={**SMALL, "imap.more": '[{ folder = "没有" }]'})
    world.import_roster()
    deliver(world, 1)
    with pytest.raises(OutsideFailed, match="打不开收件文件夹"):
        world.poll()
    whole(world, 1)
    assert world.app.store.last_poll() is None  # no deadline may act on half of the mail


def test_a_server_that_restarts_in_the_middle_of_a_poll(office: World) -> None:
    deliver(office, *range(8))
    office.servers.postmark(office.account, office.now)
    restarted: list[int] = []

    def restart(done: int) -> None:
        if not restarted:
            restarted.append(done)
            with office.servers.mailbox_down():
                pass

    with pytest.raises(OutsideFailed):
        office.app.poll(restart)
    assert office.app.store.last_poll() is None
    assert len(subjects(office)) < 8
    office.app.poll()
    whole(office, *range(8))


def test_mail_that_somebody_else_removes_during_a_poll_keeps_no_other_back(office: World) -> None:
    deliver(office, *range(6))

    def remove(done: int) -> None:
        if done == 1:
            with office.servers.imap(office.account) as box:
                box.select("INBOX")
                box.store("5:6", "+FLAGS", r"(\Deleted)")
                box.expunge()

    office.app.poll(remove)
    whole(office, *range(4))


def test_a_clock_that_jumps_forward_and_back_neither_loses_mail_nor_acts_on_a_poll_of_the_future(
    office: World,
) -> None:
    deliver(office, 1)
    office.at("06-01 09:00")  # of next year
    office.poll()
    office.at("12-13 09:00")
    deliver(office, 2)
    office.poll()
    whole(office, 1, 2)
    assert office.app.store.last_poll() == moment("12-13 09:00")


# a disk that fails: a file system of its own


@contextmanager
def mounted(place: Path, *how: str) -> Iterator[Callable[[str], None]]:
    """A file system of its own at a place, and how to mount it differently."""
    made = subprocess.run(["mount", *how, str(place)], capture_output=True, text=True, check=False)
    if made.returncode:
        running.unavailable(f"nothing can be mounted here: {made.stderr.strip()}")

    def again(options: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{options}", str(place)], check=True)

    try:
        yield again
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def tiny(place: Path, megabytes: int) -> AbstractContextManager[Callable[[str], None]]:
    """A disk of a few megabytes."""
    place.mkdir(parents=True, exist_ok=True)
    return mounted(place, "-t", "tmpfs", "-o", f"size={megabytes}m", "huizhi-test")


def fill(place: Path, but: int) -> None:
    """Take all room on a disk, but for some octets."""
    free = os.statvfs(place)
    with (place / "filler").open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize - but)


def unseen(world: World) -> int:
    with world.servers.imap(world.account) as box:
        box.select("INBOX", readonly=True)
        _, [found] = box.search(None, "UNSEEN")
        return len(found.split())


def test_a_disk_that_fills_while_mail_is_kept_loses_nothing(make_world: Callable[..., World]) -> None:
    world = make_world(settings=ONE_BY_ONE)
    world.import_roster()
    with tiny(world.folder / "mailbox", 1) as again:
        deliver(world, *range(8), size=30_000)  # a fifth of a megabyte each
        for _ in range(2):
            with pytest.raises(OutsideFailed, match="磁盘已满"):
                world.poll()
        taken = len(subjects(world))
        assert 0 < taken < 8
        assert unseen(world) == 8 - taken
        assert not list((world.folder / "mailbox").rglob("*.new"))
        again("size=64m")
        world.poll()
        whole(world, *range(8))
        world.close()


def test_a_disk_that_is_full_under_the_database_loses_nothing(
    make_world: Callable[..., World], tmp_path: Path
) -> None:
    with tiny(tmp_path / "workspace-huizhi", 24) as again:
        world = make_world(settings=ONE_BY_ONE)
        world.import_roster()
        deliver(world, *range(40))
        world.app.store.last_poll()
        fill(world.folder, but=300_000)
        with pytest.raises(OutsideFailed, match=r"磁盘已满|磁盘读写出错"):
            world.poll()
        assert len(subjects(world)) < 40
        again("size=64m")
        world.poll()
        whole(world, *range(40))
        world.close()


def test_a_disk_that_turns_read_only_marks_no_mail(make_world: Callable[..., World], tmp_path: Path) -> None:
    with tiny(tmp_path / "workspace-huizhi", 24) as again:
        world = make_world(settings=SMALL)
        world.import_roster()
        deliver(world, 1, 2)
        world.close()
        again("ro")
        with pytest.raises(OutsideFailed, match=r"只读|没有读写权限|数据库文件打不开"):
            world.poll()
        world.close()
        assert unseen(world) == 2
        again("rw")
        world.poll()
        whole(world, 1, 2)
        world.close()


def test_a_database_that_nobody_may_write_marks_no_mail(office: World) -> None:
    deliver(office, 1, 2)
    office.close()
    state = office.folder / "state.db"
    with mounted(state, "--bind", str(state)) as again:
        again("bind,ro")
        with pytest.raises(OutsideFailed, match="只读"):
            office.poll()
        office.close()
        assert unseen(office) == 2
        again("bind,rw")
        office.poll()
        whole(office, 1, 2)
        office.close()


# a server that misbehaves


@pytest.fixture
def strange(make_world: Callable[..., World]) -> Iterator[Callable[..., tuple[World, fake_imap.FakeImap]]]:
    """`strange(capabilities, **settings)`: an office over a server that misbehaves."""
    servers: list[fake_imap.FakeImap] = []

    def make(
        capabilities: str = "IMAP4rev1 ID UIDPLUS MOVE", **settings: str
    ) -> tuple[World, fake_imap.FakeImap]:
        server = fake_imap.FakeImap(capabilities)
        servers.append(server)
        changed = {"imap.port": str(server.port), **ONE_BY_ONE}
        world = make_world(settings={**changed, **{f"imap.{key}": value for key, value in settings.items()}})
        path = world.folder / "config.toml"
        path.write_text(path.read_text("utf-8").replace("[imap]", "[imap]\ntimeout = 2"), "utf-8")
        world.import_roster()
        return world, server

    yield make
    for server in servers:
        server.stop()


Strange = "Callable[..., tuple[World, fake_imap.FakeImap]]"


def test_a_server_that_asks_for_id_is_told_who_calls(strange: Strange) -> None:
    world, server = strange()
    server.put(asked(1))
    world.app.poll()
    whole(world, 1)


def test_a_connection_that_drops_in_the_middle_of_a_message(strange: Strange) -> None:
    world, server = strange(batch="3")
    server.put(*(asked(number) for number in range(9)))
    server.hang_up_after = 4 * len(asked(1))
    with pytest.raises(OutsideFailed, match="收件邮箱"):
        world.app.poll()
    assert subjects(world) == wanted(0, 1, 2)
    world.app.poll()
    whole(world, *range(9))
    assert server.flags(r"\Seen") == list(range(1, 10))
    assert max(server.fetched.values()) <= 2


@pytest.mark.parametrize("by", [-5, 5, 10_000])
def test_a_literal_that_lies_about_its_size_is_never_taken_for_the_message(strange: Strange, by: int) -> None:
    world, server = strange()
    server.put(asked(1), asked(2), asked(3))
    server.longer[2] = by
    with pytest.raises(OutsideFailed):
        world.app.poll()
    assert subjects(world) == wanted(1)
    server.longer.clear()
    world.app.poll()
    whole(world, 1, 2, 3)


def test_a_message_that_turns_up_behind_the_cursor_is_found_within_a_day(strange: Strange) -> None:
    world, server = strange()
    server.put(asked(1))
    server.put(asked(3), uid=5)
    world.app.poll()
    server.put(asked(2), uid=3)
    world.app.poll()
    assert subjects(world) == wanted(1, 3)
    world.at(world.now.replace(day=world.now.day + 1))
    world.app.poll()
    whole(world, 1, 2, 3)


def test_numbers_given_out_again_under_the_same_validity_lose_nothing(strange: Strange) -> None:
    world, server = strange()
    server.put(asked(1), asked(2), asked(3))
    world.app.poll()
    server.folders["INBOX"].clear()
    server.uidnext = 1
    server.put(asked(4), asked(2))
    world.app.poll()
    whole(world, 1, 2, 3, 4)


@pytest.mark.parametrize("capabilities", ["IMAP4rev1", "IMAP4rev1 UIDPLUS", "IMAP4rev1 MOVE"])
def test_what_is_taken_is_archived_by_whatever_the_server_has(strange: Strange, capabilities: str) -> None:
    world, server = strange(capabilities, archive_folder='"Done"')
    server.put(asked(1), asked(2))
    world.app.poll()
    assert [one.raw for one in server.folders["Done"]] == [asked(1), asked(2)]
    assert server.folders["INBOX"] == []
    server.put(asked(3))
    world.app.poll()
    whole(world, 1, 2, 3)


def test_mail_that_somebody_else_marked_as_deleted_is_left_where_there_is_no_uidplus(
    strange: Strange,
) -> None:
    world, server = strange("IMAP4rev1", archive_folder='"Done"')
    server.put(asked(1), asked(2))
    world.app.poll()
    server.put(asked(3), asked(4))
    server.folders["INBOX"][1].flags.add(r"\Deleted")
    world.app.poll()
    whole(world, 1, 2, 3, 4)
    assert asked(4) in [one.raw for one in server.folders["INBOX"]]
