"""Deletes expired rows in small batches, in the background, on one instance at a time.

Each job has a row that says when it is due. An instance leases a job by putting that time off, with
an UPDATE that only one can win, and renews the lease with every batch. No lock is held meanwhile,
and if the process dies, the job is due again after ten minutes.
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

# How often a process that serves requests checks for due jobs.
LOOK_EVERY_SECONDS = 60
# Longer than finding (storage) and deleting one batch takes.
HELD_SECONDS = 600
BATCH_ROWS = 1000
FOUND_AT_ONCE = 20 * BATCH_ROWS


@dataclass(frozen=True)
class Work:
    """A job: ``over`` selects the ids of expired rows, ``purge`` deletes some of them."""

    every_seconds: int
    expired: Callable[[], Select[str]]
    purge: Callable[[Sequence[str]], None]


WORKS = {
    "flows": Work(600, flows.expired, flows.purge),
    # Found by a full table scan: an index on last_seen_at would make every request more expensive.
    "sessions": Work(6 * 3600, sessions.expired, sessions.purge),
    "events": Work(3600, activity.expired, activity.purge),
}


def worker(app: Flask) -> Worker:
    return Worker(app, "housekeeping", run_due, LOOK_EVERY_SECONDS)


def run_due() -> None:
    """Run the jobs that are due and not leased."""
    due_at = {row.name: row.due_at for row in db.session.execute(select(Job.name, Job.due_at))}
    db.session.commit()
    for name in WORKS:
        if name not in due_at or due_at[name] <= now():
            turn = _take(name)
            if turn is not None:
                _do(name, turn)


def run_now() -> dict[str, int]:
    """Run all jobs, due or not; return how many rows each deleted.

    An instance that has begun one leaves the rest to us.
    """
    turns = {name: _take(name, is_due=False) for name in WORKS}
    return {name: _do(name, turn) for name, turn in turns.items() if turn is not None}


@atomic
def _take(name: str, *, is_due: bool = True) -> int | None:
    """Lease a job; return the number of our lease, or None if it is leased or not due."""
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
    """Renew the lease; return whether it was still ours."""
    mine = (
        update(Job)
        .where(Job.name == name, Job.turn == turn)
        .values(due_at=now() + timedelta(seconds=seconds), **(values or {}))
        .execution_options(synchronize_session=False)
    )
    return cast(CursorResult[Any], db.session.execute(mine)).rowcount == 1


def _do(name: str, turn: int) -> int:
    """Delete all expired rows while the lease is ours; return how many."""
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
            # Pause for as long as we worked: SQLite has one writer, which would always be us.
            time.sleep(time.monotonic() - begun)
        if len(ids) < FOUND_AT_ONCE:
            break
    if is_ours:
        _finish(name, turn)
    if deleted:
        log.info("housekeeping", chore=name, deleted=deleted)
    return deleted


def _find(work: Work) -> Sequence[str]:
    """Find expired rows. They stay expired, so they may be deleted later."""
    without_time_limit()
    ids = db.session.scalars(work.expired().limit(FOUND_AT_ONCE)).all()
    db.session.commit()
    return ids


@atomic
def _delete(name: str, turn: int, ids: Sequence[str]) -> bool:
    """Delete a batch; return False, and delete nothing, if the lease is no longer ours."""
    is_ours = _put_off(name, turn, HELD_SECONDS)
    if is_ours:
        WORKS[name].purge(ids)
    return is_ours


@atomic
def _finish(name: str, turn: int) -> None:
    _put_off(name, turn, WORKS[name].every_seconds, {"done_at": now()})
