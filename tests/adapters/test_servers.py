"""The servers that other tests lean on do what those tests take for granted."""

from __future__ import annotations

import email
import imaplib
import re
import shutil
import smtplib
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import TYPE_CHECKING

import openpyxl
import pytest
import sqlalchemy
from flufl.bounce import scan_message

from tests.servers import running

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.servers.mail import MailServers
    from tests.servers.office import Office

SYSTEM = "huizhi@huizhi.test"


def letter(to: str, *, subject: str = "测试", sender: str = SYSTEM) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Message-ID"] = f"<{subject.encode().hex()}@huizhi.test>"
    message.set_content("现将表格发送，请查收。")
    return message.as_bytes()


def internal_dates(servers: MailServers, account: str) -> list[datetime]:
    """In UTC, in the order of their UIDs."""
    with servers.imap(account) as connection:
        connection.select("INBOX", readonly=True)
        _, answers = connection.fetch("1:*", "(INTERNALDATE)")
        stamps = [re.search(r'INTERNALDATE "([^"]+)"', str(answer)) for answer in answers]
    return [datetime.strptime(stamp[1], "%d-%b-%Y %H:%M:%S %z").astimezone(UTC) for stamp in stamps if stamp]


def test_a_mail_sent_through_the_relay_arrives_over_imap(mailboxes: MailServers) -> None:
    mailboxes.send(letter(SYSTEM), sender="school@school.test", to=[SYSTEM])
    mailboxes.wait_for("huizhi", 1)
    with mailboxes.imap("huizhi") as connection:
        connection.select("INBOX")
        _, [answer, *_] = connection.fetch("1", "(RFC822)")
    assert isinstance(answer, tuple)
    raw = answer[1]
    assert email.message_from_bytes(raw)["Received"].count("relay.huizhi.test") == 1
    assert (
        email.message_from_bytes(raw)["Message-ID"] == email.message_from_bytes(letter(SYSTEM))["Message-ID"]
    )


def test_mail_to_every_unit_lands_in_one_account(mailboxes: MailServers) -> None:
    units = ["a@henan.test", "b@school.test", "c@edu.zz.henan.test", "d@example.org"]
    mailboxes.send(letter(units[0]), sender=SYSTEM, to=units[:1])
    mailboxes.send(letter(units[1], subject="二"), sender=SYSTEM, to=units[1:])
    mailboxes.wait_for("units", 2)
    mailboxes.settle()
    delivered = "".join(raw.decode() for raw in mailboxes.messages("units"))
    assert "a@henan.test" in delivered
    assert "b@school.test" in delivered
    assert mailboxes.messages("huizhi") == []


def test_an_account_of_its_own_gets_its_own_mail(mailboxes: MailServers) -> None:
    user, password = mailboxes.add_account("reviewer")
    mailboxes.send(letter(user), sender=SYSTEM, to=[user])
    mailboxes.wait_for("reviewer", 1)
    with imaplib.IMAP4(mailboxes.imap_host, mailboxes.imap_port) as connection:
        connection.login(user, password)
        assert connection.select("INBOX") == ("OK", [b"1"])
    assert mailboxes.messages("units") == []


def test_a_wrong_password_is_refused(mailboxes: MailServers) -> None:
    connection = imaplib.IMAP4(mailboxes.imap_host, mailboxes.imap_port)
    with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
        connection.login(SYSTEM, "wrong")
    connection.shutdown()


def test_postmark_sets_the_time_of_arrival_of_new_messages_only(mailboxes: MailServers) -> None:
    first = datetime(2027, 1, 5, 15, 59, 59, tzinfo=UTC)
    for day in range(3):  # after the first look the server would like to remember dates at delivery
        mailboxes.send(letter(SYSTEM, subject=f"第{day}天"), sender="school@school.test", to=[SYSTEM])
        mailboxes.wait_for("huizhi", day + 1)
        assert mailboxes.postmark("huizhi", first + timedelta(days=day)) == 1
        assert internal_dates(mailboxes, "huizhi") == [
            first + timedelta(days=past) for past in range(day + 1)
        ]


def test_many_messages_can_be_put_into_an_account_at_once(mailboxes: MailServers) -> None:
    mailboxes.deliver("huizhi", [letter(SYSTEM, subject=f"第{number}件") for number in range(50)])
    assert len(mailboxes.messages("huizhi")) == 50
    assert mailboxes.postmark("huizhi", datetime(2027, 1, 1, tzinfo=UTC)) == 50


