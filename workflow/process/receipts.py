"""附件2, the 负责人回执表: it comes as a stamped scan and as an electronic copy, each tracked against its date.

The notice asks 省辖市, 省直管县, 高校 and 省属中职 for it. Reading and comparing the two is staff's for now: both parts are laid
side by side in `receipts/`, and `receipt accept` records the decision.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from workflow.domain.events import Event
from workflow.domain.roster import UnitKind
from workflow.domain.submission import AttachmentOutcome
from workflow.process.situation import SYSTEM, AttachmentFate, Outcome, Situation

#: Section 五（四） of the notice; counties' people come through their city, a school's through its workbook.
ASKED = frozenset(
    {
        UnitKind.CITY,
        UnitKind.DIRECT_COUNTY,
        UnitKind.UNIVERSITY,
        UnitKind.MINISTRY_UNIVERSITY,
        UnitKind.PROVINCIAL_VOCATIONAL,
    }
)


def owes(situation: Situation, unit: str) -> bool:
    """Whether the campaign asks this unit for a receipt."""
    campaign = situation.campaign
    known = situation.roster.units.get(unit)
    return (
        campaign is not None
        and campaign.receipt_due is not None
        and known is not None
        and known.kind in ASKED
    )


def receipt_stream(campaign: str, unit: str) -> str:
    """The name of a receipt's events in the ledger."""
    return f"receipt:{campaign}/{unit}"


def decide(
    message: str, received_at: dt.datetime, fate: AttachmentFate, unit: str, part: str, situation: Situation
) -> Outcome:
    """Note that one part (`scan` or `electronic`) of a unit's receipt has arrived; a newer one stands beside an older."""
    campaign = situation.campaign
    if campaign is None or not owes(situation, unit):
        reason = "本次任务不要求该单位报送回执表"
        return Outcome(fates=(replace(fate, outcome=AttachmentOutcome.UNSUPPORTED, reason=reason),))
    stream = receipt_stream(campaign.id, unit)
    number = situation.receipts.get(stream, 0) + 1
    data = {"part": part, "sha": fate.sha, "message": message, "index": fate.index}
    event = Event(stream, number, "receipt.arrived", received_at, SYSTEM, message, data, {"name": fate.name})
    matched = replace(fate, outcome=AttachmentOutcome.MATCHED, unit=unit, campaign=campaign.id)
    return Outcome(events=(event,), fates=(matched,))
