"""What no person wrote: notices of failed delivery, and automatic replies."""

from __future__ import annotations

import email
import logging
import re
from collections.abc import Mapping, Sequence

from flufl.bounce import all_failures

from workflow.adapters.mail import headers
from workflow.adapters.mail.tree import Part
from workflow.domain.message import Bounce

_POSTMASTER = re.compile(r"(?i)\b(mailer-?daemon|postmaster|mail-?deliver\w*|bounces?|mdaemon)\b")
_FAILED = re.compile(
    r"(?i)退信|投递失败|退回|无法(送达|投递)|发送失败|undeliver|delivery (status|failure|has failed|incomplete|delayed)"
    r"|returned mail|mail delivery|failure notice|delivery notification|could not send"
)
_DELAYED = re.compile(
    r"(?i)delayed|延迟|延误|暂时|will (keep|continue) (trying|to)|warning: (message|could not)"
)
_AUTOMATIC = re.compile(
    r"(?i)\s*[\[【(（]?\s*(自动回复|自动答复|自動回覆|auto[- ]?(reply|response)|automatic(ally)? (reply|response)"
    r"|out of (the )?office|外出自动回复)"
)
_ADDRESS = re.compile(r"[A-Za-z0-9._%+=-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_MESSAGE_ID = re.compile(r"(?im)^[ \t>]*message-id:\s*(<[^<>\s]+>)")
_ACTION = re.compile(rb"(?im)^action:\s*(\w+)")

# flufl.bounce tells each detector's name at INFO, and a traceback at ERROR for what we catch ourselves.
logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)


def bounce(
    raw: bytes, root: Part, fields: Mapping[str, Sequence[bytes]], sender: str, text: str
) -> Bounce | None:
    """The notice of a failed or delayed delivery that this message is, or None.

    Asked of every message, so the cheap signs come first: the reading proper is done only for what a postmaster
    sent, what has no return path or what is a delivery report by its type.
    """
    report = root.content_type == "multipart/report"
    return_path = fields.get("return-path", (b"",))[0]
    # A mailer-daemon without a domain is no sender, but still a mailer-daemon.
    if not (report or return_path == b"<>" or _POSTMASTER.search(sender or _first(fields, "from"))):
        return None
    parts = tuple(root.walk())
    if any(part.content_type == "message/disposition-notification" for part in parts):
        return None  # a read receipt, whatever its subject quotes
    subject = _first(fields, "subject")
    status = next((part.data for part in parts if part.content_type == "message/delivery-status"), b"")
    temporary, permanent = _failures(raw)
    if not temporary and not permanent:
        if not _FAILED.search(subject) or _only_good_news(status):
            return None
        # Chinese providers' notices follow no standard: whom they name is whom they could not reach.
        named = tuple(
            dict.fromkeys(found.lower() for found in _ADDRESS.findall(text) if found.lower() != sender)
        )
        actions = {action.lower() for action in _ACTION.findall(status)}
        delayed = bool(_DELAYED.search(subject)) or (bool(actions) and b"failed" not in actions)
        return Bounce(_original_id(parts, text), named[:1], not delayed, text)
    recipients = tuple(sorted(permanent or temporary))
    return Bounce(_original_id(parts, text), recipients, bool(permanent), text)


def _failures(raw: bytes) -> tuple[set[str], set[str]]:
    """Whom flufl.bounce finds: (delayed, failed for good)."""
    try:
        temporary, permanent = all_failures(email.message_from_bytes(raw))
    except Exception:  # noqa: BLE001 - heuristics over hostile text; a notice that breaks them is still a message
        return set(), set()
    return {headers.decode_bytes(a).lower() for a in temporary}, {
        headers.decode_bytes(a).lower() for a in permanent
    }


def _only_good_news(status: bytes) -> bool:
    actions = {match.lower() for match in _ACTION.findall(status)}
    return bool(actions) and actions <= {b"delivered", b"relayed", b"expanded"}


def _original_id(parts: Sequence[Part], text: str) -> str:
    """The Message-ID of the letter that came back: from the returned message or headers, else from the words."""
    for part in parts:
        if part.content_type in {"message/rfc822", "text/rfc822-headers", "message/global"} and part.data:
            for name, value in headers.fields(headers.split(part.data)[0]):
                if name == "message-id" and (found := headers.ids(value)):
                    return found[0]
    quoted = _MESSAGE_ID.search(text)
    return quoted[1] if quoted else ""


def auto_reply(root: Part, fields: Mapping[str, Sequence[bytes]], *, has_files: bool) -> bool:
    """Whether a machine answered: by its headers, by a report's type (a read receipt), or by its subject.

    A subject alone proves nothing of a message that carries files: people answer their own automatic replies.
    X-Auto-Response-Suppress only asks others not to answer and says nothing about who wrote.
    """
    if root.content_type == "multipart/report":
        return True
    submitted = _first(fields, "auto-submitted").lower()
    if submitted and submitted.partition(";")[0].strip() != "no":
        return True
    if any(
        _first(fields, name) for name in ("x-autoreply", "x-autorespond", "x-auto-reply", "x-autoreply-from")
    ):
        return _first(fields, "x-autoreply").lower() != "no"
    if _first(fields, "precedence").lower() in {"auto_reply", "auto-reply"}:
        return True
    return not has_files and bool(_AUTOMATIC.match(_first(fields, "subject")))


def _first(fields: Mapping[str, Sequence[bytes]], name: str) -> str:
    return headers.text(fields[name][0]) if fields.get(name) else ""
