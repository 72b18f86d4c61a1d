"""Handing accounts on down the tree: each unit its own and those of the units directly below it, sealed, level by level."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from workflow.adapters.keys import SecretAccounts
from workflow.adapters.store import Store
from workflow.adapters.workbook.account_book import Subordinate, write_account_book
from workflow.domain.accounts import AccountRung, AccountStanding, released
from workflow.domain.campaign import Campaign
from workflow.domain.errors import Fault, Refused
from workflow.domain.events import Event
from workflow.domain.letters import LetterKind, LetterOrder, SealedBook
from workflow.domain.roster import Recipient, Roster, Unit
from workflow.process.account_office import (
    AccountOffice,
    asked_for_opening,
    recipient_of,
    reminded,
    step_of,
    whom_to_ring,
)
from workflow.process.situation import SYSTEM

#: Sheets that are made, kept and committed together; sealing one takes a twentieth of a second.
_PIECE = 50
_RELEASED = "accounts-released/"


@dataclass(frozen=True, slots=True)
class Round:
    """What may be sent: units with their recipients; those that wait for the level above; those that nobody can be written to
    about; those whose accounts are not in the private file.
    """

    ready: Sequence[tuple[Unit, Recipient]] = ()
    waiting: Sequence[Unit] = ()
    unreachable: Sequence[Unit] = ()
    without: Sequence[Unit] = ()


def release(office: AccountOffice, campaign: Campaign, now: dt.datetime) -> None:
    """From now on what is listed by now goes out by itself as its time comes."""
    office.store.append([step_of(campaign, f"{_RELEASED}{now.isoformat()}", now)])


def released_at(store: Store, campaign: Campaign) -> dt.datetime | None:
    """When staff last said that what was listed may go."""
    said = [key.removeprefix(_RELEASED) for key in store.steps(campaign.id) if key.startswith(_RELEASED)]
    return max((dt.datetime.fromisoformat(moment) for moment in said), default=None)


def round_of(
    office: AccountOffice, roster: Roster, now: dt.datetime, unit: str = "", until: dt.datetime | None = None
) -> Round:
    """What may be sent now: what was listed and not sent, and what came back while there is another address. `unit` alone is sent
    again whatever the level above did; of what was listed after `until` nothing goes.
    """
    known = office.store.account_standings(signed=False)
    above = {over.code for code in known if code in roster.units for over in roster.above(code)}
    standings = {**office.store.account_standings(above), **known}
    if unit and unit not in known:
        signed = unit in office.store.account_standings([unit])
        what = "账号已经签收" if signed else "没有导入账号"
        remedy = (
            "教育部重置了密码的，用 huizhi accounts import --again 重新导入"
            if signed
            else "请先导入教育部清单"
        )
        raise Refused(Fault(f"单位代码 {unit}", what, remedy))
    secrets = office.secrets.all() if known else {}
    groups: dict[str, list[Unit]] = {name: [] for name in ("waiting", "unreachable", "without")}
    ready: list[tuple[Unit, Recipient]] = []
    for code, standing in known.items():
        if code not in roster.units or (unit and code != unit):
            continue
        to = recipient_of(roster, code, now.date())
        if not unit and (
            not _may_go(standing, to) or (until and standing.listed_at and standing.listed_at > until)
        ):
            continue
        place = roster.units[code]
        if not unit and not released(roster, code, standings, at_once=office.ladder.at_once):
            groups["waiting"].append(place)
        elif code not in secrets:
            groups["without"].append(place)
        elif to is None:
            groups["unreachable"].append(place)
        else:
            ready.append((place, to))
    return Round(ready, *groups.values())


def _may_go(standing: AccountStanding, to: Recipient | None) -> bool:
    """Not sent yet, or come back from an address that is not the one to write to now."""
    if standing.sent_at is None:
        return True
    return standing.bounced and to is not None and to.email.lower() != standing.address.lower()


def send(
    office: AccountOffice, roster: Roster, campaign: Campaign, chosen: Round, now: dt.datetime, most: int = 0
) -> int:
    """Queue the letters of a round, `most` at most (0: all), piece by piece; how many. Staff are told once of units that nobody
    can be written to about.
    """
    codes = {unit.code for unit, _ in chosen.ready}
    known = office.store.account_standings(codes | {roster.units[code].superior for code in codes})
    standings = {code: replace(one, sent_at=now) if code in codes else one for code, one in known.items()}
    secrets = office.secrets.all()
    letters = iter(chosen.ready[:most] if most else chosen.ready)
    sent = 0
    while piece := list(islice(letters, _PIECE)):
        orders = {
            unit.code: _order(office, roster, campaign, standings, unit, secrets, to, now)
            for unit, to in piece
        }
        queued = office.secretariat.queue(orders.values(), roster)
        noted = [_sent(standings[code], order, now) for code, order in orders.items()]
        office.store.append([*queued, *noted])
        sent += len(piece)
    _tell_unreachable(office, roster, chosen.unreachable, now)
    return sent


def _sent(standing: AccountStanding, order: LetterOrder, now: dt.datetime) -> Event:
    data = {"letter": order.id, "campaign": order.campaign, "to_unit": order.to.unit}
    return Event(standing.stream, standing.events + 1, "account.sent", now, SYSTEM, order.cause, data)


def _order(
    office: AccountOffice, roster: Roster, campaign: Campaign, standings: Mapping[str, AccountStanding], unit: Unit,
    secrets: Mapping[str, SecretAccounts], to: Recipient, now: dt.datetime,
) -> LetterOrder:  # fmt: skip
    standing, own = standings[unit.code], secrets[unit.code]
    below = list(_below(roster, unit, secrets, office.store, now.date()))
    issuer = office.secretariat.letterhead.issuer
    book = write_account_book(unit, own.accounts, below, issuer, now.date(), own.opening)
    context = {
        "count": standing.count, "shared": standing.shared, "below": len(below), "at_once": office.ladder.at_once,
        "former": any(account.former for account in own.accounts),
        "sign_by": office.ladder.moment(AccountRung.UNIT, now, office.workdays).date(),
        **asked_for_opening(roster, standing, standings.get(unit.superior), now.date()),
    }  # fmt: skip
    cause = f"{standing.stream}#{standing.events}"
    enclosed = (SealedBook(f"账号表_{unit.name}.xlsx", book),)
    return LetterOrder(LetterKind.ACCOUNTS, campaign.id, unit.code, "", to, now, cause, context, enclosed)


def _below(
    roster: Roster, unit: Unit, secrets: Mapping[str, SecretAccounts], store: Store, day: dt.date
) -> Iterator[Subordinate]:
    """The units directly below that have accounts; of one that has signed nothing is left to hand on."""
    children = {child.code: child for child in roster.children(unit.code)}
    for code in store.account_standings(children.keys()) if children else ():
        kept, ring = secrets.get(code), whom_to_ring(roster, code, day)
        if kept is None:
            yield Subordinate(children[code], (), "", *ring)
        else:
            yield Subordinate(children[code], kept.accounts, kept.opening, *ring)


def _tell_unreachable(
    office: AccountOffice, roster: Roster, units: Collection[Unit], now: dt.datetime
) -> None:
    """An item for staff about each unit that has no address of its own and none directly above, once."""
    standings = office.store.account_standings({unit.code for unit in units}) if units else {}
    fresh = [standings[unit.code] for unit in units if not standings[unit.code].rung]
    if not fresh:
        return
    last = office.store.next_numbers(["staff"])["staff"]
    events = []
    for number, standing in enumerate(fresh, last + 1):
        unit = roster.units[standing.unit]
        matter = f"{unit.name}（{unit.code}）及其上级管理员均没有可用的邮箱，系统账号无法发放：请在名册中补充后运行 huizhi accounts send"
        data = {"unit": unit.code, "accounts": "unreachable"}
        events.append(
            Event("staff", number, "staff.query", now, SYSTEM, standing.stream, data, {"matter": matter})
        )
    office.store.append([*events, *(reminded(one, AccountRung.STAFF.value, now) for one in fresh)])
