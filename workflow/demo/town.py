"""The people of the play at work: they read their mail over IMAP, do their errands in time, and answer by SMTP."""

from __future__ import annotations

import datetime as dt
import heapq
import multiprocessing
import random
import smtplib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from email.policy import SMTP
from types import TracebackType
from typing import Self

from workflow.adapters.mail.imap import Mailbox, MailboxSettings
from workflow.adapters.mail.mime import parse
from workflow.demo import files, filling
from workflow.demo import roster as places
from workflow.demo.addresses import HOST, SYSTEM, UNITS
from workflow.demo.filling import Filled, Job, Kind, Review
from workflow.demo.mailing import Letter, Posted, reply, write
from workflow.demo.people import MANNERS, Behaviour, Manner, answered_before
from workflow.demo.servers import MailServers
from workflow.domain.form import Form, Value
from workflow.domain.message import Attachment
from workflow.domain.roster import Roster, Unit
from workflow.domain.submission import AttachmentOutcome, Bucket

_HOUR = dt.timedelta(hours=1)
_DAY = dt.timedelta(days=1)
#: A reviewer's word to the schools that are sent back.
RETURN_NOTE = "在校生数与学籍系统不一致，请核实后重报"

_forms: dict[str, Form] = {}


def _prepare(forms: Mapping[str, Form]) -> None:
    _forms.update(forms)


def _fill(job: Job) -> Filled:
    return filling.fill(job, _forms[job.form])


@dataclass
class Clerk:
    """A unit's clerk: the workbook at hand, the letter that it came with, and what is right in it."""

    unit: Unit
    form: Form
    behaviour: Behaviour
    seed: int
    letter: Letter | None = None
    book: Attachment | None = None
    right: Mapping[str, Value] | None = None
    raw: bytes = b""


@dataclass(order=True)
class Errand:
    """Something to be done at a moment; `number` keeps the order among equals. `work` is given the finished workbook,
    where `job` asks for one, and posts.
    """

    at: dt.datetime
    number: int
    who: str = field(compare=False)
    post: Callable[[dt.datetime, bytes], Posted] = field(compare=False)
    job: Callable[[dt.datetime], Job | tuple[bytes, Review] | None] = field(compare=False)


