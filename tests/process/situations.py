"""A campaign in its first days and the mail that reaches it, each made in one line by the tests."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.domain.offices import CAMPAIGN, COUNTY, ROSTER, SCHOOL, UNITS, at, error, form_of, number
from workflow.adapters.store.records import LetterRow, LetterState, MadeBook
from workflow.domain.consultation import NO_TALK, Talk
from workflow.domain.lifecycle import Case, CaseState, Package
from workflow.domain.matching import make_token
from workflow.domain.merge import Origin, Standing
from workflow.domain.message import Attachment, Bounce, Message
from workflow.domain.roster import UnitKind
from workflow.domain.submission import CopyIdentity, Decision, Reading, ReadOutcome, ReviewReading
from workflow.process.arrival import Arrival
from workflow.process.decide import decide
from workflow.process.situation import Earlier, Outcome, Policy, Situation

if TYPE_CHECKING:
    import datetime as dt

    from workflow.domain.form import Form, Value
    from workflow.domain.submission import AttachmentOutcome, RawValue

OWN = "Huizhi@office.test"
POLICY = Policy(OWN)
STRANGER = "somebody@home.test"
GOOD = {"学生": 480, "教师": 30}
WRONG = {"学生": 20, "教师": 30}
LAST = {"学生": 470, "教师": 29}
DUE = at(12, 29)  # an ordinary day before the quarter's end

_ASKED_OF_OFFICES = tuple(kind for kind in UnitKind if kind.reports)
_FIELDS = (number("学生", required=True, minimum=0, maximum=20000), number("教师"))
_RULES = (error("教师<=学生", "教师不得多于学生"),)
FORMS: dict[str, Form] = {
    "school": form_of(*_FIELDS, rules=_RULES),
    "office": form_of(*_FIELDS, rules=_RULES, name="office", kinds=_ASKED_OF_OFFICES),
}


def form_for(unit: str) -> str:
    return "office" if UNITS[unit].kind.reports else "school"


def token(unit: str, copy: int = 1, campaign: str = "2026Q4") -> str:
    return make_token(b"k" * 32, "A", campaign, unit, form_for(unit), copy)


def key(unit: str) -> tuple[str, str, str]:
    return (CAMPAIGN.id, unit, form_for(unit))


def opened() -> Situation:
    """Every unit has its copy and nobody has answered; the county, city and province have a workbook to review."""
    cases = {
        key(unit): Case(CAMPAIGN.id, unit, form_for(unit), CaseState.ISSUED, 1, token(unit), events=2)
        for unit in UNITS
    }
    packages = {
        (CAMPAIGN.id, unit.code): Package(CAMPAIGN.id, unit.code, unit.kind.level, events=1)
        for unit in UNITS.values()
        if unit.kind.reports
    }
    books = {
        book_token(unit): MadeBook(
            CAMPAIGN.id, unit, 1, book_token(unit), "c" * 64, f"{unit}.xlsx", None, at(12, 28)
        )
        for _, unit in packages
    }
    tokens = {token(unit): (key(unit), 1) for unit in UNITS}
    return Situation(ROSTER, POLICY, CAMPAIGN, FORMS, cases, tokens, packages, books=books)


def with_earlier(situation: Situation, unit: str = SCHOOL, origin: Origin = Origin.APPROVED) -> Situation:
    """The unit reported last quarter."""
    standing = Standing(unit, form_for(unit), origin, f"2026Q3/{unit}/{form_for(unit)}/1", 1)
    return replace(situation, earlier={(unit, form_for(unit)): Earlier(standing, LAST)})


def with_new_copy(situation: Situation, unit: str = SCHOOL) -> Situation:
    """The unit got a second copy; both tokens still lead to its case."""
    case = replace(situation.cases[key(unit)], copy=2, token=token(unit, 2))
    tokens = {**situation.tokens, token(unit, 2): (key(unit), 2)}
    return replace(situation, cases={**situation.cases, key(unit): case}, tokens=tokens)


def with_letter(
    situation: Situation, unit: str = SCHOOL, state: LetterState = LetterState.SENT, campaign: str = "2026Q4"
) -> Situation:
    """A letter about the unit went out as <letter@office.test>."""
    row = LetterRow(
        "letter-1", "notice", campaign, unit, form_for(unit), 5, "d" * 64, "<letter@office.test>", "a@b.test", "", "",
        state, 1, at(12, 2), None, "", 3,
    )  # fmt: skip
    return replace(situation, letters={row.message_id: row})


def with_last_campaign(situation: Situation, unit: str = SCHOOL) -> Situation:
    """The unit's case of 2026Q3 is still known by its token."""
    old = ("2026Q3", unit, form_for(unit))
    case = Case(*old, CaseState.SUBMITTED, 1, token(unit, 1, "2026Q3"), 1, events=3)
    package = Package(
        "2026Q3", ROSTER.package_of(unit).code, UNITS[ROSTER.package_of(unit).code].kind.level, events=1
    )
    return replace(
        situation,
        cases={**situation.cases, old: case},
        tokens={**situation.tokens, case.token: (old, 1)},
        packages={**situation.packages, ("2026Q3", package.unit): package},
    )


