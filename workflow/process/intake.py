"""Intake: messages kept, read, decided on one after the other, and committed as a batch.

The order is the promise: keep the bytes, decide, commit, and only then let the caller mark the mail. A crash anywhere leaves
either nothing or the whole batch, and a second pass over the same mail changes nothing. While one batch is decided on, the
next is fetched, kept and read: none of that depends on what the decision will be.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice

from workflow.adapters.files import Files
from workflow.adapters.mail.imap import Mailbox
from workflow.adapters.mail.mime import content_digest, parse, quoted_above
from workflow.adapters.store import Cursor, MessageRow, Store
from workflow.adapters.workbook.pool import ReaderPool
from workflow.adapters.workbook.read import FormKey
from workflow.domain.campaign import SHANGHAI
from workflow.domain.errors import Conflict, Fault, OutsideFailed, Refused
from workflow.domain.events import Event
from workflow.domain.failures import told
from workflow.domain.form import Form
from workflow.domain.matching import asks_withdrawal, token_of
from workflow.domain.message import Fetched, Message, Sighting
from workflow.domain.roster import Roster
from workflow.domain.submission import Bucket
from workflow.process import echoes
from workflow.process.arrival import Arrival, Released
from workflow.process.beside import queued
from workflow.process.correspondence import Secretariat
from workflow.process.decide import decide, failed, is_own
from workflow.process.gather import Scope, current_campaign, gather_beside, registry_of, roster_of
from workflow.process.papers import Papers, lay_side_by_side
from workflow.process.parts import open_parts
from workflow.process.recall import Recall
from workflow.process.release import refusal
from workflow.process.roster_mail import concerns
from workflow.process.sightings import missed_before, seen_again
from workflow.process.situation import Outcome, Policy, Situation
from workflow.process.touched import touched_by

#: A message that conflicts again and again is kept as failed for a later pass: it must not hold up the mail behind it.
_TRIES = 5
_CONFLICTS = "多次与其他处理冲突，下次收取时重新处理"
#: Each costs a tenth of a second on a file that it does not open.
MOST_PASSWORDS = 20


@dataclass(frozen=True, slots=True)
class Raw:
    """A message as it came: its bytes, when the server received it, and where it was seen (None: from a file)."""

    data: bytes
    received_at: dt.datetime
    sighting: Sighting | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages that are kept, in the order of arrival, and what was read of those that seemed new."""

    raws: Sequence[Raw]
    shas: Sequence[str]
    arrivals: Mapping[str, Arrival]

    def singly(self) -> Iterator[Batch]:
        """Each message as a batch of its own."""
        for raw, sha in zip(self.raws, self.shas, strict=True):
            yield Batch([raw], [sha], self.arrivals)


