"""A held decision confirmed 确认 by its 审核员: read again from the kept mail and applied as of the reply, or denied."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from workflow.adapters.store.records import LetterRow
from workflow.domain.events import Event
from workflow.domain.matching import asks_withdrawal
from workflow.domain.message import Message
from workflow.domain.submission import AttachmentOutcome, Bucket
from workflow.process.reviews import decide, request_withdrawal, result_letter, review_of
from workflow.process.situation import SYSTEM, AttachmentFate, Held, Outcome, Situation
from workflow.process.trust import doubt


def confirm(
    sha: str, message: Message, received_at: dt.datetime, letter: LetterRow, held: Held, situation: Situation, *, own: bool
) -> Outcome:  # fmt: skip
    """The reply to our question whether a held decision is the reviewer's `own`: it is applied as of the reply, with every
    rule that then holds, or laid before staff.
    """
    campaign = situation.campaign
    if campaign is None or letter.campaign != campaign.id or letter.unit not in situation.roster.units:
        return Outcome(bucket=Bucket.UNMATCHED)
    level = situation.roster.units[letter.unit]
    reason = ""
    if unsure := doubt(message, level, received_at, situation):
        reason = f"确认未予采用：{unsure.reason}"
    elif held.number > 1:
        reason = "该审核意见已经答复过，不重复办理"
    elif own and not (held.reviews or asks_withdrawal(held.words)):
        reason = "留存的原邮件已无法读取，请重新发送审核意见"
    if reason:
        review = review_of(sha, message, level, received_at, situation)
        refused = [{"unit_name": level.name, "row": 0, "reason": reason}]
        return Outcome(
            letters=result_letter(review, situation, [], refused, reported=False, message=message),
            bucket=Bucket.REVIEW,
        )
    what, data = "confirmed" if own else "denied", {"message": held.message}
    outcome = Outcome(
        (Event(f"review:{letter.id}", 2, f"review.{what}", received_at, SYSTEM, sha, data),),
        bucket=Bucket.REVIEW if own else Bucket.PROBLEM,
    )
    if not own:
        return outcome
    situation = situation.after(outcome)
    books = situation.books
    for reading in held.reviews:
        if reading.token in books and books[reading.token].unit != level.code:
            continue  # another level's: its own letter asks about it
        fate = AttachmentFate(-1, "", "", AttachmentOutcome.REVIEW)
        done = decide(sha, message, received_at, fate, reading, situation)
        situation, outcome = situation.after(done), outcome + replace(done, fates=())
    if not held.reviews:
        outcome += request_withdrawal(sha, message, held.words, received_at, situation)
    return outcome
