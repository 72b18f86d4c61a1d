"""One message, one bucket; one attachment, one outcome: the decision on everything that can arrive."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from tests.domain.offices import (
    CENTRAL,
    CITY,
    COUNTY,
    POINT,
    REMOTE,
    SCHOOL,
    UNIVERSITY,
    WEST,
    at,
    query,
)
from tests.process.situations import (
    DUE,
    GOOD,
    LAST,
    OWN,
    STRANGER,
    WRONG,
    after,
    answered,
    bounce,
    decision,
    ends,
    fold,
    form_for,
    key,
    kinds,
    letters,
    mail,
    opened,
    receipt,
    review,
    token,
    useless,
    with_earlier,
    with_last_campaign,
    with_letter,
    with_new_copy,
    workbook,
)
from workflow.adapters.store.records import LetterState
from workflow.domain.form import Field, FieldType
from workflow.domain.lifecycle import CaseState, PackageAct, PackageState, act_on_package
from workflow.domain.merge import Origin, stand
from workflow.domain.message import Sighting
from workflow.domain.submission import AttachmentOutcome, Bucket, Reading, ReadOutcome
from workflow.process.decide import decide, failed
from workflow.process.situation import Policy, Situation

Ends = AttachmentOutcome
SCHOOL_MAIL, COUNTY_ADMIN = "school@county.test", "admin@county.test"


def reported(situation: Situation, unit: str = COUNTY) -> Situation:
    package = act_on_package(
        situation.packages["2026Q4", unit], PackageAct.AUTO_REPORT, reported_at=at(1, 6, 0)
    )
    return replace(situation, packages={**situation.packages, ("2026Q4", unit): package})


MANY = {"学生": 900, "教师": 30}


def with_explanations(situation: Situation) -> Situation:
    """The schools' form asks why there are so many pupils, and has a cell for it."""
    form = situation.forms["school"]
    fields = (*form.fields, Field("说明:2", "经验校验2说明", FieldType.TEXT))
    asking = replace(form, fields=fields, rules=(*form.rules, query("学生<=800", "学生数偏多，请核对。")))
    return replace(situation, forms={**situation.forms, "school": asking})


class TestWhatNobodyWrote:
    def test_our_own_letter_that_comes_back_is_own_however_its_address_is_spelt(self) -> None:
        outcome = decide(mail(OWN, workbook(), letter="letter-1"), opened())
        assert (outcome.bucket, ends(outcome), outcome.letters) == (Bucket.OWN, [Ends.IGNORED], ())

    def test_a_copied_header_alone_makes_no_letter_of_ours(self) -> None:
        assert decide(mail(SCHOOL_MAIL, workbook(), letter="letter-1"), opened()).bucket is Bucket.SUBMISSION

    def test_a_permanent_bounce_marks_its_letter_as_failed(self) -> None:
        outcome = decide(bounce(), with_letter(opened()))
        assert (outcome.bucket, kinds(outcome)) == (Bucket.BOUNCE, ["message.taken", "letter.failed"])
        assert (outcome.events[1].stream, outcome.events[1].number) == ("letter:letter-1", 4)
        assert outcome.letters == ()

    @pytest.mark.parametrize(
        ("words", "blame"),
        [("550 no such user", "recipient"), ("550 Domain frequency limited", "letter"), ("", "recipient")],
    )
    def test_a_bounce_blames_the_address_unless_it_says_that_we_send_too_much(
        self, words: str, blame: str
    ) -> None:
        outcome = decide(bounce(words=words), with_letter(opened()))
        assert outcome.events[1].data["blame"] == blame

    @pytest.mark.parametrize(
        "arrival", [bounce(permanent=False), bounce(of="<other@office.test>"), bounce(of="")]
    )
    def test_a_delay_or_a_bounce_of_nothing_known_marks_nothing(self, arrival: object) -> None:
        outcome = decide(arrival, with_letter(opened()))  # type: ignore[arg-type]
        assert (outcome.bucket, kinds(outcome)) == (Bucket.BOUNCE, ["message.taken"])

    @pytest.mark.parametrize("state", [LetterState.QUEUED, LetterState.DEFERRED])
    def test_a_letter_that_is_not_on_its_way_cannot_have_bounced(self, state: LetterState) -> None:
        assert kinds(decide(bounce(), with_letter(opened(), state=state))) == ["message.taken"]

    def test_a_second_bounce_of_a_letter_marks_it_no_more(self) -> None:
        assert kinds(decide(bounce(), with_letter(opened(), state=LetterState.FAILED))) == ["message.taken"]
        first = bounce()
        _, (_, second) = fold(with_letter(opened()), first, replace(first, sha="e" * 64, digest="other"))
        assert kinds(second) == ["message.taken"]

    def test_a_full_mailbox_is_a_good_address_and_the_letter_goes_again_on_the_next_day(self) -> None:
        outcome = decide(bounce(full=True), with_letter(opened()))
        assert kinds(outcome) == ["message.taken", "letter.deferred", "staff.query"]
        assert outcome.events[1].data["until"] == (DUE + dt.timedelta(days=1)).isoformat()
        assert outcome.events[2].personal is not None
        assert "邮箱已满" in outcome.events[2].personal["matter"]
        first = bounce(full=True)
        _, (_, second) = fold(with_letter(opened()), first, replace(first, sha="e" * 64, digest="other"))
        assert kinds(second) == ["message.taken"]

    @pytest.mark.parametrize(("attempts", "event"), [(2, "letter.deferred"), (3, "letter.failed")])
    def test_a_mailbox_that_stays_full_is_told_once_and_given_up_without_blame(
        self, attempts: int, event: str
    ) -> None:
        situation = with_letter(opened())
        letters = {known: replace(row, attempts=attempts) for known, row in situation.letters.items()}
        outcome = decide(bounce(full=True), replace(situation, letters=letters))
        assert kinds(outcome) == ["message.taken", event]
        assert outcome.events[1].data.get("blame", "letter") == "letter"

    def test_a_notice_that_quotes_only_our_own_header_is_tied_to_its_letter(self) -> None:
        outcome = decide(bounce(of="", letter="letter"), with_letter(opened()))
        assert kinds(outcome) == ["message.taken", "letter.failed"]

    def test_an_automatic_reply_is_put_away_unanswered(self) -> None:
        outcome = decide(mail(SCHOOL_MAIL, workbook(), auto="auto_reply"), opened())
        assert (outcome.bucket, ends(outcome), outcome.letters) == (Bucket.AUTO_REPLY, [Ends.IGNORED], ())


