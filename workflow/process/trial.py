"""A form's rules tried on the answers that are already held: how many units would be asked, before anybody is."""

from __future__ import annotations

from dataclasses import dataclass

from workflow.adapters.store import Store
from workflow.domain import rules
from workflow.domain.campaign import Campaign
from workflow.domain.errors import Fault, Refused
from workflow.domain.form import Form, split_cell
from workflow.domain.roster import Roster
from workflow.domain.tallies import Judge, TallySheet, Verdict, asked, tally
from workflow.process.picture import pictures
from workflow.process.tallies import judgements


@dataclass(frozen=True)
class Trial:
    """The rules over all checked returns of a campaign. `asked` are the units that would be asked about something, `broken`
    by rule those that do not keep it and have not said why, in the roster's order; `unanswered` are fields that rules name
    and no unit has answered, which count as blank.
    """

    campaign: str
    sheet: TallySheet
    asked: tuple[str, ...]
    broken: tuple[tuple[str, ...], ...]
    unanswered: tuple[str, ...]


def try_form(judge: Judge, store: Store, roster: Roster, campaign: Campaign, form: Form) -> Trial:
    """Try a form on the data as they stand; raises Refused when the campaign has not asked anybody for such a form."""
    roots = [unit for unit in roster.units.values() if not unit.superior]
    seen = pictures(store, roster, campaign, {form.id: form}, roots)
    stood = [s for one in seen for key, s in one.standings.items() if key[2] == form.id]
    if not stood:
        words = f"填报任务 {campaign.id} 中没有标识为 {form.id} 的表单"
        raise Refused(Fault("表单标识", words, "请核对“设置”表的表单标识，或用 --campaign 另指定填报任务"))
    if not form.rules:
        raise Refused(Fault("规则", "表单没有规则，无可试算", "请在“规则”表中填写"))
    held = store.answers({standing.submission for standing in stood if standing.submission})
    (made,) = judgements(judge, store, seen, held)
    order = {code: place for place, code in enumerate(roster.units)}
    places = sorted(made.places.items(), key=lambda item: order[item[0][1]])
    wanted = set(asked(made.verdicts, len(places)))
    broken = tuple(
        tuple(key[1] for key, at in places if codes[at] == Verdict.BROKEN) for codes in made.verdicts
    )
    named = frozenset().union(*(rules.names(rules.parse(rule.formula)) for rule in form.rules))
    there = set().union(*(kept.answers for kept in held.values()))
    there |= {cell[0] for cell in map(split_cell, there) if cell}
    return Trial(
        campaign.id,
        tally(form, made.verdicts, [at for _, at in places]),
        tuple(key[1] for key, at in places if at in wanted),
        broken,
        tuple(field.name for field in form.named(named - there)),
    )
