"""What becomes of a returned workbook or a 无变化 confirmation: accepted, returned for correction, stale, late.

A readable workbook is always kept as a version of its case. One with errors, or with a query that is not explained, goes
back at once (退回修改); the version stays, since at the deadline the data go up as they stand (article 18).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from workflow.domain.checks import Examination, examine
from workflow.domain.contacts import without_person
from workflow.domain.events import Event, encode_findings, encode_value
from workflow.domain.form import NO_CHANGE
from workflow.domain.letters import AnnotatedCopy, FreshCopy, LetterKind, LetterOrder
from workflow.domain.lifecycle import Case, CaseState
from workflow.domain.matching import Sender, speaks_for, trust_in
from workflow.domain.merge import Origin
from workflow.domain.privacy import mask_address
from workflow.domain.replay import case_after
from workflow.domain.roster import Recipient, Role
from workflow.domain.submission import (
    Answers,
    AttachmentFate,
    AttachmentOutcome,
    Bucket,
    Reading,
    ReadOutcome,
    Submission,
)
from workflow.domain.tables import notable, notes_in_words
from workflow.domain.trust import Act, Effect, may
from workflow.process import late, strangers
from workflow.process.appoint import person_told
from workflow.process.carry import carry, changes
from workflow.process.file_notes import PERSON, finding_rows, noted, remarks
from workflow.process.identify import Unidentified, identify
from workflow.process.replaced import moved
from workflow.process.situation import SYSTEM, CaseKey, Earlier, Outcome, Situation


@dataclass(frozen=True, slots=True)
class Part:
    """A workbook in a message: the message's sha and time, the attachment as far as it is known, what was read."""

    message: str
    received_at: dt.datetime
    fate: AttachmentFate
    reading: Reading


def decide(part: Part, situation: Situation, who: Sender, thread: CaseKey | None = None) -> Outcome:
    """Decide on one workbook. The token in it routes; the unit printed in it and the sender are held against it. `thread` is
    the case of the letter that the message answers.
    """
    known = identify(part.reading, situation, who, thread)
    if isinstance(known, Unidentified):
        return _foreign(part, known.reason, doubtful=known.doubtful)
    case, copy = known.case, known.copy
    key = (case.campaign, case.unit, case.form)
    if not speaks_for(situation.roster, who, case.unit):
        who = Sender(who.address, (), who.said)  # whoever it is, the answer goes to the unit's own people
    fate = replace(part.fate, unit=case.unit, form=case.form, campaign=case.campaign)
    part = replace(part, fate=fate)
    if situation.campaign is None or case.campaign != situation.campaign.id:
        return _of_earlier_period(part, case, situation, who)
    package = situation.package_above(case.unit)
    if (package and package.locked) or part.received_at >= situation.closes(case.unit):
        return _late(part, case, situation, who)
    if copy < case.copy:
        return _stale(part, copy, case, situation, who)
    if _same_again(part, key, case, situation, who):
        again = replace(fate, outcome=AttachmentOutcome.DUPLICATE, reason="与已收到的报送文件相同")
        return Outcome(fates=(again,))
    versions = situation.submissions.get(key, ())
    effect = may(trust_in(situation.roster, who, case.unit, tied=True), Act.DATA)
    on_trial = effect is Effect.FIRST
    if why := strangers.withheld(effect, versions, case):
        return strangers.held(part.message, part.received_at, part.fate, case, situation, who.address, why)
    if on_trial and strangers.too_many(versions, part.received_at):
        full = replace(fate, outcome=AttachmentOutcome.FOREIGN, reason=strangers.FULL)
        return Outcome(fates=(full,), bucket=Bucket.QUARANTINED)
    return _take(part, case, situation, who)


def _same_again(part: Part, key: CaseKey, case: Case, situation: Situation, who: Sender) -> bool:
    """The very file that is the case's newest version; after a return it counts again, so that the unit is told, and from
    the unit's own address where a stranger had sent it.
    """
    newest = next(reversed(situation.submissions.get(key, ())), None)
    if newest is None or newest.attachment != part.fate.sha or case.state is CaseState.RETURNED:
        return False
    return not (newest.unregistered and who.registered)