def test_a_killed_run_leaves_no_server_behind(mail_servers: MailServers, pytestconfig: pytest.Config) -> None:
    code = "from tests.servers import mail\nwith mail.started() as servers: print(servers.imap_port, servers.smtp_port, servers.place, flush=True); input()"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(
        command, cwd=pytestconfig.rootpath, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as run:
        assert run.stdout is not None
        ports_and_place = run.stdout.readline().decode().split()
        imap, smtp = map(int, ports_and_place[:2])
        assert running.greets(imap, b"* OK")
        assert running.greets(smtp, b"220")
        run.kill()
    running.wait_until(
        lambda: running.closed(imap) and running.closed(smtp),
        timeout=10,
        what="the servers to end with the run",
    )
    shutil.rmtree(ports_and_place[2])


def test_an_unknown_user_yields_a_real_bounce(mailboxes: MailServers) -> None:
    for wrong in ("gone@nobody.test", "gone@huizhi.test"):
        mailboxes.clear("huizhi")
        mailboxes.send(letter(wrong), sender=SYSTEM, to=[wrong])
        mailboxes.wait_for("huizhi", 1)
        [raw] = mailboxes.messages("huizhi")
        report = email.message_from_bytes(raw)
        assert report.get_content_type() == "multipart/report"
        assert {str(address) for address in scan_message(report)} == {f"b'{wrong}'"}
        assert email.message_from_bytes(letter(wrong))["Message-ID"].encode() in raw


def test_no_mail_leaves_the_machine(mailboxes: MailServers) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused, match="outside mail disabled in tests"):
        mailboxes.send(letter("a@outside.invalid"), sender=SYSTEM, to=["a@outside.invalid"])


def test_clear_empties_an_account_and_forgets_no_uid(mailboxes: MailServers) -> None:
    mailboxes.send(letter(SYSTEM), sender=SYSTEM, to=[SYSTEM])
    mailboxes.wait_for("huizhi", 1)
    with mailboxes.imap("huizhi") as connection:
        connection.create("Done")
        _, before = connection.status("INBOX", "(UIDVALIDITY UIDNEXT)")
    mailboxes.clear("huizhi")
    with mailboxes.imap("huizhi") as connection:
        assert connection.status("INBOX", "(UIDVALIDITY UIDNEXT)") == ("OK", before)
        assert connection.select("Done")[0] == "NO"
    assert mailboxes.messages("huizhi") == []


def test_a_mailbox_that_was_down_comes_back_with_its_mail(mailboxes: MailServers) -> None:
    mailboxes.send(letter(SYSTEM), sender=SYSTEM, to=[SYSTEM])
    mailboxes.wait_for("huizhi", 1)
    with mailboxes.mailbox_down(), pytest.raises(ConnectionRefusedError):
        mailboxes.imap("huizhi")
    with mailboxes.imap("huizhi") as connection:
        assert connection.select("INBOX") == ("OK", [b"1"])
    with mailboxes.relay_down(), pytest.raises(ConnectionRefusedError):
        smtplib.SMTP(mailboxes.smtp_host, mailboxes.smtp_port)
    with smtplib.SMTP(mailboxes.smtp_host, mailboxes.smtp_port) as connection:
        assert connection.noop()[0] == 250


@pytest.mark.parametrize("turn", [1, 2])
def test_every_test_gets_an_empty_postgresql_database(postgres_url: str, turn: int) -> None:
    engine = sqlalchemy.create_engine(postgres_url)
    with engine.begin() as connection:
        assert sqlalchemy.inspect(connection).get_table_names() == []
        connection.execute(sqlalchemy.text("CREATE TABLE 单位 (code text)"))
        connection.execute(sqlalchemy.text("INSERT INTO 单位 VALUES ('4101')"))
        assert connection.scalar(sqlalchemy.text("SELECT count(*) FROM 单位")) == 1
    engine.dispose()


def test_a_workbook_goes_through_libreoffice_and_shows_as_a_picture(
    soffice: Office, pictures: Callable[..., list[Path]], tmp_path: Path
) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active["B2"] = "教育信息化基本情况表"
    book.save(tmp_path / "form.xlsx")
    old = soffice(tmp_path / "form.xlsx", "xls", tmp_path / "old")
    assert old.read_bytes().startswith(b"\xd0\xcf\x11\xe0")
    pages = pictures(soffice(old, "pdf", tmp_path / "seen"))
    assert [page.read_bytes()[:4] for page in pages] == [b"\x89PNG"]


@pytest.mark.parametrize(("required", "verdict"), [("0", "1 skipped"), ("1", "1 error")])
def test_a_missing_server_skips_unless_servers_are_required(
    tmp_path: Path, pytestconfig: pytest.Config, required: str, verdict: str
) -> None:
    (tmp_path / "test_absent.py").write_text(
        "import pytest\n"
        "from tests.servers import running\n"
        "@pytest.fixture\n"
        "def absent():\n"
        "    running.unavailable('Dovecot is not installed')\n"
        "def test_needs_it(absent): ...\n"
    )
    run = subprocess.run(
        [*(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null"), str(tmp_path)],
        cwd=tmp_path,
        env={"PATH": "/usr/bin", "PYTHONPATH": str(pytestconfig.rootpath), "REQUIRE_SERVERS": required},
        capture_output=True,
        text=True,
        check=False,
    )
    assert verdict in run.stdout
    assert "Dovecot is not installed" in run.stdout or required == "0"
