"""Letters about the roster's own business that a tick owes: a request to the common superior, what was decided to both sides, a
reported problem to its owner, how it ended to whoever reported it. Each once: a letter's id is made of what it says and to whom.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from workflow.adapters.store import Store
from workflow.domain.affiliation import AffiliationRequest, RequestState, common_superior
from workflow.domain.campaign import Campaign
from workflow.domain.letters import LetterKind, LetterOrder
from workflow.domain.privacy import mask_address
from workflow.domain.problems import Problem
from workflow.domain.roster import Recipient, Role, Roster

_STAGES = {RequestState.REQUESTED: "asked", RequestState.AGREED: "agreed", RequestState.REFUSED: "refused"}


def orders(store: Store, campaign: Campaign, roster: Roster, now: dt.datetime) -> Iterator[LetterOrder]:
    """What is owed now: of what waits, and of what was decided since the campaign before this one was opened."""
    since = [*store.campaigns()][-2:][0].opened_at
    for asked in store.affiliations():
        if asked.decided_at is None or asked.decided_at >= since:
            yield from _of_request(asked, campaign, roster, now)
    for problem in store.problems():
        if problem.closed_at is None or problem.closed_at >= since:
            yield from _of_problem(problem, campaign, roster, now)


def _of_request(
    asked: AffiliationRequest, campaign: Campaign, roster: Roster, now: dt.datetime
) -> Iterator[LetterOrder]:
    if not {asked.unit, asked.old, asked.new} <= roster.units.keys():
        return
    decides = common_superior(roster, asked.old, asked.new)
    if decides is None:
        return
    said = {
        "school_name": roster.units[asked.unit].name, "school_code": asked.unit,
        "old_name": roster.units[asked.old].name, "new_name": roster.units[asked.new].name,
        "decider_name": decides.name, "asked_by": asked.asked_by, "asked_at": asked.asked_at, "reason": asked.note,
    }  # fmt: skip
    if asked.state is RequestState.REQUESTED:
        to = roster.recipient(decides.code, Role.ADMINISTRATOR, now.date())
        if to is not None:
            key = f"affiliation\n{asked.number}\nrequest"
            kind = LetterKind.AFFILIATION_REQUEST
            yield LetterOrder(kind, campaign.id, asked.unit, "", to, now, asked.stream, said, key=key)
    result = {
        **said, "stage": _STAGES[asked.state], "reasons": [], "since": asked.since, "note": asked.answer,
    }  # fmt: skip
    told: set[str] = set()
    for code in (asked.unit, asked.old, asked.new):
        to = roster.recipient(code, Role.ADMINISTRATOR, now.date())
        if to is not None and to.email.lower() not in told and to.unit != decides.code:
            told.add(to.email.lower())
            key = f"affiliation\n{asked.number}\n{asked.state}\n{code}"
            kind = LetterKind.AFFILIATION_RESULT
            yield LetterOrder(kind, campaign.id, asked.unit, "", to, now, asked.stream, result, key=key)


def _of_problem(
    problem: Problem, campaign: Campaign, roster: Roster, now: dt.datetime
) -> Iterator[LetterOrder]:
    owner = roster.units.get(problem.owner)
    if owner is None:
        return
    known, reporter = roster.units.get(problem.unit), roster.units.get(problem.reporter)
    said = {
        "number": problem.number, "kind": problem.kind.value, "owner_name": owner.name, "due": problem.due,
        "school_name": known.name if known else problem.name, "school_code": problem.unit or problem.code,
        "reporter_name": reporter.name if reporter else "", "from_address": mask_address(problem.sender),
        "words": problem.words,
    }  # fmt: skip
    # What strangers write waits on staff's list: nobody has us write to somebody by making up addresses.
    if problem.open and reporter is not None:
        to = roster.recipient(owner.code, Role.ADMINISTRATOR, now.date())
        if to is not None:
            key = f"problem\n{problem.number}\nowner"
            kind = LetterKind.PROBLEM_REPORT
            yield LetterOrder(kind, campaign.id, owner.code, "", to, now, problem.stream, said, key=key)
    if not problem.open and reporter is not None and (to := _reporter(problem, roster, now.date())):
        result = {
            "stage": "closed", "number": problem.number, "kind": problem.kind.value, "owner_name": owner.name,
            "due": problem.due, "note": problem.answer, "by_roster": problem.by_roster,
        }  # fmt: skip
        key = f"problem\n{problem.number}\nclosed"
        kind = LetterKind.PROBLEM_RESULT
        yield LetterOrder(kind, campaign.id, reporter.code, "", to, now, problem.stream, result, key=key)


def _reporter(problem: Problem, roster: Roster, day: dt.date) -> Recipient | None:
    """Who reported it, at the address of then while it is registered, else the unit's 管理员."""
    for contact in roster.known_address(problem.sender, day):
        if contact.unit == problem.reporter:
            return Recipient(contact.email, contact.name, contact.unit, contact.role)
    return roster.recipient(problem.reporter, Role.ADMINISTRATOR, day)
