"""Reading without a transaction and without the ORM's session, which costs more than the SELECT."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, cast

from flask import Flask
from sqlalchemy import Engine

from storage.transactions import db, in_transaction

EXTENSION = "reader"


class Reader:
    """Runs SELECTs outside any transaction, on connections of an engine. Rows are tuples of the
    driver's own values."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.dialect = engine.dialect
        self._is_sqlite = engine.dialect.name == "sqlite"
        self._own = threading.local()
        assert engine.dialect.dbapi is not None
        self.driver_error: type[Exception] = engine.dialect.dbapi.Error

    def fetch(self, sql: str, values: dict[str, Any]) -> list[Sequence[Any]]:
        """Return all rows. Raises ``driver_error``, or SQLAlchemy's error if there is no
        connection."""
        if self._is_sqlite:
            return self._fetch_from_file(sql, values)
        held = self._engine.raw_connection()
        connection: Any = held.driver_connection
        try:
            connection.autocommit = True
            rows = connection.execute(sql, values).fetchall()
            connection.autocommit = False
        except self.driver_error as error:
            held.invalidate(error)
            raise
        held.close()
        return list(rows)

    def _fetch_from_file(self, sql: str, values: dict[str, Any]) -> list[Sequence[Any]]:
        """Read with a connection that belongs to the thread and returns to the pool when the thread
        ends.

        Keeping it is harmless: it begins no transaction by itself (see engine.py).
        """
        held = getattr(self._own, "held", None)
        if held is None:
            held = self._own.held = self._engine.raw_connection()
        connection: Any = held.driver_connection
        try:
            return list(connection.execute(sql, values).fetchall())
        except self.driver_error:
            del self._own.held
            held.invalidate()
            raise


def reader_of(app: Flask) -> Reader:
    """Return the reader of an application. It is one, for SQLite keeps a connection for each."""
    if EXTENSION not in app.extensions:
        with app.app_context():
            app.extensions[EXTENSION] = Reader(db.engine)
    return cast(Reader, app.extensions[EXTENSION])


_current: ContextVar[Reader | None] = ContextVar("reader", default=None)


@contextmanager
def reading(reader: Reader) -> Iterator[None]:
    """Have compiled SELECTs run by a reader, each by itself, until the end of the block; not those
    of an atomic verb."""
    mark = _current.set(reader)
    try:
        yield
    finally:
        _current.reset(mark)


def current_reader() -> Reader | None:
    return None if in_transaction() else _current.get()
