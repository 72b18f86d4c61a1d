"""沟通确认: with whom, when and by what means an objection was talked over before a reported package is returned, and until
when the level below is to report again (article 20 of the 管理办法).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workflow.domain.campaign import SHANGHAI, midnight
from workflow.domain.days import day_of_serial, typed_day
from workflow.domain.lifecycle import NotAllowed
from workflow.domain.numerals import bare

_CLOCK = re.compile(r"(上午|下午|晚上|晚)?(\d{1,2})(?:[:：]|时|点)(?:(\d{1,2})分?|(半))?(?::\d{2}(?:\.0+)?)?")
_WITHOUT_YEAR = re.compile(r"(\d{1,2})月(\d{1,2})[日号]?")
_DAY = re.compile(r".*?(?:[日号]|\d{4}[./\-、]\d{1,2}[./\-、]\d{1,2})(?=[\sT]|上午|下午|晚|\d|$)")


@dataclass(frozen=True, slots=True)
class Talk:
    """What stands in the fields of 沟通确认, as it was typed: 沟通对象, 沟通时间, 沟通方式 and 限期. A blank is ''."""

    whom: str = ""
    when: str = ""
    means: str = ""
    due: str = ""


NO_TALK = Talk()


@dataclass(frozen=True, slots=True)
class Consultation:
    """A 沟通确认 on record. `time` is Asia/Shanghai's, None where only the day was given; `means` may be blank. `whom` is
    personal and may have been erased since: then it is blank.
    """

    whom: str
    day: dt.date
    time: dt.time | None = None
    means: str = ""

    @property
    def words(self) -> str:
        """`2027年1月8日10:30与李某（电话）沟通确认`."""
        clock = f"{self.time:%H:%M}" if self.time else ""
        means = f"（{self.means}）" if self.means else ""
        whom = self.whom or "（姓名已清除）"
        return f"{_words(self.day)}{clock}与{whom}{means}沟通确认"

    def as_data(self) -> dict[str, str]:
        """The impersonal part as an event keeps it; `whom` belongs to the personal payload."""
        clock = f"T{self.time:%H:%M}" if self.time else ""
        return {"at": f"{self.day.isoformat()}{clock}", "means": self.means}


def kept(data: Mapping[str, Any] | None, whom: str) -> Consultation | None:
    """A consultation from an event's `data.talked`; None where there was none."""
    if not data:
        return None
    day, _, clock = str(data["at"]).partition("T")
    time = dt.time.fromisoformat(clock) if clock else None
    return Consultation(whom, dt.date.fromisoformat(day), time, str(data.get("means", "")))


def consulted(talk: Talk, at: dt.datetime, reported_at: dt.datetime | None) -> Consultation:
    """The 沟通确认 that a return at `at` of data reported at `reported_at` rests on; raises NotAllowed with the one reason
    where it is missing or cannot be.
    """
    missing = [
        name for name, words in (("沟通对象", talk.whom), ("沟通时间", talk.when)) if not words.strip()
    ]
    if missing:
        words = "、".join(missing)
        raise NotAllowed(f"退回下级上报数据须先与下级沟通确认（管理办法第二十条），请填写{words}")
    today = at.astimezone(SHANGHAI).date()
    day, time = moment_typed(talk.when, today, "沟通时间")
    moment = midnight(day) if time is None else dt.datetime.combine(day, time, SHANGHAI)
    if moment > at:
        raise NotAllowed(f"沟通时间{_words(day)}在退回之后，请核对后填写实际沟通的时间")
    # A report by the calendar is dated 24:00, the very beginning of the next day.
    if reported_at is not None and day < (reported_at - dt.timedelta(seconds=1)).astimezone(SHANGHAI).date():
        reported = _words(reported_at.astimezone(SHANGHAI).date())
        raise NotAllowed(f"沟通时间{_words(day)}早于该单位上报时间{reported}，请核对后填写实际沟通的时间")
    return Consultation(talk.whom.strip()[:100], day, time, talk.means.strip()[:50])


def due_typed(talk: Talk, at: dt.datetime, latest: dt.datetime | None) -> dt.datetime | None:
    """The end of the day in the 限期 field, None where it is blank; raises NotAllowed when it is over already or after
    `latest`, the moment at which the level that returns goes up itself (None: no such moment).
    """
    if not talk.due.strip():
        return None
    today = at.astimezone(SHANGHAI).date()
    day, _ = moment_typed(talk.due, today, "限期")
    due = midnight(day + dt.timedelta(days=1))
    if due <= at:
        raise NotAllowed(f"限期{_words(day)}已过，请另定限期")
    if latest is not None and due > latest > at:
        last = _words((latest - dt.timedelta(seconds=1)).astimezone(SHANGHAI).date())
        raise NotAllowed(f"限期{_words(day)}晚于本级上报截止日{last}，请定在截止日或者之前")
    if day - today > _LONGEST:
        raise NotAllowed(f"限期{_words(day)}过远，请核对年份")
    return due


#: Longer than a quarter is no 限期 but a slip of the year.
_LONGEST = dt.timedelta(days=92)


def moment_typed(text: str, today: dt.date, what: str) -> tuple[dt.date, dt.time | None]:
    """Day and time of day as people type them; where the year is left out, the nearest such day.
    Midnight is no time of day: it is how a spreadsheet keeps a day. Raises NotAllowed.
    """
    words = bare(text)
    found = _DAY.match(words)
    head, rest = (words[: found.end()], words[found.end() :]) if found else (words, "")
    day = _day(head, today)
    clock = _CLOCK.fullmatch(rest.strip(" T　")) if rest.strip(" T　") else None
    if day is None or (rest.strip(" T　") and clock is None):
        raise NotAllowed(f"{what}“{text.strip()[:30]}”无法识别，请写成“{_words(today)}”的样子")
    if clock is None:
        return day, None
    hour, minute = int(clock[2]), 30 if clock[4] else int(clock[3] or 0)
    if clock[1] in {"下午", "晚上", "晚"} and hour < 12:
        hour += 12
    if hour > 23 or minute > 59:
        raise NotAllowed(f"{what}“{text.strip()[:30]}”的钟点无法识别，请写成“{_words(today)} 10:30”的样子")
    return day, dt.time(hour, minute) if hour or minute else None


def _day(text: str, today: dt.date) -> dt.date | None:
    short = _WITHOUT_YEAR.fullmatch(text.replace(" ", ""))
    if short is None:
        return typed_day(text) or (
            day_of_serial(int(text), since_1904=False) if re.fullmatch(r"\d{5}", text) else None
        )
    days = []
    for year in (today.year - 1, today.year, today.year + 1):
        try:
            days.append(dt.date(year, int(short[1]), int(short[2])))
        except ValueError:
            continue
    return min(days, key=lambda day: abs(day - today), default=None)


def _words(day: dt.date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
