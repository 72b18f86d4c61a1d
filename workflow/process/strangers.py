"""Workbooks from addresses that the roster does not know: a token routes them here and proves nothing.

The first data of a unit may come so, marked for the reviewer. They never displace what the unit's own people sent.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import replace

from workflow.domain.events import Event
from workflow.domain.letters import LetterKind, LetterOrder
from workflow.domain.lifecycle import Case
from workflow.domain.privacy import mask_address
from workflow.domain.roster import Role
from workflow.domain.submission import AttachmentFate, AttachmentOutcome, Bucket, Submission
from workflow.domain.trust import Effect
from workflow.process.situation import SYSTEM, Outcome, Situation

#: How many versions of a unit's data a day may come from addresses that are not its own: each is answered to the unit.
_A_DAY = 3
FULL = f"当日已收到该单位{_A_DAY}份未登记地址的工作簿，不再受理，请用登记的邮箱发送"
#: Letters about a version are bounded by the versions; all others to a unit because of a stranger go once a day.
OF_A_VERSION = frozenset({LetterKind.ACKNOWLEDGEMENT, LetterKind.RETURNED})

#: Why a workbook was not taken; its unit gets a letter of its own about it.
HELD = "发件地址未登记，而该单位已由登记的地址报送，未予采用"
#: The same of a unit that has said of an earlier one that it was not its own.
DENIED = "发件地址未登记，而该单位此前答复过此类来件非本单位报送，未予采用"
#: And where the receiving server says that the mail is not from the address that it bears.
FORGED = "来信未通过邮件服务器的发件人验证，可能系冒用，未予采用，待登记地址确认"
#: What waits for the unit's word.
WITHHELD = frozenset({HELD, DENIED, FORGED})


def held(
    message: str,
    received_at: dt.datetime,
    fate: AttachmentFate,
    case: Case,
    situation: Situation,
    address: str,
    why: str = HELD,
) -> Outcome:
    """A workbook that a stranger sent for a case that holds a version of the unit's own, or that bears an address which it is
    not from: the unit is asked, staff are told, nothing else changes, above all no approval.
    """
    forged = why is FORGED
    unit = situation.roster.units[case.unit]
    whence = "未通过发件人验证、以" if forged else "未登记的地址"
    by = f"{whence} {mask_address(address)} {'名义' if forged else ''}".rstrip()
    matter = f"{unit.name}（{unit.code}）：{by} 发来工作簿，未予采用，已请该单位核实"
    query = Event(
        "staff", 0, "staff.query", received_at, SYSTEM, message, {"unit": unit.code}, {"matter": matter}
    )
    fate = replace(fate, outcome=AttachmentOutcome.FOREIGN, reason=why)
    outcome = Outcome(events=(query,), fates=(fate,), bucket=Bucket.QUARANTINED)
    to = situation.roster.recipient(case.unit, Role.ADMINISTRATOR, received_at.date())
    if to is None:
        return outcome
    context = {"from_address": mask_address(address), "held": True, "forged": forged, "items": []}
    cause = f"{message}#{fate.index}"
    order = LetterOrder(
        LetterKind.UNKNOWN_SENDER, case.campaign, case.unit, case.form, to, received_at, cause, context,
        token=case.token,
    )  # fmt: skip
    return outcome + Outcome(letters=(once_a_day(order),))


def withheld(effect: Effect, versions: Sequence[Submission], case: Case) -> str:
    """Why a workbook waits for its unit's word, '' when it need not."""
    if effect is Effect.HELD:
        return FORGED
    if effect is not Effect.FIRST:
        return ""
    if versions and not versions[-1].unregistered:
        return HELD
    return DENIED if case.number > len(versions) else ""  # what its unit disowned is no version


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