class TestEveryMessage:
    def test_its_event_stands_first_with_bucket_outcomes_and_what_is_personal_apart(self) -> None:
        sighting = Sighting("a", "INBOX", 1, 7, DUE)
        outcome = decide(replace(mail(SCHOOL_MAIL, workbook(), subject="报送"), sighting=sighting), opened())
        taken = outcome.events[0]
        assert (taken.kind, taken.number, taken.at) == ("message.taken", 1, DUE)
        assert (taken.data["bucket"], taken.data["unit"], taken.data["campaign"]) == (
            "submission",
            SCHOOL,
            "2026Q4",
        )
        assert [part["outcome"] for part in taken.data["attachments"]] == ["accepted"]
        assert taken.data["sighting"]["uid"] == 7
        assert taken.personal is not None
        assert (taken.personal["sender"], taken.personal["names"]) == (SCHOOL_MAIL, ["0.xlsx"])

    def test_one_that_failed_before_gets_the_next_number(self) -> None:
        assert decide(replace(mail(), number=2), opened()).events[0].number == 2

    def test_a_second_copy_is_a_duplicate_and_so_are_its_files(self) -> None:
        first = mail(SCHOOL_MAIL, workbook())
        _, (_, again) = fold(opened(), first, replace(first, sha="f" * 64))
        assert (again.bucket, ends(again), kinds(again)) == (
            Bucket.DUPLICATE,
            [Ends.DUPLICATE],
            ["message.taken"],
        )

    def test_before_the_first_campaign_nothing_can_be_matched(self) -> None:
        outcome = decide(mail(SCHOOL_MAIL, workbook()), replace(opened(), campaign=None))
        assert (outcome.bucket, ends(outcome)) == (Bucket.UNMATCHED, [Ends.IGNORED])

    def test_one_on_which_deciding_broke_is_kept_with_its_reason(self) -> None:
        arrival = mail(SCHOOL_MAIL, workbook())
        outcome = failed(arrival, "KeyError: 张三")
        assert (outcome.bucket, ends(outcome)) == (Bucket.FAILED, [Ends.IGNORED])
        assert outcome.fates[0].reason == "程序处理这封邮件时出错，原件已保留，将再次处理"
        # What the program said may quote the message: it is personal and can be erased.
        [taken] = outcome.events
        assert taken.personal is not None
        assert taken.personal["fault"] == "KeyError: 张三"
        assert "张三" not in str(taken.data)

    def test_a_copy_of_one_that_failed_is_decided_by_itself(self) -> None:
        arrival = mail(SCHOOL_MAIL, workbook())
        situation = opened().after(failed(arrival, "broke"))
        assert decide(replace(arrival, sha="f" * 64), situation).bucket is Bucket.SUBMISSION


