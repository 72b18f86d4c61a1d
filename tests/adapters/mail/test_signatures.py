"""DKIM signatures, made and verified with a key record in memory."""

from __future__ import annotations

import base64
import socket
import socketserver
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dkim
import dns.message
import dns.rcode
import dns.rrset
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from workflow.adapters.mail.signatures import signed_by, verifier

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def signed(
    message: bytes = MESSAGE, domain: bytes = b"school.test", selector: bytes = b"s1", **more: object
) -> bytes:
    return bytes(dkim.sign(message, selector, domain, PEM, **more)) + message


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


def test_only_the_senders_own_organisation_is_looked_up() -> None:
    asked: list[bytes] = []

    def noting(name: bytes, timeout: int = 5) -> bytes | None:
        asked.append(name)
        return RECORDS.get(name)

    strangers = b"".join(bytes(dkim.sign(MESSAGE, b"s1", b"d%d.test" % n, PEM)) for n in range(7))
    assert signed_by(strangers + signed(), noting) == ("school.test",)
    assert asked == [b"s1._domainkey.school.test."]


@pytest.fixture
def silent() -> Iterator[Silent]:
    """A name server that takes every question and answers none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.setblocking(False)
        yield Silent(listening)


@dataclass
class Silent:
    listening: socket.socket

    @property
    def where(self) -> str:
        return "{}:{}".format(*self.listening.getsockname())

    def asked(self) -> list[str]:
        """The names asked for so far, each once."""
        names = []
        with suppress(BlockingIOError):
            while True:
                question = dns.message.from_wire(self.listening.recv(4096)).question[0]
                names.append(str(question.name))
        return list(dict.fromkeys(names))


def test_a_name_server_that_never_answers_is_waited_for_once_and_not_beyond_the_bound(silent: Silent) -> None:
    who = verifier(silent.where, 0.2, 5.0)
    began = time.monotonic()
    assert who(signed()) == who(signed()) == who(signed(selector=b"s2")) == ()
    assert time.monotonic() - began < 2
    assert silent.asked() == ["s1._domainkey.school.test."]


def test_all_look_ups_of_a_pass_share_one_budget(silent: Silent) -> None:
    who = verifier(silent.where, 0.1, 0.25)
    for place in range(9):
        domain = b"d%d.test" % place
        message = MESSAGE.replace(b"school.test", domain)
        assert who(bytes(dkim.sign(message, b"s1", domain, PEM)) + message) == ()
    asked = silent.asked()
    assert asked == [f"s1._domainkey.d{place}.test." for place in range(len(asked))]
    assert 1 <= len(asked) <= 3  # two and a half tenths of a second


@contextmanager
def answering(records: dict[str, str]) -> Iterator[tuple[str, list[str]]]:
    """A name server that knows these TXT records and no other name, with what it was asked."""
    asked: list[str] = []

    class Answer(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            data, connection = self.request
            question = dns.message.from_wire(data)
            name = str(question.question[0].name)
            asked.append(name)
            reply = dns.message.make_response(question)
            if name in records:
                parts = [records[name][at : at + 200] for at in range(0, len(records[name]), 200)]
                text = " ".join(f'"{part}"' for part in parts)
                reply.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", text))
            else:
                reply.set_rcode(dns.rcode.NXDOMAIN)
            connection.sendto(reply.to_wire(), self.client_address)

    with socketserver.ThreadingUDPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield "{}:{}".format(*server.server_address), asked
        finally:
            server.shutdown()
            thread.join()


def test_a_key_is_asked_for_once_in_a_pass_and_one_that_is_not_there_too() -> None:
    with answering({"s1._domainkey.school.test.": RECORDS[b"s1._domainkey.school.test."].decode()}) as (
        where,
        asked,
    ):
        who = verifier(where, 5.0, 5.0)
        assert who(signed()) == who(signed()) == ("school.test",)
        assert who(signed(selector=b"s2")) == who(signed(selector=b"s2")) == ()
        assert asked == ["s1._domainkey.school.test.", "s2._domainkey.school.test."]
