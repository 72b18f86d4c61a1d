"""The answer to a reviewer's decisions 审核结果: what was done and what was not, to the registered 审核员 alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from workflow.domain.letters import LetterKind, LetterOrder
from workflow.domain.lifecycle import CaseState
from workflow.domain.message import Message
from workflow.domain.roster import Recipient, Role, Unit
from workflow.process.packages import Review
from workflow.process.situation import Situation


def once_a_day(
    letters: tuple[LetterOrder, ...], level: Unit, message: Message, reason: str, situation: Situation
) -> tuple[LetterOrder, ...]:
    """The answer to what did not come from the level's 审核员: once a day for each reason and sender of the level's own, and
    once for all others together, since anybody can make up addresses.
    """
    found = []
    for order in letters:
        day = order.at.date()
        own = any(c.unit == level.code for c in situation.roster.known_address(message.sender, day))
        who = message.sender.lower() if own else ""
        key = f"refused\n{order.campaign}\n{level.code}\n{order.to.email.lower()}\n{day}\n{who}\n{reason}"
        found.append(replace(order, key=key))
    return tuple(found)


def result_letter(
    review: Review,
    situation: Situation,
    applied: list[dict[str, Any]],
    refused: list[dict[str, Any]],
    *,
    reported: bool,
    message: Message,
    part: int | str = 0,
) -> tuple[LetterOrder, ...]:
    """The answer to a reviewer's workbook: to the registered 审核员, never to a stranger who sent it. `part` tells the
    answers to several workbooks of one message apart.
    """
    campaign = situation.campaign
    to: Recipient | None = situation.roster.recipient(review.level.code, Role.REVIEWER, review.at.date())
    if to is None or campaign is None:
        return ()
    remaining = 0
    for unit in situation.roster.members(review.level.code):
        case = situation.case_of(unit.code)
        remaining += case is not None and case.state is CaseState.SUBMITTED
    package = situation.packages.get((campaign.id, review.level.code))
    gone_up = reported or (package is not None and package.locked)
    context = {"applied": applied, "refused": refused, "reported": gone_up, "remaining": remaining}
    own = situation.case_of(review.level.code)
    return (
        LetterOrder(
            LetterKind.REVIEW_RESULT, campaign.id, review.level.code, own.form if own else "", to, review.at,
            f"{review.cause}#{part}" if part else review.cause, context, reply_to=message.message_id,
        ),
    )  # fmt: skip