class TestAWorkbook:
    def test_filled_right_it_is_accepted_and_acknowledged(self) -> None:
        outcome = decide(mail(SCHOOL_MAIL, workbook()), opened())
        assert (outcome.bucket, ends(outcome)) == (Bucket.SUBMISSION, [Ends.ACCEPTED])
        assert letters(outcome) == [("acknowledgement", SCHOOL_MAIL)]
        (case,), (version,) = outcome.cases, outcome.submissions
        assert (case.state, case.number, version.number, version.errors) == (CaseState.SUBMITTED, 1, 1, 0)
        assert outcome.events[1].personal is not None
        assert outcome.events[1].personal["answers"] == GOOD
        assert outcome.rests_on == {f"package:2026Q4/{COUNTY}"}

    def test_filled_wrong_it_goes_back_with_its_marks_and_is_kept_as_a_version(self) -> None:
        outcome = decide(mail(SCHOOL_MAIL, workbook(answers=WRONG)), opened())
        assert (outcome.bucket, ends(outcome)) == (Bucket.SUBMISSION, [Ends.RETURNED])
        assert kinds(outcome) == ["message.taken", "case.submitted", "case.returned"]
        (letter,) = outcome.letters
        assert (letter.kind.value, letter.to.email, letter.context["due"]) == (
            "returned",
            SCHOOL_MAIL,
            at(1, 2, 0),
        )
        (copy,) = letter.enclosures
        assert (copy.answers, [f.code for f in copy.findings], copy.times) == (WRONG, ["rule"], 1)  # type: ignore[union-attr]
        settled = opened().after(outcome)
        assert settled.cases[key(SCHOOL)].state is CaseState.RETURNED
        assert [(v.errors, v.returned) for v in settled.submissions[key(SCHOOL)]] == [(1, True)]

    def test_a_query_without_its_explanation_goes_back_but_its_figures_would_go_up_unreviewed(self) -> None:
        situation = with_explanations(opened())
        settled, (outcome,) = fold(situation, mail(SCHOOL_MAIL, workbook(answers=MANY)))
        assert (ends(outcome), settled.cases[key(SCHOOL)].state) == ([Ends.RETURNED], CaseState.RETURNED)
        versions = settled.submissions[key(SCHOOL)]
        assert [(v.errors, v.queries, v.returned) for v in versions] == [(0, 1, False)]
        assert outcome.events[-1].data["returned_number"] == 0
        assert stand(settled.cases[key(SCHOOL)], versions, None).origin is Origin.NOT_REVIEWED

    def test_explained_it_is_accepted_with_what_the_unit_says(self) -> None:
        told = workbook(answers={**MANY, "说明:2": "并入两所小学"})
        _, (_, outcome) = fold(
            with_explanations(opened()), mail(SCHOOL_MAIL, workbook(answers=MANY)), mail(SCHOOL_MAIL, told)
        )
        assert ends(outcome) == [Ends.ACCEPTED]
        assert (answered(outcome, "acknowledgement")["queries"], outcome.submissions[0].queries) == ([], 0)
        assert "并入两所小学" in answered(outcome, "acknowledgement")["also"][0]

    def test_a_correction_is_never_asked_for_after_the_data_have_gone_up(self) -> None:
        outcome = decide(mail(SCHOOL_MAIL, workbook(answers=WRONG), moment=at(1, 4)), opened())
        assert answered(outcome, "returned")["due"] == at(1, 6, 0)

    def test_corrected_it_is_the_next_version_and_the_return_is_settled(self) -> None:
        situation, (_, second) = fold(
            opened(),
            mail(SCHOOL_MAIL, workbook(answers=WRONG)),
            mail(SCHOOL_MAIL, workbook(), moment=at(12, 30)),
        )
        case = situation.cases[key(SCHOOL)]
        assert (ends(second), case.state, case.number, case.returns, case.due) == (
            [Ends.ACCEPTED], CaseState.SUBMITTED, 2, 1, None,
        )  # fmt: skip

    def test_an_update_unasked_makes_an_approval_lapse(self) -> None:
        situation = after(
            opened(),
            mail(SCHOOL_MAIL, workbook()),
            mail("review@county.test", review(decision(SCHOOL, "通过"))),
        )
        assert situation.cases[key(SCHOOL)].state is CaseState.APPROVED
        situation = after(situation, mail(SCHOOL_MAIL, workbook(answers={"学生": 481})))
        assert situation.cases[key(SCHOOL)].state is CaseState.SUBMITTED

    @pytest.mark.parametrize("moment", [at(1, 5, 23, 59), DUE])
    def test_until_the_packages_cut_off_it_is_in_time(self, moment: object) -> None:
        assert ends(decide(mail(SCHOOL_MAIL, workbook(), moment=moment), opened())) == [Ends.ACCEPTED]  # type: ignore[arg-type]

    def test_from_the_cut_off_on_it_is_late_even_before_the_report_is_written(self) -> None:
        outcome = decide(mail(SCHOOL_MAIL, workbook(), moment=at(1, 6, 0)), opened())
        assert (outcome.bucket, ends(outcome), letters(outcome)) == (
            Bucket.SUBMISSION, [Ends.LATE], [("late", SCHOOL_MAIL)],
        )  # fmt: skip
        assert (outcome.cases, kinds(outcome)) == ((), ["message.taken", "late.kept"])

    def test_once_the_package_above_has_gone_up_it_is_late_however_early(self) -> None:
        outcome = decide(mail(SCHOOL_MAIL, workbook(), moment=at(1, 3)), reported(opened()))
        assert ends(outcome) == [Ends.LATE]
        assert answered(outcome, "late")["superior_name"] == "东区教育局"

    def test_for_a_returned_package_it_is_in_time_until_the_packages_date(self) -> None:
        situation = reported(opened())
        package = act_on_package(situation.packages["2026Q4", COUNTY], PackageAct.RETURN, due=at(1, 9, 0))
        situation = replace(situation, packages={**situation.packages, ("2026Q4", COUNTY): package})
        assert ends(decide(mail(SCHOOL_MAIL, workbook(), moment=at(1, 8)), situation)) == [Ends.ACCEPTED]
        assert ends(decide(mail(SCHOOL_MAIL, workbook(), moment=at(1, 9, 0)), situation)) == [Ends.LATE]

    def test_for_a_returned_package_the_cut_off_of_the_level_above_may_come_first(self) -> None:
        situation = reported(opened())
        package = act_on_package(situation.packages["2026Q4", COUNTY], PackageAct.RETURN, due=at(1, 14, 0))
        situation = replace(situation, packages={**situation.packages, ("2026Q4", COUNTY): package})
        outcome = decide(mail(SCHOOL_MAIL, workbook(answers=WRONG), moment=at(1, 10)), situation)
        assert (ends(outcome), answered(outcome, "returned")["due"]) == ([Ends.RETURNED], at(1, 11, 0))
        assert ends(decide(mail(SCHOOL_MAIL, workbook(), moment=at(1, 11, 0)), situation)) == [Ends.LATE]

    def test_last_quarters_copy_is_late_once_this_quarters_data_have_gone_up(self) -> None:
        old = workbook(hz=token(SCHOOL, 1, "2026Q3"))
        situation = reported(with_last_campaign(opened()))
        assert ends(decide(mail(SCHOOL_MAIL, old), situation)) == [Ends.LATE]

    def test_an_older_copy_is_stale_and_the_unit_is_told_which_counts(self) -> None:
        outcome = decide(mail(SCHOOL_MAIL, workbook(copy=1)), with_new_copy(opened()))
        assert (ends(outcome), letters(outcome)) == ([Ends.STALE], [("stale", SCHOOL_MAIL)])
        said = answered(outcome, "stale")
        assert (said["copy"], said["current_copy"], said["carried"]) == (1, 2, 2)
        assert outcome.cases == ()

    def test_an_unknown_token_is_foreign_and_so_is_one_that_contradicts_the_unit_code(self) -> None:
        for book in (workbook(hz="HZ-AAAAAAAAAAAAAAAAAA"), workbook(code=WEST)):
            outcome = decide(mail(SCHOOL_MAIL, book), opened())
            assert (outcome.bucket, ends(outcome)) == (Bucket.SUBMISSION, [Ends.FOREIGN])
            assert letters(outcome) == [("problem_file", SCHOOL_MAIL)]
        assert ends(decide(mail(SCHOOL_MAIL, Reading(ReadOutcome.ANSWERS)), opened())) == [Ends.FOREIGN]

    def test_a_copy_known_by_its_printed_token_alone_counts(self) -> None:
        book = workbook()
        assert book.identity is not None
        bare = replace(book, identity=replace(book.identity, unit="", campaign="", copy=0))
        assert ends(decide(mail(SCHOOL_MAIL, bare), opened())) == [Ends.ACCEPTED]

    def test_a_token_of_a_unit_that_has_left_the_roster_is_foreign(self) -> None:
        situation = with_last_campaign(opened())
        units = {code: unit for code, unit in situation.roster.units.items() if code != SCHOOL}
        roster = replace(situation.roster, units=units)
        outcome = decide(
            mail(COUNTY_ADMIN, workbook(hz=token(SCHOOL, 1, "2026Q3")), subject=token(SCHOOL, 1, "2026Q3")),
            replace(situation, roster=roster),
        )
        assert ends(outcome) == [Ends.FOREIGN]

    def test_the_very_file_again_is_a_duplicate_but_after_a_return_it_counts(self) -> None:
        situation, (_, again) = fold(
            opened(), mail(SCHOOL_MAIL, workbook()), mail(SCHOOL_MAIL, workbook(), words="再发")
        )
        assert (again.bucket, ends(again), again.letters) == (Bucket.SUBMISSION, [Ends.DUPLICATE], ())
        assert situation.cases[key(SCHOOL)].number == 1
        wrong = workbook(answers=WRONG)
        _, (_, told) = fold(opened(), mail(SCHOOL_MAIL, wrong), mail(SCHOOL_MAIL, wrong, words="再发"))
        assert (ends(told), answered(told, "returned")["times"]) == ([Ends.RETURNED], 2)

    def test_twice_in_one_message_the_second_is_the_duplicate(self) -> None:
        outcome = decide(mail(SCHOOL_MAIL, workbook(), workbook()), opened())
        assert ends(outcome) == [Ends.ACCEPTED, Ends.DUPLICATE]

    def test_one_mail_may_bring_the_workbooks_of_several_units(self) -> None:
        outcome = decide(mail("central@county.test", workbook(CENTRAL), workbook(POINT, WRONG)), opened())
        assert ends(outcome) == [Ends.ACCEPTED, Ends.RETURNED]
        assert letters(outcome) == [
            ("acknowledgement", "central@county.test"),
            ("returned", "central@county.test"),
        ]
        assert [fate.unit for fate in outcome.fates] == [CENTRAL, POINT]
        assert [(letter.unit, letter.to.unit) for letter in outcome.letters] == [
            (CENTRAL, CENTRAL),
            (POINT, POINT),
        ]


