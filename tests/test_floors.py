"""Imports point down only, the clock is read on floor 3 only, and no module or function grows fat."""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PACKAGE = "workflow"


@dataclass(frozen=True)
class Floor:
    """Where a part of the package stands. `outside`: third parties it may use; None for any."""

    number: int
    outside: frozenset[str] | None = None
    forbidden: frozenset[str] = frozenset()


# Modules of the standard library that reach out of the process; `time` is caught by what is read from it.
REACHING_OUT = frozenset(
    "asyncio fileinput ftplib glob http imaplib multiprocessing os poplib shutil smtplib socket socketserver "
    "sqlite3 ssl subprocess tempfile threading urllib.request".split()
)
SERVERS = frozenset("ftplib http imaplib poplib smtplib socket sqlite3 urllib.request".split())

# The first name below `workflow` → its floor. A name that is missing here is a fault: decide where it stands.
FLOORS = {
    "domain": Floor(0, frozenset({"pydantic", "pydantic_core"}), REACHING_OUT),
    "adapters": Floor(1),
    "process": Floor(2, frozenset(), SERVERS),
    "campaign_settings": Floor(3),
    "config": Floor(3),
    "mail_settings": Floor(3),
    "app": Floor(3),
    "library": Floor(3),
    "cli": Floor(3),
    "desk": Floor(3),
    "demo": Floor(3),
    "__main__": Floor(3),
}

CLOCK_AND_ENVIRONMENT = frozenset(
    "datetime.datetime.now datetime.datetime.today datetime.datetime.utcnow datetime.date.today time.time "
    "time.time_ns time.localtime time.gmtime time.ctime os.environ os.environb os.getenv os.getenvb".split()
)
LONGEST_MODULE = 400
LONGEST_FUNCTION = 60


@dataclass(frozen=True)
class Module:
    name: str
    path: Path
    tree: ast.Module
    lines: int

    @property
    def part(self) -> str:
        """The first name below the package; '' for the package itself."""
        return ".".join(self.name.split(".")[1:2])

    @property
    def floor(self) -> Floor:
        return FLOORS.get(self.part, Floor(0))

    def at(self, node: ast.AST) -> str:
        return f"{self.name}:{getattr(node, 'lineno', 1)}"


@dataclass(frozen=True)
class Import:
    target: str
    where: str


def modules(root: Path) -> dict[str, Module]:
    found = {}
    for path in sorted((root / PACKAGE).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        text = path.read_text(encoding="utf-8")
        found[name] = Module(name, path, ast.parse(text, str(path)), len(text.splitlines()))
    return found


def imports(module: Module, known: dict[str, Module]) -> Iterator[Import]:
    """Every import of a module, also those inside functions and those by name."""
    for node in ast.walk(module.tree):
        for target in _targets(node, module, known):
            yield Import(target, module.at(node))


def _targets(node: ast.AST, module: Module, known: dict[str, Module]) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=base, names=names, level=level):
            origin = _absolute(base, level, module)
            for alias in names:
                # `from a import b` is an import of the module a.b where there is one
                yield f"{origin}.{alias.name}" if f"{origin}.{alias.name}" in known else origin
        case ast.Call(func=func, args=[ast.Constant(value=str(name)), *_]):
            if ast.unparse(func) in {"import_module", "importlib.import_module", "__import__"}:
                yield name


def _absolute(base: str | None, level: int, module: Module) -> str:
    if level == 0:
        return base or ""
    package = module.name.split(".")
    drop = level if module.path.name != "__init__.py" else level - 1
    return ".".join([*package[: len(package) - drop], *([base] if base else [])])


def import_faults(module: Module, known: dict[str, Module]) -> Iterator[str]:
    if module.part and module.part not in FLOORS:
        yield f"{module.name}: has no floor; add it to FLOORS"
        return
    for found in imports(module, known):
        first, _, rest = found.target.partition(".")
        if first == PACKAGE:
            yield from _fault_inside(module, found, rest.split("."))
        elif first in sys.stdlib_module_names:
            if found.target in module.floor.forbidden or first in module.floor.forbidden:
                yield f"{found.where} imports {found.target}: floor {module.floor.number} stays inside"
        elif module.floor.outside is not None and first not in module.floor.outside:
            yield f"{found.where} imports {found.target}: no third party on floor {module.floor.number}"


