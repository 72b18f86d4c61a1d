"""The roster's own business 名册事务 around a decision: the tree as its last change leaves it, requests and reported problems."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace

from workflow.domain.affiliation import AffiliationRequest, RequestState
from workflow.domain.events import Event
from workflow.domain.problems import Problem, problem_of
from workflow.domain.roster import Roster, Unit, UnitKind


@dataclass(frozen=True, slots=True)
class Registry:
    """`number` is the roster's state, `last_change` the day of its last change, `open_until` the last day of a running period of
    which nothing has been reported yet. All that is decided in a batch is folded in (`after`).
    """

    roster: Roster
    number: int
    last_change: dt.date | None = None
    open_until: dt.date | None = None
    requests: tuple[AffiliationRequest, ...] = ()
    problems: tuple[Problem, ...] = ()

    def earliest(self, day: dt.date) -> dt.date:
        """From when a school's own mark holds: that day, but in time for a period of which nothing has been reported yet."""
        first = min(day, self.open_until) if self.open_until else day
        return max(first, self.last_change) if self.last_change else first

    def waiting(self, unit: str) -> AffiliationRequest | None:
        """The unit's request that waits for a decision."""
        found = [one for one in self.requests if one.unit == unit and one.state is RequestState.REQUESTED]
        return found[-1] if found else None

    @property
    def next_request(self) -> int:
        return 1 + max((known.number for known in self.requests), default=0)

    @property
    def next_problem(self) -> int:
        return 1 + max((known.number for known in self.problems), default=0)

    def after(self, events: Iterable[Event]) -> Registry:
        """This once these events have happened."""
        done = self
        for event in events:
            match event.stream.partition(":")[0]:
                case "affiliation":
                    done = replace(done, requests=_with_request(done.requests, event))
                case "problem":
                    done = replace(done, problems=_with_problem(done.problems, event))
                case "roster":
                    done = _with_tree(done, event)
        return done


def _with_request(known: tuple[AffiliationRequest, ...], event: Event) -> tuple[AffiliationRequest, ...]:
    number, data = int(event.stream.partition(":")[2]), event.data
    state = RequestState(event.kind.partition(".")[2])
    if state is RequestState.REQUESTED:
        asked = AffiliationRequest(
            number, data["unit"], data["old"], data["new"], state, event.actor, event.at, data.get("note", "")
        )
        return (*known, asked)
    return tuple(
        replace(one, state=state, decided_by=event.actor, decided_at=event.at)
        if one.number == number
        else one
        for one in known
    )


def _with_problem(known: tuple[Problem, ...], event: Event) -> tuple[Problem, ...]:
    if event.kind == "problem.reported":
        return (*known, problem_of(event))
    number = int(event.stream.partition(":")[2])
    return tuple(
        replace(one, closed_at=event.at, closed_by=event.actor, answer=event.data.get("note", ""), by_roster=event.data.get("how") == "roster")
        if one.number == number else one
        for one in known
    )  # fmt: skip


def _with_tree(known: Registry, event: Event) -> Registry:
    """The tree with the units of a change that closes none, as schools and the common superior bring about."""
    units = dict(known.roster.units)
    for said in event.data["units"]:
        window = said.get("window")
        units[said["code"]] = Unit(
            said["code"], said["name"], UnitKind(said["kind"]), said["superior"], said["suspended"],
            (window[0], window[1]) if window else None, said["note"],
        )  # fmt: skip
    tree = replace(known.roster, units=units)
    return replace(
        known, roster=tree, number=event.number, last_change=dt.date.fromisoformat(event.data["from"])
    )
