"""Transactions: ``atomic``, the only way to commit, and the ORM's session, which joins them."""

import functools
import random
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar

from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session
from sqlalchemy import Connection, Dialect, Engine, RootTransaction
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm import SessionTransaction

from storage import postgresql
from storage.types import Base

P = ParamSpec("P")
T = TypeVar("T")

# A verb that hits a unique constraint runs this often in total; one that collides with other
# transactions is retried for this long, since the collision says nothing about the verb.
WRITE_ATTEMPTS = 5
RETRY_FOR_SECONDS = 5
# The maximum random delay before a retry, doubled each time, so that colliding transactions
# separate.
PAUSE_SECONDS, MAX_PAUSE_SECONDS = 0.005, 0.3
LONG_READ_SECONDS = 300
# PostgreSQL: serialization_failure and deadlock_detected; the transaction may be retried.
RETRYABLE_SQLSTATES = ("40001", "40P01")


class _Transaction:
    """The open transaction of ``atomic``: its connection and, if the ORM took part, its session."""

    connection: Connection
    orm: Session | None = None


_open: ContextVar[_Transaction | None] = ContextVar("open_transaction", default=None)


class _Session(Session):
    """The ORM's session, which joins the open transaction of ``atomic``. It does not own the
    transaction: most of a sign-in needs no session, and a session costs more than the statements.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        transaction = _open.get()
        if transaction:
            transaction.orm = self
        self._reading: tuple[SessionTransaction, Connection] | None = None

    def reading_connection(self) -> Connection:
        """Return the connection of the transaction in which this session reads, after flushing its
        writes. It is looked up once per transaction: that costs more than most statements."""
        self.flush()
        transaction = self.get_transaction()
        if self._reading and self._reading[0] is transaction and transaction.is_active:
            return self._reading[1]
        connection = self.connection()
        transaction = self.get_transaction()
        assert transaction is not None
        self._reading = transaction, connection
        return connection

    def close(self) -> None:
        """End the session, without a cycle of references that only the collector would free."""
        self._reading = None
        super().close()

    def get_bind(self, *args: Any, **kwargs: Any) -> Engine | Connection:
        transaction = _open.get()
        return transaction.connection if transaction else super().get_bind(*args, **kwargs)


db = SQLAlchemy(
    metadata=Base.metadata, session_options={"expire_on_commit": False, "class_": _Session}
)


def in_transaction() -> bool:
    """Return whether a write transaction of ``atomic`` is open here."""
    return _open.get() is not None


def as_raised(
    dialect: Dialect, statement: str, error: Exception, *, is_lost: bool = False
) -> BaseException:
    """Convert an error of the driver into SQLAlchemy's, for statements that we run directly."""
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
    """Run a verb as one write transaction: it is committed completely or not at all.

    When two requests insert the same unique row, and after a serialization failure or a deadlock,
    the verb runs again from the start. So it must read everything it decides on itself. Within
    another atomic verb it joins that transaction.
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
                orm.commit()  # ends the read transaction of earlier queries
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
        begun.rollback()  # otherwise the next user of the connection would be inside it
        if orm:
            orm.commit()
            orm.expire_all()  # its objects appear written but are not
        raise
    if orm:
        orm.commit()  # ends it for the session too; nothing is left to write


def open_connection() -> Connection:
    """Return the connection of the open transaction, after flushing the ORM's writes."""
    transaction = _open.get()
    if transaction is None:
        session = db.session()
        assert isinstance(session, _Session)
        return session.reading_connection()
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
    """Let this transaction read for longer than a request may wait: it belongs to a
    background job."""
    if db.engine.dialect.name == "postgresql":
        postgresql.allow(open_connection(), LONG_READ_SECONDS)
