"""The mailbox: new messages in batches, in the order of their uids, and marked once they are safely kept.

imap-tools opens the connection and logs in; the messages are fetched with raw UID FETCH over its imaplib client (`stream`),
because it would parse each message on the way, and parsing is what costs.
"""

from __future__ import annotations

import datetime as dt
import imaplib
import re
import socket
import ssl
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import imap_tools
from imap_tools.utils import encode_folder

from workflow.adapters.mail import fetching
from workflow.adapters.mail.connection import Security, require_encryption, words
from workflow.adapters.mail.stream import FetchLine, SecretStream, Stream
from workflow.domain.errors import OutsideFailed
from workflow.domain.message import Fetched, Sighting

# RFC 2971; 163.com and its sisters refuse SELECT ("Unsafe Login") to a program that has not named itself.
imaplib.Commands.setdefault("ID", ("NONAUTH", "AUTH", "SELECTED"))
_NAME = '("name" "huizhi" "version" "1" "vendor" "huizhi")'

#: A batch is held in memory as a whole.
BATCH_BYTES = 64 * 1024 * 1024
#: Where providers file what was sent, should the server not say so (RFC 6154).
_SENT_FOLDERS = ("已发送", "已发送邮件", "Sent Messages", "Sent Items", "Sent")
_MESSAGE_ID = re.compile(rb"<[^<>\s]+>")
#: Ranges of uids to one command, so that its line stays short.
_RANGES = 400


@dataclass(frozen=True, slots=True)
class MailboxSettings:
    """Where replies arrive. `archive_folder` '' leaves them where they are; `timeout` in seconds for each answer."""

    host: str
    port: int
    security: Security = "tls"
    user: str = ""
    password: str = field(default="", repr=False)
    folder: str = "INBOX"
    archive_folder: str = ""
    timeout: float = 60.0

    @property
    def where(self) -> str:
        return f"收件邮箱 {self.user}（{self.host}:{self.port}）"


