"""Whose decisions count 谁的审核算数: the roles of article 8, a workbook's expiring token, and who vouches for the sender.

A decision by mail counts from the registered 审核员's own address, with the token of a workbook that is still in force and,
where `trusted_authserv` is set, with the receiving server's word for the sender. Short of one of these it is held, and the
registered address is asked (`process.questions`); it counts when that address confirms. See docs/decisions/0009-whose-decisions-count.md.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from workflow.adapters.store.records import MadeBook
from workflow.domain.authentication import Assurance, assurance
from workflow.domain.form import FILLER
from workflow.domain.lifecycle import Case
from workflow.domain.matching import Sender, sender, token_of, trust_in
from workflow.domain.message import Message
from workflow.domain.roster import Role, Unit
from workflow.domain.submission import Submission
from workflow.domain.trust import Act, Effect, Trust, may
from workflow.process.packages import Review
from workflow.process.replaced import no_longer
from workflow.process.situation import Situation


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a decision does not count as it came: refused with `reason`, or `held` until the registered address confirms."""

    reason: str
    held: bool = False


def expired(book: MadeBook, level: Unit, at: dt.datetime, situation: Situation) -> str:
    """Why a workbook's token is no longer in force, '' while it is: until its level reports, and not past the moment at
    which the level's data go up. One made after the report, in which a 撤报申请 is decided, is in force until the next.
    """
    package = situation.packages.get((book.campaign, book.unit))
    if package is not None and package.reported_at is not None and book.made_at < package.reported_at:
        return "该汇总表的识别码已失效：发出后本级已经上报，如需修改请提出撤报申请，退回后在新的汇总表中审核"
    if not (package is not None and package.locked) and at >= situation.closes(level.code):
        return "该汇总表的识别码已失效：已过本级上报截止时间，数据按截止时的情况上报"
    return ""


_UNVOUCHED = "来信未通过邮件服务器的发件人验证，请由登记的邮箱重新回复"
UNPROVEN = {
    Trust.FORGED: _UNVOUCHED,
    Trust.UNKNOWN: "发件人不明，请由登记的邮箱回复",
    Trust.NAMED: "来信没有编号，也不是对我方信件的回复，请直接回复我方信件",
    Trust.REPLACED: "来信地址已由新登记的邮箱代替，请由现在登记的邮箱回复",
    Trust.DOUBTED: _UNVOUCHED,
}


def who_wrote(message: Message, day: dt.date, situation: Situation) -> Sender:
    """The sender of a message as the roster and the receiving server see it."""
    said = assurance(
        message.auth_results, situation.policy.trusted_authserv, message.sender, message.signed_by
    )
    if said is Assurance.REFUTED:  # whoever it was: the address is nobody's that we know, and is not answered
        return Sender(message.sender, (), said)
    return sender(situation.roster, message.sender, day, said, situation.policy.grace_days)


def tied(message: Message, unit: str, situation: Situation) -> bool:
    """Whether the subject's token or a letter of ours that is answered belongs to a unit."""
    token = token_of(message)
    found, book = situation.tokens.get(token), situation.books.get(token)
    if (found and found[0][1] == unit) or (book and book.unit == unit):
        return True
    answered = (situation.letters.get(known) for known in message.in_reply_to)
    return any(letter is not None and letter.unit == unit for letter in answered)


def doubt(
    message: Message, level: Unit, at: dt.datetime, situation: Situation, act: Act = Act.DECISION
) -> Doubt | None:
    """What stands against a sender's decisions for a level; None when they count as they are. A decision comes in a
    workbook with the level's token, which ties it.
    """
    roster, day = situation.roster, at.date()
    if not roster.is_reviewer(message.sender, level.code, day):
        if not roster.people(level.code, Role.REVIEWER, day):
            return Doubt(f"{level.name}没有登记审核员，不能审核上报，请先在名册中登记审核员")
        who = who_wrote(message, day, situation)
        if who.replaced and level.code in who.units:
            return Doubt(no_longer(who, level, roster, day))
        known = roster.known_address(message.sender, day)
        roles = {contact.role for contact in known if contact.unit == level.code}
        if roles:
            word = "和".join(sorted(role.value for role in roles))
            return Doubt(f"来信地址不是名册登记的审核员邮箱，{word}不作审核决定，请由审核员回复")
        return Doubt("来信地址不是名册登记的审核员邮箱，请由登记的邮箱回复", held=not known)
    trust = trust_in(
        roster, who_wrote(message, day, situation), level.code,
        tied=act is Act.DECISION or tied(message, level.code, situation),
    )  # fmt: skip
    match may(trust, act):
        case Effect.COUNTS:
            return None
        case Effect.HELD:
            return Doubt(UNPROVEN[trust], held=True)
        case _:
            return Doubt(UNPROVEN[trust])


def filled_it_in(review: Review, case: Case, version: Submission, situation: Situation) -> bool:
    """Whether who reviews has also filled in: the version came from the reviewer's own address, or the department's own
    form names the reviewer as 填表人.
    """
    if situation.senders.get(version.message, "").lower() in review.addresses:
        return True
    filler = str(situation.answers.get(version.id, {}).get(FILLER) or "").strip()
    return case.unit == review.level.code and bool(filler) and filler == review.person


def may_approve(review: Review, case: Case, version: Submission, situation: Situation) -> str:
    """Why a reviewer may not approve a version (article 8: who filled in does not approve), '' when nothing is against
    it. A level that is registered with one person for its roles approves all the same, and its rows say so.
    """
    if not filled_it_in(review, case, version, situation):
        return ""
    if review.person in situation.roster.both_roles(review.level.code, review.at.date()):
        return ""
    return "该数据由审核员本人填报，填报人不能审核自己填报的数据，请由其他审核员审核"
