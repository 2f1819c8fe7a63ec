"""The database's clock, as an SQL expression: the same for all instances, whatever theirs say."""

from datetime import datetime
from typing import Any

from sqlalchemy import Float, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from storage.types import UTCDateTime


class DatabaseTime(FunctionElement[datetime]):
    """The database's current time and so many seconds more."""

    type = UTCDateTime()
    inherit_cache = True

    def __init__(self, seconds: float = 0) -> None:
        super().__init__(literal(float(seconds), Float()))


@compiles(DatabaseTime, "postgresql")
def _postgresql(element: DatabaseTime, compiler: SQLCompiler, **options: Any) -> str:
    # The time of the statement, since the transaction may have waited for locks.
    seconds = compiler.process(element.clauses, **options)
    return f"(statement_timestamp() + {seconds} * interval '1 second')"


@compiles(DatabaseTime, "sqlite")
def _sqlite(element: DatabaseTime, compiler: SQLCompiler, **options: Any) -> str:
    # As SQLAlchemy stores times: SQLite compares them as texts.
    seconds = compiler.process(element.clauses, **options)
    return f"strftime('%Y-%m-%d %H:%M:%f000', 'now', {seconds} || ' seconds')"
