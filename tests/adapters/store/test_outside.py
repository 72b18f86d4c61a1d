"""What the database can do to us, and what is then said."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import event

from tests.adapters.store import story
from workflow.adapters.store import Store, tables
from workflow.domain.errors import OutsideFailed

if TYPE_CHECKING:
    from pathlib import Path


def test_the_migrations_make_exactly_the_tables(store: Store) -> None:
    store.check()
    with store.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []


def test_migrating_again_changes_nothing(store: Store) -> None:
    story.tell(store)
    before = story.rows(store)
    store.migrate()
    assert story.rows(store) == before


def test_a_database_without_tables_says_so(url: str, folder: Path) -> None:
    store = Store(url, folder)
    for asked in (store.check, store.head, lambda: store.append([story.letter("one")])):
        with pytest.raises(OutsideFailed, match="数据表"):
            asked()
    store.close()


def test_sqlite_is_durable_and_checks_its_keys(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/state.db", tmp_path / "ledger")
    with store.engine.connect() as connection:
        found = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert found == ["wal", 2, 1]
    store.close()


def test_a_locked_database_says_so(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/state.db?timeout=0.05", tmp_path / "ledger")
    store.migrate()
    other = sqlite3.connect(tmp_path / "state.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OutsideFailed, match="占用"):
        store.append([story.letter("one")])
    assert store.head()[0] == 0  # reading goes on
    other.close()
    store.append([story.letter("one")])
    store.close()


def test_a_full_disk_says_so_and_keeps_what_was_written(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/state.db", tmp_path / "ledger")
    store.migrate()
    store.append([story.letter("one")])
    store.close()

    @event.listens_for(store.engine, "connect")
    def _small(connection: Any, _record: Any) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages + 2}").close()

    with pytest.raises(OutsideFailed, match="磁盘已满"):
        store.append([story.letter(str(number)) for number in range(500)])
    assert store.head()[0] == 1
    assert store.verify_ledger().fault is None
    store.close()


def test_a_read_only_database_says_so(tmp_path: Path) -> None:
    writer = Store(f"sqlite:///{tmp_path}/state.db", tmp_path / "ledger")
    writer.migrate()
    reader = Store(f"sqlite:///file:{tmp_path}/state.db?mode=ro&uri=true", tmp_path / "ledger")
    with pytest.raises(OutsideFailed, match="只读"):
        reader.append([story.letter("one")])
    reader.close()
    writer.close()


@pytest.mark.parametrize(
    ("content", "words"), [(b"this is a letter, not a database" * 200, "不是数据库"), (None, "打不开")]
)
def test_a_file_that_is_no_database_says_so(tmp_path: Path, content: bytes | None, words: str) -> None:
    place = tmp_path / "state.db"
    if content is None:
        place = tmp_path / "no such folder" / "state.db"
    else:
        place.write_bytes(content)
    store = Store(f"sqlite:///{place}", tmp_path / "ledger")
    with pytest.raises(OutsideFailed, match=words):
        store.migrate()
    store.close()


def test_a_server_that_does_not_answer_says_so(tmp_path: Path) -> None:
    store = Store("postgresql+psycopg://huizhi@127.0.0.1:1/none", tmp_path / "ledger")
    with pytest.raises(OutsideFailed, match="连接不上"):
        store.head()
    store.close()


def test_a_copy_that_cannot_be_written_stops_the_next_append(tmp_path: Path) -> None:
    folder = tmp_path / "ledger"
    folder.write_text("a file stands where the folder should be")
    store = Store(f"sqlite:///{tmp_path}/state.db", folder)
    store.migrate()
    with pytest.raises(OutsideFailed, match="台账副本"):
        store.append([story.letter("one")])
    with pytest.raises(OutsideFailed, match="台账副本"):
        store.append([story.letter("two")])
    assert store.head()[0] == 1
    folder.unlink()
    store.append([story.letter("two")])
    assert len((folder / "2026-12.jsonl").read_text().splitlines()) == 2
    store.close()
