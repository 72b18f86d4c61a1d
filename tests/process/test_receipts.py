"""Whose each part of a 回执表 is, held against who sent it, and what the two parts make of each other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.domain.offices import CITY, DIRECT, UNITS, UNIVERSITY
from tests.process.situations import STRANGER, after, decide, ends, mail, opened, token
from workflow.domain.letters import LetterKind
from workflow.domain.receipt import (
    Column,
    Entry,
    FoundBy,
    PageKind,
    ReceiptAnswers,
    ReceiptMark,
    ScannedPage,
    ScanReading,
    Seal,
    Verdict,
    asked_cells,
)
from workflow.domain.receipt_copy import ReceiptCopy
from workflow.domain.receipt_standing import ReceiptStanding, doubts, lacking
from workflow.domain.roster import Role
from workflow.domain.submission import AttachmentOutcome, Bucket, CopyIdentity, Reading, ReadOutcome

if TYPE_CHECKING:
    from workflow.process.arrival import Arrival
    from workflow.process.situation import Outcome, Situation

Ends = AttachmentOutcome
MAIL = {CITY: "admin@city.test", UNIVERSITY: "admin@university.test", DIRECT: "admin@direct.test"}
MOBILE = (Role.REVIEWER, Column.MOBILE)


def own(unit: str) -> str:
    return f"HZ-A{unit:0>16}"


def asking() -> Situation:
    """A campaign that asks for receipts, whose forms bear the units' own tokens."""
    return replace(opened(), receipt_tokens={unit: frozenset({own(unit)}) for unit in UNITS})


def people(unit: str = CITY, **changed: str) -> ReceiptAnswers:
    """Every cell filled in; `mobile` for another number of the 审核员, None of it by ''."""
    cells = {cell: Entry(f"{cell[0]}{cell[1]}") for cell in asked_cells(UNITS[unit].kind)}
    for cell in cells:
        if cell[1] in (Column.PHONE, Column.MOBILE):
            cells[cell] = Entry("13900000001")
        if cell[1] is Column.EMAIL:
            cells[cell] = Entry("who@example.org")
    if "mobile" in changed:
        cells[MOBILE] = Entry(changed["mobile"])
    return ReceiptAnswers({cell: entry for cell, entry in cells.items() if entry.text})


def page(
    unit: str = CITY, *, hz: str | None = None, campaign: str = "2026Q4", seal: Seal = Seal.SEEN,
    answers: ReceiptAnswers | None = None, number: int = 1, part: int = 1,
) -> ScannedPage:  # fmt: skip
    mark = ReceiptMark(campaign.upper(), unit, own(unit) if hz is None else hz)
    seen = people(unit) if answers is None else answers
    return ScannedPage(number, part, PageKind.FORM, mark, unit, FoundBy.CODE, seen, seal=seal)


def named(unit: str) -> ScannedPage:
    return ScannedPage(1, 1, PageKind.FORM, None, unit, FoundBy.NAME, people(unit), seal=Seal.SEEN)


BARE = ScannedPage(1, 1, PageKind.FORM, answers=people(), seal=Seal.SEEN)


def scanned(
    sender: str, *pages: ScannedPage, subject: str = "", cells: bool = True, trouble: str = ""
) -> Arrival:
    """A message with one file of these pages."""
    arrival = mail(sender, "扫描件.pdf", subject=subject, words=repr(pages)[:20])
    return replace(arrival, scans={0: ScanReading(pages, trouble, cells)})


def typed(unit: str = CITY, answers: ReceiptAnswers | None = None, *, hz: str | None = None) -> Reading:
    identity = CopyIdentity("2026Q4", unit, "receipt", 1, 1, own(unit) if hz is None else hz)
    copy = ReceiptCopy(people(unit) if answers is None else answers)
    return Reading(ReadOutcome.RECEIPT, identity, copy=copy)


def both(sender: str, copy: Reading, *pages: ScannedPage) -> Arrival:
    arrival = mail(sender, "扫描件.pdf", copy)
    return replace(arrival, scans={0: ScanReading(pages)})


def standing(situation: Situation, unit: str = CITY) -> ReceiptStanding:
    return situation.receipts[f"receipt:2026Q4/{unit}"]


def whose(outcome: Outcome) -> list[str]:
    return [event.stream.partition("/")[2] for event in outcome.events if event.kind == "receipt.arrived"]


