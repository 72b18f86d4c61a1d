"""A pass over the outbox: whose turn it is, within which limits, and what each answer makes of a letter."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tests.process.outboxes import NOON, TAKEN, UNKNOWN, Hand, Outbox, refused
from workflow.adapters.store import LetterState
from workflow.domain.errors import OutsideFailed
from workflow.domain.events import Event
from workflow.domain.letters import PRIORITY, LetterKind
from workflow.domain.refusals import Stage
from workflow.domain.sending import Allowance, Limits
from workflow.process.delivery import DOUBT_WAIT
from workflow.process.dispatch import DOUBT, use

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from workflow.adapters.mail.smtp import Delivery

MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
AWAY = OutsideFailed("发信服务器", "连接中断")


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    made = Outbox(tmp_path)
    yield made
    made.close()


def people(count: int, domain: str = "x.test") -> list[str]:
    return [f"p{n:03d}@{domain}" for n in range(count)]


class TestTurns:
    def test_returns_and_escalations_go_before_reminders(self, outbox: Outbox) -> None:
        for kind in (LetterKind.DIGEST, LetterKind.REMINDER, LetterKind.ESCALATION, LetterKind.RETURNED):
            outbox.queue(f"{kind}@x.test", priority=PRIORITY[kind])
        hand = Hand()
        outbox.send(hand)
        assert hand.carried == [
            "escalation@x.test", "returned@x.test", "reminder@x.test", "digest@x.test",
        ]  # fmt: skip

    def test_a_flood_of_returns_does_not_keep_a_reminder_for_ever(self, outbox: Outbox) -> None:
        outbox.queue("reminder@x.test", priority=6, at=NOON - DAY)
        outbox.allow(Allowance(Limits(minute=2)))
        hand = Hand()
        for n in range(4):
            outbox.queue(*people(9, f"d{n}.test"), priority=1)
            outbox.send(hand)
            outbox.now += MINUTE
        assert hand.carried.index("reminder@x.test") == 4
        assert len(hand.carried) == 8

    def test_a_pass_sends_no_more_than_it_may(self, outbox: Outbox) -> None:
        outbox.queue(*people(70))
        outbox.allow(Allowance(), limit=45)
        seen = outbox.send(Hand())
        assert (seen.sent, seen.waiting, seen.holds) == (45, 25, ())


class TestLimits:
    def test_what_waits_and_until_when_is_told(self, outbox: Outbox) -> None:
        outbox.queue(*people(30))
        outbox.allow(Allowance(Limits(minute=7, hour=10)))
        first = outbox.send(Hand())
        assert (first.sent, first.waiting) == (7, 23)
        assert [(hold.why, hold.until) for hold in first.holds] == [("每分钟至多7封", NOON + MINUTE)]
        outbox.now += MINUTE
        second = outbox.send(Hand())
        assert (second.sent, second.waiting) == (3, 20)
        assert [(hold.why, hold.until) for hold in second.holds] == [("每小时至多10封", NOON + HOUR)]
        assert outbox.send(Hand()).sent == 0

    def test_a_restart_resets_nothing(self, outbox: Outbox, tmp_path: Path) -> None:
        outbox.queue(*people(9))
        outbox.allow(Allowance(Limits(day=5)))
        assert outbox.send(Hand()).sent == 5
        outbox.close()
        again = Outbox(tmp_path)
        again.terms, again.now = outbox.terms, NOON + DAY - MINUTE
        assert again.send(Hand()).sent == 0
        again.now = NOON + DAY
        assert again.send(Hand()).sent == 4
        again.close()

    def test_a_full_domain_keeps_back_only_its_own_letters(self, outbox: Outbox) -> None:
        outbox.queue(*people(60, "163.com"), priority=1)
        outbox.queue(*people(40, "school.test"), priority=5)
        outbox.allow(Allowance(Limits(), {"163.com": Limits(hour=3)}), limit=50)
        hand = Hand()
        seen = outbox.send(hand)
        assert seen.sent == 43
        assert sum(to.endswith("163.com") for to in hand.carried) == 3
        assert [(hold.domain, hold.until) for hold in seen.holds] == [("163.com", NOON + HOUR)]

    def test_what_was_refused_counts_too_and_what_was_never_said_does_not(self, outbox: Outbox) -> None:
        outbox.queue(*people(10))
        outbox.allow(Allowance(Limits(day=6)))
        assert outbox.send(Hand(lambda to: refused("450 greylisted"))).deferred == 6
        outbox.now += HOUR
        assert outbox.send(Hand()).sent == 0
        outbox.now += DAY
        with pytest.raises(OutsideFailed):
            outbox.send(Hand(lambda to: AWAY))
        assert use(outbox.store, outbox.terms, outbox.now).account == (1, 1, 1)

    def test_what_is_used_is_told_for_the_account_and_each_limited_domain(self, outbox: Outbox) -> None:
        outbox.queue(*people(4, "163.com"), *people(3))
        outbox.allow(Allowance(Limits(), {"163.com": Limits(day=3), "qq.com": Limits(day=3)}))
        outbox.send(Hand())
        outbox.now += 2 * MINUTE
        seen = use(outbox.store, outbox.terms, outbox.now)
        assert seen.account == (0, 6, 6)
        assert seen.domains == {"163.com": (0, 3, 3), "qq.com": (0, 0, 0)}
        assert (seen.due, seen.pause) == (1, None)


class TestRefusals:
    def test_a_greylisted_letter_goes_again_later_each_time_and_fails_in_the_end(
        self, outbox: Outbox
    ) -> None:
        outbox.queue("a@x.test")
        grey, waits = Hand(lambda to: refused("450 4.2.0 greylisted")), []
        for _ in range(12):
            outbox.send(grey)
            letter = outbox.letter("a@x.test")
            if letter.not_before:
                waits.append(letter.not_before - outbox.now)
                assert outbox.send(grey).deferred == 0
                outbox.now = letter.not_before
        assert all(before < after for before, after in pairwise(waits[:6]))
        assert len(grey.carried) == 12
        assert (outbox.letter("a@x.test").state, outbox.letter("a@x.test").blame) == (
            LetterState.FAILED, "patience",
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("answer", "blame"),
        [
            (refused("550 5.1.1 <a@x.test>: user unknown"), "recipient"),
            (refused("552 message too large", Stage.END), "letter"),
        ],
    )
    def test_a_refusal_for_good_has_somebody_to_blame(
        self, outbox: Outbox, answer: Delivery, blame: str
    ) -> None:
        outbox.queue("a@x.test", "b@x.test")
        seen = outbox.send(Hand(lambda to: answer if to == "a@x.test" else TAKEN))
        assert (seen.sent, seen.failed) == (1, 1)
        [failed] = outbox.store.failed_letters("2026Q4")
        assert (failed.id, failed.blame) == ("a@x.test", blame)
        assert "a@x.test" not in failed.reply  # an address is personal and stands with the letter

    @pytest.mark.parametrize(("stage", "blame"), [(Stage.RECIPIENT, "recipient"), (Stage.END, "letter")])
    def test_what_nobody_can_tell_apart_is_tried_three_times(
        self, outbox: Outbox, stage: Stage, blame: str
    ) -> None:
        outbox.queue("a@x.test")
        odd = Hand(lambda to: refused("554 no", stage))
        for _ in range(5):
            outbox.send(odd)
            outbox.now += HOUR
        assert outbox.kinds("a@x.test") == [
            "queued", "attempted", "deferred", "attempted", "deferred", "attempted", "failed",
        ]  # fmt: skip
        assert outbox.letter("a@x.test").blame == blame

    def test_one_address_that_is_no_more_stops_nobody(self, outbox: Outbox) -> None:
        outbox.queue(*people(50))
        seen = outbox.send(Hand(lambda to: refused("550 5.1.1 user unknown")))
        assert (seen.failed, seen.pause) == (50, None)


class TestPauses:
    @pytest.mark.parametrize(
        ("reply", "until"),
        [
            ("550 Ip frequency limited", NOON + 5 * MINUTE),
            ("550 RP:TRC", NOON + 12 * HOUR + 10 * MINUTE),
            ("554 IP in blacklist", NOON + 15 * MINUTE),
        ],
    )
    def test_a_throttle_stops_the_account_and_blames_no_letter(
        self, outbox: Outbox, reply: str, until: dt.datetime
    ) -> None:
        outbox.queue(*people(30))
        hand = Hand(lambda to: refused(reply) if len(hand.carried) >= 3 else TAKEN)
        seen = outbox.send(hand)
        assert (seen.sent, seen.failed, seen.deferred, seen.waiting) == (3, 0, 0, 27)
        assert seen.pause is not None
        assert (seen.pause.until, seen.fresh) == (until, True)
        assert len(hand.carried) == 4
        assert set(outbox.states().values()) == {LetterState.SENT, LetterState.QUEUED}
        assert max(row.attempts for row in outbox.store.letters("2026Q4") if row.state == "queued") == 0
        outbox.now = until - MINUTE / 60
        still = outbox.send(Hand())
        assert (still.sent, still.waiting, still.fresh) == (0, 27, False)
        outbox.now = until
        assert outbox.send(Hand()).sent == 27

    def test_pauses_double_until_a_letter_is_taken(self, outbox: Outbox) -> None:
        outbox.queue(*people(10))
        waits = []
        for _ in range(3):
            pause = outbox.send(Hand(lambda to: refused("450 MI:SFQ"))).pause
            assert pause is not None
            waits.append(pause.until - outbox.now)
            outbox.now = pause.until
        once = Hand(lambda to: TAKEN if not once.carried else refused("450 MI:SFQ"))
        pause = outbox.send(once).pause
        assert pause is not None
        assert [*waits, pause.until - outbox.now] == [5 * MINUTE, 10 * MINUTE, 20 * MINUTE, 5 * MINUTE]

    def test_staff_need_not_wait_for_a_pause_to_end(self, outbox: Outbox) -> None:
        outbox.queue("a@x.test")
        door = Hand(door=refused("535 wrong password", Stage.LOGIN))
        seen = outbox.send(door)
        assert seen.pause is not None
        assert outbox.kinds("a@x.test") == ["queued"]
        assert outbox.send(Hand()).sent == 0
        outbox.terms = replace(outbox.terms, impatient=True)
        assert outbox.send(Hand()).sent == 1
        assert use(outbox.store, outbox.terms, outbox.now).pause is None

    def test_a_throttle_in_words_that_nobody_knows_spoils_five_tries_and_no_contact(
        self, outbox: Outbox
    ) -> None:
        outbox.queue(*people(60))
        odd = Hand(lambda to: refused("550 mail is refused"))
        for _ in range(2):
            seen = outbox.send(odd)
            assert seen.pause is not None
            outbox.now = seen.pause.until
        assert len(odd.carried) == 10
        assert outbox.store.failed_letters("2026Q4") == []

    def test_a_relay_that_closes_the_door_during_a_pass_is_no_letters_fault(self, outbox: Outbox) -> None:
        outbox.queue(*people(3))
        away = refused("421 HL:ICC", Stage.GREETING)
        hand = Hand(lambda to: TAKEN if not hand.carried else away)
        assert outbox.send(hand).pause is not None
        assert use(outbox.store, outbox.terms, outbox.now).account == (1, 1, 1)


class TestBreaks:
    def test_a_relay_out_of_reach_leaves_everything_as_it_was(self, outbox: Outbox) -> None:
        outbox.queue(*people(3))
        with pytest.raises(OutsideFailed):
            outbox.send(Hand(door=AWAY))
        assert {tuple(outbox.kinds(to)) for to in people(3)} == {("queued",)}

    def test_a_letter_at_which_the_relay_hangs_up_waits_and_those_behind_it_are_tried(
        self, outbox: Outbox
    ) -> None:
        outbox.queue("poison@x.test", priority=1)
        outbox.queue(*people(3))
        hand = Hand(lambda to: AWAY if to.startswith("poison") else TAKEN)
        with pytest.raises(OutsideFailed):
            outbox.send(hand)
        assert outbox.send(hand).sent == 3
        assert outbox.kinds("poison@x.test") == ["queued", "attempted", "deferred"]
        assert outbox.kinds("p000@x.test") == ["queued", "attempted", "put_back", "attempted", "sent"]

    def test_what_the_relay_took_before_it_went_away_is_noted(self, outbox: Outbox) -> None:
        outbox.queue(*people(5))
        hand = Hand(lambda to: TAKEN if len(hand.carried) < 2 else AWAY)
        with pytest.raises(OutsideFailed):
            outbox.send(hand)
        assert list(outbox.states().values()) == ["sent", "sent", "deferred", "queued", "queued"]

    def test_a_damaged_letter_is_told_and_keeps_nobody(self, outbox: Outbox, tmp_path: Path) -> None:
        outbox.queue(*people(3))
        kept = (tmp_path / "outbox").rglob("*.eml")
        next(path for path in kept if b"p001@x.test" in path.read_bytes()).write_bytes(b"x")
        seen = outbox.send(Hand())
        assert (seen.sent, seen.waiting) == (2, 1)
        assert seen.fault is not None
        assert "已损坏" in seen.fault.what
        assert outbox.kinds("p001@x.test") == ["queued"]


class TestDoubt:
    def doubtful(self, outbox: Outbox, *addresses: str) -> None:
        outbox.queue(*addresses)
        outbox.send(Hand(lambda to: UNKNOWN))

    def test_a_letter_in_doubt_waits_and_goes_again_as_it_was(self, outbox: Outbox) -> None:
        self.doubtful(outbox, "a@x.test")
        hand = Hand()
        assert outbox.send(hand).sent == 0
        outbox.now += DOUBT_WAIT
        assert outbox.send(hand).sent == 1
        assert hand.raws == [b"To: a@x.test\r\n\r\nletter\r\n"]
        assert outbox.kinds("a@x.test") == ["queued", "attempted", "doubted", "attempted", "sent"]

    def test_one_that_the_provider_has_filed_counts_as_sent(self, outbox: Outbox) -> None:
        self.doubtful(outbox, "a@x.test", "b@x.test")
        asked: list[tuple[list[str], dt.date]] = []

        def filed(ids: Collection[str], since: dt.date) -> Collection[str]:
            asked.append((sorted(ids), since))
            return {"<a@x.test>", "<another@x.test>"}

        hand = Hand()
        outbox.send(hand, filed)
        assert asked == []  # not before its time
        outbox.now += DOUBT_WAIT
        outbox.send(hand, filed)
        assert hand.carried == ["b@x.test"]
        assert asked == [(["<a@x.test>", "<b@x.test>"], NOON.date())]
        assert outbox.kinds("a@x.test") == ["queued", "attempted", "doubted", "sent"]

    def test_while_nobody_can_look_it_waits_and_the_others_go(self, outbox: Outbox) -> None:
        self.doubtful(outbox, "a@x.test")
        outbox.now += DOUBT_WAIT
        outbox.queue("b@x.test")

        def away(ids: Collection[str], since: dt.date) -> Collection[str]:
            raise OutsideFailed("收件邮箱", "连接不上")

        hand = Hand()
        seen = outbox.send(hand, away)
        assert (hand.carried, seen.waiting) == (["b@x.test"], 1)
        assert seen.fault is not None
        assert outbox.send(hand).sent == 1

    def test_no_more_letters_than_promised_are_in_doubt_at_once(self, outbox: Outbox) -> None:
        outbox.queue(*people(70))
        most = 0

        def answer(to: str) -> Delivery:
            nonlocal most
            most = max(most, sum(state is LetterState.ATTEMPTED for state in outbox.states().values()))
            return TAKEN

        outbox.send(Hand(answer))
        assert most == DOUBT

    def test_a_bounce_that_comes_before_the_answer_is_written_stands_and_spoils_no_other(
        self, outbox: Outbox
    ) -> None:
        outbox.queue(*people(3))

        def answer(to: str) -> Delivery:
            if to == "p001@x.test":
                failed = Event(f"letter:{to}", 3, "letter.failed", NOON, "系统", data={"reply": "550"})
                outbox.store.append([failed])
            return TAKEN

        hand = Hand(answer)
        outbox.send(hand)
        assert list(outbox.states().values()) == ["sent", "failed", "sent"]
        outbox.now += DAY
        assert outbox.send(hand).sent == 0
