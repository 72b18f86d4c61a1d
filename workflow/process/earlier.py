"""A unit's last reported data: from the last campaign that asked for the same form, else from phase one 一期数据.

They fill in its fresh copy, are what 上期() means and what a 无变化 confirms, and go up again where nothing newer came.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from workflow.adapters.store import Store, StoredAnswers
from workflow.domain import rules
from workflow.domain.campaign import Campaign
from workflow.domain.form import Form, split_cell
from workflow.domain.mapping import Mapper
from workflow.domain.merge import Standing
from workflow.domain.submission import Answers
from workflow.process.situation import CaseKey, Earlier

UnitForm = tuple[str, str]


def earlier_data(
    store: Store, campaign: Campaign, forms: Mapping[str, Form], units: Collection[str] | None = None
) -> dict[UnitForm, Earlier]:
    """The last reported data of each unit before a campaign, by (unit, form), under the names of `forms`, which are those of the
    campaign; empty for the first one where no phase-one data were taken over.
    """
    standings = earlier_standings(store, campaign, units)
    answers = answers_under(store, {standing.submission for standing in standings.values()}, forms)
    return {
        key: Earlier(standing, answers[standing.submission].answers)
        for key, standing in standings.items()
        if standing.submission in answers
    }


def earlier_standings(
    store: Store, campaign: Campaign, units: Collection[str] | None = None
) -> dict[UnitForm, Standing]:
    """How each unit's data stood that were last reported before a campaign, by (unit, form); those without any are left out."""
    last: dict[str, Campaign] = {}
    for known in store.campaigns():
        if known.opened_at < campaign.opened_at:
            last |= dict.fromkeys(known.forms, known)
    renamed = {new: old for new, (old, _) in store.former_codes().items()}
    found = _under_new_codes(store.legacy_standings(_with_former(units, renamed)), renamed, units)
    for before in {known.id: known for known in last.values()}.values():
        former = _former_codes(store, before, units)
        kept = {
            key: standing
            for key, standing in store.standings(before.id, _with_former(units, former)).items()
            if standing.submission and last.get(key[1]) == before
        }
        found |= _under_new_codes(kept, former, units)
    return found


def answers_under(
    store: Store, submissions: Collection[str], forms: Mapping[str, Form]
) -> dict[str, StoredAnswers]:
    """Answers by submission id; those to an earlier version of a form under the names that the form has now (its sheet 映射)."""
    return {known: _renamed(known, kept, forms) for known, kept in store.answers(submissions).items()}


def _renamed(submission: str, kept: StoredAnswers, forms: Mapping[str, Form]) -> StoredAnswers:
    form = forms.get(submission.split("/")[2])
    if form is None or not form.mapping or kept.form_version >= form.version:
        return kept
    return replace(kept, answers=Mapper(form).translated(kept.answers))


def _with_former(units: Collection[str] | None, former: Mapping[str, str]) -> set[str] | None:
    return None if units is None else {*units, *(former[code] for code in units if code in former)}


def _under_new_codes(
    standings: Mapping[UnitForm, Standing], former: Mapping[str, str], units: Collection[str] | None
) -> dict[UnitForm, Standing]:
    """What stands under a former code as the re-coded unit's, where nothing stands under its own."""
    heirs = {old: new for new, old in former.items() if units is None or new in units}
    found = {key: standing for key, standing in standings.items() if key[0] not in heirs}
    for unit, form in standings.keys() - found.keys():
        found.setdefault((heirs[unit], form), replace(standings[unit, form], unit=heirs[unit]))
    return found


def _former_codes(store: Store, campaign: Campaign, units: Collection[str] | None) -> dict[str, str]:
    """The codes under which units that were re-coded since reported in a campaign, by their code now."""
    return {
        new: old
        for new, (old, since) in store.former_codes().items()
        if since > campaign.period.last_day and (units is None or new in units)
    }


def asked_again(
    forms: Mapping[str, Form], campaign: str, earlier: Mapping[tuple[str, str], Earlier]
) -> dict[CaseKey, Answers]:
    """Of the earlier answers those that some rule asks for with 上期(), and not the whole of a period twice."""
    wanted = {
        form.id: frozenset().union(*(rules.previous_names(rules.parse(rule.formula)) for rule in form.rules))
        for form in forms.values()
    }
    return {
        (campaign, unit, form): {
            name: value for name, value in kept.answers.items() if _is_asked(name, names)
        }
        for (unit, form), kept in earlier.items()
        if (names := wanted.get(form))
    }


def _is_asked(name: str, names: frozenset[str]) -> bool:
    return name in names or ("." in name and (cell := split_cell(name)) is not None and cell[0] in names)
