"""撤报申请 that wait for the level above (article 19): told to its 审核员 with the workbook in which it is decided."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping

from workflow.adapters.store.records import MadeBook
from workflow.domain.campaign import Campaign
from workflow.domain.events import Event
from workflow.domain.letters import KeptFile, LetterKind, LetterOrder
from workflow.domain.lifecycle import Package, PackageState
from workflow.domain.roster import Role, Roster, Unit
from workflow.process.situation import SYSTEM


def requests(
    campaign: Campaign, roster: Roster, packages: Mapping[str, Package], steps: Collection[str],
    book: Callable[[Unit, dt.datetime], MadeBook], form_of: Callable[[Unit], str], now: dt.datetime,
) -> Iterator[tuple[Event, LetterOrder | Event]]:  # fmt: skip
    """For each request that has not been told: its step, and the letter to the level above; an item for staff where
    nobody there can decide: no 审核员, or the ministry itself.
    """
    for package in packages.values():
        key = f"withdrawal/{package.unit}/{package.events}"
        if package.state is not PackageState.WITHDRAWAL_REQUESTED or key in steps:
            continue
        unit = roster.units[package.unit]
        above = roster.units.get(unit.superior)
        stream = f"step:{campaign.id}/{key}"
        step = Event(stream, 1, "step.done", now, SYSTEM, "", {"detail": "撤报申请已转上一级"})
        people = roster.people(above.code, Role.REVIEWER, now.date()) if above else ()
        to = roster.recipient(above.code, Role.REVIEWER, now.date()) if above and people else None
        if above is None or to is None:
            who = f"{above.name}没有登记审核员或者其邮箱" if above else "须报教育部"
            matter = f"{unit.name}申请撤报（{package.note}），{who}，请办理后用 huizhi withdraw 登记"
            yield (
                step,
                Event("staff", 0, "staff.query", now, SYSTEM, key, {"unit": unit.code, "matter": matter}),
            )
            continue
        made = book(above, now)
        own = packages.get(above.code)
        context = {
            "from_name": unit.name, "reason": package.note or "（未写明）",
            "superior_locked": own is not None and own.locked,
        }  # fmt: skip
        enclosure = KeptFile(made.path.rpartition("/")[2], made.path)
        yield (
            step,
            LetterOrder(
                LetterKind.WITHDRAWAL_REQUEST, campaign.id, above.code, form_of(above), to, now, key, context,
                (enclosure,), made.token,
            ),
        )  # fmt: skip
