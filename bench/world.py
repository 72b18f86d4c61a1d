"""The world that is measured: a province of made-up schools, an open campaign, and replies in a real Dovecot.

Every competitor gets the same mailbox. Ours also gets a workspace with the campaign open, a fresh copy for each
repetition, since it remembers what it has taken in.
"""

from __future__ import annotations

import datetime as dt
import email.policy
import imaplib
import io
import os
import shutil
import smtplib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path

import openpyxl

from tests.servers import running
from tests.servers.dovecot import Dovecot
from workflow.adapters.workbook.stamp import stamp
from workflow.app import App
from workflow.cli.workspace import make_workspace
from workflow.demo.figures import plausible
from workflow.demo.filling import facts, spoil
from workflow.domain.campaign import SHANGHAI
from workflow.domain.form import Form
from workflow.domain.roster import Contact, Role, Roster, Unit, UnitKind
from workflow.domain.submission import Answers, CopyIdentity
from workflow.process.baseline import import_roster
from workflow.process.correspondence import printed_texts
from workflow.process.gather import require_campaign

CAMPAIGN = "2026Q4"
OFFICE = "huizhi@huizhi.test"
PASSWORD_VARIABLE = "BENCH_MAIL_PASSWORD"
OPENED = dt.datetime(2026, 12, 10, 9, tzinfo=SHANGHAI)
ARRIVED = dt.datetime(2026, 12, 12, 8, tzinfo=SHANGHAI)
NOW = dt.datetime(2026, 12, 12, 18, tzinfo=SHANGHAI)

#: One reply in so many has errors, and one in so many was saved by another program than ours.
SPOILT, RESAVED = 10, 10
#: Replies with which a process warms up; they come from units of their own.
WARM = 12
#: Sets of answers that differ; making them costs more than anything that is measured.
_VARIANTS = 60
_CITIES, _COUNTIES = 4, 3


@dataclass(frozen=True)
class Reply:
    """A message from a unit: who it is from and its bytes."""

    unit: str
    raw: bytes


def roster_of(schools: int) -> Roster:
    """A province of cities and counties, the schools dealt out among the counties and the cities themselves."""
    units = [Unit("410000", "河南省教育厅", UnitKind.PROVINCE, "")]
    offices = []
    for city in range(1, _CITIES + 1):
        code = f"41{city:02d}00"
        units.append(Unit(code, f"第{city}市教育局", UnitKind.CITY, "410000"))
        counties = [f"{code[:4]}{county:02d}" for county in range(1, _COUNTIES + 1)]
        units += [Unit(c, f"第{city}市{c[-1]}区教育局", UnitKind.COUNTY, code) for c in counties]
        offices += [*counties, code]
    for number in range(schools):
        office = offices[number % len(offices)]
        units.append(Unit(f"{office}{number:04d}", f"实验学校{number:04d}", UnitKind.SCHOOL, office))
    contacts = []
    for place, unit in enumerate(units):
        phones = f"0371-5555{place % 10000:04d}", f"1990000{place % 10000:04d}"
        people = [Contact(unit.code, Role.ADMINISTRATOR, f"管{place}", "", *phones, address(unit.code))]
        if unit.kind.reports:
            people.append(
                Contact(unit.code, Role.REVIEWER, f"审{place}", "", *phones, f"shenhe{unit.code}@henan.test")
            )
        contacts += people
    return Roster({unit.code: unit for unit in units}, tuple(contacts))


def address(code: str) -> str:
    return f"bangongshi{code}@school.test"


class World:
    """A workspace with an open campaign, and the replies of its schools."""

    def __init__(self, place: Path, schools: int) -> None:
        """Make it; the first `WARM` schools are there for warming up alone."""
        self.place = place
        self.roster = roster_of(schools + WARM)
        self.pristine = place / "pristine"
        make_workspace(self.pristine)
        app = App(self.pristine, lambda: OPENED)
        import_roster(app.store, self.roster, [], "units.xlsx", "0" * 64, OPENED)
        app.open(CAMPAIGN)
        self.forms = app.forms()
        self.compiled = {form: app.compiled(form) for form in self.forms}
        replies = list(self._replies(app))
        self.warm_up, self.replies = replies[:WARM], replies[WARM:]
        app.close()

    @property
    def school_form(self) -> Form:
        return next(form for form in self.forms.values() if UnitKind.SCHOOL in form.kinds)

    def _replies(self, app: App) -> Iterator[Reply]:
        campaign, form = require_campaign(app.store), self.school_form
        schools = [unit for unit in self.roster.units.values() if unit.kind is UnitKind.SCHOOL]
        cases = {case.unit: case for case in app.store.cases(CAMPAIGN)}
        right = [plausible(form, seed, {}, None, ARRIVED.date()) for seed in range(_VARIANTS)]
        for number, unit in enumerate(schools):
            case = cases[unit.code]
            answers: Answers = {**right[number % _VARIANTS], **facts(form, unit.name, unit.code)}
            if number % SPOILT == 0:
                answers = spoil(form, answers, number)  # type: ignore[assignment]
            identity = CopyIdentity(CAMPAIGN, unit.code, form.id, form.version, 1, case.token)
            book = stamp(self.compiled[form.id], identity, printed_texts(unit, campaign, identity), answers)
            if number % RESAVED == 1:
                book = resaved(book)
            yield Reply(unit.code, as_mailed(unit, form, case.token, book, number))

    @contextmanager
    def workspace(self, name: str, changes: Mapping[str, str], password: str = "") -> Iterator[Path]:
        """A fresh copy of the workspace. `changes` are lines of config.toml that are replaced, by their old text."""
        folder = self.place / name
        shutil.copytree(self.pristine, folder)
        path = folder / "config.toml"
        settings = path.read_text(encoding="utf-8")
        for old, new in changes.items():
            assert old in settings, f"config.toml has no {old!r}"
            settings = settings.replace(old, new, 1)
        path.write_text(f'{settings}\n[clock]\nsimulated = "{NOW.isoformat()}"\n', encoding="utf-8")
        os.environ[PASSWORD_VARIABLE] = password
        try:
            yield folder
        finally:
            shutil.rmtree(folder)