@dataclass(frozen=True)
class Intake:
    """What intake works with. `forms` gives the current campaign's forms, `passwords` those registered by unit; every reading
    runs in `readers`.
    """

    store: Store
    files: Files
    readers: ReaderPool
    secretariat: Secretariat
    policy: Policy
    forms: Callable[[], Mapping[str, Form]]
    passwords: Callable[[], Mapping[str, str]] = dict
    signed_by: Callable[[bytes], tuple[str, ...]] = lambda raw: ()
    papers: Papers | None = None

    def poll(
        self, mailbox: Mailbox, account: str, folder: str, began: dt.datetime, batch: int,
        progress: Callable[[int], None] = lambda done: None,
    ) -> list[Outcome]:  # fmt: skip
        """One pass over a mailbox: everything behind the cursor, batch by batch. The cursor moves with each commit,
        and only a pass that reached the end counts as a poll (`polled_from`).
        """
        known = self.store.cursor(account, folder)
        polled = known.polled_from if known else None
        if known and (known.uidvalidity != mailbox.uidvalidity or mailbox.was_set_back(known.last_uid)):
            known = None  # the server numbers its mail anew: look at all of it again, which changes nothing
        last = known.last_uid if known else 0
        missed = missed_before(self.store, mailbox, (account, folder), last, polled, began)
        outcomes: list[Outcome] = []
        fetched = mailbox.batches(last, batch, also=missed)
        upcoming = (self._keep([_raw(one) for one in some]) for some in fetched)
        with ThreadPoolExecutor(1, thread_name_prefix="intake-ahead") as ahead:
            waiting = ahead.submit(next, upcoming, None)
            while (kept := waiting.result()) is not None:
                waiting = ahead.submit(next, upcoming, None)
                # How each ended; what was decided stands in the ledger, and would fill the memory after a long absence.
                outcomes.extend(Outcome(bucket=one.bucket, fates=one.fates) for one in self._take(kept))
                uids = [raw.sighting.uid for raw in kept.raws if raw.sighting]
                last = max(last, *uids)
                mailbox.mark(uids)
                self.store.save_cursor(account, folder, Cursor(mailbox.uidvalidity, last, polled))
                progress(len(outcomes))
        self.store.save_cursor(account, folder, Cursor(mailbox.uidvalidity, last, began))
        return outcomes

    def again(self, message: MessageRow) -> Outcome:
        """Try a failed message again, at the time at which it came; one that fails again changes nothing.

        Raises Conflict when another process has just taken it, OutsideFailed when its bytes are lost.
        """
        raw = Raw(self.files.mail(message.sha), message.received_at)
        batch = Batch([raw], [message.sha], {})
        try:
            done = self._commit(batch, retrying=True)
        except (Conflict, OutsideFailed, Refused):
            raise
        except Exception as fault:  # noqa: BLE001 - as below
            done = [failed(_unread(raw, message.sha), told(fault))]
        return done[0] if done else Outcome()

    def release(self, message: MessageRow, released: Released, record: Event) -> Outcome:
        """Take a message in again as the released unit's, files with macros too, and record who decided so, in one commit.
        Raises Refused when it would still not be taken.
        """
        raw = Raw(self.files.mail(message.sha), message.received_at)
        read = self._read({message.sha: raw}, released)[message.sha]
        stream = f"message:{message.sha}"
        number = self.store.next_numbers([stream])[stream] + 1
        arrival = replace(read, number=number, released=released)
        roster = self._roster() or Roster({}, ())
        situation = self._situation([arrival], roster)
        outcome = decide(arrival, situation)
        if why := refusal(arrival, outcome, situation):
            raise Refused(Fault(f"邮件 {message.sha[:12]}", "不能放行", why))
        lay_side_by_side(self.files, arrival, outcome)
        events = [
            record,
            *self._numbered(outcome.events),
            *queued(self.secretariat, outcome.letters, situation),
        ]
        self.store.append(events, situation.seen(outcome))
        return outcome

    def take(self, raws: Sequence[Raw]) -> list[Outcome]:
        """Take in a batch in the order of arrival: kept first, then decided and committed whole."""
        return self._take(self._keep(raws))

    def _keep(self, raws: Sequence[Raw]) -> Batch:
        """Keep messages on disk, and then read those that have no outcome yet."""
        raws = sorted(raws, key=lambda raw: raw.received_at)
        shas = self.files.keep_mail([raw.data for raw in raws])
        known = self.store.taken(shas)
        for sha in self.store.deleted(known) | self.store.erased_mail(known) if known else ():
            self.files.remove_mail(
                sha
            )  # staff had it removed, or its time was over; the mail server still has it
        new = {sha: raw for raw, sha in zip(raws, shas, strict=True) if sha not in known}
        try:
            return Batch(raws, shas, self._read(new))
        except (OutsideFailed, Refused):
            raise
        except Exception:  # noqa: BLE001 - one breaks its reader: each is read by itself when its turn comes
            return Batch(raws, shas, {})

    def _take(self, batch: Batch) -> list[Outcome]:
        """Decide and commit, and let go of what repeats a message that was erased."""
        outcomes = self._decided(batch)
        if any(outcome.bucket is Bucket.DUPLICATE for outcome in outcomes):
            for sha in self.store.erased_mail(batch.shas):
                self.files.remove_mail(sha)
        return outcomes

    def _decided(self, batch: Batch) -> list[Outcome]:
        """Decide and commit. On a conflict with another process the batch is gathered and decided anew, then one by one."""
        outcomes, _ = self._tried(batch)
        if outcomes is not None:
            return outcomes
        found: list[Outcome] = []
        for single in batch.singly():
            outcomes, fault = self._tried(single)
            found.extend(self._commit(single, broken=fault) if outcomes is None else outcomes)
        return found

    def _tried(self, batch: Batch) -> tuple[list[Outcome] | None, str]:
        """What a batch came to; None and why where it breaks the program or conflicts with others again and again: its
        messages are then taken one by one, so that the one at fault costs itself alone.
        """
        for _ in range(_TRIES):
            try:
                return self._commit(batch), ""
            except Conflict:
                continue
            except (OutsideFailed, Refused):
                raise
            except Exception as fault:  # noqa: BLE001 - it must not keep all the mail behind it from being taken
                return None, told(fault)
        return None, _CONFLICTS

    def _commit(self, batch: Batch, *, retrying: bool = False, broken: str = "") -> list[Outcome]:
        known = self.store.taken(batch.shas)
        new: dict[str, Raw] = {}
        again: list[tuple[str, Sighting]] = []
        for raw, sha in zip(batch.raws, batch.shas, strict=True):
            if sha in known or sha in new:
                if raw.sighting:
                    again.append((sha, raw.sighting))
            else:
                new[sha] = raw
        unread = {sha: raw for sha, raw in new.items() if sha not in batch.arrivals and not broken}
        read = {**batch.arrivals, **self._read(unread)} if unread else batch.arrivals
        numbers = self.store.next_numbers({f"message:{sha}" for sha in new})
        blank = {sha: _unread(raw, sha) for sha, raw in new.items()} if broken else read
        arrivals = [replace(blank[sha], number=numbers[f"message:{sha}"] + 1) for sha in new]
        roster = self._roster() or Roster({}, ())
        situation = self._situation(arrivals, roster)
        gathered = situation
        outcomes = []
        for arrival in arrivals:
            outcome = failed(arrival, broken) if broken else _decided(arrival, situation)
            if retrying and outcome.bucket is Bucket.FAILED:
                return [outcome]
            situation = situation.after(outcome)
            lay_side_by_side(self.files, arrival, outcome)
            outcomes.append(outcome)
        outcomes = echoes.bounded(self.store, arrivals, outcomes, situation)
        events = list(self._numbered(event for outcome in outcomes for event in outcome.events))
        orders = [order for outcome in outcomes for order in outcome.letters]
        events.extend(queued(self.secretariat, orders, situation))
        events.extend(seen_again(self.store, again))
        self.store.append(events, gathered.seen(sum(outcomes, Outcome())))
        return outcomes

    def _numbered(self, events: Iterable[Event]) -> Iterator[Event]:
        """The events with those for staff's list numbered: a decision on one message cannot know of the others'."""
        last: int | None = None
        for event in events:
            if event.stream == "staff":
                last = (self.store.next_numbers(["staff"])["staff"] if last is None else last) + 1
                event = replace(event, number=last)
            yield event

    def _read(self, new: Mapping[str, Raw], released: Released | None = None) -> dict[str, Arrival]:
        """Parse the messages and read their attachments, all of the batch at once in the worker processes."""
        messages = {
            sha: replace(parse(raw.data), signed_by=self.signed_by(raw.data)) for sha, raw in new.items()
        }
        unread = {sha for sha, message in messages.items() if message.auto or is_own(message, self.policy)}

        def passwords_of(sha: str) -> list[str]:
            day = new[sha].received_at.astimezone(SHANGHAI).date()
            return self._passwords(messages[sha], day, [released.unit] if released else [])

        opened = open_parts(
            messages, self.readers, self.forms_of_tokens, unread, passwords_of, macros=released is not None
        )
        if self.papers is not None:
            came = {sha: raw.received_at for sha, raw in new.items() if sha not in unread}
            grace = self.policy.grace_days
            opened = self.papers.read_all(opened, came, self.store, self._roster(), self.readers, grace)
        return {
            sha: Arrival(
                sha,
                content_digest(new[sha].data),
                new[sha].received_at.astimezone(SHANGHAI),
                parts.message,
                quoted_above(parts.message.text) if not parts.message.auto else "",
                parts.readings,
                parts.shas,
                new[sha].sighting,
                scans=parts.scans,
            )
            for sha, parts in opened.items()
        }

    def _passwords(self, message: Message, day: dt.date, named: Sequence[str]) -> list[str]:
        """The passwords that may open a message's files: those of units named, by staff and by the thread, of the sender's
        units, and of the units that these collect for.
        """
        registered = self.passwords()
        roster = self._roster()
        if not registered or roster is None:
            return []
        token = token_of(message)
        named = [
            *named,
            *(case.unit for case, _ in self.store.cases_by_token([token] if token else []).values()),
        ]
        answered = self.store.letters_by_message_id(list(islice(message.in_reply_to, 20)))
        named += [row.unit for row in answered.values()]
        own = roster.units_of(message.sender, day, self.policy.grace_days)
        below = [unit.code for code in own if code in roster.units for unit in roster.below(code)]
        words = [registered[code] for code in dict.fromkeys([*named, *own, *below]) if code in registered]
        return list(dict.fromkeys(words))[:MOST_PASSWORDS]

    def forms_of_tokens(self, tokens: Collection[str]) -> dict[str, FormKey]:
        """The form, and its version where it is one of the current campaign's, of the case that each token names."""
        forms = self.forms()
        cases = {token: case.form for token, (case, _) in self.store.cases_by_token(tokens).items()}
        return {token: (form, forms[form].version if form in forms else 0) for token, form in cases.items()}

    def _roster(self) -> Roster | None:
        return roster_of(self.store, current_campaign(self.store))

    def _situation(self, arrivals: Sequence[Arrival], roster: Roster) -> Situation:
        touched = touched_by(arrivals, roster, self.policy)
        units, tokens, ids, on_paper = touched.units, touched.tokens, touched.ids, touched.on_paper
        recall = Recall(self.store, self._kept)
        answered = self.store.letters_by_message_id(ids - {""}) if ids - {""} else {}
        held, asked = recall.decisions(answered.values()), recall.files(answered.values())
        tokens.update(
            review.token for one in held.values() for piece in one.pieces for review in piece.reviews
        )
        for file in (file for one in asked.values() for file in one.files):
            units.add(file.unit)
            readings = file.arrival.readings.values() if file.arrival else ()
            tokens.update(reading.identity.token for reading in readings if reading.identity)
        scope = Scope(
            frozenset(units | on_paper),
            frozenset(tokens - {""}),
            frozenset(ids - {""}),
            frozenset(arrival.digest for arrival in arrivals),
        )
        situation = gather_beside(self.store, self.policy, self.forms(), scope)
        campaign = situation.campaign
        deciding = held or asked or any(_decides(arrival) or arrival.readings for arrival in arrivals)
        steps = frozenset(self.store.steps(campaign.id)) if campaign and deciding else frozenset[str]()
        spoken = any(
            concerns(one.words, one.readings.values(), situation.answered(one.message), roster)
            for one in arrivals
        )
        registry = registry_of(self.store) if spoken else None
        genuine = self.papers.genuine(campaign, on_paper) if self.papers and campaign else {}
        beside = {
            name: replace(
                one,
                steps=frozenset(self.store.steps(name)) if deciding else frozenset[str](),
                receipt_tokens=self.papers.genuine(one.campaign, on_paper) if self.papers else {},
            )
            for name, one in situation.beside.items()
        }
        return replace(
            situation,
            held=held,
            asked=asked,
            steps=steps,
            receipt_tokens=genuine,
            registry=registry,
            beside=beside,
        )

    def _kept(self, sha: str, at: dt.datetime) -> Arrival:
        """A message that was taken before, read again; raises OutsideFailed where its bytes are lost."""
        return self._read({sha: Raw(self.files.mail(sha), at)})[sha]


def _decides(arrival: Arrival) -> bool:
    """Whether a message brings a decision, which may have to be held."""
    return asks_withdrawal(arrival.words) or any(reading.review for reading in arrival.readings.values())


def _decided(arrival: Arrival, situation: Situation) -> Outcome:
    """The decision; where deciding itself breaks on one message, that message is kept as `failed` and shown to staff,
    since it must not keep all the mail behind it from being taken.
    """
    try:
        return decide(arrival, situation)
    except Exception as fault:  # noqa: BLE001 - whatever it is, it is recorded and shown, and costs one message
        return failed(arrival, told(fault))


def _unread(raw: Raw, sha: str) -> Arrival:
    """A message that breaks its reader: nothing is known of it but when and where it came."""
    when = raw.received_at.astimezone(SHANGHAI)
    return Arrival(sha, "", when, Message(), "", {}, {}, raw.sighting)


def _raw(fetched: Fetched) -> Raw:
    return Raw(fetched.raw, fetched.sighting.internal_date, fetched.sighting)
