"""A server that says what a test wants, where the real ones are too well-behaved."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HANG_UP = None


class Scripted:
    """Answers each line by `answer(line)`: bytes to send, or HANG_UP. `heard` keeps what clients said."""

    def __init__(self, greeting: bytes, answer: Callable[[bytes], bytes | None]) -> None:
        self.heard: list[bytes] = []
        self.connections = 0
        self._greeting, self._answer = greeting, answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with connection, connection.makefile("rb") as lines:
                connection.sendall(self._greeting)
                for line in lines:
                    self.heard.append(line.rstrip())
                    reply = self._answer(line.rstrip())
                    if reply is HANG_UP:
                        break
                    connection.sendall(reply)

    def stop(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)


@contextmanager
def scripted(greeting: bytes, answer: Callable[[bytes], bytes | None]) -> Iterator[Scripted]:
    server = Scripted(greeting, answer)
    server._thread.start()
    try:
        yield server
    finally:
        server.stop()
