"""Filing 备案: a change of people at province level or of a 部属高校 is reported to 中央电教馆 (article 14), each once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from workflow.domain.campaign import SHANGHAI, Campaign
from workflow.domain.contacts import Succession, successions
from workflow.domain.events import Event
from workflow.domain.letters import LetterKind, LetterOrder
from workflow.domain.roster import Contact, Recipient, Role, Roster, Unit, UnitKind
from workflow.process.situation import SYSTEM

FILED = frozenset({UnitKind.PROVINCE, UnitKind.MINISTRY_UNIVERSITY})
AUTHORITY = "中央电化教育馆"
#: What is older was filed before the system was there, or was for staff to file.
_DAYS = 92


@dataclass(frozen=True, slots=True)
class Filing:
    """The changes of one unit from one day on; `stream` is where the ledger says that they were filed."""

    unit: Unit
    since: dt.date
    changes: tuple[Succession, ...]

    @property
    def stream(self) -> str:
        return f"filing:{self.unit.code}/{self.since}"


def to_file(roster: Roster, now: dt.datetime) -> list[Filing]:
    """The changes of the last quarter that are to be filed, by unit and day."""
    today = now.astimezone(SHANGHAI).date()
    first = today - dt.timedelta(days=_DAYS)
    found: list[Filing] = []
    for unit in roster.children(""):
        if unit.kind in FILED:
            changes = [one for one in successions(roster.contacts_of(unit.code), today) if one.since >= first]
            found += (
                Filing(unit, day, tuple(one for one in changes if one.since == day))
                for day in sorted({one.since for one in changes})
            )
    return found


def filings(
    due: Iterable[Filing], done: Collection[str], address: str, campaign: Campaign, now: dt.datetime
) -> Iterator[tuple[list[Event], LetterOrder | None]]:
    """Of each that is not `done` the events that say so, and the letter; without an address an item on staff's list."""
    for one in due:
        if one.stream in done:
            continue
        roles = [change.after.role.value for change in one.changes]
        data = {"unit": one.unit.code, "from": one.since.isoformat(), "roles": roles}
        noted = Event(one.stream, 1, "filing.done", now, SYSTEM, "", {**data, "by_letter": bool(address)})
        if address:
            yield [noted], _letter(one, address, campaign, now)
            continue
        people = "；".join(_in_words(change) for change in one.changes)
        matter = (
            f"{one.unit.name}人员变更须报送{AUTHORITY}备案（管理办法第十四条）：{people}。"
            "请发函报送；在 config.toml 的 [contacts] 填写 filing_address 后，以后的变更由系统报送"
        )
        about = {"unit": one.unit.code}
        query = Event("staff", 0, "staff.query", now, SYSTEM, one.stream, about, {"matter": matter})
        yield [noted, query], None


def _letter(filing: Filing, address: str, campaign: Campaign, now: dt.datetime) -> LetterOrder:
    to = Recipient(address, AUTHORITY, "", Role.ADMINISTRATOR)
    changes = [
        {
            "role": change.after.role.value, "before": _names(change.before), "name": change.after.name,
            "office": change.after.office, "phone": change.after.phone, "mobile": change.after.mobile,
            "email": change.after.email,
        }
        for change in filing.changes
    ]  # fmt: skip
    context = {"changes": changes, "since": filing.since}
    return LetterOrder(
        LetterKind.FILING, campaign.id, filing.unit.code, "", to, now, filing.stream, context
    )  # fmt: skip


def _in_words(change: Succession) -> str:
    before = f"（原{_names(change.before)}）" if change.before else ""
    return f"{change.after.role}自{change.since}起为{change.after.name}{before}"


def _names(people: Iterable[Contact]) -> str:
    return "、".join(dict.fromkeys(one.name for one in people))
