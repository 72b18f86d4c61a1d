"""Workbooks from addresses that the roster does not know: a token routes them here and proves nothing.

The first data of a unit may come so, marked for the reviewer. They never displace what the unit's own people sent.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from workflow.domain.events import Event
from workflow.domain.letters import LetterKind, LetterOrder
from workflow.domain.lifecycle import Case
from workflow.domain.roster import Role
from workflow.domain.submission import AttachmentOutcome, Bucket
from workflow.process.situation import SYSTEM, AttachmentFate, Outcome, Situation

#: Why a workbook was not taken; its unit gets a letter of its own about it.
HELD = "发件地址未登记，而该单位已由登记的地址报送，未予采用"


def held(
    message: str,
    received_at: dt.datetime,
    fate: AttachmentFate,
    case: Case,
    situation: Situation,
    address: str,
) -> Outcome:
    """A workbook for a case that already holds a version of the unit's own: the unit is asked, staff are told, nothing
    else changes, above all no approval.
    """
    unit = situation.roster.units[case.unit]
    matter = (
        f"{unit.name}（{unit.code}）：未登记的地址 {masked(address)} 发来工作簿，未予采用，已请该单位核实"
    )
    query = Event(
        "staff", 0, "staff.query", received_at, SYSTEM, message, {"unit": unit.code}, {"matter": matter}
    )
    fate = replace(fate, outcome=AttachmentOutcome.FOREIGN, reason=HELD)
    outcome = Outcome(events=(query,), fates=(fate,), bucket=Bucket.QUARANTINED)
    to = situation.roster.recipient(case.unit, Role.ADMINISTRATOR, received_at.date())
    if to is None:
        return outcome
    context = {"from_address": masked(address), "held": True}
    cause = f"{message}#{fate.index}"
    order = LetterOrder(
        LetterKind.UNKNOWN_SENDER, case.campaign, case.unit, case.form, to, received_at, cause, context,
        token=case.token,
    )  # fmt: skip
    return outcome + Outcome(letters=(order,))


def masked(address: str) -> str:
    """An address with its middle hidden, as it may be shown to others."""
    name, _, domain = address.partition("@")
    return f"{name[:2]}***@{domain}" if domain else "（发件地址不明）"
