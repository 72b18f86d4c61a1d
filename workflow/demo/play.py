"""A whole quarter in about a minute: real processes, real mail servers, simulated people and a simulated clock."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from workflow.adapters.workbook.roster import read_roster, write_roster
from workflow.app import App
from workflow.cli.workspace import DEMO_MARKER as MARKER
from workflow.cli.workspace import make_workspace, shipped
from workflow.demo.addresses import HOST
from workflow.demo.people import Behaviour, plan
from workflow.demo.roster import make_roster
from workflow.demo.servers import MailServers
from workflow.demo.town import Town
from workflow.domain.campaign import SHANGHAI
from workflow.domain.errors import Fault, Refused
from workflow.domain.roster import Level
from workflow.process.baseline import import_roster
from workflow.process.gather import require_campaign
from workflow.process.overview import Overview, overview

BEFORE, QUARTER = "2026Q3", "2026Q4"
RECEIPT_DUE = dt.date(2026, 12, 25)

#: When the office works: mail is taken in, the calendar is kept, letters go out. Deadlines are at 00:00.
_MOMENTS_BEFORE = (
    "2026-09-21 10:00", "2026-09-25 17:00", "2026-09-29 17:00", "2026-10-01 00:10", "2026-10-06 00:10",
    "2026-10-11 00:10", "2026-10-16 00:10",
)  # fmt: skip
_MOMENTS = (
    "2026-12-10 10:00", "2026-12-11 09:00", "2026-12-14 17:00", "2026-12-16 17:00", "2026-12-18 17:00",
    "2026-12-21 17:00", "2026-12-22 09:10", "2026-12-23 17:00", "2026-12-25 09:10", "2026-12-28 17:00",
    "2026-12-30 09:10", "2026-12-31 17:00", "2027-01-01 00:10", "2027-01-02 17:00", "2027-01-04 17:00",
    "2027-01-05 09:10", "2027-01-05 20:00", "2027-01-06 00:10", "2027-01-07 17:00", "2027-01-10 09:10",
    "2027-01-11 00:10", "2027-01-12 17:00", "2027-01-15 09:10", "2027-01-16 00:10",
)  # fmt: skip

Progress = Callable[[str, int, int], None]


class Disproved(Exception):
    """The play's own check of its claims failed; the message says where."""


@dataclass(frozen=True, slots=True)
class Summary:
    """How the play ended: the overview of the quarter, its cases by level and state, the consolidated workbooks and who
    behaved how; the messages that people posted, those that bounced back, and the raw files kept.
    """

    workspace: Path
    overview: Overview
    levels: Mapping[str, Mapping[str, int]]
    books: tuple[Path, ...]
    behaviours: Mapping[str, Behaviour]
    posted: int
    bounced: int
    kept: int


class Clock:
    """The simulated time. It only goes forward."""

    def __init__(self, start: dt.datetime) -> None:
        self._now = start

    def __call__(self) -> dt.datetime:
        return self._now

    def set(self, moment: dt.datetime) -> None:
        """Go on to a moment; raises ValueError for one that has passed."""
        if moment < self._now:
            raise ValueError(f"the clock stands at {self._now}, {moment} has passed")
        self._now = moment


def play(
    workspace: Path, *, seed: int = 1, units: int = 120, progress: Progress = lambda title, done, total: None
) -> Summary:
    """Play two quarters in a new workspace and check what came of them; raises Refused when something else lies
    there, Disproved when the totals do not add up or a message ended elsewhere than it should.
    """
    _clear(workspace)
    clock = Clock(_moment(_MOMENTS_BEFORE[0]))
    with MailServers(clock) as servers:
        _prepare(workspace, servers, units)
        with _opened(workspace, clock) as app:
            data = (workspace / "rosters" / "units.xlsx").read_bytes()
            roster, queries = read_roster(data, "units.xlsx")
            import_roster(app.store, roster, queries, "units.xlsx", _sha(data), clock())
            forms = {form: compiled for form, (compiled, _) in app.template_forms().items()}
            behaviours = plan(roster, seed)
            with Town(servers, clock.set, roster, forms, behaviours, seed) as town:
                stage = _Stage(app, clock, town, progress, len(_MOMENTS_BEFORE) + len(_MOMENTS) + 1)
                stage.quarter(BEFORE, _MOMENTS_BEFORE, None)
                town.quiet = False
                town.strangers(_moment(_MOMENTS[1]))
                stage.quarter(QUARTER, _MOMENTS, RECEIPT_DUE)
                books = tuple(workspace / "outbox" / book.path for book in app.consolidate())
                progress("写出汇总表", stage.total, stage.total)
            _check_mail(app, town, servers)
            campaign = require_campaign(app.store)
            seen = overview(app.store, roster, campaign, clock())
            levels = {
                level: overview(app.store, roster, campaign, clock(), Level(level)).cases
                for level in seen.packages
            }
            _check_totals(app, seen, levels, len(roster.units))
            kept = app.files.mail_count()
        _stop_clock(workspace, clock())
        posted = len(town.posted)
        return Summary(workspace, seen, levels, books, behaviours, posted, servers.received - posted, kept)


