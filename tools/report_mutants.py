"""What the mutation run `make mutation` came to: killed and surviving mutants by module, and each survivor's line.

python tools/report_mutants.py            prints the table; 1 where a module is below the aim
python tools/report_mutants.py --lines    and what was changed in every mutant that no test noticed
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
AIM = 0.85
#: mutmut's exit codes of a mutant's test run: 0, the tests passed; 33, no test comes to the line.
_UNNOTICED = frozenset({0, 5, 33, 34})


def results() -> dict[str, dict[str, int | None]]:
    """By module, each mutant with the exit code of its test run; None for one that was not run."""
    found = {}
    for meta in sorted((ROOT / "mutants").rglob("*.py.meta")):
        codes = json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"]
        if codes:
            found[meta.name.removesuffix(".py.meta")] = codes
    return found


def main() -> int:
    """Print."""
    found = results()
    if not found:
        print("no mutants: run make mutation first", file=sys.stderr)
        return 2
    print("| module | mutants | killed | share |\n|---|---|---|---|")
    below = False
    for module, codes in found.items():
        killed = sum(code not in _UNNOTICED and code is not None for code in codes.values())
        below = below or killed < AIM * len(codes)
        print(f"| `{module}` | {len(codes)} | {killed} | {killed / len(codes):.1%} |")
    if "--lines" in sys.argv[1:]:
        for codes in found.values():
            for name in (name for name, code in codes.items() if code in _UNNOTICED or code is None):
                shown = subprocess.run(
                    ["mutmut", "show", name], cwd=ROOT, capture_output=True, text=True, check=True
                )
                lines = [line for line in shown.stdout.splitlines() if line[:1] in {"-", "+"}]
                print("\n".join([f"\n{name}", *(line for line in lines if line[:3] not in {"---", "+++"})]))
    return int(below)


if __name__ == "__main__":
    sys.exit(main())
