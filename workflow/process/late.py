"""Late returns: kept with their answers, offered to the level's 审核员 as a ready-made 撤报申请, else the next period's copy
starts from them.

The stream is the workbook's own (`late:CAMPAIGN/UNIT/FORM/MESSAGE/PART`), so that a decision needs no count of others.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping

from workflow.adapters.store import LateReturn
from workflow.domain.campaign import Campaign, midnight
from workflow.domain.checks import examine
from workflow.domain.events import Event, encode_value
from workflow.domain.letters import LetterKind, LetterOrder
from workflow.domain.lifecycle import Case, Package, PackageAct, allowed_package_acts
from workflow.domain.matching import Sender, speaks_for
from workflow.domain.roster import Role, Roster
from workflow.domain.submission import AttachmentFate, Reading
from workflow.domain.workdays import OFFICE_OPENS
from workflow.process.situation import SYSTEM, Situation


def kept(
    message: str, received_at: dt.datetime, fate: AttachmentFate, reading: Reading, case: Case, situation: Situation,
    who: Sender,
) -> tuple[Event, ...]:  # fmt: skip
    """The event that keeps a late workbook's answers; nothing for a late reply in words. Only one from the unit's own
    people fills the next copy.
    """
    form = situation.forms.get(case.form)
    if form is None or not reading.answers:
        return ()
    registered = who.registered and speaks_for(situation.roster, who, case.unit)
    earlier = situation.earlier.get((case.unit, case.form))
    seen = examine(form, reading.answers, earlier.answers if earlier else None, reading.moved)
    data = {
        "received_at": received_at.isoformat(), "message": message, "attachment": fate.sha,
        "form_version": form.version, "errors": seen.errors, "registered": registered,
    }  # fmt: skip
    personal = {"answers": {name: encode_value(value) for name, value in seen.answers.items()}}
    stream = f"late:{case.campaign}/{case.unit}/{case.form}/{message}/{fate.index}"
    return (Event(stream, 1, "late.kept", received_at, SYSTEM, message, data, personal),)


def offers(
    returns: Iterable[LateReturn], now: dt.datetime, campaign: Campaign, roster: Roster,
    packages: Mapping[str, Package], steps: Collection[str],
) -> Iterator[tuple[LetterOrder, Event]]:  # fmt: skip
    """One letter a day to the 审核员 of each level that has reported, with the units that came late since the last one,
    and the step that notes it.
    """
    at = midnight(now.date()) + OFFICE_OPENS
    if now < at:
        return
    waiting: dict[str, list[LateReturn]] = {}
    for late in returns:
        if late.unit in roster.units:
            waiting.setdefault(roster.package_of(late.unit).code, []).append(late)
    for code, all_late in waiting.items():
        before = [key for key in steps if key.startswith(f"late-offer/{code}/")]
        told = max((int(key.rpartition("/")[2]) for key in before), default=0)
        news = {late.unit: late for late in all_late if late.seq > told}
        today = any(key.split("/")[2] == str(now.date()) for key in before)
        package = packages.get(code)
        to = roster.recipient(code, Role.REVIEWER, now.date())
        if (
            not news or today or package is None or to is None
            or PackageAct.REQUEST_WITHDRAWAL not in allowed_package_acts(package)
            or not roster.people(code, Role.REVIEWER, now.date())
        ):  # fmt: skip
            continue
        key = f"late-offer/{code}/{now.date()}/{max(late.seq for late in news.values())}"
        above = next(roster.above(code), None)
        rows = [
            {
                "unit_name": roster.units[late.unit].name, "unit_code": late.unit, "received_at": late.received_at,
                "errors": late.errors, "registered": late.registered,
            }
            for late in news.values()
        ]  # fmt: skip
        context = {
            "level_name": roster.units[code].name, "superior_name": above.name if above else "教育部",
            "reported_at": package.reported_at, "rows": rows,
        }  # fmt: skip
        form = next(iter(news.values())).form
        order = LetterOrder(
            LetterKind.LATE_OFFER, campaign.id, code, form, to, at, key, context,
            key=f"late-offer\n{campaign.id}\n{code}\n{to.email.lower()}\n{now.date()}",
        )  # fmt: skip
        yield order, Event(f"step:{campaign.id}/{key}", 1, "step.done", now, SYSTEM, "", {"detail": ""})
