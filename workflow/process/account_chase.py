"""Chasing signatures for accounts: the unit, the 管理员 above, staff; and what the calendar does about accounts besides.

A letter that came back goes to the 管理员 above without waiting. Who is above is told of all its units in one letter a day.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from workflow.domain.accounts import AccountRung, AccountStanding, Progress
from workflow.domain.campaign import SHANGHAI, Campaign, midnight
from workflow.domain.events import Event
from workflow.domain.letters import LetterKind, LetterOrder
from workflow.domain.roster import Role, Roster
from workflow.domain.workdays import OFFICE_OPENS
from workflow.process.account_office import (
    AccountOffice,
    asked_for_opening,
    recipient_of,
    reminded,
    step_of,
    whom_to_ring,
)
from workflow.process.account_sending import released_at, round_of, send
from workflow.process.accounts import erase_signed
from workflow.process.addresses import reached
from workflow.process.gather import current_campaign, require_roster
from workflow.process.situation import SYSTEM

#: Sheets that one tick makes at most: the calendar has more to do.
_A_TICK = 200
#: Units that an item of staff's list names.
_NAMED = 5


def account_tick(office: AccountOffice, now: dt.datetime) -> None:
    """Erase what was signed for, send what the level above has signed for, tell whom it takes of what nobody signs for."""
    erase_signed(office.store, office.secrets)
    campaign = current_campaign(office.store)
    if campaign is None or not (known := office.store.account_standings(signed=False)):
        return
    roster = reached(require_roster(office.store), office.store.failed_letters(campaign.id))
    if until := released_at(office.store, campaign):
        send(office, roster, campaign, round_of(office, roster, now, until=until), now, _A_TICK)
    if now.astimezone(SHANGHAI) >= midnight(now.astimezone(SHANGHAI).date()) + OFFICE_OPENS:
        _chase(office, roster, campaign, known, now)


def _chase(
    office: AccountOffice, roster: Roster, campaign: Campaign, known: Mapping[str, AccountStanding], now: dt.datetime
) -> None:  # fmt: skip
    due: dict[AccountRung, list[AccountStanding]] = defaultdict(list)
    for standing in known.values():
        if standing.unit in roster.units and (rung := standing.due(now, office.ladder, office.workdays)):
            due[rung].append(standing)
    for standing in due[AccountRung.UNIT]:
        _remind(office, roster, campaign, standing, now)
    steps = office.store.steps(campaign.id) if due[AccountRung.ADMINISTRATOR] else ()
    for superior, standings in _by_superior(roster, due[AccountRung.ADMINISTRATOR]).items():
        _tell_superior(office, roster, campaign, superior, standings, steps, now)
    for superior, standings in _by_superior(roster, due[AccountRung.STAFF]).items():
        _tell_staff(office, roster, superior, standings, now)


def _by_superior(roster: Roster, standings: Collection[AccountStanding]) -> dict[str, list[AccountStanding]]:
    found: dict[str, list[AccountStanding]] = defaultdict(list)
    for standing in standings:
        found[roster.units[standing.unit].superior].append(standing)
    return found


def reminder(
    roster: Roster, campaign: Campaign, standing: AccountStanding, above: AccountStanding | None, now: dt.datetime,
    cause: str, doubt: str = "",
) -> LetterOrder | None:  # fmt: skip
    """The unit is asked to sign; `doubt` says why what it wrote is no signature. None where it has no address."""
    to = recipient_of(roster, standing.unit, now.date())
    if to is None or standing.sent_at is None:
        return None
    context = {
        "count": standing.count, "shared": standing.shared, "sent_on": standing.sent_at.date(), "doubt": doubt,
        **asked_for_opening(roster, standing, above, now.date()),
    }  # fmt: skip
    return LetterOrder(LetterKind.ACCOUNT_REMINDER, campaign.id, standing.unit, "", to, now, cause, context)


def _remind(
    office: AccountOffice, roster: Roster, campaign: Campaign, standing: AccountStanding, now: dt.datetime
) -> None:
    superior = roster.units[standing.unit].superior
    above = office.store.account_standings([superior]).get(superior) if superior else None
    order = reminder(roster, campaign, standing, above, now, f"{standing.stream}#{standing.events}")
    queued = office.secretariat.queue([order], roster) if order else []
    office.store.append([*queued, reminded(standing, AccountRung.UNIT.value, now)])


def _tell_superior(
    office: AccountOffice, roster: Roster, campaign: Campaign, superior: str, standings: Sequence[AccountStanding],
    steps: Collection[str], now: dt.datetime,
) -> None:  # fmt: skip
    """One letter a day; what comes due after it waits for the next day's."""
    step = f"accounts/{superior}/{now.astimezone(SHANGHAI).date()}"
    if step in steps:
        return
    to = roster.recipient(superior, Role.ADMINISTRATOR, now.date()) if superior else None
    noted = [reminded(standing, AccountRung.ADMINISTRATOR.value, now) for standing in standings]
    if (
        to is None or to.unit != superior
    ):  # nobody above to write to: it is left to staff, when their day has come
        office.store.append(noted)
        return
    rows = [_row(roster, standing, now.date()) for standing in standings]
    cause = hashlib.sha256("\n".join(f"{one.stream}#{one.events}" for one in standings).encode()).hexdigest()
    order = LetterOrder(
        LetterKind.ACCOUNT_ESCALATION, campaign.id, superior, "", to, now, cause, {"rows": rows}
    )
    queued = office.secretariat.queue([order], roster)
    office.store.append([step_of(campaign, step, now), *queued, *noted])


def _row(roster: Roster, standing: AccountStanding, day: dt.date) -> dict[str, object]:
    contact, phone = whom_to_ring(roster, standing.unit, day)
    unit = roster.units[standing.unit]
    matter = "信件退回" if standing.bounced else Progress.OVERDUE.value
    assert standing.sent_at is not None
    return {
        "unit_name": unit.name, "unit_code": unit.code, "matter": matter, "sent_on": standing.sent_at.date(),
        "contact": contact, "phone": phone,
    }  # fmt: skip


def _tell_staff(
    office: AccountOffice,
    roster: Roster,
    superior: str,
    standings: Sequence[AccountStanding],
    now: dt.datetime,
) -> None:
    """One item for all the units of a superior."""
    names = "、".join(roster.units[standing.unit].name for standing in standings[:_NAMED])
    more = f"等{len(standings)}个单位" if len(standings) > _NAMED else ""
    bounced = sum(standing.bounced for standing in standings)
    above = f"，已通知{roster.units[superior].name}管理员" if superior else ""
    matter = (
        f"系统账号逾期未签收{f'（其中{bounced}个信件退回）' if bounced else ''}：{names}{more}{above}；"
        "请电话督促，邮箱有误的更正名册，用 huizhi accounts status 查看"
    )
    number = office.store.next_numbers(["staff"])["staff"] + 1
    data = {"unit": superior, "accounts": "overdue"}
    query = Event("staff", number, "staff.query", now, SYSTEM, "accounts", data, {"matter": matter})
    office.store.append([query, *(reminded(one, AccountRung.STAFF.value, now) for one in standings)])
