"""The decision on one message: a pure function from what arrived and the situation to an outcome.

It goes down the list of buckets in their order (domain.submission.Bucket): the first that applies is the message's.
Attachments are decided one after the other, each on what the one before it left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from workflow.adapters.store.records import LetterRow
from workflow.domain.events import Event
from workflow.domain.form import Severity
from workflow.domain.letters import LetterKind, LetterOrder
from workflow.domain.links import links_to_a_file
from workflow.domain.matching import (
    FilesAnswered,
    Sender,
    answers_query,
    asks_withdrawal,
    confirms_decision,
    confirms_no_change,
    files_answered,
    only_unit,
    pieces_confirmed,
    sender,
    speaks_for,
    token_of,
    trust_in,
)
from workflow.domain.message import Attachment, Message
from workflow.domain.roster import Recipient, Role
from workflow.domain.submission import AttachmentFate, AttachmentOutcome, Bucket, ReadOutcome
from workflow.domain.trust import Act, Effect, may
from workflow.process import (
    assents,
    beside,
    bounces,
    confirmations,
    receipts,
    returns,
    reviews,
    roster_mail,
    strangers,
    withdrawals,
)
from workflow.process.account_signing import answers_accounts, sign
from workflow.process.arrival import Arrival
from workflow.process.problem_files import LINK, letter_about
from workflow.process.said import Said
from workflow.process.senders import asking
from workflow.process.situation import SYSTEM, CaseKey, Outcome, Policy, Situation
from workflow.process.trust import UNPROVEN, who_wrote

#: Why a file of a failed message was not looked at.
BROKEN = "程序处理这封邮件时出错，原件已保留，将再次处理"
#: As check and ingest name the two kinds of finding in their JSON.
_SEVERITY = {Severity.ERROR: "error", Severity.QUERY: "query"}
#: Beside one of these in an archive a picture or a document is no fault that a letter need name.
_ASKED_FOR = frozenset({ReadOutcome.ANSWERS, ReadOutcome.REVIEW, ReadOutcome.RECEIPT})
_USELESS = {
    read: AttachmentOutcome[read.name]
    for read in (
        ReadOutcome.UNREADABLE, ReadOutcome.ENCRYPTED, ReadOutcome.MACRO, ReadOutcome.HOSTILE, ReadOutcome.FOREIGN,
        ReadOutcome.UNSUPPORTED,
    )
}  # fmt: skip


def decide(arrival: Arrival, situation: Situation) -> Outcome:
    """What to do about a message. Every attachment ends in one outcome, the message in one bucket."""
    message = arrival.message
    if arrival.released is not None:
        return _decide_parts(arrival, situation, _spoken_for(arrival, arrival.released.unit, situation))
    who = who_wrote(message, arrival.received_at.date(), situation)
    if is_own(message, situation.policy):
        return _close(arrival, Outcome(), Bucket.OWN, _unused(arrival))
    if message.auto == "bounce":
        return _close(
            arrival,
            bounces.decide(arrival.sha, message, arrival.received_at, situation),
            Bucket.BOUNCE,
            _unused(arrival),
        )
    if message.auto:
        return _close(arrival, Outcome(), Bucket.AUTO_REPLY, _unused(arrival))
    if arrival.digest in situation.digests:
        return _close(arrival, Outcome(), Bucket.DUPLICATE, _unused(arrival, AttachmentOutcome.DUPLICATE))
    if situation.campaign is None:
        return _close(arrival, Outcome(), Bucket.UNMATCHED, _unused(arrival))
    return _decide_parts(arrival, situation, who)


def _spoken_for(arrival: Arrival, unit: str, situation: Situation) -> Sender:
    """The unit's own people, as whose a released message counts and who are answered."""
    day = arrival.received_at.date()
    to = situation.roster.recipient(unit, Role.ADMINISTRATOR, day)
    return sender(situation.roster, to.email if to else "", day)


def is_own(message: Message, policy: Policy) -> bool:
    """Whether a message is a letter of ours that came back; its header alone can be anybody's copy."""
    return bool(message.letter) and message.sender.lower() == policy.own_address.lower()


def failed(arrival: Arrival, fault: str) -> Outcome:
    """A message on which the program broke: kept, in its own bucket, with the fault for staff, which may quote the message
    and so is personal.
    """
    fates = tuple(replace(fate, reason=BROKEN) for fate in _unused(arrival))
    outcome = _close(arrival, Outcome(), Bucket.FAILED, fates)
    taken = outcome.events[0]
    return replace(outcome, events=(replace(taken, personal={**(taken.personal or {}), "fault": fault}),))


