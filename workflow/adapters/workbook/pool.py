"""Read many workbooks in worker processes with limits: hostile bytes are never parsed in the main process.

A worker is a fresh interpreter that imports only the reader. It gets a chunk of files over a socket and
answers file by file, so that one that dies or overruns tells by its silence which file it was.
"""

from __future__ import annotations

import pickle
import socket
import subprocess
import sys
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Self

from workflow.adapters.workbook.read import NOTHING_KNOWN, Forms, Known, read_file
from workflow.domain.errors import OutsideFailed
from workflow.domain.submission import Reading, ReadOutcome

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

File = tuple[str, bytes]
_Job = tuple[str, bytes, Known]

#: Enough files to a chunk that the socket costs nothing, few enough that both workers end together.
CHUNK_FILES = 32
CHUNK_BYTES = 8_000_000
START_SECONDS = 30
_READY = b"ready"

_TOO_HEAVY = (
    "工作簿无法在规定的时间和内存内打开（内容异常庞大或文件损坏）；请在系统下发的工作簿中重新填报后报送"
)


class ReaderPool:
    """Workers that start with the first files and are kept. `seconds` and `memory_mb` bound one file.

    A context manager; of several threads that call `read_many` one is served at a time.
    """

    def __init__(self, forms: Forms, workers: int = 2, seconds: float = 20, memory_mb: int = 1500) -> None:
        # A copy, so that every worker of this pool knows the same forms.
        self._forms = pickle.dumps(dict(forms))
        self._workers = [_Worker(self._forms, seconds, memory_mb) for _ in range(max(1, workers))]
        self._serving = threading.Lock()
        self._threads = ThreadPoolExecutor(len(self._workers), thread_name_prefix="workbook-reader")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the workers; a pool that is closed twice stays closed."""
        self._threads.shutdown()
        for worker in self._workers:
            worker.stop()

    def processes(self) -> list[subprocess.Popen[bytes]]:
        """The worker processes that have been started."""
        return [worker.process for worker in self._workers if worker.process is not None]

    def read_many(self, files: Sequence[File], known: Sequence[Known] | None = None) -> list[Reading]:
        """The readings of the files, in their order; a file that kills its worker is `unreadable`. `known` says of each file
        what is known before it is opened.
        """
        readings: list[Reading | None] = [None] * len(files)
        given = known or [NOTHING_KNOWN] * len(files)
        jobs = [(*file, one) for file, one in zip(files, given, strict=True)]
        chunks = deque(_chunks(jobs, len(self._workers)))
        busy = min(len(self._workers), len(chunks))
        with self._serving:
            running = [
                self._threads.submit(_drain, worker, chunks, jobs, readings)
                for worker in self._workers[:busy]
            ]
            for task in running:
                task.result()
        return [reading for reading in readings if reading is not None]


def _chunks(files: Sequence[_Job], workers: int) -> list[list[int]]:
    """Places of files, chunk by chunk."""
    most = max(1, min(CHUNK_FILES, -(-len(files) // workers)))
    chunks: list[list[int]] = []
    size = 0
    for place, (_, data, _) in enumerate(files):
        if not chunks or size + len(data) > CHUNK_BYTES or len(chunks[-1]) >= most:
            chunks.append([])
            size = 0
        chunks[-1].append(place)
        size += len(data)
    return chunks


def _drain(
    worker: _Worker, chunks: deque[list[int]], files: Sequence[_Job], readings: list[Reading | None]
) -> None:
    while True:
        try:
            places = chunks.popleft()
        except IndexError:
            return
        for place, reading in zip(places, worker.read([files[place] for place in places]), strict=True):
            readings[place] = reading


class _Worker:
    """One process and the way it is started anew; lazy: nothing runs before the first files."""

    def __init__(self, forms: bytes, seconds: float, memory_mb: int) -> None:
        self._forms = forms
        self._seconds = seconds
        self._memory_mb = memory_mb
        self.process: subprocess.Popen[bytes] | None = None
        self._line: Connection | None = None

    def read(self, files: Sequence[_Job]) -> list[Reading]:
        readings: list[Reading] = []
        while len(readings) < len(files):
            got, overran = self._converse(files[len(readings) :])
            readings += got
            if len(readings) == len(files):
                break
            suspect = files[len(readings)]
            if not overran:
                # Its forerunners may have used up the memory: it gets a fresh worker to itself, once.
                alone, _ = self._converse([suspect])
                readings += alone or [Reading(ReadOutcome.UNREADABLE, reason=_TOO_HEAVY)]
            else:
                readings.append(Reading(ReadOutcome.UNREADABLE, reason=_TOO_HEAVY))
        return readings

    def _converse(self, files: Sequence[_Job]) -> tuple[list[Reading], bool]:
        """The readings until the worker fell silent, and whether it was stopped for overrunning."""
        line, process = self._start()
        readings: list[Reading] = []
        overran = threading.Event()

        def stop() -> None:
            overran.set()
            process.kill()

        # Sending blocks when a worker hangs, and killing it is what ends the send: hence a clock beside it.
        sending = threading.Timer(self._seconds, stop)
        sending.daemon = True
        try:
            sending.start()
            line.send(files)
            sending.cancel()
            while len(readings) < len(files):
                if not line.poll(self._seconds):
                    stop()
                    break
                readings.append(line.recv())
        except (EOFError, OSError, pickle.UnpicklingError):
            pass  # the worker died; what is missing in `readings` says at which file
        finally:
            sending.cancel()
        if len(readings) < len(files):
            self.stop()
        return readings, overran.is_set()

    def _start(self) -> tuple[Connection, subprocess.Popen[bytes]]:
        if self._line is not None and self.process is not None and self.process.poll() is None:
            return self._line, self.process
        self.stop()
        ours, theirs = socket.socketpair()
        with theirs:
            # Not multiprocessing: that would import the main program again in the worker.
            program = (
                f"import sys; sys.path[:] = {sys.path!r}\n"
                "from workflow.adapters.workbook.pool import serve\n"
                f"serve({theirs.fileno()}, {self._memory_mb})"
            )
            process = subprocess.Popen(  # noqa: S603 — our own interpreter and text
                [sys.executable, "-I", "-c", program],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        line = Connection(ours.detach())
        self.process, self._line = process, line
        # A worker that cannot even start must not make every file look unreadable.
        try:
            line.send_bytes(self._forms)
            ready = line.poll(START_SECONDS) and line.recv_bytes() == _READY
        except (EOFError, OSError):
            ready = False
        if not ready:
            self.stop()
            raise OutsideFailed("读取工作簿的进程", "无法启动", "请检查内存限制和安装是否完整后重试")
        return line, process

    def stop(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


def serve(descriptor: int, memory_mb: int) -> None:
    """A worker's whole life: forms first, then chunks of files until the line closes."""
    import resource  # noqa: PLC0415 — POSIX only, and the main process has no use for it
    import signal  # noqa: PLC0415

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the main process, which then closes the line
    limit = memory_mb * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    line = Connection(descriptor)
    try:
        forms: Forms = pickle.loads(line.recv_bytes())  # noqa: S301 — from our own main process
        line.send_bytes(_READY)
        while True:
            for name, data, known in line.recv():
                line.send(read_file(data, name, forms, known))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
