"""Periodic jobs: each runs now and then, on one instance at a time.

A job has a row that says when it is due. It is leased before it runs and renews its lease while it
does; if the process dies, the job is due again after LEASE_SECONDS.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import insert, not_, select

from jobs.leases import Leasable, Lease, lease_row, renew_lease
from jobs.models import Job
from storage import atomic, db, now
from storage.clock import DatabaseTime

# Longer than a job works between two renewals of its lease.
LEASE_SECONDS = 600
ROWS = Leasable(Job.name, Job.due_at, Job.lease)


@dataclass(frozen=True)
class Periodic:
    """A job. ``run`` works while ``keep_lease`` says so; returns how much it did. ``pause`` tells
    after a run how many seconds pass before the next one, if that is not always the same."""

    name: str
    every_seconds: int
    run: Callable[[Lease], int]
    pause: Callable[[], int] | None = None


def run_due(jobs: Sequence[Periodic]) -> None:
    """Run the jobs that are due and not leased."""
    leased = db.session.scalars(select(Job.name).where(not_(ROWS.is_free))).all()
    db.session.commit()
    for job in jobs:
        if job.name not in leased and (lease := lease_job(job.name)):
            _run(job, lease)


def run_now(jobs: Sequence[Periodic]) -> dict[str, int]:
    """Run all jobs, due or not; returns how much each did.

    An instance that is running one leaves the rest to us.
    """
    leases = {job.name: lease_job(job.name, even_if_leased=True) for job in jobs}
    return {job.name: _run(job, lease) for job in jobs if (lease := leases[job.name])}


@atomic
def lease_job(name: str, *, even_if_leased: bool = False) -> Lease | None:
    """Lease a job; None if it is leased or not due."""
    seen = db.session.scalar(select(Job.lease).where(Job.name == name))
    if seen is None:
        seen = 0
        db.session.execute(insert(Job).values(name=name, due_at=DatabaseTime(), lease=seen))
    return lease_row(ROWS, name, seen, LEASE_SECONDS, even_if_leased=even_if_leased)


def keep_lease(lease: Lease) -> bool:
    """Renew the lease of a running job; False if it must stop. Call within an atomic verb."""
    return renew_lease(lease, LEASE_SECONDS)


def _run(job: Periodic, lease: Lease) -> int:
    done = job.run(lease)
    _finish(job, lease)
    return done


@atomic
def _finish(job: Periodic, lease: Lease) -> None:
    seconds = job.pause() if job.pause else job.every_seconds
    renew_lease(lease, seconds, done_at=now())