class Town:
    """All clerks and reviewers. `set_clock` moves the simulated time to the moment of each errand."""

    def __init__(
        self,
        servers: MailServers,
        set_clock: Callable[[dt.datetime], None],
        roster: Roster,
        forms: Mapping[str, Form],
        behaviours: Mapping[str, Behaviour],
        seed: int,
    ) -> None:
        self.posted: list[Posted] = []
        #: In the quarter before the play people answer well or not at all, and no reviewer stirs.
        self.quiet = True
        self._servers = servers
        self._set_clock = set_clock
        self._seed = seed
        self._numbers = iter(range(1, 10**9))
        self._errands: list[Errand] = []
        self._last_uid = 0
        self._names = {unit.name: unit.code for unit in roster.units.values()}
        self._owners = {c.email: c.unit for c in reversed(roster.contacts) if c.email}
        self.clerks: dict[str, Clerk] = {}
        for place, unit in enumerate(roster.units.values()):
            form = next(form for form in forms.values() if unit.kind in form.kinds)
            self.clerks[unit.code] = Clerk(unit, form, behaviours[unit.code], seed * 10_000 + place)
        self._pool = ProcessPoolExecutor(
            2, multiprocessing.get_context("spawn"), _prepare, ({form.id: form for form in forms.values()},)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    # doing what is due

    def act(self, until: dt.datetime) -> int:
        """Do every errand that is due, in the order of their times; the number of messages posted."""
        done = 0
        while self._errands and self._errands[0].at <= until:
            done += self._round(until)
        return done

    def _round(self, until: dt.datetime) -> int:
        """The errands up to the first whose person is in it already: workbooks beside each other, then the post."""
        batch: list[tuple[Errand, Future[Filled] | Future[bytes] | None]] = []
        busy: set[str] = set()
        while self._errands and self._errands[0].at <= until and self._errands[0].who not in busy:
            errand = heapq.heappop(self._errands)
            busy.add(errand.who)
            batch.append((errand, self._begun(errand)))
        with smtplib.SMTP(HOST, self._servers.smtp_port) as relay:
            for errand, working in batch:
                done = working.result() if working else b""
                if isinstance(done, Filled):
                    self.clerks[errand.who].right = done.right
                    done = done.data
                self._set_clock(errand.at)
                self._hand_in(relay, errand.post(errand.at, done))
        return len(batch)

    def _begun(self, errand: Errand) -> Future[Filled] | Future[bytes] | None:
        job = errand.job(errand.at)
        if isinstance(job, Job):
            return self._pool.submit(_fill, job)
        return self._pool.submit(filling.review, *job) if job else None

    def _hand_in(self, relay: smtplib.SMTP, posted: Posted) -> None:
        relay.sendmail(posted.sender, SYSTEM, posted.raw)
        self.posted.append(posted)

    def _plan(
        self,
        at: dt.datetime,
        who: str,
        post: Callable[[dt.datetime, bytes], Posted],
        job: Callable[[dt.datetime], Job | tuple[bytes, Review] | None] = lambda at: None,
    ) -> None:
        heapq.heappush(self._errands, Errand(at, next(self._numbers), who, post, job))

    # reading the mail

    def read(self) -> int:
        """Read what has come, and make plans; the number of letters."""
        settings = MailboxSettings(HOST, self._servers.imap_port, "none", UNITS)
        count = 0
        with Mailbox(settings) as mailbox:
            for batch in mailbox.batches(self._last_uid):
                for fetched in batch:
                    message = parse(fetched.raw)
                    at = fetched.sighting.internal_date
                    letter = Letter(
                        message.to[0],
                        message.subject,
                        message.message_id,
                        message.text,
                        message.attachments,
                        at,
                    )
                    self._receive(letter)
                count += len(batch)
                self._last_uid = batch[-1].sighting.uid
                mailbox.mark([fetched.sighting.uid for fetched in batch])
        return count

    def _receive(self, letter: Letter) -> None:
        subject = letter.subject
        owner = self._owners.get(letter.to, "")
        if "关于报送" in subject:
            for clerk, book in self._books(letter):
                clerk.letter, clerk.book, clerk.right = letter, book, None
                self._on_notice(clerk, letter)
        elif "退回修改" in subject:
            for clerk, book in self._books(letter):
                clerk.letter, clerk.book = letter, book
                self._on_return(clerk, letter.at)
        elif owner and any(word in subject for word in ("关于补报", "关于重新报送", "未予受理")):
            self._plan_fill(self.clerks[owner], letter.at + _DAY)
        elif owner and "来件邮箱" in subject:
            self._plan(letter.at + 5 * _HOUR, owner, self._words(letter, "确认", Bucket.REQUEST))
        elif owner and (books := [file for file in letter.files if "版" in file.name]):
            self._on_review(owner, letter, books[0])

    def _books(self, letter: Letter) -> Iterator[tuple[Clerk, Attachment]]:
        """The workbooks in a letter, each with the clerk of the unit in its name."""
        for file in letter.files:
            name = file.name.rpartition("_")[0].partition("_")[2]
            if name in self._names:
                yield self.clerks[self._names[name]], file

    # making plans

    def _on_notice(self, clerk: Clerk, letter: Letter) -> None:
        chance = random.Random(f"{self._seed}/{clerk.unit.code}/{letter.subject}")
        if self.quiet:
            if answered_before(clerk.unit.code, clerk.behaviour, self._seed):
                self._plan_fill(clerk, letter.at + dt.timedelta(hours=chance.randint(24, 190)))
            return
        first = letter.at + dt.timedelta(hours=chance.randint(30, 380))
        if receipts := [file for file in letter.files if "回执表" in file.name]:
            self._plan_receipt(clerk, letter, receipts[0])
        match clerk.behaviour:
            case Behaviour.NEVER | Behaviour.BOUNCED | Behaviour.REFUSED:
                pass
            case Behaviour.LATE:
                at = letter.at.replace(year=letter.at.year + 1, month=1, day=6) + 8 * _HOUR
                self._plan_fill(clerk, at, AttachmentOutcome.LATE)
            case Behaviour.CORRECTED | Behaviour.UNCORRECTED:
                self._plan_fill(clerk, first, AttachmentOutcome.RETURNED, Kind.SPOIL)
            case Behaviour.NO_CHANGE | Behaviour.NO_CHANGE_NEW:
                words = chance.choice(("无变化", "本季度数据无变化。", "与上季度相比无变化，特此确认。"))
                self._plan(first, clerk.unit.code, self._words(letter, words, Bucket.CONFIRMATION))
            case Behaviour.EMPTY:
                self._plan(
                    first, clerk.unit.code, self._words(letter, "已填好，请查收附件，谢谢！", Bucket.EMPTY)
                )
            case Behaviour.PHOTO | Behaviour.ENCRYPTED | Behaviour.MACRO | Behaviour.UNRELATED:
                self._plan(first, clerk.unit.code, self._odd_file(clerk, letter))
            case _:
                self._plan_fill(clerk, first)
                self._plan_more(clerk, letter, first)

    def _plan_more(self, clerk: Clerk, letter: Letter, first: dt.datetime) -> None:
        """What some do beside filling their workbook once."""
        if clerk.behaviour is Behaviour.VACATION:
            post = self._words(letter, "我正在外出，回来后尽快答复。", Bucket.AUTO_REPLY, automatic=True)
            self._plan(letter.at + _HOUR / 4, clerk.unit.code, post)
        elif clerk.behaviour is Behaviour.TWICE:
            self._plan_fill(clerk, first + 3 * _DAY, kind=Kind.UPDATE)
        elif clerk.behaviour is Behaviour.RESENT:
            self._plan(first + _HOUR, clerk.unit.code, self._again(clerk))

    def _on_return(self, clerk: Clerk, at: dt.datetime) -> None:
        if clerk.behaviour is Behaviour.CORRECTED:
            self._plan_fill(clerk, at + 20 * _HOUR, kind=Kind.CORRECT)
        elif clerk.behaviour is Behaviour.REVIEWED:
            self._plan_fill(clerk, at + 20 * _HOUR, kind=Kind.UPDATE)

    def _plan_fill(
        self,
        clerk: Clerk,
        at: dt.datetime,
        outcome: AttachmentOutcome = AttachmentOutcome.ACCEPTED,
        kind: Kind = Kind.FILL,
    ) -> None:
        """The workbook that the clerk has at that moment, filled and sent back."""

        def job(when: dt.datetime) -> Job:
            assert clerk.book is not None
            right = clerk.right if kind in {Kind.CORRECT, Kind.UPDATE} else None
            unit = clerk.unit
            return Job(
                kind, clerk.book.data, clerk.form.id, unit.name, unit.code, clerk.seed, when.date(), right
            )

        def post(when: dt.datetime, data: bytes) -> Posted:
            assert clerk.letter is not None
            assert clerk.book is not None
            number = next(self._numbers)
            stranger = clerk.behaviour is Behaviour.STRANGER and not self.quiet
            sender = f"geren{clerk.unit.code}@mail.test" if stranger else clerk.letter.to
            words = f"{clerk.unit.name}数据已填好，请查收。"
            name, clerk.raw = reply(
                clerk.letter, when, words, [(clerk.book.name, data)], number=number, sender=sender
            )
            return Posted(sender, name, clerk.raw, Bucket.SUBMISSION, (outcome,))

        self._plan(at, clerk.unit.code, post, job)

    def _words(
        self, letter: Letter, words: str, bucket: Bucket, *, automatic: bool = False
    ) -> Callable[[dt.datetime, bytes], Posted]:
        headers = [("Auto-Submitted", "auto-replied")] if automatic else []

        def post(when: dt.datetime, _data: bytes) -> Posted:
            name, raw = reply(letter, when, words, number=next(self._numbers), headers=headers)
            return Posted(letter.to, name, raw, bucket)

        return post

    def _odd_file(self, clerk: Clerk, letter: Letter) -> Callable[[dt.datetime, bytes], Posted]:
        def post(when: dt.datetime, _data: bytes) -> Posted:
            assert clerk.book is not None
            name, data, outcome = files.instead(clerk.behaviour, clerk.book)
            number = next(self._numbers)
            message_id, raw = reply(letter, when, "请查收。", [(name, data)], number=number)
            return Posted(letter.to, message_id, raw, Bucket.SUBMISSION, (outcome,))

        return post

    def _again(self, clerk: Clerk) -> Callable[[dt.datetime, bytes], Posted]:
        def post(_when: dt.datetime, _data: bytes) -> Posted:
            first = next(p for p in reversed(self.posted) if p.raw is clerk.raw)
            return Posted(
                first.sender, first.message_id, clerk.raw, Bucket.DUPLICATE, (AttachmentOutcome.DUPLICATE,)
            )

        return post

    def _plan_receipt(self, clerk: Clerk, letter: Letter, form: Attachment) -> None:
        """附件2: most send scan and electronic copy together, one university the scan alone, one city nothing."""
        if clerk.unit.code == places.SLOW_CITY:
            return

        def post(when: dt.datetime, _data: bytes) -> Posted:
            attached = [("回执表扫描件.jpg", files.sealed_page(form.data))]
            if clerk.unit.code != places.SILENT_UNIVERSITY:
                attached.append((form.name, files.filled_receipt(form.data)))
            name, raw = reply(letter, when, "回执表已盖章，请查收。", attached, number=next(self._numbers))
            return Posted(letter.to, name, raw, Bucket.RECEIPT, (AttachmentOutcome.MATCHED,) * len(attached))

        self._plan(letter.at + 6 * _DAY, f"receipt/{clerk.unit.code}", post)

    def _on_review(self, code: str, letter: Letter, book: Attachment) -> None:
        """A level's workbook has come to its 审核员, with the review request or with a reminder."""
        manner, reminded = MANNERS[code], "催报" in letter.subject
        if self.quiet or manner is Manner.SILENT or (reminded and manner is not Manner.CAREFUL):
            return
        first = manner is Manner.CAREFUL and not reminded
        back = [
            c.unit.code
            for c in self.clerks.values()
            if c.behaviour in {Behaviour.REVIEWED, Behaviour.UNMOVED}
        ]
        work = Review(
            dict.fromkeys(back, RETURN_NOTE) if first else {}, not first and manner is not Manner.NO_REPORT
        )
        sender = "shenhe.geren@mail.test" if manner is Manner.STRANGER else letter.to

        def post(when: dt.datetime, data: bytes) -> Posted:
            number = next(self._numbers)
            name, raw = reply(
                letter, when, "审核意见见附件。", [(book.name, data)], number=number, sender=sender
            )
            return Posted(sender, name, raw, Bucket.REVIEW, (AttachmentOutcome.REVIEW,))

        at = letter.at + (6 * _HOUR if reminded else 34 * _HOUR)
        self._plan(at, f"review/{code}", post, lambda when: (book.data, work))

    def strangers(self, at: dt.datetime) -> None:
        """Mail from nobody known: an advertisement, and a workbook of some other business."""
        for n, (subject, attached) in enumerate(
            (("发票代开优惠", ()), ("值班安排", (("值班表.xlsx", files.unrelated()),)))
        ):
            sender = f"info{n}@elsewhere.test"

            def post(
                when: dt.datetime, _data: bytes, sender: str = sender, subject: str = subject,
                attached: tuple[tuple[str, bytes], ...] = attached,
            ) -> Posted:  # fmt: skip
                message = write(sender, subject, "您好，请查收。", when, attached, next(self._numbers))
                outcomes = (AttachmentOutcome.FOREIGN,) * len(attached)
                return Posted(
                    sender,
                    str(message["Message-ID"]),
                    message.as_bytes(policy=SMTP),
                    Bucket.UNMATCHED,
                    outcomes,
                )

            self._plan(at + n * _HOUR, sender, post)
