from __future__ import annotations

import base64
import datetime as dt
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.adapters.mail.scripted import HANG_UP, Scripted, scripted
from tests.servers.running import free_port
from workflow.adapters.mail.fetching import messages, ranges
from workflow.adapters.mail.imap import Mailbox, MailboxSettings
from workflow.adapters.mail.mime import content_digest
from workflow.domain.errors import OutsideFailed, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.servers.mail import MailServers
    from workflow.domain.message import Fetched

US = "huizhi@huizhi.test"


def reply(number: int, size: int = 10) -> bytes:
    body = base64.encodebytes(bytes([number % 256]) * size).replace(b"\n", b"\r\n")
    head = b"From: a@school.test\r\nTo: huizhi@huizhi.test\r\nDate: Thu, 8 Oct 2026 09:00:00 +0800\r\n"
    return head + b"Message-ID: <r%d@school.test>\r\nSubject: r%d\r\n\r\n" % (number, number) + body


def settings(servers: MailServers, archive: str = "") -> MailboxSettings:
    user, password = servers.add_account("huizhi")
    return MailboxSettings(
        servers.imap_host, servers.imap_port, "none", user, password, archive_folder=archive, timeout=20
    )


def deliver(servers: MailServers, *numbers: int, size: int = 10) -> None:
    for number in numbers:
        servers.send(reply(number, size), sender="a@school.test", to=[US])
    servers.settle()


def numbers(batches: list[list[Fetched]]) -> list[list[int]]:
    return [[int(re.search(rb"Subject: r(\d+)", f.raw)[1]) for f in batch] for batch in batches]  # type: ignore[index]


def test_new_messages_come_in_batches_with_where_and_when(mailboxes: MailServers) -> None:
    for number in range(5):
        deliver(mailboxes, number)
    came = dt.datetime(2026, 12, 20, 16, 0, 1, tzinfo=dt.UTC)
    mailboxes.postmark("huizhi", came)
    with Mailbox(settings(mailboxes)) as mailbox:
        batches = list(mailbox.batches(0, size=2))
        assert numbers(batches) == [[0, 1], [2, 3], [4]]
        found = [fetched for batch in batches for fetched in batch]
        uids = [f.sighting.uid for f in found]
        assert uids == sorted(set(uids))
        assert {f.sighting.internal_date for f in found} == {came}
        assert {(f.sighting.account, f.sighting.folder) for f in found} == {(US, "INBOX")}
        assert {f.sighting.uidvalidity for f in found} == {mailbox.uidvalidity}
        assert [content_digest(f.raw) for f in found] == [content_digest(reply(n)) for n in range(5)]
        assert numbers(list(mailbox.batches(uids[2]))) == [[3, 4]]
        # nothing above the last uid, although the server names the last message for n:*
        assert list(mailbox.batches(uids[4])) == []
        # a delivery since the folder was opened is seen
        deliver(mailboxes, 7)
        assert numbers(list(mailbox.batches(uids[4]))) == [[7]]


def test_fetching_marks_nothing_and_mark_sets_seen(mailboxes: MailServers) -> None:
    deliver(mailboxes, 1, 2, 3)
    with Mailbox(settings(mailboxes)) as mailbox:
        [batch] = mailbox.batches(0)
        with mailboxes.imap("huizhi") as other:
            other.select("INBOX", readonly=True)
            assert len(other.search(None, "UNSEEN")[1][0].split()) == 3
        mailbox.mark([f.sighting.uid for f in batch[:2]])
        mailbox.mark([])
        mailbox.mark([batch[0].sighting.uid, 4_000_000])
        with mailboxes.imap("huizhi") as other:
            other.select("INBOX", readonly=True)
            assert len(other.search(None, "UNSEEN")[1][0].split()) == 1


def test_marked_messages_move_to_an_archive_that_is_made_for_them(mailboxes: MailServers) -> None:
    deliver(mailboxes, 1, 2, 3)
    with Mailbox(settings(mailboxes, "已处理")) as mailbox:
        [batch] = mailbox.batches(0)
        mailbox.mark([f.sighting.uid for f in batch[:2]])
        assert numbers(list(mailbox.batches(0)))[0] == numbers([batch[2:]])[0]
    archived = mailboxes.messages("huizhi", "&XfJZBHQG-")
    assert len(archived) == 2
    assert len(mailboxes.messages("huizhi")) == 1


