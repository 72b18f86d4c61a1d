"""Gathering: what a decision needs to know, read from the store in a few queries and never one by one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from workflow.adapters.store import Store
from workflow.domain.campaign import Campaign
from workflow.domain.errors import Fault, Refused
from workflow.domain.form import Form
from workflow.domain.matching import key_of
from workflow.domain.receipt_standing import ReceiptStanding
from workflow.domain.registry import Registry
from workflow.domain.roster import Roster, Unit
from workflow.domain.submission import Submission
from workflow.process.appoint import STREAM as CONTACTS
from workflow.process.earlier import earlier_data
from workflow.process.receipts import receipt_stream
from workflow.process.situation import Beside, CaseKey, Policy, Situation


def current_campaign(store: Store) -> Campaign | None:
    """The campaign that was opened last."""
    campaigns = store.campaigns()
    return campaigns[-1] if campaigns else None


def running(store: Store) -> list[Campaign]:
    """The campaigns that are collected side by side, in the order of their opening: the last one opened, and before it those in
    which a level has not reported, of other forms than any later one's.
    """
    found: list[Campaign] = []
    taken: set[str] = set()
    for campaign in reversed(store.campaigns()):
        apart = taken.isdisjoint(campaign.forms)
        if not found or (apart and any(not package.locked for package in store.packages(campaign.id))):
            found.append(campaign)
        taken |= campaign.forms.keys()
    return found[::-1]


def require_campaign(store: Store, name: str = "") -> Campaign:
    """The named campaign, or the last one opened; raises Refused when there is none."""
    campaign = store.campaign(name) if name else current_campaign(store)
    if campaign is None:
        what = f"填报任务 {name}" if name else "填报任务"
        raise Refused(Fault(what, "尚未开启", "请先运行 huizhi open 2026Q4 这样的命令"))
    return campaign


def roster_of(store: Store, campaign: Campaign | None) -> Roster | None:
    """The tree that a campaign is counted by: that of the last day of its period, as far as it is known, whatever a later
    baseline says. Without a campaign the tree that the last change left; None before the first baseline.
    """
    return store.roster(campaign.period.last_day if campaign else None)


def registry_of(store: Store) -> Registry | None:
    """The roster's own business; None before the first baseline."""
    roster = store.roster()
    if roster is None:
        return None
    unreported = [
        one.period.last_day
        for one in running(store)
        if not any(package.version for package in store.packages(one.id))
    ]
    return Registry(
        roster, store.next_numbers(["roster"])["roster"], store.last_change(), min(unreported, default=None),
        tuple(store.affiliations()), tuple(store.problems()),
    )  # fmt: skip


def require_roster(store: Store, campaign: Campaign | None = None) -> Roster:
    """The roster of a campaign, by default the last one opened; raises Refused when none was imported."""
    roster = roster_of(store, campaign or current_campaign(store))
    if roster is None:
        raise Refused(Fault("名册", "尚未导入", "请先运行 huizhi roster import rosters/units.xlsx"))
    return roster


@dataclass(frozen=True, slots=True)
class Scope:
    """What a batch touches: units, the tokens found in it, the Message-IDs it answers, the content digests."""

    units: frozenset[str] = frozenset()
    tokens: frozenset[str] = frozenset()
    message_ids: frozenset[str] = frozenset()
    digests: frozenset[str] = frozenset()