def _decide_parts(arrival: Arrival, situation: Situation, who: Sender) -> Outcome:
    """A message written by a person: its parts one by one, then what is left to say about the whole."""
    released = arrival.released
    case = situation.case_of(released.unit) if released else None
    thread = (case.campaign, case.unit, case.form) if case else _thread(arrival.message, situation)
    situation = situation.within(beside.of_message(arrival.message, arrival.words, who, thread, situation))
    settled = {fate.index for fate in released.kept} if released else set()
    outcome = Outcome()
    for attachment in arrival.message.attachments:
        if attachment.index in settled:
            continue
        reading, scanned = arrival.readings.get(attachment.index), arrival.scans.get(attachment.index)
        at_hand = situation.within(beside.of_part(reading, scanned, situation))
        part = _decide_attachment(arrival, attachment, at_hand, who, thread)
        part = asking(part, arrival.sha, at_hand)
        situation = situation.after(part)
        outcome += part
    useful = [fate for fate in outcome.fates if fate.outcome is not AttachmentOutcome.IGNORED]
    problems = [
        fate for fate in useful if fate.outcome in _PROBLEMS and fate.reason not in strangers.WITHHELD
    ]
    if not useful and who.registered and links_to_a_file(arrival.words, arrival.message.html):
        linked = AttachmentFate(-1, "超大附件（下载链接）", "", AttachmentOutcome.UNSUPPORTED, reason=LINK)
        outcome, problems = replace(outcome, bucket=Bucket.EMPTY), [linked]
    elif not useful or _speaks_itself(arrival, useful, situation, who):
        outcome += _decide_words(arrival, situation, who, thread)
    elif who.registered and asks_withdrawal(arrival.words):
        outcome += withdrawals.asked_beside(
            arrival.sha, arrival.message, arrival.words, arrival.received_at, situation
        )
    else:
        outcome += roster_mail.beside(_said(arrival, who, thread), situation)
    bucket = _bucket(outcome, who, thread)
    if problems and bucket in {Bucket.SUBMISSION, Bucket.RECEIPT, Bucket.QUARANTINED, Bucket.EMPTY}:
        units = [thread[1] if thread else "", *(fate.unit for fate in useful), *who.units]
        if unit := next((code for code in units if code), ""):
            sha, known = arrival.sha, arrival.message.message_id
            outcome += letter_about(problems, unit, who, situation, sha, known, arrival.received_at)
    kept = arrival.released.kept if arrival.released else ()
    fates = sorted((*kept, *outcome.fates), key=lambda fate: fate.index)
    return _close(arrival, outcome, bucket, tuple(fates))


def _decide_attachment(
    arrival: Arrival, attachment: Attachment, situation: Situation, who: Sender, thread: CaseKey | None
) -> Outcome:
    reading = arrival.readings.get(attachment.index)
    scanned = arrival.scans.get(attachment.index)
    sha = arrival.attachment_shas.get(attachment.index, "")
    fate = AttachmentFate(attachment.index, attachment.name, sha, AttachmentOutcome.IGNORED)
    if reading is None:
        if attachment.inline and (scanned is None or not scanned.shows_form):
            return Outcome(fates=(fate,))
        return _decide_scan(arrival, attachment, fate, situation, who, thread)
    if reading.inside:
        return Outcome(
            fates=(replace(fate, reason=reading.reason),)
        )  # its files are attachments of their own
    if reading.outcome is ReadOutcome.ANSWERS:
        part = returns.Part(arrival.sha, arrival.received_at, fate, reading)
        done = returns.decide(part, situation, who, thread)
        return done + roster_mail.in_cells(_said(arrival, who, thread), done, reading, situation)
    if reading.outcome is ReadOutcome.REVIEW and reading.review is not None:
        return reviews.decide(
            arrival.sha, arrival.message, arrival.received_at, fate, reading.review, situation
        )
    if reading.outcome is ReadOutcome.RECEIPT:
        return receipts.take_copy(_came(arrival, fate, situation, who, thread), reading, situation)
    if reading.outcome is ReadOutcome.UNSUPPORTED:
        return _decide_scan(arrival, attachment, replace(fate, reason=reading.reason), situation, who, thread)
    return Outcome(fates=(replace(fate, outcome=_USELESS[reading.outcome], reason=reading.reason),))


