"""The wiring: a workspace's config.toml becomes adapters, and adapters become the processes. The only reader of the clock."""

from __future__ import annotations

import datetime as dt
import gc
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import cached_property, partial
from pathlib import Path

from filelock import FileLock, Timeout

from workflow import config
from workflow.adapters import workdays
from workflow.adapters.conversion import Converter
from workflow.adapters.files import Files
from workflow.adapters.keys import AccountSecrets, Passwords, TokenKeys
from workflow.adapters.letters import LetterTemplates
from workflow.adapters.mail.imap import Mailbox, MailboxSettings
from workflow.adapters.mail.signatures import verifier
from workflow.adapters.mail.smtp import Relay, RelaySettings
from workflow.adapters.scan.worker import ScanReader
from workflow.adapters.store import MadeBook, MessageRow, Store
from workflow.adapters.store.aside import put_aside
from workflow.adapters.workbook.master import CompiledForm
from workflow.adapters.workbook.pool import ReaderPool
from workflow.campaign_settings import calendar_of, terms_of
from workflow.domain.campaign import SHANGHAI, Campaign
from workflow.domain.deadlines import Schedule
from workflow.domain.errors import Fault, OutsideFailed, Refused
from workflow.domain.form import Form
from workflow.domain.ladder import Ladder
from workflow.domain.retention import Kind
from workflow.domain.roster import Roster, Unit
from workflow.domain.sending import Allowance, Limits
from workflow.library import Library
from workflow.mail_settings import Inbox, Rates
from workflow.process.account_chase import account_tick
from workflow.process.account_office import AccountOffice
from workflow.process.consolidate import consolidate, levels_of
from workflow.process.correspondence import Letterhead, Secretariat
from workflow.process.dispatch import Sent, dispatch
from workflow.process.dispatch import Terms as SendingTerms
from workflow.process.gather import require_campaign, require_roster, running
from workflow.process.intake import Intake
from workflow.process.launch import Launched, TokenKey, launch
from workflow.process.papers import Papers
from workflow.process.purge import Purged, purge
from workflow.process.retry import Retry
from workflow.process.situation import Outcome, Policy
from workflow.process.tallies import judge_all
from workflow.process.tick import Done, Tick
from workflow.process.trial import Trial, try_form

Progress = Callable[[int, int], None]


def real_time() -> dt.datetime:
    """The time now, in Asia/Shanghai."""
    return dt.datetime.now(SHANGHAI)


def collect_seldom() -> None:
    """For a process that holds a whole province's records while it writes its letters: they all stay, and a look through
    them for circles at every 700 new ones finds nothing and takes a sixth of the time.
    """
    gc.set_threshold(20_000, 50, 100)


def _no_progress(done: int, total: int) -> None:
    """Nobody watches."""


