"""A message that speaks of the roster, and the answer to whoever wrote it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from workflow.domain.errors import Refused
from workflow.domain.letters import LetterKind, LetterOrder
from workflow.domain.matching import Sender
from workflow.domain.message import Message
from workflow.domain.roster import Contact, Recipient, Role
from workflow.process.moves import Deed
from workflow.process.situation import CaseKey, Situation

#: Of what somebody wrote, as it is kept with a request or a report.
MOST_WORDS = 500


@dataclass(frozen=True, slots=True)
class Said:
    """A message as far as it speaks of the roster: its words, who wrote them, and the case whose letter it answers."""

    sha: str
    message: Message
    words: str
    at: dt.datetime
    who: Sender
    thread: CaseKey | None

    @property
    def day(self) -> dt.date:
        return self.at.date()

    def deed(self, by: str, note: str = "") -> Deed:
        return Deed(by, self.at, " ".join((note or self.words).split())[:MOST_WORDS], self.sha)


def people_of(who: Sender, units: Iterable[str], roles: Iterable[Role]) -> list[Contact]:
    """Who of these units, in one of these roles, has the sender's address."""
    codes, wanted = set(units), set(roles)
    return [contact for contact in who.contacts if contact.unit in codes and contact.role in wanted]


def reasons_of(refused: Refused) -> list[str]:
    """Why something was refused, as a letter says it."""
    return [f"{fault.what}，{fault.remedy}" if fault.remedy else fault.what for fault in refused.faults]


def answer(
    kind: LetterKind, said: Said, code: str, context: dict[str, Any], situation: Situation, more: str = ""
) -> tuple[LetterOrder, ...]:
    """The answer to who wrote, at the registered address, once a day for each unit and content."""
    campaign = situation.campaign
    person = next((c for c in said.who.contacts if c.unit in situation.roster.units), None)
    if campaign is None or person is None:
        return ()
    about = code if code in situation.roster.units else person.unit
    to = Recipient(said.who.address, person.name, person.unit, person.role)
    said_so = "\n".join(
        str(value) for _, value in sorted(context.items()) if not isinstance(value, dt.datetime)
    )
    key = f"{kind}\n{campaign.id}\n{about}\n{to.email.lower()}\n{said.day}\n{more}\n{said_so}"
    return (
        LetterOrder(
            kind,
            campaign.id,
            about,
            "",
            to,
            said.at,
            said.sha,
            context,
            reply_to=said.message.message_id,
            key=key,
        ),
    )
