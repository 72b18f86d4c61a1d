"""What an office meets over the months: it was switched off, the mailbox was numbered anew, units came and went."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.journeys.world import (
    CITY,
    CITY_SCHOOL,
    COUNTY,
    DIRECT,
    FIFTH,
    FIRST,
    FOURTH,
    PROVINCE,
    SECOND,
    UNIVERSITY,
    World,
    buckets,
    ends,
    finished,
    moment,
    small_roster,
    without,
)
from workflow.domain.merge import Origin

if TYPE_CHECKING:
    from collections.abc import Callable


def came(world: World, when: str, raw: bytes) -> None:
    """A message that the mailbox received at a moment, whether or not anybody polls."""
    world.post(raw)
    world.servers.settle()
    world.servers.postmark(world.account, moment(when))


def test_after_weeks_of_downtime_every_deadline_is_acted_on_as_of_its_own_moment(opened: World) -> None:
    came(opened, "01-05 23:59", opened.reply(FIRST, opened.filled(FIRST)))
    came(opened, "01-06 00:01", opened.reply(SECOND, opened.filled(SECOND)))
    came(opened, "01-10 12:00", opened.reply(CITY_SCHOOL, opened.filled(CITY_SCHOOL)))
    opened.at("01-20 09:00")
    outcomes = opened.app.poll()
    assert ends(outcomes) == ["accepted", "late", "accepted"]
    done = opened.app.tick()
    assert not done.waiting
    packages = {package.unit: package for package in opened.app.store.packages("2026Q4")}
    assert {unit: package.reported_at for unit, package in packages.items()} == {
        COUNTY: moment("01-06 00:00"), DIRECT: moment("01-06 00:00"), CITY: moment("01-11 00:00"),
        UNIVERSITY: moment("01-11 00:00"), PROVINCE: moment("01-16 00:00"),
    }  # fmt: skip
    standings = opened.app.store.standings("2026Q4")
    origins = {unit: standing.origin for (unit, _), standing in standings.items()}
    assert (origins[FIRST], origins[SECOND], origins[CITY_SCHOOL]) == (
        Origin.NOT_REVIEWED, Origin.MISSING, Origin.NOT_REVIEWED,
    )  # fmt: skip
    events = opened.app.store.head()
    assert opened.app.tick().done == ()
    assert opened.app.store.head() == events


def test_a_deadline_waits_for_a_poll_and_acts_with_an_alarm_when_the_grace_is_over(opened: World) -> None:
    opened.at("01-05 12:00")
    opened.poll()
    opened.at("01-06 11:59")
    assert {due.package for due in opened.app.tick().waiting} >= {COUNTY, DIRECT}
    assert opened.status()["packages"]["county"] == {"open": 1}
    opened.at("01-06 12:00")
    assert {due.package for due in opened.app.tick().done} >= {COUNTY, DIRECT}
    assert opened.status()["packages"]["county"] == {"reported": 1}
    assert [
        matter
        for matter in opened.status()["staff"]
        if "中原区教育局" in matter and "没有成功收取邮件" in matter
    ]


def test_what_came_in_time_and_was_found_after_the_report_goes_to_staff(opened: World) -> None:
    opened.at("01-06 12:00")
    opened.app.tick()  # no poll succeeded, and the grace is over
    came(opened, "01-05 20:00", opened.reply(FIRST, opened.filled(FIRST)))
    came(opened, "01-05 21:00", opened.reply(SECOND, opened.filled(SECOND)))
    came(opened, "01-06 08:00", opened.reply(FOURTH, opened.filled(FOURTH)))
    assert ends(opened.app.poll()) == ["late", "late", "late"]
    found = [matter for matter in opened.status()["staff"] if "上报后才收取" in matter]
    assert {matter.partition("的")[0] for matter in found} == {"中原区第一小学", "中原区第二中心小学"}
    assert len(found) == 2
    assert opened.kinds(FIRST)[-1] == "late"


def test_a_mailbox_that_was_numbered_anew_is_looked_at_again_and_changes_nothing(opened: World) -> None:
    raw = opened.reply(FIRST, opened.filled(FIRST))
    opened.post(raw)
    assert buckets(opened.poll()) == ["submission"]
    cursor = opened.app.store.cursor(f"{opened.address}@127.0.0.1", "INBOX")
    assert cursor is not None
    opened.app.store.save_cursor(
        f"{opened.address}@127.0.0.1", "INBOX", type(cursor)(cursor.uidvalidity + 1, 999, cursor.polled_from)
    )
    assert buckets(opened.app.poll()) == []
    assert opened.status()["mail"]["received"] == 1
    assert opened.kinds(FIRST) == ["notice", "acknowledgement"]


def test_what_was_taken_in_is_moved_to_the_archive_folder(make_world: Callable[..., World]) -> None:
    world = make_world(settings={"imap.archive_folder": '"已收取"'})
    world.import_roster()
    world.open()
    world.send()
    world.post(world.reply(FIRST, world.filled(FIRST)))
    world.post(world.reply(SECOND, text=""))
    assert buckets(world.poll()) == ["submission", "empty"]
    assert world.servers.messages(world.account) == []
    with world.servers.imap(world.account) as box:
        assert box.select('"&XfJlNlPW-"')[1] == [b"2"]
    assert buckets(world.poll()) == []


def test_two_polls_at_once_take_each_message_in_once(opened: World) -> None:
    for unit in (FIRST, SECOND, FOURTH, FIFTH, CITY_SCHOOL, COUNTY):
        opened.post(opened.reply(unit, opened.filled(unit)))
    opened.servers.settle()
    opened.servers.postmark(opened.account, opened.now)
    opened.close()
    runs = [opened.start("poll") for _ in range(3)]
    assert {finished(run).code for run in runs} <= {0, 3}
    assert finished(opened.start("poll")).code == 0
    status = opened.status()
    assert status["mail"]["buckets"] == {"submission": 6}
    assert status["cases"] == {"issued": 9, "submitted": 6}
    assert len(opened.app.store.submissions("2026Q4")) == 6
    assert opened.app.store.verify_ledger().fault is None


def test_a_roster_that_lacks_a_unit_of_the_running_campaign_is_refused(opened: World) -> None:
    ran = opened.import_roster(without(small_roster(), FOURTH))
    assert ran.code == 2
    assert len(ran.faults) == 1
    assert FOURTH in ran.err
    opened.post(opened.reply(FOURTH, opened.filled(FOURTH)))
    assert ends(opened.poll()) == ["accepted"]


def test_a_unit_that_comes_in_the_middle_of_a_quarter_is_asked_when_the_campaign_is_opened_again(
    make_world: Callable[..., World],
) -> None:
    world = make_world()
    world.import_roster(without(small_roster(), FOURTH))
    world.open()
    world.import_roster()
    world.open()
    world.send()
    assert world.kinds(FOURTH) == ["notice"]
    assert sum(world.status()["cases"].values()) == len(small_roster().units)
