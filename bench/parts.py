"""Single steps beside the library that does just that step."""

from __future__ import annotations

import io
import os
import smtplib
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import openpyxl
import yagmail
from imap_tools import MailBoxUnencrypted
from python_calamine import CalamineWorkbook

from bench.timing import Measured, in_turns, side_by_side, timed
from bench.whole import ROOT
from bench.world import CAMPAIGN, OFFICE, Postbox, World
from tests.servers import running
from workflow.adapters.files import Files
from workflow.adapters.mail.imap import Mailbox, MailboxSettings
from workflow.adapters.mail.mime import parse
from workflow.adapters.workbook.pool import ReaderPool
from workflow.adapters.workbook.read import read_file
from workflow.adapters.workbook.stamp import stamp
from workflow.app import App
from workflow.domain.checks import examine
from workflow.domain.message import Fetched
from workflow.domain.roster import UnitKind
from workflow.domain.submission import CopyIdentity, ReadOutcome
from workflow.process.correspondence import printed_texts
from workflow.process.gather import require_campaign
from workflow.process.launch import prefilled

_SCREENFUL = 25
#: Messages to a batch, as config.toml has it.
_AHEAD = 200


def stamping(world: World, rounds: int) -> Measured:
    """Seconds a copy: ours, and openpyxl's load, edit, save of the same copy."""
    app = App(world.pristine)
    campaign, form = require_campaign(app.store), world.school_form
    schools = [unit for unit in world.roster.units.values() if unit.kind is UnitKind.SCHOOL]
    cases = {case.unit: case for case in app.store.cases(CAMPAIGN)}
    app.close()
    compiled = world.compiled[form.id]
    identities = [
        CopyIdentity(CAMPAIGN, u.code, form.id, form.version, 1, cases[u.code].token) for u in schools
    ]
    blank = stamp(compiled, identities[0], printed_texts(schools[0], campaign, identities[0]), {})

    def ours() -> None:
        for unit, identity in zip(schools, identities, strict=True):
            stamp(compiled, identity, printed_texts(unit, campaign, identity), prefilled(form, unit, {}))

    def theirs() -> None:
        for unit in schools[:_SCREENFUL]:
            book = openpyxl.load_workbook(io.BytesIO(blank))
            for name, value in prefilled(form, unit, {}).items():
                slot = form.slot_of[name]
                book[slot.sheet].cell(slot.row, slot.column).value = value  # type: ignore[union-attr]
            book.save(io.BytesIO())

    seconds = side_by_side({"ours": lambda: timed(ours), "openpyxl": lambda: timed(theirs)}, rounds)
    return {"ours": seconds["ours"] / len(schools), "openpyxl": seconds["openpyxl"] / _SCREENFUL}


def workbooks(world: World) -> list[tuple[str, bytes]]:
    return [(a.name, a.data) for reply in world.replies for a in parse(reply.raw).attachments]


def reading(world: World, rounds: int) -> Measured:
    """Seconds a workbook: calamine merely reading the sheets with answers; ours in one process, to answers by field
    with every safety check; ours through the worker processes.
    """
    files, form = workbooks(world), world.school_form
    sheets = sorted({slot.sheet for slot in form.slots})
    forms = {(one.id, one.version): one for one in world.forms.values()}

    def merely() -> None:
        for _, data in files:
            book = CalamineWorkbook.from_filelike(io.BytesIO(data))
            for sheet in sheets:
                book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)

    def ours() -> None:
        for name, data in files:
            assert read_file(data, name, forms).outcome is ReadOutcome.ANSWERS

    with ReaderPool(forms, len(os.sched_getaffinity(0))) as pool:
        pool.read_many(files[:8])
        runs: dict[str, Callable[[], object]] = {
            "calamine": merely, "ours": ours, "pool": lambda: pool.read_many(files),
        }  # fmt: skip
        seconds = side_by_side({name: lambda run=run: timed(run) for name, run in runs.items()}, rounds)
    return {name: taken / len(files) for name, taken in seconds.items()}


