"""The desk's hand on reported problems with the roster: looked at, and closed by a decision."""

from __future__ import annotations

import datetime as dt

from workflow.adapters.store import Store
from workflow.domain.affiliation import names
from workflow.domain.errors import Fault, Refused
from workflow.domain.events import Event
from workflow.domain.problems import Problem, top_of
from workflow.domain.roster import Roster


def numbered_problem(store: Store, number: int) -> Problem:
    """The report of a number; raises Refused where there is none."""
    for problem in store.problems():
        if problem.number == number:
            return problem
    raise Refused(Fault(f"名册问题第{number}号", "没有这一号", "请用 huizhi problem list --all 查看编号"))


def close(store: Store, roster: Roster, number: int, by: str, note: str, now: dt.datetime) -> Problem:
    """Close a report with what was decided. A registered 管理员 or 审核员 of its owner may, or of the highest level. Raises Refused."""
    problem = numbered_problem(store, number)
    where = f"名册问题第{number}号"
    faults = []
    if not problem.open:
        when = f"{problem.closed_at:%Y-%m-%d}"
        faults.append(Fault(where, f"已由{problem.closed_by}于{when}办结", "不必再办"))
    if not note.strip():
        faults.append(Fault(where, "没有写明处理结果", "请用 --note 写明，系统将告知反映的单位"))
    may = [code for code in dict.fromkeys((problem.owner, top_of(roster))) if code in roster.units]
    if not any(by in names(roster, code, now.date()) for code in may):
        who = "或".join(roster.units[code].name for code in may)
        faults.append(Fault(where, f"{by}不是登记的办理人员", f"应由{who}的管理员或审核员办结"))
    if faults:
        raise Refused(faults)
    data = {"note": note.strip(), "how": "decision"}
    store.append([Event(problem.stream, 2, "problem.closed", now, by, "cli", data)])
    return problem
