"""Who a message says it is from, and what the receiving server says: whatever a sender writes into its headers."""

from __future__ import annotations

import pytest

from workflow.adapters.mail.mime import parse

ADDRESS = "a@school.test"


def sender(*lines: str) -> str:
    return parse(("\r\n".join(lines) + "\r\n\r\nx").encode()).sender


@pytest.mark.parametrize(
    "lines",
    [
        ("From: a@school.test",),
        ("From: <a@school.test>",),
        ('From: "张, 三" <a@school.test>',),
        ("From: =?utf-8?B?5byg5LiJ?=", " <a@SCHOOL.test>"),
        ("From: a@school.test (张三)",),
        ('From: "a@school.test" <a@school.test>',),
        ("FROM : a@school.test",),
    ],
)
def test_one_address_is_the_sender(lines: tuple[str, ...]) -> None:
    assert sender(*lines) == ADDRESS


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("From: ",),
        ("From: a@school.test", "From: b@school.test"),
        ("From: a@school.test", "from: a@school.test"),
        ("From: a@school.test, b@school.test",),
        ("From: 办公室: a@school.test;",),
        ("From: <@relay.test:a@school.test>",),
        ("From: a@school.test <x@evil.test>",),
        ("From: <a@school.test> <x@evil.test>",),
        ("From: a@school.test", "\tx@evil.test"),
        ("From: a@school.test@evil.test",),
        ("From: (a@school.test",),
        # These speak of who handed it on, not of who wrote.
        ("Sender: a@school.test",),
        ("Resent-From: a@school.test",),
        ("Reply-To: a@school.test",),
        ("X-From: a@school.test",),
    ],
)
def test_what_can_be_read_in_two_ways_is_nobody(lines: tuple[str, ...]) -> None:
    assert sender(*lines) == ""


@pytest.mark.parametrize(
    "beside", ["Sender: x@evil.test", "Resent-From: x@evil.test", "Resent-Sender: x@evil.test"]
)
def test_who_handed_it_on_changes_nothing(beside: str) -> None:
    assert sender(beside, "From: a@school.test", beside) == ADDRESS


OURS = "Authentication-Results: mx.office.test; dmarc=pass header.from=school.test"


def verdicts(*lines: str) -> tuple[str, ...]:
    return parse(("\r\n".join(lines) + "\r\n\r\nx").encode()).auth_results


def test_what_the_receiving_organisation_wrote_is_kept_over_all_its_hops() -> None:
    found = verdicts(
        "Received: from mx.office.test by store.office.test with LMTP; x",
        "Received: from 127.0.0.1 by localhost with SMTP; x",
        OURS,
        "Received: from mail.school.test (by x) by mx.office.test with ESMTPS; x",
    )
    assert found == ("mx.office.test; dmarc=pass header.from=school.test",)


def test_what_was_there_before_another_organisation_passed_it_on_is_stripped() -> None:
    found = verdicts(
        "Received: from out.evil.test by mx.office.test with ESMTPS; x",
        "Received: from pc by out.evil.test with ESMTPSA; x",
        OURS,
        "From: a@school.test",
    )
    assert found == ()


def test_an_encoded_word_in_a_verdict_stays_as_it_is() -> None:
    """A return path may look like an encoded word, and what it hides must not become a verdict."""
    hidden = "=?us-ascii?q?a;_dmarc=3Dpass_header.from=3Dschool.test;?="
    (found,) = verdicts(f"Authentication-Results: mx.office.test; spf=fail smtp.mailfrom={hidden}@evil.test")
    assert hidden in found
