"""The way of the mail in a rehearsal: from hand to hand in memory, or through the embedded servers."""

from __future__ import annotations

import datetime as dt
import smtplib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from workflow.adapters.mail.imap import Mailbox, MailboxSettings
from workflow.adapters.mail.smtp import Delivery, DeliveryState
from workflow.adapters.store import Cursor
from workflow.app import App
from workflow.demo.addresses import HOST, SYSTEM, UNITS, End
from workflow.demo.mailing import bounce
from workflow.process.dispatch import Terms, dispatch
from workflow.process.intake import Raw

Ends = Callable[[str], End]


@dataclass(frozen=True, slots=True)
class Written:
    """A message from somebody to the system, and when it arrives."""

    sender: str
    raw: bytes
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Got:
    """A letter of the system's as it reached somebody."""

    to: str
    raw: bytes
    at: dt.datetime


class Post(Protocol):
    """How mail travels both ways."""

    def hand_in(self, messages: Sequence[Written]) -> None:
        """Messages from people, in the order of their times."""

    def poll(self) -> None:
        """The system takes in what has come."""

    def send(self, limit: int) -> int:
        """The system sends at most `limit` letters; how many the relay answered for."""

    def take(self) -> list[Got]:
        """The letters that have reached people since the last time."""


class InMemory:
    """No server: messages are handed to intake as bytes, letters to people as they are dispatched."""

    def __init__(self, app: App, ends: Ends) -> None:
        self._app = app
        self._ends = ends
        self._coming: list[Raw] = []
        self._letters: list[Got] = []
        self._taken = 0

    def hand_in(self, messages: Sequence[Written]) -> None:
        self._coming.extend(Raw(message.raw, message.at) for message in messages)

    def poll(self) -> None:
        coming, self._coming = self._coming, []
        began, batch, intake = self._app.now(), self._app.config.imap.batch, self._app.intake()
        for start in range(0, len(coming), batch):
            intake.take(coming[start : start + batch])
        self._taken += len(coming)
        self._app.store.save_cursor("rehearsal", "INBOX", Cursor(1, self._taken, began))

    def send(self, limit: int) -> int:
        app = self._app
        own = app.config.letterhead.address
        return dispatch(
            app.store, app.files, _Carrier(self.carry), Terms(own, limit=limit), app.now
        ).tried

    def carry(self, envelope_from: str, to: str, letter: bytes) -> Delivery:
        """A letter to its recipient, refused or bounced where the address is no more."""
        now, end = self._app.now(), self._ends(to)
        if end is End.REFUSED:
            return Delivery(DeliveryState.FAILED, "550 5.1.1 user unknown")
        if end is End.BOUNCED:
            self._coming.append(Raw(bounce(to, envelope_from, letter, now), now))
        else:
            self._letters.append(Got(to, letter, now))
        return Delivery(DeliveryState.SENT, "250 2.0.0 OK")

    def take(self) -> list[Got]:
        letters, self._letters = self._letters, []
        return letters


@dataclass(frozen=True, slots=True)
class _Carrier:
    """What dispatch sends with."""

    carry: Callable[[str, str, bytes], Delivery]

    def ready(self) -> Delivery | None:
        return None

    def send(self, envelope_from: str, to: str, letter: bytes) -> Delivery:
        return self.carry(envelope_from, to, letter)


class OverServers:
    """The embedded servers of the demo: SMTP both ways, IMAP both ways."""

    def __init__(
        self, app: App, smtp_port: int, imap_port: int, set_clock: Callable[[dt.datetime], None]
    ) -> None:
        self._app = app
        self._smtp_port, self._imap_port = smtp_port, imap_port
        self._set_clock = set_clock
        self._last_uid = 0

    def hand_in(self, messages: Sequence[Written]) -> None:
        if not messages:
            return
        with smtplib.SMTP(HOST, self._smtp_port) as relay:
            for message in messages:
                self._set_clock(message.at)
                relay.sendmail(message.sender, self._app.config.letterhead.address, message.raw)

    def poll(self) -> None:
        self._app.poll()

    def send(self, limit: int) -> int:
        smtp = self._app.config.smtp
        self._app.config = self._app.config.model_copy(
            update={"smtp": smtp.model_copy(update={"per_pass": limit})}
        )
        return self._app.send().tried

    def take(self) -> list[Got]:
        found = []
        with Mailbox(MailboxSettings(HOST, self._imap_port, "none", UNITS)) as mailbox:
            for batch in mailbox.batches(self._last_uid):
                found += [Got("", letter.raw, letter.sighting.internal_date) for letter in batch]
                self._last_uid = batch[-1].sighting.uid
                mailbox.mark([letter.sighting.uid for letter in batch])
        return found


@contextmanager
def over_servers(
    app: App, now: Callable[[], dt.datetime], set_clock: Callable[[dt.datetime], None], ends: Ends
) -> Iterator[Post]:
    """Servers for the length of a rehearsal; the workspace is made to use them."""
    # Here and not above: a rehearsal without them need not load the mail servers.
    from workflow.demo.servers import MailServers  # noqa: PLC0415

    with MailServers(now, ends, app.config.letterhead.address) as servers:
        plain = {"host": HOST, "security": "none", "password_env": "", "user": ""}
        imap = app.config.imap.model_copy(
            update={
                **plain,
                "port": servers.imap_port,
                "user": SYSTEM,
                "folder": "INBOX",
                "archive_folder": "",
            }
        )
        # A rehearsal counts the limits by the day (`rates.per_day`): its clock leaps from step to step.
        unlimited = {"per_minute": 0, "per_hour": 0, "per_day": 0, "domains": {}, "sent_folder": ""}
        smtp = app.config.smtp.model_copy(update={**plain, **unlimited, "port": servers.smtp_port})
        app.config = app.config.model_copy(update={"imap": imap, "smtp": smtp})
        yield OverServers(app, servers.smtp_port, servers.imap_port, set_clock)
