"""The database: its engine and locks, the base of all rows; ``atomic``, the only way to commit."""

import functools
import random
import re
import secrets
import time
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, ClassVar, ParamSpec, TypeVar

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session
from sqlalchemy import (
    JSON,
    URL,
    Connection,
    DateTime,
    Dialect,
    Engine,
    MetaData,
    RootTransaction,
    event,
)
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

from storage import postgresql

P = ParamSpec("P")
T = TypeVar("T")

# A verb that found its unique row taken is run this often in all; one that collided with others,
# which says nothing about the verb, for this long.
WRITE_ATTEMPTS = 5
RETRY_FOR_SECONDS = 5
# Before another attempt: at random up to this, doubled with each, so that those who collided part.
PAUSE_SECONDS, MAX_PAUSE_SECONDS = 0.005, 0.3
SQLITE_BUSY_MILLISECONDS = 5000
# How long a request waits for one of the pool's connections before it answers 503.
POOL_WAIT_SECONDS = 3
LONG_READ_SECONDS = 300
# PostgreSQL: serialization_failure and deadlock_detected; the transaction may simply run again.
RETRYABLE_SQLSTATES = ("40001", "40P01")


def now() -> datetime:
    """The current time, aware, in UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    """An opaque id: 32 hex digits of randomness, so ids neither leak counts nor hot-spot."""
    return secrets.token_hex(16)


def is_id(text: str) -> bool:
    """Whether a text from outside can be an id; PostgreSQL does not compare with just any."""
    return re.fullmatch(r"[0-9a-f]{32}", text) is not None


class UTCDateTime(TypeDecorator[datetime]):
    """An aware UTC time in and out, also where the database keeps no time zone (SQLite)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


class Base(DeclarativeBase):
    # Names for every constraint, so that migrations can speak of them on both engines.
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: UTCDateTime, dict: JSON}


class _Transaction:
    """What ``atomic`` has open: its connection; and, where the ORM took part, its session."""

    connection: Connection
    orm: Session | None = None


_open: ContextVar[_Transaction | None] = ContextVar("open_transaction", default=None)