class TestWhoseAPageIs:
    def test_by_its_code_whoever_of_the_unit_sends_it(self) -> None:
        assert whose(decide(scanned(MAIL[CITY], page()), asking())) == [CITY]

    def test_by_its_code_from_the_level_above(self) -> None:
        assert whose(decide(scanned("admin@province.test", page(), page(UNIVERSITY, number=2)), asking())) == [
            CITY, UNIVERSITY,
        ]  # fmt: skip

    def test_two_forms_on_one_page_each_go_to_their_unit(self) -> None:
        outcome = decide(scanned("admin@province.test", page(), page(DIRECT, part=2)), asking())
        assert whose(outcome) == [CITY, DIRECT]
        assert ends(outcome) == [Ends.MATCHED]
        assert "2个单位" in outcome.fates[0].reason

    def test_by_its_name_then_by_its_sender(self) -> None:
        assert whose(decide(scanned(MAIL[CITY], named(CITY)), asking())) == [CITY]
        assert whose(decide(scanned(MAIL[CITY], BARE), asking())) == [CITY]

    def test_without_the_reader_a_page_without_a_code_is_its_senders(self) -> None:
        other = ScannedPage(1, 1, PageKind.OTHER, trouble="未识别出二维码")
        assert whose(decide(scanned(MAIL[CITY], other, cells=False), asking())) == [CITY]

    def test_from_an_unregistered_address_the_forms_own_token_ties_it(self) -> None:
        situation = after(asking(), scanned(STRANGER, page()))
        (part,) = standing(situation).parts
        assert (part.genuine, part.registered) == (True, False)

    def test_the_thread_ties_it_too(self) -> None:
        assert whose(decide(scanned(STRANGER, BARE, subject=token(CITY)), asking())) == [CITY]


class TestWhatIsNotTaken:
    @pytest.mark.parametrize(
        ("sender", "seen"),
        [(MAIL[UNIVERSITY], page(CITY)), (STRANGER, named(CITY)), (STRANGER, page(CITY, hz=own(DIRECT)))],
        ids=["another unit's page", "a stranger's page by its name", "a stranger's with a forged token"],
    )
    def test_a_page_that_its_sender_may_not_bring_is_held_and_staff_are_told(
        self, sender: str, seen: ScannedPage
    ) -> None:
        outcome = decide(scanned(sender, seen), asking())
        assert (outcome.bucket, ends(outcome)) == (Bucket.QUARANTINED, [Ends.FOREIGN])
        assert "staff" in [event.stream for event in outcome.events]
        assert not whose(outcome)

    def test_a_forged_token_from_the_units_own_people_is_told(self) -> None:
        situation = after(asking(), scanned(MAIL[CITY], page(hz=own(DIRECT))))
        assert doubts(standing(situation)) == ["扫描件上的编号不是系统下发给该单位的"]

    @pytest.mark.parametrize(
        ("seen", "end", "reason"),
        [
            ([ScannedPage(1, 1, PageKind.BLANK)], Ends.UNSUPPORTED, "页面是空白的"),
            ([ScannedPage(1, 1, PageKind.OTHER)], Ends.UNSUPPORTED, "没有负责人回执表"),
            ([ScannedPage(1, 1, PageKind.UNREADABLE, trouble="图片文件已损坏；请重新扫描")], Ends.UNREADABLE, "已损坏"),
            ([page(campaign="2026Q3")], Ends.UNSUPPORTED, "2026Q3"),
        ],
        ids=["blank", "a photo of something else", "damaged", "of another quarter"],
    )  # fmt: skip
    def test_what_shows_no_form_of_this_campaign_is_answered_with_what_to_do(
        self, seen: list[ScannedPage], end: Ends, reason: str
    ) -> None:
        outcome = decide(scanned(MAIL[CITY], *seen), asking())
        assert ends(outcome) == [end]
        assert reason in outcome.fates[0].reason
        (letter,) = outcome.letters
        assert letter.kind is LetterKind.PROBLEM_FILE
        assert "Excel" not in letter.context["items"][0]["remedy"]

    def test_a_blank_page_beside_a_form_counts_for_nothing(self) -> None:
        outcome = decide(scanned(MAIL[CITY], page(), ScannedPage(2, 1, PageKind.BLANK)), asking())
        assert ends(outcome) == [Ends.MATCHED]
        assert {letter.kind for letter in outcome.letters} == {LetterKind.ACKNOWLEDGEMENT}

    def test_a_signatures_picture_is_ignored_and_a_page_pasted_into_the_letter_is_not(self) -> None:
        picture = mail(MAIL[CITY], "-image001.png", words="见图")
        none = ScanReading((ScannedPage(1, 1, PageKind.OTHER),))
        assert ends(decide(replace(picture, scans={0: none}), asking())) == [Ends.IGNORED]
        assert ends(decide(replace(picture, scans={0: ScanReading((page(),))}), asking())) == [Ends.MATCHED]


