"""How fast letters may go: limits over what was tried before, whose turn it is, and how long to wait after a refusal."""

from __future__ import annotations

import datetime as dt
import hashlib
from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count

from workflow.domain.campaign import SHANGHAI
from workflow.domain.refusals import Verdict

#: The longest span that a limit counts over.
DAY = dt.timedelta(days=1)
_HOUR, _MINUTE = dt.timedelta(hours=1), dt.timedelta(minutes=1)
#: One letter in so many is the one that has waited longest, whatever its kind: nothing waits for ever.
EVERY = 5
_FIRST_RETRY, _LONGEST_RETRY = dt.timedelta(minutes=5), dt.timedelta(hours=6)
#: A wait is a fifth shorter or longer, so that letters refused together do not come back together.
_JITTER = 0.2
#: How long the account rests after a refusal of its own: the first time, and at most.
_PAUSES: Mapping[Verdict, tuple[dt.timedelta, dt.timedelta]] = {
    Verdict.BUSY: (dt.timedelta(minutes=5), dt.timedelta(hours=2)),
    Verdict.ACCESS: (dt.timedelta(minutes=15), dt.timedelta(hours=6)),
}
#: A provider's day may end a little later than ours.
_AFTER_MIDNIGHT = dt.timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Limits:
    """Letters in any minute, hour and day (the last 24 hours); 0 for no limit."""

    minute: int = 0
    hour: int = 0
    day: int = 0

    @property
    def spans(self) -> tuple[tuple[dt.timedelta, int, str], ...]:
        """Those that are set: the span, how many, and its name."""
        all_ = ((_MINUTE, self.minute, "每分钟"), (_HOUR, self.hour, "每小时"), (DAY, self.day, "每日"))
        return tuple(span for span in all_ if span[1])


@dataclass(frozen=True, slots=True)
class Allowance:
    """The limits of the account, and those of the domains to which it writes, in small letters."""

    account: Limits = Limits()
    domains: Mapping[str, Limits] = field(default_factory=dict)

    @property
    def longest(self) -> dt.timedelta:
        """How far back tried letters count; nothing where nothing is limited."""
        spans = [span for limits in (self.account, *self.domains.values()) for span, _, _ in limits.spans]
        return max(spans, default=dt.timedelta())


@dataclass(frozen=True, slots=True)
class Hold:
    """Why letters wait, and until when. `domain` is '' where all wait."""

    domain: str
    why: str
    until: dt.datetime


def domain_of(address: str) -> str:
    """The part after the @, in small letters."""
    return address.rpartition("@")[2].lower()


class Quota:
    """How much of the limits is used. `tried` are the moments of letters tried during the last day, each with its domain;
    whether they arrived does not matter, a provider counts what was tried.
    """

    def __init__(self, allowance: Allowance, tried: Iterable[tuple[dt.datetime, str]]) -> None:
        self._allowance = allowance
        self._all: list[dt.datetime] = []
        self._by_domain: dict[str, list[dt.datetime]] = {name: [] for name in allowance.domains}
        for at, domain in sorted(tried):
            self.take(domain, at)

    def take(self, domain: str, at: dt.datetime) -> None:
        """One more letter."""
        insort(self._all, at)
        if domain in self._by_domain:
            insort(self._by_domain[domain], at)

    def used(self, now: dt.datetime, domain: str = "") -> tuple[int, int, int]:
        """Letters in the last minute, hour and day, to one domain or all."""
        times = self._by_domain.get(domain, []) if domain else self._all
        minute, hour, day = (len(times) - bisect_right(times, now - span) for span in (_MINUTE, _HOUR, DAY))
        return minute, hour, day

    def hold(self, now: dt.datetime, domain: str = "") -> Hold | None:
        """Why nothing may go now, to one domain or ('') at all; None while something may."""
        limits = self._allowance.domains.get(domain, Limits()) if domain else self._allowance.account
        times = self._by_domain.get(domain, []) if domain else self._all
        found: Hold | None = None
        for span, most, name in limits.spans:
            if len(times) - bisect_right(times, now - span) >= most:
                until = times[-most] + span
                if found is None or until > found.until:
                    found = Hold(domain, f"{name}至多{most}封", until)
        return found

    def holds(self, now: dt.datetime) -> list[Hold]:
        """The domains to which nothing may go now."""
        return [hold for name in sorted(self._by_domain) if (hold := self.hold(now, name))]

    def admit(self, domain: str, now: dt.datetime) -> bool:
        """Take one letter if the limits allow it."""
        if self.hold(now) or self.hold(now, domain):
            return False
        self.take(domain, now)
        return True


def in_turn(urgent: Iterable[str], oldest: Iterable[str], tried: int) -> Iterator[str]:
    """The order of sending, by letters' ids: by urgency, but every fifth is the one that has waited longest, so that no
    flood of urgent ones keeps the others for ever. `tried` counts those before, so that small passes add up to the same.
    """
    by_urgency, by_age = iter(urgent), iter(oldest)
    done: set[str] = set()
    for turn in count(tried + 1):
        aged = turn % EVERY == 0
        lists = (by_age, by_urgency) if aged else (by_urgency, by_age)
        letter = next((letter for letters in lists for letter in letters if letter not in done), None)
        if letter is None:
            return
        done.add(letter)
        yield letter


def retry_at(letter: str, attempts: int, now: dt.datetime) -> dt.datetime:
    """When a letter goes again after so many attempts (from 1): 5 minutes, then twice as long each time up to 6 hours, a
    fifth more or less by the letter's id, so that the same letter always waits as long.
    """
    wait = _doubled(_FIRST_RETRY, attempts, _LONGEST_RETRY)
    digest = hashlib.sha256(f"{letter}/{attempts}".encode()).digest()
    share = int.from_bytes(digest[:4], "big") / 2**32
    return now + wait * (1 - _JITTER + 2 * _JITTER * share)


def pause_until(meaning: Verdict, times: int, now: dt.datetime) -> dt.datetime:
    """Until when the account rests, `times` (from 1) being how often it was refused without a letter taken in between."""
    if meaning is Verdict.TODAY:
        midnight = now.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0) + DAY
        return midnight + _AFTER_MIDNIGHT
    first, longest = _PAUSES[meaning]
    return now + _doubled(first, times, longest)


def _doubled(first: dt.timedelta, times: int, longest: dt.timedelta) -> dt.timedelta:
    factor: int = 2 ** min(max(times, 1) - 1, 20)
    return min(first * factor, longest)
