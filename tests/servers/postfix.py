"""A private Postfix: the relay that the product sends through, and that hands everything to Dovecot."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from . import running

DAEMONS = Path("/usr/lib/postfix/sbin")

MAIN = """
compatibility_level = 3.6
queue_directory = {place}/queue
data_directory = {place}/data
maillog_file = {place}/postfix.log
maillog_file_prefixes = {place}
myhostname = relay.huizhi.test
mydestination =
myorigin = huizhi.test
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
local_transport = error:no local mail in tests
relay_domains =
default_transport = error:outside mail disabled in tests
virtual_mailbox_domains = regexp:{place}/config/domains
virtual_alias_domains =
virtual_alias_maps = regexp:{place}/config/aliases
virtual_transport = lmtp:inet:127.0.0.1:{lmtp_port}
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_tls_security_level = none
smtpd_client_connection_count_limit = 0
smtpd_error_sleep_time = 0
smtputf8_enable = yes
message_size_limit = 104857600
notify_classes =
biff = no
in_flow_delay = 0
minimal_backoff_time = 5s
queue_run_delay = 5s
lmtp_destination_concurrency_limit = 4
default_process_limit = 20
"""

# Reserved names only (RFC 2606, RFC 6761): any other recipient is refused.
DOMAINS = r"""
/^(.+\.)?test$/                    OK
/^(.+\.)?example(\.(com|net|org))?$/   OK
"""

# huizhi.test has accounts of its own and nobody.test has none; every unit's mail lies in one account.
ALIASES = r"""
if /@(.+\.)?(test|example(\.(com|net|org))?)$/
!/@(huizhi|nobody)\.test$/   units@huizhi.test
endif
"""

SERVICES = """
127.0.0.1:{smtp_port} inet n - n - - smtpd
pickup    unix  n       -       n       60      1       pickup
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
trace     unix  -       -       n       -       0       bounce
verify    unix  -       -       n       -       1       verify
flush     unix  n       -       n       1000?   0       flush
proxymap  unix  -       -       n       -       -       proxymap
smtp      unix  -       -       n       -       -       smtp
relay     unix  -       -       n       -       -       smtp
showq     unix  n       -       n       -       -       showq
error     unix  -       -       n       -       -       error
retry     unix  -       -       n       -       -       error
discard   unix  -       -       n       -       -       discard
lmtp      unix  -       -       n       -       -       lmtp
anvil     unix  -       -       n       -       1       anvil
scache    unix  -       -       n       -       1       scache
postlog   unix-dgram n  -       n       -       1       postlogd
"""

# directory of the queue → (owner, group, mode), as Postfix's own postfix-files has them
QUEUE = {
    **dict.fromkeys(
        (
            "active",
            "bounce",
            "corrupt",
            "defer",
            "deferred",
            "flush",
            "hold",
            "incoming",
            "private",
            "saved",
            "trace",
        ),
        ("postfix", "root", 0o700),
    ),
    "maildrop": ("postfix", "postdrop", 0o730),
    "public": ("postfix", "postdrop", 0o2710),
    "pid": ("root", "root", 0o755),
}


def missing() -> str | None:
    """Why Postfix can't run here, or None."""
    if not (DAEMONS / "master").exists():
        return "Postfix is not installed (postfix)"
    if os.geteuid() != 0:
        return "only root can start Postfix"
    return None


class Postfix:
    """The relay. Mail to the catch-all's domains goes to the account `units`."""

    def __init__(self, place: Path, *, lmtp_port: int) -> None:
        self.place = place
        self.log = place / "postfix.log"
        self.smtp_port = running.free_port()
        self._server: running.Server | None = None
        config = place / "config"
        config.mkdir()
        (config / "main.cf").write_text(MAIN.format(place=place, lmtp_port=lmtp_port))
        (config / "master.cf").write_text(SERVICES.format(smtp_port=self.smtp_port))
        (config / "domains").write_text(DOMAINS)
        (config / "aliases").write_text(ALIASES)
        for written in config.iterdir():  # Postfix waits for a file to be two seconds old before it reads it
            os.utime(written, (0, 0))
        # Made here rather than by `postfix check`, which looks over the whole machine and takes seconds.
        (place / "queue").mkdir()
        for name, (owner, group, mode) in QUEUE.items():
            (place / "queue" / name).mkdir()
            shutil.chown(place / "queue" / name, owner, group)
            (place / "queue" / name).chmod(mode)
        (place / "data").mkdir(mode=0o700)
        shutil.chown(place / "data", "postfix", "postfix")

    def start(self) -> None:
        command = [str(DAEMONS / "master"), "-c", str(self.place / "config"), "-d"]
        server = running.Server(command, log=self.log)
        server.ready(lambda: running.greets(self.smtp_port, b"220"))
        self._server = server

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None
            # A child that is still dying may hold the port and greet whoever comes next.
            running.wait_until(lambda: running.closed(self.smtp_port), timeout=10, what="a closed port")

    def queued(self) -> int:
        """How many messages are on their way, deferred ones included."""
        queue = self.place / "queue"
        return sum(
            1
            for name in ("maildrop", "incoming", "active", "deferred")
            for path in (queue / name).rglob("*")
            if path.is_file()
        )
