"""Answers that answer answers: whoever writes back to each of our letters by machine and does not say so is answered a
number of times on a day about one unit, then no more, and staff are told (RFC 3834, section 2, on loops).

What came is taken in all the same; only the answer to who sent it is left out.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from workflow.adapters.store import Store
from workflow.domain.campaign import SHANGHAI
from workflow.domain.events import Event
from workflow.domain.letters import ANSWERS, LetterOrder
from workflow.domain.privacy import mask_address
from workflow.process.arrival import Arrival
from workflow.process.situation import SYSTEM, Outcome, Situation

#: Whom, about which unit, on which day.
About = tuple[str, str, dt.date]


@dataclass(frozen=True, slots=True)
class Spoken:
    """A message's sha, who wrote it, and what was decided on it."""

    sha: str
    sender: str
    outcome: Outcome


def about(spoken: Spoken, order: LetterOrder) -> About | None:
    """What an order is counted under: None unless it answers the very address that wrote."""
    own = spoken.sender.lower() == order.to.email.lower()
    return (order.to.email.lower(), order.unit, order.at.date()) if own and order.kind in ANSWERS else None


def bounded(
    store: Store, arrivals: Sequence[Arrival], outcomes: Sequence[Outcome], situation: Situation
) -> list[Outcome]:
    """The outcomes of a batch's messages, with the answers that no day may have too many of counted in the store."""
    batch = [Spoken(a.sha, a.message.sender, o) for a, o in zip(arrivals, outcomes, strict=True)]
    keys = {key for spoken in batch for order in spoken.outcome.letters if (key := about(spoken, order))}
    most = situation.policy.answers_per_day
    if not keys or not most:
        return list(outcomes)
    since = dt.datetime.combine(min(day for _, _, day in keys), dt.time(), SHANGHAI)
    rows = store.answers_queued({unit for _, unit, _ in keys}, since)
    return within(batch, Counter((to.lower(), unit, at.date()) for to, unit, at in rows), most, situation)


def within(
    batch: Sequence[Spoken], already: Mapping[About, int], most: int, situation: Situation
) -> list[Outcome]:
    """The outcomes of a batch with no more than `most` answers to an address about a unit on a day, of which
    `already` so many were queued before. The last one of them puts the matter on staff's list.
    """
    counted, written = Counter(already), set[str]()
    kept = []
    for spoken in batch:
        letters, told = [], []
        for order in spoken.outcome.letters:
            key = about(spoken, order)
            if key is not None and order.id not in written:
                if counted[key] >= most:
                    continue
                counted[key] += 1
                written.add(order.id)
                if counted[key] == most:
                    told.append(_told(spoken, order, most, situation))
            letters.append(order)
        outcome = spoken.outcome
        kept.append(replace(outcome, letters=tuple(letters), events=(*outcome.events, *told)))
    return kept


def _told(spoken: Spoken, order: LetterOrder, most: int, situation: Situation) -> Event:
    known = situation.roster.units.get(order.unit)
    unit = f"{known.name}（{order.unit}）" if known else order.unit
    matter = (
        f"{unit}：当日已答复 {mask_address(spoken.sender)} {most} 次，疑为对方程序自动回信，当日不再答复；"
        "来件照常办理，请与该单位联系"
    )
    return Event(
        "staff", 0, "staff.query", order.at, SYSTEM, spoken.sha, {"unit": order.unit}, {"matter": matter}
    )
