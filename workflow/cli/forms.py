"""`form`: the forms that units fill."""

from __future__ import annotations

import re
from pathlib import Path

from workflow.adapters.workbook.compile import compile_form
from workflow.adapters.workbook.draft import draft_form
from workflow.adapters.workbook.stamp import stamp
from workflow.app import App
from workflow.cli.parsing import Commands, add, file_bytes
from workflow.cli.printing import say, say_json
from workflow.domain.campaign import Campaign, Period
from workflow.domain.errors import Fault, Refused
from workflow.domain.form import Form
from workflow.domain.roster import Role
from workflow.domain.submission import CopyIdentity
from workflow.process.correspondence import printed_texts
from workflow.process.earlier import earlier_data
from workflow.process.gather import current_campaign, require_roster
from workflow.process.launch import prefilled
from workflow.process.trial import Trial

#: What may be a form's id, and so its file's name.
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


def form_check(path: Path) -> int:
    """Compile a form and say what it asks; every fault at once when it does not compile. 1 when something is doubtful."""
    compiled = compile_form(file_bytes(path), path.name)
    form = compiled.form
    doubts = f"{len(compiled.queries)} 处存疑，不影响使用" if compiled.queries else "没有问题"
    say(
        f"{form.title}（{form.id} 第{form.version}版）：{len(form.indicators)}项指标，{_tables(form)}{len(form.rules)}条规则，{doubts}"
    )
    for query in compiled.queries:
        say(f"  存疑 {query}")
    return 1 if compiled.queries else 0


def form_new(path: Path, target: Path | None) -> int:
    """Write a copy of a workbook with a first definition, and say what is left to fill in; 1 while something is."""
    target = target or path.with_name(
        f"{path.stem if _IDENTIFIER.fullmatch(path.stem) else 'form'}-draft.xlsx"
    )
    if target.exists():
        raise Refused(Fault(str(target), "文件已存在", "请用 --out 另指定一个文件名，或者先移走"))
    identifier = target.stem if _IDENTIFIER.fullmatch(target.stem) else ""
    data = draft_form(file_bytes(path), path.name, identifier)
    target.write_bytes(data)
    say(f"已写出 {target}，字段、类型是按标签猜的，请逐行核对")
    try:
        compiled = compile_form(data, target.name)
    except Refused as refused:
        for fault in refused.faults:
            say(f"  待补 {fault}")
        say(f"共 {len(refused.faults)} 处待补，补好后请用 huizhi form check 检查")
        return 1
    say(f"{compiled.form.title}：{len(compiled.form.indicators)}项指标，{_tables(compiled.form)}可以使用")
    return 0


def _tables(form: Form) -> str:
    """The repeating tables of a form in words, each with its room."""
    return "".join(
        f"“{table.name}”表（{len(table.columns)}列，最多{table.rows}行），" for table in form.tables
    )


def form_preview(app: App, path: Path, code: str, target: Path | None) -> int:
    """Write one unit's copy of a form, pre-filled as it would be mailed; it carries no valid token."""
    roster = require_roster(app.store)
    if code not in roster.units:
        raise Refused(Fault(f"单位代码 {code}", "名册中没有这个单位", "请用 huizhi roster show 查看代码"))
    unit = roster.units[code]
    compiled = compile_form(file_bytes(path), path.name)
    campaign = current_campaign(app.store) or _imagined(app)
    of_form = {compiled.form.id: compiled.form}
    earlier = earlier_data(app.store, campaign, of_form, [code]).get((code, compiled.form.id))
    identity = CopyIdentity(campaign.id, code, compiled.form.id, compiled.form.version, 0, "HZ-" + "A" * 17)
    people = roster.people(code, Role.ADMINISTRATOR, app.now().date())
    answers = prefilled(compiled.form, unit, earlier.answers if earlier else {}, people)
    before = earlier.answers if earlier else None
    copy = stamp(compiled, identity, printed_texts(unit, campaign, identity), answers, before)
    target = target or Path(f"{compiled.form.title}_{unit.name}_预览.xlsx")
    target.write_bytes(copy)
    say(f"已写出 {target}")
    return 0


