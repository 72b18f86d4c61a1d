"""Fixtures that every test may ask for; the servers behind them live in `tests/servers`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.servers import mail, office, postgres, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# A test that asks for one of these needs a program from outside Python.
OUTSIDE = {"mail_servers", "mailboxes", "postgres_server", "postgres_url", "soffice", "pictures"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if OUTSIDE & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.servers)


@pytest.fixture(scope="session")
def mail_servers() -> Iterator[mail.MailServers]:
    """Real Dovecot and Postfix for the whole run; accounts keep what earlier tests left (see `mailboxes`)."""
    if reason := mail.missing():
        running.unavailable(reason)
    with mail.started() as servers:
        yield servers


@pytest.fixture
def mailboxes(mail_servers: mail.MailServers) -> mail.MailServers:
    """The same servers, with an empty queue and every account empty."""
    mail_servers.settle()
    for account in mail_servers.dovecot.accounts:
        mail_servers.clear(account)
    return mail_servers


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Postgres]:
    """A private PostgreSQL cluster for the whole run."""
    if reason := postgres.missing():
        running.unavailable(reason)
    with running.private_directory() as place:
        server = postgres.Postgres(place)
        try:
            server.start()
            yield server
        finally:
            server.stop()


@pytest.fixture
def postgres_url(postgres_server: postgres.Postgres) -> Iterator[str]:
    """The SQLAlchemy URL of an empty PostgreSQL database of the test's own."""
    name = postgres_server.create()
    yield postgres_server.url(name)
    postgres_server.drop(name)


@pytest.fixture(scope="session")
def soffice(tmp_path_factory: pytest.TempPathFactory) -> office.Office:
    """`soffice(path, "pdf" | "xlsx" | "xls" | "ods", outdir)` converts with LibreOffice; the new file."""
    if reason := office.missing_office():
        running.unavailable(reason)
    return office.Office(tmp_path_factory.mktemp("soffice"))


@pytest.fixture(scope="session")
def pictures() -> Callable[..., list[Path]]:
    """`pictures(pdf)` draws each page as PNG beside the PDF; the files in page order."""
    if reason := office.missing_renderer():
        running.unavailable(reason)
    return office.pictures
