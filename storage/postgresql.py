"""Connections to PostgreSQL: what they are told at first, and how long anybody waits for them."""

import time
from typing import Any

from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

# A connection that lay idle for longer is tried before it is used.
PING_AFTER_IDLE_SECONDS = 1.0
# Of libpq: a server that vanished is noticed within seconds, not when TCP gives up after minutes.
# https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
CONNECT_ARGS: dict[str, object] = {
    "application_name": "quickstep",
    "connect_timeout": 5,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
    # Behind PgBouncer in transaction mode the next statement may be on another connection; and
    # preparing was measured to save our side nothing.
    "prepare_threshold": None,
}
# For what no statement of ours takes: nobody waits for a request that its browser gave up, and a
# process that was stopped in the middle of a transaction holds its locks for a minute.
POSTGRESQL_LIMITS = (
    "SET statement_timeout = '10s'; SET lock_timeout = '5s';"
    " SET idle_in_transaction_session_timeout = '60s'"
)
# How long one answer may take: longer than the server's own limits. A server that has stopped in
# its tracks, or whose disk has, keeps none of those, and TCP finds nothing wrong with it.
ANSWER_SECONDS = 13.0
# The same, of whether a connection is alive.
PING_SECONDS = 3.0


def prepare(engine: Engine) -> None:
    bounded: list[type[Any]] = []

    def connect(dialect: Any, _record: Any, arguments: Any, options: Any) -> Any:
        if not bounded:
            bounded.append(_bounded(dialect.dbapi))
        return bounded[0].connect(*arguments, **options)

    event.listen(engine, "do_connect", connect)
    event.listen(engine, "connect", _limit)
    event.listen(engine, "checkout", _ping_idle)
    event.listen(engine, "checkin", _note_idle)


def allow(connection: Connection, seconds: float | None) -> None:
    """Let this transaction's statements take so long; None: as long as they need."""
    milliseconds = 0 if seconds is None else round(seconds * 1000)
    connection.execute(text(f"SET LOCAL statement_timeout = {milliseconds}"))
    driver: Any = connection.connection.driver_connection
    driver.patience = None if seconds is None else seconds + ANSWER_SECONDS


def _bounded(dbapi: Any) -> type[Any]:
    """The driver's connection, whose waits end. One that was given up is closed: what it was about
    to say would be taken for the answer to the next statement."""

    class Bounded(dbapi.Connection):  # type: ignore[misc]  # known once the driver is loaded
        patience: float | None = ANSWER_SECONDS

        def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:
            kwargs.setdefault("timeout", self.patience)
            try:
                return super().wait(gen, *args, **kwargs)
            except dbapi.errors._WaitTimeout:  # noqa: SLF001 (it has no other name)
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
    """SQLAlchemy's own ping costs a trip each time; a busy connection shows by itself."""
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
        # It makes a new one, and takes all the others for lost too.
        raise InvalidatePoolError from error
