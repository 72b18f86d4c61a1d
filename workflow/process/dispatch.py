"""Sending what is queued: bytes and Message-ID were fixed then, here they are only carried.

`attempted` is committed before a letter's DATA. A letter that a crash left in doubt is looked for where the provider files
what it sent; where it is not found it goes again with the same Message-ID (docs/sending.md says what that promises).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Protocol

from workflow.adapters.files import Files
from workflow.adapters.mail.smtp import Delivery, DeliveryState
from workflow.adapters.store import LetterRow, Pause, Store
from workflow.domain.errors import Conflict, Fault, OutsideFailed
from workflow.domain.events import Event
from workflow.domain.refusals import Verdict, verdict
from workflow.domain.sending import EVERY, Allowance, Hold, Quota, domain_of, in_turn
from workflow.process.delivery import broken_off, found_filed, heard, marked, rested, resumed, untried

#: Letters that a crash can leave in doubt at once.
DOUBT = 20

Clock = Callable[[], dt.datetime]
Filed = Callable[[Collection[str], dt.date], Collection[str]]


class Carrier(Protocol):
    """What takes letters to their recipients: the relay, or in a rehearsal a hand."""

    def ready(self) -> Delivery | None:
        """Whether letters can be handed on now: None, or the answer of a relay that does not let us in; raises
        OutsideFailed when it is out of reach.
        """

    def send(self, envelope_from: str, to: str, letter: bytes, /) -> Delivery:
        """Hand on one letter; raises OutsideFailed when nothing can be handed on."""


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms letters go: who sends, the name under which the relay's pauses stand, what is allowed, how many
    letters a pass sends at most. `impatient` does not wait for a pause to end.
    """

    envelope_from: str
    relay: str = "relay"
    allowance: Allowance = field(default_factory=Allowance)
    limit: int = 500
    impatient: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """How a pass over the outbox went. `waiting` letters are due and were not tried, for the `holds`, the `pause` that is in
    force (`fresh`: since this pass), because the pass was full, or for a `fault` that did not keep the others.
    """

    sent: int = 0
    deferred: int = 0
    failed: int = 0
    waiting: int = 0
    holds: tuple[Hold, ...] = ()
    pause: Pause | None = None
    fresh: bool = False
    fault: Fault | None = None

    @property
    def tried(self) -> int:
        return self.sent + self.deferred + self.failed


@dataclass(frozen=True, slots=True)
class Use:
    """Letters tried in the last minute, hour and day, of the account and by limited domain; what is due, and the pause."""

    account: tuple[int, int, int]
    domains: Mapping[str, tuple[int, int, int]]
    due: int
    pause: Pause | None


def use(store: Store, terms: Terms, now: dt.datetime) -> Use:
    """How much of the limits is used."""
    quota = Quota(terms.allowance, store.letters_tried(now - dt.timedelta(days=1)))
    domains = {name: quota.used(now, name) for name in sorted(terms.allowance.domains)}
    return Use(quota.used(now), domains, store.letters_due(now).total(), in_force(store, terms, now))


def in_force(store: Store, terms: Terms, now: dt.datetime) -> Pause | None:
    """The pause that the relay has asked for, while it lasts."""
    pause = store.relay_pause(terms.relay)
    return pause if pause and pause.times and pause.until > now else None


def dispatch(
    store: Store,
    files: Files,
    relay: Carrier,
    terms: Terms,
    clock: Clock,
    progress: Callable[[int], None] = lambda done: None,
    filed: Filed | None = None,
) -> Sent:
    """Send what is due, in its turn and within the limits. `filed` looks letters up by Message-ID where the provider files
    what it sent since a day.

    Raises OutsideFailed when the relay is out of reach, with everything not yet sent still queued.
    """
    now = clock()
    if not terms.impatient and (pause := in_force(store, terms, now)):
        return Sent(waiting=store.letters_due(now).total(), pause=pause)
    return _Pass(store, files, relay, terms, clock, filed).run(progress)


