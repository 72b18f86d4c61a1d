"""`ingest DIR --json` over any files whatever: as many lines as files, one bucket each, exit code 0 or 1."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.journeys.world import Ran, configured, huizhi, letter, moment
from tests.servers import samples
from workflow.app import App
from workflow.cli.workspace import make_workspace
from workflow.domain.submission import Bucket
from workflow.process.intake import Raw

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUCKETS = {bucket.value for bucket in Bucket} - {Bucket.FAILED.value}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    folder = tmp_path_factory.mktemp("office")
    make_workspace(folder, configured({"reader.workers": "1"}))
    made = App(folder, lambda: moment("12-12 12:00"))
    yield made
    made.close()


def ingested(office: App, folder: Path, raws: list[bytes]) -> list[dict[str, object]]:
    folder.mkdir(parents=True, exist_ok=True)
    for number, raw in enumerate(raws):
        (folder / f"{number:05d}.eml").write_bytes(raw)
    ran: Ran = huizhi("--workspace", office.workspace, "ingest", folder, "--json")
    assert ran.code in {0, 1}, ran.err
    lines = [json.loads(line) for line in ran.lines]
    assert [line["file"] for line in lines] == [str(folder / f"{n:05d}.eml") for n in range(len(raws))]
    assert {str(line["bucket"]) for line in lines} <= BUCKETS
    return lines


@pytest.mark.parametrize("package", samples.PACKAGES)
def test_mail_that_packages_ship_for_their_own_tests(office: App, tmp_path: Path, package: str) -> None:
    raws = list(samples.shipped(package).values())
    assert len(raws) > 20
    assert len(ingested(office, tmp_path / "mail", raws)) == len(raws)


def test_the_same_file_twice_an_empty_one_and_one_in_a_folder_below_have_a_line_each(
    office: App, tmp_path: Path
) -> None:
    folder = tmp_path / "mail"
    (folder / "下级").mkdir(parents=True)
    (folder / "下级" / "没有后缀").write_bytes(letter("a@school.test", "huizhi@huizhi.test", "问", "一"))
    (folder / "再来一份.txt").write_bytes(letter("a@school.test", "huizhi@huizhi.test", "问", "一"))
    (folder / "空.eml").write_bytes(b"")
    (folder / "断了").symlink_to(folder / "没有")
    ran = huizhi("--workspace", office.workspace, "ingest", folder, "--json")
    assert ran.code in {0, 1}
    lines = [json.loads(line) for line in ran.lines]
    assert len(lines) == 3
    assert len({line["sha256"] for line in lines}) == 2


_NAMES = st.sampled_from(
    ["From", "To", "Subject", "Content-Type", "Content-Transfer-Encoding", "MIME-Version", "In-Reply-To", "References",
     "Auto-Submitted", "Content-Disposition", "X-Huizhi-Letter", "Date", "Return-Path", "Sender"]
)  # fmt: skip
_VALUES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [
            b"multipart/mixed; boundary=x", b"multipart/report; report-type=delivery-status; boundary=\"x\"",
            b"message/rfc822", b"text/html; charset=gb18030", b"text/plain; charset=\xff", b"base64", b"quoted-printable",
            b"=?gbk?B?////?=", b"=?utf-8?Q?=?=", b"<a@b>, <c@d>", b"<" * 50, b"auto-replied", b"application/ms-tnef",
            b"attachment; filename*=gb18030''%ff%fe", b"application/octet-stream; name=\"a.xlsx\"", b"bounce@a.test",
        ]
    ),
)  # fmt: skip
_LINES = st.lists(st.tuples(_NAMES, _VALUES), max_size=8).map(
    lambda lines: b"".join(name.encode() + b": " + value + b"\r\n" for name, value in lines)
)
_PARTS = st.lists(st.tuples(_LINES, st.binary(max_size=80)), max_size=4).map(
    lambda parts: b"".join(b"--x\r\n" + head + b"\r\n" + body + b"\r\n" for head, body in parts)
)
MADE_UP = st.one_of(
    st.binary(max_size=300), st.tuples(_LINES, _PARTS).map(lambda both: both[0] + b"\r\n" + both[1])
)


@given(st.lists(MADE_UP, min_size=1, max_size=20))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_end_in_one_bucket(office: App, raws: list[bytes]) -> None:
    before = office.store.mail_counts()
    outcomes = office.intake().take([Raw(raw, moment("12-12 09:00")) for raw in raws])
    assert {str(outcome.bucket) for outcome in outcomes} <= BUCKETS
    after = office.store.mail_counts()
    assert after.received == sum(after.buckets.values()) == before.received + len(outcomes)


def test_an_empty_file_before_all_others_breaks_nothing(office: App, tmp_path: Path) -> None:
    raw = letter(
        "b@school.test", "huizhi@huizhi.test", "空", "见附件", [("空.xlsx", b""), ("坏.xlsx", b"PK")]
    )
    [line] = ingested(office, tmp_path / "mail", [raw])
    assert line["bucket"] == "unmatched"


def test_real_mail_with_bytes_knocked_out_ends_in_one_bucket(office: App, tmp_path: Path) -> None:
    chance = random.Random(11)
    seeds = [raw for raw in samples.shipped(samples.PYTHON).values() if raw]
    raws = []
    for number in range(300):
        raw = bytearray(seeds[number % len(seeds)])
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(raw) + 1)
            raw[at : at + chance.randint(0, 9)] = chance.randbytes(chance.randint(0, 6))
        raws.append(bytes(raw))
    assert len(ingested(office, tmp_path / "mail", raws)) == 300
