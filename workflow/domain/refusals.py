"""What a relay's answer means: for this letter, for its recipient, or for everything that the account sends.

A code alone does not tell. The large Chinese providers answer `550` to an address that does not exist and also to the
day's ten-thousandth letter, so their words are looked up first (the reply tables that NetEase and Tencent publish for
senders), then the enhanced status (RFC 3463), and only then the stage of the dialogue and the code (RFC 5321, 4.2).
What nobody can tell apart is tried again before an address is called bad.
"""

from __future__ import annotations

import re
from enum import StrEnum


class Stage(StrEnum):
    """Where in the dialogue the relay answered. `END` is the answer to the whole message, after its final dot."""

    GREETING = "greeting"
    HELLO = "hello"
    LOGIN = "login"
    SENDER = "sender"
    RECIPIENT = "recipient"
    DATA = "data"
    END = "end"


class Verdict(StrEnum):
    """What is to be done about a refusal."""

    LATER = "later"  # this letter again after a while
    UNCLEAR = "unclear"  # this letter again; after several times it has failed
    ADDRESS = "address"  # the recipient is refused for good
    LETTER = "letter"  # this letter is refused for good: its size, its enclosure
    BUSY = "busy"  # nothing from the account for a while
    TODAY = "today"  # nothing from the account until the day is over
    ACCESS = "access"  # the account or its address is not let in: people must see to it

    @property
    def of_account(self) -> bool:
        """Whether the relay refused whoever sends, and not this letter: no letter is to blame."""
        return self in {Verdict.BUSY, Verdict.TODAY, Verdict.ACCESS}


