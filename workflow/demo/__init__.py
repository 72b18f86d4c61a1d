"""Floor 3: embedded mail servers and simulated units, for the demo and for rehearsals."""

from __future__ import annotations

from pathlib import Path


def main(folder: Path, *, seed: int = 1, units: int = 120) -> int:
    """Play a whole quarter in a workspace of its own and tell how it ended; the exit code."""
    # Here and not above: whoever wants only a part of the demo need not load the whole command line.
    from workflow.demo.play import play  # noqa: PLC0415
    from workflow.demo.telling import progress, tell  # noqa: PLC0415

    with progress() as move:
        summary = play(folder, seed=seed, units=units, progress=move)
    tell(summary)
    return 0
