"""Connections to PostgreSQL: their settings, their time limits, their loss."""

import math
import time
from typing import Any

from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

# A connection that was idle for longer is tested before it is used.
PING_AFTER_IDLE_SECONDS = 1.0
# libpq's: a server that vanished is noticed within seconds, not when TCP gives up after minutes.
# https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
CONNECT_ARGS: dict[str, object] = {
    "application_name": "quickstep",
    "connect_timeout": 5,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
    # Behind PgBouncer in transaction mode the next statement may run on another connection.
    # Measurements showed no gain from preparing.
    "prepare_threshold": None,
}
# Longer than any of our statements takes. They end the requests of browsers that gave up and, after
# a minute, the locks of a process that was stopped in the middle of a transaction.
POSTGRESQL_LIMITS = (
    "SET statement_timeout = '10s'; SET lock_timeout = '5s';"
    " SET idle_in_transaction_session_timeout = '60s'"
)
# The limit of one response: longer than the server's own limits. A frozen server, or one whose disk
# hangs, enforces none of those, and TCP notices nothing.
ANSWER_SECONDS = 13.0
# The limit of a ping.
PING_SECONDS = 3.0


def prepare(engine: Engine) -> None:
    """Limit the waiting times, and use no connection that may be lost."""
    bounded: list[type[Any]] = []
    losses = _Losses(engine)

    def connect(dialect: Any, _record: Any, arguments: Any, options: Any) -> Any:
        if not bounded:
            bounded.append(_bounded(dialect.dbapi))
        return bounded[0].connect(*arguments, **options)

    event.listen(engine, "do_connect", connect)
    event.listen(engine, "connect", _limit)
    event.listen(engine, "connect", losses.note_connection)
    event.listen(engine, "invalidate", losses.note_loss)
    event.listen(engine, "checkout", losses.refuse_older)
    event.listen(engine, "checkout", _ping_idle)
    event.listen(engine, "checkin", _note_idle)


def allow(connection: Connection, seconds: float | None) -> None:
    """Set the time limit of this transaction's statements; None: no limit."""
    milliseconds = 0 if seconds is None else round(seconds * 1000)
    connection.execute(text(f"SET LOCAL statement_timeout = {milliseconds}"))
    driver: Any = connection.connection.driver_connection
    driver.patience = None if seconds is None else seconds + ANSWER_SECONDS


class _Losses:
    """When a connection of this engine was last lost. The server has probably restarted, so
    connections that are older are replaced before use."""

    def __init__(self, engine: Engine) -> None:
        self._dialect = engine.dialect
        self._lost_at = -math.inf

    def note_connection(self, _connection: Any, record: ConnectionPoolEntry) -> None:
        record.info["made_at"] = time.monotonic()

    def note_loss(self, connection: Any, _record: ConnectionPoolEntry, error: Any) -> None:
        if error is not None and self._dialect.is_disconnect(error, connection, None):
            self._lost_at = time.monotonic()

    def refuse_older(self, _connection: Any, record: ConnectionPoolEntry, _fairy: Any) -> None:
        """Make the pool replace this connection."""
        if record.info["made_at"] <= self._lost_at:
            raise InvalidatePoolError("a connection of the same age was lost")


def _bounded(dbapi: Any) -> type[Any]:
    """Return the driver's connection class with limited waits.

    A connection that timed out is closed: its late response would be taken for that of the next
    statement.
    """

    class Bounded(dbapi.Connection):  # type: ignore[misc]  # known once the driver is loaded
        patience: float | None = ANSWER_SECONDS

        def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:
            timeout = kwargs.setdefault("timeout", self.patience)
            began = time.monotonic()
            try:
                return super().wait(gen, *args, **kwargs)
            except dbapi.OperationalError:
                # The driver has no public exception for a wait that timed out.
                if timeout is None or time.monotonic() < began + timeout:
                    raise
                self.close()
                raise dbapi.OperationalError("the server does not answer") from None

    return Bounded


def _limit(connection: Any, _record: Any) -> None:
    # Not as startup options, which PgBouncer refuses.
    connection.autocommit = True
    connection.execute(POSTGRESQL_LIMITS)
    connection.autocommit = False


def _note_idle(connection: Any, record: ConnectionPoolEntry) -> None:
    record.info["idle_since"] = time.monotonic()
    if connection is not None:
        connection.patience = ANSWER_SECONDS


def _ping_idle(connection: Any, record: ConnectionPoolEntry, _fairy: Any) -> None:
    """Ping idle connections. SQLAlchemy's own ping costs a round trip each time, and a busy
    connection shows a loss by itself."""
    idle_since = record.info.get("idle_since", time.monotonic())
    if time.monotonic() - idle_since < PING_AFTER_IDLE_SECONDS:
        return
    try:
        connection.autocommit = True
        connection.patience = PING_SECONDS
        connection.execute("SELECT 1")
        connection.patience = ANSWER_SECONDS
        connection.autocommit = False
    except connection.OperationalError as error:
        # The pool opens a new one, and also treats all others as lost.
        raise InvalidatePoolError from error
