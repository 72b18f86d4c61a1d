"""Our questions 请予确认 to a 审核员 whether held decisions are the person's own: one letter to an address on a day.

The first decision held on a day is asked about at once; what is held after it waits, and is asked about together on the next
day, each piece by its number. So nobody can have us write to somebody as often as they like. A step of the calendar notes
each (`asked/UNIT/DAY`, `waiting/LEVEL/MESSAGE`, `question/LEVEL/MESSAGE`), which makes each happen once.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from workflow.domain.campaign import SHANGHAI, Campaign, midnight
from workflow.domain.events import Event
from workflow.domain.letters import LetterKind, LetterOrder
from workflow.domain.message import Message
from workflow.domain.privacy import mask_address
from workflow.domain.roster import Recipient, Role, Roster, Unit
from workflow.domain.workdays import OFFICE_OPENS
from workflow.process.situation import SYSTEM, Outcome, Situation

#: How many pieces one letter lists; the rest waits for the next day's.
MOST = 20


@dataclass(frozen=True, slots=True)
class Piece:
    """A held message: its sha, when it came and the address that it bears."""

    sha: str
    received_at: dt.datetime
    sender: str


def hold(sha: str, message: Message, level: Unit, at: dt.datetime, situation: Situation) -> Outcome:
    """Keep a decision until it is confirmed, and ask the registered 审核员, at the person's own address; where that was
    asked on this day already, the decision waits for the next day's letter.
    """
    campaign, roster = situation.campaign, situation.roster
    assert campaign is not None
    waits = f"waiting/{level.code}/{sha}"
    to = _own_address(roster, message.sender, level, at.date())
    if to is None:  # the calendar lays it before staff, and asks once there is an address
        return Outcome() if waits in situation.steps else Outcome((_step(campaign, waits, at),))
    own = situation.case_of(level.code)
    piece = Piece(sha, at, message.sender)
    order = _question(campaign, roster, level, [piece], to, own.form if own else "", at)
    if order.id in situation.held or waits in situation.steps:
        return Outcome()  # another workbook in the same message: it is asked about as one piece
    asked = asked_key(roster, to, at)
    if asked in situation.steps:
        return Outcome((_step(campaign, waits, at),))
    held = _held(order, campaign, level, [piece], at)
    return Outcome((held, _step(campaign, asked, at)), (order,))


def waiting(steps: Collection[str]) -> dict[str, list[str]]:
    """The messages that wait for a question, by level."""
    found: dict[str, list[str]] = {}
    for key in steps:
        if key.startswith("waiting/"):
            _, level, sha = key.split("/")
            if f"question/{level}/{sha}" not in steps:
                found.setdefault(level, []).append(sha)
    return found


def gathered(
    pieces: Mapping[str, Iterable[Piece]], now: dt.datetime, campaign: Campaign, roster: Roster,
    steps: Collection[str], form_of: Callable[[Unit], str],
) -> Iterator[tuple[LetterOrder, list[Event]]]:  # fmt: skip
    """One letter to each level's 审核员 about what waits, where the address has not been asked today, and its events."""
    if now < midnight(now.astimezone(SHANGHAI).date()) + OFFICE_OPENS:
        return
    taken = set(steps)
    for code, held in pieces.items():
        level = roster.units.get(code)
        listed = sorted(held, key=lambda piece: (piece.received_at, piece.sha))[:MOST]
        to = _own_address(roster, "", level, now.date()) if level else None
        if level is None or to is None or not listed:
            continue
        asked = asked_key(roster, to, now)
        if asked in taken:
            continue
        taken.add(asked)
        order = _question(campaign, roster, level, listed, to, form_of(level), now)
        steps_done = [_step(campaign, f"question/{code}/{piece.sha}", now) for piece in listed]
        yield order, [_held(order, campaign, level, listed, now), _step(campaign, asked, now), *steps_done]


def unasked(
    pieces: Mapping[str, Iterable[Piece]], now: dt.datetime, campaign: Campaign, roster: Roster, steps: Collection[str]
) -> Iterator[list[Event]]:  # fmt: skip
    """An item for staff, once a day for each level whose 审核员 has no usable address and for whom something new waits."""
    day = now.astimezone(SHANGHAI).date()
    for code, held in pieces.items():
        level = roster.units.get(code)
        fresh = [piece for piece in held if f"call/{code}/{piece.sha}" not in steps]
        today = f"call/{code}/{day}"
        if level is None or not fresh or today in steps or _own_address(roster, "", level, day):
            continue
        people = roster.people(code, Role.REVIEWER, day)
        whom = "、".join(f"{one.name}（{one.mobile or one.phone or '无电话'}）" for one in people)
        matter = (
            f"{level.name}审核员{whom}没有可用的邮箱，{len(fresh)}件以其名义发来的审核意见无法去函确认，未作办理："
            "请电话核实；确系本人的，更正名册邮箱后系统即去函确认，或者用 huizhi review apply 登记"
        )
        data = {"unit": code, "call": Role.REVIEWER.value}
        told = Event("staff", 0, "staff.query", now, SYSTEM, today, data, {"matter": matter})
        noted = [_step(campaign, f"call/{code}/{piece.sha}", now) for piece in fresh]
        yield [told, _step(campaign, today, now), *noted]


def asked_key(roster: Roster, to: Recipient, at: dt.datetime) -> str:
    """The step that is done once an address has been asked on a day; it names the first unit that the address serves."""
    day = at.astimezone(SHANGHAI).date()
    unit = min((contact.unit for contact in roster.known_address(to.email, day)), default=to.unit)
    return f"asked/{unit}/{day}"


def _question(
    campaign: Campaign, roster: Roster, level: Unit, pieces: Sequence[Piece], to: Recipient, form: str,
    at: dt.datetime,
) -> LetterOrder:  # fmt: skip
    """The letter. What makes its id, and so its Message-ID, is known to nobody but us: the hashes of the kept messages."""
    items = [
        {
            "from_address": mask_address(piece.sender), "received_at": piece.received_at,
            "registered": roster.is_reviewer(piece.sender, level.code, at.date()),
        }
        for piece in pieces
    ]  # fmt: skip
    first = pieces[0].sha
    several = hashlib.sha256("\n".join(piece.sha for piece in pieces).encode()).hexdigest()
    cause = first if len(pieces) == 1 else several
    context = {"level_name": level.name, "items": items}
    return LetterOrder(LetterKind.DECISION_CONFIRM, campaign.id, level.code, form, to, at, cause, context)


def _held(
    order: LetterOrder, campaign: Campaign, level: Unit, pieces: Sequence[Piece], at: dt.datetime
) -> Event:
    data = {
        "message": pieces[0].sha, "messages": [piece.sha for piece in pieces], "campaign": campaign.id,
        "unit": level.code,
    }  # fmt: skip
    return Event(f"review:{order.id}", 1, "review.held", at, SYSTEM, pieces[0].sha, data)


def _step(campaign: Campaign, key: str, at: dt.datetime) -> Event:
    return Event(f"step:{campaign.id}/{key}", 1, "step.done", at, SYSTEM, "", {"detail": ""})


def _own_address(roster: Roster, sender: str, level: Unit, day: dt.date) -> Recipient | None:
    """The 审核员's own address, the sender's before a colleague's; a decision is never confirmed through anybody else."""
    people = [
        person
        for person in roster.people(level.code, Role.REVIEWER, day)
        if person.email and person.email.lower() not in roster.bad
    ]
    people.sort(key=lambda person: person.email.lower() != sender.lower())
    return Recipient(people[0].email, people[0].name, level.code, Role.REVIEWER) if people else None