class Mailbox:
    """One logged-in connection with the folder selected, for `with`. One thread may go through `batches` while another
    marks what came before: each conversation with the server waits for the other.

    Raises Refused when the password would leave this machine unencrypted, OutsideFailed when the server can't be
    reached, refuses or breaks off; a mailbox that failed never looks like one without mail.
    """

    def __init__(self, settings: MailboxSettings) -> None:
        require_encryption(settings.security, settings.host, settings.where)
        self._settings = settings
        self._box: imap_tools.BaseMailBox | None = None
        self._uidvalidity = 0
        self._uidnext = 0
        self._number = 0
        self._talking = threading.Lock()

    def __enter__(self) -> Self:
        with self._reported("连接不上", "请核对地址、端口和网络"):
            self._box = self._open()
        try:
            with self._reported("登录被拒绝", "请核对账号和授权码，并确认已开启 IMAP 服务"):
                self._box.login(self._settings.user, self._settings.password, initial_folder=None)
            with self._reported("打不开收件文件夹", "请核对文件夹名称"):
                self._introduce()
                self._box.folder.set(self._settings.folder)
                self._uidvalidity = self._read_number("UIDVALIDITY")
                self._uidnext = self._read_number("UIDNEXT")
                self._number = self._read_number("EXISTS")
                if not self._uidvalidity:
                    raise OutsideFailed(self._settings.where, "服务器没有给出 UIDVALIDITY，无法辨认邮件")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Log out; a connection that is already gone is no failure."""
        box, self._box = self._box, None
        if box is not None:
            try:
                box.client.logout()
            except (imaplib.IMAP4.error, OSError):
                box.client.shutdown()

    @property
    def uidvalidity(self) -> int:
        """The folder's UIDVALIDITY: when it changes, the uids known so far mean nothing."""
        return self._uidvalidity

    def was_set_back(self, last_uid: int) -> bool:
        """Whether the server gives out numbers again that it has used: one restored from a copy."""
        return 0 < self._uidnext <= last_uid

    def held(self, up_to: int) -> list[int]:
        """The uids up to this one of what lies in the folder now."""
        with self._reported("读取邮件时出错", "下次收信从中断处继续"):
            data = self._command("SEARCH", "UID", f"1:{up_to}") if up_to else []
        # n:* aside, some servers name more than they were asked for.
        return [
            uid for line in data if isinstance(line, bytes) for uid in map(int, line.split()) if uid <= up_to
        ]

    def batches(
        self, after_uid: int, size: int = 200, octets: int = BATCH_BYTES, also: Sequence[int] = ()
    ) -> Iterator[list[Fetched]]:
        """The messages with uids above `after_uid`, and those named in `also`, in their order, at most `size` to a batch
        and `octets` in sum; a larger message comes alone.

        Nothing is marked. Each batch is complete; when the connection breaks, those before it have been given and
        OutsideFailed is raised. A message that was deleted meanwhile is left out.
        """
        with self._reported("读取邮件时出错", "下次收信从中断处继续"):
            # pymap and some others tell of deliveries since SELECT only after a NOOP.
            self._client.noop()
            waiting = [*self._sizes_of(also), *self._sizes(after_uid)]
        for uids in _portions(waiting, size, octets):
            with self._reported("读取邮件时出错", "下次收信从中断处继续"):
                batch = self._fetch(uids)
            if batch:
                yield batch

    def mark(self, uids: Iterable[int]) -> None:
        """Flag messages as read and, where an archive folder is set, move them there.

        To be called after what they said is committed. Messages that are gone are passed over.
        """
        ranges = fetching.ranges(uids)
        with self._reported("标记邮件时出错", "邮件已经收妥，不影响处理"):
            for start in range(0, len(ranges), _RANGES):
                some = ",".join(ranges[start : start + _RANGES])
                self._command("STORE", some, "+FLAGS.SILENT", r"(\Seen)")
                if self._settings.archive_folder:
                    self._archive(some)

    @property
    def tells(self) -> bool:
        """Whether the server tells of new mail by itself (IDLE)."""
        return "IDLE" in self._client.capabilities

    def heard(self, seconds: float) -> bool:
        """Wait until the server tells of new mail, at most so many seconds (less than the 29 minutes of RFC 2177, 3); whether it did."""
        with self._reported("等候新邮件时出错", "按间隔收信，不受影响"):
            return self._client.idle(seconds, self._is_news)

    def _is_news(self, said: bytes) -> bool:
        number, _, what = said.upper().partition(b" ")
        if not number.isdigit():
            return False
        before = self._number
        if what == b"EXPUNGE":
            self._number -= 1
        elif what == b"EXISTS":  # some servers repeat it as a sign of life
            self._number = int(number)
        return self._number > before

    def hang_up(self) -> None:
        """Break the connection off, from whatever thread: whoever waits there gets OutsideFailed."""
        box = self._box
        if box is not None:
            with suppress(OSError):
                # Below TLS, whose own way of ending would wait for the other thread.
                socket.socket.shutdown(box.client.sock, socket.SHUT_RDWR)

    def filed(self, folder: str, since: dt.date) -> set[str]:
        """The Message-IDs, with their angle brackets, of what lies in another folder since a day; `folder` '' is the one
        in which the provider files what was sent, and has nothing where there is none. Nothing is marked; afterwards the
        connection is good for nothing else.
        """
        with self._reported("查找已发送邮件时出错", "请核对 config.toml 的 [smtp] sent_folder"):
            name = folder or self._sent_folder()
            if not name:
                return set()
            _expect_ok(*self._client.select(encode_folder(name).decode("ascii"), readonly=True))
            # A server may count a message to the day before or after, by its own clock.
            data = self._command("SEARCH", "SINCE", f"{since - dt.timedelta(days=1):%d-%b-%Y}")
            uids = [int(uid) for line in data if isinstance(line, bytes) for uid in line.split()]
            found: set[str] = set()
            ranges = fetching.ranges(uids)
            for start in range(0, len(ranges), _RANGES):
                some = ",".join(ranges[start : start + _RANGES])
                told = self._fetched(some, "(BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])")
                said = b"".join(part[1] for part in told if isinstance(part, tuple))
                found.update(known.decode("ascii", "replace") for known in _MESSAGE_ID.findall(said))
            return found

    def _sent_folder(self) -> str:
        if self._box is None:
            raise OutsideFailed(self._settings.where, "连接已关闭")
        folders = self._box.folder.list()
        marked = [each.name for each in folders if "\\Sent" in each.flags]
        there = {each.name for each in folders}
        return next(iter([*marked, *(name for name in _SENT_FOLDERS if name in there)]), "")

    def _archive(self, uids: str) -> None:
        folder = encode_folder(self._settings.archive_folder).decode("ascii")
        capabilities = self._client.capabilities
        verb = "MOVE" if "MOVE" in capabilities else "COPY"
        typ, data = self._client.uid(verb, uids, folder)
        if typ == "NO":  # most likely [TRYCREATE]
            self._client.create(folder)
            typ, data = self._client.uid(verb, uids, folder)
        _expect_ok(typ, data)
        if verb == "MOVE":
            return
        self._command("STORE", uids, "+FLAGS.SILENT", r"(\Deleted)")
        if "UIDPLUS" in capabilities:
            self._command("EXPUNGE", uids)
        elif self._deleted() <= fetching.members(uids):
            # Without UIDPLUS an EXPUNGE takes all that is flagged: only when that is ours alone.
            _expect_ok(*self._client.expunge())

    def _deleted(self) -> set[int]:
        data = self._command("SEARCH", "DELETED")
        return {int(uid) for line in data if isinstance(line, bytes) for uid in line.split()}

    @property
    def _client(self) -> Stream:
        if self._box is None:
            raise OutsideFailed(self._settings.where, "连接已关闭")
        client = self._box.client
        assert isinstance(client, Stream)
        return client

    def _open(self) -> imap_tools.BaseMailBox:
        s = self._settings
        if s.security == "tls":
            return _Tls(s.host, s.port, timeout=s.timeout, ssl_context=ssl.create_default_context())
        if s.security == "starttls":
            return _StartTls(s.host, s.port, s.timeout, ssl.create_default_context())
        return _Plain(s.host, s.port, s.timeout)

    def _introduce(self) -> None:
        """Send ID where the server has it, before and after log-in being announced differently."""
        client = self._client
        _, [listed, *_] = client.capability()
        if isinstance(listed, bytes):
            client.capabilities = tuple(listed.decode("ascii", "replace").upper().split())
        if "ID" in client.capabilities:
            _expect_ok(*client._simple_command("ID", _NAME))  # noqa: SLF001 - imaplib has no public way

    def _read_number(self, name: str) -> int:
        """A number that came with SELECT, 0 where it did not."""
        _, [value, *_] = self._client.response(name)
        return int(value) if isinstance(value, bytes) and value.isdigit() else 0

    def _sizes_of(self, uids: Sequence[int]) -> list[tuple[int, int]]:
        """(uid, octets) of these messages, in order."""
        found: list[tuple[int, int]] = []
        ranges, asked = fetching.ranges(uids), set(uids)
        for start in range(0, len(ranges), _RANGES):
            data = self._fetched(",".join(ranges[start : start + _RANGES]), "(UID RFC822.SIZE)")
            found += [(uid, size) for uid, size in fetching.sizes(data) if uid in asked]
        return sorted(found)

    def _sizes(self, after_uid: int) -> list[tuple[int, int]]:
        """(uid, octets) of each message above a uid, in order."""
        data = self._fetched(f"{after_uid + 1}:*", "(UID RFC822.SIZE)")
        # n:* always names the last message, even one below n.
        return sorted((uid, size) for uid, size in fetching.sizes(data) if uid > after_uid)

    def _fetch(self, uids: Sequence[int]) -> list[Fetched]:
        found = self._messages(f"{uids[0]}:{uids[-1]}")
        for uid in uids:
            if uid not in found:
                found |= self._messages(str(uid))
                if uid not in found and self._exists(uid):
                    raise OutsideFailed(self._settings.where, f"服务器没有给出第 {uid} 号邮件的内容")
        return [found[uid] for uid in uids if uid in found]

    def _messages(self, uids: str) -> dict[int, Fetched]:
        data = self._fetched(uids, "(UID INTERNALDATE BODY.PEEK[])")
        s = self._settings
        return {
            uid: Fetched(Sighting(s.user, s.folder, self._uidvalidity, uid, when), raw)
            for uid, when, raw in fetching.messages(data)
        }

    def _exists(self, uid: int) -> bool:
        return any(found == uid for found, _ in fetching.sizes(self._fetched(str(uid), "(UID RFC822.SIZE)")))

    def _fetched(self, uids: str, what: str) -> list[FetchLine]:
        return self._client.fetched(uids, what)

    def _command(self, *arguments: str) -> list[Any]:
        typ, data = self._client.uid(*arguments)
        _expect_ok(typ, data)
        return data

    @contextmanager
    def _reported(self, what: str, remedy: str) -> Iterator[None]:
        """Turn every way in which a server, a library or the network can fail into OutsideFailed."""
        try:
            with self._talking:
                yield
        except (imaplib.IMAP4.error, imap_tools.ImapToolsError, OSError, ValueError) as error:
            raise OutsideFailed(self._settings.where, f"{what}（{words(error)}）", remedy) from error


