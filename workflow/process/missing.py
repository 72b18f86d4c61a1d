"""Who has not done what it owes, as the sheet 缺报与逾期 of a consolidated workbook names it."""

from __future__ import annotations

from workflow.domain.merge import CARRIED, MissingRow, Origin
from workflow.domain.privacy import WITHHELD, Sight, number_for, sight
from workflow.domain.roster import Role
from workflow.process.picture import Picture

_MATTERS = CARRIED | {Origin.MISSING, Origin.RETURNED_UNCORRECTED, Origin.WITH_ERRORS}


def missing(seen: Picture) -> tuple[MissingRow, ...]:
    """Who has not done what it owes, with whom to call where the workbook's level is to call."""
    place = {unit.code: n for n, unit in enumerate(seen.roster.below(seen.root.code))}
    rows = []
    day = seen.campaign.window(seen.root).last_day
    for key, standing in sorted(seen.standings.items(), key=lambda item: place[item[0][1]]):
        if standing.origin not in _MATTERS:
            continue
        unit = seen.roster.units[key[1]]
        people = seen.roster.people(unit.code, Role.ADMINISTRATOR, day)
        person = people[0] if people else None
        sees = sight(seen.roster, seen.root.code, unit.code)
        name = person.name if person else ""
        rows.append(
            MissingRow(
                unit, seen.roster.package_of(unit.code).name, seen.forms[key[2]].title, standing.origin.word,
                WITHHELD if name and sees is Sight.WITHHELD else name,
                number_for(sees, person.mobile or person.phone) if person else "",
                seen.reminded.get(unit.code, 0),
            )
        )  # fmt: skip
    return tuple(rows)
