"""The engine: what the pool and the driver are told, and SQLite's locks and foreign keys."""

from typing import Any

from flask import Flask
from sqlalchemy import URL, Engine, event

from storage import postgresql
from storage.transactions import as_raised, db, in_transaction

SQLITE_BUSY_MILLISECONDS = 5000
# How long a request waits for one of the pool's connections before it is answered with 503.
POOL_WAIT_SECONDS = 3


def init_app(app: Flask) -> None:
    """Bind the database to an application and prepare its engine's connections."""
    db.init_app(app)
    engine = engine_of(app)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    if engine.dialect.name == "postgresql":
        postgresql.prepare(engine)


def engine_of(app: Flask) -> Engine:
    with app.app_context():
        return db.engine


def engine_options(url: URL, pool_size: int) -> dict[str, Any]:
    """Return the keyword arguments for ``create_engine``. What the URL itself sets is left to it.

    ``pool_size``: how many PostgreSQL connections one process opens at most, on demand.
    Parameters of failed statements hold hashes and addresses, which are not for the log.
    """
    if url.get_backend_name() != "postgresql":
        # Threads wait for SQLite's lock inside SQLite, not for a place in the pool. The connection
        # that wrote last has the pages cached; any other reads them again.
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
    # A read transaction that turns into a write can fail immediately with "database is locked";
    # one that begins as a write waits its turn.
    writes = in_transaction() or connection.get_execution_options().get("writes")
    statement = "BEGIN IMMEDIATE" if writes else "BEGIN"
    try:
        connection.connection.driver_connection.execute(statement)
    except connection.dialect.dbapi.Error as error:
        raise as_raised(connection.dialect, statement, error) from error
