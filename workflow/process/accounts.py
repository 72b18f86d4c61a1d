"""Taking in the ministry's list of accounts 账号清单: what is new is kept for handing on, what was signed for stays so."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from workflow.adapters.keys import AccountSecrets
from workflow.adapters.store import Store
from workflow.domain.account_checks import AccountRow, checked, names_digest, shared_units
from workflow.domain.accounts import Account, AccountStanding
from workflow.domain.errors import Fault
from workflow.domain.events import Event
from workflow.domain.roster import Roster

#: Events that are written and committed together.
PIECE = 1000


@dataclass(frozen=True, slots=True)
class Listed:
    """What a list came to: units whose accounts are to be handed on, units that have signed for the same accounts already,
    units on their way with the same, and what a person should look at.
    """

    fresh: tuple[str, ...] = ()
    signed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    accounts: int = 0
    queries: Sequence[Fault] = field(default_factory=tuple)


def take_list(
    store: Store, secrets: AccountSecrets, roster: Roster, rows: Sequence[AccountRow], source: str, now: dt.datetime,
    *, again: bool = False,
) -> Listed:  # fmt: skip
    """Keep the accounts of a list, `source` being the digest of its file. Units that have signed for accounts of the same names are
    passed over, unless these are to be handed on `again`. Raises Refused with every fault; then nothing is kept.
    """
    accounts, queries = checked(rows, roster)
    by_unit: dict[str, list[Account]] = {}
    for account in accounts:
        by_unit.setdefault(account.unit, []).append(account)
    standings, kept = store.account_standings(by_unit.keys()), secrets.all()
    groups: dict[str, list[str]] = {"fresh": [], "signed": [], "unchanged": []}
    for unit, own in by_unit.items():
        standing = standings.get(unit)
        held = kept[unit].accounts if unit in kept else None
        groups[_group(standing, own, held, again=again)].append(unit)
    fresh = groups["fresh"]
    if fresh:
        # First what is secret: an event without it would promise what nobody holds.
        secrets.put({unit: tuple(by_unit[unit]) for unit in fresh}, now)
        shared = shared_units(accounts)
        for start in range(0, len(fresh), PIECE):
            piece = fresh[start : start + PIECE]
            store.append([_listed(standings.get(u), u, by_unit[u], u in shared, source, now) for u in piece])
    said = {name: tuple(units) for name, units in groups.items()}
    return Listed(said["fresh"], said["signed"], said["unchanged"], len(accounts), queries)


def _group(
    standing: AccountStanding | None, own: Sequence[Account], held: Collection[Account] | None, *, again: bool
) -> str:
    if standing is None or standing.names != names_digest(own):
        return "fresh"
    if standing.confirmed_at is not None:
        return "fresh" if again else "signed"
    return "unchanged" if held is not None and sorted(held, key=_name) == sorted(own, key=_name) else "fresh"


def _name(account: Account) -> str:
    return account.name


def _listed(
    before: AccountStanding | None,
    unit: str,
    own: Iterable[Account],
    shared: bool,
    source: str,
    now: dt.datetime,
) -> Event:
    """A unit's accounts are to be handed on. Neither password nor name of an account stands in the ledger; the names in the old
    system do, as other names of the unit.
    """
    known = list(own)
    data: Mapping[str, object] = {
        "list": source, "count": len(known), "shared": shared, "names": names_digest(known),
        "former": sorted({account.former for account in known if account.former}),
    }  # fmt: skip
    standing = before or AccountStanding(unit)
    return Event(standing.stream, standing.events + 1, "account.listed", now, "cli", source, data)


def erase_signed(store: Store, secrets: AccountSecrets) -> int:
    """Erase what units have signed for; of how many units. Does nothing the second time."""
    if not secrets.kept:
        return 0
    signed = {
        unit: standing.confirmed_at
        for unit, standing in store.account_standings(secrets.all().keys(), signed=True).items()
        if standing.confirmed_at is not None
    }
    return secrets.erase(signed) if signed else 0
