"""Statements that are compiled once and passed directly to the driver, for every sign-in and
session check.

A statement is built with ``bindparam`` once and compiled once per database type; after that the
driver gets its text and the values. This takes a tenth of the time that the ORM needs to build,
compare and track.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from json import JSONDecoder
from typing import Any, Generic, TypeVar

from sqlalchemy import JSON, Delete, Dialect, Engine, Insert, Select, Update
from sqlalchemy.dialects import sqlite
from sqlalchemy.types import TypeEngine

from storage.readers import Reader, current_reader
from storage.transactions import as_raised, open_connection

AnySelect = Select[*tuple[Any, ...]]
Convert = Callable[[Any], Any]
R = TypeVar("R")
_JSON = JSONDecoder()


@dataclass(frozen=True)
class _Compiled:
    """A statement's text for one database type, whose values are passed by name."""

    sql: str
    # Values that are part of the statement, such as the offset that SQLite has with each limit.
    fixed: Mapping[str, Any]
    # Converters of values for the driver, by name, and of columns back, by position.
    given: Mapping[str, Convert]
    found: tuple[tuple[int, Convert], ...]

    def values(self, values: dict[str, Any]) -> dict[str, Any]:
        if self.fixed:
            values = {**self.fixed, **values}
        for name, convert in self.given.items():
            values[name] = convert(values[name])
        return values

    def read(self, row: Iterable[Any]) -> list[Any]:
        columns = list(row)
        for place, convert in self.found:
            columns[place] = convert(columns[place])
        return columns


def _compile(
    statement: AnySelect | Insert | Update | Delete, dialect: Dialect, names: list[str]
) -> _Compiled:
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
        (place, read)
        for place, column in enumerate(selected)
        if (read := _reader_of(column.type, named))
    )
    fixed = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}
    return _Compiled(str(compiled), fixed, given, found)


def _reader_of(kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    """Return what converts the driver's values of a type; None where there is nothing to do."""
    if isinstance(kind, JSON) and dialect.name == "sqlite":
        return _read_json
    return kind.dialect_impl(dialect).result_processor(dialect, None)


def _read_json(text: str | None) -> Any:
    """Decode what SQLAlchemy has written, in a sixth of the steps that its own processor takes."""
    return None if text is None else _JSON.raw_decode(text)[0]


class _Executable:
    """A statement of the open transaction; pending ORM writes are flushed before it runs."""

    def __init__(self, statement: AnySelect | Insert | Update | Delete) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}

    def _execute(self, values: dict[str, Any]) -> tuple[Any, _Compiled]:
        """Return the driver's cursor. Converts the driver's errors into SQLAlchemy's."""
        connection = open_connection()
        dialect = connection.dialect
        compiled = self._compiled_for(dialect, values)
        driver: Any = connection.connection.driver_connection
        assert dialect.dbapi is not None
        try:
            return driver.execute(compiled.sql, compiled.values(values)), compiled
        except dialect.dbapi.Error as error:
            is_lost = dialect.is_disconnect(error, driver, None)
            if is_lost:
                connection.invalidate(error)
            raise as_raised(dialect, compiled.sql, error, is_lost=is_lost) from error

    def _compiled_for(self, dialect: Dialect, values: dict[str, Any]) -> _Compiled:
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = _compile(self._statement, dialect, list(values))
            self._compiled[dialect.name] = compiled
        return compiled


class CompiledStatement(_Executable):
    """An INSERT, UPDATE or DELETE of the open transaction."""

    def __init__(self, statement: Insert | Update | Delete) -> None:
        super().__init__(statement)

    def run(self, **values: Any) -> int:
        """Run it with these values by name; return how many rows it changed."""
        return int(self._execute(values)[0].rowcount)


class CompiledSelect(_Executable, Generic[R]):
    """A SELECT of the open transaction, or of the current reader. ``make_row`` gets the columns in
    order, with values as the ORM returns them: texts, numbers, aware times."""

    def __init__(self, statement: AnySelect, make_row: Callable[..., R]) -> None:
        super().__init__(statement)
        self._make_row = make_row

    def row(self, **values: Any) -> R | None:
        """Return the first row, or None."""
        if reader := current_reader():
            return next(iter(self._read_by(reader, values)), None)
        cursor, compiled = self._execute(values)
        row = cursor.fetchone()
        return None if row is None else self._make_row(*compiled.read(row))

    def rows(self, **values: Any) -> list[R]:
        """Return all rows."""
        if reader := current_reader():
            return self._read_by(reader, values)
        cursor, compiled = self._execute(values)
        return [self._make_row(*compiled.read(row)) for row in cursor.fetchall()]

    def _read_by(self, reader: Reader, values: dict[str, Any]) -> list[R]:
        compiled = self._compiled_for(reader.dialect, values)
        try:
            rows = reader.fetch(compiled.sql, compiled.values(values))
        except reader.driver_error as error:
            raise as_raised(reader.dialect, compiled.sql, error) from error
        return [self._make_row(*compiled.read(row)) for row in rows]


class CompiledQuery:
    """A SELECT outside any transaction. Rows are tuples of the driver's own values: SQLite returns
    times as texts and booleans as numbers."""

    def __init__(self, engine: Engine, statement: AnySelect) -> None:
        self._reader = Reader(engine)
        self._statement = statement
        self.driver_error = self._reader.driver_error

    @cached_property
    def _compiled(self) -> _Compiled:
        """Compile it at its first use: the start of a server is long enough."""
        return _compile(self._statement, self._reader.dialect, [])

    def rows(self, **values: Any) -> list[Sequence[Any]]:
        """Return all rows. Raises ``driver_error``, or SQLAlchemy's error if there is no
        connection."""
        return self._reader.fetch(self._compiled.sql, self._compiled.values(values))
