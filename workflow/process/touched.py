"""What a batch of messages touches: the units, tokens and letters around which its situation is gathered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

from workflow.domain.matching import token_of
from workflow.domain.roster import Roster
from workflow.domain.submission import ReadOutcome
from workflow.process.arrival import Arrival
from workflow.process.bounces import returned_ids
from workflow.process.papers import units_on
from workflow.process.situation import Policy


@dataclass(frozen=True, slots=True)
class Touched:
    """Units by their senders, the tokens found, the Message-IDs that are answered or came back, and the units that scans and
    electronic copies of 附件2 name.
    """

    units: set[str] = field(default_factory=set)
    tokens: set[str] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)
    on_paper: set[str] = field(default_factory=set)


def touched_by(arrivals: Sequence[Arrival], roster: Roster, policy: Policy) -> Touched:
    """What the messages themselves say."""
    found = Touched()
    for arrival in arrivals:
        message, day = arrival.message, arrival.received_at.date()
        found.units.update(roster.units_of(message.sender, day, policy.grace_days))
        found.tokens.add(token_of(message))
        found.ids.update(islice(message.in_reply_to, 20))
        if message.bounce:
            found.ids.update(returned_ids(message.bounce, policy.own_address))
        if arrival.released:
            found.units.add(arrival.released.unit)
        for reading in arrival.readings.values():
            if reading.identity:
                found.tokens.add(reading.identity.token)
            if reading.outcome is ReadOutcome.REVIEW and reading.review:
                found.tokens.add(reading.review.token)
        found.on_paper.update(units_on(arrival))
    return found
