"""When the tree of units may change: never behind what was reported, and not under what is being asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping

from workflow.adapters.store import Store
from workflow.domain.campaign import Campaign, OwnDays, Period
from workflow.domain.errors import Fault
from workflow.domain.roster import Unit
from workflow.domain.roster_changes import Applied, tree_after
from workflow.process.gather import running

#: A day further ahead is a year mistyped.
_AHEAD = dt.timedelta(days=190)
#: Of the units that a refusal names one by one.
_NAMED = 20


def day_faults(store: Store, since: dt.date, today: dt.date) -> Iterator[Fault]:
    """Why a change of the tree cannot hold from a day."""
    where = f"生效日期 {since}"
    ahead = since > today and (since.day, since.month) not in {(1, 1), (1, 4), (1, 7), (1, 10)}
    if ahead or since > today + _AHEAD:
        remedy = f"请填写不晚于今天的日期，或者下一季度的首日 {next_quarter(today)}"
        yield Fault(where, "还没有到，也不是即将开始的季度的首日", remedy)
    last = store.last_change()
    if last is not None and since < last:
        yield Fault(where, f"早于名册上一次变更的生效日期 {last}", f"请用 --from {last} 或更晚的日期")
    for campaign in store.campaigns():
        if since <= campaign.period.last_day and _reported(store, campaign):
            remedy = f"请用 --from {_after(campaign)} 或更晚的日期，已上报的名册、数据保持原样"
            yield Fault(where, f"在填报任务 {campaign.id} 的填报期内，该期已有层级上报", remedy)


def next_quarter(day: dt.date) -> dt.date:
    """The first day of the quarter after a day's."""
    return Period(day.year, (day.month - 1) // 3 + 1).review_day(1)


def _after(campaign: Campaign) -> dt.date:
    return campaign.period.review_day(1)


def earliest(store: Store, today: dt.date) -> dt.date:
    """From when a change holds for which no day was named: today, but in time for a period of which nothing has been reported yet."""
    day = min([today, *(one.period.last_day for one in running(store) if not _reported(store, one))])
    last = store.last_change()
    return max(day, last) if last else day


def _reported(store: Store, campaign: Campaign) -> bool:
    return any(package.version for package in store.packages(campaign.id))


def asked_faults(store: Store, old: Mapping[str, Unit], applied: Applied, since: dt.date) -> list[Fault]:
    """The units that a running campaign asks and that the change would end, or for which there is no package in it."""
    running = [campaign for campaign in store.campaigns() if since <= campaign.period.last_day]
    faults: list[Fault] = []
    for campaign in running:
        packages = {package.unit for package in store.packages(campaign.id)}
        asked = {case.unit for case in store.cases(campaign.id)} | packages
        remedy = f"请保留到本期结束：用 --from {_after(campaign)}，自下一季度起变更"
        after = tree_after(old, applied)
        for code in sorted(asked & set(applied.closed)):
            where = f"单位 {code} {old[code].name}"
            faults.append(Fault(where, f"在填报任务 {campaign.id} 中，而新名册没有它", remedy))
        for unit in after.values():
            if unit.kind.reports and unit.code not in packages and not _only_some(campaign):
                what = f"是新的上报层级，而填报任务 {campaign.id} 已经开启"
                faults.append(Fault(f"单位 {unit.code} {unit.name}", what, remedy))
            elif not unit.kind.reports and unit.code in packages:
                what = f"在填报任务 {campaign.id} 中是上报层级，不能中途改为{unit.kind}"
                faults.append(Fault(f"单位 {unit.code} {unit.name}", what, remedy))
    return _shortened(faults)


def _only_some(campaign: Campaign) -> bool:
    """Whether a campaign may leave whole branches out, so that a level without a package is no new one."""
    return isinstance(campaign.period, OwnDays)


def _shortened(faults: list[Fault]) -> list[Fault]:
    if len(faults) <= _NAMED:
        return faults
    rest = Fault("名册", f"另有 {len(faults) - _NAMED} 个单位有同样的问题", faults[0].remedy)
    return [*faults[:_NAMED], rest]


def mass_closing(old: Mapping[str, Unit], closed: Iterable[str]) -> Fault | None:
    """A baseline that ends a third of all units or more is taken for a cut file until somebody says that it is not."""
    count = len(set(closed))
    if not count or 3 * count < len(old):
        return None
    what = f"将撤销 {count} 个单位，占现有 {len(old)} 个的 {count / len(old):.0%}"
    remedy = "请核对文件是否完整；确属实际情况的，请加 --yes-really 并用 --note 写明理由"
    return Fault("基准数据", what, remedy)
