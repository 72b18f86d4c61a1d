"""The quarter's machine of tests/process/test_quarter_machine.py, played longer than quick tests may."""

from __future__ import annotations

from tests.process.test_quarter_machine import Opened, opened, played

__all__ = ["opened"]  # the fixture


def test_many_orders_of_mail_decisions_and_ticks(opened: Opened) -> None:
    played(opened, 20)
