"""The names and addresses of the demo's mail."""

from __future__ import annotations

from enum import Enum

HOST = "127.0.0.1"
SYSTEM = "huizhi@huizhi.test"
UNITS = "units@huizhi.test"
#: The relay refuses a recipient of this domain with 550; mail to the other it takes and bounces afterwards.
NOBODY, MOVED = "nobody.test", "moved.test"


class End(Enum):
    """What becomes of mail to an address."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    BOUNCED = "bounced"


def by_domain(address: str) -> End:
    """Any address under .test is delivered, but none of NOBODY and MOVED and none outside."""
    domain = address.rpartition("@")[2].lower()
    if domain == MOVED:
        return End.BOUNCED
    return End.DELIVERED if domain.endswith(".test") and domain != NOBODY else End.REFUSED
