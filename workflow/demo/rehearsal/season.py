"""A whole quarter for the workspace's own roster: real process, simulated people and clock, in a temporary copy."""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from workflow.adapters.mail.mime import parse
from workflow.adapters.workbook.roster import read_roster
from workflow.app import App
from workflow.config import Database
from workflow.demo.mailing import Letter
from workflow.demo.rehearsal.crowd import Crowd, Mail, draw_had
from workflow.demo.rehearsal.figures import Figures
from workflow.demo.rehearsal.forecast import Day, Forecast, forecast
from workflow.demo.rehearsal.past import write_past
from workflow.demo.rehearsal.post import Got, InMemory, Post, over_servers
from workflow.demo.rehearsal.rates import Rates
from workflow.demo.rehearsal.sample import sampled
from workflow.domain.campaign import SHANGHAI, Campaign, Period, midnight
from workflow.domain.errors import Fault, Refused
from workflow.domain.lifecycle import Package
from workflow.domain.matching import token_in
from workflow.domain.roster import Roster
from workflow.domain.submission import Answers, CopyIdentity
from workflow.process.baseline import import_roster
from workflow.process.gather import require_campaign, require_roster

Progress = Callable[[int, int], None]
_OFFICE_HOURS = (dt.time(9, 10), dt.time(17))
_AFTER_MIDNIGHT = dt.time(0, 10)
#: Letters that are sent and read at once.
_PASS = 200


@dataclass(frozen=True, slots=True)
class Basis:
    """What is rehearsed: a roster, a period, and last period's real answers, as far as the workspace has them."""

    roster: Roster
    period: Period
    earlier: Mapping[tuple[str, str], Answers]


class Clock:
    """The simulated time. It only goes forward."""

    def __init__(self, start: dt.datetime) -> None:
        self.now = start

    def __call__(self) -> dt.datetime:
        return self.now

    def set(self, moment: dt.datetime) -> None:
        self.now = max(self.now, moment)


