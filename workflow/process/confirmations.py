"""A held decision confirmed 确认 by its 审核员: read again from the kept mail and applied as of the reply, or denied."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from workflow.adapters.store.records import LetterRow
from workflow.domain.events import Event
from workflow.domain.matching import asks_withdrawal
from workflow.domain.message import Message
from workflow.domain.roster import Unit
from workflow.domain.submission import AttachmentFate, AttachmentOutcome, Bucket
from workflow.domain.trust import Act
from workflow.process.results import result_letter
from workflow.process.reviews import decide, review_of
from workflow.process.situation import SYSTEM, Held, Outcome, Situation
from workflow.process.trust import doubt
from workflow.process.withdrawals import request_withdrawal


def confirm(
    sha: str, message: Message, received_at: dt.datetime, letter: LetterRow, held: Held, situation: Situation,
    chosen: frozenset[int], *, own: bool,
) -> Outcome:  # fmt: skip
    """The reply to our question whether held decisions are the reviewer's `own`: the `chosen` pieces, counted from 1, are
    applied as of the reply, with every rule that then holds; or all are laid before staff. A letter is answered once.
    """
    campaign = situation.campaign
    if campaign is None or letter.campaign != campaign.id or letter.unit not in situation.roster.units:
        return Outcome(bucket=Bucket.UNMATCHED)
    level = situation.roster.units[letter.unit]
    pieces = [piece for number, piece in enumerate(held.pieces, start=1) if number in chosen]
    if reason := _refused(message, received_at, level, held, pieces, situation, own=own):
        review = review_of(sha, message, level, received_at, situation)
        refused = [{"unit_name": level.name, "row": 0, "reason": reason}]
        orders = result_letter(review, situation, [], refused, reported=False, message=message)
        # A reply can be replayed as often as anybody likes: each reason is told once.
        orders = tuple(replace(order, key=f"not confirmed\n{letter.id}\n{reason}") for order in orders)
        return Outcome(letters=orders, bucket=Bucket.REVIEW)
    what = "confirmed" if own else "denied"
    data = {"message": held.message, "messages": [piece.message for piece in pieces or held.pieces]}
    outcome = Outcome(
        (Event(f"review:{letter.id}", 2, f"review.{what}", received_at, SYSTEM, sha, data),),
        bucket=Bucket.REVIEW if own else Bucket.PROBLEM,
    )
    situation = situation.after(outcome)
    for number, piece in enumerate(pieces):
        done = _applied(f"{sha}#{number}" if number else sha, message, received_at, level, piece, situation)
        situation, outcome = situation.after(done), outcome + done
    return outcome


def _refused(
    message: Message, received_at: dt.datetime, level: Unit, held: Held, pieces: Sequence[Held],
    situation: Situation, *, own: bool,
) -> str:  # fmt: skip
    """The one reason why a reply confirms nothing, '' when it does."""
    if unsure := doubt(message, level, received_at, situation, Act.ASSENT):
        return f"确认未予采用：{unsure.reason}"
    if held.number > 1:
        return "该审核意见已经答复过，不重复办理"
    if not own:
        return ""
    if not pieces:
        return f"来函列有{len(held.pieces)}件审核意见，请写明确认哪几件，如“确认1”，或者写“全部确认”"
    if not all(piece.reviews or asks_withdrawal(piece.words) for piece in pieces):
        return "留存的原邮件已无法读取，请重新发送审核意见"
    return ""


def _applied(
    cause: str, message: Message, received_at: dt.datetime, level: Unit, piece: Held, situation: Situation
) -> Outcome:
    """One confirmed piece as if it came with the reply."""
    outcome, books = Outcome(), situation.books
    for number, reading in enumerate(piece.reviews):
        if reading.token in books and books[reading.token].unit != level.code:
            continue  # another level's: its own letter asks about it
        fate = AttachmentFate(0, "", "", AttachmentOutcome.REVIEW)
        own = f"{cause}/{number}" if number else cause  # each workbook has its own answer
        done = decide(own, message, received_at, fate, reading, situation)
        situation, outcome = situation.after(done), outcome + replace(done, fates=())
    if not piece.reviews:
        outcome += request_withdrawal(cause, message, piece.words, received_at, situation)
    return outcome
