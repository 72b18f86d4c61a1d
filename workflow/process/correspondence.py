"""Letters from orders: words rendered, workbooks enclosed, bytes and Message-ID fixed, kept in the outbox and queued.

An order is what a decision wants said; the event `letter.queued` goes into the decision's own transaction, and its id is made
from what it is about, so that an order decided twice is one letter.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from workflow.adapters.files import Files
from workflow.adapters.letters import LetterTemplates
from workflow.adapters.workbook.annotate import annotate
from workflow.adapters.workbook.master import CompiledForm
from workflow.adapters.workbook.problems import ReturnSummary
from workflow.adapters.workbook.receipt import stamp_receipt
from workflow.adapters.workbook.stamp import stamp
from workflow.domain.campaign import Campaign
from workflow.domain.events import Event
from workflow.domain.letters import (
    PRIORITY,
    Enclosure,
    FreshCopy,
    KeptFile,
    LetterOrder,
    ReceiptForm,
    SealedBook,
)
from workflow.domain.roster import Role, Roster, Unit
from workflow.domain.submission import CopyIdentity
from workflow.process.press import Draft, Press, Printed
from workflow.process.situation import SYSTEM


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Who writes, from config.toml: the name and address of the mailbox, 署名, and the line with whom to ask."""

    name: str
    address: str
    issuer: str
    contact_line: str = ""

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2]


