"""`trace`, `ledger` and `rebuild`: where a figure comes from, and whether the record holds."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from workflow.adapters.store import TraceRow
from workflow.app import App
from workflow.cli.parsing import Commands, add
from workflow.cli.printing import complain, say
from workflow.domain.answers import shown
from workflow.domain.errors import Fault, OutsideFailed, Refused
from workflow.domain.form import Aggregate, Field, Form, split_cell
from workflow.domain.lifecycle import package_stream
from workflow.domain.merge import Total
from workflow.process.chronicle import told
from workflow.process.gather import require_campaign, require_roster


def trace(app: App, unit: str, field: str, campaign: str) -> int:
    """From a figure to the message, attachment, sheet and cell that brought it, newest version last; from a column of a
    repeating table to the cells of every row.
    """
    known = require_campaign(app.store, campaign)
    roster = require_roster(app.store, known)
    if unit not in roster.units:
        raise Refused(Fault(f"单位代码 {unit}", "名册中没有这个单位", "请用 huizhi roster show 查看代码"))
    forms = app.forms(known)
    owning = [form for form in forms.values() if roster.units[unit].kind in form.kinds]
    columns = {column.name: column for form in owning for table in form.tables for column in table.columns}
    cell = split_cell(field)
    if not any(field in form.by_name for form in owning) and (cell[0] if cell else field) not in columns:
        remedy = "请使用“字段”表中的字段名；重复表格的单元格写作 表.行次.列，整列写作 表.列"
        raise Refused(Fault(f"字段 {field}", "该单位的表单中没有这个字段", remedy))
    _say_legacy(app, roster.units[unit].name, unit, field)
    rows = app.store.trace_rows(known.id, unit, field)
    standing = app.store.standings(known.id)
    for submission, version in groupby(rows, key=lambda row: row.submission):
        cells = list(version)
        reported = standing.get((unit, cells[0].form))
        mark = "（上报所用）" if reported and reported.submission == submission else ""
        mark += "（单位答复：非本单位报送，不计入）" if cells[0].disowned else ""
        what = (
            _column_words(columns[field], cells) if field in columns else f"{field} = {shown(cells[0].value)}"
        )
        say(f"{roster.units[unit].name} {what} 第{cells[0].number}次报送{mark}")
        _say_source(app, forms[cells[0].form], cells, by_row=field in columns)
    if not rows:
        reported = next((s for (code, _), s in standing.items() if code == unit), None)
        say(
            "本期没有报送该字段"
            + (f"；数据来源：{reported.origin.word} {reported.submission}" if reported else "")
        )
    if erased := app.store.erased_answers(known.id, unit):
        say(f"另有 {erased} 次报送的内容已按保存期限清除")
    stream = package_stream(known.id, roster.package_of(unit).code)
    for line in told(app.store.told([stream]).get(stream, [])):
        say(f"上报经过（{roster.package_of(unit).name}） {line}")
    return 0


def _say_legacy(app: App, name: str, unit: str, field: str) -> None:
    """From a value of the old system to file, sheet and cell."""
    for one in app.store.legacy_trace(unit, field):
        say(f"{name} {field} = {shown(one.value)} 一期数据（{one.submission}）")
        say(
            f"  导入 {one.taken_at:%Y-%m-%d %H:%M:%S} 经办 {one.by} 文件 {one.file} {one.sha} 单元格 {one.cell}"
        )


def _column_words(column: Field, rows: Sequence[TraceRow]) -> str:
    """A column's figure over the rows of one version: `设备.数量 各行合计 = 42（2行）`."""
    count = f"（{len(rows)}行）"
    if column.aggregate is Aggregate.NONE:
        return f"{column.name}{count}"
    over_all = Total()
    for row in rows:
        over_all = over_all.add(row.value)
    return f"{column.name} 各行{column.aggregate.value} = {shown(over_all.figure(column.aggregate))}{count}"


def _say_source(app: App, form: Form, rows: Sequence[TraceRow], *, by_row: bool) -> None:
    """The message and attachment that brought a version, and the cell of each row."""
    row = rows[0]
    say(f"  收到 {row.received_at:%Y-%m-%d %H:%M:%S} 发件 {row.sender} 邮件 {row.message} 主题 {row.subject}")
    attachment = f"  附件 {row.attachment_name or '（无，来信确认无变化）'} {row.attachment}"
    if by_row:
        say(attachment)
        for one in rows:
            say(f"  {one.field} = {shown(one.value)} 单元格 {one.cell or form.cell_of(one.field)}")
    else:
        say(f"{attachment} 单元格 {row.cell or form.cell_of(row.field)}")
    if row.message:
        erased = app.store.erased_mail([row.message])
        missing = "（已按保存期限清除）" if erased else "（原件不在，请从备份恢复）"
        state = "" if app.files.has_mail(row.message) else missing
        say(f"  原件 {app.files.mail_path(row.message).relative_to(app.workspace)}{state}")


def verify(app: App) -> int:
    """Whether the chain holds from the first event to the last, the portable copy says the same and every message that
    was taken lies in the archive as it came; 1 when not.
    """
    check = app.store.verify_ledger()
    faults = [f"台账第{check.count + 1}条起不连续：{check.fault}"] if check.fault else []
    if not faults and (fault := app.store.verify_copy()):
        faults.append(f"台账副本：{fault}")
    messages = app.store.messages()
    deleted = app.store.deleted([message.sha for message in messages])
    erased = app.store.erased_mail() - deleted
    messages = [message for message in messages if message.sha not in deleted | erased]
    for message in messages:
        try:
            app.files.mail(message.sha)
        except OutsideFailed as lost:
            faults.append(str(lost.fault))
    if check.lost:
        faults.append(f"台账中有 {check.lost} 条的个人信息内容不见了，而没有清除记录；请从备份取回")
    for fault in faults:
        complain(fault)
    if faults:
        return 1
    gone = f"，另有 {len(deleted)} 封已由工作人员删除" if deleted else ""
    gone += f"，{len(erased)} 封已按保存期限清除" if erased else ""
    gone += f"；个人信息已清除 {check.erased} 条" if check.erased else ""
    say(f"台账完整：{check.count}条，最后一条 {check.head}；副本一致；邮件原件 {len(messages)} 封齐全{gone}")
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


def declare(commands: Commands) -> None:
    """The commands of this module, with their words of help."""
    command = add(
        commands,
        "trace",
        "追溯一个数据",
        lambda app, said: trace(app, said.unit, said.field, said.campaign),
    )
    command.add_argument("unit", metavar="UNIT", help="单位代码")
    command.add_argument(
        "field",
        metavar="FIELD",
        help="字段名；重复表格的单元格写作 表.行次.列（设备.3.数量），整列写作 表.列",
    )
    command.add_argument("--campaign", default="", metavar="C")
    books = commands.add_parser("ledger", help="台账：核验、导出").add_subparsers(required=True)
    add(books, "verify", "核验台账", lambda app, said: verify(app))
    command = add(books, "export", "导出台账", lambda app, said: export(app, said.folder))
    command.add_argument("folder", type=Path, metavar="DIR")
    command = add(commands, "rebuild", "由台账重建各表", lambda app, said: rebuild(app, said.folder))
    command.add_argument(
        "folder", type=Path, nargs="?", metavar="DIR", help="台账副本（默认为工作目录的 ledger）"
    )
