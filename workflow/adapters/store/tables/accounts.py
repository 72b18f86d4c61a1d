"""Accounts 账号 on their way: where each unit's stand, and under which names a unit was known in the old system. No secrets."""

from __future__ import annotations

from sqlalchemy import Column, Table

from workflow.adapters.store.columns import Instant, count, flag, key, word
from workflow.adapters.store.tables.schema import metadata

#: A row for each unit of which the ministry's list has accounts; see domain.accounts.AccountStanding.
account_standings = Table(
    "account_standings",
    metadata,
    key("unit"),
    count("count"),
    flag("shared"),
    word("names"),
    Column("listed_at", Instant),
    word("letter"),
    Column("sent_at", Instant),
    Column("confirmed_at", Instant),
    word("confirmed_by"),
    word("rung"),
    count("events"),
)

#: The names of a unit's accounts in the old system 一期系统, under which its older data stand.
aliases = Table("aliases", metadata, key("alias"), key("unit"))
