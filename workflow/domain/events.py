"""The ledger's events 台账: what happened, to what, when, by whom and because of which message or decision.

An event belongs to a stream (one case, one package, one message, one letter …) and has its number there, counted from
1; the pair is unique, which is what refuses a replay or a lost update. Personal payload (names, addresses, answers)
stands apart and enters the chain as a salted digest, so that it can be erased without breaking the chain.
"""

from __future__ import annotations

import bisect
import datetime as dt
import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workflow.domain.form import Severity, Value
from workflow.domain.submission import Finding

GENESIS = "0" * 64
#: The event that says which events' personal payload was erased: its `ranges` are pairs of first and last place.
PURGED = "purge.done"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. `data` and `personal` hold JSON values only; `at` carries its zone."""

    stream: str
    number: int
    kind: str
    at: dt.datetime
    actor: str
    cause: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    personal: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Ranges:
    """Places in the ledger as ranges from first to last, both within, in order and apart."""

    pairs: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, chosen: Collection[int], among: Iterable[int]) -> Ranges:
        """The chosen places as few ranges as may be; what lies between two of them and not in `among` may be within."""
        wanted = frozenset(chosen)
        pairs: list[tuple[int, int]] = []
        open_ = False
        for place in sorted(among):
            if place not in wanted:
                open_ = False
            elif open_:
                pairs[-1] = (pairs[-1][0], place)
            else:
                pairs.append((place, place))
                open_ = True
        return cls(tuple(pairs))

    def with_more(self, pairs: Iterable[Sequence[int]]) -> Ranges:
        """These and others together."""
        found: list[tuple[int, int]] = []
        for first, last in sorted([*self.pairs, *((pair[0], pair[1]) for pair in pairs)]):
            if found and first <= found[-1][1] + 1:
                found[-1] = (found[-1][0], max(last, found[-1][1]))
            else:
                found.append((first, last))
        return Ranges(tuple(found))

    def __contains__(self, place: int) -> bool:
        at = bisect.bisect_right(self.pairs, place, key=lambda pair: pair[0])
        return at > 0 and place <= self.pairs[at - 1][1]

    def __bool__(self) -> bool:
        return bool(self.pairs)


#: A text as JSON, Chinese as it is.
quoted = json.encoder.encode_basestring
_CANONICAL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def canonical(value: object) -> str:
    """One spelling for equal JSON values: sorted keys, no blanks, Chinese as it is."""
    return _CANONICAL.encode(value)


def personal_digest(salt: str, personal: str | None) -> str:
    """The salted digest of an event's personal payload, given in its canonical spelling; empty where there is none."""
    if personal is None:
        return ""
    return hashlib.sha256(f"{salt}\n{personal}".encode()).hexdigest()


def chained_hash(previous: str, event: Event, data: str, payload_digest: str) -> str:
    """The hash of an event that follows the event with hash `previous` in the ledger (可追溯, article 22).

    `data` is the event's own in its canonical spelling, which the appender has at hand.
    """
    # The canonical spelling of a list; written out, as it is made once or twice for every event.
    whole = (
        f'["{previous}",{quoted(event.stream)},{event.number},{quoted(event.kind)},"{event.at.isoformat()}",'
        f'{quoted(event.actor)},{quoted(event.cause)},{data},"{payload_digest}"]'
    )
    return hashlib.sha256(whole.encode()).hexdigest()


def encode_value(value: Value) -> object:
    """An answer as JSON: a date as `{"date": "2026-12-01"}`, everything else as it is."""
    return {"date": value.isoformat()} if isinstance(value, dt.date) else value


def decode_value(value: Any) -> Value:
    """An answer from its JSON."""
    if isinstance(value, dict):
        return dt.date.fromisoformat(value["date"])
    answer: Value = value
    return answer


def encode_findings(findings: Sequence[Finding]) -> tuple[list[dict[str, str]], dict[str, str]]:
    """Findings as an event keeps them: the impersonal part for `data.findings`, and for `personal.found` what was
    found in the cells, by the finding's position in the list.
    """
    data = [
        {
            "code": finding.code,
            "severity": finding.severity.value,
            "field": finding.field,
            "label": finding.label,
            "cell": finding.cell,
            "message": finding.message,
        }
        for finding in findings
    ]
    return data, {str(place): finding.found for place, finding in enumerate(findings) if finding.found}


def decode_findings(data: Sequence[Mapping[str, str]], found: Mapping[str, str]) -> list[Finding]:
    """Findings from an event's `data.findings` and `personal.found` (empty once that has been erased)."""
    return [
        Finding(
            row["code"],
            Severity(row["severity"]),
            row["field"],
            row["label"],
            row["cell"],
            found.get(str(place), ""),
            row["message"],
        )
        for place, row in enumerate(data)
    ]
