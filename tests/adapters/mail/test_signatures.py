"""DKIM signatures, made and verified with a key record in memory."""

from __future__ import annotations

import base64

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from workflow.adapters.mail.signatures import signed_by

MESSAGE = b"From: a@school.test\r\nTo: huizhi@office.test\r\nSubject: report\r\n\r\nbody\r\n"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
)
PUBLIC = base64.b64encode(
    KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
)
RECORDS = {b"s1._domainkey.school.test.": b"v=DKIM1; k=rsa; p=" + PUBLIC}


def lookup(name: bytes, timeout: int = 5) -> bytes | None:
    return RECORDS.get(name)


def signed(message: bytes = MESSAGE, domain: bytes = b"school.test", **more: object) -> bytes:
    return bytes(dkim.sign(message, b"s1", domain, PEM, **more)) + message


def test_a_signature_that_holds_names_its_domain() -> None:
    assert signed_by(signed(), lookup) == ("school.test",)


@pytest.mark.parametrize(
    "raw",
    [
        MESSAGE,
        signed().replace(b"body", b"else"),
        signed().replace(b"From: a@", b"From: b@"),
        signed(domain=b"other.test"),  # whose key nobody published
        signed(length=True) + b"appended\r\n",
        signed(length=True),
        b"DKIM-Signature: nonsense\r\n" + MESSAGE,
        b"",
        b"\x00\xff",
    ],
    ids=["none", "body", "from", "no key", "appended", "length", "nonsense", "empty", "garbage"],
)
def test_what_does_not_hold_vouches_for_nobody(raw: bytes) -> None:
    assert signed_by(raw, lookup) == ()


def test_a_look_up_that_fails_vouches_for_nobody() -> None:
    def broken(name: bytes, timeout: int = 5) -> bytes | None:
        raise OSError(name)

    assert signed_by(signed(), broken) == ()


def test_one_that_holds_counts_beside_one_that_does_not() -> None:
    assert signed_by(b"DKIM-Signature: nonsense\r\n" + signed(), lookup) == ("school.test",)
