"""The decisions of a reviewer 审核员: from a consolidated workbook that came back, or from the command line.

Each decision stands alone: it is applied, or refused with its one reason; the answer names both. A reviewer decides on the
cases of the level's own package and on the packages of the level below (article 8: 本级及下一级单位).
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from workflow.domain.campaign import Campaign
from workflow.domain.events import Event
from workflow.domain.letters import AnnotatedCopy, LetterKind, LetterOrder
from workflow.domain.lifecycle import Case, CaseState, NotAllowed, Package, PackageAct
from workflow.domain.matching import authenticated
from workflow.domain.message import Message
from workflow.domain.replay import case_after, package_after
from workflow.domain.roster import Recipient, Role, Unit
from workflow.domain.submission import AttachmentOutcome, Bucket, Decision, ReviewReading
from workflow.process.report import report
from workflow.process.returns import return_due, returned_case
from workflow.process.situation import AttachmentFate, Outcome, Policy, Situation

APPROVE, RETURN = "通过", "退回"
REPORT = "同意上报"


@dataclass(frozen=True, slots=True)
class Review:
    """Who decides for which level, when, and because of which message or command."""

    level: Unit
    by: str
    at: dt.datetime
    cause: str


def decide(
    sha: str,
    message: Message,
    received_at: dt.datetime,
    fate: AttachmentFate,
    reading: ReviewReading,
    situation: Situation,
) -> Outcome:
    """Apply a reviewer's workbook row by row, report if its cover says so, and answer with what was done."""
    book = situation.books.get(reading.token)
    campaign = situation.campaign
    if book is None or campaign is None or book.campaign != campaign.id or book.unit != reading.level_unit:
        reason = "不是本期发出的审核汇总表"
        return Outcome(fates=(replace(fate, outcome=AttachmentOutcome.FOREIGN, reason=reason),))
    level = situation.roster.units[book.unit]
    fate = replace(fate, outcome=AttachmentOutcome.REVIEW, unit=level.code, campaign=campaign.id)
    review = Review(level, _reviewer_name(situation, message.sender, level, received_at), received_at, sha)
    if reason := _not_entitled(message, level, received_at, situation):
        refused = [_refusal(situation, decision, reason) for decision in reading.decisions]
        letter = _result(review, situation, [], refused, reported=False, message=message)
        return Outcome(letters=letter, bucket=Bucket.REVIEW, fates=(replace(fate, reason=reason),))
    outcome, applied, refused = apply_decisions(review, reading.decisions, situation)
    situation = situation.after(outcome)
    reported = False
    if reading.report == REPORT:
        done, reason = report_level(review, situation)
        situation, outcome, reported = situation.after(done), outcome + done, not reason
        if reason:
            refused.append({"unit_name": level.name, "row": 0, "reason": reason})
    letter = _result(review, situation, applied, refused, reported=reported, message=message)
    return outcome + Outcome(letters=letter, bucket=Bucket.REVIEW, fates=(fate,))


def apply_decisions(
    review: Review, decisions: tuple[Decision, ...], situation: Situation
) -> tuple[Outcome, list[dict[str, Any]], list[dict[str, Any]]]:
    """Each decision applied or refused: the outcome, and both lists as the answering letter shows them."""
    outcome = Outcome()
    applied: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    contradicted = _contradicted(decisions)
    for decision in decisions:
        key = (decision.unit, decision.form)
        if key in contradicted:
            refused.append(
                _refusal(situation, decision, "同一单位既填“通过”又填“退回”，请只保留一个审核结论")
            )
            continue
        try:
            done = _apply(review, decision, situation)
        except NotAllowed as reason:
            refused.append(_refusal(situation, decision, str(reason)))
            continue
        situation, outcome = situation.after(done), outcome + done
        name = situation.roster.units[decision.unit].name
        applied.append({"unit_name": name, "decision": decision.verdict, "note": decision.note})
    return outcome, applied, refused


def report_level(review: Review, situation: Situation) -> tuple[Outcome, str]:
    """Report the reviewer's level upward; nothing and the one reason when it may not."""
    campaign = situation.campaign
    assert campaign is not None
    package = situation.packages[campaign.id, review.level.code]
    window = campaign.window(review.level)
    if not window.holds(review.at) and package.due is None:
        first, last = window.first_day, window.last_day
        return Outcome(), f"上报时间为{first.year}年{first.month}月{first.day}日至{last.month}月{last.day}日"
    try:
        return report(situation, package, review.at, review.by, auto=False, cause=review.cause), ""
    except NotAllowed as reason:
        return Outcome(), str(reason)


