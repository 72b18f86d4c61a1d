"""The decisions of a reviewer 审核员: from a consolidated workbook that came back, or from the command line.

Each decision stands alone: it is applied, or refused with its one reason; the answer names both. A reviewer decides on the
cases of the level's own package and on the packages of the level below (article 8: 本级及下一级单位).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from workflow.adapters.store.records import MadeBook
from workflow.domain.answers import shown
from workflow.domain.campaign import Campaign, Period, is_period
from workflow.domain.checks import CATALOGUE
from workflow.domain.events import Event, encode_findings
from workflow.domain.form import Severity
from workflow.domain.letters import AnnotatedCopy, LetterKind, LetterOrder
from workflow.domain.lifecycle import Case, CaseState, NotAllowed
from workflow.domain.message import Message
from workflow.domain.replay import case_after
from workflow.domain.roster import Role, Unit
from workflow.domain.submission import (
    AttachmentFate,
    AttachmentOutcome,
    Bucket,
    Decision,
    Finding,
    ReviewReading,
    Submission,
)
from workflow.process.appoint import Decided as Appointed
from workflow.process.appoint import from_form
from workflow.process.file_notes import finding_rows
from workflow.process.level_report import report_as_said
from workflow.process.packages import (
    APPROVE,
    GRANT,
    REFUSE,
    RETURN,
    Review,
    act,
    decide_on_package,
    decide_on_withdrawal,
    package_due,
    returned_context,
)
from workflow.process.questions import hold
from workflow.process.renewal import wanted
from workflow.process.replaced import copied
from workflow.process.results import once_a_day, result_letter
from workflow.process.returns import return_due, returned_case
from workflow.process.review_rows import (
    Outdated,
    already_so,
    check_verdict,
    fields_of,
    sorted_out,
    with_remarks,
)
from workflow.process.situation import Outcome, Situation
from workflow.process.trust import doubt, expired, may_approve, who_wrote

__all__ = [
    "APPROVE", "RETURN", "Review", "act", "another_quarter", "apply_decisions", "decide", "decide_on_case",
    "decide_on_package", "decide_on_withdrawal", "package_due",
    "result_letter", "review_of",
]  # fmt: skip


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
    if (
        book is None
        or campaign is None
        or book.unit not in situation.roster.units
        or (reading.level_unit and book.unit != reading.level_unit)
    ):
        reason = "不是本系统发出的审核汇总表，或者识别码已被改动"
        return Outcome(fates=(replace(fate, outcome=AttachmentOutcome.FOREIGN, reason=reason),))
    level = situation.roster.units[book.unit]
    if book.campaign != campaign.id:
        return _of_another_quarter(sha, message, received_at, fate, book, situation)
    fate = replace(fate, outcome=AttachmentOutcome.REVIEW, unit=level.code, campaign=campaign.id)
    review = review_of(sha, message, level, received_at, situation)
    unsure = doubt(message, level, received_at, situation)
    over = expired(book, level, received_at, situation)
    reason = over or (unsure.reason if unsure else "")
    if unsure and unsure.held and not over:
        kept = replace(fate, reason=f"待审核员确认：{reason}")
        return hold(sha, message, level, received_at, situation) + Outcome(
            bucket=Bucket.REVIEW, fates=(kept,)
        )
    if reason:
        refused = [_refusal(situation, decision, reason) for decision in reading.decisions]
        refused = refused or [{"unit_name": level.name, "row": 0, "reason": reason}]
        letter = result_letter(
            review, situation, [], refused, reported=False, message=message, part=fate.index
        )
        if unsure:
            letter = copied(letter, who_wrote(message, received_at.date(), situation))
            letter = once_a_day(letter, level, message, reason, situation)
        return Outcome(letters=letter, bucket=Bucket.REVIEW, fates=(replace(fate, reason=reason),))
    outcome, applied, refused = apply_decisions(review, reading.decisions, situation)
    situation = situation.after(outcome)
    done, reported, reasons = report_as_said(review, reading.report, situation, refused)
    situation, outcome, refused = situation.after(done), outcome + done, [*refused, *reasons]
    letter = result_letter(
        review, situation, applied, refused, reported=reported, message=message, part=fate.index
    )
    if any(row.get("outdated") for row in refused):
        need = wanted(campaign, level.code, f"{sha}.{fate.index}", received_at)
        outcome += Outcome(events=(need,))
    if refused:
        fate = replace(fate, reason=f"{len(refused)}项未予采用，已逐项告知审核员")
    return outcome + Outcome(letters=letter, bucket=Bucket.REVIEW, fates=(fate,))


def apply_decisions(
    review: Review, decisions: tuple[Decision, ...], situation: Situation
) -> tuple[Outcome, list[dict[str, Any]], list[dict[str, Any]]]:
    """Each decision applied or refused: the outcome, and both lists as the answering letter shows them; `settled` is true of
    a row refused because it is already as it asks for, `outdated` of one on what has changed since the workbook was made.
    """
    outcome = Outcome()
    applied: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    wanted, conflicting = sorted_out(decisions)
    for decision in wanted:
        if reason := conflicting.get((decision.unit, decision.form)):
            refused.append(_refusal(situation, decision, reason))
            continue
        try:
            done = _apply(review, decision, situation)
        except NotAllowed as refusal:
            row = _refusal(situation, decision, str(refusal))
            outdated = isinstance(refusal, Outdated)
            refused.append({**row, "settled": already_so(decision, situation), "outdated": outdated})
            continue
        situation, outcome = situation.after(done), outcome + done
        name = situation.roster.units[decision.unit].name
        note = with_remarks(decision.note, decision.remarks)
        applied.append({"unit_name": name, "decision": decision.verdict, "note": note})
    return outcome, applied, refused


def _apply(review: Review, decision: Decision, situation: Situation) -> Outcome:
    """One decision; raises NotAllowed with the one reason why not."""
    if not decision.unit:
        raise NotAllowed("该行没有单位代码，无法办理，请在原汇总表中审核")
    if decision.unit not in situation.roster.units:
        raise NotAllowed(f"名册中没有代码为 {decision.unit} 的单位")
    if decision.form:
        return _apply_to_case(review, decision, situation)
    note = with_remarks(decision.note, decision.remarks)
    check_verdict(decision, note, (APPROVE, RETURN, GRANT, REFUSE))
    campaign = situation.campaign
    package = situation.packages.get((campaign.id if campaign else "", decision.unit))
    mine = situation.roster.units[decision.unit].superior == review.level.code
    if package is not None and mine and package.version and decision.version_no != package.version:
        again = "又重新上报" if package.version > 1 else "已经上报"
        raise Outdated(f"该单位此后{again}（第{package.version}次），请在新的汇总表中审核")
    return decide_on_package(review, decision.unit, decision.verdict, note, situation, decision.talk)


def _apply_to_case(review: Review, decision: Decision, situation: Situation) -> Outcome:
    campaign = situation.campaign
    case = situation.cases.get((campaign.id if campaign else "", decision.unit, decision.form))
    if case is None:
        check_verdict(decision, "-", (APPROVE, RETURN))
        above = situation.roster.package_of(decision.unit)
        if above.code != review.level.code:
            raise NotAllowed(f"该单位由{above.name}审核")
        raise NotAllowed("该单位不填报此表")
    fields, rest = fields_of(situation.forms[case.form], decision.remarks)
    note = with_remarks(decision.note, rest)
    check_verdict(decision, note or " ".join(fields.values()), (APPROVE, RETURN))
    if decision.version_no > case.number:
        raise NotAllowed(f"该单位实际报送{case.number}次，与表中的报送次数不符，请在原汇总表中审核")
    if decision.version_no > case.newest:
        raise Outdated(
            f"第{decision.version_no}次报送已由该单位答复为非本单位报送，不再计入，请在新的汇总表中审核"
        )
    if decision.version_no < case.newest:
        raise Outdated(f"该单位此后又报送了新数据（第{case.newest}次），请在新的汇总表中审核")
    if decision.verdict == APPROVE:
        labels = situation.forms[case.form].by_name
        note = with_remarks(note, {labels[name].label: words for name, words in fields.items()})
        fields = {}
    return decide_on_case(review, case, decision.verdict, note, situation, fields)


def decide_on_case(
    review: Review,
    case: Case,
    verdict: str,
    note: str,
    situation: Situation,
    remarks: Mapping[str, str] | None = None,
) -> Outcome:
    """Approve a case or send it back, with what a reviewer remarked on single fields; raises NotAllowed."""
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
    returned, event = returned_case(case, due, note, review.by, review.at, review.cause, case.newest)
    key = (case.campaign, case.unit, case.form)
    newest = replace(situation.submissions[key][-1], returned=True)
    findings = _remarked(situation, newest, remarks or {})
    if findings:
        event = replace(event, data={**event.data, "findings": encode_findings(findings)[0]})
    letters = _return_letter(review, returned, due, note, situation, findings)
    return Outcome((event,), letters, (returned,), submissions=(newest,), rests_on=rests_on)


def _approve(review: Review, case: Case, note: str, situation: Situation) -> Outcome:
    key = (case.campaign, case.unit, case.form)
    versions = situation.submissions.get(key, ())
    if case.state is CaseState.SUBMITTED and versions and versions[-1].errors:
        raise NotAllowed("该单位数据还有逻辑校验错误，须改正后才能审核通过")
    if versions and (reason := may_approve(review, case, versions[-1], situation)):
        raise NotAllowed(reason)
    data = {"number": case.newest, "by": review.by, "note": note}
    event = Event(case.stream, case.events + 1, "case.approved", review.at, review.by, review.cause, data)
    approved = case_after(case, event)
    newest = replace(versions[-1], approved=True)
    answers = {} if newest.unregistered else situation.answers.get(newest.id, {})
    decided = Appointed(review.by, review.at, review.cause)
    people = from_form(
        situation.roster, situation.contacts, case.unit, answers, review.at.date(), decided,
        situation.policy.own_address,
    )  # fmt: skip
    return Outcome(events=(event, *filter(None, [people])), cases=(approved,), submissions=(newest,))


def _remarked(situation: Situation, version: Submission, remarks: Mapping[str, str]) -> tuple[Finding, ...]:
    """A reviewer's comments as findings in the unit's own cells, in the form's order."""
    form = situation.forms[version.form]
    answers = situation.answers.get(version.id, {})
    return tuple(
        Finding(
            "reviewer", Severity.ERROR, field.name, field.label, form.cell_of(field.name),
            shown(answers.get(field.name)), CATALOGUE["reviewer"].format(message=remarks[field.name]),
        )
        for field in form.fields
        if field.name in remarks
    )  # fmt: skip


