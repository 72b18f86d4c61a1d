"""What a decision needs to know: gathered before, never read during.

A `Situation` is a frozen picture of the campaign around the units at hand; `after(outcome)` is the picture once an outcome
has been applied, so that a batch folds: each message is decided on what the one before it left.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from workflow.adapters.store.records import LetterRow, LetterState, MadeBook
from workflow.domain.accounts import AccountStanding
from workflow.domain.campaign import Campaign
from workflow.domain.contacts import decode_contact
from workflow.domain.deadlines import cut_off
from workflow.domain.events import Event
from workflow.domain.form import Form
from workflow.domain.letters import LetterOrder
from workflow.domain.lifecycle import Case, Package
from workflow.domain.merge import Standing
from workflow.domain.message import Message
from workflow.domain.receipt_standing import ReceiptStanding
from workflow.domain.registry import Registry
from workflow.domain.roster import Roster
from workflow.domain.submission import Answers, AttachmentFate, Bucket, ReviewReading, Submission
from workflow.domain.workdays import Workdays
from workflow.process.arrival import Asked

CaseKey = tuple[str, str, str]  # campaign, unit, form
SYSTEM = "系统"
#: What a notice makes of a letter: failed, or to be tried again.
_BOUNCED = {"letter.failed": LetterState.FAILED, "letter.deferred": LetterState.DEFERRED}


@dataclass(frozen=True, slots=True)
class Earlier:
    """A unit's last reported data: how they stood and what they were."""

    standing: Standing
    answers: Answers


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a decision amounts to: the events to write, the letters to queue, and the records as they then are.
    `rests_on` names the streams that it was decided on: a commit is refused when one has moved on since they were gathered
    (a package reported meanwhile, a reply that came in during a report).
    """

    events: tuple[Event, ...] = ()
    letters: tuple[LetterOrder, ...] = ()
    cases: tuple[Case, ...] = ()
    packages: tuple[Package, ...] = ()
    submissions: tuple[Submission, ...] = ()
    bucket: Bucket | None = None
    fates: tuple[AttachmentFate, ...] = ()
    rests_on: frozenset[str] = frozenset()

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(
            self.events + other.events,
            self.letters + other.letters,
            self.cases + other.cases,
            self.packages + other.packages,
            self.submissions + other.submissions,
            other.bucket or self.bucket,
            self.fates + other.fates,
            self.rests_on | other.rests_on,
        )


@dataclass(frozen=True, slots=True)
class Held:
    """A decision that waits for its confirmation: the message that brought it, the last number of its stream, and while
    it still waits (number 1) what stood in it, read again from the kept mail. `others` are the further pieces of a letter
    that asks about several.
    """

    message: str
    number: int = 1
    words: str = ""
    reviews: tuple[ReviewReading, ...] = ()
    others: tuple[Held, ...] = ()

    @property
    def pieces(self) -> tuple[Held, ...]:
        return (self, *self.others)


@dataclass(frozen=True, slots=True)
class Policy:
    """What config.toml lets staff choose, as far as decisions depend on it. `own_address` is the system's mailbox;
    `return_days` the days given for a correction; `trusted_authserv` names the receiving server whose
    Authentication-Results count ('' where the server writes none); `retired` are the letters of token keys whose tokens
    route no more; `answers_per_day` how often an address is answered about a unit on a day (0: always); `accept_receipts` says
    whether a receipt beyond doubt needs no person; `grace_days` how long an address is still known after another took its place;
    `problem_days` in how many working days a problem with the roster is answered;
    `filing_address` where changes at the top are filed ('': staff do).
    """

    own_address: str
    return_days: int = 3
    trusted_authserv: str = ""
    retired: frozenset[str] = frozenset()
    answers_per_day: int = 20
    accept_receipts: bool = False
    grace_days: int = 60
    problem_days: int = 5
    workdays: Workdays = field(default_factory=Workdays)
    filing_address: str = ""


@dataclass(frozen=True, slots=True)
class Beside:
    """A campaign that is collected beside the one at hand: its tree, the steps of its calendar that are done, and the tokens of
    its receipts by unit.
    """

    campaign: Campaign
    roster: Roster
    steps: frozenset[str] = frozenset()
    receipt_tokens: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Situation:
    """The picture that a batch is decided on. Only what the batch can touch needs to be in it; the roster is whole."""

    roster: Roster
    policy: Policy
    campaign: Campaign | None
    forms: Mapping[str, Form]
    cases: Mapping[CaseKey, Case] = field(default_factory=dict)
    tokens: Mapping[str, tuple[CaseKey, int]] = field(default_factory=dict)
    packages: Mapping[tuple[str, str], Package] = field(default_factory=dict)
    submissions: Mapping[CaseKey, tuple[Submission, ...]] = field(default_factory=dict)
    answers: Mapping[str, Answers] = field(default_factory=dict)
    earlier: Mapping[tuple[str, str], Earlier] = field(default_factory=dict)
    letters: Mapping[str, LetterRow] = field(default_factory=dict)
    books: Mapping[str, MadeBook] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    receipts: Mapping[str, ReceiptStanding] = field(default_factory=dict)  # by the receipt's stream
    receipt_tokens: Mapping[str, frozenset[str]] = field(default_factory=dict)  # by unit
    accounts: Mapping[str, AccountStanding] = field(default_factory=dict)  # by unit
    held: Mapping[str, Held] = field(default_factory=dict)  # by the id of the letter that asks
    asked: Mapping[str, Asked] = field(default_factory=dict)  # by the id of the letter that asks
    contacts: int = 0  # the last number of the stream in which people change
    registry: Registry | None = None  # where a message speaks of the roster
    steps: frozenset[str] = frozenset()  # of the calendar, where a decision may depend on one
    beside: Mapping[str, Beside] = field(default_factory=dict)  # by campaign
    senders: Mapping[str, str] = field(
        default_factory=dict
    )  # of the messages that brought the newest versions

    def within(self, campaign: str) -> Situation:
        """The same picture with another running campaign at hand; as it is where that one is not running."""
        other = self.beside.get(campaign)
        if other is None or self.campaign is None:
            return self
        mine = Beside(self.campaign, self.roster, self.steps, self.receipt_tokens)
        rest = {name: one for name, one in self.beside.items() if name != campaign}
        return replace(
            self, campaign=other.campaign, roster=other.roster, steps=other.steps,
            receipt_tokens=other.receipt_tokens, beside={**rest, mine.campaign.id: mine},
        )  # fmt: skip

    def after(self, outcome: Outcome) -> Situation:
        """The situation once an outcome has been applied."""
        changes: dict[str, object] = {}
        if outcome.cases:
            changes["cases"] = {**self.cases, **{(c.campaign, c.unit, c.form): c for c in outcome.cases}}
        if outcome.packages:
            changes["packages"] = {**self.packages, **{(p.campaign, p.unit): p for p in outcome.packages}}
        if outcome.submissions:
            changes["submissions"] = _with_submissions(self.submissions, outcome.submissions)
        taken = [event.data for event in outcome.events if event.kind == "message.taken"]
        digests = {data["digest"]: data["sha"] for data in taken if data["bucket"] != Bucket.FAILED}
        if digests:
            changes["digests"] = {**self.digests, **digests}
        bounced = {e.stream: e for e in outcome.events if e.kind in _BOUNCED}
        if bounced:
            changes["letters"] = dict(self.letters) | {
                row.message_id: replace(row, state=_BOUNCED[event.kind], events=event.number)
                for row in self.letters.values()
                if (event := bounced.get(f"letter:{row.id}"))
            }
        told = [event for event in outcome.events if event.kind == "message.taken" and event.personal]
        if told:
            brought = {event.data["sha"]: event.personal["sender"] for event in told if event.personal}
            changes["senders"] = {**self.senders, **brought}
        changes |= self._stepped(outcome)
        held = {
            event.stream.removeprefix("review:"): Held(event.data["message"], event.number)
            for event in outcome.events
            if event.kind.startswith("review.")
        }
        if held:
            changes["held"] = {**self.held, **held}
        answers = [event for event in outcome.events if event.kind == "sender.answered"]
        if answers:
            changes["asked"] = dict(self.asked) | {
                letter: self.asked[letter].after(event)
                for event in answers
                if (letter := event.stream.removeprefix("sender:")) in self.asked
            }
        receipts = [event for event in outcome.events if event.stream.startswith("receipt:")]
        if receipts:
            standings = dict(self.receipts)
            for event in receipts:
                before = standings.get(event.stream, ReceiptStanding())
                said = (event.number, event.at, event.data, event.personal or {})
                standings[event.stream] = before.after(event.kind, *said)
            changes["receipts"] = standings
        people = [event for event in outcome.events if event.kind == "contacts.set"]
        if people:
            changes["roster"] = _with_people(self.roster, people)
            changes["contacts"] = people[-1].number
        if self.registry is not None:
            changes["registry"] = self.registry.after(outcome.events)
        changes |= _accounts_after(self.accounts, outcome.events)
        return replace(self, **changes) if changes else self  # type: ignore[arg-type]

    def _stepped(self, outcome: Outcome) -> dict[str, object]:
        """The steps of each campaign's calendar with those that an outcome has done."""
        steps: dict[str, set[str]] = {}
        for event in (event for event in outcome.events if event.kind == "step.done"):
            campaign, _, step = event.stream.removeprefix("step:").partition("/")
            steps.setdefault(campaign, set()).add(step)
        if not steps:
            return {}
        beside = {
            name: replace(one, steps=one.steps | steps.get(name, set())) for name, one in self.beside.items()
        }
        own = steps.get(self.campaign.id, set()) if self.campaign else set()
        return {"steps": self.steps | own, "beside": beside}

    def seen(self, outcome: Outcome) -> dict[str, int]:
        """The streams that an outcome rests on with their last numbers in this, the gathered, situation."""
        numbers = {case.stream: case.events for case in self.cases.values()}
        numbers.update({package.stream: package.events for package in self.packages.values()})
        return {stream: numbers[stream] for stream in outcome.rests_on}

    def answered(self, message: Message) -> list[LetterRow]:
        """Our letters that a message answers, as far as they were gathered."""
        return [self.letters[known] for known in message.in_reply_to if known in self.letters]

    def package_above(self, unit: str) -> Package | None:
        """The package that carries a unit's case in the current campaign."""
        if self.campaign is None:
            return None
        return self.packages.get((self.campaign.id, self.roster.package_of(unit).code))

    def case_of(self, unit: str) -> Case | None:
        """The unit's case in the current campaign; a unit fills one form."""
        if self.campaign is None or unit not in self.roster.units:
            return None
        kind = self.roster.units[unit].kind
        for form in self.forms.values():
            if kind in form.kinds and (case := self.cases.get((self.campaign.id, unit, form.id))) is not None:
                return case
        return None

    def cases_of(self, unit: str) -> list[Case]:
        """The unit's cases in all running campaigns, that at hand first."""
        here = [self, *map(self.within, self.beside)]
        return [case for one in here if (case := one.case_of(unit)) is not None]

    def closes(self, unit: str) -> dt.datetime:
        """When the package that carries a unit's case goes up by itself; see `deadlines.cut_off`."""
        assert self.campaign is not None
        package = self.package_above(unit)
        if package is None:
            return self.campaign.window(self.roster.package_of(unit)).closes
        over = [
            self.packages.get((self.campaign.id, above.code)) for above in self.roster.above(package.unit)
        ]
        return cut_off(self.campaign, self.roster, package, [one for one in over if one and not one.locked])


