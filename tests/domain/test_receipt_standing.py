"""Where a receipt stands: its parts in any order, corrected in a third mail, changed after signing."""

from __future__ import annotations

import pytest

from tests.domain.offices import at
from workflow.domain.receipt import Column, Entry, ReceiptAnswers, Seal, Verdict, asked_cells
from workflow.domain.receipt_standing import (
    ELECTRONIC,
    SCAN,
    ReceiptStanding,
    beyond_doubt,
    decode_answers,
    doubts,
    encode_answers,
    held_together,
    lacking,
)
from workflow.domain.roster import Role, UnitKind

KIND = UnitKind.PROVINCIAL_VOCATIONAL
WHOLE = {
    "姓名": "李示例",
    "原负责人是否变动": "否",
    "单位": "示例学校",
    "处室": "信息中心",
    "办公电话": "0371-55550001",
    "手机号码": "13800001234",
    "电子邮箱": "li@example.org",
}


def answers(**changes: str) -> ReceiptAnswers:
    told = WHOLE | changes
    return ReceiptAnswers(
        {(Role.ADMINISTRATOR, Column(name)): Entry(text) for name, text in told.items() if text}
    )


def arrived(
    standing: ReceiptStanding, part: str, of: ReceiptAnswers | None = None, **data: object
) -> ReceiptStanding:
    """The standing after a part came, and after it was held against the other where there is one."""
    number = standing.number + 1
    told = {"part": part, "sha": f"{number}" * 64, "token": "HZ-A", "genuine": True, **data}
    standing = standing.after("receipt.arrived", number, at(12, 10), told, {"answers": encode_answers(of)})
    if compared := held_together(standing, KIND):
        standing = standing.after("receipt.compared", number + 1, at(12, 10), compared, {})
    return standing


def both(
    scan: ReceiptAnswers | None = None, typed: ReceiptAnswers | None = None, **data: object
) -> ReceiptStanding:
    first = arrived(ReceiptStanding(), ELECTRONIC, typed or answers())
    return arrived(first, SCAN, scan or answers(), **{"seal": Seal.SEEN, **data})


def test_a_part_that_has_not_come_is_named() -> None:
    assert lacking(None) == ["扫描件", "电子版"]
    assert lacking(arrived(ReceiptStanding(), SCAN, answers())) == ["电子版"]
    assert lacking(both()) == []
    assert held_together(arrived(ReceiptStanding(), SCAN, answers()), KIND) is None


def test_a_whole_sealed_and_equal_receipt_leaves_nothing_to_look_at() -> None:
    standing = both()
    assert standing.check is not None
    assert standing.check.verdict is Verdict.CONSISTENT
    assert doubts(standing) == []
    assert beyond_doubt(standing)
    assert not beyond_doubt(ReceiptStanding())
    assert held_together(standing, KIND) is None  # it has been held together


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"seal": Seal.NOT_SEEN}, ["扫描件上未见公章"]),
        ({"seal": Seal.DOUBTFUL}, ["扫描件上的公章不清晰"]),
        ({"seal": Seal.UNCHECKED}, []),
        ({"genuine": False}, ["扫描件上的编号不是系统下发给该单位的"]),
        ({"token": "HZ-B"}, ["扫描件与电子版的编号不同，不是同一份表"]),
        ({"token": "", "genuine": None}, []),
        ({"registered": False}, []),
    ],
)
def test_what_keeps_a_receipt_from_being_beyond_doubt(data: dict[str, object], said: list[str]) -> None:
    standing = both(**data)
    assert doubts(standing) == said
    assert not beyond_doubt(standing)


def test_cells_that_differ_are_named_and_a_corrected_copy_mends_them_and_is_told() -> None:
    standing = both(typed=answers(手机号码="13800009999"))
    assert doubts(standing) == ["扫描件与电子版不一致：管理员手机号码"]
    mended = arrived(standing, ELECTRONIC, answers())
    assert doubts(mended) == ["盖章后电子版又有改动：管理员手机号码"]
    assert not beyond_doubt(mended)
    assert mended.check is not None
    assert mended.check.changed == ((Role.ADMINISTRATOR, Column.MOBILE),)


def test_a_blank_cell_of_the_electronic_copy_is_named() -> None:
    standing = both(scan=answers(处室=""), typed=answers(处室=""))
    assert "电子版未填写：管理员处室" in doubts(standing)


@pytest.mark.parametrize("part", [SCAN, ELECTRONIC])
def test_what_cannot_be_read_is_for_a_person(part: str) -> None:
    standing = arrived(both(), part, None, seal=Seal.SEEN)
    assert standing.check is not None
    assert standing.check.verdict is Verdict.UNREADABLE
    assert set(standing.check.cells) == set(asked_cells(KIND))
    assert doubts(standing) == (["电子版中的表格无法识读"] if part == ELECTRONIC else [])


def test_an_acceptance_ends_with_the_next_part() -> None:
    differing = both(typed=answers(手机号码="13800009999"))
    accepted = differing.after("receipt.accepted", differing.number + 1, at(12, 11), {}, {})
    assert (accepted.accepted, doubts(accepted)) == (differing.number + 1, [])
    again = arrived(accepted, ELECTRONIC, answers(手机号码="13800009999"))
    assert (again.accepted, bool(doubts(again))) == (0, True)


def test_a_check_of_older_parts_is_none_of_the_newest() -> None:
    standing = both()
    later = standing.after(
        "receipt.arrived", standing.number + 1, at(12, 12), {"part": SCAN, "sha": "f" * 64}, {}
    )
    assert later.check is None
    assert not beyond_doubt(later)


def test_answers_survive_the_ledger_and_an_erased_payload_is_none() -> None:
    assert decode_answers(encode_answers(answers())) == answers()
    assert encode_answers(None) is None
    assert decode_answers(None) is None


def test_another_kind_of_event_is_refused() -> None:
    with pytest.raises(ValueError, match=r"receipt\.lost"):
        ReceiptStanding().after("receipt.lost", 1, at(12, 1), {}, {})
