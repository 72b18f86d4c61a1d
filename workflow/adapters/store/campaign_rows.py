"""Campaigns become rows, and rows campaigns again with their calendar."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from workflow.adapters.store import tables as t
from workflow.adapters.store.copy import Entry
from workflow.domain.campaign import Calendar, Campaign, OwnDays, Period, is_period
from workflow.domain.events import canonical
from workflow.domain.roster import Level


def campaign_row(entry: Entry) -> dict[str, Any]:
    """The row of a campaign that is opened."""
    event = entry.event
    due = event.data.get("receipt_due")
    return {
        "id": event.stream.removeprefix("campaign:"),
        "seq": entry.seq,
        "opened_at": event.at,
        "forms": canonical(event.data["forms"]),
        "windows": canonical(event.data["windows"]),
        "receipt_due": dt.date.fromisoformat(due) if due else None,
        "calendar": canonical(event.data["calendar"]) if event.data.get("calendar") else "",
    }


def campaign_of(row: Any) -> Campaign:
    """A campaign from a row of its table."""
    windows = {Level(level): (first, last) for level, (first, last) in json.loads(row.windows).items()}
    said = json.loads(row.calendar) if row.calendar else {}
    own = {code: (first, last) for code, (first, last) in said.get("units", {}).items()}
    return Campaign(
        calendar_of(row.id, said), row.opened_at, json.loads(row.forms), windows, row.receipt_due,
        said.get("auto_report", True), own, tuple(said.get("remarks", ())),
    )  # fmt: skip


def calendar_of(campaign: str, said: Mapping[str, Any]) -> Calendar:
    """The days of a campaign: a quarter's by its id, a one-off's as they were when it was opened."""
    if is_period(campaign):
        return Period.parse(campaign)
    days = {key: dt.date.fromisoformat(said[key]) for key in ("earliest", "last_day", "review")}
    return OwnDays(campaign, said["name"], **days)


def opened_campaigns(connection: Connection) -> list[Campaign]:
    """All campaigns in the order in which they were opened."""
    return [campaign_of(row) for row in connection.execute(t.campaigns.select().order_by(t.campaigns.c.seq))]
