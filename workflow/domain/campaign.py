"""A campaign 填报任务 and its calendar (article 18 of the 管理办法).

A period is the quarter whose data are collected; its review windows lie in the first month after it. A one-off collection
专项任务 has days of its own. A day ends at 24:00 Asia/Shanghai, so a window closes at midnight at the start of the day after
its last. Holidays never move it.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from workflow.domain.errors import Fault, Refused
from workflow.domain.roster import Level, Unit

SHANGHAI = ZoneInfo("Asia/Shanghai")

_PERIOD = re.compile(r"(2\d{3})Q([1-4])")
#: How long before its period a campaign may be opened.
_BEFOREHAND = dt.timedelta(days=60)
_QUARTER_WORDS = ("第一季度", "第二季度", "第三季度", "第四季度")

#: Article 18, and the defaults of design section 4 where the notice is silent (universities).
DEFAULT_WINDOWS: Mapping[Level, tuple[int, int]] = {
    Level.COUNTY: (1, 5),
    Level.DIRECT_COUNTY: (1, 5),
    Level.CITY: (6, 10),
    Level.UNIVERSITY: (6, 10),
    Level.PROVINCE: (11, 15),
    Level.MINISTRY_UNIVERSITY: (11, 15),
}


def midnight(day: dt.date) -> dt.datetime:
    """The instant at which a day begins in Asia/Shanghai, which is 24:00 of the day before."""
    return dt.datetime.combine(day, dt.time(), SHANGHAI)


@dataclass(frozen=True, slots=True)
class Period:
    """A quarter, such as 2026Q4."""

    year: int
    quarter: int

    @classmethod
    def parse(cls, text: str) -> Period:
        """Read `2026Q4`; refuses anything else."""
        match = _PERIOD.fullmatch(text.strip().upper())
        if match is None:
            raise Refused(Fault(f"填报任务 {text}", "不是季度代号", "请写成 2026Q4 的样子"))
        return cls(int(match[1]), int(match[2]))

    @property
    def id(self) -> str:
        return f"{self.year}Q{self.quarter}"

    @property
    def name(self) -> str:
        return f"{self.year}年{_QUARTER_WORDS[self.quarter - 1]}"

    @property
    def previous(self) -> Period:
        return Period(self.year - 1, 4) if self.quarter == 1 else Period(self.year, self.quarter - 1)

    @property
    def last_day(self) -> dt.date:
        """The day by which units are asked to reply."""
        return self.review_day(1) - dt.timedelta(days=1)

    @property
    def earliest(self) -> dt.date:
        """The first day on which it may be opened: one mistyped by a year would go up empty, or bar the right one."""
        return self.previous.last_day - _BEFOREHAND

    def review_day(self, day: int) -> dt.date:
        """A day of the first month after the period."""
        if self.quarter == 4:
            return dt.date(self.year + 1, 1, day)
        return dt.date(self.year, self.quarter * 3 + 1, day)


@dataclass(frozen=True, slots=True)
class OwnDays:
    """The calendar of a one-off collection, as config.toml has it: units are asked from `earliest` to `last_day`; `review` is
    the first day of the month in which its windows begin.
    """

    id: str
    name: str
    earliest: dt.date
    last_day: dt.date
    review: dt.date

    def review_day(self, day: int) -> dt.date:
        """A day counted from the first of the month in which the windows begin, into the months before and after it too."""
        return self.review + dt.timedelta(days=day - 1)


Calendar = Period | OwnDays


def is_period(name: str) -> bool:
    """Whether a campaign's id is that of a quarter."""
    return _PERIOD.fullmatch(name.strip().upper()) is not None


@dataclass(frozen=True, slots=True)
class Window:
    """From `opens` until before `closes`, both at midnight Asia/Shanghai."""

    opens: dt.datetime
    closes: dt.datetime

    @property
    def first_day(self) -> dt.date:
        return self.opens.date()

    @property
    def last_day(self) -> dt.date:
        return (self.closes - dt.timedelta(days=1)).date()

    def holds(self, moment: dt.datetime) -> bool:
        return self.opens <= moment < self.closes


@dataclass(frozen=True, slots=True)
class Campaign:
    """One collection. `forms` maps a form's id to the sha256 of the definition it was opened with; `own_windows` are those of
    single units. Without `auto_report` its dates are chased and nothing goes up by itself; `remarks` is what else the notice asks for.
    """

    period: Calendar
    opened_at: dt.datetime
    forms: Mapping[str, str]
    windows: Mapping[Level, tuple[int, int]]
    receipt_due: dt.date | None = None
    auto_report: bool = True
    own_windows: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return self.period.id

    @property
    def reply_due(self) -> dt.datetime:
        """Until when units are asked to reply: the end of the period's last day."""
        return _asked_until(self.period)

    @property
    def over(self) -> dt.date:
        """The last day on which its books may still change."""
        return max(self.period.last_day, self.period.review_day(28))

    def window(self, unit: Unit) -> Window:
        """The review window of a unit that reports up; the campaign's own table, then the roster may override it."""
        first, last = self.own_windows.get(unit.code) or unit.window or self.windows[unit.kind.level]
        opens, last_day = self.period.review_day(first), self.period.review_day(last)
        return Window(midnight(opens), midnight(last_day + dt.timedelta(days=1)))


@functools.cache
def _asked_until(period: Calendar) -> dt.datetime:
    return midnight(
        period.last_day + dt.timedelta(days=1)
    )  # asked once for each of tens of thousands of cases
