"""Read scans in a worker process with limits: strangers' pictures are never opened in the main process.

The worker is a fresh interpreter that loads the models once. It answers page by page, so that a page on which it dies or
overruns costs that page and those behind it, and the pages before are kept.
"""

from __future__ import annotations

import pickle
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Self

from workflow.adapters.scan.limits import Limits
from workflow.adapters.scan.read import available, read_pages
from workflow.domain.errors import OutsideFailed
from workflow.domain.receipt import PageKind, ScannedPage, ScanReading

if TYPE_CHECKING:
    from types import TracebackType

START_SECONDS = 60
_READY, _END = b"ready", b"end"

TOO_HEAVY = "第 {page} 页无法在规定的时间和内存内识读（图片过大或文件损坏），其后各页未识读；请以 200 dpi 左右重新扫描"


class ScanReader:
    """One worker that starts with the first scan and is kept. A context manager; of several threads one is served at a time."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._serving = threading.Lock()
        self.process: subprocess.Popen[bytes] | None = None
        self._line: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the worker; the next scan starts another."""
        if self._line is not None:
            self._line.close()
            self._line = None
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def read_scan(self, data: bytes, names: Mapping[str, str] | None = None) -> ScanReading:
        """The forms in a file, whatever its bytes are: what could not be read is told in `trouble`, nothing is raised.

        `names` (code → name) are the units that a page without a readable code may be of. OutsideFailed only where no
        worker can be started at all.
        """
        with self._serving:
            pages, whole = self._converse(data, dict(names or {}))
        if whole:
            return ScanReading(tuple(pages), cells=available())
        number = pages[-1].number + 1 if pages else 1
        words = TOO_HEAVY.format(page=number)
        return ScanReading(
            (*pages, ScannedPage(number, 1, PageKind.UNREADABLE, trouble=words)), words, available()
        )

    def _converse(self, data: bytes, names: Mapping[str, str]) -> tuple[list[ScannedPage], bool]:
        """The pages until the worker fell silent, and whether it came to the end of the file."""
        line, process = self._start()
        pages: list[ScannedPage] = []
        # Sending blocks when a worker hangs, and killing it is what ends the send: hence a clock beside it.
        sending = threading.Timer(self._limits.seconds, process.kill)
        sending.daemon = True
        try:
            sending.start()
            line.send((data, names))
            sending.cancel()
            until = time.monotonic() + self._limits.file_seconds
            while line.poll(max(0.0, min(self._limits.seconds, until - time.monotonic()))):
                told = line.recv()
                if told == _END:
                    return pages, True
                pages += told
        except (EOFError, OSError, pickle.UnpicklingError):
            pass  # the worker died, on the page after those that are there
        finally:
            sending.cancel()
        self.close()
        return pages, False

    def _start(self) -> tuple[Connection, subprocess.Popen[bytes]]:
        if self._line is not None and self.process is not None and self.process.poll() is None:
            return self._line, self.process
        self.close()
        ours, theirs = socket.socketpair()
        with theirs:
            # Not multiprocessing: that would import the main program again in the worker.
            program = (
                # One core is what it gets; every further thread would only take address space.
                "import os; os.environ.update(OMP_NUM_THREADS='1', OPENBLAS_NUM_THREADS='1')\n"
                f"import sys; sys.path[:] = {sys.path!r}\n"
                "from workflow.adapters.scan.worker import serve\n"
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
        try:
            self._line.send(self._limits)
            ready = self._line.poll(START_SECONDS) and self._line.recv_bytes() == _READY
        except (EOFError, OSError):
            ready = False
        if not ready:
            self.close()
            raise OutsideFailed("识读扫描件的进程", "无法启动", "请检查内存限制和安装是否完整后重试")
        return self._line, self.process


def serve(descriptor: int) -> None:
    """A worker's whole life: its limits first, then one file after the other until the line closes."""
    import resource  # noqa: PLC0415 — POSIX only, and the main process has no use for it
    import signal  # noqa: PLC0415

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the main process, which then closes the line
    line = Connection(descriptor)
    try:
        limits: Limits = line.recv()
        most = limits.memory_mb * 1024 * 1024
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        cells = available()
        line.send_bytes(_READY)
        while True:
            data, names = line.recv()
            for pages in read_pages(data, limits, names, cells=cells):
                line.send(pages)
            line.send(_END)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