@pytest.mark.parametrize("name", ["已处理", "其他文件夹/收件", "R&D资料&", "2026年（第四季度）", "𠮷林"])
def test_folders_with_chinese_names_are_read_and_moved_to(mailboxes: MailServers, name: str) -> None:
    when = dt.datetime(2026, 12, 20, 16, 0, 1, tzinfo=dt.UTC)
    mailboxes.file("huizhi", name, [reply(1)], when)
    deliver(mailboxes, 2)
    with Mailbox(settings(mailboxes, archive=name)) as mailbox:
        [[inbox]] = mailbox.batches(0)
        mailbox.mark([inbox.sighting.uid])
    with Mailbox(replace(settings(mailboxes), folder=name)) as mailbox:
        assert numbers(list(mailbox.batches(0))) == [[1, 2]]
    assert not mailboxes.messages("huizhi")


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("~peter/mail/台北/日本語", b'"~peter/mail/&U,BTFw-/&ZeVnLIqe-"'),  # RFC 3501, 5.1.3
        ("已处理", b'"&XfJZBHQG-"'),
        ("其他文件夹/收件", b'"&UXZO1mWHTvZZOQ-/&ZTZO9g-"'),
        ("R&D", b'"R&-D"'),
        ("INBOX", b'"INBOX"'),
    ],
)
def test_folder_names_go_over_the_wire_in_modified_utf_7(name: str, written: bytes) -> None:
    with misbehaving({}) as (server, _):
        with Mailbox(MailboxSettings("127.0.0.1", server.port, "none", "u", "p", folder=name, timeout=5)):
            pass
        [select] = [line for line in server.heard if b" SELECT " in line]
    assert select.partition(b" SELECT ")[2] == written


def test_a_batch_holds_no_more_octets_than_fit(mailboxes: MailServers) -> None:
    for number in range(3):
        deliver(mailboxes, number, size=4_000 if number < 2 else 20_000)
    with Mailbox(settings(mailboxes)) as mailbox:
        assert [len(batch) for batch in mailbox.batches(0, octets=13_000)] == [2, 1]


def test_a_message_deleted_meanwhile_is_left_out(mailboxes: MailServers) -> None:
    deliver(mailboxes, 1, 2, 3)
    with Mailbox(settings(mailboxes)) as mailbox:
        batches = mailbox.batches(0, size=1)
        first = next(batches)
        with mailboxes.imap("huizhi") as other:
            other.select("INBOX")
            other.store("2", "+FLAGS", r"(\Deleted)")
            other.expunge()
        rest = list(batches)
    assert len(first) + sum(map(len, rest)) == 2


def test_a_mailbox_that_is_down_never_looks_empty(mailboxes: MailServers) -> None:
    deliver(mailboxes, 1)
    with Mailbox(settings(mailboxes)) as mailbox:
        with mailboxes.mailbox_down(), pytest.raises(OutsideFailed, match="读取邮件时出错"):
            list(mailbox.batches(0))
        with mailboxes.mailbox_down(), pytest.raises(OutsideFailed, match=r"连接不上.*对方拒绝连接"):
            Mailbox(settings(mailboxes)).__enter__()
    with Mailbox(settings(mailboxes)) as mailbox:
        assert numbers(list(mailbox.batches(0))) == [[1]]


def test_a_wrong_password_and_a_wrong_folder_are_told(mailboxes: MailServers) -> None:
    right = settings(mailboxes)
    wrong = MailboxSettings(right.host, right.port, "none", US, "secret-word")
    with pytest.raises(OutsideFailed, match="登录被拒绝") as failed:
        Mailbox(wrong).__enter__()
    assert "secret-word" not in str(failed.value) + repr(wrong)
    elsewhere = MailboxSettings(right.host, right.port, "none", US, right.password, folder="没有")
    with pytest.raises(OutsideFailed, match="打不开收件文件夹"):
        Mailbox(elsewhere).__enter__()


def test_no_password_leaves_this_machine_unencrypted() -> None:
    with pytest.raises(Refused, match="未加密的连接只能用于本机"):
        Mailbox(MailboxSettings("imap.henan.test", 143, "none"))


def test_a_server_that_is_not_there_is_told() -> None:
    with pytest.raises(OutsideFailed, match=r"收件邮箱.*对方拒绝连接"):
        Mailbox(MailboxSettings("127.0.0.1", free_port(), "none", timeout=5)).__enter__()


