"""Letters and a relay that defers, throttles, hangs up and dies at each stage of the dialogue; and SIGKILL in each window.

What a letter looks like on the way with a relay that behaves, Postfix shows in the other journeys.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from contextlib import closing
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tests.journeys.test_command_line import Office
from tests.journeys.world import UNITS, administrator, finished, letter
from tests.process.outboxes import OWN, Outbox
from tests.servers.relay import Die, Drop, FakeRelay, Hold, Say, misbehaving
from workflow.adapters.mail.smtp import Relay, RelaySettings
from workflow.domain.errors import OutsideFailed
from workflow.domain.refusals import Stage
from workflow.process.delivery import DOUBT_WAIT
from workflow.process.dispatch import DOUBT, Sent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.journeys.world import World
    from tests.servers.relay import Act

TO = "a@school.test"
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def relay() -> Iterator[FakeRelay]:
    with misbehaving() as made:
        yield made


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    made = Outbox(tmp_path)
    yield made
    made.close()


def send(outbox: Outbox, relay: FakeRelay, user: str = "", password: str = "", **more: Any) -> Sent | str:
    """A pass; the words of the failure where the relay is out of reach."""
    settings = RelaySettings(relay.host, relay.port, "none", user, password, timeout=10, **more)
    with closing(Relay(settings)) as connection:
        try:
            return outbox.send(connection)
        except OutsideFailed as failure:
            return failure.fault.what


#: What happens at a stage, once; what becomes of the letter; whether the account rests; how often it has arrived.
ONCE = [
    (Stage.GREETING, Say("421 HL:ICC"), "queued", True, 0),
    (Stage.GREETING, Say("554 no service"), "queued", True, 0),
    (Stage.GREETING, Drop(), "queued", False, 0),
    (Stage.HELLO, Say("502 EHLO not known"), "sent", False, 1),
    (Stage.HELLO, Drop(), "queued", False, 0),
    (Stage.SENDER, Say("451 MI:SFQ"), "queued", True, 0),
    (Stage.SENDER, Say("550 5.4.5 Daily user sending limit exceeded"), "queued", True, 0),
    (Stage.SENDER, Say("421 4.3.2 idle"), "sent", False, 1),
    (Stage.SENDER, Drop(), "sent", False, 1),
    (Stage.RECIPIENT, Say("450 4.2.0 greylisted"), "deferred", False, 0),
    (Stage.RECIPIENT, Say("550 5.1.1 user unknown"), "failed", False, 0),
    (Stage.RECIPIENT, Say("550 Ip frequency limited"), "queued", True, 0),
    (Stage.RECIPIENT, Say("550 no"), "deferred", False, 0),
    (Stage.RECIPIENT, Drop(), "sent", False, 1),
    (Stage.DATA, Say("451 4.3.0 try again"), "deferred", False, 0),
    (Stage.DATA, Say("550 RP:TRC"), "queued", True, 0),
    (Stage.DATA, Drop(), "deferred", False, 0),
    (Stage.END, Say("452 4.3.1 storage"), "deferred", False, 0),
    (Stage.END, Say("552 5.3.4 too large"), "failed", False, 0),
    (Stage.END, Say("554 DT:SPM"), "deferred", False, 0),
    (Stage.END, Say("550 Sender frequency limited"), "queued", True, 0),
    (Stage.END, Drop(), "attempted", False, 0),
    (Stage.END, Drop(taken=True), "attempted", False, 1),
    (Stage.SENDER, Die(), "deferred", False, 0),
    (Stage.RECIPIENT, Die(), "deferred", False, 0),
    (Stage.DATA, Die(), "deferred", False, 0),
    (Stage.END, Die(), "attempted", False, 0),
]


def named(row: tuple[Stage, Act, str, bool, int]) -> str:
    stage, act, *_ = row
    return f"{stage} {act.reply if isinstance(act, Say) else type(act).__name__}"


@pytest.mark.parametrize(("stage", "act", "state", "rests", "arrived"), ONCE, ids=map(named, ONCE))
def test_what_happens_at_a_stage_has_its_outcome_and_in_the_end_the_letter_arrives(
    outbox: Outbox, relay: FakeRelay, stage: Stage, act: Act, state: str, rests: bool, arrived: int
) -> None:
    outbox.queue(TO)
    relay.plan(stage, act)
    send(outbox, relay)
    assert (outbox.letter(TO).state, len(relay.taken)) == (state, arrived)
    pause = outbox.store.relay_pause(outbox.terms.relay)
    assert (pause is not None) == rests
    outbox.now = pause.until if pause else outbox.now + HOUR
    relay.start()
    send(outbox, relay)
    in_doubt = state == "attempted"
    assert len(relay.taken) == (0 if state == "failed" else arrived + 1 if in_doubt else 1)
    assert len({letter.raw for letter in relay.taken}) <= 1  # again as it was, byte for byte


def test_a_relay_that_hangs_up_at_every_letter_defers_one_and_keeps_the_others(
    outbox: Outbox, relay: FakeRelay
) -> None:
    outbox.queue("a@x.test", "b@x.test", "c@x.test")
    relay.always[Stage.RECIPIENT] = Drop()
    assert "连接中断" in str(send(outbox, relay))
    assert list(outbox.states().values()) == ["deferred", "queued", "queued"]


def test_a_relay_that_takes_no_greeting_rests_and_has_heard_of_no_letter(
    outbox: Outbox, relay: FakeRelay
) -> None:
    outbox.queue(TO)
    relay.always[Stage.HELLO] = Say("421 4.3.2 busy")
    seen = send(outbox, relay)
    assert isinstance(seen, Sent)
    assert seen.pause is not None
    assert outbox.kinds(TO) == ["queued"]


def test_fifty_thousand_contacts_survive_a_relay_that_has_had_enough(
    outbox: Outbox, relay: FakeRelay
) -> None:
    outbox.queue(*(f"p{n}@x.test" for n in range(60)))
    relay.always[Stage.RECIPIENT] = Say("550 Domain frequency limited")
    for _ in range(20):
        send(outbox, relay)
        outbox.now += HOUR
    assert outbox.store.failed_letters("2026Q4") == []
    assert relay.reached[Stage.RECIPIENT] < 20
    assert set(outbox.states().values()) == {"queued"}


def test_a_wrong_password_rests_and_is_not_tried_again_at_every_turn(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    outbox.queue(TO)
    with misbehaving("right") as relay:
        for _ in range(5):
            seen = send(outbox, relay, "huizhi", "wrong")
            assert isinstance(seen, Sent)
            assert seen.pause is not None
            assert "535" in seen.pause.reply
        assert relay.reached[Stage.GREETING] == 1
        outbox.now += HOUR
        send(outbox, relay, "huizhi", "right")
        assert [letter.to for letter in relay.taken] == [TO]
    outbox.close()


def test_many_letters_share_a_connection_and_a_provider_may_want_several(
    outbox: Outbox, relay: FakeRelay
) -> None:
    outbox.queue(*(f"p{n:02d}@x.test" for n in range(30)))
    send(outbox, relay)
    assert (len(relay.taken), relay.reached[Stage.GREETING]) == (30, 1)
    outbox.queue(*(f"q{n:02d}@x.test" for n in range(30)))
    send(outbox, relay, per_connection=10)
    assert (len(relay.taken), relay.reached[Stage.GREETING]) == (60, 4)
    outbox.queue(*(f"r{n:02d}@x.test" for n in range(3)))
    relay.plan(Stage.SENDER, Say("450 MI:DMC"))
    send(outbox, relay)
    assert (len(relay.taken), relay.reached[Stage.GREETING]) == (62, 6)


def test_bytes_go_over_the_wire_as_they_were_queued_even_where_they_name_a_file(
    outbox: Outbox, relay: FakeRelay, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("password", encoding="utf-8")
    raws = [
        f"Subject: x\r\n\r\n{secret}".encode() + b"\r\n",
        f"{secret}\r\n".encode(),
        b"\r\n.\r\n..\r\n.a\r\n\r\n.\r\n",
        b".begins\r\n\r\nwith a dot\r\n" + bytes(range(128, 256)) + b"\r\n",
    ]
    settings = RelaySettings(relay.host, relay.port, "none", timeout=10)
    with Relay(settings) as connection:
        for raw in raws:
            connection.send(OWN, TO, raw)
    assert [letter.raw for letter in relay.taken] == raws
    assert {(letter.sender, letter.to) for letter in relay.taken} == {(OWN, TO)}


# --- SIGKILL --------------------------------------------------------------------------------------------------------


def offline(tmp_path: Path, relay: FakeRelay, **settings: str) -> Office:
    """A workspace whose campaign is open and whose relay is at the test's mercy."""
    nowhere: Any = SimpleNamespace(imap_port=1, smtp_port=relay.port)
    changes = {"imap.password_env": '""', "reader.workers": "1", "smtp.sent_folder": '""', **settings}
    office = Office(tmp_path / "workspace", nowhere, {}, settings=changes)
    office.import_roster()
    office.open()
    office.at("12-12 11:00")
    asking = [letter(administrator(unit.code), office.address, "咨询", "请问怎样填报？") for unit in UNITS]
    office.ingest(*asking)  # each is answered: more letters than can be in doubt at once
    office.close()
    return office


