"""Real-world samples, where a package ships them: each is read and ends in one bucket.

Python ships its own e-mail tests with most builds; Debian's package of flufl.bounce ships the notices that its wheel leaves out.
"""

from __future__ import annotations

import email

import pytest
from flufl.bounce import all_failures

from tests.servers import samples
from workflow.adapters.mail.mime import parse


@pytest.mark.parametrize("package", samples.PACKAGES)
def test_every_sample_is_read_and_is_one_thing(package: str) -> None:
    for raw in samples.shipped(package).values():
        read = parse(raw)
        assert read.auto in {"", "auto_reply", "read_receipt", "bounce"}
        assert (read.auto == "bounce") is (read.bounce is not None)


def test_of_flufl_s_notices_nearly_all_are_found_with_whom_they_name() -> None:
    named = found = 0
    missed = []
    for name, raw in samples.shipped(samples.NOTICES).items():
        temporary, permanent = all_failures(email.message_from_bytes(raw))
        wanted = {address.decode().lower() for address in temporary | permanent}
        bounce = parse(raw).bounce
        named += bool(wanted)
        if wanted and bounce is not None and wanted <= set(bounce.recipients):
            found += 1
        elif wanted:
            missed.append(name)
    assert named > 80
    # The others are an automatic answer, a receipt and a person's message, to which no machine should point.
    assert found / named > 0.96, missed