class TestWhoBroughtIt:
    def test_a_strangers_workbook_counts_and_is_answered_at_the_registered_address_only(self) -> None:
        outcome = decide(mail(STRANGER, workbook()), opened())
        assert (outcome.bucket, ends(outcome)) == (Bucket.SUBMISSION, [Ends.ACCEPTED])
        assert letters(outcome) == [("acknowledgement", SCHOOL_MAIL), ("unknown_sender_confirm", SCHOOL_MAIL)]
        assert answered(outcome, "unknown_sender_confirm") == {
            "from_address": "s***@home.test",
            "held": False,
            "forged": False,
            "items": [],
        }
        assert outcome.letters[1].enclosures == ()

    def test_a_stranger_never_displaces_what_the_units_own_people_sent(self) -> None:
        sent = after(opened(), mail(SCHOOL_MAIL, workbook()))
        for book in (workbook(answers={**GOOD, "学生": 777}), workbook(answers=WRONG)):
            outcome = decide(mail(STRANGER, book), sent)
            assert (outcome.bucket, ends(outcome)) == (Bucket.QUARANTINED, [Ends.FOREIGN])
            assert (outcome.cases, outcome.submissions) == ((), ())
            assert letters(outcome) == [("unknown_sender_confirm", SCHOOL_MAIL)]
            assert answered(outcome, "unknown_sender_confirm")["held"] is True
            assert [event.kind for event in outcome.events if event.kind != "step.done"] == [
                "message.taken",
                "staff.query",
                "sender.asked",
            ]

    def test_a_strangers_version_may_be_followed_by_the_strangers_own_and_by_the_units(self) -> None:
        first = after(opened(), mail(STRANGER, workbook()))
        for sender in (STRANGER, SCHOOL_MAIL):
            outcome = decide(mail(sender, workbook(answers={**GOOD, "学生": 777})), first)
            assert (ends(outcome), outcome.cases[0].number) == ([Ends.ACCEPTED], 2)

    def test_another_units_people_are_strangers_here(self) -> None:
        for situation, book in (
            (opened(), workbook()),
            (with_new_copy(opened()), workbook(copy=1)),
            (reported(opened()), workbook()),
        ):
            outcome = decide(mail("admin@west.test", book, moment=at(1, 3)), situation)
            assert {address for _, address in letters(outcome)} == {SCHOOL_MAIL}

    def test_a_superior_may_bring_it(self) -> None:
        assert letters(decide(mail(COUNTY_ADMIN, workbook()), opened())) == [
            ("acknowledgement", COUNTY_ADMIN)
        ]

    def test_for_a_unit_without_an_address_the_superior_is_answered(self) -> None:
        outcome = decide(mail(STRANGER, workbook(REMOTE)), opened())
        assert {address for _, address in letters(outcome)} == {COUNTY_ADMIN}
        assert {letter.to.relay_for for letter in outcome.letters} == {REMOTE}

    def test_where_nobody_can_be_reached_nobody_is_written_to(self) -> None:
        deaf = replace(opened(), roster=replace(opened().roster, contacts=()))
        outcome = decide(mail("", workbook()), deaf)
        assert (ends(outcome), outcome.letters) == ([Ends.ACCEPTED], ())


