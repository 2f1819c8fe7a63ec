"""Statements run as plainly as the driver can: for what every sign-in and session check does.

One is built once, of ``bindparam``, and compiled once for the engine; then the driver is given its
text and the values. That takes a tenth of the time of what the ORM builds, compares and tracks.
"""

import threading
from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Delete, Dialect, Engine, Insert, Select, Update
from sqlalchemy.dialects import sqlite

from storage.transactions import as_raised, open_connection

Statement = Select[*tuple[Any, ...]] | Insert | Update | Delete
Convert = Callable[[Any], Any]


@dataclass(frozen=True)
class _Compiled:
    """Text for one engine's driver, with values by name; what they are turned into first, and the
    columns of its rows with what they are turned back from."""

    sql: str
    # What stands in the statement itself, such as the offset that SQLite has with each limit.
    fixed: Mapping[str, Any]
    given: Mapping[str, Convert]
    row: Callable[..., Any]
    found: tuple[tuple[int, Convert], ...]

    def read(self, row: Iterable[Any]) -> Any:
        columns = list(row)
        for place, convert in self.found:
            columns[place] = convert(columns[place])
        return self.row(*columns)


def _compile(statement: Statement, dialect: Dialect, names: list[str]) -> _Compiled:
    named = sqlite.dialect(paramstyle="named") if dialect.name == "sqlite" else dialect
    columns = names if isinstance(statement, Insert) else None
    compiled = statement.compile(dialect=named, column_keys=columns)
    given = {
        name: convert
        for name, bind in compiled.binds.items()
        if (convert := bind.type.dialect_impl(named).bind_processor(named))
    }
    selected = list(statement.selected_columns) if isinstance(statement, Select) else []
    found = tuple(
        (place, convert)
        for place, column in enumerate(selected)
        if (convert := column.type.dialect_impl(named).result_processor(named, None))
    )
    row: Any = namedtuple("Row", [str(each.key) for each in selected], rename=True)  # type: ignore[misc]  # noqa: PYI024 (its fields are known here only)
    fixed = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}
    return _Compiled(str(compiled), fixed, given, row, found)


def _is_lost(engine: Engine, held: Any, error: Any) -> bool:
    """Whether a connection is gone. Those that were made before it are then taken to be gone
    too, as SQLAlchemy does where it runs the statement."""
    is_lost = engine.dialect.is_disconnect(error, held.driver_connection, None)
    if is_lost:
        engine.pool._invalidate(held, error)  # noqa: SLF001
    return is_lost


class CompiledStatement:
    """A statement of the transaction that is open, after what the ORM has to write.

    Values and rows are as the ORM has them: texts, numbers, aware times. Raises what SQLAlchemy
    does.
    """

    def __init__(self, statement: Statement) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}

    def run(self, **values: Any) -> int:
        """How many rows it changed."""
        return int(self._execute(values)[0].rowcount)

    def value(self, **values: Any) -> Any:
        """The first column of the first row; None where there is no row."""
        row = self._execute(values)[0].fetchone()
        return row[0] if row else None

    def row(self, **values: Any) -> Any:
        """The first row, its columns by name; None where there is none."""
        cursor, compiled = self._execute(values)
        row = cursor.fetchone()
        return None if row is None else compiled.read(row)

    def rows(self, **values: Any) -> list[Any]:
        """All rows, their columns by name."""
        cursor, compiled = self._execute(values)
        return [compiled.read(row) for row in cursor.fetchall()]

    def _execute(self, values: dict[str, Any]) -> tuple[Any, _Compiled]:
        connection = open_connection()
        dialect = connection.dialect
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = _compile(self._statement, dialect, list(values))
            self._compiled[dialect.name] = compiled
        if compiled.fixed:
            values = {**compiled.fixed, **values}
        for name, convert in compiled.given.items():
            values[name] = convert(values[name])
        held = connection.connection
        driver: Any = held.driver_connection
        assert dialect.dbapi is not None
        try:
            return driver.execute(compiled.sql, values), compiled
        except dialect.dbapi.Error as error:
            is_lost = _is_lost(connection.engine, held, error)
            if is_lost:
                connection.invalidate(error)
            raise as_raised(dialect, compiled.sql, error, is_lost=is_lost) from error


class CompiledQuery:
    """One SELECT outside any transaction. Rows are tuples of the driver's own values: SQLite has
    times as texts and booleans as numbers."""

    def __init__(self, engine: Engine, statement: Select[*tuple[Any, ...]]) -> None:
        self._engine = engine
        self._is_sqlite = engine.dialect.name == "sqlite"
        self._own = threading.local()
        compiled = _compile(statement, engine.dialect, [])
        self._sql, self._given = compiled.sql, compiled.given
        assert engine.dialect.dbapi is not None
        self.driver_error: type[Exception] = engine.dialect.dbapi.Error

    def rows(self, **values: Any) -> list[Any]:
        """Raises what the driver raises, or SQLAlchemy where there is no connection."""
        for name, convert in self._given.items():
            values[name] = convert(values[name])
        if self._is_sqlite:
            return self._rows_of_file(values)
        held = self._engine.raw_connection()
        connection: Any = held.driver_connection
        try:
            connection.autocommit = True
            rows = connection.execute(self._sql, values).fetchall()
            connection.autocommit = False
        except self.driver_error as error:
            _is_lost(self._engine, held, error)
            held.invalidate(error)
            raise
        held.close()
        return list(rows)

    def _rows_of_file(self, values: dict[str, Any]) -> list[Any]:
        """By a connection that stays with its thread: it costs nothing, begins no transaction by
        itself (see database.py), and goes back to the pool when the thread ends."""
        held = getattr(self._own, "held", None)
        if held is None:
            held = self._own.held = self._engine.raw_connection()
        connection: Any = held.driver_connection
        try:
            return list(connection.execute(self._sql, values).fetchall())
        except self.driver_error:
            del self._own.held
            held.invalidate()
            raise