WHEN = b'INTERNALDATE " 8-Oct-2026 09:00:00 +0800"'


@contextmanager
def misbehaving(
    replies: dict[bytes, bytes | None], *, capability: bytes = b"IMAP4rev1", archive: str = ""
) -> Iterator[tuple[Scripted, Callable[[], Mailbox]]]:
    """An IMAP server with odd answers by the start of a command; untagged lines, the OK comes by itself."""
    named = False

    def answer(line: bytes) -> bytes | None:
        nonlocal named
        tag, _, command = line.partition(b" ")
        named = named or command.startswith(b"ID ")
        for start, said in replies.items():
            if command.startswith(start):
                if said is HANG_UP or b" NO " in said[:6] or said.endswith(b"-"):
                    return said if said is HANG_UP else tag + said
                return said + tag + b" OK done\r\n"
        if command.startswith(b"CAPABILITY"):
            return b"* CAPABILITY " + capability + b"\r\n" + tag + b" OK done\r\n"
        if command.startswith(b"SELECT"):
            if b"ID" in capability.split() and not named:
                return tag + b" NO SELECT Unsafe Login. Please contact kefu\r\n"
            return b"* 3 EXISTS\r\n* OK [UIDVALIDITY 77] ok\r\n" + tag + b" OK [READ-WRITE] ok\r\n"
        return tag + b" OK done\r\n"

    with scripted(b"* OK ready\r\n", answer) as server:
        where = MailboxSettings("127.0.0.1", server.port, "none", "u", "p", archive_folder=archive, timeout=5)
        yield server, lambda: Mailbox(where)


SIZES = b"".join(b"* %d FETCH (UID %d RFC822.SIZE 5)\r\n" % (n, 10 + n) for n in (1, 2, 3))


def test_the_id_command_goes_before_the_folder_where_a_server_asks_for_it() -> None:
    with misbehaving({}, capability=b"IMAP4rev1 ID") as (server, mailbox), mailbox() as opened:
        assert opened.uidvalidity == 77
        verbs = [line.split(b" ")[1] for line in server.heard]
        assert verbs.index(b"LOGIN") < verbs.index(b"ID") < verbs.index(b"SELECT")


def test_answers_out_of_order_and_unasked_ones_are_sorted_out() -> None:
    bodies = (
        b"* 3 FETCH (BODY[] {5}\r\nthird UID 13 " + WHEN + b")\r\n"
        b"* 1 FETCH (FLAGS (\\Seen))\r\n* 4 EXISTS\r\n"
        b"* 1 FETCH (UID 11 " + WHEN + b" BODY[] {5}\r\n) UID)\r\n"
        b'* 2 FETCH (UID 12 BODY[] "" ' + WHEN + b")\r\n"
        b"* 2 FETCH (UID 12 FLAGS (\\Recent))\r\n"
    )
    replies = {b"UID FETCH 1:*": SIZES, b"UID FETCH 11:13": bodies}
    with misbehaving(replies) as (_, mailbox), mailbox() as opened:
        [batch] = opened.batches(0)
    assert [(f.sighting.uid, f.raw) for f in batch] == [(11, b") UID"), (12, b""), (13, b"third")]
    assert batch[0].sighting.internal_date == dt.datetime(2026, 10, 8, 1, tzinfo=dt.UTC)


def test_a_connection_that_breaks_gives_whole_batches_and_an_error() -> None:
    one = b"* 1 FETCH (UID 11 " + WHEN + b" BODY[] {5}\r\nfirst)\r\n"
    replies = {b"UID FETCH 1:*": SIZES, b"UID FETCH 11:11": one, b"UID FETCH 12:12": HANG_UP}
    with misbehaving(replies) as (_, mailbox), mailbox() as opened:
        batches = opened.batches(0, size=1)
        assert [f.raw for f in next(batches)] == [b"first"]
        with pytest.raises(OutsideFailed, match="读取邮件时出错"):
            next(batches)


def test_a_message_that_the_server_keeps_back_is_an_error_and_not_passed_over() -> None:
    replies = {
        b"UID FETCH 1:*": SIZES,
        b"UID FETCH 11 (UID RFC": SIZES,
        b"UID FETCH 11:13": b"* 1 FETCH (UID 11 " + WHEN + b" BODY[] NIL)\r\n",
    }
    with (
        misbehaving(replies) as (_, mailbox),
        mailbox() as opened,
        pytest.raises(OutsideFailed, match="没有给出第 11 号邮件"),
    ):
        list(opened.batches(0))