USELESS = [
    (ReadOutcome.UNREADABLE, Ends.UNREADABLE),
    (ReadOutcome.ENCRYPTED, Ends.ENCRYPTED),
    (ReadOutcome.MACRO, Ends.MACRO),
    (ReadOutcome.HOSTILE, Ends.HOSTILE),
    (ReadOutcome.FOREIGN, Ends.FOREIGN),
    (ReadOutcome.UNSUPPORTED, Ends.UNSUPPORTED),
]


class TestWhatCannotBeUsed:
    @pytest.mark.parametrize(("read", "end"), USELESS)
    def test_a_registered_sender_is_told_what_to_do(self, read: ReadOutcome, end: AttachmentOutcome) -> None:
        outcome = decide(mail(SCHOOL_MAIL, useless(read)), opened())
        assert (outcome.bucket, ends(outcome)) == (Bucket.SUBMISSION, [end])
        assert letters(outcome) == [("problem_file", SCHOOL_MAIL)]
        (item,) = answered(outcome, "problem_file")["items"]  # type: ignore[misc]
        assert item["name"] == "0.xlsx"
        assert item["reason"]
        assert item["remedy"]

    @pytest.mark.parametrize(("read", "end"), USELESS)
    def test_a_stranger_is_not_answered(self, read: ReadOutcome, end: AttachmentOutcome) -> None:
        outcome = decide(mail(STRANGER, useless(read)), opened())
        assert (outcome.bucket, ends(outcome), outcome.letters) == (Bucket.UNMATCHED, [end], ())

    def test_in_our_thread_a_strangers_bad_file_is_told_to_the_unit(self) -> None:
        outcome = decide(
            mail(STRANGER, useless(ReadOutcome.MACRO), subject=f"回复：{token(SCHOOL)}"), opened()
        )
        assert (outcome.bucket, letters(outcome)) == (Bucket.SUBMISSION, [("problem_file", SCHOOL_MAIL)])

    def test_beside_a_good_workbook_one_letter_names_every_bad_file(self) -> None:
        outcome = decide(mail(SCHOOL_MAIL, workbook(), useless(ReadOutcome.MACRO), "简介.zip"), opened())
        assert ends(outcome) == [Ends.ACCEPTED, Ends.MACRO, Ends.UNSUPPORTED]
        assert letters(outcome) == [("acknowledgement", SCHOOL_MAIL), ("problem_file", SCHOOL_MAIL)]
        assert len(answered(outcome, "problem_file")["items"]) == 2  # type: ignore[arg-type]

    def test_beside_a_strangers_good_workbook_the_unit_is_told(self) -> None:
        outcome = decide(mail(STRANGER, useless(ReadOutcome.MACRO), workbook()), opened())
        assert (outcome.bucket, ends(outcome)) == (Bucket.SUBMISSION, [Ends.MACRO, Ends.ACCEPTED])
        assert ("problem_file", SCHOOL_MAIL) in letters(outcome)
        assert {address for _, address in letters(outcome)} == {SCHOOL_MAIL}

    def test_where_nobody_can_be_reached_a_bad_file_is_only_kept(self) -> None:
        deaf = replace(opened(), roster=replace(opened().roster, contacts=()))
        outcome = decide(mail(STRANGER, useless(ReadOutcome.MACRO), subject=token(SCHOOL)), deaf)
        assert (outcome.bucket, ends(outcome), outcome.letters) == (Bucket.SUBMISSION, [Ends.MACRO], ())

    def test_a_picture_in_a_signature_is_ignored(self) -> None:
        outcome = decide(mail(SCHOOL_MAIL, workbook(), "-logo.png"), opened())
        assert ends(outcome) == [Ends.ACCEPTED, Ends.IGNORED]


