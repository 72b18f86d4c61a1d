"""docs/benchmarks.md, made from bench/results.json: not one figure is written by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.rules import RULES
from bench.world import RESAVED, SPOILT

Results = Mapping[str, Any]

_HEAD = """# Benchmarks

`make bench` writes this page and `bench/results.json`; no figure here was written by hand. Ratios first: they hold
from machine to machine, absolute figures do not. A ratio above 1 says that ours is faster.
"""

_MEASURED = """## What is measured

**The whole way.** The same {units} replies, composed as a Chinese mail program writes them (text, HTML, our letter
quoted, the workbook as attachment; one in
{spoilt} with mistakes, one in {resaved} saved by another program than ours), lie in a
real Dovecot. *Ours* does all that it does in an office: keep each raw message on disk, parse, read the workbook in a
worker process, check all rules, decide, write the ledger and the tables in durable transactions, write an
acknowledgement or a returned workbook with its marks and comments for every reply, mark the mail, and write the
consolidated workbooks of every county, every city and the province. *The clerk's script* (`bench/clerk.py`) is what a
colleague would write: imap-tools' default loop, openpyxl, pandas; *the competent script* (`bench/competent.py`) uses
the libraries that we use, in one process. Both check required fields, types, ranges and choices and write one plain
workbook a level; they keep no mail and no ledger, acknowledge nothing, return nothing, and evaluate no cross-field
rules. Warm: the process has started and taken in mail before, as `huizhi run` has. Cold: whole processes
(`huizhi poll`, then `huizhi consolidate`), with everything that starting costs.

**Single steps.** *stamp*: one unit's pre-filled copy, against openpyxl's load, edit, save. *read*: bytes to answers by
field, with the look at encryption, macros, zip bombs, identity and error cells, against calamine merely reading the
sheets; once in the same process, once through the worker processes that protect the program from a hostile file.
*intake*: fetch from Dovecot and parse, the next batch ahead as a poll does, against imap-tools' default loop, which keeps
nothing, asked for what ours has of every message (sender, recipients, subject, date, ids, text, HTML, files with their
names); *kept*, with each message safe on disk before it is parsed; *wire*, the floor, the same bytes taken off the socket
and looked at by nobody, which is nearly all Dovecot's own time. *send*: queued notices with their workbooks to a
relay that takes everything, with the ledger's events before and after, against yagmail's own loop (and smtplib's bare
sendmail of the same bytes). *consolidate*: one workbook of 5,000 units × 80 indicators, ours with formats, choices,
filters and totals, against openpyxl's write_only with bare values. *growth*: time a message at four times the mail.

**Reading, checking, recording notes.** In one process, round by round beside python-calamine merely reading the same files
(every sheet to Python values; beside it the sheets with answers alone): every safety check, answers by field, all checks and
rules with last period's answers, the notes of what was read otherwise than typed. *Times* is our time by calamine's.

**Rules.** {rules} rules as offices write them, a second: the scalar evaluator one unit after the other, and the same rules over
columns of all units (`adapters/frames`), from the same answers to the same verdicts.

**Tick.** The calendar over open cases in SQLite: with nothing due (*cold*: the first of a process), and on the day when every
unit has a reminder due and every level its list: letters written and queued.

**Re-consolidation.** One school's return in provinces of two sizes, its county as large in both: the workbooks of the county and
its city are made anew; *rest* asks for all others, which have not changed; *province* writes every row.

**How.** All in one run, competitors in turns, the median of {rounds} rounds each; versions as pinned in requirements.txt.