@pytest.mark.parametrize(
    ("deleted", "expunged"), [(b"* SEARCH 11 12\r\n", True), (b"* SEARCH 9 11 12\r\n", False)]
)
def test_without_move_others_deleted_messages_are_not_swept_away(deleted: bytes, expunged: bool) -> None:
    replies: dict[bytes, bytes | None] = {b"UID SEARCH": deleted}
    with misbehaving(replies, archive="Done") as (server, mailbox), mailbox() as opened:
        opened.mark([11, 12])
        said = [line.partition(b" ")[2] for line in server.heard]
    assert b'UID COPY 11:12 "Done"' in said
    assert rb"UID STORE 11:12 +FLAGS.SILENT (\Deleted)" in said
    assert (b"EXPUNGE" in said) is expunged


def test_with_uidplus_only_our_own_are_expunged() -> None:
    with (
        misbehaving({}, capability=b"IMAP4rev1 UIDPLUS", archive="Done") as (server, mailbox),
        mailbox() as opened,
    ):
        opened.mark([11, 12, 15])
        assert server.heard[-1].endswith(b"UID EXPUNGE 11:12,15")


def test_new_mail_is_told_while_the_mailbox_is_listened_to(mailboxes: MailServers) -> None:
    deliver(mailboxes, 1)
    with Mailbox(settings(mailboxes)) as mailbox, ThreadPoolExecutor(1) as beside:
        assert mailbox.tells
        assert not mailbox.heard(0)
        waiting = beside.submit(mailbox.heard, 60)
        deliver(mailboxes, 2)
        assert waiting.result(20)
        assert numbers(list(mailbox.batches(0))) == [[1, 2]]
        deliver(mailboxes, 3)  # between two times of listening
        assert mailbox.heard(20)
        assert not mailbox.heard(0)


def test_who_listens_can_be_told_to_stop_and_learns_of_a_server_that_goes(mailboxes: MailServers) -> None:
    with Mailbox(settings(mailboxes)) as mailbox, ThreadPoolExecutor(1) as beside:
        waiting = beside.submit(mailbox.heard, 60)
        mailbox.hang_up()
        with pytest.raises(OutsideFailed, match="等候新邮件时出错"):
            waiting.result(20)
    with Mailbox(settings(mailboxes)) as mailbox, ThreadPoolExecutor(1) as beside:
        waiting = beside.submit(mailbox.heard, 60)
        with mailboxes.mailbox_down(), pytest.raises(OutsideFailed, match="等候新邮件时出错"):
            waiting.result(20)


@contextmanager
def listening(said: bytes, *, capability: bytes = b"IMAP4rev1 IDLE") -> Iterator[Mailbox]:
    """A mailbox with three messages, whose server says this in IDLE."""
    tag = b""

    def answer(line: bytes) -> bytes:
        nonlocal tag
        if line == b"DONE":
            return tag + b" OK done\r\n"
        tag, _, command = line.partition(b" ")
        if command == b"IDLE":
            return said.replace(b"TAG", tag)
        if command.startswith(b"CAPABILITY"):
            return b"* CAPABILITY " + capability + b"\r\n" + tag + b" OK done\r\n"
        if command.startswith(b"SELECT"):
            return b"* 3 EXISTS\r\n* OK [UIDVALIDITY 77] ok\r\n" + tag + b" OK [READ-WRITE] ok\r\n"
        return tag + b" OK done\r\n"

    with (
        scripted(b"* OK ready\r\n", answer) as server,
        Mailbox(MailboxSettings("127.0.0.1", server.port, "none", "u", "p", timeout=5)) as mailbox,
    ):
        yield mailbox


@pytest.mark.parametrize(
    ("said", "news"),
    [
        (b"+ idling\r\n* OK Still here\r\n* 3 EXISTS\r\n", False),
        (b"+ idling\r\n* 1 EXPUNGE\r\n* 2 EXISTS\r\n* 2 FETCH (FLAGS (\\Seen))\r\n", False),
        (b"+ idling\r\n* 4 EXISTS\r\n* 1 RECENT\r\n", True),
        (b"+ idling\r\n* 1 EXPUNGE\r\n* 3 EXISTS\r\n", True),
        (b"* 4 EXISTS\r\n+ idling\r\n", True),
    ],
)
def test_only_a_message_more_than_there_were_is_news(said: bytes, news: bool) -> None:
    with listening(said) as mailbox:
        assert mailbox.heard(0.3) is news