#: Units that are named for each rule; the others are counted.
_NAMED = 5


def form_try(app: App, path: Path, campaign: str, *, as_json: bool) -> int:
    """Try a form's rules on the answers that are held; nothing is changed. 1 when some unit would be asked."""
    trial = app.try_form(compile_form(file_bytes(path), path.name).form, campaign)
    sheet, form = trial.sheet, trial.sheet.form
    if as_json:
        say_json(_trial_as_json(trial))
        return 1 if trial.asked else 0
    say(
        f"{form.title}（{form.id} 第{form.version}版），用 {trial.campaign} 已报送的 {sheet.units} 份工作簿试算："
    )
    roster = require_roster(app.store)
    for line, broken in zip(sheet.rules, trial.broken, strict=True):
        rule = line.rule
        share = f"（{line.broken / line.applies:.1%}）" if line.applies else ""
        told = f"，其中已说明 {line.explained}" if line.explained else ""
        say(
            f"  {rule.id} {rule.severity.value} 适用 {line.applies}，不符合 {line.broken}{share}{told}：{rule.message}"
        )
        if broken:
            names = "、".join(f"{code} {roster.units[code].name}" for code in broken[:_NAMED])
            more = f" 等 {len(broken)} 个单位" if len(broken) > _NAMED else ""
            say(f"      {names}{more}")
    if trial.unanswered:
        say(f"注意：已报送的数据中没有 {'、'.join(trial.unanswered)}，试算时按未填写处理")
    say(f"共有 {len(trial.asked)} 个单位会被询问" if trial.asked else "没有单位会被询问")
    return 1 if trial.asked else 0


def _trial_as_json(trial: Trial) -> dict[str, object]:
    form = trial.sheet.form
    return {
        "form": form.id,
        "version": form.version,
        "campaign": trial.campaign,
        "units": trial.sheet.units,
        "asked": len(trial.asked),
        "rules": [
            {
                "id": line.rule.id, "severity": line.rule.severity.value, "formula": line.rule.formula,
                "message": line.rule.message, "applies": line.applies, "broken": line.broken,
                "explained": line.explained, "units": list(broken),
            }
            for line, broken in zip(trial.sheet.rules, trial.broken, strict=True)
        ],
        "unanswered": list(trial.unanswered),
    }  # fmt: skip


def _imagined(app: App) -> Campaign:
    """The campaign of the running quarter, for a preview before any was opened."""
    now = app.now()
    period = Period(now.year, (now.month - 1) // 3 + 1)
    return Campaign(period, now, {}, app.config.windows.by_level())


def declare(commands: Commands) -> None:
    """The commands of this module, with their words of help."""
    form = commands.add_parser("form", help="表单：起草、检查、预览、试算").add_subparsers(required=True)
    check = form.add_parser("check", help="检查表单", description="检查表单")
    check.add_argument("file", type=Path, metavar="FILE")
    check.set_defaults(alone=lambda said: form_check(said.file))
    trying = add(
        form,
        "try",
        "用已收到的数据试算表单的规则，看会询问多少单位",
        lambda app, said: form_try(app, said.file, said.campaign, as_json=said.json),
    )
    trying.add_argument("file", type=Path, metavar="FILE")
    trying.add_argument("--campaign", default="", metavar="C", help="填报任务（默认为最近一期）")
    trying.add_argument("--json", action="store_true")
    new = form.add_parser("new", help="为带标记的工作簿起草定义表", description="为带标记的工作簿起草定义表")
    new.add_argument("file", type=Path, metavar="FILE")
    new.add_argument("--out", type=Path, metavar="FILE", help="写到哪个文件")
    new.set_defaults(alone=lambda said: form_new(said.file, said.out))
    preview = add(
        form,
        "preview",
        "写出一个单位的工作簿",
        lambda app, said: form_preview(app, said.file, said.unit, said.out),
    )
    preview.add_argument("file", type=Path, metavar="FILE")
    preview.add_argument("--unit", required=True, metavar="CODE", help="单位代码")
    preview.add_argument("--out", type=Path, metavar="FILE", help="写到哪个文件")
