"""Working days 工作日: which days offices are at work, counted from a deadline. Pure: the calendar comes in as a callable.

Windows and deadlines never move for a holiday; only the letters about them are planned on working days.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from workflow.domain.campaign import Window, midnight

#: Letters that nobody waits for go out when an office opens.
OFFICE_OPENS = dt.timedelta(hours=9)
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Workdays:
    """The working days. `says` tells of a day whether offices work on it, None where the State Council's arrangement of
    that year is not known: then Monday to Friday count, and staff are told.
    """

    says: Callable[[dt.date], bool | None] = lambda day: None

    def known(self, day: dt.date) -> bool:
        """Whether the day's holidays and make-up workdays are known."""
        return self.says(day) is not None

    def working(self, day: dt.date) -> bool:
        said = self.says(day)
        return day.weekday() < _SATURDAY if said is None else said

    def moment(self, deadline: dt.datetime, count: int) -> dt.datetime:
        """When an office opens on the `count`-th working day before a deadline at midnight (1: the last one that ends by
        then), or, for a negative count, on the working day so many after it (-1: the first that begins then or later).
        """
        if count == 0:
            raise ValueError("a count of working days is never 0")
        day, step = (deadline.date(), -1) if count > 0 else (deadline.date() - dt.timedelta(days=1), 1)
        for _ in range(abs(count)):
            day += dt.timedelta(days=step)
            while not self.working(day):
                day += dt.timedelta(days=step)
        return midnight(day) + OFFICE_OPENS

    def first(self, window: Window) -> dt.datetime | None:
        """When an office opens on the first working day of a window; None where the window has none (1–5 October)."""
        day = window.first_day
        while day <= window.last_day:
            if self.working(day):
                return midnight(day) + OFFICE_OPENS
            day += dt.timedelta(days=1)
        return None
