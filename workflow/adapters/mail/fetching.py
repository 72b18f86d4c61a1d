"""What imaplib hands back for a FETCH, made into messages.

It gives a flat list: for each response either one line of bytes or, where a literal stands in it, pairs of (line up
to the literal, literal) and the rest of the line. Responses come in any order, and others that nobody asked for
(new flags) stand between them.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

_START = re.compile(rb"\d+ \(")
_UID = re.compile(rb"(?i)[ (]UID (\d+)")
_SIZE = re.compile(rb"(?i)[ (]RFC822\.SIZE (\d+)")
_DATE = re.compile(
    rb'(?i)INTERNALDATE "([ \d]\d)-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)"'
)
_BODY = re.compile(rb"(?i)BODY\[\]$")
_LITERAL = re.compile(rb" ?~?\{\d+\}$")
_QUOTED_BODY = re.compile(rb'(?i)BODY\[\] "((?:[^"\\]|\\.)*)"')
_MONTHS = {
    name: number
    for number, name in enumerate(
        (b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"), 1
    )
}


def sizes(data: Sequence[Any]) -> Iterator[tuple[int, int]]:
    """(uid, octets) of each response that names both."""
    for line in data:
        if isinstance(line, bytes) and (uid := _UID.search(line)) and (size := _SIZE.search(line)):
            yield int(uid[1]), int(size[1])


def messages(data: Sequence[Any]) -> Iterator[tuple[int, dt.datetime, bytes]]:
    """(uid, arrival, bytes) of each response that has all three; others are passed over."""
    for words, body in _responses(data):
        uid, when = _UID.search(words), _DATE.search(words)
        if body is None and (quoted := _QUOTED_BODY.search(words)):
            body = re.sub(rb"\\(.)", rb"\1", quoted[1])
        if uid and when and body is not None:
            yield int(uid[1]), _moment(when), body


def _responses(data: Sequence[Any]) -> Iterator[tuple[bytes, bytes | None]]:
    """Each response as its words without literals, and the literal of its body. Raises ValueError where a message goes on
    behind its end.
    """
    words, body, begun = b"", None, False
    after_body = False
    for item in data:
        line, literal = item if isinstance(item, tuple) else (item, None)
        if not isinstance(line, bytes):
            continue
        if after_body and not line.startswith((b")", b" ")):
            raise ValueError("服务器给出的邮件长度与内容不符")
        if _START.match(line):
            if begun:
                yield words, body
            words, body, begun = b"", None, True
        # A blank keeps what follows a literal apart from what stands before it.
        line = _LITERAL.sub(b"", line) if literal is not None else line
        words += b" " + line
        if literal is not None and _BODY.search(line):
            body = literal
            after_body = True
            continue
        after_body = False
    if begun:
        yield words, body


def _moment(found: re.Match[bytes]) -> dt.datetime:
    day, month, year, hour, minute, second, sign, zone_hours, zone_minutes = found.groups()
    offset = dt.timedelta(hours=int(zone_hours), minutes=int(zone_minutes))
    zone = dt.timezone(-offset if sign == b"-" else offset)
    at = (int(year), _MONTHS[month.lower()], int(day), int(hour), int(minute), min(int(second), 59))
    return dt.datetime(*at, tzinfo=zone)


def ranges(uids: Iterable[int]) -> list[str]:
    """Uids as IMAP writes them: `3:7` for a run, `9` for one."""
    found: list[tuple[int, int]] = []
    for uid in sorted(set(uids)):
        if found and found[-1][1] == uid - 1:
            found[-1] = (found[-1][0], uid)
        else:
            found.append((uid, uid))
    return [str(first) if first == last else f"{first}:{last}" for first, last in found]


def members(written: str) -> set[int]:
    """The uids of a set such as `3:7,9`."""
    return {
        uid
        for piece in written.split(",")
        for uid in range(int(piece.partition(":")[0]), int(piece.rpartition(":")[2]) + 1)
    }
