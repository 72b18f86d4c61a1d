"""A unit signs for its accounts 签收: its registered people, in answer to our letter, by the table of trust."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from workflow.adapters.store.records import LetterRow
from workflow.domain.accounts import AccountStanding, signs_for
from workflow.domain.events import Event
from workflow.domain.letters import LetterKind
from workflow.domain.matching import Sender, trust_in
from workflow.domain.problems import ACCOUNT_WORDS
from workflow.domain.submission import Bucket
from workflow.domain.trust import Act, Effect, Trust, may
from workflow.process.account_chase import reminder
from workflow.process.situation import SYSTEM, Outcome, Situation
from workflow.process.trust import UNPROVEN

_OURS = frozenset({LetterKind.ACCOUNTS, LetterKind.ACCOUNT_REMINDER})


def answers_accounts(answered: Sequence[LetterRow], words: str) -> bool:
    """Whether words in answer to a letter about accounts sign for them or say what is wrong, whatever files come with them."""
    return any(row.kind in _OURS for row in answered) and signs_for(words) is not None


def sign(
    sha: str, words: str, at: dt.datetime, answered: Sequence[LetterRow], who: Sender, situation: Situation
) -> Outcome | None:
    """What a registered sender's words come to; None where they are not about accounts that are under way."""
    said = signs_for(words)
    letter = next((row for row in answered if row.kind in _OURS), None)
    standing = _meant(letter, words, who, situation) if said is not None else None
    if standing is None or standing.sent_at is None:
        return None
    if letter is not None and letter.queued_at < standing.sent_at:
        return Outcome(bucket=Bucket.REQUEST)  # for what has been replaced since
    if standing.confirmed_at is not None:
        return Outcome(bucket=Bucket.REQUEST)
    if not said:
        return _trouble(sha, at, standing, situation)
    trust = trust_in(situation.roster, who, standing.unit, tied=letter is not None)
    if may(trust, Act.SIGNATURE) is Effect.COUNTS:
        data = {"message": sha, "by_unit": _signer(who, standing.unit)}
        event = Event(standing.stream, standing.events + 1, "account.confirmed", at, SYSTEM, sha, data)
        return Outcome(events=(event,), bucket=Bucket.REQUEST)
    campaign = situation.campaign
    if campaign is None or trust is Trust.FORGED:
        return Outcome(bucket=Bucket.EMPTY)  # what the server refutes is not answered
    above = situation.accounts.get(situation.roster.units[standing.unit].superior)
    doubt = UNPROVEN.get(trust, "来信地址不是名册登记的邮箱")
    order = reminder(situation.roster, campaign, standing, above, at, f"doubt/{at.date()}", doubt)
    return Outcome(letters=(order,) if order else (), bucket=Bucket.EMPTY)


def _meant(letter: LetterRow | None, words: str, who: Sender, situation: Situation) -> AccountStanding | None:
    """The accounts of the letter answered; without one, where the words name accounts, those of the sender's only unit for
    which any are under way.
    """
    if letter is not None:
        return situation.accounts.get(letter.unit)
    if not any(word in words for word in ACCOUNT_WORDS):
        return None
    own = [situation.accounts[code] for code in who.units if code in situation.accounts]
    under_way = [standing for standing in own if standing.outstanding]
    return under_way[0] if len(under_way) == 1 else None


def _signer(who: Sender, unit: str) -> str:
    """The unit for which the sender is registered: the accounts' own, else the one above that passed them on."""
    return unit if unit in who.units else who.units[0]


def _trouble(sha: str, at: dt.datetime, standing: AccountStanding, situation: Situation) -> Outcome:
    """Something is wrong or asked: a matter for staff, and nothing is signed."""
    unit = situation.roster.units[standing.unit]
    matter = f"{unit.name}（{unit.code}）就系统账号来信反映问题，未作签收：请用 huizhi mail show {sha[:12]} 查看并电话答复"
    data = {"unit": unit.code, "accounts": "problem"}
    query = Event("staff", 0, "staff.query", at, SYSTEM, sha, data, {"matter": matter})
    return Outcome(events=(query,), bucket=Bucket.PROBLEM)
