"""Failures 处理失败: messages that are kept and on which the program broke; when each is tried again.

A failed message is never counted as done. It is tried again at the next poll, then at growing intervals, so that a fault of
the program costs little while it lasts and mends itself once the program is mended.
"""

from __future__ import annotations

import datetime as dt
import traceback
from pathlib import PurePath

#: Of what the program said when it broke.
_MOST_WORDS = 300
#: From the second failure on; the last interval repeats.
_WAITS = tuple(dt.timedelta(minutes=minutes) for minutes in (5, 15, 60, 240, 720, 1440))


def next_try(tries: int, now: dt.datetime) -> dt.datetime:
    """When a message that has failed so many times, the last time now, is tried again."""
    return now + _WAITS[min(max(tries - 2, 0), len(_WAITS) - 1)]


def is_due(now: dt.datetime, tried_at: dt.datetime, not_before: dt.datetime | None) -> bool:
    """Whether it is a failed message's turn. A clock that was set back keeps nothing waiting: what was tried in the future
    is due.
    """
    return not_before is None or not_before <= now or tried_at > now


def told(fault: Exception) -> str:
    """A fault of the program as an administrator wants to read it, with its place."""
    frames = traceback.extract_tb(fault.__traceback__)
    place = f"（{PurePath(frames[-1].filename).name} 第 {frames[-1].lineno} 行）" if frames else ""
    return f"{type(fault).__name__}: {fault}"[:_MOST_WORDS] + place
