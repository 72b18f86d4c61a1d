"""DKIM signatures (RFC 6376) verified by ourselves, for mailboxes whose server writes no Authentication-Results.

Senders choose where their keys are asked for, so what looking up may cost is bounded: by key, by pass over the mailbox, and
once for an organisation whose servers do not answer.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import cached_property

import dkim
import dns.exception
import dns.resolver

from workflow.adapters.mail.headers import mailboxes
from workflow.domain.authentication import aligned, organisation

#: Finds the TXT record of a name, None where there is none.
Lookup = Callable[..., bytes | None]
#: More signatures than any honest message bears; each costs a look-up.
_MOST = 5
_DOMAIN = re.compile(rb"(?:\A|;)\s*d\s*=\s*([^;\s]+)")


def signed_by(raw: bytes, lookup: Lookup) -> tuple[str, ...]:
    """The domains of the sender's own organisation whose signature of this message holds, in small letters; others vouch for no
    From and are not looked up. One that leaves off the end of the body (`l=`) vouches for no attachment and is passed over.
    Never raises: what cannot be verified, or looked up, vouches for nobody.
    """
    found: list[str] = []
    try:
        message = dkim.DKIM(raw)
        signatures = [value for name, value in message.headers if name.lower() == b"dkim-signature"]
        senders = [value for name, value in message.headers if name.lower() == b"from"]
    except Exception:  # noqa: BLE001 - a reader of hostile headers, which raises whatever it likes
        return ()
    domains = {one.rpartition("@")[2].lower() for value in senders for _, one in mailboxes(value)}
    own = [place for place, value in enumerate(signatures) if _is_own(value, domains)]
    for place in own[:_MOST]:
        try:
            holds = message.verify(place, lookup)
        except Exception:  # noqa: BLE001, S112 - the same, and whatever the look-up raises
            continue
        said = message.signature_fields
        if holds and b"l" not in said:
            found.append(said[b"d"].decode("ascii", "replace").lower())
    return tuple(dict.fromkeys(found))


def _is_own(signature: bytes, senders: Collection[str]) -> bool:
    named = _DOMAIN.search(signature)
    domain = named[1].decode("ascii", "replace").lower() if named else ""
    return any(aligned(domain, sender) for sender in senders)


@dataclass
class Keys:
    """Keys out of the domain name system for one pass over the mailbox: asked of `server` (`address:port`, '' for the machine's
    own), waited for at most `seconds` each and `budget` seconds in all. What was found, or not, is not asked again, nor anything
    more of an organisation whose servers gave no answer in time. None where there is no key, or none in time.
    """

    server: str = ""
    seconds: float = 3.0
    budget: float = 20.0
    _known: dict[bytes, bytes | None] = field(default_factory=dict)
    _silent: set[str] = field(default_factory=set)

    def __call__(self, name: bytes, timeout: float = 0) -> bytes | None:  # noqa: ARG002 - dkim's own bound
        if name not in self._known:
            domain = name.decode("ascii", "replace").rstrip(".").lower()
            signer = domain.rpartition("._domainkey.")[2]
            owner = organisation(signer) or signer
            self._known[name] = None if owner in self._silent else self._ask(domain, owner)
        return self._known[name]

    def _ask(self, domain: str, owner: str) -> bytes | None:
        patience = min(self.seconds, self.budget)
        if patience <= 0:
            return None
        began = time.monotonic()
        try:
            answer = self._resolver.resolve(f"{domain}.", "TXT", lifetime=patience, search=False)
            return next((b"".join(record.strings) for record in answer), None)
        except dns.exception.Timeout:
            self._silent.add(owner)
        except (dns.exception.DNSException, OSError, UnicodeError):
            pass  # no such name, no key there, no name server at all
        finally:
            self.budget -= time.monotonic() - began
        return None

    @cached_property
    def _resolver(self) -> dns.resolver.Resolver:
        host, _, port = self.server.rpartition(":")
        resolver = dns.resolver.Resolver(configure=not self.server)
        if self.server:
            resolver.nameservers, resolver.port = [host.strip("[]")], int(port)
        return resolver


def verifier(server: str, seconds: float, budget: float) -> Callable[[bytes], tuple[str, ...]]:
    """Who signed a message, by the keys of one pass."""
    keys = Keys(server, seconds, budget)
    return lambda raw: signed_by(raw, keys)
