"""A package's history 上报经过 in words: its reports, returns with their 沟通确认 (article 20) and withdrawals (article 19)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workflow.adapters.store import Store
from workflow.domain.campaign import SHANGHAI
from workflow.domain.consultation import Consultation, kept
from workflow.domain.events import Event
from workflow.domain.lifecycle import Package, PackageState
from workflow.domain.replay import instant
from workflow.domain.roster import Roster

_RETURNS = frozenset({"package.returned", "package.withdrawal_granted"})
_REPORTS = frozenset({"package.reported", "package.auto_reported"})


@dataclass(frozen=True, slots=True)
class Returned:
    """How a package was returned: by whom, why, after which talk and until when it is to be reported again. `granted` marks
    a 撤报申请 that was agreed to.
    """

    at: dt.datetime
    by: str
    note: str
    due: dt.datetime | None
    talked: Consultation | None
    granted: bool = False

    @property
    def words(self) -> str:
        """`甲市教育局审核员市审2027年1月9日退回；理由：……；2027年1月8日与李某（电话）沟通确认；限期2027年1月10日24:00`."""
        done = "同意撤报" if self.granted else "退回"
        parts = [f"{self.by}{_day(self.at)}{done}"]
        if self.note:
            parts.append(f"理由：{self.note}")
        if self.talked:
            parts.append(self.talked.words)
        if self.due:
            parts.append(f"限期{until(self.due)}")
        return "；".join(parts)

    def as_json(self) -> dict[str, Any]:
        talked = self.talked
        return {
            "words": self.words, "returned_at": self.at.isoformat(), "by": self.by, "note": self.note, "granted": self.granted,
            "due": self.due.isoformat() if self.due else "",
            "talked_to": talked.whom if talked else "", "talked_at": talked.as_data()["at"] if talked else "",
            "means": talked.means if talked else "",
        }  # fmt: skip


def last_return(history: Iterable[Event]) -> Returned | None:
    """A package's last return, read from its events with their personal payload; None where there was none."""
    events = [event for event in history if event.kind in _RETURNS]
    return _returned(events[-1]) if events else None


def mark(history: Sequence[Event], below: Iterable[Package] = ()) -> str:
    """How a package went up by the calendar after a return: 退回未改 where nothing in it and in the packages `below` has
    changed since, else that it was not reported again in time; '' where neither is so.
    """
    acts = [event for event in history if event.kind in _RETURNS or event.kind in _REPORTS]
    if len(acts) < 3 or acts[-1].kind != "package.auto_reported" or acts[-2].kind not in _RETURNS:
        return ""
    before, returned, now = acts[-3], acts[-2], acts[-1]
    changed = _data_of(before) != _data_of(now) or any(
        package.reported_at is not None and package.reported_at > returned.at for package in below
    )
    return "退回后逾期未重新上报" if changed else "退回未改"


def _data_of(report: Event) -> list[tuple[str, str, str]]:
    return sorted((str(row[0]), str(row[1]), str(row[3] or "")) for row in report.data.get("rows", ()))


def returned(store: Store, roster: Roster, packages: Mapping[str, Package], level: str) -> dict[str, str]:
    """How a level's own package and those directly below were last returned, and what came of it, by unit; `packages` are
    those of the level's branch.
    """
    near = {level, *(child.code for child in roster.packages_below(level))}
    asked = {
        package.stream: code for code, package in packages.items()
        if code in near and (package.version > 1 or package.state is PackageState.RETURNED)
    }  # fmt: skip
    found = {}
    for stream, events in store.told(asked.keys()).items():
        code, last = asked[stream], last_return(events)
        below = [packages[u.code] for u in roster.below(code) if u.code in packages and u.code != code]
        if last is not None:
            found[code] = "；".join(words for words in (mark(events, below), last.words) if words)
    return found


def told(history: Sequence[Event]) -> Iterator[str]:
    """A package's history, a line an event, oldest first."""
    times = 0
    for at, event in enumerate(history):
        act, note = event.kind.removeprefix("package."), str(event.data.get("note") or "")
        reason = f"；理由：{note}" if note else ""
        if act == "opened":
            continue
        if act in {"reported", "auto_reported"}:
            times += 1
            how = "到期自动上报" if act == "auto_reported" else f"{event.actor}上报"
            if words := mark(history[: at + 1]):
                how += f"，{words}"
            moment = instant(event.data.get("as_of")) or event.at
            yield f"{_moment(moment)} 第{times}次上报（{how}）{reason.replace('理由', '说明')}"
        elif event.kind in _RETURNS:
            yield f"{_moment(event.at)} {_returned(event).words}"
        else:
            words = {
                "accepted": "接收", "withdrawal_requested": "申请撤报", "withdrawal_refused": "不同意撤报",
            }.get(act, act)  # fmt: skip
            yield f"{_moment(event.at)} {event.actor}{words}{reason}"


def _returned(event: Event) -> Returned:
    whom = str((event.personal or {}).get("talked_to", ""))
    data = event.data
    return Returned(
        event.at, event.actor, str(data.get("note") or ""), instant(data.get("due")), kept(data.get("talked"), whom),
        event.kind == "package.withdrawal_granted",
    )  # fmt: skip


def until(moment: dt.datetime) -> str:
    """`2027年1月10日24:00`: midnight is the end of the day before."""
    local = moment.astimezone(SHANGHAI)
    if (local.hour, local.minute) == (0, 0):
        return f"{_day(local - dt.timedelta(days=1))}24:00"
    return f"{_day(local)}{local:%H:%M}"


def _day(moment: dt.datetime) -> str:
    local = moment.astimezone(SHANGHAI)
    return f"{local.year}年{local.month}月{local.day}日"


def _moment(moment: dt.datetime) -> str:
    return f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
