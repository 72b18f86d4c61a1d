"""Our questions 来件邮箱 whether a workbook from an address that the roster does not know is its unit's: one letter to an
address on a day.

The first unit in whose name one comes is asked about at once. Of the other units that the same address serves each waits for
the next morning's letter, which names them all. Steps of the calendar note it (`sender-asked/FIRST UNIT/DAY`,
`sender-named/UNIT/DAY`, `sender-waits/UNIT/DAY/MESSAGE/HOW`, `sender-told/UNIT/DAY`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, replace

from workflow.domain.campaign import SHANGHAI, Campaign, midnight
from workflow.domain.events import Event
from workflow.domain.letters import LetterKind, LetterOrder
from workflow.domain.privacy import mask_address
from workflow.domain.roster import Recipient, Role, Roster
from workflow.domain.workdays import OFFICE_OPENS
from workflow.process.questions import Piece
from workflow.process.situation import SYSTEM, Outcome, Situation
from workflow.process.strangers import once_a_day

#: How many units one letter names; the rest waits for the next day's.
MOST = 20
_WAITS, _HELD, _TAKEN, _FORGED = "sender-waits/", "held", "taken", "forged"


@dataclass(frozen=True, slots=True)
class Wait:
    """A unit that waits for a question: since which day, the message in its name, whether its workbook was not taken, and whether
    because the server says that the mail is not from the address that it bears.
    """

    unit: str
    day: dt.date
    sha: str
    held: bool
    forged: bool = False


def asking(part: Outcome, sha: str, situation: Situation) -> Outcome:
    """What a message came to, its questions kept to one an address and day; a further unit's waits."""
    campaign, roster = situation.campaign, situation.roster
    asks = [order for order in part.letters if order.kind is LetterKind.UNKNOWN_SENDER]
    if campaign is None or not asks or asks[0].campaign != campaign.id:
        return part
    (order,) = asks
    day = order.at.astimezone(SHANGHAI).date()
    named, first = f"sender-named/{order.unit}/{day}", _asked(roster, order.to, day)
    served = {order.unit, *(contact.unit for contact in roster.known_address(order.to.email, day))}
    keys: tuple[str, ...] = ()
    asked = first in situation.steps or any(one.unit in served for one in waiting(situation.steps))
    if asked and named not in situation.steps:
        how = _FORGED if order.context["forged"] else _HELD if order.context["held"] else _TAKEN
        keys = (f"{_WAITS}{order.unit}/{day}/{sha}/{how}", named)
    elif not asked:
        keys = (first, named)
    letters = tuple(one for one in part.letters if one is not order or not asked)
    noted = [_step(campaign, key, order.at) for key in keys if key not in situation.steps]
    if not asked:
        held = bool(order.context["held"])
        noted.append(_question(order, [_File(sha, order.unit, order.form, order.at, held)]))
    return replace(part, letters=letters, events=(*part.events, *noted))


def waiting(steps: Collection[str]) -> list[Wait]:
    """The units that wait for a question, by age."""
    found = []
    for key in steps:
        if key.startswith(_WAITS):
            _, unit, day, sha, how = key.split("/")
            if f"sender-told/{unit}/{day}" not in steps:
                found.append(Wait(unit, dt.date.fromisoformat(day), sha, how != _TAKEN, how == _FORGED))
    return sorted(found, key=lambda one: (one.day, one.unit))


def gathered(
    waits: Sequence[Wait], piece: Callable[[str], Piece | None], now: dt.datetime, campaign: Campaign, roster: Roster,
    steps: Collection[str], form_of: Callable[[str], str],
) -> Iterator[tuple[LetterOrder, list[Event]]]:  # fmt: skip
    """One letter to each address about the units that have waited since a day before, and its steps."""
    today = now.astimezone(SHANGHAI).date()
    if now < midnight(today) + OFFICE_OPENS:
        return
    by_address: dict[str, tuple[Recipient, list[Wait]]] = {}
    for wait in waits:
        to = roster.recipient(wait.unit, Role.ADMINISTRATOR, today) if wait.unit in roster.units else None
        if to is not None and wait.day < today:
            by_address.setdefault(to.email.lower(), (to, []))[1].append(wait)
    for to, held in by_address.values():
        asked = _asked(roster, to, today)
        listed = [(wait, kept) for wait in held[:MOST] if (kept := piece(wait.sha)) is not None]
        if asked in steps or not listed:
            continue
        items = [
            {
                "unit_name": roster.units[wait.unit].name, "from_address": mask_address(kept.sender),
                "received_at": kept.received_at, "held": wait.held,
                "forged": wait.forged,
            }
            for wait, kept in listed
        ]  # fmt: skip
        unit = listed[0][0].unit
        one = {
            "from_address": items[0]["from_address"],
            "held": items[0]["held"],
            "forged": items[0]["forged"],
        }
        context = {**one, "items": items if len(items) > 1 else []}
        order = LetterOrder(
            LetterKind.UNKNOWN_SENDER, campaign.id, unit, form_of(unit), to, now, asked, context
        )
        keys = [asked, *(f"sender-told/{wait.unit}/{wait.day}" for wait, _ in listed)]
        keys += [f"sender-named/{wait.unit}/{today}" for wait, _ in listed]
        order = once_a_day(order)
        files = [
            _File(wait.sha, wait.unit, form_of(wait.unit), kept.received_at, wait.held)
            for wait, kept in listed
        ]
        noted = [_step(campaign, key, now) for key in dict.fromkeys(keys) if key not in steps]
        yield order, [*noted, _question(order, files)]


def _asked(roster: Roster, to: Recipient, day: dt.date) -> str:
    """The step that is done once an address has been asked on a day; it names the first unit that the address serves."""
    unit = min((contact.unit for contact in roster.known_address(to.email, day)), default=to.unit)
    return f"sender-asked/{unit}/{day}"


@dataclass(frozen=True, slots=True)
class _File:
    """A workbook that a letter asks about."""

    message: str
    unit: str
    form: str
    received_at: dt.datetime
    held: bool


def _question(order: LetterOrder, files: Sequence[_File]) -> Event:
    """What a letter asks about, so that its answer settles that and nothing else. The letter's id names the stream, so that
    no table is needed.
    """
    listed = [{**asdict(one), "received_at": one.received_at.isoformat()} for one in files]
    return Event(
        f"sender:{order.id}", 1, "sender.asked", order.at, SYSTEM, files[0].message, {"files": listed}
    )


def _step(campaign: Campaign, key: str, at: dt.datetime) -> Event:
    return Event(f"step:{campaign.id}/{key}", 1, "step.done", at, SYSTEM, "", {"detail": ""})
