"""What the receiving servers wrote on top of a message: when they took it, and what they say of its sender."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable

from workflow.adapters.mail import headers
from workflow.domain.authentication import organisation

#: What is read of a field, in bytes.
_LONGEST = 8_000
_BY = re.compile(rb"(?i)(?:^|\s)by\s+([a-z0-9.-]+)")


def received_at(raw: bytes) -> dt.datetime | None:
    """The date of the topmost Received field (RFC 5321 section 4.4), with its zone; None where there is none."""
    for name, value in headers.fields(headers.head(raw)):
        if name.lower() == "received":
            return headers.moment(value.rpartition(b";")[2].strip())
    return None


def verdicts(fields: Iterable[tuple[str, bytes]]) -> tuple[str, ...]:
    """The Authentication-Results fields of a header, the newest first and undecoded, down to the first trace field of
    an organisation other than the receiving one: what stands below it came with the message and may be forged.
    """
    found: list[str] = []
    receiver = ""
    for name, value in fields:
        if name == "authentication-results":
            found.append(headers.one_line(headers.decode_bytes(value[:_LONGEST])))
        elif name == "received" and (by := _BY.search(value[:_LONGEST])):
            # A hop inside a server bears a bare name or a number, which belong to no organisation.
            server = organisation(by[1].decode("ascii"))
            receiver = receiver or server
            if server and server != receiver:
                break
    return tuple(found)