class TestHoldingThemTogether:
    def test_both_in_one_mail(self) -> None:
        check = standing(after(asking(), both(MAIL[CITY], typed(), page()))).check
        assert check
        assert (check.verdict, dict(check.cells), check.missing, check.changed, check.same_form) == (
            Verdict.CONSISTENT, {}, (), (), True,
        )  # fmt: skip

    @pytest.mark.parametrize("first", ["scan", "electronic"])
    def test_in_two_mails_whichever_comes_first(self, first: str) -> None:
        mails = [scanned(MAIL[CITY], page(answers=people(mobile="13900000002"))), mail(MAIL[CITY], typed())]
        situation = after(asking(), *(mails if first == "scan" else reversed(mails)))
        assert doubts(standing(situation)) == ["扫描件与电子版不一致：审核员手机号码"]

    def test_a_third_mail_corrects_the_electronic_copy_and_what_was_changed_after_signing_is_told(
        self,
    ) -> None:
        wrong = both(MAIL[CITY], typed(answers=people(mobile="13900000002")), page())
        situation = after(asking(), wrong)
        assert doubts(standing(situation)) == ["扫描件与电子版不一致：审核员手机号码"]
        situation = after(situation, mail(MAIL[CITY], typed()))
        assert standing(situation).check
        assert doubts(standing(situation)) == ["盖章后电子版又有改动：审核员手机号码"]

    def test_a_third_mail_corrects_the_scan(self) -> None:
        unsealed = both(MAIL[CITY], typed(), page(seal=Seal.NOT_SEEN))
        situation = after(asking(), unsealed)
        assert doubts(standing(situation)) == ["扫描件上未见公章"]
        assert doubts(standing(after(situation, scanned(MAIL[CITY], page())))) == []

    def test_cells_that_were_left_blank_are_named(self) -> None:
        blank = people(mobile="")
        situation = after(asking(), both(MAIL[CITY], typed(answers=blank), page(answers=blank)))
        assert "电子版未填写：审核员手机号码" in doubts(standing(situation))

    def test_a_paper_of_another_form_than_the_copy_is_told(self) -> None:
        situation = replace(asking(), receipt_tokens={CITY: frozenset({own(CITY), own("9")})})
        situation = after(situation, both(MAIL[CITY], typed(hz=own("9")), page()))
        assert "扫描件与电子版的编号不同，不是同一份表" in doubts(standing(situation))

    def test_what_is_lacking(self) -> None:
        assert lacking(None) == ["扫描件", "电子版"]
        assert lacking(standing(after(asking(), scanned(MAIL[CITY], page())))) == ["电子版"]
        assert lacking(standing(after(asking(), mail(MAIL[CITY], typed())))) == ["扫描件"]


class TestAcceptingWithoutAPerson:
    def accepted(self, arrival: Arrival, *, allowed: bool = True) -> bool:
        situation = asking()
        policy = replace(situation.policy, accept_receipts=allowed)
        return bool(standing(after(replace(situation, policy=policy), arrival)).accepted)

    def test_only_where_config_says_so_and_nothing_is_in_doubt(self) -> None:
        good = both(MAIL[CITY], typed(), page())
        assert self.accepted(good)
        assert not self.accepted(good, allowed=False)

    @pytest.mark.parametrize(
        "arrival",
        [
            both(MAIL[CITY], typed(), page(seal=Seal.DOUBTFUL)),
            both(MAIL[CITY], typed(), page(answers=people(mobile="13900000002"))),
            both(MAIL[CITY], typed(), BARE),
            both(STRANGER, typed(), page()),
            both(MAIL[CITY], typed(answers=people(mobile="")), page(answers=people(mobile=""))),
        ],
        ids=["seal", "differs", "no token", "unregistered", "left blank"],
    )
    def test_any_doubt_is_a_persons(self, arrival: Arrival) -> None:
        assert not self.accepted(arrival)

    def test_a_part_that_comes_later_opens_it_again(self) -> None:
        situation = asking()
        situation = replace(situation, policy=replace(situation.policy, accept_receipts=True))
        situation = after(situation, both(MAIL[CITY], typed(), page()))
        situation = after(situation, mail(MAIL[CITY], typed(answers=people(mobile="13900000002"))))
        assert not standing(situation).accepted