def _apply(review: Review, decision: Decision, situation: Situation) -> Outcome:
    """One decision; raises NotAllowed with the one reason why not."""
    if decision.verdict not in {APPROVE, RETURN}:
        typed = f"“{decision.verdict}”" if decision.verdict else "空白"
        raise NotAllowed(f"审核结论为{typed}，应选“通过”或“退回”")
    if decision.verdict == RETURN and not decision.note:
        raise NotAllowed("退回须在审核意见栏写明问题和修改要求")
    if decision.unit not in situation.roster.units:
        raise NotAllowed(f"名册中没有代码为 {decision.unit} 的单位")
    if not decision.form:
        return decide_on_package(review, decision.unit, decision.verdict, decision.note, situation)
    campaign = situation.campaign
    case = situation.cases.get((campaign.id if campaign else "", decision.unit, decision.form))
    if case is None:
        raise NotAllowed("该单位不填报此表")
    if decision.version_no != case.number:
        raise NotAllowed(f"该单位此后又报送了新数据（第{case.number}次），请在新的汇总表中审核")
    return decide_on_case(review, case, decision.verdict, decision.note, situation)


def decide_on_case(review: Review, case: Case, verdict: str, note: str, situation: Situation) -> Outcome:
    """Approve a case or send it back; raises NotAllowed."""
    above = situation.roster.package_of(case.unit)
    if above.code != review.level.code:
        raise NotAllowed(f"该单位由{above.name}审核")
    package = situation.package_above(case.unit)
    if package is not None and package.locked:
        raise NotAllowed("本级数据已上报并锁定，如需修改请提出撤报申请")
    if review.at >= situation.closes(case.unit):
        raise NotAllowed("已过本级上报截止时间，数据按截止时的情况上报")
    rests_on = frozenset({package.stream}) if package is not None else frozenset()
    if verdict == APPROVE:
        return replace(_approve(review, case, note, situation), rests_on=rests_on)
    due = return_due(situation, case.unit, review.at)
    returned, event = returned_case(case, due, note, review.by, review.at, review.cause)
    key = (case.campaign, case.unit, case.form)
    newest = replace(situation.submissions[key][-1], returned=True)
    letters = _return_letter(review, returned, due, note, situation)
    return Outcome((event,), letters, (returned,), submissions=(newest,), rests_on=rests_on)


def _approve(review: Review, case: Case, note: str, situation: Situation) -> Outcome:
    key = (case.campaign, case.unit, case.form)
    versions = situation.submissions.get(key, ())
    if case.state is CaseState.SUBMITTED and versions and versions[-1].errors:
        raise NotAllowed("该单位数据还有逻辑校验错误，须改正后才能审核通过")
    data = {"number": case.number, "by": review.by, "note": note}
    event = Event(case.stream, case.events + 1, "case.approved", review.at, review.by, review.cause, data)
    approved = case_after(case, event)
    newest = replace(versions[-1], approved=True)
    return Outcome(events=(event,), cases=(approved,), submissions=(newest,))


def decide_on_package(review: Review, unit: str, verdict: str, note: str, situation: Situation) -> Outcome:
    """Accept a package of the level below, or send it back with the recorded 沟通确认 (article 20); raises NotAllowed."""
    campaign = situation.campaign
    assert campaign is not None
    child = situation.roster.units[unit]
    package = situation.packages.get((campaign.id, unit))
    if package is None or child.superior != review.level.code:
        raise NotAllowed("该单位不是本级的下一级上报单位")
    own = situation.packages[campaign.id, review.level.code]
    if own.locked:
        raise NotAllowed("本级数据已上报并锁定，如需修改请提出撤报申请")
    if review.at >= situation.closes(review.level.code):
        raise NotAllowed("已过本级上报截止时间，数据按截止时的情况上报")
    if verdict == APPROVE:
        return act(package, PackageAct.ACCEPT, review, {"by": review.by, "note": note})
    due = package_due(review, campaign, situation.policy)
    outcome = act(package, PackageAct.RETURN, review, {"by": review.by, "note": note, "due": due.isoformat()})
    to = situation.roster.recipient(unit, Role.REVIEWER, review.at.date())
    if to is None:
        return outcome
    context = _returned_context(review, due, note, 1, f"{child.name}上报数据")
    own_case = situation.case_of(unit)
    order = LetterOrder(
        LetterKind.RETURNED, campaign.id, unit, own_case.form if own_case else "", to, review.at,
        f"{review.cause}#{package.stream}", context,
    )  # fmt: skip
    return outcome + Outcome(letters=(order,))


def package_due(review: Review, campaign: Campaign, policy: Policy) -> dt.datetime:
    """Until when a returned package is to be reported again: the configured days, but never past the cut-off of the
    level that returned it.
    """
    days = dt.timedelta(days=policy.return_days + 1)
    due = (review.at + days).replace(hour=0, minute=0, second=0, microsecond=0)
    closes = campaign.window(review.level).closes
    return min(due, closes) if closes > review.at else due


