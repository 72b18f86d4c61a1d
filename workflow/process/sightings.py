"""Sightings: a message that has its outcome is seen once more, in another folder or account or under another uid; and what
lies in a folder and was never seen.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from workflow.adapters.mail.imap import Mailbox
from workflow.adapters.store import Store
from workflow.domain.campaign import SHANGHAI
from workflow.domain.events import Event
from workflow.domain.message import Sighting
from workflow.process.situation import SYSTEM


def seen_again(store: Store, again: Sequence[tuple[str, Sighting]]) -> list[Event]:
    """What the ledger notes of messages, by their sha, that were seen again: each place once."""
    events = []
    places: dict[tuple[str, str, int], list[int]] = {}
    for _, seen in again:
        places.setdefault((seen.account, seen.folder, seen.uidvalidity), []).append(seen.uid)
    known = {
        (*place, uid, sha) for place, uids in places.items() for uid, sha in store.seen(*place, uids).items()
    }
    numbers = store.next_numbers({f"message:{sha}" for sha, _ in again}) if again else {}
    for sha, seen in again:
        place = (seen.account, seen.folder, seen.uidvalidity, seen.uid, sha)
        if place in known:
            continue
        known.add(place)
        stream = f"message:{sha}"
        number = numbers.get(stream, 0) or 1
        numbers[stream] = number + 1
        events.append(
            Event(stream, number + 1, "message.seen", seen.internal_date, SYSTEM, sha, seen.as_data())
        )
    return events


def missed_before(
    store: Store, mailbox: Mailbox, place: tuple[str, str], last: int, polled: dt.datetime | None, began: dt.datetime
) -> list[int]:  # fmt: skip
    """The uids of what lies behind the cursor in a folder (account, folder) and was never seen, which no server should have:
    looked for by the first poll of a day.
    """
    if polled is not None and polled.astimezone(SHANGHAI).date() == began.astimezone(SHANGHAI).date():
        return []
    held = mailbox.held(last)
    seen = store.seen(*place, mailbox.uidvalidity, held)
    return [uid for uid in held if uid not in seen]