def _decide_scan(
    arrival: Arrival,
    attachment: Attachment,
    fate: AttachmentFate,
    situation: Situation,
    who: Sender,
    thread: CaseKey | None,
) -> Outcome:
    """A picture, PDF or text document: the receipt's scan or electronic copy where the unit owes one."""
    came = _came(arrival, fate, situation, who, thread)
    taken = receipts.take_paper(came, arrival.scans.get(attachment.index), situation)
    if taken is not None:
        return taken
    if "/" in attachment.name and any(known.outcome in _ASKED_FOR for known in arrival.readings.values()):
        return Outcome(fates=(replace(fate, reason="压缩包中随表附带的文件，不是填报工作簿"),))
    reason = fate.reason or "不是可以识别的工作簿"
    return Outcome(fates=(replace(fate, outcome=AttachmentOutcome.UNSUPPORTED, reason=reason),))


def _came(
    arrival: Arrival, fate: AttachmentFate, situation: Situation, who: Sender, thread: CaseKey | None
) -> receipts.Came:
    unit = _meant(situation, who, thread)
    return receipts.Came(arrival.sha, arrival.received_at, fate, who, thread[1] if thread else "", unit)


def _meant(situation: Situation, who: Sender, thread: CaseKey | None) -> str:
    """The unit that a part without a mark of its own belongs to: the thread's, else the only one the sender serves."""
    if thread:
        return thread[1]
    only = only_unit(situation.roster, who)
    return only.code if only else ""


def _speaks_itself(
    arrival: Arrival, useful: Sequence[AttachmentFate], situation: Situation, who: Sender
) -> bool:
    """Whether the words are what a message is about and its files only papers beside them, such as a stamped letter that has
    been scanned: an application 撤报申请, a 无变化, an answer to a question of ours.
    """
    if not who.registered or any(fate.outcome is not AttachmentOutcome.UNSUPPORTED for fate in useful):
        return False
    words = arrival.words
    answered = situation.answered(arrival.message)
    asked = any(row.id in situation.held for row in answered)
    return (
        asks_withdrawal(words)
        or answers_accounts(answered, words)
        or confirms_no_change(words)
        or answers_query(words) is not None
        or roster_mail.speaks(words)
        or (asked and confirms_decision(words) is not None)
    )


def _said(arrival: Arrival, who: Sender, thread: CaseKey | None) -> Said:
    return Said(arrival.sha, arrival.message, arrival.words, arrival.received_at, who, thread)


def _asked_about(arrival: Arrival, situation: Situation) -> LetterRow | None:
    """The letter of ours about strangers' workbooks that a message answers."""
    return next((row for row in situation.answered(arrival.message) if row.id in situation.asked), None)


def _said_of_files(arrival: Arrival, letter: LetterRow, situation: Situation) -> FilesAnswered | None:
    units = situation.roster.units
    names = [
        units[one.unit].name if one.unit in units else one.unit for one in situation.asked[letter.id].files
    ]
    return files_answered(arrival.words, names)


def _decide_words(arrival: Arrival, situation: Situation, who: Sender, thread: CaseKey | None) -> Outcome:
    """A message without a file: a 撤报申请, a 无变化 confirmation, an answer to 发件地址未登记, or nothing we can use."""
    about = _asked_about(arrival, situation) if who.registered else None
    if about is not None and (said := _said_of_files(arrival, about, situation)) is not None:
        reply = assents.Reply(arrival, who, about, _decide_parts)
        return assents.settle(reply, situation.asked[about.id], said, situation)
    if (heard := roster_mail.heard(_said(arrival, who, thread), situation)) is not None:
        return heard
    if not who.registered:
        return Outcome(bucket=Bucket.UNMATCHED)
    own, answered = confirms_decision(arrival.words), situation.answered(arrival.message)
    question = next((row for row in answered if row.id in situation.held), None)
    if question is not None and own is not None:
        return confirmations.confirm(
            arrival.sha, arrival.message, arrival.received_at, question, situation.held[question.id], situation,
            pieces_confirmed(arrival.words, len(situation.held[question.id].pieces)) if own else frozenset(), own=own,
        )  # fmt: skip
    if signed := sign(arrival.sha, arrival.words, arrival.received_at, answered, who, situation):
        return signed
    if asks_withdrawal(arrival.words):
        return withdrawals.request_withdrawal(
            arrival.sha, arrival.message, arrival.words, arrival.received_at, situation
        )
    if bucket := answers_query(arrival.words):
        return Outcome(bucket=bucket)
    case, why = situation.cases.get(thread) if thread else None, ""
    if case is None and (unit := only_unit(situation.roster, who)):
        case = situation.case_of(unit.code)
    if case is not None and confirms_no_change(arrival.words):
        # A token in the subject routes and proves nothing: words alone count only from the unit's own people.
        if not speaks_for(situation.roster, who, case.unit):
            return Outcome(bucket=Bucket.UNMATCHED)
        trust = trust_in(situation.roster, who, case.unit, tied=thread is not None)
        if may(trust, Act.NO_CHANGE) is Effect.COUNTS:
            return returns.confirm_no_change(arrival.sha, arrival.received_at, case, situation, who)
        why = UNPROVEN[trust]
    to = Recipient(who.address, who.contacts[0].name, who.units[0], who.contacts[0].role)
    campaign = situation.campaign
    assert campaign is not None
    unit_code, form = (case.unit, case.form) if case else (who.units[0], "")
    daily = f"{LetterKind.EMPTY_REPLY}/{arrival.received_at.date()}"  # once a day: some robots do not say that they are
    letter = LetterOrder(
        LetterKind.EMPTY_REPLY, campaign.id, unit_code, form, to, arrival.received_at, daily, {"doubt": why, "asked_back": "", "reported": False},
        token=case.token if case else "", reply_to=arrival.message.message_id,
    )  # fmt: skip
    return Outcome(letters=(letter,), bucket=Bucket.EMPTY)


