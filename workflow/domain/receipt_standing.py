"""Where a unit's 负责人回执表 stands 办理情况: which parts are in, what holding them against each other gave, what is still owed.

The parts come in any order and number: both in one mail, in two, corrected in a third. The newest of each counts. What was typed
in the electronic copy when a paper was first held against it is what was signed; what was typed later is told.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from workflow.domain.receipt import (
    Cell,
    Column,
    Entry,
    ReceiptAnswers,
    Seal,
    Verdict,
    asked_cells,
    compare,
    missing_cells,
)
from workflow.domain.roster import Role, UnitKind

SCAN, ELECTRONIC = "scan", "electronic"
PARTS = {SCAN: "扫描件", ELECTRONIC: "电子版"}


@dataclass(frozen=True, slots=True)
class Part:
    """One part that arrived. `answers` is None where it could not be read; `genuine` says whether its token is the unit's own
    (None: it has none), `registered` whether an address of the unit or above it sent it; `page` and `form` place a scan in its
    file; `against` are the sentences in which a copy does not agree with who is registered.
    """

    number: int
    part: str
    sha: str
    message: str
    arrived_at: dt.datetime
    answers: ReceiptAnswers | None = None
    token: str = ""
    genuine: bool | None = None
    registered: bool = True
    seal: Seal = Seal.UNCHECKED
    page: int = 0
    form: int = 1
    found_by: str = "sender"
    trouble: str = ""
    against: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """What holding a scan against an electronic copy gave, both by their numbers. `cells` are those that are not alike;
    `missing` were left blank in the electronic copy, `changed` were typed anew after the paper was signed; `same_form` is
    false where paper and copy bear different tokens.
    """

    number: int
    scan: int
    electronic: int
    verdict: Verdict
    cells: Mapping[Cell, Verdict]
    missing: tuple[Cell, ...] = ()
    changed: tuple[Cell, ...] = ()
    same_form: bool = True


@dataclass(frozen=True, slots=True)
class ReceiptStanding:
    """All of a unit's receipt in a campaign; `number` is the last event's, `accepted` that of the acceptance in force (0: none),
    which a part that comes later ends.
    """

    number: int = 0
    parts: tuple[Part, ...] = ()
    checks: tuple[Check, ...] = ()
    accepted: int = 0

    def newest(self, part: str) -> Part | None:
        return next((one for one in reversed(self.parts) if one.part == part), None)

    @property
    def check(self) -> Check | None:
        """The last check, while it is of the newest parts."""
        last = self.checks[-1] if self.checks else None
        scan, typed = self.newest(SCAN), self.newest(ELECTRONIC)
        if last is None or scan is None or typed is None:
            return None
        return last if (last.scan, last.electronic) == (scan.number, typed.number) else None

    def signed(self, scan: Part) -> Part | None:
        """The electronic copy that a paper was first held against."""
        first = next((one for one in self.checks if one.scan == scan.number), None)
        return next((one for one in self.parts if first and one.number == first.electronic), None)

    def after(self, kind: str, number: int, at: dt.datetime, data: Mapping[str, Any],
              personal: Mapping[str, Any]) -> ReceiptStanding:  # fmt: skip
        """The standing once an event of the receipt's stream has happened."""
        match kind:
            case "receipt.arrived":
                part = _part(number, at, data, personal)
                return replace(self, number=number, parts=(*self.parts, part), accepted=0)
            case "receipt.compared":
                return replace(self, number=number, checks=(*self.checks, _check(number, data)))
            case "receipt.accepted":
                return replace(self, number=number, accepted=number)
            case _:
                raise ValueError(kind)


def held_together(standing: ReceiptStanding, kind: UnitKind) -> dict[str, Any] | None:
    """What an event `receipt.compared` says of the newest parts; None while one is missing or they were compared already."""
    scan, typed = standing.newest(SCAN), standing.newest(ELECTRONIC)
    if scan is None or typed is None or standing.check is not None:
        return None
    verdict, cells = Verdict.UNREADABLE, dict.fromkeys(asked_cells(kind), Verdict.UNREADABLE)
    if scan.answers is not None and typed.answers is not None:
        comparison = compare(typed.answers, scan.answers, kind)
        verdict = comparison.verdict
        cells = {one.cell: one.verdict for one in comparison.to_look_at}
    missing = missing_cells(typed.answers, kind) if typed.answers is not None else ()
    signed = standing.signed(scan)
    changed: list[Cell] = []
    if signed is not None and signed.answers is not None and typed.answers is not None:
        before = compare(typed.answers, signed.answers, kind)
        changed = [one.cell for one in before.fields if one.typed != one.seen]
    return {
        "scan": scan.number,
        "electronic": typed.number,
        "verdict": verdict.value,
        "cells": [[*_plain(cell), found.value] for cell, found in cells.items()],
        "missing": [_plain(cell) for cell in missing],
        "changed": [_plain(cell) for cell in changed],
        "same_form": not (scan.token and typed.token) or scan.token == typed.token,
    }


