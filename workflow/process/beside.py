"""Which of the running campaigns a message, or one of its files, is about; '' leaves the one at hand.

Campaigns that run side by side have different forms, so that a form, a token or a letter answered says which one is meant.
"""

from __future__ import annotations

from collections.abc import Sequence

from workflow.domain.events import Event
from workflow.domain.letters import LetterOrder
from workflow.domain.matching import Sender, asks_withdrawal, confirms_no_change
from workflow.domain.message import Message
from workflow.domain.receipt import ScanReading
from workflow.domain.submission import Reading, ReadOutcome
from workflow.process.correspondence import Secretariat
from workflow.process.situation import CaseKey, Situation


def of_message(
    message: Message, words: str, who: Sender, thread: CaseKey | None, situation: Situation
) -> str:
    """By the case that it answers, else by a letter of ours; words without either are about the campaign in which they can have
    an effect.
    """
    if not situation.beside:
        return ""
    if thread is not None:
        return thread[0]
    for letter in situation.answered(message):
        if letter.campaign in situation.beside:
            return letter.campaign
    if situation.answered(message):
        return ""
    if asks_withdrawal(words):
        locked = [
            key[0] for key, package in situation.packages.items() if package.locked and key[1] in who.units
        ]
        return locked[-1] if locked else ""
    cases = [case for unit in who.units for case in situation.cases_of(unit)]
    if confirms_no_change(words):
        cases = [case for case in cases if (case.unit, case.form) in situation.earlier] or cases
    return cases[0].campaign if cases else ""


def of_part(reading: Reading | None, scanned: ScanReading | None, situation: Situation) -> str:
    """By the token in a file, else by its form; a paper belongs to the campaign that asks for 回执表."""
    if not situation.beside or situation.campaign is None:
        return ""
    if reading is not None and reading.review is not None:
        book = situation.books.get(reading.review.token)
        return book.campaign if book else ""
    if reading is not None and reading.outcome is ReadOutcome.ANSWERS and reading.identity is not None:
        found = situation.tokens.get(reading.identity.token)
        asking = (
            name for name, one in situation.beside.items() if reading.identity.form in one.campaign.forms
        )
        return found[0][0] if found else next(asking, "")
    paper = scanned is not None or (reading is not None and reading.outcome is ReadOutcome.RECEIPT)
    if paper and situation.campaign.receipt_due is None:
        return next((name for name, one in situation.beside.items() if one.campaign.receipt_due), "")
    return ""


def queued(secretariat: Secretariat, orders: Sequence[LetterOrder], situation: Situation) -> list[Event]:
    """The letters of each campaign, written by its own tree."""
    mine = [order for order in orders if order.campaign not in situation.beside]
    events = secretariat.queue(mine, situation.roster)
    for name, one in situation.beside.items():
        theirs = [order for order in orders if order.campaign == name]
        events += secretariat.queue(theirs, one.roster) if theirs else []
    return events
