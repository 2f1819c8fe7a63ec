"""What is over is deleted: by one instance at a time, beside the requests, in small batches.

Each chore has a row that says when it is due. Whoever does it first puts that off, by an UPDATE
that only one can win, and goes on doing so with every batch: no lock is held meanwhile, and of a
process that dies the chore is due again after ten minutes.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import structlog
from flask import Flask
from sqlalchemy import CursorResult, Select, select, update

from accounts import activity, flows, sessions
from jobs.worker import Worker
from models import Job
from storage import atomic, db, now
from storage.transactions import without_time_limit

log = structlog.get_logger()

# A process looks whether something is due this often, when it is asked something.
LOOK_EVERY_SECONDS = 60
# Longer than it takes to find (LONG_READ_SECONDS) and delete one batch.
HELD_SECONDS = 600
BATCH_ROWS = 1000
FOUND_AT_ONCE = 20 * BATCH_ROWS


@dataclass(frozen=True)
class Work:
    """What a chore is: ``over`` selects the ids of rows to delete, ``purge`` deletes some."""

    every_seconds: int
    expired: Callable[[], Select[str]]
    purge: Callable[[Sequence[str]], None]


WORKS = {
    "flows": Work(600, flows.expired, flows.purge),
    # Found by reading the whole table: an index of what is seen would cost every request more.
    "sessions": Work(6 * 3600, sessions.expired, sessions.purge),
    "events": Work(3600, activity.expired, activity.purge),
}


def worker(app: Flask) -> Worker:
    return Worker(app, "housekeeping", run_due, LOOK_EVERY_SECONDS)


def run_due() -> None:
    """Do what is due and nobody else has begun."""
    due_at = {row.name: row.due_at for row in db.session.execute(select(Job.name, Job.due_at))}
    db.session.commit()
    for name in WORKS:
        if name not in due_at or due_at[name] <= now():
            turn = _take(name)
            if turn is not None:
                _do(name, turn)


def run_now() -> dict[str, int]:
    """Do everything, due or not; how many rows each chore deleted.

    Whoever has begun one leaves the rest of it to us.
    """
    turns = {name: _take(name, is_due=False) for name in WORKS}
    return {name: _do(name, turn) for name, turn in turns.items() if turn is not None}


@atomic
def _take(name: str, *, is_due: bool = True) -> int | None:
    """Make a chore ours: the number of our turn; None when it is somebody else's, or not due."""
    row = db.session.get(Job, name, populate_existing=True)
    if row is None:
        row = Job(name=name)
        db.session.add(row)
        db.session.flush()
    if is_due and row.due_at > now():
        return None
    mine = row.turn + 1
    return mine if _put_off(name, row.turn, HELD_SECONDS, {"turn": mine}) else None


def _put_off(
    name: str, turn: int, seconds: float, values: Mapping[str, object] | None = None
) -> bool:
    """Whether the chore is still as it was at our turn, and is now due later."""
    mine = (
        update(Job)
        .where(Job.name == name, Job.turn == turn)
        .values(due_at=now() + timedelta(seconds=seconds), **(values or {}))
        .execution_options(synchronize_session=False)
    )
    return cast(CursorResult[Any], db.session.execute(mine)).rowcount == 1


def _do(name: str, turn: int) -> int:
    """Delete all that is over, for as long as the turn is ours; how many rows that were."""
    deleted, is_ours = 0, True
    while is_ours:
        ids = _find(WORKS[name])
        for start in range(0, len(ids), BATCH_ROWS):
            batch = ids[start : start + BATCH_ROWS]
            begun = time.monotonic()
            is_ours = _delete(name, turn, batch)
            if not is_ours:
                break
            deleted += len(batch)
            # Half of the time is for others: SQLite has one writer, who would always be us.
            time.sleep(time.monotonic() - begun)
        if len(ids) < FOUND_AT_ONCE:
            break
    if is_ours:
        _finish(name, turn)
    if deleted:
        log.info("housekeeping", job=name, deleted=deleted)
    return deleted


def _find(work: Work) -> Sequence[str]:
    """What is over is so for good, so it may be found first and deleted later."""
    without_time_limit()
    ids = db.session.scalars(work.expired().limit(FOUND_AT_ONCE)).all()
    db.session.commit()
    return ids


@atomic
def _delete(name: str, turn: int, ids: Sequence[str]) -> bool:
    """Delete a batch; False, and nothing is deleted, when somebody has taken our turn."""
    is_ours = _put_off(name, turn, HELD_SECONDS)
    if is_ours:
        WORKS[name].purge(ids)
    return is_ours


@atomic
def _finish(name: str, turn: int) -> None:
    _put_off(name, turn, WORKS[name].every_seconds, {"done_at": now()})
