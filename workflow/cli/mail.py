"""`mail log`, `mail show` and `mail retry`: the ledger of mail, as staff read it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from workflow.adapters.store import AttachmentRow, Failure, LetterRow, LetterState, MessageRow, Seen
from workflow.app import App
from workflow.cli.parsing import Commands, add
from workflow.cli.printing import say, say_json
from workflow.cli.quarantine import DIGITS, OUTCOMES, plain
from workflow.domain.campaign import SHANGHAI
from workflow.domain.errors import Fault, Refused
from workflow.domain.privacy import mask_address, mask_words
from workflow.domain.submission import Bucket
from workflow.process.quarantine import LEAST_DIGITS

#: How many messages a list shows unless more are asked for.
MOST = 200
BUCKETS = {
    Bucket.OWN: "本系统信件",
    Bucket.BOUNCE: "退信",
    Bucket.AUTO_REPLY: "自动回复",
    Bucket.DUPLICATE: "重复来件",
    Bucket.QUARANTINED: "待人工核对",
    Bucket.REVIEW: "审核意见",
    Bucket.WITHDRAWAL: "撤报申请",
    Bucket.SUBMISSION: "填报",
    Bucket.RECEIPT: "负责人回执表",
    Bucket.CONFIRMATION: "确认",
    Bucket.REQUEST: "事项申请",
    Bucket.PROBLEM: "反映问题",
    Bucket.UNMATCHED: "未能对应单位",
    Bucket.EMPTY: "没有可用内容",
    Bucket.FAILED: "处理失败",
}
_STATES = {
    LetterState.QUEUED: "待发",
    LetterState.ATTEMPTED: "正在发出",
    LetterState.SENT: "已发出",
    LetterState.DEFERRED: "稍后再发",
    LetterState.FAILED: "发送失败",
}


@dataclass(frozen=True, slots=True)
class _Manner:
    """How addresses, and words that may hold them, are shown."""

    address: Callable[[str], str] = mask_address
    words: Callable[[str], str] = mask_words


_MASKED, _WHOLE = _Manner(), _Manner(str, str)


def log(
    app: App, campaign: str, bucket: str, since: str, limit: int, *, failed: bool, as_json: bool, whole: bool
) -> int:  # fmt: skip
    """What came, the newest first; 1 while a message of those asked for waits to be tried again."""
    manner = _WHOLE if whole else _MASKED
    buckets = _buckets(bucket, failed=failed)
    moment = _day(since) if since else None
    messages = app.store.mail_log(campaign, buckets, moment, limit or None)
    shas = [message.sha for message in messages]
    files, answers = app.store.attachments_of(shas), app.store.answers_to(shas)
    places, failures = app.store.sightings_of(shas), app.store.failures(shas)
    for message in messages:
        sha = message.sha
        told = (message, files[sha], answers[sha], places[sha], failures.get(sha))
        if as_json:
            say_json(_as_json(*told, manner))
        else:
            for line in _lines(*told, manner):
                say(line)
    if not as_json:
        total = app.store.mail_log_count(campaign, buckets, moment)
        more = f"，以上是最近的 {len(messages)} 封；用 --limit 0 列出全部" if total > len(messages) else ""
        say(f"共 {total} 封{more}")
    return 1 if failures else 0


def show(app: App, start: str) -> int:
    """One message whole: with the sender's address, every place where it was seen and what the program said if it broke."""
    message = _named(app, start)
    sha = message.sha
    say(f"编号 {sha}")
    say(f"收到 {message.received_at:%Y-%m-%d %H:%M:%S}")
    say(f"发件 {plain(message.sender) or '（发件人不明）'}")
    say(f"主题 {plain(message.subject)}")
    say(f"去向 {BUCKETS[message.bucket]}")
    if message.campaign or message.unit:
        say(f"归属 {message.campaign} {message.unit}".rstrip())
    for row in app.store.attachments_of([sha])[sha]:
        say(f"附件 {_file(row)}")
    for letter in app.store.answers_to([sha])[sha]:
        say(f"答复 {_letter(letter, _WHOLE)}")
    for seen in app.store.sightings_of([sha])[sha]:
        say(f"见于 {_place(seen)}")
    path = app.files.mail_path(sha)
    say(f"原件 {path.relative_to(app.workspace) if path.is_file() else '已不在'}")
    failure = app.store.failures([sha]).get(sha)
    if failure:
        say(f"失败 {failure_words(failure)}")
        say(f"原因 {plain(failure.fault)}")
    return 1 if failure else 0


def retry(app: App, start: str) -> int:
    """Try a failed message again now; 1 when it fails again."""
    message = _named(app, start)
    outcome = app.retry(message)
    if outcome.bucket in {None, Bucket.FAILED}:
        failure = app.store.failures([message.sha]).get(message.sha)
        say(f"{message.sha[:DIGITS]} 仍然失败" + (f"：{failure_words(failure)}" if failure else ""))
        return 1
    ends = "、".join(f"{plain(fate.name) or '附件'} {OUTCOMES[fate.outcome]}" for fate in outcome.fates)
    say(f"{message.sha[:DIGITS]} 已办理：{BUCKETS[outcome.bucket]}" + (f"（{ends}）" if ends else ""))
    return 0


