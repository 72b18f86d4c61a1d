"""A relay that misbehaves on purpose: it refuses, throttles, hangs up, waits or dies at any stage of the dialogue.

aiosmtpd holds the dialogue, in a thread of its own; what a real relay does is Postfix's to show.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter, deque
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from workflow.domain.refusals import Stage

from . import running

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

_PATIENCE = 20.0


@dataclass(frozen=True)
class Say:
    """Answer with these words, code first."""

    reply: str


@dataclass(frozen=True)
class Drop:
    """Hang up without a word. `taken`, after the final dot: with the message safely stored."""

    taken: bool = False


@dataclass(frozen=True)
class Die:
    """Hang up and listen no more."""


@dataclass(frozen=True)
class Hold:
    """Wait at this stage until the test lets go; `taken` as above."""

    taken: bool = False
    reached: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)


Act = Say | Drop | Die | Hold


@dataclass(frozen=True)
class Taken:
    """A letter that the relay has answered for, or would have."""

    sender: str
    to: str
    raw: bytes


class FakeRelay:
    """`plan(stage, act, …)` says what happens the next times that a stage is reached; afterwards all goes well. `always`
    is what happens every time.
    """

    host = running.LOOPBACK

    def __init__(self, password: str = "") -> None:
        self.password = password
        self.port = running.free_port()
        self.taken: list[Taken] = []
        self.reached: Counter[Stage] = Counter()
        self.always: dict[Stage, Act] = {}
        self._plans: dict[Stage, deque[Act]] = {stage: deque() for stage in Stage}
        self._dialogues: set[_Dialogue] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fake-relay", daemon=True)
        self._server: asyncio.Server | None = None

    def plan(self, stage: Stage, *acts: Act) -> None:
        self._plans[stage].extend(acts)

    def start(self) -> None:
        """Listen, at first and after it has died."""
        if not self._thread.is_alive():
            self._thread.start()
        self._wait(self._listen())

    def stop(self) -> None:
        self._wait(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE)
        self._loop.close()

    def left(self) -> None:
        """Wait until nobody is connected: what a client that was killed had put on the wire is then taken, or never will be."""
        running.wait_until(lambda: not self._dialogues, timeout=_PATIENCE, what="the relay left alone")
        self._wait(asyncio.sleep(0))

    def _wait(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE)

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await self._loop.create_server(lambda: _Dialogue(self), self.host, self.port)

    async def _close(self) -> None:
        self.die()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def die(self) -> None:
        """In the relay's own thread."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for dialogue in list(self._dialogues):
            dialogue.hang_up()

    async def act(self, stage: Stage, dialogue: _Dialogue) -> str:
        """What is planned for a stage: '' to go on, or the answer to give instead."""
        self.reached[stage] += 1
        plan = self._plans[stage]
        match plan.popleft() if plan else self.always.get(stage):
            case Say(reply):
                return reply
            case Drop():
                dialogue.hang_up()
                raise ConnectionResetError
            case Die():
                self.die()
                raise ConnectionResetError
            case Hold(reached=reached, go=go):
                reached.set()
                await asyncio.to_thread(go.wait, _PATIENCE)
        return ""

    def next_act(self, stage: Stage) -> Act | None:
        plan = self._plans[stage]
        return plan[0] if plan else self.always.get(stage)

    # aiosmtpd's hooks

    async def handle_EHLO(  # noqa: N802 - the names are aiosmtpd's
        self, server: _Dialogue, session: Session, _envelope: Envelope, host: str, responses: list[str]
    ) -> list[str]:
        session.host_name = host
        reply = await self.act(Stage.HELLO, server)
        return [reply] if reply else responses

    async def handle_HELO(  # noqa: N802
        self, server: _Dialogue, session: Session, _envelope: Envelope, host: str
    ) -> str:
        session.host_name = host
        return await self.act(Stage.HELLO, server) or "250 relay.test"

    async def handle_MAIL(  # noqa: N802
        self, server: _Dialogue, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = await self.act(Stage.SENDER, server)
        if not reply:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return reply or "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: _Dialogue, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        reply = await self.act(Stage.RECIPIENT, server)
        if not reply:
            envelope.rcpt_tos.append(address)
        return reply or "250 2.1.5 OK"

    async def handle_DATA(self, server: _Dialogue, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        act = self.next_act(Stage.END)
        assert isinstance(envelope.content, bytes)
        message = Taken(envelope.mail_from or "", envelope.rcpt_tos[0], envelope.content)
        if getattr(act, "taken", False):
            self.taken.append(message)
        reply = await self.act(Stage.END, server)
        if not reply and not isinstance(act, Drop | Die | Hold):
            self.taken.append(message)
        return reply or "250 2.0.0 queued"


class _Dialogue(SMTP):
    """One connection."""

    def __init__(self, relay: FakeRelay) -> None:
        self._relay = relay
        super().__init__(
            relay, hostname="relay.test", data_size_limit=64 * 1024 * 1024, loop=relay._loop,
            auth_require_tls=False, authenticator=self._who,
        )  # fmt: skip

    def _who(self, _server: object, _session: object, _envelope: object, _how: str, data: Any) -> Any:
        good = data.password.decode() == self._relay.password
        return AuthResult(
            success=good, handled=False, message=None if good else "535 5.7.8 authentication failed"
        )

    def connection_made(self, transport: Any) -> None:
        self._relay._dialogues.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._relay._dialogues.discard(self)
        super().connection_lost(error)

    def hang_up(self) -> None:
        if self.transport is not None:
            self.transport.abort()

    async def _handle_client(self) -> None:
        with suppress(ConnectionError):  # ours, or of a client that was killed
            if reply := await self._relay.act(Stage.GREETING, self):
                await self.push(reply)
                self.transport.close()
                return
            await super()._handle_client()

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - the name is aiosmtpd's
        if reply := await self._relay.act(Stage.DATA, self):
            await self.push(reply)
        else:
            await super().smtp_DATA(arg)


@contextmanager
def misbehaving(password: str = "") -> Iterator[FakeRelay]:
    relay = FakeRelay(password)
    relay.start()
    try:
        yield relay
    finally:
        relay.stop()