def _fault_inside(module: Module, found: Import, target: list[str]) -> Iterator[str]:
    theirs = FLOORS.get(target[0])
    if theirs and theirs.number > module.floor.number:
        yield f"{found.where} imports {found.target}: floor {theirs.number} from floor {module.floor.number}"
    own = module.name.split(".")
    if module.part == target[0] == "adapters" and target[1:2] and target[1:2] != own[2:3]:
        yield f"{found.where} imports {found.target}: adapters never import each other"


def circles(known: dict[str, Module]) -> list[str]:
    """Modules that need each other, by whatever way round, if only for their types."""
    ahead = {
        name: {found.target for found in imports(module, known)} & known.keys()
        for name, module in known.items()
    }
    faults, done = [], set()
    for start in ahead:
        path: list[str] = []

        def follow(name: str, path: list[str] = path) -> None:
            if name in path:
                faults.append("circle: " + " → ".join([*path[path.index(name) :], name]))
            elif name not in done:
                path.append(name)
                for target in sorted(ahead[name]):
                    follow(target)
                done.add(path.pop())

        follow(start)
    return faults


def readings(module: Module) -> Iterator[str]:
    """The clock and the environment, under whatever name they were imported."""
    if module.floor.number >= 3:
        return
    names: dict[str, str] = {}
    for node in ast.walk(module.tree):
        match node:
            case ast.Import(names=aliases):
                names |= dict(_bound(alias) for alias in aliases)
            case ast.ImportFrom(module=str(base), names=aliases, level=0):
                names |= {alias.asname or alias.name: f"{base}.{alias.name}" for alias in aliases}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute | ast.Name):
            first, _, rest = ast.unparse(node).partition(".")
            meant = ".".join(filter(None, [names.get(first, ""), rest]))
            if meant in CLOCK_AND_ENVIRONMENT:
                yield f"{module.at(node)} reads {meant}: pass it in from floor 3"
        elif isinstance(node, ast.Call) and module.part == "domain" and ast.unparse(node.func) == "open":
            yield f"{module.at(node)} opens a file: domain does no I/O"


def _bound(alias: ast.alias) -> tuple[str, str]:
    """The name that `import a.b` or `import a.b as c` binds, and what it means."""
    return (alias.asname, alias.name) if alias.asname else (alias.name.split(".")[0],) * 2


def sizes(module: Module) -> Iterator[str]:
    if module.lines >= LONGEST_MODULE:
        yield f"{module.name}: {module.lines} lines"
    if ".migrations." in module.name:
        return  # a migration is a list of tables, written once and never edited
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines >= LONGEST_FUNCTION:
                yield f"{module.at(node)} {node.name}: {lines} lines"


def faults(root: Path) -> list[str]:
    known = modules(root)
    found = circles(known)
    for module in known.values():
        found += [*import_faults(module, known), *readings(module), *sizes(module)]
    return found


def test_imports_point_down_only() -> None:
    known = modules(ROOT)
    assert known
    assert [fault for module in known.values() for fault in import_faults(module, known)] == []


def test_no_module_needs_itself() -> None:
    assert circles(modules(ROOT)) == []


def test_only_the_top_floor_reads_clock_and_environment() -> None:
    assert [fault for module in modules(ROOT).values() for fault in readings(module)] == []


def test_modules_and_functions_stay_short() -> None:
    assert [fault for module in modules(ROOT).values() for fault in sizes(module)] == []


def test_the_mailbox_folder_does_not_shadow_the_standard_library() -> None:
    assert not (ROOT / "mailbox" / "__init__.py").exists()
    assert not (ROOT / "mailbox.py").exists()


# The rules above, held against small trees that break each of them once.

SOUND = {
    "__init__.py": "__version__ = '1'",
    "domain/__init__.py": "",
    "domain/form.py": "import re\nfrom pydantic import BaseModel\nfrom workflow import __version__",
    "domain/rules/__init__.py": "from .tree import Tree\nfrom .meaning import mean",
    "domain/rules/tree.py": "from datetime import datetime\nclass Tree: ...\nat = datetime.fromisoformat",
    "domain/rules/meaning.py": "from . import tree\nfrom .. import form\ndef mean(now): return now.date()",
    "adapters/__init__.py": "",
    "adapters/files.py": "import os\nimport time\nfrom workflow.domain import form\npause = time.monotonic",
    "adapters/mail/__init__.py": "from workflow.adapters.mail.imap import poll",
    "adapters/mail/imap.py": "import imap_tools\nfrom . import mime\nfrom ...domain.rules import Tree\npoll = 1",
    "adapters/mail/mime.py": "if TYPE_CHECKING:\n    from ...domain import form",
    "process/__init__.py": "",
    "process/intake.py": "from workflow.adapters import files\nimport workflow.domain.form",
    "app.py": "from datetime import datetime\nfrom workflow.process import intake\nnow = datetime.now()",
    "cli.py": "import workflow.app\nfrom .demo import run",
    "demo/__init__.py": "from workflow.app import now\nrun = now",
}