@dataclass(frozen=True)
class Secretariat:
    """What it takes to write letters. `compiled` gives a form by its id in the current campaign's own version,
    `campaign` a campaign by its id, `queued` tells which of some letters' ids are queued already. With a `secret` nobody can guess
    a Message-ID, so that who answers a letter, or sends one back, had it; with `plus_addressing` the token stands in the
    address that answers go to. Letters in bulk are printed in `beside` further processes.
    """

    letterhead: Letterhead
    templates: LetterTemplates
    files: Files
    compiled: Callable[[str], CompiledForm]
    campaign: Callable[[str], Campaign]
    queued: Callable[[Collection[str]], Collection[str]]
    secret: bytes = b""
    plus_addressing: bool = False
    beside: int = 2

    def queue(self, orders: Iterable[LetterOrder], roster: Roster) -> list[Event]:
        """Write the letters, keep their bytes, and give the events that queue them. One that is queued already, by its id,
        is not written again.
        """
        fresh = self._fresh(orders)
        return self._queued(fresh, self._press.printed(self._drafts(fresh, roster)))

    def queue_ahead(
        self, pieces: Iterable[Iterable[LetterOrder]], roster: Roster
    ) -> Generator[list[Event], None, None]:
        """The same piece after piece, for many letters: while the caller has one, the next is being written."""
        waiting: deque[Mapping[str, LetterOrder]] = deque()

        def drafts() -> Iterator[Sequence[Draft]]:
            for orders in pieces:
                waiting.append(self._fresh(orders))
                yield self._drafts(waiting[-1], roster)

        with closing(self._press.printed_ahead(drafts())) as printed:
            for letters in printed:
                yield self._queued(waiting.popleft(), letters)

    @property
    def _press(self) -> Press:
        sender = (self.letterhead.name, self.letterhead.address)
        return Press(self.templates, self.files, sender, self.beside)

    def _fresh(self, orders: Iterable[LetterOrder]) -> dict[str, LetterOrder]:
        """The letters that are not queued yet, by their ids."""
        wanted = {order.id: order for order in orders}
        there = set(self.queued(wanted.keys())) if wanted else set()
        return {known: order for known, order in wanted.items() if known not in there}

    def _queued(self, orders: Mapping[str, LetterOrder], letters: Iterable[Printed]) -> list[Event]:
        return [
            self._queued_event(known, order, letter)
            for (known, order), letter in zip(orders.items(), letters, strict=True)
        ]

    def _queued_event(self, known: str, order: LetterOrder, letter: Printed) -> Event:
        data = {
            "kind": order.kind.value,
            "campaign": order.campaign,
            "unit": order.unit,
            "form": order.form,
            "priority": PRIORITY[order.kind],
            "sha": letter.sha,
            "message_id": self._message_id(known),
        }
        personal = {"to": order.to.email, "name": order.to.name, "subject": letter.subject}
        return Event(f"letter:{known}", 1, "letter.queued", order.at, SYSTEM, order.cause, data, personal)

    def message_id(self, order: LetterOrder) -> str:
        return self._message_id(order.id)

    def _message_id(self, letter: str) -> str:
        return f"<{self._name(letter)}@{self.letterhead.domain}>"

    def _name(self, letter: str) -> str:
        """The letter's name outside, in its Message-ID and X-Huizhi-Letter."""
        if not self.secret:
            return letter
        return f"{letter}.{hmac.new(self.secret, letter.encode(), hashlib.sha256).hexdigest()[:16]}"

    def _answers_to(self, token: str) -> dict[str, str]:
        local, _, domain = self.letterhead.address.rpartition("@")
        return {"Reply-To": f"{local}+{token}@{domain}"} if self.plus_addressing and token else {}

    def _drafts(self, orders: Mapping[str, LetterOrder], roster: Roster) -> list[Draft]:
        campaigns = {name: self.campaign(name) for name in {order.campaign for order in orders.values()}}
        return [
            self._draft(known, order, roster, campaigns[order.campaign]) for known, order in orders.items()
        ]

    def _draft(self, known: str, order: LetterOrder, roster: Roster, campaign: Campaign) -> Draft:
        day = order.at.date()
        attachments = [self._enclose(enclosure, roster, campaign, day) for enclosure in order.enclosures]
        names = [one.name if isinstance(one, KeptFile) else one[0] for one in attachments]
        context: dict[str, Any] = {
            "unit_name": roster.units[order.unit].name,
            "salutation": _salutation(order, roster),
            "issuer": self.letterhead.issuer,
            "contact_line": self.letterhead.contact_line,
            "date": day,
            "period_name": campaign.period.name,
            "auto_report": campaign.auto_report,
            "campaign": order.campaign,
            "token": order.token,
            "replaced": "",
            "attachments": names,
            "relay_for": roster.units[order.to.relay_for].name if order.to.relay_for else "",
            **order.context,
        }
        headers = {"X-Huizhi-Letter": self._name(known), **self._answers_to(order.token)}
        if order.reply_to:
            headers |= {"In-Reply-To": order.reply_to, "References": order.reply_to}
        to = (order.to.name, order.to.email)
        return Draft(order.kind.value, context, to, order.at, self._message_id(known), headers, attachments)

    def _enclose(
        self, enclosure: Enclosure, roster: Roster, campaign: Campaign, day: dt.date
    ) -> tuple[str, bytes] | KeptFile:
        if isinstance(enclosure, KeptFile):
            return enclosure
        if isinstance(enclosure, SealedBook):
            return enclosure.name, enclosure.data
        unit = roster.units[enclosure.unit]
        if isinstance(enclosure, ReceiptForm):
            name = f"负责人回执表_{unit.name}.xlsx"
            people = [person for role in Role for person in roster.people(unit.code, role, day)]
            return name, stamp_receipt(unit, campaign.id, enclosure.token, people)
        compiled = self.compiled(enclosure.form)
        identity = CopyIdentity(
            campaign.id, unit.code, enclosure.form, compiled.form.version, enclosure.copy, enclosure.token
        )
        printed = printed_texts(unit, campaign, identity)
        name = f"{compiled.form.title}_{unit.name}_{campaign.id}.xlsx"
        if isinstance(enclosure, FreshCopy):
            return name, stamp(compiled, identity, printed, enclosure.answers, enclosure.previous)
        summary = ReturnSummary(
            unit.name, campaign.period.name, enclosure.due, enclosure.note, enclosure.times
        )
        return name, annotate(
            compiled,
            identity,
            printed,
            enclosure.answers,
            enclosure.findings,
            summary,
            enclosure.previous,
        )


def printed_texts(unit: Unit, campaign: Campaign, identity: CopyIdentity) -> Mapping[str, str]:
    """What the @ tags of a form print in a unit's copy (docs/forms.md)."""
    return {
        "单位名称": unit.name,
        "单位代码": unit.code,
        "填报期": campaign.period.name,
        "任务": campaign.id,
        "截止日期": _day(campaign.period.last_day),
        "副本": str(identity.copy),
        "令牌": identity.token,
    }


def _day(day: dt.date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def _salutation(order: LetterOrder, roster: Roster) -> str:
    """Whom the letter addresses: the office, by the name of the recipient's own unit."""
    return roster.units[order.to.unit].name if order.to.unit in roster.units else order.to.name
