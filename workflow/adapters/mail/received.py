"""When a server received a message, by its own trace fields."""

from __future__ import annotations

import datetime as dt

from workflow.adapters.mail import headers


def received_at(raw: bytes) -> dt.datetime | None:
    """The date of the topmost Received field (RFC 5321 section 4.4), with its zone; None where there is none."""
    block, _ = headers.split(raw)
    for name, value in headers.fields(block):
        if name.lower() == "received":
            return headers.moment(value.rpartition(b";")[2].strip())
    return None
