"""`init` and `doctor`: a new workspace, and whether one is fit for work."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from workflow import config
from workflow.adapters.conversion import Converter
from workflow.adapters.scan.read import available
from workflow.adapters.workbook.containers import libarchive_works
from workflow.adapters.workdays import known_years
from workflow.app import App
from workflow.cli.outbox import usage_lines
from workflow.cli.parsing import Commands, add
from workflow.cli.printing import complain, say
from workflow.domain.deadlines import guessed_days
from workflow.domain.errors import Fault, OutsideFailed, Refused
from workflow.process.gather import current_campaign, roster_of

#: Stands in a workspace that `huizhi demo` made.
DEMO_MARKER = ".huizhi-demo"
_FOLDERS = ("mailbox", "outbox", "receipts", "rosters", "ledger", "keys")


def shipped(name: str) -> Path:
    """A file or folder that ships with the program: beside the package in a checkout, inside it in a wheel."""
    package = Path(config.__file__).parent
    for place in (package / "_shipped" / name, package.parent / name):
        if place.exists():
            return place
    raise Refused(Fault(name, "程序安装不完整", "请重新安装"))


def init(folder: Path) -> int:
    """Make a workspace; refuses a folder that has one already."""
    if (folder / "config.toml").exists():
        raise Refused(Fault(str(folder), "已经是工作目录", "请另选一个目录"))
    make_workspace(folder)
    say(f"工作目录已建立：{folder}")
    say("下一步：修改 config.toml，替换 rosters/units.xlsx，然后运行 huizhi doctor")
    return 0


def make_workspace(folder: Path, settings: str | None = None) -> None:
    """The folders, forms, letters, example roster and commented config.toml of a workspace; `settings` is the text of
    a config.toml to use instead.
    """
    for name in _FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "keys").chmod(0o700)
    shutil.copytree(shipped("templates"), folder / "templates", dirs_exist_ok=True)
    shutil.copy(shipped("rosters") / "units.xlsx", folder / "rosters" / "units.xlsx")
    text = settings if settings is not None else shipped("config.toml").read_text(encoding="utf-8")
    (folder / "config.toml").write_text(text, encoding="utf-8")
    shutil.copy(shipped("rehearsal.toml"), folder / "rehearsal.toml")


def doctor(app: App) -> int:
    """One line for each thing checked; exit code 3 when something outside fails, 2 when an input is bad. A demo's mail
    servers ended with it, which is said and is no fault.
    """
    worst = 0
    for name, check in _checks(app):
        try:
            found = check()
        except Refused as refused:
            worst = max(worst, 2)
            for fault in refused.faults:
                complain(f"不通过 {name}：{fault}")
            continue
        except OutsideFailed as failure:
            worst = 3
            complain(f"不通过 {name}：{failure.fault}")
            continue
        say(f"通过 {name}{'：' + found if found else ''}")
    return worst


def _checks(app: App) -> Iterator[tuple[str, Callable[[], str]]]:
    yield "配置 config.toml", lambda: ""
    yield "表单 templates/forms", lambda: "、".join(form.title for form, _ in app.template_forms().values())
    yield "信函 templates/letters", lambda: f"{len(app.secretariat.templates.kinds)}种"
    yield "审核意见的发件人验证", lambda: _trust(app)
    yield "数据库", lambda: _database(app)
    yield "名册", lambda: _roster(app)
    yield "工作日历", lambda: _workdays(app)
    yield "压缩包", _archives
    yield "回执表扫描件", _scans
    if (app.workspace / DEMO_MARKER).is_file():
        ended = (
            "这是演示工作目录，内置的收发信服务器已随演示结束而停止，不再收发邮件；重新演示请运行 huizhi demo"
        )
        yield "邮件服务器", lambda: ended
        return
    yield "收信服务器", lambda: _imap(app)
    yield "发信服务器", lambda: _smtp(app)


def _trust(app: App) -> str:
    """Without the receiving server's word a forged From can decide: staff should know."""
    server = app.config.review.trusted_authserv
    return (
        f"以 {server} 的验证为准"
        if server
        else "未设置 trusted_authserv，伪造发件人的审核意见无从识别，建议设置"
    )


def _database(app: App) -> str:
    app.store.check()
    check = app.store.verify_ledger()
    if check.fault:
        raise Refused(Fault("台账", check.fault, "请停止使用并从备份恢复，或运行 huizhi rebuild"))
    return f"台账{check.count}条"


def _roster(app: App) -> str:
    roster = roster_of(app.store, current_campaign(app.store))
    if roster is None:
        raise Refused(Fault("名册", "尚未导入", "请运行 huizhi roster import rosters/units.xlsx"))
    return f"{len(roster.units)}个单位"


def _scans() -> str:
    """What can be read of a 回执表 here; without it the product works and people compare by eye."""
    cells = (
        "可识读表内文字和公章"
        if available()
        else "未安装识读组件，只按二维码和发件人归入，内容请人工核对；如需自动核对，请安装 huizhi[scan]"
    )
    documents = (
        "可打开 .doc、.wps"
        if Converter.program()
        else "未安装 LibreOffice，.doc、.wps 格式的电子版请人工核对"
    )
    return f"{cells}；{documents}"


def _workdays(app: App) -> str:
    """Until when holidays are known; beyond, letters are planned by weekends, which is worth knowing and no failure."""
    first, last = known_years()
    said = f"{first}至{last}年按国务院办公厅放假调休安排，其余年份按周一至周五推算"
    campaign = current_campaign(app.store)
    roster = roster_of(app.store, campaign)
    guessed = guessed_days(campaign, roster, app.schedule) if campaign and roster else []
    if campaign and guessed:
        years = "、".join(f"{year}年" for year in sorted({day.year for day in guessed}))
        said += f"；注意：{campaign.id} 有截止日在{years}，催报日期未计节假日"
    return said


def _archives() -> str:
    """Which archives can be opened; without libarchive their senders are asked for a zip, which is no failure."""
    if libarchive_works():
        return "zip、rar、7z"
    return "仅zip；未安装libarchive，收到rar、7z时请对方改发，可运行 apt-get install libarchive13"


def _imap(app: App) -> str:
    opened = []
    for said in app.config.imap.boxes:
        with app.mailbox(said) as mailbox:
            where = f"{said.user}@{said.host}" + (f" {said.folder}" if app.config.imap.more else "")
            opened.append(f"{where}（{'新邮件即时通知' if said.idle and mailbox.tells else '按间隔收取'}）")
    return "、".join(opened)


def _smtp(app: App) -> str:
    said = app.config.smtp
    with app.relay():
        return f"{said.host}:{said.port}；" + "；".join(usage_lines(app))


def declare(commands: Commands) -> None:
    """The commands of this module, with their words of help."""
    making = commands.add_parser("init", help="建立新的工作目录", description="建立新的工作目录")
    making.add_argument("folder", type=Path, metavar="DIR")
    making.set_defaults(alone=lambda said: init(said.folder))
    add(
        commands,
        "doctor",
        "检查配置、名册、表单、数据库和邮件服务器",
        lambda app, said: doctor(app),
    )
