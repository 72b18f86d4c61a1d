"""The demo's mail servers: aiosmtpd takes letters, pymap hands them out, both on the simulated clock.

What SMTP accepts stands in the recipient's mailbox at once, and its INTERNALDATE is the simulated moment. Two mailboxes:
the system's own, and a catch-all for everybody else under *.test. Why these servers, and what they cost, is written in
docs/decisions/demo-mail-servers.md.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import email.utils
import threading
from argparse import Namespace
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

from aiosmtpd.smtp import SMTP, Envelope
from aiosmtpd.smtp import Session as SmtpSession
from proxyprotocol.reader import ProxyProtocolReader
from proxyprotocol.version import ProxyProtocolVersion
from pymap.backend.dict import Config as PymapConfig
from pymap.backend.dict import Identity, Login
from pymap.backend.dict.mailbox import MailboxData
from pymap.imap import IMAPServer
from pymap.parsing.message import AppendMessage
from pymap.user import UserMetadata
from pysasl.hashing import Cleartext

from workflow.demo.addresses import HOST, SYSTEM, UNITS, End, by_domain
from workflow.demo.mailing import bounce

_LARGEST = 64 * 1024 * 1024
_PATIENCE = 15.0


class MailServers:
    """SMTP and IMAP on free loopback ports, run in a thread of their own, for `with`.

    `clock` gives the simulated moment at which a message arrives, `ends` what becomes of a recipient's mail, `system` the
    address of the system's own mailbox. Log in as SYSTEM or UNITS with an empty password.
    """

    def __init__(
        self, clock: Callable[[], dt.datetime], ends: Callable[[str], End] = by_domain, system: str = SYSTEM
    ) -> None:
        self._clock = clock
        self._ends = ends
        self._system = system.lower()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="demo-mail", daemon=True)
        self._boxes: dict[str, MailboxData] = {}
        self._stack = AsyncExitStack()
        self.smtp_port = 0
        self.imap_port = 0
        self.received = 0  # messages in the system's own mailbox

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self._in_thread(self._start())
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Close both servers and every connection; may be called twice."""
        if self._loop.is_closed():
            return
        try:
            self._in_thread(self._close())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_PATIENCE)
            self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _in_thread(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE)

    async def _start(self) -> None:
        imap = await self._imap_server()
        # pymap's own service stops with its AsyncExitStack; here the server is kept, for its port.
        callback = ProxyProtocolReader(ProxyProtocolVersion.get(None)).get_callback(imap)
        listening = await asyncio.start_server(callback, HOST, 0)
        self._stack.push_async_callback(_closed, listening)
        self.imap_port = listening.sockets[0].getsockname()[1]
        loop = asyncio.get_running_loop()
        relay = await loop.create_server(self._smtp_connection, HOST, 0)
        self._stack.push_async_callback(_closed, relay)
        self.smtp_port = relay.sockets[0].getsockname()[1]

    async def _imap_server(self) -> IMAPServer:
        # What pymap's command line would have parsed.
        arguments = Namespace(passlib_cfg=None, proxy_protocol=None, inherited_sockets=None)
        # Its default hash takes a third of a second for each log-in; here there is nothing to keep secret.
        config = PymapConfig(
            arguments, host=HOST, port=0, demo_data=False, demo_user="", demo_password="", tls_enabled=False,
            hash_context=Cleartext(), reject_dnsbl=False,
        )  # fmt: skip
        config.apply_context()
        login = Login(config)
        for user in (SYSTEM, UNITS):
            identity = Identity(user, login, None, frozenset())
            await identity.set(UserMetadata(config, user, password=""))
            async with identity.new_session() as session:
                self._boxes[user] = await session.mailbox_set.get_mailbox("INBOX")
        return IMAPServer(login, config)

    def _smtp_connection(self) -> SMTP:
        return SMTP(self, hostname="mail.huizhi.test", data_size_limit=_LARGEST, loop=self._loop)

    async def _close(self) -> None:
        await self._stack.aclose()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    # aiosmtpd's hooks

    async def handle_RCPT(  # noqa: N802 - the name is aiosmtpd's
        self, _server: SMTP, _session: SmtpSession, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take what `ends` lets in."""
        if self._ends(address) is End.REFUSED:
            return "550 5.1.1 user unknown"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: SmtpSession, envelope: Envelope) -> str:  # noqa: N802
        """Put the message in each recipient's mailbox, received at the simulated moment."""
        now = self._clock()
        content = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        content = _trace(envelope, now) + content
        for to in envelope.rcpt_tos:
            if self._ends(to) is End.BOUNCED and envelope.mail_from:
                await self._deliver(envelope.mail_from, bounce(to, envelope.mail_from, content, now), now)
            else:
                await self._deliver(to, content, now)
        return "250 2.0.0 OK"

    async def _deliver(self, to: str, content: bytes, now: dt.datetime) -> None:
        box = self._boxes[SYSTEM if to.lower() == self._system else UNITS]
        await box.append(AppendMessage(content, now, frozenset()), recent=True)
        self.received += to.lower() == self._system


def _trace(envelope: Envelope, now: dt.datetime) -> bytes:
    """The fields that a server puts above what it takes: they alone differ when one message is sent twice."""
    stamp = email.utils.format_datetime(now)
    return (
        f"Return-Path: <{envelope.mail_from or ''}>\r\nReceived: from client.test by mail.huizhi.test"
        f" with ESMTP; {stamp}\r\n"
    ).encode()


async def _closed(server: asyncio.Server) -> None:
    server.close()
