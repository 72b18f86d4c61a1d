"""Who is speaking: what the receiving server says, and the level of trust that it makes with address, token and thread."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow.domain.authentication import Assurance, aligned, assurance, organisation
from workflow.domain.trust import MAY, Act, Effect, Trust, level, may

ADDRESS, SERVER = "review@county.test", "mx.example.org"


def said(*results: str, address: str = ADDRESS, signed_by: tuple[str, ...] = ()) -> Assurance:
    return assurance(results, SERVER, address, signed_by)


@pytest.mark.parametrize(
    "result",
    [
        "mx.example.org; dmarc=pass header.from=county.test",
        "mx.example.org 1; dkim=pass header.d=county.test header.s=s1; spf=fail smtp.mailfrom=x@evil.test",
        "mx.example.org; spf=pass (sender is allowed) smtp.mailfrom=bounce@county.test",
        "mx.example.org; spf=pass smtp.mailfrom=county.test; dkim=none",
        "mx.example.org;\r\n\tdkim=fail header.d=evil.test;\r\n\tdkim=pass header.d=county.test",
        "MX.Example.Org; DMARC=Pass header.from=County.test",
        "mx.example.org; dkim=pass header.i=@county.test",
        # One organisation, comments anywhere, versions, quoted words, blanks about the signs.
        "mx.example.org; dkim=pass header.d=mail.county.test",
        "(a) mx.example.org (b) 1 (c); dmarc/1 = pass (p=none (x)) header.from (y) = county.test",
        'mx.example.org; dkim=pass reason="good; signature" header.d="county.test"',
        "mx.example.org; dmarc=none header.from=county.test; spf=pass smtp.mailfrom=x@county.test",
        "mx.example.org; none; dmarc=pass header.from=county.test",
    ],
)
def test_a_sender_is_vouched_for_when_the_passed_domain_is_its_organisation_s(result: str) -> None:
    assert said(result) is Assurance.PASSED


@pytest.mark.parametrize(
    "results",
    [
        [],
        ["mx.example.org; none"],
        ["mx.example.org; spf=pass smtp.mailfrom=x@evil.test"],
        # Passed for one domain, failed for ours: the two verdicts are not one.
        ["mx.example.org; dkim=pass header.d=evil.test; dkim=fail header.d=county.test"],
        [
            "mx.example.org; spf=pass smtp.mailfrom=evil.test; dkim=fail header.d=county.test smtp.mailfrom=county.test"
        ],
        ["mx.example.org; dmarc=bestguesspass header.from=county.test"],
        ["mx.example.org; x-dmarc=pass header.from=county.test"],
        # What the sender can put into comments and quoted words is no verdict.
        ["mx.example.org; spf=fail (dmarc=pass header.from=county.test) smtp.mailfrom=x@evil.test"],
        ["mx.example.org; spf=fail (a; dmarc=pass header.from=county.test) smtp.mailfrom=x@evil.test"],
        ['mx.example.org; spf=fail smtp.mailfrom="; dmarc=pass header.from=county.test"@evil.test'],
        ['mx.example.org; spf=fail smtp.mailfrom="x; dmarc=pass header.from=county.test"@evil.test'],
        ['mx.example.org; spf=pass smtp.mailfrom="x smtp.mailfrom=a@county.test"@evil.test'],
        ['mx.example.org; spf=pass smtp.mailfrom="a@county.test"@evil.test'],
        [r"mx.example.org; spf=fail (\); dmarc=pass header.from=county.test) smtp.mailfrom=x@evil.test"],
        [r'mx.example.org; spf=fail smtp.mailfrom="\"; dmarc=pass header.from=county.test; x"@evil.test'],
        # Another server's word, and one that the sender wrote below the server's own.
        ["mx.evil.test; dmarc=pass header.from=county.test"],
        ["mx.example.org.evil.test; dmarc=pass header.from=county.test"],
        ["mx.example.org; dmarc=pass header.from=sub.county.test"],
        ["mx.example.org; dkim=pass header.d=county.test header.d=evil.test"],
        ["mx.example.org; spf=pass smtp.helo=county.test"],
        ["mx.example.org 2; dmarc=pass header.from=county.test"],
        # Letters that only look like ours, one of which is ours in lower case.
        ["mx.example.org; dkim=pass header.d=сounty.test"],
        ["mx.example.org; dmarc=pass header.from=ｃounty.test"],
    ],
)
def test_a_forged_or_foreign_verdict_vouches_for_nobody(results: list[str]) -> None:
    assert said(*results) is Assurance.FAILED


@pytest.mark.parametrize(
    "results",
    [
        ["mx.example.org; dmarc=fail (p=none) header.from=county.test"],
        ["mx.example.org; dkim=pass header.d=evil.test; dmarc=fail header.from=county.test"],
        # The server's own policy is not overruled by a signature beside it, nor by what the sender wrote below.
        ["mx.example.org; dkim=pass header.d=county.test; dmarc=fail header.from=county.test"],
        [
            "mx.example.org; dmarc=fail header.from=county.test",
            "mx.example.org; dmarc=pass header.from=county.test",
        ],
        ["mx.example.org; spf=fail smtp.mailfrom=x@county.test; dkim=fail header.d=mail.county.test"],
    ],
)
def test_a_server_that_says_it_is_not_from_there_refutes_the_sender(results: list[str]) -> None:
    assert said(*results) is Assurance.REFUTED


@pytest.mark.parametrize(
    "result",
    [
        "mx.example.org; dmarc=temperror header.from=county.test",
        "mx.example.org; dmarc=fail header.from=evil.test",
        # Forwarded mail breaks either.
        "mx.example.org; spf=fail smtp.mailfrom=x@county.test",
        "mx.example.org; dkim=fail header.d=county.test; spf=softfail smtp.mailfrom=x@county.test",
        "mx.example.org; dkim=fail header.d=evil.test; spf=fail smtp.mailfrom=x@evil.test",
        "mx.evil.test; dmarc=fail header.from=county.test",
    ],
)
def test_less_than_that_is_silence(result: str) -> None:
    assert said(result) is Assurance.FAILED


def test_a_kelvin_sign_is_no_k() -> None:
    passed = "mx.example.org; dkim=pass header.d=\u212aounty.test"
    assert said(passed, address="a@kounty.test") is Assurance.FAILED
    assert said(passed, address="a@\u212aounty.test") is Assurance.FAILED


@pytest.mark.parametrize("filling", ["(", "(a)", " ", "\t ", " = ", "/ "])
def test_many_fields_full_of_blanks_and_comments_cost_a_moment_each(filling: str) -> None:
    fields = ["mx.office.test; " + filling * (8000 // len(filling))] * 40
    before = time.process_time()
    assert assurance(fields, "mx.elsewhere.test", "a@school.test") is Assurance.FAILED
    assert time.process_time() - before < 10  # quadratic: a minute


def test_where_the_server_writes_no_verdicts_nothing_is_held_against_the_sender() -> None:
    assert assurance([], "", ADDRESS) is Assurance.SILENT


def test_a_verified_signature_counts_where_the_server_is_silent_and_not_against_its_word() -> None:
    assert said(signed_by=("mail.county.test",)) is Assurance.PASSED
    assert assurance([], "", ADDRESS, ("county.test",)) is Assurance.PASSED
    assert said(signed_by=("evil.test",)) is Assurance.FAILED
    assert (
        said("mx.example.org; dmarc=fail header.from=county.test", signed_by=("county.test",))
        is Assurance.REFUTED
    )


@given(st.text(max_size=200))
def test_no_bytes_in_one_value_of_a_failed_verdict_vouch(value: str) -> None:
    """Whatever address the sender gives, correctly quoted by the server."""
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    assert said(f'mx.example.org; spf=fail smtp.mailfrom="{quoted}"@evil.test') is Assurance.FAILED


@pytest.mark.parametrize(
    ("domain", "organisation_"),
    [
        ("mail.school.edu.cn", "school.edu.cn"),
        ("school.zz.ha.cn", "zz.ha.cn"),
        ("a.b.163.com", "163.com"),
        ("school.cn", "school.cn"),
        ("edu.cn", ""),
        ("gov.cn", ""),
        ("one.co.uk", "one.co.uk"),
        ("two.one.co.uk", "two.one.co.uk"),  # nothing under a country whose registries nobody listed
        ("localhost", ""),
        ("127.0.0.1", ""),
        ("a..test", ""),
    ],
)
def test_the_organisation_of_a_domain(domain: str, organisation_: str) -> None:
    assert organisation(domain) == organisation_


def test_two_offices_under_one_registry_are_not_one_organisation() -> None:
    assert not aligned("east.gov.cn", "west.gov.cn")
    assert not aligned("", "")


@pytest.mark.parametrize(
    ("address", "word", "registered", "tied", "trust"),
    [
        ("", Assurance.PASSED, False, True, Trust.UNKNOWN),
        ("x@home.test", Assurance.PASSED, False, False, Trust.STRANGER),
        ("x@home.test", Assurance.PASSED, False, True, Trust.ROUTED),
        (ADDRESS, Assurance.SILENT, True, False, Trust.NAMED),
        (ADDRESS, Assurance.FAILED, True, False, Trust.DOUBTED),
        (ADDRESS, Assurance.FAILED, True, True, Trust.DOUBTED),
        (ADDRESS, Assurance.SILENT, True, True, Trust.TIED),
        (ADDRESS, Assurance.PASSED, True, False, Trust.VOUCHED),
    ],
)
def test_the_level_of_a_sender(
    address: str, word: Assurance, registered: bool, tied: bool, trust: Trust
) -> None:
    assert level(address, word, registered=registered, tied=tied) is trust


def test_a_token_alone_decides_nothing_and_a_from_alone_neither() -> None:
    for trust in (Trust.FORGED, Trust.UNKNOWN, Trust.STRANGER, Trust.ROUTED, Trust.DOUBTED, Trust.NAMED):
        for act in (Act.NO_CHANGE, Act.DECISION, Act.ASSENT, Act.SIGNATURE):
            assert may(trust, act) in {Effect.HELD, Effect.NOTHING}


def test_an_address_that_another_took_the_place_of_brings_data_and_decides_nothing() -> None:
    row = MAY[Trust.REPLACED]
    assert {act for act in Act if row[act] is Effect.COUNTS} == {Act.DATA, Act.NO_CHANGE, Act.ANSWER}
    assert row[Act.RECEIPT] is Effect.NOTED
    assert {row[act] for act in (Act.DECISION, Act.WITHDRAWAL, Act.ASSENT)} == {Effect.NOTHING}
    assert level(ADDRESS, Assurance.SILENT, registered=True, tied=True, replaced=True) is Trust.REPLACED


def test_more_trust_never_lets_less_happen() -> None:
    """Levels stand from the least. Data are another matter: without a token nobody knows whose they are."""
    order = [Effect.NOTHING, Effect.STAFF, Effect.HELD, Effect.NOTED, Effect.COUNTS]
    for act in Act:
        if act is not Act.DATA:
            reached = [order.index(MAY[trust][act]) for trust in (Trust.STRANGER, *list(Trust)[5:])]
            assert act is Act.DECISION or reached == sorted(reached), act
