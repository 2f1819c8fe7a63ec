"""Housekeeping: what has expired is deleted, and signing keys are made in time."""

from functools import partial

import structlog

from accounts.cleanup import Report, delete_expired_job, report_nothing
from issuer import access_tokens, devices, documents, grants, parked, seen_proofs, signing_keys
from jobs.leases import Lease
from jobs.periodic import Periodic

log = structlog.get_logger()


def _keep_up(_lease: Lease) -> int:
    try:
        return signing_keys.keep_up()
    except signing_keys.KeyUnreadable as error:
        log.error("signing_key_unreadable", detail=str(error))  # noqa: TRY400 (it names the fault)
        return 0


def jobs(report: Report = report_nothing) -> tuple[Periodic, ...]:
    """Return the jobs that delete expired rows."""
    job = partial(delete_expired_job, report=report)
    return (
        job("authorization_requests", 600, parked.expired, parked.purge),
        job("access_tokens", 3600, access_tokens.expired, access_tokens.purge),
        job("seen_proofs", 600, seen_proofs.expired, seen_proofs.purge),
        job("device_codes", 3600, devices.expired, devices.purge),
        job("grants", 6 * 3600, grants.expired, grants.purge),
        job("described_clients", 6 * 3600, documents.unused, documents.purge),
    )


KEYS = Periodic("signing_keys", 3600, _keep_up)