class App:
    """A workspace at work. `clock` tells the time; without one, config.toml's simulated moment or the real time."""

    def __init__(self, workspace: Path, clock: Callable[[], dt.datetime] | None = None) -> None:
        self.workspace = workspace.resolve()
        self.config = config.load(workspace / "config.toml")
        simulated = self.config.clock.simulated
        fixed = simulated.astimezone(SHANGHAI) if simulated else None
        self.now = clock or ((lambda: fixed) if fixed else real_time)
        self._pools: dict[tuple[str, ...], ReaderPool] = {}

    # what everything stands on

    @cached_property
    def store(self) -> Store:
        url = self.config.database.url
        if url.startswith("sqlite:///") and not url.startswith("sqlite:////"):
            path = self.workspace / url.removeprefix("sqlite:///")
            if not path.exists() and any((self.workspace / "ledger").glob("[0-9]*.jsonl")):
                what = "数据库文件不见了，而台账副本还在"
                raise Refused(
                    Fault(str(path.name), what, "请运行 huizhi rebuild 由台账重建，或放回数据库文件")
                )
            url = f"sqlite:///{path}"
        store = Store(url, self.workspace / "ledger")
        store.migrate()
        return store

    def put_aside_broken_database(self) -> str:
        """Before a rebuild; see `put_aside`. Only a SQLite file of the workspace is ever moved."""
        url = self.config.database.url
        if not url.startswith("sqlite:///") or url.startswith("sqlite:////"):
            return ""
        return put_aside(self.workspace / url.removeprefix("sqlite:///"), self.now())

    @cached_property
    def files(self) -> Files:
        return Files(self.workspace)

    @cached_property
    def letterhead(self) -> Letterhead:
        said = self.config.letterhead
        return Letterhead(said.name, said.address, said.issuer, said.contact_line)

    @property
    def policy(self) -> Policy:
        review, people, today = self.config.review, self.config.contacts, self.now().date()
        retired = frozenset(key.id for key in self.token_keys.all() if key.retired(today))
        return Policy(
            self.config.letterhead.address, review.return_days, review.trusted_authserv, retired,
            self.config.smtp.answers_per_day, review.accept_receipts, people.grace_days,
            self.config.schedule.problem_days, self.schedule.workdays, people.filing_address,
        )  # fmt: skip

    @cached_property
    def schedule(self) -> Schedule:
        said = self.config.schedule
        grace = dt.timedelta(hours=said.grace_hours)
        steps = self.config.ladder
        ladder = Ladder(steps.list_days, steps.administrator_days, steps.reviewer_days, steps.inspector_days)
        return Schedule(
            said.reply_days, said.review_days, said.receipt_days, grace, ladder, workdays.workdays()
        )

    @property
    def token_keys(self) -> TokenKeys:
        """The keys that make routing tokens, in 0600 files of the workspace."""
        return TokenKeys(self.workspace / "keys")

    @property
    def token_key(self) -> TokenKey:
        """The key that is in use, made with its first use."""
        key = self.token_keys.current(self.now().date())
        return TokenKey(key.id, key.secret)

    @property
    def passwords(self) -> Passwords:
        """The passwords that units lock their workbooks with."""
        return Passwords(self.workspace / "keys")

    @cached_property
    def accounts(self) -> AccountOffice:
        """What hands on the ministry's accounts."""
        secrets, ladder = AccountSecrets(self.workspace / "keys"), self.config.accounts.ladder()
        return AccountOffice(self.store, self.secretariat, secrets, ladder, self.schedule.workdays)

    def close(self) -> None:
        """Stop the readers and let go of the database."""
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()
        if "papers" in self.__dict__:
            self.papers.scans.close()
        if "store" in self.__dict__:
            self.store.close()

    # forms

    @cached_property
    def library(self) -> Library:
        return Library(self.workspace / "templates" / "forms", self.files)

    def template_forms(self) -> dict[str, tuple[Form, str]]:
        """The workspace's forms by id with the sha of each definition, kept; raises Refused with all their faults."""
        return self.library.templates()

    def compiled(self, form: str) -> CompiledForm:
        """A form of a running campaign, in the version that the campaign was opened with."""
        return self.library.compiled(form, self._campaign_forms()[form])

    def forms(self, campaign: Campaign | None = None) -> dict[str, Form]:
        """The forms of a campaign, by default of all that are running, by id."""
        shas = campaign.forms if campaign else self._campaign_forms()
        return {form: self.library.compiled(form, sha).form for form, sha in shas.items()}

    def _campaign_forms(self) -> Mapping[str, str]:
        """Those of the campaigns that run side by side: no two of these have a form in common."""
        known = running(self.store)
        if not known:
            return {form: sha for form, (_, sha) in self.template_forms().items()}
        return {form: sha for campaign in known for form, sha in campaign.forms.items()}

    def readers(self) -> ReaderPool:
        """The worker processes that open attachments, knowing the forms of every campaign. Where two campaigns have the
        same version of a form in two definitions, the later campaign's is read.
        """
        kept = [item for campaign in self.store.campaigns() for item in campaign.forms.items()]
        kept = kept or [(form, sha) for form, (_, sha) in self.template_forms().items()]
        key = tuple(dict.fromkeys(sha for _, sha in kept))
        if key not in self._pools:
            forms = [self.library.compiled(form, sha).form for form, sha in kept]
            limits = self.config.reader
            pool = ReaderPool(
                {(form.id, form.version): form for form in forms},
                limits.workers,
                limits.seconds,
                limits.memory_mb,
            )
            self._pools[key] = pool
        return self._pools[key]

    # the processes

    @cached_property
    def secretariat(self) -> Secretariat:
        templates = LetterTemplates(self.workspace / "templates" / "letters")
        return Secretariat(
            self.letterhead, templates, self.files, self.compiled, self._campaign, self.store.letter_exists,
            self.token_key.secret, self.config.mail.plus_addressing,
        )  # fmt: skip

    def _campaign(self, name: str) -> Campaign:
        return require_campaign(self.store, name)

    def intake(self) -> Intake:
        passwords, mail = self.passwords.all, self.config.mail
        return Intake(
            self.store, self.files, self.readers(), self.secretariat, self.policy, self.forms, passwords,
            verifier(mail.dns_server, mail.dns_seconds, mail.dns_seconds_per_poll)
            if mail.verify_dkim
            else lambda _: (),
            self.papers,
        )  # fmt: skip

    @cached_property
    def papers(self) -> Papers:
        """What reads the scans and documents of a 回执表."""
        return Papers(ScanReader(), Converter(), self._form_tokens)

    def _form_tokens(self, campaign: str, unit: str) -> frozenset[str]:
        return self.token_keys.all_of(self.now().date(), campaign, unit, "receipt", 1)

    def open(
        self, name: str, receipt_due: dt.date | None = None, progress: Progress = _no_progress
    ) -> Launched:
        """Open a campaign, a quarter such as 2026Q4 or one of config.toml's: cases, packages and letters."""
        period, said = calendar_of(name, self.config.campaign), self.config.campaign.get(name)
        terms = terms_of(period, said, self.config.windows.by_level(), receipt_due)
        known = self.store.campaign(period.id)
        if known is None:
            forms = self.library.templates(said.forms)
        else:  # opened before: it goes on with the forms that it was opened with
            forms = {name: (self.library.compiled(name, sha).form, sha) for name, sha in known.forms.items()}
        return launch(
            self.store, self.secretariat, self.token_key, period, self.now(), forms, terms, progress
        )

    def poll(self, progress: Callable[[int], None] = lambda done: None) -> list[Outcome]:
        """One pass over every mailbox and folder of config.toml, after what had failed before is tried again. One that can't
        be read keeps nothing of the others waiting; then OutsideFailed is raised at the end.
        """
        require_roster(self.store)
        began, intake = self.now(), self.intake()
        outcomes = Retry(self.store, intake).due(began)
        boxes = {(f"{said.user}@{said.host}", said.folder): said for said in self.config.imap.boxes}
        self.store.watch(boxes)
        failed: list[OutsideFailed] = []
        for (account, folder), said in boxes.items():
            try:
                with self.mailbox(said) as mailbox:
                    outcomes += intake.poll(mailbox, account, folder, began, said.batch, progress)
            except OutsideFailed as failure:
                failed.append(failure)
        if len(failed) > 1:
            raise OutsideFailed("收信", "；".join(str(failure.fault) for failure in failed)) from failed[0]
        if failed:
            raise failed[0]
        return outcomes

    def retry(self, message: MessageRow) -> Outcome:
        """Try a message on which the program broke again, now."""
        return Retry(self.store, self.intake()).one(message, self.now())

    def mailbox(self, said: Inbox) -> Mailbox:
        """A mailbox of config.toml, not yet called."""
        settings = MailboxSettings(
            said.host, said.port, said.security, said.user, config.password(said), said.folder,
            said.archive_folder, said.timeout,
        )  # fmt: skip
        return Mailbox(settings)

    def terms(self, *, impatient: bool = False) -> SendingTerms:
        """On which terms letters go out."""
        said = self.config.smtp
        allowance = Allowance(_limits(said), {name: _limits(one) for name, one in said.domains.items()})
        relay = f"{said.host}:{said.port}/{said.user}"
        return SendingTerms(self.config.letterhead.address, relay, allowance, said.per_pass, impatient)

    def relay(self) -> Relay:
        """The relay, not yet called."""
        said = self.config.smtp
        return Relay(
            RelaySettings(
                said.host, said.port, said.security, said.user, config.password(said), said.timeout,
                said.per_connection,
            )
        )  # fmt: skip

    def send(self, progress: Callable[[int], None] = lambda done: None, *, impatient: bool = False) -> Sent:
        """Send what is due, at most `smtp.per_pass` letters; `impatient` does not wait for the relay's pause to end."""
        if not self.store.letters_to_send(self.now(), 1):
            return Sent()
        with self._alone("send.lock", "发信"), closing(self.relay()) as relay:
            return dispatch(
                self.store,
                self.files,
                relay,
                self.terms(impatient=impatient),
                self.now,
                progress,
                self._filed if self.config.smtp.sent_folder else None,
            )

    def _filed(self, ids: Collection[str], since: dt.date) -> Collection[str]:
        """Which of these Message-IDs lie where the provider files what was sent."""
        folder = self.config.smtp.sent_folder
        with self.mailbox(self.config.imap) as mailbox:
            return mailbox.filed("" if folder == "auto" else folder, since) & set(ids)

    @contextmanager
    def _alone(self, name: str, what: str) -> Iterator[None]:
        """One process at a time: two that send would each take the other's letter at hand for one in doubt."""
        lock = FileLock(self.workspace / name)
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise OutsideFailed(str(self.workspace), f"另一进程正在{what}", "请等它结束后再试") from error
        try:
            yield
        finally:
            lock.release()

    def tick(self, now: dt.datetime | None = None, progress: Progress = _no_progress) -> Done:
        """Do what the calendar owes at `now`."""
        done = Done()
        for campaign in running(self.store):
            forms, book = partial(self.forms, campaign), partial(self._book, campaign)
            tick = Tick(
                self.store, self.secretariat, self.policy, self.schedule, forms, book, campaign=campaign.id
            )
            done += tick.run(now or self.now(), progress, self.now())
        account_tick(self.accounts, now or self.now())
        return done

    def purge(self, before: dt.datetime | None = None, *, dry: bool = False) -> Purged:
        """Erase personal data that are past their time."""
        days = {Kind(name): count for name, count in self.config.retention.model_dump().items()}
        return purge(self.store, self.files, self.accounts.secrets, days, before, self.now(), dry=dry)

    def consolidate(
        self, campaign: str = "", units: Sequence[str] | None = None, progress: Progress = _no_progress
    ) -> list[MadeBook]:
        """Write the consolidated workbooks of the levels named, or of all."""
        known = require_campaign(self.store, campaign)
        roster = require_roster(self.store, known)
        levels = {package.unit for package in self.store.packages(known.id)}  # a one-off need not have all
        wanted = [unit for unit in levels_of(roster, units) if unit.code in levels]
        return self._consolidated(roster, wanted, self.now(), known, progress)

    def try_form(self, form: Form, campaign: str = "") -> Trial:
        """What the rules of a form would ask, of the answers that are already held."""
        known = require_campaign(self.store, campaign)
        return try_form(judge_all, self.store, require_roster(self.store, known), known, form)

    def _book(self, campaign: Campaign, unit: Unit, now: dt.datetime) -> MadeBook:
        roster = require_roster(self.store, campaign)
        return self._consolidated(roster, [unit], now, campaign, _no_progress)[0]

    def _consolidated(
        self, roster: Roster, units: Sequence[Unit], now: dt.datetime, campaign: Campaign, progress: Progress
    ) -> list[MadeBook]:
        forms, token = self.forms(campaign), self.token_key.token
        return consolidate(
            self.store, self.files, token, roster, campaign, forms, units, now, now, progress, judge_all
        )


def _limits(said: Rates) -> Limits:
    return Limits(said.per_minute, said.per_hour, said.per_day)
