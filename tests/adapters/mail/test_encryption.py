from __future__ import annotations

import shutil
import ssl
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.adapters.mail.scripted import scripted
from tests.servers.running import unavailable
from workflow.adapters.mail.imap import Mailbox, MailboxSettings
from workflow.adapters.mail.smtp import DeliveryState, Relay, RelaySettings
from workflow.domain.errors import OutsideFailed

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 and its key, in one file."""
    if shutil.which("openssl") is None:
        unavailable("openssl is not installed")
    place = tmp_path_factory.mktemp("tls")
    subprocess.run(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=127.0.0.1 "
        f"-addext subjectAltName=IP:127.0.0.1 -keyout {place}/key.pem -out {place}/own.pem".split(),
        check=True,
        capture_output=True,
    )
    both = place / "both.pem"
    both.write_bytes((place / "key.pem").read_bytes() + (place / "own.pem").read_bytes())
    return both


def context(certificate: Path) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(certificate)
    return made


def relay_says(line: bytes) -> bytes:
    if line.startswith(b"data"):
        return b"354 go\r\n"
    return b"250 ok\r\n" if line[:4] in {b"ehlo", b"mail", b"rcpt", b"quit", b"."} else b""


def mailbox_says(line: bytes) -> bytes:
    tag, _, command = line.partition(b" ")
    untagged = {b"CAPABILITY": b"* CAPABILITY IMAP4rev1\r\n", b"SELECT": b"* OK [UIDVALIDITY 9] ok\r\n"}
    return untagged.get(command.split()[0], b"") + tag + b" OK done\r\n"


def test_letters_and_replies_go_through_tls(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with (
        scripted(b"220 x\r\n", relay_says, context(certificate)) as server,
        Relay(RelaySettings("127.0.0.1", server.port, "tls", timeout=5)) as relay,
    ):
        sent = relay.send("a@x.test", "b@x.test", b"Subject: x\r\n\r\nx\r\n")
        assert sent.state is DeliveryState.SENT
    with (
        scripted(b"* OK ready\r\n", mailbox_says, context(certificate)) as server,
        Mailbox(MailboxSettings("127.0.0.1", server.port, "tls", "u", "p", timeout=5)) as mailbox,
    ):
        assert mailbox.uidvalidity == 9
        assert list(mailbox.batches(0)) == []


def test_a_server_that_can_not_prove_who_it_is_hears_nothing(certificate: Path) -> None:
    with scripted(b"220 x\r\n", relay_says, context(certificate)) as server:
        with pytest.raises(OutsideFailed, match="服务器证书未通过验证"):
            Relay(RelaySettings("127.0.0.1", server.port, "tls", "u", "p", timeout=5)).__enter__()
        with pytest.raises(OutsideFailed, match="服务器证书未通过验证"):
            Mailbox(MailboxSettings("127.0.0.1", server.port, "tls", "u", "p", timeout=5)).__enter__()
        assert server.heard == []


STRIPPED = {
    "not offered": (b"250-x\r\n250 AUTH PLAIN LOGIN\r\n", b"500 what\r\n"),
    "offered and refused": (b"250-x\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN\r\n", b"454 not now\r\n"),
    "answered by somebody in between": (b"250-x\r\n250 STARTTLS\r\n", b"220 go\r\n250 AUTH PLAIN\r\n"),
}


@pytest.mark.parametrize("how", STRIPPED)
def test_a_relay_that_is_kept_from_encrypting_hears_neither_password_nor_letter(how: str) -> None:
    greeting, answer = STRIPPED[how]

    def says(line: bytes) -> bytes:
        return greeting if line[:4].lower() == b"ehlo" else answer

    with scripted(b"220 x\r\n", says) as server:
        settings = RelaySettings("127.0.0.1", server.port, "starttls", "huizhi", "secret-word", timeout=5)
        with pytest.raises(OutsideFailed), Relay(settings) as relay:
            relay.send("a@x.test", "b@x.test", b"Subject: x\r\n\r\nx\r\n")
        heard = [line.upper() for line in server.heard]
    assert [line[:8] for line in heard[:2]] in ([b"EHLO [12"], [b"EHLO [12", b"STARTTLS"])
    assert not any(line.startswith((b"AUTH", b"MAIL", b"RCPT", b"DATA")) for line in heard)


def test_a_mailbox_that_is_kept_from_encrypting_hears_no_password() -> None:
    with (
        scripted(b"* OK ready\r\n", mailbox_says) as server,
        pytest.raises(OutsideFailed),
        Mailbox(MailboxSettings("127.0.0.1", server.port, "starttls", "u", "secret-word", timeout=5)),
    ):
        pass
    assert not any(b"LOGIN" in line.upper() or b"secret-word" in line for line in server.heard)
