"""Addresses at which letters do not arrive: who is not written to any more, and what staff are told to see to.

Known from the letters of the campaign alone, so that the next one tries each address once again. A letter that arrives
later, such as the answer to mail from there, clears the address.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import replace

from workflow.adapters.store import LetterRow
from workflow.domain.events import Event
from workflow.domain.roster import Roster
from workflow.process.situation import SYSTEM


def reached(roster: Roster, failed: Collection[LetterRow]) -> Roster:
    """The roster that chooses recipients among the addresses at which letters arrive."""
    return replace(roster, bad=frozenset(letter.to.lower() for letter in failed)) if failed else roster


def findings(
    failed: Collection[LetterRow], steps: Collection[str], roster: Roster, now: dt.datetime
) -> Iterator[Event]:
    """地址无效 for staff's list: one item for an address of a unit, with the step that notes it as said. `failed` are the
    campaign's failed letters, `steps` the steps that are done. The items are numbered by whoever writes them.
    """
    said: set[tuple[str, str]] = set()
    for letter in failed:
        key = f"address/{letter.id}"
        about = (letter.unit, letter.to.lower())
        if about in said or key in steps or letter.unit not in roster.units:
            said.add(about)
            continue
        said.add(about)
        name, why, cause = roster.units[letter.unit].name, letter.reply[:80] or "退信", f"letter:{letter.id}"
        words = (
            f"地址无效：{name}的{letter.to}收不到信（{why}），此后改由其他联系人或上级管理员转交，请更正名册"
        )
        data = {"unit": letter.unit, "address": "invalid"}
        yield Event(
            f"step:{letter.campaign}/{key}", 1, "step.done", now, SYSTEM, cause, {"detail": "地址无效"}
        )
        yield Event("staff", 0, "staff.query", now, SYSTEM, cause, data, {"matter": words})