def _return_letter(
    review: Review,
    case: Case,
    due: dt.datetime,
    note: str,
    situation: Situation,
    findings: tuple[Finding, ...],
) -> tuple[LetterOrder, ...]:
    """退回修改 by a reviewer: to the unit, with its own workbook, the 审核意见 in it and the cells remarked on marked."""
    to = situation.roster.recipient(case.unit, Role.ADMINISTRATOR, review.at.date())
    if to is None:
        return ()
    version = situation.submissions[case.campaign, case.unit, case.form][-1]
    context = returned_context(review, due, note, case.returns, f"第{version.number}次报送")
    context["findings"] = [{**row, "severity": "审核意见"} for row in finding_rows(findings)]
    answers = situation.answers.get(version.id, {})
    earlier = situation.earlier.get((case.unit, case.form))
    enclosure = AnnotatedCopy(
        case.unit, case.form, case.copy, case.token, answers, findings, due, note, case.returns,
        earlier.answers if earlier else None,
    )  # fmt: skip
    return (
        LetterOrder(
            LetterKind.RETURNED, case.campaign, case.unit, case.form, to, review.at,
            f"{review.cause}#{case.stream}", context, (enclosure,), case.token,
        ),
    )  # fmt: skip


def _refusal(situation: Situation, decision: Decision, reason: str) -> dict[str, Any]:
    unit = situation.roster.units.get(decision.unit)
    return {"unit_name": unit.name if unit else decision.unit, "row": decision.row, "reason": reason}


