"""撤报申请 (article 19): asked for by mail, and told to the 审核员 of the level above with the workbook in which it is decided."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace

from workflow.adapters.store.records import MadeBook
from workflow.domain.campaign import Campaign
from workflow.domain.events import Event
from workflow.domain.letters import KeptFile, LetterKind, LetterOrder
from workflow.domain.lifecycle import NotAllowed, Package, PackageAct, PackageState
from workflow.domain.matching import gives_reason
from workflow.domain.message import Message
from workflow.domain.roster import Recipient, Role, Roster, Unit
from workflow.domain.submission import Bucket
from workflow.domain.trust import Act
from workflow.process.packages import act
from workflow.process.questions import hold
from workflow.process.replaced import copied
from workflow.process.results import once_a_day, result_letter
from workflow.process.reviews import review_of
from workflow.process.situation import SYSTEM, Outcome, Situation
from workflow.process.trust import doubt, who_wrote


def requests(
    campaign: Campaign, roster: Roster, packages: Mapping[str, Package], steps: Collection[str],
    book: Callable[[Unit, dt.datetime], MadeBook], form_of: Callable[[Unit], str], now: dt.datetime,
) -> Iterator[tuple[Event, LetterOrder | Event]]:  # fmt: skip
    """For each request that has not been told: its step, and the letter to the level above; an item for staff where
    nobody there can decide: no 审核员, or the ministry itself.
    """
    for package in packages.values():
        key = f"withdrawal/{package.unit}/{package.events}"
        if package.state is not PackageState.WITHDRAWAL_REQUESTED or key in steps:
            continue
        unit = roster.units[package.unit]
        above = roster.units.get(unit.superior)
        stream = f"step:{campaign.id}/{key}"
        step = Event(stream, 1, "step.done", now, SYSTEM, "", {"detail": "撤报申请已转上一级"})
        people = roster.people(above.code, Role.REVIEWER, now.date()) if above else ()
        to = roster.recipient(above.code, Role.REVIEWER, now.date()) if above and people else None
        if above is None or to is None:
            who = f"{above.name}没有登记审核员或者其邮箱" if above else "须报教育部"
            matter = f"{unit.name}申请撤报（{package.note}），{who}，请办理后用 huizhi withdraw 登记"
            yield (
                step,
                Event("staff", 0, "staff.query", now, SYSTEM, key, {"unit": unit.code, "matter": matter}),
            )
            continue
        made = book(above, now)
        own = packages.get(above.code)
        context = {
            "from_name": unit.name, "reason": package.note or "（未写明）",
            "superior_locked": own is not None and own.locked,
        }  # fmt: skip
        enclosure = KeptFile(made.path.rpartition("/")[2], made.path)
        yield (
            step,
            LetterOrder(
                LetterKind.WITHDRAWAL_REQUEST, campaign.id, above.code, form_of(above), to, now, key, context,
                (enclosure,), made.token,
            ),
        )  # fmt: skip


def request_withdrawal(
    sha: str, message: Message, words: str, received_at: dt.datetime, situation: Situation
) -> Outcome:
    """撤报申请 by mail (article 19): noted on the package for the level above to decide, or refused with the reason. Whose, a
    reviewer of several levels says by the letter that is answered.
    """
    campaign = situation.campaign
    assert campaign is not None
    people = [
        contact for contact in who_wrote(message, received_at.date(), situation).contacts
        if (campaign.id, contact.unit) in situation.packages
    ]  # fmt: skip
    reviewers = [contact for contact in people if contact.role is Role.REVIEWER]
    levels = [contact.unit for contact in reviewers or people]
    if not levels:
        return _not_theirs(message, received_at, situation)
    answered = [situation.letters[known].unit for known in message.in_reply_to if known in situation.letters]
    named = [code for code in answered if code in levels]
    level = situation.roster.units[(named or levels)[0]]
    review = review_of(sha, message, level, received_at, situation)
    unsure = doubt(message, level, received_at, situation, Act.WITHDRAWAL)
    if unsure and unsure.held:
        return hold(sha, message, level, received_at, situation) + Outcome(bucket=Bucket.WITHDRAWAL)
    reason = unsure.reason if unsure else ""
    if not reason and not named and len(set(levels)) > 1:
        names = "、".join(situation.roster.units[code].name for code in dict.fromkeys(levels))
        reason = f"你登记为{names}的审核员，请直接回复该单位的上报告知邮件提出，以明确撤回哪一级的数据"
    outcome = Outcome()
    if not reason:
        try:
            data = {"by": review.by, "note": words.strip()[:500]}
            package = situation.packages[campaign.id, level.code]
            asked = act(package, PackageAct.REQUEST_WITHDRAWAL, review, data)
            if not gives_reason(words):
                raise NotAllowed("撤报申请没有写明理由，请在邮件正文写明须修改的单位和内容后重新提出")
            outcome = asked
        except NotAllowed as refusal:
            reason = str(refusal)
    papers = any(not part.inline for part in message.attachments)
    note = "随附文件不转送上级，理由以邮件正文为准" if papers else ""
    done = {"unit_name": level.name, "decision": "撤报申请已登记，待上级审核", "note": note}
    applied = [] if reason else [done]
    refused = [{"unit_name": level.name, "row": 0, "reason": reason}] if reason else []
    letter = result_letter(review, situation, applied, refused, reported=True, message=message, part="撤报")
    if unsure:
        letter = copied(letter, who_wrote(message, received_at.date(), situation))
        letter = once_a_day(letter, level, message, reason, situation)
    return outcome + Outcome(letters=letter, bucket=Bucket.WITHDRAWAL)


def asked_beside(
    sha: str, message: Message, words: str, received_at: dt.datetime, situation: Situation
) -> Outcome:
    """A 撤报申请 written above files that have an end of their own (the level's workbook, a late return), where it has an
    effect; what the files came to stays as it is.
    """
    done = request_withdrawal(sha, message, words, received_at, situation)
    return replace(done, bucket=None) if done.events else Outcome()


def _not_theirs(message: Message, received_at: dt.datetime, situation: Situation) -> Outcome:
    """The answer to a unit that reports no package itself, once a day: whose 审核员 may ask, and how its own data are
    corrected (article 16).
    """
    roster, campaign = situation.roster, situation.campaign
    person = next(iter(roster.known_address(message.sender, received_at.date())), None)
    if person is None or campaign is None or person.unit not in roster.units:
        return Outcome(bucket=Bucket.UNMATCHED)
    to = Recipient(message.sender, person.name, person.unit, person.role)
    case = situation.case_of(person.unit)
    package = situation.package_above(person.unit)
    context = {
        "doubt": "", "asked_back": roster.package_of(person.unit).name,
        "reported": package is not None and package.locked,
    }  # fmt: skip
    daily = f"{LetterKind.EMPTY_REPLY}/withdrawal/{received_at.date()}"
    order = LetterOrder(
        LetterKind.EMPTY_REPLY, campaign.id, person.unit, case.form if case else "", to, received_at, daily, context,
        token=case.token if case else "", reply_to=message.message_id,
    )  # fmt: skip
    return Outcome(letters=(order,), bucket=Bucket.WITHDRAWAL)
