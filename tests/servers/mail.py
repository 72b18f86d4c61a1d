"""Dovecot and Postfix together: the mailbox and the relay that a province's office would rent."""

from __future__ import annotations

import imaplib
import os
import smtplib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from imap_tools.utils import encode_folder

from . import dovecot, postfix, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

SYSTEM = "huizhi"  # the office's own account
UNITS = "units"  # where mail to every unit ends


def missing() -> str | None:
    """Why real mail can't be had here, or None."""
    return postfix.missing() or dovecot.missing()


class MailServers:
    """Real mail on loopback.

    Mail to ANY@huizhi.test goes to the account ANY where it was added and comes back as a DSN where it was
    not; mail to nobody.test always comes back; mail to any other reserved domain (henan.test, school.test,
    example.org and all their subdomains) lands in the account `units`. Any other recipient is refused.
    """

    imap_host = smtp_host = running.LOOPBACK

    def __init__(self, place: Path) -> None:
        self.place = place
        for part in ("dovecot", "postfix"):
            (place / part).mkdir()
        self.dovecot = dovecot.Dovecot(place / "dovecot")
        self.postfix = postfix.Postfix(place / "postfix", lmtp_port=self.dovecot.lmtp_port)
        self._postmarked: set[str] = set()
        self.add_account(SYSTEM)
        self.add_account(UNITS)

    @property
    def imap_port(self) -> int:
        return self.dovecot.imap_port

    @property
    def smtp_port(self) -> int:
        return self.postfix.smtp_port

    def start(self) -> None:
        self.dovecot.start()
        self.postfix.start()

    def stop(self) -> None:
        self.postfix.stop()
        self.dovecot.stop()

    def add_account(self, name: str) -> tuple[str, str]:
        """Make the account name@huizhi.test, or find it; the user and the password to log in with."""
        return f"{name}@huizhi.test", self.dovecot.add_account(name)

    def imap(self, account: str) -> imaplib.IMAP4:
        """A logged-in connection, for use in `with`."""
        user, password = self.add_account(account)
        connection = imaplib.IMAP4(self.imap_host, self.imap_port, timeout=20)
        connection.login(user, password)
        return connection

    def send(self, raw: bytes, *, sender: str, to: list[str]) -> None:
        """Hand a whole message to the relay, as a unit's own program would."""
        with smtplib.SMTP(self.smtp_host, self.smtp_port, timeout=20) as connection:
            connection.sendmail(sender, to, raw)

    def deliver(self, account: str, raws: list[bytes], *, sender: str = "unit@school.test") -> None:
        """Put many messages straight into an account (LMTP), where the relay is not the point."""
        recipient, _ = self.add_account(account)
        with smtplib.LMTP(self.imap_host, self.dovecot.lmtp_port, timeout=60) as connection:
            for raw in raws:
                connection.sendmail(sender, [recipient], raw)

    def file(self, account: str, folder: str, raws: list[bytes], when: datetime) -> None:
        """Put messages into a folder over IMAP, as a provider files what was sent at `when`; the folder is made."""
        name = encode_folder(folder).decode("ascii")
        with self.imap(account) as connection:
            connection.create(name)
            for raw in raws:
                connection.append(name, "", "", raw)  # type: ignore[arg-type]
        for path in self.dovecot.messages(account, name.strip('"')):
            os.utime(path, (when.timestamp(), when.timestamp()))

    def messages(self, account: str, folder: str = "INBOX") -> list[bytes]:
        """The raw messages of a folder, oldest delivery first, untouched by IMAP flags."""
        return [path.read_bytes() for path in self.dovecot.messages(account, folder)]

    def wait_for(self, account: str, count: int, timeout: float = 20) -> None:
        """Wait until the account's inbox holds at least so many messages."""
        running.wait_until(
            lambda: len(self.dovecot.messages(account)) >= count,
            timeout=timeout,
            what=f"{count} messages in {account} (has {len(self.dovecot.messages(account))})",
        )

    def settle(self, timeout: float = 60) -> None:
        """Wait until the relay has handed on everything, the DSNs that it made itself included."""
        running.wait_until(lambda: self.postfix.queued() == 0, timeout=timeout, what="an empty queue")

    def postmark(self, account: str, when: datetime) -> int:
        """Let the messages that came since the last call have arrived at `when` (INTERNALDATE); how many."""
        fresh = [
            path
            for path in self.dovecot.messages(account)
            if _delivery(path, account) not in self._postmarked
        ]
        for path in fresh:
            os.utime(path, (when.timestamp(), when.timestamp()))
            self._postmarked.add(_delivery(path, account))
        return len(fresh)

    def clear(self, account: str) -> None:
        """Empty the inbox and remove the other folders, over IMAP, so that no UID comes twice."""
        with self.imap(account) as connection:
            _, listing = connection.list()
            for line in listing:
                name = line.decode().rpartition(' "/" ')[2].strip('"') if isinstance(line, bytes) else ""
                if name not in {"", "INBOX"}:
                    connection.delete(f'"{name}"')
            _, [held] = connection.select("INBOX")
            if held != b"0":
                connection.store("1:*", "+FLAGS.SILENT", r"(\Deleted)")
                connection.expunge()

    @contextmanager
    def mailbox_down(self) -> Iterator[None]:
        """The mailbox server is away for a while; the relay keeps what it is given."""
        self.dovecot.stop()
        try:
            yield
        finally:
            self.dovecot.start()

    @contextmanager
    def relay_down(self) -> Iterator[None]:
        """The relay is away for a while."""
        self.postfix.stop()
        try:
            yield
        finally:
            self.postfix.start()


@contextmanager
def started() -> Iterator[MailServers]:
    """Both servers in a private directory, for as long as the block lasts."""
    with running.private_directory() as place:
        servers = MailServers(place)
        try:
            servers.start()
            yield servers
        finally:
            servers.stop()


def _delivery(path: Path, account: str) -> str:
    """A delivery's name, without the flags that a reader adds."""
    return f"{account}/{path.name.partition(':')[0]}"