def review_of(sha: str, message: Message, level: Unit, at: dt.datetime, situation: Situation) -> Review:
    """The decision of whoever wrote a message; whether it counts is another question."""
    address = message.sender.lower()
    people = situation.roster.people(level.code, Role.REVIEWER, at.date())
    name = next((person.name for person in people if person.email.lower() == address), "")
    own = frozenset(person.email.lower() for person in people if person.name == name and person.email)
    return Review(level, f"{level.name}审核员{name}", at, sha, name, own)


def _of_another_quarter(
    sha: str,
    message: Message,
    received_at: dt.datetime,
    fate: AttachmentFate,
    book: MadeBook,
    situation: Situation,
) -> Outcome:
    """A workbook of an earlier quarter: nothing is done, and the level's 审核员 is told which one counts."""
    campaign = situation.campaign
    assert campaign is not None
    level = situation.roster.units[book.unit]
    reason = another_quarter(book, campaign)
    review = Review(level, "", received_at, sha)
    refused = [{"unit_name": level.name, "row": 0, "reason": reason}]
    letter = result_letter(review, situation, [], refused, reported=False, message=message, part=fate.index)
    if doubt(message, level, received_at, situation):
        letter = once_a_day(letter, level, message, reason, situation)
    fate = replace(fate, outcome=AttachmentOutcome.FOREIGN, unit=level.code, campaign=book.campaign)
    return Outcome(letters=letter, bucket=Bucket.REVIEW, fates=(replace(fate, reason=reason),))


def another_quarter(book: MadeBook, campaign: Campaign) -> str:
    """Why a consolidated workbook of another campaign decides nothing."""
    named = Period.parse(book.campaign).name if is_period(book.campaign) else book.campaign
    return f"这是{named}的审核汇总表，未作任何办理；本期为{campaign.period.name}，请在本期的审核汇总表中审核"
