"""The contact directories 联络人员名录 of the levels: written, and mailed to each level's own 管理员 and nobody else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from workflow.adapters.files import Files
from workflow.adapters.store import Store
from workflow.adapters.workbook.directory import write_directory
from workflow.domain.campaign import Campaign
from workflow.domain.directory import Directory, directory
from workflow.domain.letters import KeptFile, LetterKind, LetterOrder
from workflow.domain.roster import Recipient, Role, Roster, Unit
from workflow.process.correspondence import Secretariat


@dataclass(frozen=True, slots=True)
class Made:
    """A directory, its path below outbox/, and to whom it goes; `to` is None where the level's 管理员 has no address."""

    directory: Directory
    path: str
    to: Recipient | None


def with_directory(roster: Roster) -> list[Unit]:
    """The levels that have others below them, in the roster's order."""
    return [unit for unit in roster.units.values() if unit.kind.reports and roster.children(unit.code)]


def make_directories(
    files: Files, roster: Roster, campaign: Campaign, units: Sequence[Unit], day: dt.date
) -> list[Made]:
    """Write the directories of these units, in the campaign's folder of workbooks, where they are erased with them."""
    made = []
    for unit in units:
        found = directory(roster, unit.code, day)
        path = files.write_book(f"{campaign.id}/联络人员名录/{unit.code}.xlsx", write_directory(found))
        made.append(Made(found, path, _own_administrator(roster, unit, day)))
    return made


def send_directories(
    store: Store, secretariat: Secretariat, roster: Roster, campaign: Campaign, made: Sequence[Made], now: dt.datetime
) -> int:  # fmt: skip
    """Queue the directories to those that have an address, each once a day; how many letters are new."""
    orders = [_order(one, campaign, now) for one in made if one.to is not None]
    queued = secretariat.queue(orders, roster)
    store.append(queued)
    return len(queued)


def _own_administrator(roster: Roster, unit: Unit, day: dt.date) -> Recipient | None:
    """The level's own 管理员: other people's numbers are not passed on through anybody else."""
    to = roster.recipient(unit.code, Role.ADMINISTRATOR, day)
    return to if to is not None and to.unit == unit.code else None


def _order(made: Made, campaign: Campaign, now: dt.datetime) -> LetterOrder:
    known = made.directory
    assert made.to is not None
    context = {"units": known.units, "people": known.people, "vacant": known.vacant}
    file = KeptFile(f"联络人员名录_{known.unit.name}.xlsx", made.path)
    return LetterOrder(
        LetterKind.CONTACTS, campaign.id, known.unit.code, "", made.to, now, f"contacts/{now.date()}", context, (file,)
    )  # fmt: skip
