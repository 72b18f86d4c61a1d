"""An outbox with letters in it, and a hand that answers to each as a test wants."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from workflow.adapters.files import Files
from workflow.adapters.mail.smtp import Delivery, DeliveryState
from workflow.adapters.store import LetterRow, LetterState, Store
from workflow.domain.campaign import SHANGHAI
from workflow.domain.events import Event
from workflow.domain.refusals import Stage
from workflow.process.dispatch import Sent, Terms, dispatch

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from workflow.domain.sending import Allowance

NOON = dt.datetime(2026, 12, 21, 12, tzinfo=SHANGHAI)
OWN = "own@office.test"
TAKEN = Delivery(DeliveryState.SENT, "250 2.0.0 taken", Stage.END)
UNKNOWN = Delivery(DeliveryState.UNKNOWN, "交付中连接中断", Stage.END)


def refused(reply: str, stage: Stage = Stage.RECIPIENT) -> Delivery:
    state = DeliveryState.FAILED if reply.startswith("5") else DeliveryState.DEFERRED
    return Delivery(state, reply, stage)


@dataclass
class Hand:
    """A carrier. `answer` is asked for each letter; an exception in its place is raised. `door` answers to `ready`."""

    answer: Callable[[str], Delivery | Exception] = lambda to: TAKEN
    door: Delivery | Exception | None = None
    carried: list[str] = field(default_factory=list)
    raws: list[bytes] = field(default_factory=list)

    def ready(self) -> Delivery | None:
        if isinstance(self.door, Exception):
            raise self.door
        return self.door

    def send(self, envelope_from: str, to: str, letter: bytes) -> Delivery:
        assert envelope_from == OWN
        said = self.answer(to)
        if isinstance(said, Exception):
            raise said
        self.carried.append(to)
        self.raws.append(letter)
        return said


class Outbox:
    """A store with queued letters; `now` moves by hand."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(f"sqlite:///{folder}/state.db", folder / "ledger")
        self.store.migrate()
        self.files = Files(folder)
        self.now = NOON
        self.terms = Terms(OWN, "relay.test")

    def close(self) -> None:
        self.store.close()

    def queue(self, *addresses: str, priority: int = 5, at: dt.datetime = NOON) -> None:
        """One letter to each address, whose id is the address."""
        raws = [f"To: {to}\r\n\r\nletter\r\n".encode() for to in addresses]
        shas = self.files.keep_letters(raws)
        self.store.append(
            [
                Event(
                    f"letter:{to}", 1, "letter.queued", at, "系统",
                    data={
                        "kind": "notice", "campaign": "2026Q4", "unit": "410102", "form": "school",
                        "priority": priority, "sha": sha, "message_id": f"<{to}>",
                    },
                    personal={"to": to, "name": "某人", "subject": "关于报送"},
                )
                for to, sha in zip(addresses, shas, strict=True)
            ]
        )  # fmt: skip

    def allow(self, allowance: Allowance, limit: int = 500) -> None:
        self.terms = replace(self.terms, allowance=allowance, limit=limit)

    def send(
        self, hand: Hand, filed: Callable[[Collection[str], dt.date], Collection[str]] | None = None
    ) -> Sent:
        return dispatch(self.store, self.files, hand, self.terms, lambda: self.now, filed=filed)

    def letter(self, to: str) -> LetterRow:
        return next(row for row in self.store.letters("2026Q4") if row.id == to)

    def states(self) -> dict[str, LetterState]:
        return {row.id: row.state for row in self.store.letters("2026Q4")}

    def kinds(self, to: str) -> list[str]:
        """What happened to a letter, in words such as `sent`."""
        told = self.store.histories([f"letter:{to}"])[f"letter:{to}"]
        return [event.kind.removeprefix("letter.") for _, event in told]