# --- files ---------------------------------------------------------------------------------------------------------


def workbook(
    unit: str = SCHOOL,
    answers: dict[str, RawValue] | None = None,
    *,
    copy: int = 1,
    code: str = "",
    hz: str = "",
) -> Reading:
    """The unit's copy with these answers; `code` for what its hidden sheet says instead, `hz` for another token."""
    identity = CopyIdentity(CAMPAIGN.id, code or unit, form_for(unit), 2, copy, hz or token(unit, copy))
    return Reading(ReadOutcome.ANSWERS, identity, GOOD if answers is None else answers)


def useless(outcome: ReadOutcome) -> Reading:
    return Reading(outcome)


def receipt(unit: str, code: str | None = None) -> Reading:
    identity = CopyIdentity(CAMPAIGN.id, unit if code is None else code, "", 0, 1, "HZ-ARECEIPTAAAAAAAAA")
    return Reading(ReadOutcome.RECEIPT, identity)


def book_token(level: str) -> str:
    return make_token(b"k" * 32, "A", CAMPAIGN.id, level, "book", 1)


def decision(unit: str, verdict: str, note: str = "", *, version: int = 1, row: int = 7) -> Decision:
    return Decision("表", row, unit, form_for(unit), version, verdict, note)


def on_package(
    unit: str, verdict: str, note: str = "", talk: Talk = NO_TALK, *, version: int = 1
) -> Decision:
    return Decision("下级上报", 5, unit, "", version, verdict, note, talk=talk)


def review(*decisions: Decision, level: str = COUNTY, report: str = "", hz: str = "") -> Reading:
    reading = ReviewReading(CAMPAIGN.id, level, 1, hz or book_token(level), decisions, report)
    return Reading(ReadOutcome.REVIEW, review=reading)


# --- mail ----------------------------------------------------------------------------------------------------------

File = (
    Reading | str
)  # what the reader made of a workbook, or the name of a file that nobody reads ("-" for a picture)


def mail(
    sender: str = "school@county.test",
    *files: File,
    words: str = "",
    subject: str = "",
    moment: dt.datetime = DUE,
    sha: str = "",
    **more: object,
) -> Arrival:
    """A message with these files; its sha follows from everything in it."""
    attachments, readings, shas = [], {}, {}
    for index, file in enumerate(files):
        name = f"{index}.xlsx" if isinstance(file, Reading) else file.removeprefix("-")
        attachments.append(
            Attachment(index, name, "", b"", inline=isinstance(file, str) and file.startswith("-"))
        )
        shas[index] = hashlib.sha256(repr(file).encode()).hexdigest()
        if isinstance(file, Reading):
            readings[index] = file
    message = Message(
        "<m@county.test>", sender=sender, subject=subject, text=words, attachments=tuple(attachments), **more,
    )  # type: ignore[arg-type]  # fmt: skip
    sha = sha or hashlib.sha256(repr((message, files, moment)).encode()).hexdigest()
    return Arrival(sha, f"digest of {sha}", moment, message, words, readings, shas)


def bounce(
    *,
    permanent: bool = True,
    of: str = "<letter@office.test>",
    words: str = "550 no such user",
    full: bool = False,
    letter: str = "",
) -> Arrival:
    return mail(
        "mailer@relay.test", auto="bounce", bounce=Bounce(of, ("a@b.test",), permanent, words, full, letter)
    )


def fold(situation: Situation, *arrivals: Arrival) -> tuple[Situation, list[Outcome]]:
    """A batch, each message decided on what the one before it left."""
    outcomes = []
    for arrival in arrivals:
        outcomes.append(decide(arrival, situation))
        situation = situation.after(outcomes[-1])
    return situation, outcomes


def after(situation: Situation, *arrivals: Arrival) -> Situation:
    return fold(situation, *arrivals)[0]


def ends(outcome: Outcome) -> list[AttachmentOutcome]:
    return [fate.outcome for fate in outcome.fates]


def letters(outcome: Outcome) -> list[tuple[str, str]]:
    """Kind and address of each letter."""
    return [(letter.kind.value, letter.to.email) for letter in outcome.letters]


def kinds(outcome: Outcome) -> list[str]:
    return [event.kind for event in outcome.events]


def answered(outcome: Outcome, kind: str) -> dict[str, Value]:
    """What the one letter of a kind is asked to say."""
    (letter,) = [letter for letter in outcome.letters if letter.kind.value == kind]
    return dict(letter.context)