def gather(
    store: Store,
    roster: Roster,
    policy: Policy,
    campaign: Campaign | None,
    forms: Mapping[str, Form],
    scope: Scope,
) -> Situation:
    """The situation around a scope. Units named by a token or by a letter that is answered are drawn in."""
    letters = store.letters_by_message_id(scope.message_ids) if scope.message_ids else {}
    routing = {token for token in scope.tokens if key_of(token) not in policy.retired}
    tokens = store.cases_by_token(routing) if routing else {}
    found = {token: store.book_by_token(token) for token in routing - tokens.keys()}
    books = {token: book for token, book in found.items() if book is not None}
    situation = Situation(
        roster, policy, campaign, forms, letters=letters, books=books,
        contacts=store.next_numbers([CONTACTS])[CONTACTS],
        digests=store.digests(scope.digests) if scope.digests else {},
        tokens={token: ((case.campaign, case.unit, case.form), copy) for token, (case, copy) in tokens.items()},
    )  # fmt: skip
    if campaign is None:
        return situation
    units = {
        *scope.units,
        *(case.unit for case, _ in tokens.values()),
        *(row.unit for row in letters.values()),
    }
    for book in books.values():
        units.update(unit.code for unit in decided_in(roster, book.unit))
    units &= roster.units.keys()
    named = [case for case, _ in tokens.values()]
    cases = [*named, *store.cases(campaign.id, units)]
    versions = _by_case(store.submissions(campaign.id, units))
    replaced = {
        case.unit for case, copy in tokens.values() if copy < case.copy or case.campaign != campaign.id
    }
    # Compared with what comes: all that a reviewer decides on, and what a unit has reported since an old copy.
    compared = {kept[-1].id for (_, unit, _), kept in versions.items() if books or unit in replaced}
    campaigns = {campaign.id, *(case.campaign for case in named)}
    packages = [package for period in sorted(campaigns) for package in store.packages(period)]
    return replace(
        situation,
        cases={(case.campaign, case.unit, case.form): case for case in cases},
        packages={(package.campaign, package.unit): package for package in packages},
        submissions=versions,
        answers={known: kept.answers for known, kept in store.answers(compared).items()} if compared else {},
        earlier=earlier_data(store, campaign, forms, units),
        receipts=_receipts(store, campaign, units),
        accounts=store.account_standings({*units, *(roster.units[code].superior for code in units)}),
        senders=_senders(store, versions) if books else {},
    )


def gather_beside(store: Store, policy: Policy, forms: Mapping[str, Form], scope: Scope) -> Situation:
    """The situation around a scope in every campaign that is running: the last one opened at hand, the others beside it."""
    known = running(store)
    last = known[-1] if known else None
    roster = roster_of(store, last) or Roster({}, ())
    situation = gather(store, roster, policy, last, forms, scope)
    for other in known[:-1]:
        tree = roster_of(store, other) or Roster({}, ())
        more = gather(store, tree, policy, other, forms, scope)
        situation = replace(
            situation,
            cases={**more.cases, **situation.cases},
            packages={**more.packages, **situation.packages},
            submissions={**more.submissions, **situation.submissions},
            answers={**more.answers, **situation.answers},
            earlier={**more.earlier, **situation.earlier},
            receipts={**more.receipts, **situation.receipts},
            senders={**more.senders, **situation.senders},
            beside={**situation.beside, other.id: Beside(other, tree)},
        )
    return situation


def whole(
    store: Store, roster: Roster, policy: Policy, campaign: Campaign, forms: Mapping[str, Form],
    units: Iterable[str], *, with_answers: bool = False,
) -> Situation:  # fmt: skip
    """The situation of the given units without any mail, as the calendar and staff's commands need it."""
    situation = gather(store, roster, policy, campaign, forms, Scope(units=frozenset(units)))
    if not with_answers:
        return situation
    newest = {versions[-1].id for versions in situation.submissions.values()}
    answers = {known: kept.answers for known, kept in store.answers(newest).items()}
    return replace(situation, answers=answers, senders=_senders(store, situation.submissions))


def _senders(store: Store, versions: Mapping[CaseKey, tuple[Submission, ...]]) -> dict[str, str]:
    """Who sent the newest version of each case, by its message."""
    return store.senders({kept[-1].message for kept in versions.values() if kept})


def decided_in(roster: Roster, level: str) -> Iterator[Unit]:
    """The units whose data a workbook of this level decides on or reports: its own package's, and those of packages
    below, which go up first when they are still open.
    """
    yield from roster.members(level)
    for child in roster.packages_below(level):
        yield from decided_in(roster, child.code)


def _by_case(versions: Iterable[Submission]) -> dict[CaseKey, tuple[Submission, ...]]:
    cases: dict[CaseKey, list[Submission]] = {}
    for version in versions:
        cases.setdefault((version.campaign, version.unit, version.form), []).append(version)
    return {key: tuple(kept) for key, kept in cases.items()}


def _receipts(store: Store, campaign: Campaign, units: Collection[str]) -> dict[str, ReceiptStanding]:
    """Where the units' receipts stand, by their streams."""
    if campaign.receipt_due is None:
        return {}
    found = store.receipt_standings(campaign.id, units)
    return {receipt_stream(campaign.id, unit): standing for unit, standing in found.items()}
