"""What staff see of receipts: where one stands, and the list of the cells that a person decides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from workflow.adapters.files import Files
from workflow.adapters.store import Store
from workflow.adapters.workbook.receipt_check import CheckLine, write_check
from workflow.domain.campaign import Campaign
from workflow.domain.receipt import Cell, Verdict
from workflow.domain.receipt_standing import (
    ELECTRONIC,
    SCAN,
    ReceiptStanding,
    doubts,
    lacking,
    words,
)
from workflow.domain.roster import Roster, Unit
from workflow.process.receipts import ASKED


@dataclass(frozen=True, slots=True)
class ReceiptState:
    """A unit that owes a receipt and where it stands: `word` sums it up, `matters` say what is missing or wrong."""

    unit: Unit
    standing: ReceiptStanding
    word: str
    matters: tuple[str, ...]


def receipt_states(store: Store, campaign: Campaign, roster: Roster) -> list[ReceiptState]:
    """Every unit that owes a receipt, in the roster's order."""
    if campaign.receipt_due is None:
        return []
    standings = store.receipt_standings(campaign.id)
    asked = [unit for unit in roster.units.values() if unit.kind in ASKED]
    return [_state(unit, standings.get(unit.code, ReceiptStanding())) for unit in asked]


def _state(unit: Unit, standing: ReceiptStanding) -> ReceiptState:
    missing, wrong, check = lacking(standing), doubts(standing), standing.check
    unread = [cell for cell, found in check.cells.items() if found is Verdict.UNREADABLE] if check else []
    matters = [*([f"缺{'和'.join(missing)}"] if missing else []), *wrong]
    if unread and not standing.accepted:
        matters.append(f"扫描件无法识读，请人工核对：{words(unread)}")
    if standing.accepted:
        word = "已办结"
    elif missing:
        word = "未收齐" if len(missing) == 1 else "未收到"
    else:
        word = check.verdict.word if check and not matters else "待核对"
    return ReceiptState(unit, standing, word, tuple(matters))


def check_lines(state: ReceiptState, campaign: Campaign, files: Files) -> Iterator[CheckLine]:
    """What is to be decided on a receipt, cell by cell; nothing once it is accepted or while a part is missing."""
    standing, unit = state.standing, state.unit
    scan, typed, check = standing.newest(SCAN), standing.newest(ELECTRONIC), standing.check
    if standing.accepted or scan is None or typed is None or check is None:
        return
    for matter in state.matters:
        yield CheckLine(unit.code, unit.name, "", "", "", b"", matter)
    for cell, verdict in check.cells.items():
        picture = files.receipt_cell(campaign.id, unit.code, scan.number, _name(cell))
        yield CheckLine(
            unit.code,
            unit.name,
            _name(cell),
            typed.answers.text(cell) if typed.answers else "",
            scan.answers.text(cell).replace("\n", "") if scan.answers else "",
            picture.read_bytes() if picture else b"",
            verdict.word,
        )


def write_list(store: Store, files: Files, campaign: Campaign, roster: Roster) -> tuple[str, int]:
    """Write `receipts/核对-CAMPAIGN.xlsx` and how many receipts wait for a decision in it; '' and 0 where none does."""
    lines: list[CheckLine] = []
    waiting = 0
    for state in receipt_states(store, campaign, roster):
        found = list(check_lines(state, campaign, files))
        waiting += bool(found)
        lines += found
    if not lines:
        return "", 0
    return files.keep_check(campaign.id, write_check(f"{campaign.id} 负责人回执表核对单", lines)), waiting


def _name(cell: Cell) -> str:
    return words([cell])