def beyond_doubt(standing: ReceiptStanding) -> bool:
    """Whether nothing is left for a person to look at: consistent, sealed, complete, nothing changed after signing, in
    agreement with the roster, both with the unit's own token and from its own people.
    """
    check, scan, typed = standing.check, standing.newest(SCAN), standing.newest(ELECTRONIC)
    if check is None or scan is None or typed is None:
        return False
    alike = check.verdict is Verdict.CONSISTENT and not check.missing and not check.changed
    ours = scan.registered and typed.registered and scan.genuine is True and typed.genuine is True
    return alike and not typed.against and ours and check.same_form and scan.seal is Seal.SEEN


def lacking(standing: ReceiptStanding | None) -> list[str]:
    """The parts that have not come, in an office's words."""
    return [word for part, word in PARTS.items() if standing is None or standing.newest(part) is None]


def doubts(standing: ReceiptStanding) -> list[str]:
    """What is wrong with the parts that are in, each as a sentence for the unit and for staff; empty once accepted."""
    if standing.accepted:
        return []
    scan, typed, check = standing.newest(SCAN), standing.newest(ELECTRONIC), standing.check
    said = []
    if scan is not None:
        if scan.genuine is False:
            said.append("扫描件上的编号不是系统下发给该单位的")
        if scan.seal is Seal.NOT_SEEN:
            said.append("扫描件上未见公章")
        if scan.seal is Seal.DOUBTFUL:
            said.append("扫描件上的公章不清晰")
    if typed is not None and typed.answers is None:
        said.append("电子版中的表格无法识读")
    if typed is not None:
        said += typed.against
    if check is not None:
        if not check.same_form:
            said.append("扫描件与电子版的编号不同，不是同一份表")
        if check.missing:
            said.append(f"电子版未填写：{words(check.missing)}")
        if check.changed:
            said.append(f"盖章后电子版又有改动：{words(check.changed)}")
        differing = [cell for cell, found in check.cells.items() if found is Verdict.DIFFERS]
        if differing:
            said.append(f"扫描件与电子版不一致：{words(differing)}")
    return said


def words(cells: Sequence[Cell]) -> str:
    """Cells as an office names them: 审核员手机号码、管理员姓名."""
    return "、".join(f"{role.value}{column.value}" for role, column in cells)


def encode_answers(answers: ReceiptAnswers | None) -> list[list[object]] | None:
    """Answers as an event's personal payload keeps them."""
    if answers is None:
        return None
    return [
        [*_plain(cell), entry.text, round(entry.confidence, 3), round(entry.digits, 3)]
        for cell, entry in answers.cells.items()
    ]


def decode_answers(data: Sequence[Sequence[Any]] | None) -> ReceiptAnswers | None:
    """Answers from an event; None where nothing was read, or the payload has been erased."""
    if data is None:
        return None
    return ReceiptAnswers({_cell(role, column): Entry(*rest) for role, column, *rest in data})


def _part(number: int, at: dt.datetime, data: Mapping[str, Any], personal: Mapping[str, Any]) -> Part:
    return Part(
        number, data["part"], data["sha"], data.get("message", ""), at,
        decode_answers(personal.get("answers")), data.get("token", ""), data.get("genuine"),
        data.get("registered", True), Seal(data.get("seal", Seal.UNCHECKED)), data.get("page", 0),
        data.get("form", 1), data.get("found_by", "sender"), data.get("trouble", ""),
        tuple(personal.get("against", ())),
    )  # fmt: skip


def _check(number: int, data: Mapping[str, Any]) -> Check:
    return Check(
        number, data["scan"], data["electronic"], Verdict(data["verdict"]),
        {_cell(role, column): Verdict(found) for role, column, found in data["cells"]},
        tuple(_cell(*cell) for cell in data["missing"]), tuple(_cell(*cell) for cell in data["changed"]),
        data["same_form"],
    )  # fmt: skip


def _plain(cell: Cell) -> list[str]:
    return [cell[0].value, cell[1].value]


def _cell(role: str, column: str) -> Cell:
    return Role(role), Column(column)