def request_withdrawal(
    sha: str, message: Message, words: str, received_at: dt.datetime, situation: Situation
) -> Outcome:
    """撤报申请 by mail (article 19): noted on the package for the level above to decide, or refused with the reason."""
    campaign = situation.campaign
    assert campaign is not None
    levels = [
        contact.unit for contact in situation.roster.known_address(message.sender, received_at.date())
        if contact.role is Role.REVIEWER and (campaign.id, contact.unit) in situation.packages
    ]  # fmt: skip
    if not levels:
        return Outcome(bucket=Bucket.UNMATCHED)
    level = situation.roster.units[levels[0]]
    review = Review(level, _reviewer_name(situation, message.sender, level, received_at), received_at, sha)
    reason = _not_entitled(message, level, received_at, situation)
    outcome = Outcome()
    if not reason:
        try:
            data = {"by": review.by, "note": words.strip()[:500]}
            package = situation.packages[campaign.id, level.code]
            outcome = act(package, PackageAct.REQUEST_WITHDRAWAL, review, data)
        except NotAllowed as refusal:
            reason = str(refusal)
    applied = (
        [] if reason else [{"unit_name": level.name, "decision": "撤报申请已登记，待上级审核", "note": ""}]
    )
    refused = [{"unit_name": level.name, "row": 0, "reason": reason}] if reason else []
    letter = _result(review, situation, applied, refused, reported=True, message=message)
    return outcome + Outcome(letters=letter, bucket=Bucket.WITHDRAWAL)


def act(package: Package, what: PackageAct, review: Review, data: dict[str, Any]) -> Outcome:
    """An act on a package as an outcome; raises NotAllowed."""
    event = Event(
        package.stream, package.events + 1, f"package.{what.value}", review.at, review.by, review.cause, data
    )
    return Outcome(events=(event,), packages=(package_after(package, event),))


def _return_letter(
    review: Review, case: Case, due: dt.datetime, note: str, situation: Situation
) -> tuple[LetterOrder, ...]:
    """退回修改 by a reviewer: to the unit, with its own workbook and the 审核意见 in it."""
    to = situation.roster.recipient(case.unit, Role.ADMINISTRATOR, review.at.date())
    if to is None:
        return ()
    version = situation.submissions[case.campaign, case.unit, case.form][-1]
    context = _returned_context(review, due, note, case.returns, f"第{version.number}次报送")
    answers = situation.answers.get(version.id, {})
    enclosure = AnnotatedCopy(
        case.unit, case.form, case.copy, case.token, answers, (), due, note, case.returns
    )
    return (
        LetterOrder(
            LetterKind.RETURNED, case.campaign, case.unit, case.form, to, review.at,
            f"{review.cause}#{case.stream}", context, (enclosure,), case.token,
        ),
    )  # fmt: skip


def _returned_context(review: Review, due: dt.datetime, note: str, times: int, what: str) -> dict[str, Any]:
    return {
        "form_title": "", "findings": [], "due": due, "file_name": what,
        "by": f"{review.level.name}审核员", "note": note, "times": times,
    }  # fmt: skip


def _contradicted(decisions: tuple[Decision, ...]) -> frozenset[tuple[str, str]]:
    """The units that carry more than one verdict."""
    verdicts = {(d.unit, d.form, d.verdict) for d in decisions if d.verdict}
    times = Counter((unit, form) for unit, form, _ in verdicts)
    return frozenset(key for key, n in times.items() if n > 1)


def _refusal(situation: Situation, decision: Decision, reason: str) -> dict[str, Any]:
    unit = situation.roster.units.get(decision.unit)
    return {"unit_name": unit.name if unit else decision.unit, "row": decision.row, "reason": reason}


def _not_entitled(message: Message, level: Unit, at: dt.datetime, situation: Situation) -> str:
    """Why a message's decisions do not count; '' when they do. The token routed it here and proves nothing."""
    if not situation.roster.is_reviewer(message.sender, level.code, at.date()):
        return "来信地址不是名册登记的审核员邮箱，请由登记的邮箱回复"
    if not authenticated(message.auth_results, situation.policy.trusted_authserv, message.sender):
        return "来信未通过邮件服务器的发件人验证，请由登记的邮箱重新回复"
    return ""


def _reviewer_name(situation: Situation, address: str, level: Unit, at: dt.datetime) -> str:
    people = situation.roster.people(level.code, Role.REVIEWER, at.date())
    names = [person.name for person in people if person.email.lower() == address.lower()]
    return f"{level.name}审核员{names[0]}" if names else f"{level.name}审核员"


def _result(
    review: Review,
    situation: Situation,
    applied: list[dict[str, Any]],
    refused: list[dict[str, Any]],
    *,
    reported: bool,
    message: Message,
) -> tuple[LetterOrder, ...]:
    """The answer to a reviewer's workbook: to the registered 审核员, never to a stranger who sent it."""
    campaign = situation.campaign
    to: Recipient | None = situation.roster.recipient(review.level.code, Role.REVIEWER, review.at.date())
    if to is None or campaign is None:
        return ()
    remaining = 0
    for unit in situation.roster.members(review.level.code):
        case = situation.case_of(unit.code)
        remaining += case is not None and case.state is CaseState.SUBMITTED
    context = {"applied": applied, "refused": refused, "reported": reported, "remaining": remaining}
    own = situation.case_of(review.level.code)
    return (
        LetterOrder(
            LetterKind.REVIEW_RESULT, campaign.id, review.level.code, own.form if own else "", to, review.at,
            review.cause, context, reply_to=message.message_id,
        ),
    )  # fmt: skip
