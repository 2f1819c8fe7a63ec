"""The job that deletes old receipts."""

from accounts.cleanup import delete_expired_job
from inbox import receipts
from jobs.periodic import Periodic


def jobs() -> tuple[Periodic, ...]:
    return (delete_expired_job("receipts", 24 * 3600, receipts.expired, receipts.purge),)
