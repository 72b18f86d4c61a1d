from __future__ import annotations

import pytest

from workflow.adapters.mail.mime import content_digest

SENT = (
    b"From: a@school.test\r\nSubject: form\r\n 2026Q4\r\nMessage-ID: <1@school.test>\r\n\r\nbody\r\nmore\r\n"
)


@pytest.mark.parametrize(
    "delivered",
    [
        b"Return-Path: <a@school.test>\r\nDelivered-To: huizhi@huizhi.test\r\nReceived: from x\r\n\tby y\r\n"
        + SENT,
        b"ARC-Seal: i=1\r\nAuthentication-Results: mx; spf=pass\r\nDKIM-Signature: v=1;\r\n b=x\r\n" + SENT,
        b"X-Spam-Flag: NO\r\nStatus: RO\r\nX-Keywords: \r\nReceived-SPF: pass\r\nX-Original-To: q\r\n" + SENT,
        b"From a@school.test Thu Oct  8 09:00:00 2026\n" + SENT.replace(b"\r\n", b"\n"),
        SENT.replace(b"form\r\n 2026Q4", b"form 2026Q4"),
        SENT + b"\r\n",
    ],
)
def test_two_deliveries_of_one_message_are_equal(delivered: bytes) -> None:
    assert content_digest(delivered) == content_digest(SENT)


@pytest.mark.parametrize(
    "other",
    [
        SENT.replace(b"body", b"Body"),
        SENT.replace(b"<1@", b"<2@"),
        SENT.replace(b"form", b"from"),
        b"Subject: form\r\n 2026Q4\r\nFrom: a@school.test\r\nMessage-ID: <1@school.test>\r\n\r\nbody\r\nmore\r\n",
        b"X-Mailer: other\r\n" + SENT,
    ],
)
def test_a_change_in_what_was_written_is_another_message(other: bytes) -> None:
    assert content_digest(other) != content_digest(SENT)


def test_garbage_without_a_header_is_told_apart() -> None:
    assert len({content_digest(raw) for raw in (b"", b"hello", b"world", b"\xff", b"\r\n\r\nhello")}) == 5
