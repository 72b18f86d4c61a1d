"""How long personal data are kept: off until a period is set, and never what the campaigns at work need."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from workflow.domain.campaign import SHANGHAI, Campaign, OwnDays, Period
from workflow.domain.retention import Kind, at_work, closed, cut_offs


def on(year: int, month: int, day: int) -> dt.datetime:
    return dt.datetime(year, month, day, 8, tzinfo=SHANGHAI)


OPENED = {"2026Q3": on(2026, 9, 1), "2026Q4": on(2026, 12, 1), "2027Q1": on(2027, 3, 1)}
CAMPAIGNS = [Campaign(Period.parse(name), at, {}, {}, None) for name, at in OPENED.items()]
NOW = on(2027, 5, 1)


def test_without_a_period_nothing_is_erased() -> None:
    assert cut_offs(dict.fromkeys(Kind, 0), None, CAMPAIGNS, NOW) == {}


def test_a_kind_goes_after_its_days_and_never_from_after_the_opening_of_the_campaign_before() -> None:
    days = {Kind.MAIL: 365, Kind.ANSWERS: 30, Kind.BOOKS: 0}
    assert cut_offs(days, None, CAMPAIGNS, NOW) == {Kind.MAIL: on(2026, 5, 1), Kind.ANSWERS: OPENED["2026Q4"]}


def test_a_date_that_staff_name_is_bounded_in_the_same_way() -> None:
    early, late = on(2026, 8, 1), on(2027, 4, 1)
    needed = set(Kind) - {Kind.ACCOUNTS}

    def bounds(before: dt.datetime, campaigns: list[Campaign]) -> set[dt.datetime]:
        found = cut_offs({}, before, campaigns, NOW)
        return {found[kind] for kind in needed}

    assert bounds(early, CAMPAIGNS) == {early}
    assert bounds(late, CAMPAIGNS) == {OPENED["2026Q4"]}
    assert bounds(late, CAMPAIGNS[:1]) == {OPENED["2026Q3"]}
    assert bounds(late, []) == {late}


def test_no_campaign_stands_on_accounts_that_nobody_signed_for() -> None:
    late = on(2027, 4, 1)
    assert cut_offs({}, late, CAMPAIGNS, NOW)[Kind.ACCOUNTS] == late
    assert cut_offs({Kind.ACCOUNTS: 10}, None, CAMPAIGNS, NOW) == {Kind.ACCOUNTS: on(2027, 4, 21)}


def test_a_campaign_is_closed_once_the_next_was_opened_and_it_is_not_at_work() -> None:
    assert [known.id for known in at_work(CAMPAIGNS)] == ["2026Q4", "2027Q1"]
    assert [known.id for known in closed(CAMPAIGNS, on(2026, 12, 1))] == ["2026Q3"]
    assert closed(CAMPAIGNS, on(2026, 11, 30)) == []
    assert closed(CAMPAIGNS[:2], NOW) == []


def test_a_one_off_beside_the_quarter_does_not_push_the_last_quarter_out() -> None:
    days = OwnDays("2027专项", "专项", dt.date(2027, 3, 1), dt.date(2027, 3, 31), dt.date(2027, 3, 1))
    quarters = [replace(one, forms={"school": "a"}) for one in CAMPAIGNS]
    extra = Campaign(days, on(2027, 3, 10), {"extra": "b"}, {}, None)
    assert [known.id for known in at_work([*quarters, extra])] == ["2026Q4", "2027Q1", "2027专项"]
    later = Campaign(Period(2027, 2), on(2027, 6, 10), {"school": "a"}, {}, None)
    last = Campaign(Period(2027, 3), on(2027, 9, 10), {"school": "a"}, {}, None)
    assert [known.id for known in at_work([*quarters, extra, later, last])] == ["2027Q2", "2027Q3"]
