"""A launcher that kills a command at its n-th boundary: before and after each fsync and rename, before each commit of the
database, and before and after each read from and write to the network.

It runs as a process of its own (`Crashing`), with the program imported once; each command runs in a fork of it, so that a
run costs less than a second. What is counted lies at the operating system's edge; nothing of the program is replaced.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_PATIENCE = 120.0


@dataclass(frozen=True)
class Run:
    """How a command ended: its exit code (None: killed at its boundary), and the boundaries that it passed, by name."""

    code: int | None
    passed: tuple[str, ...]


class Crashing:
    """The launcher, from the outside; for `with`."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        with log.open("ab") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.journeys.crashing"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True, encoding="utf-8",
                env={**os.environ, **environment},
            )  # fmt: skip
        self._log = log

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(_PATIENCE)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def run(self, workspace: Path, *arguments: str, kill_at: int = 0) -> Run:
        """Run `huizhi --workspace WORKSPACE ARGUMENTS`, killed at its boundary of that number (0: not)."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        asked = {"arguments": ["--workspace", str(workspace), *arguments], "kill_at": kill_at}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        ready, _, _ = select.select([self._process.stdout], [], [], _PATIENCE)
        line = self._process.stdout.readline() if ready else ""
        assert line, f"the launcher said nothing: {self._log.read_text(encoding='utf-8')[-2000:]}"
        told = json.loads(line)
        return Run(told["code"], tuple(told["passed"]))


class Boundaries:
    """Counts the boundaries that a process passes, and kills it at one of them."""

    def __init__(self, kill_at: int) -> None:
        self._kill_at = kill_at
        self._lock = threading.Lock()
        self.passed: list[str] = []

    def reach(self, name: str) -> None:
        with self._lock:
            self.passed.append(name)
            if len(self.passed) == self._kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    def around(self, owner: Any, name: str, said: str) -> None:
        """Stop before and after each call of a function of the standard library."""
        whole: Callable[..., Any] = getattr(owner, name)

        def called(*arguments: Any, **named: Any) -> Any:
            self.reach(f"before {said}")
            result = whole(*arguments, **named)
            self.reach(f"after {said}")
            return result

        setattr(owner, name, called)

    def watch(self) -> None:
        from sqlalchemy import Connection, Engine, event

        self.around(os, "fsync", "fsync")
        self.around(os, "replace", "rename")
        for verb in ("sendall", "send", "recv", "recv_into"):
            self.around(socket.socket, verb, verb)

        @event.listens_for(Engine, "commit")
        def _committing(_connection: Connection) -> None:
            self.reach("before commit")


def _forked(arguments: list[str], kill_at: int) -> dict[str, Any]:
    from workflow.cli import main

    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.dup2(2, 1)  # what the command says is not the launcher's answer
        boundaries = Boundaries(kill_at)
        boundaries.watch()
        code = main(arguments)
        with os.fdopen(writing, "w", encoding="utf-8") as told:
            json.dump({"code": code, "passed": boundaries.passed}, told)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as told:
        said = told.read()
    os.waitpid(child, 0)
    killed: dict[str, Any] = {"code": None, "passed": []}
    return json.loads(said) if said else killed


def _serve() -> None:
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(_forked(asked["arguments"], asked["kill_at"])), flush=True)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        _serve()