class _Pass:
    """One pass over the outbox: what it has tried, and what it has heard and not yet written down."""

    def __init__(
        self, store: Store, files: Files, relay: Carrier, terms: Terms, clock: Clock, filed: Filed | None
    ) -> None:
        self._store, self._files, self._relay, self._terms = store, files, relay, terms
        self._clock, self._filed = clock, filed
        longest = terms.allowance.longest
        tried = store.letters_tried(clock() - longest) if longest else []
        self._quota = Quota(terms.allowance, tried)
        self._last_pause = store.relay_pause(terms.relay)
        self._resting = False
        self._odd = 0
        self._sent = Sent()
        self._results: list[Event] = []
        self._passed_over: set[str] = set()
        self._fault: Fault | None = None

    def run(self, progress: Callable[[int], None]) -> Sent:
        """Everything that may go now."""
        try:
            self._settle()
            for letters in self._batches():
                if not self._let_in():
                    break
                self._carry(letters)
                progress(self._sent.tried)
                if self._resting:
                    break
        finally:  # also when the relay is out of reach: what it took is noted before the failure goes on
            self._commit()
        return self._told()

    def _settle(self) -> None:
        """Letters in doubt whose copies the provider has filed are sent. Where nobody can look now, they wait."""
        doubtful = self._store.letters_in_doubt(self._clock())
        if self._filed is None or not doubtful:
            return
        since = min(letter.queued_at for letter in doubtful).date()
        try:
            there = self._filed([letter.message_id for letter in doubtful], since)
        except OutsideFailed as failure:
            self._passed_over.update(letter.id for letter in doubtful)
            self._fault = failure.fault
            return
        now = self._clock()
        self._results += [found_filed(letter, now) for letter in doubtful if letter.message_id in there]
        self._commit()

    def _batches(self) -> Iterator[list[LetterRow]]:
        """Letters in their turn, so many that a crash leaves no more in doubt. What a full domain keeps back makes room
        for others, so it is asked again until nothing more may go.
        """
        while self._room and (waiting := self._in_turn()):
            before = self._sent.tried
            letters = iter(waiting)
            while batch := list(islice(self._admitted(letters), min(DOUBT, self._room))):
                yield batch
            if self._sent.tried == before:
                return

    @property
    def _room(self) -> int:
        return max(0, self._terms.limit - self._sent.tried)

    def _in_turn(self) -> list[LetterRow]:
        now, room = self._clock(), self._room + len(self._passed_over)
        if self._quota.hold(now):
            return []
        closed = [hold.domain for hold in self._quota.holds(now)]
        urgent = self._store.letters_to_send(now, room, closed)
        oldest = self._store.letters_to_send(now, room // EVERY + 1, closed, oldest=True)
        known = {letter.id: letter for letter in (*urgent, *oldest) if letter.id not in self._passed_over}
        turns = in_turn(
            [letter.id for letter in urgent], [letter.id for letter in oldest], self._store.tries()
        )
        return [known[letter] for letter in turns if letter in known]

    def _admitted(self, letters: Iterator[LetterRow]) -> Iterator[LetterRow]:
        """Those that the limits let go now."""
        for letter in letters:
            if self._quota.admit(domain_of(letter.to), self._clock()):
                yield letter

    def _let_in(self) -> bool:
        """Whether the relay takes letters at all."""
        refused = self._relay.ready()
        if refused is not None:
            self._rest(verdict(refused.stage, refused.reply), refused.reply)
        return refused is None

    def _carry(self, letters: Sequence[LetterRow]) -> None:
        ready = self._commit(self._read(letters))
        for place, (letter, raw) in enumerate(ready):
            behind = [left for left, _ in ready[place + 1 :]]
            try:
                delivery = self._relay.send(self._terms.envelope_from, letter.to, raw)
            except OutsideFailed as failure:
                why = failure.fault.what
                self._results.append(broken_off(letter, self._clock(), why))
                self._results += [untried(left, self._clock(), why) for left in behind]
                raise
            self._note(letter, delivery)
            if self._resting:
                self._results += [untried(left, self._clock(), "发信暂停") for left in behind]
                return

    def _read(self, letters: Sequence[LetterRow]) -> list[tuple[LetterRow, bytes]]:
        """The letters' bytes; one whose file is damaged stays and is told, and does not keep the others."""
        found = []
        for letter in letters:
            try:
                found.append((letter, self._files.letter(letter.sha)))
            except OutsideFailed as failure:
                self._passed_over.add(letter.id)
                self._fault = self._fault or failure.fault
        return found

    def _note(self, letter: LetterRow, delivery: Delivery) -> None:
        now = self._clock()
        told = heard(letter, delivery, now, self._odd)
        self._odd = told.odd
        self._results.append(told.event)
        sent, total = delivery.state is DeliveryState.SENT, self._sent
        failed = told.event.kind == "letter.failed"
        self._sent = replace(
            total,
            sent=total.sent + sent,
            failed=total.failed + failed,
            deferred=total.deferred + (told.event.kind in {"letter.deferred", "letter.doubted"}),
        )
        if told.account is not None:
            self._rest(told.account, delivery.reply)
        elif sent and self._last_pause is not None and self._last_pause.times:
            event = resumed(self._terms.relay, self._last_pause, now)
            self._results.append(event)
            self._last_pause = Pause(now, now, "", 0, event.number)

    def _rest(self, meaning: Verdict, reply: str) -> None:
        """Nothing more goes out until the pause is over."""
        event = rested(self._terms.relay, self._last_pause, meaning, reply, self._clock())
        self._results.append(event)
        until = dt.datetime.fromisoformat(event.data["until"])
        self._last_pause = Pause(event.at, until, event.data["reply"], event.data["times"], event.number)
        self._resting = True

    def _commit(self, letters: Sequence[tuple[LetterRow, bytes]] = ()) -> list[tuple[LetterRow, bytes]]:
        """Write down what was heard and, in the same transaction, that these letters are tried next; those that are.

        Something else may have been noted of a letter meanwhile, such as that it bounced: that stands, and keeps
        neither the others' answers nor the others.
        """
        now = self._clock()
        results, marks = self._results, [marked(letter, now) for letter, _ in letters]
        if not results and not marks:
            return []
        try:
            self._store.append([*results, *marks])
        except Conflict:
            for event in results:
                self._alone(event)
            self._results = []
            return [letter for letter, mark in zip(letters, marks, strict=True) if self._alone(mark)]
        self._results = []
        return list(letters)

    def _alone(self, event: Event) -> bool:
        try:
            self._store.append([event])
        except Conflict:
            return False
        return True

    def _told(self) -> Sent:
        now = self._clock()
        due = self._store.letters_due(now)
        account = self._quota.hold(now)
        holds = [account] if account else [hold for hold in self._quota.holds(now) if due[hold.domain]]
        pause = self._last_pause if self._resting else None
        return replace(
            self._sent,
            waiting=due.total(),
            holds=tuple(holds) if due else (),
            pause=pause,
            fresh=self._resting,
            fault=self._fault,
        )
