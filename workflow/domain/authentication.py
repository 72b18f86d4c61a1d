"""What the receiving server says of a sender: Authentication-Results (RFC 8601), read so that no sender can write in it.

Only the newest field of the trusted server counts. A verdict counts for the domain that it names: DMARC for the From domain
itself, DKIM and SPF for any domain of the same organisation (RFC 7489, 3.1).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import StrEnum


class Assurance(StrEnum):
    """What is said for a sender's address from outside the message."""

    SILENT = "silent"  # nobody says anything, and nobody was expected to
    REFUTED = "refuted"  # the server says that the mail is not from there
    FAILED = "failed"  # the server that could vouch does not
    PASSED = "passed"


def assurance(
    results: Iterable[str], trusted: str, address: str, signed_by: Collection[str] = ()
) -> Assurance:
    """`results` are the fields as they came, the newest first; `trusted` is the receiving server's authserv-id, '' where it
    writes none; `signed_by` the domains whose DKIM signature we verified ourselves, which counts where the server is silent.
    """
    domain = address.rpartition("@")[2].lower()
    if not domain or not address.isascii():
        return Assurance.FAILED if trusted else Assurance.SILENT
    if trusted:
        for result in results:
            server, verdicts = _read(result)
            if server == trusted.lower():
                return _judged(verdicts, domain)
    if any(aligned(signer, domain) for signer in signed_by):
        return Assurance.PASSED
    return Assurance.FAILED if trusted else Assurance.SILENT


_Verdict = tuple[str, str, Mapping[str, str]]  # method, result, properties

#: The properties that say which domain a method passed, the first that is given.
_PASSED_FOR = {"dkim": ("header.d", "header.i"), "spf": ("smtp.mailfrom",)}


def _judged(verdicts: Iterable[_Verdict], domain: str) -> Assurance:
    """What the verdicts say for the domain. A DMARC failure of that very domain is not overruled; without DMARC it takes both
    DKIM and SPF to fail for the organisation, since either breaks where mail is forwarded.
    """
    passed, doubtful, failed = False, False, set[str]()
    for method, result, stated in verdicts:
        named = next((stated[key] for key in _PASSED_FOR.get(method, ()) if key in stated), "")
        if method == "dmarc" and stated.get("header.from", "") == domain:
            if result == "fail":
                return Assurance.REFUTED
            doubtful |= result not in {"pass", "none"}
            passed |= result == "pass"
        elif aligned(named.rpartition("@")[2], domain):
            passed |= result == "pass"
            failed |= {method} if result == "fail" else set()
    if doubtful:
        return Assurance.FAILED
    if passed:
        return Assurance.PASSED
    return Assurance.REFUTED if failed == _PASSED_FOR.keys() else Assurance.FAILED


def _read(field: str) -> tuple[str, list[_Verdict]]:
    """The authserv-id and the verdicts of one field; nothing of a version other than 1."""
    # Some letters of other scripts become ASCII in lower case.
    server, *infos = _plain(field.encode("ascii", "replace").decode()).lower().split(";")
    words = server.split()
    if not words or words[1:] not in ([], ["1"]):
        return "", []
    return words[0], list(_verdicts(infos))


def _verdicts(infos: Iterable[str]) -> Iterator[_Verdict]:
    for info in infos:
        # Blanks first: a sender who writes thousands would make a search for them around `=` quadratic.
        words = re.sub(r" ?([=/]) ?", r"\1", " ".join(info.split())).split()
        method, equals, result = words[0].partition("=") if words else ("", "", "")
        if not equals:
            continue  # `none`
        stated: dict[str, str] = {}
        contradicted: set[str] = set()
        for word in words[1:]:
            name, _, value = word.partition("=")
            if stated.setdefault(name, value) != value:
                contradicted.add(name)
        kept = {name: value for name, value in stated.items() if name not in contradicted}
        yield method.partition("/")[0], result, kept


_SAFE = re.compile(r"[\w.@+-]+", re.ASCII)


def _plain(field: str) -> str:
    """A field without its comments; of quoted words, which the sender may have chosen, only those without any structure."""
    kept: list[str] = []
    word: list[str] = []
    depth, quoted, escaped = 0, False, False
    for char in field:
        if escaped:
            escaped = False
            word.append(char)
        elif char == "\\" and (depth or quoted):
            escaped = True
        elif quoted:
            quoted = char != '"'
            if quoted:
                word.append(char)
            else:
                kept.extend(word if _SAFE.fullmatch("".join(word)) else "?")
        elif char == '"' and not depth:
            quoted, word = True, []
        elif char == "(":
            depth += 1
            kept.append(" ")
        elif char == ")" and depth:
            depth -= 1
        elif not depth:
            kept.append(char)
    return "".join(kept)


def aligned(domain: str, other: str) -> bool:
    """Whether two domains belong to one organisation."""
    mine = organisation(domain)
    return bool(mine) and mine == organisation(other)


#: Under a country's top domain these are registries, not organisations (CNNIC's second level: trades and provinces).
_REGISTRIES = frozenset(
    (
        "ac co com edu gov mil net org gob ne or go re nom"
        " bj sh tj cq he sx nm ln jl hl js zj ah fj jx sd ha hb hn gd gx hi sc gz yn xz sn gs qh nx xj tw hk mo"
    ).split()
)
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_COUNTRY = 2


def organisation(domain: str) -> str:
    """The organisational domain, '' where a name has none. There is no list of public suffixes to look in: under a country
    code other than cn only the whole name is taken for certain, so that two owners are never one.
    """
    labels = domain.lower().rstrip(".").split(".")
    if len(labels) < 2 or not all(map(_LABEL.fullmatch, labels)) or labels[-1].isdigit():
        return ""
    if len(labels[-1]) > _COUNTRY:
        return ".".join(labels[-2:])
    if labels[-1] != "cn":
        return ".".join(labels)
    own = 3 if labels[-2] in _REGISTRIES else 2
    return ".".join(labels[-own:]) if len(labels) >= own else ""
