"""Workbooks from addresses that the roster does not know: a token routes them here and proves nothing.

The first data of a unit may come so, marked for the reviewer. They never displace what the unit's own people sent.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import replace

from workflow.domain.events import Event
from workflow.domain.letters import LetterKind, LetterOrder
from workflow.domain.lifecycle import Case
from workflow.domain.roster import Role
from workflow.domain.submission import AttachmentOutcome, Bucket, Submission
from workflow.process.situation import SYSTEM, AttachmentFate, Outcome, Situation

#: How many versions of a unit's data a day may come from addresses that are not its own: each is answered to the unit.
_A_DAY = 3
FULL = f"当日已收到该单位{_A_DAY}份未登记地址的工作簿，不再受理，请用登记的邮箱发送"
#: Letters about a version are bounded by the versions; all others to a unit because of a stranger go once a day.
OF_A_VERSION = frozenset({LetterKind.ACKNOWLEDGEMENT, LetterKind.RETURNED})

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
    context = {"from_address": masked(address), "held": True, "items": []}
    cause = f"{message}#{fate.index}"
    order = LetterOrder(
        LetterKind.UNKNOWN_SENDER, case.campaign, case.unit, case.form, to, received_at, cause, context,
        token=case.token,
    )  # fmt: skip
    return outcome + Outcome(letters=(once_a_day(order),))


def too_many(versions: Iterable[Submission], at: dt.datetime) -> bool:
    """Whether a case has taken in as many versions from addresses that are not its own as a day may bring."""
    today = [v for v in versions if v.unregistered and v.received_at.date() == at.date()]
    return len(today) >= _A_DAY


def once_a_day(order: LetterOrder) -> LetterOrder:
    """A letter that a stranger's mail occasions: one of a kind to an address on a day, whatever else comes."""
    day = order.at.date()
    about = "" if order.kind is LetterKind.UNKNOWN_SENDER else f"{order.unit}\n{order.form}"
    key = f"stranger\n{order.kind}\n{order.campaign}\n{order.to.email.lower()}\n{day}\n{about}"
    return replace(order, key=key)


def masked(address: str) -> str:
    """An address with its middle hidden, as it may be shown to others. What is no mail domain is not shown: a stranger would
    have us put words or a link before the unit.
    """
    name, _, domain = address.partition("@")
    known = _DOMAIN.fullmatch(domain) and _NAME.match(name)
    return f"{name[:2]}***@{domain}" if known else "（发件地址不明）"


_DOMAIN = re.compile(r"(?=.{1,60}$)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_NAME = re.compile(r"[\w.+=-]{1,2}")