def basis(app: App, campaign: str, rates: Rates, units: int) -> Basis:
    """What to rehearse for a workspace; `campaign` '' means the period that is opened next, `units` 0 the whole roster.
    The workspace is only read.
    """
    roster = app.store.roster()
    if roster is None:
        path = app.workspace / "rosters" / "units.xlsx"
        if not path.is_file():
            raise Refused(Fault("名册", "尚未导入", "请先运行 huizhi roster import"))
        roster, _ = read_roster(path.read_bytes(), path.name)
    known = [one.period for one in app.store.campaigns() if isinstance(one.period, Period)]
    if campaign:
        period = Period.parse(campaign)
    elif known:
        period = _next(known[-1])
    else:
        today = app.now().date()
        period = Period(today.year, (today.month + 2) // 3)
    before = [one.id for one in known if one.id < period.id]
    earlier: dict[tuple[str, str], Answers] = {}
    if before:
        standings = {key: s for key, s in app.store.standings(before[-1]).items() if s.submission}
        kept = app.store.answers({standing.submission for standing in standings.values()})
        earlier = {key: kept[s.submission].answers for key, s in standings.items() if s.submission in kept}
    return Basis(sampled(roster, units, rates.seed) if units else roster, period, earlier)


def rehearse(
    app: App, base: Basis, rates: Rates, *, imap: bool = False,
    progress: Progress = lambda done, total: None,
) -> Forecast:  # fmt: skip
    """Play the quarter and tell what came of it. Nothing of the workspace is touched."""
    began = time.monotonic()
    rates = rates.within(app.config.smtp)
    opened = midnight(base.period.last_day) - dt.timedelta(days=rates.campaign.opens_days_before)
    opened += dt.timedelta(hours=9)
    previous = base.period.previous
    clock = Clock(midnight(previous.last_day) - dt.timedelta(days=20))
    with (
        tempfile.TemporaryDirectory(prefix="huizhi-rehearsal-") as folder,
        _copy(app, Path(folder), clock) as copy,
    ):
        digest = hashlib.sha256(repr(sorted(base.roster.units)).encode()).hexdigest()
        import_roster(copy.store, base.roster, (), "units.xlsx", digest, clock())
        figures = Figures(base.period.last_day, rates.seed, base.earlier)
        places = {code: place for place, code in enumerate(base.roster.units)}
        had = frozenset(code for code, _ in base.earlier) or draw_had(base.roster, rates)
        write_past(copy, previous, clock(), had, figures, places)
        clock.set(opened)
        receipts = opened.date() + dt.timedelta(days=15) if rates.campaign.receipts else None
        launched = copy.open(base.period.id, receipts)
        campaign = require_campaign(copy.store)
        compiled = {form: copy.compiled(form) for form in copy.forms()}
        crowd = Crowd(rates, base.roster, campaign, compiled, figures, had, places)
        with _post(copy, clock, crowd, imap=imap) as post:
            stage = _Stage(copy, clock, crowd, post, campaign, rates)
            stage.play(progress)
        seconds = time.monotonic() - began
        return forecast(
            copy,
            campaign,
            rates,
            tuple(stage.days),
            launched.unreachable,
            seconds,
            real_past=bool(base.earlier),
        )


def _next(period: Period) -> Period:
    return Period(period.year + 1, 1) if period.quarter == 4 else Period(period.year, period.quarter + 1)


@contextmanager
def _copy(app: App, folder: Path, clock: Clock) -> Iterator[App]:
    """A workspace like this one, with a database of its own and nothing in it."""
    shutil.copy(app.workspace / "config.toml", folder / "config.toml")
    shutil.copytree(app.workspace / "templates", folder / "templates")
    copy = App(folder, clock)
    # The simulated people's mail carries no verdict of a receiving server.
    review = copy.config.review.model_copy(update={"trusted_authserv": ""})
    copy.config = copy.config.model_copy(update={"database": Database(), "review": review})
    try:
        yield copy
    finally:
        copy.close()


@contextmanager
def _post(copy: App, clock: Clock, crowd: Crowd, *, imap: bool) -> Iterator[Post]:
    if imap:
        with over_servers(copy, clock, clock.set, crowd.ends) as post:
            yield post
    else:
        yield InMemory(copy, crowd.ends)


@dataclass
class _Stage:
    """The office at work beside the crowd, moment by moment, within what the relay takes."""

    app: App
    clock: Clock
    crowd: Crowd
    post: Post
    campaign: Campaign
    rates: Rates
    days: list[Day] = field(default_factory=list)

    def play(self, progress: Progress) -> None:
        """From the opening to the day after the last window."""
        moments = list(self._moments())
        received: Counter[dt.date] = Counter()
        sent: Counter[dt.date] = Counter()
        waiting: dict[dt.date, int] = {}
        last = self.clock() - dt.timedelta(hours=1)
        for place, moment in enumerate(moments):
            messages = self.crowd.due(moment)
            received.update(message.at.date() for message in messages)
            self.post.hand_in(messages)
            self.clock.set(moment)
            self.post.poll()
            self.app.tick()
            day = moment.date()
            sent[day] += self._send(self._room(moment - last, sent[day]))
            last = moment
            waiting[day] = self.app.store.mail_counts().queued
            progress(place + 1, len(moments))
        queued = Counter(
            letter.queued_at.astimezone(SHANGHAI).date()
            for letter in self.app.store.letters(self.campaign.id)
        )
        self.days = [Day(day, queued[day], sent[day], left, received[day]) for day, left in waiting.items()]

    def _moments(self) -> Iterator[dt.datetime]:
        """Twice a day, and just after each midnight that may be a deadline; the opening itself first."""
        roster, store = require_roster(self.app.store), self.app.store
        packages: list[Package] = store.packages(self.campaign.id)
        closes = max(self.campaign.window(roster.units[package.unit]).closes for package in packages)
        last = closes.date() + dt.timedelta(days=1)
        day = self.clock().date()
        yield self.clock() + dt.timedelta(minutes=30)
        while day <= last:
            times = (
                (_AFTER_MIDNIGHT, *_OFFICE_HOURS) if day > self.campaign.period.last_day else _OFFICE_HOURS
            )
            for at in times:
                moment = dt.datetime.combine(day, at, SHANGHAI)
                if moment > self.campaign.opened_at + dt.timedelta(minutes=30):
                    yield moment
            day += dt.timedelta(days=1)

    def _room(self, since: dt.timedelta, sent: int) -> int:
        """How many letters the relay takes now: what the passes since the last moment carry, within the day's limit."""
        config, per_day = self.app.config, self.rates.limits.per_day
        passes = max(1, int(since.total_seconds() / 60 / config.run.send_minutes))
        room = passes * config.smtp.per_pass
        return min(room, per_day - sent) if per_day else room

    def _send(self, room: int) -> int:
        """Send until nothing is queued or the relay takes no more; each pass is read at once, so that few letters are held
        in memory.
        """
        count = 0
        while count < room and (passed := self.post.send(min(room - count, _PASS))):
            count += passed
            self.crowd.read(self._mails(self.post.take()))
        return count

    def _mails(self, letters: list[Got]) -> Iterator[Mail]:
        """What each letter is about, looked up for many at once. Of the files only a level's workbook is kept: a unit's
        copy is stamped again when its time has come.
        """
        for start in range(0, len(letters), _PASS):
            piece = [(got, parse(got.raw)) for got in letters[start : start + _PASS]]
            rows = self.app.store.letters_by_message_id({message.message_id for _, message in piece})
            tokens = {token_in(message.subject) for _, message in piece} - {""}
            cases = self.app.store.cases_by_token(tokens) if tokens else {}
            for got, message in piece:
                row = rows.get(message.message_id)
                if row is None:
                    continue
                books = tuple(file for file in message.attachments if "版" in file.name)
                letter = Letter(
                    row.to, message.subject, message.message_id, message.text, books, got.at,
                    self.app.config.letterhead.address,
                )  # fmt: skip
                identity, found = None, cases.get(token_in(message.subject))
                if found is not None:
                    case, number = found
                    version = self.app.compiled(case.form).form.version
                    identity = CopyIdentity(
                        case.campaign, case.unit, case.form, version, number, token_in(message.subject)
                    )
                yield Mail(letter, row.kind, row.unit, identity)