def killed_at(world: World, relay: FakeRelay, stage: Stage, after: int, *, taken: bool = False) -> None:
    """Kill `send` at a stage of the letter that follows so many others."""
    for _ in range(after):
        relay.plan(stage, Say(""))
    hold = Hold(taken)
    relay.plan(stage, hold)
    process = world.start("send")
    assert hold.reached.wait(30), finished(process).err
    process.kill()
    process.communicate()
    hold.go.set()


#: Where the process is killed: the stage, after how many letters; how many are in doubt; how many arrive twice.
WINDOWS = [
    (Stage.GREETING, 0, False, 0, 0),
    (Stage.SENDER, 0, False, DOUBT, 0),
    (Stage.RECIPIENT, 0, False, DOUBT, 0),
    (Stage.DATA, 0, False, DOUBT, 0),
    (Stage.END, 0, False, DOUBT, 0),
    (Stage.END, 0, True, DOUBT, 1),
    (Stage.SENDER, 3, False, DOUBT, 3),
    (Stage.END, 3, True, DOUBT, 4),
    (Stage.SENDER, DOUBT, False, None, 0),
]


@pytest.mark.parametrize(("stage", "after", "taken", "doubtful", "twice"), WINDOWS)
def test_killed_in_any_window_every_letter_arrives_and_only_those_in_doubt_twice(
    tmp_path: Path,
    relay: FakeRelay,
    stage: Stage,
    after: int,
    taken: bool,
    doubtful: int | None,
    twice: int,
) -> None:
    office = offline(tmp_path, relay)
    queued = {row.message_id for row in office.app.store.letters("2026Q4")}
    assert len(queued) > DOUBT
    office.close()
    killed_at(office, relay, stage, after, taken=taken)
    states = Counter(row.state for row in office.app.store.letters("2026Q4"))
    assert states["attempted"] == (len(queued) - DOUBT if doubtful is None else doubtful)
    assert states["sent"] == (DOUBT if doubtful is None else 0)
    office.close()
    assert office.huizhi("send").code == 0
    once = len(relay.taken)
    assert office.huizhi("send").code == 0
    assert len(relay.taken) == once  # what is in doubt waits
    office.at(office.now + DOUBT_WAIT)
    assert office.huizhi("send").code == 0
    times = Counter(_message_id(letter.raw) for letter in relay.taken)
    assert times.keys() == queued
    assert sum(times.values()) - len(queued) == twice <= DOUBT
    assert len({letter.raw for letter in relay.taken}) == len(queued)
    assert {row.state.value for row in office.app.store.letters("2026Q4")} == {"sent"}
    office.close()


