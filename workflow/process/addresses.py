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
    """The roster that chooses recipients among the addresses at which letters arrive. A letter that failed for a fault of
    its own says nothing about its address.
    """
    bad = frozenset(letter.to.lower() for letter in failed if letter.blame != "letter")
    return replace(roster, bad=bad) if bad else roster


def findings(
    failed: Collection[LetterRow], steps: Collection[str], roster: Roster, now: dt.datetime
) -> Iterator[Event]:
    """What staff are told of letters that failed, each item with the step that notes it as said: 地址无效 once for an address
    of a unit, 信件被拒收 for every letter at fault itself. `failed` are the campaign's failed letters, `steps` the steps that
    are done. The items are numbered by whoever writes them.
    """
    said: set[tuple[str, str]] = set()
    for letter in failed:
        at_fault = letter.blame == "letter"
        key = f"letter/{letter.id}" if at_fault else f"address/{letter.id}"
        about = (letter.unit, letter.id if at_fault else letter.to.lower())
        if about in said or key in steps or letter.unit not in roster.units:
            said.add(about)
            continue
        said.add(about)
        name, why, cause = roster.units[letter.unit].name, letter.reply[:80] or "退信", f"letter:{letter.id}"
        if at_fault:
            matter, data = "信件被拒收", {"unit": letter.unit, "letter": "refused"}
            words = (
                f"信件被拒收：发给{name}的{letter.to}的《{letter.subject}》没有送达（{why}），原因不在收件地址，"
                "请核对内容和附件大小后另行告知该单位"
            )
        else:
            matter, data = "地址无效", {"unit": letter.unit, "address": "invalid"}
            words = f"地址无效：{name}的{letter.to}收不到信（{why}），此后改由其他联系人或上级管理员转交，请更正名册"
        yield Event(f"step:{letter.campaign}/{key}", 1, "step.done", now, SYSTEM, cause, {"detail": matter})
        yield Event("staff", 0, "staff.query", now, SYSTEM, cause, data, {"matter": words})
