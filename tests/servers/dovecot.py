"""A private Dovecot: IMAP for the product, LMTP for the relay, one maildir an account."""

from __future__ import annotations

import re
import secrets
import shutil
import subprocess
from typing import TYPE_CHECKING

from . import running

if TYPE_CHECKING:
    from pathlib import Path

# A system user that every Debian has and that owns no running service here.
OWNER = "mail"

CONFIGURATION = """
base_dir={place}/run
state_dir={place}/state
log_path={place}/dovecot.log
protocols=imap lmtp
listen=127.0.0.1
ssl=no
disable_plaintext_auth=no
first_valid_uid=0
mail_uid={owner}
mail_gid={owner}
mail_location=maildir:{place}/mail/%n
mail_home={place}/mail/%n
mail_fsync=never
# INTERNALDATE comes from the file each time, so that a test may set it after a delivery.
mail_never_cache_fields=imap.envelope date.received
auth_username_format=%Ln
auth_failure_delay=0
passdb {{
  driver=passwd-file
  args=scheme=PLAIN username_format=%n {place}/users
}}
userdb {{
  driver=static
  args=uid={owner} gid={owner} home={place}/mail/%n
}}
namespace inbox {{
  inbox=yes
  separator=/
  mailbox Sent {{
    special_use=\\Sent
  }}
}}
service imap-login {{
  chroot=
  inet_listener imap {{
    port={imap_port}
  }}
  inet_listener imaps {{
    port=0
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address=127.0.0.1
    port={lmtp_port}
  }}
}}
service anvil {{
  chroot=
  # A wrong password would slow down every later login from this address.
  unix_listener anvil-auth-penalty {{
    mode=0
  }}
}}
service stats {{
  chroot=
}}
protocol imap {{
  mail_max_userip_connections=100
}}
protocol lmtp {{
  postmaster_address=postmaster@huizhi.test
}}
"""


def missing() -> str | None:
    """Why Dovecot can't run here, or None."""
    if shutil.which("dovecot", path="/usr/sbin:/usr/local/sbin:/usr/bin") is None:
        return "Dovecot is not installed (dovecot-imapd)"
    if not re.match(r"2\.3\.", _version()):
        return f"the test configuration is for Dovecot 2.3, here is {_version()}"
    return None


def _version() -> str:
    answer = subprocess.run(["/usr/sbin/dovecot", "--version"], capture_output=True, text=True, check=True)
    return answer.stdout.strip()


class Dovecot:
    """The mailbox server; `start` may be called again after `stop`, on the same ports."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.log = place / "dovecot.log"
        self.imap_port = running.free_port()
        self.lmtp_port = running.free_port()
        self._server: running.Server | None = None
        self._passwords: dict[str, str] = {}
        for folder in ("run", "state", "mail"):
            (place / folder).mkdir()
        shutil.chown(place / "mail", OWNER, OWNER)
        (place / "users").touch()
        (place / "dovecot.conf").write_text(
            CONFIGURATION.format(place=place, owner=OWNER, imap_port=self.imap_port, lmtp_port=self.lmtp_port)
        )

    def start(self) -> None:
        command = ["/usr/sbin/dovecot", "-F", "-c", str(self.place / "dovecot.conf")]
        server = running.Server(command, log=self.log)
        server.ready(
            lambda: running.greets(self.imap_port, b"* OK") and running.greets(self.lmtp_port, b"220")
        )
        self._server = server

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None
            # A child that is still dying may hold the port and greet whoever comes next.
            running.wait_until(lambda: running.closed(self.imap_port), timeout=10, what="a closed port")

    def add_account(self, name: str) -> str:
        """Make the account, or find it; its password."""
        if name not in self._passwords:
            self._passwords[name] = secrets.token_urlsafe(9)
            with (self.place / "users").open("a") as users:
                users.write(f"{name}:{self._passwords[name]}\n")
            if self._server is not None:  # it looks at the file at most once a second
                running.wait_until(lambda: self._knows(name), timeout=10, what=f"Dovecot to know {name}")
        return self._passwords[name]

    def _knows(self, name: str) -> bool:
        command = ["/usr/bin/doveadm", "-c", str(self.place / "dovecot.conf"), "user", name]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    @property
    def accounts(self) -> dict[str, str]:
        """Name → password."""
        return dict(self._passwords)

    def messages(self, account: str, folder: str = "INBOX") -> list[Path]:
        """The message files of a folder, oldest delivery first."""
        box = self.place / "mail" / account
        if folder != "INBOX":
            box = box / f".{folder.replace('/', '.')}"
        found = [path for part in ("new", "cur") if (box / part).is_dir() for path in (box / part).iterdir()]
        return sorted(found, key=lambda path: path.name)