_PROBLEMS = frozenset(_USELESS.values())


def _bucket(outcome: Outcome, who: Sender, thread: CaseKey | None) -> Bucket:
    if outcome.bucket is not None:
        return outcome.bucket
    ends = {fate.outcome for fate in outcome.fates}
    if AttachmentOutcome.REVIEW in ends:
        return Bucket.REVIEW
    taken = {
        AttachmentOutcome.ACCEPTED,
        AttachmentOutcome.RETURNED,
        AttachmentOutcome.STALE,
        AttachmentOutcome.LATE,
    }
    if ends & (taken | {AttachmentOutcome.DUPLICATE}):
        return Bucket.SUBMISSION
    if AttachmentOutcome.MATCHED in ends:
        return Bucket.RECEIPT
    return Bucket.SUBMISSION if who.registered or thread else Bucket.UNMATCHED


def _thread(message: Message, situation: Situation) -> CaseKey | None:
    """The case that the subject's token or the letter replied to names."""
    units = situation.roster.units
    found = situation.tokens.get(token_of(message))
    if found and found[0][1] in units:
        return found[0]
    for answered in message.in_reply_to:
        letter = situation.letters.get(answered)
        if letter and letter.unit in units and (letter.campaign, letter.unit, letter.form) in situation.cases:
            return (letter.campaign, letter.unit, letter.form)
    return None


def _unused(
    arrival: Arrival, outcome: AttachmentOutcome = AttachmentOutcome.IGNORED
) -> tuple[AttachmentFate, ...]:
    """The fates of the attachments of a message that nobody needs to read."""
    return tuple(
        AttachmentFate(part.index, part.name, arrival.attachment_shas.get(part.index, ""), outcome)
        for part in arrival.message.attachments
    )


def _close(arrival: Arrival, outcome: Outcome, bucket: Bucket, fates: tuple[AttachmentFate, ...]) -> Outcome:
    """Put the event of the message itself in front: its bucket, its attachments' outcomes and how it was seen."""
    message, sighting = arrival.message, arrival.sighting
    unit = next((fate.unit for fate in fates if fate.unit), "")
    campaign = next((fate.campaign for fate in fates if fate.campaign), "")
    data = {
        "sha": arrival.sha,
        "digest": arrival.digest,
        "bucket": bucket.value,
        "received_at": arrival.received_at.isoformat(),
        "campaign": campaign,
        "unit": unit,
        "attachments": [
            {
                "index": fate.index,
                "sha": fate.sha,
                "outcome": fate.outcome.value,
                "unit": fate.unit,
                "form": fate.form,
                "campaign": fate.campaign,
                "findings": [
                    {"code": f.code, "severity": _SEVERITY[f.severity], "cell": f.cell, "message": f.message}
                    for f in fate.findings
                ],
                "reason": fate.reason,
            }
            for fate in fates
        ],
        "sighting": sighting.as_data() if sighting else None,
        **({"released": True} if arrival.released else {}),
    }
    personal = {
        "sender": message.sender,
        "subject": message.subject,
        "message_id": message.message_id,
        "names": [fate.name for fate in fates],
    }
    stream, at = f"message:{arrival.sha}", arrival.received_at
    taken = Event(stream, arrival.number, "message.taken", at, SYSTEM, arrival.sha, data, personal)
    return replace(outcome, events=(taken, *outcome.events), bucket=bucket, fates=fates)