def _words(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


#: The first that is found in the reply decides. What says that the account is meant stands before what is about a letter.
_TABLE: tuple[tuple[re.Pattern[str], Verdict], ...] = (
    # One recipient who is written to by many, or whose mailbox is full: nobody's fault, and it passes.
    (_words(r"\b[45]\.2\.2\b", r"(?<!sending )quota (?:is )?exceeded", r"over ?quota", r"mailbox (?:is )?full",
            r"user is over", r"(?:receiving|接收).{0,30}(?:rate|quickly|频率过高)", r"空间不足", r"邮箱已满"),
     Verdict.LATER),
    # NetEase RP:TRC, MI:STC; Google 5.4.5; the enterprise relays' own words.
    (_words(r"\bRP:TRC\b", r"\bMI:STC\b", r"\b[45]\.4\.5\b", r"daily.{0,30}(?:quota|limit)", r"sending quota exceeded",
            r"(?:quota|limit).{0,20}(?:per|for the|of the) day", r"too many.{0,20}(?:today|per day)", r"[当今]天", r"[当今]日"),
     Verdict.TODAY),
    # NetEase HL:*, MI:*, RP:*; Tencent "frequency limited".
    (_words(r"frequency limited", r"\bHL:(?:REP|ICC|IFC|IFQ|MEP|IHU)\b", r"\bMI:(?:SFQ|CCL|CEL|DMC)\b",
            r"\bRP:(?:QRC|DRC|RCL|CCL|CEL)\b", r"too (?:many|much) (?!fail)[\w ]{0,20}(?:e?mails?|messages|connections?|"
            r"recipients?|errors|commands)", r"rate.?limit", r"throttl", r"too fast", r"sending too", r"bounce attacks",
            r"\b4\.7\.28\b", r"频率", r"频繁"),
     Verdict.BUSY),
    (_words(r"fail authentication", r"auth(?:entication|orization)? (?:is )?(?:required|failed|error)", r"授权码",
            r"\b5\.7\.[89]\b", r"blacklist", r"black (?:ip|mail address)", r"\brbl\b", r"\bWM:BL[IU]\b", r"\bHL:IPB\b",
            r"\bMI:(?:SPB|SPF|DMA|IMF)\b", r"\bDT:SUM\b", r"\bspf\b", r"\bdmarc\b", r"\bRP:FRL\b", r"open ?relay",
            r"relay(?:ing)? (?:access )?(?:is )?(?:denied|not)", r"local user only", r"smtp mx only", r"spam ip",
            r"\bip (?:address )?(?:is )?(?:rejected|hangup|blocked)", r"sender (?:is |address )?(?:rejected|unvalidated)",
            r"host denies (?:the sender|relay)"),
     Verdict.ACCESS),
    (_words(r"\b5\.3\.4\b", r"\b5\.2\.3\b", r"(?:mail|message) ?size", r"too (?:large|long|big)", r"illegal attachment",
            r"virus"),
     Verdict.LETTER),
    # Taken for spam, which one letter may be by accident; a whole campaign of them stops the account.
    (_words(r"\bDT:SPM\b", r"spam", r"content (?:denied|reject)", r"blocked by server", r"垃圾", r"未被许可",
            r"unavailable or access denied"),
     Verdict.UNCLEAR),
    (_words(r"\b5\.1\.[0-36]\b", r"\b5\.2\.1\b", r"user (?:not |un)(?:found|known|exist)", r"unknown user",
            r"no such (?:user|recipient|mailbox|address|person)", r"mailbox (?:not found|unavailable)",
            r"invalid (?:user|recipient|mailbox|address)", r"unavailable mail user", r"unrouteable", r"does ?n[o']t exist",
            r"not exist", r"(?:user|account|mailbox|recipient).{0,40}(?:suspended|disabled|locked|inactive)",
            r"does not have an account", r"(?:domain|host) not found", r"不存在", r"停用", r"冻结", r"不是合格的电子邮箱地址"),
     Verdict.ADDRESS),
)  # fmt: skip
#: An address may hold any word.
_ADDRESS = re.compile(r"[^\s<>：]+@[^\s<>]+")
#: What a relay says when one connection has carried enough; another one goes on.
_NEW_CONNECTION = _words(
    r"\bMI:DMC\b", r"\bRP:DRC\b", r"(?:messages|mails) (?:per|for this) (?:session|connection)"
)


def ends_connection(reply: str) -> bool:
    """Whether the relay takes more only over a new connection."""
    return reply.startswith("421") or bool(_NEW_CONNECTION.search(reply))


def verdict(stage: Stage, reply: str) -> Verdict:
    """What is to be done about a refusal; `reply` is the relay's answer on one line, its code first."""
    if _NEW_CONNECTION.search(reply):
        return Verdict.LATER
    found = _looked_up(reply)
    if stage in {Stage.GREETING, Stage.HELLO, Stage.LOGIN}:
        return _of_connection(stage, reply, found)
    if not reply.startswith("5"):
        return _for_now(stage, reply, found)
    if found is not None:
        return found
    if stage is Stage.SENDER:
        return Verdict.LETTER if reply.startswith("552") else Verdict.ACCESS
    return Verdict.LETTER if reply.startswith("552") and stage is Stage.END else Verdict.UNCLEAR


def _looked_up(words: str) -> Verdict | None:
    said = _ADDRESS.sub(" ", words)
    return next((meaning for pattern, meaning in _TABLE if pattern.search(said)), None)


def _of_connection(stage: Stage, reply: str, found: Verdict | None) -> Verdict:
    """Before the first letter everything is about the account."""
    if found in {Verdict.BUSY, Verdict.TODAY}:
        return found
    return Verdict.ACCESS if stage is Stage.LOGIN and reply.startswith("5") else Verdict.BUSY


def _for_now(stage: Stage, reply: str, found: Verdict | None) -> Verdict:
    """A refusal for now, or an answer that is none: what would be for good is for later."""
    if found is not None and found.of_account:
        return found
    return Verdict.BUSY if stage is Stage.SENDER or reply.startswith("421") else Verdict.LATER


def address_is_bad(notice: str) -> bool:
    """Whether a notice of non-delivery, the receiving server's words in it, blames the address rather than the sender or
    the letter. Notices are wordy: an address that is no more counts also where spam is mentioned as a possible reason.
    """
    said = _ADDRESS.sub(" ", notice)
    found = {meaning for pattern, meaning in _TABLE if pattern.search(said)}
    if any(meaning.of_account for meaning in found):
        return False
    return Verdict.ADDRESS in found or not found & {Verdict.LETTER, Verdict.UNCLEAR}