def checking(world: World, rounds: int) -> Mapping[str, Sequence[float]]:
    """Seconds a workbook in every round, one process: calamine merely reading (`every_sheet`, and `answer_sheets` alone), and
    `ours`: reading, checking against last period's answers, recording notes.
    """
    files, form = workbooks(world), world.school_form
    sheets = sorted({slot.sheet for slot in form.slots})
    forms = {(one.id, one.version): one for one in world.forms.values()}
    name, data = files[-1]
    before = examine(form, read_file(data, name, forms).answers, None).answers

    def merely(wanted: Sequence[str]) -> None:
        for _, data in files:
            book = CalamineWorkbook.from_filelike(io.BytesIO(data))
            for sheet in wanted or book.sheet_names:
                book.get_sheet_by_name(sheet).to_python()

    def ours() -> None:
        for name, data in files:
            reading = read_file(data, name, forms)
            assert examine(form, reading.answers, before, reading.moved, reading.notes).answers

    runs: dict[str, Callable[[], object]] = {
        "every_sheet": partial(merely, ()), "ours": ours, "answer_sheets": partial(merely, sheets),
    }  # fmt: skip
    seconds = in_turns({name: partial(timed, run) for name, run in runs.items()}, rounds)
    return {name: [each / len(files) for each in taken] for name, taken in seconds.items()}


def intake(box: Postbox, size: int, rounds: int) -> Measured:
    """Seconds a message, fetched from Dovecot and read: `ours`, with the next batch fetched ahead as a poll does; `kept`, the same
    with each message safe on disk before it is parsed; `imap_tools`, its own loop, asked for what ours has of every message: sender,
    recipients, subject, date, ids, text, HTML, files with their names. `wire` is the floor: the same bytes taken from the
    socket and thrown away.
    """

    def ours(keep: Callable[[Sequence[bytes]], object]) -> None:
        settings = MailboxSettings(
            running.LOOPBACK, box.server.imap_port, "none", box.user, box.password, "INBOX", "", 60
        )
        seen = 0
        with Mailbox(settings) as mailbox, ThreadPoolExecutor(1) as ahead:
            batches = _kept(mailbox.batches(0, _AHEAD), keep)
            waiting = ahead.submit(next, batches, None)
            while (batch := waiting.result()) is not None:
                waiting = ahead.submit(next, batches, None)
                messages = [parse(one.raw) for one in batch]
                seen += sum(len(message.attachments) for message in messages)
                mailbox.mark([one.sighting.uid for one in batch])
        assert seen == size

    def kept() -> float:
        with tempfile.TemporaryDirectory(prefix="huizhi-intake-") as folder:
            for start in range(256):  # as in a workspace that has taken in mail before
                (Path(folder) / "mailbox" / f"{start:02x}").mkdir(parents=True)
            return run(lambda: ours(Files(Path(folder)).keep_mail))

    def theirs() -> None:
        seen = 0
        with MailBoxUnencrypted(running.LOOPBACK, box.server.imap_port).login(
            box.user, box.password
        ) as mailbox:
            for msg in mailbox.fetch():
                files = [(att.filename, att.content_type, att.payload) for att in msg.attachments]
                said = (msg.from_, msg.to, msg.cc, msg.subject, msg.date, msg.text, msg.html)
                ids = [msg.headers.get(name) for name in ("message-id", "in-reply-to", "references")]
                seen += len(files) if any(said) and any(ids) else 0
        assert seen == size

    def run(work: Callable[[], None]) -> float:
        box.unread()
        return timed(work)

    seconds = side_by_side(
        {
            "ours": lambda: run(lambda: ours(len)), "kept": kept, "imap_tools": lambda: run(theirs),
            "wire": lambda: run(lambda: _taken_off_the_wire(box)),
        },
        rounds,
    )  # fmt: skip
    return {name: taken / size for name, taken in seconds.items()}


