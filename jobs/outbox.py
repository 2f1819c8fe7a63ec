"""Attempts to work off a row of an outbox: each fails by itself, and none is repeated for ever;
and how much of an outbox waits."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

import structlog
from sqlalchemy import func, select, tuple_, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import InstrumentedAttribute

from jobs.leases import Leasable
from storage import db, now
from storage.clock import DatabaseTime

log = structlog.get_logger()

GIVEN_UP_AFTER_DAYS = 14
# Rows of one statement.
AT_A_TIME = 500

End = TypeVar("End")


class Attempt(Generic[End]):
    """One attempt: how it ended, or which error it ended with.

    ``expected``: what the outside world may do to us. Any other error is a fault of ours: it is
    logged with its traceback, and has the same days until the row is given up, so that it neither
    stops the other rows nor stays for ever. A failing database is no fault of the row.
    """

    def __init__(
        self, send: Callable[[], End], written_at: datetime, expected: type[Exception], name: str
    ) -> None:
        self.end: End | None = None
        self.error: Exception | None = None
        try:
            self.end = send()
        except expected as error:
            self.error = error
        except SQLAlchemyError:
            raise
        except Exception as error:
            log.exception("outbox_failed", work=name)
            self.error = error
        is_old = written_at < now() - timedelta(days=GIVEN_UP_AFTER_DAYS)
        self.is_given_up = self.error is not None and is_old


@dataclass(frozen=True)
class Part:
    """The rows of an outbox that wait for one receiver."""

    name: str
    count: int
    oldest: datetime
    next_at: datetime
    # How often the most tried row was tried.
    attempts: int


@dataclass(frozen=True)
class Backlog:
    """The rows of an outbox that wait, and the age of the oldest; 0 if none waits."""

    count: int
    oldest_seconds: float


def backlog(created_at: InstrumentedAttribute[datetime]) -> Backlog:
    """Return what waits in the outbox that has this column."""
    count, oldest = db.session.execute(select(func.count(), func.min(created_at))).one()
    age = (now() - oldest).total_seconds() if oldest else 0.0
    return Backlog(count, max(0.0, age))


def make_due(rows: Leasable, is_idle: Callable[[int, float], bool]) -> int:
    """Make rows due that wait for their next attempt; return how many.

    ``is_idle``: whether nobody is trying a row now, by its number of attempts and the seconds until
    it is free. A row that is leased meanwhile stays as it is. Call within an atomic verb.
    """
    query = select(rows.key, rows.lease, rows.free_at, DatabaseTime()).where(~rows.is_free)
    idle = [
        (key, attempts)
        for key, attempts, free_at, moment in db.session.execute(query)
        if is_idle(attempts, (free_at - moment).total_seconds())
    ]
    for start in range(0, len(idle), AT_A_TIME):
        these = tuple_(rows.key, rows.lease).in_(idle[start : start + AT_A_TIME])
        due = update(rows.key.class_).where(these).values({rows.free_at: DatabaseTime()})
        db.session.execute(due.execution_options(synchronize_session=False))
    return len(idle)
