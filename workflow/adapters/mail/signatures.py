"""DKIM signatures (RFC 6376) verified by ourselves, for mailboxes whose server writes no Authentication-Results."""

from __future__ import annotations

from collections.abc import Callable

import dkim
import dkim.dnsplug

#: Finds the TXT record of a name, None where there is none.
Lookup = Callable[..., bytes | None]
#: More signatures than any honest message bears; each costs a look-up.
_MOST = 5


def signed_by(raw: bytes, lookup: Lookup) -> tuple[str, ...]:
    """The domains whose signature of this message holds, in small letters. One that leaves off the end of the body (`l=`) vouches
    for no attachment and is passed over. Never raises: what cannot be verified, or looked up, vouches for nobody.
    """
    found: list[str] = []
    try:
        message = dkim.DKIM(raw, timeout=_SECONDS)
        count = sum(name.lower() == b"dkim-signature" for name, _ in message.headers)
    except Exception:  # noqa: BLE001 - a reader of hostile headers, which raises whatever it likes
        return ()
    for place in range(min(count, _MOST)):
        try:
            holds = message.verify(place, lookup)
        except Exception:  # noqa: BLE001, S112 - the same, and whatever the look-up raises
            continue
        fields = message.signature_fields
        if holds and b"l" not in fields:
            found.append(fields[b"d"].decode("ascii", "replace").lower())
    return tuple(dict.fromkeys(found))


_SECONDS = 5


def from_dns(name: bytes, timeout: int = _SECONDS) -> bytes | None:
    """The TXT record as the domain name system has it."""
    record: bytes | None = dkim.dnsplug.get_txt(name, timeout)
    return record
