"""A part of a roster that is still a tree: every unit drawn comes with all units above it."""

from __future__ import annotations

import random

from workflow.domain.errors import Fault, Refused
from workflow.domain.roster import Roster


def sampled(roster: Roster, size: int, seed: int) -> Roster:
    """At most `size` units of a roster with their contacts, in the roster's order; the same for the same seed. Raises
    Refused when not even one unit with those above it fits.
    """
    if size >= len(roster.units):
        return roster
    codes = list(roster.units)
    random.Random(seed).shuffle(codes)
    chosen: set[str] = set()
    for code in codes:
        branch = {code, *(above.code for above in roster.above(code))}
        if len(chosen | branch) <= size:
            chosen |= branch
    if not chosen:
        raise Refused(Fault(f"--units {size}", "太小，容不下一个单位及其各上级", "请改大一些"))
    units = {code: unit for code, unit in roster.units.items() if code in chosen}
    return Roster(units, tuple(contact for contact in roster.contacts if contact.unit in chosen))
