"""A server that says what a test wants, where the real ones are too well-behaved."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HANG_UP = None


class Scripted:
    """Answers each line by `answer(line)`: bytes to send, or HANG_UP. `heard` keeps what clients said."""

    def __init__(
        self, greeting: bytes, answer: Callable[[bytes], bytes | None], tls: ssl.SSLContext | None
    ) -> None:
        self.heard: list[bytes] = []
        self.connections = 0
        self._greeting, self._answer, self._tls = greeting, answer, tls
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
            # A client that goes away, or that does not trust us, is the client's affair.
            with suppress(ssl.SSLError, ConnectionError), connection:
                if self._tls is None:
                    self._talk(connection)
                else:
                    with self._tls.wrap_socket(connection, server_side=True) as secret:
                        self._talk(secret)

    def _talk(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as lines:
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
def scripted(
    greeting: bytes, answer: Callable[[bytes], bytes | None], tls: ssl.SSLContext | None = None
) -> Iterator[Scripted]:
    server = Scripted(greeting, answer, tls)
    server._thread.start()
    try:
        yield server
    finally:
        server.stop()
