"""Decisions on packages: accepted, returned on objection (article 20), and withdrawn on request (article 19).

A level decides on the packages of the level directly below while it has not reported itself: one level at a time.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from workflow.domain.campaign import Campaign
from workflow.domain.consultation import NO_TALK, Talk, consulted, due_typed
from workflow.domain.events import Event
from workflow.domain.letters import LetterKind, LetterOrder
from workflow.domain.lifecycle import PACKAGE_TRANSITIONS, NotAllowed, Package, PackageAct, PackageState
from workflow.domain.replay import package_after
from workflow.domain.roster import Role, Unit
from workflow.process.situation import Outcome, Policy, Situation

APPROVE, RETURN = "通过", "退回"
GRANT, REFUSE = "同意撤报", "不同意撤报"


@dataclass(frozen=True, slots=True)
class Review:
    """Who decides for which level, when, and because of which message or command; the `person`'s name and own `addresses`
    in small letters, by which it is seen whether the same person has filled in.
    """

    level: Unit
    by: str
    at: dt.datetime
    cause: str
    person: str = ""
    addresses: frozenset[str] = frozenset()


def act(
    package: Package, what: PackageAct, review: Review, data: dict[str, Any], personal: dict[str, Any] | None = None
) -> Outcome:  # fmt: skip
    """An act on a package as an outcome; raises NotAllowed."""
    kind = f"package.{what.value}"
    event = Event(
        package.stream, package.events + 1, kind, review.at, review.by, review.cause, data, personal
    )
    return Outcome(events=(event,), packages=(package_after(package, event),))


def decide_on_package(
    review: Review, unit: str, verdict: str, note: str, situation: Situation, talk: Talk = NO_TALK
) -> Outcome:
    """Accept a package of the level below, send it back with the recorded 沟通确认 (article 20), or decide on its
    撤报申请; raises NotAllowed.
    """
    campaign = situation.campaign
    assert campaign is not None
    child = situation.roster.units[unit]
    package = situation.packages.get((campaign.id, unit))
    if package is None or child.superior != review.level.code:
        raise NotAllowed("该单位不是本级的下一级上报单位")
    asked = package.state is PackageState.WITHDRAWAL_REQUESTED
    if asked and verdict in {GRANT, REFUSE}:
        return decide_on_withdrawal(review, package, note, situation, talk, granted=verdict == GRANT)
    if asked:
        raise NotAllowed(f"该单位已申请撤报，审核结论应选“{GRANT}”或“{REFUSE}”")
    if verdict in {GRANT, REFUSE}:
        raise NotAllowed("该单位没有待办理的撤报申请")
    own = situation.packages[campaign.id, review.level.code]
    if own.locked:
        raise NotAllowed("本级数据已上报并锁定，如需修改请提出撤报申请")
    if review.at >= situation.closes(review.level.code):
        raise NotAllowed("已过本级上报截止时间，数据按截止时的情况上报")
    rests_on = Outcome(rests_on=frozenset({own.stream}))
    if verdict == APPROVE:
        return rests_on + act(package, PackageAct.ACCEPT, review, {"by": review.by, "note": note})
    return rests_on + _sent_back(review, package, note, situation, talk)


def _sent_back(review: Review, package: Package, note: str, situation: Situation, talk: Talk) -> Outcome:
    """A return on objection: nothing without its 沟通确认; the level below is told what was talked over, why and until when."""
    assert situation.campaign is not None
    if (package.state, PackageAct.RETURN) not in PACKAGE_TRANSITIONS:
        return act(package, PackageAct.RETURN, review, {})  # raises, with the state's own reason
    talked = consulted(talk, review.at, package.reported_at)
    due = due_typed(talk, review.at, situation.closes(review.level.code))
    due = due or package_due(review, situation.campaign, situation.policy)
    data = {"by": review.by, "note": note, "due": due.isoformat(), "talked": talked.as_data()}
    outcome = act(package, PackageAct.RETURN, review, data, {"talked_to": talked.whom})
    context = {
        "level_name": situation.roster.units[package.unit].name, "by": f"{review.level.name}审核员", "note": note,
        "due": due, "talked": talked.words, "times": package.version,
    }  # fmt: skip
    return outcome + _to_reviewer(LetterKind.PACKAGE_RETURNED, review, package, context, situation)


def decide_on_withdrawal(
    review: Review, package: Package, note: str, situation: Situation, talk: Talk = NO_TALK, *, granted: bool
) -> Outcome:
    """Grant or refuse a 撤报申请 and tell the level that asked; the application is the talk, so that only a 限期 may stand in
    `talk`. A level that has reported itself must first be returned by the level above it. Raises NotAllowed.
    """
    campaign = situation.campaign
    assert campaign is not None
    own = situation.packages.get((campaign.id, review.level.code))
    if granted and own is not None and own.unit != package.unit and own.locked:
        raise NotAllowed(f"{review.level.name}自身已上报，须先由其上一级退回")
    if not granted and not note:
        raise NotAllowed("不同意撤报须写明理由")
    data: dict[str, Any] = {"by": review.by, "note": note}
    due = package_due(review, campaign, situation.policy)
    if granted and own is not None and own.unit != package.unit:
        due = due_typed(talk, review.at, situation.closes(review.level.code)) or due
    if granted:
        data["due"] = due.isoformat()
    what = PackageAct.GRANT_WITHDRAWAL if granted else PackageAct.REFUSE_WITHDRAWAL
    outcome = act(package, what, review, data)
    if granted and own is not None and own.unit != package.unit:
        outcome += Outcome(rests_on=frozenset({own.stream}))
    context = {
        "level_name": situation.roster.units[package.unit].name, "granted": granted, "note": note, "due": due,
        "by": review.by, "superior_name": review.level.name,
    }  # fmt: skip
    return outcome + _to_reviewer(LetterKind.WITHDRAWAL_RESULT, review, package, context, situation)


def ministry(
    review: Review, package: Package, verdict: str, note: str, campaign: Campaign, policy: Policy, talk: Talk
) -> Outcome:  # fmt: skip
    """The ministry's word on a package of the highest level: accepted, returned, or its 撤报申请 granted (a return says so
    too) or refused. Article 20 binds the offices below the ministry; a 沟通确认 is kept where one is given. Raises NotAllowed.
    """
    asked = package.state is PackageState.WITHDRAWAL_REQUESTED
    what = {
        APPROVE: PackageAct.ACCEPT, GRANT: PackageAct.GRANT_WITHDRAWAL, REFUSE: PackageAct.REFUSE_WITHDRAWAL,
        RETURN: PackageAct.GRANT_WITHDRAWAL if asked else PackageAct.RETURN,
    }[verdict]  # fmt: skip
    data: dict[str, Any] = {"by": review.by, "note": note}
    personal: dict[str, Any] | None = None
    if (package.state, what) in PACKAGE_TRANSITIONS and what in {
        PackageAct.RETURN, PackageAct.GRANT_WITHDRAWAL,
    }:  # fmt: skip
        # Without a date it would go up again at once.
        due = due_typed(talk, review.at, None) or package_due(review, campaign, policy)
        data["due"] = due.isoformat()
        if talk.whom or talk.when:
            talked = consulted(talk, review.at, package.reported_at)
            data["talked"], personal = talked.as_data(), {"talked_to": talked.whom}
    return act(package, what, review, data, personal)


def _to_reviewer(
    kind: LetterKind, review: Review, package: Package, context: dict[str, Any], situation: Situation
) -> Outcome:
    """A letter about a package to the 审核员 of its level."""
    to = situation.roster.recipient(package.unit, Role.REVIEWER, review.at.date())
    if to is None:
        return Outcome()
    own_case = situation.case_of(package.unit)
    order = LetterOrder(
        kind, package.campaign, package.unit, own_case.form if own_case else "", to, review.at,
        f"{review.cause}#{package.stream}#{package.events}", context,
    )  # fmt: skip
    return Outcome(letters=(order,))


def package_due(review: Review, campaign: Campaign, policy: Policy) -> dt.datetime:
    """Until when a returned package is to be reported again: the configured days, but never past the cut-off of the
    level that returned it.
    """
    days = dt.timedelta(days=policy.return_days + 1)
    due = (review.at + days).replace(hour=0, minute=0, second=0, microsecond=0)
    closes = campaign.window(review.level).closes
    return min(due, closes) if closes > review.at else due


def returned_context(review: Review, due: dt.datetime, note: str, times: int, what: str) -> dict[str, Any]:
    """What a letter 退回修改 of a reviewer says; the findings are added by who has some."""
    return {
        "form_title": "", "findings": [], "due": due, "file_name": what,
        "by": f"{review.level.name}审核员", "note": note, "times": times,
    }  # fmt: skip
