"""China's holidays and make-up workdays, from the `chinesecalendar` library, for the years that it knows."""

from __future__ import annotations

import datetime as dt

import chinese_calendar
from chinese_calendar import constants

from workflow.domain.workdays import Workdays


def says(day: dt.date) -> bool | None:
    """Whether offices work on a day by the State Council's arrangement; None for a year that the library does not know."""
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return None


def workdays() -> Workdays:
    """The working days as far as they are known; beyond, the domain counts Monday to Friday."""
    return Workdays(says)


def known_years() -> tuple[int, int]:
    """The first and the last year whose arrangement the library knows."""
    years = {day.year for day in constants.holidays}
    return min(years), max(years)
