"""A private PostgreSQL cluster with a fresh database for each test that asks."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg

from . import running

# The server refuses to run as root; its package brings this user.
UNPRIVILEGED = "postgres"


def programs() -> Path | None:
    """The folder of initdb and postgres: the newest of Debian's, else whatever PATH has."""
    newest = max(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda path: float(path.parts[-3]),
        default=None,
    )
    found = newest or (Path(on_path) if (on_path := shutil.which("initdb")) else None)
    return found.parent if found else None


def missing() -> str | None:
    """Why PostgreSQL can't run here, or None."""
    return None if programs() else "PostgreSQL is not installed (postgresql)"


class Postgres:
    """A cluster that trusts loopback and forgets everything at the end."""

    def __init__(self, place: Path) -> None:
        found = programs()
        assert found is not None
        self.programs = found
        self.place = place
        self.log = place / "postgres.log"
        self.port = running.free_port()
        self._user = UNPRIVILEGED if os.geteuid() == 0 else None
        self._numbers = itertools.count(1)
        self._server: running.Server | None = None
        if self._user:
            shutil.chown(place, self._user)

    def start(self) -> None:
        data = str(self.place / "data")
        subprocess.run(
            [
                *(str(self.programs / "initdb"), "--pgdata", data, "--username", "huizhi"),
                *("--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"),
            ],
            check=True,
            capture_output=True,
            user=self._user,
            extra_groups=[] if self._user else None,
            cwd="/",
        )
        settings = {
            "listen_addresses": running.LOOPBACK,
            "port": str(self.port),
            "unix_socket_directories": str(self.place),
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "max_connections": "40",
            "shared_buffers": "32MB",
        }
        command = [str(self.programs / "postgres"), "-D", data]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        server = running.Server(command, log=self.log, user=self._user)
        server.ready(self._answers)
        self._server = server

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop(how=signal.SIGINT)  # "fast": it doesn't wait for clients
            self._server = None

    def create(self) -> str:
        """Make an empty database; its name."""
        name = f"huizhi_{next(self._numbers)}"
        self._say(f"CREATE DATABASE {name} TEMPLATE template0")
        return name

    def drop(self, name: str) -> None:
        self._say(f"DROP DATABASE {name} WITH (FORCE)")

    def url(self, name: str) -> str:
        """The address that SQLAlchemy opens the database with."""
        return f"postgresql+psycopg://huizhi@{running.LOOPBACK}:{self.port}/{name}"

    def _answers(self) -> bool:
        command = [str(self.programs / "pg_isready"), "-q", "-h", running.LOOPBACK, "-p", str(self.port)]
        return subprocess.run(command, check=False, capture_output=True).returncode == 0

    def _say(self, statement: str) -> None:
        address = f"host={running.LOOPBACK} port={self.port} user=huizhi dbname=postgres"
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(statement)