def tree(root: Path, **changes: str) -> Path:
    """The sound tree with some files changed (`domain__form` is domain/form.py)."""
    files = SOUND | {name.replace("__", "/") + ".py": text for name, text in changes.items()}
    for name, text in files.items():
        path = root / PACKAGE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def test_a_sound_tree_has_no_fault(tmp_path: Path) -> None:
    assert faults(tree(tmp_path)) == []


@pytest.mark.parametrize(
    ("file", "text", "fault"),
    [
        ("domain__form", "from workflow.adapters import files", "floor 1 from floor 0"),
        ("domain__form", "import workflow.adapters.files", "floor 1 from floor 0"),
        ("domain__form", "import workflow.app as wiring", "floor 3 from floor 0"),
        ("domain__form", "from ..process import intake", "floor 2 from floor 0"),
        ("domain__form", "from .. import app", "floor 3 from floor 0"),
        (
            "domain__rules__tree",
            "class Tree: ...\ndef f():\n    from ... import adapters",
            "floor 1 from floor 0",
        ),
        ("domain__form", "import importlib\nimportlib.import_module('workflow.cli')", "floor 3 from floor 0"),
        ("domain__form", "import openpyxl", "no third party on floor 0"),
        ("domain__form", "if TYPE_CHECKING:\n    from polars import DataFrame", "no third party on floor 0"),
        ("domain__form", "import sqlite3", "floor 0 stays inside"),
        ("domain__form", "from urllib.request import urlopen", "floor 0 stays inside"),
        ("domain__form", "open('x')", "domain does no I/O"),
        ("adapters__files", "from workflow.process import intake", "floor 2 from floor 1"),
        ("adapters__files", "from workflow.demo import run", "floor 3 from floor 1"),
        ("adapters__files", "from workflow.adapters import mail", "adapters never import each other"),
        (
            "adapters__files",
            "from workflow.adapters.mail.imap import poll",
            "adapters never import each other",
        ),
        ("adapters__mail__imap", "from .. import files\ndef poll(): ...", "adapters never import each other"),
        (
            "adapters__mail__imap",
            "from ..files import x\ndef poll(): ...",
            "adapters never import each other",
        ),
        ("process__intake", "import sqlalchemy", "no third party on floor 2"),
        ("process__intake", "import imaplib", "floor 2 stays inside"),
        ("process__intake", "from workflow.desk import page", "floor 3 from floor 2"),
        ("helpers", "", "has no floor"),
        ("domain__form", "from .rules import meaning", "circle: "),
        ("adapters__mail__mime", "if TYPE_CHECKING:\n    from . import imap", "circle: "),
        ("app", "def late():\n    from workflow import cli", "circle: workflow.app → workflow.cli"),
        ("domain__form", "from datetime import datetime\nnow = datetime.now", "reads datetime.datetime.now"),
        ("domain__form", "import datetime as dt\ndt.date.today()", "reads datetime.date.today"),
        ("adapters__files", "import datetime\ndatetime.datetime.utcnow()", "reads datetime.datetime.utcnow"),
        ("adapters__files", "from time import time as clock\nclock()", "reads time.time"),
        ("process__intake", "import time\ntime.time()", "reads time.time"),
        ("adapters__files", "import os\nos.environ['X']", "reads os.environ"),
        ("adapters__files", "from os import environ\nenviron.get('X')", "reads os.environ"),
        ("adapters__files", "import os.path\nos.environ.get('X')", "reads os.environ"),
        ("adapters__files", "import os\nos.getenv('X')", "reads os.getenv"),
        ("domain__form", "x = 1\n" * 400, "400 lines"),
        ("cli", "def long():\n" + "    x = 1\n" * 59, "cli:1 long: 60 lines"),
        ("cli", "class A:\n  async def long(self):\n" + "    x = 1\n" * 59, "cli:2 long: 60 lines"),
    ],
)
def test_a_broken_tree_is_caught(tmp_path: Path, file: str, text: str, fault: str) -> None:
    found = faults(tree(tmp_path, **{file: text}))
    assert any(fault in one for one in found), found