class TestWordsAlone:
    def test_an_empty_reply_is_helped_once_a_day(self) -> None:
        outcome = decide(mail(SCHOOL_MAIL, "-logo.png", words="收到"), opened())
        assert (outcome.bucket, letters(outcome)) == (Bucket.EMPTY, [("empty_reply", SCHOOL_MAIL)])
        again = decide(mail(SCHOOL_MAIL, words="好的"), opened())
        assert again.letters[0].id == outcome.letters[0].id
        assert again.letters[0].token == token(SCHOOL)

    def test_a_strangers_words_are_not_answered(self) -> None:
        outcome = decide(mail(STRANGER, words="无变化", subject=token(SCHOOL)), with_earlier(opened()))
        assert (outcome.bucket, outcome.letters, outcome.cases) == (Bucket.UNMATCHED, (), ())

    def test_no_change_from_an_address_alone_counts_only_where_the_server_vouches_for_it(self) -> None:
        """A From line can be written by anybody; our letter is answered by whoever had it."""
        outcome = decide(mail(SCHOOL_MAIL, words="本季度无变化"), with_earlier(opened()))
        assert (outcome.bucket, outcome.cases, letters(outcome)) == (
            Bucket.EMPTY, (), [("empty_reply", SCHOOL_MAIL)],
        )  # fmt: skip
        assert "直接回复我方信件" in str(outcome.letters[0].context["doubt"])
        guarded = replace(
            with_earlier(opened()), policy=Policy("own@office.test", trusted_authserv="mx.test")
        )
        passed = {"auth_results": ("mx.test; dkim=pass header.d=county.test",)}
        assert decide(mail(SCHOOL_MAIL, words="本季度无变化", **passed), guarded).cases
        forged = decide(mail(SCHOOL_MAIL, words="本季度无变化", subject=token(SCHOOL)), guarded)
        assert (forged.cases, "发件人验证" in str(forged.letters[0].context["doubt"])) == ((), True)

    def test_data_that_the_server_does_not_vouch_for_count_and_the_reviewer_is_told(self) -> None:
        guarded = replace(opened(), policy=Policy("own@office.test", trusted_authserv="mx.test"))
        outcome = decide(mail(SCHOOL_MAIL, workbook()), guarded)
        assert not outcome.submissions[0].unregistered
        assert outcome.events[1].personal is not None
        assert outcome.events[1].personal["notes"] == {"发件地址": "已登记，未通过发件人验证"}

    def test_no_change_with_earlier_data_is_this_quarters_version(self) -> None:
        outcome = decide(
            mail(SCHOOL_MAIL, words="本季度无变化", subject=token(SCHOOL)), with_earlier(opened())
        )
        assert (outcome.bucket, letters(outcome)) == (Bucket.CONFIRMATION, [("acknowledgement", SCHOOL_MAIL)])
        (version,) = outcome.submissions
        assert (version.no_change, version.errors, version.number) == (True, 0, 1)
        assert outcome.events[1].personal is not None
        assert outcome.events[1].personal["answers"] == {**LAST, "无变化": True}
        assert answered(outcome, "acknowledgement")["kind_word"] == "无变化确认"

    @pytest.mark.parametrize("origin", [Origin.WITH_ERRORS, Origin.RETURNED_UNCORRECTED])
    def test_no_change_of_faulty_data_leaves_them_faulty_by_mail_and_in_the_workbook(
        self, origin: Origin
    ) -> None:
        situation = with_earlier(opened(), origin=origin)
        for arrival in (
            mail(SCHOOL_MAIL, words="无变化", subject=token(SCHOOL)),
            mail(SCHOOL_MAIL, workbook(answers={"无变化": "是"})),
        ):
            (version,) = decide(arrival, situation).submissions
            assert (version.no_change, version.errors) == (True, 1)

    def test_no_change_without_earlier_data_is_refused_with_the_way_out(self) -> None:
        outcome = decide(mail(SCHOOL_MAIL, words="无变化", subject=token(SCHOOL)), opened())
        assert (outcome.bucket, letters(outcome)) == (
            Bucket.CONFIRMATION,
            [("no_change_refused", SCHOOL_MAIL)],
        )
        assert (outcome.cases, kinds(outcome)) == ((), ["message.taken"])

    def test_no_change_after_the_cut_off_is_late(self) -> None:
        outcome = decide(
            mail(SCHOOL_MAIL, words="无变化", subject=token(SCHOOL), moment=at(1, 6, 0)),
            with_earlier(opened()),
        )
        assert (outcome.bucket, letters(outcome), outcome.fates) == (
            Bucket.CONFIRMATION, [("late", SCHOOL_MAIL)], (),
        )  # fmt: skip

    def test_no_change_in_last_quarters_thread_touches_no_case(self) -> None:
        situation = with_earlier(with_last_campaign(opened()))
        outcome = decide(mail(SCHOOL_MAIL, words="无变化", subject=token(SCHOOL, 1, "2026Q3")), situation)
        assert (outcome.bucket, outcome.cases, letters(outcome)) == (
            Bucket.CONFIRMATION, (), [("late", SCHOOL_MAIL)],
        )  # fmt: skip

    def test_the_thread_tells_which_unit_of_a_shared_address_is_meant(self) -> None:
        situation = with_letter(with_earlier(opened(), POINT), POINT)
        for more in (
            {"subject": f"Re: {token(POINT)}"},
            {"in_reply_to": ("<x@y.test>", "<letter@office.test>")},
        ):
            outcome = decide(mail("central@county.test", words="无变化", **more), situation)  # type: ignore[arg-type]
            assert [case.unit for case in outcome.cases] == [POINT]

    def test_without_a_thread_a_shared_address_cannot_be_told(self) -> None:
        outcome = decide(mail("central@county.test", words="无变化"), with_earlier(opened(), POINT))
        assert (outcome.bucket, outcome.cases) == (Bucket.EMPTY, ())
        assert letters(outcome) == [("empty_reply", "central@county.test")]

    def test_words_that_cross_a_report_of_this_period_leave_it_as_it_is(self) -> None:
        sent = after(with_earlier(opened()), mail(SCHOOL_MAIL, workbook()))
        outcome = decide(mail(SCHOOL_MAIL, words="无变化", subject=token(SCHOOL)), sent)
        assert (outcome.bucket, outcome.cases, outcome.submissions) == (Bucket.CONFIRMATION, (), ())
        assert "继续有效" in answered(outcome, "acknowledgement")["also"][0]  # type: ignore[index]

    def test_nobody_confirms_for_a_unit_that_is_neither_theirs_nor_below_them(self) -> None:
        situation = with_earlier(opened())
        outcome = decide(mail("admin@west.test", words="无变化", subject=token(SCHOOL)), situation)
        assert (outcome.bucket, outcome.cases, outcome.letters) == (Bucket.UNMATCHED, (), ())

    def test_a_superior_confirms_for_a_unit_below_in_its_thread(self) -> None:
        outcome = decide(
            mail(COUNTY_ADMIN, words="无变化", subject=token(REMOTE)), with_earlier(opened(), REMOTE)
        )
        assert [case.unit for case in outcome.cases] == [REMOTE]

    @pytest.mark.parametrize(
        ("words", "bucket"), [("确认", Bucket.REQUEST), ("非本单位报送", Bucket.PROBLEM)]
    )
    def test_the_answer_to_our_question_is_put_before_staff(self, words: str, bucket: Bucket) -> None:
        outcome = decide(mail(SCHOOL_MAIL, words=words), opened())
        assert (outcome.bucket, outcome.letters) == (bucket, ())


