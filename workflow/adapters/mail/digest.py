"""When two deliveries are one message: the digest of all that the sender wrote."""

from __future__ import annotations

import hashlib

from workflow.adapters.mail import headers

#: What servers and mailboxes add or change on the way: RFC 5321 and 5322 trace fields, signatures, verdicts, flags.
TRACE = frozenset(
    {
        *("received", "return-path", "delivered-to", "x-original-to", "envelope-to", "delivery-date"),
        *("dkim-signature", "domainkey-signature", "authentication-results", "received-spf", "x-received"),
        *("status", "x-status", "x-keywords", "x-uid", "x-imapbase", "x-mozilla-status", "x-mozilla-status2"),
        *("x-mozilla-keys", "content-length", "lines", "x-envelope-from", "x-envelope-to", "x-delivered-to"),
        *("x-virus-scanned", "x-virus-status", "x-rspamd-queue-id", "x-rspamd-server"),
    }
)
_TRACE_PREFIXES = (
    "arc-",
    "x-spam",
    "x-dspam",
    "x-ms-exchange-organization-",
    "x-google-",
    "x-coremail-",
    "x-cm-",
)


def content_digest(raw: bytes) -> str:
    """SHA-256, in hex, of a message's body and headers without trace fields; equal for two deliveries of one.

    Header order counts, folding and line ends do not, nor do empty lines at the end.
    """
    head, body = headers.split(raw)
    found = hashlib.sha256()
    for name, value in headers.fields(head):
        if name not in TRACE and not name.startswith(_TRACE_PREFIXES):
            found.update(b"%s:%s\n" % (name.encode("ascii"), b" ".join(value.split())))
    # Lines that are no fields count too: otherwise all garbage without a header would be one message.
    found.update(headers.beside_fields(head) + b"\n")
    found.update(headers.unix_lines(body).rstrip(b"\r\n"))
    return found.hexdigest()
