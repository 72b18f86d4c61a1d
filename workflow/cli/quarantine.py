"""`quarantine list`, `show`, `release` and `delete`: what waits for a person."""

from __future__ import annotations

from collections.abc import Iterator

from workflow.adapters.mail.mime import quoted_above
from workflow.app import App
from workflow.cli.parsing import Commands, add, with_reason
from workflow.cli.printing import say
from workflow.domain.privacy import mask_address, mask_words
from workflow.domain.submission import AttachmentOutcome, Bucket
from workflow.process.quarantine import Quarantine, Waiting

#: Of a message's sha256, as lists show it.
DIGITS = 12
_MOST_LINES = 20
_BUCKETS = {Bucket.QUARANTINED: "待人工核对", Bucket.UNMATCHED: "未能对应单位"}
OUTCOMES = {
    AttachmentOutcome.ACCEPTED: "已接收",
    AttachmentOutcome.RETURNED: "已退回修改",
    AttachmentOutcome.MATCHED: "回执表",
    AttachmentOutcome.REVIEW: "审核工作簿",
    AttachmentOutcome.STALE: "旧的工作簿",
    AttachmentOutcome.LATE: "逾期报送",
    AttachmentOutcome.UNREADABLE: "打不开",
    AttachmentOutcome.ENCRYPTED: "设有密码",
    AttachmentOutcome.MACRO: "含宏，未打开",
    AttachmentOutcome.HOSTILE: "结构异常，未打开",
    AttachmentOutcome.FOREIGN: "未采用",
    AttachmentOutcome.UNSUPPORTED: "不是工作簿",
    AttachmentOutcome.IGNORED: "不需处理",
    AttachmentOutcome.DUPLICATE: "重复",
}
_ACTS = {"released": "放行", "deleted": "删除"}


def _quarantine(app: App) -> Quarantine:
    return Quarantine(app.store, app.files, app.intake())


def listing(app: App, settled: bool) -> int:
    """What waits, a line each with its files below it; 1 when anything does."""
    found = _quarantine(app).waiting(settled=settled)
    for one in found:
        message = one.message
        say(
            f"{message.sha[:DIGITS]}\t{message.received_at:%Y-%m-%d %H:%M}\t{_BUCKETS.get(message.bucket, '附件未采用')}"
            f"\t{plain(mask_address(message.sender))}\t{plain(mask_words(message.subject))}"
        )
        for line in _of_files(one):
            say(f"  {mask_words(line)}")
        for line in _decided(one):
            say(f"  {line}")
    waiting = sum(not one.settled for one in found)
    say(f"待处置 {waiting} 封")
    return 1 if waiting else 0


def show(app: App, start: str) -> int:
    """One message: who wrote what, its files and why they were not taken, where it lies."""
    quarantine = _quarantine(app)
    one = quarantine.named(start)
    message = one.message
    say(f"编号 {message.sha}")
    say(f"收到 {message.received_at:%Y-%m-%d %H:%M:%S}  {_BUCKETS.get(message.bucket, '附件未采用')}")
    say(f"发件 {plain(message.sender) or '（发件人不明）'}")
    say(f"主题 {plain(message.subject)}")
    if message.unit:
        say(f"单位 {message.unit}")
    for line in _of_files(one):
        say(f"附件 {line}")
    content = quarantine.content(one)
    if content is None:
        say("原件 已删除")
    else:
        say(f"原件 {app.files.mail_path(message.sha).relative_to(app.workspace)}")
        lines = [plain(line) for line in quoted_above(content.text).splitlines() if line.strip()]
        for line in lines[:_MOST_LINES]:
            say(f"  | {line}")
        if len(lines) > _MOST_LINES:
            say(f"  | （还有{len(lines) - _MOST_LINES}行）")
    for line in _decided(one):
        say(line)
    return 0


def release(app: App, start: str, unit: str, by: str, note: str) -> int:
    """Take a message in again as a unit's."""
    code, outcome = _quarantine(app).release(start, unit, by, note, app.now())
    ends = "、".join(f"{plain(fate.name)} {OUTCOMES[fate.outcome]}" for fate in outcome.fates)
    say(f"已放行，按 {code} 的来件办理" + (f"：{ends}" if ends else ""))
    return 0


def delete(app: App, start: str, by: str, note: str) -> int:
    """Remove a message's bytes, with a record."""
    _quarantine(app).delete(start, by, note, app.now())
    say("原件已删除，收到和删除的记录保留在台账；收信服务器上的原信请另行删除")
    return 0


def _of_files(one: Waiting) -> Iterator[str]:
    for row in one.files:
        reason = f"：{plain(row.reason)}" if row.reason else ""
        yield f"{plain(row.name) or '（无名）'}\t{OUTCOMES[row.outcome]}{reason}"


def _decided(one: Waiting) -> Iterator[str]:
    for act in one.settled:
        unit = f"，按 {act.unit} 的来件办理" if act.unit else ""
        yield f"{act.at:%Y-%m-%d %H:%M} {act.by} {_ACTS[act.act]}{unit}，理由：{plain(act.note)}"


def plain(text: str) -> str:
    """What a stranger wrote, without characters that would move the cursor or turn the line around."""
    return "".join(char if char.isprintable() else " " for char in text).strip()


def declare(commands: Commands) -> None:
    """The commands of this module, with their words of help."""
    waiting = commands.add_parser("quarantine", help="待人工处置的来件：查看、放行、删除").add_subparsers(
        required=True
    )
    command = add(waiting, "list", "列出待处置的来件和原因", lambda app, said: listing(app, said.all))
    command.add_argument("--all", action="store_true", help="已处置的也列出")
    command = add(waiting, "show", "查看一封来件", lambda app, said: show(app, said.id))
    command.add_argument("id", metavar="ID", help="邮件编号的前几位")
    command = add(
        waiting,
        "release",
        "放行：按所属单位的来件重新办理",
        lambda app, said: release(app, said.id, said.unit, said.by, said.note),
    )
    command.add_argument("id", metavar="ID", help="邮件编号的前几位")
    command.add_argument("--unit", default="", metavar="CODE", help="是哪个单位的（来件能看出的可不写）")
    with_reason(command)
    command = add(
        waiting,
        "delete",
        "删除原件，保留记录",
        lambda app, said: delete(app, said.id, said.by, said.note),
    )
    command.add_argument("id", metavar="ID", help="邮件编号的前几位")
    with_reason(command)
