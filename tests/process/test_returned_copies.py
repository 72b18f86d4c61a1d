"""Copies that came back moved, without their marks, old, or as a link: what is taken, what goes back, what a person decides."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.domain.offices import CENTRAL, POINT, SCHOOL
from tests.process.situations import (
    GOOD,
    answered,
    ends,
    fold,
    key,
    letters,
    mail,
    opened,
    token,
    with_last_campaign,
    with_letter,
    with_new_copy,
    workbook,
)
from workflow.domain.letters import FreshCopy
from workflow.domain.submission import AttachmentOutcome as Ends
from workflow.domain.submission import Bucket, CellError, CopyIdentity, Enclosed, Reading, ReadOutcome
from workflow.process.decide import decide

SCHOOL_MAIL = "school@county.test"
MOVED = {"学生": "表!D9"}


def moved(hz: str = token(SCHOOL), form: str = "school") -> Reading:
    """A copy known by its printed token, read by its labels."""
    identity = CopyIdentity("", "", form, 2, 0, hz)
    return Reading(ReadOutcome.ANSWERS, identity, GOOD, MOVED, by_labels=True)


def test_moved_answers_count_where_token_form_and_sender_agree_and_the_change_is_told() -> None:
    outcome = decide(mail(SCHOOL_MAIL, moved()), opened())
    assert (ends(outcome), outcome.bucket) == ([Ends.ACCEPTED], Bucket.SUBMISSION)
    submitted = next(event for event in outcome.events if event.kind == "case.submitted")
    assert submitted.personal["moved"] == MOVED
    assert "标签" in submitted.personal["notes"]["工作簿版式"]
    assert "按标签读取" in answered(outcome, "acknowledgement")["also"][0]  # type: ignore[index]


@pytest.mark.parametrize(
    ("sender", "reading"),
    [("somebody@home.test", moved()), ("central@county.test", moved()), (SCHOOL_MAIL, moved(form="office"))],
)
def test_moved_answers_wait_for_a_person_where_sender_or_form_disagree(sender: str, reading: Reading) -> None:
    outcome = decide(mail(sender, reading), opened())
    assert (ends(outcome), outcome.bucket, outcome.cases) == ([Ends.FOREIGN], Bucket.QUARANTINED, ())
    assert "工作人员" in outcome.fates[0].reason


def test_a_form_without_any_token_counts_as_the_thread_says_where_form_and_sender_agree() -> None:
    situation = with_letter(opened())
    outcome = decide(mail(SCHOOL_MAIL, moved(hz=""), in_reply_to=("<letter@office.test>",)), situation)
    assert (ends(outcome), outcome.fates[0].unit) == ([Ends.ACCEPTED], SCHOOL)
    by_subject = decide(mail(SCHOOL_MAIL, moved(hz=""), subject=f"回复：{token(SCHOOL)}"), opened())
    assert ends(by_subject) == [Ends.ACCEPTED]


def test_a_form_without_any_token_and_thread_waits_for_a_person_and_the_sender_is_told() -> None:
    outcome = decide(mail(SCHOOL_MAIL, moved(hz="")), opened())
    assert (outcome.bucket, letters(outcome)) == (Bucket.QUARANTINED, [("problem_file", SCHOOL_MAIL)])
    nobody = decide(mail("somebody@home.test", moved(hz="")), opened())
    assert (nobody.bucket, nobody.letters) == (Bucket.QUARANTINED, ())
    other = decide(mail("central@county.test", moved(hz=""), subject=token(SCHOOL)), opened())
    assert (other.bucket, ends(other)) == (Bucket.QUARANTINED, [Ends.FOREIGN])


def test_last_quarters_copy_goes_back_as_the_current_one_with_its_answers_in_it() -> None:
    old = workbook(answers={"学生": "４７０人", "教师": CellError("#DIV/0!")}, hz=token(SCHOOL, 1, "2026Q3"))
    outcome = decide(mail(SCHOOL_MAIL, old), with_last_campaign(opened()))
    assert (ends(outcome), letters(outcome), outcome.cases) == ([Ends.STALE], [("stale", SCHOOL_MAIL)], ())
    [order] = outcome.letters
    [fresh] = order.enclosures
    assert isinstance(fresh, FreshCopy)
    assert (fresh.token, fresh.copy, dict(fresh.answers)) == (token(SCHOOL), 1, {"学生": 470})
    assert (order.context["copy"], order.context["carried"]) == (0, 1)
    assert outcome.fates[0].campaign == "2026Q4"


def test_a_stale_copy_is_told_what_the_newer_report_says_otherwise() -> None:
    situation, _ = fold(opened(), mail(SCHOOL_MAIL, workbook()))
    version = situation.submissions[key(SCHOOL)][-1]
    situation = replace(with_new_copy(situation), answers={version.id: GOOD})
    outcome = decide(mail(SCHOOL_MAIL, workbook(answers={**GOOD, "学生": 400})), situation)
    assert answered(outcome, "stale")["changes"] == ["学生：来件为400，已报数据为480"]
    assert [dict(one.answers) for one in outcome.letters[0].enclosures] == [{**GOOD, "学生": 400}]  # type: ignore[union-attr]


def test_an_archive_for_several_units_ends_in_one_outcome_and_one_letter_for_each() -> None:
    schools = [workbook(CENTRAL), workbook(POINT)]
    inside = tuple(Enclosed(f"{n}.xlsx", "e" * 64, 9, one) for n, one in enumerate(schools))
    archive = Reading(ReadOutcome.UNSUPPORTED, reason="内有2个文件，已逐一处理", inside=inside)
    outcome = decide(mail("central@county.test", archive, *schools), opened())
    assert ends(outcome) == [Ends.IGNORED, Ends.ACCEPTED, Ends.ACCEPTED]
    assert [fate.unit for fate in outcome.fates] == ["", CENTRAL, POINT]
    assert [(one.kind.value, one.unit) for one in outcome.letters] == [
        ("acknowledgement", CENTRAL),
        ("acknowledgement", POINT),
    ]
    assert len({one.id for one in outcome.letters}) == 2


@pytest.mark.parametrize(
    "more",
    [
        {"words": "表已上传超大附件，请查收"},
        {"html": '<a href="https://mail.qq.com/cgi-bin/ftnExs_download?k=1">下载</a>'},
        {"words": "链接：https://pan.baidu.com/s/1x 提取码：abcd"},
    ],
)
def test_a_link_instead_of_a_file_is_answered_with_what_to_do(more: dict[str, str]) -> None:
    outcome = decide(mail(SCHOOL_MAIL, **more), opened())  # type: ignore[arg-type]
    assert (outcome.bucket, letters(outcome), ends(outcome)) == (
        Bucket.EMPTY,
        [("problem_file", SCHOOL_MAIL)],
        [],
    )
    [item] = answered(outcome, "problem_file")["items"]  # type: ignore[misc,union-attr]
    assert "下载链接" in item["reason"]  # type: ignore[index]
    assert decide(mail("somebody@home.test", **more), opened()).letters == ()  # type: ignore[arg-type]