class TestReceipts:
    def test_scan_and_electronic_copy_arrive_beside_each_other(self) -> None:
        outcome = decide(mail("admin@university.test", "回执表.PDF", receipt(UNIVERSITY)), opened())
        assert (outcome.bucket, ends(outcome)) == (Bucket.RECEIPT, [Ends.MATCHED, Ends.MATCHED])
        arrived = [event for event in outcome.events[1:] if event.kind == "receipt.arrived"]
        assert [(e.number, e.data["part"], e.data["index"]) for e in arrived] == [
            (1, "scan", 0), (2, "electronic", 1),
        ]  # fmt: skip
        assert {event.stream for event in outcome.events[1:]} == {f"receipt:2026Q4/{UNIVERSITY}"}

    @pytest.mark.parametrize(
        ("name", "part"),
        [("a.jpg", "scan"), ("a.HEIC", "scan"), ("a.docx", "electronic"), ("a.wps", "electronic")],
    )
    def test_the_kind_of_file_tells_the_part(self, name: str, part: str) -> None:
        outcome = decide(mail("admin@city.test", name), opened())
        assert [event.data["part"] for event in outcome.events[1:]] == [part]

    def test_an_unsupported_document_is_a_receipt_where_one_is_owed(self) -> None:
        situation = opened()
        arrival = mail("admin@city.test", useless(ReadOutcome.UNSUPPORTED))
        pdf = replace(arrival.message.attachments[0], name="回执.pdf")
        arrival = replace(arrival, message=replace(arrival.message, attachments=(pdf,)))
        assert ends(decide(arrival, situation)) == [Ends.MATCHED]

    def test_the_thread_tells_whose_scan_it_is(self) -> None:
        outcome = decide(mail(STRANGER, "scan.png", subject=token(CITY)), opened())
        assert outcome.fates[0].unit == CITY

    def test_a_form_without_its_hidden_sheet_belongs_to_its_sender(self) -> None:
        assert decide(mail("admin@city.test", receipt(CITY, "")), opened()).fates[0].unit == CITY

    def test_beside_a_workbook_the_message_is_a_submission(self) -> None:
        outcome = decide(mail("admin@city.test", workbook(CITY), "回执.pdf"), opened())
        assert (outcome.bucket, ends(outcome)) == (Bucket.SUBMISSION, [Ends.ACCEPTED, Ends.MATCHED])

    def test_who_owes_none_sent_something_that_cannot_be_used(self) -> None:
        for arrival in (mail(SCHOOL_MAIL, "回执.pdf"), mail(SCHOOL_MAIL, receipt(SCHOOL))):
            outcome = decide(arrival, opened())
            assert (outcome.bucket, ends(outcome)) == (Bucket.SUBMISSION, [Ends.UNSUPPORTED])

    def test_where_the_campaign_asks_for_none_none_is_matched(self) -> None:
        campaign = replace(opened().campaign, receipt_due=None)  # type: ignore[type-var]
        outcome = decide(mail("admin@city.test", receipt(CITY)), replace(opened(), campaign=campaign))
        assert ends(outcome) == [Ends.UNSUPPORTED]


def test_the_state_of_a_package_is_none_of_a_stale_copys_business() -> None:
    situation = with_new_copy(reported(opened()))
    assert situation.packages["2026Q4", COUNTY].state is PackageState.REPORTED
    assert ends(decide(mail(SCHOOL_MAIL, workbook(copy=1)), situation)) == [Ends.LATE]
    assert form_for(SCHOOL) == "school"
