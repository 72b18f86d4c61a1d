"""The contract suite runs on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from workflow.adapters.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.servers)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        found: str = request.getfixturevalue("postgres_url")
        return found
    return f"sqlite:///{tmp_path}/state.db"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "ledger"


@pytest.fixture
def store(url: str, folder: Path) -> Iterator[Store]:
    """A new workspace's state."""
    made = Store(url, folder)
    made.migrate()
    yield made
    made.close()
