"""Whoever writes from an address that another took the place of 原登记地址: told so, in a line, and that it decides nothing now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

from workflow.domain.letters import LetterOrder
from workflow.domain.matching import Sender
from workflow.domain.privacy import mask_address
from workflow.domain.roster import Contact, Recipient, Role, Roster, Unit


def no_longer(who: Sender, level: Unit, roster: Roster, day: dt.date) -> str:
    """Why the decisions of somebody who was registered for a level do not count any more."""
    return f"来信地址{_since(who, level.code)}不再是{level.name}登记的地址{_now(roster.people(level.code, Role.REVIEWER, day))}，审核上报由现任审核员办理"


def moved(who: Sender, unit: str, roster: Roster, day: dt.date) -> str:
    """The line for whoever brings a unit's data from its former address; '' for everybody else."""
    own = [contact for contact in who.contacts if contact.unit == unit] or list(who.contacts)
    if not who.replaced or not own:
        return ""
    now = roster.people(own[0].unit, own[0].role, day)
    return f"来信地址{_since(who, own[0].unit)}不再是登记的地址{_now(now)}，请以后由登记的邮箱报送。"


def copied(letters: Sequence[LetterOrder], who: Sender) -> tuple[LetterOrder, ...]:
    """The letters, and each again to the former address whose decision they answer."""
    if not who.replaced:
        return tuple(letters)
    former = who.contacts[0]
    to = Recipient(who.address, former.name, former.unit, former.role)
    return tuple(one for order in letters for one in (order, replace(order, to=to)))


def _since(who: Sender, unit: str) -> str:
    days = [contact.until for contact in who.contacts if contact.until and contact.unit == unit]
    day = max(days, default=None)
    return f"自{day.year}年{day.month}月{day.day}日起" if day else ""


def _now(people: Sequence[Contact]) -> str:
    known = [f"{one.role}邮箱为{mask_address(one.email)}" for one in people if one.email]
    return f"（现登记的{'、'.join(known)}）" if known else ""
