"""The engine: options of the pool and the driver, and SQLite's locks and foreign keys."""

from typing import Any

from flask import Flask
from sqlalchemy import URL, Engine, event

from storage import postgresql
from storage.transactions import as_raised, db, in_transaction

SQLITE_BUSY_MILLISECONDS = 5000
# How long a request waits for a pooled connection before it fails with 503.
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
    """Return the keyword arguments for ``create_engine``; options in the URL take precedence.

    ``pool_size``: the maximum of PostgreSQL connections of one process, opened on demand.
    Parameters of failed statements contain hashes and addresses, so they are hidden from the log.
    """
    if url.get_backend_name() != "postgresql":
        # Threads wait for SQLite's lock inside SQLite, not in the pool. The connection that wrote
        # last has the pages cached; any other reads them again.
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
    # A read transaction that turns into a write can fail immediately with "database is locked"; one
    # that begins as a write waits for the lock.
    writes = in_transaction() or connection.get_execution_options().get("writes")
    statement = "BEGIN IMMEDIATE" if writes else "BEGIN"
    try:
        connection.connection.driver_connection.execute(statement)
    except connection.dialect.dbapi.Error as error:
        raise as_raised(connection.dialect, statement, error) from error
