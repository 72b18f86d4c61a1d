"""The connection below imaplib: read in large pieces, and listened to while the server has nothing to say.

imaplib's documented places for it are `read` and `readline` (https://docs.python.org/3/library/imaplib.html); its own
take a message in pieces of 8 kB and can't be waited for without a timeout that breaks them for good.
"""

from __future__ import annotations

import imaplib
import re
import selectors
import socket
import ssl
import time
from collections.abc import Callable

#: What is read at once, in bytes: several messages with their workbooks. Larger literals go around it.
_AT_ONCE = 1 << 20
_LONGEST_LINE = 1_000_000
#: No server hands out messages of this size; a literal that claims it would only fill the memory.
_LARGEST = 1 << 30
_FETCHED = re.compile(rb"(?i)\* (\d+) FETCH ")
_LITERAL = re.compile(rb"\{(\d+)\}\r?\n$")

FetchLine = bytes | tuple[bytes, bytes]


class Stream(imaplib.IMAP4):
    """imaplib's client over a buffer of its own."""

    _buffer = bytearray()
    _start = _end = 0
    _source: socket.socket | None = None
    _tags = 0

    def read(self, size: int) -> bytes:
        """So many bytes; fewer when the connection ended."""
        self._same_socket()
        if size > _LARGEST:
            raise self.abort(f"literal of {size} bytes")
        if size > _AT_ONCE:
            return self._read_around(size)
        while self._end - self._start < size and self._fill():
            pass
        end = min(self._end, self._start + size)
        found = bytes(memoryview(self._buffer)[self._start : end])
        self._start = end
        return found

    def readline(self) -> bytes:
        """A line with its end; what there was of it, perhaps nothing, when the connection ended."""
        self._same_socket()
        looked = self._start
        while (at := self._buffer.find(b"\n", looked, self._end)) < 0:
            held = self._end - self._start
            if held > _LONGEST_LINE:
                raise self.error(f"got more than {_LONGEST_LINE} bytes")
            if not self._fill():
                break
            looked = self._start + held
        end = self._end if at < 0 else at + 1
        found = bytes(memoryview(self._buffer)[self._start : end])
        self._start = end
        return found

    def waits(self, seconds: float) -> bool:
        """Whether there is something to read, waited for at most so many seconds."""
        self._same_socket()
        if self._end > self._start or (isinstance(self.sock, ssl.SSLSocket) and self.sock.pending()):
            return True
        with selectors.DefaultSelector() as selector:
            selector.register(self.sock, selectors.EVENT_READ)
            return bool(selector.select(max(0.0, seconds)))

    def fetched(self, uids: str, what: str) -> list[FetchLine]:
        """The FETCH responses to UID FETCH, in the shape in which imaplib gives them, without its look at every line."""
        tag = self._ask(f"UID FETCH {uids} {what}")
        found: list[FetchLine] = []
        while True:
            line = self._line()
            if line.startswith(b"* "):
                ours = _FETCHED.match(line)
                start = b"%s " % ours[1] if ours else b""
                rest = line[ours.end() :] if ours else line[2:]
                while rest.endswith((b"}\r\n", b"}\n")) and (literal := _LITERAL.search(rest)):
                    size = int(literal[1])
                    body = self.read(size)
                    if len(body) < size:
                        raise self.abort("socket error: EOF")
                    if ours:
                        found.append((start + rest.rstrip(b"\r\n"), body))
                    start, rest = b"", self._line()
                if ours:
                    found.append(start + rest.rstrip(b"\r\n"))
                elif line[2:5].upper() == b"BYE":
                    raise self.abort(line[6:])
            else:
                self._done(tag, line)
                return found

    def idle(self, seconds: float, enough: Callable[[bytes], bool]) -> bool:
        """Listen in IDLE (RFC 2177) for at most so many seconds, or until a line of the server's is `enough`; whether one
        was. Raises imaplib's error where the server will not.
        """
        until = time.monotonic() + seconds
        tag = self._ask("IDLE")
        heard, line = self._told(enough)
        if not line.startswith(b"+"):
            self._done(tag, line)
            raise self.error("IDLE ended at once")
        while not heard and self.waits(until - time.monotonic()):
            line = self._line()
            if not line.startswith(b"* "):
                self._done(tag, line)
                return heard
            heard = enough(line[2:].rstrip())
        self.send(b"DONE\r\n")
        more, line = self._told(enough)
        self._done(tag, line)
        return heard or more

    def _told(self, enough: Callable[[bytes], bool]) -> tuple[bool, bytes]:
        """Whether one of the untagged lines was enough, and the line behind them."""
        heard = False
        while (line := self._line()).startswith(b"* "):
            heard = enough(line[2:].rstrip()) or heard
        return heard, line

    def _ask(self, command: str) -> bytes:
        """Send a command; its tag, which none of imaplib's own can be."""
        self._tags += 1
        tag = b"H%d" % self._tags
        self.send(b"%s %s\r\n" % (tag, command.encode("ascii")))
        return tag

    def _line(self) -> bytes:
        line = self.readline()
        if not line.endswith(b"\n"):
            raise self.abort("socket error: EOF")
        return line

    def _done(self, tag: bytes, line: bytes) -> None:
        """The end of a command, or what is no answer at all."""
        said, _, words = line.rstrip(b"\r\n").partition(b" ")
        if said != tag:
            raise self.abort(b"unexpected response: " + line[:200])
        if words.partition(b" ")[0].upper() != b"OK":
            raise self.error(words)

    def _same_socket(self) -> None:
        """Begin anew with another socket: what came before STARTTLS was not encrypted and is nobody's answer."""
        if self._source is not self.sock:
            self._source, self._buffer = self.sock, bytearray(_AT_ONCE + _LONGEST_LINE)
            self._start = self._end = 0

    def _fill(self) -> bool:
        """Read what has come, at least a byte; False at the end of the connection."""
        view = memoryview(self._buffer)
        if self._start:
            view[: self._end - self._start] = view[self._start : self._end]
            self._start, self._end = 0, self._end - self._start
        got = self.sock.recv_into(view[self._end :])
        self._end += got
        return got > 0

    def _read_around(self, size: int) -> bytes:
        """A literal that the buffer has no room for; fewer bytes when the connection ended."""
        found = bytearray(size)
        view = memoryview(found)
        got = min(size, self._end - self._start)
        view[:got] = memoryview(self._buffer)[self._start : self._start + got]
        self._start += got
        while got < size and (more := self.sock.recv_into(view[got:])):
            got += more
        return bytes(view[:got])


class SecretStream(Stream, imaplib.IMAP4_SSL):
    """The same over TLS from the beginning."""
