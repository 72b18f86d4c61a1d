"""Problems with the roster that people report by mail (section 四 of the notice): each becomes an item with an owner and a day."""

from __future__ import annotations

from workflow.domain.events import Event
from workflow.domain.letters import LetterKind
from workflow.domain.problems import (
    Problem,
    ProblemKind,
    codes_in,
    due_after,
    name_in,
    owner_of,
    problem_of,
    settled,
)
from workflow.domain.registry import Registry
from workflow.domain.submission import Bucket
from workflow.domain.wishes import moved_unit, new_superiors
from workflow.process.said import MOST_WORDS, Said, answer
from workflow.process.situation import SYSTEM, Outcome, Situation


def report(said: Said, kind: ProblemKind, words: str, registry: Registry, situation: Situation) -> Outcome:
    """A problem with the roster: an item with its owner and its day, once as long as it is open. Whoever is registered is told so;
    strangers are not written to.
    """
    problem = _item(said, kind, words, registry, situation)
    data = {
        "kind": kind.value, "unit": problem.unit, "reporter": problem.reporter, "owner": problem.owner,
        "due": problem.due.isoformat(), "name": problem.name, "code": problem.code, "superior": problem.superior,
        "was": list(problem.was), "message": said.sha,
    }  # fmt: skip
    personal = {"sender": said.who.address, "words": problem.words}
    event = Event(problem.stream, 1, "problem.reported", said.at, SYSTEM, said.sha, data, personal)
    known = next((one for one in registry.problems if one.open and _same(one, problem_of(event))), None)
    by_name = {unit.name: code for code, unit in registry.roster.units.items()} if problem.name else {}
    there = settled(problem, registry.roster.units, by_name)
    done = Outcome(bucket=Bucket.PROBLEM)
    if known is None and not there:
        done += Outcome((event,))
    if not problem.reporter:
        return done
    shown = known or problem
    owner = situation.roster.units.get(shown.owner)
    context = {
        "stage": "there" if there else "noted", "number": shown.number, "kind": kind.value, "note": there,
        "owner_name": owner.name if owner else "", "due": shown.due, "by_roster": False,
    }  # fmt: skip
    return done + Outcome(
        letters=answer(
            LetterKind.PROBLEM_RESULT, said, problem.reporter, context, situation, str(shown.number)
        )
    )


def _item(said: Said, kind: ProblemKind, words: str, registry: Registry, situation: Situation) -> Problem:
    roster = registry.roster
    served = [code for code in said.who.units if code in roster.units]
    linked = said.thread[1] if said.thread and said.thread[1] in roster.units else ""
    reporter = linked if linked in served else (served[0] if served else "")
    codes = codes_in(words)
    unit = ""
    if kind is not ProblemKind.NOT_LISTED:
        about = [code for code in codes if code in roster.units] or moved_unit(
            words, roster, [linked or reporter]
        )
        unit = about[0] if len(about) == 1 else linked or reporter
    known = roster.units.get(unit)
    targets = new_superiors(words, roster, known) if known and kind is ProblemKind.WRONG_SUPERIOR else []
    others = [code for code in codes if len(code) == 10 and code != unit]
    name = name_in(words)
    return Problem(
        registry.next_problem, kind, unit, reporter, owner_of(roster, unit or reporter), said.at,
        due_after(said.at, situation.policy.problem_days, situation.policy.workdays),
        name if known is None or name != known.name else "", others[0] if others else "",
        targets[0] if len(targets) == 1 else "", (known.name, known.superior) if known else ("", ""), said.sha,
        said.who.address, " ".join(words.split())[:MOST_WORDS],
    )  # fmt: skip


def _same(one: Problem, other: Problem) -> bool:
    """Whether two reports are about the same: what is not tied to a unit, by who wrote."""
    if (one.kind, one.unit) != (other.kind, other.unit):
        return False
    if one.unit and other.kind is not ProblemKind.OTHER:
        return True
    named = (one.code, one.name) == (other.code, other.name)
    return named and (one.sender.lower() == other.sender.lower() or bool(one.code))