def _with_people(roster: Roster, events: Sequence[Event]) -> Roster:
    """The roster once people have changed."""
    for event in events:
        people = map(decode_contact, (event.personal or {}).get("contacts", ()))
        roster = roster.with_people(event.data["unit"], tuple(people))
    return roster


def _accounts_after(
    known: Mapping[str, AccountStanding], events: Sequence[Event]
) -> dict[str, dict[str, AccountStanding]]:
    """Where accounts stand once these events have happened, as a change; none where they are not about any."""
    after = dict(known)
    about = [event for event in events if event.stream.startswith("account:")]
    for event in about:
        unit = event.stream.removeprefix("account:")
        after[unit] = after[unit].after(event.kind, event.number, event.at, event.data)
    return {"accounts": after} if about else {}


def _with_submissions(
    known: Mapping[CaseKey, tuple[Submission, ...]], new: tuple[Submission, ...]
) -> dict[CaseKey, tuple[Submission, ...]]:
    """Versions by case with the new ones put in: a version already known under its id is replaced, one that its unit
    disowned is left out.
    """
    merged = dict(known)
    for submission in new:
        key = (submission.campaign, submission.unit, submission.form)
        others = tuple(version for version in merged.get(key, ()) if version.id != submission.id)
        merged[key] = tuple(
            sorted(others if submission.disowned else (*others, submission), key=lambda one: one.number)
        )
    return merged
