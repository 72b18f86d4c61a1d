"""The period before: who had data then, written as events, so that pre-filling, 无变化 and 沿用上期 are as in life."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from workflow.app import App
from workflow.demo.rehearsal.figures import Figures
from workflow.domain.campaign import Period
from workflow.domain.checks import Examination
from workflow.domain.events import Event
from workflow.domain.form import Form
from workflow.domain.letters import LetterOrder
from workflow.domain.lifecycle import CaseState
from workflow.domain.roster import Roster
from workflow.domain.submission import Submission
from workflow.process.correspondence import Secretariat
from workflow.process.gather import require_campaign, whole
from workflow.process.launch import Terms, launch
from workflow.process.report import report
from workflow.process.returns import submitted_event
from workflow.process.situation import SYSTEM

_BATCH = 500


class _Mute(Secretariat):
    """Nobody is written to about a period that is over."""

    def queue(self, orders: Iterable[LetterOrder], roster: Roster) -> list[Event]:  # noqa: ARG002
        return []


def write_past(
    app: App, period: Period, opened: dt.datetime, had: Collection[str], figures: Figures,
    places: Mapping[str, int],
) -> None:  # fmt: skip
    """Open `period` at `opened` without a letter, let the units of `had` submit, and report every level."""
    store, roster = app.store, app.store.roster(period.last_day)
    assert roster is not None
    known = app.secretariat
    mute = _Mute(known.letterhead, known.templates, known.files, known.compiled, known.campaign, known.queued)
    forms = app.template_forms()
    terms = Terms(app.config.windows.by_level(), None)
    launch(store, mute, app.token_key, period, opened, forms, terms)
    at = dt.datetime.combine(period.last_day, dt.time(12), opened.tzinfo)
    by_id = {form: compiled for form, (compiled, _) in forms.items()}
    events = list(_submissions(app, period, by_id, roster, had, figures, places, at))
    for start in range(0, len(events), _BATCH):
        store.append(events[start : start + _BATCH])
    campaign = require_campaign(store, period.id)
    closing = max(campaign.window(roster.units[p.unit]).closes for p in store.packages(period.id))
    for root in (unit for unit in roster.units.values() if not unit.superior and unit.kind.reports):
        codes = [unit.code for unit in roster.below(root.code)]
        situation = whole(store, roster, app.policy, campaign, by_id, codes)
        package = situation.packages[period.id, root.code]
        outcome = report(situation, package, closing, SYSTEM, auto=True, cause="rehearsal")
        store.append(outcome.events)


def _submissions(
    app: App, period: Period, forms: Mapping[str, Form], roster: Roster, had: Collection[str],
    figures: Figures, places: Mapping[str, int], at: dt.datetime,
) -> Iterable[Event]:  # fmt: skip
    for case in app.store.cases(period.id):
        if case.unit not in had or case.state is CaseState.PLANNED:
            continue
        form = forms[case.form]
        answers: dict[str, Any] = figures.before(form, roster.units[case.unit], places[case.unit])
        version = Submission(
            f"{period.id}/{case.unit}/{case.form}/1", period.id, case.unit, case.form, form.version, 1, at, "", "", "",
            0, 0,
        )  # fmt: skip
        yield submitted_event(case, version, Examination(answers, {}, (), no_change=False), {})