def _kept(
    batches: Iterator[list[Fetched]], keep: Callable[[Sequence[bytes]], object]
) -> Iterator[list[Fetched]]:
    for batch in batches:
        keep([one.raw for one in batch])
        yield batch


def _taken_off_the_wire(box: Postbox) -> None:
    """Every message of a mailbox, asked for at once, read in large pieces and looked at by nobody."""
    asked = f"a LOGIN {box.user} {box.password}\r\nb SELECT INBOX\r\nc UID FETCH 1:* (UID INTERNALDATE BODY.PEEK[])\r\n"
    buffer, end = bytearray(1 << 20), b""
    with socket.create_connection((running.LOOPBACK, box.server.imap_port), timeout=60) as connection:
        connection.sendall(asked.encode("ascii"))
        while b"\r\nc OK" not in end:
            got = connection.recv_into(buffer)
            assert got, "the server hung up"
            end = (end + buffer[max(0, got - 200) : got])[-200:]


@contextmanager
def sink() -> Iterator[int]:
    """A relay in a process of its own that takes every letter and keeps none; its port."""
    port = running.free_port()
    with subprocess.Popen([sys.executable, "-m", "bench.sink", str(port)], cwd=ROOT) as process:
        try:
            running.wait_until(lambda: running.greets(port, b"220"), timeout=20, what="the sink")
            yield port
        finally:
            process.terminate()


def sending(world: World, rounds: int) -> Measured:
    """Seconds a letter, a notice with its workbook: ours with the ledger's events before and after each, smtplib's
    bare sendmail of the same bytes, and yagmail's own loop.
    """
    with sink() as port:
        letters: list[tuple[str, bytes]] = []
        sent: list[int] = []

        def ours() -> float:
            with world.workspace("send", {"port = 25": f"port = {port}"}) as folder:
                app = App(folder)
                queued = app.store.letters_to_send(app.now(), app.config.smtp.per_pass)
                letters[:] = [(row.to, app.files.letter(row.sha)) for row in queued]
                taken = timed(lambda: sent.append(app.send().sent))
                app.close()
            assert sent[-1] == len(queued), f"sent {sent[-1]} of {len(queued)}"
            return taken / len(queued)

        def bare() -> float:
            def work() -> None:
                with smtplib.SMTP(running.LOOPBACK, port) as relay:
                    for to, raw in letters:
                        relay.sendmail(OFFICE, [to], raw)

            return timed(work) / len(letters)

        def theirs() -> float:
            said = [(to, parse(raw)) for to, raw in letters]
            folder = world.place / "attached"
            folder.mkdir(exist_ok=True)
            for place, (_, message) in enumerate(said):
                (folder / f"{place}.xlsx").write_bytes(message.attachments[0].data)

            def work() -> None:
                relay = yagmail.SMTP(
                    user={OFFICE: OFFICE}, password="", host=running.LOOPBACK, port=port, smtp_ssl=False,
                    smtp_starttls=False, smtp_skip_login=True, soft_email_validation=False,
                )  # fmt: skip
                for place, (to, message) in enumerate(said):
                    relay.send(to, message.subject, message.text, str(folder / f"{place}.xlsx"))

            return timed(work) / len(letters)

        return side_by_side({"ours": ours, "smtplib": bare, "yagmail": theirs}, rounds)


def consolidating(rounds: int) -> dict[str, float]:
    """Seconds and peak memory of one workbook of 5,000 units and 80 indicators, each writer in its own process:
    ours with everything that it shows, openpyxl's write_only with the bare values.
    """
    peaks: dict[str, list[float]] = {"ours": [], "openpyxl": []}

    def run(writer: str) -> float:
        program = [sys.executable, "-m", "bench.province", writer]
        said = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
        peaks[writer].append(float(said[1]))
        return float(said[0])

    seconds = side_by_side({"ours": lambda: run("ours"), "openpyxl": lambda: run("openpyxl")}, rounds)
    return {**seconds, "ours_mb": max(peaks["ours"]), "openpyxl_mb": max(peaks["openpyxl"])}