def _take(part: Part, case: Case, situation: Situation, who: Sender) -> Outcome:
    """Check the workbook, keep it as a version, and accept it or send it back."""
    form = situation.forms[case.form]
    earlier = situation.earlier.get((case.unit, case.form))
    seen = examine(
        form,
        part.reading.answers,
        earlier.answers if earlier else None,
        part.reading.moved,
        part.reading.notes,
    )
    seen, person = person_told(seen, who, case.unit, part.received_at.date(), situation)
    seen = noted(seen, part.reading, who, person)
    number = case.number + 1
    version = Submission(
        f"{case.campaign}/{case.unit}/{case.form}/{number}", case.campaign, case.unit, case.form, form.version,
        number, part.received_at, part.message, part.fate.sha, "", seen.errors or _inherited(seen, earlier), seen.queries,
        no_change=seen.no_change, unregistered=not who.registered,
    )  # fmt: skip
    event = submitted_event(case, version, seen, part.reading.moved)
    after = case_after(case, event)
    rests_on = _package_stream(situation, case.unit)
    kept = Outcome(events=(event,), cases=(after,), submissions=(version,), rests_on=rests_on)
    if seen.goes_back:
        return kept + _send_back(part, after, version, situation, who, seen)
    accepted = replace(part.fate, outcome=AttachmentOutcome.ACCEPTED, findings=seen.findings)
    return kept + Outcome(fates=(accepted,), letters=_acknowledge(part, after, situation, who, seen))


def _inherited(seen: Examination, earlier: Earlier | None) -> int:
    """The error that a 无变化 takes over with last period's data, where these went up faulty."""
    faulty = {Origin.WITH_ERRORS, Origin.RETURNED_UNCORRECTED}
    return int(seen.no_change and earlier is not None and earlier.standing.origin in faulty)


def submitted_event(case: Case, version: Submission, seen: Examination, moved: Mapping[str, str]) -> Event:
    """The ledger's event of a version that comes to a case. Answers, notes and addresses travel as personal payload."""
    findings, found = encode_findings(seen.findings)
    data = {
        "submission": version.id,
        "number": version.number,
        "form_version": version.form_version,
        "received_at": version.received_at.isoformat(),
        "message": version.message,
        "attachment": version.attachment,
        "errors": version.errors,
        "queries": version.queries,
        "no_change": version.no_change,
        "unregistered": version.unregistered,
        "findings": findings,
    }
    personal = {
        "answers": {name: encode_value(value) for name, value in seen.answers.items()},
        "moved": dict(moved),
        "notes": dict(seen.notes),
        "found": found,
    }
    stream, at = case.stream, version.received_at
    return Event(stream, case.events + 1, "case.submitted", at, SYSTEM, version.message, data, personal)


def _send_back(
    part: Part, case: Case, version: Submission, situation: Situation, who: Sender, seen: Examination
) -> Outcome:
    """退回修改: the unit's own file again, with what is wrong marked in it."""
    due = return_due(situation, case.unit, part.received_at)
    number = case.number if seen.errors else 0  # what only wants an explanation still goes up, as 未审核
    returned, event = returned_case(case, due, "", "系统校验", part.received_at, part.message, number)
    earlier = situation.earlier.get((case.unit, case.form))
    enclosure = AnnotatedCopy(
        case.unit,
        case.form,
        case.copy,
        case.token,
        part.reading.answers,
        seen.findings,
        due,
        "",
        returned.returns,
        earlier.answers if earlier else None,
    )
    context = {
        "form_title": situation.forms[case.form].title,
        "findings": finding_rows(seen.findings),
        "due": due,
        "file_name": part.fate.name,
        "by": "系统校验",
        "note": "",
        "times": returned.returns,
    }
    letters = _reply(LetterKind.RETURNED, part, returned, situation, who, context, (enclosure,))
    fate = replace(part.fate, outcome=AttachmentOutcome.RETURNED, findings=seen.findings)
    newest = replace(version, returned=bool(seen.errors))
    return Outcome(events=(event,), letters=letters, cases=(returned,), submissions=(newest,), fates=(fate,))


def returned_case(
    case: Case, due: dt.datetime, note: str, by: str, at: dt.datetime, cause: str, number: int
) -> tuple[Case, Event]:
    """A case sent back, `number` (0: none) the version that counts as returned, and its event; raises NotAllowed."""
    data = {"due": due.isoformat(), "note": note, "by": by, "returned_number": number}
    event = Event(case.stream, case.events + 1, "case.returned", at, by, cause, data)
    return case_after(case, event), event


def return_due(situation: Situation, unit: str, moment: dt.datetime) -> dt.datetime:
    """Until when a return asks for the correction: the configured days, ending at midnight, but never past the
    moment at which the data go up.
    """
    days = dt.timedelta(days=situation.policy.return_days + 1)
    due = (moment + days).replace(hour=0, minute=0, second=0, microsecond=0)
    return min(due, situation.closes(unit))