class _Session(Session):
    """The ORM's, which joins what ``atomic`` has open. The transaction is not the session's: most
    of what a sign-in does needs none, and it costs more than the statements."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        transaction = _open.get()
        if transaction:
            transaction.orm = self

    def get_bind(self, *args: Any, **kwargs: Any) -> Engine | Connection:
        transaction = _open.get()
        return transaction.connection if transaction else super().get_bind(*args, **kwargs)


db = SQLAlchemy(
    metadata=Base.metadata, session_options={"expire_on_commit": False, "class_": _Session}
)


def init_app(app: Flask) -> None:
    """Bind the database to an application and teach SQLite about locks and foreign keys."""
    db.init_app(app)
    with app.app_context():
        engine = db.engine
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    if engine.dialect.name == "postgresql":
        postgresql.prepare(engine)


def engine_options(url: URL, pool_size: int) -> dict[str, Any]:
    """What the pool and the driver are told. What the URL itself says is left to it.

    ``pool_size``: PostgreSQL connections that one process opens at most, when it needs them.
    What a failed statement was given, hashes and addresses, is not for the log.
    """
    if url.get_backend_name() != "postgresql":
        # Threads wait for SQLite's lock inside SQLite, not for a place in the pool. The connection
        # that wrote last knows the pages; any other reads them again.
        return {
            "pool_size": 8,
            "max_overflow": -1,
            "pool_use_lifo": True,
            "hide_parameters": True,
        }
    return {
        "hide_parameters": True,
        "pool_size": pool_size,
        "max_overflow": 0,
        "pool_timeout": POOL_WAIT_SECONDS,
        "pool_use_lifo": True,
        "connect_args": {k: v for k, v in postgresql.CONNECT_ARGS.items() if k not in url.query},
    }


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver must not begin transactions by itself: _begin_sqlite decides which kind.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_MILLISECONDS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    # A read transaction that turns into a write can fail at once with "database is locked";
    # one that begins as a write waits its turn.
    writes = _open.get() or connection.get_execution_options().get("writes")
    statement = "BEGIN IMMEDIATE" if writes else "BEGIN"
    try:
        connection.connection.driver_connection.execute(statement)
    except connection.dialect.dbapi.Error as error:
        raise as_raised(connection.dialect, statement, error) from error


def as_raised(
    dialect: Dialect, statement: str, error: Exception, *, is_lost: bool = False
) -> BaseException:
    """What SQLAlchemy raises for an error of the driver, where it is given statements by us."""
    assert dialect.dbapi is not None
    return DBAPIError.instance(
        statement,
        None,
        error,
        dialect.dbapi.Error,
        hide_parameters=True,
        connection_invalidated=is_lost,
        dialect=dialect,
    )


def atomic(verb: Callable[P, T]) -> Callable[P, T]:
    """Run a verb as one write transaction: committed whole, or not at all.

    Two requests that insert the same unique row, a serialization failure or a deadlock make
    the verb run again from the start, so it must read what it decides on inside itself.
    Within another atomic verb it joins that one's transaction.
    """

    @functools.wraps(verb)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        if _open.get():
            return verb(*args, **kwargs)
        begun, failures = time.monotonic(), 0
        while True:
            try:
                return _run_once(verb, *args, **kwargs)
            except (IntegrityError, OperationalError) as error:
                failures += 1
                if not _may_run_again(error, failures, begun):
                    raise
                _pause(failures)

    return run


def _run_once(verb: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    transaction = _Transaction()
    if db.session.registry.has():
        orm = transaction.orm = db.session()
        if orm.in_transaction():
            try:
                orm.commit()  # a read transaction, which earlier queries began
            except BaseException:
                orm.rollback()
                raise
    mark = _open.set(transaction)
    try:
        with db.engine.connect() as transaction.connection:
            begun = transaction.connection.begin()
            try:
                result = verb(*args, **kwargs)
                if transaction.orm:
                    transaction.orm.flush()
            except BaseException:
                if transaction.orm:
                    transaction.orm.rollback()
                if begun.is_active:
                    begun.rollback()
                raise
            _commit(begun, transaction.orm)
            return result
    finally:
        _open.reset(mark)


def _commit(begun: RootTransaction, orm: Session | None) -> None:
    try:
        begun.commit()
    except BaseException:
        begun.rollback()  # or the next to get the connection would be in the middle of it
        if orm:
            orm.commit()
            orm.expire_all()  # what it takes to be written is not
        raise
    if orm:
        orm.commit()  # to it, too, this is over; nothing is left to write


def open_connection() -> Connection:
    """The connection of the transaction that is open, after what the ORM has to write."""
    transaction = _open.get()
    if transaction is None:
        db.session.flush()
        return db.session.connection()
    if transaction.orm:
        transaction.orm.flush()
    return transaction.connection


def _pause(failures: int) -> None:
    longest = min(PAUSE_SECONDS * 2**failures, MAX_PAUSE_SECONDS)
    time.sleep(random.uniform(0, longest))  # noqa: S311 (no secret)


def _may_run_again(error: IntegrityError | OperationalError, failures: int, begun: float) -> bool:
    if isinstance(error, IntegrityError):
        return failures < WRITE_ATTEMPTS
    is_collision = getattr(error.orig, "sqlstate", None) in RETRYABLE_SQLSTATES
    return is_collision and time.monotonic() < begun + RETRY_FOR_SECONDS


def without_time_limit() -> None:
    """Let this transaction read for longer than a request may wait: it is nobody's."""
    if db.engine.dialect.name == "postgresql":
        postgresql.allow(open_connection(), LONG_READ_SECONDS)


def engine_of(app: Flask) -> Engine:
    with app.app_context():
        return db.engine
