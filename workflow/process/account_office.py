"""What handing on accounts works with, and whom a unit asks for what opens its sheet."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from workflow.adapters.keys import AccountSecrets
from workflow.adapters.store import Store
from workflow.domain.accounts import AccountLadder, AccountStanding
from workflow.domain.campaign import Campaign
from workflow.domain.events import Event
from workflow.domain.roster import Recipient, Role, Roster
from workflow.domain.workdays import Workdays
from workflow.process.correspondence import Secretariat
from workflow.process.situation import SYSTEM


@dataclass(frozen=True)
class AccountOffice:
    """The adapters and terms of handing on accounts."""

    store: Store
    secretariat: Secretariat
    secrets: AccountSecrets
    ladder: AccountLadder
    workdays: Workdays


def asked_for_opening(
    roster: Roster, standing: AccountStanding, above: AccountStanding | None, day: dt.date
) -> dict[str, str]:
    """Who tells a unit by telephone what opens its sheet: the 管理员 above, if it stands in the sheet that went there; else staff."""
    superior = roster.units.get(roster.units[standing.unit].superior)
    stands = above and above.sent_at and standing.listed_at and standing.listed_at <= above.sent_at
    if superior is None or not stands:
        return {"asks": "系统工作人员", "asks_phone": ""}
    name, phone = whom_to_ring(roster, superior.code, day)
    return {"asks": f"{superior.name}管理员{name}", "asks_phone": phone}


def whom_to_ring(roster: Roster, code: str, day: dt.date) -> tuple[str, str]:
    """Name and telephone of a unit's 管理员, as registered."""
    people = roster.people(code, Role.ADMINISTRATOR, day)
    return (people[0].name, people[0].phone or people[0].mobile) if people else ("", "")


def recipient_of(roster: Roster, code: str, day: dt.date) -> Recipient | None:
    """Who gets a unit's accounts: its own 管理员, or the 管理员 directly above for passing on; nobody further up may."""
    to = roster.recipient(code, Role.ADMINISTRATOR, day)
    return to if to is not None and to.unit in {code, roster.units[code].superior} else None


def reminded(standing: AccountStanding, rung: str, now: dt.datetime) -> Event:
    """Somebody has been told that a unit's accounts were not signed for."""
    return Event(standing.stream, standing.events + 1, "account.reminded", now, SYSTEM, rung, {"rung": rung})


def step_of(campaign: Campaign, key: str, now: dt.datetime) -> Event:
    """A step that is done once in a campaign."""
    return Event(f"step:{campaign.id}/{key}", 1, "step.done", now, SYSTEM, "", {"detail": ""})