def failure_words(failure: Failure) -> str:
    """How often it failed and when it is tried again."""
    again = (
        f"{failure.not_before:%m月%d日 %H:%M} 以后再次处理" if failure.not_before else "下次收信时再次处理"
    )
    return f"已失败 {failure.tries} 次，最近 {failure.tried_at:%m月%d日 %H:%M}，{again}"


def _lines(
    message: MessageRow, files: Sequence[AttachmentRow], answers: Sequence[LetterRow],
    places: Sequence[Seen], failure: Failure | None, manner: _Manner,
) -> Iterator[str]:  # fmt: skip
    unit = f"\t{message.unit}" if message.unit else ""
    yield (
        f"{message.sha[:DIGITS]}\t{message.received_at:%Y-%m-%d %H:%M}\t{BUCKETS[message.bucket]}"
        f"\t{plain(manner.address(message.sender))}\t{plain(manner.words(message.subject))}{unit}"
    )
    for row in files:
        yield f"  附件 {manner.words(_file(row))}"
    for letter in answers:
        yield f"  答复 {_letter(letter, manner)}"
    if len(places) > 1:
        yield "  见于 " + "、".join(_place(seen) for seen in places)
    if failure:
        yield f"  {failure_words(failure)}"


def _file(row: AttachmentRow) -> str:
    reason = f"：{plain(row.reason)}" if row.reason else ""
    return f"{plain(row.name) or '（无名）'} {OUTCOMES[row.outcome]}{reason}"


def _letter(letter: LetterRow, manner: _Manner) -> str:
    return f"{plain(letter.subject)} 致 {manner.address(letter.to)}（{_STATES[letter.state]}）"


def _place(seen: Seen) -> str:
    return f"{seen.account} {seen.folder} {seen.uidvalidity}/{seen.uid}"


def _as_json(
    message: MessageRow, files: Sequence[AttachmentRow], answers: Sequence[LetterRow],
    places: Sequence[Seen], failure: Failure | None, manner: _Manner,
) -> dict[str, Any]:  # fmt: skip
    return {
        "sha256": message.sha, "received_at": message.received_at.isoformat(), "from": manner.address(message.sender),
        "subject": manner.words(message.subject), "bucket": message.bucket.value, "campaign": message.campaign,
        "unit": message.unit,
        "attachments": [
            {"name": manner.words(row.name), "sha256": row.sha, "outcome": row.outcome.value, "reason": row.reason}
            for row in files
        ],
        "answers": [
            {"id": one.id, "kind": one.kind, "to": manner.address(one.to), "subject": one.subject, "state": one.state.value}
            for one in answers
        ],
        "sightings": [
            {"account": one.account, "folder": one.folder, "uidvalidity": one.uidvalidity, "uid": one.uid}
            for one in places
        ],
        "failure": failure
        and {
            "tries": failure.tries, "tried_at": failure.tried_at.isoformat(),
            "not_before": failure.not_before and failure.not_before.isoformat(), "fault": manner.words(failure.fault),
        },
    }  # fmt: skip


def _named(app: App, start: str) -> MessageRow:
    digits = start.strip().lower()
    found = app.store.messages_named(digits) if len(digits) >= LEAST_DIGITS else []
    if len(found) == 1:
        return found[0]
    what = "对应的邮件不止一封" if found else "没有这封邮件"
    raise Refused(
        Fault(f"邮件编号 {start}", what, f"请用 huizhi mail log 查看编号，至少写前{LEAST_DIGITS}位")
    )


def _buckets(bucket: str, *, failed: bool) -> list[Bucket]:
    if failed:
        if bucket not in {"", Bucket.FAILED.value}:
            raise Refused(Fault(f"--bucket {bucket}", "与 --failed 不能同时使用", "请去掉其中一个"))
        return [Bucket.FAILED]
    return [Bucket(bucket)] if bucket else []


def _day(text: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise Refused(Fault(f"--since {text}", "不是日期", "请写成 2027-01-05 的样子")) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)


def declare(commands: Commands) -> None:
    """The commands of this module, with their words of help."""
    mail = commands.add_parser("mail", help="来信登记：查看、处理失败的再次处理").add_subparsers(
        required=True
    )
    command = add(
        mail,
        "log",
        "列出来信：何时何人来信、去向、附件、答复、见于何处",
        lambda app, said: log(
            app,
            said.campaign,
            said.bucket,
            said.since,
            said.limit,
            failed=said.failed,
            as_json=said.json,
            whole=said.whole,
        ),
    )
    command.add_argument("--campaign", default="", metavar="C", help="只列一期，如 2026Q4")
    command.add_argument(
        "--bucket", default="", choices=[bucket.value for bucket in Bucket], metavar="B", help="只列一种去向"
    )
    command.add_argument("--since", default="", metavar="DATE", help="从何日起，如 2027-01-05")
    command.add_argument("--failed", action="store_true", help="只列处理失败、等待再次处理的")
    command.add_argument(
        "--limit", type=int, default=MOST, metavar="N", help=f"最多列多少封（默认 {MOST}，0 不限）"
    )
    command.add_argument("--json", action="store_true")
    command.add_argument("--whole", action="store_true", help="邮箱、电话不隐去（限办理该件的工作人员）")
    command = add(mail, "show", "查看一封来信", lambda app, said: show(app, said.id))
    command.add_argument("id", metavar="ID", help="邮件编号的前几位")
    command = add(mail, "retry", "立即再次处理一封处理失败的来信", lambda app, said: retry(app, said.id))
    command.add_argument("id", metavar="ID", help="邮件编号的前几位")