class _Plain(imap_tools.MailBoxUnencrypted):
    def _get_mailbox_client(self) -> imaplib.IMAP4:
        return Stream(self._host, self._port, self._timeout)


class _Tls(imap_tools.MailBox):
    def _get_mailbox_client(self) -> imaplib.IMAP4:
        return SecretStream(self._host, self._port, timeout=self._timeout, ssl_context=self._ssl_context)


class _StartTls(imap_tools.MailBoxStartTls):
    """imap-tools' own leaves the connection open when the server does not encrypt it."""

    def _get_mailbox_client(self) -> imaplib.IMAP4:
        client = Stream(self._host, self._port, self._timeout)
        try:
            client.starttls(self._ssl_context)
        except BaseException:
            client.shutdown()
            raise
        return client


def _portions(waiting: Sequence[tuple[int, int]], count: int, octets: int) -> Iterator[list[int]]:
    """Runs of uids of at most `count` messages and `octets` in sum; a larger message goes alone."""
    portion: list[int] = []
    held = 0
    for uid, size in waiting:
        if portion and (len(portion) >= count or held + size > octets):
            yield portion
            portion, held = [], 0
        portion.append(uid)
        held += size
    if portion:
        yield portion


def _expect_ok(typ: str, data: Sequence[Any]) -> None:
    if typ != "OK":
        said = b" ".join(line for line in data if isinstance(line, bytes)).decode("utf-8", "replace")
        raise imaplib.IMAP4.error(f"{typ} {said}")
