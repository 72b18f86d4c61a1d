"""Draws the floors and the way of a mail from the code: docs/architecture.md between its markers, and docs/modules.md whole.

python tools/draw_house.py            writes them
python tools/draw_house.py --check    1 when a page says something else than the code
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "architecture.md"
INDEX = ROOT / "docs" / "modules.md"
_PACKAGE = "workflow"
_FLOORS = (
    ("floor 3: doors and wiring", ("cli", "demo", "app", "library", "config")),
    ("floor 2: one verb of the office a module", ("process",)),
    ("floor 1: one outside thing each", ("adapters",)),
    ("floor 0: pure", ("domain",)),
)
#: The stations of a returned workbook in their order; what each does is told by its own docstring.
_WAY = (
    ("fetch", "adapters.mail.imap", "Mailbox.batches"),
    ("keep", "adapters.files", "Files.keep_mail"),
    ("parse", "adapters.mail.parse", "parse"),
    ("open", "process.parts", "open_parts"),
    ("read", "adapters.workbook.read", "read_file"),
    ("gather", "process.gather", "gather"),
    ("decide", "process.decide", "decide"),
    ("identify", "process.identify", "identify"),
    ("check", "domain.checks", "examine"),
    ("settle", "process.returns", "decide"),
    ("compose", "process.correspondence", "Secretariat.queue"),
    ("commit", "adapters.store.ledger", "Ledger.append"),
    ("mark", "adapters.mail.imap", "Mailbox.mark"),
    ("send", "process.dispatch", "dispatch"),
    ("hear", "process.delivery", "heard"),
)


@dataclass(frozen=True)
class Module:
    """A module: its name below the package, its tree, and which modules it imports when the program runs."""

    name: str
    tree: ast.Module
    imports: frozenset[str]

    @property
    def part(self) -> str:
        """What it is drawn as: a folder of the adapters or the domain, else the first name."""
        names = self.name.split(".")
        return ".".join(names[:2]) if names[0] == "adapters" and len(names) > 1 else names[0]

    @property
    def sentence(self) -> str:
        """What it says of itself, up to the first stop."""
        return _first(ast.get_docstring(self.tree) or "")


def _first(docstring: str) -> str:
    """The first paragraph, up to the first full stop that ends a sentence."""
    words = " ".join(docstring.split("\n\n", maxsplit=1)[0].split())
    return re.split(r"(?<=[^.\s][.。])\s(?=[A-Z`])", words)[0].rstrip(".。").replace("|", "/")


def modules(root: Path = ROOT) -> dict[str, Module]:
    """Every module below the package, migrations left out."""
    trees = {}
    for path in sorted((root / _PACKAGE).rglob("*.py")):
        parts = path.relative_to(root / _PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if name and "migrations" not in parts:
            trees[name] = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return {
        name: Module(name, tree, frozenset(_imported(tree, trees.keys()))) for name, tree in trees.items()
    }


def _imported(tree: ast.Module, known: set[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.removeprefix(f"{_PACKAGE}.") for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(f"{_PACKAGE}."):
            base = node.module.removeprefix(f"{_PACKAGE}.")
            for alias in node.names:
                yield f"{base}.{alias.name}" if f"{base}.{alias.name}" in known else base


def floors(known: dict[str, Module]) -> str:
    """The parts on their floors; an arrow's number is how many modules of the one import one of the other."""
    members = Counter(module.part for module in known.values())
    arrows: Counter[tuple[str, str]] = Counter()
    for module in known.values():
        for part in {known[target].part for target in module.imports if target in known} - {module.part}:
            arrows[module.part, part] += 1
    lines = ["flowchart TD"]
    for number, (title, firsts) in enumerate(_FLOORS):
        lines.append(f'    subgraph F{3 - number}["{title}"]')
        for part in sorted(members):
            if part.split(".")[0] in firsts and part != "adapters":
                count = f"<br/>{members[part]} modules" if members[part] > 1 else ""
                lines.append(f'        {_node(part)}["{part.removeprefix("adapters.")}{count}"]')
        lines.append("    end")
    for (one, other), count in sorted(arrows.items()):
        # drawn: what the doors call, and which outside things the office's work uses; the wiring knows every adapter
        if (one in _FLOORS[0][1] and other in {"app", "process"}) or (one == "process" and other != "domain"):
            lines.append(f"    {_node(one)} -->|{count}| {_node(other)}")
    lines += ["    app -.->|wires| F1", "    process --> F0"]
    lines.append("    F1 --> F0")
    return "```mermaid\n" + "\n".join(lines) + "\n```"


def _node(part: str) -> str:
    return part.replace(".", "_")


def way(known: dict[str, Module]) -> str:
    """The stations of a returned workbook, each with where it is and what it says of itself."""
    lines = ["| step | where | what |", "|---|---|---|"]
    for step, name, thing in _WAY:
        module = known[name]
        words = _first(ast.get_docstring(_find(module, thing)) or "") if thing else module.sentence
        if not words:
            raise SystemExit(f"{name}: {thing} says nothing of itself")
        place = f"`workflow/{name.replace('.', '/')}.py`" + (f" `{thing}`" if thing else "")
        lines.append(f"| {step} | {place} | {words} |")
    return "\n".join(lines)


def _find(module: Module, thing: str) -> ast.FunctionDef | ast.ClassDef:
    body: list[ast.stmt] = module.tree.body
    found: ast.FunctionDef | ast.ClassDef | None = None
    for name in thing.split("."):
        found = next(
            (n for n in body if isinstance(n, ast.FunctionDef | ast.ClassDef) and n.name == name), None
        )
        if found is None:
            raise SystemExit(
                f"{module.name} has no {thing}: the way of a mail in tools/draw_house.py is out of date"
            )
        body = found.body
    if found is None:
        raise SystemExit(f"{module.name}: nothing named")
    return found


def index(known: dict[str, Module]) -> str:
    """docs/modules.md: every module and the sentence with which it opens, floor by floor."""
    lines = [
        "# Modules",
        "",
        "Every module of `workflow/` with the sentence that it opens with; drawn by `tools/draw_house.py`.",
    ]
    for title, firsts in _FLOORS:
        lines += ["", f"## {title[0].upper()}{title[1:]}", "", "| module | what it is |", "|---|---|"]
        for name, module in sorted(known.items()):
            if name.split(".")[0] in firsts and module.sentence:
                lines.append(f"| `{name}` | {module.sentence} |")
    return "\n".join(lines) + "\n"


def drawn(page: str, known: dict[str, Module]) -> str:
    """The architecture page with both drawings as the code has them."""
    for name, drawing in (("floors", floors(known)), ("way of a mail", way(known))):
        marked = rf"(<!-- {name}: drawn by tools/draw_house.py -->\n).*?(<!-- end of {name} -->)"
        page, found = re.subn(
            marked, lambda match, d=drawing: f"{match[1]}{d}\n{match[2]}", page, flags=re.DOTALL
        )  # fmt: skip
        if found != 1:
            raise SystemExit(f"{PAGE.name}: no place marked for {name}")
    return page


def main() -> int:
    """Draw, or check."""
    known = modules()
    page = PAGE.read_text(encoding="utf-8")
    if "--check" in sys.argv[1:]:
        return int(drawn(page, known) != page or INDEX.read_text(encoding="utf-8") != index(known))
    PAGE.write_text(drawn(page, known), encoding="utf-8")
    INDEX.write_text(index(known), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