@dataclass
class _Stage:
    """The office at work beside the town, moment by moment."""

    app: App
    clock: Clock
    town: Town
    progress: Progress
    total: int
    done: int = 0

    def quarter(self, name: str, moments: tuple[str, ...], receipt_due: dt.date | None) -> None:
        """Open a campaign at the first moment, then work through the others."""
        for at, words in enumerate(moments):
            moment = _moment(words)
            posted = self.town.act(moment)
            self.clock.set(moment)
            if at == 0:
                self.app.open(name, receipt_due)
            self.app.poll()
            self.app.tick()
            sent = self._send()
            self.town.read()
            self.done += 1
            self.progress(f"{name} {words}　来信 {posted} 封，发信 {sent} 封", self.done, self.total)

    def _send(self) -> int:
        """Send until nothing is queued, as the scheduled job does pass by pass."""
        count = 0
        while (passed := self.app.send()).sent or passed.failed:
            count += passed.sent
        return count


def _moment(words: str) -> dt.datetime:
    return dt.datetime.strptime(words, "%Y-%m-%d %H:%M").replace(tzinfo=SHANGHAI)


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _clear(workspace: Path) -> None:
    """Make room: an earlier demo is replaced, anything else is left alone."""
    if not workspace.exists() or not any(workspace.iterdir()):
        return
    if not (workspace / MARKER).is_file():
        raise Refused(
            Fault(str(workspace), "不是演示工作目录，不能覆盖", "请另选一个目录，或先移走其中的文件")
        )
    shutil.rmtree(workspace)


def _prepare(workspace: Path, servers: MailServers, units: int) -> None:
    workspace.mkdir(parents=True, exist_ok=True)
    (workspace / MARKER).write_text("huizhi demo\n", encoding="utf-8")
    text = shipped("config.toml").read_text(encoding="utf-8")
    for section, port in (("imap", servers.imap_port), ("smtp", servers.smtp_port)):
        text = _set(_set(text, section, "host", f'"{HOST}"'), section, "port", str(port))
    make_workspace(workspace, text)
    (workspace / "rosters" / "units.xlsx").write_bytes(write_roster(make_roster(units)))


def _set(text: str, section: str, key: str, value: str) -> str:
    """The text of a config.toml with one setting changed, its comments kept."""
    pattern = rf"(?ms)^(\[{section}\].*?^{key} = )[^#\n]*?([ \t]*(?:#[^\n]*)?)$"
    changed, times = re.subn(pattern, rf"\g<1>{value}\g<2>", text, count=1)
    if times != 1:
        raise Refused(Fault("config.toml", f"[{section}] 中没有 {key}", "请使用程序自带的 config.toml"))
    return changed


def _stop_clock(workspace: Path, now: dt.datetime) -> None:
    """Leave the workspace at the quarter's end, so that later commands see it as it stood."""
    path = workspace / "config.toml"
    text = path.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not re.match(r"\s*#?\s*(\[clock\]|simulated\s*=)", line)]
    lines += ["", "[clock]", f"simulated = {now.isoformat()}"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@contextmanager
def _opened(workspace: Path, clock: Clock) -> Iterator[App]:
    app = App(workspace, clock)
    try:
        yield app
    finally:
        app.close()


def _check_mail(app: App, town: Town, servers: MailServers) -> None:
    """Every message that was posted is in the bucket, and its attachments in the outcomes, where it belongs."""
    messages = {message.sha: message for message in app.store.messages()}
    attached = app.store.attachments_of(messages)
    found = Counter(
        (m.message_id, m.bucket, tuple(row.outcome for row in attached.get(sha, ())))
        for sha, m in messages.items()
    )
    wanted = Counter((p.message_id, p.bucket, p.outcomes) for p in town.posted)
    astray = wanted - found
    if astray:
        there = {m.message_id: (m, attached.get(m.sha, ())) for m in messages.values()}
        lines = []
        for message_id, bucket, outcomes in astray:
            message, rows = there.get(message_id, (None, ()))
            ended = (
                f"{message.bucket} {[(row.outcome.value, row.reason) for row in rows]}"
                if message
                else "nowhere"
            )
            lines.append(f"{message_id}: {bucket} {[o.value for o in outcomes]} wanted, {ended} found")
        raise Disproved("\n".join(lines))
    if servers.received != len(messages):
        raise Disproved(f"{servers.received} messages were delivered, {len(messages)} were taken in")


def _check_totals(app: App, seen: Overview, levels: Mapping[str, Mapping[str, int]], units: int) -> None:
    """Conservation: messages in are the raw files kept and the sum of the buckets; nobody is lost among the states."""
    received, kept = seen.mail["received"], app.files.mail_count()
    claims = {
        "messages by bucket": (received, sum(seen.mail["buckets"].values())),
        "raw files kept": (received, kept),
        "cases by state": (units, sum(seen.cases.values())),
        "cases by level": (units, sum(sum(states.values()) for states in levels.values())),
        "rows by origin": (units, sum(seen.origins.values())),
        "letters still queued": (0, seen.mail["queued"]),
    }
    wrong = [f"{name}: {one} is not {other}" for name, (one, other) in claims.items() if one != other]
    if wrong:
        raise Disproved("; ".join(wrong))
