"""Erasing what is past its time 清除: personal payload in the ledger, the bytes of mail and letters, receipts and workbooks.

The ledger says first what is erased, in the transaction that erases it; files follow. A purge that was broken off leaves files
whose event says that they are to be gone, and the next one takes them.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from workflow.adapters.files import Files
from workflow.adapters.keys import AccountSecrets
from workflow.adapters.store import Store
from workflow.domain.campaign import SHANGHAI, Campaign
from workflow.domain.contacts import ContactSource, without_former
from workflow.domain.events import PURGED, Event
from workflow.domain.retention import Kind, at_work, closed, cut_offs
from workflow.domain.roster import Contact
from workflow.process.appoint import STREAM as CONTACTS
from workflow.process.appoint import Decided, people_set
from workflow.process.situation import SYSTEM

STREAM = "purge"


@dataclass(frozen=True, slots=True)
class Purged:
    """What a purge erases, or would: before which moment, how many payloads of each kind, how many files."""

    before: Mapping[Kind, dt.datetime] = field(default_factory=dict)
    payloads: Mapping[Kind, int] = field(default_factory=dict)
    files: Mapping[Kind, int] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        return not any(self.payloads.values()) and not any(self.files.values())


def purge(
    store: Store, files: Files, secrets: AccountSecrets, days: Mapping[Kind, int], before: dt.datetime | None,
    now: dt.datetime, *, dry: bool = False,
) -> Purged:  # fmt: skip
    """Erase what is older than its kind is kept, or than `before`; with `dry` only say what would be."""
    campaigns = store.campaigns()
    limits = cut_offs(days, before, campaigns, now)
    if Kind.CONTACTS in limits and not dry:
        _forget_former(store, limits[Kind.CONTACTS], now)
    chosen = store.erasable(limits, [campaign.id for campaign in at_work(campaigns)]) if limits else {}
    folders: dict[Kind, list[Campaign]] = {
        kind: closed(campaigns, limits[kind]) for kind in (Kind.RECEIPTS, Kind.BOOKS) if kind in limits
    }
    payloads = {kind: len(seqs) for kind, seqs in chosen.items()}
    accounts = _accounts(secrets, limits)
    counted = Counter(_files(files, folders))
    if accounts:
        counted[Kind.ACCOUNTS] = len(accounts)
    if dry:
        return Purged(limits, payloads, dict(counted))
    if payloads or any(counted.values()):
        number = store.next_numbers([STREAM])[STREAM] + 1
        data = {
            "before": {kind.value: limits[kind].isoformat() for kind in Kind if kind in limits},
            "payloads": {kind.value: count for kind, count in sorted(payloads.items())},
            **({"accounts": len(accounts)} if accounts else {}),
            "campaigns": {kind.value: [one.id for one in known] for kind, known in sorted(folders.items())},
        }
        seqs = [seq for of_kind in chosen.values() for seq in of_kind]
        store.erase(seqs, Event(STREAM, number, PURGED, now, SYSTEM, "cli", data))
    else:
        store.scrub()
    secrets.erase(accounts)
    # Also what an earlier purge had said and not come to.
    counted[Kind.MAIL] += sum(files.drop_mail(sha) for sha in sorted(store.erased_mail()))
    counted[Kind.MAIL] += sum(files.drop_letter(sha) for sha in store.erased_letters())
    for known in folders.get(Kind.RECEIPTS, ()):
        files.drop_receipts(known.id)
    for known in folders.get(Kind.BOOKS, ()):
        files.drop_books(known.id)
    return Purged(limits, payloads, dict(counted))


def _forget_former(store: Store, before: dt.datetime, now: dt.datetime) -> None:
    """Write the lists of the units anew of whose people some had left by then: the older lists are then not needed any more."""
    day = before.astimezone(SHANGHAI).date()
    people: dict[str, list[Contact]] = {}
    for contact in store.all_contacts():
        people.setdefault(contact.unit, []).append(contact)
    number = store.next_numbers([CONTACTS])[CONTACTS]
    decided = Decided(SYSTEM, now, "cli")
    events: list[Event] = []
    for unit, known in people.items():
        left = without_former(known, day)
        if len(left) < len(known):
            events.append(
                people_set(number + len(events), unit, left, now.date(), ContactSource.ROSTER, decided)
            )
    store.append(events)


def _accounts(secrets: AccountSecrets, limits: Mapping[Kind, dt.datetime]) -> dict[str, dt.datetime]:
    """The units whose accounts have lain in the private file since before the limit, with that limit."""
    limit = limits.get(Kind.ACCOUNTS)
    kept = secrets.all() if limit and secrets.kept else {}
    return {unit: limit for unit, one in kept.items() if limit and one.kept_since < limit}


def _files(files: Files, folders: Mapping[Kind, list[Campaign]]) -> dict[Kind, int]:
    count = {Kind.RECEIPTS: files.receipt_count, Kind.BOOKS: files.book_count}
    return {kind: sum(count[kind](campaign.id) for campaign in known) for kind, known in folders.items()}
