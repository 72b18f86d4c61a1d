"""The worlds that journeys ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.journeys.world import World, password_variable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.servers.mail import MailServers


@pytest.fixture
def make_world(
    tmp_path: Path, mailboxes: MailServers, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., World]]:
    """`make_world(account=…, database=…, settings=…)` makes a workspace over the real servers."""
    made: list[World] = []

    def make(account: str = "huizhi", **options: Any) -> World:
        _, password = mailboxes.add_account(account)
        monkeypatch.setenv(password_variable(account), password)
        folder = tmp_path / f"workspace-{account}"
        world = World(folder, mailboxes, {password_variable(account): password}, account=account, **options)
        made.append(world)
        return world

    yield make
    for world in made:
        world.close()


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """A workspace with the roster imported and nothing opened."""
    world = make_world()
    world.import_roster()
    return world


@pytest.fixture
def opened(world: World) -> World:
    """A workspace whose campaign is open and whose notices have arrived."""
    world.open()
    world.send()
    return world
