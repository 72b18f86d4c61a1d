"""A message 邮件 as the office sees it: who wrote, what is attached, and where the mailbox holds it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sighting:
    """One place where a message was seen: `uid` in `folder` of `account`, valid while `uidvalidity` is the same.

    `internal_date` is the moment at which the mailbox server received it, with its zone: what deadlines go by.
    """

    account: str
    folder: str
    uidvalidity: int
    uid: int
    internal_date: dt.datetime

    def as_data(self) -> dict[str, object]:
        """Where it was seen, as the ledger writes it."""
        return {
            "account": self.account, "folder": self.folder, "uidvalidity": self.uidvalidity, "uid": self.uid,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fetched:
    """A message as the mailbox gave it, byte for byte, and where it was seen."""

    sighting: Sighting
    raw: bytes


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a message. `index` counts from 0 through the whole message, files of forwarded messages included.

    `name` is the bare file name ('' if none was given), `content_type` is lower-case and only the sender's claim;
    `inline` marks a picture that is part of the letter's text, such as a signature.
    """

    index: int
    name: str
    content_type: str
    data: bytes
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Bounce:
    """A notice that a letter was not delivered. `original_message_id` has its angle brackets, '' if not told.

    `permanent` is false for a delay: the server will try again and nothing is lost yet. `text` is the notice's
    own explanation; `full` says that the mailbox has no room, so that the address is good; `letter` is the X-Huizhi-Letter
    of what came back, '' if not told.
    """

    original_message_id: str
    recipients: tuple[str, ...]
    permanent: bool
    text: str
    full: bool = False
    letter: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """A message, decoded; every text is what a reader would see.

    `in_reply_to` has the ids of In-Reply-To, then those of References from the nearest to the oldest, all with
    their angle brackets and none twice. `sender` is the one address of the one From header with its domain in
    lower case, and '' when there is none or more than one. `to` has those of To and Cc, and where the server says that it delivered.
    `auto` is '', 'auto_reply', 'read_receipt' or 'bounce'. `letter` is
    the value of X-Huizhi-Letter, which our own letters bear and which anybody can copy. `text` is made from
    `html` when there is no plain text. `auth_results` has the Authentication-Results headers that the receiving
    organisation itself put on, the newest first and as they came: what stands below another organisation's trace field was
    there before, and encoded words in them are no words. `signed_by` has the domains whose DKIM signature we verified.
    """

    message_id: str = ""
    in_reply_to: tuple[str, ...] = ()
    sender: str = ""
    sender_name: str = ""
    to: tuple[str, ...] = ()
    subject: str = ""
    date: dt.datetime | None = None
    auto: str = ""
    bounce: Bounce | None = None
    letter: str = ""
    text: str = ""
    html: str = ""
    attachments: tuple[Attachment, ...] = ()
    auth_results: tuple[str, ...] = ()
    signed_by: tuple[str, ...] = ()
