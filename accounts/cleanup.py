"""Deletes expired rows in small batches, in the background, on one instance at a time."""

import time
from collections.abc import Callable, Sequence
from functools import partial

import structlog
from sqlalchemy import Select

from access import invitations
from accounts import (
    activity,
    admin_links,
    admin_log,
    alarms,
    ended_sessions,
    flows,
    names,
    orphans,
    sessions,
)
from jobs import periodic
from jobs.leases import Lease
from jobs.periodic import Periodic
from jobs.registry import Jobs
from notices import mails
from storage import atomic, db
from storage.transactions import without_time_limit

log = structlog.get_logger()

BATCH_ROWS = 1000
FOUND_AT_ONCE = 20 * BATCH_ROWS

Expired = Callable[[], Select[str]]
Purge = Callable[[Sequence[str]], None]
Report = Callable[[str, int], None]


def register(jobs: Jobs) -> None:
    """Have the application delete expired rows, and write the words of names, in the background."""
    jobs.add("housekeeping", run_due)
    jobs.add("names", names.work)


def run_due() -> None:
    """Run the jobs that are due and not leased."""
    periodic.run_due(JOBS)


def report_nothing(_name: str, _deleted: int) -> None:
    """The usual case: nobody watches."""


def run_now(report: Report = report_nothing) -> dict[str, int]:
    """Run all jobs, due or not; return how many rows each deleted, by its name. ``report`` is told
    as much after each batch."""
    return periodic.run_now(_jobs(report))


def _delete_expired(
    name: str, expired: Expired, purge: Purge, lease: Lease, report: Report = report_nothing
) -> int:
    """Delete all expired rows while the lease is ours; return how many."""
    deleted, is_ours = 0, True
    while is_ours:
        ids = _find(expired)
        for start in range(0, len(ids), BATCH_ROWS):
            batch = ids[start : start + BATCH_ROWS]
            begun = time.monotonic()
            is_ours = _delete(lease, purge, batch)
            if not is_ours:
                break
            deleted += len(batch)
            report(name, deleted)
            # Pause for as long as we worked: SQLite has one writer, which would always be us.
            time.sleep(time.monotonic() - begun)
        if len(ids) < FOUND_AT_ONCE:
            break
    if deleted:
        log.info("housekeeping", chore=name, deleted=deleted)
    return deleted


def _find(expired: Expired) -> Sequence[str]:
    """Find expired rows. They stay expired, so they may be deleted later."""
    without_time_limit()
    ids = db.session.scalars(expired().limit(FOUND_AT_ONCE)).all()
    db.session.commit()
    return ids


@atomic
def _delete(lease: Lease, purge: Purge, ids: Sequence[str]) -> bool:
    """Delete a batch; return False, and delete nothing, if the lease is no longer ours."""
    is_ours = periodic.keep_lease(lease)
    if is_ours:
        purge(ids)
    return is_ours


def delete_expired_job(
    name: str,
    every_seconds: int,
    expired: Expired,
    purge: Purge,
    report: Report = report_nothing,
) -> Periodic:
    """Return the job that deletes the expired rows of a table."""
    run = partial(_delete_expired, name, expired, purge, report=report)
    return Periodic(name, every_seconds, run)


def _jobs(report: Report) -> tuple[Periodic, ...]:
    job = partial(delete_expired_job, report=report)
    return (
        job("flows", 600, flows.expired, flows.purge),
        # Found by a full table scan: an index on last_seen_at would make every request more
        # expensive.
        job("sessions", 6 * 3600, sessions.expired, sessions.purge),
        job("ended_sessions", 24 * 3600, ended_sessions.expired, ended_sessions.purge),
        job("orphans", 3600, orphans.due, orphans.purge),
        job("mails", 3600, mails.expired, mails.purge),
        job("invitations", 24 * 3600, invitations.expired, invitations.purge),
        job("events", 3600, activity.expired, activity.purge),
        job("alarms", 24 * 3600, alarms.expired, alarms.purge),
        job("admin_links", 3600, admin_links.expired, admin_links.purge),
        job("admin_log", 24 * 3600, admin_log.expired, admin_log.purge),
    )


JOBS = _jobs(report_nothing)
