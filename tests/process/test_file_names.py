"""A unit's name in a consolidated workbook's file name: whatever it is, it stays one name in its own folder."""

from __future__ import annotations

import pytest

from workflow.process.consolidate import in_a_file_name


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("中牟县教育局", "中牟县教育局"),
        ("中牟县教育局/电教馆", "中牟县教育局_电教馆"),
        ("../../../PWN/县", "_.._.._PWN_县"),
        ('a<b>|c:"?*\\d', "a_b__c_____d"),
        (" .. ", "_"),
        ("县" * 90, "县" * 40),
    ],
)
def test_a_name_is_written_so_that_every_file_system_takes_it(name: str, written: str) -> None:
    assert in_a_file_name(name) == written
