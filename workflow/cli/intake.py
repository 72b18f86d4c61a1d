"""`poll`, `ingest`, `check` and `send`: mail in, files in, letters out."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from workflow.adapters.mail.mime import received_at
from workflow.app import App
from workflow.cli.outbox import pause_words, usage_lines
from workflow.cli.parsing import Commands, add
from workflow.cli.printing import complain, progress, say, say_json
from workflow.domain.campaign import SHANGHAI
from workflow.domain.checks import examine
from workflow.domain.errors import Fault, Refused
from workflow.domain.submission import AttachmentOutcome, Bucket, Finding, Reading, ReadOutcome
from workflow.process.earlier import earlier_data
from workflow.process.file_notes import LOCKED, OPENED
from workflow.process.gather import current_campaign
from workflow.process.intake import MOST_PASSWORDS, Raw
from workflow.process.parts import read_all

_BATCH = 200
_FINE = frozenset(
    {
        AttachmentOutcome.ACCEPTED,
        AttachmentOutcome.MATCHED,
        AttachmentOutcome.REVIEW,
        AttachmentOutcome.IGNORED,
    }
)


def poll(app: App) -> int:
    """One pass over the mailbox; 1 when a message failed."""
    with progress("收信") as move:
        outcomes = app.poll(lambda done: move(done, done))
    buckets = Counter(outcome.bucket for outcome in outcomes)
    words = "、".join(f"{bucket} {n}" for bucket, n in sorted(buckets.items()) if bucket)
    say(f"收到新邮件 {len(outcomes)} 封" + (f"：{words}" if words else ""))
    return 1 if buckets[Bucket.FAILED] else 0


def send(app: App, dry_run: bool, now: bool) -> int:
    """Send what is due; 1 when a letter was refused for good, 3 when the relay has asked for a pause."""
    if dry_run:
        letters = app.store.letters_to_send(app.now(), app.config.smtp.per_pass)
        for letter in letters:
            say(f"{letter.to}\t{letter.subject}")
        say(f"待发 {len(letters)} 封（未发送）")
        for line in usage_lines(app) if app.terms().allowance.longest else ():
            say(line)
        return 0
    with progress("发信") as move:
        sent = app.send(lambda done: move(done, done), impatient=now)
    say(f"已发 {sent.sent} 封，稍后再试 {sent.deferred} 封，失败 {sent.failed} 封")
    if sent.waiting:
        say(f"还有 {sent.waiting} 封待发")
    for hold in sent.holds:
        say(f"{hold.domain or '全部信件'}已到限额（{hold.why}），{hold.until:%m月%d日 %H:%M:%S} 起继续")
    if sent.pause is not None:
        complain(pause_words(sent.pause))
    if sent.fault is not None:
        complain(sent.fault)
    return 3 if sent.pause or sent.fault else 1 if sent.failed else 0


def ingest(app: App, paths: Sequence[Path], received: str, as_json: bool) -> int:
    """The same intake for message files: every regular file below the paths is one message."""
    files = list(_files(paths))
    moment = _moment(received) if received else None
    intake = app.intake()
    worst = 0
    for start in range(0, len(files), _BATCH):
        part = files[start : start + _BATCH]
        raws = []
        for path in part:
            data = path.read_bytes()
            raws.append(Raw(data, moment or received_at(data) or app.now()))
        intake.take(raws)
        shas = [hashlib.sha256(raw.data).hexdigest() for raw in raws]
        messages = {sha: app.store.message(sha) for sha in shas}
        attachments = app.store.attachments_of(shas)
        for path, sha in zip(part, shas, strict=True):
            message = messages[sha]
            assert message is not None
            rows = attachments.get(sha, [])
            worst = max(worst, _told(path, sha, message, rows, as_json))
    if not as_json:
        say(f"共处理 {len(files)} 封")
    return worst


def _told(path: Path, sha: str, message: Any, rows: Sequence[Any], as_json: bool) -> int:
    line = {
        "file": str(path),
        "sha256": sha,
        "message_id": message.message_id,
        "bucket": message.bucket.value,
        "attachments": [
            {
                "name": row.name, "sha256": row.sha, "outcome": row.outcome.value, "unit": row.unit,
                "form": row.form, "campaign": row.campaign, "findings": row.findings,
            }
            for row in rows
        ],
    }  # fmt: skip
    if as_json:
        say_json(line)
    else:
        say(f"{path}\t{message.bucket}\t" + "、".join(f"{row.name or '附件'} {row.outcome}" for row in rows))
    clean = message.bucket is not Bucket.FAILED and all(
        row.outcome in _FINE and not row.reason for row in rows
    )
    return 0 if clean else 1


def check(app: App, paths: Sequence[Path], as_json: bool) -> int:
    """Dry run over returned files: nothing is kept, nothing is changed. 1 when a file has findings."""
    files = list(_files(paths))
    named = [(path.name, path.read_bytes()) for path in files]
    passwords = list(dict.fromkeys(app.passwords.all().values()))[:MOST_PASSWORDS]
    readings = read_all(named, app.readers(), app.intake().forms_of_tokens, lambda _: passwords)
    whole = zip(map(str, files), readings, strict=True)
    worst = 0
    for path, reading in ((name, part) for known, read in whole for name, part in _parts(known, read)):
        line, findings = _checked(app, path, reading)
        if as_json:
            say_json(line)
        else:
            say(f"{path}\t{line['outcome']}\t{line['unit']}\t{line['reason']}")
            for finding in findings:
                say(
                    f"  {finding.severity} {finding.cell} {finding.label}：{finding.found}——{finding.message}"
                )
        worst = max(worst, 1 if findings or line["outcome"] != AttachmentOutcome.ACCEPTED.value else 0)
    return worst


def _parts(path: str, reading: Reading) -> Iterator[tuple[str, Reading]]:
    """A file, or the files of an archive that has several."""
    if not reading.inside:
        yield path, reading
    for enclosed in reading.inside:
        yield f"{path}/{enclosed.name}", enclosed.reading


def _checked(app: App, path: str, reading: Reading) -> tuple[dict[str, Any], tuple[Finding, ...]]:
    identity = reading.identity
    unit, form_id, outcome = "", "", reading.outcome.value
    findings: tuple[Finding, ...] = ()
    notes: Mapping[str, str] = {}
    if reading.outcome is ReadOutcome.ANSWERS and identity is not None:
        case_copy = app.store.cases_by_token([identity.token]).get(identity.token)
        unit = case_copy[0].unit if case_copy else identity.unit
        form_id = case_copy[0].form if case_copy else identity.form
        forms = app.forms()
        if form_id in forms:
            campaign = app.store.campaign(case_copy[0].campaign) if case_copy else current_campaign(app.store)
            earlier = (
                earlier_data(app.store, campaign, forms, [unit]).get((unit, form_id)) if campaign else None
            )
            seen = examine(
                forms[form_id],
                reading.answers,
                earlier.answers if earlier else None,
                reading.moved,
                reading.notes,
            )
            findings, notes = seen.findings, seen.notes
            outcome = (AttachmentOutcome.RETURNED if seen.goes_back else AttachmentOutcome.ACCEPTED).value
    if reading.unlocked:
        notes = {**notes, LOCKED: OPENED}
    line = {
        "file": path, "outcome": outcome, "unit": unit, "form": form_id, "reason": reading.reason,
        "findings": [
            {"code": f.code, "severity": _SEVERITY[f.severity], "cell": f.cell, "message": f.message}
            for f in findings
        ],
        "notes": dict(notes), "moved": dict(reading.moved),
    }  # fmt: skip
    return line, findings


_SEVERITY = {"逻辑校验": "error", "经验校验": "query"}


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(found for found in path.rglob("*") if found.is_file())
        elif path.is_file():
            yield path
        else:
            raise Refused(Fault(str(path), "没有这个文件或目录"))


def _moment(text: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise Refused(Fault(text, "不是时间", "请写成 2027-01-05T10:00:00+08:00 的样子")) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)


def declare(commands: Commands) -> None:
    """The commands of this module, with their words of help."""
    command = add(commands, "send", "发出待发信件", lambda app, said: send(app, said.dry_run, said.now))
    command.add_argument("--dry-run", action="store_true", help="只列出，不发送")
    command.add_argument("--now", action="store_true", help="不等发信服务器要求的暂停期满（限额仍然有效）")
    add(commands, "poll", "收取一次邮件", lambda app, said: poll(app))
    command = add(
        commands,
        "ingest",
        "收入邮件文件",
        lambda app, said: ingest(app, said.paths, said.received, said.json),
    )
    command.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    command.add_argument("--received", default="", metavar="ISO", help="收到的时间")
    command.add_argument("--json", action="store_true")
    command = add(
        commands,
        "check",
        "试读填报文件，不作改动",
        lambda app, said: check(app, said.files, said.json),
    )
    command.add_argument("files", nargs="+", type=Path, metavar="FILE")
    command.add_argument("--json", action="store_true")
