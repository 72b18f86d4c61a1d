"""Common to all servers: a private place, a free port, a deadline, and what a missing program means."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LOOPBACK = "127.0.0.1"


class StartError(RuntimeError):
    """A server that is installed did not come up; its log is in the message."""


def unavailable(reason: str) -> NoReturn:
    """Skip visibly, or fail where the servers are promised (REQUIRE_SERVERS=1)."""
    if os.environ.get("REQUIRE_SERVERS") == "1":
        pytest.fail(f"REQUIRE_SERVERS=1, but {reason}", pytrace=False)
    pytest.skip(reason)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(condition: Callable[[], bool], *, timeout: float, what: str, pause: float = 0.02) -> None:
    """Poll a condition; a deadline that passes is a failure that says what was waited for."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout:g} s: {what}")
        time.sleep(pause)


def greets(port: int, greeting: bytes) -> bool:
    """Whether a server at the port says the greeting by itself."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=2) as connection:
            return connection.recv(len(greeting)) == greeting
    except OSError:
        return False


@contextmanager
def private_directory() -> Iterator[Path]:
    """A short directory that the servers' own users may cross; pytest's is closed to all but its owner."""
    place = Path(tempfile.mkdtemp(prefix="huizhi-"))
    place.chmod(0o755)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def closed(port: int) -> bool:
    """Whether nobody listens at the port any more."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=2).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False


class Server:
    """A program that runs in a process group of its own, so that exactly its processes can be stopped."""

    # Ends the group when the test run is gone, whatever ended it: the pipe then reads as ended. (The kernel's own
    # parent-death signal does not outlive Postfix's changes of user.)
    GUARD = 'cat >/dev/null; kill -s TERM -- "-$1"'

    def __init__(self, command: list[str], *, log: Path, user: str | None = None) -> None:
        self.command = command
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                user=user,
                extra_groups=[] if user else None,
                cwd="/",
            )
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", self.GUARD, "guard", str(self._process.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def ready(self, condition: Callable[[], bool], *, timeout: float = 20) -> None:
        """Wait until it answers; where it doesn't, stop it and show what it said."""
        ended = self._process.poll
        try:
            wait_until(lambda: ended() is not None or condition(), timeout=timeout, what=self.command[0])
            if ended() is None:
                return
            reason = f"ended with {ended()}"
        except TimeoutError:
            reason = f"gave no answer within {timeout:g} s"
        self.stop()
        said = self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""
        raise StartError(f"{self.command} {reason}\n{said}")

    def stop(self, *, how: signal.Signals = signal.SIGTERM, timeout: float = 10) -> None:
        """Politely, then the whole group."""
        os.killpg(self._guard.pid, signal.SIGKILL)
        self._guard.communicate()
        if self._process.poll() is None:
            self._process.send_signal(how)
            try:
                self._process.wait(timeout)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(timeout)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
