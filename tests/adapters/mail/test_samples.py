"""Real-world samples, where a package ships them: each is read and ends in one bucket.

Python ships its own e-mail tests with most builds. flufl.bounce ships its notices with its source distribution only: unpacked
somewhere, `BOUNCE_SAMPLES` names the folder.
"""

from __future__ import annotations

import email
import importlib.util
import os
from pathlib import Path

import pytest
from flufl.bounce import all_failures

from workflow.adapters.mail.mime import parse


def shipped() -> list[Path]:
    try:
        found = importlib.util.find_spec("test.test_email")
    except ModuleNotFoundError:
        return []
    folder = Path(found.origin).parent / "data" if found and found.origin else Path("/nonexistent")
    return sorted(folder.glob("msg_*.txt"))


def notices() -> list[Path]:
    folder = os.environ.get("BOUNCE_SAMPLES", "")
    return sorted(Path(folder).glob("*.txt")) if folder else []


SAMPLES = [*shipped(), *notices()]


@pytest.mark.skipif(not SAMPLES, reason="no package here ships samples")
@pytest.mark.parametrize("sample", SAMPLES or [Path("none")], ids=lambda path: path.name)
def test_every_sample_is_read_and_is_one_thing(sample: Path) -> None:
    read = parse(sample.read_bytes())
    assert read.auto in {"", "auto_reply", "read_receipt", "bounce"}
    assert (read.auto == "bounce") is (read.bounce is not None)


@pytest.mark.skipif(not notices(), reason="BOUNCE_SAMPLES names no folder")
def test_of_flufl_s_notices_nearly_all_are_found_with_whom_they_name() -> None:
    named = found = 0
    for sample in notices():
        raw = sample.read_bytes()
        temporary, permanent = all_failures(email.message_from_bytes(raw))
        wanted = {address.decode().lower() for address in temporary | permanent}
        bounce = parse(raw).bounce
        named += bool(wanted)
        found += bool(wanted) and bounce is not None and wanted <= set(bounce.recipients)
    # The others are an automatic answer, a receipt and a person's message, to which no machine should point.
    assert found / named > 0.96
