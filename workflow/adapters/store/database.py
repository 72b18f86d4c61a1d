"""The connection: SQLite or PostgreSQL, one writer at a time, and what the database's errors mean to people."""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, Table, create_engine, event, exc, make_url, text
from sqlalchemy.dialects import postgresql, sqlite

from workflow.domain.errors import Conflict, OutsideFailed

WHERE = "数据库"
#: PostgreSQL's advisory lock that makes one appender: the ASCII of "huizhi".
_LOCK = 0x6875697A6869
#: How long a writer waits for another; `?timeout=` in the address says otherwise.
_BUSY_SECONDS = 30.0
#: How many keys one statement asks for: below every limit on parameters.
_CHUNK = 900

_REMEDIES = {
    "SQLITE_BUSY": ("数据库正被其他程序占用", "请稍后重试"),
    "SQLITE_LOCKED": ("数据库正被其他程序占用", "请稍后重试"),
    "SQLITE_FULL": ("磁盘已满，没有写入", "请清理磁盘后重试"),
    "SQLITE_READONLY": ("数据库文件是只读的，没有写入", "请检查文件和所在文件夹的权限"),
    "SQLITE_CANTOPEN": ("数据库文件打不开", "请检查路径和权限"),
    "SQLITE_CORRUPT": ("数据库文件已损坏", "请移走该文件，再执行 huizhi rebuild 由台账副本重建"),
    "SQLITE_NOTADB": ("该文件不是数据库", "请检查 config.toml 中的数据库地址"),
    "SQLITE_IOERR": ("磁盘读写出错", "请检查磁盘"),
}
#: By the class of PostgreSQL's SQLSTATE, or the whole of it.
_STATES = {
    "08": ("连接不上数据库", "请检查数据库服务和 config.toml 中的数据库地址"),
    "28": ("数据库拒绝登录", "请检查 config.toml 中的用户名和密码"),
    "3D000": ("没有这个数据库", "请先建立数据库，或检查 config.toml 中的数据库地址"),
    "40": ("数据库正忙，本次没有写入", "请稍后重试"),
    "42501": ("数据库用户没有写入权限", "请授权后重试"),
    "42P01": ("数据库中还没有数据表", "请先执行 huizhi doctor"),
    "25006": ("数据库是只读的，没有写入", "请检查数据库设置"),
    "53": ("数据库资源不足，没有写入", "请检查数据库的磁盘和连接数"),
    "55": ("数据库正被其他程序占用", "请稍后重试"),
    "57": ("数据库停止了服务", "请稍后重试"),
    "58": ("数据库所在系统出错", "请检查数据库服务器的磁盘"),
}

T = TypeVar("T")


class Database:
    """The engine of one workspace. Reading methods and the ledger build on it."""

    def __init__(self, url: str) -> None:
        self.engine = make_engine(url)
        self._writer = self.engine.execution_options(huizhi_write=True)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with translated(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction that no other writer runs beside."""
        with translated(), self._writer.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            yield connection

    def migrate(self) -> None:
        """Bring the tables up to this version of the program; from an empty database makes them all."""
        with self.writing() as connection:
            config = _alembic()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def check(self) -> None:
        """Raise OutsideFailed unless the database answers and its tables are those of this version."""
        with self.reading() as connection:
            found = MigrationContext.configure(connection).get_current_revision()
            if connection.dialect.name == "sqlite":
                damage = connection.execute(text("PRAGMA quick_check(1)")).scalar()
                if damage != "ok":
                    raise OutsideFailed(WHERE, *_REMEDIES["SQLITE_CORRUPT"])
        wanted = ScriptDirectory.from_config(_alembic()).get_current_head()
        if found != wanted:
            raise OutsideFailed(WHERE, "数据表还没有建立，或不是本版本的", "请先执行 huizhi doctor")

    def close(self) -> None:
        self.engine.dispose()


def make_engine(url: str) -> Engine:
    """An engine with a durable SQLite (WAL, synchronous=FULL) or a PostgreSQL."""
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True)
    parsed = make_url(url)
    patience = {} if "timeout" in parsed.query else {"timeout": _BUSY_SECONDS}
    engine = create_engine(parsed, connect_args=patience)

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        # The driver must not begin transactions by itself: `_begun` does, with the lock that is needed.
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        write = connection.get_execution_options().get("huizhi_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def chunks(keys: Collection[T]) -> Iterator[Sequence[T]]:
    """The distinct keys in pieces that one statement can ask for."""
    distinct = list(dict.fromkeys(keys))
    for start in range(0, len(distinct), _CHUNK):
        yield distinct[start : start + _CHUNK]


def insert(connection: Connection, table: Table) -> Any:
    """An INSERT that knows ON CONFLICT; both databases spell it alike."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


def insert_many(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all name the same columns. To SQLite they go as tuples: SQLAlchemy's look at each parameter of
    each row takes longer than SQLite's writing it.
    """
    if connection.dialect.name != "sqlite":
        connection.execute(table.insert(), list(rows))
        return
    statement, columns = _driver_insert(table, tuple(rows[0]))
    filled = zip(
        *(
            [row[name] for row in rows] if bound is None else [bound(row[name]) for row in rows]
            for name, bound in columns
        ),
        strict=True,
    )
    connection.exec_driver_sql(statement, list(filled))


@functools.cache
def _driver_insert(
    table: Table, names: tuple[str, ...]
) -> tuple[str, Sequence[tuple[str, Callable[[Any], Any] | None]]]:
    """An INSERT as SQLite's driver takes it; its columns in their order, each with what makes the driver's value of one."""
    dialect = sqlite.dialect()
    compiled = table.insert().compile(dialect=dialect, column_keys=list(names))
    types = {name: table.c[name].type.dialect_impl(dialect) for name in compiled.positiontup or ()}
    return str(compiled), [(name, kind.bind_processor(dialect)) for name, kind in types.items()]


def upsert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows, or put them in the place of those with the same key."""
    if not rows:
        return
    statement = insert(connection, table)
    keys = [column.name for column in table.primary_key]
    changed = {column.name: statement.excluded[column.name] for column in table.c if column.name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed), rows)


@contextmanager
def translated() -> Iterator[None]:
    """Turn the database's errors into Conflict and OutsideFailed; one that means a bug of ours stays as it is."""
    try:
        yield
    except exc.IntegrityError as error:
        if _is_unique(error.orig):
            raise Conflict(str(error.orig)) from error
        raise
    except (exc.DBAPIError, sqlite3.Error) as error:
        # A connection's first pragmas fail with the driver's own error.
        words = _words(error.orig if isinstance(error, exc.DBAPIError) else error)
        if words is None:
            raise
        raise OutsideFailed(WHERE, *words) from error
    except exc.TimeoutError as error:
        raise OutsideFailed(WHERE, "数据库连接已全部占用", "请稍后重试") from error


def _is_unique(error: BaseException | None) -> bool:
    if isinstance(error, sqlite3.Error):
        return error.sqlite_errorname in {"SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"}
    return isinstance(error, psycopg.errors.UniqueViolation)


def _words(error: BaseException | None) -> tuple[str, str] | None:
    if isinstance(error, sqlite3.Error):
        if str(error).startswith("no such table"):
            return _STATES["42P01"]
        name = getattr(error, "sqlite_errorname", "")
        return next((words for code, words in _REMEDIES.items() if name.startswith(code)), None)
    if isinstance(error, psycopg.Error):
        state = error.sqlstate or ("08" if isinstance(error, psycopg.OperationalError) else "")
        return _STATES.get(state) or _STATES.get(state[:2])
    return None


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config
