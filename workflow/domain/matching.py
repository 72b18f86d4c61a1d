"""Whose mail it is: the token in a workbook, the token in the subject, the thread and the sender, held against each other.

None of them proves anything alone. The token routes, because workbooks and mails are forwarded between people; the sender
tells whether the unit's registered people wrote it; where they disagree, a person is told.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from workflow.domain.roster import Contact, Roster, Unit
from workflow.domain.submission import Bucket

TOKEN = re.compile(r"HZ-[A-Z2-7]{17}")

#: A reply that confirms 无变化 says one of these above the quotation, and not much else.
_NO_CHANGE = re.compile(
    r"(?:本?季度?)?(?:数据|信息|情况|本校数据|我校数据|我单位数据)?(?:与上季度相比)?(?:均?无变化|没有变化|无变动|没有变动)"
)
_NOT_SO = re.compile(
    r"(?:是否|如果?|若|不是|并非|有无|除)[^，。；\n]{0,12}(?:无变化|没有变化|无变动|没有变动)|[?？]"
)
_LONGEST_CONFIRMATION = 120


def make_token(key: bytes, key_id: str, *parts: object) -> str:
    """A routing token: 80 bits of an HMAC over what it names, in base32, behind the key's one-letter id."""
    digest = hmac.new(key, "\n".join(map(str, parts)).encode(), hashlib.sha256).digest()[:10]
    return f"HZ-{key_id}{base64.b32encode(digest).decode()}"


def token_in(text: str) -> str:
    """The first token in a text such as a subject line, '' when there is none."""
    match = TOKEN.search(unicodedata.normalize("NFKC", text).upper())
    return match[0] if match else ""


def confirms_no_change(words: str) -> bool:
    """Whether the words that a person wrote above the quotation confirm 无变化: short, plain and not a question."""
    text = re.sub(r"\s+", "", unicodedata.normalize("NFKC", words))
    if not text or len(text) > _LONGEST_CONFIRMATION:
        return False
    return bool(_NO_CHANGE.search(text)) and not _NOT_SO.search(text)


def asks_withdrawal(words: str) -> bool:
    """Whether the words above the quotation ask for a withdrawal (article 19)."""
    return bool(re.search(r"撤(?:销上)?报申请|申请撤(?:销上)?报", re.sub(r"\s+", "", words)))


def answers_query(words: str) -> Bucket | None:
    """An answer to our question whether a workbook from an unregistered address is the unit's own: `request` for a
    plain 确认, `problem` for a denial; None for anything else.
    """
    text = re.sub(r"[\s，。！!,.]", "", unicodedata.normalize("NFKC", words))
    if re.fullmatch(r"(?:确认|已确认|确认无误|是本单位报送|确认是本单位报送|确认为本单位报送)", text):
        return Bucket.REQUEST
    return Bucket.PROBLEM if "非本单位报送" in text or "不是本单位报送" in text else None


@dataclass(frozen=True, slots=True)
class Sender:
    """Who a message came from, as the roster sees it: `contacts` are empty for an address that is not registered."""

    address: str
    contacts: tuple[Contact, ...]

    @property
    def registered(self) -> bool:
        return bool(self.contacts)

    @property
    def units(self) -> tuple[str, ...]:
        """The codes of the units that the address serves, each once."""
        return tuple(dict.fromkeys(contact.unit for contact in self.contacts))


def sender(roster: Roster, address: str, day: dt.date) -> Sender:
    """Look an address up on the roster as of a day."""
    return Sender(address, roster.known_address(address, day) if address else ())


def speaks_for(roster: Roster, who: Sender, unit: str) -> bool:
    """Whether a registered sender may bring a unit's workbook: the unit's own people or those of a unit above it
    (a 中心校 for its teaching points, a county that collects for its schools).
    """
    served = set(who.units)
    return unit in served or any(above.code in served for above in roster.above(unit))


def authenticated(results: Iterable[str], trusted: str, address: str) -> bool:
    """Whether the receiving server itself vouches for the sender's domain (RFC 8601). `trusted` is that server's
    authserv-id; where it writes no Authentication-Results ('') nothing can be held against the sender.
    """
    if not trusted:
        return True
    domain = address.rpartition("@")[2].lower()
    for result in results:
        server, _, verdicts = result.partition(";")
        if server.split()[:1] != [trusted]:
            continue
        text = " ".join(verdicts.lower().split())
        if re.search(r"\bdmarc=pass\b", text) and _aligned(text, "header.from", domain):
            return True
        if re.search(r"\bdkim=pass\b", text) and _aligned(text, "header.d", domain):
            return True
        return bool(re.search(r"\bspf=pass\b", text)) and _aligned(text, "smtp.mailfrom", domain)
    return False


def _aligned(text: str, key: str, domain: str) -> bool:
    return any(
        found.rpartition("@")[2] == domain for found in re.findall(rf"{re.escape(key)}=([^\s;]+)", text)
    )


def only_unit(roster: Roster, who: Sender, wanted: Iterable[str] = ()) -> Unit | None:
    """The one unit that a sender can mean when no token says: the only one it serves, or of several the only one
    that is `wanted`; None when it stays open.
    """
    units = [code for code in who.units if code in roster.units]
    if len(units) > 1:
        wishes = set(wanted)
        units = [code for code in units if code in wishes]
    return roster.units[units[0]] if len(units) == 1 else None