def test_a_server_that_can_not_idle_or_will_not_is_known() -> None:
    with listening(b"", capability=b"IMAP4rev1") as mailbox:
        assert not mailbox.tells
    with (
        listening(b"TAG NO busy\r\n") as mailbox,
        pytest.raises(OutsideFailed, match="等候新邮件时出错（NO busy）"),
    ):
        mailbox.heard(5)


@pytest.mark.parametrize("size", [0, 1, 70_000, 1 << 20, (1 << 20) + 1, 3_000_000])
def test_a_message_of_any_size_comes_as_it_is_between_others(size: int) -> None:
    bodies = [b"a", b"x\r\n" * (size // 3) + b"y" * (size % 3), b"c)\r\n"]
    lines = [
        b"* %d FETCH (UID %d " % (n, 10 + n) + WHEN + b" BODY[] {%d}\r\n" % len(b) + b + b")\r\n"
        for n, b in enumerate(bodies, 1)
    ]
    with misbehaving({b"UID FETCH 1:*": SIZES, b"UID FETCH 11:13": b"".join(lines)}) as (_, mailbox):  # noqa: SIM117
        with mailbox() as opened:
            [batch] = opened.batches(0)
            assert [one.raw for one in batch] == bodies
            opened.mark([11])  # the conversation goes on behind it


@pytest.mark.parametrize(
    ("said", "match"),
    [
        (b"* 1 FETCH (UID 11 " + WHEN + b" BODY[] {99999999999}\r\n", "99999999999"),
        (b"* BYE too many connections\r\n", "too many connections"),
        (b"nonsense\r\n", "nonsense"),
    ],
)
def test_what_is_no_answer_to_a_fetch_is_an_error(said: bytes, match: str) -> None:
    replies: dict[bytes, bytes | None] = {b"UID FETCH 1:*": SIZES, b"UID FETCH 11:13": said}
    with misbehaving(replies) as (_, mailbox), mailbox() as opened, pytest.raises(OutsideFailed, match=match):
        list(opened.batches(0))


def test_ranges_are_short() -> None:
    assert ranges([5, 3, 4, 9, 9, 11]) == ["3:5", "9", "11"]


def test_a_negative_zone_and_a_leap_second_are_read() -> None:
    line = b'1 (UID 5 INTERNALDATE "31-Dec-2026 23:59:60 -0130" BODY[] {1}'
    [(uid, when, raw)] = messages([(line, b"x"), b")"])
    assert (uid, raw) == (5, b"x")
    assert when == dt.datetime(2027, 1, 1, 1, 29, 59, tzinfo=dt.UTC)


def test_what_the_provider_files_is_found_by_its_folders_mark_or_its_usual_name(
    mailboxes: MailServers,
) -> None:
    now = dt.datetime.now(dt.UTC)
    since = now.date()

    def filed(folder: str = "") -> set[str]:
        with Mailbox(settings(mailboxes)) as mailbox:
            return mailbox.filed(folder, since)

    assert filed() == set()  # no such folder: nothing is filed
    mailboxes.file("huizhi", "已发送", [reply(1)], now)
    assert filed() == {"<r1@school.test>"}
    mailboxes.file("huizhi", "Sent", [reply(2), reply(3)], now)  # marked as \\Sent by the server
    assert filed() == {"<r2@school.test>", "<r3@school.test>"}
    assert filed("已发送") == {"<r1@school.test>"}
    mailboxes.file("huizhi", "Sent", [reply(4)], now - dt.timedelta(days=9))
    assert filed("Sent") == set()  # the file's time is the arrival's, of all that lie there
    with pytest.raises(OutsideFailed, match="查找已发送邮件时出错"):
        filed("没有这个文件夹")


def test_looking_for_what_was_sent_marks_nothing(mailboxes: MailServers) -> None:
    now = dt.datetime.now(dt.UTC)
    mailboxes.file("huizhi", "Sent", [reply(1)], now)
    with Mailbox(settings(mailboxes)) as mailbox:
        mailbox.filed("Sent", now.date())
    assert all(":2,S" not in path.name for path in mailboxes.dovecot.messages("huizhi", "Sent"))
