"""The kinds of columns that the tables are made of."""

from __future__ import annotations

import datetime as dt
import functools
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Dialect, Integer, String, Text, TypeDecorator, text

from workflow.domain.campaign import SHANGHAI


class Instant(TypeDecorator[dt.datetime]):
    """A moment: stored as UTC text such as `2026-12-31T16:00:00.000000Z`, answered in Asia/Shanghai."""

    impl = String(27)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else _in_utc(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> dt.datetime | None:  # noqa: ARG002
        return None if value is None else dt.datetime.fromisoformat(value).astimezone(SHANGHAI)


@functools.lru_cache(maxsize=256)
def _in_utc(value: dt.datetime) -> str:
    """The events of a batch mostly have one moment."""
    return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")


class Words(TypeDecorator[str]):
    """Text that people wrote, without NUL, which mail may hold and PostgreSQL does not store."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return value.replace("\x00", "�") if value and "\x00" in value else value


def key(name: str, kind: Any = Text) -> Column[Any]:
    """A part of the primary key."""
    return Column(name, kind, primary_key=True, autoincrement=False)


def word(name: str) -> Column[str]:
    """Text that may be empty and is never null."""
    return Column(name, Words, nullable=False, server_default="")


def count(name: str) -> Column[int]:
    """A number that begins at nought."""
    return Column(name, Integer, nullable=False, server_default="0")


def place(name: str) -> Column[int]:
    """A place in the ledger."""
    return Column(name, BigInteger, nullable=False, server_default="0")


def flag(name: str) -> Column[bool]:
    """Yes or no, no at first."""
    return Column(name, Boolean, nullable=False, server_default=text("false"))