def confirm_no_change(
    message: str, received_at: dt.datetime, case: Case, situation: Situation, who: Sender
) -> Outcome:
    """A reply in words that nothing has changed: last period's figures become this period's version."""
    fate = AttachmentFate(-1, "", "", AttachmentOutcome.ACCEPTED, case.unit, case.form, case.campaign)
    part = Part(message, received_at, fate, Reading(ReadOutcome.ANSWERS))
    package = situation.package_above(case.unit)
    past = situation.campaign is None or case.campaign != situation.campaign.id
    if past or (package and package.locked) or received_at >= situation.closes(case.unit):
        return replace(_late(part, case, situation, who), fates=(), bucket=Bucket.CONFIRMATION)
    earlier = situation.earlier.get((case.unit, case.form))
    if earlier is None or case.state is CaseState.PLANNED:
        letters = _reply(LetterKind.NO_CHANGE_REFUSED, part, case, situation, who, {})
        return Outcome(letters=letters, bucket=Bucket.CONFIRMATION)
    if case.state in {CaseState.SUBMITTED, CaseState.APPROVED}:
        # What the unit sent this period stands: words that cross it never put last period's figures in its place.
        stands = f"你单位本期已报送的数据（第{case.number}次）继续有效，未作改动"
        letters = _acknowledge(part, case, situation, who, Examination({}, {}, (), no_change=True), stands)
        return Outcome(letters=letters, bucket=Bucket.CONFIRMATION)
    number = case.number + 1
    seen = Examination({**without_person(earlier.answers), NO_CHANGE: True}, {}, (), no_change=True)
    version = Submission(
        f"{case.campaign}/{case.unit}/{case.form}/{number}", case.campaign, case.unit, case.form,
        situation.forms[case.form].version, number, received_at, message, "", "", _inherited(seen, earlier), 0, no_change=True,
    )  # fmt: skip
    event = submitted_event(case, version, seen, {})
    after = case_after(case, event)
    letters = _acknowledge(part, after, situation, who, seen)
    rests_on = _package_stream(situation, case.unit)
    return Outcome(
        (event,), letters, (after,), submissions=(version,), bucket=Bucket.CONFIRMATION, rests_on=rests_on
    )


def _package_stream(situation: Situation, unit: str) -> frozenset[str]:
    """What an accepted version rests on: that the package above has not been reported meanwhile."""
    package = situation.package_above(unit)
    return frozenset({package.stream}) if package else frozenset()


def _late(part: Part, case: Case, situation: Situation, who: Sender) -> Outcome:
    """Kept, not counted: the package above has been reported (article 19). The sender is told what can be done; what
    came before the report and was found after it, when no poll succeeded in time, is staff's to look at.
    """
    package = situation.packages.get((case.campaign, situation.roster.package_of(case.unit).code))
    above = situation.roster.package_of(case.unit)
    context = {
        "reported_at": (package.reported_at if package else None) or situation.closes(case.unit),
        "superior_name": above.name,
        "form_title": situation.forms[case.form].title if case.form in situation.forms else "",
    }
    fate = replace(part.fate, outcome=AttachmentOutcome.LATE, reason="所在层级数据已上报")
    events: tuple[Event, ...] = ()
    if package and package.locked and package.reported_at and part.received_at < package.reported_at:
        matter = f"{situation.roster.units[case.unit].name}的报送在上报前已到达、上报后才收取，未计入上报数据；请核对，确有必要的由{above.name}提出撤报申请"
        data = {"unit": case.unit, "matter": matter}  # intake numbers staff's list, over its whole batch
        events = (Event("staff", 0, "staff.query", part.received_at, SYSTEM, part.message, data),)
    events += late.kept(part.message, part.received_at, fate, part.reading, case, situation, who)
    return Outcome(events, _reply(LetterKind.LATE, part, case, situation, who, context), fates=(fate,))


def _of_earlier_period(part: Part, case: Case, situation: Situation, who: Sender) -> Outcome:
    """A copy of an earlier period's form. While the unit is still asked, its answers are carried into the current copy and
    go back to be confirmed; otherwise the earlier period's data have gone up, and it is late.
    """
    current = situation.case_of(case.unit)
    if current is None or current.form != case.form or current.state is CaseState.PLANNED:
        return _late(part, case, situation, who)
    package = situation.package_above(case.unit)
    if (package and package.locked) or part.received_at >= situation.closes(case.unit):
        return _late(part, case, situation, who)
    return _stale(part, 0, current, situation, who)