def _message_id(raw: bytes) -> str:
    head = raw.partition(b"\r\n\r\n")[0].decode()
    return next(line.partition(": ")[2] for line in head.split("\r\n") if line.startswith("Message-ID:"))


@pytest.mark.parametrize(("folder", "setting"), [("Sent", "auto"), ("已发送邮件", "已发送邮件")])
def test_a_letter_whose_copy_the_provider_has_filed_does_not_go_again(
    make_world: Callable[..., World], relay: FakeRelay, folder: str, setting: str
) -> None:
    world = make_world(settings={"smtp.port": str(relay.port), "smtp.sent_folder": f'"{setting}"'})
    world.import_roster()
    world.open()
    queued = {row.message_id for row in world.app.store.letters("2026Q4")}
    world.close()
    killed_at(world, relay, Stage.END, 5, taken=True)
    world.servers.file("huizhi", folder, [letter.raw for letter in relay.taken], world.now)
    filed = len(relay.taken)
    world.at(world.now + DOUBT_WAIT)
    assert world.huizhi("send").code == 0
    times = Counter(_message_id(letter.raw) for letter in relay.taken)
    assert (filed, times.keys(), set(times.values())) == (6, queued, {1})


def test_staff_are_told_what_waits_and_until_when(tmp_path: Path, relay: FakeRelay) -> None:
    office = offline(tmp_path, relay, **{"smtp.per_minute": "7", "smtp.per_day": "9"})
    said = office.huizhi("send")
    assert said.code == 0
    assert said.lines[0] == "已发 7 封，稍后再试 0 封，失败 0 封"
    assert said.lines[2] == "全部信件已到限额（每分钟至多7封），12月12日 11:01:00 起继续"
    told = office.huizhi("status").lines[-1]
    assert told == "近期发信：1分钟 7/7 封、1小时 7 封、24小时 7/9 封"
    sending = office.huizhi("status", "--json").json["sending"]
    assert (sending["used"], sending["limits"]) == (
        {"minute": 7, "hour": 7, "day": 7}, {"minute": 7, "hour": 0, "day": 9},
    )  # fmt: skip
    office.at("12-12 11:05")
    relay.always[Stage.SENDER] = Say("550 RP:TRC")
    throttled = office.huizhi("send")
    assert throttled.code == 3
    [line] = throttled.faults[-1:]
    assert line.startswith("发信服务器要求暂停（550 RP:TRC），12月13日 00:10 后自动继续")
    assert office.huizhi("status", "--json").json["sending"]["paused_until"] == "2026-12-13T00:10:00+08:00"
    relay.always.clear()
    assert office.huizhi("send").code == 3
    assert len(relay.taken) == 7
    assert office.huizhi("send", "--now").code == 0
    assert len(relay.taken) == 8  # the limits hold all the same: the refused try counts
    office.close()
