"""Listening: hearing of new mail when it comes, where a server tells of it, instead of at the next turn."""

from __future__ import annotations

import threading
from collections.abc import Callable

from workflow.adapters.mail.imap import Mailbox
from workflow.domain.errors import OutsideFailed, Refused

#: Seconds for which one IDLE is kept: RFC 2177 allows 29 minutes, routers on the way forget a silent connection sooner.
_KEPT = 9 * 60
#: Seconds in which news after news counts as one: many replies at once are one pass over the mailbox.
_BREATH = 5


class Listener:
    """A thread with a connection of its own to one mailbox. It calls `ring` when new mail has come, and whenever it has
    connected, since mail may have come before. It tries again after `pause` seconds when the connection fails, which is the
    poll's to tell, and ends by itself where the server can't IDLE.
    """

    def __init__(self, mailbox: Callable[[], Mailbox], ring: Callable[[], None], pause: float) -> None:
        self._mailbox, self._ring, self._pause = mailbox, ring, pause
        self._ended = threading.Event()
        self._open: Mailbox | None = None
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """End it; a connection that is just being made is left to the end of the process."""
        self._ended.set()
        if (mailbox := self._open) is not None:
            mailbox.hang_up()
        self._thread.join(_BREATH)

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                with self._mailbox() as mailbox:
                    if not mailbox.tells:
                        return
                    self._open = mailbox
                    self._listen(mailbox)
            except (OutsideFailed, Refused):
                self._ended.wait(self._pause)
            finally:
                self._open = None

    def _listen(self, mailbox: Mailbox) -> None:
        self._ring()
        while not self._ended.is_set():
            if mailbox.heard(_KEPT):
                self._ring()
            self._ended.wait(_BREATH)  # a server that ends each IDLE at once is not asked without end