def resaved(book: bytes) -> bytes:
    """A workbook opened and saved by another program."""
    target = io.BytesIO()
    opened = openpyxl.load_workbook(io.BytesIO(book))
    opened.save(target)
    return target.getvalue()


_QUOTED = (
    "------------------ 原始邮件 ------------------\n发件人: 河南省教育信息化数据填报 <huizhi@huizhi.test>\n"
    "发送时间: 2026年12月10日 09:00\n主题: 关于填报2026年第四季度数据的通知\n\n"
    "请于12月31日前填写附件中的工作簿，直接回复本邮件报送。填写时请不要改动表格的结构。\n"
)


def as_mailed(unit: Unit, form: Form, token: str, book: bytes, number: int) -> bytes:
    """A clerk's reply as a Chinese mail program writes it: text, the same as HTML, our letter quoted, the workbook."""
    words = f"您好：\n　　{unit.name}的季报表已填好，请查收。\n\n{_QUOTED}"
    message = EmailMessage(policy=email.policy.SMTP.clone(cte_type="7bit"))
    message["Received"] = (
        f"from mail.school.test (unknown [127.0.0.1]) by mx.huizhi.test; {format_datetime(ARRIVED)}"
    )
    message["From"] = f"{unit.name} <{address(unit.code)}>"
    message["To"] = f"河南省教育信息化数据填报 <{OFFICE}>"
    message["Subject"] = f"回复：【{token}】关于填报{form.title}的通知"
    message["Date"] = format_datetime(ARRIVED + dt.timedelta(seconds=number))
    message["Message-ID"] = make_msgid(f"reply{number}", "school.test")
    message["X-Mailer"] = "Foxmail 7.2.25.331[cn]"
    message.set_content(words, cte="base64")
    html = "".join(f"<div>{line or '&nbsp;'}</div>" for line in words.replace("<", "&lt;").splitlines())
    message.add_alternative(
        f'<html><body style="font-family:宋体">{html}</body></html>', subtype="html", cte="base64"
    )
    kind = ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet")
    message.add_attachment(book, maintype=kind[0], subtype=kind[1], filename=f"{form.title}_{unit.name}.xlsx")
    return message.as_bytes()


class Postbox:
    """An account of a private Dovecot with messages in it, told when each arrived."""

    def __init__(self, server: Dovecot, account: str) -> None:
        self.server, self.account = server, account
        self.user, self.password = f"{account}@huizhi.test", server.add_account(account)
        self._held = 0

    @property
    def settings(self) -> dict[str, str]:
        """What a workspace changes in its config.toml to poll this account."""
        return {
            "port = 143": f"port = {self.server.imap_port}",
            'user = "huizhi@huizhi.test"\npassword_env = ""': f'user = "{self.user}"\npassword_env = "{PASSWORD_VARIABLE}"',
        }

    def deliver(self, raws: Sequence[bytes]) -> None:
        with smtplib.LMTP(running.LOOPBACK, self.server.lmtp_port, timeout=60) as connection:
            for raw in raws:
                connection.sendmail("unit@school.test", [self.user], raw)
        for place, path in enumerate(self.server.messages(self.account)):
            moment = (ARRIVED + dt.timedelta(seconds=place)).timestamp()
            os.utime(path, (moment, moment))
        self._held += len(raws)
        self.unread()

    def unread(self) -> None:
        """Take the flags off again, and let the server read every message once, so that all find it equally warm."""
        with imaplib.IMAP4(running.LOOPBACK, self.server.imap_port, timeout=60) as connection:
            connection.login(self.user, self.password)
            _, [held] = connection.select("INBOX")
            assert held == str(self._held).encode(), f"{held!r} of {self._held} messages delivered"
            connection.store("1:*", "-FLAGS.SILENT", r"(\Seen)")
            connection.fetch("1:*", "(BODY.PEEK[])")


@contextmanager
def dovecot() -> Iterator[Dovecot]:
    """A private Dovecot, stopped at the end."""
    with running.private_directory() as place:
        (place / "dovecot").mkdir()
        server = Dovecot(place / "dovecot")
        try:
            server.start()
            yield server
        finally:
            server.stop()
