"""Work done beside the main process, in one more interpreter: threads of one take turns at Python, two processes do not.

The other process gets one job at a time and answers it; while it works the caller goes on with something else. It ends
when its line closes, also when the main process was killed.
"""

from __future__ import annotations

import functools
import importlib
import pickle
import signal
import socket
import subprocess
import sys
import traceback
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, NoReturn, Self

from workflow.domain.errors import OutsideFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: A job that was begun is let end, and what it writes is whole.
_END_SECONDS = 30
_GONE = ("中途退出", "请检查内存和安装是否完整；已完成的部分不受影响，下次执行时续办")


class Beside:
    """A function at work in another process, for `with`. `maker` names what makes it there from the arguments, as
    `package.module:name`; `name` is what people are told has failed (Chinese).
    """

    def __init__(self, name: str, maker: str, *arguments: object) -> None:
        self._name = name
        ours, theirs = socket.socketpair()
        with theirs:
            # Not multiprocessing: that would import the main program again in the other.
            program = (
                f"import sys; sys.path[:] = {sys.path!r}\n"
                "from workflow.adapters.beside import serve\n"
                f"serve({theirs.fileno()})"
            )
            self.process = subprocess.Popen(  # noqa: S603 — our own interpreter and text
                [sys.executable, "-I", "-c", program],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        self._line = Connection(ours.detach())
        self.give((maker, arguments))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._line.close()
        try:
            self.process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def give(self, job: object) -> None:
        """Begin with a job; the one before must have been taken."""
        with suppress(BrokenPipeError, ConnectionResetError):  # the process has died, as `take` says
            self._line.send(job)

    def done(self) -> bool:
        """Whether `take` would not wait."""
        return self._line.poll()

    def take(self) -> Any:
        """Wait for what a job gives. Raises what it raised, OutsideFailed when the process has died."""
        try:
            failed, answer = self._line.recv()
        except (EOFError, ConnectionResetError, pickle.UnpicklingError) as error:
            raise OutsideFailed(self._name, *_GONE) from error
        if failed:
            raise answer
        return answer


def serve(descriptor: int) -> None:
    """The other process's whole life: what makes its function, then job after job until the line closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the main process, which then closes the line
    line = Connection(descriptor)
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        work = _made(*line.recv())
        while True:
            job = line.recv()
            try:
                answer = (False, work(job))
            except Exception as error:  # noqa: BLE001 - the main process says what it means
                error.add_note("".join(traceback.format_exception(error)))
                answer = (True, error)
            line.send(answer)


def _made(maker: str, arguments: Sequence[object]) -> Callable[[Any], object]:
    """The function that is asked for; where it can't be made, one that says why to every job."""
    module, _, name = maker.partition(":")
    try:
        made: Callable[[Any], object] = getattr(importlib.import_module(module), name)(*arguments)
    except Exception as error:  # noqa: BLE001 - as above
        return functools.partial(_fail, error)
    return made


def _fail(error: Exception, _job: object) -> NoReturn:
    raise error
