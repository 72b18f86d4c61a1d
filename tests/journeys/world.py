"""A small province for the journeys: a real workspace, real servers, clerks and reviewers who answer by mail.

The workspace is made as `huizhi init` makes one, the roster is imported as a workbook through the command line, and
every letter and reply goes through Postfix and Dovecot. The clock is the quarter's: `at` moves it for the program,
for the command line (`[clock] simulated`) and, with `post`, for the moment at which the mailbox received a message.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import email
import email.policy
import hashlib
import io
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from email.message import EmailMessage
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl

from tests.journeys import clerks
from workflow.adapters.workbook.roster import write_roster
from workflow.app import App
from workflow.cli import main
from workflow.cli.workspace import make_workspace, shipped
from workflow.demo.figures import plausible
from workflow.domain.campaign import SHANGHAI
from workflow.domain.roster import Contact, Role, Roster, Unit, UnitKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tests.servers.mail import MailServers
    from workflow.domain.form import Form, Value
    from workflow.process.situation import Outcome

ROOT = Path(__file__).parents[2]
CAMPAIGN = "2026Q4"

PROVINCE, CITY, COUNTY, DIRECT = "410000", "410100", "410102", "410181"
FIRST, SECOND, POINT = "4101020001", "4101020002", "4101020003"
THIRD, FOURTH, FIFTH = "4101020004", "4101020005", "4101020006"
CITY_SCHOOL, VOCATIONAL, DIRECT_SCHOOL = "4101000001", "4101000002", "4101810001"
UNIVERSITY, PROVINCIAL_VOCATIONAL = "4141010078", "4100009001"

UNITS = (
    Unit(PROVINCE, "河南省教育厅", UnitKind.PROVINCE, ""),
    Unit(CITY, "郑州市教育局", UnitKind.CITY, PROVINCE),
    Unit(COUNTY, "中原区教育局", UnitKind.COUNTY, CITY),
    Unit(FIRST, "中原区第一小学", UnitKind.SCHOOL, COUNTY),
    Unit(SECOND, "中原区第二中心小学", UnitKind.SCHOOL, COUNTY),
    Unit(POINT, "柳沟教学点", UnitKind.TEACHING_POINT, SECOND),
    Unit(THIRD, "中原区第三中学", UnitKind.SCHOOL, COUNTY),
    Unit(FOURTH, "中原区第四小学", UnitKind.SCHOOL, COUNTY),
    Unit(FIFTH, "中原区第五小学", UnitKind.SCHOOL, COUNTY),
    Unit(CITY_SCHOOL, "郑州市直属实验中学", UnitKind.SCHOOL, CITY),
    Unit(VOCATIONAL, "郑州市电子职业学校", UnitKind.VOCATIONAL, CITY),
    Unit(DIRECT, "巩义市教育局", UnitKind.DIRECT_COUNTY, PROVINCE),
    Unit(DIRECT_SCHOOL, "巩义市第一小学", UnitKind.SCHOOL, DIRECT),
    Unit(UNIVERSITY, "中原水利大学", UnitKind.UNIVERSITY, PROVINCE),
    Unit(PROVINCIAL_VOCATIONAL, "河南省农业职业学校", UnitKind.PROVINCIAL_VOCATIONAL, PROVINCE),
)
_UNREVIEWED = frozenset({DIRECT})  # a vacancy: nobody approves here
_WITHOUT_ADDRESS = frozenset({POINT})  # its mail goes through its 中心校


def administrator(code: str) -> str:
    return f"admin{code}@school.test"


def reviewer(code: str) -> str:
    return f"review{code}@school.test"


def small_roster() -> Roster:
    """The units above with their people; an inspector has a telephone and no address, as 附件2 has it."""
    contacts = []
    for place, unit in enumerate(UNITS):
        if unit.code not in _WITHOUT_ADDRESS:
            contacts.append(_contact(unit, Role.ADMINISTRATOR, place, administrator(unit.code)))
        if unit.kind.reports:
            contacts.append(_contact(unit, Role.INSPECTOR, place, ""))
            if unit.code not in _UNREVIEWED:
                contacts.append(_contact(unit, Role.REVIEWER, place, reviewer(unit.code)))
    return Roster({unit.code: unit for unit in UNITS}, tuple(contacts))


def person(code: str, role: Role) -> str:
    return f"{'管审视'[[Role.ADMINISTRATOR, Role.REVIEWER, Role.INSPECTOR].index(role)]}{code[-4:]}"


def _contact(unit: Unit, role: Role, place: int, address: str) -> Contact:
    return Contact(
        unit.code,
        role,
        person(unit.code, role),
        "信息中心",
        f"0371-5555{place:04d}",
        f"1990000{place:04d}",
        address,
    )


def moment(text: str) -> dt.datetime:
    """`12-10 09:00` of the quarter (January belongs to 2027), in Asia/Shanghai."""
    year = 2027 if text.startswith("01-") else 2026
    return dt.datetime.fromisoformat(f"{year}-{text}").replace(tzinfo=SHANGHAI)


@dataclass(frozen=True)
class Ran:
    """What a command said and with which exit code it ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def faults(self) -> list[str]:
        return self.err.splitlines()

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Mail:
    """A message as a person's mail program shows it, read with Python's own parser."""

    raw: bytes

    @cached_property
    def parsed(self) -> EmailMessage:
        parsed = email.message_from_bytes(self.raw, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    @property
    def to(self) -> str:
        return self.parsed["To"].addresses[0].addr_spec if self.parsed["To"] else ""

    @property
    def subject(self) -> str:
        return str(self.parsed["Subject"])

    @property
    def message_id(self) -> str:
        return str(self.parsed["Message-ID"])

    @property
    def letter(self) -> str:
        return str(self.parsed["X-Huizhi-Letter"] or "").partition(".")[0]

    @property
    def text(self) -> str:
        body = self.parsed.get_body(("plain",))
        return str(body.get_content()) if body else ""

    @cached_property
    def files(self) -> dict[str, bytes]:
        found = {}
        for part in self.parsed.iter_attachments():
            content = part.get_content()
            if isinstance(content, bytes):
                found[str(part.get_filename())] = content
        return found

    @property
    def workbook(self) -> bytes:
        """The first workbook enclosed that is to be filled in or decided on."""
        return next(
            data for name, data in self.files.items() if name.endswith(".xlsx") and "回执表" not in name
        )


def letter(
    sender: str,
    to: str,
    subject: str,
    text: str,
    files: Sequence[tuple[str, bytes]] = (),
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """A message as a unit's mail program writes it; equal arguments give equal bytes."""
    written = EmailMessage(policy=email.policy.SMTP)
    written["From"], written["To"], written["Subject"] = sender, to, subject
    content = [sender, to, subject, text, *(hashlib.sha256(data).hexdigest() for _, data in files)]
    seed = hashlib.sha256("\n".join(content).encode()).hexdigest()
    written["Message-ID"] = f"<{seed[:24]}@{sender.rpartition('@')[2] or 'school.test'}>"
    written["Date"] = email.utils.format_datetime(moment("12-12 09:00"))
    for name, value in (headers or {}).items():
        written[name] = value
    written.set_content(text)
    for name, data in files:
        written.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    for place, part in enumerate(written.walk()):
        if part.is_multipart():
            part.set_boundary(f"=_{place}{seed[:20]}")
    return written.as_bytes()


class World:
    """A workspace over the servers, with the people who answer its letters."""

    def __init__(
        self, folder: Path, servers: MailServers, environment: Mapping[str, str], *, database: str = "",
        account: str = "huizhi", settings: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        self.folder, self.servers, self.account = folder, servers, account
        self.address = f"{account}@huizhi.test"
        self.environment = environment
        self.now = moment("12-10 09:00")
        self._app: App | None = None
        changes = {
            "letterhead.address": f'"{self.address}"',
            "imap.port": str(servers.imap_port),
            "imap.user": f'"{self.address}"',
            "imap.password_env": f'"{password_variable(account)}"',
            "smtp.port": str(servers.smtp_port),
            **({"database.url": f'"{database}"'} if database else {}),
            **(settings or {}),
        }
        make_workspace(folder, configured(changes))
        self.at(self.now)

    # the office

    @property
    def app(self) -> App:
        """The program in this process, on the world's clock."""
        if self._app is None:
            self._app = App(self.folder, lambda: self.now)
        return self._app

    def close(self) -> None:
        if self._app is not None:
            self._app.close()
            self._app = None

    def at(self, when: dt.datetime | str) -> None:
        """Move the clock: of the program here, and of every command from now on."""
        self.now = moment(when) if isinstance(when, str) else when
        path = self.folder / "config.toml"
        text = path.read_text(encoding="utf-8").partition("\n[clock]")[0]
        path.write_text(f'{text}\n[clock]\nsimulated = "{self.now.isoformat()}"\n', encoding="utf-8")

    def huizhi(self, *arguments: object) -> Ran:
        """Run a command in this process."""
        return huizhi("--workspace", self.folder, *arguments)

    def start(self, *arguments: object, log: Path | None = None) -> subprocess.Popen[str]:
        """Run a command in a process of its own, all that it says in `log` where one is given."""
        with contextlib.ExitStack() as stack:
            said = stack.enter_context(log.open("ab")) if log else subprocess.PIPE
            return subprocess.Popen(
                [sys.executable, "-m", "workflow", "--workspace", str(self.folder), *map(str, arguments)],
                cwd=ROOT,
                env={**os.environ, **self.environment},
                text=True,
                encoding="utf-8",
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )

    def import_roster(self, roster: Roster | None = None) -> Ran:
        path = self.folder / "rosters" / "units.xlsx"
        path.write_bytes(write_roster(roster or small_roster()))
        return self.huizhi("roster", "import", path)

    def open(self, campaign: str = CAMPAIGN, receipt_due: dt.date | None = None) -> None:
        self.app.open(campaign, receipt_due)

    def send(self) -> None:
        """Send what is queued, and wait until it lies in the people's mailbox."""
        self.app.send()
        self.servers.settle()

    def poll(self) -> list[Outcome]:
        """Postmark what came, then one pass over the mailbox."""
        self.servers.settle()
        self.servers.postmark(self.account, self.now)
        return self.app.poll()

    def status(self) -> Any:
        return self.huizhi("status", "--json").json

    # what the people see and do

    def inbox(self, to: str = "") -> list[Mail]:
        """The letters that arrived for an address, or for anybody, oldest first."""
        found = [Mail(raw) for raw in self.servers.messages("units")]
        return [mail for mail in found if not to or mail.to == to]

    def kinds(self, unit: str | None = None, campaign: str = CAMPAIGN) -> list[str]:
        """The kinds of letters about a unit, in the order of queueing."""
        return [row.kind for row in self.app.store.letters(campaign, unit)]

    def newest(self, unit: str, kind: str, campaign: str = CAMPAIGN) -> Mail:
        """The last letter of a kind about a unit, as it arrived."""
        rows = [row for row in self.app.store.letters(campaign, unit) if row.kind == kind]
        assert rows, f"no letter {kind} about {unit}: {self.kinds(unit, campaign)}"
        found = [mail for mail in self.inbox() if mail.letter == rows[-1].id]
        assert found, f"the letter {kind} about {unit} has not arrived"
        return found[0]

    def form_of(self, unit: str) -> Form:
        kind = next(known.kind for known in UNITS if known.code == unit)
        return next(form for form in self.app.forms().values() if kind in form.kinds)

    def answers(
        self, unit: str, seed: int = 1, previous: Mapping[str, Value] | None = None
    ) -> dict[str, Value]:
        """Answers of a careful clerk; another seed, other answers."""
        form = self.form_of(unit)
        name = next(known.name for known in UNITS if known.code == unit)
        given = clerks.facts(form, name, unit)
        return plausible(form, int(unit) * 31 + seed, given, previous, self.now.date())

    def filled(
        self, unit: str, answers: Mapping[str, Value] | None = None, campaign: str = CAMPAIGN
    ) -> bytes:
        """The unit's copy as it was mailed, filled in."""
        typed = answers if answers is not None else self.answers(unit)
        return clerks.fill(self.newest(unit, "notice", campaign).workbook, self.form_of(unit), typed)

    def reply(
        self, unit: str, *files: bytes | tuple[str, bytes], text: str = "已填好，请查收。", sender: str = "",
        answering: str = "notice", subject: str = "", headers: Mapping[str, str] | None = None,
        campaign: str = CAMPAIGN,
    ) -> bytes:  # fmt: skip
        """A reply to the unit's last letter of a kind, not yet sent."""
        asked = self.newest(unit, answering, campaign) if answering else None
        named = [
            file if isinstance(file, tuple) else (f"填报{n or ''}.xlsx", file) for n, file in enumerate(files)
        ]
        said = dict(headers or {})
        if asked:
            said |= {"In-Reply-To": asked.message_id}
            text += f"\n\n------------------ 原始邮件 ------------------\n{asked.text}"
        subject = subject or (f"回复：{asked.subject}" if asked else "报送数据")
        return letter(sender or administrator(unit), self.address, subject, text, named, said)

    def post(self, raw: bytes) -> bytes:
        """Hand a message to the relay as its sender would."""
        self.servers.send(raw, sender=Mail(raw).parsed["From"].addresses[0].addr_spec, to=[self.address])
        return raw

    def decide(
        self, level: str, kind: str, *, returned: Mapping[str, str] | None = None, report: bool = False
    ) -> bytes:
        """The reviewer's answer to a letter with a consolidated workbook: everything passes but what is `returned`."""
        asked = self.newest(level, kind)
        book = clerks.review(asked.workbook, returned or {}, report=report)
        said = {"In-Reply-To": asked.message_id}
        named = next(iter(asked.files))
        return letter(
            reviewer(level), self.address, f"回复：{asked.subject}", "审核意见见附件。", [(named, book)], said
        )


def huizhi(*arguments: object) -> Ran:
    """Run a command line in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
    return Ran(code, out.getvalue(), err.getvalue())


def finished(process: subprocess.Popen[str], timeout: float = 120) -> Ran:
    """Wait for a command that runs in a process of its own."""
    out, err = process.communicate(timeout=timeout)
    return Ran(process.returncode, out, err)


def configured(changes: Mapping[str, str]) -> str:
    """The shipped config.toml with settings (`section.name`) changed."""
    section, lines, left = "", [], dict(changes)
    for line in shipped("config.toml").read_text(encoding="utf-8").splitlines():
        if match := re.match(r"\[(\w+)\]", line):
            section = match[1]
        name = f"{section}.{line.partition('=')[0].strip()}"
        lines.append(f"{name.partition('.')[2]} = {left.pop(name)}" if name in left else line)
    assert not left, f"no such settings: {left}"
    return "\n".join(lines) + "\n"


def password_variable(account: str) -> str:
    return f"JOURNEY_{account.upper()}_PASSWORD"


def without(roster: Roster, *codes: str) -> Roster:
    """The roster less some units and their people."""
    units = {code: unit for code, unit in roster.units.items() if code not in codes}
    return replace(roster, units=units, contacts=tuple(c for c in roster.contacts if c.unit in units))


def buckets(outcomes: Iterable[Outcome]) -> list[str]:
    return [str(outcome.bucket) for outcome in outcomes]


def ends(outcomes: Iterable[Outcome]) -> list[str]:
    """The outcomes of all attachments."""
    return [fate.outcome.value for outcome in outcomes for fate in outcome.fates]


def cell_value(data: bytes, cell: str) -> Any:
    """What stands at `sheet!A1`, read with openpyxl."""
    sheet, _, place = cell.rpartition("!")
    return openpyxl.load_workbook(io.BytesIO(data), data_only=True)[sheet.strip("'")][place].value


def attachments(raw: bytes) -> dict[str, bytes]:
    """The attachments of an archived message by the sha256 of their bytes."""
    return {hashlib.sha256(data).hexdigest(): data for data in Mail(raw).files.values()}