def _stale(part: Part, copy: int, case: Case, situation: Situation, who: Sender) -> Outcome:
    """The current copy goes back with the answers of the old one in it, for the unit to confirm; nothing is counted.
    `copy` is 0 for a copy of an earlier period.
    """
    form = situation.forms[case.form]
    moved_over = carry(
        form,
        situation.roster.units[case.unit],
        part.reading.answers,
        explanations=bool(copy),
        people=situation.roster.people(case.unit, Role.ADMINISTRATOR, part.received_at.date()),
    )
    context = {
        "copy": copy,
        "current_copy": case.copy,
        "carried": len(moved_over.carried),
        "not_carried": moved_over.open_labels,
        "changes": changes(form, moved_over.answers, _newest(case, situation)),
    }
    enclosure = FreshCopy(case.unit, case.form, case.copy, case.token, moved_over.answers)
    reason = (
        f"第{copy}号工作簿，已由第{case.copy}号替代"
        if copy
        else "以前填报期的工作簿，填报内容已转入现行工作簿待确认"
    )
    fate = replace(
        part.fate,
        outcome=AttachmentOutcome.STALE,
        unit=case.unit,
        form=case.form,
        campaign=case.campaign,
        reason=reason,
    )
    letters = _reply(LetterKind.STALE, replace(part, fate=fate), case, situation, who, context, (enclosure,))
    return Outcome(fates=(fate,), letters=letters)


def _newest(case: Case, situation: Situation) -> Answers:
    """The answers of the case's newest version, as far as they were gathered."""
    versions = situation.submissions.get((case.campaign, case.unit, case.form), ())
    return situation.answers.get(versions[-1].id, {}) if versions else {}


def _foreign(part: Part, reason: str, *, doubtful: bool = False) -> Outcome:
    """A workbook whose case can't be told; where a person could tell, the message waits for one."""
    fate = replace(part.fate, outcome=AttachmentOutcome.FOREIGN, reason=reason)
    return Outcome(fates=(fate,), bucket=Bucket.QUARANTINED if doubtful else None)


def _acknowledge(
    part: Part, case: Case, situation: Situation, who: Sender, seen: Examination, *also: str
) -> tuple[LetterOrder, ...]:
    queries = [{"cell": f.cell, "label": f.label, "message": f.message} for f in seen.findings]
    form = situation.forms[case.form]
    notes = notes_in_words(form, {name: note for name, note in seen.notes.items() if name in notable(form)})
    context = {
        "received_at": part.received_at,
        "form_title": situation.forms[case.form].title,
        "version_no": case.number,
        "queries": queries,
        "file_name": part.fate.name,
        "kind_word": "无变化确认" if seen.no_change else "填报工作簿",
        "also": [*also, *remarks(part.reading), *filter(None, [seen.notes.get(PERSON)]), *notes],
    }
    return _reply(LetterKind.ACKNOWLEDGEMENT, part, case, situation, who, context)


def _reply(
    kind: LetterKind,
    part: Part,
    case: Case,
    situation: Situation,
    who: Sender,
    context: Mapping[str, Any],
    enclosures: tuple[AnnotatedCopy | FreshCopy, ...] = (),
) -> tuple[LetterOrder, ...]:
    """A letter to the sender when registered for the unit; else to the unit's registered address, which is asked to
    confirm that the workbook is its own. Nothing ever goes to an address that the roster does not know.
    """
    day = part.received_at.date()
    if who.registered:
        contact = next((c for c in who.contacts if c.unit == case.unit), who.contacts[0])
        to: Recipient | None = Recipient(who.address, contact.name, contact.unit, contact.role)
    else:
        to = situation.roster.recipient(case.unit, Role.ADMINISTRATOR, day)
    if to is None:
        return ()
    cause = f"{part.message}#{part.fate.index}"
    if line := moved(who, case.unit, situation.roster, day):
        context = {**context, "replaced": line}
    order = LetterOrder(
        kind,
        case.campaign,
        case.unit,
        case.form,
        to,
        part.received_at,
        cause,
        context,
        enclosures,
        case.token,
    )
    if who.registered:
        return (order,)
    context = {"from_address": mask_address(who.address), "held": False, "forged": False, "items": []}
    asking = replace(order, kind=LetterKind.UNKNOWN_SENDER, context=context, enclosures=())
    if kind not in strangers.OF_A_VERSION:
        order = strangers.once_a_day(order)
    return (order, strangers.once_a_day(asking))
