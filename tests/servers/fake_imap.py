"""An IMAP server that misbehaves on purpose: it wants ID before SELECT, hangs up in the middle of a message, lies about
sizes, keeps no UIDPLUS or MOVE, gives out its numbers anew. What a real server does is Dovecot's to show.
"""

from __future__ import annotations

import re
import socket
import threading
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from . import running

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATIENCE = 20.0
_WHEN = '"12-Dec-2026 09:00:00 +0800"'


@dataclass
class Held:
    """A message in a folder."""

    uid: int
    raw: bytes
    flags: set[str] = field(default_factory=set)


class FakeImap:
    """Folders of messages and the faults that a test plans. Each connection is served by a thread of its own.

    `wants_id`: "Unsafe Login" to whoever has not said ID. `hang_up_after`: so many octets of messages, once. `longer`: by
    how many octets the literal of a uid is announced too long (negative: too short).
    """

    def __init__(self, capabilities: str = "IMAP4rev1 ID UIDPLUS MOVE") -> None:
        self.capabilities = capabilities
        self.wants_id = "ID" in capabilities.split()
        self.uidvalidity = 7
        self.uidnext = 1
        self.folders: dict[str, list[Held]] = {"INBOX": []}
        self.hang_up_after: int | None = None
        self.longer: dict[int, int] = {}
        self.heard: list[str] = []
        self.fetched: Counter[int] = Counter()
        self._lock = threading.Lock()
        self._listener = socket.create_server((running.LOOPBACK, 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def put(self, *raws: bytes, folder: str = "INBOX", uid: int = 0) -> None:
        """Deliver messages; with `uid` one under a number that the server should not give."""
        with self._lock:
            for raw in raws:
                self.folders.setdefault(folder, []).append(Held(uid or self.uidnext, raw))
                self.folders[folder].sort(key=lambda one: one.uid)
                self.uidnext = max(self.uidnext, (uid or self.uidnext) + 1)

    def flags(self, flag: str, folder: str = "INBOX") -> list[int]:
        return [one.uid for one in self.folders.get(folder, ()) if flag in one.flags]

    def stop(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(_PATIENCE)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        connection.settimeout(_PATIENCE)
        with suppress(ConnectionError, TimeoutError, OSError), connection, connection.makefile("rb") as lines:
            connection.sendall(f"* OK [CAPABILITY {self.capabilities}] ready\r\n".encode())
            said = _Dialogue(self, connection)
            for line in lines:
                tag, _, command = line.decode().rstrip("\r\n").partition(" ")
                self.heard.append(command)
                said.answer(tag, command)
                if command.upper() == "LOGOUT":
                    return


class _Dialogue:
    """One connection."""

    def __init__(self, server: FakeImap, connection: socket.socket) -> None:
        self._server, self._connection = server, connection
        self._named, self._folder = False, "INBOX"

    def answer(self, tag: str, command: str) -> None:
        verb, _, rest = command.partition(" ")
        verb = verb.upper()
        if verb == "UID":
            verb, _, rest = rest.partition(" ")
            verb = f"UID {verb.upper()}"
        work = getattr(self, "do_" + verb.lower().replace(" ", "_"), None)
        with self._server._lock:
            said = work(rest) if work else "OK done"
        self._send(f"{tag} {said}\r\n".encode())

    def _send(self, data: bytes) -> None:
        self._connection.sendall(data)

    def _untagged(self, text: str) -> None:
        self._send(f"* {text}\r\n".encode())

    @property
    def _messages(self) -> list[Held]:
        return self._server.folders[self._folder]

    def do_capability(self, _rest: str) -> str:
        self._untagged(f"CAPABILITY {self._server.capabilities}")
        return "OK done"

    def do_id(self, _rest: str) -> str:
        self._named = True
        self._untagged('ID ("name" "fake")')
        return "OK done"

    def do_select(self, rest: str) -> str:
        if self._server.wants_id and not self._named:
            return "NO SELECT Unsafe Login. Please contact kefu@188.com for help"
        name = rest.strip('"')
        if name not in self._server.folders:
            return "NO no such folder"
        self._folder = name
        self._untagged(f"{len(self._messages)} EXISTS")
        self._untagged(f"OK [UIDVALIDITY {self._server.uidvalidity}] valid")
        self._untagged(f"OK [UIDNEXT {self._server.uidnext}] next")
        return "OK [READ-WRITE] done"

    def do_create(self, rest: str) -> str:
        self._server.folders.setdefault(rest.strip('"'), [])
        return "OK done"

    def do_uid_search(self, rest: str) -> str:
        found = self._messages
        if match := re.fullmatch(r"UID (\S+)", rest):
            found = self._named_in(match[1])
        elif rest == "DELETED":
            found = [one for one in found if r"\Deleted" in one.flags]
        self._untagged("SEARCH " + " ".join(str(one.uid) for one in found))
        return "OK done"

    def do_uid_fetch(self, rest: str) -> str:
        written, _, what = rest.partition(" ")
        for one in self._named_in(written):
            number = self._messages.index(one) + 1
            if "BODY" not in what:
                self._untagged(f"{number} FETCH (UID {one.uid} RFC822.SIZE {len(one.raw)})")
                continue
            size = len(one.raw) + self._server.longer.get(one.uid, 0)
            self._send(f"* {number} FETCH (UID {one.uid} INTERNALDATE {_WHEN} BODY[] {{{size}}}\r\n".encode())
            self._body(one.raw)
            self._server.fetched[one.uid] += 1
            self._send(b")\r\n")
        return "OK done"

    def _body(self, raw: bytes) -> None:
        left = self._server.hang_up_after
        if left is None:
            self._send(raw)
        elif len(raw) < left:
            self._server.hang_up_after = left - len(raw)
            self._send(raw)
        else:
            self._server.hang_up_after = None
            self._send(raw[:left])
            self._connection.shutdown(socket.SHUT_RDWR)
            raise ConnectionResetError

    def do_uid_store(self, rest: str) -> str:
        written, _, flags = rest.partition(" +FLAGS.SILENT ")
        for one in self._named_in(written):
            one.flags.update(flags.strip("()").split())
        return "OK done"

    def do_uid_copy(self, rest: str) -> str:
        written, _, folder = rest.partition(" ")
        if folder.strip('"') not in self._server.folders:
            return "NO [TRYCREATE] no such folder"
        target = self._server.folders[folder.strip('"')]
        target.extend(Held(len(target) + 1, one.raw) for one in self._named_in(written))
        return "OK done"

    def do_uid_move(self, rest: str) -> str:
        if "MOVE" not in self._server.capabilities:
            return "BAD unknown command"
        said = self.do_uid_copy(rest)
        if said.startswith("OK"):
            self._remove(self._named_in(rest.partition(" ")[0]))
        return said

    def do_uid_expunge(self, rest: str) -> str:
        if "UIDPLUS" not in self._server.capabilities:
            return "BAD unknown command"
        self._remove([one for one in self._named_in(rest) if r"\Deleted" in one.flags])
        return "OK done"

    def do_expunge(self, _rest: str) -> str:
        self._remove([one for one in self._messages if r"\Deleted" in one.flags])
        return "OK done"

    def _remove(self, gone: list[Held]) -> None:
        self._server.folders[self._folder] = [one for one in self._messages if one not in gone]

    def _named_in(self, written: str) -> list[Held]:
        last = self._messages[-1].uid if self._messages else 0
        found: list[Held] = []
        for piece in written.split(","):
            low, _, high = piece.partition(":")
            ends = sorted(last if end == "*" else int(end) for end in (low, high or low))
            found += [one for one in self._messages if ends[0] <= one.uid <= ends[1] and one not in found]
        return found


@contextmanager
def misbehaving(capabilities: str = "IMAP4rev1 ID UIDPLUS MOVE") -> Iterator[FakeImap]:
    server = FakeImap(capabilities)
    try:
        yield server
    finally:
        server.stop()
