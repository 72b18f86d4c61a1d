"""`trace`, `ledger` and `rebuild`: where a figure comes from, and whether the record holds."""

from __future__ import annotations

from pathlib import Path

from workflow.app import App
from workflow.cli.printing import complain, say
from workflow.domain.answers import shown
from workflow.domain.errors import Fault, OutsideFailed, Refused
from workflow.domain.lifecycle import package_stream
from workflow.process.chronicle import told
from workflow.process.gather import require_campaign, require_roster


def trace(app: App, unit: str, field: str, campaign: str) -> int:
    """From a figure to the message, attachment, sheet and cell that brought it, newest version last."""
    roster = require_roster(app.store)
    known = require_campaign(app.store, campaign)
    if unit not in roster.units:
        raise Refused(Fault(f"单位代码 {unit}", "名册中没有这个单位", "请用 huizhi roster show 查看代码"))
    forms = app.forms(known)
    owning = [form for form in forms.values() if roster.units[unit].kind in form.kinds]
    if not any(field in form.by_name for form in owning):
        raise Refused(Fault(f"字段 {field}", "该单位的表单中没有这个字段", "请使用“字段”表中的字段名"))
    rows = app.store.trace_rows(known.id, unit, field)
    standing = app.store.standings(known.id)
    for row in rows:
        cell = row.cell or forms[row.form].cell_of(field)
        reported = standing.get((unit, row.form))
        mark = "（上报所用）" if reported and reported.submission == row.submission else ""
        say(f"{roster.units[unit].name} {field} = {shown(row.value)} 第{row.number}次报送{mark}")
        say(
            f"  收到 {row.received_at:%Y-%m-%d %H:%M:%S} 发件 {row.sender} 邮件 {row.message} 主题 {row.subject}"
        )
        say(f"  附件 {row.attachment_name or '（无，来信确认无变化）'} {row.attachment} 单元格 {cell}")
        if row.message:
            state = "" if app.files.has_mail(row.message) else "（原件不在，请从备份恢复）"
            say(f"  原件 {app.files.mail_path(row.message).relative_to(app.workspace)}{state}")
    if not rows:
        reported = next((s for (code, _), s in standing.items() if code == unit), None)
        say(
            "本期没有报送该字段"
            + (f"；数据来源：{reported.origin.word} {reported.submission}" if reported else "")
        )
    stream = package_stream(known.id, roster.package_of(unit).code)
    for line in told(app.store.told([stream]).get(stream, [])):
        say(f"上报经过（{roster.package_of(unit).name}） {line}")
    return 0


def verify(app: App) -> int:
    """Whether the chain holds from the first event to the last, the portable copy says the same and every message that
    was taken lies in the archive as it came; 1 when not.
    """
    check = app.store.verify_ledger()
    faults = [f"台账第{check.count + 1}条起不连续：{check.fault}"] if check.fault else []
    if not faults and (fault := app.store.verify_copy()):
        faults.append(f"台账副本：{fault}")
    messages = app.store.messages()
    for message in messages:
        try:
            app.files.mail(message.sha)
        except OutsideFailed as lost:
            faults.append(str(lost.fault))
    for fault in faults:
        complain(fault)
    if faults:
        return 1
    say(f"台账完整：{check.count}条，最后一条 {check.head}；副本一致；邮件原件 {len(messages)} 封齐全")
    return 0


def export(app: App, folder: Path) -> int:
    """Write the portable copy of the ledger."""
    app.store.export(folder)
    say(f"台账已导出到 {folder}")
    return 0


def rebuild(app: App, folder: Path | None) -> int:
    """Make the projections again from the portable copy; mail that came later is taken in again by the next poll. A
    database that is missing or broken is replaced.
    """
    if folder is not None and not folder.is_dir():
        raise Refused(Fault(str(folder), "没有这个目录", "请写出台账副本所在的目录"))
    if aside := app.put_aside_broken_database():
        say(f"原数据库已损坏，改名保存为 {aside}")
    app.store.rebuild(folder or app.workspace / "ledger")
    check = app.store.verify_ledger()
    say(f"已由台账重建：{check.count}条")
    return 0