**Not measured.** Networks (all is loopback), TLS, a provider's limits, PostgreSQL, and how long people take.
"""


def written(results: Results) -> str:
    """The whole page."""
    measured = _MEASURED.format(
        units=results["end_to_end"]["units"],
        rounds=results["rounds"],
        spoilt=SPOILT,
        resaved=RESAVED,
        rules=RULES,
    )
    return "\n".join((_HEAD, table(results), _targets(results), measured, _absolute(results)))


def table(results: Results) -> str:
    """The ratios."""
    whole, read, send = results["end_to_end"], results["read"], results["send"]
    rows = [
        ("the whole way, warm", "the clerk's script", f"{whole['clerk_ratio']:.1f}×"),
        ("the whole way, warm", "the competent script", f"{whole['competent_ratio']:.2f}×"),
        ("the whole way, cold", "the clerk's script", f"{whole['cold_clerk_ratio']:.1f}×"),
        ("the whole way, cold", "the competent script", f"{whole['cold_competent_ratio']:.2f}×"),
        ("stamp", "openpyxl load, edit, save", f"{results['stamp']['ratio']:.0f}×"),
        ("read, same process", "calamine merely reading", f"{read['ratio']:.2f}×"),
        ("read, worker processes", "calamine merely reading", f"{read['pool_ratio']:.2f}×"),
        ("intake", "imap-tools' default loop", f"{results['intake']['ratio']:.1f}×"),
        ("send", "yagmail's own loop", f"{send['ratio']:.1f}×"),
        ("send", "smtplib's bare sendmail", f"{send['bare_ratio']:.2f}×"),
        ("consolidate", "openpyxl write_only, bare values", f"{results['consolidate']['ratio']:.2f}×"),
    ]
    if "kept_ratio" in results["intake"]:
        rows.append(
            ("intake, kept on disk", "imap-tools' default loop", f"{results['intake']['kept_ratio']:.1f}×")
        )
    if "checked" in read:
        checked = read["checked"]
        spread = f"{checked['times']:.2f} times its time ({checked['least']:.2f} to {checked['most']:.2f})"
        rows.append(("read, check, notes, one process", "calamine merely reading", spread))
        alone = checked["answer_sheets"]
        spread = f"{alone['times']:.2f} times its time ({alone['least']:.2f} to {alone['most']:.2f})"
        rows.append(("read, check, notes, one process", "calamine reading the answers' sheets alone", spread))
    for size, rates in results.get("rules", {}).items():
        rows.append(
            (f"rules over {int(size):,} units, columns", "one unit after the other", f"{rates['ratio']:.1f}×")
        )
    if "reconsolidate" in results:
        small, large = results["reconsolidate"]["seconds"]
        what = f"re-consolidation after one return among {int(large):,} units"
        rows.append(
            (
                what,
                f"the same among {int(small):,}",
                f"{results['reconsolidate']['ratio']:.2f} times its time",
            )
        )
    if "growth" in results:  # a run that was broken off has none
        rows.append(("growth, time a message", "the smaller mailbox", f"{results['growth']['ratio']:.2f}"))
    return _markdown(("what", "beside", "ratio"), rows)


def _targets(results: Results) -> str:
    """What was aimed at and whether it was reached, with the reason where it was not."""
    whole = results["end_to_end"]
    growth = results["growth"]["ratio"] if "growth" in results else float("inf")
    stages = whole["stages"]
    share = round(100 * stages["consolidate"] / sum(stages.values()))
    aims = [
        (
            "40 times the clerk's script, warm", whole["clerk_ratio"] >= 40,
            (f"{share} % of our time goes into the consolidated workbooks and the rest into intake, of which keeping "
            "every message and letter on disk, the ledger and the answers to the units are work that the script does "
            "not do at all"),
        ),
        (
            "as fast as the competent script, warm", whole["competent_ratio"] >= 1,
            "it keeps nothing on disk, answers nobody and checks no cross-field rules",
        ),
        ("time a message grows by no more than a tenth", growth <= 1.1, "see the figures below"),
        *_further(results),
    ]  # fmt: skip
    lines = ["## Targets", ""]
    for aim, reached, reason in aims:
        lines.append(f"- {aim}: reached" if reached else f"- {aim}: **not reached** here; {reason}")
    return "\n".join([*lines, ""])


def _further(results: Results) -> list[tuple[str, bool, str]]:
    """The targets of what a run may lack that was broken off."""
    took = results["intake"]["per_second"]
    times = took["ours"] / took["imap_tools"]
    share = (
        f"; the wire alone takes {100 * took['ours'] / took['wire']:.0f} % of our time"
        if "wire" in took
        else ""
    )
    aims = [
        (
            "fetching and parsing a message 8 times as fast as imap-tools' default loop",
            times >= 8,
            f"{times:.1f} times{share}",
        ),
    ]
    if "checked" in results["read"]:
        times = results["read"]["checked"]["times"]
        aim = "reading, checking and recording notes within 1.5 times of calamine merely reading"
        aims.append((aim, times <= 1.5, f"{times:.2f} times"))
    if "tick" in results:
        ticked = results["tick"]
        for what, most, key in (("nothing due", 1, "nothing_due"), ("all due", 10, "all_due")):
            aim = f"a tick over {ticked['cases']:,} open cases with {what} in under {most} s"
            aims.append((aim, ticked[key] < most, f"{ticked[key]:.2f} s"))
    if "roster" in results:
        took, units = results["roster"], results["roster"]["units"]
        whole = took["read"] + took["compare"] + took["apply"]
        aim = f"importing and comparing a baseline of {units:,} units in under 10 s"
        aims.append((aim, whole < 10, f"{whole:.1f} s"))
        past = took["past_tree"]
        aims.append(("the tree of a past day in under 1 s", past < 1, f"{past:.2f} s"))
    if "reconsolidate" in results:
        ratio = results["reconsolidate"]["ratio"]
        aim = "one return costs no more, whatever lies outside its branch (by no more than a quarter)"
        aims.append((aim, ratio <= 1.25, f"{ratio:.2f} times"))
    return aims


def _store_figures(results: Results) -> str:
    """What is measured in the store and the rules alone."""
    parts = []
    if "checked" in results["read"]:
        named = "; ".join(
            f"{name} {each} ms" for name, each in results["read"]["checked"]["milliseconds"].items()
        )
        parts.append(f"Reading, checking, recording notes, a workbook: {named}.\n")
    if "rules" in results:
        rows = [
            (f"{int(size):,}", f"{rates['scalar']:,}", f"{rates['columns']:,}")
            for size, rates in results["rules"].items()
        ]
        parts.append(_markdown(("units", "rules a second, one by one", "over columns"), rows))
    if "tick" in results:
        ticked = {name: took for name, took in results["tick"].items() if name != "cases"}
        named = "; ".join(f"{name.replace('_', ' ')} {took} s" for name, took in ticked.items())
        parts.append(f"A tick over {results['tick']['cases']:,} open cases: {named}.\n")
    if "roster" in results:
        took = {name: f for name, f in results["roster"].items() if name not in {"units", "changes"}}
        named = "; ".join(f"{name.replace('_', ' ')} {figure} s" for name, figure in took.items())
        size, changes = results["roster"]["units"], results["roster"]["changes"]
        parts.append(f"A baseline of {size:,} units with {changes:,} changes: {named}.\n")
    if "reconsolidate" in results:
        seconds = results["reconsolidate"]["seconds"]
        steps = list(next(iter(seconds.values())))
        rows = [
            (f"{int(size):,}", *(f"{taken[step]:.3f}" for step in steps)) for size, taken in seconds.items()
        ]
        parts.append(_markdown(("re-consolidation, units", *(f"{step}, s" for step in steps)), rows))
    return "\n".join(parts)


def _absolute(results: Results) -> str:
    whole, machine, made = results["end_to_end"], results["machine"], results["consolidate"]
    rows = [
        ("ours, warm", f"{whole['seconds']:.2f}", f"{whole['units'] / whole['seconds']:.0f}"),
        ("ours, cold", f"{whole['cold_seconds']:.2f}", f"{whole['units'] / whole['cold_seconds']:.0f}"),
        (
            "competent script",
            f"{whole['competent_seconds']:.2f}",
            f"{whole['units'] / whole['competent_seconds']:.0f}",
        ),
        ("clerk's script", f"{whole['clerk_seconds']:.2f}", f"{whole['units'] / whole['clerk_seconds']:.0f}"),
    ]
    steps = [
        (step, name, str(rate)) for step in ("stamp", "read", "intake", "send")
        for name, rate in results[step]["per_second"].items()
    ]  # fmt: skip
    stages = "; ".join(f"{name} {seconds:.2f} s" for name, seconds in whole["stages"].items())
    libraries = ", ".join(f"{name} {version}" for name, version in machine["libraries"].items())
    growth = "; ".join(
        f"{size} replies: {each} ms"
        for size, each in results.get("growth", {}).get("milliseconds", {}).items()
    )
    return "\n".join(
        (
            "## Absolute figures",
            "",
            (
                f"{machine['cores']} cores of {machine['cpu']}, Python {machine['python']}, {machine['system']}."
                f" Load average when it began: {machine['load']} (a machine to itself has about 0)."
            ),
            f"{libraries}.",
            "",
            _markdown(("the whole way", "seconds", "replies a second"), rows),
            f"Ours, warm, by stage: {stages}.",
            "",
            _markdown(("step", "who", "a second"), steps),
            (
                f"5,000 × 80 consolidated: ours {made['seconds']['ours']} s and {made['peak_mb']} MB at most, openpyxl "
                f"{made['seconds']['openpyxl']} s and {made['openpyxl_peak_mb']} MB."
            ),
            "",
            f"Time a message, warm: {growth or 'not measured in this run'}.",
            "",
            _store_figures(results),
        )
    )


def _markdown(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"
